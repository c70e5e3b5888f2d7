// What translations cost at most, and what becomes of one that V8 will not have.
import t from 'tap';
import type { Cpu } from '../../../switcher/cpu/cpu.js';
import { atOnce } from '../../../switcher/translator/workshop.js';
import { EAX, EBP, EBX, HLT, newCpu, PAGE, run, translator } from '../../support/translating-cpu.js';

t.setTimeout(120_000);

const MOST_REGIONS = 4096;
const MOST_BYTES = 16 * 2 ** 20;

/** `inc %ebx; mov $next, %eax; jmp *%eax`, 8 bytes each: no region follows a jump that was never made. */
function chainOfBlocks(cpu: Cpu, from: number, count: number): void {
  const { bytes } = cpu.memory;
  for (let i = 0; i < count; i++) {
    const at = from + i * 8;
    const next = at + 8;
    bytes.set([0x43, 0xb8, next & 0xff, (next >> 8) & 0xff, 0, 0, 0xff, 0xe0], at);
  }
  bytes[from + count * 8] = HLT;
  cpu.memory.wrote(from, count * 8 + 1);
}

t.test('more code than there may be translations of: old ones go, and everything is right', async (t) => {
  const cpu = newCpu();
  const blocks = 7000;
  chainOfBlocks(cpu, PAGE, blocks);
  for (let round = 1; round <= 2; round++) {
    cpu.memory.set(EBX, 0);
    run(cpu, PAGE);
    t.equal(cpu.memory.get(EBX), blocks);
    const { live, liveBytes, regions, reclaimed } = translator(cpu);
    t.ok(live <= MOST_REGIONS && liveBytes <= MOST_BYTES, `${live} regions of ${liveBytes} bytes`);
    t.ok(regions >= blocks && reclaimed >= blocks - MOST_REGIONS, `${regions} made, ${reclaimed} gone`);
  }
});

t.test('what nobody has jumped to is no part of a translation, until somebody does', async (t) => {
  const cpu = newCpu(atOnce(1));
  const rare = 100;
  // 1: test %eax, %eax; jnz 2f; 3: dec %ebx; jnz 1b; hlt; 2: inc %ebp, a hundred times; jmp 3b
  cpu.memory.bytes.set([0x85, 0xc0, 0x75, 0x04, 0x4b, 0x75, 0xf9, HLT], 0x1000);
  cpu.memory.bytes.set([...Array<number>(rare).fill(0x45), 0xeb, -(rare + 6) & 0xff], 0x1008);
  const times = 50_000;
  for (const eax of [0, 1]) {
    cpu.memory.set(EAX, eax);
    cpu.memory.set(EBX, times);
    cpu.memory.set(EBP, 0);
    run(cpu, 0x1000);
    t.equal(cpu.memory.get(EBP), eax * rare * times);
    const { instructions } = translator(cpu);
    if (eax === 0) t.ok(instructions > 0 && instructions < 10, `${instructions} instructions`);
    else t.ok(instructions > rare, `${instructions} instructions`);
  }
});

t.test('two programs that are hot at the same address are both translated', async (t) => {
  const cpu = newCpu(atOnce(1));
  const [first, second] = [0x43, 0x4b];
  // 1: inc %ebx, or dec %ebx; dec %ebp; jnz 1b; hlt
  for (const [page, step] of [
    [1, first],
    [2, second],
  ] as const) {
    cpu.memory.bytes.set([step, 0x4d, 0x75, 0xfc, HLT], page * PAGE);
  }
  const times = 50_000;
  for (const [round, page] of [1, 2, 1, 2].entries()) {
    cpu.maps.set(1, page, true, false);
    cpu.memory.set(EBX, 0);
    cpu.memory.set(EBP, times);
    run(cpu, PAGE);
    t.equal(cpu.memory.get(EBX), page === 1 ? times : -times);
    t.equal(translator(cpu).regions, Math.min(round + 1, 2), 'each once');
  }
});

t.test('a Guest that makes code without end has few translations at a time, and each is right', async (t) => {
  const cpu = newCpu();
  const { bytes } = cpu.memory;
  // 1: mov %bl, imm(code); call code; add %eax, %ebp; dec %ebx; jnz 1b; hlt, where code is: mov $imm, %eax; ret
  bytes.set([0xb8, 0, 0, 0, 0, 0xc3], 0x3000);
  const loop = [0x88, 0x1d, 0x01, 0x30, 0, 0, 0xe8, 0xf5, 0x1f, 0, 0, 0x01, 0xc5, 0x4b, 0x75, 0xf0, HLT];
  bytes.set(loop, 0x1000);
  const times = 3000;
  cpu.memory.set(EBX, times);
  cpu.memory.set(EBP, 0);
  run(cpu, 0x1000);
  let sum = 0;
  for (let i = 1; i <= times; i++) sum += i & 0xff;
  t.equal(cpu.memory.get(EBP), sum);
  const { live, regions } = translator(cpu);
  t.ok(regions > times, `${regions} made`);
  t.ok(live < 10, `${live} at the end`);
  t.ok(cpu.counters.code.pagesForgotten >= times);
});

/** V8's answer to every module from now on. */
function refusing<T>(refusal: Error, body: () => T): T {
  const real = WebAssembly.Module;
  WebAssembly.Module = class extends real {
    constructor() {
      super(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
      throw refusal;
    }
  };
  try {
    return body();
  } finally {
    WebAssembly.Module = real;
  }
}

t.test('what V8 refuses is interpreted', async (t) => {
  const cpu = newCpu();
  const refusals = [new RangeError('out of memory'), new SyntaxError('not WebAssembly')];
  for (const [i, refusal] of refusals.entries()) {
    const from = (i + 1) * PAGE;
    chainOfBlocks(cpu, from, 100);
    cpu.memory.set(EBX, 0);
    refusing(refusal, () => run(cpu, from));
    t.equal(cpu.memory.get(EBX), 100);
    t.equal(cpu.memory.get(EAX), from + 800);
  }
  const { live, refused, mistakes } = translator(cpu);
  t.equal(live, 0);
  t.ok(refused >= 200, `${refused} refused`);
  t.strictSame(mistakes, ['SyntaxError: not WebAssembly'], 'of ours, tests see');
  const from = 3 * PAGE;
  chainOfBlocks(cpu, from, 100);
  cpu.memory.set(EBX, 0);
  run(cpu, from);
  t.equal(cpu.memory.get(EBX), 100);
  t.ok(translator(cpu).live >= 100, 'and when it wants them again, they are translated');
});

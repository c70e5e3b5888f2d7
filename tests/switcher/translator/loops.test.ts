// Which code makes one region with a loop that is hot: all that has been run of it, wherever one comes to it.
import t from 'tap';
import * as State from '../../../switcher/cpu/state.js';
import type { Cpu } from '../../../switcher/cpu/cpu.js';
import type { Job } from '../../../switcher/translator/job.js';
import { makeRegion, type Outcome } from '../../../switcher/translator/make-region.js';
import { atOnce, type Workshop } from '../../../switcher/translator/workshop.js';
import { EAX, EBP, EBX, HLT, newCpu, PAGE, run, translator } from '../../support/translating-cpu.js';

const TIMES = 50_000;

/** Makes the region at one place, and no other. */
class PickyWorkshop implements Workshop {
  readonly patience = 1;
  readonly hasRoom = true;
  readonly #entry: number;

  constructor(entry: number) {
    this.#entry = entry;
  }

  take(job: Job, done: (outcome: Outcome) => void): void {
    done(job.region.entry === this.#entry ? makeRegion(job) : { kind: 'refused', mistake: undefined });
  }

  collect(): void {
    // All is done at once.
  }
}

/** Remembers what it was asked for. */
class ListeningWorkshop implements Workshop {
  readonly patience = 24;
  readonly hasRoom = true;
  readonly entries: number[] = [];

  take(job: Job, done: (outcome: Outcome) => void): void {
    this.entries.push(job.region.entry);
    done(makeRegion(job));
  }

  collect(): void {
    // All is done at once.
  }
}

function runWith(cpu: Cpu, eax: number): void {
  cpu.memory.set(EAX, eax);
  cpu.memory.set(EBX, 0);
  cpu.memory.set(EBP, TIMES);
  run(cpu, PAGE);
}

/** Of what was executed, how much in translated code. */
function shareOfTranslated(cpu: Cpu): number {
  const { retired } = cpu.counters;
  return retired === undefined ? NaN : retired.translated / retired.instructions;
}

/**
 * 1: mov $11, %edx; jmp 3f; 2: inc %ebx; test $8, %bl; jz 3f; jmp 4f; 3: dec %edx; jnz 2b; 4: dec %ebp; jnz 1b; hlt. As seen
 * from its body, the inner loop is a cycle with two ways in.
 */
const NESTED = [
  [0xba, 11, 0, 0, 0, 0xeb, 8],
  [0x43, 0xf6, 0xc3, 8, 0x74, 2, 0xeb, 3],
  [0x4a, 0x75, 0xf5],
  [0x4d, 0x75, 0xeb, HLT],
].flat();
/** The same with `jnz 4f` for the two jumps in the middle. */
const NESTED_MORE_TIGHTLY = [
  [0xba, 11, 0, 0, 0, 0xeb, 6],
  [0x43, 0xf6, 0xc3, 8, 0x75, 3],
  [0x4a, 0x75, 0xf7],
  [0x4d, 0x75, 0xed, HLT],
].flat();
const BODY = PAGE + 7;
/** jmp 3f; 2: inc %ebx; 3: dec %ebp; jnz 2b; hlt, with its body at the same place. */
const SINGLE = [0x90, 0x90, 0x90, 0x90, 0x90, 0xeb, 1, 0x43, 0x4d, 0x75, 0xfc, HLT];
const NEVER: Workshop = { ...atOnce(1), hasRoom: false };

t.test('a loop that is come to at its test is not left for that, whatever is around it', async (t) => {
  const cpu = newCpu(new PickyWorkshop(BODY), true);
  const interpreted = newCpu(NEVER);
  for (const each of [cpu, interpreted]) each.memory.bytes.set(NESTED, PAGE);
  for (let round = 0; round < 3; round++) {
    for (const each of [cpu, interpreted]) runWith(each, 0);
    t.equal(cpu.memory.get(EBX), interpreted.memory.get(EBX));
  }
  t.equal(translator(cpu).regions, 1);
  t.ok(shareOfTranslated(cpu) > 0.95, `${shareOfTranslated(cpu)}`);
});

t.test('a loop is not translated from its middle when one comes to it from around it', async (t) => {
  for (const [program, isTranslated] of [
    [NESTED_MORE_TIGHTLY, false],
    [SINGLE, true],
  ] as const) {
    const workshop = new ListeningWorkshop();
    const cpu = newCpu(workshop);
    cpu.memory.bytes.set(program, PAGE);
    runWith(cpu, 0);
    t.equal(workshop.entries.includes(BODY), isTranslated);
    t.ok(workshop.entries.length > 0);
  }
});

t.test('what the x87 does by a routine, between registers, is no reason to leave a loop', async (t) => {
  const cpu = newCpu(atOnce(1), true);
  // fninit; fldpi; fld1; 1: fdiv %st(1), %st; fmul %st(1), %st; dec %ebp; jnz 1b; hlt
  const program = [0xdb, 0xe3, 0xd9, 0xeb, 0xd9, 0xe8, 0xd8, 0xf1, 0xd8, 0xc9, 0x4d, 0x75, 0xf9, HLT];
  cpu.memory.bytes.set(program, PAGE);
  runWith(cpu, 0);
  const { regions, stale } = translator(cpu);
  t.equal(regions, 1);
  t.equal(stale, 0);
  t.ok(shareOfTranslated(cpu) > 0.95, `${shareOfTranslated(cpu)}`);
});

t.test('what is behind a jump that was not taken belongs to the loop', async (t) => {
  const cpu = newCpu(atOnce(1));
  // 1: test %eax, %eax; jz 2f; inc %ebx; dec %ebp; jnz 1b; hlt; 2: inc %ebx; inc %ebx; dec %ebp; jnz 1b; hlt
  cpu.memory.bytes.set([0x85, 0xc0, 0x74, 5, 0x43, 0x4d, 0x75, 0xf8, HLT, 0x43, 0x43, 0x4d, 0x75, 0xf2, HLT], PAGE);
  runWith(cpu, 1);
  t.equal(cpu.memory.get(EBX), TIMES);
  const { regions, instructions } = translator(cpu);
  t.equal(regions, 1);
  t.equal(instructions, 5, 'and the other way, which nobody took, does not');
  runWith(cpu, 0);
  t.equal(cpu.memory.get(EBX), 2 * TIMES);
});

const BLOCKS = 9;
const BLOCK_BYTES = 32;
const STEPS = 400;
/** add, sub, xor and rotate of ebx, ecx and edx; inc; and x87 arithmetic on two registers. */
const OPERATIONS = [
  [0x01, 0xcb],
  [0x29, 0xda],
  [0x31, 0xd1],
  [0xc1, 0xc3, 5],
  [0x43],
  [0x41],
  [0xd8, 0xc1],
  [0xdc, 0xe1],
  [0xd9, 0xc9],
  [0xd9, 0xe0],
];

/** Blocks of operations that jump to each other as it comes, until ebp is 0. */
function randomGraph(random: (below: number) => number): number[] {
  const end = PAGE + BLOCKS * BLOCK_BYTES;
  const bytes: number[] = [];
  const near = (target: number, length: number): number[] => {
    const distance = target - (PAGE + bytes.length + length);
    return [distance & 0xff, (distance >> 8) & 0xff, (distance >> 16) & 0xff, (distance >> 24) & 0xff];
  };
  const someBlock = (): number => PAGE + random(BLOCKS) * BLOCK_BYTES;
  for (let block = 0; block < BLOCKS; block++) {
    for (let count = random(4); count > 0; count--) bytes.push(...(OPERATIONS[random(OPERATIONS.length)] ?? []));
    // dec %ebp; jz to the end; test $bit, %bl; jnz to some block; jmp to some block, or into the next one
    bytes.push(0x4d, 0x0f, 0x84);
    bytes.push(...near(end, 4));
    bytes.push(0xf6, 0xc3, 1 << random(4), 0x0f, random(2) === 0 ? 0x84 : 0x85);
    bytes.push(...near(someBlock(), 4));
    if (random(3) > 0) {
      bytes.push(0xe9);
      bytes.push(...near(someBlock(), 4));
    }
    while (bytes.length < (block + 1) * BLOCK_BYTES) bytes.push(0x90);
  }
  return [...bytes, HLT];
}

/** The general and x87 registers behind the program, run `rounds` times. */
function stateAfter(workshop: Workshop, program: readonly number[], rounds: number): string {
  const cpu = newCpu(workshop);
  // fldpi; fld1; jmp to the program
  cpu.memory.bytes.set([0xdb, 0xe3, 0xd9, 0xeb, 0xd9, 0xe8, 0xe9, 0xf5, 0x0f, 0, 0], 0);
  cpu.memory.bytes.set(program, PAGE);
  const states: string[] = [];
  for (let round = 0; round < rounds; round++) {
    cpu.memory.set(EBX, round * 0x12345);
    cpu.memory.set(EBP, STEPS);
    run(cpu, 0);
    const registers = cpu.memory.all.subarray(State.REGISTERS, State.REGISTERS + 32);
    const numbers = cpu.memory.all.subarray(State.FPU_REGISTERS, State.XMM);
    states.push(Buffer.concat([registers, numbers]).toString('hex'));
  }
  return states.join('\n');
}

t.test('code that jumps as it comes does what it does in the interpreter', async (t) => {
  let seed = 12_345;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  let different = 0;
  for (let graph = 0; graph < 120; graph++) {
    const program = randomGraph(random);
    const right = stateAfter(NEVER, program, 8);
    for (const patience of [0, 1]) if (stateAfter(atOnce(patience), program, 8) !== right) different++;
  }
  t.equal(different, 0);
});

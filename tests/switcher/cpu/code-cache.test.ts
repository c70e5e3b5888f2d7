// Decoded code is remembered: that what is remembered is still true when mappings, bytes and privileges change.
import t from 'tap';
import { GDT_ENTRIES, LGUEST_CS } from '../../../guest-abi/x86/descriptors.js';
import { IDT_ENTRIES } from '../../../guest-abi/x86/traps.js';
import { Cpu, type EngineName } from '../../../switcher/cpu/cpu.js';
import * as State from '../../../switcher/cpu/state.js';
import { atOnce } from '../../../switcher/translator/workshop.js';
import { ENGINES } from '../../support/test-cpu.js';

const PAGE = 4096;
const RAM_PAGES = 16;
const BUDGET = 1000;
const HLT = 0xf4;
const HLT_VECTOR = 13;
const EAX = State.REGISTERS;

/** Flat segments for rings 1 and 3, and a kernel's idea of which selectors they are. */
const GDT = new Uint32Array(GDT_ENTRIES * 2);
const RINGS = {
  kernel: { cs: 0x11, ss: 0x19, code: 0xbb, data: 0xb3 },
  user: { cs: 0x23, ss: 0x2b, code: 0xfb, data: 0xf3 },
};
for (const { cs, ss, code, data } of Object.values(RINGS)) {
  GDT.set([0xffff, 0x00cf0000 | (code << 8)], (cs >>> 3) * 2);
  GDT.set([0xffff, 0x00cf0000 | (data << 8)], (ss >>> 3) * 2);
}

/** A data segment of 4 KiB: with it loaded, code is not flat. */
const SMALL_DATA = 0x31;
GDT.set([0x0fff, 0x0040b300], (SMALL_DATA >>> 3) * 2);

/** A CPU whose every trap leads out. */
class SmallCpu {
  readonly cpu: Cpu;

  constructor(engine: EngineName) {
    const idt = new Uint32Array(IDT_ENTRIES * 2);
    for (let vector = 0; vector < IDT_ENTRIES; vector++) idt.set([LGUEST_CS << 16, 0x8e00], vector * 2);
    const clock = { now: () => 0, wall: () => ({ seconds: 0, nanoseconds: 0 }) };
    this.cpu = new Cpu(RAM_PAGES * PAGE, { gdt: GDT, idt, tss: { ss1: 0, esp1: 0 } }, clock, engine, atOnce(0));
    this.enter('kernel');
  }

  enter(ring: keyof typeof RINGS): void {
    const { cs, ss } = RINGS[ring];
    const { segments } = this.cpu;
    segments.install(State.CS, cs, segments.descriptor(cs));
    segments.install(State.SS, ss, segments.descriptor(ss));
    this.cpu.setPrivilege(cs & 3);
    for (const segment of [State.ES, State.DS, State.FS, State.GS]) segments.load(segment, ss);
    this.cpu.segmentsChanged();
  }

  map(address: number, pfn: number, user = false): void {
    this.cpu.maps.set(address / PAGE, pfn, true, user);
  }

  /** `mov eax, value; jmp on; hlt`, the jump over a byte, so that there is something to look up. */
  program(physical: number, value: number): void {
    const bytes = [0xb8, value, 0, 0, 0, 0xeb, 1, HLT, HLT];
    this.cpu.memory.bytes.set(bytes, physical);
    this.cpu.memory.wrote(physical, bytes.length);
  }

  /** What is in eax at the hlt; -1 when something else ended the run. */
  run(eip: number): number {
    const { memory, trap } = this.cpu;
    memory.set(EAX, 0);
    memory.set(State.EIP, eip);
    this.cpu.run(BUDGET);
    return trap.vector === HLT_VECTOR ? memory.get(EAX) : -1;
  }
}

for (const engine of ENGINES) {
  t.test(`code is found again after its page was unmapped and mapped, under ${engine}`, async (t) => {
    const small = new SmallCpu(engine);
    small.map(0x5000, 2);
    small.program(0x2000, 7);
    t.equal(small.run(0x5000), 7);
    for (let round = 0; round < 3; round++) {
      small.cpu.maps.clear(5);
      t.equal(small.run(0x5000), -1, 'an unmapped page is a page fault, whatever is remembered');
      small.map(0x5000, 2);
      t.equal(small.run(0x5000), 7);
    }
  });

  t.test(`another page at the same address is other code, under ${engine}`, async (t) => {
    const small = new SmallCpu(engine);
    small.program(0x2000, 7);
    small.program(0x3000, 8);
    for (let round = 0; round < 3; round++) {
      small.map(0x5000, 2);
      t.equal(small.run(0x5000), 7);
      small.map(0x5000, 3);
      t.equal(small.run(0x5000), 8);
    }
  });

  t.test(`one page at two addresses is code of two eips, under ${engine}`, async (t) => {
    const small = new SmallCpu(engine);
    // call $+5; pop eax; hlt: where it runs is what it gives.
    small.cpu.memory.bytes.set([0xe8, 0, 0, 0, 0, 0x58, HLT], 0x2000);
    small.map(0x5000, 2);
    small.map(0x6000, 2);
    small.map(0x7000, 4);
    for (let round = 0; round < 3; round++) {
      for (const at of [0x5000, 0x6000]) {
        small.cpu.memory.set(State.REGISTERS + 16, 0x8000);
        t.equal(small.run(at), at + 5);
        small.cpu.maps.clear(at / PAGE);
        small.map(at, 2);
      }
    }
  });

  t.test(`code that a device wrote while its page was not mapped is new code, under ${engine}`, async (t) => {
    const small = new SmallCpu(engine);
    small.map(0x5000, 2);
    small.program(0x2000, 7);
    t.equal(small.run(0x5000), 7);
    small.cpu.maps.clear(5);
    small.program(0x2000, 9);
    small.map(0x5000, 2);
    t.equal(small.run(0x5000), 9);
  });

  t.test(
    `who jumps into the middle of what is decoded finds its end, or what else its bytes say, under ${engine}`,
    async (t) => {
      const small = new SmallCpu(engine);
      small.map(0x5000, 2);
      small.map(0x8000, 2);
      /** mov eax, 1; or eax, 0xc940b; add eax, 2; hlt. From the second byte of `or` on: or ecx, [eax + …], … */
      const code = [0xb8, 1, 0, 0, 0, 0x0d, 0x0b, 0x94, 0x0c, 0x00, 0x83, 0xc0, 2, HLT];
      small.cpu.memory.bytes.set(code, 0x2000);
      const { counters } = small.cpu;
      t.equal(small.run(0x5000), (1 | 0xc940b) + 2);
      const decoded = counters.code.instructionsDecoded;
      t.equal(small.run(0x500a), 2);
      t.equal(small.run(0x5005), 0xc940b + 2);
      t.equal(counters.code.instructionsDecoded, decoded, 'nothing is decoded twice');
      t.equal(small.run(0x800a), 2, 'at another address it is');
      t.ok(counters.code.instructionsDecoded > decoded);
      const elsewhere = counters.code.instructionsDecoded;
      t.equal(small.run(0x5006), -1, 'between two instructions there is a third one, which faults');
      t.ok(counters.code.instructionsDecoded > elsewhere);
      small.cpu.memory.bytes[0x200c] = 9;
      small.cpu.memory.wrote(0x200c, 1);
      t.equal(small.run(0x500a), 9, 'and when the bytes change, the end changes with the beginning');
      t.equal(small.run(0x5000), (1 | 0xc940b) + 9);
    },
  );

  t.test(`what ring 1 has found is not ring 3's to run, under ${engine}`, async (t) => {
    const small = new SmallCpu(engine);
    small.map(0x5000, 2);
    small.map(0x6000, 3, true);
    small.program(0x2000, 7);
    small.program(0x3000, 8);
    for (let round = 0; round < 2; round++) {
      small.enter('kernel');
      t.equal(small.run(0x5000), 7);
      t.equal(small.run(0x6000), 8);
      small.enter('user');
      t.equal(small.run(0x5000), -1);
      t.equal(small.run(0x6000), 8);
    }
  });

  t.test(`a Guest that loads other segments all the time comes back soon, under ${engine}`, async (t) => {
    const small = new SmallCpu(engine);
    const { memory } = small.cpu;
    small.map(0x5000, 2);
    // inc ecx; mov $small, %eax; mov %eax, %ds; mov $flat, %eax; mov %eax, %ds; jmp back
    const bytes = [0x41, 0xb8, SMALL_DATA, 0, 0, 0, 0x8e, 0xd8, 0xb8, 0x19, 0, 0, 0, 0x8e, 0xd8, 0xeb, 0xef];
    memory.bytes.set(bytes, 0x2000);
    memory.set(State.REGISTERS + 4, 0);
    memory.set(State.EIP, 0x5000);
    small.cpu.run(20_000);
    const rounds = memory.get(State.REGISTERS + 4);
    t.ok(rounds > 10 && rounds < 110, `${rounds} rounds`);
  });

  t.test(`what is behind a conditional jump is run as it is when it is first come to, under ${engine}`, async (t) => {
    const small = new SmallCpu(engine);
    const { bytes } = small.cpu.memory;
    small.map(0x5000, 2);
    // dec ecx; jz +7; mov al, 5; dec ecx; jz +2; add al, 16; hlt: three ways through, each of them twice.
    bytes.set([0x49, 0x74, 7, 0xb0, 5, 0x49, 0x74, 2, 0x04, 16, HLT], 0x2000);
    const ways = (first: number, second: number): void => {
      for (const [count, want] of [
        [1, 0],
        [2, first],
        [3, second],
        [1, 0],
        [3, second],
        [2, first],
      ] as const) {
        small.cpu.memory.set(State.REGISTERS + 4, count);
        t.equal(small.run(0x5000), want, `${count} to count down from`);
      }
    };
    ways(5, 21);
    bytes[0x2004] = 6;
    small.cpu.memory.wrote(0x2004, 1);
    ways(6, 22);
  });

  t.test(`a jump that is not taken leads over the end of a page, too, under ${engine}`, async (t) => {
    for (const distance of [0, 1, 3, 5, 8]) {
      const small = new SmallCpu(engine);
      const { bytes } = small.cpu.memory;
      small.map(0x5000, 2);
      small.map(0x6000, 3);
      // dec ecx; jz; mov eax, 7; hlt: the mov on two pages, or the whole of what is not jumped to on the second one.
      const code = [0x49, 0x74, 6, 0xb8, 7, 0, 0, 0, HLT, HLT];
      bytes.set(code, 0x3000 - 3 - distance);
      // The same of another page: 9.
      bytes.copyWithin(0x4000, 0x3000, 0x3010);
      bytes.set(code.with(4, 9).slice(3 + distance), 0x4000);
      const run = (count: number): number => {
        small.cpu.memory.set(State.REGISTERS + 4, count);
        return small.run(0x6000 - 3 - distance);
      };
      for (const count of [1, 2, 1, 2]) t.equal(run(count), count === 1 ? 0 : 7, `${distance} bytes before the end`);
      small.cpu.maps.clear(6);
      if (distance < 6) t.equal(run(2), -1, `${distance} bytes before the end of the last page`);
      small.map(0x6000, 4);
      t.equal(run(2), distance > 1 ? 7 : 9, `${distance} bytes before the end, and another second page`);
      small.map(0x6000, 3);
      t.equal(run(2), 7, `${distance} bytes before the end, and the first second page again`);
    }
  });

  t.test(`more code than the tables hold is all found, under ${engine}`, async (t) => {
    const small = new SmallCpu(engine);
    // A nest of jumps: each block jumps to the same place of the next page, and the last one stops.
    const wrong: number[] = [];
    for (let pfn = 0; pfn < RAM_PAGES; pfn++) small.map(0x100000 + pfn * PAGE, pfn);
    for (let offset = 0; offset + 6 < PAGE; offset += 8) {
      for (let pfn = 0; pfn < RAM_PAGES - 1; pfn++)
        small.cpu.memory.bytes.set([0x40, 0xe9, 0xfa, 0x0f, 0, 0], pfn * PAGE + offset);
      small.cpu.memory.bytes.set([HLT], (RAM_PAGES - 1) * PAGE + offset);
    }
    for (let offset = 0; offset + 6 < PAGE; offset += 8) {
      if (small.run(0x100000 + offset) !== RAM_PAGES - 1) wrong.push(offset);
    }
    t.same(wrong, []);
  });
}

t.test('two blocks that are neighbours in the table are both found again without JavaScript', async (t) => {
  const small = new SmallCpu('interpret');
  // nop; mov eax, 7; hlt: a jump to its beginning and one to behind the nop have places that are neighbours.
  small.cpu.memory.bytes.set([0x90, 0xb8, 7, 0, 0, 0, HLT], 0x2000);
  small.map(0x5000, 2);
  for (const eip of [0x5000, 0x5001]) t.equal(small.run(eip), 7);
  const { lookups } = small.cpu.counters.code;
  for (let round = 0; round < 3; round++) {
    // Which empties the jump cache.
    small.cpu.maps.clear(5);
    small.map(0x5000, 2);
    for (const eip of [0x5000, 0x5001]) t.equal(small.run(eip), 7);
  }
  t.equal(small.cpu.counters.code.lookups, lookups);
});

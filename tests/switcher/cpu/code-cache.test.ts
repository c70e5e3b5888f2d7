// Decoded code is remembered: that what is remembered is still true when mappings, bytes and privileges change.
import t from 'tap';
import { GDT_ENTRIES, LGUEST_CS } from '../../../guest-abi/x86/descriptors.js';
import { IDT_ENTRIES } from '../../../guest-abi/x86/traps.js';
import { Cpu, type EngineName } from '../../../switcher/cpu/cpu.js';
import * as State from '../../../switcher/cpu/state.js';
import { LAST_BLOCK } from '../../../switcher/interpreter/decode-run.js';
import { RECORD_SIZE } from '../../../switcher/interpreter/records.js';
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

/** A code segment that begins somewhere on a page, and is all of memory. */
const BASED_CODE = 0x39;
const CODE_BASE = 0x1230;
GDT.set([(CODE_BASE << 16) | 0xffff, 0x00cfbb00], (BASED_CODE >>> 3) * 2);

/** A CPU whose every trap leads out. */
class SmallCpu {
  readonly cpu: Cpu;

  constructor(engine: EngineName, counts = false, ramPages = RAM_PAGES) {
    const idt = new Uint32Array(IDT_ENTRIES * 2);
    for (let vector = 0; vector < IDT_ENTRIES; vector++) idt.set([LGUEST_CS << 16, 0x8e00], vector * 2);
    const clock = { now: () => 0, wall: () => ({ seconds: 0, nanoseconds: 0 }) };
    this.cpu = new Cpu(ramPages * PAGE, { gdt: GDT, idt, tss: { ss1: 0, esp1: 0 } }, clock, engine, atOnce(0), counts);
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

  emptyJumpCaches(): void {
    new Uint8Array(this.cpu.memory.wasm.buffer, State.JUMP_CACHES, 2 * State.JUMP_CACHE_SIZE).fill(0);
  }

  /** `mov eax, value; jmp on; hlt`, the jump over a byte, so that there is something to look up. */
  program(physical: number, value: number): void {
    const bytes = [0xb8, value, 0, 0, 0, 0xeb, 1, HLT, HLT];
    this.cpu.memory.bytes.set(bytes, physical);
    this.cpu.memory.wrote(physical, bytes.length);
  }

  /** How many instructions were decoded so far. */
  get decoded(): number {
    return this.cpu.counters.code.instructionsDecoded;
  }

  /** How often JavaScript was asked for code. */
  get asked(): number {
    return this.cpu.counters.exits['code not found'] ?? 0;
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

  t.test(`code beyond two gigabytes is code, under ${engine}`, async (t) => {
    const high = 0x80000;
    const small = new SmallCpu(engine, false, high + RAM_PAGES);
    small.program((high + 2) * PAGE, 7);
    small.map(0x5000, high + 2);
    t.equal(small.run(0x5000), 7);
    // On two pages; and one that writes to its own page.
    small.cpu.memory.bytes.set([0xb8, 8, 0, 0, 0, HLT], (high + 4) * PAGE - 3);
    small.map(0x6000, high + 3);
    small.map(0x7000, high + 4);
    t.equal(small.run(0x7000 - 3), 8);
    const writes = [0xc7, 0x05, 0x20, 0x80, 0, 0, 9, 0, 0, 0, 0xa1, 0x20, 0x80, 0, 0, HLT];
    small.cpu.memory.bytes.set(writes, (high + 5) * PAGE);
    small.map(0x8000, high + 5);
    for (let round = 0; round < 3; round++) t.equal(small.run(0x8000), 9);
    small.program((high + 2) * PAGE, 10);
    t.equal(small.run(0x5000), 10, 'and other code when it is written to');
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
      t.equal(small.run(0x5000), (1 | 0xc940b) + 2);
      const decoded = small.decoded;
      t.equal(small.run(0x500a), 2);
      t.equal(small.run(0x5005), 0xc940b + 2);
      if (engine === 'interpret') t.equal(small.decoded, decoded, 'WebAssembly decodes nothing twice');
      const here = small.decoded;
      t.equal(small.run(0x800a), 2);
      t.ok(small.decoded > here, 'at another address it is other code');
      const elsewhere = small.decoded;
      t.equal(small.run(0x5006), -1, 'between two instructions there is a third one, which faults');
      t.ok(small.decoded > elsewhere);
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

  t.test(`a jump to another page goes where that leads by now, under ${engine}`, async (t) => {
    const small = new SmallCpu(engine);
    small.map(0x5000, 2);
    small.map(0x7000, 5);
    // A call, a jump if ecx is 0 and a jump, each to the beginning of page 6.
    small.cpu.memory.bytes.set([0xe8, 0xfb, 0x0f, 0, 0], 0x2000);
    small.cpu.memory.bytes.set([0x85, 0xc9, 0x0f, 0x84, 0xe8, 0x0f, 0, 0, HLT], 0x2010);
    small.cpu.memory.bytes.set([0xe9, 0xdb, 0x0f, 0, 0], 0x2020);
    small.program(0x3000, 8);
    small.program(0x4000, 9);
    const all = (want: number, what: string): void => {
      small.cpu.memory.set(State.REGISTERS + 4, 0);
      for (const eip of [0x5000, 0x5010, 0x5020, 0x5000, 0x5010, 0x5020]) {
        small.cpu.memory.set(State.REGISTERS + 16, 0x8000);
        t.equal(small.run(eip), want, what);
      }
    };
    for (let round = 0; round < 2; round++) {
      small.map(0x6000, 3);
      all(8, 'to one page');
      small.map(0x6000, 4);
      all(9, 'to another one');
      small.cpu.maps.clear(6);
      all(-1, 'to none');
    }
    small.map(0x6000, 3);
    all(8, 'before it is written to');
    small.program(0x3000, 10);
    all(10, 'after it was written to');
    small.cpu.maps.clear(6);
    small.program(0x3000, 11);
    small.map(0x6000, 3);
    all(11, 'after it was written to while nobody saw it');
  });

  t.test(
    `code that is written anew more often than links have versions is run as it is, under ${engine}`,
    async (t) => {
      const small = new SmallCpu(engine);
      small.map(0x5000, 2);
      small.map(0x6000, 3);
      small.map(0x7000, 4);
      // Two pages that lead to a third one, by turns: what one is linked with is old whenever the other was there.
      small.cpu.memory.bytes.set([0xe9, 0xfb, 0x1f, 0, 0], 0x2000);
      small.cpu.memory.bytes.set([0xe9, 0xfb, 0x0f, 0, 0], 0x3000);
      const wrong: number[] = [];
      for (let round = 0; round < State.LARGEST_CODE_VERSION + 50; round++) {
        small.program(0x4000, round & 0xff);
        if (small.run(0x5000 + (round & 1) * PAGE) !== (round & 0xff)) wrong.push(round);
      }
      t.same(wrong, []);
      const version = small.cpu.memory.get(State.CODE_VERSION);
      t.ok(version > 0 && version <= State.LARGEST_CODE_VERSION, `version ${version}`);
    },
  );

  t.test(`code in a segment with a base is what is mapped where it is, under ${engine}`, async (t) => {
    const small = new SmallCpu(engine);
    const { segments } = small.cpu;
    segments.install(State.CS, BASED_CODE, segments.descriptor(BASED_CODE));
    small.cpu.segmentsChanged();
    // Offset 0x4000 is linear 0x5230, and 0x4dd0 is the next page.
    small.map(0x5000, 2);
    small.cpu.memory.bytes.set([0xe9, 0xcb, 0x0d, 0, 0], 0x2230);
    small.program(0x3000, 8);
    small.program(0x4000, 9);
    for (let round = 0; round < 3; round++) {
      small.map(0x6000, 3);
      for (const eip of [0x4000, 0x4dd0]) t.equal(small.run(eip), 8);
      small.map(0x6000, 4);
      for (const eip of [0x4000, 0x4dd0]) t.equal(small.run(eip), 9);
      small.cpu.maps.clear(6);
      for (const eip of [0x4000, 0x4dd0]) t.equal(small.run(eip), -1);
    }
  });

  t.test(`who stops before an instruction does not look for it, under ${engine}`, async (t) => {
    const { cpu } = new SmallCpu(engine, true);
    cpu.maps.set(5, 2, true, false);
    // nop; jmp to a page that is not there.
    cpu.memory.bytes.set([0x90, 0xe9, 0xfa, 0x0f, 0, 0], 0x2000);
    cpu.memory.set(State.EIP, 0x5000);
    if (cpu.retired !== undefined) cpu.retired.limit = 2;
    cpu.run(BUDGET);
    t.equal(cpu.trap.vector, undefined);
    t.equal(cpu.retired?.instructions, 2);
    t.equal(cpu.memory.get(State.EIP), 0x6000);
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

t.test(
  'what is not the first code of its page, and like what was decoded before, is found without JavaScript',
  async (t) => {
    const small = new SmallCpu('interpret');
    const { bytes } = small.cpu.memory;
    small.map(0x5000, 2);
    small.map(0x6000, 3);
    // Twice the same with other numbers, and on another page.
    for (const [at, value] of [
      [0x2000, 7],
      [0x2100, 8],
      [0x3000, 9],
    ] as const)
      small.program(at, value);
    t.equal(small.run(0x5000), 7);
    const { asked, decoded } = small;
    t.equal(small.run(0x5100), 8);
    t.equal(small.asked, asked);
    t.ok(small.decoded > decoded);
    t.equal(small.run(0x6000), 9);
    t.ok(small.asked > asked, 'a page that had no code is for JavaScript');
    // There is no record of the old bytes to be found, and no write to the page unnoticed.
    for (const value of [10, 11]) {
      small.program(0x2100, value);
      for (let i = 0; i < 2; i++) t.equal(small.run(0x5100), value);
    }
    // mov [eip of the next instruction's number], al; mov eax, number; hlt: code that WebAssembly found is written to by the Guest.
    bytes.set([0xb0, 12, 0xa2, 0x0b, 0x52, 0, 0, 0xeb, 1, HLT, 0xb8, 1, 0, 0, 0, HLT], 0x2200);
    small.cpu.memory.wrote(0x2200, 16);
    t.equal(small.run(0x5000), 7);
    t.equal(small.run(0x520a), 1);
    t.equal(small.run(0x5200), 12);
    t.equal(small.run(0x520a), 12);
  },
);

t.test('who does nothing but jump to new code comes back sooner than who jumps to known code', async (t) => {
  const small = new SmallCpu('interpret');
  const { cpu } = small;
  const blocks = 500;
  // jmp to the next one, 8 bytes on; hlt.
  for (let i = 0; i < blocks; i++) cpu.memory.bytes.set([0xeb, 6], 0x2000 + i * 8);
  cpu.memory.bytes[0x2000 + blocks * 8] = HLT;
  small.map(0x5000, 2);
  t.equal(small.run(0x5000), -1, 'a budget of twice as many jumps is used up');
  t.equal(cpu.trap.vector, undefined);
  const eip = cpu.memory.get(State.EIP);
  t.ok(eip > 0x5000 && eip < 0x5000 + blocks * 8);
  for (let i = 0; i < blocks && cpu.trap.vector === undefined; i++) cpu.run(BUDGET);
  t.equal(cpu.trap.vector, HLT_VECTOR);
  t.equal(small.run(0x5000), 0, 'and is enough for what is known');
});

t.test('a block that runs to the end of its page, or is very long, is the same whoever decodes it', async (t) => {
  for (const engine of ENGINES) {
    const small = new SmallCpu(engine);
    const { bytes } = small.cpu.memory;
    small.map(0x5000, 2);
    small.map(0x6000, 3);
    // inc eax, and a hlt a hundred bytes behind the end of the first page.
    bytes.fill(0x40, 0x2000, 0x3064).fill(HLT, 0x3064, 0x3065);
    for (const count of [1, 2, 63, 64, 65, 99, 100, 101, 114, 115, 116, 163, 164, 165, 300, 301, 302])
      t.equal(small.run(0x6064 - count), count, `${count} instructions, under ${engine}`);
  }
});

t.test('an opcode without ModRM is one whatever byte comes next', async (t) => {
  const small = new SmallCpu('interpret');
  const { bytes } = small.cpu.memory;
  small.map(0x5000, 2);
  small.program(0x2000, 7);
  small.run(0x5000);
  const { asked } = small;
  // mov eax, number; hlt: known from its use with another number.
  for (let byte = 0; byte < 0x100; byte += 5) {
    bytes.set([0xb8, byte, 0, 0, 0, HLT], 0x2020 + byte * 8);
    t.equal(small.run(0x5020 + byte * 8), byte);
  }
  t.equal(small.asked, asked);
});

t.test('when there is no more room for records, all code is decoded anew', async (t) => {
  for (const engine of ENGINES) {
    const small = new SmallCpu(engine);
    small.map(0x5000, 2);
    small.program(0x2000, 7);
    small.program(0x2100, 8);
    t.equal(small.run(0x5000), 7);
    // As if WebAssembly had decoded so many since somebody asked: the next so many would be too many for a word.
    small.cpu.memory.set(State.INSTRUCTIONS_DECODED, 0x7ffffff0);
    const { flushes } = small.cpu.counters.code;
    small.cpu.memory.set(State.INSTRUCTIONS_DECODED, 0x7ffffff0);
    small.cpu.memory.set(State.RECORDS_TOP, LAST_BLOCK + RECORD_SIZE);
    t.equal(small.run(0x5100), 8);
    t.equal(small.cpu.counters.code.flushes, flushes + 1, `under ${engine}`);
    t.ok(small.decoded > 2 * 0x7ffffff0);
    t.equal(small.run(0x5000), 7);
  }
});

t.test('two blocks that are neighbours in the table are both found again without JavaScript', async (t) => {
  const small = new SmallCpu('interpret');
  // nop; mov eax, 7; hlt: a jump to its beginning and one to behind the nop have places that are neighbours.
  small.cpu.memory.bytes.set([0x90, 0xb8, 7, 0, 0, 0, HLT], 0x2000);
  small.map(0x5000, 2);
  for (const eip of [0x5000, 0x5001]) t.equal(small.run(eip), 7);
  const { asked } = small;
  for (let round = 0; round < 3; round++) {
    small.emptyJumpCaches();
    for (const eip of [0x5000, 0x5001]) t.equal(small.run(eip), 7);
  }
  t.equal(small.asked, asked);
});

t.test('where code is, is known again without JavaScript when an address space comes back', async (t) => {
  const small = new SmallCpu('interpret');
  const { bytes } = small.cpu.memory;
  // push $0x6000; ret; and there a jump to a page on, where a mov lies on two pages.
  bytes.set([0x68, 0x00, 0x60, 0, 0, 0xc3], 0x2000);
  bytes.set([0xe9, 0xf9, 0x1f, 0, 0], 0x3000);
  bytes.set([0xb8, 7], 0x5000 - 2);
  bytes.set([0, 0, 0, HLT], 0x5000);
  bytes.set([1, 0, 0, HLT], 0x6000);
  const pages = [
    [0x5000, 2],
    [0x6000, 3],
    [0x7000, 4],
    [0x8000, 5],
  ] as const;
  const run = (want: number): void => {
    small.cpu.memory.set(State.REGISTERS + 16, 0xa000);
    t.equal(small.run(0x5000), want);
  };
  small.map(0x9000, 8);
  for (const [address, pfn] of pages) small.map(address, pfn);
  for (let i = 0; i < 2; i++) run(7);
  const { asked } = small;
  for (let round = 0; round < 3; round++) {
    for (const [address] of pages) small.cpu.maps.clear(address / PAGE);
    for (const [address, pfn] of pages) small.map(address, pfn);
    run(7);
  }
  t.equal(small.asked, asked);
  small.map(0x8000, 6);
  for (let i = 0; i < 2; i++) run(0x107);
  small.map(0x8000, 5);
  run(7);
  bytes[0x5000] = 2;
  small.cpu.memory.wrote(0x5000, 1);
  for (let i = 0; i < 2; i++) run(0x207);
});

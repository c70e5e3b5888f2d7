// What no program can see: gates, iret, far transfers, segment checks, page-fault codes and traps at rings 1 and 3. The sections
// are those of Intel's manual, volume 3 (June 2013), unless an instruction's own page in volume 2 is named.
import t, { type Test } from 'tap';
import { ENGINES } from '../../support/test-cpu.js';
import {
  CODE,
  DATA,
  HANDLER,
  KERNEL_PAGE,
  KERNEL_STACK,
  NO_PAGE,
  READ_ONLY_PAGE,
  RingCpu,
  SELECTOR,
  STACK,
  push,
  word,
} from '../../support/ring-cpu.js';

const [DB, BR, UD, DF, NP, SS, GP, PF, AC] = [1, 5, 6, 8, 11, 12, 13, 14, 17];
const [TF, IF, IOPL, NT, RF, AC_FLAG] = [0x100, 0x200, 0x3000, 0x4000, 0x10000, 0x40000];
const VECTOR = 0x80;
const INT = [0xcd, VECTOR];
const IRET = [0xcf];
const CODE1 = SELECTOR.code1 | 1;
const CODE3 = SELECTOR.code3 | 3;
const DATA1 = SELECTOR.data1 | 1;
const DATA3 = SELECTOR.data3 | 3;
/** `push ss, esp, eflags, cs, eip; iret` */
const iret = (cs: number, ss: number, flags = 0x202): number[] => [
  ...[ss, STACK, flags, cs, HANDLER].flatMap(push),
  ...IRET,
];
/** `mov ax, imm16; mov sreg, ax` */
const load = (sreg: number, selector: number): number[] => [
  0x66,
  0xb8,
  selector & 0xff,
  selector >> 8,
  0x8e,
  0xc0 | (sreg << 3),
];
const [ES, DS, SS_REGISTER] = [0, 3, 2];

for (const engine of ENGINES) {
  const fresh = (): RingCpu => {
    const cpu = new RingCpu(engine);
    cpu.put(HANDLER, [0x0f, 0x0b]);
    return cpu;
  };
  const under = (name: string, test: (t: Test) => void): void =>
    void t.test(`under '${engine}' ${name}`, async (sub) => test(sub));

  under('a gate from the same ring pushes eflags, cs and eip (6.12.1)', (t) => {
    const cpu = fresh();
    cpu.gate(VECTOR, SELECTOR.code1, 1, 'trap');
    const end = cpu.run(1, INT);
    t.match(end, { vector: UD, eip: HANDLER, cpl: 1, esp: STACK - 12 });
    t.same([cpu.peek(STACK - 4), cpu.peek(STACK - 8), cpu.peek(STACK - 12)], [0x202, CODE1, CODE + 2]);
  });

  under('a gate to an inner ring takes its stack from the TSS and pushes ss and esp too (6.12.1)', (t) => {
    const cpu = fresh();
    cpu.gate(VECTOR, SELECTOR.code1, 3, 'trap');
    const end = cpu.run(3, INT);
    t.match(end, { vector: UD, eip: HANDLER, cpl: 1, esp: KERNEL_STACK - 20 });
    t.equal(end.segments[2], DATA1);
    const frame = [1, 2, 3, 4, 5].map((i) => cpu.peek(KERNEL_STACK - 4 * i));
    t.same(frame, [DATA3, STACK, 0x202, CODE3, CODE + 2]);
  });

  under('an interrupt gate clears IF, a trap gate does not, and both clear TF and NT (6.12.1.2)', (t) => {
    const cpu = fresh();
    cpu.gate(VECTOR, SELECTOR.code1, 3, 'interrupt');
    t.equal(cpu.run(3, INT, { eflags: 0x202 | NT }).eflags & (IF | NT | TF), 0);
    cpu.gate(VECTOR, SELECTOR.code1, 3, 'trap');
    t.equal(cpu.run(3, INT, { eflags: 0x202 | NT | TF }).eflags & (IF | NT | TF), IF);
    t.equal(cpu.peek(KERNEL_STACK - 12) & (NT | TF), NT | TF, 'the frame has them');
  });

  under('`int` through a gate of a lower DPL is #GP of the gate, an exception through it is not (6.12.1.1)', (t) => {
    const cpu = fresh();
    cpu.gate(VECTOR, SELECTOR.code1, 1, 'trap');
    t.match(cpu.run(3, INT), { vector: GP, error: VECTOR * 8 + 2, eip: CODE });
    cpu.gate(0, SELECTOR.code1, 0, 'trap');
    t.match(cpu.run(3, [0xf7, 0xf1]), { vector: UD, eip: HANDLER, cpl: 1 }, '`div ecx` by zero');
    t.equal(cpu.peek(KERNEL_STACK - 20), CODE, 'a fault points at its instruction');
    t.equal(cpu.peek(KERNEL_STACK - 12) & RF, RF, 'with RF, so that it can be run again (17.3.1.1)');
  });

  under('a gate whose code segment is not present is #NP, its EXT bit clear for `int` (6.13)', (t) => {
    const cpu = fresh();
    cpu.gate(VECTOR, SELECTOR.absentCode1, 3, 'trap');
    t.match(cpu.run(3, INT), { vector: NP, error: SELECTOR.absentCode1, eip: CODE });
    cpu.gate(BR, SELECTOR.absentCode1, 0, 'trap');
    t.match(cpu.run(3, [0x62, 0x05, ...word(DATA)], { eax: -1 }), {
      vector: NP,
      error: SELECTOR.absentCode1 | 1,
      eip: CODE,
    });
    cpu.gate(0, SELECTOR.absentCode1, 0, 'trap');
    t.match(
      cpu.run(3, [0xf7, 0xf1]),
      { vector: DF, error: 0, eip: CODE },
      'but two of a kind are a double fault (6.15)',
    );
  });

  under('what a gate pushes is written with the rights of the inner ring (4.6)', (t) => {
    const cpu = fresh();
    cpu.gate(VECTOR, SELECTOR.code1, 3, 'trap');
    cpu.esp1 = KERNEL_PAGE + 0x100;
    t.match(cpu.run(3, INT), { vector: UD, cpl: 1 }, 'ring 3 itself could not');
    cpu.esp1 = NO_PAGE + 0x100;
    t.match(cpu.run(3, INT), { vector: PF, error: 2, cpl: 3, eip: CODE }, 'a fault is not the user’s');
    cpu.esp1 = KERNEL_STACK;
    cpu.put(KERNEL_STACK - 0x20, [0x0f, 0x0b]);
    t.match(cpu.run(1, [...push(KERNEL_STACK - 0x20), 0xc3]), { vector: UD, eip: KERNEL_STACK - 0x20 });
    t.match(cpu.run(3, INT), { vector: UD, cpl: 1, eip: HANDLER }, 'a stack on which code was run is one');
  });

  under('`iret` to the same ring takes three words (IRET)', (t) => {
    const cpu = fresh();
    const end = cpu.run(1, [...push(0x202), ...push(CODE1), ...push(HANDLER), ...IRET]);
    t.match(end, { vector: UD, eip: HANDLER, cpl: 1, esp: STACK });
    const short = [0x66, 0x68, 2, 2, 0x66, 0x68, CODE1, 0, 0x66, 0x68, 0, HANDLER >> 8, 0x66, 0xcf];
    t.match(cpu.run(1, short), { vector: UD, eip: HANDLER, esp: STACK }, 'or three of 16 bits');
  });

  under('`iret` to an outer ring loads its stack, and drops data segments that are not for it (IRET)', (t) => {
    const cpu = fresh();
    const end = cpu.run(1, [...load(ES, DATA3), ...iret(CODE3, DATA3)]);
    t.match(end, { vector: UD, eip: HANDLER, cpl: 3, esp: STACK });
    t.same(end.segments, [DATA3, CODE3, DATA3, 0, 0, 0]);
  });

  under('`iret` changes neither IF nor IOPL outside of ring 0, and no VM (IRET)', (t) => {
    const cpu = fresh();
    const end = cpu.run(1, iret(CODE3, DATA3, 0x20002 | IOPL));
    t.match(end, { vector: UD, cpl: 3, eip: HANDLER });
    t.equal(end.eflags & (IF | IOPL | 0x20000), IF);
  });

  under('what `iret` finds wrong it says before anything changes (IRET)', (t) => {
    const cpu = fresh();
    const cases: readonly [ring: 1 | 3, cs: number, ss: number, vector: number, error: number][] = [
      [1, 0, DATA3, GP, 0],
      [1, 3, DATA3, GP, 0],
      [3, CODE1, DATA3, GP, SELECTOR.code1],
      [1, DATA3, DATA3, GP, SELECTOR.data3],
      [1, SELECTOR.code1 | 3, DATA3, GP, SELECTOR.code1],
      [1, SELECTOR.code3 | 1, DATA3, GP, SELECTOR.code3],
      [1, SELECTOR.absentCode3 | 3, DATA3, NP, SELECTOR.absentCode3],
      [1, 0x103, DATA3, GP, 0x100],
      [1, 0x27, DATA3, GP, 0x24],
      [1, CODE3, 0, GP, 0],
      [1, CODE3, SELECTOR.data3 | 1, GP, SELECTOR.data3],
      [1, CODE3, SELECTOR.data1 | 3, GP, SELECTOR.data1],
      [1, CODE3, SELECTOR.readOnly3 | 3, GP, SELECTOR.readOnly3],
      [1, CODE3, SELECTOR.absentData3 | 3, SS, SELECTOR.absentData3],
    ];
    for (const [ring, cs, ss, vector, error] of cases) {
      const code = iret(cs, ss);
      const end = cpu.run(ring, code);
      const eip = CODE + code.length - 1;
      t.match(end, { vector, error, eip, cpl: ring, esp: STACK - 20 }, `cs ${cs.toString(16)}, ss ${ss.toString(16)}`);
    }
  });

  under('`iret` and `retf` go to conforming code in the ring of the selector (5.8.1.2)', (t) => {
    const cpu = fresh();
    const end = cpu.run(1, iret(SELECTOR.conforming | 3, DATA3));
    t.match(end, { vector: UD, cpl: 3, eip: HANDLER });
    t.equal(end.segments[1], SELECTOR.conforming | 3);
    const back = [DATA3, STACK, 0x11111111, 0x22222222, CODE3, HANDLER].flatMap(push);
    t.match(cpu.run(1, [...back, 0xca, 8, 0]), { vector: UD, cpl: 3, eip: HANDLER, esp: STACK + 8 }, '`retf 8`');
  });

  under('far jumps and calls stay in their ring (5.8.1)', (t) => {
    const cpu = fresh();
    const jump = (selector: number): number[] => [0xea, ...word(HANDLER), selector & 0xff, selector >> 8];
    t.match(cpu.run(3, jump(CODE3)), { vector: UD, cpl: 3, eip: HANDLER });
    t.match(cpu.run(3, jump(SELECTOR.code3)), { vector: UD, cpl: 3, eip: HANDLER }, 'an RPL of 0 is no matter');
    const conforming = cpu.run(3, jump(SELECTOR.conforming));
    t.match(conforming, { vector: UD, cpl: 3, eip: HANDLER });
    t.equal(conforming.segments[1], SELECTOR.conforming | 3, 'the RPL is the ring');
    t.match(cpu.run(3, jump(CODE1)), { vector: GP, error: SELECTOR.code1, eip: CODE });
    t.match(cpu.run(1, jump(CODE3)), { vector: GP, error: SELECTOR.code3, eip: CODE });
    t.match(cpu.run(3, jump(DATA3)), { vector: GP, error: SELECTOR.data3 });
    t.match(cpu.run(3, jump(0)), { vector: GP, error: 0 });
    t.match(cpu.run(3, jump(SELECTOR.absentCode3 | 3)), { vector: NP, error: SELECTOR.absentCode3 });
    const call = cpu.run(3, [0x9a, ...word(HANDLER), CODE3, 0]);
    t.match(call, { vector: UD, eip: HANDLER, esp: STACK - 8 });
    t.same([cpu.peek(STACK - 4), cpu.peek(STACK - 8)], [CODE3, CODE + 7]);
  });

  under('data segments are checked when they are loaded (5.6, 5.7)', (t) => {
    const cpu = fresh();
    const at = CODE + 4;
    t.match(cpu.run(3, load(DS, SELECTOR.data1)), { vector: GP, error: SELECTOR.data1, eip: at });
    t.match(cpu.run(1, load(DS, SELECTOR.data1 | 3)), { vector: GP, error: SELECTOR.data1, eip: at }, 'the RPL counts');
    t.match(cpu.run(1, load(DS, SELECTOR.data3)), { vector: UD }, 'an outer ring’s data');
    t.match(cpu.run(3, load(DS, SELECTOR.conforming)), { vector: UD }, 'conforming code, of whatever ring');
    t.match(cpu.run(3, load(DS, SELECTOR.executeOnly3)), { vector: GP, error: SELECTOR.executeOnly3, eip: at });
    t.match(cpu.run(3, load(DS, SELECTOR.absentData3)), { vector: NP, error: SELECTOR.absentData3, eip: at });
    t.match(cpu.run(3, load(DS, 0x104)), { vector: GP, error: 0x104, eip: at }, 'there is no LDT');
    t.match(cpu.run(3, load(DS, 3)), { vector: UD }, 'a null selector may be loaded,');
    t.match(cpu.run(3, [...load(DS, 3), 0xa1, ...word(DATA)]), { vector: GP, error: 0, eip: CODE + 6 }, 'not used');
    t.match(cpu.run(3, [...load(DS, SELECTOR.readOnly3), 0xa3, ...word(DATA)]), {
      vector: GP,
      error: 0,
      eip: CODE + 6,
    });
    t.match(cpu.run(3, [...load(DS, SELECTOR.small3), 0xa1, ...word(0xfd)]), { vector: GP, error: 0, eip: CODE + 6 });
    t.match(cpu.run(3, [...load(DS, SELECTOR.small3), 0xa1, ...word(0xfc)]), { vector: UD });
  });

  under('a stack segment is writable data of the very ring (5.7)', (t) => {
    const cpu = fresh();
    for (const [ring, selector, vector, error] of [
      [3, 0, GP, 0],
      [3, SELECTOR.data3, GP, SELECTOR.data3],
      [3, DATA1, GP, SELECTOR.data1],
      [1, DATA3, GP, SELECTOR.data3],
      [3, SELECTOR.readOnly3 | 3, GP, SELECTOR.readOnly3],
      [3, SELECTOR.absentData3 | 3, SS, SELECTOR.absentData3],
      [1, SELECTOR.absentData1 | 1, SS, SELECTOR.absentData1],
    ] as const)
      t.match(cpu.run(ring, load(SS_REGISTER, selector)), { vector, error, eip: CODE + 4 }, selector.toString(16));
  });

  under('what only ring 0 may do is #GP(0) in ring 1 and 3 (5.9)', (t) => {
    const cpu = fresh();
    const privileged = ['f4', 'fa', 'fb', '0f06', '0f08', '0f09', '0f30', '0f32', '0f22d8', '0f20c0', '0f21c0', 'e460'];
    privileged.push('ec', 'ee', '6c', '6e', '0f0110', '0f0118', '0f01f0', '0f0138', '0f00d8', '0f00d0');
    for (const ring of [1, 3] as const) {
      for (const hex of privileged) {
        const end = cpu.run(ring, [...Buffer.from(hex, 'hex')], { eax: DATA });
        t.match(end, { vector: GP, error: 0, eip: CODE, cpl: ring }, hex);
      }
    }
  });

  under('`popf` changes neither IF nor IOPL (POPF)', (t) => {
    const cpu = fresh();
    for (const ring of [1, 3] as const) {
      const end = cpu.run(ring, [...push(IOPL | 2), 0x9d]);
      t.equal(end.eflags & (IF | IOPL), IF);
    }
  });

  under('the code of a page fault says write and user (4.7)', (t) => {
    const cpu = fresh();
    const [read, write] = [0xa1, 0xa3];
    for (const [ring, opcode, address, error] of [
      [1, read, NO_PAGE, 0],
      [1, write, NO_PAGE, 2],
      [3, read, NO_PAGE, 4],
      [3, write, NO_PAGE, 6],
      [3, read, KERNEL_PAGE, 4],
      [3, write, KERNEL_PAGE, 6],
      [1, write, READ_ONLY_PAGE, 2],
      [3, write, READ_ONLY_PAGE, 6],
    ] as const)
      t.match(cpu.run(ring, [opcode, ...word(address + 8)]), {
        vector: PF,
        error,
        cr2: address + 8,
        eip: CODE,
        cpl: ring,
      });
    t.match(cpu.run(1, [0xa1, ...word(KERNEL_PAGE)]), { vector: UD });
    t.match(cpu.run(3, [0xb8, ...word(NO_PAGE), 0xff, 0xe0]), { vector: PF, error: 4, cr2: NO_PAGE, eip: NO_PAGE });
    t.match(cpu.run(3, [0xa3, ...word(NO_PAGE - 2)]), { vector: PF, error: 6, eip: CODE }, 'over the edge of a page');
  });

  under('TF traps behind each instruction (17.3.1.4)', (t) => {
    const cpu = fresh();
    t.match(cpu.run(3, [0x90, 0x90], { eflags: 0x202 | TF }), { vector: DB, eip: CODE + 1 });
    t.match(cpu.run(3, [...push(0x202 | TF), 0x9d, 0x90, 0x90]), { vector: DB, eip: CODE + 7 }, 'the one behind popf');
    const end = cpu.run(1, iret(CODE3, DATA3, 0x202 | TF));
    t.match(end, { vector: UD, eip: HANDLER }, 'a fault comes before the trap');
    cpu.put(HANDLER, [0x90, 0x90]);
    t.match(
      cpu.run(1, iret(CODE3, DATA3, 0x202 | TF)),
      { vector: DB, eip: HANDLER + 1, cpl: 3 },
      'the first behind iret',
    );
  });

  under('a load of SS holds the single-step trap back for one instruction (6.8.3)', (t) => {
    const cpu = fresh();
    const code = [...push(DATA3), 0x17, 0x90, 0x90];
    t.match(cpu.run(3, [0x16, 0x17, 0x90, 0x90], { eflags: 0x202 }), { vector: UD });
    t.match(
      cpu.run(3, [...push(0x302), ...push(DATA3), 0x17, 0x90]),
      { vector: UD },
      'without TF nothing is held back',
    );
    t.match(cpu.run(3, [0x8e, 0xd0, 0x90, 0x90], { eax: DATA3, eflags: 0x202 | TF }), { vector: DB, eip: CODE + 3 });
    t.match(
      cpu.run(3, [0x8e, 0xd8, 0x90, 0x90], { eax: DATA3, eflags: 0x202 | TF }),
      { vector: DB, eip: CODE + 2 },
      'ds',
    );
    t.ok(code.length > 0);
  });

  under('AC asks for alignment in ring 3 alone (6.15, #AC)', (t) => {
    const cpu = fresh();
    const read = [0xa1, ...word(DATA + 1)];
    t.match(cpu.run(3, read, { eflags: 0x202 | AC_FLAG }), { vector: AC, error: 0, eip: CODE });
    t.match(cpu.run(1, read, { eflags: 0x202 | AC_FLAG }), { vector: UD });
    t.match(cpu.run(3, read), { vector: UD });
    t.match(cpu.run(3, [0xa1, ...word(DATA + 4)], { eflags: 0x202 | AC_FLAG }), { vector: UD });
    t.match(
      cpu.run(3, [0xa0, ...word(DATA + 1)], { eflags: 0x202 | AC_FLAG }),
      { vector: UD },
      'bytes are always aligned',
    );
  });
}

// Guests that mean harm, on the real CPU. Whatever they do, read() gives an answer in time and nothing is thrown: the Guest
// dies, or goes on, alone. The ids are those of the classes of hostile input that a hypervisor of this kind meets.
import t from 'tap';
import { LHREQ } from '../../guest-abi/lguest-launcher.js';
import { call, CODE, code, CodeGuest, DATA, done, gate, KERNEL, STACK_TOP, store } from '../support/code-guest.js';
import { toUser, USER_CODE, USER_STACK, word } from '../support/code-guest.js';

const DONE = 'CRASH: done';
const HANDLER_AT = 0x30000;
const HANDLER = KERNEL + HANDLER_AT;
const enableInterrupts = [...store(KERNEL + DATA + 4, 0), ...store(KERNEL + DATA, 0x200)];

/** What a Guest with this kernel says in the end. */
const endOf = (kernel: readonly number[], user: readonly number[] = []): string => new CodeGuest(kernel, user).run();

t.test('a Guest of a few instructions boots and ends', async (t) => {
  t.equal(endOf(done), DONE);
});

t.test('a Guest that runs in circles comes out in time, and can be left (R3)', async (t) => {
  for (const loop of ['eb fe', 'f3 90 eb fc', '31 c9 49 e2 fe eb fb', 'bf 00 00 02 c0 b9 00 00 02 00 f3 aa eb f2']) {
    const guest = new CodeGuest(code(loop));
    const began = performance.now();
    t.equal(guest.run(3), 'read: -4', loop);
    // Slices are some tens of milliseconds; a machine that is busy with other things needs more.
    t.ok(performance.now() - began < 5000);
  }
});

t.test('a descriptor that changes under a loaded segment ends the Guest, at the next entry (42, H6)', async (t) => {
  const loadGs = [...call('LHCALL_LOAD_GDT_ENTRY', 20, 0xffff, 0x00cf9200), ...code('b8 a1 00 00 00 8e e8')];
  const take = call('LHCALL_LOAD_GDT_ENTRY', 20, 0, 0);
  t.match(endOf([...loadGs, ...take, ...done]), /^unhandled trap 256 at 0xc00100[0-9a-f]{2} \(0xa0\)$/);
  const drop = code('31 c0 8e e8');
  t.equal(endOf([...loadGs, ...drop, ...take, ...done]), DONE, 'unless it has let go of it before');
});

t.test('code and stack segments of every kind there is end in an answer', async (t) => {
  const ends = new Map<string, number>();
  for (const index of [12, 13]) {
    for (let access = 0; access < 256; access += 3) {
      const end = endOf([...call('LHCALL_LOAD_GDT_ENTRY', index, 0xffff, 0x00cf0000 | (access << 8)), ...done]);
      const kind = end.replace(/0x[0-9a-f]+/g, '_');
      ends.set(kind, (ends.get(kind) ?? 0) + 1);
    }
  }
  t.ok((ends.get(DONE) ?? 0) > 0, 'some can be lived with');
  t.ok((ends.get('unhandled trap 256 at _ (_)') ?? 0) > 100, JSON.stringify([...ends]));
});

t.test('segments with limits and bases of every kind end in an answer', async (t) => {
  for (const low of [0, 0xffff, 0xffff0000, 0xffffffff, 0x00010000]) {
    for (const high of [0x00009200, 0x00c09200, 0x00c09600, 0xff0f92ff, 0xffcf92ff, 0x00409200, 0x00009a00]) {
      for (const index of [12, 13, 20]) {
        const end = endOf([
          ...call('LHCALL_LOAD_GDT_ENTRY', index, low, high),
          ...code('b8 a1 00 00 00 8e d8 a1 fc ff ff ff'),
          ...done,
        ]);
        t.match(
          end,
          /^unhandled trap|^CRASH|^read: 12|^Bad address/,
          `${index}: ${low.toString(16)} ${high.toString(16)}`,
        );
      }
    }
  }
});

t.test('a far call into the Host’s code segment, or through a gate, is a fault', async (t) => {
  const toHost = code('9a 00 00 00 00 50 00');
  t.match(endOf([...toHost, ...done]), /^unhandled trap 13 at 0xc0010000 \(0x50\)$/);
  const callGate = call('LHCALL_LOAD_GDT_ENTRY', 18, (0x50 << 16) | 0x1000, 0xc000ec00);
  t.match(endOf([...callGate, ...code('9a 00 00 00 00 90 00'), ...done]), /^unhandled trap 1[13] at .* \(0x90\)$/);
});

t.test('a fault on the way to the handler of another is a double fault, which ends the Guest', async (t) => {
  const kernel = [...gate(0, HANDLER, 'trap'), ...call('LHCALL_SET_STACK', 0xb1, KERNEL + STACK_TOP, 0), ...toUser()];
  t.match(endOf(kernel, code('31 c9 f7 f1')), /^unhandled trap 8 at 0x8020002 \(0\)$/);
});

t.test('handlers in unmapped memory, in a program, in the Switcher, everywhere: the Guest ends', async (t) => {
  const where = [0x7fffffff, 0x12345678, USER_CODE, 0xfffe1000, 0xffffffff, KERNEL + 0x40000];
  for (const type of ['trap', 'interrupt'] as const) {
    for (const handler of where) {
      const faults = [...gate(3, handler, type, 3), ...code('cc'), ...done];
      t.match(endOf(faults, code('0f 0b')), /^unhandled trap|^CRASH/, `${type} gate to ${handler.toString(16)}`);
      const twice = [...gate(14, handler, type), ...faults];
      t.match(endOf(twice, code('0f 0b')), /^unhandled trap|^Bad address|^CRASH/, `and page faults too`);
    }
  }
});

t.test('a fault in every handler of faults ends, and does not recurse for ever', async (t) => {
  const handlers = Array.from({ length: 20 }, (_, vector) => vector).filter((v) => ![2, 8, 15].includes(v));
  const kernel = [...handlers.flatMap((vector) => gate(vector, HANDLER)), ...code('0f 0b'), ...done];
  t.match(new CodeGuest(kernel).put(HANDLER_AT, code('0f 0b')).run(), /^Bad address/, '#UD');
  t.match(new CodeGuest(kernel).put(HANDLER_AT, code('a1 00 00 00 50')).run(), /^Bad address/, '#PF');
  t.match(new CodeGuest(kernel).put(HANDLER_AT, code('31 c9 f7 f1')).run(), /^Bad address/, '#DE');
});

t.test('stacks that are nowhere end the Guest that faults on them', async (t) => {
  for (const esp of [0, 1, 4, 0x12345678, 0xffffffff, 0xfffe1000, KERNEL, KERNEL + 2]) {
    for (const type of ['trap', 'interrupt'] as const) {
      const kernel = [...gate(3, HANDLER, type), ...gate(14, HANDLER, type), 0xbc, ...word(esp), 0xcc, ...done];
      t.match(endOf(kernel), /^Bad address|^unhandled trap|^bad write address/, `esp ${esp.toString(16)}`);
    }
  }
});

t.test('a kernel stack that is nowhere ends the Guest when its program traps', async (t) => {
  for (const type of ['trap', 'interrupt'] as const) {
    for (const [segment, esp] of [
      [0x69, 0x12345678],
      [0x69, 0xfffffffc],
      [0x69, 0],
      [0xffff0051, KERNEL + STACK_TOP],
      [0xb1, KERNEL + STACK_TOP],
    ] as const) {
      const kernel = [...gate(0x80, HANDLER, type, 3), ...call('LHCALL_SET_STACK', segment, esp, 0), ...toUser()];
      const end = endOf(kernel, code('cd 80 eb fe'));
      t.match(
        end,
        /^Bad address|^unhandled trap|^bad stack/,
        `${type} gate, ${segment.toString(16)}:${esp.toString(16)}`,
      );
    }
  }
});

t.test('a storm of clock events leaves the Guest time to go on', async (t) => {
  for (const delta of [1, 2, 1000]) {
    const again = [0x60, ...call('LHCALL_SET_CLOCKEVENT', delta), ...store(KERNEL + DATA, 0x200), 0x61, 0xcf];
    const kernel = [
      ...gate(32, HANDLER),
      ...enableInterrupts,
      ...call('LHCALL_SET_CLOCKEVENT', delta),
      0xb9,
      ...word(200_000),
      ...code('e2 fe'),
      ...done,
    ];
    t.equal(new CodeGuest(kernel).put(HANDLER_AT, again).run(400), DONE, `every ${delta} ns`);
  }
});

t.test('a storm of interrupts leaves the Guest time to go on', async (t) => {
  const kernel = [
    ...Array.from({ length: 32 }, (_, irq) => gate(32 + irq, HANDLER)).flat(),
    ...enableInterrupts,
    0xb9,
    ...word(1_000_000),
    ...code('e2 fe'),
    ...done,
  ];
  const guest = new CodeGuest(kernel).put(HANDLER_AT, [...store(KERNEL + DATA, 0x200), 0xcf]);
  let end = '';
  for (let round = 0; round < 2000 && end !== DONE; round++) {
    for (let irq = 0; irq < 32; irq++) guest.device.write(Uint32Array.of(LHREQ.LHREQ_IRQ, irq));
    end = guest.run(1);
  }
  t.equal(end, DONE);
});

t.test('a Guest that sleeps with everything blocked sleeps', async (t) => {
  const kernel = [...store(KERNEL + DATA + 4, 0xffffffff), ...call('LHCALL_HALT'), ...done];
  const guest = new CodeGuest(kernel);
  t.equal(guest.run(), 'read: -11');
  for (let irq = 0; irq < 32; irq++) guest.device.write(Uint32Array.of(LHREQ.LHREQ_IRQ, irq));
  t.equal(guest.run(), 'read: -11');
});

t.test('`iret` to virtual 8086 mode, to IOPL 3, with nested task: nothing of it', async (t) => {
  const iretWith = (flags: number): number[] => [
    ...[flags, 0x61, KERNEL + CODE + 0x100].flatMap((value) => [0x68, ...word(value)]),
    0xcf,
  ];
  for (const flags of [0x20202, 0x3002, 0x1a3002, 0x0, 0xffffbeff]) {
    const guest = new CodeGuest(iretWith(flags)).put(CODE + 0x100, [...code('9c 58 a3 00 f0 00 c0'), ...done]);
    t.match(guest.run(), /^CRASH: done$|^unhandled trap/, `eflags ${flags.toString(16)}`);
  }
  t.equal(endOf([...code('fa'), ...done]), 'read: 12', 'and `cli` is the Launcher’s');
});

t.test('a program cannot do what its kernel could not', async (t) => {
  const privileged = ['f4', 'fa', 'fb', '0f 01 15 00 00 00 00', '0f 20 c0', '0f 32', 'e4 64', 'ec', '0f 09', '0f 06'];
  for (const insn of privileged) t.equal(endOf(toUser(), code(insn)), 'read: 12', insn);
  t.match(endOf(toUser(), call('LHCALL_SHUTDOWN', 0x1000, 2)), /^unhandled trap 13 at 0x8020[0-9a-f]+ \(0xfa\)$/);
  t.match(endOf(toUser(), code('2e a1 00 00 01 c0')), /^unhandled trap 14 at 0x8020000 \(0xc0010000\)$/);
  t.match(endOf(toUser(KERNEL + CODE)), /^unhandled trap 14 at 0xc0010000 \(0xc0010000\)$/);
  t.match(endOf(toUser(USER_CODE, USER_STACK, 0x20002), code('f4')), /^read: 12$/);
});

t.test('random bytes are a program like any other', async (t) => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const began = performance.now();
  const faults = Array.from({ length: 20 }, (_, v) => v).filter((v) => ![2, 8, 15].includes(v));
  const handlers = faults.flatMap((vector) => gate(vector, HANDLER));
  let ended = 0;
  for (let life = 0; life < 150; life++) {
    const bytes = Array.from({ length: 2000 }, () => random(256));
    const inUser = life % 2 === 1;
    const kernel = inUser
      ? [...handlers, ...call('LHCALL_SET_STACK', 0x69, KERNEL + STACK_TOP, 2), ...toUser()]
      : bytes;
    // The handler steps over what faulted and goes on.
    const guest = new CodeGuest(kernel, bytes).put(HANDLER_AT, code('ff 44 24 04 83 c4 04 cf'));
    if (guest.run(2) !== 'read: -4') ended++;
  }
  t.ok(ended > 50, `${ended} of 150 have ended`);
  t.ok(performance.now() - began < 60_000);
});

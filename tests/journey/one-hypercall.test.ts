// The life of one hypercall: `int $0x1f` from the bytes in the Guest's memory to the routine that serves it, and back.
//
// This is the walk at the end of docs/JOURNEY.md. Each station is asserted by name, so that the story cannot go stale: when
// this file has to change, so has that one.
import t from 'tap';
import { EAGAIN, ENOENT } from '../../guest-abi/errno.js';
import { LGUEST_TRAP_ENTRY, LHCALL } from '../../guest-abi/hypercalls.js';
import { LGUEST_DATA } from '../../guest-abi/lguest-data.js';
import { LGUEST_REGS } from '../../guest-abi/lguest-regs.js';
import { machineOf } from '../../host/machine.js';
import { CPU_ROUTINES } from '../../switcher/cpu/routines.js';
import { shapeOf } from '../../switcher/interpreter/load.js';
import { gateOf } from '../../switcher/cpu/transfers.js';
import { newInstruction } from '../../switcher/decode/all-forms.js';
import { decode } from '../../switcher/decode/decode.js';
import { disassemble } from '../../switcher/decode/disassemble.js';
import { meaning } from '../../switcher/instructions/index.js';
import { CODE, CodeGuest, DATA, KERNEL, call, code, done, gate, store } from '../support/code-guest.js';
import { ManualClock } from '../support/fake-switcher.js';

const INT_0X1F = Uint8Array.of(0xcd, 0x1f);
const IRQ_0_VECTOR = 32;
const HANDLER = CODE + 0x800;
const DELAY = 1_000_000;
const IF = 0x200;
const data = (offset: number): number => KERNEL + DATA + offset;

/** Turns interrupts on, queues LHCALL_SET_CLOCKEVENT in the ring, and makes LHCALL_HALT: the hypercall to be watched. */
const kernel = [
  ...gate(IRQ_0_VECTOR, KERNEL + HANDLER),
  ...store(data(LGUEST_DATA.blocked_interrupts), 0),
  ...store(data(LGUEST_DATA.irq_enabled), IF),
  ...store(data(LGUEST_DATA.hcalls), LHCALL.LHCALL_SET_CLOCKEVENT),
  ...store(data(LGUEST_DATA.hcalls + 4), DELAY),
  // The call is ready, the other places of the ring are not. Last, as a Guest has to do it.
  ...store(data(LGUEST_DATA.hcall_status), ~0xff),
  ...call('LHCALL_HALT'),
];

t.test('in memory: decode/opcode-map says that cd 1f is `int`', async (t) => {
  const instruction = newInstruction();
  t.equal(decode(INT_0X1F, INT_0X1F.length, KERNEL, { defaultSize: 32, flat: true }, instruction), 'ok');
  t.equal(instruction.form.mnemonic, 'int');
  t.equal(instruction.immediate, LGUEST_TRAP_ENTRY);
  t.equal(disassemble(instruction), 'int 0x1f');
});

t.test('in the interpreter: instructions/control says that `int` is the business of the CPU, by name', async (t) => {
  const instruction = newInstruction();
  decode(INT_0X1F, INT_0X1F.length, KERNEL, { defaultSize: 32, flat: true }, instruction);
  const statement = meaning(instruction.form).statements.at(-1);
  t.match(statement, { kind: 'delegate', routine: 'softwareInterrupt', jumps: true });
  t.ok('softwareInterrupt' in CPU_ROUTINES, 'cpu/routines knows it');
  t.ok(shapeOf(instruction.form).endsBlock, 'and cpu/code-cache ends a block there');
});

t.test('through the door and back', async (t) => {
  const clock = new ManualClock();
  const stations: string[] = [];
  const trace = (station: string, detail: number): void => void stations.push(`${station} ${detail.toString(16)}`);
  const guest = new CodeGuest(kernel, [], { clock, trace }).put(HANDLER, done);
  const { pages } = machineOf(guest.memory).switcher;

  await t.test('the Host drains the ring, makes the call, and finds the Guest asleep', async (t) => {
    t.equal(guest.run(), `read: ${-EAGAIN}`);
    const walk = stations.slice(stations.lastIndexOf(`trap ${LGUEST_TRAP_ENTRY.toString(16)}`));
    t.strictSame(walk, ['trap 1f', 'queued-hypercall 9', 'hypercall a', 'halt 0']);
  });

  await t.test('cpu/transfers: gate 0x1f led to the Switcher, and ring 1 may use it', async (t) => {
    t.match(gateOf(pages.guestIdt, LGUEST_TRAP_ENTRY), { isDirect: false, dpl: 1 });
    t.match(gateOf(pages.guestIdt, 13), { isDirect: false, dpl: 0 }, 'unlike a fault, which nobody may ask for');
  });

  await t.test('guest-cpu left the registers in lguest_regs, with the number of the trap', async (t) => {
    t.equal(pages.regs[LGUEST_REGS.trapnum], LGUEST_TRAP_ENTRY);
    t.equal(pages.regs[LGUEST_REGS.eax], LHCALL.LHCALL_HALT);
    t.equal(pages.regs[LGUEST_REGS.eip], KERNEL + CODE + kernel.length, 'eip is behind the `int`');
    t.equal((pages.regs[LGUEST_REGS.cs] ?? 0) & 3, 1, 'in ring 1');
  });

  await t.test('host/clock: the queued call set the alarm, and its place in the ring is free again', async (t) => {
    t.equal(guest.memory.bytes[DATA + LGUEST_DATA.hcall_status], 0xff);
    stations.length = 0;
    clock.advance(DELAY - 1);
    t.equal(guest.run(), `read: ${-EAGAIN}`, 'a nanosecond too early');
    t.strictSame(stations, []);
  });

  await t.test('the alarm wakes the Guest: an interrupt goes in, and the Guest goes on in its handler', async (t) => {
    clock.advance(1);
    t.equal(guest.run(), 'CRASH: done');
    t.strictSame(stations, [
      'interrupt 0',
      `enter ${(KERNEL + HANDLER).toString(16)}`,
      'trap 1f',
      'hypercall 2',
      'killed 0',
    ]);
    t.equal(guest.device.read(new Uint8Array(64)) > 0, true, `and whoever reads gets its last words, after -${ENOENT}`);
  });
});

t.test('a direct gate does not come by here: `int $0x80` stays inside the CPU', async (t) => {
  const stations: string[] = [];
  // The handler of the system call makes the hypercall that ends the Guest.
  const system = [...gate(0x80, KERNEL + HANDLER, 'trap', 3), ...code('cd 80')];
  const guest = new CodeGuest(system, [], { trace: (station, detail) => void stations.push(`${station} ${detail}`) });
  guest.put(HANDLER, done);
  t.equal(guest.run(), 'CRASH: done');
  t.notOk(stations.includes('trap 128'), 'the Host has not seen it');
});

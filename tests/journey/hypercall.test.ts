// The life of one hypercall, from the bytes of `int $0x1f` to the Guest going on: each station by its name, in the order in
// which docs/JOURNEY.md tells of them. If this test changes, so must the tale.
import t from 'tap';
import { LHCALL } from '../../guest-abi/hypercalls.js';
import { LGUEST_DATA } from '../../guest-abi/lguest-data.js';
import { LGUEST_CS } from '../../guest-abi/x86/descriptors.js';
import { decode } from '../../switcher/decode/decode.js';
import { disassemble } from '../../switcher/decode/disassemble.js';
import { newInstruction } from '../../switcher/decode/all-forms.js';
import { gateOf } from '../../switcher/cpu/transfers.js';
import { setupDefaultIdtEntries } from '../../host/interrupts-and-traps.js';
import { LgCpu, Lguest } from '../../host/guest.js';
import { FakeSwitcher, ManualClock } from '../support/fake-switcher.js';
import { call, CodeGuest, DATA, done, gate, KERNEL, store } from '../support/code-guest.js';

const HANDLER_AT = 0x30000;

t.test('station 1: the decoder knows the two bytes', async (t) => {
  const instruction = newInstruction();
  const bytes = Uint8Array.of(0xcd, 0x1f);
  t.equal(decode(bytes, bytes.length, 0, { defaultSize: 32, flat: true }, instruction), 'ok');
  t.equal(disassemble(instruction), 'int 0x1f');
});

t.test('station 2: the gate of vector 0x1f leads to the Host, and ring 1 may use it', async (t) => {
  const clock = new ManualClock();
  const switcher = new FakeSwitcher(0x10000, clock);
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  const options = { clock, log, trace: undefined, syscallVector: 0x80, tscKhz: 0, sliceNanoseconds: 0 };
  setupDefaultIdtEntries(new LgCpu(new Lguest({ pfnLimit: 16, deviceLimit: 16 }, options), switcher, 0));
  t.match(gateOf(switcher.pages.guestIdt, 0x1f), { selector: LGUEST_CS, isDirect: false, dpl: 1 });
});

t.test('stations 3 to 9: out through the Switcher, round the loop, and in again', async (t) => {
  const seen: string[] = [];
  const queued = [LHCALL.LHCALL_SET_CLOCKEVENT, 1, 0, 0, 0];
  const kernel = [
    ...gate(32, KERNEL + HANDLER_AT),
    ...store(KERNEL + DATA + LGUEST_DATA.blocked_interrupts, 0),
    ...queued.flatMap((value, i) => store(KERNEL + DATA + LGUEST_DATA.hcalls + 4 * i, value)),
    ...store(KERNEL + DATA + LGUEST_DATA.hcall_status, 0xffffff00),
    ...call('LHCALL_HALT'),
    ...done,
  ];
  const guest = new CodeGuest(kernel, [], { trace: (station, detail) => seen.push(`${station} ${detail}`) });
  guest.put(HANDLER_AT, [0xcf]);
  let end = '';
  for (let turn = 0; turn < 100 && !end.startsWith('CRASH'); turn++) end = guest.run();
  t.equal(end, 'CRASH: done');

  const from = seen.indexOf(`queued-hypercall ${LHCALL.LHCALL_SET_CLOCKEVENT}`) - 1;
  const stations = seen.slice(from).filter((each) => !/^(page-mapped|trap 14)|^trap 32/.test(each));
  const names = stations.map((each) => (each.startsWith('enter') ? 'enter' : each));
  t.same(names.slice(0, 6), [
    'trap 31', // the Switcher has stored the registers; host/traps sees that it is a hypercall
    'queued-hypercall 9', // host/hypercalls drains the ring first
    'hypercall 10', // and looks up the one in eax in its table
    'halt 0', // the routine, in the file that owns its subject
    'interrupt 0', // the loop sleeps until there is something to deliver
    'enter', // and the Guest goes on, in its handler
  ]);
});

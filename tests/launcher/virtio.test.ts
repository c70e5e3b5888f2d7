// The transport and the queues, driven by a driver that does as Linux does, and by ones that do not.
import t from 'tap';
import { ConsoleDevice } from '../../launcher/devices/console.js';
import { LooseEnd } from '../../launcher/devices/net-back-end.js';
import { NetDevice } from '../../launcher/devices/net.js';
import { FakeConsole } from '../support/fake-console.js';
import { FakeGuest, RAM } from '../support/fake-guest.js';
import { INDIRECT, NEXT, VirtioDriver, WRITE } from '../support/virtio-driver.js';
import type { DriverQueue } from '../support/virtio-driver.js';

const INPUT = 0;
const OUTPUT = 1;
const EMERG_WRITE = 4;
const INDIRECT_DESC = 0x1000_0000;

interface Machine {
  readonly guest: FakeGuest;
  readonly cable: FakeConsole;
  readonly driver: VirtioDriver;
}

function machine(): Machine {
  const guest = new FakeGuest();
  const cable = new FakeConsole();
  guest.bus.add(new ConsoleDevice(cable));
  return { guest, cable, driver: new VirtioDriver(guest, 1) };
}

function live(size?: number): Machine & { readonly input: DriverQueue; readonly output: DriverQueue } {
  const all = machine();
  const [input, output] = all.driver.start(EMERG_WRITE, 2, size);
  if (input === undefined || output === undefined) throw new Error('no queues');
  return { ...all, input, output };
}

t.test('Linux brings a device up: status 0, 1, 3, 0xB, read, 0xF', (t) => {
  const { guest, driver, cable, output } = live();
  t.equal(driver.status, 0xf);
  guest.put(0x1000, 'hello');
  const head = output.post({ at: 0x1000, length: 5 });
  t.equal(cable.printed, 'hello');
  t.strictSame(output.taken(), [{ id: head, length: 0 }]);
  t.strictSame(guest.irqs, [1]);
  t.strictSame(guest.broken, []);
  t.end();
});

t.test('features are offered through a window of 32 bits', (t) => {
  const { driver, guest } = machine();
  driver.status = 1;
  driver.status = 3;
  t.equal(driver.offered(), 0x1_0000_0005n);
  driver.write(0, 32, 1);
  t.equal(driver.read(4, 32), 1, 'VERSION_1');
  for (const select of [2, 3, 0xffff_ffff]) {
    driver.write(0, 32, select);
    t.equal(driver.read(4, 32), 0);
  }
  t.strictSame(guest.broken, []);
  t.end();
});

t.test('queue_size is 256 for queues there are and 0 for others, whose registers do nothing', (t) => {
  const { driver, guest } = machine();
  driver.negotiate(EMERG_WRITE);
  for (const [index, size] of [
    [0, 256],
    [1, 256],
    [2, 0],
    [0xffff, 0],
  ] as const) {
    driver.write(22, 16, index);
    t.equal(driver.read(24, 16), size);
  }
  for (let offset = 32; offset < 56; offset += 4) driver.write(offset, 32, 0xffff_ffff);
  driver.write(24, 16, 64);
  driver.write(28, 16, 1);
  for (let offset = 24; offset < 56; offset += 4) t.equal(driver.read(offset, 32), 0);
  t.equal(driver.read(18, 16), 2, 'num_queues');
  t.strictSame(guest.broken, []);
  t.end();
});

t.test('each queue has registers of its own behind the one window', (t) => {
  const { driver } = machine();
  driver.negotiate(EMERG_WRITE);
  driver.write(22, 16, 0);
  driver.write(32, 32, 0x1000);
  driver.write(22, 16, 1);
  t.equal(driver.read(32, 32), 0);
  driver.write(32, 32, 0x2000);
  driver.write(24, 16, 16);
  driver.write(22, 16, 0);
  t.equal(driver.read(32, 32), 0x1000);
  t.equal(driver.read(24, 16), 256);
  driver.write(22, 16, 1);
  t.equal(driver.read(24, 16), 16);
  driver.status = 0;
  driver.status = 1;
  driver.status = 3;
  t.equal(driver.read(22, 16), 0, 'a reset selects queue 0');
  t.equal(driver.read(32, 32), 0, 'and forgets addresses');
  t.end();
});

t.test('ISR says 1 after a completion and 0 on the second read', (t) => {
  const { driver, guest, output } = live();
  t.equal(guest.load(driver.registers.isr, 8), 0);
  output.post({ at: 0x1000, length: 1 });
  t.equal(guest.load(driver.registers.isr, 8), 1);
  t.equal(guest.load(driver.registers.isr, 8), 0);
  t.end();
});

t.test('a driver that wants no interrupts gets none, nor an ISR', (t) => {
  const { driver, guest, output } = live();
  output.setAvailFlags(1);
  output.post({ at: 0x1000, length: 1 });
  t.equal(output.taken().length, 1);
  t.strictSame(guest.irqs, []);
  t.equal(guest.load(driver.registers.isr, 8), 0);
  t.end();
});

t.test('ring indices wrap around queue and 16 bits', (t) => {
  const { guest, cable, output } = live(4);
  for (let i = 0; i < 70_000; i++) output.post({ at: 0x1000 + (i & 7), length: 1 });
  t.equal(cable.printed.length, 70_000);
  t.equal(output.taken().length, 70_000 & 0xffff);
  t.strictSame(guest.broken, []);
  t.end();
});

t.test('one kick serves everything that is available, with one interrupt', (t) => {
  const { guest, cable, output } = live();
  guest.put(0x1000, 'abc');
  for (let i = 0; i < 3; i++) output.makeAvailable(output.chain([{ at: 0x1000 + i, length: 1 }]));
  output.kick();
  t.equal(cable.printed, 'abc');
  t.equal(output.taken().length, 3);
  t.strictSame(guest.irqs, [1]);
  output.kick();
  t.strictSame(guest.irqs, [1], 'a kick of an empty ring says nothing');
  t.end();
});

t.test('FAILED stops the device, and only a reset starts it again', (t) => {
  const { driver, guest, cable, output } = live();
  driver.status = 0x8f;
  output.post({ at: 0x1000, length: 1 });
  t.equal(cable.printed, '');
  t.equal(driver.status, 0x8f);
  const again = driver.start(EMERG_WRITE, 2)[OUTPUT];
  again?.post({ at: 0x1000, length: 1 });
  t.equal(cable.printed.length, 1);
  t.strictSame(guest.broken, []);
  t.end();
});

t.test('writing the status it has asks for nothing', (t) => {
  const { driver, guest, cable, output } = live();
  driver.status = 0xf;
  output.post({ at: 0x1000, length: 1 });
  t.equal(cable.printed.length, 1);
  t.strictSame(guest.broken, []);
  t.end();
});

t.test('a kick before DRIVER_OK or after a reset asks for nothing', (t) => {
  const { driver, guest, cable } = machine();
  driver.negotiate(EMERG_WRITE);
  driver.setUpQueue(INPUT);
  const output = driver.setUpQueue(OUTPUT);
  output.post({ at: 0x1000, length: 1 });
  t.equal(cable.printed, '');
  driver.status = 0xf;
  t.equal(cable.printed.length, 1, 'what was available is served at DRIVER_OK');
  driver.status = 0;
  t.equal(driver.status, 0);
  output.post({ at: 0x1000, length: 1 });
  t.equal(cable.printed.length, 1);
  t.strictSame(guest.broken, []);
  t.end();
});

t.test('ten thousand resets leave a device that works', (t) => {
  const { driver, guest, cable } = machine();
  for (let i = 0; i < 10_000; i++) driver.status = 0;
  driver.start(EMERG_WRITE, 2)[OUTPUT]?.post({ at: 0x1000, length: 3 });
  t.equal(cable.printed.length, 3);
  t.strictSame(guest.broken, []);
  t.end();
});

/** What the statements and classes are called that the following refusals belong to. */
let about = '';

/** Runs `misbehave` and expects these words, once, and a device that does nothing any more. */
function refuses(text: string, misbehave: (machine: Machine) => void, start = machine): void {
  t.test(`bad driver: ${text} (${about})`, (t) => {
    const all = start();
    misbehave(all);
    t.strictSame(all.guest.broken, [text]);
    const { printed } = all.cable;
    for (let offset = 0; offset < 72; offset++)
      for (const width of [8, 16, 32] as const) all.driver.read(offset, width);
    for (let offset = 0; offset < 68; offset++)
      for (const width of [8, 16, 32] as const) all.driver.write(offset, width, 1);
    all.driver.queues[OUTPUT]?.kick();
    t.equal(all.cable.printed, printed, 'nothing more is taken from the queue');
    t.strictSame(all.guest.broken, [text], 'the first reason is the only one');
    all.guest.bus.close();
    t.end();
  });
}

const inConsole = (text: string): string => `console: bad driver: ${text}`;
const negotiated = (): Machine => {
  const all = machine();
  all.driver.negotiate(EMERG_WRITE);
  return all;
};
const acknowledged = (): Machine => {
  const all = machine();
  all.driver.status = 1;
  all.driver.status = 3;
  return all;
};

// The status handshake.
about = 'the status handshake';
refuses(inConsole('unexpected status transition 0 -> 0x2'), ({ driver }) => (driver.status = 2));
refuses(inConsole('unexpected status transition 0x1 -> 0x9'), ({ driver }) => {
  driver.status = 1;
  driver.status = 9;
});
refuses(inConsole('unexpected status transition 0x3 -> 0x7'), ({ driver }) => (driver.status = 7), acknowledged);
refuses(inConsole('unknown device status bit 0 -> 0x3'), ({ driver }) => (driver.status = 3));
refuses(inConsole('unknown device status bit 0 -> 0x40'), ({ driver }) => (driver.status = 0x40));
refuses(inConsole('unset of device status bit 0x3 -> 0x1'), ({ driver }) => (driver.status = 1), acknowledged);
refuses(
  inConsole('did not re-read FEATURES_OK'),
  ({ driver }) => {
    driver.write(20, 8, 0xb);
    driver.write(20, 8, 0xf);
  },
  acknowledged,
);

// Features.
about = 'features';
refuses(inConsole('feature read before VIRTIO_CONFIG_S_DRIVER'), ({ driver }) => driver.read(4, 32));
refuses(inConsole('feature write before VIRTIO_CONFIG_S_DRIVER'), ({ driver }) => driver.write(0, 32, 0));
refuses(
  inConsole('feature write after VIRTIO_CONFIG_S_FEATURES_OK'),
  ({ driver }) => driver.write(12, 32, 1),
  negotiated,
);
refuses(inConsole('Unexpected driver select 2'), ({ driver }) => driver.write(8, 32, 2), acknowledged);
refuses(
  inConsole('over-accepted features 0x2 of 0x100000005'),
  ({ driver }) => {
    driver.write(8, 32, 0);
    driver.write(12, 32, 2);
  },
  acknowledged,
);
refuses(
  inConsole('over-accepted features 0x8000000000000000 of 0x100000005'),
  ({ driver }) => {
    driver.write(8, 32, 1);
    driver.write(12, 32, 0x8000_0000);
  },
  acknowledged,
);

// Widths and offsets.
about = 'registers';
refuses(inConsole('non-32-bit write to offset 0 (0xc1000000)'), ({ driver }) => driver.write(0, 8, 0), acknowledged);
refuses(
  inConsole('non-8-bit write to offset 20 (0xc1000000)'),
  ({ driver }) => driver.write(20, 32, 7 & 3),
  acknowledged,
);
refuses(inConsole('non-16-bit write to offset 22 (0xc1000000)'), ({ driver }) => driver.write(22, 32, 0));
refuses(inConsole('non-32-bit write to offset 68 (0xc1000000)'), ({ driver }) => driver.write(68, 8, 0x41));
refuses(inConsole('non-16-bit read to offset 18 (0xc1000000)'), ({ driver }) => driver.read(18, 8));
refuses(inConsole('non-8-bit read to offset 20 (0xc1000000)'), ({ driver }) => driver.read(20, 32));
refuses(inConsole('non-32-bit read to offset 0 (0xc1000000)'), ({ driver }) => driver.read(0, 16), acknowledged);
refuses(inConsole('read of msix_config'), ({ driver }) => driver.read(16, 16));
refuses(inConsole('read from padding (0xc1000000)'), ({ driver }) => driver.read(59, 8));
refuses(inConsole('read past end (0xc1000000)'), ({ driver }) => driver.read(70, 32), acknowledged);
refuses(inConsole('config read before VIRTIO_CONFIG_S_DRIVER'), ({ driver }) => driver.read(60, 16));
refuses(inConsole('notify before VIRTIO_CONFIG_S_DRIVER_OK'), ({ driver }) => driver.read(56, 16));
refuses(inConsole('Unexpected write to isr'), ({ driver }) => driver.write(58, 8, 0));
refuses(inConsole('attempt to set MSIX vector to 65535'), ({ driver }) => driver.write(26, 16, 0xffff));
refuses(inConsole('attempt to write to queue_notify_off'), ({ driver }) => driver.write(30, 16, 0));
for (const offset of [1, 4, 16, 18, 21, 23, 57, 59, 60, 61]) {
  refuses(inConsole(`Unexpected write to offset ${offset}`), ({ driver }) => driver.write(offset, 32, 0));
}
refuses(inConsole('Invalid vq notification on 2'), ({ guest, driver }) => guest.store(driver.registers.notify, 16, 2));

// Setting up queues.
about = 'queues';
refuses(inConsole('invalid queue size 3'), ({ driver }) => driver.write(24, 16, 3), negotiated);
refuses(inConsole('setting up vq before FEATURES_OK'), ({ driver }) => driver.write(32, 32, 0), acknowledged);
refuses(
  inConsole("didn't re-read FEATURES_OK before setup"),
  ({ driver }) => {
    driver.write(20, 8, 0xb);
    driver.write(32, 32, 0);
  },
  acknowledged,
);
refuses(inConsole('setting queue_enable to 2'), ({ driver }) => driver.write(28, 16, 2), negotiated);
refuses(inConsole('setting queue_enable to 0'), ({ driver }) => driver.write(28, 16, 0), live);
refuses(inConsole('enabling vq after DRIVER_OK'), ({ driver }) => driver.write(28, 16, 1), live);
refuses(inConsole('changing queue on live device'), ({ driver }) => driver.write(32, 32, 0x8000), live);
refuses(inConsole('changing queue size on live device'), ({ driver }) => driver.write(24, 16, 128), live);

/** Sets up queue 1 with these three addresses. */
const place =
  (desc: number, avail: number, used: number, size = 256) =>
  ({ driver }: Machine): void => {
    driver.write(22, 16, OUTPUT);
    driver.write(24, 16, size);
    driver.write(32, 32, desc);
    driver.write(40, 32, avail);
    driver.write(48, 32, used);
    driver.write(28, 16, 1);
  };
const inOutput = (text: string): string => `console vq output: bad driver: ${text}`;
refuses(inConsole('invalid queue size 0'), place(0x1000, 0x2000, 0x3000, 0), negotiated);
refuses(inConsole('invalid queue size 512'), place(0x1000, 0x2000, 0x3000, 512), negotiated);
refuses(inOutput('invalid alignment in queue addresses'), place(0x1008, 0x2000, 0x3000), negotiated);
refuses(inOutput('invalid alignment in queue addresses'), place(0x1000, 0x2001, 0x3000), negotiated);
refuses(inOutput('invalid alignment in queue addresses'), place(0x1000, 0x2000, 0x3002), negotiated);
refuses(inConsole('Invalid address 0xff010'), place(RAM - 4096 + 16, 0x2000, 0x3000), negotiated);
refuses(inConsole('Invalid address 0xffdfe'), place(0x1000, RAM - 514, 0x3000), negotiated);
refuses(inConsole('Invalid address 0xffffff00'), place(0x1000, 0x2000, 0xffff_ff00), negotiated);
refuses(inConsole('Invalid address 0x200000'), place(RAM + 0x10_0000, 0x2000, 0x3000), negotiated);
refuses(
  inOutput('invalid 64-bit queue address'),
  (all) => {
    all.driver.write(22, 16, OUTPUT);
    all.driver.write(44, 32, 1);
    place(0x1000, 0x2000, 0x3000)(all);
  },
  negotiated,
);
refuses(
  inOutput('invalid initial used.flags 0x1'),
  (all) => {
    all.guest.bytes[0x3000] = 1;
    place(0x1000, 0x2000, 0x3000)(all);
  },
  negotiated,
);

t.test('a ring may end exactly at the end of RAM', (t) => {
  const all = negotiated();
  place(RAM - 4096, RAM - 4096 - 516, 0x3000)(all);
  t.equal(all.driver.read(28, 16), 1);
  t.strictSame(all.guest.broken, []);
  t.end();
});

// Rings.
about = 'the available ring';
const output = ({ driver }: Machine): DriverQueue => {
  const found = driver.queues[OUTPUT];
  if (found === undefined) throw new Error('no queue');
  return found;
};
const jump =
  (index: number) =>
  (all: Machine): void => {
    output(all).setAvailIndex(index);
    output(all).kick();
  };
refuses(inOutput('Guest moved used index from 0 to 257'), jump(257), live);
refuses(inOutput('Guest moved used index from 0 to 65535'), jump(65535), live);
refuses(
  inOutput('Guest says index 256 is available'),
  (all) => {
    output(all).makeAvailable(256);
    output(all).kick();
  },
  live,
);
refuses(
  inOutput('avail->flags = 2'),
  (all) => {
    output(all).setAvailFlags(2);
    output(all).post({ at: 0x1000, length: 1 });
  },
  live,
);

// Chains.
about = 'descriptors';
const descriptor =
  (at: number | bigint, length: number, flags = 0, next = 0) =>
  (all: Machine): void => {
    output(all).writeDescriptor(output(all).desc, 0, at, length, flags, next);
    output(all).makeAvailable(0);
    output(all).kick();
  };
refuses(inOutput('Looped descriptor'), descriptor(0x1000, 1, NEXT, 0), live);
refuses(inConsole('Desc next is 256'), descriptor(0x1000, 1, NEXT, 256), live);
refuses(inConsole('Invalid address 0x100000'), descriptor(RAM, 1), live);
refuses(inConsole('Invalid address 0xfffff'), descriptor(RAM - 1, 2), live);
refuses(inConsole('Invalid address 0x0'), descriptor(0, 0xffff_ffff), live);
refuses(inConsole('Invalid address 0xfffffff0'), descriptor(0xffff_fff0, 0x20), live);
refuses(inConsole('Invalid address 0x100001000'), descriptor(0x1_0000_1000n, 1), live);
refuses(inConsole('Invalid address 0xfffffffffffffff0'), descriptor(0xffff_ffff_ffff_fff0n, 0x20), live);
refuses(inConsole('Invalid address 0x200000'), descriptor(RAM + 0x10_0000, 4), live);
refuses(inOutput('vq indirect not negotiated'), descriptor(0x1000, 16, INDIRECT), live);
refuses(
  inOutput('Descriptor has out after in'),
  (all) => output(all).post({ at: 0x1000, length: 1, flags: WRITE }, { at: 0x1000, length: 1 }),
  live,
);
refuses(inOutput('Input buffers in console output queue?'), descriptor(0x1000, 1, WRITE), live);

t.test('a descriptor loop of two, and a chain as long as the queue', (t) => {
  const all = live(4);
  all.output.post(...[1, 2, 3, 4].map((length) => ({ at: 0x1000, length })));
  t.equal(all.cable.printed.length, 10);
  all.output.writeDescriptor(all.output.desc, 0, 0x1000, 1, NEXT, 1);
  all.output.writeDescriptor(all.output.desc, 1, 0x1000, 1, NEXT, 0);
  all.output.makeAvailable(0);
  all.output.kick();
  t.strictSame(all.guest.broken, [inOutput('Looped descriptor')]);
  t.equal(all.cable.printed.length, 10);
  t.end();
});

t.test('a buffer may be empty, at address 0, or end exactly where RAM does', (t) => {
  const { output: out, guest, cable } = live();
  out.post({ at: 0, length: 1 }, { at: RAM, length: 0 }, { at: RAM - 1, length: 1 });
  t.equal(cable.printed.length, 2);
  t.strictSame(guest.broken, []);
  t.end();
});

// Indirect tables: only the network card offers them.
const TX = 1;
const TABLE = 0x8000;

interface Card {
  readonly guest: FakeGuest;
  readonly backEnd: LooseEnd;
  readonly tx: DriverQueue;
}

function card(features = INDIRECT_DESC): Card {
  const guest = new FakeGuest();
  const backEnd = new LooseEnd();
  guest.bus.add(new NetDevice(backEnd));
  const tx = new VirtioDriver(guest, 1).start(features, 2)[TX];
  if (tx === undefined) throw new Error('no queue');
  return { guest, backEnd, tx };
}

t.test('a frame may come by an indirect table, whole or as the tail of a chain', (t) => {
  const { guest, backEnd, tx } = card();
  tx.writeDescriptor(TABLE, 0, 0x1000, 12, NEXT, 2);
  tx.writeDescriptor(TABLE, 2, 0x2000, 60, 0, 0);
  tx.post({ at: TABLE, length: 48, flags: INDIRECT });
  tx.post({ at: 0x1000, length: 12 }, { at: TABLE + 32, length: 16, flags: INDIRECT });
  t.equal(backEnd.dropped, 2);
  t.strictSame(guest.broken, []);
  t.end();
});

function indirect(text: string, build: (tx: DriverQueue) => void): void {
  t.test(`bad driver: ${text}`, (t) => {
    const { guest, backEnd, tx } = card();
    build(tx);
    t.strictSame(guest.broken, [text]);
    t.equal(backEnd.dropped, 0);
    t.end();
  });
}
const inTx = (text: string): string => `net vq tx: bad driver: ${text}`;
for (const length of [0, 8, 17]) {
  indirect(inTx('Invalid size for indirect table'), (queue) => queue.post({ at: TABLE, length, flags: INDIRECT }));
}
indirect(inTx('indirect has too many entries'), (queue) =>
  queue.post({ at: TABLE, length: 257 * 16, flags: INDIRECT }),
);
indirect(inTx('indirect has too many entries'), (queue) =>
  queue.post({ at: TABLE, length: 0xffff_fff0, flags: INDIRECT }),
);
indirect('net: bad driver: Invalid address 0xffff8', (queue) =>
  queue.post({ at: RAM - 8, length: 16, flags: INDIRECT }),
);
indirect(inTx('indirect and next together'), (queue) =>
  queue.post({ at: TABLE, length: 16, flags: INDIRECT }, { at: 0x1000, length: 16 }),
);
indirect(inTx('Indirect within indirect'), (queue) => {
  queue.writeDescriptor(TABLE, 0, TABLE, 16, INDIRECT, 0);
  queue.post({ at: TABLE, length: 16, flags: INDIRECT });
});
indirect(inTx('Indirect within indirect'), (queue) => {
  queue.writeDescriptor(TABLE, 0, 0x1000, 16, NEXT, 1);
  queue.writeDescriptor(TABLE, 1, TABLE, 16, INDIRECT, 0);
  queue.post({ at: TABLE, length: 32, flags: INDIRECT });
});
indirect(inTx('Looped descriptor'), (queue) => {
  queue.writeDescriptor(TABLE, 0, 0x1000, 16, NEXT, 0);
  queue.post({ at: TABLE, length: 16, flags: INDIRECT });
});
indirect('net: bad driver: Desc next is 1', (queue) => {
  queue.writeDescriptor(TABLE, 0, 0x1000, 16, NEXT, 1);
  queue.post({ at: TABLE, length: 16, flags: INDIRECT });
});

t.test('a broken device leaves the others running', (t) => {
  const guest = new FakeGuest();
  const cable = new FakeConsole();
  guest.bus.add(new ConsoleDevice(cable));
  guest.bus.add(new NetDevice(new LooseEnd()));
  const out = new VirtioDriver(guest, 1).start(EMERG_WRITE, 2)[OUTPUT];
  new VirtioDriver(guest, 2).status = 0x40;
  t.equal(guest.broken.length, 1);
  out?.post({ at: 0x1000, length: 7 });
  t.equal(cable.printed.length, 7);
  t.end();
});

t.test('a restart takes the devices away from their driver', (t) => {
  const { driver, guest, output: out, cable } = live();
  guest.bus.reset();
  t.equal(driver.status, 0);
  out.post({ at: 0x1000, length: 1 });
  t.equal(cable.printed, '');
  t.end();
});

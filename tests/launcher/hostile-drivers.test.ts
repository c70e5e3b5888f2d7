// Drivers that do anything at all, from a seed: random registers, random rings, random descriptors. Whatever they do ends
// with the device working or with one reason to end the Guest, and never with an exception or a hang.
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { silentLogger } from '../../lib/log.js';
import { BlockDevice } from '../../launcher/devices/block.js';
import { ConsoleDevice } from '../../launcher/devices/console.js';
import { createDevice } from '../../launcher/devices/index.js';
import { LooseEnd } from '../../launcher/devices/net-back-end.js';
import { NetDevice } from '../../launcher/devices/net.js';
import { openDisk } from '../../launcher/devices/open-disk.js';
import { rng } from '../../launcher/device-specs.js';
import { FakeConsole } from '../support/fake-console.js';
import { FakeGuest, RAM } from '../support/fake-guest.js';
import { DriverQueue, VirtioDriver } from '../support/virtio-driver.js';

const ROUNDS = 1500;
const REASON = /^(console|block|net|rng)( vq (input|output|request|rx|tx))?: bad driver: /;

/** mulberry32: small, good enough, and the same everywhere. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Random = ReturnType<typeof generator>;

/** Numbers with a preference for the edges of things. */
function nasty(random: Random): number {
  const edges = [
    0,
    1,
    2,
    3,
    4,
    8,
    0xb,
    0xf,
    0x80,
    255,
    256,
    257,
    0x7fff,
    0xffff,
    0x1_0000,
    RAM - 16,
    RAM - 1,
    RAM,
    0x7fff_ffff,
    0xffff_ffff,
  ];
  return random(3) === 0 ? random(0x1_0000_0000) : (edges[random(edges.length)] ?? 0);
}

const width = (random: Random): 8 | 16 | 32 => ([8, 16, 32] as const)[random(3)] ?? 32;

/** Features that each device may be asked for, by slot. */
const SLOTS = [
  { features: 0x5, queues: 2 },
  { features: 0x644, queues: 1 },
  { features: 0x1000_0000, queues: 2 },
  { features: 0, queues: 1 },
] as const;

function machine(image: string): { readonly guest: FakeGuest; readonly cable: FakeConsole } {
  const guest = new FakeGuest();
  const cable = new FakeConsole();
  guest.bus.add(new ConsoleDevice(cable));
  guest.bus.add(new BlockDevice(openDisk(image, { snapshot: true }, silentLogger), 'x', silentLogger));
  guest.bus.add(new NetDevice(new LooseEnd()));
  guest.bus.add(createDevice(rng(), silentLogger));
  return { guest, cable };
}

function anyRegister(random: Random, driver: VirtioDriver): void {
  const offset = random(2) === 0 ? random(76) : random(19) * 4;
  if (random(2) === 0) driver.read(offset, width(random));
  else driver.write(offset, width(random), nasty(random));
}

function anyConfig(random: Random, guest: FakeGuest, slot: number): void {
  const offset = random(2) === 0 ? 0x84 + random(20) : random(256);
  const bits = width(random);
  if (random(2) === 0) guest.readConfig(slot, offset, bits);
  else guest.writeConfig(slot, offset, nasty(random), bits);
}

/** A few chains, of which some are sound. */
function anyRing(random: Random, queue: DriverQueue): void {
  for (let i = random(4) + 1; i > 0; i--) {
    const sound = random(3) === 0;
    const count = random(4) + 1;
    const first = random(queue.num - 8);
    for (let n = 0; n < count; n++) {
      const at = sound ? random(RAM / 2) : nasty(random) * (random(8) === 0 ? 0x1_0000_0000 : 1);
      const length = sound ? random(4096) : nasty(random);
      const last = n === count - 1;
      const flags = sound ? (last ? 2 : 1) : random(8);
      queue.writeDescriptor(queue.desc, first + n, at, length, flags, sound ? first + n + 1 : random(300));
    }
    queue.makeAvailable(sound ? first : random(queue.num + 2));
  }
  if (random(10) === 0) queue.setAvailIndex(nasty(random));
  if (random(10) === 0) queue.setAvailFlags(random(3));
  queue.kick();
}

function round(random: Random, image: string): FakeGuest {
  const { guest, cable } = machine(image);
  const slot = random(SLOTS.length);
  const { features, queues } = SLOTS[slot] ?? SLOTS[0];
  const driver = new VirtioDriver(guest, slot + 1);
  if (random(4) > 0) driver.start(features, queues, 2 ** (4 + random(5)));
  for (let step = random(12) + 1; step > 0; step--) {
    const what = random(10);
    const queue = driver.queues[random(queues)];
    if (what < 6 && queue !== undefined) anyRing(random, queue);
    else if (what === 6) anyRegister(random, driver);
    else if (what === 7) anyConfig(random, guest, slot + 1);
    else if (what === 8) cable.type('typed\n');
    else cable.catchUp();
    cable.fast = random(4) > 0;
  }
  guest.bus.close();
  return guest;
}

t.test('no driver can do more than end its own Guest, with a reason', (t) => {
  const image = path.join(t.testdir({}), 'disk');
  fs.writeFileSync(image, Buffer.alloc(64 * 512));
  const reasons = new Map<string, number>();
  for (let seed = 0; seed < ROUNDS; seed++) {
    const { broken } = round(generator(seed), image);
    if (broken.length > 1) t.fail(`seed ${seed}: two reasons`, { broken });
    const [reason] = broken;
    if (reason === undefined) continue;
    if (!REASON.test(reason)) t.fail(`seed ${seed}: ${reason}`);
    const kind = reason.replaceAll(/0x[0-9a-f]+|\d+/g, '#');
    reasons.set(kind, (reasons.get(kind) ?? 0) + 1);
  }
  const seen = [...reasons.values()].reduce((a, b) => a + b, 0);
  t.ok(seen > ROUNDS / 4 && seen < ROUNDS, `${seen} of ${ROUNDS} drivers were bad`);
  t.ok(reasons.size > 25, `${reasons.size} kinds of bad`);
  t.end();
});

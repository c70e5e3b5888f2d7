// The reference Guest on a network whose only other machine is this test: ARP and ICMP echo, in both directions, byte by byte.
import t from 'tap';
import { type Guest, type NetBackEnd, createGuest, net, referenceGuest } from '../../launcher/index.js';

const PATIENCE = 60_000;
const GUEST_MAC = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
const OUR_MAC = [2, 0, 0, 0, 0, 2];
const EVERYBODY = [255, 255, 255, 255, 255, 255];
const GUEST = [10, 0, 2, 15];
const US = [10, 0, 2, 2];
const IPV4 = 0x0800;
const ARP = 0x0806;
const REQUEST = 1;
const REPLY = 2;
const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;
const HEADERS = 14 + 20;

/** This end of the cable. */
class Cable implements NetBackEnd {
  onReceive: NetBackEnd['onReceive'];
  readonly #frames: Buffer[] = [];
  #waiting: ((frame: Buffer) => void) | undefined;
  /** Answers of ours to what the Guest asks. */
  answer: (frame: Buffer) => Buffer | undefined = () => undefined;

  send(frame: Uint8Array, header: Uint8Array): void {
    if (header.some((byte) => byte !== 0)) throw new Error('a header that asks for something');
    const copy = Buffer.from(frame);
    const answer = this.answer(copy);
    if (answer !== undefined) this.onReceive?.(answer);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#frames.push(copy);
    else waiting(copy);
  }

  close(): void {
    this.onReceive = undefined;
  }

  next(): Promise<Buffer> {
    const frame = this.#frames.shift();
    return frame === undefined ? new Promise((resolve) => (this.#waiting = resolve)) : Promise.resolve(frame);
  }

  /** Sends it to the Guest, and waits for what the Guest says to it. */
  ask(frame: Buffer): Promise<Buffer> {
    this.onReceive?.(frame);
    return this.next();
  }
}

const word = (value: number): number[] => [value >>> 8, value & 0xff];

/** The Internet's checksum, as RFC 1071 says it. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

const ethernet = (to: number[], from: number[], type: number, payload: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([...to, ...from, ...word(type)]), payload]);

const arp = (operation: number, senderMac: number[], sender: number[], targetMac: number[], target: number[]): Buffer =>
  Buffer.from([0, 1, 8, 0, 6, 4, ...word(operation), ...senderMac, ...sender, ...targetMac, ...target]);

const withChecksum = (bytes: Buffer, at: number): Buffer => {
  bytes.writeUInt16BE(checksum(bytes), at);
  return bytes;
};

const ipv4 = (from: number[], to: number[], payload: Uint8Array, { fragment = 0, protocol = 1, options = 0 } = {}) => {
  const header = [
    0x45 + options / 4,
    0,
    ...word(20 + options + payload.length),
    0x12,
    0x34,
    ...word(fragment),
    64,
    protocol,
  ];
  const bytes = Buffer.from([...header, 0, 0, ...from, ...to, ...Array<number>(options).fill(1)]);
  return Buffer.concat([withChecksum(bytes, 10), payload]);
};

const echo = (type: number, id: number, sequence: number, data: Uint8Array): Buffer =>
  withChecksum(Buffer.concat([Buffer.from([type, 0, 0, 0, ...word(id), ...word(sequence)]), data]), 2);

const ping = (sequence: number, data: Uint8Array, header: Parameters<typeof ipv4>[3] = {}): Buffer =>
  ethernet(GUEST_MAC, OUR_MAC, IPV4, ipv4(US, GUEST, echo(ECHO_REQUEST, 0xabcd, sequence, data), header));

const data = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => (at * 7) & 0xff));

const boot = async (
  cmdline: string,
  mac?: string,
): Promise<{ guest: Guest; cable: Cable; ended: Promise<unknown> }> => {
  const cable = new Cable();
  const card = mac === undefined ? net({ backEnd: cable }) : net({ backEnd: cable, mac });
  const guest = await createGuest({
    memory: 16,
    kernel: referenceGuest(),
    cmdline,
    timeout: PATIENCE,
    devices: [card],
  });
  t.teardown(() => guest.close());
  const ended = guest.run();
  await guest.console.waitFor(/lguest> /, { timeout: PATIENCE });
  return { guest, cable, ended };
};

/** Types a command; what it printed. */
const ask = async (guest: Guest, command: string): Promise<string> => {
  await guest.console.sendLine(command);
  const [, printed = ''] = await guest.console.waitFor(/([\s\S]*?)lguest> /, { timeout: PATIENCE });
  return printed.replace(/^.*\n/, '');
};

t.test('it can be found and answers pings', async (t) => {
  const { guest, cable, ended } = await boot('quiet', '52:54:00:12:34:56');
  const whoHas = ethernet(EVERYBODY, OUR_MAC, ARP, arp(REQUEST, OUR_MAC, US, [0, 0, 0, 0, 0, 0], GUEST));
  t.strictSame(
    await cable.ask(whoHas),
    ethernet(OUR_MAC, GUEST_MAC, ARP, arp(REPLY, GUEST_MAC, GUEST, OUR_MAC, US)),
    'ARP',
  );
  for (const length of [0, 1, 56, 57, 1472]) {
    const answer = await cable.ask(ping(length, data(length)));
    const wanted = ipv4(GUEST, US, echo(ECHO_REPLY, 0xabcd, length, data(length)), { fragment: 0x4000 });
    // How it numbers its packets is its own affair, as long as the checksum knows.
    t.equal(checksum(answer.subarray(14, HEADERS)), 0, 'the header has its checksum');
    answer.copy(wanted, 4, 18, 20);
    answer.copy(wanted, 10, 24, 26);
    t.strictSame(answer, ethernet(OUR_MAC, GUEST_MAC, IPV4, wanted), `an echo of ${length} bytes`);
  }
  const padded = await cable.ask(Buffer.concat([ping(1, data(3)), Buffer.alloc(15, 0xee)]));
  t.strictSame(padded.subarray(HEADERS), echo(ECHO_REPLY, 0xabcd, 1, data(3)), 'padding is not echoed');
  const routed = await cable.ask(ping(2, data(8), { options: 8 }));
  t.strictSame(routed.subarray(HEADERS), echo(ECHO_REPLY, 0xabcd, 2, data(8)), 'a header may have options');
  t.match(
    await ask(guest, 'net'),
    /frames +8 in, 8 out, 0 not.*\nanswered +1 who asked .*, 7 who wanted.*\nignored +0 /,
  );
  await guest.console.sendLine('poweroff');
  await ended;
});

t.test('what is broken, or for somebody else, is counted and not answered', async (t) => {
  const { guest, cable, ended } = await boot('quiet', '52:54:00:12:34:56');
  const broken = (frame: Buffer, at: number): Buffer => {
    frame.writeUInt8(frame.readUInt8(at) ^ 1, at);
    return frame;
  };
  const strays = [
    Buffer.alloc(1),
    Buffer.alloc(13),
    ethernet(GUEST_MAC, OUR_MAC, ARP, Buffer.alloc(27)),
    ethernet(GUEST_MAC, OUR_MAC, ARP, Buffer.alloc(28)),
    ethernet(EVERYBODY, OUR_MAC, ARP, arp(REQUEST, OUR_MAC, US, [0, 0, 0, 0, 0, 0], [10, 0, 2, 16])),
    ethernet(GUEST_MAC, OUR_MAC, 0x86dd, Buffer.alloc(60)),
    ethernet(GUEST_MAC, OUR_MAC, IPV4, Buffer.alloc(19)),
    broken(ping(1, data(8)), 24),
    broken(ping(1, data(8)), HEADERS + 9),
    ping(1, data(8), { fragment: 0x2000 }),
    ping(1, data(8), { fragment: 1 }),
    ping(1, data(8), { protocol: 17 }),
    ping(1, data(100)).subarray(0, 100),
    ethernet(GUEST_MAC, OUR_MAC, IPV4, ipv4(US, [10, 0, 2, 16], echo(ECHO_REQUEST, 1, 1, data(8)))),
    ethernet(GUEST_MAC, OUR_MAC, IPV4, ipv4(US, GUEST, echo(ECHO_REPLY, 0x6c67, 1, data(56)))),
    ping(1, data(1473)),
  ];
  for (const frame of strays) cable.onReceive?.(frame);
  await cable.ask(ping(3, data(8)));
  const counted = new RegExp(`frames +${strays.length + 1} in, 1 out.*\n.*\nignored +${strays.length} `);
  t.match(await ask(guest, 'net'), counted);
  await guest.console.sendLine('poweroff');
  await ended;
});

t.test('it asks others: ARP once, then an echo each time', async (t) => {
  const { guest, cable, ended } = await boot('quiet ip=192.168.7.9/16', '52:54:00:12:34:56');
  const me = [192, 168, 7, 9];
  const us = [192, 168, 200, 1];
  const router = [192, 168, 0, 2];
  t.match(await ask(guest, 'net'), /^address +192\.168\.7\.9, mask 255\.255\.0\.0, gateway 192\.168\.0\.2\n/);

  t.match(await ask(guest, 'ping 192.168.200.1 1'), /nobody there knows the way\n1 asked, 0 answered\n/);
  const whoHas = (whom: number[]): Buffer =>
    ethernet(EVERYBODY, GUEST_MAC, ARP, arp(REQUEST, GUEST_MAC, me, [0, 0, 0, 0, 0, 0], whom));
  t.strictSame(await cable.next(), whoHas(us));

  let spoils = false;
  cable.answer = (frame) => {
    if (frame.readUInt16BE(12) === ARP) {
      return ethernet(GUEST_MAC, OUR_MAC, ARP, arp(REPLY, OUR_MAC, [...frame.subarray(38, 42)], GUEST_MAC, me));
    }
    const request = frame.subarray(HEADERS);
    const reply = echo(
      ECHO_REPLY,
      request.readUInt16BE(4),
      request.readUInt16BE(6) + Number(spoils),
      request.subarray(8),
    );
    return ethernet(GUEST_MAC, OUR_MAC, IPV4, ipv4([...frame.subarray(30, 34)], me, reply));
  };
  t.match(
    await ask(guest, 'ping 192.168.200.1 2'),
    /answer 2 after \d+\.\d{3} ms\n.*answer 3 [^]*2 asked, 2 answered\n/,
  );
  t.strictSame(await cable.next(), whoHas(us));
  for (const sequence of [2, 3]) {
    const asked = await cable.next();
    t.strictSame([...asked.subarray(0, 14)], [...OUR_MAC, ...GUEST_MAC, ...word(IPV4)], 'to whom it was told');
    t.equal(checksum(asked.subarray(14, HEADERS)), 0);
    t.strictSame([...asked.subarray(26, HEADERS)], [...me, ...us]);
    t.strictSame(
      asked.subarray(HEADERS),
      echo(ECHO_REQUEST, 0x6c67, sequence, Buffer.from(Array.from({ length: 56 }, (_, at) => at))),
    );
  }
  t.match(await ask(guest, 'ping 8.8.8.8 1'), /1 asked, 1 answered\n/);
  t.strictSame(await cable.next(), whoHas(router), 'what is far away goes by the gateway');
  t.strictSame([...(await cable.next()).subarray(30, 34)], [8, 8, 8, 8]);
  spoils = true;
  t.match(
    await ask(guest, 'ping 192.168.200.1 1'),
    /no answer 5\n1 asked, 0 answered\n/,
    'an answer to something else',
  );
  t.match(await ask(guest, 'ping 192.168.7'), /^ping: whom/);
  t.match(await ask(guest, 'net'), /neighbour +02:00:00:00:00:02 is 192\.168\.200\.1\n.*is 192\.168\.0\.2\n/);
  await guest.console.sendLine('poweroff');
  await ended;
});

t.test('without a card it says so; without an address for the card it makes one up', async (t) => {
  const none = await createGuest({
    memory: 16,
    kernel: referenceGuest(),
    cmdline: 'quiet run="net;ping 1.2.3.4;poweroff"',
  });
  t.teardown(() => none.close());
  const ended = none.run();
  await none.console.waitFor(/net: there is no network card .*\nping: there is no network card /, {
    timeout: PATIENCE,
  });
  await ended;

  const { guest } = await boot('quiet ip=10.1.2.3::10.1.2.254:255.255.0.0');
  t.match(
    await ask(guest, 'net'),
    /^address +10\.1\.2\.3, mask 255\.255\.0\.0, gateway 10\.1\.2\.254\ncard +02:00:0a:01:02:03, irq 2\n/,
  );
});

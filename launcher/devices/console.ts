// The console: a serial line of two queues, one for what is typed and one for what is printed.
//
// Neither direction ever blocks. Input is asked for only when the Guest has posted a buffer; an output buffer is given
// back only when the other end has taken its bytes. Until then both stay in the state below.
import { PCI_CLASS_COMMUNICATION_SERIAL } from '../../guest-abi/pci/config-space.js';
import {
  VIRTIO_CONSOLE_F_EMERG_WRITE,
  VIRTIO_CONSOLE_F_SIZE,
  sizeof_virtio_console_config,
  virtio_console_config,
} from '../../guest-abi/virtio/virtio-console.js';
import { VIRTIO_ID_CONSOLE } from '../../guest-abi/virtio/virtio-ids.js';
import type { ConsolePort } from '../console-port.js';
import type { Width } from '../pci/function.js';
import type { DriverLink, VirtioDevice } from '../virtio/device.js';
import { scatter, slice, totalLength } from '../virtio/segments.js';
import type { Chain } from '../virtio/virtqueue.js';
import { EmergencyOutput } from './emergency-output.js';

const INPUT = 0;
const OUTPUT = 1;
/** Bytes that are passed on at once, and bytes after which others get a turn. */
const PIECE = 64 * 1024;
const TURN = 1024 * 1024;

interface Active {
  readonly state: 'active';
  readonly link: DriverLink;
  /** A buffer posted for input that has not come. */
  typing: Chain | undefined;
  /** A buffer of output, of which `done` bytes have been passed on. */
  printing: { readonly chain: Chain; readonly length: number; done: number } | undefined;
  /** Output goes on when the reader has caught up, or when others had their turn. */
  paused: 'no' | 'for the reader' | NodeJS.Immediate;
}

export class ConsoleDevice implements VirtioDevice {
  readonly name = 'console';
  readonly id = VIRTIO_ID_CONSOLE;
  readonly pciClass = PCI_CLASS_COMMUNICATION_SERIAL;
  readonly features: readonly number[];
  readonly queues = ['input', 'output'];
  readonly config = new Uint8Array(sizeof_virtio_console_config);
  readonly #port: ConsolePort;
  readonly #emergency: EmergencyOutput;
  #life: { readonly state: 'inactive' } | Active = { state: 'inactive' };

  /** @param tellsSize whether the driver may be told the size of the terminal; see console-size.ts */
  constructor(port: ConsolePort, { tellsSize = true }: { readonly tellsSize?: boolean } = {}) {
    this.#port = port;
    this.features = tellsSize ? [VIRTIO_CONSOLE_F_SIZE, VIRTIO_CONSOLE_F_EMERG_WRITE] : [VIRTIO_CONSOLE_F_EMERG_WRITE];
    this.#emergency = new EmergencyOutput(port);
    this.#measure();
    port.onReadable = () => this.#type();
    port.onWritable = () => {
      // What was said in an emergency was said before the rest.
      if (this.#emergency.flush()) this.#resume();
    };
    port.onResize = () => {
      this.#measure();
      const link = this.#life.state === 'active' ? this.#life.link : undefined;
      if (link?.accepted(VIRTIO_CONSOLE_F_SIZE) === true) link.configChanged();
    };
  }

  activate(link: DriverLink): void {
    this.#life = { state: 'active', link, typing: undefined, printing: undefined, paused: 'no' };
    // Linux reads the size when it is told of a change, and at no other time.
    const { cols, rows } = this.#port.size;
    if (cols > 0 && rows > 0 && link.accepted(VIRTIO_CONSOLE_F_SIZE)) link.announceConfig();
    this.#type();
    this.#print();
  }

  kicked(index: number): void {
    if (index === INPUT) this.#type();
    else if (index === OUTPUT) this.#print();
  }

  reset(): void {
    if (this.#life.state === 'active' && typeof this.#life.paused === 'object') clearImmediate(this.#life.paused);
    this.#life = { state: 'inactive' };
  }

  /** "Upon write to emerg_wr, the device prints the low byte" (5.3.4), whatever the state of the driver. */
  writeConfig(offset: number, value: number): Width | undefined {
    if (offset !== virtio_console_config.emerg_wr) return undefined;
    this.#emergency.put(value & 0xff);
    return 32;
  }

  counts(): Readonly<Record<string, number>> {
    return { 'characters dropped': this.#emergency.dropped };
  }

  close(): void {
    this.#port.onReadable = undefined;
    this.#port.onWritable = undefined;
    this.#port.onResize = undefined;
    // The last chance to print: nobody waits for anything any more.
    this.#emergency.flush();
  }

  #measure(): void {
    const view = new DataView(this.config.buffer);
    view.setUint16(virtio_console_config.cols, this.#port.size.cols, true);
    view.setUint16(virtio_console_config.rows, this.#port.size.rows, true);
  }

  /** Moves what was typed into posted buffers, until either runs out. */
  #type(): void {
    const life = this.#life;
    const queue = life.state === 'active' ? life.link.queues[INPUT] : undefined;
    if (life.state !== 'active' || queue === undefined) return;
    for (;;) {
      const chain = life.typing ?? queue.pop();
      life.typing = chain;
      if (chain === undefined) break;
      if (chain.readable.length > 0) return queue.badDriver('Output buffers in console in queue?');
      const room = totalLength(chain.writable);
      const bytes = this.#port.read(Math.min(room, PIECE));
      if (bytes.length === 0 && room > 0) break;
      life.typing = undefined;
      queue.push(chain, scatter(queue.memory, chain.writable, bytes));
    }
    queue.wantKicks(life.typing === undefined);
    queue.interrupt();
  }

  /** Passes on what the Guest prints, until there is nothing more or the reader has had enough. */
  #print(): void {
    const life = this.#life;
    const queue = life.state === 'active' ? life.link.queues[OUTPUT] : undefined;
    if (life.state !== 'active' || queue === undefined) return;
    for (let passed = 0; life.paused === 'no';) {
      const chain = life.printing === undefined ? queue.pop() : undefined;
      if (chain !== undefined) {
        if (chain.writable.length > 0) return queue.badDriver('Input buffers in console output queue?');
        life.printing = { chain, length: totalLength(chain.readable), done: 0 };
      }
      const { printing } = life;
      if (printing === undefined) break;
      if (printing.done >= printing.length) {
        queue.push(printing.chain, 0);
        life.printing = undefined;
        continue;
      }
      for (const { address, length } of slice(printing.chain.readable, printing.done, PIECE)) {
        if (!this.#port.write(queue.memory.bytes(address, length))) life.paused = 'for the reader';
        printing.done += length;
        passed += length;
      }
      if (passed >= TURN && life.paused === 'no') life.paused = setImmediate(() => this.#resume());
    }
    queue.interrupt();
  }

  #resume(): void {
    if (this.#life.state !== 'active') return;
    if (typeof this.#life.paused === 'object') clearImmediate(this.#life.paused);
    this.#life.paused = 'no';
    this.#print();
  }
}

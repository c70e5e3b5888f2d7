// A Host without a CPU: it plays a script of what read() answers, so that the Launcher can be tested by itself.
import { EAGAIN, EINTR, ENOENT, ERESTART } from '../../guest-abi/errno.js';
import { LGUEST_PENDING, LGUEST_PENDING_SIZE, LHREQ } from '../../guest-abi/lguest-launcher.js';
import type { ConsolePort } from '../../launcher/console-port.js';
import type { LauncherContext } from '../../launcher/context.js';
import type { OpenHost, Parts } from '../../launcher/machine.js';

export type Step =
  /** The Guest prints; the run goes on. */
  | { readonly print: string | Uint8Array }
  /** The Guest takes what was typed, and waits until there is something; again, when the answer is `more`. */
  | { readonly input: (typed: string) => 'more' | void }
  | { readonly exit: { readonly trap: 13 | 14; readonly addr: number; readonly insn?: number[] } }
  /** The Guest waits until its terminal has so many columns. */
  | { readonly columns: number }
  /** Something happens outside. */
  | { readonly call: () => void }
  /** A slice of running time is over. */
  | { readonly slice: true }
  /** The Guest runs for ever. */
  | { readonly spin: true }
  /** The Guest sleeps for ever. */
  | { readonly sleep: true }
  | { readonly dies: string }
  | { readonly restarts: true }
  /** A device finds the driver guilty while the Guest runs. */
  | { readonly broken: string };

export interface PendingTrap {
  readonly trap: 13 | 14;
  readonly addr: number;
  readonly insn: Uint8Array;
}

export interface FakeMachine {
  readonly ram: Uint8Array;
  readonly initialized: Uint32Array | undefined;
  readonly closed: readonly ('host' | 'devices')[];
  readonly traps: readonly PendingTrap[];
  readonly console: ConsolePort | undefined;
}

interface State extends FakeMachine {
  initialized: Uint32Array | undefined;
  closed: ('host' | 'devices')[];
  traps: PendingTrap[];
  console: ConsolePort | undefined;
  fatal: LauncherContext['fatal'];
}

/** Parts of which each machine built plays the next script. `machines` tells what became of them. */
export function fakeParts(scripts: readonly (readonly Step[])[]): { parts: Parts; machines: FakeMachine[] } {
  const machines: State[] = [];
  const current = (): State => {
    const state = machines.at(-1);
    if (state === undefined) throw new Error('no machine yet');
    return state;
  };
  const parts: Parts = {
    allocateMemory(ramBytes) {
      const bytes = new Uint8Array(ramBytes);
      machines.push({
        ram: bytes,
        initialized: undefined,
        closed: [],
        traps: [],
        console: undefined,
        fatal: () => undefined,
      });
      return { base: 0x10000, bytes, words: new Uint32Array(bytes.buffer), wrote: () => undefined };
    },
    openHost: () => new FakeHost([...(scripts[machines.length - 1] ?? [])], current()),
    buildDevices(context, _specs, console) {
      const state = current();
      state.console = console;
      state.fatal = context.fatal;
      return {
        mmioEnd: context.memory.bytes.length + 257 * 4096,
        instruction: (insn) => void state.traps.push({ trap: 13, addr: 0, insn: Uint8Array.from(insn) }),
        deviceMemory(addr, insn) {
          state.traps.push({ trap: 14, addr, insn: Uint8Array.from(insn) });
          if (addr === 0xbad) context.fatal('net: bad driver: no');
        },
        close: () => void state.closed.push('devices'),
        counts: () => ({}),
      };
    },
  };
  return { parts, machines };
}

class FakeHost implements OpenHost {
  readonly #script: Step[];
  readonly #state: State;
  #wake: (() => void) | undefined;
  #message: string | undefined;

  constructor(script: Step[], state: State) {
    this.#script = script;
    this.#state = state;
  }

  get #console(): ConsolePort {
    if (this.#state.console === undefined) throw new Error('no console yet');
    return this.#state.console;
  }

  write(message: Uint32Array): number {
    if (message[0] === LHREQ.LHREQ_INITIALIZE) this.#state.initialized = Uint32Array.from(message);
    return 16;
  }

  read(buffer: Uint8Array): number {
    if (this.#message !== undefined) {
      const bytes = Buffer.from(`${this.#message}\0`);
      buffer.set(bytes);
      return bytes.length;
    }
    const step = this.#script[0];
    if (step === undefined) throw new Error('the script is over');
    if ('spin' in step) return -EINTR;
    if ('sleep' in step) return -EAGAIN;
    if ('input' in step) return this.#input(step);
    if ('columns' in step && this.#console.size.cols !== step.columns) {
      this.#console.onResize = () => this.#wakeUp();
      return -EAGAIN;
    }
    this.#script.shift();
    if ('print' in step) return this.#print(step.print);
    if ('slice' in step || 'columns' in step) return -EINTR;
    if ('call' in step) {
      step.call();
      return -EINTR;
    }
    if ('broken' in step) {
      this.#state.fatal(step.broken);
      return -EINTR;
    }
    if ('restarts' in step) return -ERESTART;
    if ('dies' in step) {
      this.#message = step.dies;
      return -ENOENT;
    }
    const view = new DataView(buffer.buffer, buffer.byteOffset);
    view.setUint8(LGUEST_PENDING.trap, step.exit.trap);
    buffer.set(step.exit.insn ?? [0xed], LGUEST_PENDING.insn);
    view.setUint32(LGUEST_PENDING.addr, step.exit.addr, true);
    return LGUEST_PENDING_SIZE;
  }

  #print(text: string | Uint8Array): number {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    if (this.#console.write(bytes)) return -EINTR;
    this.#console.onWritable = () => this.#wakeUp();
    return -EAGAIN;
  }

  #input(step: { input: (typed: string) => 'more' | void }): number {
    const typed = this.#console.read(4096);
    if (typed.length === 0) {
      this.#console.onReadable = () => this.#wakeUp();
      return -EAGAIN;
    }
    if (step.input(Buffer.from(typed).toString()) !== 'more') this.#script.shift();
    return -EINTR;
  }

  #wakeUp(): void {
    this.#wake?.();
  }

  ready(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#wake = wake;
      if (signal?.aborted === true) resolve();
      signal?.addEventListener('abort', wake);
    });
  }

  counts(): { 'cpu entries': number } {
    return { 'cpu entries': 1 };
  }

  cpuCounts(): { 'code lookups': number } {
    return { 'code lookups': 2 };
  }

  close(): void {
    this.#state.closed.push('host');
  }
}

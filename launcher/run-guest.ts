// The loop that is a Guest's whole life, seen from outside: read() runs it until it needs the Launcher, the Launcher
// serves it, and it goes on.
//
// A process has one difficulty that the original's does not have: nobody else runs while Guest code does. So the Host
// comes back every few milliseconds (-EINTR, as for a signal), and when the Guest sleeps (-EAGAIN), and between the
// two Node gets to see its sockets, timers and signals.
import { EAGAIN, EINTR, ENOENT, ERESTART } from '../guest-abi/errno.js';
import { LGUEST_PENDING, LGUEST_PENDING_INSN_SIZE, LGUEST_PENDING_SIZE } from '../guest-abi/lguest-launcher.js';
import { Bug } from '../lib/errors.js';
import type { LguestFd } from './context.js';
import type { Idleness } from './idleness.js';

/** The Host's device, as the loop sees it. */
export interface RunnableGuest extends LguestFd {
  /** Resolves when a read would make progress, or the signal aborts. */
  ready(signal?: AbortSignal): Promise<void>;
}

/** Serves what the Guest needs the Launcher for. */
export interface Services {
  /** Trap 13: a privileged instruction, by its first bytes. */
  instruction(insn: Uint8Array): void;
  /** Trap 14: an instruction touched device memory at this guest-physical address. */
  deviceMemory(address: number, insn: Uint8Array): void;
}

export type Outcome =
  /** The Guest is dead, and why. */
  | { readonly kind: 'dead'; readonly message: string }
  /** It asked to be started anew. */
  | { readonly kind: 'restart' }
  /** The signal was aborted. The Guest could go on. */
  | { readonly kind: 'stopped' };

/** What the loop counts. */
export interface RunCounters {
  instructionExits: number;
  memoryExits: number;
  /** How often the Host came back because a slice of time was over. */
  slices: number;
  /** How often the Guest slept. */
  sleeps: number;
}

export const newRunCounters = (): RunCounters => ({ instructionExits: 0, memoryExits: 0, slices: 0, sleeps: 0 });

const TRAP_GENERAL_PROTECTION = 13;
const TRAP_PAGE_FAULT = 14;
/** The longest message of a dead Guest: `CRASH: ` and the 127 bytes that the Host reads of its last words. */
const MESSAGE_SIZE = 1024;
/** A sleep that was shorter than this may have been none, and the event loop has not turned. */
const SHORT_SLEEP_MS = 0.5;

const eventLoopTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Runs the Guest until it dies, restarts or `signal` says stop. */
export async function runGuest(
  lguest: RunnableGuest,
  services: Services,
  signal: AbortSignal,
  counters: RunCounters,
  idleness: Idleness,
): Promise<Outcome> {
  const buffer = new Uint8Array(MESSAGE_SIZE);
  const pending = new DataView(buffer.buffer);
  const insn = buffer.subarray(LGUEST_PENDING.insn, LGUEST_PENDING.insn + LGUEST_PENDING_INSN_SIZE);

  while (!signal.aborted) {
    const result = lguest.read(buffer);
    switch (result) {
      case LGUEST_PENDING_SIZE:
        serve(pending, insn, services, counters);
        break;
      case -EINTR:
        counters.slices++;
        await eventLoopTurn();
        break;
      case -EAGAIN:
        counters.sleeps++;
        idleness.fallsAsleep();
        await lguest.ready(signal);
        // Whoever has just slept needs no other turn of the event loop.
        if (idleness.wakes() < SHORT_SLEEP_MS) await eventLoopTurn();
        break;
      case -ERESTART:
        return { kind: 'restart' };
      case -ENOENT:
        return { kind: 'dead', message: lastWords(lguest, buffer) };
      default:
        throw new Bug(`reading from the Host's device gave ${result}`);
    }
  }
  return { kind: 'stopped' };
}

function serve(pending: DataView, insn: Uint8Array, services: Services, counters: RunCounters): void {
  const trap = pending.getUint8(LGUEST_PENDING.trap);
  switch (trap) {
    case TRAP_GENERAL_PROTECTION:
      counters.instructionExits++;
      services.instruction(insn);
      return;
    case TRAP_PAGE_FAULT:
      counters.memoryExits++;
      services.deviceMemory(pending.getUint32(LGUEST_PENDING.addr, true), insn);
      return;
    default:
      throw new Bug(`unknown trap ${trap}`);
  }
}

/** A dead Guest's next read gives the reason, with its NUL. */
function lastWords(lguest: LguestFd, buffer: Uint8Array): string {
  const length = lguest.read(buffer);
  if (length < 0) return `reading why the Guest died gave ${length}`;
  const text = Buffer.from(buffer.subarray(0, length)).toString('latin1');
  return text.replace(/\0.*$/s, '').trimEnd();
}

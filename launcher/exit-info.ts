// How a Guest ended, for programs and for shells.
import { EXIT_FAILURE } from '../lib/errors.js';
import type { NamedCounts } from './host-counters.js';
import type { RunCounters } from './run-guest.js';

export type ExitReason =
  /** It said "Power down". */
  | 'poweroff'
  /** It said something else with its last breath: Linux says why it panics. */
  | 'panic'
  /** It asked for a restart, and none was wanted. */
  | 'restart'
  /** The Host ended it, because it did what no Guest may do. */
  | 'killed'
  /** The Launcher could not go on with it: a driver broke the rules of its device. */
  | 'failed'
  | 'timeout'
  /** Somebody outside stopped it. */
  | 'aborted';

export interface GuestStats extends Readonly<RunCounters> {
  /** From the first instruction to the last, restarts included. */
  readonly wallMs: number;
  /** When the Guest printed its first byte, if it did. */
  readonly firstOutputMs: number | undefined;
  readonly consoleBytes: number;
  /** How often the Guest was started anew. */
  readonly restarts: number;
  /** What the Host counted. */
  readonly host: NamedCounts;
  /** What the emulated CPU did: code looked for, decoded, translated. */
  readonly cpu: NamedCounts;
}

export interface ExitInfo {
  readonly reason: ExitReason;
  /** In the words of whoever ended it: `CRASH: Power down`, `bad page table entry`. */
  readonly message: string;
  /** The status a command should end with. */
  readonly exitCode: number;
  readonly stats: GuestStats;
}

/** As crosvm numbers them: VmReset, VmCrash, GuestPanic. */
export const EXIT_RESTART = 32;
export const EXIT_KILLED = 33;
export const EXIT_PANIC = 34;
/** As timeout(1) does. */
export const EXIT_TIMEOUT = 124;

export const EXIT_CODES: Readonly<Record<ExitReason, number>> = {
  poweroff: 0,
  panic: EXIT_PANIC,
  restart: EXIT_RESTART,
  killed: EXIT_KILLED,
  failed: EXIT_FAILURE,
  timeout: EXIT_TIMEOUT,
  aborted: EXIT_FAILURE,
};

const LAST_WORDS = /^CRASH: (.*)$/s;
const POWER_DOWN = 'Power down';

/** What the message of a dead Guest says about its end. */
export function classifyDeath(message: string): 'poweroff' | 'panic' | 'killed' {
  const words = LAST_WORDS.exec(message);
  if (words === null) return 'killed';
  return words[1] === POWER_DOWN ? 'poweroff' : 'panic';
}

// The native harness seen from here: builds it, feeds it machine states, and gives back what the real CPU made of them.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bug } from '../../lib/errors.js';
import { CRASH, FX_BYTES, TIMEOUT, type MachineState, type Outcome, type Patch } from '../support/machine-state.js';

const SOURCE = join(import.meta.dirname, '../../../tests/native/harness.c');
const FLAGS =
  '-m32 -static -nostdlib -ffreestanding -fno-stack-protector -fno-pie -no-pie -mno-sse -O2 -Wall -Wextra -Werror';

const SIGNAL_NONE = 0;
const SIGNAL_CRASHED = 1000;
const STATE_WORDS = 16 + FX_BYTES / 4;
/** Error code bits of a page fault that the CPU under a Host can know: write, user. */
const PAGE_FAULT_ERROR_MASK = 6;

const patchWords = (patch: Patch): number => 2 + Math.ceil(patch.bytes.length / 4);

function encode(state: MachineState): Buffer {
  const words = STATE_WORDS + 1 + state.patches.reduce((sum, patch) => sum + patchWords(patch), 0);
  const out = new Uint32Array(1 + words);
  const bytes = new Uint8Array(out.buffer);
  out[0] = words * 4;
  out.set(state.registers, 1);
  out.set([state.eip, state.eflags, ...state.segments], 9);
  bytes.set(state.fx, 17 * 4);
  let at = 1 + STATE_WORDS;
  out[at++] = state.patches.length;
  for (const patch of state.patches) {
    out.set([patch.address, patch.bytes.length], at);
    bytes.set(patch.bytes, (at + 2) * 4);
    at += patchWords(patch);
  }
  return Buffer.from(out.buffer);
}

/** `answer` without its length word. */
function decode(answer: Buffer): Outcome {
  const word = (i: number): number => answer.readUInt32LE(i * 4);
  const words = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => word(from + i));
  const signal = word(0);
  const vector = signal === SIGNAL_NONE ? TIMEOUT : signal === SIGNAL_CRASHED ? CRASH : word(2);
  const isPageFault = vector === 14;
  const fxAt = 21 * 4;
  const patches: Patch[] = [];
  let at = 21 + FX_BYTES / 4;
  for (let count = word(at++); count > 0; count--) {
    const bytes = new Uint8Array(answer.subarray((at + 2) * 4, (at + 2) * 4 + word(at + 1)));
    patches.push({ address: word(at), bytes });
    at += 2 + Math.ceil(bytes.length / 4);
  }
  return {
    trap: { vector, error: isPageFault ? word(3) & PAGE_FAULT_ERROR_MASK : word(3), cr2: isPageFault ? word(4) : 0 },
    registers: Uint32Array.from(words(5, 8)),
    eip: word(13),
    eflags: word(14),
    segments: Uint16Array.from(words(15, 6)),
    fx: new Uint8Array(answer.subarray(fxAt, fxAt + FX_BYTES)),
    patches,
  };
}

/** Compiles the harness. Throws when there is no gcc, or one without -m32. */
export function buildHarness(executable: string, stderr: 'inherit' | 'ignore' = 'inherit'): void {
  execFileSync('gcc', [...FLAGS.split(' '), '-o', executable, SOURCE], { stdio: ['ignore', 'ignore', stderr] });
}

/** Makes differ in what the manual does not say, and in ways that nobody has written down: tests ask the one recorded. */
const RECORDED_MAKE = 'AMD';

/** Why tests cannot ask a NativeCpu here, or false. */
export function whyNoNativeCpu(): string | false {
  if (process.platform !== 'linux' || !['x64', 'ia32'].includes(process.arch)) return 'this is no x86 Linux';
  if (cpus()[0]?.model.includes(RECORDED_MAKE) !== true) return `the CPU is not by ${RECORDED_MAKE}`;
  const directory = mkdtempSync(join(tmpdir(), 'lguest-native-'));
  const executable = join(directory, 'harness');
  try {
    buildHarness(executable, 'ignore');
    execFileSync(executable, { stdio: ['ignore', 'ignore', 'ignore'] });
    return false;
  } catch {
    return 'no gcc with -m32, or no right to map page 0';
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A real CPU. Cases are answered in the order in which they were given. */
export class NativeCpu {
  readonly #directory: string;
  readonly #process: ReturnType<typeof spawn>;
  readonly #waiting: { resolve: (outcome: Outcome) => void; reject: (error: Error) => void }[] = [];
  #received: Buffer = Buffer.alloc(0);

  constructor() {
    this.#directory = mkdtempSync(join(tmpdir(), 'lguest-native-'));
    const executable = join(this.#directory, 'harness');
    buildHarness(executable);
    this.#process = spawn(executable, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process.stdout?.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#process.stdin?.on('error', () => undefined);
    this.#process.on('close', (status) => {
      for (const { reject } of this.#waiting) reject(new Bug(`the native harness ended with status ${status}`));
    });
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    let at = 0;
    while (this.#received.length >= at + 4) {
      const length = this.#received.readUInt32LE(at);
      if (this.#received.length < at + 4 + length) break;
      this.#waiting.shift()?.resolve(decode(this.#received.subarray(at + 4, at + 4 + length)));
      at += 4 + length;
    }
    this.#received = this.#received.subarray(at);
  }

  /** Runs each of the states until it traps. Thousands at a time are quicker than one after the other. */
  run(states: readonly MachineState[]): Promise<Outcome[]> {
    const outcomes = states.map(
      () => new Promise<Outcome>((resolve, reject) => void this.#waiting.push({ resolve, reject })),
    );
    this.#process.stdin?.write(Buffer.concat(states.map(encode)));
    return Promise.all(outcomes);
  }

  close(): void {
    this.#process.stdin?.end();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

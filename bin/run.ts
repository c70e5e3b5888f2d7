// One run of the command: a Guest between this process's terminal, pipes, signals and clock.
import { constants } from 'node:os';
import { EXIT_FAILURE } from '../lib/errors.js';
import { createLogger, printable } from '../lib/log.js';
import type { Guest, GuestOptions } from '../launcher/guest.js';
import type { RunOptions } from '../launcher/options.js';
import { referenceGuest } from '../launcher/reference-guest.js';
import { connectInput } from './console-input.js';
import { connectOutput } from './console-output.js';
import { dropPrivileges } from './drop-privileges.js';
import { type End, SIGNAL_STATUS } from './ending.js';
import { describeStats } from './stats.js';
import { heedHints } from './wasm-hints.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const PATIENCE_MS = 1000;

const say = (message: string): void => void process.stderr.write(`lguest: ${printable(message)}\n`);

/** Why we, and not the Guest, ended the run; the first reason wins. */
interface Verdict {
  status: number | undefined;
}

export type CreateGuest = (options: GuestOptions) => Promise<Guest>;

/** Runs a Guest to its end. @returns the exit status */
export async function runCommand(options: RunOptions, createGuest: CreateGuest): Promise<number> {
  // Whoever reads our stderr may go; that is no reason to stop.
  process.stderr.on('error', () => undefined);

  const guest = await createGuest(guestOptions(options));
  const verdict: Verdict = { status: undefined };
  const end: End = (status, message) => {
    verdict.status ??= status;
    guest.stop('aborted', message);
  };
  const undo: (() => void)[] = [];
  try {
    if (options.username !== undefined) dropPrivileges(options.username);
    undo.push(onSignals(end), followTerminalSize(guest), watchOutput(guest, options, end));
    const output = await connectOutput(guest.console, options, end);
    // It is waited for below, unless the run fails before.
    output.done.catch(() => undefined);
    undo.push(connectInput(guest, options, end, say));
    heedHints(true);
    const info = await guest.run().finally(() => heedHints(false));
    undo.splice(0).forEach((action) => action());
    await output.done;

    if (options.stats) describeStats(info).forEach(say);
    if (options.compatible) {
      say(info.message);
      return EXIT_FAILURE;
    }
    if (verdict.status !== undefined) return verdict.status;
    if (info.reason !== 'poweroff') say(info.message);
    return info.exitCode;
  } finally {
    undo.forEach((action) => action());
    await guest.close();
  }
}

function guestOptions(options: RunOptions): GuestOptions {
  const { columns, rows } = process.stdout;
  return {
    memory: `${options.memory / 1024}K`,
    kernel: options.kernel ?? referenceGuest(),
    cmdline: options.commandLine,
    devices: options.devices,
    unpack: !options.noUnpack,
    noReboot: options.noReboot,
    countInstructions: options.stats,
    logger: createLogger({ level: options.logLevel, format: options.logFormat, fd: 2 }),
    ...(options.initrd === undefined ? {} : { initrd: options.initrd }),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    ...(process.stdout.isTTY ? { console: { cols: columns, rows } } : {}),
  };
}

/** Ends the Guest on a signal; a second signal does not wait for anything. */
function onSignals(end: End): () => void {
  let signalled = false;
  const handler = (signal: NodeJS.Signals): void => {
    const status = SIGNAL_STATUS + constants.signals[signal];
    if (signalled) process.exit(status);
    signalled = true;
    end(status, `ended by ${signal}`);
    // What is on its way to stdout gets a moment; a reader who does not read cannot keep us here.
    setTimeout(() => process.exit(status), PATIENCE_MS).unref();
  };
  for (const signal of SIGNALS) process.on(signal, handler);
  return () => SIGNALS.forEach((signal) => process.off(signal, handler));
}

function followTerminalSize(guest: Guest): () => void {
  if (!process.stdout.isTTY) return () => undefined;
  const onResize = (): void => guest.console.resize(process.stdout.columns, process.stdout.rows);
  process.stdout.on('resize', onResize);
  process.on('SIGCONT', onResize);
  return () => {
    process.stdout.off('resize', onResize);
    process.off('SIGCONT', onResize);
  };
}

/** --until and --fail-on */
function watchOutput(guest: Guest, options: RunOptions, end: End): () => void {
  const watch = (pattern: RegExp | undefined, status: number): void => {
    if (pattern === undefined) return;
    guest.console.waitFor(pattern).then(
      (match) => end(status, `the Guest printed ${JSON.stringify(match[0])}`),
      () => undefined, // the Guest has ended without printing it
    );
  };
  watch(options.failOn, EXIT_FAILURE);
  watch(options.until, 0);
  return () => undefined;
}

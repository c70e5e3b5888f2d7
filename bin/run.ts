// One run of the command: a Guest between this process's terminal, pipes, signals and clock.
import { constants } from 'node:os';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { ReadStream } from 'node:tty';
import { EXIT_FAILURE } from '../lib/errors.js';
import { createLogger, printable } from '../lib/log.js';
import { describeFileError, errorCode } from '../launcher/file-errors.js';
import type { Guest, GuestOptions } from '../launcher/guest.js';
import { createGuest, referenceGuest } from '../launcher/index.js';
import type { RunOptions } from '../launcher/options.js';
import { StripCarriageReturns, openConsoleLog } from './console-output.js';
import { dropPrivileges } from './drop-privileges.js';
import { Keyboard } from './keyboard.js';
import { describeStats } from './stats.js';
import { Terminal } from './terminal.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** What a shell adds to the number of the signal that ended a program. */
const SIGNAL_STATUS = 128;
const CONTROL_D = 0x04;

const say = (message: string): void => void process.stderr.write(`lguest: ${printable(message)}\n`);

/** Why we, and not the Guest, ended the run; the first reason wins. */
interface Verdict {
  status: number | undefined;
}

/** Runs a Guest to its end. @returns the exit status */
export async function runCommand(options: RunOptions): Promise<number> {
  // Whoever reads our stderr may go; that is no reason to stop.
  process.stderr.on('error', () => undefined);

  const guest = await createGuest(guestOptions(options));
  const verdict: Verdict = { status: undefined };
  const end = (status: number, message: string): void => {
    verdict.status ??= status;
    guest.stop('aborted', message);
  };
  const undo: (() => void)[] = [];
  try {
    if (options.username !== undefined) dropPrivileges(options.username);
    undo.push(onSignals(end), followTerminalSize(guest), watchOutput(guest, options, end));
    const outputDone = await connectOutput(guest, options, end);
    undo.push(connectInput(guest, options, end));
    const info = await guest.run();
    undo.splice(0).forEach((action) => action());
    await outputDone;

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
    noReboot: options.noReboot,
    logger: createLogger({ level: options.logLevel, format: options.logFormat, fd: 2 }),
    ...(options.initrd === undefined ? {} : { initrd: options.initrd }),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    ...(process.stdout.isTTY ? { console: { cols: columns, rows } } : {}),
  };
}

type End = (status: number, message: string) => void;

/** Ends the Guest on a signal; a second signal does not wait for anything. */
function onSignals(end: End): () => void {
  let signalled = false;
  const handler = (signal: NodeJS.Signals): void => {
    const status = SIGNAL_STATUS + constants.signals[signal];
    if (signalled) process.exit(status);
    signalled = true;
    end(status, `ended by ${signal}`);
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

/** @returns a promise for the moment when everything is written */
async function connectOutput(guest: Guest, options: RunOptions, end: End): Promise<Promise<unknown>> {
  const done: Promise<unknown>[] = [finished(guest.console, { writable: false })];
  if (options.consoleLog !== undefined) {
    const path = options.consoleLog;
    const file = await openConsoleLog(path).catch((error: unknown) => {
      throw describeFileError('ERR_LGUEST_CONSOLE_LOG', 'the console log', path, error);
    });
    file.on('error', (error) => end(EXIT_FAILURE, `writing ${path}: ${error.message}`));
    guest.console.pipe(file);
    done.push(once(file, 'close'));
  }
  const strip = options.stripCr && !process.stdout.isTTY;
  const source = strip ? guest.console.pipe(new StripCarriageReturns()) : guest.console;
  process.stdout.on('error', (error) => {
    // `lguest … | head` has seen enough. What the Guest prints now goes nowhere, and the Guest needs not wait.
    if (errorCode(error) === 'EPIPE') end(0, 'nobody reads stdout any more');
    else end(EXIT_FAILURE, `writing to stdout: ${error.message}`);
    source.unpipe(process.stdout);
    source.resume();
  });
  source.pipe(process.stdout, { end: false });
  if (source !== guest.console) done.push(finished(source, { writable: false }));
  return Promise.all(done);
}

/** Takes the keys from stdin to the Guest. @returns what gives stdin back */
function connectInput(guest: Guest, options: RunOptions, end: End): () => void {
  const { stdin } = process;
  const terminal = stdin instanceof ReadStream && stdin.isTTY ? new Terminal(stdin) : undefined;
  const keyboard = new Keyboard(options.escape);
  const began = performance.now();
  const onData = (chunk: Buffer): void => {
    const { bytes, actions } =
      terminal === undefined ? { bytes: chunk, actions: [] } : keyboard.feed(chunk, performance.now());
    if (bytes.length > 0 && !guest.console.write(bytes)) {
      // A full console stops a pipe, but not a keyboard: ^C must always be heard.
      if (terminal === undefined) {
        stdin.pause();
        guest.console.once('drain', () => stdin.resume());
      }
    }
    for (const action of actions) {
      if (action === 'quit') end(SIGNAL_STATUS + constants.signals.SIGINT, 'ended from the keyboard');
      else
        say(
          `running for ${((performance.now() - began) / 1000).toFixed(1)} s, ${guest.console.bytesPrinted} bytes printed`,
        );
    }
  };
  const onEnd = (): void => {
    if (options.stdinEof === 'ctrl-d') guest.console.write(Uint8Array.of(CONTROL_D));
    if (options.stdinEof === 'poweroff') end(0, 'stdin has ended');
  };
  const onError = (): void => onEnd();
  if (terminal !== undefined) {
    terminal.enter();
    if (!options.quiet) say('the console is yours; press ^C three times within a second to quit');
  }
  stdin.on('data', onData).once('end', onEnd).once('error', onError);
  return () => {
    stdin.off('data', onData).off('end', onEnd);
    terminal?.leave();
    // An open stdin would keep the process alive.
    stdin.pause();
    stdin.destroy();
  };
}

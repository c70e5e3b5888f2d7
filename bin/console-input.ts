// What is typed, or comes in through a pipe, on its way to the Guest.
import { constants } from 'node:os';
import { ReadStream } from 'node:tty';
import type { StdinEof } from '../launcher/options-table.js';
import type { GuestConsole } from '../launcher/console-stream.js';
import type { Guest } from '../launcher/guest.js';
import { stdinEnded } from './stdin-eof.js';
import { type End, SIGNAL_STATUS } from './ending.js';
import { Keyboard, type KeyboardAction } from './keyboard.js';
import { Terminal } from './terminal.js';

export interface InputOptions {
  readonly escape: number | undefined;
  readonly stdinEof: StdinEof;
  readonly quiet: boolean;
}

/** What one keeps typing while the Guest does not listen is forgotten beyond this. */
const MAX_TYPED_AHEAD = 64 * 1024;

/** Takes stdin to the Guest. @returns what gives stdin back */
export function connectInput(
  guest: Guest,
  options: InputOptions,
  end: End,
  say: (message: string) => void,
): () => void {
  const { stdin } = process;
  const { console } = guest;
  const onTerminal = stdin instanceof ReadStream && stdin.isTTY;
  const disconnect = onTerminal ? connectTerminal(stdin, console, options, end, say) : connectPipe(console);
  const onEnd = (): void => void stdinEnded(guest, options.stdinEof, end);
  // A terminal that was hung up, a descriptor that was closed before we began: there will be no input either way.
  stdin.once('end', onEnd).once('error', onEnd);
  return () => {
    stdin.off('end', onEnd);
    disconnect();
    // An open stdin would keep the process alive.
    stdin.pause();
    stdin.destroy();
  };
}

/** A pipe or a file is read as fast as the Guest takes it, and every byte is data. */
function connectPipe(console: GuestConsole): () => void {
  const { stdin } = process;
  stdin.pipe(console, { end: false });
  return () => void stdin.unpipe(console);
}

/** A keyboard is always listened to, for the ways out. */
function connectTerminal(
  stdin: ReadStream,
  console: GuestConsole,
  options: InputOptions,
  end: End,
  say: (message: string) => void,
): () => void {
  const terminal = new Terminal(stdin);
  const keyboard = new Keyboard(options.escape);
  const began = performance.now();
  const act = (action: KeyboardAction): void => {
    if (action === 'quit') {
      end(SIGNAL_STATUS + constants.signals.SIGINT, 'ended from the keyboard');
    } else {
      const seconds = (performance.now() - began) / 1000;
      say(`running for ${seconds.toFixed(1)} s, ${console.bytesPrinted} bytes printed`);
    }
  };
  const onData = (chunk: Buffer): void => {
    const { bytes, actions } = keyboard.feed(chunk, performance.now());
    if (bytes.length > 0 && console.writableLength < MAX_TYPED_AHEAD) console.write(bytes);
    actions.forEach(act);
  };
  terminal.enter();
  if (!options.quiet) say('the console is yours; press ^C three times within a second to quit');
  stdin.on('data', onData);
  return () => {
    stdin.off('data', onData);
    terminal.leave();
  };
}

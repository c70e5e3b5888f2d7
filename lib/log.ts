// What we have to say for ourselves, as opposed to what the Guest says.
//
// Rooms that log take a `Logger` and do not know what is behind it: nothing, in a program that uses the library and
// asked for silence; a pino of the program's own; or the one made here for the command, which writes to stderr.
import { createRequire } from 'node:module';
import type { DestinationStream, Logger as Pino, pino as pinoFactory } from 'pino';

/** The methods of pino that are used here, each with a plain sentence. */
export interface Logger {
  trace(message: string): void;
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

const ignore = (): void => undefined;

/** For those who do not want to hear. */
export const silentLogger: Logger = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

/** The levels in the order of their urgency, as pino names them. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  readonly level: LogLevel;
  /** `text`: `lguest: …` for people. `json`: a line of pino's for programs. */
  readonly format: 'text' | 'json';
  /** The file descriptor that lines go to. */
  readonly fd: number;
}

/**
 * A pino that writes before it returns: what was said last before a crash is said. It is loaded when something is, for
 * most runs have nothing to say, and loading it takes longer than anything else at their start.
 */
export function createLogger(options: LoggerOptions): Logger {
  let pino: Pino | undefined;
  const at = (level: Exclude<LogLevel, 'silent'>) => {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(options.level)) return ignore;
    return (message: string): void => {
      pino ??= loadPino(options);
      pino[level](message);
    };
  };
  return { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function loadPino(options: LoggerOptions): Pino {
  // pino is CommonJS, and `import()` would make the first line wait.
  const pino: typeof pinoFactory = createRequire(import.meta.url)('pino');
  const lines = pino.destination({ fd: options.fd, sync: true });
  const destination: DestinationStream =
    options.format === 'json' ? lines : { write: (line) => void lines.write(`lguest: ${messageOf(line)}\n`) };
  return pino({ level: options.level, base: { name: 'lguest' } }, destination);
}

function messageOf(line: string): string {
  const entry: unknown = JSON.parse(line);
  const message = typeof entry === 'object' && entry !== null && 'msg' in entry ? String(entry.msg) : line;
  return printable(message);
}

/** Without the control characters by which a Guest's words could take over a terminal. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

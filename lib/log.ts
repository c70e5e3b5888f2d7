// What we have to say for ourselves, as opposed to what the Guest says: the logger's interface.
//
// Rooms that log take a `Logger` and do not know what is behind it: nothing, in a program that uses the library and
// asked for silence; a pino of the program's own; or the one of the command (bin/log).

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

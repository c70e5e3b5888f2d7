// The three kinds of trouble, and who is to blame for each.
//
// The Guest's mistakes never become exceptions: they kill that Guest with a reason (host/kill-guest). What is
// thrown is either the user's mistake, which deserves one clear line, or ours, which deserves a stack trace.

/** Exit statuses of the `lguest` command that more than one room of the house needs to name. */
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;

/** Something the user can put right: a missing file, a kernel of the wrong kind, an impossible number. */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** A stable name for programs, such as `ERR_LGUEST_BAD_KERNEL`. */
  readonly code: string;
  /** The status `lguest` ends with. */
  readonly exitStatus: number;

  constructor(code: string, message: string, options: { cause?: unknown; exitStatus?: number } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.exitStatus = options.exitStatus ?? EXIT_FAILURE;
  }
}

/** A mistake of this program. It is never caught to be hidden: the stack trace is the message. */
export class Bug extends Error {
  override readonly name = 'Bug';
}

/** For the `default` of a switch over a union: the compiler proves that it is never reached. */
export function unreachable(value: never): never {
  throw new Bug(`unreachable: ${String(value)}`);
}

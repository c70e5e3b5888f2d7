// One sentence for each way in which a file of the user's cannot be had.
import { UserError } from '../lib/errors.js';

const SENTENCES: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file (a part of the path is not a folder)',
  EACCES: 'you may not read it (permission denied)',
  EPERM: 'you may not open it (operation not permitted)',
  EISDIR: 'it is a folder',
  EMFILE: 'too many files are open',
  ELOOP: 'its symbolic links go in a circle',
  ENAMETOOLONG: 'the name is too long',
  EROFS: 'the file system is read-only',
  EIO: 'the device reports a read error',
  ERR_INVALID_ARG_VALUE: 'the name contains a NUL character',
};

/** The error's code, such as `ENOENT`, if it has one. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** `cannot open the kernel vmlinux: no such file`. Node's own text serves for what is not in the table. */
export function describeFileError(
  code: string,
  role: string,
  path: string,
  error: unknown,
  doing: 'open' | 'read' = 'open',
): UserError {
  const errno = errorCode(error);
  const sentence = errno === undefined ? undefined : SENTENCES[errno];
  const reason = sentence ?? (error instanceof Error ? error.message : String(error));
  return new UserError(code, `cannot ${doing} ${role} ${path}: ${reason}`, { cause: error });
}

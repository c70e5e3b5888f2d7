// The error numbers that /dev/lguest answers with, negated, as the original's module does.
export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const EBADF = 9;
export const EAGAIN = 11;
export const EFAULT = 14;
export const EBUSY = 16;
export const EINVAL = 22;
/** The Guest wants to be started anew. The original lets this kernel-internal number out to the Launcher. */
export const ERESTART = 85;

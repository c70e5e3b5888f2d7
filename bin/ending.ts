// Why we, and not the Guest, end a run: what the parts of the command that may do so are given.

/** Ends the run with this status; `message` says why, to those who want to know. The first call counts. */
export type End = (status: number, message: string) => void;

/** What a shell adds to the number of the signal that ended a program. */
export const SIGNAL_STATUS = 128;

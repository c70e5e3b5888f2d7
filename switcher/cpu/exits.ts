// Why running code came back to JavaScript. An engine returns one of these; what goes with it is in the CPU state.

/** The budget of jumps is used up: EIP is the next instruction. */
export const EXIT_BUDGET = 1;
/** No decoded code is known for EIP. */
export const EXIT_LOOKUP = 2;
/** A memory access that the maps do not allow: FAULT_ADDRESS, FAULT_WRITE. EIP is the instruction, nothing of it is done. */
export const EXIT_FAULT = 3;
/** The instruction at EIP raised VECTOR with ERROR_CODE. */
export const EXIT_EXCEPTION = 4;
/** `int VECTOR` (or int3, into) at EIP; NEXT_EIP is the one after. */
export const EXIT_SOFTWARE_INTERRUPT = 5;
/** EFLAGS.TF, segments or something else that changes how code is run is not as before: look again and go on. */
export const EXIT_MODE_CHANGED = 6;
/** Translated code for EIP was made when another page of it was mapped elsewhere. */
export const EXIT_STALE = 7;
/** `int1` at EIP; NEXT_EIP is the one after. */
export const EXIT_DEBUG_INTERRUPT = 8;
/** A transfer at EIP cannot be done, for a reason that the CPU has noted. */
export const EXIT_REFUSED = 9;

/** By number, for people. */
export const EXIT_NAMES = [
  'none',
  'budget used up',
  'code not found',
  'page not granted',
  'exception',
  'software interrupt',
  'other mode',
  'stale translation',
  'debug interrupt',
  'transfer refused',
] as const;

export type Exit =
  | typeof EXIT_BUDGET
  | typeof EXIT_LOOKUP
  | typeof EXIT_FAULT
  | typeof EXIT_EXCEPTION
  | typeof EXIT_SOFTWARE_INTERRUPT
  | typeof EXIT_MODE_CHANGED
  | typeof EXIT_STALE
  | typeof EXIT_DEBUG_INTERRUPT
  | typeof EXIT_REFUSED;

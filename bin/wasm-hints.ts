// Code in WebAssembly says which of its branches are seldom taken, and what of it is to be compiled at once. V8 up to version 13
// listens only when it is told to.
//
// It is told as late as can be, and not for longer than needed: while its flags are not those that Node was built with, V8 throws
// away the compiled code that Node's own modules come with, and compiles each that is loaded: some milliseconds of a start, and 27 of another
// thread's. The flags are those of the whole process, so it is the command that has V8 listen, and not the library.
import { setFlagsFromString } from 'node:v8';
import { aroundLoading } from '../lib/loading.js';

const LAST_V8_TO_BE_TOLD = 13;
const HINTS = ['experimental-wasm-branch-hinting', 'experimental-wasm-compilation-hints'];

let areHeeded = false;

function tell(heeded: boolean): void {
  if (Number.parseInt(process.versions.v8, 10) > LAST_V8_TO_BE_TOLD) return;
  for (const name of HINTS) setFlagsFromString(`--${heeded ? '' : 'no-'}${name}`);
}

/** Whether V8 heeds the hints in WebAssembly that it is given from now on. */
export function heedHints(heeded: boolean): void {
  areHeeded = heeded;
  tell(heeded);
  aroundLoading(pauseHints);
}

function pauseHints(): () => void {
  if (areHeeded) tell(false);
  return () => {
    if (areHeeded) tell(true);
  };
}

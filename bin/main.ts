// The command: argv in, exit status out.
import { setFlagsFromString } from 'node:v8';
import { command, type CommandFiles, report } from './command.js';

/**
 * Code says which of its branches are seldom taken, and what of it is to be compiled at once. V8 up to this version listens only
 * when it is told to.
 */
const LAST_V8_TO_BE_TOLD = 13;

export function main(files: CommandFiles = {}): void {
  if (Number.parseInt(process.versions.v8, 10) <= LAST_V8_TO_BE_TOLD) {
    setFlagsFromString('--experimental-wasm-branch-hinting');
    setFlagsFromString('--experimental-wasm-compilation-hints');
  }
  process.on('uncaughtException', (error) => process.exit(report(error)));

  void command(process.argv.slice(2), files).then((status) => {
    // Set and not enforced: what is still on its way to stdout gets there first.
    process.exitCode = status;
  });
}

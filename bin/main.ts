// The command: argv in, exit status out.
import { command, type CommandFiles, report } from './command.js';

export function main(files: CommandFiles = {}): void {
  process.on('uncaughtException', (error) => process.exit(report(error)));

  void command(process.argv.slice(2), files).then((status) => {
    // Set and not enforced: what is still on its way to stdout gets there first.
    process.exitCode = status;
  });
}

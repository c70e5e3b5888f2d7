// The command: argv in, exit status out.
import { command, report } from './command.js';

process.on('uncaughtException', (error) => process.exit(report(error)));

// The status is set and not enforced: what is still on its way to stdout gets there first.
process.exitCode = await command(process.argv.slice(2));

// The command `lguest` with a Guest that plays a script: `node scripted-lguest.js <scripts> <arguments of lguest>`, where
// <scripts> is JSON: for each machine a list of steps. All of the command is real but the CPU and the devices.
import { command, report } from '../../bin/command.js';
import { Guest } from '../../launcher/guest.js';
import { type Step, fakeParts } from './fake-host.js';

/** Steps as JSON can say them: so many characters of what was typed are printed back. */
type ScriptStep =
  | Exclude<Step, { input: unknown }>
  | { readonly echo: number }
  | { readonly crash: string }
  | { readonly bytes: number };

/** What a step `bytes` prints again and again. */
const PIECE = Buffer.from('0123456789abcde\n'.repeat(1024));

const [scripts = '[]', ...argv] = process.argv.slice(2);
const parsed: ScriptStep[][] = JSON.parse(scripts);

const steps = parsed.map((script) =>
  script.flatMap((step): Step[] => {
    if ('crash' in step)
      return [{ call: () => void setImmediate(() => fail(step.crash)) }, { slice: true }, { slice: true }];
    if ('bytes' in step) return Array.from({ length: step.bytes / PIECE.length }, () => ({ print: PIECE }));
    if (!('echo' in step)) return [step];
    let left = step.echo;
    const input = (typed: string): 'more' | void => {
      process.stdout.write(`<${JSON.stringify(typed)}>`);
      left -= typed.length;
      if (left > 0) return 'more';
    };
    return [{ input }];
  }),
);

function fail(message: string): never {
  throw new Error(message);
}

/** Whoever started this may have been killed, with shells and terminals between us that nobody ends. */
function outlived(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // EPERM: it is there, and we have given root away.
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

const test = Number(process.env['LGUEST_TEST_PROCESS'] ?? process.ppid);
setInterval(() => {
  if (outlived(test)) process.exit(1);
}, 500).unref();

process.on('uncaughtException', (error) => process.exit(report(error)));
process.exitCode = await command(argv, { create: (options) => Guest.build(fakeParts(steps).parts, options) });

// `npm run differential -- --boot`: the reference Guest's self-test, or a Linux that is given, under several engines side by
// side.
import type { EngineName } from '../../../host/device.js';
import { referenceGuest } from '../../../launcher/reference-guest.js';
import { ENGINES } from '../../support/test-cpu.js';
import type { Boot } from './boot-machine.js';
import { compareBoots } from './lockstep.js';

export interface BootOptions {
  /** A vmlinux or bzImage; the reference Guest, if none is given. */
  readonly kernel?: string | undefined;
  readonly initrd?: string | undefined;
  readonly cmdline?: string | undefined;
  readonly memory?: string | undefined;
  readonly engine?: readonly string[] | undefined;
  readonly after?: string | undefined;
  readonly instructions?: string | undefined;
}

const TYPED = 'selftest\npoweroff\n';
const PRINTED_AT_THE_END = 400;
/** What is hot enough for the translator: more of a boot than in everyday life. */
const TRANSLATE_AFTER = 2;

function bootOf({ kernel, initrd, cmdline = 'console=hvc0', memory }: BootOptions): Boot {
  if (kernel === undefined) {
    return { kernel: referenceGuest(), initrd, commandLine: cmdline, megabytes: Number(memory ?? 16), typed: TYPED };
  }
  return { kernel, initrd, commandLine: cmdline, megabytes: Number(memory ?? 64) };
}

function enginesOf(names: readonly string[] = ['translate', 'interpret']): [EngineName, ...EngineName[]] {
  const [first, ...others] = names.map((name) => {
    const engine = ENGINES.find((known) => known === name);
    if (engine === undefined) throw new RangeError(`--engine is one of ${ENGINES.join(', ')}`);
    return engine;
  });
  if (first === undefined || others.length === 0) throw new RangeError('two engines at least');
  if (others.includes('translate')) throw new RangeError('translate goes first: it stops where it can');
  return [first, ...others];
}

/** @returns whether all engines agree */
export async function runBoot(options: BootOptions, say: (text: string) => void): Promise<boolean> {
  const engines = enginesOf(options.engine);
  const began = performance.now();
  const found = await compareBoots({
    boot: bootOf(options),
    engines,
    translateAfter: Number(options.after ?? TRANSLATE_AFTER),
    instructions: options.instructions === undefined ? undefined : Number(options.instructions),
    progress: (instructions) => void process.stderr.write(`\r${(instructions / 1e6).toFixed(0)} million instructions`),
  });
  process.stderr.write('\n');
  const { difference, instructions, translated, stops, memories, printed, end } = found;
  if (difference !== undefined) {
    say(`${engines.join(' and ')} part at entry ${difference.entry}, behind instruction ${difference.from}:`);
    for (const line of [...difference.trace, '', ...difference.lines]) say(`    ${line}`);
    return false;
  }
  say(printed.slice(-PRINTED_AT_THE_END).trim());
  const share = ((100 * translated) / instructions).toFixed(1);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  say(
    `${instructions} instructions under ${engines.join(', ')} (${share} % translated) in ${seconds} s, ended with: ${end}\n` +
      `registers compared ${stops} times, memory ${memories} times: no difference`,
  );
  return true;
}

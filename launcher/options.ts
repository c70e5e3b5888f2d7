// From argv to what the user wants. Parsing is that of yargs, its parser alone; around it is what that does not know: option-names before
// it (the original's unique abbreviations, a hint for a mistyped name) and the order of devices across kinds of options after
// it. The rest of yargs is texts, which are ours here.
import { Parser as parse } from 'yargs/helpers';
import { LOG_LEVELS, type LogLevel } from '../lib/log.js';
import { type DeviceSpec, rng } from './device-specs.js';
import { memoryBytes } from './memory.js';
import { normalise } from './option-names.js';
import { parseBlock, parseChoice, parseEscape, parseNet, parseRegExp, parseTime, usage } from './option-values.js';
import {
  ENGINES,
  type Engine,
  LOG_FORMATS,
  OPTIONS,
  type OptionName,
  type OptionRow,
  STDIN_EOF,
  type StdinEof,
  isOptionName,
} from './options-table.js';

export interface RunOptions {
  readonly memory: number;
  /** `undefined`: the reference Guest. */
  readonly kernel: string | undefined;
  readonly commandLine: string;
  readonly initrd: string | undefined;
  readonly noUnpack: boolean;
  /** In the order of the command line. */
  readonly devices: readonly DeviceSpec[];
  readonly username: string | undefined;
  readonly engine: Engine | undefined;
  readonly escape: number | undefined;
  readonly consoleLog: string | undefined;
  readonly stripCr: boolean;
  readonly stdinEof: StdinEof;
  /** Milliseconds. */
  readonly timeout: number | undefined;
  readonly until: RegExp | undefined;
  readonly failOn: RegExp | undefined;
  readonly noReboot: boolean;
  readonly quiet: boolean;
  readonly stats: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: 'text' | 'json';
  /** LGUEST_COMPAT=c: every end has the original's words and its status 1. */
  readonly compatible: boolean;
}

export type Command = { readonly kind: 'run'; readonly options: RunOptions } | { readonly kind: 'help' | 'version' };

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws UserError with status 2 for a command line that cannot be understood */
export function parseCommandLine(argv: readonly string[], env: Environment = {}): Command {
  const normal = normalise(argv);
  const given = new Given(parsed(normal));
  if (given.flag('help')) return { kind: 'help' };
  if (given.flag('version')) return { kind: 'version' };

  const chroot = given.text('chroot');
  if (chroot !== undefined) throw usage(`--chroot is not possible in Node: use "chroot ${chroot} lguest …" instead`);
  const { memory, kernel, args } = whatToBoot(given.words, given.flag('demo'), env);
  return {
    kind: 'run',
    options: {
      memory,
      kernel,
      commandLine: args.join(' '),
      initrd: given.text('initrd'),
      noUnpack: given.flag('no-unpack'),
      devices: devicesInOrder(normal, given.flag('snapshot')),
      username: given.text('username'),
      engine: given.choice('engine', ENGINES),
      escape: parseEscape(given.text('escape')),
      consoleLog: given.text('console-log'),
      stripCr: given.flag('strip-cr'),
      stdinEof: given.choice('stdin-eof', STDIN_EOF) ?? 'ignore',
      timeout: parseTime(given.text('timeout')),
      until: parseRegExp('until', given.text('until')),
      failOn: parseRegExp('fail-on', given.text('fail-on')),
      noReboot: given.flag('no-reboot'),
      quiet: given.flag('quiet'),
      stats: given.flag('stats'),
      logLevel: chooseLevel(given.choice('log-level', LOG_LEVELS), given.count('verbose'), given.flag('quiet'), env),
      logFormat: given.choice('log-format', LOG_FORMATS) ?? (env['LGUEST_LOG_FORMAT'] === 'json' ? 'json' : 'text'),
      compatible: env['LGUEST_COMPAT'] === 'c',
    },
  };
}

/** What was found, by the names of the table. */
class Given {
  readonly #parsed: Readonly<Record<string, unknown>>;

  constructor(parsed: Readonly<Record<string, unknown>>) {
    this.#parsed = parsed;
  }

  flag(name: OptionName): boolean {
    return this.#parsed[name] === true;
  }

  count(name: OptionName): number {
    return Number(this.#parsed[name] ?? 0);
  }

  /** The value of an option; the last one, if it was given more than once, as in the original. */
  text(name: OptionName): string | undefined {
    const value = this.#parsed[name];
    const text: unknown = Array.isArray(value) ? value.at(-1) : value;
    return typeof text === 'string' ? text : undefined;
  }

  /** The value of an option that has no others. */
  choice<T extends string>(name: OptionName, choices: readonly T[]): T | undefined {
    return parseChoice(`--${name}`, this.text(name), choices);
  }

  /** What is no option, and whatever follows `--`. */
  get words(): string[] {
    return ['_', '--'].flatMap((name) => {
      const words = this.#parsed[name];
      return Array.isArray(words) ? words.map(String) : [];
    });
  }
}

const names = Object.keys(OPTIONS).filter(isOptionName);
const namesOf = (type: OptionRow['type']): OptionName[] => names.filter((name) => OPTIONS[name].type === type);

/** What is in an argv in which each argument is one option: values by the names of options, and words. */
function parsed(argv: readonly string[]): Readonly<Record<string, unknown>> {
  const found: Readonly<Record<string, unknown>> = parse([...argv], {
    boolean: namesOf('boolean'),
    count: namesOf('count'),
    string: namesOf('string'),
    alias: Object.fromEntries(names.map((name) => [name, OPTIONS[name].alias ?? []])),
    configuration: {
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'dot-notation': false,
      'camel-case-expansion': false,
      'boolean-negation': false,
      'greedy-arrays': false,
      'strip-aliased': true,
      'populate--': true,
    },
  });
  const unknown = Object.keys(found).find((key) => !isOptionName(key) && key !== '_' && key !== '--');
  if (unknown !== undefined) throw usage(`unknown option -${unknown}: see lguest --help`);
  return found;
}

/** The devices in the order in which their options stand. */
function devicesInOrder(normal: readonly string[], snapshot: boolean): DeviceSpec[] {
  const dashes = normal.indexOf('--');
  const options = dashes === -1 ? normal : normal.slice(0, dashes);
  return options.flatMap((argument) => {
    const [, name = '', value = ''] = /^--([^=]+)=?(.*)$/s.exec(argument) ?? [];
    switch (name) {
      case 'block':
        return [parseBlock(value, snapshot)];
      case 'rng':
        return value === 'false' ? [] : [rng()];
      case 'net':
        return [parseNet(value)];
      case 'tunnet':
        throw usage(`--tunnet=${value}: TAP devices are not supported; --net=none gives the Guest a network card`);
      default:
        return [];
    }
  });
}

function whatToBoot(
  rest: readonly string[],
  demo: boolean,
  env: Environment,
): { memory: number; kernel: string | undefined; args: readonly string[] } {
  const [first, second, ...args] = rest;
  if (demo) return { memory: memoryBytes(first ?? DEMO_MEMORY), kernel: undefined, args: rest.slice(1) };
  if (first === undefined) {
    throw usage('what shall I boot? lguest <memory> <vmlinux|bzImage> [arguments…], or lguest --demo; see --help');
  }
  const memory = memoryBytes(first);
  const kernel = second ?? env['LGUEST_KERNEL'];
  if (kernel === undefined) {
    throw usage(`which kernel? lguest ${first} <vmlinux|bzImage> [arguments…], or lguest --demo ${first}`);
  }
  return { memory, kernel, args };
}

const DEMO_MEMORY = '32';

function chooseLevel(level: LogLevel | undefined, verbose: number, quiet: boolean, env: Environment): LogLevel {
  const chosen = level ?? parseChoice('LGUEST_LOG', env['LGUEST_LOG'], LOG_LEVELS);
  if (chosen !== undefined) return chosen;
  if (quiet) return 'error';
  if (verbose === 0) return 'warn';
  return verbose === 1 ? 'info' : verbose === 2 ? 'debug' : 'trace';
}

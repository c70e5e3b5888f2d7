// From argv to what the user wants. Parsing is yargs'; around it is what yargs does not know: the original's unique
// abbreviations, the order of devices across kinds of options, and a hint for a mistyped name.
import yargs from 'yargs';
import { EXIT_USAGE, UserError } from '../lib/errors.js';
import { LOG_LEVELS, type LogLevel } from '../lib/log.js';
import { type DeviceSpec, block, net, rng } from './device-specs.js';
import { memoryBytes } from './memory.js';
import {
  ENGINES,
  type Engine,
  IMPLIED_VALUES,
  OPTIONS,
  type OptionName,
  STDIN_EOF,
  type StdinEof,
} from './options-table.js';
import { nearest } from './spelling.js';

export interface RunOptions {
  readonly memory: number;
  /** `undefined`: the reference Guest. */
  readonly kernel: string | undefined;
  readonly commandLine: string;
  readonly initrd: string | undefined;
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

const usage = (message: string): UserError => new UserError('ERR_LGUEST_USAGE', message, { exitStatus: EXIT_USAGE });

/** @throws UserError with status 2 for a command line that cannot be understood */
export function parseCommandLine(argv: readonly string[], env: Environment = {}): Command {
  const normal = normalise(argv);
  const given = new Given(parser(normal).parseSync());
  if (given.flag('help')) return { kind: 'help' };
  if (given.flag('version')) return { kind: 'version' };

  const chroot = given.text('chroot');
  if (chroot !== undefined) throw usage(`--chroot is not possible in Node: use "chroot ${chroot} lguest …" instead`);
  const { memory, kernel, args } = whatToBoot(given.words, given.flag('demo'), env);
  const format = given.text('log-format') ?? env['LGUEST_LOG_FORMAT'];
  return {
    kind: 'run',
    options: {
      memory,
      kernel,
      commandLine: args.join(' '),
      initrd: given.text('initrd'),
      devices: devicesInOrder(normal, given.flag('snapshot')),
      username: given.text('username'),
      engine: ENGINES.find((engine) => engine === given.text('engine')),
      escape: parseEscape(given.text('escape')),
      consoleLog: given.text('console-log'),
      stripCr: given.flag('strip-cr'),
      stdinEof: STDIN_EOF.find((choice) => choice === given.text('stdin-eof')) ?? 'ignore',
      timeout: parseTime(given.text('timeout')),
      until: parseRegExp('until', given.text('until')),
      failOn: parseRegExp('fail-on', given.text('fail-on')),
      noReboot: given.flag('no-reboot'),
      quiet: given.flag('quiet'),
      stats: given.flag('stats'),
      logLevel: chooseLevel(given.text('log-level'), given.count('verbose'), given.flag('quiet'), env),
      logFormat: format === 'json' ? 'json' : 'text',
      compatible: env['LGUEST_COMPAT'] === 'c',
    },
  };
}

/** What yargs found, by the names of the table. */
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

  /** What is no option, and whatever follows `--`. */
  get words(): string[] {
    return ['_', '--'].flatMap((name) => {
      const words = this.#parsed[name];
      return Array.isArray(words) ? words.map(String) : [];
    });
  }
}

function parser(argv: readonly string[]) {
  return yargs([...argv])
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'dot-notation': false,
      'camel-case-expansion': false,
      'boolean-negation': false,
      'greedy-arrays': false,
      'populate--': true,
    })
    .help(false)
    .version(false)
    .options(OPTIONS)
    .exitProcess(false)
    .strictOptions()
    .fail((message, error) => {
      throw error instanceof UserError ? error : usage(firstSentence(message ?? error.message));
    });
}

/** yargs explains over several lines; one is enough. */
function firstSentence(message: string): string {
  const line = message.replaceAll(/\s*\n\s*/g, ' ').trim();
  return line.charAt(0).toLowerCase() + line.slice(1);
}

const isOptionName = (name: string): name is OptionName => Object.hasOwn(OPTIONS, name);

/**
 * Long options under their full names and with their values attached: `--init x` becomes `--initrd=x`. From here on, one
 * argument is one option.
 */
function normalise(argv: readonly string[]): string[] {
  const normal: string[] = [];
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === '--') return [...normal, argument, ...rest];
    const match = /^--([^=]+)(=.*)?$/s.exec(argument);
    if (match === null) {
      normal.push(argument);
      continue;
    }
    const name = fullName(match[1] ?? '');
    if (match[2] !== undefined || OPTIONS[name].type !== 'string') {
      normal.push(`--${name}${match[2] ?? ''}`);
      continue;
    }
    const value = IMPLIED_VALUES[name] ?? rest.shift();
    if (value === undefined) throw usage(`--${name} needs a value: --${name}=${OPTIONS[name].value ?? ''}`);
    normal.push(`--${name}=${value}`);
  }
  return normal;
}

/** getopt_long takes every unique abbreviation: `--init=initrd.gz`. */
function fullName(given: string): OptionName {
  if (isOptionName(given)) return given;
  const names = Object.keys(OPTIONS).filter(isOptionName);
  const candidates = names.filter((name) => name.startsWith(given));
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  if (candidates.length > 1) throw usage(`--${given} could be --${candidates.join(' or --')}`);
  const hint = nearest(given, names);
  const advice = hint === undefined ? 'see lguest --help' : `did you mean --${hint}?`;
  throw usage(`unknown option --${given}: ${advice} (a kernel argument that starts with a dash goes after --)`);
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

/** FILE[,ro|snapshot|id=NAME]…; a comma that no option follows belongs to the file's name. */
function parseBlock(text: string, snapshotAll: boolean): DeviceSpec {
  const match = /^(.*?)((?:,(?:ro|snapshot|id=[^,]*))*)$/s.exec(text);
  const file = match?.[1] ?? text;
  if (file === '') throw usage('--block needs a disk image: --block=disk.img');
  const words = (match?.[2] ?? '').split(',').filter((word) => word !== '');
  const id = words.findLast((word) => word.startsWith('id='))?.slice(3);
  return block(file, {
    readonly: words.includes('ro'),
    snapshot: snapshotAll || words.includes('snapshot'),
    ...(id === undefined ? {} : { id }),
  });
}

/** none[,MAC] */
function parseNet(text: string): DeviceSpec {
  const [backend, mac] = text.split(',');
  if (backend !== 'none') {
    throw usage(`--net=${text}: the only kind of network for now is none (a card without a cable)`);
  }
  return net(mac === undefined ? {} : { mac });
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

/** `^A`, or none. */
function parseEscape(text: string | undefined): number | undefined {
  if (text === undefined || text === 'none') return undefined;
  const match = /^\^([@-_a-z])$/.exec(text);
  if (match === null) throw usage(`--escape=${text}: give a control key, such as ^A, or none`);
  return (match[1] ?? '').toUpperCase().charCodeAt(0) & 0x1f;
}

const TIME_UNITS: Readonly<Record<string, number>> = { ms: 1, '': 1000, s: 1000, m: 60_000, h: 3_600_000 };
/** setTimeout takes 31 bits. */
const MAX_TIMEOUT = 0x7fff_ffff;

function parseTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const time = Number(match?.[1]) * (TIME_UNITS[match?.[2] ?? ''] ?? NaN);
  if (!(time > 0 && time <= MAX_TIMEOUT)) throw usage(`--timeout=${text}: give a time, such as 90s, 5m or 1h`);
  return time;
}

function parseRegExp(option: OptionName, text: string | undefined): RegExp | undefined {
  if (text === undefined) return undefined;
  try {
    return new RegExp(text);
  } catch (error) {
    throw usage(`--${option}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function chooseLevel(level: string | undefined, verbose: number, quiet: boolean, env: Environment): LogLevel {
  const chosen = level ?? env['LGUEST_LOG'];
  if (chosen !== undefined) {
    const known = LOG_LEVELS.find((name) => name === chosen);
    if (known === undefined) throw usage(`LGUEST_LOG=${chosen}: give one of ${LOG_LEVELS.join(', ')}`);
    return known;
  }
  if (quiet) return 'error';
  if (verbose === 0) return 'warn';
  return verbose === 1 ? 'info' : verbose === 2 ? 'debug' : 'trace';
}

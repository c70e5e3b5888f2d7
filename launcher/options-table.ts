// Every option of the command, once: what it takes to parse it and what --help says about it.
import { LOG_LEVELS } from '../lib/log.js';

export interface OptionRow {
  readonly type: 'boolean' | 'count' | 'string';
  /** What --help writes after the `=`. */
  readonly value?: string;
  readonly alias?: string;
  readonly choices?: readonly string[];
  readonly describe: string;
}

export const STDIN_EOF = ['ignore', 'ctrl-d', 'poweroff'] as const;
export type StdinEof = (typeof STDIN_EOF)[number];

export const ENGINES = ['translate', 'interpret', 'evaluate'] as const;
export type Engine = (typeof ENGINES)[number];

export const LOG_FORMATS = ['text', 'json'] as const;

/** Under the headings and in the order of --help. */
const GROUPS = {
  'The classic options': {
    verbose: { type: 'count', alias: 'v', describe: 'say what the Launcher does, on stderr; twice: more' },
    block: {
      type: 'string',
      value: 'FILE[,OPT]',
      describe: 'add a disk, a raw image: /dev/vda, then vdb …  OPT: ro  snapshot  id=NAME',
    },
    initrd: { type: 'string', value: 'FILE|DIR', describe: 'initial ramdisk; a folder is packed on the fly' },
    rng: { type: 'boolean', describe: 'give the Guest /dev/hwrng' },
    tunnet: { type: 'string', value: 'SPEC', describe: 'TAP network: understood, but not supported; see --net' },
    username: { type: 'string', value: 'USER', describe: 'become this user after set-up (root only)' },
    chroot: { type: 'string', value: 'DIR', describe: 'Node cannot: start lguest inside chroot(8) instead' },
  },
  Machine: {
    demo: { type: 'boolean', describe: 'boot the reference Guest that comes with lguest: no kernel needed' },
    net: { type: 'string', value: 'none[,MAC]', describe: 'add a network card without a cable, for now the only kind' },
    'no-unpack': { type: 'boolean', describe: 'hand kernel and initrd over packed: the Guest unpacks them itself' },
    snapshot: { type: 'boolean', describe: 'change no disk file: keep all writes in memory' },
    engine: {
      type: 'string',
      value: 'HOW',
      choices: ENGINES,
      describe: 'how the CPU runs, for comparing: interpret, evaluate',
    },
  },
  Console: {
    escape: {
      type: 'string',
      value: '^A',
      describe: 'escape key: then x quits, i informs, ^A sends ^A (default: none)',
    },
    'console-log': { type: 'string', value: 'FILE', describe: 'append what the Guest prints to this file, too' },
    'strip-cr': { type: 'boolean', describe: 'write \\n instead of \\r\\n when stdout is not a terminal' },
    'stdin-eof': {
      type: 'string',
      value: 'WHAT',
      choices: STDIN_EOF,
      describe: 'what the end of stdin does: ignore, ctrl-d, poweroff (default: ignore)',
    },
  },
  'Running in scripts': {
    timeout: { type: 'string', value: 'TIME', describe: 'stop after this time: 90s, 5m, 1h (status 124)' },
    until: { type: 'string', value: 'REGEX', describe: 'stop when the Guest prints this (status 0)' },
    'fail-on': { type: 'string', value: 'REGEX', describe: 'stop when the Guest prints this (status 1)' },
    'no-reboot': { type: 'boolean', describe: 'end when the Guest restarts (status 32)' },
    quiet: { type: 'boolean', alias: 'q', describe: 'only what the Guest prints, and errors' },
  },
  'Talking about it': {
    stats: { type: 'boolean', describe: 'at the end, say how often what was done, on stderr' },
    'log-level': { type: 'string', value: 'LEVEL', choices: LOG_LEVELS, describe: LOG_LEVELS.join(', ') },
    'log-format': { type: 'string', value: 'FORMAT', choices: LOG_FORMATS, describe: 'text or json' },
    help: { type: 'boolean', alias: 'h', describe: 'show this' },
    version: { type: 'boolean', alias: 'V', describe: 'show the version' },
  },
} as const satisfies Record<string, Record<string, OptionRow>>;

type Groups = typeof GROUPS;
export type OptionName = { [Group in keyof Groups]: keyof Groups[Group] }[keyof Groups] & string;

export const OPTION_GROUPS: Readonly<Record<string, Readonly<Record<string, OptionRow>>>> = GROUPS;

export const OPTIONS: Readonly<Record<OptionName, OptionRow>> = {
  ...GROUPS['The classic options'],
  ...GROUPS.Machine,
  ...GROUPS.Console,
  ...GROUPS['Running in scripts'],
  ...GROUPS['Talking about it'],
};

export const isOptionName = (name: string): name is OptionName => Object.hasOwn(OPTIONS, name);

/** Options whose value may be left out, and what it is then. */
export const IMPLIED_VALUES: Partial<Record<OptionName, string>> = { net: 'none' };

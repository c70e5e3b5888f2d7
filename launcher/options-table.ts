// Every option of the command, once: what yargs needs to parse it and what --help says about it.
import type { Options } from 'yargs';
import { LOG_LEVELS } from '../lib/log.js';

/** Value options take one argument, after `=` or a blank. */
const value = (group: string, describe: string, more: Options = {}): Options => ({
  type: 'string',
  requiresArg: true,
  group,
  describe,
  ...more,
});
const flag = (group: string, describe: string, more: Options = {}): Options => ({
  type: 'boolean',
  group,
  describe,
  ...more,
});

const CLASSIC = 'The classic options:';
const CONSOLE = 'Console:';
const SCRIPTS = 'Running in scripts:';
const MACHINE = 'Machine:';
const TALK = 'Talking about it:';

export const STDIN_EOF = ['ignore', 'ctrl-d', 'poweroff'] as const;
export type StdinEof = (typeof STDIN_EOF)[number];

/** In the order of --help. */
export const OPTIONS = {
  verbose: flag(CLASSIC, 'Say what the Launcher does, on stderr; twice: say more', { alias: 'v', type: 'count' }),
  block: value(CLASSIC, 'Add a disk: /dev/vda, then vdb …; raw image, OPT: ro, snapshot, id=NAME', { array: true }),
  initrd: value(CLASSIC, 'Initial ramdisk; a folder is packed on the fly'),
  rng: flag(CLASSIC, 'Give the Guest /dev/hwrng'),
  tunnet: value(CLASSIC, 'Network over a TAP device: not supported here; see --net', { array: true }),
  username: value(CLASSIC, 'Become this user after set-up (root only)'),
  chroot: value(CLASSIC, 'Not supported by Node: start lguest inside chroot(8) instead'),

  demo: flag(MACHINE, 'Boot the reference Guest that comes with lguest; no kernel needed'),
  net: value(MACHINE, 'Add a network card; none: without a cable, for now the only kind', { array: true }),
  snapshot: flag(MACHINE, 'Change no disk file: keep all writes in memory'),
  engine: value(MACHINE, 'How the CPU runs (for comparing)', { choices: ['interpret', 'evaluate'] }),

  escape: value(CONSOLE, 'Escape key, such as ^A: then x quits, i tells the time run, ^A sends ^A'),
  'console-log': value(CONSOLE, 'Append what the Guest prints to this file, too'),
  'strip-cr': flag(CONSOLE, 'Write \\n instead of \\r\\n when stdout is not a terminal'),
  'stdin-eof': value(CONSOLE, 'What the end of stdin does', { choices: STDIN_EOF, default: 'ignore' }),

  timeout: value(SCRIPTS, 'Stop after this time: 90s, 5m, 1h (status 124)'),
  until: value(SCRIPTS, 'Stop when the Guest prints this regular expression (status 0)'),
  'fail-on': value(SCRIPTS, 'Stop when the Guest prints this regular expression (status 1)'),
  'no-reboot': flag(SCRIPTS, 'End when the Guest restarts (status 32)'),
  quiet: flag(SCRIPTS, 'Only what the Guest prints, and errors', { alias: 'q' }),

  stats: flag(TALK, 'At the end, tell how much of what was done, on stderr'),
  'log-level': value(TALK, 'How much to say', { choices: LOG_LEVELS }),
  'log-format': value(TALK, 'How to say it', { choices: ['text', 'json'] }),
  help: flag(TALK, 'Show this', { alias: 'h' }),
  version: flag(TALK, 'Show the version', { alias: 'V' }),
} as const satisfies Record<string, Options>;

export type OptionName = keyof typeof OPTIONS;

/** Options whose value may be left out, and what it is then. */
export const IMPLIED_VALUES: Partial<Record<OptionName, string>> = { net: 'none' };

/** Options that add a device: their order on the command line is the order of the PCI slots. */
export const DEVICE_OPTIONS = ['block', 'tunnet', 'net', 'rng'] as const satisfies readonly OptionName[];

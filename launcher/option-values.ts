// What may follow the `=` of an option, and what is said when it cannot be understood.
import { EXIT_USAGE, UserError } from '../lib/errors.js';
import { type DeviceSpec, block, net } from './device-specs.js';
import type { OptionName } from './options-table.js';

/** A command line that cannot be understood. */
export const usage = (message: string): UserError =>
  new UserError('ERR_LGUEST_USAGE', message, { exitStatus: EXIT_USAGE });

/** FILE[,ro|snapshot|id=NAME]…; a comma that no option follows belongs to the file's name. */
export function parseBlock(text: string, snapshotAll: boolean): DeviceSpec {
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
export function parseNet(text: string): DeviceSpec {
  const [backend, mac] = text.split(',');
  if (backend !== 'none') {
    throw usage(`--net=${text}: the only kind of network for now is none (a card without a cable)`);
  }
  return net(mac === undefined ? {} : { mac });
}

/** `^A`, or none. */
export function parseEscape(text: string | undefined): number | undefined {
  if (text === undefined || text === 'none') return undefined;
  const match = /^\^([@-_a-z])$/.exec(text);
  if (match === null) throw usage(`--escape=${text}: give a control key, such as ^A, or none`);
  return (match[1] ?? '').toUpperCase().charCodeAt(0) & 0x1f;
}

const TIME_UNITS: Readonly<Record<string, number>> = { ms: 1, '': 1000, s: 1000, m: 60_000, h: 3_600_000 };
/** setTimeout takes 31 bits. */
const MAX_TIMEOUT = 0x7fff_ffff;

export function parseTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const time = Number(match?.[1]) * (TIME_UNITS[match?.[2] ?? ''] ?? NaN);
  if (!(time > 0 && time <= MAX_TIMEOUT)) throw usage(`--timeout=${text}: give a time, such as 90s, 5m or 1h`);
  return time;
}

export function parseRegExp(option: OptionName, text: string | undefined): RegExp | undefined {
  if (text === undefined) return undefined;
  try {
    return new RegExp(text);
  } catch (error) {
    throw usage(`--${option}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** One of a few words. */
export function parseChoice<T extends string>(
  name: string,
  text: string | undefined,
  choices: readonly T[],
): T | undefined {
  if (text === undefined) return undefined;
  const known = choices.find((choice) => choice === text);
  if (known === undefined) throw usage(`${name}=${text}: give one of ${choices.join(', ')}`);
  return known;
}

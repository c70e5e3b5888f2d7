// Arguments under their full names and in one piece, before the parser sees them: what getopt_long does and it does not.
import { IMPLIED_VALUES, OPTIONS, type OptionName, isOptionName } from './options-table.js';
import { usage } from './option-values.js';
import { nearest } from './spelling.js';

/**
 * Long options under their full names and with their values attached: `--init x` becomes `--initrd=x`. From here on, one
 * argument is one option.
 */
export function normalise(argv: readonly string[]): string[] {
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

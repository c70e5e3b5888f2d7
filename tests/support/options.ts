// Options of the commands that contributors run: a mistake gets a line that names those there are.
import { parseArgs, type ParseArgsConfig } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<T extends Options> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

const EXIT_USAGE = 2;

/** As `parseArgs` of Node; what that does not accept ends the process. */
export function parseOptions<T extends Options>(options: T): Values<T> {
  try {
    return parseArgs({ options }).values;
  } catch (mistake) {
    if (!(mistake instanceof TypeError)) throw mistake;
    const names = Object.entries(options).map(([name, { type }]) => (type === 'boolean' ? `--${name}` : `--${name} …`));
    process.stderr.write(`${mistake.message.replace(/\. .*/s, '')}; there are ${names.join(', ')}\n`);
    process.exit(EXIT_USAGE);
  }
}

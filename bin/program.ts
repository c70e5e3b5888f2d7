// All that a run needs, in one piece: `--version` and `--help` do without it.
export { createGuest } from '../launcher/index.js';
export { parseCommandLine } from '../launcher/options.js';
export { runCommand } from './run.js';

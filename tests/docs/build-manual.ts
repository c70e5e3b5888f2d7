// `npm run manual`: makes docs/lguest.1.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, read } from '../support/sources.js';
import { manualPage } from './manual-page.js';

writeFileSync(join(ROOT, 'docs/lguest.1'), manualPage(read('docs/lguest.1.md')));

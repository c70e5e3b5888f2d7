// Everything is formatted as prettier formats it, so that no review has to speak of it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { ROOT } from '../support/sources.js';

t.setTimeout(300_000);

t.test('prettier has nothing to say: `npm run format` puts it right', async (t) => {
  const prettier = join(ROOT, 'node_modules/prettier/bin/prettier.cjs');
  const { status, stderr } = spawnSync(process.execPath, [prettier, '--check', '.'], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  t.equal(status, 0, stderr);
});

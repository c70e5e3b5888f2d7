// Random programs on a real CPU and on ours: the long runs that were noted, and the short form that runs everywhere.
import { notedRuns } from '../../differential/noted.js';
import { recordedRuns } from '../../differential/recorded.js';
import type { Chapter } from '../chapter.js';
import { number, sum, table } from '../markdown.js';

function body(): string {
  const runs = notedRuns();
  const lines = runs.map(({ cases, seed, rows, odd, engines, different }) => [
    `${odd === true ? 'odd ' : ''}${rows ? 'rows' : 'instructions'}`,
    String(seed),
    number(cases),
    engines.join(', '),
    String(different),
  ]);
  const short = recordedRuns().map(
    ({ rows, seed, answers }) => `${number(answers.length)} ${rows ? 'rows' : 'instructions'} (seed ${seed})`,
  );
  const total = sum(runs.map(({ cases, engines }) => cases * engines.length));
  return [
    `Random cases, each on a real CPU and under the engines named: ${number(total)} comparisons.`,
    table(['cases of', 'seed', 'number', 'engines', 'different'], lines),
    `With every \`npm test\`, against recorded answers, on any machine: ${short.join(', ')}.`,
  ].join('\n\n');
}

export const randomPrograms: Chapter = { title: 'Random programs', claims: [], body };

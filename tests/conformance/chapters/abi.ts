// What the ABI promises, statement by statement.
import type { Chapter, Evidence } from '../chapter.js';
import { nameOf } from '../chapter.js';
import { table } from '../markdown.js';
import { STATEMENTS } from '../statements.js';

function body({ stateOf }: Evidence): string {
  return Object.entries(STATEMENTS)
    .map(([title, statements]) => {
      const rows = statements.map(({ number, text, proofs }) => [
        number === undefined ? '' : String(number),
        text,
        proofs.map(nameOf).join('; '),
        stateOf(proofs),
      ]);
      return `### ${title}\n\n${table(['#', 'promise', 'test', 'state'], rows)}`;
    })
    .join('\n\n');
}

export const abi: Chapter = { title: 'What the ABI promises', claims: Object.values(STATEMENTS).flat(), body };

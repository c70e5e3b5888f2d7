// The answers that are right: one line for each case, with its title in front. They were recorded from the emulated CPU where
// an emulated PC agreed, and where it did not, looked up in the manual (see differences).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ANSWERS = join(import.meta.dirname, '../../../tests/vectors/privilege.txt');
const BETWEEN = ' → ';

export const lineOf = (title: string, answer: string): string => `${title}${BETWEEN}${answer}\n`;

export function readAnswers(): Map<string, string> {
  const lines = readFileSync(ANSWERS, 'utf8').trimEnd().split('\n');
  return new Map(
    lines.map((line) => {
      const [title = '', answer = ''] = line.split(BETWEEN);
      return [title, answer];
    }),
  );
}

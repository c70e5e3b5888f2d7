// The text of docs/CONFORMANCE.md, from what a run has found.
import type { NotedRun } from '../differential/noted.js';
import { REMAINING } from './differences.js';
import { ASK_THE_MACHINE, type MnemonicCount } from './forms.js';
import { type Statement, STATEMENTS } from './statements.js';

export interface Findings {
  readonly runs: readonly NotedRun[];
  readonly recorded: readonly { readonly rows: boolean; readonly seed: number; readonly cases: number }[];
  readonly forms: readonly MnemonicCount[];
  readonly programs: readonly { readonly name: string; readonly state: string }[];
  stateOf(statement: Statement): string;
}

const number = (value: number): string => value.toLocaleString('en-US');
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const cell = (text: string): string => text.replaceAll('|', '\\|');
const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

function differentialPart({ runs, recorded }: Findings): string {
  const lines = runs.map(({ cases, seed, rows, engines, different }) => [
    rows ? 'rows' : 'instructions',
    String(seed),
    number(cases),
    engines.join(', '),
    String(different),
  ]);
  const short = recorded.map(
    ({ rows, seed, cases }) => `${number(cases)} ${rows ? 'rows' : 'instructions'} (seed ${seed})`,
  );
  const total = sum(runs.map(({ cases, engines }) => cases * engines.length));
  return [
    `Random cases, each on a real CPU and under the engines named: ${number(total)} comparisons.`,
    table(['cases of', 'seed', 'number', 'engines', 'different'], lines),
    `With every \`npm test\`, against recorded answers, on any machine: ${short.join(', ')}.`,
  ].join('\n\n');
}

function formsPart({ forms }: Findings): string {
  const asked = forms.filter(({ mnemonic }) => ASK_THE_MACHINE.has(mnemonic));
  const compared = forms.filter(({ mnemonic }) => !ASK_THE_MACHINE.has(mnemonic));
  const cells = compared.map(({ mnemonic, forms: count, cases, fewest }) => [
    `\`${mnemonic}\``,
    String(count),
    String(cases),
    String(fewest),
  ]);
  const without = compared.filter(({ fewest }) => fewest === 0);
  return [
    `${number(sum(forms.map(({ forms: count }) => count)))} forms of ${forms.length} instructions, ` +
      `${number(sum(compared.map(({ cases }) => cases)))} recorded cases, each run under every engine. ` +
      `Forms without a case: ${without.length === 0 ? 'none' : without.map(({ mnemonic }) => mnemonic).join(', ')}.`,
    `Not recorded, since they ask the machine what it is: ${asked.map(({ mnemonic }) => `\`${mnemonic}\``).join(', ')}.`,
    table(['instruction', 'forms', 'cases', 'fewest for a form'], cells),
  ].join('\n\n');
}

function statementsPart({ stateOf }: Findings): string {
  return Object.entries(STATEMENTS)
    .map(([chapter, statements]) => {
      const rows = statements.map((statement) => [
        statement.text,
        `${statement.file.replace(/\.test\.js$/, '')}: ${statement.test} …`,
        stateOf(statement),
      ]);
      return `### ${chapter}\n\n${table(['promise', 'test', 'state'], rows)}`;
    })
    .join('\n\n');
}

export const documentOf = (findings: Findings): string => `# Conformance

What is proven, and how. Made by \`npm run conformance\`, which runs the tests that it names; not written by hand.

## Random programs

${differentialPart(findings)}

## Programs

${table(
  ['program', 'state'],
  findings.programs.map(({ name, state }) => [name, state]),
)}

## What the ABI promises

${statementsPart(findings)}

## Instruction forms

${formsPart(findings)}

## What remains different, and why

${REMAINING.map(({ what, why }) => `- ${what} ${why}`).join('\n')}
`;

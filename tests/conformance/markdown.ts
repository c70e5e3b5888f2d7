// The little Markdown that the document is made of.

export const number = (value: number): string => value.toLocaleString('en-US');
export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
export const code = (text: string): string => `\`${text}\``;

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** A table with these heads; every row has as many cells. */
export const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

// The manual page as man(1) wants it, from docs/lguest.1.md: the few kinds of Markdown that are used there, and no others.

/** `**bold**` is not used; code is bold and emphasis is italic, as in every manual. */
function inline(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/(?<![\w*])\*([^*]+)\*/g, '\\fI$1\\fR')
    .replace(/(?<![A-Za-z0-9])_([^_]+)_(?![A-Za-z0-9])/g, '\\fI$1\\fR')
    .replace(/`([^`]*)`/g, '\\fB$1\\fR')
    .replace(/^([.'])/, '\\&$1');
}

const joined = (lines: readonly string[]): string => inline(lines.map((line) => line.trim()).join(' '));

/** `- term: what it means`, over as many lines as it takes. */
function item(lines: readonly string[]): string[] {
  const text = lines
    .map((line) => line.trim())
    .join(' ')
    .slice(2);
  const [, term = text, meaning = ''] = /^((?:`[^`]*`|[^`])*?): (.*)$/.exec(text) ?? [];
  return ['.TP', inline(term), inline(meaning)];
}

function block(text: string): string[] {
  const lines = text.split('\n');
  const [first = ''] = lines;
  const title = /^# (\w+)\((\d)\) - (.*)$/.exec(first);
  if (title !== null) {
    const [, name = '', section = '', summary = ''] = title;
    return [`.TH "${name.toUpperCase()}" "${section}"`, '.SH NAME', `${name} \\- ${inline(summary)}`];
  }
  if (first.startsWith('### ')) return [`.SS ${inline(first.slice(4))}`];
  if (first.startsWith('## ')) return [`.SH ${inline(first.slice(3))}`];
  if (first.startsWith('```')) return ['.PP', '.RS 4', '.nf', ...lines.slice(1, -1).map(inline), '.fi', '.RE'];
  if (first.startsWith('- ')) return text.split(/\n(?=- )/).flatMap((each) => item(each.split('\n')));
  return ['.PP', joined(lines)];
}

/** The page. Blocks are separated by empty lines. */
export function manualPage(markdown: string): string {
  const blocks = markdown.trim().split(/\n\n+/);
  return `${['.\\" Made from lguest.1.md by `npm run manual`.', ...blocks.flatMap(block)].join('\n')}\n`;
}

// The ways for a Guest to end badly, by the words that it gets.
import { type Kill, KILLS } from '../../abi/kills/index.js';
import { type Chapter, type Claim, from } from '../chapter.js';
import { code, table } from '../markdown.js';

const claim: Claim = {
  text: 'A Guest that does what it must not is killed, and told why',
  proofs: [from('abi/kills')('a Guest that does what it must not is killed')],
};

/** What messages of one kind have in common: what differs is `…`. */
const kindOf = (message: string): string =>
  message
    .replace(/^CRASH: .*$/s, 'CRASH: …')
    .replace(/^(unhandled trap \d+) .*$/, '$1 at … (…)')
    .replace(/\n$/, '\\n')
    .replace(/\{[^}]*\}|0x[0-9a-f]+|  \(null\)|(?<=(?:hypercall|entry|entries|segment|pages|type|pgd) )-?\d+/g, '…');

function body({ stateOf }: Parameters<Chapter['body']>[0]): string {
  const kinds = new Map<string, Kill[]>();
  for (const kill of KILLS) kinds.set(kindOf(kill.message), [...(kinds.get(kindOf(kill.message)) ?? []), kill]);
  const rows = [...kinds].map(([kind, alike]) => [
    code(kind),
    String(alike.length),
    alike.map(({ says }) => says).join('; '),
  ]);
  return [
    `${KILLS.length} situations, each with its message, under every engine, with and without PAE: ${stateOf(claim.proofs)}. ` +
      'Each is a Guest of a few lines of assembly in `tests/abi/kills`.',
    table(['message', 'situations', 'which'], rows),
  ].join('\n\n');
}

export const kills: Chapter = { title: 'What a Guest is killed for', claims: [claim], body };

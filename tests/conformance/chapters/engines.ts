// What the engines keep, however fast they are; and what the reference Guest shows beyond its self-test.
import type { Chapter, Claim, Evidence } from '../chapter.js';
import { from, nameOf } from '../chapter.js';
import { table } from '../markdown.js';

const boots = from('differential/boots/boots');
const bounds = from('switcher/translator/bounds');
const turns = from('host/turns');
const retired = from('switcher/cpu/retired');
const network = from('boot/reference-network');
const initrd = from('boot/reference-initrd');

const says = (text: string, ...proofs: Claim['proofs']): Claim => ({ text, proofs });

const CLAIMS: readonly Claim[] = [
  says(
    'Whole boots are the same under all engines, block by block',
    boots('the reference Guest’s self-test is the same'),
    boots('its beginning is the same under all three engines'),
  ),
  says(
    'A difference would be found, down to the block',
    boots('a wrong register is found'),
    boots('a wrong byte of memory is found'),
  ),
  says(
    'Translations have a bound: 4096 regions and 16 MB of WebAssembly; the oldest go',
    bounds('more code than there may be translations of'),
  ),
  says('A Guest that makes code without end does not make them grow', bounds('a Guest that makes code without end')),
  says('What V8 refuses is interpreted', bounds('what V8 refuses is interpreted')),
  says('Whatever a Guest does, the Host gets its turn within 100 ms', turns('a Guest that')),
  says(
    'Retired instructions are counted exactly, alike under all engines, and only for who asks',
    retired('instructions are counted exactly'),
    retired('whatever is executed, all engines count alike'),
    retired('nothing is counted where nobody wants to know'),
  ),
  says(
    'The reference Guest on a network: found by ARP, answers pings and asks, counts what is broken',
    network('it can be found and answers pings'),
    network('it asks others'),
    network('what is broken, or for somebody else'),
    network('without a card it says so'),
  ),
  says(
    'An initrd comes as it was, packed or not; a broken one breaks nothing',
    initrd('a file in the initrd is what it was outside'),
    initrd('a gzip header may carry'),
    initrd('what is broken is not believed'),
  ),
];

function body({ stateOf }: Evidence): string {
  return table(
    ['promise', 'test', 'state'],
    CLAIMS.map(({ text, proofs }) => [text, proofs.map(nameOf).join('; '), stateOf(proofs)]),
  );
}

export const engines: Chapter = { title: 'What the engines keep', claims: CLAIMS, body };

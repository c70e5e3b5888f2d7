// What no program can see, and so none can show: gates, iret, segments, faults and single steps at rings 1 and 3.
import { CASES } from '../../privilege/cases/index.js';
import { DIFFERENCES } from '../../privilege/differences.js';
import { notedTravels } from '../../privilege/noted.js';
import { RULES } from '../../privilege/rules.js';
import { type Chapter, type Claim, type Evidence, from } from '../chapter.js';
import { number, sum, table } from '../markdown.js';

const cases = from('privilege/privilege');
const rules = from('privilege/rules');
const pages = from('privilege/pages');

const recorded: Claim = { text: 'every engine gives the recorded answers', proofs: [cases('recorded answers under')] };
const pc: Claim = {
  text: 'a PC emulated by QEMU (where it is installed) gives the same, but for what is listed below',
  proofs: [cases('an emulated PC gives the same answers')],
};
const obeyed: Claim = { text: 'every engine obeys the rules below', proofs: [rules('every engine obeys')] };
const bits: Claim = {
  text: 'CPU and Host together: the codes of page faults, ACCESSED and DIRTY for every kind of entry',
  proofs: [pages('a page fault has the code, and a page the flags')],
};
const travel: Claim = {
  text: 'random programs that travel between the rings end alike under every engine, in slices through the door, and on that PC',
  proofs: [
    cases('random programs travel through the rings'),
    cases('a random program ends alike in one go and in slices'),
  ],
};
const real: Claim = {
  text: 'the CPU of this machine agrees with the rules where QEMU does not, as far as a program can see it',
  proofs: [from('privilege/real-cpu')('a real CPU does what the rules say')],
};
const claims = [recorded, pc, real, travel, obeyed, bits];

function body({ stateOf }: Evidence): string {
  const chapters = Object.entries(CASES).map(([title, those]) => [title, number(those.length)]);
  const total = sum(Object.values(CASES).map(({ length }) => length));
  return [
    `A few instructions each, at ring 1 or 3, with the GDT, gates and pages of a small world: ${number(total)} cases, ` +
      'each with the section of Intel’s manual (volume 3, June 2013; or an instruction’s page in volume 2) that it is about.',
    table(['about', 'cases'], chapters),
    table(
      ['claim', 'state'],
      claims.map(({ text, proofs }) => [text, stateOf(proofs)]),
    ),
    table(
      ['section', 'rule', 'state'],
      RULES.map(({ section, words }) => [section, words, stateOf([rules(`every engine obeys: ${words}`)])]),
    ),
    'Long runs of random programs (`npm run privilege -- --note`):',
    table(
      ['seed', 'programs', 'under', 'different'],
      notedTravels().map(({ seed, cases, engines, pc, different }) => [
        String(seed),
        number(cases),
        [...engines, ...(pc ? ['QEMU'] : [])].join(', '),
        String(different),
      ]),
    ),
    'What QEMU (7.2) does otherwise, so that its answer is not asked for. It also sets neither RF in the flags that a ' +
      'fault pushes nor EXT in error codes.',
    DIFFERENCES.map(({ why }) => `- ${why}`).join('\n'),
  ].join('\n\n');
}

export const privilege: Chapter = { title: 'What no program can see', claims, body };

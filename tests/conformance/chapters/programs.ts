// Whole programs and kernels that tests run to their end.
import { type Chapter, type Claim, from } from '../chapter.js';
import { table } from '../markdown.js';

const reference = from('boot/reference-guest');
const commands = from('boot/reference-programs');
const external = from('external/external');
const linux = from('boot/linux');

const claims: readonly Claim[] = [
  { text: 'the reference Guest’s self-test', proofs: [reference('the self-test finds nothing wrong')] },
  {
    text: 'the reference Guest’s commands, from its prompt to power-off',
    proofs: [reference('it introduces itself, answers every command')],
  },
  {
    text: 'several hundred commands of busybox, compared with a native run',
    proofs: [commands('busybox prints what it prints natively')],
  },
  {
    text: 'programs of our own (`tests/programs`), compared with a native run under every engine',
    proofs: [commands('programs of our own print what they print natively')],
  },
  {
    text: 'QEMU’s and valgrind’s x86 test programs (with `LGUEST_TEST_PROGRAMS`), the same',
    proofs: [external('programs of QEMU and valgrind print what they print natively')],
  },
  {
    text: 'Linux kernels, to a shell and power-off (with `LGUEST_TEST_KERNELS`)',
    proofs: [linux('every kernel boots to a shell')],
  },
];

export const programs: Chapter = {
  title: 'Programs',
  claims,
  body: ({ stateOf }) =>
    table(
      ['program', 'state'],
      claims.map(({ text, proofs }) => [text, stateOf(proofs)]),
    ),
};

// Whole programs and kernels that tests run to their end.
import type { Statement } from './statements.js';

export const PROGRAMS: readonly Statement[] = [
  {
    text: 'the reference Guest’s self-test',
    file: 'boot/reference-guest.test.js',
    test: 'the self-test finds nothing wrong',
  },
  {
    text: 'the reference Guest’s commands, from its prompt to power-off',
    file: 'boot/reference-guest.test.js',
    test: 'it introduces itself, answers every command',
  },
  {
    text: 'Linux kernels, to a shell and power-off (with `LGUEST_TEST_KERNELS`)',
    file: 'boot/linux.test.js',
    test: 'every kernel boots to a shell',
  },
];

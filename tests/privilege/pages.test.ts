// Page faults and the bits that a processor sets in page tables, as a Guest finds them: the CPU faults on the shadow, the Host
// looks at the Guest's entry, and together they have to be what a processor alone would be.
import t from 'tap';
import { X86_TRAP_PF, X86_TRAP_UD } from '../../guest-abi/x86/traps.js';
import {
  CODE as KERNEL_CODE,
  CodeGuest,
  KERNEL,
  STACK_TOP,
  USER,
  call,
  done,
  gate,
  toUser,
  word,
} from '../support/code-guest.js';
import { RESULT, USER_TABLE } from '../support/guest-layout.js';
import { titleOf } from './case.js';
import { PAGE_CASES, type PageCase, accessTo, byTheManual } from './cases/pages.js';
import { PAGE } from './world.js';

/** The page that is accessed, among those that ring 3 sees too. */
const PAGE_NUMBER = 60;
const VIRTUAL = USER + PAGE_NUMBER * PAGE;
const USER_DATA = 0x7b;
const FAULT_HANDLER = KERNEL_CODE + 0x1000;
const END_HANDLER = KERNEL_CODE + 0x2000;
const NO_FAULT = 0xabcd;

/** `pop eax; mov [RESULT], eax`, and the end */
const faulted = [0x58, 0xa3, ...word(KERNEL + RESULT), ...done];
/** `mov dword [RESULT], NO_FAULT`, and the end */
const ended = [0xc7, 0x05, ...word(KERNEL + RESULT), ...word(NO_FAULT), ...done];

function run(one: PageCase, pae: boolean): { error: number | undefined; flags: number } {
  const entry = USER_TABLE + (pae ? 8 : 4) * PAGE_NUMBER;
  const access = [...accessTo(one.kind, VIRTUAL), 0x0f, 0x0b];
  const kernel = [
    ...call('LHCALL_SET_STACK', 0x69, KERNEL + STACK_TOP, 1),
    ...gate(X86_TRAP_PF, KERNEL + FAULT_HANDLER),
    ...gate(X86_TRAP_UD, KERNEL + END_HANDLER),
    ...(one.ring === 1 ? access : toUser()),
  ];
  const guest = new CodeGuest(kernel, [0x66, 0xb8, USER_DATA, 0, 0x8e, 0xd8, ...access], {}, { pae })
    .put(FAULT_HANDLER, faulted)
    .put(END_HANDLER, ended)
    .put(PAGE_NUMBER * PAGE, [0x0f, 0x0b])
    .put(entry, word((PAGE_NUMBER * PAGE) | one.dataPage));
  const end = guest.run();
  if (end !== 'CRASH: done') throw new Error(`${titleOf(one)}: ${end}`);
  const { bytes } = guest.memory;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const error = view.getUint32(RESULT, true);
  return {
    error: error === NO_FAULT ? undefined : error,
    flags: view.getUint32(entry, true) & (PAGE - 1),
  };
}

for (const pae of [false, true]) {
  t.test(
    `a page fault has the code, and a page the flags, that the manual says, ${pae ? 'with' : 'without'} PAE`,
    async (t) => {
      const found = PAGE_CASES.map((one) => ({ case: titleOf(one), found: run(one, pae), right: byTheManual(one) }));
      const wrong = found.filter(({ found, right }) => found.error !== right.error || found.flags !== right.flags);
      t.same(wrong, []);
    },
  );
}

// Statements about what is promised besides the checklist.
import { says, guests } from './statement.js';

export const BESIDES = [
  says(
    undefined,
    'The exact error code of a page fault, for every kind of page and access',
    guests.traps('the code of a page fault'),
    guests.traps('a missing directory entry'),
  ),
  says(
    undefined,
    'Exceptions reach their handlers by both kinds of gate, from both rings',
    guests.traps('an exception goes to its handler'),
  ),
  says(undefined, 'Faults nest', guests.traps('faults nest'), guests.traps('a handler that faults again and again')),
  says(undefined, 'Single steps', guests.traps('single steps go to the kernel')),
  says(undefined, 'Thread-local segments', guests.traps('thread-local segments are there')),
  says(
    undefined,
    'LHCALL_SET_PTE counts at once for pages that were used',
    guests.pages('LHCALL_SET_PTE counts at once'),
  ),
  says(
    undefined,
    'LHCALL_SET_PGD and LHCALL_SET_PMD forget what lay below',
    guests.pages('LHCALL_SET_PGD and LHCALL_SET_PMD'),
    guests.pages('LHCALL_SET_PGD for another page table'),
  ),
  says(
    undefined,
    'LHCALL_NEW_PGTABLE goes over and back, between more page tables than have a shadow',
    guests.pages('LHCALL_NEW_PGTABLE goes over'),
    guests.pages('six page tables in turn'),
  ),
  says(
    undefined,
    'Code that changes, under whatever name, is the new code',
    guests.pages('code that is written under another name'),
  ),
  says(
    undefined,
    'Accesses over two pages change nothing if one is missing',
    guests.pages('an access over two pages'),
    guests.pages('an instruction whose second half'),
  ),
  says(
    undefined,
    'Device memory by every form of `mov`; anything else is a page fault',
    guests.devices('device memory by every form'),
    guests.devices('any other touch of device memory'),
  ),
  says(
    undefined,
    'The longest and the shortest alarm',
    guests.interrupts('the longest alarm'),
    guests.interrupts('SET_CLOCKEVENT raises irq 0'),
  ),
];

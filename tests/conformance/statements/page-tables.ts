// Statements about page tables.
import { says, guests, pages, killed } from './statement.js';

export const PAGE_TABLES = [
  says(
    43,
    'At first everything is where it is, but not for ring 3',
    pages('before the first page table everything is where it is'),
    pages('before the first page table ring 3 has no memory'),
    guests.pages('before the first page table everything'),
    guests.pages('before the first page table a program'),
    killed,
  ),
  says(
    44,
    'ACCESSED by reading, DIRTY by writing',
    pages('a read sets ACCESSED and maps read-only'),
    guests.pages('a read sets ACCESSED'),
    guests.pages('a program’s accesses leave the same marks'),
  ),
  says(
    45,
    'A page that is nowhere kills; one of a device is the Launcher’s',
    pages('a PTE that leads nowhere kills'),
    pages('a PTE that leads to a device goes to the Launcher'),
    guests.pages('a page of a device goes'),
    guests.traps('a device’s page is a page'),
    killed,
  ),
  says(
    46,
    'Directory entries have no PSE, no GLOBAL; with PAE the top level has P alone',
    pages('a directory entry with PSE, GLOBAL'),
    pages('with PAE a top level entry may have no flag but P'),
    killed,
  ),
  says(
    47,
    'The kernel’s mappings are everybody’s, the Switcher’s nobody’s',
    pages('LHCALL_SET_PTE for the kernel changes'),
    pages('LHCALL_SET_PTE kills a Guest that would map over'),
    guests.pages('LHCALL_SET_PTE for the kernel is for all'),
    guests.pages('LHCALL_SET_PTE below the kernel'),
    killed,
  ),
  says(
    48,
    'LHCALL_SET_PTE with 0 unmaps',
    pages('LHCALL_SET_PTE with 0 unmaps'),
    guests.pages('LHCALL_SET_PTE with 0 unmaps'),
  ),
  says(
    49,
    'Write protection counts in ring 1',
    pages('ring 1 does not write to read-only pages'),
    guests.pages('write protection counts in ring 1'),
  ),
  says(
    50,
    'Two kinds of flush',
    pages('LHCALL_FLUSH_TLB with 0 spares the kernel'),
    guests.pages('LHCALL_FLUSH_TLB with 0 spares'),
  ),
];

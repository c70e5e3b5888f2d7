// Statements about traps.
import { says, guests, traps, killed } from './statement.js';

export const TRAPS = [
  says(
    37,
    '#GP(0) is the Launcher’s, #GP with a code the Guest’s',
    traps('#GP with an error code is the Guest’s'),
    guests.traps('#GP(0) is the Launcher’s'),
    guests.traps('an exception goes to its handler'),
  ),
  says(38, 'A page fault nobody handles kills', traps('a page fault that nobody handles kills'), killed),
  says(
    39,
    'A reflected one leaves its address; LHREQ_TRAP does not',
    traps('a reflected page fault stores its address'),
    guests.traps('a page fault leaves its address'),
  ),
  says(
    40,
    'int at another gate is a #GP that names it',
    traps('`int $0x21` from the kernel'),
    guests.traps('`int $0x21` in the kernel'),
  ),
  says(
    41,
    'System calls work with both kinds of gate',
    traps('a system call with a trap gate'),
    guests.traps('int3, into and int 0x80 are for programs'),
    guests.traps('a gate with DPL 0 is none'),
  ),
  says(
    42,
    'A segment that no longer loads kills',
    traps('a segment that does not load on the way in kills'),
    guests.traps('every entry loads segments anew'),
    killed,
  ),
];

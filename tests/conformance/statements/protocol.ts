// Statements about the protocol of /dev/lguest.
import { says, guests, device } from './statement.js';

export const PROTOCOL = [
  says(
    1,
    'Nothing but LHREQ_INITIALIZE is understood at first: -EINVAL',
    device('before LHREQ_INITIALIZE every request'),
    guests.protocol('each request, by its number'),
  ),
  says(
    2,
    'LHREQ_INITIALIZE gives 16; once more is -EBUSY, for a dead Guest too',
    device('LHREQ_INITIALIZE returns 16'),
    guests.protocol('each request, by its number'),
  ),
  says(
    3,
    'LHREQ_GETREG gives 8, and the read behind it 4 bytes without running; LHREQ_SETREG 12; LHREQ_IRQ and LHREQ_TRAP 0',
    device('LHREQ_GETREG returns 8'),
    device('LHREQ_SETREG returns 12'),
    guests.protocol('each register of struct pt_regs'),
    guests.protocol('LHREQ_GETREG answers the next read'),
  ),
  says(
    4,
    'cs, ss, eflags and the data segments can be read, not set; eip can be set; 44 is no register',
    device('registers that decide what the Guest may do'),
    guests.protocol('each register of struct pt_regs'),
  ),
  says(
    5,
    'LHREQ_IRQ knows 0 to 31; requests 1, 3, 4, 8 and beyond are -EINVAL',
    device('LHREQ_IRQ takes 0 to 31'),
    device('requests of former days'),
    guests.protocol('each request, by its number'),
  ),
  says(
    6,
    'After death writes are -ENOENT and reads the reason, NUL included, cut to the buffer, as often as one likes',
    device('a dead Guest answers writes with -ENOENT'),
    guests.protocol('after death'),
  ),
  says(
    7,
    'There is one CPU: every other offset is -EINVAL',
    device('there is no second CPU'),
    guests.protocol('there is no second CPU'),
  ),
  says(8, 'Who may not run the Guest gets -EPERM', device('a read from inside a read is -EPERM')),
  says(
    9,
    'Trap 13 comes with the instruction, trap 14 with the address in device memory',
    device('#GP(0) goes to the Launcher'),
    device('a touch of device memory goes to the Launcher'),
    guests.protocol('the instruction comes in seven bytes'),
    guests.pages('a page of a device goes to the Launcher'),
  ),
  says(
    10,
    'Instruction bytes that are not mapped are 0',
    device('an instruction that runs into a page that is not mapped'),
    guests.protocol('the instruction comes in seven bytes'),
  ),
  says(
    11,
    'Any read uses a pending trap up',
    device('a pending trap is gone after any read'),
    guests.protocol('a pending trap is used up'),
  ),
];

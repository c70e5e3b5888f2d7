// Statements about interrupts.
import { says, guests, traps } from './statement.js';

export const INTERRUPTS = [
  says(
    25,
    'Frame, segment and gate; the lowest comes first',
    traps('an interrupt pushes a frame on the kernel’s own stack'),
    guests.interrupts('an interrupt gets a frame'),
    guests.interrupts('all thirty-two at once'),
  ),
  says(
    26,
    'An interrupt gate shuts the Guest’s flag, a trap gate does not; the frame shows the flag',
    traps('an interrupt gate takes the Guest’s interrupt flag away'),
    traps('the pushed eflags show'),
    guests.interrupts('an interrupt gate takes the flag away'),
    guests.interrupts('the flag in a frame is bit 9'),
  ),
  says(
    27,
    'Without irq_enabled an interrupt is irq_pending, and the time is left alone',
    traps('an interrupt for a Guest that wants none sets irq_pending'),
    guests.interrupts('with irq_enabled 0 an interrupt shows'),
  ),
  says(
    28,
    'What is blocked waits, and is not forgotten',
    traps('a blocked interrupt waits'),
    guests.interrupts('a blocked interrupt waits'),
  ),
  says(
    29,
    'LHCALL_HALT wakes at once if something waits',
    traps('LHCALL_HALT with an interrupt waiting'),
    guests.interrupts('LHCALL_HALT with an interrupt waiting'),
  ),
  says(
    30,
    'and sleeps if that is blocked',
    traps('LHCALL_HALT with only blocked interrupts sleeps'),
    guests.interrupts('LHCALL_HALT with only blocked'),
  ),
  says(
    31,
    'At noirq_iret the frame is used again; in the range of older kernels the interrupt waits',
    traps('an interrupt at noirq_iret uses the frame'),
    traps('in the range of Linux 4.0 and older'),
    guests.interrupts('at noirq_iret an interrupt takes over'),
    guests.interrupts('in the range of Linux 4.0'),
  ),
  says(
    32,
    'Without a handler an interrupt stays',
    traps('an interrupt without a handler stays'),
    guests.interrupts('an interrupt without a gate stays'),
  ),
  says(
    33,
    'A clock event comes in its time; 0 cancels, another replaces',
    traps('LHCALL_SET_CLOCKEVENT raises irq 0'),
    traps('LHCALL_SET_CLOCKEVENT 0 cancels'),
    guests.interrupts('SET_CLOCKEVENT raises irq 0'),
    guests.interrupts('SET_CLOCKEVENT 0 cancels'),
  ),
  says(
    34,
    'Before LHCALL_LGUEST_INIT an interrupt is kept',
    traps('an interrupt before LHCALL_LGUEST_INIT is kept'),
    guests.interrupts('an interrupt before LHCALL_LGUEST_INIT'),
  ),
  says(
    35,
    'From ring 3 ss and esp are pushed, on the kernel’s stack',
    traps('from ring 3 the frame goes to the kernel’s stack'),
    guests.interrupts('from ring 3 the frame has ss and esp'),
  ),
  says(
    36,
    'Error codes belong to 8, 10 to 14 and 17',
    traps('an error code is pushed for vectors'),
    guests.interrupts('error codes are pushed for 8'),
  ),
];

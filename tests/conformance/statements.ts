// What the ABI promises, statement by statement, and the tests that hold each. The numbers are those of the checklist that the
// Host was written against.
//
// A test is named by its file and how its name begins: where there is one for each kind of paging, all of them count.
import { type Claim, from, type Proof } from './chapter.js';

export interface Statement extends Claim {
  /** Its number on the checklist; what is promised besides has none. */
  readonly number: number | undefined;
}

export const CHECKLIST_LENGTH = 68;

const says = (number: number | undefined, text: string, ...proofs: Proof[]): Statement => ({ number, text, proofs });

const device = from('host/device');
const hypercalls = from('host/hypercalls');
const traps = from('host/interrupts-and-traps');
const segments = from('host/segments');
const pages = from('host/page-tables');
const instructions = from('launcher/emulate-insn');
const pci = from('launcher/pci');
const virtio = from('launcher/virtio');
const block = from('launcher/devices/block');
const terminal = from('launcher/devices/console');
const kernel = from('launcher/kernel');
const command = from('bin/lguest');

const PROTOCOL = [
  says(
    1,
    'Nothing but LHREQ_INITIALIZE is understood at first: -EINVAL',
    device('before LHREQ_INITIALIZE every request'),
  ),
  says(
    2,
    'LHREQ_INITIALIZE gives 16; once more is -EBUSY, for a dead Guest too',
    device('LHREQ_INITIALIZE returns 16'),
  ),
  says(
    3,
    'LHREQ_GETREG gives 8, and the read behind it 4 bytes without running; LHREQ_SETREG 12; LHREQ_IRQ and LHREQ_TRAP 0',
    device('LHREQ_GETREG returns 8'),
    device('LHREQ_SETREG returns 12'),
  ),
  says(
    4,
    'cs, ss, eflags and the data segments can be read, not set; eip can be set; 44 is no register',
    device('registers that decide what the Guest may do'),
  ),
  says(
    5,
    'LHREQ_IRQ knows 0 to 31; requests 1, 3, 4, 8 and beyond are -EINVAL',
    device('LHREQ_IRQ takes 0 to 31'),
    device('requests of former days'),
  ),
  says(
    6,
    'After death writes are -ENOENT and reads the reason, NUL included, cut to the buffer, as often as one likes',
    device('a dead Guest answers writes with -ENOENT'),
  ),
  says(7, 'There is one CPU: every other offset is -EINVAL', device('there is no second CPU')),
  says(8, 'Who may not run the Guest gets -EPERM', device('a read from inside a read is -EPERM')),
  says(
    9,
    'Trap 13 comes with the instruction, trap 14 with the address in device memory',
    device('#GP(0) goes to the Launcher'),
    device('a touch of device memory goes to the Launcher'),
  ),
  says(
    10,
    'Instruction bytes that are not mapped are 0',
    device('an instruction that runs into a page that is not mapped'),
  ),
  says(11, 'Any read uses a pending trap up', device('a pending trap is gone after any read')),
];

const HYPERCALLS = [
  says(12, 'Before LHCALL_LGUEST_INIT any other kills', hypercalls('any hypercall before LHCALL_LGUEST_INIT kills')),
  says(13, 'lguest_data is all in RAM, to the byte', hypercalls('LHCALL_LGUEST_INIT kills a Guest whose lguest_data')),
  says(
    14,
    'LHCALL_LGUEST_INIT fills in three fields; the system call vector is 0x80',
    hypercalls('LHCALL_LGUEST_INIT fills in tsc_khz'),
    hypercalls('LHCALL_LGUEST_INIT wants system call vector 0x80'),
  ),
  says(15, 'No hypercall changes a register', hypercalls('no hypercall changes a register')),
  says(
    16,
    'The ring comes before the direct call, in its order; what is done is 0xFF; its cursor stays and wraps at 64',
    hypercalls('queued hypercalls are made in the order of the ring'),
    hypercalls('the cursor of the ring stays where it is'),
  ),
  says(
    17,
    'Faults, interrupts and LHCALL_LGUEST_INIT do not empty the ring',
    hypercalls('page faults, interrupts and LHCALL_LGUEST_INIT leave'),
  ),
  says(
    18,
    'Power-off ends the Guest with its message; a restart needs none',
    hypercalls('LHCALL_SHUTDOWN for power off'),
    hypercalls('LHCALL_SHUTDOWN for a restart'),
  ),
  says(19, '127 characters of the message count', hypercalls('LHCALL_SHUTDOWN reads 127 characters')),
  says(20, 'A kernel stack is of ring 1, on two pages at most', hypercalls('LHCALL_SET_STACK wants a stack in ring 1')),
  says(
    21,
    'Numbers that are none kill, with a newline; LHCALL_SET_PMD belongs to PAE',
    hypercalls('hypercalls that are none kill'),
    hypercalls('LHCALL_SET_PMD is for Guests with PAE'),
  ),
  says(
    22,
    'Vectors 2, 8, 15 and 31 cannot be had; there are 256; gates are interrupt and trap gates',
    traps('LHCALL_LOAD_IDT_ENTRY leaves vectors 2, 8, 15 and 31 alone'),
    traps('LHCALL_LOAD_IDT_ENTRY kills for gates that are none'),
  ),
  says(
    23,
    'There are 32 descriptors; those of the Host stay; DPL 0 becomes 1, and accessed is set',
    segments('LHCALL_LOAD_GDT_ENTRY kills for entry 32'),
    segments('the entries that are the Host’s stay as they are'),
    segments('LHCALL_LOAD_GDT_ENTRY makes DPL 0 into 1'),
  ),
  says(
    24,
    'A program cannot make hypercalls: #GP(0xFA), for its kernel',
    hypercalls('`int $0x1f` from ring 3 is a #GP'),
  ),
];

const INTERRUPTS = [
  says(
    25,
    'Frame, segment and gate; the lowest comes first',
    traps('an interrupt pushes a frame on the kernel’s own stack'),
  ),
  says(
    26,
    'An interrupt gate shuts the Guest’s flag, a trap gate does not; the frame shows the flag',
    traps('an interrupt gate takes the Guest’s interrupt flag away'),
    traps('the pushed eflags show'),
  ),
  says(
    27,
    'Without irq_enabled an interrupt is irq_pending, and the time is left alone',
    traps('an interrupt for a Guest that wants none sets irq_pending'),
  ),
  says(28, 'What is blocked waits, and is not forgotten', traps('a blocked interrupt waits')),
  says(29, 'LHCALL_HALT wakes at once if something waits', traps('LHCALL_HALT with an interrupt waiting')),
  says(30, 'and sleeps if that is blocked', traps('LHCALL_HALT with only blocked interrupts sleeps')),
  says(
    31,
    'At noirq_iret the frame is used again; in the range of older kernels the interrupt waits',
    traps('an interrupt at noirq_iret uses the frame'),
    traps('in the range of Linux 4.0 and older'),
  ),
  says(32, 'Without a handler an interrupt stays', traps('an interrupt without a handler stays')),
  says(
    33,
    'A clock event comes in its time; 0 cancels, another replaces',
    traps('LHCALL_SET_CLOCKEVENT raises irq 0'),
    traps('LHCALL_SET_CLOCKEVENT 0 cancels'),
  ),
  says(34, 'Before LHCALL_LGUEST_INIT an interrupt is kept', traps('an interrupt before LHCALL_LGUEST_INIT is kept')),
  says(
    35,
    'From ring 3 ss and esp are pushed, on the kernel’s stack',
    traps('from ring 3 the frame goes to the kernel’s stack'),
  ),
  says(36, 'Error codes belong to 8, 10 to 14 and 17', traps('an error code is pushed for vectors')),
];

const TRAPS = [
  says(37, '#GP(0) is the Launcher’s, #GP with a code the Guest’s', traps('#GP with an error code is the Guest’s')),
  says(38, 'A page fault nobody handles kills', traps('a page fault that nobody handles kills')),
  says(
    39,
    'A reflected one leaves its address; LHREQ_TRAP does not',
    traps('a reflected page fault stores its address'),
  ),
  says(40, 'int at another gate is a #GP that names it', traps('`int $0x21` from the kernel')),
  says(41, 'System calls work with both kinds of gate', traps('a system call with a trap gate')),
  says(42, 'A segment that no longer loads kills', traps('a segment that does not load on the way in kills')),
];

const PAGE_TABLES = [
  says(
    43,
    'At first everything is where it is, but not for ring 3',
    pages('before the first page table everything is where it is'),
    pages('before the first page table ring 3 has no memory'),
  ),
  says(44, 'ACCESSED by reading, DIRTY by writing', pages('a read sets ACCESSED and maps read-only')),
  says(
    45,
    'A page that is nowhere kills; one of a device is the Launcher’s',
    pages('a PTE that leads nowhere kills'),
    pages('a PTE that leads to a device goes to the Launcher'),
  ),
  says(
    46,
    'Directory entries have no PSE, no GLOBAL; with PAE the top level has P alone',
    pages('a directory entry with PSE, GLOBAL'),
    pages('with PAE a top level entry may have no flag but P'),
  ),
  says(
    47,
    'The kernel’s mappings are everybody’s, the Switcher’s nobody’s',
    pages('LHCALL_SET_PTE for the kernel changes'),
    pages('LHCALL_SET_PTE kills a Guest that would map over'),
  ),
  says(48, 'LHCALL_SET_PTE with 0 unmaps', pages('LHCALL_SET_PTE with 0 unmaps')),
  says(49, 'Write protection counts in ring 1', pages('ring 1 does not write to read-only pages')),
  says(50, 'Two kinds of flush', pages('LHCALL_FLUSH_TLB with 0 spares the kernel')),
];

const LAUNCHER = [
  says(
    51,
    'in without a device gives ones, in the width of the access; in from 0x64 gives 1',
    instructions('`in` from a port with nothing behind it'),
    instructions('`in` from the keyboard controller'),
  ),
  says(
    52,
    'out without a device and cli do nothing; sti, hlt and rdmsr go back as #GP',
    instructions('`out` to a port with nothing behind it'),
    instructions('`sti`, `hlt`, `rdmsr`'),
  ),
  says(
    53,
    'An empty slot reads as ones; what cannot be written is #GP',
    pci('an empty slot reads as all ones'),
    pci('a write to the interrupt line or the identity'),
  ),
  says(
    54,
    'The console is in slot 1; capabilities stand in the original’s order; slot 0 is a bridge',
    pci('slot 1 is the console'),
    pci('the capability chain goes 40, 50, 64, 84, 74'),
  ),
  says(55, 'BAR0 has the size of what is behind it', pci('BAR0 sizes to a power of two')),
  says(56, 'A character can be printed at once', pci('the window at 0x94 prints one character')),
  says(57, 'A window that leads nowhere shows the word it had', pci('an impossible window shows the word it had')),
  says(58, 'The handshake of Linux; skipped steps are a bad driver’s; 0 resets', virtio('Linux brings a device up')),
  says(59, 'Features by windows of 32; none but those offered', virtio('features are offered through a window')),
  says(60, 'Queues have 256 places; queue_enable takes 1, and checks', virtio('queue_size is 256')),
  says(61, 'ISR is read once', virtio('ISR says 1 after a completion')),
  says(62, 'A disk ends where it ends', block('a request beyond the end of the disk is an error')),
  says(63, 'Requests may be cut in any way', block('header, data and status may be cut in any way')),
  says(
    64,
    'Three ^C lead out; the end of input leaves the Guest running',
    command('on a terminal every key is the Guest’s'),
    terminal('the end of input leaves the Guest running'),
  ),
  says(
    65,
    'ELF is for i386; a bzImage goes to 1M',
    kernel('an ELF file of the wrong kind is refused'),
    kernel('a bzImage goes to 1M'),
  ),
  says(66, 'initrd, loader type and all of the zero page', kernel('the zero page says what the original says')),
  says(67, 'Registers at the beginning', device('a Guest begins with flat segments')),
  says(68, 'What the command ends with', command('the end of a Guest is the status of the command')),
];

export const STATEMENTS: Readonly<Record<string, readonly Statement[]>> = {
  'The protocol': PROTOCOL,
  Hypercalls: HYPERCALLS,
  Interrupts: INTERRUPTS,
  Traps: TRAPS,
  'Page tables': PAGE_TABLES,
  'The Launcher': LAUNCHER,
};

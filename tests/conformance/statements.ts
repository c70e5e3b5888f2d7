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

const guests = {
  protocol: from('abi/protocol'),
  hypercalls: from('abi/hypercalls'),
  interrupts: from('abi/interrupts'),
  traps: from('abi/traps'),
  pages: from('abi/page-tables'),
  devices: from('abi/devices'),
};
/** Rows of the table of kills, which is one test for each kind of Guest. */
const killed = from('abi/kills')('a Guest that does what it must not is killed');
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

const HYPERCALLS = [
  says(
    12,
    'Before LHCALL_LGUEST_INIT any other kills',
    hypercalls('any hypercall before LHCALL_LGUEST_INIT kills'),
    killed,
  ),
  says(
    13,
    'lguest_data is all in RAM, to the byte',
    hypercalls('LHCALL_LGUEST_INIT kills a Guest whose lguest_data'),
    guests.hypercalls('LHCALL_LGUEST_INIT takes lguest_data that ends with RAM'),
    killed,
  ),
  says(
    14,
    'LHCALL_LGUEST_INIT fills in three fields; the system call vector is 0x80',
    hypercalls('LHCALL_LGUEST_INIT fills in tsc_khz'),
    hypercalls('LHCALL_LGUEST_INIT wants system call vector 0x80'),
    guests.hypercalls('LHCALL_LGUEST_INIT writes the frequency'),
    killed,
  ),
  says(
    15,
    'No hypercall changes a register',
    hypercalls('no hypercall changes a register'),
    guests.hypercalls('no hypercall changes a register'),
  ),
  says(
    16,
    'The ring comes before the direct call, in its order; what is done is 0xFF; its cursor stays and wraps at 64',
    hypercalls('queued hypercalls are made in the order of the ring'),
    hypercalls('the cursor of the ring stays where it is'),
    guests.hypercalls('the ring is emptied in its order'),
    guests.hypercalls('the cursor goes on where it was'),
  ),
  says(
    17,
    'Faults, interrupts and LHCALL_LGUEST_INIT do not empty the ring',
    hypercalls('page faults, interrupts and LHCALL_LGUEST_INIT leave'),
    guests.hypercalls('page faults, interrupts and LHCALL_LGUEST_INIT'),
  ),
  says(
    18,
    'Power-off ends the Guest with its message; a restart needs none',
    hypercalls('LHCALL_SHUTDOWN for power off'),
    hypercalls('LHCALL_SHUTDOWN for a restart'),
    guests.hypercalls('a restart is one whatever the message is'),
    killed,
  ),
  says(19, '127 characters of the message count', hypercalls('LHCALL_SHUTDOWN reads 127 characters'), killed),
  says(
    20,
    'A kernel stack is of ring 1, on two pages at most',
    hypercalls('LHCALL_SET_STACK wants a stack in ring 1'),
    guests.hypercalls('LHCALL_SET_STACK takes no page'),
    killed,
  ),
  says(
    21,
    'Numbers that are none kill, with a newline; LHCALL_SET_PMD belongs to PAE',
    hypercalls('hypercalls that are none kill'),
    hypercalls('LHCALL_SET_PMD is for Guests with PAE'),
    guests.hypercalls('LHCALL_TS lends the FPU'),
    killed,
  ),
  says(
    22,
    'Vectors 2, 8, 15 and 31 cannot be had; there are 256; gates are interrupt and trap gates',
    traps('LHCALL_LOAD_IDT_ENTRY leaves vectors 2, 8, 15 and 31 alone'),
    traps('LHCALL_LOAD_IDT_ENTRY kills for gates that are none'),
    guests.hypercalls('LHCALL_LOAD_IDT_ENTRY for 2, 8, 15 and 31'),
    guests.hypercalls('a gate may lead anywhere'),
    killed,
  ),
  says(
    23,
    'There are 32 descriptors; those of the Host stay; DPL 0 becomes 1, and accessed is set',
    segments('LHCALL_LOAD_GDT_ENTRY kills for entry 32'),
    segments('the entries that are the Host’s stay as they are'),
    segments('LHCALL_LOAD_GDT_ENTRY makes DPL 0 into 1'),
    guests.traps('DPL 0 becomes 1'),
    killed,
  ),
  says(
    24,
    'A program cannot make hypercalls: #GP(0xFA), for its kernel',
    hypercalls('`int $0x1f` from ring 3 is a #GP'),
    guests.hypercalls('a program’s hypercall is its kernel’s'),
  ),
];

const INTERRUPTS = [
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

const TRAPS = [
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

const PAGE_TABLES = [
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

const LAUNCHER = [
  says(
    51,
    'in without a device gives ones, in the width of the access; in from 0x64 gives 1',
    instructions('`in` from a port with nothing behind it'),
    instructions('`in` from the keyboard controller'),
    guests.devices('`in` of every width'),
  ),
  says(
    52,
    'out without a device and cli do nothing; sti, hlt and rdmsr go back as #GP',
    instructions('`out` to a port with nothing behind it'),
    instructions('`sti`, `hlt`, `rdmsr`'),
    guests.devices('`out` of every width'),
    guests.devices('what the Launcher does not do comes back'),
  ),
  says(
    53,
    'An empty slot reads as ones; what cannot be written is #GP',
    pci('an empty slot reads as all ones'),
    pci('a write to the interrupt line or the identity'),
    guests.devices('slot 0 is a bridge'),
    guests.devices('what cannot be written in configuration space'),
  ),
  says(
    54,
    'The console is in slot 1; capabilities stand in the original’s order; slot 0 is a bridge',
    pci('slot 1 is the console'),
    pci('the capability chain goes 40, 50, 64, 84, 74'),
    guests.devices('slot 0 is a bridge'),
    guests.devices('the capabilities, by the chain'),
  ),
  says(
    55,
    'BAR0 has the size of what is behind it',
    pci('BAR0 sizes to a power of two'),
    guests.devices('BAR0 has the size'),
  ),
  says(
    56,
    'A character can be printed at once',
    pci('the window at 0x94 prints one character'),
    guests.devices('a character by the window'),
  ),
  says(57, 'A window that leads nowhere shows the word it had', pci('an impossible window shows the word it had')),
  says(
    58,
    'The handshake of Linux; skipped steps are a bad driver’s; 0 resets',
    virtio('Linux brings a device up'),
    guests.devices('the handshake of a driver'),
    guests.devices('a driver that breaks the rules'),
  ),
  says(
    59,
    'Features by windows of 32; none but those offered',
    virtio('features are offered through a window'),
    guests.devices('the handshake of a driver'),
    guests.devices('a driver that breaks the rules'),
  ),
  says(
    60,
    'Queues have 256 places; queue_enable takes 1, and checks',
    virtio('queue_size is 256'),
    guests.devices('the handshake of a driver'),
  ),
  says(61, 'ISR is read once', virtio('ISR says 1 after a completion'), guests.devices('the handshake of a driver')),
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
  says(
    67,
    'Registers at the beginning',
    device('a Guest begins with flat segments'),
    guests.protocol('a Guest begins in ring 1'),
  ),
  says(68, 'What the command ends with', command('the end of a Guest is the status of the command')),
];

const BESIDES = [
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

export const STATEMENTS: Readonly<Record<string, readonly Statement[]>> = {
  'The protocol': PROTOCOL,
  Hypercalls: HYPERCALLS,
  Interrupts: INTERRUPTS,
  Traps: TRAPS,
  'Page tables': PAGE_TABLES,
  'The Launcher': LAUNCHER,
  'And besides': BESIDES,
};

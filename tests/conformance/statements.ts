// What the ABI promises, statement by statement, and the test that holds each.
//
// A test is named by its file and how its name begins: where there is one for each kind of paging, all of them count.

export interface Statement {
  readonly text: string;
  readonly file: string;
  readonly test: string;
}

const from =
  (file: string) =>
  (text: string, test: string): Statement => ({ text, file: `${file}.test.js`, test });

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

export const STATEMENTS: Readonly<Record<string, readonly Statement[]>> = {
  'The protocol': [
    device('Nothing but LHREQ_INITIALIZE is understood at first: -EINVAL', 'before LHREQ_INITIALIZE every request'),
    device('LHREQ_INITIALIZE gives 16; once more is -EBUSY, for a dead Guest too', 'LHREQ_INITIALIZE returns 16'),
    device('LHREQ_GETREG gives 8, and the read behind it a register without running', 'LHREQ_GETREG returns 8'),
    device('LHREQ_SETREG gives 12, LHREQ_IRQ and LHREQ_TRAP 0', 'LHREQ_SETREG returns 12'),
    device('cs, ss, eflags and the data segments can be read, not set', 'registers that decide what the Guest may do'),
    device('LHREQ_IRQ knows 0 to 31', 'LHREQ_IRQ takes 0 to 31'),
    device('Requests 1, 3, 4, 8 and beyond are -EINVAL', 'requests of former days'),
    device('After death writes are -ENOENT and reads the reason', 'a dead Guest answers writes with -ENOENT'),
    device('There is one CPU: every other offset is -EINVAL', 'there is no second CPU'),
    device('Who may not run the Guest gets -EPERM', 'a read from inside a read is -EPERM'),
    device('Trap 13 comes with the instruction', '#GP(0) goes to the Launcher'),
    device('Trap 14 comes with the address in device memory', 'a touch of device memory goes to the Launcher'),
    device('Instruction bytes that are not mapped are 0', 'an instruction that runs into a page that is not mapped'),
    device('Any read uses a pending trap up', 'a pending trap is gone after any read'),
  ],
  Hypercalls: [
    hypercalls('Before LHCALL_LGUEST_INIT any other kills', 'any hypercall before LHCALL_LGUEST_INIT kills'),
    hypercalls('lguest_data is all in RAM, to the byte', 'LHCALL_LGUEST_INIT kills a Guest whose lguest_data'),
    hypercalls('LHCALL_LGUEST_INIT fills in three fields', 'LHCALL_LGUEST_INIT fills in tsc_khz'),
    hypercalls('The system call vector is 0x80', 'LHCALL_LGUEST_INIT wants system call vector 0x80'),
    hypercalls('No register changes', 'no hypercall changes a register'),
    hypercalls(
      'The ring comes before the direct call, in order',
      'queued hypercalls are made in the order of the ring',
    ),
    hypercalls('Its cursor stays and wraps at 64', 'the cursor of the ring stays where it is'),
    hypercalls('Faults, interrupts and INIT do not empty it', 'page faults, interrupts and LHCALL_LGUEST_INIT leave'),
    hypercalls('Power-off ends the Guest with its message', 'LHCALL_SHUTDOWN for power off'),
    hypercalls('A restart needs no message', 'LHCALL_SHUTDOWN for a restart'),
    hypercalls('127 characters of it count', 'LHCALL_SHUTDOWN reads 127 characters'),
    hypercalls('A kernel stack is of ring 1, on two pages at most', 'LHCALL_SET_STACK wants a stack in ring 1'),
    hypercalls('Numbers that are none kill', 'hypercalls that are none kill'),
    hypercalls('LHCALL_SET_PMD belongs to PAE', 'LHCALL_SET_PMD is for Guests with PAE'),
    traps('Vectors 2, 8, 15 and 31 cannot be had', 'LHCALL_LOAD_IDT_ENTRY leaves vectors 2, 8, 15 and 31 alone'),
    traps('Gates are interrupt and trap gates', 'LHCALL_LOAD_IDT_ENTRY kills for gates that are none'),
    segments('There are 32 descriptors', 'LHCALL_LOAD_GDT_ENTRY kills for entry 32'),
    segments('Those of the Host stay', 'the entries that are the Host’s stay as they are'),
    segments('DPL 0 becomes 1', 'LHCALL_LOAD_GDT_ENTRY makes DPL 0 into 1'),
    hypercalls('A program cannot make hypercalls', '`int $0x1f` from ring 3 is a #GP'),
  ],
  Interrupts: [
    traps('Frame, segment and gate; the lowest comes first', 'an interrupt pushes a frame on the kernel’s own stack'),
    traps('An interrupt gate shuts the Guest’s flag', 'an interrupt gate takes the Guest’s interrupt flag away'),
    traps('The frame shows the Guest’s flag', 'the pushed eflags show'),
    traps('Without irq_enabled it is irq_pending', 'an interrupt for a Guest that wants none sets irq_pending'),
    traps('What is blocked waits', 'a blocked interrupt waits'),
    traps('LHCALL_HALT wakes at once if something waits', 'LHCALL_HALT with an interrupt waiting'),
    traps('and sleeps if that is blocked', 'LHCALL_HALT with only blocked interrupts sleeps'),
    traps('At noirq_iret the frame is used again', 'an interrupt at noirq_iret uses the frame'),
    traps('In the range of older kernels it waits', 'in the range of Linux 4.0 and older'),
    traps('Without a handler it stays', 'an interrupt without a handler stays'),
    traps('A clock event comes in its time', 'LHCALL_SET_CLOCKEVENT raises irq 0'),
    traps('0 cancels, another replaces', 'LHCALL_SET_CLOCKEVENT 0 cancels'),
    traps('Before INIT it is kept', 'an interrupt before LHCALL_LGUEST_INIT is kept'),
    traps('From ring 3 ss and esp are pushed', 'from ring 3 the frame goes to the kernel’s stack'),
    traps('Error codes belong to 8, 10 to 14 and 17', 'an error code is pushed for vectors'),
  ],
  Traps: [
    traps('#GP(0) is the Launcher’s, #GP with a code the Guest’s', '#GP with an error code is the Guest’s'),
    traps('A page fault nobody handles kills', 'a page fault that nobody handles kills'),
    traps('A reflected one leaves its address', 'a reflected page fault stores its address'),
    traps('int at another gate is a #GP that names it', '`int $0x21` from the kernel'),
    traps('System calls work with both kinds of gate', 'a system call with a trap gate'),
    traps('A segment that no longer loads kills', 'a segment that does not load on the way in kills'),
  ],
  'Page tables': [
    pages('At first everything is where it is', 'before the first page table everything is where it is'),
    pages('but not for ring 3', 'before the first page table ring 3 has no memory'),
    pages('ACCESSED by reading, DIRTY by writing', 'a read sets ACCESSED and maps read-only'),
    pages('A page that is nowhere kills', 'a PTE that leads nowhere kills'),
    pages('A page of a device is the Launcher’s', 'a PTE that leads to a device goes to the Launcher'),
    pages('Directory entries have no PSE, no GLOBAL', 'a directory entry with PSE, GLOBAL'),
    pages('With PAE the top level has P alone', 'with PAE a top level entry may have no flag but P'),
    pages('The kernel’s mappings are everybody’s', 'LHCALL_SET_PTE for the kernel changes'),
    pages('The Switcher’s pages are nobody’s', 'LHCALL_SET_PTE kills a Guest that would map over'),
    pages('0 unmaps', 'LHCALL_SET_PTE with 0 unmaps'),
    pages('WP counts in ring 1', 'ring 1 does not write to read-only pages'),
    pages('Two kinds of flush', 'LHCALL_FLUSH_TLB with 0 spares the kernel'),
  ],
  'The Launcher': [
    instructions('in without a device gives ones', '`in` from a port with nothing behind it'),
    instructions('in from 0x64 gives 1', '`in` from the keyboard controller'),
    instructions('out without a device and cli do nothing', '`out` to a port with nothing behind it'),
    instructions('The rest goes back as #GP', '`sti`, `hlt`, `rdmsr`'),
    pci('An empty slot reads as ones', 'an empty slot reads as all ones'),
    pci('What cannot be written is #GP', 'a write to the interrupt line or the identity'),
    pci('The console is in slot 1', 'slot 1 is the console'),
    pci('Capabilities stand in the original’s order', 'the capability chain goes 40, 50, 64, 84, 74'),
    pci('BAR0 has the size of what is behind it', 'BAR0 sizes to a power of two'),
    pci('A character can be printed at once', 'the window at 0x94 prints one character'),
    virtio('The handshake of Linux', 'Linux brings a device up'),
    virtio('Features by windows of 32', 'features are offered through a window'),
    virtio('Queues have 256 places', 'queue_size is 256'),
    virtio('ISR is read once', 'ISR says 1 after a completion'),
    block('A disk ends where it ends', 'a request beyond the end of the disk is an error'),
    block('Requests may be cut in any way', 'header, data and status may be cut in any way'),
    terminal('The end of input leaves the Guest running', 'the end of input leaves the Guest running'),
    command('Three ^C lead out', 'on a terminal every key is the Guest’s'),
    kernel('ELF is for i386', 'an ELF file of the wrong kind is refused'),
    kernel('A bzImage goes to 1M', 'a bzImage goes to 1M'),
    kernel('initrd, loader type and all of the zero page', 'the zero page says what the original says'),
    device('Registers at the beginning', 'a Guest begins with flat segments'),
    command('What the command ends with', 'the end of a Guest is the status of the command'),
  ],
};

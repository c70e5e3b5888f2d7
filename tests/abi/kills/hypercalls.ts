// Hypercalls that no Guest survives.
import { each, hex, type Kill } from './kill.js';

/** RAM of the Guests, and what is behind it. */
const RAM = 0x40000;
const DATA_SIZE = 1388;
const SWITCHER = 0xfffe1000;
/** Where lguest_data is, and what is in it. */
const DATA = 0x2000;
const KERNEL_ADDRESS = DATA + 1380;
const SYSCALL_VEC = DATA + 1384;
const OLDER_SYSCALL_VEC = DATA + 1388;

const beforeInit: readonly Kill[] = [
  ...each([0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16, 18, 19, 20], (number) => ({
    says: `hypercall ${number} comes first`,
    begin: 'reset',
    text: `hcall ${number}, DATA_PA`,
    message: `hypercall ${number} before INIT`,
  })),
  ...each([-1, -2147483648, 2147483647], (number) => ({
    says: `hypercall ${number} comes first`,
    begin: 'reset',
    text: `hcall ${number}`,
    message: `hypercall ${number} before INIT`,
  })),
];

const initialize: readonly Kill[] = [
  ...each(
    [
      ['four bytes beyond RAM', RAM - DATA_SIZE + 4],
      ['one byte beyond RAM', RAM - DATA_SIZE + 1],
      ['at the end of RAM', RAM],
      ['in a device’s window', RAM + 0x1000],
      ['around the end of the address space', 2 ** 32 - 4],
      ['at the last byte', 2 ** 32 - 1],
    ] as const,
    ([where, address]) => ({
      says: `lguest_data is ${where}`,
      begin: 'reset',
      text: `hcall LHCALL_LGUEST_INIT, ${hex(address)}`,
      message: `bad guest page {base+${address}}`,
    }),
  ),
  {
    says: 'lguest_data where the Launcher’s address would be 0',
    begin: 'reset',
    text: 'hcall LHCALL_LGUEST_INIT, MINUS_BASE',
    message: 'bad guest page   (null)',
  },
  ...each([0, 0x1f, 0x20, 0x7f, 0x81, 0x180, 0xffffffff], (vector) => ({
    says: `system calls by vector ${hex(vector)}`,
    begin: 'reset',
    text: 'hcall LHCALL_LGUEST_INIT, DATA_PA',
    words: { [SYSCALL_VEC]: vector },
    message: 'bad syscall vector',
  })),
  {
    says: 'system calls by another vector in the older structure',
    begin: 'reset',
    text: 'hcall LHCALL_LGUEST_INIT, DATA_PA',
    words: { [SYSCALL_VEC]: 0xc0000000, [OLDER_SYSCALL_VEC]: 0x81 },
    message: 'bad syscall vector',
  },
  ...each([SWITCHER, SWITCHER + 1, 0xffffffff], (address) => ({
    says: `a kernel at ${hex(address)}, where the Switcher is`,
    begin: 'reset',
    text: 'hcall LHCALL_LGUEST_INIT, DATA_PA',
    words: { [KERNEL_ADDRESS]: address },
    message: `bad kernel address ${hex(address)}`,
  })),
  {
    says: 'a second LHCALL_LGUEST_INIT',
    text: 'hcall LHCALL_LGUEST_INIT, DATA_PA',
    message: 'already have lguest_data',
  },
  {
    says: 'a second LHCALL_LGUEST_INIT, before the first page table',
    begin: 'linear',
    text: 'hcall LHCALL_LGUEST_INIT, DATA_PA',
    message: 'already have lguest_data',
  },
  {
    says: 'a second LHCALL_LGUEST_INIT, from the ring',
    text: 'movl $LHCALL_LGUEST_INIT, hcalls; movb $0, hcall_status; hcall LHCALL_FLUSH_ASYNC',
    message: 'already have lguest_data',
  },
];

const numbers: readonly Kill[] = [
  ...each([3, 11, 12, 17, 20, 31, 32, 255, 256, 2147483647, -2147483648, -1], (number) => ({
    says: `hypercall ${number}`,
    text: `hcall ${number}`,
    message: `Bad hypercall ${number}\n`,
  })),
  {
    says: 'hypercall 99 from the ring',
    text: 'movl $99, hcalls; movb $0, hcall_status; hcall LHCALL_FLUSH_ASYNC',
    message: 'Bad hypercall 99\n',
  },
  {
    says: 'LHCALL_SET_PMD without PAE',
    pae: false,
    text: 'hcall LHCALL_SET_PMD, DIRECTORY_PA, 0',
    message: 'Bad hypercall 13\n',
  },
  {
    says: 'LHCALL_SET_PMD before the first page table',
    begin: 'linear',
    text: 'hcall LHCALL_SET_PMD, DIRECTORY_PA, 0',
    message: 'Bad hypercall 13\n',
  },
  {
    says: 'two mistakes in the ring: the first is told',
    text: `movl $98, hcalls; movl $99, hcalls+20; movw $0, hcall_status; hcall 97`,
    message: 'Bad hypercall 98\n',
  },
  {
    says: 'a mistake in the ring before the end that was asked for',
    text: `movl $98, hcalls; movb $0, hcall_status; crash DONE`,
    message: 'Bad hypercall 98\n',
  },
];

const message = (text: string): string => `crash text_pa\n text: .asciz "${text}"`;

const shutdown: readonly Kill[] = [
  { says: 'the end that was asked for', text: message('Power down'), message: 'CRASH: Power down' },
  { says: 'an end without words', text: message(''), message: 'CRASH: ' },
  {
    says: 'an end with a message that is too long',
    text: message('a'.repeat(200)),
    message: `CRASH: ${'a'.repeat(127)}`,
  },
  {
    says: 'an end with a message that has no NUL',
    text: `movl $0x64636261, RAM_LAST; hcall LHCALL_SHUTDOWN, RAM_END-128, 1`,
    words: Object.fromEntries(Array.from({ length: 32 }, (_, i) => [RAM - 128 + 4 * i, 0x2e2e2e2e])),
    message: `CRASH: ${'.'.repeat(124)}abc`,
  },
  {
    says: 'an end with bytes that are no text',
    text: 'crash text_pa\n text: .byte 0x1b, 0x5b, 0x80, 0xff, 0x0a, 0',
    message: 'CRASH: \x1b[\x80\xff\n',
  },
  {
    says: 'an end before the first page table',
    begin: 'linear',
    text: 'crash DONE',
    message: 'CRASH: done',
  },
  {
    says: 'an end from the ring',
    text: `movl $LHCALL_SHUTDOWN, hcalls; movl $DONE, hcalls+4; movl $1, hcalls+8
           movb $0, hcall_status; hcall LHCALL_FLUSH_ASYNC`,
    message: 'CRASH: done',
  },
  {
    says: 'an end for a reason that is none',
    text: 'hcall LHCALL_SHUTDOWN, DONE, 77',
    message: 'CRASH: done',
  },
  ...each([RAM - 127, RAM, RAM + 0x1000, 0xffffff80, 0xffffffff], (address) => ({
    says: `an end with a message at ${hex(address)}`,
    text: `hcall LHCALL_SHUTDOWN, ${hex(address)}, 1`,
    message: `bad read address ${hex(address)} len 128`,
  })),
];

const idt: readonly Kill[] = [
  ...each([256, 257, 0x7fffffff, 0xffffffff], (vector) => ({
    says: `a gate for vector ${vector}`,
    text: `hcall LHCALL_LOAD_IDT_ENTRY, ${vector}, 0, 0x8e00`,
    message: `Setting idt entry ${vector}`,
  })),
  {
    says: 'no gate for vector 256',
    text: `hcall LHCALL_LOAD_IDT_ENTRY, 256, 0, 0`,
    message: 'Setting idt entry 256',
  },
  ...each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], (type) => ({
    says: `a gate of type ${type}`,
    text: `hcall LHCALL_LOAD_IDT_ENTRY, 14, 0, ${0x8000 | (type << 8)}`,
    message: `bad IDT type ${type}`,
  })),
  {
    says: 'a task gate for system calls',
    text: `hcall LHCALL_LOAD_IDT_ENTRY, 0x80, 0, 0xe500`,
    message: 'bad IDT type 5',
  },
];

const stack: readonly Kill[] = [
  ...each([0, 0x68, 0x6a, 0x6b, 0x7b, -1, -4], (segment) => ({
    says: `a kernel stack in segment ${segment}`,
    text: `hcall LHCALL_SET_STACK, ${segment}, STACK, 1`,
    message: `bad stack segment ${segment}`,
  })),
  ...each([3, 4, 1000, 0xffffffff], (pages) => ({
    says: `a kernel stack of ${pages} pages`,
    text: `hcall LHCALL_SET_STACK, 0x69, STACK, ${pages}`,
    message: `bad stack pages ${pages}`,
  })),
  {
    says: 'a kernel stack that is not mapped',
    text: 'hcall LHCALL_SET_STACK, 0x69, LAB+0x1000, 1',
    message: 'bad stack page 0xc0100fff',
  },
  {
    says: 'a kernel stack whose second page is not mapped',
    text: 'hcall LHCALL_SET_STACK, 0x69, KERNEL+0x1000, 2',
    message: 'bad stack page 0xbfffffff',
  },
  {
    says: 'a kernel stack that is read-only',
    text: 'movl $0x8061, LAB_PTE; hcall LHCALL_SET_STACK, 0x69, LAB+0x1000, 1',
    message: 'bad stack page 0xc0100fff',
  },
  {
    says: 'a kernel stack on a device',
    text: `movl $${RAM | 0x63}, LAB_PTE; hcall LHCALL_SET_STACK, 0x69, LAB+0x1000, 1`,
    message: 'bad stack page 0xc0100fff',
  },
  {
    says: 'a kernel stack at the end of the address space',
    text: 'hcall LHCALL_SET_STACK, 0x69, 0, 1',
    message: 'bad stack page 0xffffffff',
  },
  {
    says: 'a kernel stack where the Switcher is',
    text: `hcall LHCALL_SET_STACK, 0x69, ${hex(SWITCHER + 8)}, 1`,
    message: `bad stack page ${hex(SWITCHER + 7)}`,
  },
  {
    says: 'a kernel stack behind RAM, before the first page table',
    begin: 'linear',
    text: `hcall LHCALL_SET_STACK, 0x69, ${hex(RAM + 8)}, 1`,
    message: `bad stack page ${hex(RAM + 7)}`,
  },
  {
    says: 'a kernel stack that is gone after a flush',
    text: `movl $0x8063, LAB_PTE; hcall LHCALL_SET_STACK, 0x69, LAB+0x1000, 1
           movl $0, LAB_PTE; hcall LHCALL_FLUSH_TLB, 1`,
    message: 'bad stack page 0xc0100fff',
  },
  {
    says: 'a kernel stack that the next page table has not',
    text: `hcall LHCALL_SET_STACK, 0x69, USER_STACK, 1; hcall LHCALL_NEW_PGTABLE, DIRECTORY_2_PA`,
    message: 'bad stack page 0x803ffff',
  },
];

const segments: readonly Kill[] = [
  ...each([32, 33, 255, 0x7fffffff, -1, -2147483648], (index) => ({
    says: `descriptor ${index}`,
    text: `hcall LHCALL_LOAD_GDT_ENTRY, ${index}, 0xffff, 0xcf9200`,
    message: `too many gdt entries ${index}`,
  })),
  ...each([RAM - 23, RAM, RAM + 0x1000, 0xffffffe8, 0xffffffff], (address) => ({
    says: `thread-local descriptors at ${hex(address)}`,
    text: `hcall LHCALL_LOAD_TLS, ${hex(address)}`,
    message: `bad read address ${hex(address)} len 24`,
  })),
];

export const hypercallKills: readonly Kill[] = [
  ...beforeInit,
  ...initialize,
  ...numbers,
  ...shutdown,
  ...idt,
  ...stack,
  ...segments,
];

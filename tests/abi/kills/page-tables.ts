// Page tables that no Guest survives, and calls about them.
import { each, hex, type Kill } from './kill.js';

const RAM = 0x40000;
const DEVICES_END = 0x50000;
const SWITCHER = 0xfffe1000;
const P_RW = 0x63;
/** Of an upper level entry, besides P, RW, USER, ACCESSED and DIRTY. */
const OTHER_FLAGS = [
  ['PWT', 0x08],
  ['PCD', 0x10],
  ['PSE', 0x80],
  ['GLOBAL', 0x100],
  ['bit 9', 0x200],
  ['bit 10', 0x400],
  ['bit 11', 0x800],
] as const;

/** Nothing of the gigabyte at USER_FAR is mapped, so that its upper levels are free for experiments. */
const touchFar = 'mov 0x40000000, %eax';
/** Where the entries for 0x40000000 are: of the top level without PAE and with, and of a middle level page at 0xd000. */
const FAR_ENTRY = 'DIRECTORY+0x400';
const FAR_TOP_PAE = 'DIRECTORY+8';
const FAR_MIDDLE = 'KERNEL+0xd000';
const FAR_TABLE_PA = 0xe000;
const FAR_MIDDLE_PA = 0xd000;
const withMiddle = (low: number, high = 0): string =>
  `movl $${FAR_MIDDLE_PA | 1}, ${FAR_TOP_PAE}; movl $${low}, ${FAR_MIDDLE}; movl $${high}, ${FAR_MIDDLE}+4; ${touchFar}`;

const directories: readonly Kill[] = [
  ...each(OTHER_FLAGS, ([name, flag]) => ({
    says: `a directory entry with ${name}`,
    pae: false,
    text: `movl $${FAR_TABLE_PA | P_RW | flag}, ${FAR_ENTRY}; ${touchFar}`,
    message: 'bad page directory entry',
  })),
  ...each([RAM, RAM + 0x1000, DEVICES_END, 0xfffff000], (address) => ({
    says: `a directory entry that leads to ${hex(address)}`,
    pae: false,
    text: `movl $${hex(address | P_RW)}, ${FAR_ENTRY}; ${touchFar}`,
    message: 'bad page directory entry',
  })),
  ...each([['RW', 2], ['USER', 4], ['ACCESSED', 0x20], ['DIRTY', 0x40], ...OTHER_FLAGS] as const, ([name, flag]) => ({
    says: `a PAE top level entry with ${name}`,
    pae: true,
    text: `movl $${FAR_MIDDLE_PA | 1 | flag}, ${FAR_TOP_PAE}; ${touchFar}`,
    message: 'bad page directory entry',
  })),
  ...each([0, 1], (high) => ({
    says: `a PAE top level entry that leads behind RAM${high === 0 ? '' : ', above 4 GB'}`,
    pae: true,
    text: `movl $${high}, ${FAR_TOP_PAE}+4; movl $${high === 0 ? RAM | 1 : 1}, ${FAR_TOP_PAE}; ${touchFar}`,
    message: 'bad page directory entry',
  })),
  ...each(OTHER_FLAGS, ([name, flag]) => ({
    says: `a PAE middle level entry with ${name}`,
    pae: true,
    text: withMiddle(FAR_TABLE_PA | P_RW | flag),
    message: 'bad page middle directory entry',
  })),
  {
    says: 'a PAE middle level entry that leads behind RAM',
    pae: true,
    text: withMiddle(RAM | P_RW),
    message: 'bad page middle directory entry',
  },
  {
    says: 'a PAE middle level entry that leads above 4 GB',
    pae: true,
    text: withMiddle(FAR_TABLE_PA | P_RW, 1),
    message: 'bad page middle directory entry',
  },
];

const entries: readonly Kill[] = [
  {
    says: 'a page with bit 7',
    text: 'movl $0x80e3, LAB_PTE; mov LAB, %eax',
    message: 'bad page table entry',
  },
  {
    says: 'a device’s page with bit 7',
    text: `movl $${RAM | 0xe3}, LAB_PTE; mov LAB, %eax`,
    message: 'bad page table entry',
  },
  ...each([DEVICES_END, DEVICES_END + 0x1000, 0x80000000, 0xfffff000], (address) => ({
    says: `a page at ${hex(address)}, where nothing is`,
    text: `movl $${hex(address | P_RW)}, LAB_PTE; mov LAB, %eax`,
    message: 'bad page table entry',
  })),
  {
    says: 'a page behind everything, written to',
    text: `movl $${hex(DEVICES_END | P_RW)}, LAB_PTE; mov %eax, LAB`,
    message: 'bad page table entry',
  },
  {
    says: 'a page behind everything, jumped to',
    text: `movl $${hex(DEVICES_END | P_RW)}, LAB_PTE; mov $LAB, %eax; jmp *%eax`,
    message: 'bad page table entry',
  },
  {
    says: 'a page behind everything, for ring 3',
    text: `movl $${hex(DEVICES_END | 0x67)}, USER_PTE+PTE_SIZE
           hcall LHCALL_LOAD_GDT_ENTRY, 14, 0xffff, 0x00cffa00; hcall LHCALL_LOAD_GDT_ENTRY, 15, 0xffff, 0x00cff200
           mov $0x7b, %eax; mov %eax, %ds
           push $0x7b; push $USER_STACK; push $0x202; push $0x73; push $program; iret`,
    user: 'program: mov USER_CODE+0x1000, %eax',
    message: 'bad page table entry',
  },
  {
    says: 'a page above 4 GB',
    pae: true,
    text: 'movl $1, LAB_PTE+4; movl $0x8063, LAB_PTE; mov LAB, %eax',
    message: 'bad page table entry',
  },
  ...each([DEVICES_END, 0xf0000000], (address) => ({
    says: `a touch of ${hex(address)} before the first page table`,
    begin: 'linear',
    text: `mov ${hex(address)}, %eax`,
    message: 'bad page table entry',
  })),
  {
    says: 'a jump behind everything before LHCALL_LGUEST_INIT',
    begin: 'reset',
    text: `mov $${hex(DEVICES_END)}, %eax; jmp *%eax`,
    message: 'bad page table entry',
  },
];

/** LHCALL_SET_PTE looks at an entry only if there is a lower table: the page next to LAB is touched first. */
const knownTable = 'movl $0x8063, LAB_PTE+PTE_SIZE; mov LAB+0x1000, %eax';

const setPte: readonly Kill[] = [
  ...each([SWITCHER, SWITCHER + 0x1000, 0xffffffff], (address) => ({
    says: `LHCALL_SET_PTE for ${hex(address)}`,
    text: `hcall LHCALL_SET_PTE, DIRECTORY_PA, ${hex(address)}, 0`,
    message: 'attempt to set pte into Switcher pages',
  })),
  {
    says: 'LHCALL_SET_PTE for the Switcher before the first page table',
    begin: 'linear',
    text: `hcall LHCALL_SET_PTE, 0, ${hex(SWITCHER)}, 0`,
    message: 'attempt to set pte into Switcher pages',
  },
  {
    says: 'LHCALL_SET_PTE for the Switcher, from the ring',
    text: `movl $LHCALL_SET_PTE, hcalls; movl $${hex(SWITCHER)}, hcalls+8; movb $0, hcall_status
           hcall LHCALL_FLUSH_ASYNC`,
    message: 'attempt to set pte into Switcher pages',
  },
  {
    says: 'LHCALL_SET_PTE with bit 7',
    text: `${knownTable}; hcall LHCALL_SET_PTE, DIRECTORY_PA, LAB, 0x80e3, 0`,
    message: 'bad page table entry',
  },
  {
    says: 'LHCALL_SET_PTE to behind everything',
    text: `${knownTable}; hcall LHCALL_SET_PTE, DIRECTORY_PA, LAB, ${hex(DEVICES_END | P_RW)}, 0`,
    message: 'bad page table entry',
  },
  {
    says: 'LHCALL_SET_PTE to above 4 GB',
    pae: true,
    text: `${knownTable}; hcall LHCALL_SET_PTE, DIRECTORY_PA, LAB, 0x8063, 1`,
    message: 'bad page table entry',
  },
];

const setPgd: readonly Kill[] = [
  ...each([1024, 1025, 0x7fffffff, 0xffffffff], (index) => ({
    says: `LHCALL_SET_PGD for entry ${index}`,
    pae: false,
    text: `hcall LHCALL_SET_PGD, DIRECTORY_PA, ${index}`,
    message: `Attempt to set pgd ${index}/1024`,
  })),
  ...each([4, 5, 1023, 0xffffffff], (index) => ({
    says: `LHCALL_SET_PGD for entry ${index} with PAE`,
    pae: true,
    text: `hcall LHCALL_SET_PGD, DIRECTORY_PA, ${index}`,
    message: `Attempt to set pgd ${index}/4`,
  })),
  {
    says: 'LHCALL_SET_PGD for entry 1024 of a page table that nobody knows',
    pae: false,
    text: 'hcall LHCALL_SET_PGD, 0, 1024',
    message: 'Attempt to set pgd 1024/1024',
  },
];

const newPagetable: readonly Kill[] = [
  ...each([RAM, RAM + 0x1000, 0xfffff000], (cr3) => ({
    says: `the first page table at ${hex(cr3)}`,
    begin: 'linear',
    text: `hcall LHCALL_NEW_PGTABLE, ${hex(cr3)}`,
    message: `bad read address ${hex(cr3)} len 4`,
  })),
  {
    says: 'a page table behind RAM',
    pae: false,
    text: `hcall LHCALL_NEW_PGTABLE, ${hex(RAM)}; mov 0x8000000, %eax`,
    message: `bad read address ${hex(RAM + 0x80)} len 4`,
  },
  {
    says: 'a page table behind RAM, with PAE',
    pae: true,
    text: `hcall LHCALL_NEW_PGTABLE, ${hex(RAM)}; mov 0x40000000, %eax`,
    message: `bad read address ${hex(RAM + 8)} len 4`,
  },
  {
    says: `a page table whose upper half is behind RAM`,
    pae: false,
    text: `hcall LHCALL_NEW_PGTABLE, RAM_END-0x800; mov 0xd0000000, %eax`,
    message: `bad read address ${hex(RAM - 0x800 + 0xd00)} len 4`,
  },
];

export const pageTableKills: readonly Kill[] = [...directories, ...entries, ...setPte, ...setPgd, ...newPagetable];

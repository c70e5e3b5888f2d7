// Where things are in a Guest of a few instructions: lguest_data, page tables with and without PAE, code, stacks. Both kinds of
// such Guests, in bytes and in assembly, are laid out like this.
//
//     virtual                                  guest-physical
//     KERNEL, and 0   all of RAM, ring 1       0x01000 message   0x02000 lguest_data   0x03000 results
//     USER            the same, ring 3 from    0x04000 page tables   0x08000 boot   0x09000 page tables
//                     its upper half on        0x10000 code, stack below 0x20000
//                                              0x20000 upper half
import { LHCALL } from '../../guest-abi/hypercalls.js';
import { LGUEST_DATA, LGUEST_DATA_3_11, LGUEST_DATA_4_1 } from '../../guest-abi/lguest-data.js';

export const PAGE = 4096;
export const RAM_PAGES = 64;
export const RAM = RAM_PAGES * PAGE;
/** 16 pages of device windows above RAM. */
export const DEVICE_LIMIT = RAM_PAGES + 16;

export const MESSAGE = 0x1000;
export const DATA = 0x2000;
export const RESULT = 0x3000;
export const DIRECTORY = 0x4000;
export const KERNEL_TABLE = 0x5000;
export const USER_TABLE = 0x6000;
/** PAE: the middle level pages, of the first gigabyte and of the kernel's. */
export const LOW_MIDDLE = 0x7000;
export const KERNEL_MIDDLE = 0x9000;
/** Another page table: it maps the kernel, and at USER what USER_TABLE_2 says, which is nothing yet. */
export const DIRECTORY_2 = 0xa000;
export const USER_TABLE_2 = 0xb000;
export const LOW_MIDDLE_2 = 0xc000;
export const BOOT = 0x8000;
export const CODE = 0x10000;
export const STACK_TOP = 0x20000;

export const KERNEL = 0xc0000000;
export const USER = 0x8000000;
/** Where ring 3 sees the second half of RAM. */
export const USER_CODE = USER + 0x20000;
export const USER_STACK = USER + 0x40000;

const P = 1;
const P_RW = 0x63;
const P_RW_USER = 0x67;

export interface Layout {
  readonly pae?: boolean;
  /** `lguest_data` of Linux 3.11 to 4.0 has a range without interrupts; otherwise it is one `iret`, if there is one. */
  readonly noInterrupts?: { readonly start: number; readonly end?: number };
}

export const word = (value: number): number[] => [value, value >>> 8, value >>> 16, value >>> 24].map((b) => b & 0xff);

type Put = (at: number, value: number) => void;

function writeData(bytes: Uint8Array, put: Put, { noInterrupts }: Layout): void {
  bytes.fill(0xff, DATA + LGUEST_DATA.hcall_status, DATA + LGUEST_DATA.hcalls);
  const { start = 0, end } = noInterrupts ?? {};
  const fields = end === undefined ? LGUEST_DATA_4_1 : LGUEST_DATA_3_11;
  put(DATA + LGUEST_DATA_4_1.noirq_iret, start);
  if (end !== undefined) put(DATA + LGUEST_DATA_3_11.noirq_end, end);
  put(DATA + fields.kernel_address, KERNEL);
  put(DATA + fields.syscall_vec, 0x80);
}

/** The levels above the two lower tables of one page table. */
function writeDirectory(put: Put, pae: boolean, top: number, lowMiddle: number, userTable: number): void {
  if (!pae) {
    put(top, KERNEL_TABLE | P_RW);
    put(top + (KERNEL >>> 22) * 4, KERNEL_TABLE | P_RW);
    put(top + (USER >>> 22) * 4, userTable | P_RW_USER);
    return;
  }
  put(top, lowMiddle | P);
  put(top + (KERNEL >>> 30) * 8, KERNEL_MIDDLE | P);
  put(lowMiddle, KERNEL_TABLE | P_RW);
  put(lowMiddle + (USER >>> 21) * 8, userTable | P_RW_USER);
  put(KERNEL_MIDDLE, KERNEL_TABLE | P_RW);
}

/** Fills RAM, which is zero, with all but code. */
export function writeLayout(bytes: Uint8Array, layout: Layout = {}): void {
  const { pae = false } = layout;
  const put: Put = (at, value) => bytes.set(word(value), at);
  const size = pae ? 8 : 4;
  writeData(bytes, put, layout);
  writeDirectory(put, pae, DIRECTORY, LOW_MIDDLE, USER_TABLE);
  writeDirectory(put, pae, DIRECTORY_2, LOW_MIDDLE_2, USER_TABLE_2);
  for (let page = 0; page < RAM_PAGES; page++) {
    put(KERNEL_TABLE + size * page, (page * PAGE) | P_RW);
    if (page >= RAM_PAGES / 2) put(USER_TABLE + size * page, (page * PAGE) | P_RW_USER);
  }
  bytes.set(Buffer.from('done\0'), MESSAGE);
}

const HYPERCALL_REGISTERS = [0xb8, 0xbb, 0xb9, 0xba, 0xbe];

/** `mov` of number and arguments into eax, ebx, ecx, edx and esi, and `int $0x1f`. */
export const hypercallBytes = (...values: readonly number[]): number[] => [
  ...values.flatMap((value, i) => [HYPERCALL_REGISTERS[i] ?? 0, ...word(value)]),
  0xcd,
  0x1f,
];

/** LHCALL_LGUEST_INIT, a page table if it is to be, a stack, and off to the code. */
export function bootBytes(paging: boolean): number[] {
  const origin = paging ? KERNEL : 0;
  return [
    ...hypercallBytes(LHCALL.LHCALL_LGUEST_INIT, DATA),
    ...(paging ? hypercallBytes(LHCALL.LHCALL_NEW_PGTABLE, DIRECTORY) : []),
    0xbc, // mov esp
    ...word(origin + STACK_TOP),
    0xb8, // mov eax
    ...word(origin + CODE),
    0xff, // jmp eax
    0xe0,
  ];
}

// Every form of every instruction that asks the machine what it is, in ring 1 and ring 3.
import { type AssemblyGuest, DONE, toUser } from '../support/assembly-guest.js';
import { everywhere, type Same } from '../support/everywhere.js';
import { ASKING_RINGS, askedForms } from './asking.js';

/** Where answers go, as the Guest’s memory has it: those in memory, those in registers. */
const MEMORY = 0x21100;
const REGISTERS = 0x21180;
const SWITCHER = 0xfffe1000;
const GDT_LIMIT = 255;
const IDT_LIMIT = 2047;
const TR = 0x80;
/** PE, MP, ET, NE: the low word of cr0. */
const MACHINE_STATUS = 0x33;
/** A selector, or a machine status, in a register of 32 or 16 bits, or in memory. */
function answer(guest: AssemblyGuest, bytes: Uint8Array): number {
  const inRegister = (bytes.at(-1) ?? 0) >= 0xc0;
  return inRegister ? guest.word(REGISTERS, 1) : guest.word(MEMORY);
}

/** Limit and base that sgdt or sidt left. With operands of 16 bits the manual promises three bytes of the base. */
function checkTable(same: Same, guest: AssemblyGuest, limit: number, bits: number, what: string): void {
  const low = guest.word(MEMORY);
  const base = ((guest.word(MEMORY, 1) << 16) | (low >>> 16)) >>> 0;
  const mask = bits === 16 ? 0xffffff : 0xffffffff;
  same(low & 0xffff, limit, what);
  same((base & mask) >>> 0 >= (SWITCHER & mask) >>> 0, true, `${what}: ${base.toString(16)}`);
}

type Check = (same: Same, guest: AssemblyGuest, bytes: Uint8Array, bits: number, what: string) => void;

const CHECKS: Readonly<Record<string, Check>> = {
  cpuid: (same, guest, _bytes, _bits, what) => {
    const registers = [0, 1, 2, 3].map((i) => guest.word(REGISTERS, i));
    const [leaves = 0, ecx = 0, edx = 0, ebx = 0] = registers;
    same(
      [leaves > 0 && leaves < 0x20, Buffer.from(Uint32Array.of(ebx, edx, ecx).buffer).toString()],
      [true, 'GenuineIntel'],
      what,
    );
  },
  rdtsc: (same, guest, _bytes, _bits, what) => same(guest.word(REGISTERS) > 0, true, what),
  sgdt: (same, guest, _bytes, bits, what) => checkTable(same, guest, GDT_LIMIT, bits, what),
  sidt: (same, guest, _bytes, bits, what) => checkTable(same, guest, IDT_LIMIT, bits, what),
  sldt: (same, guest, bytes, _bits, what) => same(answer(guest, bytes) & 0xffff, 0, what),
  str: (same, guest, bytes, _bits, what) => same(answer(guest, bytes) & 0xffff, TR, what),
  smsw: (same, guest, bytes, _bits, what) => same(answer(guest, bytes) & 0xffff, MACHINE_STATUS, what),
};
/** What ends in a trap instead. */
const TRAPS: Readonly<Record<string, RegExp>> = {
  rdpmc: /^trap 13: 0f33/,
  sysenter: /^trap 13: 0f34/,
  sysexit: /^trap 13: 0f35/,
  int1: /^CRASH: int1$/,
};

/** `code` with its operand at MEMORY: by a flat ds, or by one that begins at the page. */
function asking(bytes: Uint8Array, flat: boolean, ring: 1 | 3): { kernel: string; user: string } {
  const page = ring === 1 ? 0xc0021000 : 0x8021000;
  const begin = flat
    ? `mov $${page + 0x100}, %edi`
    : `mov $${ring === 1 ? 0xa1 : 0xa3}, %eax; mov %eax, %ds; mov $0x100, %edi; mov $0x100, %ebx`;
  const store = ['eax', 'ecx', 'edx', 'ebx'].map((reg, i) => `mov %${reg}, %es:${page + 0x180 + 4 * i}`).join('; ');
  const body = `${begin}; mov $0, %eax; mov $0x5555, %ecx; .byte ${[...bytes].join(', ')}; ${store}`;
  const descriptor = `hcall LHCALL_LOAD_GDT_ENTRY, 20, ${((page & 0xffff) << 16) | 0xffff}, ${(page & 0xff000000) | (ring === 1 ? 0xcf9200 : 0xcff200) | ((page >>> 16) & 0xff)}`;
  const gates = `gate 1, single; gate 0x80, call, 3; hcall LHCALL_SET_STACK, 0x69, STACK, 1; ${descriptor}`;
  const ends = `call: crash DONE; single: crash text_pa; text: .asciz "int1"`;
  return ring === 1
    ? { kernel: `${gates}; ${body}; crash DONE; ${ends}`, user: '' }
    : { kernel: `${gates}; ${toUser('program')}; ${ends}`, user: `program: ${body}; int $0x80` };
}

everywhere('what asks the machine gets the Switcher’s answer, in every form', (same, guest) => {
  for (const { form, bytes, mode } of askedForms()) {
    // Of the example's bytes only the instruction: its operand is (%edi), (%bx) or ecx, and nothing follows.
    const what = `${form.mnemonic} ${Buffer.from(bytes).toString('hex')}`;
    for (const ring of ASKING_RINGS) {
      const { kernel, user } = asking(bytes, mode.flat, ring);
      const made = guest(kernel, { user });
      const end = made.run();
      const trap = TRAPS[form.mnemonic];
      if (trap !== undefined) {
        same(trap.test(end), true, `${what}: ${end}`);
        continue;
      }
      same(end, DONE, what);
      CHECKS[form.mnemonic]?.(same, made, bytes, form.operandSize, `${what} in ring ${ring}`);
    }
  }
});

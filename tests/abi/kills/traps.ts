// Traps that nobody handles, and frames that cannot be pushed.
import { OPEN, toUser } from '../../support/assembly-guest.js';
import { each, hex, type Kill } from './kill.js';

const RAM = 0x40000;
const SWITCHER = 0xfffe1000;

/** A data segment that can be loaded and taken away again: entry 20. */
const entry20 = (high: number): string => `hcall LHCALL_LOAD_GDT_ENTRY, 20, 0xffff, ${hex(high)}`;

const exceptions: readonly Kill[] = [
  { says: '#DE', text: 'xor %ecx, %ecx; at: div %ecx', message: 'unhandled trap 0 at {at} (0)' },
  {
    says: '#DB, a single step',
    text: 'pushf; orl $0x100, (%esp); popf; nop; at: nop',
    message: 'unhandled trap 1 at {at} (0)',
  },
  { says: 'int3 that ring 1 may not', text: 'at: int3', message: 'unhandled trap 13 at {at} (0x1a)' },
  {
    says: 'into that ring 1 may not',
    text: 'mov $0x7f, %al; inc %al; at: into',
    message: 'unhandled trap 13 at {at} (0x22)',
  },
  {
    says: '#BR',
    text: 'movl $1, RESULT; mov $9, %eax; at: bound RESULT, %eax',
    message: 'unhandled trap 5 at {at} (0)',
  },
  { says: '#UD', text: 'at: ud2', message: 'unhandled trap 6 at {at} (0)' },
  { says: '#UD of a lock that is none', text: 'at: .byte 0xf0, 0x90', message: 'unhandled trap 6 at {at} (0)' },
  { says: '#NM', text: 'hcall LHCALL_TS, 1; at: fninit', message: 'unhandled trap 7 at {at} (0)' },
  {
    says: '#TS, an iret with NT',
    text: 'pushf; orl $0x4000, (%esp); popf; at: iret',
    message: 'unhandled trap 10 at {at} (0)',
  },
  {
    says: '#NP, a data segment that is not present',
    text: `${entry20(0xcf1200)}; mov $0xa1, %eax; at: mov %eax, %fs`,
    message: 'unhandled trap 11 at {at} (0xa0)',
  },
  {
    says: '#SS, a stack segment that is not present',
    text: `${entry20(0xcf3200)}; mov $0xa1, %eax; at: mov %eax, %ss`,
    message: 'unhandled trap 12 at {at} (0xa0)',
  },
  {
    says: '#GP, a selector behind the table',
    text: 'mov $0x201, %eax; at: mov %eax, %ds',
    message: 'unhandled trap 13 at {at} (0x200)',
  },
  {
    says: '#GP, a selector of the other table',
    text: 'mov $0x6f, %eax; at: mov %eax, %ds',
    message: 'unhandled trap 13 at {at} (0x6c)',
  },
  {
    says: '#GP, the Host’s code segment',
    text: 'push $0x50; push $at; at: lret',
    message: 'unhandled trap 13 at {at} (0x50)',
  },
  {
    says: '#GP, the Host’s data segment',
    text: 'mov $0x58, %eax; at: mov %eax, %ss',
    message: 'unhandled trap 13 at {at} (0x58)',
  },
  ...each([0x20, 0x21, 0x7f, 0x81, 0xff], (vector) => ({
    says: `int ${hex(vector)}`,
    text: `at: int $${vector}`,
    message: `unhandled trap 13 at {at} (${hex(vector * 8 + 2)})`,
  })),
  { says: 'int 0x80 without a gate', text: 'at: int $0x80', message: 'unhandled trap 13 at {at} (0x402)' },
  {
    says: '#PF, reading what is not mapped',
    text: 'at: mov LAB, %eax',
    message: 'unhandled trap 14 at {at} (0xc0100000)',
  },
  {
    says: '#PF, writing what is not mapped',
    text: 'at: mov %eax, LAB+8',
    message: 'unhandled trap 14 at {at} (0xc0100008)',
  },
  {
    says: '#PF, writing what is read-only',
    text: 'movl $0x8061, LAB_PTE; at: mov %eax, LAB',
    message: 'unhandled trap 14 at {at} (0xc0100000)',
  },
  {
    says: '#PF, a jump to nowhere',
    text: 'mov $LAB, %eax; jmp *%eax',
    message: 'unhandled trap 14 at 0xc0100000 (0xc0100000)',
  },
  {
    says: '#PF at address 0',
    begin: 'paging',
    words: { 0x5000: 0 },
    text: 'at: mov 0, %eax',
    message: 'unhandled trap 14 at {at} (0)',
  },
  {
    says: '#PF where the Switcher is',
    text: `at: mov ${hex(SWITCHER)}, %eax`,
    message: `unhandled trap 14 at {at} (${hex(SWITCHER)})`,
  },
  {
    says: '#PF where the Switcher is, before LHCALL_LGUEST_INIT',
    begin: 'reset',
    text: `at: mov ${hex(SWITCHER)}, %eax`,
    message: `unhandled trap 14 at {at} (${hex(SWITCHER)})`,
  },
  { says: '#UD before LHCALL_LGUEST_INIT', begin: 'reset', text: 'at: ud2', message: 'unhandled trap 6 at {at} (0)' },
  {
    says: '#UD before the first page table',
    begin: 'linear',
    text: 'at: ud2',
    message: 'unhandled trap 6 at {at} (0)',
  },
  {
    says: '#MF, x87',
    text: 'fninit; push $0x37b; fldcw (%esp); fld1; fldz; fdivrp; at: fwait',
    message: 'unhandled trap 16 at {at} (0)',
  },
  {
    says: '#XM, SSE',
    text: 'push $0x1d00; ldmxcsr (%esp); xorps %xmm0, %xmm0; push $0x3f800000; movss (%esp), %xmm1; at: divss %xmm0, %xmm1',
    message: 'unhandled trap 19 at {at} (0)',
  },
  {
    says: 'a trap whose gate has been taken away',
    text: 'gate 6, at; hcall LHCALL_LOAD_IDT_ENTRY, 6, 0, 0; at: ud2',
    message: 'unhandled trap 6 at {at} (0)',
  },
];

const programs: readonly Kill[] = [
  ...each(
    [
      ['a hypercall', 'int $0x1f', 'trap 13 at {at} (0xfa)'],
      ['a system call nobody takes', 'int $0x80', 'trap 13 at {at} (0x402)'],
      ['int3 without a gate', 'int3', 'trap 13 at {at} (0x1a)'],
      ['#UD', 'ud2', 'trap 6 at {at} (0)'],
      ['#DE', 'div %edx', 'trap 0 at {at} (0)'],
      ['#PF in the kernel’s memory', 'mov KERNEL, %eax', 'trap 14 at {at} (0xc0000000)'],
      ['#PF at nothing', 'mov 0x12345678, %eax', 'trap 14 at {at} (0x12345678)'],
      ['#PF in the Switcher', 'mov %eax, 0xfffff000', 'trap 14 at {at} (0xfffff000)'],
      ['#GP, the kernel’s segment', 'mov %eax, %ds', 'trap 13 at {at} (0x68)'],
    ] as const,
    ([what, instruction, end]): Kill => ({
      says: `a program: ${what}`,
      text: toUser('program'),
      user: `program: xor %edx, %edx; mov $0x68, %eax; at: ${instruction}`,
      message: `unhandled ${end}`,
    }),
  ),
  {
    says: 'a program: #AC',
    text: toUser('program').replace('$0x202', '$0x40202'),
    user: 'program: mov USER_CODE, %eax; at: mov USER_CODE+1, %eax',
    message: 'unhandled trap 17 at {at} (0)',
  },
  {
    says: 'a program runs where only the kernel may',
    text: toUser('KERNEL'),
    message: 'unhandled trap 14 at 0xc0000000 (0xc0000000)',
  },
];

/** A segment is loaded, and then taken away by a hypercall: the entry after it fails. */
const badEntries: readonly Kill[] = [
  ...each(['ds', 'es', 'fs', 'gs'] as const, (segment) => ({
    says: `${segment} no longer loads`,
    text: `${entry20(0xcf9200)}; mov $0xa1, %eax; mov %eax, %${segment}; ${entry20(0)}; at: nop`,
    message: 'unhandled trap 256 at {at} (0xa0)',
  })),
  {
    says: 'cs no longer loads',
    text: `hcall LHCALL_LOAD_GDT_ENTRY, 12, 0, 0; at: nop`,
    message: 'unhandled trap 256 at {at} (0x60)',
  },
  {
    says: 'cs is a data segment',
    text: `hcall LHCALL_LOAD_GDT_ENTRY, 12, 0xffff, 0x00cfb300; at: nop`,
    message: 'unhandled trap 256 at {at} (0x60)',
  },
  {
    says: 'ss is read-only',
    text: `hcall LHCALL_LOAD_GDT_ENTRY, 13, 0xffff, 0x00cfb100; at: nop`,
    message: 'unhandled trap 256 at {at} (0x68)',
  },
  {
    says: 'ss is not present',
    text: `hcall LHCALL_LOAD_GDT_ENTRY, 13, 0xffff, 0x00cf3300; at: nop`,
    message: 'unhandled trap 256 at {at} (0x68)',
  },
  {
    says: 'a thread-local segment is loaded when LHCALL_LOAD_TLS takes it away',
    text: `hcall LHCALL_LOAD_GDT_ENTRY, 6, 0xffff, 0x00cff200; mov $0x33, %eax; mov %eax, %gs
           hcall LHCALL_LOAD_TLS, RESULT_PA; at: nop`,
    message: 'unhandled trap 256 at {at} (0x30)',
  },
];

/** A handler is there, a stack is not. */
const frames: readonly Kill[] = [
  {
    says: 'a trap on a stack that is not mapped',
    text: 'gate 6, handler; mov $LAB+0x100, %esp; ud2; handler: nop',
    message: 'Bad address 0xc01000fc',
  },
  {
    says: 'a trap on a stack that ends where nothing is mapped',
    text: 'movl $0x8063, LAB_PTE; gate 6, handler; mov $LAB+4, %esp; ud2; handler: nop',
    words: { 0x53fc: 0, 0x57f8: 0 },
    message: 'Bad address 0xc00ffffc',
  },
  {
    says: 'a trap on a stack at 0',
    text: 'gate 6, handler; xor %esp, %esp; ud2; handler: nop',
    message: 'Bad address 0xfffffffc',
  },
  {
    says: 'a trap on a stack in a device',
    text: `movl $${RAM | 0x63}, LAB_PTE; gate 6, handler; mov $LAB+0x100, %esp; ud2; handler: nop`,
    message: `bad write address ${hex(RAM + 0xfc)} len 4`,
  },
  {
    says: 'a program’s trap without LHCALL_SET_STACK',
    text: `gate 6, handler; ${toUser('program')} handler: nop`,
    user: 'program: ud2',
    message: 'Bad address 0xfffffffc',
  },
  {
    says: 'a program’s trap on a kernel stack that has gone',
    text: `movl $0x8063, LAB_PTE; hcall LHCALL_SET_STACK, 0x69, LAB+0x1000, 0; gate 6, handler; movl $0, LAB_PTE
           ${toUser('program')} handler: nop`,
    user: 'program: ud2',
    message: 'Bad address 0xc0100ffc',
  },
  {
    says: 'a page fault whose frame cannot be pushed',
    text: 'gate 14, handler; mov $LAB+0x100, %esp; mov LAB, %eax; handler: nop',
    message: 'Bad address 0xc01000fc',
  },
  {
    says: 'an interrupt on a stack that is not mapped',
    text: `gate 37, handler; ${OPEN}; mov $LAB+0x100, %esp; out %al, $1; handler: nop`,
    ports: { 1: (guest) => guest.irq(5) },
    message: 'Bad address 0xc01000fc',
  },
  {
    says: 'an interrupt at noirq_iret whose frame is not mapped',
    text: `gate 37, handler; ${OPEN}; mov $LAB-8, %esp; out %al, $1; noirq_iret: iret; handler: nop`,
    ports: { 1: (guest) => guest.irq(5) },
    message: 'Bad address 0xc0100000',
  },
  {
    says: 'an interrupt at noirq_iret whose frame is a device’s',
    text: `movl $${RAM | 0x63}, LAB_PTE; gate 37, handler; ${OPEN}; mov $LAB, %esp; out %al, $1; noirq_iret: iret; handler: nop`,
    ports: { 1: (guest) => guest.irq(5) },
    message: `bad read address ${hex(RAM + 8)} len 4`,
  },
  {
    says: 'a privileged instruction in a page that the Guest has unmapped and not flushed',
    text: `movl $0x10063, LAB_PTE; mov $LAB+(target&0xfff), %eax; jmp *%eax
           target: movl $0, LAB_PTE; at: hlt`,
    message: 'Bad address {LAB+at}',
  },
];

export const trapKills: readonly Kill[] = [...exceptions, ...programs, ...badEntries, ...frames];

// Traps: whose business each is, what the frame says, and the exact code of a page fault. And segments, which every entry loads.
import { LHREQ } from '../../guest-abi/lguest-launcher.js';
import { type AssemblyGuest, DONE, OPEN, toUser } from '../support/assembly-guest.js';
import { everywhere } from '../support/everywhere.js';

const IF = 0x200;
const TF = 0x100;
const frame = (count: number, at = 0): string =>
  Array.from({ length: count }, (_, i) => `mov ${4 * i}(%esp), %eax; mov %eax, RESULT+${at + 4 * i};`).join(' ');
const KERNEL_DATA = 'mov $0x69, %eax; mov %eax, %ds';
const SET_STACK = 'hcall LHCALL_SET_STACK, 0x69, STACK, 1';
const label = (guest: AssemblyGuest, name: string): number | undefined => guest.labels.get(name);

/** Each exception that an instruction makes, with what it needs before and its error code if it has one. */
const EXCEPTIONS = [
  ['#DE', 0, 'xor %ecx, %ecx', 'div %ecx', undefined],
  ['#BR', 5, 'mov $9, %eax', 'bound limits, %eax', undefined],
  ['#UD', 6, '', 'ud2', undefined],
  ['#GP', 13, 'mov $0x208, %eax', 'mov %eax, %es', 0x208],
  ['#PF', 14, '', 'mov 0x12345678, %eax', 0],
  ['#MF', 16, 'fninit; push $0x37b; fldcw (%esp); pop %eax; fld1; fldz; fdivrp', 'fwait', undefined],
  ['#XM', 19, 'push $0x1d00; ldmxcsr (%esp); pop %eax; xorps %xmm0, %xmm0', 'divss %xmm0, %xmm0', undefined],
] as const;

everywhere('an exception goes to its handler from ring 1 and ring 3, by interrupt and by trap gate', (same, guest) => {
  const kinds = [
    ['gate', 0],
    ['trapgate', IF],
  ] as const;
  for (const [name, vector, before, instruction, error] of EXCEPTIONS) {
    const code = `${before}; at: ${instruction}; nop; limits: .long 0, 1`;
    const words = error === undefined ? 0 : 4;
    for (const [kind, left] of kinds) {
      const kernel = guest(
        `${kind} ${vector}, handler; ${OPEN}; mov %esp, %ebp; ${code}
         handler: mov irq_enabled, %ebx; mov %ebx, RESULT+24; mov %esp, RESULT+28; mov %ebp, RESULT+32; ${frame(4)} crash DONE`,
      );
      same(kernel.run(), DONE, `${name} by ${kind}`);
      const [first, second, third, fourth, , , enabled, esp, ebp = 0] = kernel.results(9);
      const [eip, cs, eflags] = words === 0 ? [first, second, third] : [second, third, fourth];
      same([eip, cs, (eflags ?? 0) & IF, enabled, esp], [label(kernel, 'at'), 0x61, IF, left, ebp - 12 - words]);
      if (words > 0) same(first, error);

      const user = guest(
        `${kind} ${vector}, handler; ${SET_STACK}; ${OPEN}; ${toUser('program')}
         handler: ${KERNEL_DATA}; mov irq_enabled, %ebx; mov %ebx, RESULT+24; ${frame(6)} crash DONE`,
        { user: `program: ${code}` },
      );
      same(user.run(), DONE, `${name} by ${kind} from ring 3`);
      const results = user.results(7);
      const [userEip, userCs, userFlags, userEsp, userSs] = words === 0 ? results : results.slice(1);
      same([userEip, userCs, (userFlags ?? 0) & IF], [label(user, 'at'), 0x73, IF]);
      same([userEsp, userSs, results[6]], [0x8040000, 0x7b, left]);
      if (words > 0) same(results[0], error === 0 ? 4 : error);
    }
  }
});

everywhere('int3, into and int 0x80 are for programs when the gate says so, and go on behind it', (same, guest) => {
  for (const [vector, instruction] of [
    [3, 'int3'],
    [4, 'into'],
    [0x80, 'int $0x80'],
  ] as const) {
    for (const kind of ['gate', 'trapgate']) {
      const made = guest(
        `${kind} ${vector}, handler, 3; ${SET_STACK}; ${OPEN}; ${toUser('program')}
         handler: ${KERNEL_DATA}; mov irq_enabled, %ebx; mov %ebx, RESULT+20; ${frame(5)} crash DONE`,
        { user: `program: mov $0x7f, %al; inc %al; ${instruction}; behind: nop` },
      );
      same(made.run(), DONE, `${instruction} by ${kind}`);
      const [eip, cs, eflags, esp, ss, enabled] = made.results(6);
      same([eip, cs, (eflags ?? 0) & IF, esp, ss], [label(made, 'behind'), 0x73, IF, 0x8040000, 0x7b]);
      same(enabled, kind === 'gate' ? 0 : IF);
    }
  }
});

everywhere('a gate with DPL 0 is none for programs: #GP names it (41)', (same, guest) => {
  for (const [instruction, error] of [
    ['int3', 0x1a],
    ['int $0x80', 0x402],
    ['int $0x21', 0x10a],
    ['int $0x1f', 0xfa],
  ] as const) {
    const made = guest(
      `gate 3, wrong; trapgate 0x80, wrong; gate 0x21, wrong, 3; gate 13, handler; ${SET_STACK}; ${toUser('program')}
       wrong: hlt
       handler: ${KERNEL_DATA}; ${frame(3)} crash DONE`,
      { user: `program: mov $LHCALL_SHUTDOWN, %eax; at: ${instruction}` },
    );
    same(made.run(), DONE, instruction);
    same(made.results(3), [error, label(made, 'at'), 0x73]);
  }
});

everywhere('`int $0x21` in the kernel is #GP(0x10a), whatever gate there is (40)', (same, guest) => {
  const made = guest(
    `gate 0x21, wrong, 3; gate 13, handler; at: int $0x21; wrong: hlt; handler: ${frame(3)} crash DONE`,
  );
  same(made.run(), DONE);
  same(made.results(3), [0x10a, label(made, 'at'), 0x61]);
});

everywhere('#GP(0) is the Launcher’s, from the kernel and from a program (37)', (same, guest) => {
  for (const [instruction, bytes] of [
    ['hlt', 'f4'],
    ['sti', 'fb'],
    ['cli', 'fa'],
    ['in %dx, %eax', 'ed'],
    ['out %al, $0x80', 'e680'],
    ['insb', '6c'],
    ['rep outsl', 'f36f'],
    ['rdmsr', '0f32'],
    ['wrmsr', '0f30'],
    ['invd', '0f08'],
    ['wbinvd', '0f09'],
    ['clts', '0f06'],
    ['lgdt (%eax)', '0f0110'],
    ['lidt (%eax)', '0f0118'],
    ['lldt %ax', '0f00d0'],
    ['ltr %ax', '0f00d8'],
    ['lmsw %ax', '0f01f0'],
    ['invlpg (%eax)', '0f0138'],
    ['mov %cr0, %eax', '0f20c0'],
    ['mov %eax, %cr3', '0f22d8'],
    ['mov %eax, %dr7', '0f23f8'],
    ['sysexit', '0f35'],
  ] as const) {
    const nops = '; nop; nop; nop; nop; nop; nop; nop';
    const wanted = `trap 13: ${bytes.padEnd(14, '90')}`;
    const text = `mov $KERNEL, %eax; ${instruction}${nops}`;
    same(guest(`gate 13, handler; ${text}; handler: nop`).run(), wanted, instruction);
    const user = guest(`gate 13, handler; ${SET_STACK}; ${toUser('program')} handler: nop`, {
      user: `program: ${text}`,
    });
    same(user.run(), wanted, `${instruction} in a program`);
  }
});

everywhere('a null segment, a limit and a misaligned SSE operand are #GP(0) too, as the CPU has it', (same, guest) => {
  for (const [text, bytes] of [
    ['xor %eax, %eax; mov %eax, %ds; mov (%ecx), %eax', '8b01'],
    [
      'hcall LHCALL_LOAD_GDT_ENTRY, 20, 0xfff, 0x00409200; mov $0xa1, %eax; mov %eax, %ds; mov $0xffd, %ecx; mov (%ecx), %eax',
      '8b01',
    ],
    ['mov $RESULT+8, %ecx; movaps (%ecx), %xmm0', '0f2801'],
  ] as const) {
    same(guest(`${text}; nop; nop; nop; nop; nop; nop; nop`).run(), `trap 13: ${bytes.padEnd(14, '90')}`);
  }
});

everywhere('what the Launcher gives back by LHREQ_TRAP 13 is a #GP with error code 0', (same, guest) => {
  const made = guest(`gate 13, handler; at: hlt; handler: ${frame(3)} crash DONE`);
  same(made.run().slice(0, 10), 'trap 13: f');
  same(made.write(LHREQ.LHREQ_TRAP, 13), 0);
  same(made.run(), DONE);
  same(made.results(3), [0, label(made, 'at'), 0x61]);
});

everywhere('a page fault leaves its address in lguest_data, LHREQ_TRAP 14 does not (39)', (same, guest) => {
  const made = guest(
    `gate 14, handler; mov LAB+0x123, %eax
     handler: mov cr2, %ebx; mov %ebx, RESULT; ${frame(1, 4)}
     gate 14, second; movl $0x77, cr2; out %al, $1; nop
     second: mov cr2, %ebx; mov %ebx, RESULT+8; crash DONE`,
    { ports: { 1: (each) => void each.write(LHREQ.LHREQ_TRAP, 14) } },
  );
  same(made.run(), DONE);
  same(made.results(3), [0xc0100123, 0, 0x77]);
});

const P = 1;
const W = 2;
const U = 4;
/** The flags of a page, and which accesses it takes: reads and writes in ring 1, the same in ring 3. */
const PAGES = [
  ['nothing', 0, ''],
  ['read-only, the kernel’s', 0x8001, 'kr'],
  ['writable, the kernel’s', 0x8003, 'kr kw'],
  ['read-only, everybody’s', 0x8005, 'kr ur'],
  ['writable, everybody’s', 0x8007, 'kr kw ur uw'],
  ['used before, read-only', 0x8065, 'kr ur'],
] as const;
const ACCESSES = [
  ['kr', 'mov (%ecx), %edx', 0],
  ['kw', 'mov %edx, (%ecx)', W],
  ['kw', 'incl (%ecx)', W],
  ['kw', 'push %edx; popl (%ecx)', W],
  ['ur', 'mov (%ecx), %edx', U],
  ['uw', 'mov %edx, (%ecx)', U | W],
  ['uw', 'xchg %edx, (%ecx)', U | W],
] as const;

everywhere('the code of a page fault says what the Guest’s own tables say, touched before or not', (same, guest) => {
  const LINES = ['', 'mov 0x8021000, %edx;'];
  for (const [what, pte, allowed] of PAGES) {
    for (const [kind, instruction, code] of ACCESSES) {
      for (const touch of pte === 0 ? LINES.slice(0, 1) : LINES) {
        const program = kind.startsWith('u');
        const access = `mov $0x8021000, %ecx; xor %edx, %edx; ${instruction}`;
        const made = guest(
          `movl $${pte}, USER_PTE+PTE_SIZE; gate 14, handler; gate 6, fine; ${SET_STACK}; ${touch}
           ${program ? toUser('program') : `${access}; ud2`}
           handler: ${KERNEL_DATA}; mov cr2, %eax; mov %eax, RESULT+4; pop %eax; mov %eax, RESULT; crash DONE
           fine: ${KERNEL_DATA}; movl $0x600d, RESULT; crash DONE`,
          { user: `program: ${access}; ud2` },
        );
        same(made.run(), DONE);
        const wanted = allowed.split(' ').includes(kind) ? [0x600d, 0] : [code | (pte === 0 ? 0 : P), 0x8021000];
        same(made.results(2), wanted, `${what}: ${kind} ${instruction}`);
      }
    }
  }
});

everywhere('a missing directory entry is a missing page, and one that forbids counts', (same, guest, { pae }) => {
  const entry = pae ? 'KERNEL+0x7000+0x200' : 'DIRECTORY+0x80';
  for (const [flags, access, code] of [
    [0x6000, 'mov (%ecx), %edx', 0],
    [0x6000, 'mov %edx, (%ecx)', W],
    [0x6065, 'mov %edx, (%ecx)', W | P],
  ] as const) {
    const made = guest(
      `gate 14, handler; movl $${flags}, ${entry}; mov $USER, %ecx; movl $0x8067, USER_TABLE; ${access}; crash DONE
       handler: pop %eax; mov %eax, RESULT; crash DONE`,
    );
    same(made.run(), DONE);
    same(made.results(1), [code], access);
  }
});

everywhere(
  'a device’s page is a page: its permissions come first, and the fault that is given back says so',
  (same, guest) => {
    const readOnly = guest(
      `gate 14, handler; movl $0x40001, LAB_PTE; mov %eax, LAB; handler: pop %eax; mov %eax, RESULT; crash DONE`,
    );
    same(readOnly.run(), DONE);
    same(readOnly.results(1), [P | W]);
    const back = guest(
      `gate 14, handler; movl $0x40003, LAB_PTE; mov %eax, LAB+0x10; handler: pop %eax; mov %eax, RESULT; crash DONE`,
    );
    same(back.run(), 'trap 14: 8905100010c058 at 0x40010');
    same(back.write(LHREQ.LHREQ_TRAP, 14), 0);
    same(back.run(), DONE);
    same(back.results(1), [P | W]);
  },
);

everywhere('faults nest: each handler faults in its turn, and every frame is whole', (same, guest) => {
  const made = guest(
    `gate 14, page; gate 6, undefined; gate 13, protection; mov %esp, RESULT
     first: ud2
     undefined: mov %esp, RESULT+4
     second: mov LAB, %eax
     page: mov %esp, RESULT+8; mov $0x208, %eax
     third: mov %eax, %es
     protection: mov %esp, RESULT+12; ${frame(11, 16)} crash DONE`,
  );
  same(made.run(), DONE);
  const [a = 0, b, c, d, ...words] = made.results(15);
  same([b, c, d], [a - 12, a - 28, a - 44]);
  same(
    [words[0], words[1], words[4], words[5], words[8]],
    [0x208, label(made, 'third'), 0, label(made, 'second'), label(made, 'first')],
  );
});

everywhere('a handler that faults again and again comes to the end of its stack', (same, guest) => {
  const made = guest(`movl $0x8063, LAB_PTE; mov $LAB+0x1000, %esp; gate 6, handler; handler: incl RESULT; ud2`);
  same(made.run(), 'Bad address 0xc00ffffc');
  same(made.results(1), [1 + Math.floor(4096 / 12)]);
});

everywhere('single steps go to the kernel, one instruction at a time, and int leaves them behind', (same, guest) => {
  const made = guest(
    `gate 1, step, 3; gate 0x80, call, 3; ${SET_STACK}; ${OPEN}; mov $RESULT, %edi; ${toUser('program').replace('0x202', '0x302')}
     step: push %eax; ${KERNEL_DATA}; mov $0x69, %eax; mov %eax, %es; mov 4(%esp), %eax; stosl; mov $0x7b, %eax; mov %eax, %ds
     movl $0x200, irq_enabled; pop %eax; iret
     call: ${KERNEL_DATA}; mov $0x69, %eax; mov %eax, %es; mov 8(%esp), %eax; and $${TF}, %eax; stosl; pushf; pop %eax; and $${TF}, %eax; stosl
     crash DONE`,
    { user: 'program: nop; one: nop; two: int $0x80; three: nop' },
  );
  same(made.run(), DONE);
  same(made.results(4), [label(made, 'one'), label(made, 'two'), TF, 0]);
});

everywhere('every entry loads segments anew: what LHCALL_LOAD_GDT_ENTRY changes counts at once (42)', (same, guest) => {
  const base = (address: number): string =>
    `hcall LHCALL_LOAD_GDT_ENTRY, 20, ${((address & 0xffff) << 16) | 0xffff}, ${(address & 0xff000000) | 0xcf9200 | ((address >>> 16) & 0xff)}`;
  const made = guest(
    `${base(0xc0003000)}; mov $0xa1, %eax; mov %eax, %gs; movl $11, RESULT; movl $22, RESULT+0x100
     mov %gs:0, %ebx; mov %ebx, RESULT+4
     ${base(0xc0003100)}; mov %gs:0, %ebx; mov %ebx, RESULT+8; crash DONE`,
  );
  same(made.run(), DONE);
  same(made.results(3), [11, 11, 22]);
});

everywhere('thread-local segments are there after LHCALL_LOAD_TLS, for programs', (same, guest) => {
  const made = guest(
    `movl $0x0200ffff, tls; movl $0x08cff202, tls+4; movl $0x1000ffff, tls+8; movl $0x08cff202, tls+12
     hcall LHCALL_LOAD_TLS, tls_pa, 0; gate 0x80, call, 3; ${SET_STACK}; ${toUser('program')}
     call: ${KERNEL_DATA}; mov %ebx, RESULT; mov %ecx, RESULT+4; crash DONE
     tls: .long 0, 0, 0, 0, 0, 0`,
    {
      user: `program: mov $0x33, %eax; mov %eax, %gs; mov $0x3b, %eax; mov %eax, %fs
             movl $0x111, 0x8020200; movl $0x222, 0x8021000; mov %gs:0, %ebx; mov %fs:0, %ecx; int $0x80`,
    },
  );
  same(made.run(), DONE);
  same(made.results(2), [0x111, 0x222]);
});

everywhere('DPL 0 becomes 1, accessed is set, and the Host’s entries are nobody’s (23)', (same, guest) => {
  const made = guest(
    `hcall LHCALL_LOAD_GDT_ENTRY, 20, 0xffff, 0x00cf9200; hcall LHCALL_LOAD_GDT_ENTRY, 21, 0xffff, 0x00cfd200
     hcall LHCALL_LOAD_GDT_ENTRY, 22, 0xffff, 0x00cff200
     # lar %edx, %eax
     mov $0xa0, %edx; .byte 0x0f, 0x02, 0xc2; mov %eax, RESULT
     mov $0xa8, %edx; .byte 0x0f, 0x02, 0xc2; mov %eax, RESULT+4
     mov $0xb0, %edx; .byte 0x0f, 0x02, 0xc2; mov %eax, RESULT+8
     crash DONE`,
  );
  same(made.run(), DONE);
  same(
    made.results(3).map((rights) => rights & 0xff00),
    [0xb300, 0xd300, 0xf300],
  );
  for (const index of [10, 11, 16, 31]) {
    const taken = guest(
      `gate 13, handler; gate 11, handler; hcall LHCALL_LOAD_GDT_ENTRY, ${index}, 0xffff, 0x00cfb200; mov $${index * 8 + 1}, %eax
       mov %eax, %fs; hlt
       handler: pop %eax; mov %eax, RESULT; crash DONE`,
    );
    same(taken.run(), DONE, `entry ${index}`);
    same(taken.results(1), [index * 8]);
  }
});

everywhere('sgdt, sidt and str show the Switcher’s tables', (same, guest) => {
  const made = guest(`sgdt RESULT; sidt RESULT+8; str %eax; mov %eax, RESULT+16; crash DONE`);
  same(made.run(), DONE);
  const [gdt = 0, gdtHigh = 0, idt = 0, idtHigh = 0, tr] = made.results(5);
  same([gdt & 0xffff, idt & 0xffff, tr], [255, 2047, 0x80]);
  const base = (low: number, high: number): number => ((high << 16) | (low >>> 16)) >>> 0;
  same([base(gdt, gdtHigh) >= 0xfffe1000, base(idt, idtHigh) >= 0xfffe1000], [true, true]);
});

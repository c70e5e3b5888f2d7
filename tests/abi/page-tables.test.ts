// Page tables: what a Guest sees of them, before and after each call that tells of a change. What they kill for is in kills/.
import { DONE, toUser } from '../support/assembly-guest.js';
import { everywhere, type MakeGuest, type Same } from '../support/everywhere.js';
import { DEVICE_LIMIT, RAM, USER_TABLE, USER_TABLE_2 } from '../support/guest-layout.js';

const A = 0x20;
const D = 0x40;
/** Two pages whose first words tell them apart. */
const RED = 0x21000;
const BLUE = 0x22000;
const COLOURS = { [RED]: 0x4ed, [BLUE]: 0xb1ce };
const TO_RED = RED | 0x63;
const TO_BLUE = BLUE | 0x63;

/** In the kernel's part, and in that of the page table in use. */
const PLACES = {
  kernel: { at: 'LAB', pte: 'LAB_PTE' },
  user: { at: 'USER', pte: 'USER_TABLE' },
} as const;

/** Runs a text whose `fault` is where page faults go: they leave 0xfa at RESULT + 12. */
function check(same: Same, guest: MakeGuest, text: string, wanted: readonly number[], what: string): void {
  const made = guest(
    `gate 14, fault; ${text}; crash DONE
     fault: movl $0xfa, RESULT+12; crash DONE`,
    { words: COLOURS },
  );
  same(made.run(), DONE, what);
  same(made.results(4), wanted, what);
}

everywhere('before the first page table everything is where it is, for ring 1 (43)', (same, guest) => {
  const made = guest(
    `mov $0x12345678, %eax; mov %eax, RAM_LAST; mov RAM_LAST, %ebx; mov %ebx, RESULT; mov ${RED}, %ebx; mov %ebx, RESULT+4
     crash DONE`,
    { begin: 'linear', words: COLOURS },
  );
  same(made.run(), DONE);
  same(made.results(2), [0x12345678, 0x4ed]);
  for (const begin of ['reset', 'linear'] as const) {
    for (const address of [RAM, RAM + 0x123, DEVICE_LIMIT * 4096 - 4]) {
      const device = guest(`mov $${address}, %ebx; mov (%ebx), %eax; nop; nop; nop; nop; nop`, { begin });
      same(device.run(), `trap 14: 8b039090909090 at 0x${address.toString(16)}`);
    }
  }
});

everywhere('before the first page table a program has no memory (43)', (same, guest) => {
  const made = guest(
    `gate 14, fault; hcall LHCALL_SET_STACK, 0x69, STACK, 0; ${toUser('CODE_PA')}
     fault: mov $0x69, %eax; mov %eax, %ds; pop %eax; mov %eax, RESULT; mov cr2, %eax; mov %eax, RESULT+4; crash DONE`,
    { begin: 'linear' },
  );
  same(made.run(), DONE);
  same(made.results(2), [5, 0x10000], 'a protection fault at its first instruction');
});

everywhere('a read sets ACCESSED, a write DIRTY, and an instruction ACCESSED (44)', (same, guest) => {
  for (const { at, pte } of Object.values(PLACES)) {
    const text = `movl $${RED | 3}, ${pte}; mov ${at}, %eax; mov ${pte}, %eax; mov %eax, RESULT
      movl $1, ${at}; mov ${pte}, %eax; mov %eax, RESULT+4; movl $${BLUE | 3}, ${pte}; hcall LHCALL_FLUSH_TLB, 1
      incl ${at}; mov ${pte}, %eax; mov %eax, RESULT+8`;
    check(same, guest, text, [RED | 3 | A, RED | 3 | A | D, BLUE | 3 | A | D, 0], at);
  }
  const made = guest(`movl $0xc390c390, ${0xc0000000 + RED}; movl $${RED | 1}, LAB_PTE; mov $LAB, %eax; call *%eax
    mov LAB_PTE, %eax; mov %eax, RESULT; crash DONE`);
  same(made.run(), DONE);
  same(made.results(1), [RED | 1 | A]);
});

everywhere('a program’s accesses leave the same marks, and other bits stay as they were (44)', (same, guest) => {
  for (const [instruction, mark] of [
    ['mov (%ecx), %eax', A],
    ['mov %eax, (%ecx)', A | D],
    ['lock incl (%ecx)', A | D],
  ] as const) {
    const made = guest(
      `gate 0x80, call, 3; hcall LHCALL_SET_STACK, 0x69, STACK, 1; movl $${BLUE | 0xe07}, USER_PTE+2*PTE_SIZE; ${toUser('program')}
       call: mov $0x69, %eax; mov %eax, %ds; mov USER_PTE+2*PTE_SIZE, %eax; mov %eax, RESULT; crash DONE`,
      { user: `program: mov $USER_CODE+0x2000, %ecx; ${instruction}; int $0x80` },
    );
    same(made.run(), DONE);
    same(made.results(1), [BLUE | 0xe07 | mark], instruction);
  }
});

everywhere('a page of a device goes to the Launcher, by its address (45)', (same, guest) => {
  for (const page of [RAM, (DEVICE_LIMIT - 1) * 4096]) {
    for (const [text, insn] of [
      ['mov 0x678(%ebx), %eax', '8b8378060000'],
      ['mov %al, 0x678(%ebx)', '888378060000'],
      ['incl 0x678(%ebx)', 'ff8378060000'],
    ] as const) {
      const made = guest(`movl $${page | 3}, LAB_PTE; mov $LAB, %ebx; ${text}; nop; nop`);
      same(made.run(), `trap 14: ${insn}90 at 0x${(page + 0x678).toString(16)}`, text);
    }
  }
});

everywhere('write protection counts in ring 1 (49)', (same, guest) => {
  for (const { at, pte } of Object.values(PLACES)) {
    check(
      same,
      guest,
      `movl $${RED | 1}, ${pte}; mov ${at}, %eax; mov %eax, RESULT; mov %eax, ${at}`,
      [0x4ed, 0, 0, 0xfa],
      at,
    );
  }
});

everywhere('LHCALL_SET_PTE with 0 unmaps, and the tables are asked anew (48)', (same, guest) => {
  for (const { at, pte } of Object.values(PLACES)) {
    const begin = `movl $${TO_RED}, ${pte}; mov ${at}, %eax; mov %eax, RESULT`;
    const end = `mov ${at}, %eax; mov %eax, RESULT+4`;
    check(
      same,
      guest,
      `${begin}; movl $0, ${pte}; hcall LHCALL_SET_PTE, DIRECTORY_PA, ${at}, 0, 0; ${end}`,
      [0x4ed, 0, 0, 0xfa],
      at,
    );
    check(
      same,
      guest,
      `${begin}; movl $${TO_BLUE}, ${pte}; hcall LHCALL_SET_PTE, DIRECTORY_PA, ${at}, 0, 0; ${end}`,
      [0x4ed, 0xb1ce, 0, 0],
      at,
    );
  }
});

everywhere('LHCALL_SET_PTE counts at once when the entry has been used, and writes nothing', (same, guest) => {
  for (const { at, pte } of Object.values(PLACES)) {
    const begin = `movl $${TO_RED}, ${pte}; mov ${at}, %eax`;
    const set = (value: number): string => `hcall LHCALL_SET_PTE, DIRECTORY_PA, ${at}, ${value}, 0`;
    const look = `mov ${at}, %eax; mov %eax, RESULT; mov ${pte}, %eax; mov %eax, RESULT+4`;
    check(same, guest, `${begin}; ${set(TO_BLUE)}; ${look}`, [0xb1ce, TO_RED, 0, 0], 'used');
    check(same, guest, `${begin}; ${set(BLUE | 3)}; ${look}`, [0x4ed, TO_RED, 0, 0], 'not used: the tables are asked');
    // Writable only if dirty, or the first write would not be seen.
    check(same, guest, `${begin}; ${set(BLUE | 3 | A)}; incl ${at}; ${look}`, [0x4ee, TO_RED, 0, 0], 'used, not dirty');
    check(
      same,
      guest,
      `${begin}; ${set(RAM | 0x63)}; ${look}`,
      [0x4ed, TO_RED, 0, 0],
      'to a device: the tables are asked',
    );
  }
});

everywhere('LHCALL_SET_PTE below the kernel is for the page table it names (47)', (same, guest) => {
  const other = `movl $${TO_RED}, USER_TABLE; movl $${TO_RED}, USER_TABLE_2; mov USER, %eax
    hcall LHCALL_NEW_PGTABLE, DIRECTORY_2_PA; mov USER, %eax
    hcall LHCALL_SET_PTE, DIRECTORY_PA, USER, ${TO_BLUE}, 0; mov USER, %eax; mov %eax, RESULT
    hcall LHCALL_NEW_PGTABLE, DIRECTORY_PA; mov USER, %eax; mov %eax, RESULT+4
    hcall LHCALL_SET_PTE, 0x1234000, USER, ${TO_RED}, 0; mov USER, %eax; mov %eax, RESULT+8`;
  check(same, guest, other, [0x4ed, 0xb1ce, 0xb1ce, 0], 'one that nobody knows is nobody’s');
});

everywhere('LHCALL_SET_PTE for the kernel is for all page tables, whichever it names (47)', (same, guest) => {
  const text = `movl $${TO_RED}, LAB_PTE; mov LAB, %eax; hcall LHCALL_NEW_PGTABLE, DIRECTORY_2_PA; mov LAB, %eax
    hcall LHCALL_SET_PTE, 0x1234000, LAB, ${TO_BLUE}, 0; mov LAB, %eax; mov %eax, RESULT
    hcall LHCALL_NEW_PGTABLE, DIRECTORY_PA; mov LAB, %eax; mov %eax, RESULT+4`;
  check(same, guest, text, [0xb1ce, 0xb1ce, 0, 0], '');
});

everywhere('LHCALL_FLUSH_TLB with 0 spares the kernel, with 1 nothing (50)', (same, guest) => {
  for (const [all, kernel, user] of [
    [0, 0x4ed, 0xb1ce],
    [1, 0xb1ce, 0xb1ce],
    [0x80000000, 0xb1ce, 0xb1ce],
  ] as const) {
    const text = `movl $${TO_RED}, LAB_PTE; movl $${TO_RED}, USER_TABLE; mov LAB, %eax; mov USER, %eax
      movl $${TO_BLUE}, LAB_PTE; movl $${TO_BLUE}, USER_TABLE; hcall LHCALL_FLUSH_TLB, ${all}
      mov LAB, %eax; mov %eax, RESULT; mov USER, %eax; mov %eax, RESULT+4`;
    check(same, guest, text, [kernel, user, 0, 0], String(all));
  }
});

everywhere('LHCALL_SET_PGD and LHCALL_SET_PMD forget what lay below the entry', (same, guest, { pae }) => {
  const [entry, index] = pae ? ['KERNEL+0x7000+0x200', 64] : ['DIRECTORY+0x80', 32];
  const tell = pae ? `hcall LHCALL_SET_PMD, 0x7000, ${index}` : `hcall LHCALL_SET_PGD, DIRECTORY_PA, ${index}`;
  const begin = `movl $${TO_RED}, USER_TABLE; movl $${TO_BLUE}, USER_TABLE_2; mov USER, %eax; mov %eax, RESULT`;
  const end = `mov USER, %eax; mov %eax, RESULT+4`;
  check(
    same,
    guest,
    `${begin}; movl $${USER_TABLE_2 | 0x67}, ${entry}; ${tell}; ${end}`,
    [0x4ed, 0xb1ce, 0, 0],
    'another table',
  );
  check(same, guest, `${begin}; movl $0, ${entry}; ${tell}; ${end}`, [0x4ed, 0, 0, 0xfa], 'none');
  check(
    same,
    guest,
    `${begin}; movl $${USER_TABLE | 0x61}, ${entry}; ${tell}; ${end}; movl $1, USER`,
    [0x4ed, 0x4ed, 0, 0xfa],
    'a read-only one',
  );
  if (!pae) return;
  const top = `movl $0xd001, DIRECTORY; movl $${USER_TABLE_2 | 0x67}, KERNEL+0xd200; hcall LHCALL_SET_PGD, DIRECTORY_PA, 0`;
  check(same, guest, `${begin}; ${top}; ${end}`, [0x4ed, 0xb1ce, 0, 0], 'another middle level');
});

everywhere('LHCALL_SET_PGD for another page table leaves this one alone', (same, guest, { pae }) => {
  const text = `movl $${TO_RED}, USER_TABLE; mov USER, %eax; movl $${TO_BLUE}, USER_TABLE
    hcall LHCALL_SET_PGD, DIRECTORY_2_PA, ${pae ? 0 : 32}; mov USER, %eax; mov %eax, RESULT`;
  check(same, guest, text, [0x4ed, 0, 0, 0], '');
});

everywhere('LHCALL_NEW_PGTABLE goes over to another page table and back', (same, guest) => {
  const text = `movl $${TO_RED}, USER_TABLE; movl $${TO_BLUE}, USER_TABLE_2; mov USER, %eax; mov %eax, RESULT
    hcall LHCALL_NEW_PGTABLE, DIRECTORY_2_PA; mov USER, %eax; mov %eax, RESULT+4
    hcall LHCALL_NEW_PGTABLE, DIRECTORY_PA; mov USER, %eax; mov %eax, RESULT+8
    hcall LHCALL_NEW_PGTABLE, DIRECTORY_2_PA; movl $0, USER_TABLE_2; hcall LHCALL_SET_PTE, DIRECTORY_2_PA, USER, 0
    mov USER, %eax`;
  check(same, guest, text, [0x4ed, 0xb1ce, 0x4ed, 0xfa], '');
});

everywhere('six page tables in turn, more than have a shadow, keep apart what they map', (same, guest, { pae }) => {
  // Page tables 0 to 5 at 0x24000, 0x25000 …: copies of the first, but that each has a table of its own at USER.
  const size = pae ? 8 : 4;
  const [levels, step] = pae ? [[0x4000, 0x7000], 0x3000] : [[0x4000], 0x2000];
  const base = (n: number): number => 0x28000 + n * step;
  const text = Array.from({ length: 6 }, (_, n) => {
    const copies = levels.map(
      (from, level) =>
        `mov $KERNEL+${from}, %esi; mov $KERNEL+${base(n) + level * 0x1000}, %edi; mov $1024, %ecx; rep movsl`,
    );
    const table = base(n) + levels.length * 0x1000;
    const entry = pae ? base(n) + 0x1000 + 64 * size : base(n) + 32 * size;
    const links = pae ? `movl $${(base(n) + 0x1000) | 1}, KERNEL+${base(n)};` : '';
    return `${copies.join('; ')}; ${links} movl $${table | 0x67}, KERNEL+${entry}; movl $${((0x10 + n) << 12) | 0x61}, KERNEL+${table}
      movl $${n + 100}, RESULT+${0x100 + 4 * n}`;
  });
  const visit = (n: number): string => `hcall LHCALL_NEW_PGTABLE, ${base(n)}; mov $USER, %esi; call note`;
  const order = [0, 1, 2, 3, 4, 5, 0, 5, 1, 4, 2, 3, 3, 0];
  const made = guest(
    `${text.join('\n')}
     mov $RESULT, %edi; ${order.map(visit).join('\n')}
     crash DONE
     note: mov (%esi), %eax; stosl; ret`,
  );
  same(made.run(), DONE);
  same(
    made.results(order.length),
    order.map((n) => made.word((0x10 + n) << 12)),
  );
});

everywhere('one page under two names is one page', (same, guest) => {
  const text = `movl $${TO_RED}, LAB_PTE; movl $${TO_RED}, USER_TABLE; movl $0x1111, LAB; mov USER, %eax; mov %eax, RESULT
    movb $0x22, USER+1; mov LAB, %eax; mov %eax, RESULT+4; movw $0x3333, KERNEL+${RED}; mov USER, %eax; mov %eax, RESULT+8`;
  check(same, guest, text, [0x1111, 0x2211, 0x3333, 0], '');
});

everywhere('code that is written under another name, or through its page table, is the new code', (same, guest) => {
  // mov $n, %eax; ret
  const made = guest(
    `movl $${TO_RED}, LAB_PTE; movl $${TO_RED}, USER_TABLE
     movl $0x000001b8, USER; movw $0xc300, USER+4; mov $LAB, %ebp; call *%ebp; mov %eax, RESULT
     movb $2, USER+1; call *%ebp; mov %eax, RESULT+4
     movl $0x000003b8, KERNEL+${BLUE}; movw $0xc300, KERNEL+${BLUE}+4; hcall LHCALL_SET_PTE, DIRECTORY_PA, LAB, ${TO_BLUE}, 0
     call *%ebp; mov %eax, RESULT+8
     movl $${TO_RED}, LAB_PTE; hcall LHCALL_FLUSH_TLB, 1; call *%ebp; mov %eax, RESULT+12; crash DONE`,
  );
  same(made.run(), DONE);
  same(made.results(4), [1, 2, 3, 2]);
});

everywhere('an access over two pages of which the second is not there changes nothing', (same, guest) => {
  const made = guest(
    `gate 14, fault; movl $${TO_RED}, LAB_PTE; movl $0x55555555, LAB+0xffc; mov $0x77777777, %eax
     at: mov %eax, LAB+0xffe
     fault: mov cr2, %ebx; mov %ebx, RESULT; pop %ebx; pop %ebx; mov %ebx, RESULT+4; mov LAB+0xffc, %eax; mov %eax, RESULT+8; crash DONE`,
  );
  same(made.run(), DONE);
  same(made.results(3), [0xc0101000, made.labels.get('at'), 0x55555555]);
});

everywhere('an instruction whose second half is in a page that is not there faults at that page', (same, guest) => {
  const made = guest(
    `gate 14, fault; movl $${TO_RED}, LAB_PTE; movb $0xb8, LAB+0xffe; mov $LAB+0xffe, %eax; jmp *%eax
     fault: mov cr2, %ebx; mov %ebx, RESULT; pop %ebx; pop %ebx; mov %ebx, RESULT+4; crash DONE`,
  );
  same(made.run(), DONE);
  same(made.results(2), [0xc0101000, 0xc0100ffe]);
});

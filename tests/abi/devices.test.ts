// The Launcher's side, as Guests see it: ports and device memory in every form, PCI and its capabilities, the virtio handshake.
import { ConsoleDevice } from '../../launcher/devices/console.js';
import { RngDevice } from '../../launcher/devices/rng.js';
import { DONE, OPEN, type GuestOptions, toUser } from '../support/assembly-guest.js';
import { everywhere, type MakeGuest } from '../support/everywhere.js';
import { FakeConsole } from '../support/fake-console.js';
import { RAM } from '../support/guest-layout.js';

/** The console's registers: its BAR is the first, 256 pages behind RAM. */
const BAR = RAM + 0x100000;
const RNG_BAR = BAR + 128;
/** Its page is mapped at LAB. */
const LAB = 0xc0100000;
const MAP = `movl $${BAR | 3}, LAB_PTE; mov $LAB, %ebx`;

const console_ = (): ConsoleDevice => new ConsoleDevice(new FakeConsole());
const withConsole = (guest: MakeGuest, kernel: string, options: GuestOptions = {}) =>
  guest(kernel, { devices: [console_()], ...options });

everywhere('`in` of every width gives what is there and keeps the rest of eax (51)', (same, guest) => {
  for (const [instruction, eax] of [
    ['in $0x21, %al', 0x123456ff],
    ['.byte 0x66, 0xe5, 0x21', 0x1234ffff],
    ['.byte 0xe5, 0x21', 0xffffffff],
    ['inb %dx, %al', 0x123456ff],
    ['inw %dx, %ax', 0x1234ffff],
    ['inl %dx, %eax', 0xffffffff],
    ['in $0x64, %al', 0x12345601],
    ['.byte 0x66, 0xe5, 0x64', 0x12340001],
    ['.byte 0xe5, 0x64', 1],
    ['mov $0x64, %dl; mov $0, %dh; inb %dx, %al', 0x12345601],
  ] as const) {
    const made = withConsole(
      guest,
      `mov $0x8070, %edx; mov $0x12345678, %eax; ${instruction}; mov %eax, RESULT; crash DONE`,
    );
    same(made.run(), DONE, instruction);
    same(made.results(1), [eax], instruction);
  }
});

everywhere('`out` of every width and `cli` are passed over (52)', (same, guest) => {
  for (const instruction of [
    'out %al, $0x80',
    '.byte 0x66, 0xe7, 0x80',
    '.byte 0xe7, 0x80',
    'outb %al, %dx',
    'outw %ax, %dx',
    'outl %eax, %dx',
    'cli',
  ]) {
    const made = withConsole(
      guest,
      `mov $0x3f8, %edx; mov $5, %eax; ${instruction}; inc %eax; mov %eax, RESULT; crash DONE`,
    );
    same(made.run(), DONE, instruction);
    same(made.results(1), [6], instruction);
  }
});

everywhere('what the Launcher does not do comes back as #GP(0), at the instruction (52)', (same, guest) => {
  for (const instruction of [
    'sti',
    'hlt',
    'rdmsr',
    'wrmsr',
    'insb',
    'insl',
    'outsb',
    'rep insb',
    'rep outsl',
    'clts',
    'invd',
    'wbinvd',
    'lgdt (%eax)',
    'lidt (%eax)',
    'lldt %ax',
    'ltr %ax',
    'lmsw %ax',
    'invlpg (%eax)',
    'mov %cr0, %eax',
    'mov %eax, %cr3',
    'mov %dr7, %eax',
    'sysexit',
    'sysenter',
    '.byte 0xf2, 0xec',
    '.byte 0x67, 0xec',
    '.byte 0x2e, 0xee',
    '.byte 0x66, 0x66, 0xed',
  ]) {
    const made = withConsole(
      guest,
      `gate 13, handler; mov $RESULT, %eax; at: ${instruction}
       handler: pop %eax; mov %eax, RESULT; pop %eax; mov %eax, RESULT+4; pop %eax; mov %eax, RESULT+8; crash DONE`,
    );
    same(made.run(), DONE, instruction);
    same(made.results(3), [0, made.labels.get('at'), 0x61], instruction);
  }
});

everywhere('programs have no ports: their kernel gets the #GP(0)', (same, guest) => {
  for (const instruction of ['in $0x64, %al', 'outl %eax, %dx', 'cli']) {
    const made = withConsole(
      guest,
      `gate 13, handler; hcall LHCALL_SET_STACK, 0x69, STACK, 1; ${toUser('program')}
       handler: mov $0x69, %eax; mov %eax, %ds; pop %eax; mov %eax, RESULT; pop %eax; mov %eax, RESULT+4; pop %eax; mov %eax, RESULT+8
       crash DONE`,
      { user: `program: nop; at: ${instruction}` },
    );
    same(made.run(), DONE);
    same(made.results(3), [0, made.labels.get('at'), 0x73], instruction);
  }
});

/** `mov $dword, %eax; out` to the address register for slot and offset. */
const address = (slot: number, offset: number): string =>
  `mov $0xcf8, %edx; mov $${(0x80000000 | (slot << 11) | (offset & 0xfc)) >>> 0}, %eax; outl %eax, %dx`;
const readConfig = (slot: number, offset: number): string =>
  `${address(slot, offset)}; mov $${0xcfc + (offset & 3)}, %edx; inl %dx, %eax; stosl`;
const writeConfig = (slot: number, offset: number, value: number): string =>
  `${address(slot, offset)}; mov $${0xcfc + (offset & 3)}, %edx; mov $${value}, %eax; outl %eax, %dx`;

everywhere('slot 0 is a bridge, slot 1 the console, and empty slots are all ones (53, 54)', (same, guest) => {
  const reads = [
    [0, 0],
    [0, 8],
    [1, 0],
    [1, 4],
    [1, 8],
    [1, 0x10],
    [1, 0x2c],
    [1, 0x34],
    [1, 0x3c],
    [2, 0],
    [31, 0],
    [1, 0x98],
    [1, 0xfc],
  ];
  const made = withConsole(
    guest,
    `mov $RESULT, %edi; ${reads.map(([slot = 0, at = 0]) => readConfig(slot, at)).join('\n')}; crash DONE`,
  );
  same(made.run(), DONE);
  same(made.results(reads.length), [
    ...[0, 0x06000000, 0x10431af4, 0x00100000, 0x07000001, BAR, 0x00400000, 0x40, 1],
    ...[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
  ]);
});

everywhere('the capabilities, by the chain that a driver follows (54)', (same, guest) => {
  const made = withConsole(
    guest,
    `mov $RESULT, %edi; mov $0x40, %ebp
     next: mov $0xcf8, %edx; mov $0x80000800, %eax; or %ebp, %eax; outl %eax, %dx; mov $0xcfc, %edx; inl %dx, %eax; stosl
     movzbl %ah, %esi; add $8, %ebp
     mov $0xcf8, %edx; mov $0x80000800, %eax; or %ebp, %eax; outl %eax, %dx; mov $0xcfc, %edx; inl %dx, %eax; stosl
     add $4, %ebp
     mov $0xcf8, %edx; mov $0x80000800, %eax; or %ebp, %eax; outl %eax, %dx; mov $0xcfc, %edx; inl %dx, %eax; stosl
     mov %esi, %ebp; test %ebp, %ebp; jne next
     crash DONE`,
  );
  same(made.run(), DONE);
  same(made.results(15), [
    ...[0x01105009, 0, 56],
    ...[0x02146409, 56, 2],
    ...[0x03108409, 58, 1],
    ...[0x05147409, 0, 0],
    ...[0x04100009, 60, 12],
  ]);
});

everywhere('the address register is made of bytes, and so is what is read through it', (same, guest) => {
  const made = withConsole(
    guest,
    `mov $RESULT, %edi; ${address(1, 0)}
     mov $0xcfc, %edx; xor %eax, %eax; inb %dx, %al; stosl; inc %edx; xor %eax, %eax; inb %dx, %al; stosl
     inc %edx; xor %eax, %eax; inw %dx, %ax; stosl
     mov $0xcf8, %edx; mov $8, %eax; outb %al, %dx; inl %dx, %eax; stosl; mov $0xcfc, %edx; inl %dx, %eax; stosl
     mov $0xcfb, %edx; mov $0, %eax; outb %al, %dx; mov $0xcfc, %edx; inl %dx, %eax; stosl; crash DONE`,
  );
  same(made.run(), DONE);
  same(made.results(6), [0xf4, 0x1a, 0x1043, 0x80000808, 0x07000001, 0xffffffff]);
});

everywhere('BAR0 has the size of what is behind it, and moving it moves nothing (55)', (same, guest) => {
  const made = guest(
    `mov $RESULT, %edi; ${readConfig(2, 0x10)}; ${writeConfig(1, 0x10, 0xffffffff)}; ${readConfig(1, 0x10)}
     ${writeConfig(2, 0x10, 0xffffffff)}; ${readConfig(2, 0x10)}; ${writeConfig(1, 0x10, 0x20000)}; ${readConfig(1, 0x10)}
     ${MAP}; mov 20(%ebx), %al; movzbl %al, %eax; stosl; mov 18(%ebx), %ax; movzwl %ax, %eax; stosl; crash DONE`,
    { devices: [console_(), new RngDevice((into) => into.fill(1))] },
  );
  same(made.run(), DONE);
  same(made.results(5).slice(0, 4), [RNG_BAR, 0xffffff80, 0xffffffc0, 0x20000]);
});

everywhere('what cannot be written in configuration space is #GP(0) (53)', (same, guest) => {
  for (const [slot, offset] of [
    [1, 0],
    [1, 4],
    [1, 8],
    [1, 0x34],
    [1, 0x3c],
    [1, 0x40],
    [1, 0x60],
    [1, 0x94],
    [5, 0],
    [0, 0],
  ] as const) {
    const made = withConsole(
      guest,
      `gate 13, handler; ${address(slot, offset)}; mov $0xcfc, %edx; at: outl %eax, %dx; crash DONE
       handler: movl $13, RESULT; mov 4(%esp), %eax; mov %eax, RESULT+4; crash DONE`,
    );
    same(made.run(), DONE);
    same(made.results(2), [13, made.labels.get('at')], `slot ${slot}, ${offset.toString(16)}`);
  }
});

everywhere('a character by the window in configuration space, as the early console prints (56)', (same, guest) => {
  const port = new FakeConsole();
  const print = [...'Hi!\n'].map(
    (char) => `${writeConfig(1, 0x90, 4)}; ${writeConfig(1, 0x8c, 68)}; ${writeConfig(1, 0x94, char.charCodeAt(0))}`,
  );
  const made = guest(
    `${address(1, 0x88)}; mov $0xcfc, %edx; mov $0, %eax; outb %al, %dx; ${print.join('\n')}; crash DONE`,
    {
      devices: [new ConsoleDevice(port)],
    },
  );
  same(made.run(), DONE);
  same(port.printed, 'Hi!\n');
});

everywhere('device memory by every form of `mov` with a register', (same, guest) => {
  // queue_select is 16 bits at 22, queue_size at 24; guest_feature_select 32 bits at 8; status 8 bits at 20.
  const wake = `${MAP}; movb $1, RESULT+0x80; mov $1, %al; mov %al, 20(%ebx); mov $3, %al; mov %al, 20(%ebx); mov $RESULT, %edi`;
  for (const [what, text, wanted] of [
    ['32 bits, disp8', 'mov $1, %eax; mov %eax, 8(%ebx); mov 8(%ebx), %ecx; mov %ecx, (%edi)', 1],
    [
      '32 bits, disp32',
      'mov $1, %esi; .byte 0x89, 0xb3, 8, 0, 0, 0; .byte 0x8b, 0x8b, 8, 0, 0, 0; mov %ecx, (%edi)',
      1,
    ],
    ['32 bits, no displacement', 'mov $1, %eax; mov %eax, (%ebx); mov (%ebx), %ebp; mov %ebp, (%edi)', 1],
    [
      '32 bits, an address alone',
      'mov $1, %edx; .byte 0x89, 0x15; .long LAB+8; .byte 0x8b, 0x0d; .long LAB+8; mov %ecx, (%edi)',
      1,
    ],
    [
      '32 bits, base and index',
      'mov $4, %ecx; mov $1, %eax; mov %eax, (%ebx,%ecx,2); mov 4(%ebx,%ecx), %edx; mov %edx, (%edi)',
      1,
    ],
    [
      '32 bits, index alone',
      'mov $LAB, %ecx; mov $1, %eax; mov %eax, 8(,%ecx,1); mov 8(,%ecx,1), %edx; mov %edx, (%edi)',
      1,
    ],
    [
      '16 bits',
      'mov $0xffff0001, %eax; mov %ax, 22(%ebx); mov $-1, %ecx; mov 24(%ebx), %cx; mov %ecx, (%edi)',
      0xffff0100,
    ],
    ['8 bits, low', 'mov $-1, %ecx; mov 20(%ebx), %cl; mov %ecx, (%edi)', 0xffffff03],
    [
      '8 bits, high',
      'mov $0x0b00, %ecx; mov %ch, 20(%ebx); xor %edx, %edx; mov 20(%ebx), %dh; mov %edx, (%edi)',
      0x0b00,
    ],
    [
      'an immediate',
      'movl $1, 8(%ebx); .byte 0xc6, 0x43, 20, 0x0b; mov 8(%ebx), %eax; mov 20(%ebx), %ah; mov %eax, (%edi)',
      0x0b01,
    ],
    [
      'an address in the instruction',
      'mov $1, %eax; .byte 0xa3; .long LAB+8; xor %eax, %eax; .byte 0xa1; .long LAB+8; mov %eax, (%edi)',
      1,
    ],
    ['with zeros', 'mov $-1, %eax; movzbl 20(%ebx), %eax; mov %eax, (%edi)', 3],
    ['with a sign', 'movb $0xb, 20(%ebx); mov $-1, %eax; movsbl 20(%ebx), %eax; mov %eax, (%edi)', 0xb],
    ['through another segment', 'mov %es:20(%ebx), %cl; movzbl %cl, %ecx; mov %ecx, (%edi)', 3],
    [
      'every register',
      'mov $1, %eax; mov %eax, 8(%ebx); mov 8(%ebx), %ebp; mov 8(%ebx), %esi; mov 8(%ebx), %ecx; mov 8(%ebx), %edx; add %ebp, %esi; add %ecx, %esi; add %edx, %esi; mov %esi, (%edi)',
      4,
    ],
  ] as const) {
    const made = withConsole(guest, `${wake}; ${text}; crash DONE`);
    same(made.run(), DONE, what);
    same(made.results(1), [wanted], what);
  }
});

everywhere('a program may touch device memory, if its kernel maps it', (same, guest) => {
  const made = withConsole(
    guest,
    `movl $${BAR | 7}, USER_PTE+PTE_SIZE; gate 0x80, call, 3; hcall LHCALL_SET_STACK, 0x69, STACK, 1; ${toUser('program')}
     call: mov $0x69, %eax; mov %eax, %ds; mov %ecx, RESULT; crash DONE`,
    {
      user: 'program: mov $1, %al; mov %al, USER_CODE+0x1000+20; mov $-1, %ecx; mov USER_CODE+0x1000+20, %cl; int $0x80',
    },
  );
  same(made.run(), DONE);
  same(made.results(1), [0xffffff01]);
});

everywhere('any other touch of device memory comes back as a page fault', (same, guest) => {
  for (const [instruction, code] of [
    ['incl 8(%ebx)', 3],
    ['xchg %eax, 8(%ebx)', 3],
    ['orl %eax, 8(%ebx)', 3],
    ['cmp %eax, 8(%ebx)', 1],
    ['pushl_8_ebx', 1],
    ['movups 8(%ebx), %xmm0', 1],
    ['mov 0xf00(%ebx), %eax', 1],
    ['lodsl', 1],
    ['stosl', 3],
    ['rep stosb', 3],
    ['fldl (%ebx)', 1],
    ['call *(%ebx)', 1],
    ['jmp *%ebx', 1],
  ] as const) {
    const text = instruction === 'pushl_8_ebx' ? '.byte 0xff, 0x73, 8' : instruction;
    const made = withConsole(
      guest,
      `gate 14, handler; ${MAP}; mov %ebx, %esi; mov %ebx, %edi; mov $4, %ecx; at: ${text}; crash DONE
       handler: pop %eax; mov %eax, RESULT; pop %eax; mov %eax, RESULT+4; mov %esp, RESULT+8; crash DONE`,
    );
    same(made.run(), DONE, instruction);
    const eip = instruction === 'jmp *%ebx' ? LAB : made.labels.get('at');
    same(made.results(3), [code, eip, 0xc0020000 - 8], instruction);
  }
});

/** `mov $value; mov` to a register of the device, in a width. */
const store = (offset: number, width: 8 | 16 | 32, value: number | string): string =>
  `mov $${value}, %eax; mov ${{ 8: '%al', 16: '%ax', 32: '%eax' }[width]}, ${offset}(%ebx)`;
const note = (offset: number, width: 8 | 16 | 32): string =>
  `xor %eax, %eax; mov ${offset}(%ebx), ${{ 8: '%al', 16: '%ax', 32: '%eax' }[width]}; stosl`;
/** Where the virtqueue is: descriptors, what is available, what was used, a message. */
const [DESC, AVAIL, USED, TEXT] = [0x30000, 0x31000, 0x32000, 0x33000];

everywhere('the handshake of a driver, from status 0 to a message and its interrupt (58–61)', (same, guest) => {
  const port = new FakeConsole();
  const made = guest(
    `gate 33, handler; ${MAP}; mov $RESULT, %edi
     ${store(20, 8, 0)}; ${note(20, 8)}; ${store(20, 8, 1)}; ${store(20, 8, 3)}; ${note(20, 8)}
     ${store(0, 32, 0)}; ${note(4, 32)}; ${store(0, 32, 1)}; ${note(4, 32)}; ${store(0, 32, 2)}; ${note(4, 32)}
     ${store(8, 32, 0)}; ${store(12, 32, 0)}; ${store(8, 32, 1)}; ${store(12, 32, 1)}
     ${store(20, 8, 0xb)}; ${note(20, 8)}
     ${note(18, 16)}; ${store(22, 16, 2)}; ${note(24, 16)}; ${store(22, 16, 1)}; ${note(24, 16)}; ${note(30, 16)}
     ${store(32, 32, DESC)}; ${store(36, 32, 0)}; ${store(40, 32, AVAIL)}; ${store(44, 32, 0)}; ${store(48, 32, USED)}; ${store(52, 32, 0)}
     ${store(28, 16, 1)}; ${note(28, 16)}
     ${store(20, 8, 0xf)}; ${note(20, 8)}; ${note(58, 8)}
     movl $${TEXT}, KERNEL+${DESC}; movl $5, KERNEL+${DESC}+8; movl $0, KERNEL+${DESC}+12
     movw $0, KERNEL+${AVAIL}+4; movw $1, KERNEL+${AVAIL}+2
     ${OPEN}; ${store(56, 16, 1)}
     wait: jmp wait
     handler: ${note(58, 8)}; ${note(58, 8)}; mov KERNEL+${USED}, %eax; stosl; mov KERNEL+${USED}+4, %eax; stosl
     ${store(20, 8, 0)}; ${note(20, 8)}; crash DONE`,
    { devices: [new ConsoleDevice(port)], words: { [TEXT]: 0x6c6c6548, [TEXT + 4]: 0x6f } },
  );
  same(made.run(), DONE);
  same(port.printed, 'Hello');
  same(made.broken, []);
  const [features = 0] = made.results(3).slice(2);
  same(made.results(17), [
    ...[0, 3],
    ...[features, 1, 0],
    ...[0xb, 2, 0, 256, 0, 1],
    ...[0xf, 0],
    ...[1, 0, 0x10000, 0],
  ]);
  same([features & 4, made.word('RESULT', 17)], [4, 0], 'EMERG_WRITE; a reset takes at once');
});

everywhere('a driver that breaks the rules is told of, and its device stops (58–60)', (same, guest) => {
  for (const [text, message] of [
    [store(20, 8, 2), 'unexpected status transition 0 -> 0x2'],
    [store(20, 8, 0xf), 'unknown device status bit 0 -> 0xf'],
    [`${store(20, 8, 1)}; ${store(20, 8, 3)}; ${store(8, 32, 1)}; ${store(12, 32, 2)}`, 'over-accepted features'],
    [store(26, 16, 1), 'attempt to set MSIX vector to 1'],
    [store(58, 8, 1), 'Unexpected write to isr'],
    [store(56, 16, 9), 'Invalid vq notification on 9'],
    [store(20, 32, 1), 'non-8-bit write to offset 20'],
    [note(0, 32), 'feature read before VIRTIO_CONFIG_S_DRIVER'],
    [note(16, 16), 'read of msix_config'],
  ] as const) {
    const made = withConsole(guest, `${MAP}; mov $RESULT, %edi; ${text}; crash DONE`);
    made.run();
    same(
      made.broken.map((each) => each.includes(message)),
      [true],
      `${message}: ${made.broken.join()}`,
    );
  }
});

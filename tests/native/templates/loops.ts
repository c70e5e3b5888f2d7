// Loops that walk over memory: within a page, over its end, into one that is read-only and into nothing. A translator that
// keeps the page of the last access must find every change of page, and every fault in the round that it happens in.
import { AF, CF, FLAGS, OF, hex, once, pairs, type Plan } from './template.js';

/** Where a walk begins, and how far it goes in a round. */
interface Walk {
  readonly from: number;
  readonly stride: number;
  readonly rounds: number;
}

const WALKS: readonly Walk[] = [
  { from: 0x10000010, stride: 4, rounds: 9 },
  // Over the end of a page, even and odd.
  { from: 0x10000ff0, stride: 4, rounds: 9 },
  { from: 0x10000ff1, stride: 3, rounds: 9 },
  // A page further each time, and back.
  { from: 0x10000ffe, stride: 0x1001, rounds: 2 },
  { from: 0x10001ffc, stride: -0x1000, rounds: 2 },
  { from: 0x10001004, stride: -2, rounds: 9 },
  // From the last page that can be written into one that cannot, and into nothing.
  { from: 0x10003ff2, stride: 3, rounds: 9 },
  { from: 0x10001ff2, stride: 3, rounds: 9 },
  { from: 0x10000007, stride: -3, rounds: 9 },
  { from: 0x00000ff0, stride: 4, rounds: 9 },
  // Round the end of the address space.
  { from: 0x00000020, stride: -16, rounds: 9 },
];

const BODIES = [
  'add ebx, [esi]',
  'add bl, [esi]',
  'mov [esi], ebx',
  'mov [esi], bx',
  'adc dword ptr [esi], ebx',
  'xchg [esi], bl',
  'fld qword ptr [esi]; fstp st(0)',
  'movdqu xmm1, [esi]',
  'movdqu [esi], xmm2',
  'movq [esi], mm3',
];

const walks = (): Plan[] =>
  pairs(BODIES, WALKS).map(([body, { from, stride, rounds }]) =>
    once('loop', `1: ${body}; lea esi, [esi + edx]; dec ecx; jnz 1b`, {
      esi: hex(from),
      edx: hex(stride),
      ecx: hex(rounds),
    }),
  );

/** Several places in one loop, on one page and on others. */
const together = (): Plan[] => {
  const places = { esi: '10000ff0', edi: '10001010', ecx: '9' };
  return [
    // One register, now here, now there.
    once('loop', '1: add ebx, [esi]; xchg esi, edi; dec ecx; jnz 1b', places),
    once('loop', '1: mov [esi], ecx; xchg esi, edi; add esi, 4; dec ecx; jnz 1b', places),
    // What was written is read, through another register and over the end of the page.
    once('loop', '1: mov [esi+1], ecx; add ebx, [edi-0x20]; inc esi; inc edi; dec ecx; jnz 1b', places),
    once('loop', '1: mov [esi+14], cx; add ebx, [edi-0x12]; dec ecx; jnz 1b', places),
    // Read first, then written: the page can be read only.
    once('loop', '1: mov eax, [esi]; mov [edi], eax; add esi, 4; add edi, 4; dec ecx; jnz 1b', {
      ...places,
      esi: '10004000',
    }),
    once('loop', '1: mov eax, [esi]; mov [esi], eax; add esi, 4; dec ecx; jnz 1b', { ...places, esi: '10003ff8' }),
    once('loop', '1: or [esi], ecx; lea esi, [esi + 4]; dec ecx; jnz 1b', { ...places, esi: '10003ff8' }),
    // An index without a base, and a base with one.
    once('loop', '1: add ebx, [ecx*8 + 0x10000fe0]; dec ecx; jnz 1b', places),
    once('loop', '1: add [ecx*8 + 0x10003fe0], ebx; dec ecx; jnz 1b', places),
    once('loop', '1: add ebx, [esi + ecx*4 - 8]; add [edi + ecx*2], ebx; dec ecx; jnz 1b', places),
  ];
};

/** The stack over the end of a page, down and up. */
const stacks = (): Plan[] => [
  once('loop', '1: push ecx; dec ecx; jnz 1b', { esp: '10001010', ecx: '9' }),
  once('loop', '1: push ecx; dec ecx; jnz 1b', { esp: '10001012', ecx: '9' }),
  once('loop', '1: push ecx; dec ecx; jnz 1b', { esp: '10000012', ecx: '9' }),
  once('loop', '1: pop ebx; dec ecx; jnz 1b', { esp: '10000ff2', ecx: '9' }),
  once('loop', '1: pop ebx; dec ecx; jnz 1b', { esp: '10001ff0', ecx: '9' }),
  once('loop', '1: push ecx; call 2f; dec ecx; jnz 1b; jmp 3f; 2: ret; 3: nop', { esp: '10001010', ecx: '9' }),
  once('loop', '1: push ecx; pop [esp + 4]; sub esp, 3; dec ecx; jnz 1b', { esp: '10001010', ecx: '9' }),
];

/** What flags are at the head of a loop is not known there: they come from before it, and from its end. */
const flags = (): Plan[] =>
  pairs(
    [
      'adc eax, ebx',
      'inc eax',
      'dec al',
      'sbb bx, 7',
      'rol eax, 1',
      'rcr ebx, 3',
      'setc al',
      'cmovb eax, edx',
      'shl ebx, 0',
    ],
    [
      'add ebx, edx',
      'sub bl, dl',
      'cmp bx, dx',
      'neg ebx',
      'inc ebx',
      'dec bl',
      'and ebx, edx',
      'shr ebx, 1',
      'test bl, dl',
    ],
  ).flatMap(([head, tail]) =>
    [0, CF, CF | OF].map((before) =>
      once(
        'loop',
        `1: ${head}; mov ebp, [esi]; ${tail}; lea ecx, [ecx-1]; jecxz 2f; lea edx, [edx*4+5]; jmp 1b; 2: nop`,
        {
          ecx: '5',
          eax: '7fffffff',
          ebx: '80000001',
          edx: '12348081',
          eflags: hex(FLAGS | before),
        },
        /^(and|shr|test)/.test(tail) ? { undefinedFlags: AF } : {},
      ),
    ),
  );

export const loops = (): Plan[] => [...walks(), ...together(), ...stacks(), ...flags()];

// Opcodes of two bytes, 0F first: system, bits and the integer instructions younger than the 80286. MMX and SSE are in
// mmx-sse.ts, groups in groups.ts. 0F 38 and 0F 3A (SSSE3 and later) are undefined here.
import { conditional, op } from './row.js';
import type { Row } from './row.js';

export const TWO_BYTE: readonly Row[] = [
  op('0F 02', 'lar', 'Gv,Ew'),
  op('0F 03', 'lsl', 'Gv,Ew'),
  op('0F 06', 'clts'),
  op('0F 08', 'invd'),
  op('0F 09', 'wbinvd'),
  op('0F 0B', 'ud2'),
  op('0F 19', 'nop', 'Rv/M'),
  op('0F 1A', 'nop', 'Rv/M'),
  op('0F 1B', 'nop', 'Rv/M'),
  op('0F 1C', 'nop', 'Rv/M'),
  op('0F 1D', 'nop', 'Rv/M'),
  op('0F 1E', 'nop', 'Rv/M'),
  op('0F 1F', 'nop', 'Rv/M'),

  // CR1, CR5, CR6 and CR7 do not exist. The mod field is ignored: R alone always is a register.
  op('0F 20 /0', 'mov', 'Rd,Cd'),
  op('0F 20 /2-4', 'mov', 'Rd,Cd'),
  op('0F 21', 'mov', 'Rd,Dd'),
  op('0F 22 /0', 'mov', 'Cd,Rd'),
  op('0F 22 /2-4', 'mov', 'Cd,Rd'),
  op('0F 23', 'mov', 'Dd,Rd'),

  op('0F 30', 'wrmsr'),
  op('0F 31', 'rdtsc'),
  op('0F 32', 'rdmsr'),
  op('0F 33', 'rdpmc'),
  op('0F 34', 'sysenter'),
  op('0F 35', 'sysexit'),

  ...conditional('0F 40', 'cmov', 'Gv,Ev'),
  ...conditional('0F 80', 'j', 'Jz'),
  ...conditional('0F 90', 'set', 'Eb'),

  op('0F A0', 'push', 'FS', 'stack', 'sized'),
  op('0F A1', 'pop', 'FS', 'stack', 'sized'),
  op('0F A2', 'cpuid'),
  op('0F A3', 'bt', 'Ev,Gv'),
  op('0F A4', 'shld', 'Ev,Gv,Ib'),
  op('0F A5', 'shld', 'Ev,Gv,CL'),
  op('0F A8', 'push', 'GS', 'stack', 'sized'),
  op('0F A9', 'pop', 'GS', 'stack', 'sized'),
  op('0F AA', 'rsm'),
  op('0F AB', 'bts', 'Ev,Gv', 'lock'),
  op('0F AC', 'shrd', 'Ev,Gv,Ib'),
  op('0F AD', 'shrd', 'Ev,Gv,CL'),
  op('0F AF', 'imul', 'Gv,Ev'),

  op('0F B0', 'cmpxchg', 'Eb,Gb', 'lock'),
  op('0F B1', 'cmpxchg', 'Ev,Gv', 'lock'),
  op('0F B2', 'lss', 'Gv,Mp'),
  op('0F B3', 'btr', 'Ev,Gv', 'lock'),
  op('0F B4', 'lfs', 'Gv,Mp'),
  op('0F B5', 'lgs', 'Gv,Mp'),
  op('0F B6', 'movzx', 'Gv,Eb'),
  op('0F B7', 'movzx', 'Gv,Ew'),
  op('0F B9', 'ud1'),
  op('0F BB', 'btc', 'Ev,Gv', 'lock'),
  // With F3 these became tzcnt and lzcnt much later. Here the prefix is ignored, as it was.
  op('0F BC', 'bsf', 'Gv,Ev'),
  op('0F BD', 'bsr', 'Gv,Ev'),
  op('0F BE', 'movsx', 'Gv,Eb'),
  op('0F BF', 'movsx', 'Gv,Ew'),

  op('0F C0', 'xadd', 'Eb,Gb', 'lock'),
  op('0F C1', 'xadd', 'Ev,Gv', 'lock'),
  op('0F C8+i', 'bswap', 'Zv'),
  op('0F FF', 'ud0'),
];

// Opcodes whose ModRM byte chooses among up to eight instructions, in Intel's groups. Those of MMX and SSE are in
// mmx-sse.ts with their kin, x87 has a file of its own.
import { op } from './row.js';
import type { Row } from './row.js';

export const GROUPS: readonly Row[] = [
  // Group 1. 82 is an undocumented copy of 80.
  op('80 /0', 'add', 'Eb,Ib', 'lock'),
  op('80 /1', 'or', 'Eb,Ib', 'lock'),
  op('80 /2', 'adc', 'Eb,Ib', 'lock'),
  op('80 /3', 'sbb', 'Eb,Ib', 'lock'),
  op('80 /4', 'and', 'Eb,Ib', 'lock'),
  op('80 /5', 'sub', 'Eb,Ib', 'lock'),
  op('80 /6', 'xor', 'Eb,Ib', 'lock'),
  op('80 /7', 'cmp', 'Eb,Ib'),

  op('81 /0', 'add', 'Ev,Iz', 'lock'),
  op('81 /1', 'or', 'Ev,Iz', 'lock'),
  op('81 /2', 'adc', 'Ev,Iz', 'lock'),
  op('81 /3', 'sbb', 'Ev,Iz', 'lock'),
  op('81 /4', 'and', 'Ev,Iz', 'lock'),
  op('81 /5', 'sub', 'Ev,Iz', 'lock'),
  op('81 /6', 'xor', 'Ev,Iz', 'lock'),
  op('81 /7', 'cmp', 'Ev,Iz'),

  op('82 /0', 'add', 'Eb,Ib', 'lock'),
  op('82 /1', 'or', 'Eb,Ib', 'lock'),
  op('82 /2', 'adc', 'Eb,Ib', 'lock'),
  op('82 /3', 'sbb', 'Eb,Ib', 'lock'),
  op('82 /4', 'and', 'Eb,Ib', 'lock'),
  op('82 /5', 'sub', 'Eb,Ib', 'lock'),
  op('82 /6', 'xor', 'Eb,Ib', 'lock'),
  op('82 /7', 'cmp', 'Eb,Ib'),

  op('83 /0', 'add', 'Ev,Ibs', 'lock'),
  op('83 /1', 'or', 'Ev,Ibs', 'lock'),
  op('83 /2', 'adc', 'Ev,Ibs', 'lock'),
  op('83 /3', 'sbb', 'Ev,Ibs', 'lock'),
  op('83 /4', 'and', 'Ev,Ibs', 'lock'),
  op('83 /5', 'sub', 'Ev,Ibs', 'lock'),
  op('83 /6', 'xor', 'Ev,Ibs', 'lock'),
  op('83 /7', 'cmp', 'Ev,Ibs'),

  // Group 1A.
  op('8F /0', 'pop', 'Ev', 'stack'),

  // Group 2. /6 is an undocumented copy of /4.
  op('C0 /0', 'rol', 'Eb,Ib'),
  op('C0 /1', 'ror', 'Eb,Ib'),
  op('C0 /2', 'rcl', 'Eb,Ib'),
  op('C0 /3', 'rcr', 'Eb,Ib'),
  op('C0 /4', 'shl', 'Eb,Ib'),
  op('C0 /5', 'shr', 'Eb,Ib'),
  op('C0 /6', 'shl', 'Eb,Ib'),
  op('C0 /7', 'sar', 'Eb,Ib'),

  op('C1 /0', 'rol', 'Ev,Ib'),
  op('C1 /1', 'ror', 'Ev,Ib'),
  op('C1 /2', 'rcl', 'Ev,Ib'),
  op('C1 /3', 'rcr', 'Ev,Ib'),
  op('C1 /4', 'shl', 'Ev,Ib'),
  op('C1 /5', 'shr', 'Ev,Ib'),
  op('C1 /6', 'shl', 'Ev,Ib'),
  op('C1 /7', 'sar', 'Ev,Ib'),

  op('D0 /0', 'rol', 'Eb,1'),
  op('D0 /1', 'ror', 'Eb,1'),
  op('D0 /2', 'rcl', 'Eb,1'),
  op('D0 /3', 'rcr', 'Eb,1'),
  op('D0 /4', 'shl', 'Eb,1'),
  op('D0 /5', 'shr', 'Eb,1'),
  op('D0 /6', 'shl', 'Eb,1'),
  op('D0 /7', 'sar', 'Eb,1'),

  op('D1 /0', 'rol', 'Ev,1'),
  op('D1 /1', 'ror', 'Ev,1'),
  op('D1 /2', 'rcl', 'Ev,1'),
  op('D1 /3', 'rcr', 'Ev,1'),
  op('D1 /4', 'shl', 'Ev,1'),
  op('D1 /5', 'shr', 'Ev,1'),
  op('D1 /6', 'shl', 'Ev,1'),
  op('D1 /7', 'sar', 'Ev,1'),

  op('D2 /0', 'rol', 'Eb,CL'),
  op('D2 /1', 'ror', 'Eb,CL'),
  op('D2 /2', 'rcl', 'Eb,CL'),
  op('D2 /3', 'rcr', 'Eb,CL'),
  op('D2 /4', 'shl', 'Eb,CL'),
  op('D2 /5', 'shr', 'Eb,CL'),
  op('D2 /6', 'shl', 'Eb,CL'),
  op('D2 /7', 'sar', 'Eb,CL'),

  op('D3 /0', 'rol', 'Ev,CL'),
  op('D3 /1', 'ror', 'Ev,CL'),
  op('D3 /2', 'rcl', 'Ev,CL'),
  op('D3 /3', 'rcr', 'Ev,CL'),
  op('D3 /4', 'shl', 'Ev,CL'),
  op('D3 /5', 'shr', 'Ev,CL'),
  op('D3 /6', 'shl', 'Ev,CL'),
  op('D3 /7', 'sar', 'Ev,CL'),

  // Group 3. /1 is an undocumented copy of /0.
  op('F6 /0', 'test', 'Eb,Ib'),
  op('F6 /1', 'test', 'Eb,Ib'),
  op('F6 /2', 'not', 'Eb', 'lock'),
  op('F6 /3', 'neg', 'Eb', 'lock'),
  op('F6 /4', 'mul', 'Eb'),
  op('F6 /5', 'imul', 'Eb'),
  op('F6 /6', 'div', 'Eb'),
  op('F6 /7', 'idiv', 'Eb'),
  op('F7 /0', 'test', 'Ev,Iz'),
  op('F7 /1', 'test', 'Ev,Iz'),
  op('F7 /2', 'not', 'Ev', 'lock'),
  op('F7 /3', 'neg', 'Ev', 'lock'),
  op('F7 /4', 'mul', 'Ev'),
  op('F7 /5', 'imul', 'Ev'),
  op('F7 /6', 'div', 'Ev'),
  op('F7 /7', 'idiv', 'Ev'),

  // Groups 4 and 5.
  op('FE /0', 'inc', 'Eb', 'lock'),
  op('FE /1', 'dec', 'Eb', 'lock'),
  op('FF /0', 'inc', 'Ev', 'lock'),
  op('FF /1', 'dec', 'Ev', 'lock'),
  op('FF /2', 'call', 'Ev', 'stack'),
  op('FF /3', 'callf', 'Mp'),
  op('FF /4', 'jmp', 'Ev'),
  op('FF /5', 'jmpf', 'Mp'),
  op('FF /6', 'push', 'Ev', 'stack'),

  // Group 6.
  op('0F 00 /0', 'sldt', 'Rv/Mw'),
  op('0F 00 /1', 'str', 'Rv/Mw'),
  op('0F 00 /2', 'lldt', 'Ew'),
  op('0F 00 /3', 'ltr', 'Ew'),
  op('0F 00 /4', 'verr', 'Ew'),
  op('0F 00 /5', 'verw', 'Ew'),

  // Group 7. With a register operand it also holds instructions of later CPUs: monitor, vmcall, xgetbv, rdtscp …
  op('0F 01 /0', 'sgdt', 'Ms', 'sized'),
  op('0F 01 /1', 'sidt', 'Ms', 'sized'),
  op('0F 01 /2', 'lgdt', 'Ms', 'sized'),
  op('0F 01 /3', 'lidt', 'Ms', 'sized'),
  op('0F 01 /4', 'smsw', 'Rv/Mw'),
  op('0F 01 /6', 'lmsw', 'Ew'),
  op('0F 01 /7', 'invlpg', 'M*'),

  // Group 8.
  op('0F BA /4', 'bt', 'Ev,Ib'),
  op('0F BA /5', 'bts', 'Ev,Ib', 'lock'),
  op('0F BA /6', 'btr', 'Ev,Ib', 'lock'),
  op('0F BA /7', 'btc', 'Ev,Ib', 'lock'),

  // Group 9.
  op('0F C7 /1', 'cmpxchg8b', 'Mq', 'lock'),

  // Group 11.
  op('C6 /0', 'mov', 'Eb,Ib'),
  op('C7 /0', 'mov', 'Ev,Iz'),

  // Group 15.
  op('NP 0F AE /0', 'fxsave', 'M*'),
  op('NP 0F AE /1', 'fxrstor', 'M*'),
  op('NP 0F AE /2', 'ldmxcsr', 'Md'),
  op('NP 0F AE /3', 'stmxcsr', 'Md'),
  op('NP 0F AE /5 r', 'lfence'),
  op('NP 0F AE /6 r', 'mfence'),
  op('NP 0F AE /7 r', 'sfence'),
  op('NP 0F AE /7', 'clflush', 'M*'),

  // Group 16: the whole row is reserved for hints, so what is not known is nop.
  op('0F 18', 'nop', 'Rv/M'),
  op('0F 18 /0', 'prefetchnta', 'M'),
  op('0F 18 /1', 'prefetcht0', 'M'),
  op('0F 18 /2', 'prefetcht1', 'M'),
  op('0F 18 /3', 'prefetcht2', 'M'),

  // Group P.
  op('0F 0D', 'nop', 'Rv/M'),
  op('0F 0D /0', 'prefetch', 'M'),
  op('0F 0D /1', 'prefetchw', 'M'),
];

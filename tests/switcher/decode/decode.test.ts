// How x86 instructions are put together: forms, prefixes, addressing, immediates, limits.
import { test } from 'tap';
import { newInstruction } from '../../../switcher/decode/all-forms.js';
import { decode } from '../../../switcher/decode/decode.js';
import { formKey } from '../../../switcher/decode/forms.js';
import { NO_REGISTER } from '../../../switcher/decode/instruction.js';
import type { DecodeMode, Instruction } from '../../../switcher/decode/instruction.js';

const FLAT: DecodeMode = { defaultSize: 32, flat: true };
const SEGMENTED: DecodeMode = { defaultSize: 32, flat: false };

function decoded(hex: string, mode: DecodeMode = FLAT, eip = 0): Instruction & { key: string } {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const out = newInstruction();
  const result = decode(bytes, bytes.length, eip, mode, out);
  if (result !== 'ok') throw new Error(`${hex}: ${result}`);
  return { ...out, key: formKey(out.form) };
}

const key = (hex: string, mode: DecodeMode = FLAT): string => decoded(hex, mode).key;

test('encodings that mean the same have one form', (t) => {
  t.equal(decoded('05 78563412').form, decoded('81 c1 78563412').form);
  t.equal(decoded('83 c0 ff').form, decoded('05 ffffffff').form);
  t.equal(decoded('d1 e0').form, decoded('c1 e0 04').form);
  t.match(decoded('d1 e0'), { key: 'shl r32,imm8', immediate: 1 });
  t.match(decoded('d3 e2'), { key: 'shl r32,r8', registers: [2, 1, 0] });
  t.match(decoded('40'), { key: 'inc r32', registers: [0, 0, 0] });
  t.match(decoded('97'), { key: 'xchg r32,r32', registers: [7, 0, 0] });
  t.match(decoded('a1 78563412'), { key: 'mov r32,m32', displacement: 0x12345678, base: NO_REGISTER });
  t.end();
});

test('a segment that is not flat shows in the form', (t) => {
  t.equal(key('01 07'), 'add m32,r32');
  t.equal(key('64 01 07'), 'add m32,r32 seg');
  t.equal(key('3e 01 07'), 'add m32,r32');
  t.equal(key('2e 01 07'), 'add m32,r32 seg', 'nothing can be written through CS');
  t.equal(key('01 07', SEGMENTED), 'add m32,r32 seg');
  t.equal(key('67 01 07'), 'add m32,r32 seg a16');
  t.equal(key('64 8d 07'), 'lea r32,m0', 'lea reads no memory');
  t.equal(key('50'), 'push r32');
  t.equal(key('50', SEGMENTED), 'push r32 seg');
  t.equal(key('64 aa'), 'stosb', 'the destination of a string instruction is always ES');
  t.match(decoded('64 a4'), { key: 'movsb seg', segment: 4 });
  t.match(decoded('8b 45 08'), { segment: 2, base: 5, displacement: 8 });
  t.match(decoded('64 26 8b 00'), { segment: 0 });
  t.end();
});

test('immediates are finished', (t) => {
  t.match(decoded('83 c0 ff'), { immediate: -1 });
  t.match(decoded('66 83 c0 ff'), { immediate: 0xffff, length: 4 });
  t.match(decoded('eb fe', FLAT, 0x1000), { immediate: 0x1000, key: 'jmp target' });
  t.match(decoded('66 e9 ffff', FLAT, 0x12340000), { immediate: 3 });
  t.match(decoded('e8 fbffffff', FLAT, 0xc0000000), { immediate: 0xc0000000 | 0 });
  t.match(decoded('9a 78563412 6000'), { immediate: 0x12345678, immediate2: 0x60 });
  t.match(decoded('c8 3412 01'), { key: 'enter imm16,imm8', immediate: 0x1234, immediate2: 1 });
  t.end();
});

test('prefixes choose among SSE instructions and repeat only string instructions', (t) => {
  t.equal(key('0f 58 c1'), 'addps xmm,xmm');
  t.equal(key('66 0f 58 c1'), 'addpd xmm,xmm');
  t.equal(key('f3 0f 58 07'), 'addss xmm,m32');
  t.equal(key('66 f2 0f 58 07'), 'addsd xmm,m64');
  t.equal(key('f3 f2 a6'), 'repne cmpsb');
  t.equal(key('f2 a5'), 'rep movsl');
  t.equal(key('f3 66 a5'), 'rep movsw o16');
  t.equal(key('f3 90'), 'pause');
  t.equal(key('f3 0f fc c1'), 'ud');
  t.equal(key('f3 0f b6 c1'), 'movzx r32,r8');
  t.end();
});

test('LOCK is undefined where it makes no sense', (t) => {
  t.equal(key('f0 01 07'), 'add m32,r32');
  for (const hex of ['f0 01 c1', 'f0 03 07', 'f0 39 07', 'f0 90', 'f0 8b 07']) t.equal(key(hex), 'ud', hex);
  t.end();
});

test('bytes that are missing are told from an instruction that is too long', (t) => {
  const out = newInstruction();
  const bytes = Buffer.from('66'.repeat(20), 'hex');
  t.equal(decode(bytes, 14, 0, FLAT, out), 'short');
  t.equal(decode(bytes, 15, 0, FLAT, out), 'too-long');
  const mov = Buffer.from('c78500000000ffffffff', 'hex');
  for (let available = 0; available < mov.length; available++) {
    t.equal(decode(mov, available, 0, FLAT, out), 'short', `${available}`);
  }
  t.equal(decode(mov, mov.length, 0, FLAT, out), 'ok');
  t.equal(decode(Buffer.from('0fa7', 'hex'), 2, 0, FLAT, out), 'ok', 'undefined without a look at ModRM');
  t.end();
});

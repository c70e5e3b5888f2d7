// Packed integers that only move: movd movq movq2dq movdq2q movntq, pmovmskb, maskmovq maskmovdqu, emms.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { define } from '../definition.js';
import type { Form } from '../../decode/instruction.js';
import { type Access, linearAddress } from '../operands.js';
import { EDI } from '../registers.js';
import {
  checkSse,
  doubleword,
  quadword,
  readQuadword,
  VECTOR_BYTES,
  withDoubleword,
  withQuadword,
  zeroVector,
} from '../sse/operand.js';
import { endMmx, markMmx, readMmx } from '../x87/mmx-state.js';
import { asVector, checkMmx, readMmxOperand, writeMmxOperand } from './operand.js';

define('movd', (b, [to, from]) => {
  const isMmx = to.kind === 'mmx' || from.kind === 'mmx';
  if (isMmx) checkMmx(b);
  else checkSse(b);
  if (to.kind === 'mmx') {
    writeMmxOperand(b, to, b.extendU(from.read()));
  } else if (to.kind === 'xmm') {
    to.write(withDoubleword(b, zeroVector(b), 0, from.read()));
  } else if (isMmx) {
    to.write(b.wrap(readMmx(b, from.read())));
    markMmx(b);
  } else {
    to.write(doubleword(b, from.read(), 0));
  }
});

/** Writes 64 bits: of an MMX register, or in memory. */
function writeQuadword(b: Builder, to: Access, value: Value): void {
  if (to.kind === 'mmx') {
    writeMmxOperand(b, to, value);
  } else {
    to.write(value);
    markMmx(b);
  }
}

define('movq', (b, [to, from]) => {
  if (to.kind === 'mmx' || from.kind === 'mmx') {
    checkMmx(b);
    writeQuadword(b, to, readMmxOperand(b, from));
    return;
  }
  checkSse(b);
  const value = readQuadword(b, from);
  if (to.kind === 'memory') to.write(value);
  else to.write(withQuadword(b, zeroVector(b), 0, value));
});

define('movntq', (b, [to, from]) => {
  checkMmx(b);
  writeQuadword(b, to, readMmx(b, from.read()));
});

define('movq2dq', (b, [to, from]) => {
  checkMmx(b);
  const value = readMmx(b, from.read());
  markMmx(b);
  to.write(withQuadword(b, zeroVector(b), 0, value));
});

define('movdq2q', (b, [to, from]) => {
  checkMmx(b);
  writeMmxOperand(b, to, quadword(b, from.read(), 0));
});

define('pmovmskb', (b, [to, from]) => {
  if (from.kind === 'mmx') {
    checkMmx(b);
    const value = readMmx(b, from.read());
    markMmx(b);
    to.write(b.and(b.apply('i8x16.bitmask', [asVector(b, value)]), 0xff));
  } else {
    checkSse(b);
    to.write(b.apply('i8x16.bitmask', [from.read()]));
  }
});

/** All bits of the bytes whose top bit is set. */
const maskOf = (b: Builder, vector: Value): Value => b.apply('i8x16.shr_s', [vector, 7]);

/** Where edi points, in the segment that the form names; checked for writing. */
function destination(b: Builder, form: Form, bytes: 8 | 16): Value {
  const edi = b.register(4, EDI);
  const offset = form.addressSize === 16 ? b.and(edi, 0xffff) : edi;
  const address = form.addressing === 'flat' ? offset : linearAddress(b, b.field('segment'), offset, bytes, 1);
  b.probe(bytes, address, true);
  return address;
}

define('maskmovdqu', (b, [from, mask], form) => {
  checkSse(b);
  const address = destination(b, form, VECTOR_BYTES);
  const old = b.load(VECTOR_BYTES, address);
  b.store(VECTOR_BYTES, address, b.apply('v128.bitselect', [from.read(), old, maskOf(b, mask.read())]));
});

define('maskmovq', (b, [from, mask], form) => {
  checkMmx(b);
  const address = destination(b, form, 8);
  const old = b.load(8, address);
  const value = readMmx(b, from.read());
  const chosen = quadword(b, maskOf(b, asVector(b, readMmx(b, mask.read()))), 0);
  b.store(8, address, b.or(b.and(value, chosen), b.and(old, b.not(chosen))));
  markMmx(b);
});

define('emms', (b) => {
  checkMmx(b);
  endMmx(b);
});

// fxsave and fxrstor: x87, MMX and SSE state in 512 bytes.
//
//     0  control   2  status   4  tags: a bit for each register that is not empty   6  opcode
//     8  instruction pointer  12  CS  16  operand pointer  20  its segment  24  MXCSR  28  the bits that MXCSR has
//    32  ST(0) … ST(7), 16 bytes each     160  xmm0 … xmm7, 16 bytes each     288  reserved, and left alone
import * as State from '../../cpu/state.js';
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { define } from '../definition.js';
import { type Access, VECTOR_GP } from '../operands.js';
import { setPointers, setStatus, statusWord } from './control.js';
import * as X from './state.js';

const IMAGE_BYTES = 512;
const TAGS = 4;
const OPCODE = 6;
const POINTERS = 8;
const MXCSR_FIELD = 24;
const MXCSR_MASK_FIELD = 28;
const STACK_FIELD = 32;
const XMM_FIELD = 160;
/** Every bit of MXCSR that may be set: denormals-are-zeros included. */
export const MXCSR_BITS = 0xffff;
const REGISTER_NUMBERS = [0, 1, 2, 3, 4, 5, 6, 7];

/** The address of the image, which must be a multiple of 16. */
function imageAddress(b: Builder, operand: Access, write: boolean): Value {
  const address = operand.address(IMAGE_BYTES, write);
  b.when(b.and(address, 15), () => b.raise(VECTOR_GP, 0));
  b.probe(IMAGE_BYTES, address, write);
  return address;
}

define('fxsave', (b, [to]) => {
  X.checkAvailable(b);
  const address = imageAddress(b, to, true);
  const at = (offset: number): Value => b.add(address, offset);
  b.store(2, address, b.state(4, State.FPU_CONTROL));
  b.store(2, at(2), statusWord(b));
  b.store(2, at(TAGS), b.xor(b.state(4, State.FPU_EMPTY), X.ALL_EMPTY));
  b.store(2, at(OPCODE), b.state(4, State.FPU_OPCODE));
  b.store(4, at(POINTERS), b.state(4, State.FPU_IP));
  b.store(4, at(POINTERS + 4), b.and(b.state(4, State.FPU_CS), 0xffff));
  b.store(4, at(POINTERS + 8), b.state(4, State.FPU_DP));
  b.store(4, at(POINTERS + 12), b.and(b.state(4, State.FPU_DS), 0xffff));
  b.store(4, at(MXCSR_FIELD), b.state(4, State.MXCSR));
  b.store(4, at(MXCSR_MASK_FIELD), b.i32(MXCSR_BITS));
  for (const i of REGISTER_NUMBERS) {
    const { significand, signExponent } = X.readRegister(b, X.stackRegister(b, i));
    b.store(8, at(STACK_FIELD + 16 * i), significand);
    b.store(8, at(STACK_FIELD + 16 * i + 8), b.and(b.extendU(signExponent), 0xffffn));
  }
  for (const i of REGISTER_NUMBERS) b.store(16, at(XMM_FIELD + 16 * i), b.state(16, State.XMM + 16 * i));
});

define('fxrstor', (b, [from]) => {
  X.checkAvailable(b);
  const address = imageAddress(b, from, false);
  const at = (offset: number): Value => b.add(address, offset);
  const mxcsr = b.load(4, at(MXCSR_FIELD));
  b.when(b.and(mxcsr, ~MXCSR_BITS), () => b.raise(VECTOR_GP, 0));
  const half = (offset: number): Value => b.load(2, at(offset));
  const [control, status, tags, opcode] = [half(0), half(2), half(TAGS), half(OPCODE)];
  const pointer = (i: number): Value => b.load(4, at(POINTERS + 4 * i));
  const [ip, cs, dp, ds] = [pointer(0), pointer(1), pointer(2), pointer(3)];
  const stack = REGISTER_NUMBERS.map((i) => ({
    significand: b.load(8, at(STACK_FIELD + 16 * i)),
    signExponent: b.load(2, at(STACK_FIELD + 16 * i + 8)),
  }));
  const xmm = REGISTER_NUMBERS.map((i) => b.load(16, at(XMM_FIELD + 16 * i)));
  b.setState(4, State.MXCSR, mxcsr);
  b.setState(4, State.FPU_CONTROL, b.or(b.and(control, X.CONTROL_BITS), X.CONTROL_ALWAYS));
  setStatus(b, status);
  b.setState(4, State.FPU_EMPTY, b.xor(b.and(tags, X.ALL_EMPTY), X.ALL_EMPTY));
  setPointers(b, { ip, cs: b.and(cs, 0xffff), opcode: b.and(opcode, 0x7ff), dp, ds: b.and(ds, 0xffff) });
  stack.forEach((contents, i) => X.fillRegister(b, X.stackRegister(b, i), contents));
  xmm.forEach((value, i) => b.setState(16, State.XMM + 16 * i, value));
});

// fnstenv, fldenv, fnsave and frstor: the state of the x87 as it lies in memory.
//
// Seven fields of one size, 2 or 4 bytes by the operand size, then for fnsave and frstor ST(0) … ST(7), 10 bytes each:
//
//   control    status    tags    instruction pointer    CS (and opcode)    operand pointer    its segment
//
// A full tag word says of every register in two bits what it holds.
import * as State from '../../cpu/state.js';
import type { Form } from '../../decode/instruction.js';
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { define } from '../definition.js';
import type { Access } from '../operands.js';
import { EXPONENT_MASK, floatRoutine, topBit } from '../float/format.js';
import { initialise, setControl, setPointers, setStatus, statusWord } from './control.js';
import { CONTROL_ALWAYS, CONTROL_BITS } from './state.js';
import * as X from './state.js';

const TAG_ZERO = 1;
const TAG_SPECIAL = 2;
const TAG_EMPTY = 3;
const REGISTERS = 8;
const REGISTER_BYTES = 10;
/** Bits of the 32-bit image that nothing is kept in are stored as ones. */
const UPPER = ~0xffff;
const OPCODE_MASK = 0x7ff;

/** (byte offset of a physical register) → its tag, were it not empty. */
const contentTag = floatRoutine('x87ContentTag', ['i32'], ['i32'], (b, offset) => {
  const significand = b.state(8, State.FPU_REGISTERS, offset);
  const exponent = b.and(b.state(4, State.FPU_REGISTERS + State.FPU_SIGN_EXPONENT, offset), EXPONENT_MASK);
  b.when(b.and(b.eqz(exponent), b.eqz(significand)), () => b.return(b.i32(TAG_ZERO)));
  const normal = b.and(b.ltU(b.sub(exponent, 1), EXPONENT_MASK - 1), topBit(b, significand));
  b.return(b.select(normal, 0, TAG_SPECIAL));
});

/** () → the full tag word. */
const fullTags = floatRoutine('x87FullTags', [], ['i32'], (b) => {
  const empty = b.state(4, State.FPU_EMPTY);
  let tags = b.i32(0);
  for (let i = 0; i < REGISTERS; i++) {
    const tag = b.call(contentTag, i * State.FPU_REGISTER_SIZE);
    tags = b.or(tags, b.shl(b.select(b.and(empty, 1 << i), TAG_EMPTY, tag), 2 * i));
  }
  b.return(tags);
});

/** The empty bits of a full tag word. */
function emptyOfTags(b: Builder, tags: Value): Value {
  const both = b.and(tags, b.shrU(tags, 1));
  let empty = b.i32(0);
  for (let i = 0; i < REGISTERS; i++) empty = b.or(empty, b.and(b.shrU(both, i), 1 << i));
  return empty;
}

const environmentBytes = (form: Form): number => (form.operandSize === 32 ? 28 : 14);

/** The address of an image that may be touched whole: real processors look at its first byte, then at its last. */
function imageAddress(b: Builder, operand: Access, bytes: number, write: boolean): Value {
  const address = operand.address(bytes, write);
  b.probe(1, address, write);
  b.probe(1, b.add(address, bytes - 1), write);
  return address;
}

/** Stores the environment at an address that was probed. */
function storeEnvironment(b: Builder, form: Form, address: Value): void {
  const size = form.operandSize === 32 ? 4 : 2;
  const opcode = b.shl(b.and(b.state(4, State.FPU_OPCODE), OPCODE_MASK), 16);
  const fields = [
    b.or(b.state(4, State.FPU_CONTROL), UPPER),
    b.or(statusWord(b), UPPER),
    b.or(b.call(fullTags), UPPER),
    b.state(4, State.FPU_IP),
    b.or(b.and(b.state(4, State.FPU_CS), 0xffff), opcode),
    b.state(4, State.FPU_DP),
    b.or(b.state(4, State.FPU_DS), UPPER),
  ];
  fields.forEach((field, i) => b.store(size, b.add(address, i * size), field));
}

/** Reads the environment and gives what puts it in force. */
function loadEnvironment(b: Builder, form: Form, address: Value): () => void {
  const wide = form.operandSize === 32;
  const size = wide ? 4 : 2;
  const field = (i: number): Value => b.load(size, b.add(address, i * size));
  const [control, status, tags, ip, cs, dp, ds] = [
    field(0),
    field(1),
    field(2),
    field(3),
    field(4),
    field(5),
    field(6),
  ];
  return () => {
    b.setState(4, State.FPU_CONTROL, b.or(b.and(control, CONTROL_BITS), CONTROL_ALWAYS));
    setStatus(b, status);
    b.setState(4, State.FPU_EMPTY, emptyOfTags(b, tags));
    const opcode = wide ? b.and(b.shrU(cs, 16), OPCODE_MASK) : 0;
    setPointers(b, { ip, cs: b.and(cs, 0xffff), opcode, dp, ds: b.and(ds, 0xffff) });
  };
}

define('fnstenv', (b, [to], form) => {
  X.checkAvailable(b);
  const address = imageAddress(b, to, environmentBytes(form), true);
  storeEnvironment(b, form, address);
  setControl(b, b.or(b.state(4, State.FPU_CONTROL), 0x3f));
});

define('fldenv', (b, [from], form) => {
  X.checkFpu(b);
  loadEnvironment(b, form, imageAddress(b, from, environmentBytes(form), false))();
});

define('fnsave', (b, [to], form) => {
  X.checkAvailable(b);
  const environment = environmentBytes(form);
  const address = imageAddress(b, to, environment + REGISTERS * REGISTER_BYTES, true);
  storeEnvironment(b, form, address);
  for (let i = 0; i < REGISTERS; i++) {
    const { significand, signExponent } = X.readRegister(b, X.stackRegister(b, i));
    b.store(8, b.add(address, environment + i * REGISTER_BYTES), significand);
    b.store(2, b.add(address, environment + i * REGISTER_BYTES + 8), signExponent);
  }
  initialise(b);
});

define('frstor', (b, [from], form) => {
  X.checkFpu(b);
  const environment = environmentBytes(form);
  const address = imageAddress(b, from, environment + REGISTERS * REGISTER_BYTES, false);
  const putInForce = loadEnvironment(b, form, address);
  const stack = Array.from({ length: REGISTERS }, (_, i) => ({
    significand: b.load(8, b.add(address, environment + i * REGISTER_BYTES)),
    signExponent: b.load(2, b.add(address, environment + i * REGISTER_BYTES + 8)),
  }));
  putInForce();
  // Full or empty, the registers take what is there: the tags are loaded already.
  stack.forEach((contents, i) => X.fillRegister(b, X.stackRegister(b, i), contents));
});

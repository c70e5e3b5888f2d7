// Flags as a whole, and what an unprivileged program may ask of the machine.
import * as State from '../cpu/state.js';
import { carryFlag, flagsImage, overflowFlag, setCarry, setSixFlags, setZero } from '../language/flags.js';
import type { Value } from '../language/nodes.js';
import { define } from './definition.js';
import { AH, AL, EAX, EDX, ESP } from './registers.js';
import { push, sizeOf, top } from './stack.js';
import { charge } from './budget.js';

/** What asking for the time costs. */
const TIME_STAMP_JUMPS = 100;
const CPUID_JUMPS = 30;

const DF = 1 << 10;
const RF_AND_VM = 3 << 16;
/** Bit 1 of EFLAGS is always set. */
const ALWAYS_SET = 2;

define('pushf', (b, _operands, form) => {
  const image = b.or(b.and(b.state(4, State.EFLAGS_REST), ~RF_AND_VM), flagsImage(b));
  push(b, form, sizeOf(form), image);
});

define('popf', (b, _operands, form) => {
  const { value, pointer } = top(b, form, sizeOf(form));
  b.setRegister(4, ESP, pointer);
  b.delegate('loadFlags', [value, sizeOf(form)], false);
});

define('lahf', (b) => b.setRegister(1, AH, b.or(b.and(flagsImage(b), 0xff), ALWAYS_SET)));

define('sahf', (b) => {
  const image = b.register(1, AH);
  const bit = (n: number): Value => b.and(b.shrU(image, n), 1);
  setSixFlags(b, { cf: bit(0), pf: bit(2), af: bit(4), zf: bit(6), sf: bit(7), of: overflowFlag(b) });
});

define('clc', (b) => setCarry(b, 0));
define('stc', (b) => setCarry(b, 1));
define('cmc', (b) => setCarry(b, b.xor(carryFlag(b), 1)));
define('cld', (b) => b.setState(4, State.EFLAGS_REST, b.and(b.state(4, State.EFLAGS_REST), ~DF)));
define('std', (b) => b.setState(4, State.EFLAGS_REST, b.or(b.state(4, State.EFLAGS_REST), DF)));
define('salc', (b) => b.setRegister(1, AL, b.sub(0, carryFlag(b))));

define('cpuid', (b) => {
  charge(b, CPUID_JUMPS);
  b.delegate('cpuid', [], false);
});
define('rdtsc', (b) => {
  charge(b, TIME_STAMP_JUMPS);
  b.setRegister(4, EAX, b.ask('timeStampLow'));
  b.setRegister(4, EDX, b.ask('timeStampHigh'));
});

/** The task register that every Guest has, and no LDT (see guest-abi/x86). */
const TASK_SELECTOR = 0x80;
const CR0_WORD = 0x80050033;
const CR0_TS = 8;
define('str', (b, [to]) => to.write(b.i32(TASK_SELECTOR)));
define('sldt', (b, [to]) => to.write(b.i32(0)));
define('smsw', (b, [to]) => to.write(b.or(b.select(b.state(4, State.TASK_SWITCHED), CR0_TS, 0), CR0_WORD)));

const GDT_LIMIT = 255;
const IDT_LIMIT = 2047;
define(['sgdt', 'sidt'], (b, [to], { mnemonic }) => {
  const address = to.address(6, true);
  b.probe(6, address, true);
  b.store(2, address, mnemonic === 'sgdt' ? GDT_LIMIT : IDT_LIMIT);
  b.store(4, b.add(address, 2), b.state(4, mnemonic === 'sgdt' ? State.GDT_BASE : State.IDT_BASE));
});

define('verr', (b, [selector]) => setZero(b, b.ask('verifyRead', b.and(selector.read(), 0xffff))));
define('verw', (b, [selector]) => setZero(b, b.ask('verifyWrite', b.and(selector.read(), 0xffff))));
define('lar', (b, [to, from]) => {
  const rights = b.ask('accessRights', b.and(from.read(), 0xffff));
  b.when(rights, () => to.write(rights));
  setZero(b, b.bool(rights));
});
define('lsl', (b, [to, from]) => {
  const selector = b.and(from.read(), 0xffff);
  const known = b.ask('segmentLimitKnown', selector);
  b.when(known, () => to.write(b.ask('segmentLimit', selector)));
  setZero(b, known);
});

define('arpl', (b, [to, from]) => {
  const selector = to.read();
  const wanted = b.and(from.read(), 3);
  const raise = b.ltU(b.and(selector, 3), wanted);
  b.when(raise, () => to.write(b.or(b.and(selector, 0xfffc), wanted)));
  setZero(b, raise);
});

/** clflush checks its operand as a load of one byte does. */
define('clflush', (b, [at]) => b.probe(1, at.address(1, false), false));

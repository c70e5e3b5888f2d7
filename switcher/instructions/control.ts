// Where to go next: jumps, calls, returns, loops, interrupts.
import { condition, CONDITIONS, overflowFlag, zeroFlag } from '../language/flags.js';
import type { Builder } from '../language/builder.js';
import type { Form } from '../decode/instruction.js';
import type { Value } from '../language/nodes.js';
import { define } from './definition.js';
import { type Access, VECTOR_GP } from './operands.js';
import { ECX, ESP } from './registers.js';
import { movedPointer, push, sizeOf, top } from './stack.js';

const VECTOR_UD = 6;
const VECTOR_BR = 5;
const VECTOR_BP = 3;
const VECTOR_OF = 4;

for (const cc of CONDITIONS) {
  define(`j${cc}`, (b) => b.when(condition(b, cc), () => b.jump(b.field('immediate'))));
}

define('jmp', (b, [to]) => b.jump(to.read()));

define('call', (b, [to], form) => {
  const target = to.read();
  push(b, form, sizeOf(form), b.field('nextEip'));
  b.jump(target);
});

define('ret', (b, [drop], form) => {
  const { value, pointer } = top(b, form, sizeOf(form));
  b.setRegister(4, ESP, drop.kind === 'none' ? pointer : movedPointer(b, form, pointer, b.and(drop.read(), 0xffff)));
  b.jump(value);
});

/** Counts ecx (or cx) down by one and gives what is left. */
function countDown(b: Builder, form: Form): Value {
  const bytes = form.addressSize === 16 ? 2 : 4;
  const left = b.sub(b.register(bytes, ECX), 1);
  b.setRegister(bytes, ECX, left);
  return bytes === 2 ? b.and(left, 0xffff) : left;
}

define('loop', (b, _operands, form) => b.when(countDown(b, form), () => b.jump(b.field('immediate'))));
define('loope', (b, _operands, form) =>
  b.when(b.and(b.bool(countDown(b, form)), zeroFlag(b)), () => b.jump(b.field('immediate'))),
);
define('loopne', (b, _operands, form) =>
  b.when(b.and(b.bool(countDown(b, form)), b.xor(zeroFlag(b), 1)), () => b.jump(b.field('immediate'))),
);
define('jecxz', (b, _operands, form) =>
  b.when(b.eqz(b.register(form.addressSize === 16 ? 2 : 4, ECX)), () => b.jump(b.field('immediate'))),
);

/** The selector and offset of a far pointer, in the instruction or in memory. */
function farPointer(b: Builder, to: Access, form: Form): [selector: Value, offset: Value] {
  if (to.kind === 'far') return [b.and(b.field('immediate2'), 0xffff), b.field('immediate')];
  const bytes = sizeOf(form);
  const address = to.address(bytes + 2, false);
  const offset = b.load(bytes, address);
  return [b.load(2, b.add(address, bytes)), offset];
}

define('jmpf', (b, [to], form) => b.delegate('farJump', [sizeOf(form), ...farPointer(b, to, form)], true));
define('callf', (b, [to], form) => b.delegate('farCall', [sizeOf(form), ...farPointer(b, to, form)], true));
define('retf', (b, [drop], form) =>
  b.delegate('farReturn', [sizeOf(form), drop.kind === 'none' ? 0 : b.and(drop.read(), 0xffff)], true),
);
define('iret', (b, _operands, form) => b.delegate('interruptReturn', [sizeOf(form)], true));

define('int', (b, [vector]) => b.delegate('softwareInterrupt', [b.and(vector.read(), 0xff)], true));
define('int3', (b) => b.delegate('softwareInterrupt', [VECTOR_BP], true));
define('int1', (b) => b.delegate('debugInterrupt', [], true));
define('into', (b) => b.when(overflowFlag(b), () => b.delegate('softwareInterrupt', [VECTOR_OF], true)));

define('bound', (b, [index, bounds], form) => {
  const bytes = sizeOf(form);
  const address = bounds.address(2 * bytes, false);
  const signed = (value: Value): Value => (bytes === 2 ? b.signExtend(16, value) : value);
  const lower = signed(b.load(bytes, address));
  const upper = signed(b.load(bytes, b.add(address, bytes)));
  const value = signed(index.read());
  b.when(b.or(b.ltS(value, lower), b.gtS(value, upper)), () => b.raise(VECTOR_BR));
});

define(['ud', 'ud0', 'ud1', 'ud2', 'rsm'], (b) => b.raise(VECTOR_UD));

define(['nop', 'pause', 'prefetchnta', 'prefetcht0', 'prefetcht1', 'prefetcht2', 'prefetch', 'prefetchw'], () =>
  undefined);
define(['lfence', 'mfence', 'sfence'], () => undefined);

/** What the ring-1 Guest may not do (IOPL is 0): the Host or the Launcher looks at the instruction and decides. */
define(
  ['hlt', 'cli', 'sti', 'clts', 'invd', 'wbinvd', 'wrmsr', 'rdmsr', 'rdpmc', 'sysenter', 'sysexit', 'in', 'out'].concat(
    ['insb', 'insw', 'insl', 'outsb', 'outsw', 'outsl', 'lldt', 'ltr', 'lgdt', 'lidt', 'lmsw', 'invlpg'],
  ),
  (b) => b.raise(VECTOR_GP, 0),
);

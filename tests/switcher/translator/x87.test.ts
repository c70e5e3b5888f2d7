// A region is made for one TOP, one set of tags and one control word: whatever changes them on the way, it must come out as it
// does without a translator.
import t from 'tap';
import { assemble } from '../../support/assemble.js';
import { CODE_ADDRESS, defaultState, FX, type MachineState, type Outcome, shown } from '../../support/machine-state.js';
import { EmulatedCpu } from '../../support/test-cpu.js';

const NUMBERS = 0x10000000;
const CASES: Readonly<Record<string, string>> = {
  'fnstenv shows the tags of registers that are in locals': 'fld1; fldz; fnstenv 0x10000200; fxch; fnsave 0x10000300',
  'a control word loaded in a loop rounds what comes behind it': `
      movl $0x0f7f0b7f, 0x10000100; movl $0x0777037f, 0x10000104; mov $4, %ecx
    again:
      fldl 0x10000000; fldcw 0x100000fe(,%ecx,2); fistpl 0x10000200(,%ecx,4)
      fldl 0x10000008; fmull 0x10000010; fstps 0x10000220(,%ecx,4)
      dec %ecx; jnz again; fldcw 0x10000104; fldl 0x10000008; fsqrt`,
  'a control word with fewer bits of precision is another one': `
      movw $0x027f, 0x10000100; movw $0x007f, 0x10000102; mov $2, %ecx; fldl 0x10000008
    again:
      fldcw 0x100000fe(,%ecx,2); fmull 0x10000010; fadd %st, %st; fld %st; fstpt 0x10000200(,%ecx,8); dec %ecx; jnz again`,
  'an exception that is not masked keeps a pop from happening, the next instruction tells of it': `
      movw $0x037b, 0x10000100; fldl 0x10000000; fldz; fldcw 0x10000100; mov $2, %ecx
    again:
      dec %ecx; fdivrp; fld1; jnz again`,
  'masked, it goes on': 'mov $3, %ecx; fldl 0x10000000; again: fldz; fdivrp; dec %ecx; jnz again; fld1',
  'a stack that is too small for a loop runs over':
    'mov $11, %ecx; again: fldl 0x10000008; dec %ecx; jnz again; fadd %st(7), %st',
  'a stack that is empty runs under':
    'fld1; mov $3, %ecx; again: faddl 0x10000008; fstpl 0x10000200(,%ecx,8); dec %ecx; jnz again',
  'two ways to one place with different stacks': `
      mov $6, %ecx
    again:
      test $1, %cl; jz even; fldl 0x10000000; jmp both; even: fldl 0x10000008; fld %st; faddp; both:
      fadd %st, %st; dec %ecx; jnz again; fincstp; ffree %st(2); mov $3, %ecx; more: fstpl 0x10000200(,%ecx,8); dec %ecx; jnz more`,
  'fninit, emms and MMX in the middle': `
      fldl 0x10000000; fldl 0x10000008; mov $3, %ecx
    again:
      faddp; fstpl 0x10000200(,%ecx,8); movq 0x10000000, %mm3; paddd %mm3, %mm3; movq %mm3, 0x10000240; emms
      fld1; fldl 0x10000008; dec %ecx; jnz again; fninit; fldpi`,
  'comparisons, in the status word and in flags': `
      mov $8, %ecx
    again:
      fldl 0x0ffffff8(,%ecx,8); fcoml 0x10000008; fnstsw %ax; mov %ax, 0x10000200(,%ecx,2)
      fldl 0x10000010; fcomip %st(1), %st; setb 0x10000240(%ecx); setz 0x10000250(%ecx); setp 0x10000260(%ecx)
      ftst; fnstsw 0x10000220(,%ecx,2); fstp %st; dec %ecx; jnz again`,
};
/** Ordinary ones, zeros, a denormal, an infinity, NaNs. */
const OPERANDS = [-2.5, 1 / 3, Math.PI, 0, -0, 5e-324, Infinity, NaN];
const CONTROLS = [0x037f, 0x027f, 0x0f7f, 0x0340, 0x035f];

/** Twice in a row, the second time with another stack: the region that is there is not made for that. */
function runs(cpu: EmulatedCpu, code: Uint8Array, control: number): Outcome[] {
  return [0, 2, 5, 0].map((depth) => {
    const state: MachineState = defaultState();
    const image = new DataView(state.fx.buffer);
    image.setUint16(FX.fcw, control, true);
    image.setUint16(FX.fsw, ((8 - depth) & 7) << 11, true);
    image.setUint8(FX.ftw, (0xff00 >>> depth) & 0xff);
    for (let i = 0; i < depth; i++) {
      image.setBigUint64(FX.st + 16 * i, (0xc000_0000_0000_0001n << BigInt(i)) | (1n << 63n), true);
      image.setUint16(FX.st + 16 * i + 8, 0x3ffe + i, true);
    }
    const numbers = new Uint8Array(OPERANDS.length * 8);
    OPERANDS.forEach((number, i) => new DataView(numbers.buffer).setFloat64(8 * i, number, true));
    state.patches = [
      { address: NUMBERS, bytes: numbers },
      { address: CODE_ADDRESS, bytes: code },
    ];
    cpu.reset(state);
    return cpu.run();
  });
}

for (const [name, text] of Object.entries(CASES)) {
  t.test(name, async (sub) => {
    const code = assemble(`${text}; int3`, CODE_ADDRESS).bytes;
    const [evaluated, translated] = [new EmulatedCpu('evaluate'), new EmulatedCpu('translate')];
    for (const control of CONTROLS) {
      const expected = runs(evaluated, code, control).map(shown);
      sub.same(runs(translated, code, control).map(shown), expected, `control word ${control.toString(16)}`);
    }
  });
}

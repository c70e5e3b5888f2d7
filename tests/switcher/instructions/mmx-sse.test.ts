// MMX, SSE, SSE2 and SSE3, held against a real CPU (see tests/vectors); and who may use their registers.
import t from 'tap';
import { type FormExample, formExamples } from '../../../switcher/decode/all-forms.js';
import { FX, CODE_ADDRESS, defaultState, type MachineState, type Outcome } from '../../support/machine-state.js';
import { deltaOf } from '../../support/state-delta.js';
import { EmulatedCpu, ENGINES } from '../../support/test-cpu.js';
import { testVectors } from '../../support/vector-tests.js';

testVectors(['mmx', 'sse-arithmetic', 'sse']);

const VECTOR_NM = 7;
const VECTOR_MF = 16;
/** Division by zero unmasked and met: ES is set. */
const CONTROL_WITHOUT_ZM = 0x37b;
const STATUS_WITH_ZE = 0x8084;
/** They have no operand that would show it. */
const SSE_CONTROL = new Set(['ldmxcsr', 'stmxcsr']);

const hasOperand = ({ form }: FormExample, kind: 'mmx' | 'xmm'): boolean =>
  form.operands.some((operand) => operand.kind === kind);
const isMmx = (example: FormExample): boolean => hasOperand(example, 'mmx') || example.form.mnemonic === 'emms';
const isSse = (example: FormExample): boolean =>
  !isMmx(example) && (hasOperand(example, 'xmm') || SSE_CONTROL.has(example.form.mnemonic));

function stateWith({ bytes }: FormExample): MachineState {
  const state = defaultState();
  const fx = new DataView(state.fx.buffer);
  fx.setUint16(FX.fcw, CONTROL_WITHOUT_ZM, true);
  fx.setUint16(FX.fsw, STATUS_WITH_ZE, true);
  state.patches = [{ address: CODE_ADDRESS, bytes }];
  return state;
}

/** Changed fields, RF in the flags that a fault leaves aside. */
const changes = (before: MachineState, { patches, ...after }: Outcome): string[] =>
  Object.keys(deltaOf(before, { ...after, eflags: after.eflags & ~0x10000, patches })).toSorted();

for (const engine of ENGINES) {
  t.test(
    `under '${engine}' an instruction that finds the task switched raises #NM, whatever else is wrong`,
    async (sub) => {
      const cpu = new EmulatedCpu(engine);
      cpu.taskSwitched = true;
      for (const example of formExamples().filter((one) => isMmx(one) || isSse(one))) {
        const before = stateWith(example);
        cpu.reset(before);
        const outcome = cpu.run();
        if (outcome.trap.vector !== VECTOR_NM || changes(before, outcome).length > 0) {
          sub.fail(example.form.mnemonic, { trap: outcome.trap, changes: changes(before, outcome) });
        }
      }
      sub.pass();
    },
  );

  t.test(`under '${engine}' an exception of the x87 is told of by MMX instructions and by no others`, async (sub) => {
    const cpu = new EmulatedCpu(engine);
    for (const example of formExamples().filter((one) => isMmx(one) || isSse(one))) {
      const before = stateWith(example);
      cpu.reset(before);
      const outcome = cpu.run();
      const told = outcome.trap.vector === VECTOR_MF;
      if (told !== isMmx(example)) sub.fail(example.form.mnemonic, { trap: outcome.trap });
      if (told && changes(before, outcome).length > 0) {
        sub.fail(example.form.mnemonic, { changes: changes(before, outcome) });
      }
    }
    sub.pass();
  });
}

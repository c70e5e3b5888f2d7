// Makes a failing case small: whatever can go without the difference going with it goes.
//
// Any change of a case is again a case, since the judge says what it has to do: so nothing needs to be understood here.
import { newInstruction } from '../../switcher/decode/all-forms.js';
import { decode } from '../../switcher/decode/decode.js';
import { disassemble } from '../../switcher/decode/disassemble.js';
import type { Instruction } from '../../switcher/decode/instruction.js';
import { vectorCase } from '../native/vector-case.js';
import { CODE_ADDRESS, defaultState, type MachineState } from '../support/machine-state.js';
import type { Vectors } from '../support/cpu-vectors.js';
import { addressKey, applyDelta, type Delta, deltaOf, toHex } from '../support/state-delta.js';
import type { Case, Judge } from './judge.js';

const NOP = 0x90;
const FLAT = { defaultSize: 32, flat: true } as const;
/** A case as text: its code, and what of its state is not as usual. */
interface Draft {
  readonly code: Uint8Array;
  readonly in: Delta;
}

function draftOf({ code, state }: Case): Draft {
  const { [addressKey(state.eip)]: _, ...rest } = deltaOf(defaultState(), state);
  return { code, in: rest };
}

function stateOf(draft: Draft): MachineState {
  const state = defaultState();
  applyDelta(state, draft.in);
  state.patches = [{ address: state.eip, bytes: draft.code }, ...state.patches];
  return state;
}

/** The instructions, as far as the bytes are some. */
function* instructionsOf(code: Uint8Array): Generator<{ at: number; instruction: Instruction }> {
  const instruction = newInstruction();
  for (let at = 0; at < code.length; at += instruction.length) {
    const left = code.subarray(at);
    if (decode(left, left.length, CODE_ADDRESS + at, FLAT, instruction) !== 'ok') return;
    yield { at, instruction };
  }
}

/** The same with one thing less. */
function* smaller(draft: Draft): Generator<Draft> {
  const { code } = draft;
  for (const { at, instruction } of instructionsOf(code)) {
    const { length } = instruction;
    // Away with it; or, if a branch counts on its length, nothing in its place.
    yield { ...draft, code: Uint8Array.from([...code.subarray(0, at), ...code.subarray(at + length)]) };
    if (code.subarray(at, at + length).every((byte) => byte === NOP)) continue;
    yield { ...draft, code: Uint8Array.from(code).fill(NOP, at, at + length) };
  }
  for (const key of Object.keys(draft.in)) {
    const { [key]: text = '', ...rest } = draft.in;
    yield { ...draft, in: rest };
    // Numbers that are 0 say less than others; and a loop that turns once is shorter than one that turns often.
    for (const plain of ['0', '1'])
      if (/^(r|xmm)\d$/.test(key) && text !== plain) yield { ...draft, in: { ...draft.in, [key]: plain } };
    if (/^[0-9a-f]{8}$/.test(key) && !/^0[0-2]0+$/.test(text)) {
      yield { ...draft, in: { ...draft.in, [key]: '02'.padEnd(text.length, '0') } };
      yield { ...draft, in: { ...draft.in, [key]: '01'.padEnd(text.length, '0') } };
    }
  }
}

export const disassembled = (code: Uint8Array): string =>
  // One after the other: the instruction that is given is always the same object.
  Array.from(instructionsOf(code), ({ instruction }) => disassemble(instruction)).join('; ');

/**
 * A smaller case in which there is still a difference, in the words of tests/vectors.
 *
 * @returns undefined when the difference does not show again
 */
export async function minimise(judge: Judge, failing: Case): Promise<Vectors | undefined> {
  const { tolerance } = failing;
  const caseOf = (draft: Draft): Case => ({ ...failing, code: draft.code, state: stateOf(draft) });
  const fails = async (draft: Draft): Promise<boolean> =>
    draft.code.length > 0 && (await judge.try(caseOf(draft))).differences.length > 0;
  let best = draftOf(failing);
  if (!(await fails(best))) return undefined;
  for (let better: Draft | undefined = best; better !== undefined;) {
    better = undefined;
    for (const draft of smaller(best)) {
      if (!(await fails(draft))) continue;
      better = best = draft;
      break;
    }
  }
  const one = caseOf(best);
  const { answer } = await judge.try(one);
  if (answer === undefined) return undefined;
  const [first] = instructionsOf(best.code);
  return {
    mnemonic: first?.instruction.form.mnemonic ?? failing.name,
    asm: disassembled(best.code),
    code: toHex(best.code),
    cases: [vectorCase({ ...tolerance, in: best.in }, one.state, best.code.length, answer)],
  };
}

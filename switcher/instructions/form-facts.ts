// What those who translate must know of a form, derived from what it means.
import * as State from '../cpu/state.js';
import type { Form } from '../decode/instruction.js';
import { wordsOfBody, wordsOfRoutine } from '../language/state-words.js';
import type { Body, Statement } from '../language/nodes.js';
import { meaning } from './index.js';

/** How an instruction ends. */
export type Flow =
  /** It runs into the next one, or faults. */
  | 'plain'
  /** It may jump to its immediate. */
  | 'branch'
  /** It always jumps, to its immediate or elsewhere. */
  | 'jump'
  /** It delegates or raises, which translated code leaves to the interpreter. */
  | 'foreign';

/** What a form means to those who have room to spell it out. */
export interface SpelledOut {
  readonly body: Body;
  /** It sets flags on some of its ways and not on others. */
  readonly flagsMaybe: boolean;
}

const flows = new Map<Form, Flow>();
const meanings = new Map<Form, SpelledOut>();

function some(statements: readonly Statement[], test: (statement: Statement) => boolean): boolean {
  return statements.some(
    (statement) =>
      test(statement) ||
      (statement.kind === 'if' && (some(statement.then, test) || some(statement.otherwise, test))) ||
      (statement.kind === 'loop' && some(statement.loop.body, test)),
  );
}

const isTarget = (statement: Statement): boolean =>
  statement.kind === 'jump' && statement.target.node.kind === 'field' && statement.target.node.field === 'immediate';

/** True for what stores or loads the x87 and XMM registers as the memory that they are: fxsave and its kind. */
function movesRegisterFiles(body: Body): boolean {
  const inFiles = (offset: number): boolean => offset >= State.FPU_REGISTERS && offset < State.XMM_END;
  const looksThere = (statement: Statement): boolean =>
    statement.kind === 'call' && [...wordsOfRoutine(statement.routine).indexed].some(inFiles);
  return [...wordsOfBody(body).partly].some(inFiles) || some(body.statements, looksThere);
}

/** How the form ends: derived from what it means, once. It takes looking at all routines that it calls, so the build does it. */
export function flowOf(form: Form): Flow {
  const known = flows.get(form);
  if (known !== undefined) return known;
  const body = meaning(form);
  const last = body.statements.at(-1);
  let flow: Flow = 'plain';
  if (some(body.statements, ({ kind }) => kind === 'delegate') || last?.kind === 'raise' || movesRegisterFiles(body))
    flow = 'foreign';
  else if (last?.kind === 'jump') flow = 'jump';
  else if (some(body.statements, isTarget)) flow = 'branch';
  flows.set(form, flow);
  return flow;
}

/** The form's meaning, made once. */
export function spelledOut(form: Form): SpelledOut {
  const known = meanings.get(form);
  if (known !== undefined) return known;
  const body = meaning(form, 'spelled-out');
  const setsFlags = ({ kind }: Statement): boolean => kind === 'setFlags';
  const inner = body.statements.filter((statement) => !setsFlags(statement));
  const result = { body, flagsMaybe: some(inner, setsFlags) };
  meanings.set(form, result);
  return result;
}

// Where each register file begins in the CPU state.
import type { RegisterFile } from '../language/nodes.js';
import * as State from './state.js';

export const REGISTER_FILES: Readonly<Record<RegisterFile, number>> = { general: State.REGISTERS, xmm: State.XMM };

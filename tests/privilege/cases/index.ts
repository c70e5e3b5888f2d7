// All cases, by what they are about.
import type { RingCase } from '../case.js';
import { ACCESS_CASES } from './accesses.js';
import { FAR_TRANSFERS } from './far.js';
import { GATES } from './gates.js';
import { PAGE_CASES } from './pages.js';
import { RETURNS } from './returns.js';
import { SEGMENT_LOADS } from './segments.js';
import { TRAPS } from './traps.js';

export const CASES: Readonly<Record<string, readonly RingCase[]>> = {
  'Gates and exceptions': GATES,
  'iret and retf': RETURNS,
  'Far jumps and calls': FAR_TRANSFERS,
  'Segment registers and selectors': SEGMENT_LOADS,
  'What is accessed, and limits': ACCESS_CASES,
  'Rights of a page': PAGE_CASES,
  'Single steps, flags, privileged instructions': TRAPS,
};

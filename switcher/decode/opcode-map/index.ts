// The whole opcode map. Order matters only where rows overlap, and rows that overlap stand in one file.
import { GROUPS } from './groups.js';
import { MMX_SSE } from './mmx-sse.js';
import { ONE_BYTE } from './one-byte.js';
import type { Row } from './row.js';
import { TWO_BYTE } from './two-byte.js';
import { X87 } from './x87.js';

export const OPCODE_MAP: readonly Row[] = [...ONE_BYTE, ...GROUPS, ...TWO_BYTE, ...X87, ...MMX_SSE];

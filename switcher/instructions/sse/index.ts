// Every SSE, SSE2 and SSE3 instruction but those on packed integers, by being imported.
import './approximate.js';
import './arithmetic.js';
import './compare.js';
import './control.js';
import './convert.js';
import './logic.js';
import './moves.js';

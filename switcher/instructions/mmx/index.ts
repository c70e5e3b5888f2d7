// Every MMX instruction, and SSE2's instructions on packed integers, by being imported.
import './arithmetic.js';
import './moves.js';
import './pack.js';
import './shifts.js';

// All instructions: importing this file defines them.
import './arithmetic.js';
import './bits.js';
import './control.js';
import './mmx/index.js';
import './move.js';
import './multiply.js';
import './shifts.js';
import './sse/index.js';
import './stack.js';
import './strings.js';
import './system.js';
import './x87/index.js';

export { isDefined, meaning } from './definition.js';

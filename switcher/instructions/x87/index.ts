// Every x87 instruction, by being imported.
import './arithmetic.js';
import './compare.js';
import './control.js';
import './environment.js';
import './exponent.js';
import './fxsave.js';
import './load.js';
import './store.js';
import './transcendental.js';

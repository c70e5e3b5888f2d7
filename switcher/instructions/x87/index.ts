// Every x87 instruction, by being imported.
import './control.js';
import './environment.js';
import './fxsave.js';

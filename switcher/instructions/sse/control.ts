// MXCSR in and out.
import * as State from '../../cpu/state.js';
import { define } from '../definition.js';
import { VECTOR_GP } from '../operands.js';
import { MXCSR_BITS } from '../x87/fxsave.js';
import { checkSse } from './operand.js';

define('ldmxcsr', (b, [from]) => {
  checkSse(b);
  const value = from.read();
  b.when(b.and(value, ~MXCSR_BITS), () => b.raise(VECTOR_GP, 0));
  b.setState(4, State.MXCSR, value);
});

define('stmxcsr', (b, [to]) => {
  checkSse(b);
  to.write(b.state(4, State.MXCSR));
});

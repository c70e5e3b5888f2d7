// Moves: mov in all its forms, lea, far pointers, sign extension of the accumulator, xlat.
import * as State from '../cpu/state.js';
import { define, widthOf } from './definition.js';
import { linearAddress, VECTOR_GP } from './operands.js';
import { AL, EAX, EBX, EDX } from './registers.js';

define('mov', (b, [to, from]) => {
  if (to.kind === 'control' || from.kind === 'control' || to.kind === 'debug' || from.kind === 'debug') {
    // The Guest never runs in ring 0.
    b.raise(VECTOR_GP, 0);
    return;
  }
  if (to.kind === 'segment') {
    b.delegate('loadSegment', [to.read(), b.and(from.read(), 0xffff)], false);
    return;
  }
  to.write(from.kind === 'segment' ? b.state(4, State.SEGMENTS + State.SEGMENT_SELECTOR, from.read()) : from.read());
});

define('lea', (_b, [to, from]) => to.write(from.offset()));

/** The segment register that each of these loads. */
const FAR_POINTERS = { les: State.ES, lds: State.DS, lss: State.SS, lfs: State.FS, lgs: State.GS } as const;
for (const [mnemonic, segment] of Object.entries(FAR_POINTERS)) {
  define(mnemonic, (b, [to, from]) => {
    const bytes = widthOf(to) === 16 ? 2 : 4;
    const address = from.address(bytes + 2, false);
    const offset = b.load(bytes, address);
    const selector = b.load(2, b.add(address, bytes));
    b.delegate(
      'loadSegmentAndRegister',
      [segment * State.SEGMENT_SIZE, selector, b.field('register0'), offset, bytes],
      false,
    );
  });
}

define('cbw', (b) => b.setRegister(2, EAX, b.signExtend(8, b.register(1, AL))));
define('cwde', (b) => b.setRegister(4, EAX, b.signExtend(16, b.register(2, EAX))));
define('cwd', (b) => b.setRegister(2, EDX, b.shrS(b.signExtend(16, b.register(2, EAX)), 15)));
define('cdq', (b) => b.setRegister(4, EDX, b.shrS(b.register(4, EAX), 31)));

define('xlat', (b, _operands, form) => {
  const sum = b.add(b.register(4, EBX), b.register(1, AL));
  const offset = form.addressSize === 16 ? b.and(sum, 0xffff) : sum;
  const address = form.addressing === 'flat' ? offset : linearAddress(b, b.field('segment'), offset, 1, 0);
  b.setRegister(1, AL, b.load(1, address));
});

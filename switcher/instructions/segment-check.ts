// Whether a segment allows an access: the limit and type checks of Intel SDM volume 3, 5.3 and 5.5, from the descriptor
// caches in the CPU state. Flat segments never come here: their forms are of the `flat` kind.
import { Bug } from '../../lib/errors.js';
import * as State from '../cpu/state.js';
import { routine } from '../language/builder.js';

/** (segment's byte offset, offset, bytes, write) → 1 if the access is allowed, else 0. */
export const segmentAllows = routine(
  'segmentAllows',
  ['i32', 'i32', 'i32', 'i32'],
  ['i32'],
  (b, segment, offset, bytes, write) => {
    if (!segment || !offset || !bytes || !write) throw new Bug('segmentAllows takes four values');
    const attributes = b.state(4, State.SEGMENTS + State.SEGMENT_ATTRIBUTES, segment);
    const limit = b.state(4, State.SEGMENTS + State.SEGMENT_LIMIT, segment);
    const needed = b.select(write, State.SEGMENT_WRITABLE, State.SEGMENT_READABLE);
    b.when(b.eqz(b.and(attributes, needed)), () => b.return(b.i32(0)));
    const last = b.sub(b.add(offset, bytes), 1);
    // An access that runs over the end of the 4 GiB is outside of every segment. In one of 4 GiB the manual leaves it to the
    // CPU; those that cases were compared with fault.
    b.when(b.eqz(b.and(attributes, State.SEGMENT_EXPAND_DOWN)), () => {
      b.return(b.and(b.leU(last, limit), b.geU(last, offset)));
    });
    const top = b.select(b.and(attributes, State.SEGMENT_BIG), -1, 0xffff);
    b.return(b.and(b.and(b.gtU(offset, limit), b.leU(last, top)), b.geU(last, offset)));
  },
);

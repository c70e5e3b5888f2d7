// Many elements of a string instruction at once: as many as lie on one page each of source and destination.
//
// A run is nothing but speed. It is declined (0 bytes) whenever something is not simple: a page that is not mapped so, which
// must fault at its element; a destination that lies just above its source, where each element must see the one before.
import { PAGE_OFFSET_MASK, PAGE_SIZE } from '../../guest-abi/addresses.js';
import { Bug } from '../../lib/errors.js';
import * as State from '../cpu/state.js';
import { type Builder, routine } from '../language/builder.js';
import type { Value } from '../language/nodes.js';
import { readable, writable } from '../language/slow-access.js';

const EVERY_BYTE = 0x01010101;

const smaller = (b: Builder, x: Value, y: Value): Value => b.select(b.ltU(x, y), x, y);
/** How many bytes there are from `address` to the end of its page. */
const toPageEnd = (b: Builder, address: Value): Value => b.sub(PAGE_SIZE, b.and(address, PAGE_OFFSET_MASK));
/** How many bytes of its page end with the element at `address`; 0 when that runs over the end of the page. */
const fromPageStart = (b: Builder, address: Value, size: Value): Value => {
  const end = b.add(b.and(address, PAGE_OFFSET_MASK), size);
  return b.select(b.gtU(end, PAGE_SIZE), 0, end);
};
/** The multiple of `size` (1, 2, 4) in `bytes`. */
const whole = (b: Builder, bytes: Value, size: Value): Value => b.and(bytes, b.sub(0, size));

/** (from, to: linear addresses; bytes; size of an element) → how many bytes were copied, a multiple of the size. */
export const copyRun = routine('copyRun', ['i32', 'i32', 'i32', 'i32'], ['i32'], (b, from, to, bytes, size) => {
  if (!from || !to || !bytes || !size) throw new Bug('copyRun takes four values');
  const count = whole(b, smaller(b, bytes, smaller(b, toPageEnd(b, from), toPageEnd(b, to))), size);
  b.when(b.eqz(count), () => b.return(b.i32(0)));
  const source = b.call(readable, from);
  b.when(b.eqz(source), () => b.return(b.i32(0)));
  const destination = b.call(writable, to);
  b.when(b.eqz(destination), () => b.return(b.i32(0)));
  // Asked of the places in memory, not of the addresses: two addresses can be one place.
  b.when(b.ltU(b.sub(destination, source), count), () => b.return(b.i32(0)));
  b.copyBytes(b.add(destination, State.MAP_BIAS), b.add(source, State.MAP_BIAS), count);
  b.return(count);
});

/** The same from high addresses to low: `from` and `to` are the addresses of the highest elements. */
export const copyRunDown = routine('copyRunDown', ['i32', 'i32', 'i32', 'i32'], ['i32'], (b, from, to, bytes, size) => {
  if (!from || !to || !bytes || !size) throw new Bug('copyRunDown takes four values');
  const room = smaller(b, fromPageStart(b, from, size), fromPageStart(b, to, size));
  const count = whole(b, smaller(b, bytes, room), size);
  b.when(b.eqz(count), () => b.return(b.i32(0)));
  const source = b.call(readable, from);
  b.when(b.eqz(source), () => b.return(b.i32(0)));
  const destination = b.call(writable, to);
  b.when(b.eqz(destination), () => b.return(b.i32(0)));
  // A destination just below its source: each element must see the one before.
  b.when(b.ltU(b.sub(source, destination), count), () => b.return(b.i32(0)));
  const back = b.add(b.sub(size, count), State.MAP_BIAS);
  b.copyBytes(b.add(destination, back), b.add(source, back), count);
  b.return(count);
});

/** (to: linear address; value; bytes; size of an element) → how many bytes were filled, a multiple of the size. */
export const fillRun = routine('fillRun', ['i32', 'i32', 'i32', 'i32'], ['i32'], (b, to, value, bytes, size) => {
  if (!to || !value || !bytes || !size) throw new Bug('fillRun takes four values');
  const count = whole(b, smaller(b, bytes, toPageEnd(b, to)), size);
  b.when(b.eqz(count), () => b.return(b.i32(0)));
  const destination = b.call(writable, to);
  b.when(b.eqz(destination), () => b.return(b.i32(0)));
  const isByte = b.eq(size, 1);
  const isUniform = b.eq(value, b.mul(b.and(value, 0xff), b.select(b.eq(size, 2), 0x101, EVERY_BYTE)));
  b.when(b.or(isByte, isUniform), () => {
    b.fillBytes(b.add(destination, State.MAP_BIAS), value, count);
    b.return(count);
  });
  const at = b.variable('i32', destination);
  const end = b.add(destination, count);
  b.loop((loop) => {
    b.breakIf(loop, b.geU(b.get(at), end));
    b.when(
      b.eq(size, 2),
      () => b.setState(2, State.MAP_BIAS, value, b.get(at)),
      () => b.setState(4, State.MAP_BIAS, value, b.get(at)),
    );
    b.set(at, b.add(b.get(at), size));
  });
  b.return(count);
});

// Guest memory accesses that the fast path leaves alone: no entry in the map, or the end lies on the next page.
//
// The routines look at every byte's page, and set FAULT with the address of the first byte that may not be touched. A store
// looks at all its pages before it writes the first byte.
import { Bug } from '../../lib/errors.js';
import * as State from '../cpu/state.js';
import { type Builder, routine } from './builder.js';
import type { AccessBytes, Routine, Value } from './nodes.js';

/** The address in the WebAssembly.Memory of the byte at linear `address`, less MAP_BIAS; 0 if the map has no entry. */
const hostAddress = (map: number): Routine =>
  routine(map === State.READ_MAP ? 'readable' : 'writable', ['i32'], ['i32'], (b, address) => {
    if (!address) throw new Bug('an address is needed');
    const index = b.shl(b.shrU(address, 12), 2);
    const entry = b.state(4, 0, b.add(b.state(4, map), index));
    b.return(b.select(entry, b.add(entry, address), 0));
  });

/** (linear address) → its byte's address in the machine's memory less MAP_BIAS, 0 if it cannot be read; written. */
export const readable = hostAddress(State.READ_MAP);
export const writable = hostAddress(State.WRITE_MAP);

function fault(b: Builder, address: Value, write: boolean): void {
  b.setState(4, State.FAULT_ADDRESS, address);
  b.setState(4, State.FAULT_WRITE, write ? 2 : 0);
  b.setState(4, State.FAULT, 1);
}

/** `bytes` (at most 8) bytes from `address` on, little-endian; 0 with FAULT set if one cannot be read. */
const loadBytes = (bytes: number): Routine =>
  routine(`loadBytes${bytes}`, ['i32'], ['i64'], (b, address) => {
    if (!address) throw new Bug('an address is needed');
    const sum = b.variable('i64', 0n);
    for (let i = 0; i < bytes; i++) {
      const at = b.add(address, i);
      const host = b.call(readable, at);
      b.when(b.eqz(host), () => {
        fault(b, at, false);
        b.return(b.i64(0n));
      });
      b.set(sum, b.or(b.get(sum), b.shl(b.extendU(b.state(1, State.MAP_BIAS, host)), BigInt(8 * i))));
    }
    b.return(b.get(sum));
  });

const loaders = new Map<number, Routine>();
const loader = (bytes: number): Routine => {
  const known = loaders.get(bytes) ?? loadBytes(bytes);
  loaders.set(bytes, known);
  return known;
};

const anyLoad = (bytes: AccessBytes): Routine =>
  routine(`slowLoad${bytes}`, ['i32'], [bytes === 16 ? 'v128' : bytes === 8 ? 'i64' : 'i32'], (b, address) => {
    if (!address) throw new Bug('an address is needed');
    if (bytes === 16) {
      const low = b.call(loader(8), address);
      b.when(b.state(4, State.FAULT), () => b.return(b.apply('i64x2.splat', [0n])));
      const high = b.call(loader(8), b.add(address, 8));
      b.return(b.apply('i64x2.replace_lane', [b.apply('i64x2.splat', [low]), high], [1]));
      return;
    }
    const value = b.call(loader(bytes), address);
    b.return(bytes === 8 ? value : b.wrap(value));
  });

/**
 * The load of an operand that is written afterwards. It faults as the write would, on the first page that cannot be written,
 * even if the second cannot be read either.
 */
const loadToWrite = (bytes: 1 | 2 | 4 | 8): Routine =>
  routine(`slowLoadToWrite${bytes}`, ['i32'], [bytes === 8 ? 'i64' : 'i32'], (b, address) => {
    if (!address) throw new Bug('an address is needed');
    b.when(b.eqz(b.call(writable, address)), () => {
      fault(b, address, true);
      b.return(bytes === 8 ? b.i64(0n) : b.i32(0));
    });
    const value = b.call(anyLoad(bytes), address);
    b.setState(4, State.FAULT_WRITE, 2);
    b.return(value);
  });

/** @param forWrite a store to the same place follows */
export const slowLoad = (bytes: AccessBytes, forWrite: boolean): Routine =>
  forWrite && bytes !== 16 ? loadToWrite(bytes) : anyLoad(bytes);

export const slowStore = (bytes: AccessBytes): Routine =>
  routine(
    `slowStore${bytes}`,
    ['i32', bytes === 16 ? 'v128' : bytes === 8 ? 'i64' : 'i32'],
    [],
    (b, address, value) => {
      if (!address || !value) throw new Bug('an address and a value are needed');
      const first = b.call(writable, address);
      b.when(b.eqz(first), () => {
        fault(b, address, true);
        b.return();
      });
      // Where the next page begins: the store gets here whole only if it crosses into it.
      const next = b.and(b.add(address, bytes - 1), ~0xfff);
      const second = b.call(writable, next);
      b.when(b.eqz(second), () => {
        fault(b, next, true);
        b.return();
      });
      for (let i = 0; i < bytes; i++) {
        const at = b.add(address, i);
        // Bytes of the first page stand in a row, and so do those of the second.
        const host = b.select(
          b.eq(b.and(at, ~0xfff), b.and(address, ~0xfff)),
          b.add(first, i),
          b.add(second, b.sub(at, next)),
        );
        b.setState(1, State.MAP_BIAS, byteOf(b, value, bytes, i), host);
      }
      b.return();
    },
  );

function byteOf(b: Builder, value: Value, bytes: AccessBytes, i: number): Value {
  if (bytes === 16) return b.wrap(b.shrU(b.apply('i64x2.extract_lane', [value], [i >> 3]), BigInt(8 * (i & 7))));
  return bytes === 8 ? b.wrap(b.shrU(value, BigInt(8 * i))) : b.shrU(value, 8 * i);
}

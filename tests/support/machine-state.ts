// What a CPU case begins with and ends with: registers, x87 and SSE state, a few pages of memory, and the trap.
//
// The same words on both sides of every comparison: the native harness (tests/native/harness.c, which has the memory
// map of these pages) fills them from a real CPU, a TestCpu (cpu-vectors.ts) from the emulated one.

/** In the order of their numbers in instructions. */
export const REGISTERS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'] as const;
export const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;

/** The part of an fxsave image that i686 code can see: control words, eight x87 registers, eight xmm registers. */
export const FX_BYTES = 288;
export const FX = { fcw: 0, fsw: 2, ftw: 4, fop: 6, fip: 8, fcs: 12, fdp: 16, fds: 20, mxcsr: 24, st: 32, xmm: 160 };

export interface Patch {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** All of it as unsigned numbers. `fx` is the beginning of an fxsave image, st(0) first. */
export interface MachineState {
  readonly registers: Uint32Array;
  readonly segments: Uint16Array;
  eip: number;
  eflags: number;
  readonly fx: Uint8Array;
  /** What is in memory in place of the pages' initial pattern; in an outcome: the bytes that changed. */
  patches: readonly Patch[];
}

/** How a case ended: the vector of a trap, with `error` and `cr2` where the vector has them. */
export interface Trap {
  readonly vector: number;
  readonly error: number;
  readonly cr2: number;
}

export interface Outcome extends MachineState {
  readonly trap: Trap;
}

export const BREAKPOINT = 3;
export const PAGE_FAULT = 14;
/** Not a vector: the case had to be stopped. */
export const TIMEOUT = -1;
/** Not a vector: the case took the native harness with it. */
export const CRASH = -2;

export const PAGE_BYTES = 4096;
export const CODE_ADDRESS = 0x20003800;
/** What the code pages are filled with: wherever a branch goes, `int3` tells where. */
export const CODE_FILL = 0xcc;

/** The pages of every case; the harness has the same. What is not listed is not mapped. */
export const PAGES = [
  { address: 0x00000000, writable: true, code: false },
  { address: 0x0000f000, writable: true, code: false },
  { address: 0x10000000, writable: true, code: false },
  { address: 0x10001000, writable: true, code: false },
  { address: 0x10003000, writable: true, code: false },
  { address: 0x10004000, writable: false, code: false },
  { address: 0x20003000, writable: true, code: true },
  { address: 0x20004000, writable: true, code: true },
] as const;

/** What is in the data pages unless a patch says otherwise. */
export const pattern = (address: number): number =>
  (Math.imul(address, 0x9d) + Math.imul(address >>> 8, 0x3b) + 0x5a) & 0xff;

/** A page as every case finds it, before its patches. */
export const initialPage = (page: (typeof PAGES)[number]): Uint8Array =>
  new Uint8Array(PAGE_BYTES).map((_, i) => (page.code ? CODE_FILL : pattern(page.address + i)));

/**
 * The segments of every case, by GDT index, as their two descriptor words. Indices and rights are those that a 64-bit
 * Linux gives a 32-bit program, so that a native run sees the same selectors: cs = 23; ss, ds, es = 2b; fs = gs = 0.
 */
export const DESCRIPTORS: readonly (readonly [index: number, low: number, high: number])[] = [
  [3, 0x0000ffff, 0x00cf9300], // the kernel's data, as something that must not be loaded
  [4, 0x0000ffff, 0x00cffb00],
  [5, 0x0000ffff, 0x00cff300],
  [12, 0x0100ffff, 0x10dff300], // 63: base 10000100, 4 GiB
  [13, 0x020000ff, 0x1050f300], // 6b: base 10000200, 256 bytes
  [14, 0x00000fff, 0x1050f700], // 73: base 10000000, expand-down: offsets 1000 and up
];

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** What every case begins with, apart from its code and what it says itself. */
export function defaultState(): MachineState {
  const fx = new Uint8Array(FX_BYTES);
  view(fx).setUint16(FX.fcw, 0x37f, true);
  view(fx).setUint32(FX.mxcsr, 0x1f80, true);
  return {
    registers: Uint32Array.of(
      0xa5a51234,
      0x5c5c8001,
      0x3d3d7f0e,
      0x10000600,
      0x10000c00,
      0x10000a00,
      0x10000200,
      0x10000400,
    ),
    segments: Uint16Array.of(0x2b, 0x23, 0x2b, 0x2b, 0, 0),
    eip: CODE_ADDRESS,
    eflags: 0x202,
    fx,
    patches: [],
  };
}

export const copyState = (state: MachineState): MachineState => ({
  ...state,
  registers: state.registers.slice(),
  segments: state.segments.slice(),
  fx: state.fx.slice(),
});

/** All that there is to an outcome, as text: two are the same when these are. */
export const shown = ({ fx, patches, ...rest }: Outcome): string =>
  JSON.stringify({
    ...rest,
    fx: Buffer.from(fx).toString('hex'),
    patches: patches.map(({ address, bytes }) => [address, ...bytes]),
  });

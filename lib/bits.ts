// Arithmetic on 32-bit words. JavaScript's bitwise operators work on signed words, so the one thing worth a name is
// the way back to an unsigned number.

/** The unsigned value (0 … 2^32−1) of a 32-bit word. */
export const u32 = (word: number): number => word >>> 0;

/** 32-bit words as the hexadecimal of kernel messages: `0xc1000000`. */
export const hex = (word: number): string => `0x${(word >>> 0).toString(16)}`;

export const KiB = 1024;
export const MiB = 1024 * 1024;

/** `value` rounded up to a multiple of `unit`, a power of two below 2^31. Works up to 2^53. */
export const alignUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

// The hard few: what an instruction hands to a routine of the CPU, in TypeScript, because it is long, rare, or about the
// machine rather than about numbers. A routine takes i32 values and gives one: for `ask`, its answer; for `delegate`, 0 when
// the instruction is done, or the Exit by which running code must leave.
//
// A delegated routine finds EIP at its instruction and NEXT_EIP at the next one. It leaves EIP where to go on; when it
// raises an exception it leaves EIP alone and answers EXIT_EXCEPTION or EXIT_REFUSED.

/** Every routine, with the number of i32 values that it takes. */
export const CPU_ROUTINES = {
  /** The low and the high word of the time-stamp counter. The low one must be asked for first. */
  timeStampLow: 0,
  timeStampHigh: 0,
  /** cpuid: reads eax and ecx, writes eax … edx. */
  cpuid: 0,
  /** Loads a segment register: (its byte offset into the segments, selector). */
  loadSegment: 2,
  /** Loads a segment register from the stack: (segment, selector, the stack pointer after that). */
  popSegment: 3,
  /** Loads a segment register, then a general one: (segment, selector, byte offset of the register, value, bytes). */
  loadSegmentAndRegister: 5,
  /** iret with this operand size in bytes. */
  interruptReturn: 1,
  /** Far transfers: (operand size in bytes, selector, offset); and far return (operand size, bytes to drop). */
  farJump: 3,
  farCall: 3,
  farReturn: 2,
  /** int n, int3, into: (vector). */
  softwareInterrupt: 1,
  /** int1 */
  debugInterrupt: 0,
  /** popf: (image, operand size in bytes). */
  loadFlags: 2,
  /** verr and verw: (selector) → 1 if it names a segment that could be read, written, from here. */
  verifyRead: 1,
  verifyWrite: 1,
  /** lar: (selector) → the access rights, 0 if there are none to be seen. */
  accessRights: 1,
  /** lsl: (selector) → whether its limit can be seen, and the limit in bytes. */
  segmentLimitKnown: 1,
  segmentLimit: 1,
  /** The transcendental instructions on X87_OPERAND_X and _Y: what there is in X87_RESULT (see x87-transcendental). */
  x87Sine: 0,
  x87Cosine: 0,
  x87Tangent: 0,
  x87ArcTangent: 0,
  /** (n) → n quarters of π */
  x87QuarterTurns: 1,
  x87PowerMinusOne: 0,
  x87TimesLogarithm: 0,
  x87TimesLogarithmPlusOne: 0,
} as const;

export type CpuRoutineName = keyof typeof CPU_ROUTINES;

type Words<N extends number, T extends number[] = []> = T['length'] extends N ? T : Words<N, [...T, number]>;

export type CpuRoutines = {
  readonly [Name in CpuRoutineName]: (...args: Words<(typeof CPU_ROUTINES)[Name]>) => number;
};

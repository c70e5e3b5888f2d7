// One way for a Guest to end badly: what it does, and the Host's words for it.
import type { GuestOptions } from '../../support/assembly-guest.js';

export interface Kill extends Pick<GuestOptions, 'begin' | 'user' | 'ports' | 'words'> {
  /** What is wrong, for people. */
  readonly says: string;
  /** The Guest. */
  readonly text: string;
  /** What read() gives; `{label}` is that label's address. */
  readonly message: string;
  /** Only with PAE, or only without; both by default. */
  readonly pae?: boolean;
}

/** Several situations that differ in one number or word. */
export const each = <T>(values: readonly T[], make: (value: T) => Kill): Kill[] => values.map(make);

export const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

// One page, every right that its entry can give, every access, both rings: what faults, and what becomes of ACCESSED and DIRTY.
import type { RingCase } from '../case.js';
import { ACCESSED, DATA, DIRTY, PRESENT, USER, WRITABLE } from '../world.js';
import { RINGS, hex, word } from './encode.js';

export type AccessKind = 'read' | 'write' | 'read and write' | 'run';
const PF_WRITE = 2;
const PF_USER = 4;

/** The access to what lies at `address`. */
export const accessTo = (kind: AccessKind, address: number): number[] => {
  switch (kind) {
    case 'read':
      return [0xa1, ...word(address)];
    case 'write':
      return [0xa3, ...word(address)];
    case 'read and write':
      return [0xff, 0x05, ...word(address)];
    case 'run':
      return [0xb8, ...word(address), ...hex('ff e0')];
  }
};

export interface PageCase extends RingCase {
  readonly kind: AccessKind;
  readonly dataPage: number;
}

const KINDS: readonly AccessKind[] = ['read', 'write', 'read and write', 'run'];
const combinations = (...bits: readonly number[]): number[] =>
  bits.reduce<number[]>((sets, bit) => sets.flatMap((set) => [set, set | bit]), [0]);

const nameOf = (flags: number): string =>
  (
    [
      [PRESENT, 'present'],
      [WRITABLE, 'writable'],
      [USER, 'user'],
      [ACCESSED, 'accessed'],
      [DIRTY, 'dirty'],
    ] as const
  )
    .filter(([bit]) => (flags & bit) !== 0)
    .map(([, name]) => name)
    .join(', ') || 'nothing';

export const PAGE_CASES: readonly PageCase[] = RINGS.flatMap((ring) =>
  combinations(PRESENT, WRITABLE, USER, ACCESSED, DIRTY).flatMap((dataPage) =>
    KINDS.map((kind) => ({
      section: '4.8',
      name: `${kind} on a page that is ${nameOf(dataPage)}`,
      ring,
      code: accessTo(kind, DATA),
      memory: [[DATA, hex('0f 0b')]] as const,
      dataPage,
      kind,
    })),
  ),
);

/** What 4.6 to 4.8 say: the error code of the fault if there is one, and the entry's low bits afterwards (CR0.WP is set). */
export function byTheManual({ ring, kind, dataPage }: PageCase): { error: number | undefined; flags: number } {
  const isWrite = kind === 'write' || kind === 'read and write';
  const needed = PRESENT | (isWrite ? WRITABLE : 0) | (ring === 3 ? USER : 0);
  if ((dataPage & needed) === needed) return { error: undefined, flags: dataPage | ACCESSED | (isWrite ? DIRTY : 0) };
  return {
    error: (dataPage & PRESENT) | (isWrite ? PF_WRITE : 0) | (ring === 3 ? PF_USER : 0),
    flags: dataPage,
  };
}

// The same test for each engine, with and without PAE.
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { AssemblyGuest, ENGINES, type GuestOptions } from './assembly-guest.js';

/** Makes a Guest of the kind that is being tested. */
export type MakeGuest = (kernel: string, options?: GuestOptions) => AssemblyGuest;

export interface Kind {
  readonly engine: (typeof ENGINES)[number];
  readonly pae: boolean;
}

const KINDS: readonly Kind[] = ENGINES.flatMap((engine) => [false, true].map((pae) => ({ engine, pae })));

/** A test of which `body` is done for each kind of Guest; what it compares counts for the kind. */
export function everywhere(name: string, body: (same: Same, guest: MakeGuest, kind: Kind) => void): void {
  t.test(name, (sub) => {
    for (const kind of KINDS) {
      const label = `${kind.engine}${kind.pae ? ', PAE' : ''}`;
      let equal = 0;
      const same: Same = (found, wanted, what = '') => {
        // An assertion takes longer than most Guests: one for each kind, and one for each difference.
        if (isDeepStrictEqual(found, wanted)) equal++;
        else sub.strictSame(found, wanted, `${label}: ${what}`);
      };
      body(same, (kernel, options = {}) => new AssemblyGuest(kernel, { ...kind, ...options }), kind);
      sub.ok(equal > 0, `${label}: ${equal} as they should be`);
    }
    sub.end();
  });
}

export type Same = (found: unknown, wanted: unknown, what?: string) => void;

// What a chapter of docs/CONFORMANCE.md is, and what it may ask of the run that makes the document.
import type { State } from './tap.js';

/** A test, or several, by file (`host/device.test.js`, below tests/) and how its name begins. */
export interface Proof {
  readonly file: string;
  readonly test: string;
}

/** Something that is said, and the tests that hold it: all of them must. */
export interface Claim {
  readonly text: string;
  readonly proofs: readonly Proof[];
}

/** What running the tests has shown. */
export interface Evidence {
  /** `missing` when there is no such test. */
  stateOf(proofs: readonly Proof[]): State | 'missing';
}

export interface Chapter {
  readonly title: string;
  /** What it claims: if something of that is not kept, the run fails. */
  readonly claims: readonly Claim[];
  /** Its text, below the title. */
  body(evidence: Evidence): string;
}

/** `from('host/device')('LHREQ_INITIALIZE returns 16')` is a proof. */
export const from =
  (file: string) =>
  (test: string): Proof => ({ file: `${file}.test.js`, test });

export const nameOf = ({ file, test }: Proof): string => `${file.replace(/\.test\.js$/, '')}: ${test} …`;

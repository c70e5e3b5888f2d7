// The text of docs/CONFORMANCE.md: its chapters, in the order in which to read them. A new one is a file in chapters/ and a
// line here.
import type { Chapter, Evidence } from './chapter.js';
import { abi } from './chapters/abi.js';
import { engines } from './chapters/engines.js';
import { differences } from './chapters/differences.js';
import { forms } from './chapters/forms.js';
import { kills } from './chapters/kills.js';
import { privilege } from './chapters/privilege.js';
import { programs } from './chapters/programs.js';
import { randomPrograms } from './chapters/random-programs.js';

export const CHAPTERS: readonly Chapter[] = [
  randomPrograms,
  programs,
  engines,
  abi,
  kills,
  privilege,
  forms,
  differences,
];

export const documentOf = (evidence: Evidence): string => `# Conformance

What is proven, and how. Made by \`npm run conformance\`, which runs the tests that it names; not written by hand.

${CHAPTERS.map((chapter) => `## ${chapter.title}\n\n${chapter.body(evidence)}\n`).join('\n')}`;

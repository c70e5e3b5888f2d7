// Records what a real CPU answers to the cases of tests/support/float-cases: `node dist/tests/native/record-float.js`, by
// hand, on an x86-64 machine with gcc. Writes tests/vectors/float.json. Told an instruction and the number of a chunk, it
// prints that chunk's answers in full: what to compare with when a test fails.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ANSWER_BYTES,
  CASE_BYTES,
  CHUNK,
  checksums,
  FLOAT_INSTRUCTIONS,
  type FloatAnswer,
  type FloatCase,
  floatCases,
} from '../support/float-cases.js';

const SOURCE = join(import.meta.dirname, '../../../tests/native/float.c');
const OUTPUT = join(import.meta.dirname, '../../../tests/vectors/float.json');

function encode(cases: readonly FloatCase[]): Buffer {
  const bytes = Buffer.alloc(cases.length * CASE_BYTES);
  cases.forEach(({ x, y, xWord, yWord, control }, i) => {
    const at = i * CASE_BYTES;
    bytes.writeBigUInt64LE(x, at);
    bytes.writeBigUInt64LE(y, at + 8);
    bytes.writeUInt16LE(xWord, at + 16);
    bytes.writeUInt16LE(yWord, at + 18);
    bytes.writeUInt32LE(control, at + 20);
  });
  return bytes;
}

const decode = (bytes: Buffer): FloatAnswer[] =>
  Array.from({ length: bytes.length / ANSWER_BYTES }, (_, i) => ({
    value: bytes.readBigUInt64LE(i * ANSWER_BYTES),
    word: bytes.readUInt32LE(i * ANSWER_BYTES + 8),
    status: bytes.readUInt32LE(i * ANSWER_BYTES + 12),
  }));

const directory = mkdtempSync(join(tmpdir(), 'lguest-float-'));
try {
  const program = join(directory, 'float');
  execFileSync('gcc', ['-O1', '-Wall', '-Wextra', '-Werror', '-o', program, SOURCE]);
  const ask = (name: string, cases: readonly FloatCase[]): FloatAnswer[] =>
    decode(execFileSync(program, [name], { input: encode(cases), maxBuffer: 1 << 30 }));
  const [only, chunk] = process.argv.slice(2);
  const known: Record<string, string> = {};
  for (const instruction of FLOAT_INSTRUCTIONS) {
    if (only !== undefined && only !== instruction.name) continue;
    const cases = [...floatCases(instruction)];
    const answers = ask(instruction.name, cases);
    known[instruction.name] = checksums(instruction, answers).join(' ');
    if (only === undefined) continue;
    const from = Number(chunk ?? 0) * CHUNK;
    const text = answers.slice(from, from + CHUNK).map((answer, i) => {
      const { x, y, xWord, yWord, control } = cases[from + i] ?? { x: 0n, y: 0n, xWord: 0, yWord: 0, control: 0 };
      const numbers = [control, xWord, x, yWord, y, answer.word, answer.value, answer.status];
      return numbers.map((number) => number.toString(16)).join(' ');
    });
    process.stdout.write(`${text.join('\n')}\n`);
  }
  if (only === undefined) writeFileSync(OUTPUT, `${JSON.stringify(known, undefined, 1)}\n`);
} finally {
  rmSync(directory, { recursive: true });
}

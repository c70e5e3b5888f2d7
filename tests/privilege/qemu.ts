// The same cases on a PC emulated by QEMU, one after the other under a small monitor in ring 0 (monitor.S).
//
// A case for the monitor is words: 1, the GDT, the page table's sixteen entries, ss1, esp1, a number of gates with three words
// each (vector, low, high), a number of pieces of memory (address, length, bytes and as many more as make words), and the
// registers: gs fs es ds edi esi ebp – ebx edx ecx eax eip cs eflags esp ss. A 0 comes behind the last. An answer is words,
// too: cr2, gs fs es ds edi esi ebp – ebx edx ecx eax vector error eip cs eflags esp ss, the page table's entries, pairs of
// address and changed word, and −1.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Outcome, type RingCase, UD2, gateWords, memoryOf, startOf } from './case.js';
import { HANDLER, KERNEL_STACK, PAGE, RAM_PAGES, SELECTOR, globalDescriptorTable, pageFlags } from './world.js';

const SOURCE = join(import.meta.dirname, '../../../tests/privilege/monitor.S');
const RAM = 0x400000;
const EMULATOR = 'qemu-system-i386';
const TIMEOUT = 120_000;
/** Their records have to fit below RAM. */
const CASES_PER_MACHINE = 2000;
/** isa-debug-exit leaves 2n + 1. */
const FINISHED = 1;
/** eax … edi and es … gs by their places among the answer's words. */
const REGISTER_PLACES = [12, 11, 10, 9, 18, 7, 6, 5];
const SEGMENT_PLACES = [3, 16, 19, 4, 2, 1];
const WORDS_BEFORE_CHANGES = 20 + RAM_PAGES;

function pageTable({ dataPage }: RingCase): number[] {
  return Array.from({ length: RAM_PAGES }, (_, page) => {
    const flags = pageFlags(page, dataPage);
    return flags === 0 ? 0 : RAM + page * PAGE + flags;
  });
}

function recordOf(one: RingCase): Buffer {
  const { registers, segments, eip, eflags } = startOf(one);
  const [eax, ecx, edx, ebx, esp, ebp, esi, edi] = registers;
  const [es, cs, ss, ds, fs, gs] = segments;
  const gates = one.gates ?? [];
  const pieces = [[HANDLER, UD2] as const, ...memoryOf(one)];
  const stack = one.stack1 ?? { ss: SELECTOR.data1 | 1, esp: KERNEL_STACK };
  const words = (values: readonly (number | undefined)[]): Buffer =>
    Buffer.from(Uint32Array.from(values, (value) => (value ?? 0) >>> 0).buffer);
  return Buffer.concat([
    words([1, ...globalDescriptorTable(), ...pageTable(one), stack.ss, stack.esp, gates.length]),
    ...gates.map((gate) => words([gate.vector, ...gateWords(gate)])),
    words([pieces.length]),
    ...pieces.flatMap(([address, bytes]) => [
      words([address, bytes.length]),
      Buffer.from(bytes),
      Buffer.alloc(-bytes.length & 3),
    ]),
    words([gs, fs, es, ds, edi, esi, ebp, 0, ebx, edx, ecx, eax, eip, cs, eflags, esp, ss]),
  ]);
}

/** What the page table looked like after a case, too: ACCESSED and DIRTY are to be seen there. */
export interface PcOutcome extends Outcome {
  readonly pageTable: readonly number[];
}

function outcomesOf(output: Buffer): PcOutcome[] {
  const outcomes: PcOutcome[] = [];
  for (let at = 0; at < output.length;) {
    const word = (i: number): number => output.readUInt32LE(at + 4 * i);
    const memory: [number, number][] = [];
    let i = WORDS_BEFORE_CHANGES;
    for (; word(i) !== 0xffffffff; i += 2) memory.push([word(i), word(i + 1)]);
    outcomes.push({
      vector: word(13),
      error: word(14),
      cr2: word(0),
      eip: word(15),
      eflags: word(17),
      registers: REGISTER_PLACES.map(word),
      segments: SEGMENT_PLACES.map((place) => word(place) & 0xffff),
      memory,
      pageTable: Array.from({ length: RAM_PAGES }, (_, page) => word(20 + page) & (PAGE - 1)),
    });
    at += 4 * (i + 1);
  }
  return outcomes;
}

/** What is missing on this machine to ask an emulated PC, or nothing. */
export function missingTool(): string | undefined {
  return ['as', 'ld', EMULATOR].find((tool) => spawnSync(tool, ['--version']).status !== 0);
}

/** @throws Error when the emulated PC does not come to the end of the cases */
export function askPc(cases: readonly RingCase[]): PcOutcome[] {
  const outcomes: PcOutcome[] = [];
  for (let i = 0; i < cases.length; i += CASES_PER_MACHINE)
    outcomes.push(...ask(cases.slice(i, i + CASES_PER_MACHINE)));
  return outcomes;
}

function ask(cases: readonly RingCase[]): PcOutcome[] {
  const directory = mkdtempSync(join(tmpdir(), 'lguest-pc-'));
  const path = (name: string): string => join(directory, name);
  try {
    execFileSync('as', ['--32', '-o', path('monitor.o'), SOURCE]);
    execFileSync('ld', ['-m', 'elf_i386', '-Ttext=0x100000', '-e', 'start', '-o', path('monitor'), path('monitor.o')]);
    writeFileSync(path('cases'), Buffer.concat([...cases.map(recordOf), Buffer.alloc(4)]));
    const machine = ['-machine', 'pc', '-accel', 'tcg', '-cpu', 'pentium3', '-m', '16', '-nodefaults'];
    const devices = ['-device', 'isa-debug-exit,iobase=0xf4', '-debugcon', `file:${path('answers')}`];
    const quiet = ['-display', 'none', '-no-reboot', '-net', 'none'];
    const files = ['-kernel', path('monitor'), '-initrd', path('cases')];
    const { status, stderr } = spawnSync(EMULATOR, [...machine, ...devices, ...quiet, ...files], { timeout: TIMEOUT });
    const answers = readFileSync(path('answers'));
    if (status !== FINISHED)
      throw new Error(`${EMULATOR} ended with ${status} after ${answers.length} bytes: ${stderr.toString()}`);
    return outcomesOf(answers);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

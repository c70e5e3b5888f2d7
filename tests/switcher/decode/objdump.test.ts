// The decoder held against binutils': every opcode with every prefix, and a sample of the ModRM bytes (all with
// EXHAUSTIVE=1 TAP_TIMEOUT=300). Skipped where there is no objdump; decode.test.ts needs none.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { newInstruction } from '../../../switcher/decode/all-forms.js';
import { decode } from '../../../switcher/decode/decode.js';
import { OPCODE_MAP } from '../../../switcher/decode/opcode-map/index.js';
import { randomBytes } from '../../support/random-bytes.js';
import { disassemble } from '../../../switcher/decode/disassemble.js';

const version = spawnSync('objdump', ['--version'], { encoding: 'utf8' });
const skip = version.status === 0 && version.stdout.includes('GNU') ? false : 'no GNU objdump here';

/** Each instruction has this many bytes for itself, nops behind it, so that objdump is in step again at the next. */
const SLOT = 32;
const ROOM = 13;
const ALWAYS_PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x0f]);
const PREFIXES = [[], [0x66], [0xf3], [0xf2], [0x67], [0x64], [0x66, 0x67], [0x26, 0x66]];
/** objdump knows what came later at 0F 38, 0F 3A and 0F 0F, and reads a ModRM byte after ud0 and ud1. */
const NOT_COMPARED = new Set([0x138, 0x13a, 0x10f, 0x1b9, 0x1ff]);
/** Coprime to 256, so that each prefix gets other ModRM bytes. */
const ONE_IN = 13;

function cases(prefix: readonly number[]): Uint8Array {
  const byte = randomBytes(2016);
  const all: number[] = [];
  let count = 0;
  for (let opcode = 0; opcode < 0x200; opcode++) {
    if (ALWAYS_PREFIXES.has(opcode) || NOT_COMPARED.has(opcode)) continue;
    for (let modrm = 0; modrm < 0x100; modrm++) {
      count = (count + 1) % ONE_IN;
      if (count !== 0 && process.env['EXHAUSTIVE'] === undefined) continue;
      const start = [...prefix, ...(opcode < 0x100 ? [opcode] : [0x0f, opcode & 0xff]), modrm];
      for (let i = 0; i < SLOT; i++) all.push(start[i] ?? (i < ROOM ? byte() : 0x90));
    }
  }
  return Uint8Array.from(all);
}

/** The text of objdump for each slot, and its length. */
function objdump(bytes: Uint8Array, machine: string): Map<number, { text: string; length: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'lguest-objdump-'));
  const found = new Map<number, { text: string; length: number }>();
  try {
    const file = join(folder, 'code');
    writeFileSync(file, bytes);
    const options = ['-D', '-b', 'binary', '-m', machine, '-M', 'intel', '-w'];
    const output = execFileSync('objdump', [...options, file], { encoding: 'latin1', maxBuffer: 2 ** 29 });
    for (const [, address = '', hex = '', text = ''] of output.matchAll(
      /^ *([0-9a-f]+):\t([0-9a-f ]+?) *(?:\t(.*))?$/gm,
    )) {
      const offset = Number.parseInt(address, 16);
      if (offset % SLOT === 0) found.set(offset, { text, length: hex.split(' ').length });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return found;
}

/** objdump's text → ours, step by step. What objdump shows of prefixes without effect is left out. */
const TRANSLATION: readonly (readonly [RegExp, string])[] = [
  [/ +/g, ' '],
  [/ *(?:<.*>|#.*)/, ''],
  [/^(?:(?:data(?:16|32)|addr(?:16|32)|repz|repnz|rep|[c-gs]s|es|bnd|notrack|xacquire|xrelease) )+/, ''],
  [/,p[tn]\b/, ''],
  [/[+-]0x0\]/, ']'],
  [/\bds:\[/, '['],
  [/\bst\(0\)/, 'st'],
  [/,1$/, ',0x1'],
  [/^(j|set|cmov)e\b/, '$1z'],
  [/^(j|set|cmov)ne\b/, '$1nz'],
  [/^sal\b/, 'shl'],
  [/^fwait$/, 'wait'],
  [/^icebp$/, 'int1'],
  [/^lret/, 'retf'],
  [/^(pusha|popa|pushf|popf|push|pop|iret|retf|ret|leave|enter|call|jmp|fldenv|fnstenv|frstor|fnsave)[wd]\b/, '$1'],
  [/^([sl][gi]dt)[wd] /, '$1 FWORD PTR '],
  [/^f\w*\(\d+ only\)$/, 'fnop'],
  [/^xlat .*/, 'xlat'],
  [/^((?:nop|prefetch\w*|invlpg) )(?:BYTE|D?WORD) PTR /, '$1'],
  [/^((?:clflush|invlpg) )BYTE PTR /, '$1'],
  [/^jcxz/, 'jecxz'],
  [/^(lddqu xmm\d,)/, '$1XMMWORD PTR '],
];

/** Ours → ours, without what objdump does not tell apart. */
const SIMPLIFICATION: readonly (readonly [RegExp, string])[] = [
  [/\bdata16 /, ''],
  [/^(call|jmp)f/, '$1'],
  [/^(?:[fg]s )?(?:addr16 )?(j|loop|xlat|maskmov)/, '$1'],
];

/** Where both are right. Ours is modelled after an older CPU, and real CPUs ignore more than objdump does. */
const KNOWN: readonly (readonly [ours: RegExp, theirs: RegExp])[] = [
  [/^ud$/, /^mov (?:\w+,tr\d|tr\d,\w+|.*\?.*|.*cr[15-7].*|cs,.*)$/],
  // With a prefix that the manual does not allow.
  [/^ud$/, /^(?:fxsave|fxrstor|ldmxcsr|stmxcsr|pmovmskb|[lms]fence)\b/],
  [/^ud$/, /^fnop$/],
  [/^nop /, /^(?:bnd\w+|cldemote|endbr\d\d|rdssp\w|nopw?)\b/],
  [/^nop /, /^prefetch/],
  [/^nop$/, /^xchg e?ax,e?ax$/],
  [/^bs[fr] /, /^(?:tzcnt|lzcnt|\(bad\))/],
  [/^wbinvd$/, /^(?:wbnoinvd|\(bad\))/],
  [/^wait$/, /^(?:f\w+ ?|\(bad\))/],
  // Undocumented.
  [/^salc$/, /\(bad\)/],
  [/^(?:fcom|fcomp|fxch|fstp) /, /\(bad\)/],
  [/^[lms]fence$/, /\(bad\)/],
  // A selector is 16 bits, wherever it is.
  [/^l(?:ar|sl) \w+,\w+$/, /^l(?:ar|sl) \w+,\w+$/],
  [/^mov [c-gs]s,\w+$/, /^mov [c-gs]s,e\w+$/],
  [/^mov es,\w+$/, /^mov es,e\w+$/],
  // objdump has names for the predicates.
  [/^cmp([ps][sd]) .*,0x[0-7]$/, /^cmp\w+ /],
];

/** `rep movs DWORD PTR es:[edi],DWORD PTR fs:[esi]` → `fs rep movsl`, which is how ours go. */
function stringInstruction(text: string, name: string, operands: string): string {
  const width = { BYTE: 'b', WORD: 'w', DWORD: 'l' }[/\b(?:BYTE|D?WORD)\b/.exec(operands)?.[0] ?? ''] ?? '';
  const segment = /([fg]s):/.exec(operands)?.[1];
  const small = /\[[sd]i\]/.test(operands) ? 'addr16' : undefined;
  const repeat = /\brep\w*/.exec(text)?.[0];
  const untilEqual = repeat === 'repnz' && /^(?:cmps|scas)$/.test(name);
  const prefix = repeat === undefined ? undefined : untilEqual ? 'repne' : 'rep';
  return [segment, small, prefix, `${name}${width}`].filter((word) => word !== undefined).join(' ');
}

const rewrite = (text: string, rules: readonly (readonly [RegExp, string])[]): string =>
  rules.reduce((result, [from, to]) => result.replace(from, to), text).trim();

function translated(text: string, defaultSize: 16 | 32): string {
  const plain = rewrite(text, TRANSLATION);
  const [, name = '', operands = ''] = /^(\S+) ?(.*)$/.exec(plain) ?? [];
  if (/^(?:movs|cmps|stos|lods|scas|ins|outs)$/.test(name)) return stringInstruction(text, name, operands);
  // A branch of 16 bits stays within 64 KiB, which objdump forgets. In code of 16 bits it also forgets the others.
  return defaultSize === 16 || text.includes('data16') ? near(plain) : plain;
}

const near = (text: string): string =>
  text.replace(
    /^((?:addr16 )?(?:j|loop|call)\w* )(0x\w+)$/,
    (_, name: string, to: string) => `${name}0x${(Number(to) & 0xffff).toString(16)}`,
  );

function agree(ours: string, theirs: string): boolean {
  // An index register that is none (`eiz`) is not shown by us.
  if (theirs.includes('eiz')) return true;
  const simplified = rewrite(ours, SIMPLIFICATION);
  return simplified === theirs || simplified.replace(/\w+ PTR (?=\ws:0x)/, '') === theirs;
}

/** Whatever has a name that the map does not have came later, or is AMD's. */
const MNEMONICS = new Set(OPCODE_MAP.flatMap((row) => row.mnemonic.split('|')));

const knownDifference = (ours: string, theirs: string): boolean =>
  (ours === 'ud' && !MNEMONICS.has(theirs.replace(/ .*/, ''))) ||
  KNOWN.some(([our, their]) => our.test(ours) && their.test(theirs));

function differences(bytes: Uint8Array, defaultSize: 16 | 32): string[] {
  const listing = objdump(bytes, defaultSize === 32 ? 'i386' : 'i8086');
  const found: string[] = [];
  const out = newInstruction();
  for (let start = 0; start < bytes.length; start += SLOT) {
    const { text = 'nothing', length = 0 } = listing.get(start) ?? {};
    decode(bytes, SLOT, start, { defaultSize, flat: true }, out, start);
    const ours = disassemble(out);
    const theirs = translated(text, defaultSize);
    const same =
      ours === 'ud'
        ? theirs.includes('(bad)')
        : out.length === length && agree(defaultSize === 16 ? near(ours) : ours, theirs);
    if (same || knownDifference(ours, theirs)) continue;
    const hex = Buffer.from(bytes.subarray(start, start + ROOM)).toString('hex');
    found.push(`${hex}: ours ${out.length} ${ours}, theirs ${length} ${theirs}`);
  }
  return found;
}

for (const prefix of PREFIXES) {
  const name = Buffer.from(prefix).toString('hex');
  test(`the decoder and objdump agree on what follows prefix ${name === '' ? 'none' : name}`, { skip }, (t) => {
    t.strictSame(differences(cases(prefix), 32), []);
    t.end();
  });
}

test('the decoder and objdump agree on the list that needs no objdump', { skip }, (t) => {
  const list = readFileSync(new URL('../../../../tests/vectors/decode.txt', import.meta.url), 'utf8');
  const lines = list.split('\n').filter((line) => !/\tud[01]\t/.test(line));
  const all = lines.flatMap((line) => {
    const bytes = Buffer.from(line.replace(/\t.*/, ''), 'hex');
    return Array.from({ length: SLOT }, (_, i) => bytes[i] ?? 0x90);
  });
  t.strictSame(differences(Uint8Array.from(all), 32), []);
  t.end();
});

test('the decoder and objdump agree where code is of 16 bits', { skip }, (t) => {
  t.strictSame(differences(cases([]), 16), []);
  t.strictSame(differences(cases([0x66]), 16), []);
  t.strictSame(differences(cases([0x67]), 16), []);
  t.end();
});

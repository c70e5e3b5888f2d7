// What programs learn of the CPU, and conclude from it.
import t from 'tap';
import { cpuid } from '../../../switcher/cpu/cpuid.js';
import { Memory } from '../../../switcher/cpu/memory.js';
import { REGISTERS } from '../../../switcher/cpu/state.js';

const memory = new Memory(0x10000);

function ask(leaf: number, part = 0): { eax: number; ebx: number; ecx: number; edx: number } {
  memory.set(REGISTERS, leaf);
  memory.set(REGISTERS + 4, part);
  cpuid(memory);
  const [eax = 0, ecx = 0, edx = 0, ebx = 0] = [0, 4, 8, 12].map((at) => memory.get(REGISTERS + at) >>> 0);
  return { eax, ebx, ecx, edx };
}

const text = (...words: number[]): string =>
  words.map((word) => Buffer.from(Uint32Array.of(word).buffer).toString('latin1')).join('');

t.test('the vendor is one whose feature bits C libraries believe', (t) => {
  const { ebx, ecx, edx } = ask(0);
  t.equal(text(ebx, edx, ecx), 'GenuineIntel');
  t.end();
});

t.test('early kernel code finds nothing for which it would have to read MSRs', (t) => {
  const { eax, ecx, edx } = ask(1);
  t.equal((eax >> 8) & 15, 5, 'microcode is for family 6 and later');
  t.equal(ecx >>> 31, 1, 'a hypervisor is here');
  const absent = { VME: 1, PSE: 3, MSR: 5, MCE: 7, APIC: 9, SEP: 11, MTRR: 12, PGE: 13, MCA: 14, PAT: 16 };
  for (const [name, bit] of Object.entries(absent)) t.equal((edx >>> bit) & 1, 0, name);
  const present = { FPU: 0, TSC: 4, PAE: 6, CX8: 8, CMOV: 15, MMX: 23, FXSR: 24, SSE: 25, SSE2: 26 };
  for (const [name, bit] of Object.entries(present)) t.equal((edx >>> bit) & 1, 1, name);
  t.end();
});

t.test('caches are told in both ways that there are, alike, and the list of them ends', (t) => {
  t.equal(ask(2).eax & 0xff, 1, 'asked once is enough');
  const sizes: number[] = [];
  for (let part = 0; (ask(4, part).eax & 31) !== 0; part++) {
    const { ebx, ecx } = ask(4, part);
    sizes.push(((ebx >>> 22) + 1) * (((ebx >>> 12) & 0x3ff) + 1) * ((ebx & 0xfff) + 1) * (ecx + 1));
  }
  t.strictSame(
    sizes,
    [32, 32, 2048, 16384].map((kilobytes) => kilobytes * 1024),
  );
  t.equal(ask(4, 0xffffffff).eax, 0);
  t.end();
});

t.test('the brand, and silence beyond the last leaf', (t) => {
  const words = [0x80000002, 0x80000003, 0x80000004].flatMap((leaf) => Object.values(ask(leaf)));
  t.match(text(...words), /^lguest emulated CPU\0+$/);
  for (const leaf of [5, 0x40000001, 0x80000009, 0xffffffff]) t.strictSame(Object.values(ask(leaf)), [0, 0, 0, 0]);
  t.end();
});

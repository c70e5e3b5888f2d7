// The CPU asks at the door before it comes out: with the Guest's registers, and only what the Guest may ask.
import t from 'tap';
import { LGUEST_REGS } from '../../../guest-abi/lguest-regs.js';
import { GUEST_KERNEL_CS, GUEST_KERNEL_DS, LGUEST_CS } from '../../../guest-abi/x86/descriptors.js';
import { X86_EFLAGS_FIXED, X86_EFLAGS_IF, X86_EFLAGS_TF } from '../../../guest-abi/x86/eflags.js';
import { X86_TRAP_DB, X86_TRAP_GP, X86_TRAP_PF } from '../../../guest-abi/x86/traps.js';
import { systemClock } from '../../../lib/clock.js';
import type { EngineName } from '../../../switcher/cpu/cpu.js';
import { createSwitcher } from '../../../switcher/guest-cpu.js';
import type { Switcher } from '../../../switcher/switch.js';
import { TRAP_HOST_INTERRUPT } from '../../../switcher/switch.js';
import { ENGINES } from '../../support/test-cpu.js';

const PAGE = 4096;
const RAM = 16 * 1024 * 1024;
const CODE = 0x1000;
const FLAT_LOW = 0xffff;
const CODE_HIGH = 0x00cfbb00;
const DATA_HIGH = 0x00cfb300;
const GATE_FOR_RING_1 = 0xae00;
const GATE_FOR_RING_0 = 0x8e00;
const INT_1F = [0xcd, 0x1f];
const INT_20 = [0xcd, 0x20];
const INC_ECX = [0x41];
const INC_EDX = [0x42];
/** mov eax, [0x5000] */
const LOAD = [0xa1, 0x00, 0x50, 0x00, 0x00];
const LOOP = [0xeb, 0xfe];

/** A CPU in ring 1 before `code`, with 0x1f for its own use and 0x20 for the Host's alone. */
function cpuBefore(engine: EngineName, ...code: number[][]): Switcher {
  const switcher = createSwitcher(RAM, systemClock(), { engine, translateAfter: 0 });
  const { regs, guestGdt, guestIdt } = switcher.pages;
  guestGdt.set([FLAT_LOW, CODE_HIGH, FLAT_LOW, DATA_HIGH], 24);
  for (let i = 0; i < 256; i++) guestIdt.set([LGUEST_CS << 16, i === 0x1f ? GATE_FOR_RING_1 : GATE_FOR_RING_0], i * 2);
  for (let page = 0; page < 4; page++) switcher.shadowMap.set(page, page, true, true);
  switcher.memory.bytes.set(code.flat(), CODE);
  regs[LGUEST_REGS.cs] = GUEST_KERNEL_CS;
  for (const segment of [LGUEST_REGS.ss, LGUEST_REGS.ds, LGUEST_REGS.es]) regs[segment] = GUEST_KERNEL_DS;
  regs[LGUEST_REGS.eflags] = X86_EFLAGS_IF | X86_EFLAGS_FIXED;
  regs[LGUEST_REGS.eip] = CODE;
  regs[LGUEST_REGS.esp] = 4 * PAGE;
  (['eax', 'ebx', 'ecx', 'edx', 'esi'] as const).forEach((name, i) => (regs[LGUEST_REGS[name]] = 0xfffffff0 + i));
  return switcher;
}

const reg = (switcher: Switcher, name: keyof typeof LGUEST_REGS): number => switcher.pages.regs[LGUEST_REGS[name]] ?? 0;
const never = (): boolean => false;

for (const engine of ENGINES) {
  t.test(`int to the Host is asked about with the Guest's registers, and goes on behind it (${engine})`, async (t) => {
    const switcher = cpuBefore(engine, INT_1F, INC_ECX, INT_1F, INC_EDX, LOOP);
    const asked: number[][] = [];
    switcher.doorkeeper = {
      interrupt: (...args) => {
        asked.push(args);
        return asked.length === 1;
      },
      pageFault: never,
    };
    switcher.runGuest(1000);
    t.same(asked, [
      [0x1f, 0xfffffff0, 0xfffffff1, 0xfffffff2, 0xfffffff3, 0xfffffff4],
      [0x1f, 0xfffffff0, 0xfffffff1, 0xfffffff3, 0xfffffff3, 0xfffffff4],
    ]);
    t.equal(reg(switcher, 'trapnum'), 0x1f, 'what is refused comes out');
    t.equal(reg(switcher, 'eip'), CODE + 5);
    switcher.runGuest(100);
    t.equal(reg(switcher, 'trapnum'), TRAP_HOST_INTERRUPT);
    t.equal(reg(switcher, 'edx'), 0xfffffff4);
  });

  t.test(`what the Guest may not ask is not asked about (${engine})`, async (t) => {
    const switcher = cpuBefore(engine, INT_20);
    switcher.doorkeeper = { interrupt: () => true, pageFault: () => true };
    switcher.runGuest(100);
    t.equal(reg(switcher, 'trapnum'), X86_TRAP_GP);
    t.equal(reg(switcher, 'errcode'), 0x20 * 8 + 2);
  });

  t.test(`a page fault is asked about, and the instruction is done again (${engine})`, async (t) => {
    const switcher = cpuBefore(engine, LOAD, INC_ECX, LOOP);
    const asked: number[][] = [];
    switcher.memory.bytes.set([0x78, 0x56, 0x34, 0x12], 0x3000);
    switcher.doorkeeper = {
      interrupt: never,
      pageFault: (...args) => {
        asked.push(args);
        switcher.shadowMap.set(5, 3, false, false);
        return true;
      },
    };
    switcher.runGuest(100);
    t.same(asked, [[0x5000, 0]]);
    t.equal(reg(switcher, 'trapnum'), TRAP_HOST_INTERRUPT);
    t.equal(reg(switcher, 'eax'), 0x12345678);
    t.equal(reg(switcher, 'ecx'), 0xfffffff3);
  });

  t.test(
    `a page fault that is refused comes out; one that is not mended though cannot go on for ever (${engine})`,
    async (t) => {
      const switcher = cpuBefore(engine, LOAD);
      switcher.doorkeeper = { interrupt: never, pageFault: never };
      switcher.runGuest(100);
      t.equal(reg(switcher, 'trapnum'), X86_TRAP_PF);
      t.equal(switcher.cr2, 0x5000);
      let asked = 0;
      switcher.doorkeeper = { interrupt: never, pageFault: () => ++asked > 0 };
      switcher.runGuest(100);
      t.equal(reg(switcher, 'trapnum'), TRAP_HOST_INTERRUPT);
      t.ok(asked > 10 && asked < 1000, `${asked} times`);
    },
  );

  t.test(`a single step over int ends in the Host's trap, as ever (${engine})`, async (t) => {
    const switcher = cpuBefore(engine, INT_1F, INC_ECX, INC_EDX);
    switcher.pages.regs[LGUEST_REGS.eflags] = X86_EFLAGS_IF | X86_EFLAGS_FIXED | X86_EFLAGS_TF;
    switcher.doorkeeper = { interrupt: () => true, pageFault: never };
    switcher.runGuest(100);
    t.equal(reg(switcher, 'trapnum'), 0x1f);
    switcher.runGuest(100);
    t.equal(reg(switcher, 'trapnum'), X86_TRAP_DB);
    t.equal(reg(switcher, 'eip'), CODE + 3);
  });
}

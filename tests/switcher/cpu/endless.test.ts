// A Guest can go round without ever jumping: through its own gates. The Host must get its turn all the same.
import t from 'tap';
import { LGUEST_REGS } from '../../../guest-abi/lguest-regs.js';
import { GUEST_KERNEL_CS, GUEST_KERNEL_DS, LGUEST_CS } from '../../../guest-abi/x86/descriptors.js';
import { X86_EFLAGS_FIXED, X86_EFLAGS_IF } from '../../../guest-abi/x86/eflags.js';
import { X86_TRAP_UD } from '../../../guest-abi/x86/traps.js';
import { systemClock } from '../../../lib/clock.js';
import { createSwitcher } from '../../../switcher/guest-cpu.js';
import { TRAP_HOST_INTERRUPT } from '../../../switcher/switch.js';
import { ENGINES } from '../../support/test-cpu.js';

const PAGE = 4096;
const RAM = 16 * 1024 * 1024;
const CODE = 0x1000;
const UD2 = [0x0f, 0x0b];
const TRAP_GATE = 0x8f00;
const FLAT_LOW = 0xffff;
const CODE_HIGH = 0x00cfbb00;
const DATA_HIGH = 0x00cfb300;

for (const engine of ENGINES) {
  t.test(`a handler that faults in its first instruction leaves the Host its turn (${engine})`, (t) => {
    const switcher = createSwitcher(RAM, systemClock(), { engine });
    const { regs, guestGdt, guestIdt } = switcher.pages;
    guestGdt.set([FLAT_LOW, CODE_HIGH, FLAT_LOW, DATA_HIGH], 24);
    for (let i = 0; i < 256; i++) guestIdt.set([LGUEST_CS << 16, 0x8e00], i * 2);
    guestIdt.set([(GUEST_KERNEL_CS << 16) | CODE, TRAP_GATE], X86_TRAP_UD * 2);
    for (let page = 0; page < RAM / PAGE; page++) switcher.shadowMap.set(page, page, true, true);
    switcher.memory.bytes.set(UD2, CODE);
    regs[LGUEST_REGS.cs] = GUEST_KERNEL_CS;
    for (const segment of [LGUEST_REGS.ss, LGUEST_REGS.ds, LGUEST_REGS.es]) regs[segment] = GUEST_KERNEL_DS;
    regs[LGUEST_REGS.eflags] = X86_EFLAGS_IF | X86_EFLAGS_FIXED;
    regs[LGUEST_REGS.eip] = CODE;
    regs[LGUEST_REGS.esp] = RAM;
    switcher.runGuest(100);
    t.equal(regs[LGUEST_REGS.trapnum], TRAP_HOST_INTERRUPT);
    t.equal(regs[LGUEST_REGS.eip], CODE);
    t.ok((regs[LGUEST_REGS.esp] ?? 0) < RAM, 'it has been delivered again and again');
    t.ok((regs[LGUEST_REGS.esp] ?? 0) > RAM - PAGE, 'but about as often as the budget allows');
    t.end();
  });
}

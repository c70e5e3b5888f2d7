// Every size and offset that Guest, Host and Launcher agreed on, worked out again from the C declarations.
import t from 'tap';
import { guestPhysical, guestVirtual, pageNumber, pageOffset, pageStart } from '../../guest-abi/addresses.js';
import * as errno from '../../guest-abi/errno.js';
import { LHCALL, lhcallName } from '../../guest-abi/hypercalls.js';
import * as data from '../../guest-abi/lguest-data.js';
import * as launcher from '../../guest-abi/lguest-launcher.js';
import * as regs from '../../guest-abi/lguest-regs.js';
import * as descriptors from '../../guest-abi/x86/descriptors.js';
import { GUEST_CR0 } from '../../guest-abi/x86/control-registers.js';
import { X86_EFLAGS_CLEARED_BY_GATE } from '../../guest-abi/x86/eflags.js';
import * as pageTable from '../../guest-abi/x86/page-table.js';
import { hasErrorCode } from '../../guest-abi/x86/traps.js';

/** A C structure: fields in order, `[name, size]`, each aligned to `align` at most. Gives the offsets and the end. */
function layout(fields: readonly (readonly [string, number])[], align: number): [Record<string, number>, number] {
  const offsets: Record<string, number> = {};
  let at = 0;
  for (const [name, size] of fields) {
    const unit = Math.min(align, size);
    at = Math.ceil(at / unit) * unit;
    offsets[name] = at;
    at += size;
  }
  return [offsets, at];
}

t.test('struct lguest_data has the layout of Linux 4.1 to 4.12, with PAE and without: 1388 bytes', async (t) => {
  const words = ['irq_enabled', 'blocked_interrupts', 'cr2', 'time_sec', 'time_nsec', 'irq_pending'];
  const [offsets] = layout(
    words.map((name) => [name, 4] as const),
    4,
  );
  t.same(data.LGUEST_DATA, { ...offsets, hcall_status: 24, hcalls: 88, reserve_mem: 88 + 64 * 20, tsc_khz: 1372 });
  t.same(data.LGUEST_DATA_4_1, { noirq_iret: 1376, kernel_address: 1380, syscall_vec: 1384 });
  t.equal(data.LGUEST_DATA_4_1_SIZE, 1388);
  t.equal(data.HCALL_ARGS_SIZE, 20);
});

t.test('struct lguest_data of Linux 3.11 to 4.0 has one word more', async (t) => {
  t.same(data.LGUEST_DATA_3_11, { noirq_start: 1376, noirq_end: 1380, kernel_address: 1384, syscall_vec: 1388 });
  t.equal(data.LGUEST_DATA_3_11_SIZE, 1392);
});

t.test('struct lguest_regs is 72 bytes, and its first five words are those of a hypercall', async (t) => {
  const names = 'eax ebx ecx edx esi edi ebp gs fs ds es trapnum errcode eip cs eflags esp ss'.split(' ');
  t.same(regs.LGUEST_REGS, Object.fromEntries(names.map((name, index) => [name, index])));
  t.equal(regs.LGUEST_REGS_SIZE, 72);
});

t.test('struct lguest_pages keeps the registers at the end of its first page', async (t) => {
  t.same(regs.LGUEST_PAGES, { regs: 0xfb8, state: 0x1000 });
  const [offsets, size] = layout(
    [
      ['host_cr3', 4],
      ['host_idt_desc', 6],
      ['host_gdt_desc', 6],
      ['host_sp', 4],
      ['guest_idt_desc', 6],
      ['guest_gdt_desc', 6],
      ['guest_tss', 104],
      ['guest_idt', 2048],
      ['guest_gdt', 256],
    ],
    2,
  );
  t.same(regs.LGUEST_RO_STATE, offsets);
  t.equal(regs.LGUEST_RO_STATE_SIZE, size);
});

t.test('the hypercalls have the numbers of Linux 4.x, and LHCALL_TS is still known', async (t) => {
  t.same(Object.values(LHCALL), [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16, 18, 19]);
  t.equal(lhcallName(14), 'LHCALL_SET_PTE');
  t.equal(lhcallName(3), undefined);
});

t.test('the requests, struct lguest_pending and struct pt_regs are what a Launcher expects', async (t) => {
  t.same(Object.values(launcher.LHREQ), [0, 1, 2, 3, 4, 5, 6, 7]);
  t.same(launcher.LGUEST_PENDING, { trap: 0, insn: 1, addr: 8 });
  t.equal(launcher.LGUEST_PENDING_SIZE, 12);
  const offsets = Array.from({ length: 17 }, (_, index) => 4 * index);
  t.same(Object.values(launcher.PT_REGS), offsets);
  t.same([errno.ENOENT, errno.EBUSY, errno.EINVAL, errno.ERESTART], [2, 16, 22, 85]);
});

t.test('the levels of page tables, without and with PAE, make 4 GB', async (t) => {
  t.equal(pageTable.PTRS_PER_PGD * pageTable.PTRS_PER_PTE * 4096, 2 ** 32);
  t.equal(pageTable.PAE_PTRS_PER_PGD * pageTable.PAE_PTRS_PER_PMD * pageTable.PAE_PTRS_PER_PTE * 4096, 2 ** 32);
  t.equal(pageTable.DIRECTORY_FLAGS, 0x67);
  t.equal(pageTable.PAE_TOP_FLAGS, 0x001);
});

t.test('selectors, flags and control registers have the values that Linux Guests know', async (t) => {
  t.same([descriptors.GUEST_KERNEL_CS, descriptors.GUEST_KERNEL_DS], [0x61, 0x69]);
  t.same([descriptors.LGUEST_CS, descriptors.LGUEST_DS], [0x50, 0x58]);
  t.equal(X86_EFLAGS_CLEARED_BY_GATE, 0x34100);
  t.equal(GUEST_CR0, 0x80050033);
});

t.test('exactly vectors 8, 10 to 14 and 17 push an error code', async (t) => {
  const vectors = Array.from({ length: 256 }, (_, vector) => vector).filter(hasErrorCode);
  t.same(vectors, [8, 10, 11, 12, 13, 14, 17]);
});

t.test('addresses are unsigned words, made of a page and a place in it', async (t) => {
  t.equal(guestPhysical(-4096), 0xfffff000);
  t.equal(guestVirtual(2 ** 32 + 5), 5);
  t.equal(pageNumber(0xfffff123), 0xfffff);
  t.equal(pageOffset(0xfffff123), 0x123);
  t.equal(pageStart(0xfffff), 0xfffff000);
});

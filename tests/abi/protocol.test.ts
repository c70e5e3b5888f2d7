// What is written to the device and read from it, with a real Guest behind it.
import { EBUSY, EINVAL, ENOENT } from '../../guest-abi/errno.js';
import { LHREQ, PT_REGS } from '../../guest-abi/lguest-launcher.js';
import { LguestDevice } from '../../host/device.js';
import { DONE } from '../support/assembly-guest.js';
import { everywhere } from '../support/everywhere.js';
import { BOOT, CODE, DEVICE_LIMIT, RAM_PAGES } from '../support/guest-layout.js';

const SETTABLE = ['ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp', 'eax', 'eip', 'esp'] as const;
const READ_ONLY = ['ds', 'es', 'fs', 'gs', 'cs', 'eflags', 'ss'] as const;
const read = (device: LguestDevice, size = 64): number => device.read(new Uint8Array(size));

everywhere('each request, by its number, before LHREQ_INITIALIZE and after (1, 2, 5)', (same, guest) => {
  const made = guest('spin: jmp spin');
  const fresh = new LguestDevice(made.memory);
  for (let request = 1; request < 20; request++)
    same(fresh.write(Uint32Array.of(request, 0, 0)), -EINVAL, `${request} first`);
  same(read(fresh), -EINVAL);
  same(fresh.write(Uint32Array.of(0, made.memory.base, RAM_PAGES, BOOT, DEVICE_LIMIT)), -EBUSY, 'the memory is in use');
  fresh.close();

  for (const request of [1, 3, 4, 8, 9, 0x7fffffff, 0xffffffff])
    same(made.write(request, 0, 0), -EINVAL, String(request));
  same(made.write(LHREQ.LHREQ_INITIALIZE, made.memory.base, RAM_PAGES, BOOT, DEVICE_LIMIT), -EBUSY);
  for (const irq of [0, 1, 31]) same(made.write(LHREQ.LHREQ_IRQ, irq), 0);
  for (const irq of [32, 33, 0x80000000, 0xffffffff]) same(made.write(LHREQ.LHREQ_IRQ, irq), -EINVAL);
  for (const vector of [0, 13, 32, 255, 256, 0xffffffff])
    same(made.write(LHREQ.LHREQ_TRAP, vector), -EINVAL, 'no gate');
  // Who shares the machine with those who come after must leave it as it was.
  made.irq(0);
});

everywhere('each register of struct pt_regs, read from a Guest and given back (3, 4)', (same, guest) => {
  const made = guest(
    `mov $0xa0, %eax; hcall LHCALL_LOAD_GDT_ENTRY, 20, 0xffff, 0xcf9200; mov $0xa0, %eax; mov %eax, %fs; mov %eax, %gs
     mov $1, %ebx; mov $2, %ecx; mov $3, %edx; mov $4, %esi; mov $5, %edi; mov $6, %ebp; mov $7, %eax; mov $8, %esp
     at: hlt; nop; nop; nop; nop; nop; nop
     on: mov %ebx, RESULT; mov %ecx, RESULT+4; mov %edx, RESULT+8; mov %esi, RESULT+12; mov %edi, RESULT+16; mov %ebp, RESULT+20
     mov %eax, RESULT+24; mov %esp, RESULT+28; crash DONE`,
  );
  same(made.run(), 'trap 13: f4909090909090');
  same(
    (['ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp', 'eax', 'esp', 'eip'] as const).map((name) => made.reg(name)),
    [1, 2, 3, 4, 5, 6, 7, 8, made.labels.get('at')],
  );
  same(
    (['ds', 'es', 'fs', 'gs', 'cs', 'ss'] as const).map((name) => made.reg(name)),
    [0x69, 0x69, 0xa0, 0xa0, 0x61, 0x69],
  );
  same(made.reg('eflags') & 0x200, 0x200);
  for (const name of READ_ONLY) same(made.write(LHREQ.LHREQ_SETREG, PT_REGS[name], 0), -ENOENT, name);
  for (const offset of [44, 1, 2, 3, 45, 68, 72, 0x80000000, 0xffffffff]) {
    same(
      [made.write(LHREQ.LHREQ_GETREG, offset), made.write(LHREQ.LHREQ_SETREG, offset, 0)],
      [-ENOENT, -ENOENT],
      String(offset),
    );
  }
  const values = [0xffffffff, 0x80000000, 0x12345678, 0, 0x55aa55aa, 0xcafe, 0xdeadbeef];
  const answers = values.map((value, i) => made.write(LHREQ.LHREQ_SETREG, PT_REGS[SETTABLE[i] ?? 'eax'], value));
  same(
    answers,
    values.map(() => 12),
  );
  made.setReg('esp', 0xc0020000);
  made.setReg('eip', made.labels.get('on') ?? 0);
  same(made.run(), DONE);
  same(made.results(8), [...values, 0xc0020000]);
});

everywhere('LHREQ_GETREG answers the next read, with four bytes, and nothing runs (3)', (same, guest) => {
  const made = guest('incl RESULT; hlt');
  same(made.write(LHREQ.LHREQ_GETREG, PT_REGS.eip), 8);
  const bytes = new Uint8Array(64).fill(0xee);
  same([made.device.read(bytes), bytes[4]], [4, 0xee]);
  same(new DataView(bytes.buffer).getUint32(0, true), BOOT);
  same(made.results(1), [0]);
  made.write(LHREQ.LHREQ_GETREG, PT_REGS.eax);
  same(made.write(LHREQ.LHREQ_GETREG, 44), -ENOENT);
  same(made.run().slice(0, 10), 'trap 13: f', 'the one that is none has taken the other’s place');
  same(made.results(1), [1]);
});

everywhere('a pending trap is used up by any read; then the instruction is tried again (11)', (same, guest) => {
  const made = guest('hlt; nop; nop; nop; nop; nop; nop');
  same(made.run(), 'trap 13: f4909090909090');
  same(made.reg('eip'), 0xc0000000 + CODE, 'a register is read …');
  same(made.run(), 'trap 13: f4909090909090', '… and the Guest goes on where it was');
  same(made.run(), 'trap 13: f4909090909090');
});

everywhere('the instruction comes in seven bytes, with zeros for what is not mapped (9, 10)', (same, guest) => {
  const page = 0x21000;
  for (let back = 1; back <= 8; back++) {
    const made = guest(
      `movl $${page | 0x63}, LAB_PTE; movl $0xf4f4f4f4, LAB+0xffc; movl $0xf4f4f4f4, LAB+0xff8; mov $LAB+0x1000-${back}, %eax; jmp *%eax`,
    );
    same(made.run(), `trap 13: ${'f4'.repeat(Math.min(back, 7)).padEnd(14, '0')}`);
  }
  const crossing = guest(
    `movl $${page | 0x63}, LAB_PTE; movl $${(page + 0x5000) | 0x63}, LAB_PTE+PTE_SIZE; movw $0xb8e6, LAB+0xffe; movl $0x44332211, LAB+0x1000
     mov $LAB+0xffe, %eax; jmp *%eax`,
  );
  same(crossing.run(), 'trap 13: e6b81122334400', 'two pages that lie apart');
});

everywhere(
  'after death: -ENOENT for writes, the reason for reads, cut to the buffer, again and again (6)',
  (same, guest) => {
    const made = guest('hcall 99');
    made.run();
    for (let request = 1; request < 9; request++) same(made.write(request, 0, 0), -ENOENT);
    same(made.write(LHREQ.LHREQ_INITIALIZE, made.memory.base, RAM_PAGES, BOOT, DEVICE_LIMIT), -EBUSY);
    for (let size = 0; size < 24; size++) {
      const bytes = new Uint8Array(size);
      const length = made.device.read(bytes);
      same(Buffer.from(bytes.subarray(0, length)).toString('latin1'), 'Bad hypercall 99\n\0'.slice(0, size));
    }
  },
);

everywhere('there is no second CPU (7)', (same, guest) => {
  const made = guest('spin: jmp spin');
  for (const cpu of [1, 2, 255]) {
    same(made.device.write(Uint32Array.of(LHREQ.LHREQ_IRQ, 0), cpu), -EINVAL);
    same(made.device.read(new Uint8Array(64), cpu), -EINVAL);
  }
});

everywhere('a Guest begins in ring 1 with flat segments and nothing else (67)', (same, guest) => {
  const made = guest(
    `mov %eax, RESULT; mov %ebx, RESULT+4; mov %ecx, RESULT+8; mov %edx, RESULT+12; mov %esi, RESULT+16; mov %edi, RESULT+20
     mov %ebp, RESULT+24; mov %esp, RESULT+28; mov $STACK, %esp; pushf; pop %eax; mov %eax, RESULT+32
     mov %cs, %eax; mov %eax, RESULT+36; mov %ds, %eax; mov %eax, RESULT+40; mov %es, %eax; mov %eax, RESULT+44; mov %ss, %eax
     mov %eax, RESULT+48; mov %fs, %eax; mov %eax, RESULT+52; mov %gs, %eax; mov %eax, RESULT+56; hcall LHCALL_LGUEST_INIT, DATA_PA; crash DONE`,
    { begin: 'reset' },
  );
  same(made.run(), DONE);
  same(made.results(15), [0, 0, 0, 0, 0, 0, 0, 0, 0x202, 0x61, 0x69, 0x69, 0x69, 0, 0]);
});

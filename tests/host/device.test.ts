// The protocol between Launcher and Host, and what a careless caller may do.
import t from 'tap';
import { EBADF, EBUSY, EFAULT, EINTR, EINVAL, ENOENT, EPERM, ERESTART } from '../../guest-abi/errno.js';
import { LHREQ, PT_REGS } from '../../guest-abi/lguest-launcher.js';
import { allocateGuestMemory, LguestDevice } from '../../host/device.js';
import { Bug, UserError } from '../../lib/errors.js';
import { FakeMemory, FakeSwitcher, ManualClock } from '../support/fake-switcher.js';
import { DEVICE_LIMIT, hypercall, KERNEL, P, PAGE, pageFault, RAM, RAM_PAGES, RW } from '../support/test-guest.js';
import { TestGuest, trap } from '../support/test-guest.js';

const { LHREQ_INITIALIZE, LHREQ_GETDMA, LHREQ_IRQ, LHREQ_BREAK } = LHREQ;
const { LHREQ_EVENTFD, LHREQ_GETREG, LHREQ_SETREG, LHREQ_TRAP } = LHREQ;

t.test('before LHREQ_INITIALIZE every request and every read is -EINVAL (1, H11)', async (t) => {
  const guest = new TestGuest();
  for (const request of [LHREQ_IRQ, LHREQ_GETREG, LHREQ_SETREG, LHREQ_TRAP, LHREQ_BREAK, 99]) {
    t.equal(guest.write(request, 0, 0), -EINVAL, `request ${request}`);
  }
  t.equal(guest.device.read(new Uint8Array(12)), -EINVAL);
  t.equal(guest.device.counters, undefined);
  await guest.device.ready();
});

t.test('LHREQ_INITIALIZE returns 16, and a second one -EBUSY, after death too (2)', async (t) => {
  const guest = new TestGuest();
  t.equal(guest.initialize(), 16);
  t.equal(guest.initialize(), -EBUSY);
  guest.run(trap(0));
  t.equal(guest.initialize(), -EBUSY);
});

t.test('LHREQ_INITIALIZE refuses memory that is not there and limits that make no sense', async (t) => {
  const guest = new TestGuest();
  const { base } = guest.switcher.memory;
  t.equal(guest.write(LHREQ_INITIALIZE, base, RAM_PAGES, 0), -EFAULT, 'a word too few');
  t.equal(guest.write(LHREQ_INITIALIZE, base + 4, RAM_PAGES, 0, DEVICE_LIMIT), -EFAULT, 'another base');
  t.equal(guest.write(LHREQ_INITIALIZE, base, RAM_PAGES + 1, 0, DEVICE_LIMIT), -EFAULT, 'more memory than there is');
  t.equal(guest.write(LHREQ_INITIALIZE, base, RAM_PAGES, 0, RAM_PAGES - 1), -EINVAL, 'devices in RAM');
  t.equal(guest.write(LHREQ_INITIALIZE, base, RAM_PAGES, 0, 0x100001), -EINVAL, 'devices beyond 4 GB');
  t.equal(guest.write(), -EFAULT, 'nothing');
  t.equal(guest.initialize(), 16);
});

t.test('one memory serves one device at a time', async (t) => {
  const clock = new ManualClock();
  const switcher = new FakeSwitcher(RAM, clock);
  const memory = allocateGuestMemory(RAM, { createSwitcher: () => switcher, clock });
  const message = Uint32Array.of(LHREQ_INITIALIZE, memory.base, RAM_PAGES, 0, DEVICE_LIMIT);
  const first = new LguestDevice(memory);
  const second = new LguestDevice(memory);
  t.equal(first.write(message), 16);
  t.equal(second.write(message), -EBUSY);
  switcher.shadowMap.set(1, 2, true, true);
  switcher.pages.guestGdt.fill(0xffffffff);
  switcher.pages.guestIdt.fill(0xffffffff);
  switcher.taskSwitched = true;
  first.close();
  t.equal(second.write(message), 16);
  second.read(new Uint8Array(12));
  t.same(switcher.shadowMap.list(), [], 'of the Guest before nothing is left');
  t.equal(switcher.pages.guestGdt.indexOf(0xffffffff), -1);
  t.equal(switcher.pages.guestIdt.indexOf(0xffffffff), -1);
  t.equal(switcher.taskSwitched, false);
});

t.test('a Guest begins with flat segments in ring 1 and all else zero', async (t) => {
  const guest = new TestGuest();
  guest.initialize(0x1000000);
  t.match(guest.regs(), { cs: 0x61, ss: 0x69, ds: 0x69, es: 0x69, fs: 0, gs: 0, eflags: 0x202, eip: 0x1000000 });
  t.match(guest.regs(), { eax: 0, ebx: 0, ecx: 0, edx: 0, esi: 0, edi: 0, ebp: 0, esp: 0 });
});

t.test('LHREQ_GETREG returns 8, and the next read gives the register and does not run the Guest (3)', async (t) => {
  const guest = new TestGuest();
  guest.initialize(0x12345678);
  t.equal(guest.write(LHREQ_GETREG, PT_REGS.eip), 8);
  const buffer = new Uint8Array(6).fill(0xee);
  t.equal(guest.device.read(buffer.subarray(0, 3)), -EFAULT, 'the register stays to be read');
  t.equal(guest.device.read(buffer.subarray(1)), 4);
  t.same([...buffer], [0xee, 0x78, 0x56, 0x34, 0x12, 0xee]);
  t.equal(guest.switcher.entries, 0);
  t.equal(guest.device.read(new Uint8Array(12)), -EINTR);
  t.equal(guest.switcher.entries, 1, 'and then it runs');
});

t.test('LHREQ_SETREG returns 12, LHREQ_IRQ and LHREQ_TRAP 0 (3)', async (t) => {
  const guest = new TestGuest().begin();
  guest.run(guest.gate(13, 0x2000));
  guest.switcher.setReg('esp', 0x5000);
  t.equal(guest.write(LHREQ_SETREG, PT_REGS.ecx, 0xfedcba98), 12);
  t.equal(guest.regs().ecx, 0xfedcba98);
  t.equal(guest.write(LHREQ_IRQ, 4), 0);
  t.equal(guest.write(LHREQ_TRAP, 13), 0);
  t.equal(guest.regs().eip, 0x2000);
});

t.test('registers that decide what the Guest may do can be read but not set (4)', async (t) => {
  const guest = new TestGuest();
  guest.initialize();
  for (const name of ['ds', 'es', 'fs', 'gs', 'cs', 'eflags', 'ss'] as const) {
    t.equal(guest.write(LHREQ_SETREG, PT_REGS[name], 0), -ENOENT, `setting ${name}`);
    t.equal(guest.write(LHREQ_GETREG, PT_REGS[name]), 8, `reading ${name}`);
  }
  for (const name of ['ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp', 'eax', 'eip', 'esp'] as const) {
    t.equal(guest.write(LHREQ_SETREG, PT_REGS[name], 7), 12, `setting ${name}`);
    t.equal(guest.regs()[name], 7, name);
  }
});

t.test('an offset where no register is gives -ENOENT and forgets the one asked for before (4)', async (t) => {
  const guest = new TestGuest();
  guest.initialize();
  for (const offset of [PT_REGS.orig_eax, 1, 46, 68, 0xffffffff]) {
    t.equal(guest.write(LHREQ_SETREG, offset, 0), -ENOENT, `setting at ${offset}`);
    guest.write(LHREQ_GETREG, PT_REGS.eax);
    t.equal(guest.write(LHREQ_GETREG, offset), -ENOENT, `reading at ${offset}`);
  }
  t.equal(guest.device.read(new Uint8Array(12)), -EINTR, 'the Guest runs');
  t.equal(guest.write(LHREQ_GETREG), -EFAULT);
  t.equal(guest.write(LHREQ_SETREG, PT_REGS.eax), -EFAULT);
});

t.test('LHREQ_IRQ takes 0 to 31 (5, H11)', async (t) => {
  const guest = new TestGuest();
  guest.initialize();
  t.equal(guest.write(LHREQ_IRQ, 31), 0);
  t.equal(guest.write(LHREQ_IRQ, 32), -EINVAL);
  t.equal(guest.write(LHREQ_IRQ, 0xffffffff), -EINVAL);
  t.equal(guest.write(LHREQ_IRQ), -EFAULT);
});

t.test('requests of former days, and those that never were, are -EINVAL (5)', async (t) => {
  const guest = new TestGuest();
  guest.initialize();
  for (const request of [LHREQ_GETDMA, LHREQ_BREAK, LHREQ_EVENTFD, 8, 0xffffffff]) {
    t.equal(guest.write(request, 0, 0), -EINVAL, `request ${request}`);
  }
});

t.test('LHREQ_TRAP is -EINVAL when the Guest has no handler, or no such trap can be', async (t) => {
  const guest = new TestGuest();
  guest.initialize();
  for (const vector of [13, 2, 8, 15, 31, 256, 0xffffffff]) {
    t.equal(guest.write(LHREQ_TRAP, vector), -EINVAL, `trap ${vector}`);
  }
  t.equal(guest.write(LHREQ_TRAP), -EFAULT);
});

t.test('a dead Guest answers writes with -ENOENT and reads with its last words, again and again (6)', async (t) => {
  const guest = new TestGuest();
  guest.initialize(0x1000);
  t.equal(guest.run(trap(6)), -ENOENT);
  t.equal(guest.write(LHREQ_IRQ, 1), -ENOENT);
  t.equal(guest.write(LHREQ_BREAK), -ENOENT);
  const text = 'unhandled trap 6 at 0x1000 (0)';
  t.equal(guest.lastWords(), text);
  t.equal(guest.lastWords(), text);
  const buffer = new Uint8Array(100).fill(0xee);
  t.equal(guest.device.read(buffer), text.length + 1, 'with its NUL');
  t.equal(buffer[text.length], 0);
  t.equal(guest.device.read(buffer.subarray(0, 9)), 9, 'as much as fits');
  t.equal(guest.device.read(new Uint8Array(0)), 0);
  await guest.device.ready();
});

t.test('there is no second CPU (7)', async (t) => {
  const guest = new TestGuest();
  const { base } = guest.switcher.memory;
  const message = Uint32Array.of(LHREQ_INITIALIZE, base, RAM_PAGES, 0, DEVICE_LIMIT);
  t.equal(guest.device.write(message, 1), 16, 'LHREQ_INITIALIZE does not look');
  t.equal(guest.device.write(Uint32Array.of(LHREQ_IRQ, 1), 1), -EINVAL);
  t.equal(guest.device.read(new Uint8Array(12), 1), -EINVAL);
  t.equal(guest.device.read(new Uint8Array(12), NaN), -EINVAL);
});

t.test('a read from inside a read is -EPERM, a write is not (8, H11)', async (t) => {
  const results: number[] = [];
  const guest: TestGuest = new TestGuest({
    trace: (station) => {
      if (station === 'trap') results.push(guest.device.read(new Uint8Array(12)), guest.write(LHREQ_IRQ, 3));
    },
  });
  guest.initialize();
  t.equal(guest.run(), -EINTR);
  t.same(results, [-EPERM, 0]);
});

t.test('#GP(0) goes to the Launcher with the instruction, from any ring (9)', async (t) => {
  const guest = new TestGuest();
  guest.initialize(0x2001);
  guest.switcher.memory.bytes.set([0xee, 0xe4, 0x64, 0x90, 1, 2, 3, 4, 5], 0x2000);
  guest.switcher.script.push(trap(13, 0));
  const buffer = new Uint8Array(13).fill(0xee);
  t.equal(guest.device.read(buffer), 12);
  t.same([...buffer.subarray(0, 8)], [13, 0xe4, 0x64, 0x90, 1, 2, 3, 4]);
  t.equal(buffer[12], 0xee);
});

for (const pae of [false, true]) {
  const kind = pae ? 'with PAE' : 'without PAE';

  t.test(`a touch of device memory goes to the Launcher with its address (9), ${kind}`, async (t) => {
    const guest = new TestGuest({ pae });
    const directory = guest.beginPaging();
    guest.map(directory, 0xd0000000, (RAM + PAGE) | P | RW);
    guest.switcher.setReg('eip', KERNEL + 0x6000);
    guest.switcher.memory.bytes.set([0x89, 0x08], 0x6000);
    guest.switcher.script.push(pageFault(0xd0000abc, 2));
    const buffer = new Uint8Array(12);
    t.equal(guest.device.read(buffer), 12);
    t.same([...buffer.subarray(0, 3)], [14, 0x89, 0x08]);
    t.equal(new DataView(buffer.buffer).getUint32(8, true), RAM + PAGE + 0xabc);
    t.equal(guest.regs().errcode, 3, 'if it comes back as a fault, there is a page');
  });

  t.test(`an instruction that runs into a page that is not mapped ends in zeros (10), ${kind}`, async (t) => {
    const guest = new TestGuest({ pae });
    const directory = guest.beginPaging();
    guest.map(directory, 0x8000000, 0x7000 | P);
    guest.switcher.memory.bytes.fill(0xee, 0x7ffe, 0x8010);
    guest.switcher.setReg('eip', 0x8000ffe);
    guest.switcher.script.push(trap(13));
    const buffer = new Uint8Array(12);
    t.equal(guest.device.read(buffer), 12);
    t.same([...buffer.subarray(1, 8)], [0xee, 0xee, 0, 0, 0, 0, 0]);

    guest.map(directory, 0x8001000, 0x9000 | P);
    guest.switcher.memory.bytes.fill(0xcc, 0x9000, 0x9010);
    guest.switcher.script.push(trap(13));
    guest.device.read(buffer);
    t.same([...buffer.subarray(1, 8)], [0xee, 0xee, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc], 'or goes on, wherever that is');
  });
}

t.test('an instruction in a page that is not mapped kills', async (t) => {
  const guest = new TestGuest();
  guest.beginPaging();
  guest.switcher.setReg('eip', 0x8000ffe);
  t.equal(guest.killedBy(trap(13)), 'Bad address 0x8000ffe');
});

t.test('a pending trap is gone after any read (11)', async (t) => {
  const guest = new TestGuest();
  guest.initialize();
  t.equal(guest.run(trap(13)), 12);
  guest.write(LHREQ_GETREG, PT_REGS.eip);
  t.equal(guest.run(), 4);
  t.equal(guest.run(), -EINTR);
});

t.test('a buffer that cannot hold struct lguest_pending is -EFAULT, and nothing runs', async (t) => {
  const guest = new TestGuest();
  guest.initialize();
  t.equal(guest.device.read(new Uint8Array(11)), -EFAULT);
  t.equal(guest.switcher.entries, 0);
});

t.test('after close() everything is -EBADF, and closing while the Guest runs ends it', async (t) => {
  const guest: TestGuest = new TestGuest({
    trace: (station) => {
      if (station === 'trap') guest.device.close();
    },
  });
  guest.initialize();
  t.equal(guest.run(), -ENOENT);
  t.equal(guest.device.read(new Uint8Array(12)), -EBADF);
  t.equal(guest.initialize(), -EBADF);
  guest.device.close();
});

t.test('a restart wins over what killed the Guest', async (t) => {
  const guest = new TestGuest().begin();
  t.equal(guest.run(hypercall('LHCALL_SHUTDOWN', 0xfffffff0, 2)), -ERESTART);
  t.equal(guest.device.read(new Uint8Array(12)), -ERESTART);
  t.equal(guest.write(LHREQ_IRQ, 1), -ENOENT);
});

const full = (): never => {
  throw new RangeError('WebAssembly.Memory(): could not allocate memory');
};

const broken = (): never => {
  throw new Bug('ours');
};

t.test('memory has to be whole pages, and the machine has to have it', async (t) => {
  const clock = new ManualClock();
  const createSwitcher = (): FakeSwitcher => new FakeSwitcher(RAM, clock);
  for (const bytes of [0, -4096, 4095, 1.5, NaN, Infinity, 2 ** 32]) {
    t.throws(() => allocateGuestMemory(bytes, { createSwitcher }), UserError, `${bytes} bytes`);
  }
  t.throws(() => allocateGuestMemory(RAM, { createSwitcher: full }), { name: 'UserError', code: 'ERR_LGUEST_MEMORY' });
  t.throws(() => allocateGuestMemory(RAM, { createSwitcher: broken }), Bug);
  t.throws(() => new LguestDevice(new FakeMemory(RAM)), Bug);
  t.equal(allocateGuestMemory(RAM, { createSwitcher }).bytes.length, RAM, 'the clock is today by default');
});

t.test('options that make no sense are refused', async (t) => {
  for (const sliceMilliseconds of [NaN, -1, Infinity]) t.throws(() => new TestGuest({ sliceMilliseconds }), UserError);
  for (const syscallVector of [31, 256, 128.5, NaN]) {
    t.throws(() => new TestGuest({ syscallVector }), UserError);
  }
  for (const tscKhz of [NaN, -1, 0.5, 2 ** 32]) t.throws(() => new TestGuest({ tscKhz }), UserError);
});

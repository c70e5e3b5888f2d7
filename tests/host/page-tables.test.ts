// Shadow page tables. Whole mappings are compared, as lists.
import t from 'tap';
import { EINTR } from '../../guest-abi/errno.js';
import { ACCESSED, both, DEVICE_LIMIT, DIRTY, hypercall, inRing, KERNEL, P, PAGE } from '../support/test-guest.js';
import type { Step } from '../support/fake-switcher.js';
import { pageFault, RAM, RAM_PAGES, RW, TestGuest, trap, USER } from '../support/test-guest.js';

const READ = 0;
const WRITE = 2;
const AS_USER = 4;
const HANDLER = KERNEL + 0x2000;
const ALL = P | RW | USER;

const setPte = (directory: number, vaddr: number, low: number, high = 0): Step =>
  hypercall('LHCALL_SET_PTE', directory, vaddr, low, high);
const switchTo = (directory: number): Step => hypercall('LHCALL_NEW_PGTABLE', directory);
const flush = (what: 'user' | 'all'): Step => hypercall('LHCALL_FLUSH_TLB', what === 'all' ? 1 : 0);
const list = (guest: TestGuest): string[] => guest.switcher.shadowMap.list();

/** Whether the Guest got this fault itself. */
function reflects(guest: TestGuest, address: number, code: number): boolean {
  const before = guest.device.counters?.pageFaultsReflected ?? 0;
  inRing(1, KERNEL + 0x8000, KERNEL)(guest.switcher);
  guest.run(pageFault(address, code));
  return guest.device.counters?.pageFaultsReflected === before + 1;
}

t.test('before the first page table everything is where it is (43)', async (t) => {
  const guest = new TestGuest().begin();
  guest.run(pageFault(0x5123, READ), pageFault(RAM - 1, WRITE));
  t.same(list(guest), ['5→5 rw kernel', 'ff→ff rw kernel']);
  t.equal(guest.run(pageFault(RAM, WRITE)), 12, 'a device');
  t.equal(guest.killedBy(pageFault(DEVICE_LIMIT * PAGE, READ)), 'bad page table entry');
});

t.test('before the first page table ring 3 has no memory at all (43)', async (t) => {
  const guest = new TestGuest().begin();
  guest.run(guest.gate(14, 0x2000));
  inRing(1, 0x5000, 0x1000)(guest.switcher);
  guest.run(pageFault(0x3000, READ | AS_USER));
  t.equal(guest.stack(1)[0], 5);
  t.same(list(guest), []);
});

t.test('the first page table ends it: what was mapped is forgotten', async (t) => {
  const guest = new TestGuest().begin();
  guest.run(pageFault(0x5000, WRITE));
  guest.run(switchTo(guest.newDirectory()));
  t.same(list(guest), []);
});

for (const pae of [false, true]) {
  const kind = pae ? 'with PAE' : 'without PAE';

  /** A Guest with a page table, and a handler for page faults. */
  const ready = (): { guest: TestGuest; directory: number } => {
    const guest = new TestGuest({ pae });
    const directory = guest.beginPaging();
    guest.run(guest.gate(14, HANDLER));
    guest.switcher.setReg('eip', KERNEL);
    return { guest, directory };
  };

  t.test(`a read sets ACCESSED and maps read-only; the write that follows sets DIRTY (44), ${kind}`, async (t) => {
    const { guest, directory } = ready();
    guest.map(directory, 0x8048000, 0x9000 | ALL);
    guest.run(pageFault(0x8048123, READ | AS_USER));
    t.equal(guest.pte(directory, 0x8048000), 0x9000 | ALL | ACCESSED);
    t.same(list(guest), ['8048→9 ro user']);
    guest.switcher.memory.written.clear();
    guest.run(pageFault(0x8048123, WRITE | AS_USER));
    t.equal(guest.pte(directory, 0x8048000), 0x9000 | ALL | ACCESSED | DIRTY);
    t.same(list(guest), ['8048→9 rw user']);
    t.same([...guest.switcher.memory.written], [guest.pteAddress(directory, 0x8048000) >>> 12]);
  });

  t.test(`with a page come those beside it that were used before, as a TLB may have them, ${kind}`, async (t) => {
    const { guest, directory } = ready();
    const first = 0x8040000;
    guest.map(directory, first, 0x9000 | ALL);
    guest.map(directory, first + PAGE, 0xa000 | ALL);
    guest.map(directory, first + 2 * PAGE, 0xb000 | ALL | ACCESSED);
    guest.map(directory, first + 3 * PAGE, 0xc000 | ALL | ACCESSED | DIRTY);
    guest.map(directory, first + 4 * PAGE, 0xd000 | P | USER | ACCESSED | DIRTY);
    guest.map(directory, first + 5 * PAGE, 0xe000 | P | RW | ACCESSED);
    guest.map(directory, first + 6 * PAGE, 0xf000 | ALL | ACCESSED | 0x80);
    guest.map(directory, first + 7 * PAGE, (RAM_PAGES * PAGE) | ALL | ACCESSED);
    guest.map(directory, first + 8 * PAGE, 0x10000 | RW | USER | ACCESSED);
    guest.map(directory, first + 16 * PAGE, 0x11000 | ALL | ACCESSED);
    guest.map(directory, first - PAGE, 0x12000 | ALL | ACCESSED);
    guest.run(pageFault(first, READ | AS_USER));
    const expected = ['8040→9 ro user', '8042→b ro user', '8043→c rw user', '8044→d ro user', '8045→e ro kernel'];
    t.same(list(guest), expected);
    t.equal(guest.pte(directory, first + PAGE), 0xa000 | ALL, 'whose PTE is left alone');
    t.equal(guest.device.read(new Uint8Array(12)), -EINTR, 'what is bad among them is no crime before it is touched');
  });

  t.test(`a page that is dirty already is mapped writable by a read, ${kind}`, async (t) => {
    const { guest, directory } = ready();
    guest.map(directory, 0x8048000, 0x9000 | ALL | DIRTY);
    guest.run(pageFault(0x8048123, READ));
    t.same(list(guest), ['8048→9 rw user']);
  });

  t.test(`a PTE that leads nowhere kills: PAT, or a page beyond all devices (45, H3), ${kind}`, async (t) => {
    for (const pte of [0x9000 | ALL | 0x80, (DEVICE_LIMIT * PAGE) | ALL, 0xfffff000 | ALL, RAM | 0x80 | ALL]) {
      const { guest, directory } = ready();
      guest.map(directory, 0x8048000, pte);
      t.equal(guest.killedBy(pageFault(0x8048000, READ)), 'bad page table entry');
    }
  });

  t.test(
    `a PTE that leads to a device goes to the Launcher, if the page allows the access (45), ${kind}`,
    async (t) => {
      const { guest, directory } = ready();
      guest.map(directory, 0x8048000, RAM | P);
      guest.map(directory, 0x8049000, ((DEVICE_LIMIT - 1) * PAGE) | P | RW);
      t.equal(guest.run(pageFault(0x8048000, READ)), 12);
      t.equal(guest.run(pageFault(0x8049000, WRITE)), 12);
      t.ok(reflects(guest, 0x8048000, WRITE));
      t.ok(reflects(guest, 0x8048000, READ | AS_USER));
      t.equal(guest.pte(directory, 0x8048000), RAM | P, 'nothing is written back');
      t.same(list(guest), []);
    },
  );

  t.test(`a directory entry with PSE, GLOBAL or a page beyond RAM kills (46, H3), ${kind}`, async (t) => {
    const name = pae ? 'middle directory' : 'directory';
    for (const bad of [0x80, 0x100, 0x10, 0x08, 0x200, RAM]) {
      const { guest, directory } = ready();
      guest.map(directory, 0x8048000, 0x9000 | ALL);
      const at = guest.pmdAddress(directory, 0x8048000);
      guest.poke(at, bad === RAM ? RAM | P : guest.peek(at) | bad);
      t.equal(guest.killedBy(pageFault(0x8048000, READ)), `bad page ${name} entry`, `bit ${bad.toString(16)}`);
    }
  });

  t.test(`a page table beyond RAM kills when it is used, ${kind}`, async (t) => {
    for (const cr3 of [RAM, RAM - 4, 0xfffff000, 0xfffffffc]) {
      const { guest } = ready();
      t.equal(guest.run(switchTo(cr3)), -EINTR);
      const text = guest.killedBy(pageFault(KERNEL, READ));
      t.match(text, /^bad read address 0x[0-9a-f]+ len 4$|^unhandled trap|^Bad address|^bad page/);
    }
  });

  t.test(`LHCALL_SET_PTE for the kernel changes every page table's view (47), ${kind}`, async (t) => {
    const { guest, directory } = ready();
    const other = guest.newDirectory();
    guest.run(pageFault(KERNEL + 5 * PAGE, WRITE));
    guest.run(setPte(other, KERNEL + 5 * PAGE, 0x7000 | P | RW | ACCESSED | DIRTY));
    t.same(list(guest), ['c0005→7 rw kernel'], 'even by a page table that has no shadow');
    guest.run(switchTo(other));
    t.same(list(guest), ['c0005→7 rw kernel']);
    guest.run(setPte(directory, KERNEL + 5 * PAGE, 0));
    t.same(list(guest), []);
  });

  t.test(`LHCALL_SET_PTE for a program changes only the page table it names (47), ${kind}`, async (t) => {
    const { guest, directory } = ready();
    const other = guest.newDirectory();
    for (const each of [directory, other]) {
      guest.map(each, 0x8048000, 0x9000 | ALL | DIRTY);
      guest.run(switchTo(each), pageFault(0x8048000, READ));
    }
    guest.run(setPte(directory, 0x8048000, 0xa000 | P | USER | ACCESSED));
    t.same(list(guest), ['8048→9 rw user']);
    guest.run(setPte(0x12345000, 0x8048000, 0));
    t.same(list(guest), ['8048→9 rw user'], 'a page table without a shadow is nobody’s business');
    guest.run(switchTo(directory));
    t.same(list(guest), ['8048→a ro user']);
  });

  t.test(`LHCALL_SET_PTE kills a Guest that would map over the Switcher (47, H4), ${kind}`, async (t) => {
    for (const address of [0xfffe1000, 0xfffff000]) {
      const { guest, directory } = ready();
      const text = guest.killedBy(setPte(directory, address, 0x9000 | P | RW));
      t.equal(text, 'attempt to set pte into Switcher pages');
    }
    const { guest, directory } = ready();
    t.equal(guest.run(setPte(directory, 0xfffe0000, 0x9000 | P | RW)), -EINTR);
  });

  t.test(`LHCALL_SET_PTE with 0 unmaps, and the Guest's table is asked again (48), ${kind}`, async (t) => {
    const { guest, directory } = ready();
    guest.map(directory, 0x8048000, 0x9000 | ALL | DIRTY);
    guest.run(pageFault(0x8048000, READ));
    guest.map(directory, 0x8048000, 0xb000 | ALL);
    guest.run(setPte(directory, 0x8048000, 0));
    t.same(list(guest), []);
    t.equal(guest.pte(directory, 0x8048000), 0xb000 | ALL, 'it is not written');
    guest.run(pageFault(0x8048000, READ));
    t.same(list(guest), ['8048→b ro user']);
  });

  t.test(`LHCALL_SET_PTE maps at once what has been used, writable only if dirty, ${kind}`, async (t) => {
    const { guest, directory } = ready();
    guest.map(directory, 0x8048000, 0x9000 | ALL);
    guest.run(pageFault(0x8048000, READ));
    guest.run(setPte(directory, 0x8049000, 0xa000 | ALL | ACCESSED));
    guest.run(setPte(directory, 0x804a000, 0xb000 | ALL | DIRTY));
    guest.run(setPte(directory, 0x804b000, 0xc000 | ALL));
    guest.run(setPte(directory, 0x804c000, RAM | ALL | DIRTY));
    guest.run(setPte(directory, 0x804d000, 0xd000 | P | DIRTY));
    t.same(list(guest), ['8048→9 ro user', '8049→a ro user', '804a→b rw user', '804d→d ro kernel']);
    guest.run(setPte(directory, 0x9048000, 0x9000 | ALL | DIRTY));
    t.equal(list(guest).length, 4, 'but not where the levels above are not known');
  });

  t.test(
    `LHCALL_SET_PTE kills for a used page that is not RAM; what is not present may be anything, ${kind}`,
    async (t) => {
      for (const pte of [
        (DEVICE_LIMIT * PAGE) | ALL | ACCESSED,
        0x9000 | 0x80 | ALL | DIRTY,
        RAM | 0x80 | ALL | DIRTY,
      ]) {
        const { guest, directory } = ready();
        guest.map(directory, 0x8048000, 0x9000 | ALL);
        guest.run(pageFault(0x8048000, READ));
        t.equal(guest.killedBy(setPte(directory, 0x8049000, pte)), 'bad page table entry');
      }
      const { guest, directory } = ready();
      guest.map(directory, 0x8048000, 0x9000 | ALL);
      guest.run(pageFault(0x8048000, READ));
      t.equal(guest.run(setPte(directory, 0x8048000, 0xfffffff0 & ~P)), -EINTR, 'a swap entry');
      t.same(list(guest), []);
    },
  );

  t.test(`ring 1 does not write to read-only pages, nor a program to the kernel's (49), ${kind}`, async (t) => {
    const { guest, directory } = ready();
    guest.map(directory, KERNEL + 3 * PAGE, 0x3000 | P);
    guest.map(directory, 0x8048000, 0x9000 | P | USER);
    t.ok(reflects(guest, KERNEL + 3 * PAGE, WRITE));
    t.ok(reflects(guest, 0x8048000, WRITE));
    t.ok(reflects(guest, KERNEL, READ | AS_USER));
    t.notOk(reflects(guest, 0x8048000, READ | AS_USER));
    t.notOk(reflects(guest, 0x8048000, READ));
    t.same(list(guest), ['8048→9 ro user']);
  });

  t.test(`what a directory entry forbids is forbidden, ${kind}`, async (t) => {
    const { guest, directory } = ready();
    guest.map(directory, 0x8048000, 0x9000 | ALL | DIRTY);
    const at = guest.pmdAddress(directory, 0x8048000);
    const table = guest.peek(at) & ~0xfff;
    guest.poke(at, table | P | RW);
    t.ok(reflects(guest, 0x8048000, READ | AS_USER));
    guest.poke(at, table | P | USER);
    t.ok(reflects(guest, 0x8048000, WRITE));
    guest.run(pageFault(0x8048000, READ | AS_USER));
    t.same(list(guest), ['8048→9 ro user']);
    guest.run(setPte(directory, 0x8048000, 0x9000 | ALL | DIRTY));
    t.same(list(guest), ['8048→9 ro user'], 'by LHCALL_SET_PTE too');
  });

  t.test(`LHCALL_FLUSH_TLB with 0 spares the kernel and other page tables, with 1 nothing (50), ${kind}`, async (t) => {
    const { guest, directory } = ready();
    const other = guest.newDirectory();
    for (const each of [directory, other]) {
      guest.map(each, 0xbffff000, 0x9000 | ALL | DIRTY);
      guest.run(switchTo(each), pageFault(0xbffff000, READ));
    }
    guest.run(pageFault(KERNEL, READ));
    guest.run(flush('user'));
    t.same(list(guest), ['c0000→0 ro kernel']);
    guest.run(switchTo(directory));
    t.same(list(guest), ['bffff→9 rw user', 'c0000→0 ro kernel']);
    guest.run(switchTo(other), flush('all'));
    t.same(list(guest), []);
    guest.run(switchTo(directory));
    t.same(list(guest), []);
  });

  t.test(`a flush of everything maps the kernel's stack again, ${kind}`, async (t) => {
    const { guest, directory } = ready();
    const stack = hypercall('LHCALL_SET_STACK', 0x69, KERNEL + 0x9000, 2);
    guest.run(stack, flush('all'));
    t.same(list(guest), ['c0007→7 rw kernel', 'c0008→8 rw kernel']);
    guest.map(directory, KERNEL + 0x7000, 0);
    t.equal(guest.killedBy(flush('all')), 'bad stack page 0xc0007fff');
  });

  t.test(`going back to a page table finds what was mapped there, ${kind}`, async (t) => {
    const { guest, directory } = ready();
    const other = guest.newDirectory();
    guest.map(directory, 0x8048000, 0x9000 | ALL | DIRTY);
    guest.map(directory, 0x8049000, 0xa000 | ALL);
    guest.map(other, 0x8048000, 0xb000 | ALL);
    guest.run(pageFault(0x8048000, READ), pageFault(0x8049000, READ), pageFault(KERNEL, READ));
    guest.run(switchTo(other), pageFault(0x8048000, READ));
    t.same(list(guest), ['8048→b ro user', 'c0000→0 ro kernel']);
    guest.run(switchTo(directory));
    t.same(list(guest), ['8048→9 rw user', '8049→a ro user', 'c0000→0 ro kernel']);
    t.match(guest.device.counters, { directorySwitches: 1, directoryMisses: 2 });
    const changes = guest.switcher.shadowMap.changes;
    guest.run(switchTo(directory));
    t.equal(guest.switcher.shadowMap.changes, changes, 'to the same one costs nothing');
  });

  t.test(`the page table that was used longest ago makes room for a fifth, ${kind}`, async (t) => {
    const { guest, directory } = ready();
    const directories = [directory, ...Array.from({ length: 4 }, () => guest.newDirectory())];
    for (const [n, each] of directories.entries()) guest.map(each, 0x8048000, ((0x10 + n) * PAGE) | ALL);
    for (const each of directories.slice(0, 4)) guest.run(switchTo(each), pageFault(0x8048000, READ));
    guest.run(switchTo(directory), switchTo(directories[4] ?? 0));
    t.same(list(guest), [], 'the fifth begins with nothing');
    const has = (n: number): boolean => {
      guest.run(switchTo(directories[n] ?? 0));
      return list(guest).length > 0;
    };
    t.same([has(0), has(2), has(3)], [true, true, true]);
    t.notOk(has(1));
  });

  t.test(`LHCALL_SET_PGD forgets what lay below the entry, in the page table it names, ${kind}`, async (t) => {
    const { guest, directory } = ready();
    const index = pae ? 0 : 0x8048000 >>> 22;
    guest.map(directory, 0x8048000, 0x9000 | ALL);
    guest.map(directory, 0x8400000, 0xa000 | ALL);
    guest.map(directory, 0x40000000, 0xb000 | ALL);
    for (const address of [0x8048000, 0x8400000, 0x40000000, KERNEL]) guest.run(pageFault(address, READ));
    guest.run(hypercall('LHCALL_SET_PGD', 0x5000, index));
    t.equal(list(guest).length, 4, 'nobody’s');
    guest.run(hypercall('LHCALL_SET_PGD', directory, index));
    const rest = ['40000→b ro user', 'c0000→0 ro kernel'];
    t.same(list(guest), pae ? rest : ['8400→a ro user', ...rest]);
    guest.run(hypercall('LHCALL_SET_PGD', directory, pae ? 3 : KERNEL >>> 22));
    t.notOk(list(guest).includes('c0000→0 ro kernel'));
  });

  t.test(`LHCALL_SET_PGD has as many entries as there are, ${kind}`, async (t) => {
    const entries = pae ? 4 : 1024;
    for (const index of [entries, entries + 1, 0x7fffffff, 0xffffffff]) {
      const { guest, directory } = ready();
      const text = guest.killedBy(hypercall('LHCALL_SET_PGD', directory, index));
      t.equal(text, `Attempt to set pgd ${index}/${entries}`);
    }
    const { guest, directory } = ready();
    t.equal(guest.run(hypercall('LHCALL_SET_PGD', directory, entries - 1)), -EINTR);
  });

  t.test(`a page table that maps itself can be read through, ${kind}`, async (t) => {
    const { guest, directory } = ready();
    guest.poke(guest.topAddress(directory, 0x80000000), directory | (pae ? P : 0x67));
    const table = guest.pteAddress(directory, KERNEL) >>> 12;
    const vpn = 0x80000 + (pae ? (KERNEL >>> 30) << 9 : KERNEL >>> 22);
    guest.run(pageFault(vpn * PAGE, READ));
    t.same(list(guest), [`${vpn.toString(16)}→${table.toString(16)} ${pae ? 'ro kernel' : 'rw user'}`]);
  });

  t.test(`one page under several names has the rights of each, ${kind}`, async (t) => {
    const { guest, directory } = ready();
    guest.map(directory, 0x8048000, 0x9000 | ALL | DIRTY);
    guest.map(directory, 0x8049000, 0x9000 | P | USER);
    guest.map(directory, 0x804a000, 0x9000 | P | RW | DIRTY);
    for (const address of [0x8048000, 0x8049000, 0x804a000]) guest.run(pageFault(address, READ));
    t.same(list(guest), ['8048→9 rw user', '8049→9 ro user', '804a→9 rw kernel']);
  });

  t.test(`a page table that lies in device memory, or in itself, is the Guest's own trouble, ${kind}`, async (t) => {
    const { guest, directory } = ready();
    const inside = guest.newDirectory();
    const own = pae ? guest.pmdAddress(inside, KERNEL) : guest.pteAddress(inside, KERNEL);
    guest.map(inside, KERNEL + (own & ~0xfff), (own & ~0xfff) | P | RW);
    guest.run(switchTo(inside), pageFault(KERNEL + own, WRITE));
    t.equal(guest.run(), -EINTR, 'ACCESSED and DIRTY go into the very page that is mapped');
    guest.poke(guest.pmdAddress(directory, 0x8048000), RAM | (pae ? P : 0x67));
    t.match(guest.killedBy(switchTo(directory), pageFault(0x8048000, READ)), /^bad page (middle )?directory entry$/);
  });

  t.test(`many mappings are kept and taken back one by one, ${kind}`, async (t) => {
    const { guest, directory } = ready();
    const pages = Array.from({ length: 3000 }, (_, n) => 0x10000000 + n * 5 * PAGE);
    for (const [n, address] of pages.entries()) guest.map(directory, address, ((n % RAM_PAGES) * PAGE) | ALL | DIRTY);
    guest.run(...pages.map((address) => pageFault(address, READ)));
    t.equal(list(guest).length, pages.length);
    guest.run(...pages.filter((_, n) => n % 3 !== 0).map((address) => setPte(directory, address, 0)));
    const left = pages.flatMap((address, n) =>
      n % 3 === 0 ? [`${(address >>> 12).toString(16)}→${(n % RAM_PAGES).toString(16)} rw user`] : [],
    );
    t.same(list(guest), left);
    guest.run(switchTo(guest.newDirectory()));
    t.same(list(guest), []);
    guest.run(switchTo(directory));
    t.same(list(guest), left);
  });
}

t.test('a page table with PAE is told from one without by its first entries', async (t) => {
  const modes: [string, number[], RegExp][] = [
    ['PAE: four entries that have nothing but P', [0x80001, 0, 0x81001, 0, 0, 0, 0x82001, 0], /^pae$/],
    ['PAE: the kernel alone', [0, 0, 0, 0, 0, 0, 0x82001, 0], /^pae$/],
    ['not: entries one after the other', [0x80063, 0x81063, 0x82063], /^two-level$/],
    ['not: one entry, but for writing', [0x80067], /^two-level$/],
    ['not: nothing at the bottom', [], /^two-level$/],
    ['not: what would be a page number is another entry', [0x80001, 0x81001], /^two-level$/],
  ];
  for (const [what, words, mode] of modes) {
    let said = '';
    const guest = new TestGuest({
      log: { debug: (line) => (said += line), info: () => undefined, warn: () => undefined },
    }).begin();
    for (const [n, word] of words.entries()) guest.poke(0x7000 + 4 * n, word);
    guest.run(switchTo(0x7000));
    t.match(/page tables: (\S*)$/.exec(said)?.[1] ?? '', mode, what);
  }
});

t.test('with PAE a top level entry may have no flag but P (46)', async (t) => {
  for (const flag of [RW, USER, ACCESSED, 0x80, 0x8]) {
    const guest = new TestGuest({ pae: true });
    const directory = guest.beginPaging();
    guest.map(directory, 0x8048000, 0x9000 | ALL);
    guest.poke(directory, guest.peek(directory) | flag);
    t.equal(guest.killedBy(pageFault(0x8048000, READ)), 'bad page directory entry', `flag ${flag}`);
  }
});

t.test('with PAE a page number has more than 32 bits, and all of them count', async (t) => {
  const bad: [string, (guest: TestGuest, directory: number) => number][] = [
    ['directory', (_, directory) => directory + 4],
    ['middle directory', (guest, directory) => guest.pmdAddress(directory, 0x8048000) + 4],
    ['table', (guest, directory) => guest.pteAddress(directory, 0x8048000) + 4],
  ];
  for (const [level, where] of bad) {
    for (const high of [1, 0x40000000]) {
      const guest = new TestGuest({ pae: true });
      const directory = guest.beginPaging();
      guest.map(directory, 0x8048000, 0x9000 | ALL);
      guest.poke(where(guest, directory), high);
      t.equal(guest.killedBy(pageFault(0x8048000, READ)), `bad page ${level} entry`);
    }
  }
  const guest = new TestGuest({ pae: true });
  const directory = guest.beginPaging();
  guest.map(directory, 0x8048000, 0x9000 | ALL, 0x80000000);
  guest.run(pageFault(0x8048000, READ));
  t.same(list(guest), ['8048→9 ro user'], 'NX is no part of it');
  t.equal(guest.killedBy(setPte(directory, 0x8048000, 0x9000 | ALL | DIRTY, 1)), 'bad page table entry');
});

t.test('LHCALL_SET_PMD forgets what lay below the entry, in every page table that uses the page', async (t) => {
  const guest = new TestGuest({ pae: true });
  const directory = guest.beginPaging();
  const other = guest.newDirectory();
  for (const each of [directory, other]) {
    guest.map(each, 0x8048000, 0x9000 | ALL);
    guest.map(each, 0x8200000, 0xa000 | ALL);
    guest.run(switchTo(each), pageFault(0x8048000, READ), pageFault(0x8200000, READ), pageFault(KERNEL, READ));
  }
  const page = guest.pmdAddress(other, 0x8048000) & ~0xfff;
  guest.run(hypercall('LHCALL_SET_PMD', page, 0x8048000 >>> 21));
  t.same(list(guest), ['8200→a ro user', 'c0000→0 ro kernel']);
  guest.run(switchTo(directory));
  t.same(list(guest), ['8048→9 ro user', '8200→a ro user', 'c0000→0 ro kernel']);
  guest.run(hypercall('LHCALL_SET_PMD', guest.pmdAddress(other, KERNEL) & ~0xfff, 0));
  t.same(list(guest), ['8048→9 ro user', '8200→a ro user']);
  guest.run(hypercall('LHCALL_SET_PMD', page, 512));
  t.same(list(guest), [], 'an entry that is none forgets everything');
});

t.test('with PAE a top level entry that has changed takes with it what lay below', async (t) => {
  const guest = new TestGuest({ pae: true });
  const directory = guest.beginPaging();
  guest.map(directory, 0x8048000, 0x9000 | ALL);
  guest.run(pageFault(0x8048000, READ));
  guest.poke(directory, 0);
  guest.map(directory, 0x8049000, 0xa000 | ALL);
  guest.run(pageFault(0x8049000, READ));
  t.same(list(guest), ['8049→a ro user']);
});

t.test('the pages of the Switcher are never mapped', async (t) => {
  const guest = new TestGuest();
  const directory = guest.beginPaging();
  guest.run(guest.gate(14, HANDLER));
  guest.map(directory, 0xfffe1000, 0x9000 | ALL);
  guest.map(directory, 0xfffe0000, 0x9000 | ALL);
  t.ok(reflects(guest, 0xfffe1000, READ));
  t.notOk(reflects(guest, 0xfffe0fff, READ));
  const early = new TestGuest().begin();
  t.match(early.killedBy(pageFault(0xfffff000, READ)), /^unhandled trap 14 at /);
});

t.test('a kernel that begins inside a page table’s reach keeps its part apart', async (t) => {
  const guest = new TestGuest({ kernelAddress: KERNEL + 0x10000 });
  guest.beginPaging();
  guest.run(pageFault(KERNEL + 0xf000, READ), pageFault(KERNEL + 0x10000, READ));
  guest.run(flush('user'));
  t.same(list(guest), ['c0010→10 ro kernel']);
});

t.test('a thousand switches between page tables leave every mapping right', async (t) => {
  const guest = new TestGuest();
  const first = guest.beginPaging();
  const directories = [first, ...Array.from({ length: 5 }, () => guest.newDirectory())];
  for (const [n, each] of directories.entries()) {
    for (let page = 0; page < 20; page++) {
      if ((page * 7 + n) % 3 === 0) guest.map(each, 0x8048000 + page * PAGE, ((n * 20 + page) * PAGE) | ALL | DIRTY);
    }
  }
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 16) % below;
  };
  for (let round = 0; round < 1000; round++) {
    const n = random(directories.length);
    const page = random(20);
    const address = 0x8048000 + page * PAGE;
    const step = (page * 7 + n) % 3 === 0 ? pageFault(address, READ) : both(trap(32));
    guest.run(switchTo(directories[n] ?? 0), step);
    for (const entry of list(guest)) {
      const [vpn = '', pfn = ''] = entry.split(/→| /);
      const expected = n * 20 + parseInt(vpn, 16) - 0x8048;
      if (parseInt(pfn, 16) !== expected) t.fail(`round ${round}: ${entry} in page table ${n}`);
    }
  }
  t.ok((guest.device.counters?.directorySwitches ?? 0) > 100);
});

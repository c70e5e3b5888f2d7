// A Guest that tells the Host of each change to its page tables must never see a mapping that its tables do not have.
// Thousands of random changes, each followed by the hypercall that Linux would make; after each, all that the CPU could
// use is compared with what a walk of the Guest's tables gives.
import t from 'tap';
import type { Step } from '../support/fake-switcher.js';
import { ACCESSED, DIRTY, hypercall, KERNEL, P, PAGE, pageFault, RAM_PAGES, RW } from '../support/test-guest.js';
import { inRing, TestGuest, USER } from '../support/test-guest.js';

const DIRECTORIES = 6;
/** Two regions, so that a table can be dropped and another one stay. */
const REGIONS = [0x8000000, 0x40000000];
const PAGES_PER_REGION = 6;
const HANDLER = KERNEL + 0x2000;

class RandomGuest {
  readonly guest: TestGuest;
  readonly #directories: number[];
  #current: number;
  #seed: number;

  constructor(pae: boolean, seed: number) {
    this.guest = new TestGuest({ pae });
    this.#seed = seed;
    const first = this.guest.beginPaging();
    this.guest.run(this.guest.gate(14, HANDLER));
    this.#directories = [first, ...Array.from({ length: DIRECTORIES - 1 }, () => this.guest.newDirectory())];
    for (const directory of this.#directories) for (const region of REGIONS) this.guest.pteAddress(directory, region);
    this.#current = first;
  }

  #random(below: number): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#seed / 2 ** 32) * below);
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[this.#random(from.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  #pte(): number {
    if (this.#random(4) === 0) return this.#random(2 ** 32) & ~P;
    const flags = [RW, USER, ACCESSED, DIRTY].reduce((all, flag) => all | (this.#random(3) > 0 ? flag : 0), P);
    return (this.#random(RAM_PAGES) * PAGE) | flags;
  }

  /** The current directory more often than others: that is where programs change things. */
  #directory(): number {
    return this.#random(2) === 0 ? this.#current : this.#pick(this.#directories);
  }

  #changePte(): Step {
    const directory = this.#directory();
    const inKernel = this.#random(4) === 0;
    const address = (inKernel ? KERNEL + 0x80000 : this.#pick(REGIONS)) + this.#random(PAGES_PER_REGION) * PAGE;
    const pte = this.#pte();
    this.guest.poke(this.guest.pteAddress(directory, address), pte);
    return hypercall('LHCALL_SET_PTE', directory, address, pte, 0);
  }

  /** Takes a lower table away, or gives it back with other rights: what is above the PTEs changes. */
  #changeTable(): Step {
    const { guest } = this;
    const directory = this.#directory();
    const address = this.#pick(REGIONS);
    const at = guest.pmdAddress(directory, address);
    guest.poke(at, (guest.peek(at) & ~(RW | USER)) | this.#pick([0, RW, USER, RW | USER]));
    return guest.pae
      ? hypercall('LHCALL_SET_PMD', at & ~(PAGE - 1), (address >>> 21) & 511)
      : hypercall('LHCALL_SET_PGD', directory, address >>> 22);
  }

  #flush(): Step {
    for (let n = 0; n < 3; n++) {
      const address = this.#pick(REGIONS) + this.#random(PAGES_PER_REGION) * PAGE;
      this.guest.poke(this.guest.pteAddress(this.#current, address), this.#pte());
    }
    return hypercall('LHCALL_FLUSH_TLB', this.#random(2));
  }

  #switch(): Step {
    this.#current = this.#pick(this.#directories);
    return hypercall('LHCALL_NEW_PGTABLE', this.#current);
  }

  #fault(): Step {
    const inKernel = this.#random(4) === 0;
    const address = (inKernel ? KERNEL + 0x80000 : this.#pick(REGIONS)) + this.#random(PAGES_PER_REGION) * PAGE;
    return pageFault(address + this.#random(PAGE), this.#random(2) * 2 + this.#random(2) * 4);
  }

  step(): void {
    const kind = this.#random(20);
    inRing(1, KERNEL + 0x8000, KERNEL)(this.guest.switcher);
    if (kind < 11) this.guest.run(this.#fault());
    else if (kind < 16) this.guest.run(this.#changePte());
    else if (kind < 18) this.guest.run(this.#switch());
    else if (kind < 19) this.guest.run(this.#changeTable());
    else this.guest.run(this.#flush());
  }

  /** The first mapping of the CPU's that the Guest's tables do not have. */
  wrongMapping(): string | undefined {
    const { guest } = this;
    for (const [vpn, { pfn, writable, user }] of guest.switcher.shadowMap.entries) {
      const address = vpn * PAGE;
      const pte = guest.pte(this.#current, address);
      const rights = pte & guest.peek(guest.pmdAddress(this.#current, address));
      const mapped = (pte & P) !== 0 && pte >>> 12 === pfn && (pte & ACCESSED || pte & DIRTY);
      const allowed = (!writable || (rights & RW && pte & DIRTY)) && (!user || rights & USER);
      if (!mapped || !allowed) return `page ${vpn.toString(16)}, PTE ${pte.toString(16)}`;
    }
    return undefined;
  }
}

for (const pae of [false, true]) {
  t.test(`no mapping outlives what the Guest has said, ${pae ? 'with PAE' : 'without PAE'}`, async (t) => {
    for (let seed = 1; seed <= 4; seed++) {
      const random = new RandomGuest(pae, seed);
      random.guest.switcher.asksAtTheDoor = seed % 2 === 0;
      let mapped = 0;
      for (let step = 0; step < 4000; step++) {
        random.step();
        mapped += random.guest.switcher.shadowMap.entries.size;
        const wrong = random.wrongMapping();
        if (wrong === undefined) continue;
        t.fail(`seed ${seed}, step ${step}: ${wrong}`);
        break;
      }
      t.ok(mapped > 8000, `${mapped} mappings were looked at`);
      t.equal(random.guest.device.read(new Uint8Array(12)), -4, 'the Guest lives');
    }
  });
}

// What the Host remembers about one CPU's paging: which kind of page tables the Guest has, and their shadows.
import type { GuestPhysical } from '../guest-abi/addresses.js';
import { guestPhysical } from '../guest-abi/addresses.js';
import type { ShadowMap } from '../switcher/cpu/shadow-map.js';
import { ShadowDirectory } from './shadow-directory.js';

/** How many page tables have a shadow at a time. */
export const SHADOW_DIRECTORIES = 4;

/** `linear` until the Guest's first LHCALL_NEW_PGTABLE: virtual is physical. */
export type PagingMode = 'linear' | 'two-level' | 'pae';

/** One walk of the Guest's page tables: all that there is to say about a virtual page. Reused, never allocated. */
export class GuestWalk {
  /** Where the PTE is. */
  pteAddress: GuestPhysical = guestPhysical(0);
  /** Its low word. */
  pte = 0;
  /** Its page number. With PAE it may be any number below 2^51. */
  pfn = 0;
  /** RW and USER as the levels above the PTE grant them. */
  upperFlags = 0;
  /** PAE: the top level entry. */
  topEntry = 0;
}

export class PageTables {
  mode: PagingMode = 'linear';
  /** The page table that the CPU would have in cr3. */
  cr3: GuestPhysical = guestPhysical(0);
  /** The first virtual page of the Guest's kernel, from which on all page tables are the same. 0 before INIT. */
  kernelVpn = 0;
  /** The part from `kernelVpn` up, of every page table. */
  readonly kernel: ShadowDirectory;
  /** The parts below, of the page tables used last. */
  readonly directories: ShadowDirectory[];
  /** The one of `directories` that the CPU uses. */
  current: ShadowDirectory;
  switches = 0;
  /** Where demandPage found a device, when it says so. */
  mmioAddress: GuestPhysical = guestPhysical(0);
  readonly walk = new GuestWalk();

  readonly #map: ShadowMap;

  constructor(map: ShadowMap) {
    this.#map = map;
    map.clearAll();
    this.kernel = new ShadowDirectory(map);
    this.kernel.install(undefined);
    this.current = new ShadowDirectory(map);
    this.current.install(undefined);
    this.directories = [this.current];
  }

  /** The directory that holds virtual page `vpn`, as the CPU sees it now. */
  directoryOf(vpn: number): ShadowDirectory {
    return vpn >= this.kernelVpn ? this.kernel : this.current;
  }

  /** The shadow of the page table at `gpgdir`, if it has one; of `undefined`, one that is nobody's. */
  find(gpgdir: GuestPhysical | undefined): ShadowDirectory | undefined {
    for (const directory of this.directories) if (directory.gpgdir === gpgdir) return directory;
    return undefined;
  }

  /** A directory for one more page table: nobody's, or a new one, or the one that was used longest ago. */
  directoryToReuse(): ShadowDirectory {
    const first = this.find(undefined);
    if (first !== undefined) return first;
    if (this.directories.length < SHADOW_DIRECTORIES) {
      const added = new ShadowDirectory(this.#map);
      added.setPae(this.mode === 'pae');
      this.directories.push(added);
      return added;
    }
    return this.directories.reduce((oldest, each) => (each.lastUsed < oldest.lastUsed ? each : oldest));
  }
}

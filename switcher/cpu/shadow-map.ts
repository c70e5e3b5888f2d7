// The shadow page table as the CPU indexes it: four flat maps over the 2^20 virtual pages.
//
// (the interface that the Host fills; the implementation is in this file too)
export interface ShadowMap {
  /** Makes virtual page `vpn` lead to guest-physical page `pfn`. An old entry for `vpn` is replaced. */
  set(vpn: number, pfn: number, writable: boolean, user: boolean): void;
  /** Forgets virtual page `vpn`. Harmless when there is no entry. */
  clear(vpn: number): void;
  /** Forgets everything. Costs as much as there are entries. */
  clearAll(): void;
  /** True when the CPU can write to `vpn` as ring 1 (what stack pinning asks). */
  isWritable(vpn: number): boolean;
}

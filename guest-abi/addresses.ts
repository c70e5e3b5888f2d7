// The two kinds of Guest address, kept apart by the compiler. Mixing them up is the classic mistake of a hypervisor: a
// guest-virtual address means nothing without page tables, and a guest-physical one nothing to the Guest's programs.

declare const kind: unique symbol;

/** An address in the Guest's RAM or in a device window: 0 … 2^32−1. */
export type GuestPhysical = number & { readonly [kind]: 'guest-physical' };

/** A linear address as the Guest's CPU forms it, before paging: 0 … 2^32−1. */
export type GuestVirtual = number & { readonly [kind]: 'guest-virtual' };

/** The unsigned word as a guest-physical address. Says what it is, checks nothing: see host/guest-memory. */
export const guestPhysical = (word: number): GuestPhysical => (word >>> 0) as GuestPhysical;

/** The unsigned word as a guest-virtual address. */
export const guestVirtual = (word: number): GuestVirtual => (word >>> 0) as GuestVirtual;

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 1 << PAGE_SHIFT;
export const PAGE_OFFSET_MASK = PAGE_SIZE - 1;
/** How many virtual pages there are. */
export const PAGE_COUNT = 2 ** (32 - PAGE_SHIFT);

/** Where the Guest must not go: the highest pages, which the original gives to the Switcher. */
export const SWITCHER_ADDRESS = 0xfffe1000;

/** The number of the page that holds `address`. */
export const pageNumber = (address: number): number => address >>> PAGE_SHIFT;

/** Where in its page `address` lies. */
export const pageOffset = (address: number): number => address & PAGE_OFFSET_MASK;

/** The first address of guest-physical page `pfn`. */
export const pageStart = (pfn: number): GuestPhysical => guestPhysical(pfn << PAGE_SHIFT);

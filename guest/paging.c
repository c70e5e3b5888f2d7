/*
 * paging.c: page tables.
 *
 * They are ordinary ones, read by the Host, which builds its own "shadow" tables from them for the CPU.  So whoever changes
 * an entry must say so: SET_PTE for a page, SET_PGD for a top entry, SET_PMD for one in the middle, of which there is a
 * middle only with PAE.  The Host keeps several shadows, found by the address of the top table, and one hypercall tells it
 * which is to be used: NEW_PGTABLE, our "mov to cr3".
 *
 * An entry is handled as 64 bits here; without PAE it is stored as 32.
 *
 *                 address bits             entries    bytes each
 *   plain         31..22   21..12          1024       4
 *   PAE           31..30   29..21   20..12 4/512/512  8
 */
#include "guest.h"

#define ENTRY_ADDRESS 0xFFFFF000u
#define DIRECTORY_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY)
#define PAE_TOP_FLAGS PTE_PRESENT

extern u8 __text_end[];

/* Set by boot.S if the command line says so. */
bool pae;
struct address_space kernel_space;

static u32 device_window_used;

/* One entry of one table, at whatever level. */
struct slot {
	u32 table, index;
};

static u64 slot_read(struct slot slot)
{
	return pae ? ((u64 *)virt(slot.table))[slot.index] : ((u32 *)virt(slot.table))[slot.index];
}

/* Half an entry must never be valid: with PAE, first nothing, then the upper half, then the lower with its "present". */
static void slot_write(struct slot slot, u64 entry)
{
	volatile u32 *words = virt(slot.table);

	if (pae) {
		words[slot.index * 2] = 0;
		words[slot.index * 2 + 1] = (u32)(entry >> 32);
		words[slot.index * 2] = (u32)entry;
	} else {
		words[slot.index] = (u32)entry;
	}
}

static u32 table_entries(void) { return pae ? 512 : 1024; }

static struct slot top_slot(const struct address_space *space, u32 address)
{
	return (struct slot){space->top, pae ? address >> 30 : address >> 22};
}

static void tell_top_slot(struct slot slot)
{
	lazy_hcall(LHCALL_SET_PGD, slot.table, slot.index, 0, 0);
}

static void tell_middle_slot(struct slot slot)
{
	lazy_hcall(LHCALL_SET_PMD, slot.table, slot.index, 0, 0);
}

/* The table that an entry leads to; a new one if there is none and one is wanted; 0 otherwise. */
static u32 table_below(const struct address_space *space, struct slot slot, bool create, u32 flags, void (*tell)(struct slot slot))
{
	u64 entry = slot_read(slot);
	u32 table;

	if (entry & PTE_PRESENT)
		return (u32)entry & ENTRY_ADDRESS;
	if (!create)
		return 0;
	table = frame_alloc();
	slot_write(slot, table | flags);
	if (space->shown)
		tell(slot);
	return table;
}

/* The directory entry for an address, the one that leads to a table of pages: at the top, or in the middle with PAE. */
static bool directory_slot(const struct address_space *space, u32 address, bool create, struct slot *slot)
{
	*slot = top_slot(space, address);
	if (!pae)
		return true;
	slot->table = table_below(space, *slot, create, PAE_TOP_FLAGS, tell_top_slot);
	slot->index = address >> 21 & 511;
	return slot->table != 0;
}

static bool page_slot(const struct address_space *space, u32 address, bool create, struct slot *slot)
{
	struct slot directory;

	if (!directory_slot(space, address, create, &directory))
		return false;
	slot->table = table_below(space, directory, create, DIRECTORY_FLAGS, pae ? tell_middle_slot : tell_top_slot);
	slot->index = address >> 12 & (table_entries() - 1);
	return slot->table != 0;
}

/* Kernel addresses are the same in all spaces: the Host ignores the first argument for them. */
static void tell_page(const struct address_space *space, u32 address, u64 entry)
{
	if (space->shown)
		lazy_hcall(LHCALL_SET_PTE, space->top, address, (u32)entry, (u32)(entry >> 32));
}

void map_page(struct address_space *space, u32 address, u32 physical, u32 flags)
{
	struct slot slot;

	page_slot(space, address, true, &slot);
	slot_write(slot, physical | flags);
	tell_page(space, address, physical | flags);
}

/* Returns what was mapped there, 0 for nothing. */
u32 unmap_page(struct address_space *space, u32 address)
{
	u32 entry = read_pte(space, address);
	struct slot slot;

	if (!entry)
		return 0;
	page_slot(space, address, false, &slot);
	slot_write(slot, 0);
	tell_page(space, address, 0);
	return entry & ENTRY_ADDRESS;
}

u32 read_pte(const struct address_space *space, u32 address)
{
	struct slot slot;

	return page_slot(space, address, false, &slot) ? (u32)slot_read(slot) : 0;
}

/* The next three are for those who want to change an entry and tell the Host later, or in another way. */
bool poke_pte(const struct address_space *space, u32 address, u32 entry)
{
	struct slot slot;

	if (!page_slot(space, address, false, &slot))
		return false;
	slot_write(slot, entry);
	return true;
}

u32 swap_directory(const struct address_space *space, u32 address, u32 entry)
{
	struct slot slot;
	u32 before;

	if (!directory_slot(space, address, false, &slot))
		return 0;
	before = (u32)slot_read(slot);
	slot_write(slot, entry);
	return before;
}

void tell_directory(const struct address_space *space, u32 address)
{
	struct slot slot;

	if (directory_slot(space, address, false, &slot))
		(pae ? tell_middle_slot : tell_top_slot)(slot);
}

/* A new space sees the kernel and nothing else.  The kernel's tables are all there since paging_init, and shared. */
void space_create(struct address_space *space)
{
	u32 index;

	*space = (struct address_space){.top = frame_alloc()};
	for (index = top_slot(space, PAGE_OFFSET).index; index < (pae ? 4u : 1024u); index++)
		slot_write((struct slot){space->top, index}, slot_read((struct slot){kernel_space.top, index}));
}

/* Frees the tables of the part below PAGE_OFFSET; the pages in them belong to whoever mapped them. */
static void free_tables(struct slot slot, u32 levels)
{
	u32 index, table = (u32)slot_read(slot) & ENTRY_ADDRESS;

	if (!(slot_read(slot) & PTE_PRESENT))
		return;
	for (index = 0; levels > 1 && index < table_entries(); index++)
		free_tables((struct slot){table, index}, levels - 1);
	frame_free(table);
}

/* The Host may keep shadows of these tables, and will know them by their address: it must not find them in the next ones. */
void space_destroy(struct address_space *space)
{
	u32 index;

	lazy_begin();
	for (index = 0; index < top_slot(space, PAGE_OFFSET).index; index++) {
		struct slot slot = {space->top, index};

		if (!(slot_read(slot) & PTE_PRESENT))
			continue;
		free_tables(slot, pae ? 2 : 1);
		slot_write(slot, 0);
		if (space->shown)
			tell_top_slot(slot);
	}
	lazy_end();
	frame_free(space->top);
	space->top = 0;
}

/* The first address from there on that is mapped, or could be (its entry is not 0); end if there is none before it. */
u32 space_next_used(const struct address_space *space, u32 address, u32 end)
{
	u32 table_bytes = table_entries() * PAGE_SIZE;
	struct slot slot;

	while (address < end) {
		if (!page_slot(space, address, false, &slot)) {
			address = (address & ~(table_bytes - 1)) + table_bytes;
			continue;
		}
		do {
			if (slot_read(slot))
				return address;
			address += PAGE_SIZE;
		} while (++slot.index < table_entries() && address < end);
	}
	return end;
}

void space_enter(struct address_space *space)
{
	space->shown = true;
	lazy_hcall(LHCALL_NEW_PGTABLE, space->top, 0, 0, 0);
}

/* Device memory: the same frames are shown once, however often they are asked for. */
volatile void *map_device(u32 physical, u32 bytes)
{
	u32 first = physical & ENTRY_ADDRESS, offset = physical - first;
	u32 size = (offset + bytes + PAGE_SIZE - 1) & ENTRY_ADDRESS, at;

	for (at = 0; at < device_window_used; at += PAGE_SIZE)
		if ((read_pte(&kernel_space, DEVICE_WINDOW + at) & ENTRY_ADDRESS) == first && size == PAGE_SIZE)
			return (volatile void *)(DEVICE_WINDOW + at + offset);
	if (device_window_used + size > DEVICE_WINDOW_SIZE / 2)
		crash("no room to map %u bytes of device memory", bytes);
	for (at = 0; at < size; at += PAGE_SIZE)
		map_page(&kernel_space, DEVICE_WINDOW + device_window_used + at, first + at, PTE_KERNEL | PTE_UNCACHED);
	at = device_window_used;
	device_window_used += size;
	return (volatile void *)(DEVICE_WINDOW + at + offset);
}

/*
 * From the tables of boot.S (8 MB, seen twice) to the real ones: all low memory at PAGE_OFFSET, our own text read-only, and
 * empty tables for the device window, so that no kernel top entry ever changes again.
 */
void paging_init(void)
{
	struct slot slot;
	u32 at;

	kernel_space.top = frame_alloc();
	for (at = 0; at < lowmem_bytes; at += PAGE_SIZE) {
		bool text = at >= 0x100000 && at < phys(__text_end);

		page_slot(&kernel_space, PAGE_OFFSET + at, true, &slot);
		slot_write(slot, at | (text ? PTE_PRESENT | PTE_ACCESSED : PTE_KERNEL));
	}
	for (at = 0; at < DEVICE_WINDOW_SIZE; at += PAGE_SIZE)
		page_slot(&kernel_space, DEVICE_WINDOW + at, true, &slot);
	space_enter(&kernel_space);
	hcall(LHCALL_FLUSH_TLB, 1, 0, 0, 0);
}

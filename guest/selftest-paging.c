/*
 * selftest-paging.c: page tables, faults, and what the Host writes into our tables.
 *
 * The experiments are in the laboratory, two pages of kernel addresses, and at one address below PAGE_OFFSET.
 */
#include "selftest.h"

extern const u8 trap_stubs[];

#define SECOND_PAGE (LABORATORY + PAGE_SIZE)
#define LOW_ADDRESS 0x40000000u
#define SPACES 6
#define LAZY_PAGES 100

#define WRITABLE (PTE_PRESENT | PTE_WRITE)
#define PEEK(address) (*(volatile u32 *)(address))

/* Error code of a page fault: the page was there, it was a write, it came from ring 3. */
#define FAULT_PRESENT 1
#define FAULT_WRITE 2

static u32 one, two;             /* two frames; the first word of each says which it is */

static bool page_fault(u32 error, u32 address)
{
	return faulted(TRAP_PAGE_FAULT, error) && caught.address == address;
}

static void check_fault_codes(void)
{
	unmap_page(&kernel_space, LABORATORY);
	ATTEMPT("movl (%1), %%eax", "r"(LABORATORY + 8));
	check(page_fault(0, LABORATORY + 8), "reading what is not there: error code 0, and cr2 has the address");
	ATTEMPT("movl %%eax, (%1)", "r"(LABORATORY + 12));
	check(page_fault(FAULT_WRITE, LABORATORY + 12), "writing what is not there: error code 2");
	map_page(&kernel_space, LABORATORY, one, PTE_PRESENT);
	ATTEMPT("movl %%eax, (%1)", "r"(LABORATORY));
	check(page_fault(FAULT_PRESENT | FAULT_WRITE, LABORATORY), "writing what may only be read: error code 3, in ring 1 too");
	check(PEEK(LABORATORY) == 1, "reading it is allowed");
	ATTEMPT("movl %%eax, (%1)", "r"(trap_stubs));
	check(page_fault(FAULT_PRESENT | FAULT_WRITE, (u32)trap_stubs), "our own code cannot be written");
}

static void check_accessed_and_dirty(void)
{
	map_page(&kernel_space, LABORATORY, one, WRITABLE);
	check(!(read_pte(&kernel_space, LABORATORY) & (PTE_ACCESSED | PTE_DIRTY)), "a page that nobody touched is neither accessed nor dirty");
	PEEK(LABORATORY);
	check((read_pte(&kernel_space, LABORATORY) & (PTE_ACCESSED | PTE_DIRTY)) == PTE_ACCESSED, "reading makes it accessed, not dirty");
	PEEK(LABORATORY) = 1;
	check(read_pte(&kernel_space, LABORATORY) & PTE_DIRTY, "writing makes it dirty");
	check((read_pte(&kernel_space, LABORATORY) & ~0xFFFu) == one, "and leaves the address in the entry alone");
}

static void check_set_pte(void)
{
	map_page(&kernel_space, LABORATORY, two, WRITABLE);
	check(PEEK(LABORATORY) == 2, "SET_PTE shows another frame at once");
	map_page(&kernel_space, LABORATORY, one, PTE_KERNEL);
	check(PEEK(LABORATORY) == 1, "also if the entry is accessed and dirty already");
	unmap_page(&kernel_space, LABORATORY);
	ATTEMPT("movl (%1), %%eax", "r"(LABORATORY));
	check(page_fault(0, LABORATORY), "SET_PTE takes a page away");
	map_page(&kernel_space, LABORATORY, one, WRITABLE);
	PEEK(LABORATORY) = 1;
	map_page(&kernel_space, LABORATORY, one, PTE_PRESENT | PTE_ACCESSED);
	ATTEMPT("movl %%eax, (%1)", "r"(LABORATORY));
	check(page_fault(FAULT_PRESENT | FAULT_WRITE, LABORATORY), "SET_PTE takes the right to write away");
}

/* More calls than the ring holds, none of them made directly. */
static void check_lazy(void)
{
	u32 index, seen = 0;

	lazy_begin();
	for (index = 0; index < LAZY_PAGES; index++)
		map_page(&kernel_space, LABORATORY + index * PAGE_SIZE, index & 1 ? one : two, PTE_KERNEL);
	lazy_end();
	for (index = 0; index < LAZY_PAGES; index++)
		seen += PEEK(LABORATORY + index * PAGE_SIZE) == (index & 1 ? 1 : 2);
	check(seen == LAZY_PAGES, "a hundred pages mapped through the ring are all there");
	lazy_begin();
	for (index = 0; index < LAZY_PAGES; index++)
		unmap_page(&kernel_space, LABORATORY + index * PAGE_SIZE);
	lazy_end();
	for (index = seen = 0; index < LAZY_PAGES; index++) {
		ATTEMPT("movl (%1), %%eax", "r"(LABORATORY + index * PAGE_SIZE));
		seen += page_fault(0, LABORATORY + index * PAGE_SIZE);
	}
	check(seen == LAZY_PAGES, "and, unmapped through the ring, all gone");
}

/* Several bytes, of which some can be reached: all or nothing, except for string instructions, which stop exactly there. */
static void check_page_crossing(void)
{
	u32 edi = SECOND_PAGE - 8, ecx = 16;

	map_page(&kernel_space, LABORATORY, one, WRITABLE);
	unmap_page(&kernel_space, SECOND_PAGE);
	PEEK(SECOND_PAGE - 4) = 0x5A5A5A5A;
	ATTEMPT("movl %%eax, (%1)", "r"(SECOND_PAGE - 2));
	check(page_fault(FAULT_WRITE, SECOND_PAGE), "a write across a page end faults with the address of the missing page");
	check(PEEK(SECOND_PAGE - 4) == 0x5A5A5A5A, "and has written nothing");
	ATTEMPT("pushl %%edi; pushl %%ecx; movl %1, %%edi; movl %2, %%ecx; rep stosb", "r"(edi), "r"(ecx));
	check(caught.vector == TRAP_PAGE_FAULT && caught.address == SECOND_PAGE && caught.frame.edi == SECOND_PAGE &&
		      caught.frame.ecx == 8 && PEEK(SECOND_PAGE - 4) == 0,
	      "a string instruction stops at the missing page with its registers exact");
	map_page(&kernel_space, SECOND_PAGE, two, WRITABLE);
	PEEK(SECOND_PAGE - 2) = 0x12345678;
	check(((volatile u16 *)virt(one))[2047] == 0x5678 && ((volatile u16 *)virt(two))[0] == 0x1234,
	      "a write across two pages reaches both");
	PEEK(virt(one)) = 1;
	PEEK(virt(two)) = 2;
}

/* What is changed without a word is seen after a flush. */
static void check_flushes(struct address_space *space)
{
	map_page(space, LOW_ADDRESS, one, WRITABLE);
	map_page(&kernel_space, LABORATORY, one, WRITABLE);
	space_enter(space);
	PEEK(LOW_ADDRESS);
	poke_pte(space, LOW_ADDRESS, two | WRITABLE);
	hcall(LHCALL_FLUSH_TLB, 0, 0, 0, 0);
	check(PEEK(LOW_ADDRESS) == 2, "FLUSH_TLB(0) makes changes below the kernel visible");
	PEEK(LABORATORY);
	poke_pte(space, LOW_ADDRESS, one | WRITABLE);
	poke_pte(&kernel_space, LABORATORY, two | WRITABLE);
	hcall(LHCALL_FLUSH_TLB, 1, 0, 0, 0);
	check(PEEK(LOW_ADDRESS) == 1 && PEEK(LABORATORY) == 2, "FLUSH_TLB(1) all of them");
	space_enter(&kernel_space);
}

static void check_directories(struct address_space *space)
{
	u32 directory;

	map_page(space, LOW_ADDRESS, one, WRITABLE);
	space_enter(space);
	PEEK(LOW_ADDRESS);
	directory = swap_directory(space, LOW_ADDRESS, 0);
	tell_directory(space, LOW_ADDRESS);
	ATTEMPT("movl (%1), %%eax", "r"(LOW_ADDRESS));
	check(page_fault(0, LOW_ADDRESS), pae ? "SET_PMD takes a whole table away" : "SET_PGD takes a whole table away");
	swap_directory(space, LOW_ADDRESS, directory);
	tell_directory(space, LOW_ADDRESS);
	check(PEEK(LOW_ADDRESS) == 1, "and brings it back");
	space_enter(&kernel_space);
}

/* More address spaces than the Host has room for shadows. */
static void check_spaces(void)
{
	struct address_space spaces[SPACES];
	u32 frames[SPACES], round, index;
	bool right = true, kept = true;

	for (index = 0; index < SPACES; index++) {
		space_create(&spaces[index]);
		frames[index] = frame_alloc();
		*(u32 *)virt(frames[index]) = 100 + index;
		map_page(&spaces[index], LOW_ADDRESS, frames[index], WRITABLE);
	}
	for (round = 0; round < 4; round++)
		for (index = 0; index < SPACES; index++) {
			space_enter(&spaces[index]);
			right &= PEEK(LOW_ADDRESS) == 100 + index;
			PEEK(LOW_ADDRESS + 4) = index;
			map_page(&kernel_space, LABORATORY, index & 1 ? one : two, WRITABLE);
			kept &= PEEK(LABORATORY) == (index & 1 ? 1 : 2);
		}
	check(right, "NEW_PGTABLE changes the address space, among more than the Host has shadows for");
	check(kept, "SET_PTE of a kernel address holds in all of them");
	space_enter(&kernel_space);
	ATTEMPT("movl (%1), %%eax", "r"(LOW_ADDRESS));
	check(page_fault(0, LOW_ADDRESS), "the kernel's own space has nothing there");
	check_flushes(&spaces[0]);
	check_directories(&spaces[1]);
	for (index = 0; index < SPACES; index++) {
		space_destroy(&spaces[index]);
		frame_free(frames[index]);
	}
}

/* Between our memory and the first device there is nothing: the Host sends us to the Launcher, and that sends us back. */
static void check_no_device(void)
{
	if (ram_bytes > 0xC0000000u) {
		skip("device memory without a device faults", " (skipped: no room above the memory)");
		return;
	}
	map_page(&kernel_space, LABORATORY, ram_bytes, WRITABLE);
	ATTEMPT("movl (%1), %%eax", "r"(LABORATORY));
	check(caught.vector == TRAP_PAGE_FAULT && caught.frame.eip == attempt_at, "device memory without a device faults");
}

void check_paging(void)
{
	one = frame_alloc();
	two = frame_alloc();
	*(u32 *)virt(one) = 1;
	*(u32 *)virt(two) = 2;
	check_fault_codes();
	check_accessed_and_dirty();
	check_set_pte();
	check_lazy();
	check_page_crossing();
	check_spaces();
	check_no_device();
	unmap_page(&kernel_space, LABORATORY);
	unmap_page(&kernel_space, SECOND_PAGE);
	frame_free(one);
	frame_free(two);
}

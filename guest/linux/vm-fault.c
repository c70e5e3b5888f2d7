/*
 * vm-fault.c: a program touches a page for the first time, or writes one that it shares.
 */
#include "linux.h"

#define ENTRY_ADDRESS 0xFFFFF000u

/* A signal and its code in one number; 0: all is well. */
#define FAULT(signal, code) ((signal) << 8 | (code))

static u32 page_flags(const struct region *region, bool writable)
{
	u32 flags = PTE_USER | PTE_ACCESSED;

	if (region->protection & (PROT_READ | PROT_WRITE | PROT_EXEC))
		flags |= PTE_PRESENT;
	if (writable && region->protection & PROT_WRITE)
		flags |= PTE_WRITE | PTE_DIRTY;
	return flags;
}

/* A page of a file, for this program alone: what it writes is not the file's. */
static s32 private_page(const struct region *region, u32 offset, u32 *frame)
{
	s32 bytes;

	*frame = frame_alloc_user();
	if (!*frame || !region->node)
		return *frame ? 0 : FAULT(SIGKILL, 0);
	if (offset < region->node->size) {
		bytes = node_read(region->node, offset, virt(*frame), PAGE_SIZE);
		if (bytes > 0)
			return 0;
	}
	frame_free(*frame);
	return FAULT(SIGBUS, BUS_ADRERR);
}

static s32 first_touch(struct memory *memory, const struct region *region, u32 page)
{
	u32 offset = region->offset + (page - region->start), frame;
	s32 fault;

	if (region->shared) {
		if (offset >= ((region->node->size + PAGE_SIZE - 1) & ENTRY_ADDRESS))
			return FAULT(SIGBUS, BUS_ADRERR);
		frame = node_page(region->node, offset / PAGE_SIZE, true);
		if (!frame)
			return FAULT(SIGKILL, 0);
		frame_share(frame);
	} else {
		fault = private_page(region, offset, &frame);
		if (fault)
			return fault;
	}
	map_page(&memory->space, page, frame, page_flags(region, true));
	return 0;
}

/* The page is there, but may not be written: either nobody else needs it any more, or we need one of our own. */
static s32 copy_on_write(struct memory *memory, const struct region *region, u32 page, u32 entry)
{
	u32 frame = entry & ENTRY_ADDRESS, copy;

	if (!region->shared && frame_is_shared(frame)) {
		copy = frame_alloc_user();
		if (!copy)
			return FAULT(SIGKILL, 0);
		memcpy(virt(copy), virt(frame), PAGE_SIZE);
		frame_free(frame);
		frame = copy;
	}
	map_page(&memory->space, page, frame, page_flags(region, true));
	return 0;
}

/* Returns 0 if the program can try again, or the signal it gets, times 256, with its code. */
s32 memory_fault(struct memory *memory, u32 address, bool write)
{
	struct region *region = region_at(memory, address);
	u32 page = address & ENTRY_ADDRESS, entry;

	if (!region)
		return FAULT(SIGSEGV, SEGV_MAPERR);
	if (!(region->protection & (write ? PROT_WRITE : PROT_READ | PROT_WRITE | PROT_EXEC)))
		return FAULT(SIGSEGV, SEGV_ACCERR);
	entry = read_pte(&memory->space, page);
	if (!entry)
		return first_touch(memory, region, page);
	if (write && !(entry & PTE_WRITE))
		return copy_on_write(memory, region, page, entry);
	return 0;
}

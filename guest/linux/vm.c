/*
 * vm.c: the memory of a program, as a list of regions in the order of their addresses.
 *
 * A region says what may be found at an address; the page tables say what has been needed so far (vm-fault.c).
 */
#include "linux.h"

#define ENTRY_ADDRESS 0xFFFFF000u

struct memory *memory_in_use;

struct memory *memory_create(void)
{
	struct memory *memory = kalloc(sizeof(*memory));

	memory->users = 1;
	space_create(&memory->space);
	return memory;
}

void memory_enter(struct memory *memory)
{
	if (memory == memory_in_use)
		return;
	memory_in_use = memory;
	space_enter(memory ? &memory->space : &kernel_space);
}

void memory_release(struct memory *memory)
{
	bool shown;

	if (!memory || --memory->users)
		return;
	if (memory == memory_in_use)
		memory_enter(NULL);
	shown = memory->space.shown;     /* the Host hears of the tables as a whole, in space_destroy() */
	memory->space.shown = false;
	memory_unmap(memory, 0, PAGE_OFFSET);
	memory->space.shown = shown;
	space_destroy(&memory->space);
	if (memory->program)
		node_release(memory->program);
	kfree(memory, sizeof(*memory));
}

/* The region with this address in it, or the first one behind it. */
struct region *region_after(struct memory *memory, u32 address)
{
	struct region *region = memory->regions;

	while (region && region->end <= address)
		region = region->next;
	return region;
}

struct region *region_at(struct memory *memory, u32 address)
{
	struct region *region = region_after(memory, address);

	return region && region->start <= address ? region : NULL;
}

static void region_free(struct region *region)
{
	if (region->node)
		node_release(region->node);
	kfree(region, sizeof(*region));
}

static struct region *region_copy(const struct region *region)
{
	struct region *copy = kalloc(sizeof(*copy));

	*copy = *region;
	if (copy->node)
		node_hold(copy->node);
	return copy;
}

/* Afterwards no region crosses the address. */
bool region_split(struct memory *memory, u32 address)
{
	struct region *region = region_at(memory, address), *rest;

	if (!region || region->start == address)
		return false;
	rest = region_copy(region);
	rest->offset += address - region->start;
	rest->start = region->end = address;
	region->next = rest;
	return true;
}

static void insert(struct memory *memory, struct region *region)
{
	struct region **link = &memory->regions;

	while (*link && (*link)->start < region->start)
		link = &(*link)->next;
	region->next = *link;
	*link = region;
}

static bool can_join(const struct region *region, const struct region *next)
{
	return region->end == next->start && region->protection == next->protection && region->shared == next->shared &&
	       region->node == next->node && (!region->node || region->offset + (next->start - region->start) == next->offset);
}

/* A program that grows its heap step by step has one region in the end. */
static void join(struct memory *memory)
{
	struct region *region = memory->regions, *next;

	while (region && (next = region->next)) {
		if (!can_join(region, next)) {
			region = next;
			continue;
		}
		region->end = next->end;
		region->next = next->next;
		region_free(next);
	}
}

s32 memory_map(struct memory *memory, u32 start, u32 bytes, u32 protection, bool shared, struct node *node, u32 offset)
{
	struct region *region = kalloc(sizeof(*region));

	memory_unmap(memory, start, start + bytes);
	*region = (struct region){
		.start = start, .end = start + bytes, .protection = protection, .offset = offset, .shared = shared,
		.node = node ? node_hold(node) : NULL,
	};
	insert(memory, region);
	join(memory);
	return 0;
}

static void unmap_pages(struct memory *memory, u32 start, u32 end)
{
	u32 at;

	lazy_begin();
	for (at = space_next_used(&memory->space, start, end); at < end; at = space_next_used(&memory->space, at + PAGE_SIZE, end))
		frame_free(unmap_page(&memory->space, at));
	lazy_end();
}

void memory_unmap(struct memory *memory, u32 start, u32 end)
{
	struct region **link = &memory->regions, *region;

	region_split(memory, start);
	region_split(memory, end);
	while ((region = *link)) {
		if (region->end <= start) {
			link = &region->next;
		} else if (region->start >= end) {
			break;
		} else {
			*link = region->next;
			unmap_pages(memory, region->start, region->end);
			region_free(region);
		}
	}
}

/* A file has become shorter: what was behind its end cannot be seen in any mapping that shares it. */
void memory_forget(const struct node *node, u32 size)
{
	u32 from = (size + PAGE_SIZE - 1) & ENTRY_ADDRESS;
	struct process *process;
	struct region *region;

	for (process = processes; process; process = process->next)
		for (region = process->memory ? process->memory->regions : NULL; region; region = region->next)
			if (region->shared && region->node == node && region->offset + (region->end - region->start) > from)
				unmap_pages(process->memory, from > region->offset ? region->start + (from - region->offset) : region->start,
					    region->end);
}

/* Where so much would fit: as high as possible.  0 if nowhere. */
u32 memory_gap(struct memory *memory, u32 bytes)
{
	struct region *region;
	u32 below = MMAP_BOTTOM, found = 0;

	if (!bytes || bytes > MMAP_TOP)
		return 0;
	for (region = memory->regions; region && below < MMAP_TOP; region = region->next) {
		u32 end = region->start < MMAP_TOP ? region->start : MMAP_TOP;

		if (below < end && end - below >= bytes)
			found = end - bytes;
		below = region->end > below ? region->end : below;
	}
	if (below < MMAP_TOP && MMAP_TOP - below >= bytes)
		found = MMAP_TOP - bytes;
	return found;
}

u32 memory_pages(struct memory *memory)
{
	struct region *region;
	u32 pages = 0;

	for (region = memory->regions; region; region = region->next)
		pages += (region->end - region->start) / PAGE_SIZE;
	return pages;
}

/* Shared pages stay what they are; all others can be written by nobody until one of the two wants to (memory_fault). */
static void fork_pages(struct memory *from, struct memory *to, const struct region *region)
{
	u32 at, entry;

	for (at = space_next_used(&from->space, region->start, region->end); at < region->end;
	     at = space_next_used(&from->space, at + PAGE_SIZE, region->end)) {
		entry = read_pte(&from->space, at);
		if (!region->shared && entry & PTE_WRITE) {
			entry &= ~PTE_WRITE;
			map_page(&from->space, at, entry & ENTRY_ADDRESS, entry & ~ENTRY_ADDRESS);
		}
		map_page(&to->space, at, frame_share(entry & ENTRY_ADDRESS), entry & ~ENTRY_ADDRESS);
	}
}

/* The tables of the new one are as large as ours at most: is there room for them? */
struct memory *memory_fork(struct memory *memory)
{
	struct memory *copy;
	struct region *region, **link;

	if (frames_total() - frames_used() < 128)
		return NULL;
	copy = memory_create();
	copy->brk_start = memory->brk_start;
	copy->brk = memory->brk;
	copy->stack_start = memory->stack_start;
	copy->arguments = memory->arguments;
	copy->arguments_end = memory->arguments_end;
	copy->program = memory->program ? node_hold(memory->program) : NULL;
	link = &copy->regions;
	lazy_begin();
	for (region = memory->regions; region; region = region->next) {
		*link = region_copy(region);
		link = &(*link)->next;
		*link = NULL;
		fork_pages(memory, copy, region);
	}
	lazy_end();
	return copy;
}

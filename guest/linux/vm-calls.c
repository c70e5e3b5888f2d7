/*
 * vm-calls.c: the system calls about memory.
 */
#include "linux.h"

#define ENTRY_ADDRESS 0xFFFFF000u
#define ROUND_UP(bytes) (((bytes) + PAGE_SIZE - 1) & ENTRY_ADDRESS)

static struct memory *mine(void) { return current->process->memory; }

/* Never fails: who gets back less than he asked for has got nothing. */
s32 sys_brk(u32 address)
{
	struct memory *memory = mine();
	u32 before = ROUND_UP(memory->brk), after = ROUND_UP(address);
	struct region *next;

	if (address < memory->brk_start || address > MMAP_TOP)
		return (s32)memory->brk;
	if (after > before) {
		next = region_after(memory, before);
		if ((next && next->start < after) || (after - before) / PAGE_SIZE > frames_total())
			return (s32)memory->brk;
		memory_map(memory, before, after - before, PROT_READ | PROT_WRITE | PROT_EXEC, false, NULL, 0);
	} else if (after < before) {
		memory_unmap(memory, after, before);
	}
	memory->brk = address;
	return (s32)address;
}

/* What kind of file can be mapped; shared memory without a file gets one without a name. */
static s32 mapped_node(u32 flags, u32 number, u32 bytes, struct node **node)
{
	struct file *file;
	s32 error;

	*node = NULL;
	if (flags & MAP_ANONYMOUS) {
		if (!(flags & MAP_SHARED))
			return 0;
		*node = node_create(S_IFREG | 0600);
		error = node_truncate(*node, bytes);
		if (error < 0)
			node_release(*node);
		return error;
	}
	file = file_get(number);
	if (!file)
		return -EBADF;
	if (file->kind != &regular_kind)
		return -ENODEV;
	if ((file->flags & O_ACCMODE) == O_WRONLY)
		return -EACCES;
	*node = node_hold(file->node);
	return 0;
}

s32 sys_mmap2(u32 address, u32 bytes, u32 protection, u32 flags, u32 number, u32 page)
{
	struct memory *memory = mine();
	struct node *node;
	struct region *next;
	s32 error;

	if (!bytes)
		return -EINVAL;
	bytes = ROUND_UP(bytes);
	if (!bytes)
		return -ENOMEM;
	if ((flags & (MAP_SHARED | MAP_PRIVATE)) == 0)
		return -EINVAL;
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (address & ~ENTRY_ADDRESS)
			return -EINVAL;
		if (!user_range(address, bytes))
			return -ENOMEM;
	}
	if (flags & MAP_FIXED_NOREPLACE && (next = region_after(memory, address)) && next->start < address + bytes)
		return -EEXIST;
	if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))) {
		address &= ENTRY_ADDRESS;
		next = region_after(memory, address);
		if (!address || !user_range(address, bytes) || (next && next->start < address + bytes))
			address = memory_gap(memory, bytes);
		if (!address)
			return -ENOMEM;
	}
	error = mapped_node(flags, number, bytes, &node);
	if (error < 0)
		return error;
	memory_map(memory, address, bytes, protection & 7, (flags & MAP_SHARED) != 0, node,
		   flags & MAP_ANONYMOUS ? 0 : page * PAGE_SIZE);
	if (node)
		node_release(node);
	return (s32)address;
}

/* The old call: its six arguments lie in memory, and it counts bytes. */
s32 sys_mmap(u32 arguments)
{
	u32 argument[6];

	if (copy_in(argument, arguments, sizeof(argument)) < 0)
		return -EFAULT;
	if (argument[5] & (PAGE_SIZE - 1))
		return -EINVAL;
	return sys_mmap2(argument[0], argument[1], argument[2], argument[3], argument[4], argument[5] / PAGE_SIZE);
}

s32 sys_munmap(u32 address, u32 bytes)
{
	bytes = ROUND_UP(bytes);
	if (address & ~ENTRY_ADDRESS || !bytes || !user_range(address, bytes))
		return -EINVAL;
	memory_unmap(mine(), address, address + bytes);
	return 0;
}

/* Pages that are there already get their new rights at once; those that become writable get that when they are written. */
static void protect_region(struct memory *memory, struct region *region, u32 protection)
{
	u32 at, entry, flags = PTE_USER | PTE_ACCESSED | (protection & 7 ? PTE_PRESENT : 0);

	region->protection = protection;
	for (at = space_next_used(&memory->space, region->start, region->end); at < region->end;
	     at = space_next_used(&memory->space, at + PAGE_SIZE, region->end)) {
		entry = read_pte(&memory->space, at);
		map_page(&memory->space, at, entry & ENTRY_ADDRESS, flags);
	}
}

s32 sys_mprotect(u32 address, u32 bytes, u32 protection)
{
	struct memory *memory = mine();
	struct region *region;
	u32 end, at;

	bytes = ROUND_UP(bytes);
	if (address & ~ENTRY_ADDRESS || protection & ~7u)
		return -EINVAL;
	if (!user_range(address, bytes))
		return -ENOMEM;
	end = address + bytes;
	for (at = address; at < end; at = region->end)
		if (!(region = region_at(memory, at)))
			return -ENOMEM;
	region_split(memory, address);
	region_split(memory, end);
	lazy_begin();
	for (region = region_after(memory, address); region && region->start < end; region = region->next)
		protect_region(memory, region, protection);
	lazy_end();
	return 0;
}

/* The pages go with the region: nothing is copied. */
static s32 move_region(struct memory *memory, struct region *region, u32 before, u32 to, u32 bytes)
{
	u32 from = region->start, at, entry, end = from + (before < bytes ? before : bytes);

	memory_map(memory, to, bytes, region->protection, region->shared, region->node, region->offset);
	lazy_begin();
	for (at = space_next_used(&memory->space, from, end); at < end;
	     at = space_next_used(&memory->space, at + PAGE_SIZE, end)) {
		entry = read_pte(&memory->space, at);
		unmap_page(&memory->space, at);
		map_page(&memory->space, to + (at - from), entry & ENTRY_ADDRESS, entry & ~ENTRY_ADDRESS);
	}
	lazy_end();
	memory_unmap(memory, from, from + before);
	return (s32)to;
}

s32 sys_mremap(u32 address, u32 before, u32 bytes, u32 flags, u32 wanted)
{
	struct memory *memory = mine();
	struct region *region, *next;
	u32 to;

	before = ROUND_UP(before);
	bytes = ROUND_UP(bytes);
	if (address & ~ENTRY_ADDRESS || !bytes || !before)
		return -EINVAL;
	region = region_at(memory, address);
	if (!region || before > region->end - address)
		return -EFAULT;
	if (!(flags & MREMAP_FIXED) && bytes <= before) {
		memory_unmap(memory, address + bytes, address + before);
		return (s32)address;
	}
	region_split(memory, address);
	region_split(memory, address + before);
	region = region_at(memory, address);
	next = region_after(memory, address + before);
	if (!(flags & MREMAP_FIXED) && user_range(address, bytes) && (!next || next->start >= address + bytes)) {
		region->end = address + bytes;
		return (s32)address;
	}
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	to = flags & MREMAP_FIXED ? wanted : memory_gap(memory, bytes);
	if (!to || to & ~ENTRY_ADDRESS || !user_range(to, bytes) || (to < address + before && address < to + bytes))
		return to && flags & MREMAP_FIXED ? -EINVAL : -ENOMEM;
	return move_region(memory, region, before, to, bytes);
}

/* Of all advice we take only "I do not need this any more", because programs count on finding zeroes afterwards. */
s32 sys_madvise(u32 address, u32 bytes, u32 advice)
{
	struct memory *memory = mine();
	struct region *region;
	u32 at, end;

	bytes = ROUND_UP(bytes);
	if (address & ~ENTRY_ADDRESS || !user_range(address, bytes))
		return -EINVAL;
	end = address + bytes;
	if (advice != MADV_DONTNEED)
		return 0;
	lazy_begin();
	for (region = region_after(memory, address); region && region->start < end; region = region->next)
		for (at = region->start > address ? region->start : address; at < end && at < region->end; at += PAGE_SIZE)
			if (read_pte(&memory->space, at))
				frame_free(unmap_page(&memory->space, at));
	lazy_end();
	return 0;
}

/* Files live in memory: what was written to a mapping is in the file already. */
s32 sys_msync(void)
{
	return 0;
}

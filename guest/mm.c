/*
 * mm.c: frames of memory, 4096 bytes each.
 *
 * We take what lies between our own end and the initrd (or the end of memory).  Frames never used are not touched: the
 * Host gives a Guest real memory page by page, as it is needed, and a Guest that asks for all of it at once is a bad guest.
 * Freed frames are chained through their own first word.
 */
#include "guest.h"

#define E820_ENTRY_BYTES 20
#define E820_RAM 1
#define FRAMES_RESERVED 64
#define LOWMEM_MAX (DEVICE_WINDOW - PAGE_OFFSET)

extern u8 __kernel_end[];

u32 ram_bytes, lowmem_bytes;

/* How often each frame is in use: programs share frames until one of them writes. */
static u16 *frame_users;

static u32 first_frame, next_frame, frame_end, freed, freed_count;
static u32 initrd_start, initrd_bytes;

static u32 boot_param(u32 offset)
{
	u32 value;

	memcpy(&value, boot_params + offset, sizeof(value));
	return value;
}

/* The Launcher lists one piece of memory, and it begins at 0.  Take the piece that holds us; believe no more than 4 GB. */
static u32 find_ram(void)
{
	u32 index;

	for (index = 0; index < boot_params[BOOT_E820_ENTRIES]; index++) {
		u32 entry = BOOT_E820_TABLE + index * E820_ENTRY_BYTES;

		if (boot_param(entry) == 0 && boot_param(entry + 4) == 0 && boot_param(entry + 16) == E820_RAM)
			return boot_param(entry + 12) ? 0xFFFFF000 : boot_param(entry + 8) & ~(PAGE_SIZE - 1);
	}
	crash("no memory at address 0 in the Launcher's list");
}

void memory_init(void)
{
	ram_bytes = find_ram();
	lowmem_bytes = ram_bytes < LOWMEM_MAX ? ram_bytes : LOWMEM_MAX;
	initrd_start = boot_param(BOOT_RAMDISK_IMAGE);
	initrd_bytes = boot_param(BOOT_RAMDISK_SIZE);

	first_frame = next_frame = phys(__kernel_end);
	frame_end = lowmem_bytes;
	if (initrd_bytes && initrd_start < frame_end)
		frame_end = initrd_start;
	frame_users = virt(first_frame);
	first_frame += (frame_end / PAGE_SIZE * sizeof(*frame_users) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	next_frame = first_frame;
	if (next_frame >= frame_end)
		crash("%u KB of memory are too few", ram_bytes / 1024);
}

/* Where the frames begin that have never been used, and how many they are. */
u32 frames_fresh(u32 *count)
{
	*count = (frame_end - next_frame) / PAGE_SIZE;
	return next_frame;
}

/* Frames side by side, none of them used before, as they are; 0 if there are no such frames. */
u32 frames_take_fresh(u32 count)
{
	u32 frame = next_frame, index;

	if ((frame_end - next_frame) / PAGE_SIZE < count)
		return 0;
	next_frame += count * PAGE_SIZE;
	for (index = 0; index < count; index++)
		frame_users[frame / PAGE_SIZE + index] = 1;
	return frame;
}

/* Physical address of a frame full of zeroes.  There is nobody to free anything for us: without memory, we are done. */
u32 frame_alloc(void)
{
	u32 flags = irq_save(), frame = freed;

	if (freed) {
		freed = *(u32 *)virt(freed);
		freed_count--;
		frame_users[frame / PAGE_SIZE] = 1;
	} else {
		frame = frames_take_fresh(1);
		if (!frame)
			crash("out of memory: all %u frames are in use", frames_total());
	}
	irq_restore(flags);
	return phys(memset(virt(frame), 0, PAGE_SIZE));
}

/* The same for a program, which can be refused (0): the last frames are for the kernel's own needs. */
u32 frame_alloc_user(void)
{
	return frames_total() - frames_used() > FRAMES_RESERVED ? frame_alloc() : 0;
}

/* A frame in use n times has to be freed n times. */
u32 frame_share(u32 physical)
{
	frame_users[physical / PAGE_SIZE]++;
	return physical;
}

bool frame_is_shared(u32 physical)
{
	return frame_users[physical / PAGE_SIZE] > 1;
}

void frame_free(u32 physical)
{
	u32 flags = irq_save();

	if (--frame_users[physical / PAGE_SIZE] == 0) {
		*(u32 *)virt(physical) = freed;
		freed = physical;
		freed_count++;
	}
	irq_restore(flags);
}

u32 frames_total(void)
{
	return (frame_end - first_frame) / PAGE_SIZE;
}

u32 frames_used(void)
{
	return (next_frame - first_frame) / PAGE_SIZE - freed_count;
}

/* Where the initrd can be read, or 0 if there is none (or if it lies above the memory that is visible at PAGE_OFFSET). */
u32 initrd_address(u32 *bytes)
{
	*bytes = initrd_bytes;
	if (!initrd_bytes || initrd_start > lowmem_bytes || initrd_bytes > lowmem_bytes - initrd_start)
		return 0;
	return initrd_start + PAGE_OFFSET;
}

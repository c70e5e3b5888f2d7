/*
 * heap.c: memory for our own structures.
 *
 * Sizes are rounded up to a power of two; a frame is cut into pieces of one size, and pieces that come back wait in a chain.
 * Frames never come back from here: what was needed once is needed again.
 */
#include "linux.h"

#define SMALLEST_SHIFT 5
#define SIZES (12 - SMALLEST_SHIFT + 1)

struct piece {
	struct piece *next;
};

static struct piece *pieces[SIZES], *pairs;

static u32 size_index(u32 bytes)
{
	u32 index = 0;

	while (bytes > 1u << (index + SMALLEST_SHIFT))
		index++;
	if (index >= SIZES)
		crash("kalloc: %u bytes in one piece", bytes);
	return index;
}

/* Full of zeroes. */
void *kalloc(u32 bytes)
{
	u32 index = size_index(bytes), size = 1u << (index + SMALLEST_SHIFT), at;
	struct piece *piece = pieces[index];

	if (size == PAGE_SIZE)
		return virt(frame_alloc());
	if (!piece) {
		u8 *frame = virt(frame_alloc());

		for (at = 0; at < PAGE_SIZE; at += size) {
			piece = (struct piece *)(frame + at);
			piece->next = pieces[index];
			pieces[index] = piece;
		}
	}
	pieces[index] = piece->next;
	return memset(piece, 0, size);
}

void kfree(void *memory, u32 bytes)
{
	u32 index = size_index(bytes);
	struct piece *piece = memory;

	if (!memory)
		return;
	if (1u << (index + SMALLEST_SHIFT) == PAGE_SIZE) {
		frame_free(phys(memory));
		return;
	}
	piece->next = pieces[index];
	pieces[index] = piece;
}

/* Two frames side by side, for a stack; NULL if there are none. */
void *frame_pair_alloc(void)
{
	struct piece *pair = pairs;
	u32 frames;

	if (pair) {
		pairs = pair->next;
		return pair;
	}
	frames = frames_take_fresh(2);
	return frames ? virt(frames) : NULL;
}

void frame_pair_free(void *pair)
{
	struct piece *piece = pair;

	piece->next = pairs;
	pairs = piece;
}

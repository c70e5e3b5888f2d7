/*
 * node.c: files and directories, as they are in memory.
 *
 * There is one tree of nodes.  Most of them live in memory alone; some stand for something on a disk (ext2.c) or for what the
 * kernel knows (proc.c), and are filled when somebody looks.
 */
#include "linux.h"

#define ENTRY_ADDRESS 0xFFFFF000u

struct node *root_node;

static u32 next_inode = 2, next_serial = 2;

struct node *node_create(u32 mode)
{
	struct node *node = kalloc(sizeof(*node));

	node->users = 1;
	node->inode = next_inode++;
	node->mode = mode;
	node->links = S_IS(mode, DIR) ? 2 : 1;
	node_touch(node);
	node->atime = node->mtime;
	return node;
}

struct node *node_hold(struct node *node)
{
	node->users++;
	return node;
}

void node_touch(struct node *node)
{
	wall_clock(&node->mtime, &node->mtime_ns);
	node->ctime = node->mtime;
}

static void free_contents(struct node *node)
{
	node->image = NULL;
	if (node->chunks)
		node_truncate(node, 0);
	kfree(node->chunks, DIRECT_CHUNKS * sizeof(u32 *));
	node->chunks = NULL;
}

void node_release(struct node *node)
{
	if (--node->users)
		return;
	while (node->entries)
		directory_remove(node, node->entries);
	free_contents(node);
	if (node->target)
		kfree(node->target, strlen(node->target) + 1);
	kfree(node, sizeof(*node));
}

/* ---- contents ---- */

/* Physical address of a page of the contents; 0 if there is none (a hole), and none is wanted, or none can be had. */
u32 node_page(struct node *node, u32 index, bool create)
{
	u32 chunk = index / CHUNK_PAGES, *slot;

	if (create && node->image) {
		const u8 *image = node->image;
		u32 at;

		node->image = NULL;
		for (at = 0; at < node->size; at += PAGE_SIZE) {
			u32 page = node_page(node, at / PAGE_SIZE, true);

			if (!page)
				return 0;
			memcpy(virt(page), image + at, node->size - at < PAGE_SIZE ? node->size - at : PAGE_SIZE);
		}
	}
	if (chunk >= DIRECT_CHUNKS || (!create && (!node->chunks || !node->chunks[chunk])))
		return 0;
	if (!node->chunks)
		node->chunks = kalloc(DIRECT_CHUNKS * sizeof(u32 *));
	if (!node->chunks[chunk]) {
		u32 frame = frame_alloc_user();

		if (!frame)
			return 0;
		node->chunks[chunk] = virt(frame);
	}
	slot = &node->chunks[chunk][index % CHUNK_PAGES];
	if (!*slot && create)
		*slot = frame_alloc_user();
	return *slot;
}

/* Returns how many bytes there were, at most as many as asked for.  `to` may be a program's. */
s32 node_read(struct node *node, u32 offset, void *to, u32 bytes)
{
	u32 done = 0;

	if (offset >= node->size)
		return 0;
	if (bytes > node->size - offset)
		bytes = node->size - offset;
	if (node->image)
		return copy_user(to, node->image + offset, bytes) ? -EFAULT : (s32)bytes;
	while (done < bytes) {
		u32 at = (offset + done) & (PAGE_SIZE - 1), part = PAGE_SIZE - at, frame, page = 0;
		s32 error = 0;

		if (part > bytes - done)
			part = bytes - done;
		frame = node->tree && node->tree->read ? 0 : node_page(node, (offset + done) / PAGE_SIZE, false);
		if (!frame) {
			page = frame = frame_alloc();
			if (node->tree && node->tree->read)
				error = node->tree->read(node, (offset + done) & ENTRY_ADDRESS, virt(page), PAGE_SIZE);
		}
		if (error >= 0 && copy_user((u8 *)to + done, (u8 *)virt(frame) + at, part))
			error = -EFAULT;
		if (page)
			frame_free(page);
		if (error < 0)
			return done ? (s32)done : error;
		done += part;
	}
	return (s32)done;
}

s32 node_write(struct node *node, u32 offset, const void *from, u32 bytes)
{
	u32 done = 0;

	if (node->tree && node->tree->read_only)
		return -EROFS;
	if (bytes > ~0u - offset || (offset + bytes) / PAGE_SIZE >= DIRECT_CHUNKS * CHUNK_PAGES)
		return -ENOSPC;
	while (done < bytes) {
		u32 at = (offset + done) & (PAGE_SIZE - 1), part = PAGE_SIZE - at;
		u32 page = node_page(node, (offset + done) / PAGE_SIZE, true);

		if (part > bytes - done)
			part = bytes - done;
		if (!page)
			return done ? (s32)done : -ENOSPC;
		if (copy_user((u8 *)virt(page) + at, (const u8 *)from + done, part))
			return done ? (s32)done : -EFAULT;
		done += part;
		if (offset + done > node->size)
			node->size = offset + done;
	}
	node_touch(node);
	return (s32)done;
}

static void free_page(struct node *node, u32 index)
{
	u32 *chunk = node->chunks[index / CHUNK_PAGES], *slot = &chunk[index % CHUNK_PAGES];

	if (*slot)
		frame_free(*slot);
	*slot = 0;
}

s32 node_truncate(struct node *node, u32 size)
{
	u32 chunk, index;

	if (node->tree && node->tree->read_only)
		return -EROFS;
	if (size / PAGE_SIZE >= DIRECT_CHUNKS * CHUNK_PAGES)
		return -ENOSPC;
	if (size < node->size)
		memory_forget(node, size);
	if (node->image && size)
		node_page(node, 0, true);
	node->image = NULL;
	for (chunk = 0; node->chunks && chunk < DIRECT_CHUNKS; chunk++) {
		if (!node->chunks[chunk])
			continue;
		for (index = 0; index < CHUNK_PAGES; index++)
			if (chunk * CHUNK_PAGES + index >= (size + PAGE_SIZE - 1) / PAGE_SIZE)
				free_page(node, chunk * CHUNK_PAGES + index);
		if (chunk * CHUNK_PAGES * PAGE_SIZE >= size) {
			frame_free(phys(node->chunks[chunk]));
			node->chunks[chunk] = NULL;
		}
	}
	if (size < node->size && size & (PAGE_SIZE - 1)) {
		u32 page = node_page(node, size / PAGE_SIZE, false);

		if (page)
			memset((u8 *)virt(page) + (size & (PAGE_SIZE - 1)), 0, PAGE_SIZE - (size & (PAGE_SIZE - 1)));
	}
	node->size = size;
	node_touch(node);
	return 0;
}

/* Adds a line or so: what /proc is made of. */
void node_print(struct node *node, const char *format, ...)
{
	char text[200];
	va_list arguments;

	__builtin_va_start(arguments, format);
	format_arguments(text, sizeof(text), format, arguments);
	__builtin_va_end(arguments);
	node_write(node, node->size, text, strlen(text));
}

/* ---- directories ---- */

s32 directory_fill(struct node *directory)
{
	return directory->tree && directory->tree->fill ? directory->tree->fill(directory) : 0;
}

struct entry *directory_find(struct node *directory, const char *name, u32 length)
{
	struct entry *entry;

	for (entry = directory->entries; entry; entry = entry->next)
		if (entry->length == length && memcmp(entry->name, name, length) == 0)
			return entry;
	return NULL;
}

/* Entries stay in the order in which they came. */
s32 directory_add(struct node *directory, const char *name, u32 length, struct node *node)
{
	struct entry *entry, **link = &directory->entries;

	if (length > 255)
		return -ENAMETOOLONG;
	entry = kalloc(sizeof(*entry) + length + 1);
	entry->node = node_hold(node);
	entry->length = length;
	entry->serial = next_serial++;
	memcpy(entry->name, name, length);
	while (*link)
		link = &(*link)->next;
	*link = entry;
	if (S_IS(node->mode, DIR)) {
		node->parent = directory;
		directory->links++;
	}
	return 0;
}

/* Does not touch the number of links of what was named. */
void directory_remove(struct node *directory, struct entry *entry)
{
	struct entry **link = &directory->entries;

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	if (S_IS(entry->node->mode, DIR))
		directory->links--;
	node_release(entry->node);
	kfree(entry, sizeof(*entry) + entry->length + 1);
}

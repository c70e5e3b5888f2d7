/*
 * directory-calls.c: the system calls about directories: being in one, reading one.
 */
#include "linux.h"

static s32 go_to(struct node *directory)
{
	struct node **mine = &current->process->files->directory, *before = *mine;

	if (!S_IS(directory->mode, DIR))
		return -ENOTDIR;
	*mine = node_hold(directory);
	node_release(before);
	return 0;
}

s32 sys_chdir(u32 path)
{
	struct place place;
	s32 error = path_find_user(AT_FDCWD, path, FOLLOW, &place);

	if (error < 0)
		return error;
	error = go_to(place.node);
	place_release(&place);
	return error;
}

s32 sys_fchdir(u32 number)
{
	struct file *file = file_get(number);

	return file ? go_to(file->node) : -EBADF;
}

s32 sys_getcwd(u32 to, u32 bytes)
{
	char *text = virt(frame_alloc());
	s32 length = path_of(current->process->files->directory, text, PAGE_SIZE);

	if (length >= 0 && (u32)length > bytes)
		length = -ERANGE;
	if (length >= 0 && copy_out(to, text, (u32)length) < 0)
		length = -EFAULT;
	frame_free(phys(text));
	return length;
}

s32 sys_umask(u32 mask)
{
	u32 before = current->process->files->umask;

	current->process->files->umask = mask & 0777;
	return (s32)before;
}

/* ---- reading a directory ---- */

struct directory_entry {
	u64 inode, offset;
	u16 bytes;
	u8 type;
	char name[257];
} __attribute__((packed));

#define ENTRY_HEADER 19

static u32 fill_entry(struct directory_entry *out, const struct node *node, const char *name, u32 length, u32 offset)
{
	out->inode = node->inode;
	out->offset = offset;
	out->bytes = (u16)((ENTRY_HEADER + length + 1 + 7) & ~7u);
	out->type = (u8)(node->mode >> 12);
	memcpy(out->name, name, length);
	out->name[length] = '\0';
	return out->bytes;
}

/* The position is 0 for ".", 1 for "..", and then the serial number from which to go on: entries may vanish in between. */
s32 sys_getdents64(u32 number, u32 to, u32 bytes)
{
	struct file *file = file_get(number);
	struct directory_entry out;
	struct node *directory;
	struct entry *entry;
	u32 used = 0, size, next;

	if (!file || !S_IS(file->node->mode, DIR))
		return file ? -ENOTDIR : -EBADF;
	directory = file->node;
	if (directory_fill(directory) < 0)
		return -EIO;
	for (entry = directory->entries; entry && entry->serial < file->position;)
		entry = entry->next;
	for (;; file->position = next) {
		if (file->position < 2) {
			struct node *node = file->position == 1 && directory->parent ? directory->parent : directory;

			next = file->position + 1;
			size = fill_entry(&out, node, "..", next, next);
		} else if (entry) {
			next = entry->serial + 1;
			size = fill_entry(&out, entry->node, entry->name, entry->length, next);
			entry = entry->next;
		} else {
			return (s32)used;
		}
		if (used + size > bytes)
			return used ? (s32)used : -EINVAL;
		if (copy_out(to + used, &out, size) < 0)
			return -EFAULT;
		used += size;
	}
}

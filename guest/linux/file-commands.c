/*
 * file-commands.c: files from the prompt's side: ls, cat, sum.  They see the tree that programs see.
 */
#include "linux.h"

static const char *what_is_wrong(s32 error)
{
	return error == -ENOENT ? "there is none" : error == -ENOTDIR ? "on the way there is something that is no directory" :
	       error == -EISDIR ? "a directory" : error == -EIO ? "the disk does not say" : "cannot be read";
}

static void complain(const char *command, const char *path, s32 error)
{
	print("%s: %s: %s\n", command, path, what_is_wrong(error));
}

static void list_one(struct node *node, const char *name)
{
	if (S_IS(node->mode, LNK) && node->generate)
		node->generate(node, node);
	print("%06o %9u  %s%s%s\n", node->mode, node->size, name, S_IS(node->mode, LNK) && node->target ? " -> " : "",
	      S_IS(node->mode, LNK) && node->target ? node->target : "");
}

void command_ls(u32 count, char **words)
{
	const char *path = count > 1 ? words[1] : "/";
	struct entry *entry;
	struct node *node;
	s32 error = path_node(path, &node);

	if (error < 0) {
		complain("ls", path, error);
		return;
	}
	if (!S_IS(node->mode, DIR))
		list_one(node, path);
	else if (directory_fill(node) < 0)
		complain("ls", path, -EIO);
	else
		for (entry = node->entries; entry && !console_interrupted(); entry = entry->next)
			list_one(entry->node, entry->name);
	node_release(node);
	if (count < 2 && initrd_broken())
		print("The initrd is no newc archive, or its gzip is broken, or it is too large for this memory.\n");
}

/* Calls `piece` for each piece of the file; returns its length, or an error. */
static s32 read_all(const char *path, void (*piece)(const u8 *data, u32 bytes))
{
	struct node *node;
	struct file *file;
	s32 error = path_node(path, &node), part, done = 0;
	u8 *page;

	if (error < 0)
		return error;
	error = S_IS(node->mode, DIR) ? -EISDIR : S_IS(node->mode, REG) ? file_open(node, O_RDONLY, &file) : -EINVAL;
	node_release(node);
	if (error < 0)
		return error;
	page = virt(frame_alloc());
	while ((part = file->kind->read(file, page, PAGE_SIZE)) > 0 && !console_interrupted()) {
		piece(page, (u32)part);
		done += part;
	}
	frame_free(phys(page));
	file_release(file);
	return part < 0 ? part : done;
}

static void print_piece(const u8 *data, u32 bytes) { console_write((const char *)data, bytes); }

static u32 sum;
static void add_piece(const u8 *data, u32 bytes) { sum = crc32(sum, data, bytes); }

void command_cat(u32 count, char **words)
{
	u32 index;

	for (index = 1; index < count; index++) {
		s32 error = read_all(words[index], print_piece);

		if (error < 0)
			complain("cat", words[index], error);
	}
}

void command_sum(u32 count, char **words)
{
	u32 index;

	for (index = 1; index < count; index++) {
		s32 bytes;

		sum = 0;
		bytes = read_all(words[index], add_piece);
		if (bytes < 0)
			complain("sum", words[index], bytes);
		else
			print("%08x %9d  %s\n", sum, bytes, words[index]);
	}
}

/*
 * file.c: files that are open, and the table by which a program knows them.
 */
#include "linux.h"

struct file *file_create(const struct file_kind *kind, struct node *node, u32 flags)
{
	struct file *file = kalloc(sizeof(*file));

	file->users = 1;
	file->kind = kind;
	file->flags = flags;
	file->node = node ? node_hold(node) : NULL;
	return file;
}

void file_release(struct file *file)
{
	if (--file->users)
		return;
	if (file->kind->close)
		file->kind->close(file);
	if (file->node)
		node_release(file->node);
	kfree(file, sizeof(*file));
}

struct file *file_get(u32 number)
{
	return number < OPEN_FILES ? current->process->files->file[number] : NULL;
}

/* A file whose contents are made now: what the program reads is a copy that nobody changes. */
static s32 open_generated(struct node *node, u32 flags, struct file **file)
{
	struct node *text = node_create(node->mode);
	s32 error = node->generate(node, text);

	if (error >= 0)
		*file = file_create(&regular_kind, text, flags);
	node_release(text);
	return error;
}

s32 file_open(struct node *node, u32 flags, struct file **file)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	const struct file_kind *kind = &regular_kind;
	s32 error = 0;

	if (S_IS(node->mode, DIR)) {
		if (writes || flags & O_CREAT)
			return -EISDIR;
		kind = &directory_kind;
	} else if (flags & O_DIRECTORY) {
		return -ENOTDIR;
	} else if (S_IS(node->mode, LNK)) {
		return -ELOOP;
	} else if (S_IS(node->mode, FIFO)) {
		kind = &pipe_kind;
	} else if (S_IS(node->mode, CHR) || S_IS(node->mode, BLK)) {
		kind = device_kind(node);
		if (!kind)
			return -ENXIO;
	} else if (S_IS(node->mode, SOCK)) {
		return -ENXIO;
	} else if (node->generate) {
		return writes && !(node->mode & 0222) ? -EACCES : open_generated(node, flags, file);
	} else if (writes && node->tree && node->tree->read_only) {
		return -EROFS;
	} else if (flags & O_TRUNC && writes) {
		error = node_truncate(node, 0);
	}
	if (error < 0)
		return error;
	*file = file_create(kind, node, flags & ~(u32)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC));
	if (S_IS(node->mode, FIFO))
		error = fifo_open(*file);
	else if (kind->open)
		error = kind->open(*file);
	if (error < 0) {
		(*file)->kind = &regular_kind;           /* it was never open: nothing to close */
		file_release(*file);
	}
	return error;
}

static void set_close_on_exec(struct files *files, u32 number, bool on)
{
	u8 bit = (u8)(1 << number % 8);

	if (on)
		files->close_on_exec[number / 8] |= bit;
	else
		files->close_on_exec[number / 8] &= (u8)~bit;
}

/* The lowest free number from `from` on.  Takes over the caller's hold on the file, if it can be done. */
s32 file_install(struct file *file, u32 from, bool close_on_exec)
{
	struct files *files = current->process->files;
	u32 number;

	for (number = from; number < OPEN_FILES; number++)
		if (!files->file[number]) {
			files->file[number] = file;
			set_close_on_exec(files, number, close_on_exec);
			return (s32)number;
		}
	return -EMFILE;
}

struct files *files_create(void)
{
	struct files *files = kalloc(sizeof(*files));

	files->users = 1;
	files->umask = 022;
	files->directory = node_hold(root_node);
	return files;
}

struct files *files_fork(const struct files *files)
{
	struct files *copy = kalloc(sizeof(*copy));
	u32 number;

	*copy = *files;
	copy->users = 1;
	node_hold(copy->directory);
	for (number = 0; number < OPEN_FILES; number++)
		if (copy->file[number])
			copy->file[number]->users++;
	return copy;
}

void files_release(struct files *files)
{
	u32 number;

	if (!files || --files->users)
		return;
	for (number = 0; number < OPEN_FILES; number++)
		if (files->file[number])
			file_release(files->file[number]);
	node_release(files->directory);
	kfree(files, sizeof(*files));
}

void files_exec(struct files *files)
{
	u32 number;

	for (number = 0; number < OPEN_FILES; number++)
		if (files->file[number] && files->close_on_exec[number / 8] >> number % 8 & 1) {
			struct file *file = files->file[number];

			files->file[number] = NULL;
			file_release(file);
		}
}

/* Most files never make anybody wait. */
u32 file_poll(struct file *file)
{
	return file->kind->poll ? file->kind->poll(file) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

s32 sys_close(u32 number)
{
	struct file *file = file_get(number);

	if (!file)
		return -EBADF;
	current->process->files->file[number] = NULL;
	file_release(file);
	return 0;
}

static s32 duplicate(u32 number, u32 from, bool close_on_exec)
{
	struct file *file = file_get(number);
	s32 result;

	if (!file)
		return -EBADF;
	if (from >= OPEN_FILES)
		return -EINVAL;
	result = file_install(file, from, close_on_exec);
	if (result >= 0)
		file->users++;
	return result;
}

s32 sys_dup(u32 number)
{
	return duplicate(number, 0, false);
}

s32 sys_dup3(u32 from, u32 to, u32 flags)
{
	if (from == to)
		return -EINVAL;
	if (!file_get(from) || to >= OPEN_FILES)
		return -EBADF;
	if (file_get(to))
		sys_close(to);
	return duplicate(from, to, (flags & O_CLOEXEC) != 0);
}

s32 sys_dup2(u32 from, u32 to)
{
	if (from == to)
		return file_get(from) ? (s32)to : -EBADF;
	return sys_dup3(from, to, 0);
}

/* Locks: there is nobody here who would not wait for his turn; what we promise is what a lone program would see. */
s32 sys_fcntl(u32 number, u32 command, u32 argument)
{
	struct files *files = current->process->files;
	struct file *file = file_get(number);
	const u32 changeable = O_APPEND | O_NONBLOCK;
	const u16 unlocked = 2;

	if (!file)
		return -EBADF;
	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return duplicate(number, argument, command == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return files->close_on_exec[number / 8] >> number % 8 & 1;
	case F_SETFD:
		set_close_on_exec(files, number, argument & 1);
		return 0;
	case F_GETFL:
		return (s32)(file->flags | 0100000);     /* O_LARGEFILE */
	case F_SETFL:
		file->flags = (file->flags & ~changeable) | (argument & changeable);
		return 0;
	case F_GETLK:
	case F_GETLK64:
		return copy_out(argument, &unlocked, sizeof(unlocked));
	case F_SETLK:
	case F_SETLKW:
	case F_SETLK64:
	case F_SETLKW64:
		return 0;
	}
	return -EINVAL;
}

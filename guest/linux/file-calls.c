/*
 * file-calls.c: the system calls about open files: reading, writing, seeking.
 */
#include "linux.h"

#define MAX_TRANSFER 0x7FFFF000u
#define MAX_VECTORS 1024

static s32 regular_read(struct file *file, void *to, u32 bytes)
{
	s32 done = node_read(file->node, file->position, to, bytes);

	if (done > 0)
		file->position += (u32)done;
	return done;
}

static s32 regular_write(struct file *file, const void *from, u32 bytes)
{
	s32 done;

	if (file->flags & O_APPEND)
		file->position = file->node->size;
	done = node_write(file->node, file->position, from, bytes);
	if (done > 0)
		file->position += (u32)done;
	return done;
}

static s32 no_read(struct file *file, void *to, u32 bytes)
{
	(void)file, (void)to, (void)bytes;
	return -EISDIR;
}

const struct file_kind regular_kind = {.read = regular_read, .write = regular_write, .seekable = true};
const struct file_kind directory_kind = {.read = no_read, .seekable = true};

static s32 create(struct place *place, u32 mode)
{
	s32 error;

	if (place->slash)
		return -EISDIR;
	if (place->directory->tree)
		return place->directory->tree->read_only ? -EROFS : -EACCES;
	place->node = node_create(S_IFREG | (mode & 07777 & ~current->process->files->umask));
	error = directory_add(place->directory, place->name, place->length, place->node);
	if (error >= 0)
		node_touch(place->directory);
	return error;
}

s32 sys_openat(s32 directory, u32 path, u32 flags, u32 mode)
{
	u32 how = (flags & O_NOFOLLOW || (flags & O_CREAT && flags & O_EXCL)) ? 0 : FOLLOW;
	struct place place;
	struct file *file;
	s32 result = path_find_user(directory, path, how | (flags & O_CREAT ? WANT_PARENT : 0), &place);

	if (result < 0)
		return result;
	if (!place.node)
		result = create(&place, mode);
	else if (flags & O_CREAT && flags & O_EXCL)
		result = -EEXIST;
	if (result >= 0)
		result = file_open(place.node, flags, &file);
	place_release(&place);
	if (result < 0)
		return result;
	result = file_install(file, 0, (flags & O_CLOEXEC) != 0);
	if (result < 0)
		file_release(file);
	return result;
}

s32 sys_open(u32 path, u32 flags, u32 mode)
{
	return sys_openat(AT_FDCWD, path, flags, mode);
}

s32 sys_creat(u32 path, u32 mode)
{
	return sys_open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* The file, if it can be read (or written), held while that goes on. */
static s32 usable(u32 number, bool to_write, struct file **file)
{
	*file = file_get(number);
	if (!*file || ((*file)->flags & O_ACCMODE) == (to_write ? O_RDONLY : O_WRONLY))
		return -EBADF;
	if (to_write ? !(*file)->kind->write : !(*file)->kind->read)
		return -EINVAL;
	(*file)->users++;
	return 0;
}

s32 sys_read(u32 number, u32 to, u32 bytes)
{
	struct file *file;
	s32 result = usable(number, false, &file);

	if (result < 0)
		return result;
	if (bytes > MAX_TRANSFER)
		bytes = MAX_TRANSFER;
	result = user_range(to, bytes) ? file->kind->read(file, (void *)to, bytes) : -EFAULT;
	file_release(file);
	return result;
}

s32 sys_write(u32 number, u32 from, u32 bytes)
{
	struct file *file;
	s32 result = usable(number, true, &file);

	if (result < 0)
		return result;
	if (bytes > MAX_TRANSFER)
		bytes = MAX_TRANSFER;
	result = user_range(from, bytes) ? file->kind->write(file, (const void *)from, bytes) : -EFAULT;
	file_release(file);
	return result;
}

/* One vector after the other, until one of them does not get all it wants. */
static s32 transfer_vectors(u32 number, u32 vectors, u32 count, s32 (*transfer)(u32 number, u32 at, u32 bytes))
{
	u32 vector[2], index;
	s32 done = 0, part;

	if (count > MAX_VECTORS)
		return -EINVAL;
	if (!count)
		return transfer(number, 0, 0);
	for (index = 0; index < count; index++) {
		if (copy_in(vector, vectors + index * sizeof(vector), sizeof(vector)) < 0)
			return done ? done : -EFAULT;
		if (!vector[1])
			continue;
		part = transfer(number, vector[0], vector[1]);
		if (part < 0)
			return done ? done : part;
		done += part;
		if ((u32)part < vector[1])
			break;
	}
	return done;
}

s32 sys_readv(u32 number, u32 vectors, u32 count) { return transfer_vectors(number, vectors, count, sys_read); }
s32 sys_writev(u32 number, u32 vectors, u32 count) { return transfer_vectors(number, vectors, count, sys_write); }

static s32 transfer_at(u32 number, u32 memory, u32 bytes, u32 low, u32 high, s32 (*transfer)(u32, u32, u32))
{
	struct file *file = file_get(number);
	u32 before, flags;
	s32 result;

	if (!file)
		return -EBADF;
	if (!file->kind->seekable)
		return -ESPIPE;
	if (high)
		return -EINVAL;
	before = file->position;
	flags = file->flags;
	file->position = low;
	file->flags &= ~(u32)O_APPEND;
	result = transfer(number, memory, bytes);
	file->position = before;
	file->flags = flags;
	return result;
}

s32 sys_pread64(u32 number, u32 to, u32 bytes, u32 low, u32 high)
{
	return transfer_at(number, to, bytes, low, high, sys_read);
}

s32 sys_pwrite64(u32 number, u32 from, u32 bytes, u32 low, u32 high)
{
	return transfer_at(number, from, bytes, low, high, sys_write);
}

s32 sys__llseek(u32 number, u32 high, u32 low, u32 result, u32 from)
{
	struct file *file = file_get(number);
	u64 position = (u64)high << 32 | low;

	if (!file)
		return -EBADF;
	if (!file->kind->seekable)
		return -ESPIPE;
	if (from > 2)
		return -EINVAL;
	position += from == 1 ? file->position : from == 2 ? file->node->size : 0;
	if (position >> 32)
		return -EINVAL;
	if (result && copy_out(result, &position, sizeof(position)) < 0)
		return -EFAULT;
	file->position = (u32)position;
	return 0;
}

s32 sys_lseek(u32 number, s32 offset, u32 from)
{
	s32 result = sys__llseek(number, offset < 0 ? ~0u : 0, (u32)offset, 0, from);

	return result < 0 ? result : (s32)file_get(number)->position;
}

s32 sys_ioctl(u32 number, u32 request, u32 argument)
{
	struct file *file = file_get(number);
	u32 on, left;

	if (!file)
		return -EBADF;
	if (request == FIONBIO) {
		if (copy_in(&on, argument, sizeof(on)) < 0)
			return -EFAULT;
		file->flags = on ? file->flags | O_NONBLOCK : file->flags & ~(u32)O_NONBLOCK;
		return 0;
	}
	if (request == FIONREAD && file->kind == &regular_kind) {
		left = file->node->size - file->position;
		return copy_out(argument, &left, sizeof(left));
	}
	return file->kind->ioctl ? file->kind->ioctl(file, request, argument) : -ENOTTY;
}

s32 sys_ftruncate64(u32 number, u32 low, u32 high)
{
	struct file *file = file_get(number);

	if (!file)
		return -EBADF;
	if (file->kind != &regular_kind || (file->flags & O_ACCMODE) == O_RDONLY || high)
		return -EINVAL;
	return node_truncate(file->node, low);
}

s32 sys_ftruncate(u32 number, u32 size) { return sys_ftruncate64(number, size, 0); }

/* What is written is where it belongs: in memory. */
s32 sys_fsync(u32 number)
{
	return file_get(number) ? 0 : -EBADF;
}

s32 sys_sendfile64(u32 to, u32 from, u32 offset, u32 bytes)
{
	struct file *source = file_get(from), *target;
	u8 *page;
	s32 done = 0, part = 0, result;

	if (!source || !source->kind->seekable || !source->kind->read || offset)
		return source ? -EINVAL : -EBADF;
	result = usable(to, true, &target);
	if (result < 0)
		return result;
	source->users++;
	page = kalloc(PAGE_SIZE);
	while ((u32)done < bytes) {
		u32 position = source->position;

		part = source->kind->read(source, page, bytes - (u32)done < PAGE_SIZE ? bytes - (u32)done : PAGE_SIZE);
		if (part <= 0)
			break;
		part = target->kind->write(target, page, (u32)part);
		if (part <= 0) {
			source->position = position;
			break;
		}
		source->position = position + (u32)part;
		done += part;
	}
	kfree(page, PAGE_SIZE);
	file_release(source);
	file_release(target);
	return done ? done : part;
}

s32 sys_sendfile(u32 to, u32 from, u32 offset, u32 bytes) { return sys_sendfile64(to, from, offset, bytes); }

s32 sys_memfd_create(u32 name, u32 flags)
{
	struct node *node = node_create(S_IFREG | 0777);
	struct file *file = file_create(&regular_kind, node, O_RDWR);
	s32 number = file_install(file, 0, flags & 1);

	(void)name;
	node_release(node);
	if (number < 0)
		file_release(file);
	return number;
}

/*
 * name-calls.c: the system calls about names: directories, links, renaming.
 */
#include "linux.h"

static s32 writable(const struct node *directory)
{
	if (!directory->tree)
		return 0;
	return directory->tree->read_only ? -EROFS : -EPERM;
}

/* A new name in a directory that lives in memory. */
static s32 new_place(s32 directory, u32 path, struct place *place)
{
	s32 error = path_find_user(directory, path, WANT_PARENT, place);

	if (error < 0)
		return error;
	error = place->node ? -EEXIST : writable(place->directory);
	if (error < 0)
		place_release(place);
	return error;
}

static s32 add(struct place *place, struct node *node)
{
	s32 error = directory_add(place->directory, place->name, place->length, node);

	if (error >= 0)
		node_touch(place->directory);
	return error;
}

s32 sys_mknodat(s32 directory, u32 path, u32 mode, u32 device)
{
	struct place place;
	struct node *node;
	s32 error;

	if (!(mode & S_IFMT))
		mode |= S_IFREG;
	error = new_place(directory, path, &place);
	if (error < 0)
		return error;
	node = node_create(mode & ~(current->process->files->umask & 0777));
	node->device = device;
	error = place.slash && !S_IS(mode, DIR) ? -ENOENT : add(&place, node);
	node_release(node);
	place_release(&place);
	return error;
}

s32 sys_mknod(u32 path, u32 mode, u32 device) { return sys_mknodat(AT_FDCWD, path, mode, device); }

s32 sys_mkdirat(s32 directory, u32 path, u32 mode)
{
	return sys_mknodat(directory, path, S_IFDIR | (mode & 01777), 0);
}

s32 sys_mkdir(u32 path, u32 mode) { return sys_mkdirat(AT_FDCWD, path, mode); }

static s32 may_remove(const struct place *place, bool directory)
{
	struct node *node = place->node;

	if (node->covers || node == root_node)
		return -EBUSY;
	if (writable(place->directory) < 0)
		return writable(place->directory);
	if (!directory)
		return S_IS(node->mode, DIR) ? -EISDIR : 0;
	if (!S_IS(node->mode, DIR))
		return -ENOTDIR;
	if (place->length == 1 && place->name[0] == '.')
		return -EINVAL;
	return node->entries || (place->length == 2 && place->name[0] == '.' && place->name[1] == '.') ? -ENOTEMPTY : 0;
}

static void remove_entry(struct node *directory, const char *name, u32 length)
{
	struct entry *entry = directory_find(directory, name, length);

	entry->node->links -= S_IS(entry->node->mode, DIR) ? 2 : 1;
	directory_remove(directory, entry);
	node_touch(directory);
}

s32 sys_unlinkat(s32 directory, u32 path, u32 flags)
{
	struct place place;
	s32 error = path_find_user(directory, path, 0, &place);

	if (error < 0)
		return error;
	error = may_remove(&place, (flags & AT_REMOVEDIR) != 0);
	if (error >= 0)
		remove_entry(place.directory, place.name, place.length);
	place_release(&place);
	return error;
}

s32 sys_unlink(u32 path) { return sys_unlinkat(AT_FDCWD, path, 0); }
s32 sys_rmdir(u32 path) { return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

s32 sys_linkat(s32 from_directory, u32 from, s32 to_directory, u32 to, u32 flags)
{
	struct place old, new;
	s32 error = path_find_user(from_directory, from, flags & AT_SYMLINK_FOLLOW ? FOLLOW : 0, &old);

	if (error < 0)
		return error;
	error = S_IS(old.node->mode, DIR) ? -EPERM : new_place(to_directory, to, &new);
	if (error >= 0) {
		error = old.node->tree ? -EXDEV : add(&new, old.node);
		if (error >= 0)
			old.node->links++;
		place_release(&new);
	}
	place_release(&old);
	return error;
}

s32 sys_link(u32 from, u32 to) { return sys_linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

s32 sys_symlinkat(u32 target, s32 directory, u32 path)
{
	char *text = virt(frame_alloc());
	struct place place;
	struct node *node;
	s32 length = copy_string_in(text, target, PAGE_SIZE), error;

	error = length > 0 ? new_place(directory, path, &place) : length < 0 ? length : -ENOENT;
	if (error >= 0) {
		node = node_create(S_IFLNK | 0777);
		node->size = (u32)length;
		node->target = kalloc((u32)length + 1);
		memcpy(node->target, text, (u32)length + 1);
		error = add(&place, node);
		node_release(node);
		place_release(&place);
	}
	frame_free(phys(text));
	return error;
}

s32 sys_symlink(u32 target, u32 path) { return sys_symlinkat(target, AT_FDCWD, path); }

s32 sys_readlinkat(s32 directory, u32 path, u32 to, u32 bytes)
{
	struct place place;
	s32 result = path_find_user(directory, path, 0, &place);
	u32 length;

	if (result < 0)
		return result;
	if (!S_IS(place.node->mode, LNK) || (s32)bytes <= 0) {
		place_release(&place);
		return -EINVAL;
	}
	if (place.node->generate)
		place.node->generate(place.node, place.node);
	if (place.node->target) {
		length = strlen(place.node->target);
		if (bytes > length)
			bytes = length;
		result = copy_out(to, place.node->target, bytes) < 0 ? -EFAULT : (s32)bytes;
	} else {
		result = -ENOENT;
	}
	place_release(&place);
	return result;
}

s32 sys_readlink(u32 path, u32 to, u32 bytes) { return sys_readlinkat(AT_FDCWD, path, to, bytes); }

/* Is `inner` the directory `outer`, or somewhere below it? */
static bool inside(const struct node *inner, const struct node *outer)
{
	for (; inner; inner = inner->parent)
		if (inner == outer)
			return true;
	return false;
}

static s32 rename_checked(struct place *old, struct place *new)
{
	struct node *node = old->node;
	bool directory = S_IS(node->mode, DIR);
	s32 error = may_remove(old, false);

	if (error < 0 && !(error == -EISDIR && directory))
		return error;
	error = writable(new->directory);
	if (error < 0 || new->node == node)
		return error;
	if (directory && inside(new->directory, node))
		return -EINVAL;
	if (new->slash && !directory)
		return -ENOTDIR;
	if (new->node) {
		if (S_IS(new->node->mode, DIR) && !directory)
			return -EISDIR;
		error = may_remove(new, directory);
		if (error < 0)
			return error;
		remove_entry(new->directory, new->name, new->length);
	}
	error = add(new, node);
	if (error >= 0) {
		directory_remove(old->directory, directory_find(old->directory, old->name, old->length));
		node_touch(old->directory);
		if (directory)
			node->parent = new->directory;
	}
	return error;
}

s32 sys_renameat2(s32 from_directory, u32 from, s32 to_directory, u32 to, u32 flags)
{
	struct place old, new;
	s32 error = path_find_user(from_directory, from, 0, &old);

	if (error < 0)
		return error;
	error = path_find_user(to_directory, to, WANT_PARENT, &new);
	if (error >= 0) {
		error = flags & 1 && new.node ? -EEXIST : flags & ~1u ? -EINVAL : rename_checked(&old, &new);
		place_release(&new);
	}
	place_release(&old);
	return error;
}

s32 sys_renameat(s32 from_directory, u32 from, s32 to_directory, u32 to)
{
	return sys_renameat2(from_directory, from, to_directory, to, 0);
}

s32 sys_rename(u32 from, u32 to) { return sys_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

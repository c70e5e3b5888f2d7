/*
 * mount.c: other trees in ours.
 *
 * /proc and /dev are there from the beginning: to mount them again where they are changes nothing.  A tmpfs is an empty
 * directory, a disk with an ext2 file system is read as it is needed.
 */
#include "../devices.h"
#include "linux.h"

#define MAX_MOUNTS 16
#define MS_REMOUNT 32

static struct {
	char source[32], path[64];
	const char *type;
	struct node *at, *root;
	bool read_only;
} table[MAX_MOUNTS];

void mounts_list(struct node *text)
{
	u32 index;

	node_print(text, "rootfs / rootfs rw 0 0\nproc /proc proc rw 0 0\ndevtmpfs /dev devtmpfs rw 0 0\n");
	for (index = 0; index < MAX_MOUNTS; index++)
		if (table[index].root)
			node_print(text, "%s %s %s %s 0 0\n", table[index].source, table[index].path, table[index].type,
				   table[index].read_only ? "ro" : "rw");
}

static s32 attach(struct node *at, struct node *root, const char *source, const char *type, bool read_only)
{
	u32 index;

	for (index = 0; index < MAX_MOUNTS && table[index].root;)
		index++;
	if (index == MAX_MOUNTS)
		return -ENOMEM;
	if (path_of(at, table[index].path, sizeof(table[index].path)) < 0)
		return -EINVAL;
	copy_text(table[index].source, sizeof(table[index].source), source);
	table[index].type = type;
	table[index].at = node_hold(at);
	table[index].root = node_hold(root);
	table[index].read_only = read_only;
	at->covered_by = root;
	root->covers = at;
	return 0;
}

/* "/dev/vda", "vda" */
static s32 root_of_disk(const char *source, struct node **root)
{
	const char *name = source, *at;

	for (at = source; *at; at++)
		if (*at == '/')
			name = at + 1;
	return disk_find(name) ? ext2_mount(name, root) : -ENODEV;
}

s32 mount(const char *source, const char *type, struct node *at)
{
	bool disk = false;
	struct node *root;
	s32 error;

	if (!S_IS(at->mode, DIR))
		return -ENOTDIR;
	if (strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0 || strncmp(type, "dev", 3) == 0)
		return 0;
	if (strcmp(type, "tmpfs") == 0 || strcmp(type, "ramfs") == 0) {
		root = node_create(S_IFDIR | 01777);
		type = "tmpfs";
	} else if (strncmp(type, "ext", 3) == 0 || strcmp(type, "auto") == 0) {
		error = root_of_disk(source, &root);
		if (error < 0)
			return error;
		type = "ext2";
		disk = true;
	} else {
		return -ENODEV;
	}
	error = attach(at, root, source, type, disk);
	node_release(root);
	return error;
}

s32 sys_mount(u32 source_at, u32 target_at, u32 type_at, u32 flags, u32 data)
{
	char source[64] = "none", type[32] = "auto";
	struct place place;
	s32 error;

	(void)data;
	if ((source_at && copy_string_in(source, source_at, sizeof(source)) < 0) ||
	    (type_at && copy_string_in(type, type_at, sizeof(type)) < 0))
		return -EFAULT;
	error = path_find_user(AT_FDCWD, target_at, FOLLOW, &place);
	if (error < 0)
		return error;
	error = flags & MS_REMOUNT ? 0 : mount(source, type, place.node);
	place_release(&place);
	return error;
}

/* Is anybody in there?  Every node in the tree is held once by its directory. */
static bool busy(const struct node *directory, u32 expected)
{
	const struct entry *entry;

	if (directory->users > expected || directory->covered_by)
		return true;
	for (entry = directory->entries; entry; entry = entry->next)
		if (S_IS(entry->node->mode, DIR) ? busy(entry->node, 1) : entry->node->users > entry->node->links)
			return true;
	return false;
}

s32 sys_umount2(u32 target, u32 flags)
{
	struct place place;
	u32 index;
	s32 error = path_find_user(AT_FDCWD, target, FOLLOW, &place);

	(void)flags;
	if (error < 0)
		return error;
	for (index = 0; index < MAX_MOUNTS && (!table[index].root || table[index].root != place.node);)
		index++;
	place_release(&place);
	if (index == MAX_MOUNTS)
		return -EINVAL;
	if (busy(table[index].root, 1))
		return -EBUSY;
	table[index].at->covered_by = NULL;
	table[index].root->covers = NULL;
	node_release(table[index].at);
	node_release(table[index].root);
	table[index].root = NULL;
	return 0;
}

/*
 * stat-calls.c: the system calls that ask about files, and those that change what is asked about.
 */
#include "linux.h"

#define UTIME_NOW 0x3FFFFFFF
#define UTIME_OMIT 0x3FFFFFFE
#define TMPFS_MAGIC 0x01021994
#define EXT2_MAGIC 0xEF53
#define PROC_MAGIC 0x9FA0

static s32 write_stat(const struct node *node, u32 to)
{
	struct stat64 stat = {
		.device = node->tree ? node->tree->device : 2, .short_inode = node->inode, .inode = node->inode,
		.mode = node->mode, .links = node->links, .uid = node->uid, .gid = node->gid, .rdevice = node->device,
		.size = S_IS(node->mode, DIR) && !node->size ? PAGE_SIZE : node->size, .block_size = PAGE_SIZE,
		.blocks = S_IS(node->mode, REG) ? (node->size + PAGE_SIZE - 1) / PAGE_SIZE * 8 : 0,
		.atime = node->atime, .mtime = node->mtime, .ctime = node->ctime, .mtime_ns = node->mtime_ns,
		.ctime_ns = node->mtime_ns,
	};

	return copy_out(to, &stat, sizeof(stat));
}

/* The node a path, or an open file, leads to; held. */
static s32 find(s32 directory, u32 path, u32 flags, struct node **node)
{
	struct place place;
	struct file *file;
	char first = 1;
	s32 error;

	if (flags & AT_EMPTY_PATH || !path) {
		if (path && copy_in(&first, path, 1) < 0)
			return -EFAULT;
		if (!path || !first) {
			file = file_get((u32)directory);
			if (!file)
				return -EBADF;
			*node = node_hold(file->node ? file->node : root_node);
			return 0;
		}
	}
	error = path_find_user(directory, path, flags & AT_SYMLINK_NOFOLLOW ? 0 : FOLLOW, &place);
	if (error < 0)
		return error;
	*node = node_hold(place.node);
	place_release(&place);
	return 0;
}

s32 sys_fstatat64(s32 directory, u32 path, u32 to, u32 flags)
{
	struct node *node;
	s32 error = find(directory, path, flags, &node);

	if (error < 0)
		return error;
	if (S_IS(node->mode, LNK) && node->generate)
		node->generate(node, node);
	error = write_stat(node, to);
	node_release(node);
	return error;
}

s32 sys_stat64(u32 path, u32 to) { return path ? sys_fstatat64(AT_FDCWD, path, to, 0) : -EFAULT; }
s32 sys_lstat64(u32 path, u32 to) { return path ? sys_fstatat64(AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW) : -EFAULT; }
s32 sys_fstat64(u32 number, u32 to) { return sys_fstatat64((s32)number, 0, to, 0); }

/* Root may do everything, but what nobody may run is no program. */
s32 sys_faccessat(s32 directory, u32 path, u32 mode)
{
	struct node *node;
	s32 error = find(directory, path, 0, &node);

	if (error < 0)
		return error;
	if (mode & 1 && S_IS(node->mode, REG) && !(node->mode & 0111))
		error = -EACCES;
	if (mode & 2 && node->tree && node->tree->read_only)
		error = -EROFS;
	node_release(node);
	return error;
}

s32 sys_access(u32 path, u32 mode) { return sys_faccessat(AT_FDCWD, path, mode); }

/* What is common to all changes: the node must be one that can be changed. */
static s32 find_to_change(s32 directory, u32 path, u32 flags, struct node **node)
{
	s32 error = find(directory, path, flags, node);

	if (error >= 0 && (*node)->tree) {
		error = (*node)->tree->read_only ? -EROFS : -EPERM;
		node_release(*node);
	}
	return error;
}

s32 sys_fchmodat(s32 directory, u32 path, u32 mode)
{
	struct node *node;
	s32 error = find_to_change(directory, path, 0, &node);

	if (error < 0)
		return error;
	node->mode = (node->mode & S_IFMT) | (mode & 07777);
	wall_clock(&node->ctime, &(u32){0});
	node_release(node);
	return 0;
}

s32 sys_chmod(u32 path, u32 mode) { return path ? sys_fchmodat(AT_FDCWD, path, mode) : -EFAULT; }
s32 sys_fchmod(u32 number, u32 mode) { return sys_fchmodat((s32)number, 0, mode); }

s32 sys_fchownat(s32 directory, u32 path, u32 user, u32 group, u32 flags)
{
	struct node *node;
	s32 error = find_to_change(directory, path, flags, &node);

	if (error < 0)
		return error;
	node->uid = user == ~0u ? node->uid : user;
	node->gid = group == ~0u ? node->gid : group;
	wall_clock(&node->ctime, &(u32){0});
	node_release(node);
	return 0;
}

s32 sys_chown32(u32 path, u32 user, u32 group) { return sys_fchownat(AT_FDCWD, path, user, group, 0); }
s32 sys_lchown32(u32 path, u32 user, u32 group) { return sys_fchownat(AT_FDCWD, path, user, group, AT_SYMLINK_NOFOLLOW); }
s32 sys_fchown32(u32 number, u32 user, u32 group) { return sys_fchownat((s32)number, 0, user, group, 0); }

s32 sys_truncate64(u32 path, u32 low, u32 high)
{
	struct node *node;
	s32 error = find_to_change(AT_FDCWD, path, 0, &node);

	if (error < 0)
		return error;
	error = high || !S_IS(node->mode, REG) ? -EINVAL : node_truncate(node, low);
	node_release(node);
	return error;
}

/* Nothing is kept for later: all there is to do is to make it longer.  With a mode it is about holes, which we do not make. */
s32 sys_fallocate(u32 number, u32 mode, u32 at, u32 at_high, u32 bytes, u32 bytes_high)
{
	struct file *file = file_get(number);

	if (!file || (file->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (file->kind != &regular_kind || !(bytes | bytes_high))
		return file->kind == &regular_kind ? -EINVAL : -ENODEV;
	if (mode)
		return -EOPNOTSUPP;
	if (at_high | bytes_high || at + bytes < at)
		return -EFBIG;
	return at + bytes > file->node->size ? node_truncate(file->node, at + bytes) : 0;
}

/* ---- times ---- */

static void set_times(struct node *node, const struct timespec64 *times)
{
	u32 now, now_ns;

	wall_clock(&now, &now_ns);
	if (!times || times[0].nanoseconds == UTIME_NOW)
		node->atime = now;
	else if (times[0].nanoseconds != UTIME_OMIT)
		node->atime = (u32)times[0].seconds;
	if (!times || times[1].nanoseconds == UTIME_NOW) {
		node->mtime = now;
		node->mtime_ns = now_ns;
	} else if (times[1].nanoseconds != UTIME_OMIT) {
		node->mtime = (u32)times[1].seconds;
		node->mtime_ns = times[1].nanoseconds;
	}
	node->ctime = now;
}

static s32 change_times(s32 directory, u32 path, const struct timespec64 *times, u32 flags)
{
	struct node *node;
	s32 error = find_to_change(directory, path, flags, &node);

	if (error < 0)
		return error;
	set_times(node, times);
	node_release(node);
	return 0;
}

static s32 utimens(s32 directory, u32 path, u32 at, u32 flags, bool wide)
{
	struct timespec64 times[2];
	u32 size = wide ? sizeof(struct timespec64) : sizeof(struct timespec);

	if (at && (read_timespec(at, wide, &times[0]) < 0 || read_timespec(at + size, wide, &times[1]) < 0))
		return -EFAULT;
	return change_times(directory, path, at ? times : NULL, flags);
}

s32 sys_utimensat(s32 directory, u32 path, u32 times, u32 flags) { return utimens(directory, path, times, flags, false); }
s32 sys_utimensat_time64(s32 directory, u32 path, u32 times, u32 flags) { return utimens(directory, path, times, flags, true); }

s32 sys_utimes(u32 path, u32 at)
{
	struct timespec64 times[2];
	struct timeval values[2];

	if (!at)
		return change_times(AT_FDCWD, path, NULL, 0);
	if (copy_in(values, at, sizeof(values)) < 0)
		return -EFAULT;
	times[0] = (struct timespec64){.seconds = values[0].seconds, .nanoseconds = (u32)values[0].microseconds * 1000};
	times[1] = (struct timespec64){.seconds = values[1].seconds, .nanoseconds = (u32)values[1].microseconds * 1000};
	return change_times(AT_FDCWD, path, times, 0);
}

s32 sys_utime(u32 path, u32 at)
{
	struct timespec64 times[2] = {{0}};
	s32 seconds[2] = {0};

	if (at && copy_in(seconds, at, sizeof(seconds)) < 0)
		return -EFAULT;
	times[0].seconds = seconds[0];
	times[1].seconds = seconds[1];
	return change_times(AT_FDCWD, path, at ? times : NULL, 0);
}

/* ---- file systems ---- */

struct statfs64 {
	u32 type, block_size;
	u64 blocks, free, available, files, files_free;
	u32 id[2], name_length, fragment_size, flags, spare[4];
} __attribute__((packed));

static void fill_statfs(const struct node *node, struct statfs64 *out)
{
	*out = (struct statfs64){
		.type = TMPFS_MAGIC, .block_size = PAGE_SIZE, .blocks = frames_total(), .free = frames_total() - frames_used(),
		.files = 65536, .files_free = 65536, .name_length = 255, .fragment_size = PAGE_SIZE,
	};
	if (node->tree) {
		out->type = node->tree->read_only ? EXT2_MAGIC : PROC_MAGIC;
		out->blocks = out->free = 0;
	}
	out->available = out->free;
}

s32 sys_fstatfs64(u32 number, u32 bytes, u32 to)
{
	struct file *file = file_get(number);
	struct statfs64 out;

	if (!file || bytes < sizeof(out))
		return file ? -EINVAL : -EBADF;
	fill_statfs(file->node, &out);
	return copy_out(to, &out, sizeof(out));
}

s32 sys_statfs64(u32 path, u32 bytes, u32 to)
{
	struct statfs64 out;
	struct node *node;
	s32 error = find(AT_FDCWD, path, 0, &node);

	if (error < 0)
		return error;
	fill_statfs(node, &out);
	node_release(node);
	return bytes < sizeof(out) ? -EINVAL : copy_out(to, &out, sizeof(out));
}

/* The old one: the same in 32 bits. */
s32 sys_statfs(u32 path, u32 to)
{
	struct statfs64 wide;
	struct node *node;
	s32 error = find(AT_FDCWD, path, 0, &node);

	if (error < 0)
		return error;
	fill_statfs(node, &wide);
	node_release(node);
	return copy_out(to, &(u32[16]){wide.type, wide.block_size, (u32)wide.blocks, (u32)wide.free, (u32)wide.available,
				       (u32)wide.files, (u32)wide.files_free, 0, 0, 255, PAGE_SIZE}, 64);
}

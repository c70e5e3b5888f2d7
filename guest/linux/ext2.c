/*
 * ext2.c: reading a disk that has an ext2 file system on it (ext3 and ext4 too, as far as they are like it: extents).
 *
 * A directory becomes nodes when somebody looks into it for the first time; what a file holds is read page by page, each time
 * it is asked for, through a small cache of blocks.
 */
#include "../devices.h"
#include "linux.h"

#define SUPERBLOCK_OFFSET 1024
#define EXT2_MAGIC 0xEF53
#define ROOT_INODE 2
#define EXTENTS_FLAG 0x80000
#define EXTENT_MAGIC 0xF30A
#define WIDE_DESCRIPTORS 0x0080
#define INCOMPATIBLE_KNOWN (0x0002 | 0x0040 | WIDE_DESCRIPTORS | 0x0200)         /* types in directories, extents, flexible groups */
#define CACHE_BLOCKS 16

struct ext2 {
	struct tree tree;
	struct disk *disk;
	u32 block_bytes, inodes_per_group, inode_bytes, groups_at, descriptor_bytes, inodes;
};

struct inode {
	u16 mode, uid;
	u32 size, atime, ctime, mtime, dtime;
	u16 gid, links;
	u32 blocks, flags, reserved;
	u32 block[15];
};

static struct ext2 systems[MAX_DISKS];
static struct {
	const struct ext2 *system;
	u32 block;
	u8 *data;
} cache[CACHE_BLOCKS];

/* A block, good until some others have been asked for; NULL if the disk does not give it. */
static const u8 *block_get(const struct ext2 *system, u32 block)
{
	static u32 next;
	u32 index, sectors = system->block_bytes / SECTOR_SIZE;

	for (index = 0; index < CACHE_BLOCKS; index++)
		if (cache[index].system == system && cache[index].block == block)
			return cache[index].data;
	index = next++ % CACHE_BLOCKS;
	if (!cache[index].data)
		cache[index].data = kalloc(PAGE_SIZE);
	cache[index].system = NULL;
	if ((u64)block * sectors + sectors > disk_sectors(system->disk) ||
	    disk_do(system->disk, DISK_READ, (u64)block * sectors, cache[index].data, system->block_bytes) != 0)
		return NULL;
	cache[index].system = system;
	cache[index].block = block;
	return cache[index].data;
}

static u32 word(const u8 *at) { return *(const u32 *)at; }
static u32 half(const u8 *at) { return *(const u16 *)at; }

static bool inode_get(const struct ext2 *system, u32 number, struct inode *inode)
{
	u32 group = (number - 1) / system->inodes_per_group, index = (number - 1) % system->inodes_per_group;
	u32 at = system->groups_at * system->block_bytes + group * system->descriptor_bytes, table;
	const u8 *block = block_get(system, at / system->block_bytes);

	if (!block || !number || number > system->inodes)
		return false;
	table = word(block + at % system->block_bytes + 8);
	block = block_get(system, table + index * system->inode_bytes / system->block_bytes);
	if (!block)
		return false;
	memcpy(inode, block + index * system->inode_bytes % system->block_bytes, sizeof(*inode));
	return true;
}

/* ---- which block of the disk is the nth of a file; 0: a hole ---- */

static u32 by_extents(const struct ext2 *system, const struct inode *inode, u32 wanted)
{
	const u8 *header = (const u8 *)inode->block;
	u32 depth, index;

	for (depth = 0; depth < 6; depth++) {
		u32 count = half(header + 2), level = half(header + 6), found = 0;

		if (half(header) != EXTENT_MAGIC || count > system->block_bytes / 12)
			return 0;
		for (index = 0; index < count; index++) {
			const u8 *entry = header + 12 + index * 12;

			if (level && word(entry) <= wanted)
				found = word(entry + 4);
			else if (!level && wanted - word(entry) < (half(entry + 4) & 0x7FFF) && half(entry + 4) <= 0x8000)
				return word(entry + 8) + (wanted - word(entry));
		}
		if (!level || !found || !(header = block_get(system, found)))
			return 0;
	}
	return 0;
}

static u32 by_pointers(const struct ext2 *system, const struct inode *inode, u32 wanted)
{
	u32 pointers = system->block_bytes / 4, span = 1, depth, block;

	if (wanted < 12)
		return inode->block[wanted];
	wanted -= 12;
	for (depth = 1; depth <= 3; depth++) {
		span *= pointers;
		if (wanted < span)
			break;
		wanted -= span;
	}
	if (depth > 3)
		return 0;
	for (block = inode->block[11 + depth]; depth && block; depth--) {
		const u8 *table = block_get(system, block);

		span /= pointers;
		block = table ? word(table + wanted / span * 4) : 0;
		wanted %= span;
	}
	return block;
}

static const u8 *file_block(const struct ext2 *system, const struct inode *inode, u32 index)
{
	u32 block = (inode->flags & EXTENTS_FLAG ? by_extents : by_pointers)(system, inode, index);

	return block ? block_get(system, block) : NULL;
}

static const struct ext2 *system_of(const struct node *node) { return (const struct ext2 *)node->tree; }

static s32 ext2_read(struct node *node, u32 offset, void *to, u32 bytes)
{
	const struct ext2 *system = system_of(node);
	struct inode inode;
	u32 done, size = system->block_bytes;

	if (!inode_get(system, node->tree_data, &inode))
		return -EIO;
	for (done = 0; done < bytes; done += size) {
		const u8 *block = offset + done < node->size ? file_block(system, &inode, (offset + done) / size) : NULL;

		if (block)
			memcpy((u8 *)to + done, block, size);
	}
	return (s32)bytes;
}

/* ---- nodes ---- */

static struct node *node_for(const struct ext2 *system, u32 number)
{
	struct inode inode;
	struct node *node;

	if (!inode_get(system, number, &inode))
		return NULL;
	node = node_create(inode.mode);
	node->tree = &system->tree;
	node->tree_data = node->inode = number;
	node->size = inode.size;
	node->links = inode.links;
	node->uid = inode.uid;
	node->gid = inode.gid;
	node->atime = inode.atime;
	node->mtime = inode.mtime;
	node->ctime = inode.ctime;
	node->mtime_ns = 0;
	if (S_IS(inode.mode, CHR) || S_IS(inode.mode, BLK))
		node->device = inode.block[0] ? inode.block[0] : inode.block[1];
	if (S_IS(inode.mode, LNK) && inode.size < system->block_bytes) {
		const u8 *text = inode.size < sizeof(inode.block) ? (const u8 *)inode.block : file_block(system, &inode, 0);

		node->target = kalloc(inode.size + 1);
		if (text)
			memcpy(node->target, text, inode.size);
	}
	return node;
}

static void add_entry(const struct ext2 *system, struct node *directory, const u8 *entry)
{
	u32 length = entry[6], links = directory->links;
	struct node *node;

	if (!word(entry) || (length == 1 && entry[8] == '.') || (length == 2 && entry[8] == '.' && entry[9] == '.'))
		return;
	node = node_for(system, word(entry));
	if (!node)
		return;
	directory_add(directory, (const char *)entry + 8, length, node);
	directory->links = links;                /* the disk has counted already */
	node_release(node);
}

static s32 ext2_fill(struct node *directory)
{
	const struct ext2 *system = system_of(directory);
	u8 *copy;
	struct inode inode;
	u32 offset, at;

	if (directory->filled)
		return 0;
	if (!inode_get(system, directory->tree_data, &inode))
		return -EIO;
	directory->filled = true;
	copy = kalloc(PAGE_SIZE);                /* making nodes reads other blocks */
	for (offset = 0; offset < inode.size; offset += system->block_bytes) {
		const u8 *block = file_block(system, &inode, offset / system->block_bytes);

		if (!block)
			continue;
		memcpy(copy, block, system->block_bytes);
		for (at = 0; at + 8 <= system->block_bytes; at += half(copy + at + 4)) {
			u32 length = half(copy + at + 4);

			if (length < 8 || length > system->block_bytes - at || copy[at + 6] > length - 8)
				break;
			add_entry(system, directory, copy + at);
		}
	}
	kfree(copy, PAGE_SIZE);
	return 0;
}

static bool read_superblock(struct ext2 *system)
{
	u8 *superblock = kalloc(1024);
	bool good = disk_do(system->disk, DISK_READ, SUPERBLOCK_OFFSET / SECTOR_SIZE, superblock, 1024) == 0 &&
		    half(superblock + 56) == EXT2_MAGIC && word(superblock + 24) <= 2 && word(superblock + 40) &&
		    (word(superblock + 76) == 0 || !(word(superblock + 96) & ~INCOMPATIBLE_KNOWN));

	system->block_bytes = 1024u << (word(superblock + 24) & 3);
	system->inodes = word(superblock);
	system->inodes_per_group = word(superblock + 40);
	system->inode_bytes = word(superblock + 76) ? half(superblock + 88) : 128;
	system->groups_at = word(superblock + 20) + 1;
	system->descriptor_bytes = word(superblock + 76) && word(superblock + 96) & WIDE_DESCRIPTORS ? half(superblock + 254) : 32;
	good = good && system->descriptor_bytes >= 32 && system->descriptor_bytes <= 64 && system->inode_bytes >= 128 && system->inode_bytes <= 1024 && !(system->inode_bytes & (system->inode_bytes - 1));
	kfree(superblock, 1024);
	return good;
}

s32 ext2_mount(const char *name, struct node **root)
{
	struct ext2 *system = &systems[name[2] - 'a'];

	system->tree = (struct tree){
		.type = "ext2", .device = (u32)(254 << 8 | (name[2] - 'a') * 16), .read_only = true, .fill = ext2_fill, .read = ext2_read,
	};
	system->disk = disk_find(name);
	if (disk_sectors(system->disk) < 4 || !read_superblock(system))
		return -EINVAL;
	*root = node_for(system, ROOT_INODE);
	return *root ? 0 : -EIO;
}

/*
 * device-files.c: what is found in /dev, besides the terminal.
 */
#include "../devices.h"
#include "linux.h"

#define DEVICE(major, minor) ((major) << 8 | (minor))
#define VIRTIO_DISK_MAJOR 254
#define BLKGETSIZE 0x1260
#define BLKGETSIZE64 0x80041272

static s32 null_read(struct file *file, void *to, u32 bytes)
{
	(void)file, (void)to, (void)bytes;
	return 0;
}

static s32 null_write(struct file *file, const void *from, u32 bytes)
{
	(void)file, (void)from;
	return (s32)bytes;
}

static s32 full_write(struct file *file, const void *from, u32 bytes)
{
	(void)file, (void)from, (void)bytes;
	return -ENOSPC;
}

static s32 zero_read(struct file *file, void *to, u32 bytes)
{
	static const u8 zeroes[256];
	u32 done, part;

	(void)file;
	for (done = 0; done < bytes; done += part) {
		part = bytes - done < sizeof(zeroes) ? bytes - done : sizeof(zeroes);
		if (copy_user((u8 *)to + done, zeroes, part))
			return -EFAULT;
	}
	return (s32)bytes;
}

/* Not for secrets: a simple generator (xorshift), begun with the Host's random bytes if there are any, and with the time. */
static u32 next_random(void)
{
	static u32 state;

	if (!state) {
		state = (u32)clock_ns() ^ lguest_data.time.tv_nsec ^ lguest_data.time.tv_sec;
		if (rng_present())
			rng_read(&state, sizeof(state));
		state |= 1;
	}
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static s32 random_read(struct file *file, void *to, u32 bytes)
{
	u32 done, part, value;

	(void)file;
	for (done = 0; done < bytes; done += part) {
		value = next_random();
		part = bytes - done < sizeof(value) ? bytes - done : sizeof(value);
		if (copy_user((u8 *)to + done, &value, part))
			return -EFAULT;
	}
	return (s32)bytes;
}

void random_bytes(void *to, u32 bytes)
{
	random_read(NULL, to, bytes);
}

static s32 host_random_read(struct file *file, void *to, u32 bytes)
{
	u8 part[64];
	u32 got;

	(void)file;
	got = rng_read(part, bytes < sizeof(part) ? bytes : sizeof(part));
	return copy_user(to, part, got) ? -EFAULT : (s32)got;
}

/* ---- disks, in bytes ---- */

static struct disk *disk_of(const struct file *file)
{
	char name[4] = "vda";

	name[2] = (char)(name[2] + file->node->device % 256 / 16);
	return disk_find(name);
}

static s32 disk_transfer(struct file *file, u8 *memory, u32 bytes, bool write)
{
	struct disk *disk = disk_of(file);
	u64 size = disk_sectors(disk) * SECTOR_SIZE;
	u8 *sector = kalloc(SECTOR_SIZE);
	u32 done = 0, part;
	s32 error = 0;

	while (!error && done < bytes && file->position < size) {
		u32 at = file->position % SECTOR_SIZE, number = file->position / SECTOR_SIZE;

		part = SECTOR_SIZE - at < bytes - done ? SECTOR_SIZE - at : bytes - done;
		if (disk_do(disk, DISK_READ, number, sector, SECTOR_SIZE) != 0)
			error = -EIO;
		else if (write ? copy_user(sector + at, memory + done, part) : copy_user(memory + done, sector + at, part))
			error = -EFAULT;
		else if (write && disk_do(disk, DISK_WRITE, number, sector, SECTOR_SIZE) != 0)
			error = -EIO;
		else {
			done += part;
			file->position += part;
		}
	}
	kfree(sector, SECTOR_SIZE);
	if (!done && !error && write && bytes)
		return -ENOSPC;
	return done ? (s32)done : error;
}

static s32 disk_read(struct file *file, void *to, u32 bytes) { return disk_transfer(file, to, bytes, false); }

static s32 disk_write(struct file *file, const void *from, u32 bytes)
{
	return disk_transfer(file, (u8 *)(u32)from, bytes, true);
}

static s32 disk_ioctl(struct file *file, u32 request, u32 argument)
{
	u64 sectors = disk_sectors(disk_of(file)), size = sectors * SECTOR_SIZE;
	u32 short_sectors = (u32)sectors;

	if (request == BLKGETSIZE)
		return copy_out(argument, &short_sectors, sizeof(short_sectors));
	return request == (u32)BLKGETSIZE64 ? copy_out(argument, &size, sizeof(size)) : -ENOTTY;
}

const struct file_kind disk_kind = {.read = disk_read, .write = disk_write, .ioctl = disk_ioctl, .seekable = true};

/* ---- which is which ---- */

static const struct file_kind null_kind = {.read = null_read, .write = null_write, .seekable = true};
static const struct file_kind zero_kind = {.read = zero_read, .write = null_write, .seekable = true};
static const struct file_kind full_kind = {.read = zero_read, .write = full_write, .seekable = true};
static const struct file_kind random_kind = {.read = random_read, .write = null_write};
static const struct file_kind host_random_kind = {.read = host_random_read};

static const struct {
	const char *path;
	u32 device, mode;
	const struct file_kind *kind;
} devices[] = {
	{"/dev/null", DEVICE(1, 3), 0666, &null_kind},
	{"/dev/zero", DEVICE(1, 5), 0666, &zero_kind},
	{"/dev/full", DEVICE(1, 7), 0666, &full_kind},
	{"/dev/random", DEVICE(1, 8), 0666, &random_kind},
	{"/dev/urandom", DEVICE(1, 9), 0666, &random_kind},
	{"/dev/tty", DEVICE(5, 0), 0666, &tty_kind},
	{"/dev/console", DEVICE(5, 1), 0600, &tty_kind},
	{"/dev/hvc0", DEVICE(229, 0), 0600, &tty_kind},
	{"/dev/hwrng", DEVICE(10, 183), 0600, &host_random_kind},
};

const struct file_kind *device_kind(const struct node *node)
{
	u32 index;

	if (S_IS(node->mode, BLK))
		return node->device >> 8 == VIRTIO_DISK_MAJOR && node->device % 256 / 16 < disk_count() ? &disk_kind : NULL;
	for (index = 0; index < ARRAY_SIZE(devices); index++)
		if (devices[index].device == node->device)
			return devices[index].kind == &host_random_kind && !rng_present() ? NULL : devices[index].kind;
	return NULL;
}

void device_files_init(void)
{
	char path[] = "/dev/vda";
	u32 index;

	for (index = 0; index < ARRAY_SIZE(devices); index++)
		make_node(devices[index].path, S_IFCHR | devices[index].mode)->device = devices[index].device;
	for (index = 0; index < disk_count(); index++, path[7]++)
		make_node(path, S_IFBLK | 0600)->device = DEVICE(VIRTIO_DISK_MAJOR, index * 16);
}

s32 sys_getrandom(u32 to, u32 bytes, u32 flags)
{
	(void)flags;
	return user_range(to, bytes) ? random_read(NULL, (void *)to, bytes) : -EFAULT;
}

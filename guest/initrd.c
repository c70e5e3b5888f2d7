/*
 * initrd.c: the files that came with us, if they came as a cpio archive of the kind "newc", plain or packed by gzip.
 *
 * An entry is a header of 110 characters (numbers in hexadecimal, eight digits each), the name, the contents; name and
 * contents are padded to four bytes.  The entry TRAILER!!! is the last.
 */
#include "guest.h"

#define HEADER_BYTES 110
#define FIELD_INODE 0
#define FIELD_MODE 1
#define FIELD_LINKS 4
#define FIELD_TIME 5
#define FIELD_FILE_SIZE 6
#define FIELD_DEVICE_MAJOR 9
#define FIELD_DEVICE_MINOR 10
#define FIELD_NAME_SIZE 11
#define FIELDS 12

static const u8 *archive;
static u32 archive_bytes;

/* A plain archive stays where the Launcher has put it; a packed one is unpacked to where nobody has been yet. */
void initrd_init(void)
{
	u32 fresh, count;

	archive = (const u8 *)initrd_address(&archive_bytes);
	if (!archive || !is_gzip(archive, archive_bytes))
		return;
	fresh = frames_fresh(&count);
	archive_bytes = gunzip(archive, archive_bytes, virt(fresh), count * PAGE_SIZE);
	frames_take_fresh((archive_bytes + PAGE_SIZE - 1) / PAGE_SIZE);
	archive = virt(fresh);
}

/* Is there one, and nothing in it? */
bool initrd_broken(void)
{
	struct initrd_file file;
	u32 position = 0, bytes;

	return initrd_address(&bytes) && !initrd_next(&position, &file);
}

u32 initrd_unpacked_bytes(void) { return archive_bytes; }

static bool header_field(const u8 *header, u32 index, u32 *value)
{
	char digits[11] = "0x";

	memcpy(digits + 2, header + 6 + index * 8, 8);
	return parse_number(digits, value);
}

/* The file at *position (0 for the first); moves *position to the next.  False at the end, or where it makes no sense. */
bool initrd_next(u32 *position, struct initrd_file *file)
{
	u32 total = archive_bytes, field[FIELDS], index, name_size, size, name_at, data_at;
	const u8 *header;

	if (!archive || total < HEADER_BYTES || *position > total - HEADER_BYTES)
		return false;
	header = archive + *position;
	if (memcmp(header, "070701", 6) != 0)
		return false;
	for (index = 0; index < FIELDS; index++)
		if (!header_field(header, index, &field[index]))
			return false;
	name_size = field[FIELD_NAME_SIZE];
	size = field[FIELD_FILE_SIZE];
	name_at = *position + HEADER_BYTES;
	if (name_size == 0 || name_size > total - name_at || archive[name_at + name_size - 1] != '\0')
		return false;
	data_at = (name_at + name_size + 3) & ~3u;
	if (data_at > total || size > total - data_at || strcmp((const char *)archive + name_at, "TRAILER!!!") == 0)
		return false;
	*file = (struct initrd_file){
		.name = (const char *)archive + name_at, .mode = field[FIELD_MODE], .bytes = size, .time = field[FIELD_TIME],
		.device = field[FIELD_DEVICE_MAJOR] << 8 | field[FIELD_DEVICE_MINOR], .data = archive + data_at,
		.inode = field[FIELD_INODE], .links = field[FIELD_LINKS],
	};
	*position = (data_at + size + 3) & ~3u;
	return true;
}

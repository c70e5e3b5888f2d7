/*
 * initrd.c: the files that came with us, if they came as a plain cpio archive of the kind "newc".
 *
 * An entry is a header of 110 characters (numbers in hexadecimal, eight digits each), the name, the contents; name and
 * contents are padded to four bytes.  The entry TRAILER!!! is the last.
 */
#include "guest.h"

#define HEADER_BYTES 110
#define FIELD_MODE 1
#define FIELD_TIME 5
#define FIELD_FILE_SIZE 6
#define FIELD_DEVICE_MAJOR 9
#define FIELD_DEVICE_MINOR 10
#define FIELD_NAME_SIZE 11

static bool header_field(const u8 *header, u32 index, u32 *value)
{
	char digits[11] = "0x";

	memcpy(digits + 2, header + 6 + index * 8, 8);
	return parse_number(digits, value);
}

/* The file at *position (0 for the first); moves *position to the next.  False at the end, or where it makes no sense. */
bool initrd_next(u32 *position, struct initrd_file *file)
{
	u32 total, mode, size, time, major, minor, name_size, name_at, data_at;
	const u8 *archive = (const u8 *)initrd_address(&total), *header;

	if (!archive || total < HEADER_BYTES || *position > total - HEADER_BYTES)
		return false;
	header = archive + *position;
	if (memcmp(header, "070701", 6) != 0 || !header_field(header, FIELD_MODE, &mode) ||
	    !header_field(header, FIELD_FILE_SIZE, &size) || !header_field(header, FIELD_TIME, &time) ||
	    !header_field(header, FIELD_DEVICE_MAJOR, &major) || !header_field(header, FIELD_DEVICE_MINOR, &minor) || !header_field(header, FIELD_NAME_SIZE, &name_size))
		return false;
	name_at = *position + HEADER_BYTES;
	if (name_size == 0 || name_size > total - name_at || archive[name_at + name_size - 1] != '\0')
		return false;
	data_at = (name_at + name_size + 3) & ~3u;
	if (data_at > total || size > total - data_at || strcmp((const char *)archive + name_at, "TRAILER!!!") == 0)
		return false;
	*file = (struct initrd_file){(const char *)archive + name_at, mode, size, time, major << 8 | minor, archive + data_at};
	*position = (data_at + size + 3) & ~3u;
	return true;
}

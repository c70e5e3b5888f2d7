/*
 * disk-command.c: the command "disk".
 */
#include "devices.h"

#define SUM_BYTES PAGE_SIZE

static const char *outcome(int status)
{
	return status == 0 ? "done" : status == 1 ? "error" : status == 2 ? "not supported" : "no answer";
}

/* Lines that repeat are shown once, and then a star. */
static void hexdump(const u8 *data, u32 bytes)
{
	bool starred = false;
	u32 at, column;

	for (at = 0; at < bytes; at += 16) {
		if (at && at + 16 < bytes && memcmp(data + at, data + at - 16, 16) == 0) {
			if (!starred)
				print("*\n");
			starred = true;
			continue;
		}
		starred = false;
		print("%04x ", at);
		for (column = 0; column < 16; column++)
			print(" %02x", data[at + column]);
		print("  ");
		for (column = 0; column < 16; column++) {
			u8 c = data[at + column];

			print("%c", c >= ' ' && c <= '~' ? c : '.');
		}
		print("\n");
	}
}

static void describe(struct disk *disk)
{
	u8 *id = virt(frame_alloc());
	u64 sectors = disk_sectors(disk);

	print("%s  %llu sectors, %llu KB, %s, %s, irq %u", disk_name(disk), sectors, sectors / 2,
	      disk_read_only(disk) ? "read-only" : "read-write", disk_can_flush(disk) ? "flush" : "no flush", disk_irq(disk));
	if (disk_do(disk, DISK_GET_ID, 0, id, 20) == 0)
		print(", id \"%s\"", (char *)id);
	print("\n");
	frame_free(phys(id));
}

static void read_sector(struct disk *disk, u32 sector, u8 *memory)
{
	int status = disk_do(disk, DISK_READ, sector, memory, SECTOR_SIZE);

	if (status == 0)
		hexdump(memory, SECTOR_SIZE);
	else
		print("disk: %s: sector %u: %s\n", disk_name(disk), sector, outcome(status));
}

static void write_sector(struct disk *disk, u32 sector, u8 *memory, u32 count, char **words)
{
	u32 index, used = 0;

	for (index = 0; index < count; index++) {
		copy_text((char *)memory + used, SECTOR_SIZE - used, words[index]);
		used += strlen(words[index]);
		if (index + 1 < count)
			memory[used++] = ' ';
	}
	print("%s: write sector %u: %s\n", disk_name(disk), sector, outcome(disk_do(disk, DISK_WRITE, sector, memory, SECTOR_SIZE)));
}

/* The checksum of the whole disk: easy to compare with the outside. */
static void sum(struct disk *disk, u8 *memory)
{
	u64 sectors = disk_sectors(disk), sector;
	u32 crc = 0;

	for (sector = 0; sector < sectors; sector += SUM_BYTES / SECTOR_SIZE) {
		u32 bytes = sectors - sector < SUM_BYTES / SECTOR_SIZE ? (u32)(sectors - sector) * SECTOR_SIZE : SUM_BYTES;
		int status = disk_do(disk, DISK_READ, sector, memory, bytes);

		if (status != 0 || console_interrupted()) {
			print("disk: %s: stopped at sector %llu: %s\n", disk_name(disk), sector,
			      status ? outcome(status) : "interrupted");
			return;
		}
		crc = crc32(crc, memory, bytes);
	}
	print("%s: crc32 %08x over %llu bytes\n", disk_name(disk), crc, sectors * SECTOR_SIZE);
}

static bool sector_number(const struct disk *disk, const char *text, u32 *sector)
{
	if (parse_number(text, sector) && *sector < disk_sectors(disk))
		return true;
	print("disk: %s has sectors 0 to %llu\n", disk_name(disk), disk_sectors(disk) - 1);
	return false;
}

/* words: the verb and what belongs to it. */
static void do_verb(struct disk *disk, u32 count, char **words, u8 *memory)
{
	u32 sector;

	if (count == 2 && strcmp(words[0], "read") == 0) {
		if (sector_number(disk, words[1], &sector))
			read_sector(disk, sector, memory);
	} else if (count >= 3 && strcmp(words[0], "write") == 0) {
		if (sector_number(disk, words[1], &sector))
			write_sector(disk, sector, memory, count - 2, words + 2);
	} else if (count == 1 && strcmp(words[0], "flush") == 0) {
		print("%s: flush: %s\n", disk_name(disk), outcome(disk_do(disk, DISK_FLUSH, 0, NULL, 0)));
	} else if (count == 1 && strcmp(words[0], "sum") == 0) {
		sum(disk, memory);
	} else {
		print("disk: [NAME] [read N | write N TEXT | flush | sum]; NAME is vda if you say nothing\n");
	}
}

void command_disk(u32 count, char **words)
{
	struct disk *disk = disk_find("vda"), *named;
	u32 index, memory;
	char name[4] = "vda";

	words++, count--;
	if (!disk) {
		print("disk: there is none (the Launcher's option --block=FILE adds one)\n");
		return;
	}
	if (count == 0) {
		for (index = 0; index < disk_count(); index++, name[2]++)
			describe(disk_find(name));
		return;
	}
	named = disk_find(words[0]);
	if (named) {
		disk = named;
		words++, count--;
	}
	if (count == 0) {
		describe(disk);
		return;
	}
	memory = frame_alloc();
	do_verb(disk, count, words, virt(memory));
	frame_free(memory);
}

/* CRC-32 of 32 megabytes, a byte at a time through a table: two loads per byte, each waiting for the one before. */
#include "workload.h"

#define BUFFER (1 << 20)
#define ROUNDS 32
#define POLYNOMIAL 0xedb88320u

static uint32_t table[256];
static unsigned char buffer[BUFFER];

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
		table[i] = crc;
	}
}

uint32_t crc32(void)
{
	uint32_t crc = ~0u;

	make_table();
	for (uint32_t i = 0; i < BUFFER; i++)
		buffer[i] = (unsigned char)((i * 7) ^ (i >> 9));
	for (int round = 0; round < ROUNDS; round++)
		for (uint32_t i = 0; i < BUFFER; i++)
			crc = table[(crc ^ buffer[i]) & 0xff] ^ crc >> 8;
	return ~crc;
}

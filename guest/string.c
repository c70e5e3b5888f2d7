/*
 * string.c: what C programmers expect to find, and what the compiler takes for granted (memcpy and its kin).
 */
#include "guest.h"

void *memcpy(void *to, const void *from, u32 bytes)
{
	void *edi = to;

	asm volatile("rep movsb" : "+D"(edi), "+S"(from), "+c"(bytes) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, u32 bytes)
{
	u8 *last_to = (u8 *)to + bytes;
	const u8 *last_from = (const u8 *)from + bytes;

	if (to <= from)
		return memcpy(to, from, bytes);
	while (bytes--) {
		*--last_to = *--last_from;
		barrier();           /* or the compiler notices that this is memmove, and calls it */
	}
	return to;
}

void *memset(void *to, int value, u32 bytes)
{
	void *edi = to;

	asm volatile("rep stosb" : "+D"(edi), "+c"(bytes) : "a"(value) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, u32 bytes)
{
	const u8 *left = a, *right = b;

	for (; bytes; bytes--, left++, right++)
		if (*left != *right)
			return *left - *right;
	return 0;
}

u32 strlen(const char *text)
{
	u32 length = 0;

	while (text[length])
		length++;
	return length;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, ~0u);
}

int strncmp(const char *a, const char *b, u32 bytes)
{
	for (; bytes; bytes--, a++, b++)
		if (*a != *b || !*a)
			return (u8)*a - (u8)*b;
	return 0;
}

/* Copies as much as fits; the result always has its NUL. */
void copy_text(char *to, u32 size, const char *from)
{
	u32 length = strlen(from);

	if (length >= size)
		length = size - 1;
	memcpy(to, from, length);
	to[length] = '\0';
}

/* "12", "0x1f": false if it is anything else or does not fit. */
bool parse_number(const char *text, u32 *value)
{
	u32 base = 10, total = 0;

	if (text[0] == '0' && text[1] == 'x') {
		base = 16;
		text += 2;
	}
	if (!*text)
		return false;
	for (; *text; text++) {
		char c = *text | 0x20;
		u32 digit = c >= 'a' ? (u32)(c - 'a') + 10 : (u32)(*text - '0');

		if (digit >= base || total > (~0u - digit) / base)
			return false;
		total = total * base + digit;
	}
	*value = total;
	return true;
}

void number_text(char *to, u32 value)
{
	char digits[10];
	u32 count = 0;

	do
		digits[count++] = (char)('0' + value % 10);
	while (value /= 10);
	while (count)
		*to++ = digits[--count];
	*to = '\0';
}

/* As zlib, gzip and Ethernet have it, four bits at a time; over pieces if each gets what came before. */
u32 crc32(u32 before, const void *data, u32 bytes)
{
	static u32 table[16];
	const u8 *at = data;
	u32 crc = ~before, index, bit;

	for (index = 0; index < 16 && !table[15]; index++)
		for (table[index] = index, bit = 0; bit < 4; bit++)
			table[index] = table[index] >> 1 ^ (table[index] & 1 ? 0xEDB88320 : 0);
	for (; bytes; bytes--) {
		crc ^= *at++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* A 64-bit division from two of the CPU's, each of which leaves a remainder small enough for the next. */
u64 divide(u64 dividend, u32 divisor, u32 *remainder)
{
	u32 high = (u32)(dividend >> 32), low = (u32)dividend;
	u32 quotient_high = high / divisor, rest = high % divisor, quotient_low;

	asm("divl %4" : "=a"(quotient_low), "=d"(rest) : "0"(low), "1"(rest), "rm"(divisor) : "cc");
	if (remainder)
		*remainder = rest;
	return (u64)quotient_high << 32 | quotient_low;
}

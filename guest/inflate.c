/*
 * inflate.c: unpacking what gzip has packed (RFC 1951, RFC 1952).
 *
 * The packed file is a stream of bits, the lowest of each byte first.  Most of it are codes for literal bytes and for "again
 * what was there so far back".  A code has up to 15 bits, and the frequent ones are short: those of up to FAST_BITS bits are
 * looked up at once, the others bit by bit.
 */
#include "guest.h"

#define FAST_BITS 10
#define MAX_BITS 15
#define LITERALS 288
#define DISTANCES 32
#define LENGTH_CODES 19
#define END_OF_BLOCK 256
#define FIRST_LENGTH 257

#define GZIP_HEADER_BYTES 10
#define GZIP_TRAILER_BYTES 8
#define GZIP_CHECKED 2
#define GZIP_EXTRA 4
#define GZIP_NAME 8
#define GZIP_COMMENT 16

struct code {
	u16 fast[1 << FAST_BITS];        /* symbol << 4 | length, by the next bits; 0: not a short code */
	u16 count[MAX_BITS + 1];         /* codes of each length */
	u16 symbol[LITERALS];            /* in the order of their codes */
};

static struct code literal_code, distance_code;

/* broken: it ends too early, or says what makes no sense. */
static struct {
	const u8 *in, *in_end;
	u8 *begin, *out, *end;
	u32 bits, bit_count, missing;
	bool broken;
} stream;

/* Sees to it that at least 25 bits are there; behind the end there are zeroes, which nobody may use. */
static void refill(void)
{
	while (stream.bit_count <= 24) {
		if (stream.in < stream.in_end)
			stream.bits |= (u32)*stream.in++ << stream.bit_count;
		else
			stream.missing += 8;
		stream.bit_count += 8;
	}
}

static void drop(u32 count)
{
	stream.bits >>= count;
	stream.bit_count -= count;
	if (stream.missing > stream.bit_count)
		stream.broken = true;
}

static u32 take_bits(u32 count)
{
	u32 value;

	refill();
	value = stream.bits & ((1u << count) - 1);
	drop(count);
	return value;
}

/* The first code of a length follows the last one that is shorter; a decoder needs no more than how many there are of each. */
static u32 take_symbol(const struct code *code)
{
	u32 entry, length, value = 0, first = 0, index = 0;

	refill();
	entry = code->fast[stream.bits & ((1 << FAST_BITS) - 1)];
	if (entry) {
		drop(entry & 15);
		return entry >> 4;
	}
	for (length = 1; length <= MAX_BITS; length++) {
		value |= stream.bits >> (length - 1) & 1;
		if (value < first + code->count[length]) {
			drop(length);
			return code->symbol[index + value - first];
		}
		index += code->count[length];
		first = (first + code->count[length]) << 1;
		value <<= 1;
	}
	stream.broken = true;
	return END_OF_BLOCK;
}

static void make_code(struct code *code, const u8 *lengths, u32 symbols)
{
	u32 next[MAX_BITS + 1], place[MAX_BITS + 1], length, symbol, at, left = 1;

	memset(code, 0, sizeof(*code));
	for (symbol = 0; symbol < symbols; symbol++)
		code->count[lengths[symbol]]++;
	code->count[0] = 0;
	next[0] = place[0] = 0;
	for (length = 1; length <= MAX_BITS; length++) {
		next[length] = (next[length - 1] + code->count[length - 1]) << 1;
		place[length] = place[length - 1] + code->count[length - 1];
		if (left * 2 < code->count[length]) {
			stream.broken = true;    /* more codes than there can be */
			return;
		}
		left = left * 2 - code->count[length];
	}
	for (symbol = 0; symbol < symbols; symbol++) {
		u32 bits = next[length = lengths[symbol]]++, mirrored = 0;

		if (!length)
			continue;
		code->symbol[place[length]++] = (u16)symbol;
		for (at = 0; at < length; at++)
			mirrored |= (bits >> at & 1) << (length - 1 - at);
		for (at = mirrored; at < 1 << FAST_BITS && length <= FAST_BITS; at += 1u << length)
			code->fast[at] = (u16)(symbol << 4 | length);
	}
}

/* ---- the three kinds of blocks ---- */

static void stored_block(void)
{
	u32 bytes;

	drop(stream.bit_count & 7);
	bytes = take_bits(16);
	if (take_bits(16) != (bytes ^ 0xFFFF) || bytes > (u32)(stream.end - stream.out))
		stream.broken = true;
	for (; bytes && !stream.broken; bytes--)
		*stream.out++ = (u8)take_bits(8);
}

static void repeat(u32 length, u32 distance)
{
	if (distance > (u32)(stream.out - stream.begin) || length > (u32)(stream.end - stream.out)) {
		stream.broken = true;
		return;
	}
	for (; length; length--, stream.out++)
		*stream.out = stream.out[-(s32)distance];
}

static void coded_block(void)
{
	static const u16 length_base[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
					  31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
	static const u8 length_bits[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
	static const u16 distance_base[] = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
					    193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
	u32 symbol, length, distance;

	while ((symbol = take_symbol(&literal_code)) != END_OF_BLOCK && !stream.broken) {
		if (symbol < END_OF_BLOCK) {
			if (stream.out == stream.end)
				stream.broken = true;
			else
				*stream.out++ = (u8)symbol;
			continue;
		}
		symbol -= FIRST_LENGTH;
		distance = symbol < ARRAY_SIZE(length_base) ? 0 : ARRAY_SIZE(distance_base);
		length = distance ? 0 : length_base[symbol] + take_bits(length_bits[symbol]);
		if (!distance)
			distance = take_symbol(&distance_code);
		if (distance >= ARRAY_SIZE(distance_base))
			stream.broken = true;
		else
			repeat(length, distance_base[distance] + take_bits(distance < 2 ? 0 : distance / 2 - 1));
	}
}

static void fixed_codes(void)
{
	u8 lengths[LITERALS];

	memset(lengths, 8, 144);
	memset(lengths + 144, 9, 112);
	memset(lengths + 256, 7, 24);
	memset(lengths + 280, 8, 8);
	make_code(&literal_code, lengths, LITERALS);
	memset(lengths, 5, DISTANCES);
	make_code(&distance_code, lengths, DISTANCES);
}

/* The lengths of the codes, run by run, themselves in a code whose lengths come first, the likely ones before the others. */
static void own_codes(void)
{
	static const u8 order[LENGTH_CODES] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
	u32 literals = take_bits(5) + 257, distances = take_bits(5) + 1, given = take_bits(4) + 4, at;
	u8 lengths[LITERALS + DISTANCES + 138] = {0};

	for (at = 0; at < given; at++)
		lengths[order[at]] = (u8)take_bits(3);
	make_code(&literal_code, lengths, LENGTH_CODES);
	memset(lengths, 0, LENGTH_CODES);
	for (at = 0; at < literals + distances && !stream.broken;) {
		u32 symbol = take_symbol(&literal_code), times;

		if (symbol < 16) {
			lengths[at++] = (u8)symbol;
			continue;
		}
		if (symbol == 16 && !at)
			stream.broken = true;
		times = symbol == 16 ? 3 + take_bits(2) : symbol == 17 ? 3 + take_bits(3) : 11 + take_bits(7);
		memset(lengths + at, symbol == 16 && at ? lengths[at - 1] : 0, times);
		at += times;
	}
	if (at != literals + distances || literals > 286 || distances > 30)
		stream.broken = true;
	if (stream.broken)
		return;
	make_code(&literal_code, lengths, literals);
	make_code(&distance_code, lengths + literals, distances);
}

static void inflate(void)
{
	bool last = false;

	while (!last && !stream.broken) {
		last = take_bits(1);
		switch (take_bits(2)) {
		case 0:
			stored_block();
			continue;
		case 1:
			fixed_codes();
			break;
		case 2:
			own_codes();
			break;
		default:
			stream.broken = true;
		}
		if (!stream.broken)
			coded_block();
	}
}

/* ---- the file around it ---- */

static u32 read_word(const u8 *at)
{
	u32 word;

	memcpy(&word, at, sizeof(word));
	return word;
}

bool is_gzip(const u8 *file, u32 bytes)
{
	return bytes >= GZIP_HEADER_BYTES + GZIP_TRAILER_BYTES && file[0] == 0x1F && file[1] == 0x8B && file[2] == 8;
}

static const u8 *skip_text(const u8 *at, const u8 *end)
{
	while (at < end && *at++)
		;
	return at;
}

/* How much came out, whose length and checksum stand behind it; 0 if they are others, or if there is too little room. */
u32 gunzip(const u8 *file, u32 bytes, u8 *to, u32 room)
{
	const u8 *at = file + GZIP_HEADER_BYTES, *end = file + bytes - GZIP_TRAILER_BYTES;
	u8 flags = file[3];
	u32 unpacked;

	if (flags & GZIP_EXTRA)
		at = end - at > 2 ? at + 2 + (at[0] | at[1] << 8) : end;
	if (flags & GZIP_NAME)
		at = skip_text(at, end);
	if (flags & GZIP_COMMENT)
		at = skip_text(at, end);
	if (flags & GZIP_CHECKED)
		at += 2;
	memset(&stream, 0, sizeof(stream));
	stream.in = at < end ? at : end;
	stream.in_end = end;
	stream.begin = stream.out = to;
	stream.end = to + room;
	inflate();
	at = stream.in - (stream.bit_count - stream.missing) / 8;
	unpacked = (u32)(stream.out - to);
	return !stream.broken && crc32(0, to, unpacked) == read_word(at) && read_word(at + 4) == unpacked ? unpacked : 0;
}

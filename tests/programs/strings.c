// String instructions: every kind and width, both directions, repeated and not, with 16-bit addresses in a segment of their own.
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "show.h"

#define AREA 256

static uint8_t area[3 * AREA];
static const uint32_t counts[] = {0, 1, 2, 3, 7, 16, 33};

static void fill(void)
{
	for (size_t i = 0; i < sizeof(area); i++)
		area[i] = (uint8_t)(i * 31 + (i >> 4) * 7);
	memcpy(area + 2 * AREA, area + AREA, 24);
}

struct registers {
	uint32_t eax, ecx, esi, edi, flags;
};

/* `code` with these registers; afterwards they are as it left them. Pointers are seen by where they are in the area. */
#define RUN(name, code)                                                                                                \
	static void name(struct registers *r)                                                                          \
	{                                                                                                              \
		asm volatile("pushl %[flags]\n\tpopfl\n\t" code "\n\tpushfl\n\tpopl %[flags]\n\tcld"                   \
			     : "+a"(r->eax), "+c"(r->ecx), "+S"(r->esi), "+D"(r->edi), [flags] "+m"(r->flags)          \
			     : : "memory", "cc");                                                                      \
	}

#define WIDTHS(kind, prefix, code)                                                                                     \
	RUN(prefix##kind##b, code "b") RUN(prefix##kind##w, code "w") RUN(prefix##kind##l, code "l")
#define KINDS(prefix, code)                                                                                            \
	WIDTHS(movs, prefix, code "movs") WIDTHS(cmps, prefix, code "cmps") WIDTHS(scas, prefix, code "scas")          \
	WIDTHS(lods, prefix, code "lods") WIDTHS(stos, prefix, code "stos")

KINDS(once_, "") KINDS(rep_, "rep ") KINDS(repne_, "repne ")

#define ROWS(prefix, kind)                                                                                             \
	{#prefix #kind "b", prefix##kind##b}, {#prefix #kind "w", prefix##kind##w}, {#prefix #kind "l", prefix##kind##l}
#define ALL(prefix) ROWS(prefix, movs), ROWS(prefix, cmps), ROWS(prefix, scas), ROWS(prefix, lods), ROWS(prefix, stos)

static const struct {
	const char *name;
	void (*run)(struct registers *);
} instructions[] = {ALL(once_), ALL(rep_), ALL(repne_)};

static void flat(void)
{
	for (size_t i = 0; i < COUNT(instructions); i++) {
		for (uint32_t down = 0; down <= DF; down += DF)
			for (size_t k = 0; k < COUNT(counts); k++) {
				uint32_t base = (uint32_t)area;
				struct registers r = {0x5A5A5A5A, counts[k], base + AREA + 3, base + 2 * AREA, down};

				fill();
				area[2 * AREA + 9 + k] = 0x5A;
				instructions[i].run(&r);
				see(r.eax), see(r.ecx), see(r.esi - base), see(r.edi - base), see(r.flags & (STATUS | DF));
				see_bytes(area, sizeof(area));
			}
		show(instructions[i].name);
	}
}

/* From where the last one ended into itself: what has been written is read again. */
static void overlapping(void)
{
	for (int32_t distance = -9; distance <= 9; distance++)
		for (uint32_t down = 0; down <= DF; down += DF) {
			uint32_t from = (uint32_t)area + AREA + 50;
			struct registers r = {0, 40, from, from + (uint32_t)distance, down};

			fill();
			rep_movsb(&r);
			r.ecx = 9;
			rep_movsl(&r);
			see_bytes(area, sizeof(area));
		}
	show("overlapping");
}

/* es and the prefix name a segment that begins at the area: 16 bits reach all of it, and wrap at its ends. */
#define SHORT(name, code)                                                                                              \
	static void name(struct registers *r, uint32_t selector)                                                       \
	{                                                                                                              \
		asm volatile("pushl %%es\n\tpushl %%fs\n\tmovw %w[selector], %%es\n\tmovw %w[selector], %%fs\n\t"      \
			     "pushl %[flags]\n\tpopfl\n\t" code "\n\tpushfl\n\tpopl %[flags]\n\tcld\n\t"                \
			     "popl %%fs\n\tpopl %%es"                                                                  \
			     : "+a"(r->eax), "+c"(r->ecx), "+S"(r->esi), "+D"(r->edi), [flags] "+r"(r->flags)          \
			     : [selector] "d"(selector) : "memory", "cc");                                             \
	}

SHORT(short_movs, "addr16 rep movsb %%fs:(%%si), %%es:(%%di)")
SHORT(short_movl, "addr16 rep movsl %%fs:(%%si), %%es:(%%di)")
SHORT(short_cmps, "addr16 repe cmpsb %%es:(%%di), %%fs:(%%si)")
SHORT(short_scas, "addr16 repne scasw")
SHORT(short_lods, "addr16 lodsl %%fs:(%%si)")
SHORT(short_stos, "addr16 rep stosw")

static void with_16_bits(void)
{
	static void (*const all[])(struct registers *, uint32_t) = {short_movs, short_movl, short_cmps,
								    short_scas, short_lods, short_stos};
	static uint8_t wide[0x10000] __attribute__((aligned(4096)));
	struct user_desc own = {.entry_number = -1u, .base_addr = (uint32_t)wide, .limit = 0xFFFF, .seg_32bit = 1, .useable = 1};

	if (syscall(SYS_set_thread_area, &own) < 0) {
		printf("no segment\n");
		return;
	}
	for (size_t i = 0; i < COUNT(all); i++) {
		for (uint32_t down = 0; down <= DF; down += DF)
			for (uint32_t where = 0; where < 3; where++) {
				uint32_t at = (const uint32_t[]){0x8000, 0xFFF0, 0x0008}[where];
				struct registers r = {0x11223344, 0xABC0000C, 0xABCD0000 | at, 0x12340000 | (at + 0x40) % 0x10000, down};

				for (size_t k = 0; k < sizeof(wide); k++)
					wide[k] = (uint8_t)(k * 13 + (k >> 8));
				all[i](&r, own.entry_number << 3 | 3);
				see(r.eax), see(r.ecx), see(r.esi), see(r.edi), see(r.flags & (STATUS | DF));
				see_bytes(wide, sizeof(wide));
			}
		show("16 bits");
	}
}

int main(void)
{
	flat();
	overlapping();
	with_16_bits();
	return 0;
}

// What the programs about instructions share: values at the edges, and a line per instruction that sums up what it gave.
#ifndef SHOW_H
#define SHOW_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, DF = 0x400, OF = 0x800, STATUS = CF | PF | AF | ZF | SF | OF };

static const uint32_t edges[] = {0,      1,      2,          0xF,        0x7F,       0x80,       0xFF,       0x100,     0x7FFF,
				 0x8000, 0xFFFF, 0x12345678, 0x5A96C3E1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF};

/* FNV-1a over everything that was seen since the last line. */
static uint32_t sum = 2166136261u;

static inline void see_bytes(const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sum = (sum ^ ((const uint8_t *)bytes)[i]) * 16777619u;
}

static inline void see(uint32_t value) { see_bytes(&value, sizeof(value)); }

static inline void show(const char *name)
{
	printf("%-12s %08x\n", name, sum);
	sum = 2166136261u;
}

#endif

/*
 * segments.c: the GDT.
 *
 * The table the CPU uses is the Host's: ours is a copy from which it takes what it likes.  It moves ring 0 descriptors to
 * ring 1, marks all of them accessed (or the CPU would want to write into a table that we must not touch), and keeps four
 * entries to itself.
 */
#include "guest.h"

static struct descriptor gdt[GDT_ENTRIES];

/* A limit of more than a megabyte counts pages. */
struct descriptor make_descriptor(u32 base, u32 limit, u32 access)
{
	u32 granularity = 0;

	if (limit > 0xFFFFF) {
		limit >>= 12;
		granularity = 0x00800000;
	}
	return (struct descriptor){
		.low = base << 16 | (limit & 0xFFFF),
		.high = (base & 0xFF000000) | granularity | 0x00400000 | (limit & 0xF0000) | access << 8 | (base >> 16 & 0xFF),
	};
}

void gdt_set(u32 index, struct descriptor entry)
{
	if (index < GDT_ENTRIES)
		gdt[index] = entry;
	hcall(LHCALL_LOAD_GDT_ENTRY, index, entry.low, entry.high, 0);
}

/*
 * The three thread-local entries change at every task switch: one call for all.  gs goes first: the Host loads every
 * segment register again before we go on, and if gs named an entry that has just vanished, that would be our end.
 */
void tls_load(const struct descriptor three[3])
{
	static struct descriptor where_the_host_looks[3];

	memcpy(where_the_host_looks, three, sizeof(where_the_host_looks));
	asm volatile("movl %0, %%gs" : : "r"(0));
	lazy_hcall(LHCALL_LOAD_TLS, phys(where_the_host_looks), 0, 0, 0);
}

void segments_init(void)
{
	u32 index;

	gdt[GDT_ENTRY_KERNEL_CS] = make_descriptor(0, 0xFFFFFFFF, DESCRIPTOR_CODE | DESCRIPTOR_DPL(1));
	gdt[GDT_ENTRY_KERNEL_DS] = make_descriptor(0, 0xFFFFFFFF, DESCRIPTOR_DATA | DESCRIPTOR_DPL(1));
	gdt[GDT_ENTRY_USER_CS] = make_descriptor(0, 0xFFFFFFFF, DESCRIPTOR_CODE | DESCRIPTOR_DPL(3));
	gdt[GDT_ENTRY_USER_DS] = make_descriptor(0, 0xFFFFFFFF, DESCRIPTOR_DATA | DESCRIPTOR_DPL(3));
	for (index = 0; index < GDT_ENTRIES; index++)
		gdt_set(index, gdt[index]);
}

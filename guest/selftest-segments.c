/*
 * selftest-segments.c: the GDT that the Host makes of ours.
 */
#include "selftest.h"

#define SPARE_ENTRY 24
#define SPARE_SELECTOR (SPARE_ENTRY * 8 + 1)
#define TLS_SELECTOR (GDT_ENTRY_TLS_MIN * 8 + 3)
#define ACCESSED 1

/* Limit and access byte of a selector; false if the CPU says we may not know. */
static bool limit_of(u32 selector, u32 *limit)
{
	u8 known;

	asm volatile("lsl %2, %0; setz %1" : "=r"(*limit), "=q"(known) : "r"(selector) : "cc");
	return known;
}

static bool access_of(u32 selector, u32 *access)
{
	u32 rights;
	u8 known;

	asm volatile("lar %2, %0; setz %1" : "=r"(rights), "=q"(known) : "r"(selector) : "cc");
	*access = rights >> 8 & 0xFF;
	return known;
}

/* Four entries are the Host's own: what we put there is not to be seen. */
static void check_reserved(void)
{
	static const u8 reserved[] = {10, 11, 16, 31};
	bool ignored = true;
	u32 index, limit;

	for (index = 0; index < sizeof(reserved); index++) {
		gdt_set(reserved[index], make_descriptor(0, 0x777, DESCRIPTOR_DATA | DESCRIPTOR_DPL(3)));
		if (limit_of(reserved[index] * 8u + 1, &limit) && limit == 0x777)
			ignored = false;
		gdt_set(reserved[index], (struct descriptor){0, 0});
	}
	check(ignored, "GDT entries 10, 11, 16 and 31 stay the Host's");
}

static void check_tls(void)
{
	static u32 first = 0x11111111, second = 0x22222222;
	struct descriptor three[3] = {{0}};
	u32 seen, selector, flags = irq_save();

	three[0] = make_descriptor((u32)&first, 3, DESCRIPTOR_DATA | DESCRIPTOR_DPL(3));
	tls_load(three);
	asm volatile("movl %1, %%gs; movl %%gs:0, %0" : "=r"(seen) : "r"(TLS_SELECTOR));
	check(seen == first, "LOAD_TLS gives gs its segment");

	/* Not by tls_load(), which takes gs away first. */
	gdt_set(GDT_ENTRY_TLS_MIN, make_descriptor((u32)&second, 3, DESCRIPTOR_DATA | DESCRIPTOR_DPL(3)));
	asm volatile("movl %%gs:0, %0; movl %%gs, %1" : "=r"(seen), "=r"(selector));
	check(seen == second && selector == TLS_SELECTOR, "a changed entry changes a segment that is already loaded");
	ATTEMPT("movl %%gs:4, %%eax");
	check(faulted(TRAP_PROTECTION, 0), "a segment ends where its limit says");

	tls_load((struct descriptor[3]){{0}});
	asm volatile("movl %%gs, %0" : "=r"(selector));
	check(selector == 0, "gs is empty after LOAD_TLS took it away");
	ATTEMPT("movl %1, %%gs", "r"(TLS_SELECTOR));
	check(faulted(TRAP_NOT_PRESENT, TLS_SELECTOR & ~3u) || faulted(TRAP_PROTECTION, TLS_SELECTOR & ~3u),
	      "an empty entry cannot be loaded, and the error code names it");
	irq_restore(flags);
}

/* Loading a selector that is not one; the error code is the selector without its last two bits. */
static void check_bad_selectors(void)
{
	ATTEMPT("movl %1, %%es", "r"(32 * 8 + 1));
	check(faulted(TRAP_PROTECTION, 32 * 8), "a selector beyond the GDT is a protection fault with its number");
	ATTEMPT("movl %1, %%es", "r"(0x0C | 1));
	check(faulted(TRAP_PROTECTION, 0x0C), "there is no LDT: its selectors fault");
	ATTEMPT("movl %1, %%ss", "r"(USER_DS));
	check(faulted(TRAP_PROTECTION, USER_DS & ~3u), "ss must be of our own ring");
	ATTEMPT("movl %1, %%ss", "r"(0));
	check(faulted(TRAP_PROTECTION, 0), "ss cannot be empty");
	gdt_set(SPARE_ENTRY, make_descriptor(0, 0xFFF, (DESCRIPTOR_DATA & ~0x80) | DESCRIPTOR_DPL(1)));
	ATTEMPT("movl %1, %%es", "r"(SPARE_SELECTOR));
	check(faulted(TRAP_NOT_PRESENT, SPARE_ENTRY * 8), "a segment that is not present is trap 11");
	ATTEMPT("movl %1, %%ss", "r"(SPARE_SELECTOR));
	check(faulted(TRAP_STACK, SPARE_ENTRY * 8), "for ss it is trap 12");
	gdt_set(SPARE_ENTRY, (struct descriptor){0, 0});
}

static void check_empty_selector(void)
{
	u32 flags = irq_save();

	asm volatile("movl %0, %%fs" : : "r"(3));
	ATTEMPT("movl %%fs:0, %%eax");
	check(faulted(TRAP_PROTECTION, 0), "an empty segment register may be loaded, but not used");
	asm volatile("movl %0, %%fs" : : "r"(0));
	irq_restore(flags);
}

/* Anybody may look at the descriptor tables' registers; what is there is the Switcher's. */
static void check_table_registers(void)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) gdt, idt;
	u16 task;

	asm volatile("sgdt %0; sidt %1; str %2" : "=m"(gdt), "=m"(idt), "=r"(task));
	check(gdt.limit == 255 && idt.limit == 2047, "sgdt and sidt show 32 and 256 entries");
	check(gdt.base >= 0u - lguest_data.reserve_mem && idt.base >= 0u - lguest_data.reserve_mem,
	      "and both tables are in the Host's part of memory");
	check((task & ~7) == 0x80, "str shows task 0x80");
}

void check_segments(void)
{
	u32 limit, access;

	gdt_set(SPARE_ENTRY, make_descriptor(0, 0x5FFF, DESCRIPTOR_DATA | DESCRIPTOR_DPL(0)));
	check(limit_of(SPARE_SELECTOR, &limit) && limit == 0x5FFF, "LOAD_GDT_ENTRY sets a limit in bytes");
	check(access_of(SPARE_SELECTOR, &access) && (access >> 5 & 3) == 1, "a descriptor of ring 0 is moved to ring 1");
	check(access & ACCESSED, "a descriptor is marked accessed");
	gdt_set(SPARE_ENTRY, make_descriptor(0, 0x12345FFF, DESCRIPTOR_DATA | DESCRIPTOR_DPL(3)));
	check(limit_of(SPARE_SELECTOR, &limit) && limit == 0x12345FFF, "and a limit in pages");
	check(access_of(SPARE_SELECTOR, &access) && (access >> 5 & 3) == 3, "a descriptor of ring 3 stays there");
	gdt_set(SPARE_ENTRY, (struct descriptor){0, 0});
	check(!limit_of(SPARE_SELECTOR, &limit) || limit == 0, "an emptied entry has no length");
	check_reserved();
	check_tls();
	check_bad_selectors();
	check_empty_selector();
	check_table_registers();
}

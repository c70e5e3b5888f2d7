/*
 * guest.h: the rooms of the Guest, and what each of them offers to the others.
 *
 * Read it from top to bottom: every room stands on those above it.
 */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "lguest.h"

typedef __builtin_va_list va_list;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define barrier() asm volatile("" ::: "memory")

/* ---- string.c: what C programmers expect to find ---- */

void *memcpy(void *to, const void *from, u32 bytes);
void *memmove(void *to, const void *from, u32 bytes);
void *memset(void *to, int value, u32 bytes);
int memcmp(const void *a, const void *b, u32 bytes);
u32 strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, u32 bytes);
void copy_text(char *to, u32 size, const char *from);
bool parse_number(const char *text, u32 *value);
void number_text(char *to, u32 value);
u32 crc32(u32 before, const void *data, u32 bytes);
u64 divide(u64 dividend, u32 divisor, u32 *remainder);

/* ---- print.c: text for people ---- */

void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void format_text(char *to, u32 size, const char *format, ...) __attribute__((format(printf, 3, 4)));
void format_arguments(char *to, u32 size, const char *format, va_list arguments);

/* ---- main.c: the order in which everything begins, and how it ends ---- */

extern u8 boot_params[PAGE_SIZE];
extern char boot_command_line[COMMAND_LINE_SIZE];

bool boot_option(const char *name, char *value, u32 size);
void power_off(void) __attribute__((noreturn));
void restart(void) __attribute__((noreturn));
void crash(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* ---- hypercalls.c: asking the Host ---- */

void hcall(u32 number, u32 arg1, u32 arg2, u32 arg3, u32 arg4);
void lazy_hcall(u32 number, u32 arg1, u32 arg2, u32 arg3, u32 arg4);
void async_hcall(u32 number, u32 arg1, u32 arg2, u32 arg3, u32 arg4);
void lazy_begin(void);
void lazy_end(void);

/* ---- segments.c: the GDT, thread-local segments, the stack for ring 3 ---- */

struct descriptor {
	u32 low, high;
};

#define DESCRIPTOR_DATA 0x92
#define DESCRIPTOR_CODE 0x9A
#define DESCRIPTOR_DPL(ring) ((ring) << 5)
#define DESCRIPTOR_ACCESSED 0x01
#define DESCRIPTOR_WRITABLE 0x02
#define DESCRIPTOR_EXPAND_DOWN 0x04
/* Of the high word itself. */
#define DESCRIPTOR_AVAILABLE 0x00100000
#define DESCRIPTOR_PAGES 0x00800000

void segments_init(void);
struct descriptor make_descriptor(u32 base, u32 limit, u32 access);
void gdt_set(u32 index, struct descriptor entry);
void tls_load(const struct descriptor three[3]);

/* ---- traps.c: gates, faults, system calls ---- */

/* The stack as entry.S leaves it.  esp and ss are there only if a program was interrupted. */
struct trap_frame {
	u32 edi, esi, ebp, unused_esp, ebx, edx, ecx, eax;
	u32 gs, fs, es, ds;
	u32 vector, error;
	u32 eip, cs, eflags, esp, ss;
};

_Static_assert(sizeof(struct trap_frame) == TRAP_FRAME_SIZE, "entry.S counts on this");

enum trap_number {
	TRAP_DIVIDE = 0,
	TRAP_DEBUG = 1,
	TRAP_BREAKPOINT = 3,
	TRAP_OVERFLOW = 4,
	TRAP_BOUND = 5,
	TRAP_INVALID_OPCODE = 6,
	TRAP_NOT_PRESENT = 11,
	TRAP_STACK = 12,
	TRAP_PROTECTION = 13,
	TRAP_PAGE_FAULT = 14,
	TRAP_FLOATING_POINT = 16,
	TRAP_ALIGNMENT = 17,
	TRAP_SIMD = 19,
};

enum gate_type { GATE_INTERRUPT = 0xE, GATE_TRAP = 0xF };

#define NO_TRAP 0xFFFFFFFF

/* A trap that was expected: see ATTEMPT() in selftest.h. */
struct caught_trap {
	u32 vector;
	u32 address;             /* page faults: what could not be reached */
	u32 irq_enabled;         /* as the handler found it */
	u32 handler_eflags;      /* those of the CPU */
	struct trap_frame frame;
};

extern struct caught_trap caught;
extern u32 catch_resume_at;

void traps_init(void);
void idt_set(u32 vector, u32 handler, enum gate_type type, u32 ring);
void idt_clear(u32 vector);
void idt_restore(u32 vector);
static inline bool from_user(const struct trap_frame *frame) { return (frame->cs & 3) == 3; }

/* ---- user.c: programs in ring 3 ---- */

struct address_space;

/* How a program ended: by exit(status), or by a trap it should not have caused. */
struct user_end {
	bool exited;
	u32 status;
	u32 trap, error, address, eip;
	u32 frame_end;           /* where on our stack its frame ended: it is the first thing there */
};

void set_entry_stack(u32 top, u32 pages);
void user_init(void);
struct user_end run_user(struct address_space *space, u32 entry, u32 stack, u32 argument);
void user_trap(struct trap_frame *frame);
void system_call(struct trap_frame *frame);

/* ---- mm.c: frames of memory ---- */

extern u32 ram_bytes, lowmem_bytes;

static inline void *virt(u32 physical) { return (void *)(physical + PAGE_OFFSET); }
static inline u32 phys(const volatile void *virtual) { return (u32)virtual - PAGE_OFFSET; }

void memory_init(void);
u32 frame_alloc(void);
u32 frame_alloc_user(void);
u32 frames_fresh(u32 *count);
u32 frames_take_fresh(u32 count);
u32 frame_share(u32 physical);
bool frame_is_shared(u32 physical);
void frame_free(u32 physical);
u32 frames_total(void);
u32 frames_used(void);
u32 initrd_address(u32 *bytes);

/* ---- paging.c: page tables of both kinds ---- */

#define PTE_PRESENT 0x001
#define PTE_WRITE 0x002
#define PTE_USER 0x004
#define PTE_UNCACHED 0x010
#define PTE_ACCESSED 0x020
#define PTE_DIRTY 0x040
#define PTE_KERNEL (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY)

/* Device memory is shown here, four megabytes of it, in every address space. */
#define DEVICE_WINDOW 0xF0000000
#define DEVICE_WINDOW_SIZE 0x400000

struct address_space {
	u32 top;                 /* physical address of the top table: our cr3 */
	bool shown;              /* the Host has seen it: it has to be told of every change */
};

extern bool pae;
extern struct address_space kernel_space;

void paging_init(void);
void space_create(struct address_space *space);
void space_destroy(struct address_space *space);
void space_enter(struct address_space *space);
u32 space_next_used(const struct address_space *space, u32 address, u32 end);
void map_page(struct address_space *space, u32 address, u32 physical, u32 flags);
u32 unmap_page(struct address_space *space, u32 address);
u32 read_pte(const struct address_space *space, u32 address);
bool poke_pte(const struct address_space *space, u32 address, u32 entry);
u32 swap_directory(const struct address_space *space, u32 address, u32 entry);
void tell_directory(const struct address_space *space, u32 address);
volatile void *map_device(u32 physical, u32 bytes);

/* ---- irq.c: the interrupt flag that is a word in memory, and who wants which interrupt ---- */

typedef void (*irq_handler)(u32 irq);

/* What the last interrupt interrupted; good only inside a handler. */
extern const struct trap_frame *interrupted;

static inline u32 irq_save(void)
{
	u32 flags = lguest_data.irq_enabled;

	lguest_data.irq_enabled = 0;
	barrier();
	return flags;
}

void irq_restore(u32 flags);
void irq_enable(void);
void irq_wait(void);
void irq_install(u32 irq, const char *name, irq_handler handler);
irq_handler irq_replace(u32 irq, irq_handler handler);
void irq_mask(u32 irq);
void irq_unmask(u32 irq);
void irq_watch(irq_handler handler);
void irq_dispatch(const struct trap_frame *frame);
void irq_list(void);
u32 irq_count(u32 irq);
const char *irq_name(u32 irq);

/* How the prompt waits: alone in the house (irq_wait), or so that programs in the background go on. */
extern void (*wait_for_interrupt)(void);

/* ---- time.c: clocks and timers ---- */

#define NSEC_PER_SEC 1000000000u
#define NSEC_PER_MSEC 1000000u

struct timer {
	u64 deadline;
	void (*expired)(struct timer *timer);
	struct timer *next;
	bool armed;
};

struct date {
	u32 year, month, day, weekday, hour, minute, second;
};

void time_init(void);
void time_start(void);
void time_resync(void);
u64 clock_ns(void);
void wall_clock(u32 *seconds, u32 *nanoseconds);
struct date date_of(u32 seconds);
void timer_arm(struct timer *timer, u64 deadline);
void timer_cancel(struct timer *timer);
void sleep_ns(u64 nanoseconds);

/* ---- console.c ---- */

void early_console_init(void);
void console_write(const char *text, u32 bytes);
void console_drain(void);
void console_panic(void);
int console_read(void);
int console_take(void);
bool console_waiting(void);
bool console_interrupted(void);
void console_discard_interrupt(void);
bool console_size(u16 *columns, u16 *rows);
void console_describe(void);

/* ---- inflate.c: what gzip has packed ---- */

bool is_gzip(const u8 *file, u32 bytes);
u32 gunzip(const u8 *file, u32 bytes, u8 *to, u32 room);

/* ---- initrd.c: the files that came with us (cpio "newc") ---- */

struct initrd_file {
	const char *name;
	u32 mode, bytes, time, device, inode, links;
	const u8 *data;
};

void initrd_init(void);
bool initrd_broken(void);
u32 initrd_unpacked_bytes(void);
bool initrd_next(u32 *position, struct initrd_file *file);

/* ---- linux/: programs (its rooms are in linux/linux.h) ---- */

void linux_init(void);
void tty_receive(void);
void tty_resized(void);
bool program_running(void);
void process_trap(struct trap_frame *frame);
void return_to_user(struct trap_frame *frame);
bool fix_kernel_fault(struct trap_frame *frame);
void let_others_run(void);
bool run_first_program(void);
s32 process_run(const char *path, char *const *words, u32 *status);
void command_run(u32 count, char **words);
void command_ls(u32 count, char **words);
void command_cat(u32 count, char **words);
void command_sum(u32 count, char **words);
void system_calls_list(u32 count, char **words);

/* ---- shell.c, commands.c, selftest.c: the part to talk to ---- */

struct command {
	const char *name, *arguments, *summary;
	void (*run)(u32 count, char **words);
};

extern const struct command commands[];
extern const u32 command_count;

void shell(void) __attribute__((noreturn));
void run_line(char *line);
void command_disk(u32 count, char **words);
void command_net(u32 count, char **words);
void command_ping(u32 count, char **words);
u32 selftest(void);

#endif

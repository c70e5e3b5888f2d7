/*
 * selftest-user.c: ring 3, and the way there and back.
 */
#include "selftest.h"
#include "user-programs.h"

extern const u8 syscall_stub[];

#define CLOCK 0
#define TLS_SELECTOR (GDT_ENTRY_TLS_MIN * 8 + 3)

/* Error code of a page fault: the page was there, it was a write, it came from ring 3. */
#define FAULT_PRESENT 1
#define FAULT_WRITE 2
#define FAULT_USER 4

static struct address_space space;
static u32 text, data, stack;

static struct user_end run(u32 entry, u32 argument)
{
	return run_user(&space, entry, USER_STACK, argument);
}

static bool exited_with(struct user_end end, u32 status)
{
	return end.exited && end.status == status;
}

static bool trapped(struct user_end end, u32 vector, u32 error)
{
	return !end.exited && end.trap == vector && end.error == error;
}

static void load(void)
{
	text = frame_alloc();
	data = frame_alloc();
	stack = frame_alloc();
	memcpy(virt(text), user_programs, (u32)(user_programs_end - user_programs));
	space_create(&space);
	map_page(&space, USER_TEXT, text, PTE_PRESENT | PTE_USER);
	map_page(&space, USER_DATA, data, PTE_PRESENT | PTE_WRITE | PTE_USER);
	map_page(&space, USER_STACK - PAGE_SIZE, stack, PTE_PRESENT | PTE_WRITE | PTE_USER);
}

static void unload(void)
{
	space_destroy(&space);
	frame_free(text);
	frame_free(data);
	frame_free(stack);
}

static void check_system_calls(void)
{
	check(exited_with(run(USER_PROGRAM(user_hello), 0), 20), "a program in ring 3 prints by int $0x80, and exits");
	check(exited_with(run(USER_PROGRAM(user_registers), 0), 0), "a system call changes eax and nothing else");
	idt_set(SYSCALL_VECTOR, (u32)syscall_stub, GATE_TRAP, 3);
	check(exited_with(run(USER_PROGRAM(user_registers), 0), 0), "the same through a trap gate");
	idt_restore(SYSCALL_VECTOR);
	check(exited_with(run(USER_PROGRAM(user_write_kernel), 0), (u32)-14), "the kernel prints nothing that the program cannot read");
	check(exited_with(run(USER_PROGRAM(user_privileges), 0), USER_DS << 16 | USER_CS), "its segments are those of ring 3");
}

static void check_faults(void)
{
	struct user_end end;

	end = run(USER_PROGRAM(user_read), 16);
	check(trapped(end, TRAP_PAGE_FAULT, FAULT_USER) && end.address == 16, "ring 3 reading what is not there: error code 4");
	end = run(USER_PROGRAM(user_write), 16);
	check(trapped(end, TRAP_PAGE_FAULT, FAULT_USER | FAULT_WRITE) && end.address == 16, "writing it: error code 6");
	end = run(USER_PROGRAM(user_read), PAGE_OFFSET);
	check(trapped(end, TRAP_PAGE_FAULT, FAULT_USER | FAULT_PRESENT) && end.address == PAGE_OFFSET,
	      "reading the kernel's memory: error code 5");
	end = run(USER_PROGRAM(user_write), PAGE_OFFSET + 4);
	check(trapped(end, TRAP_PAGE_FAULT, FAULT_USER | FAULT_WRITE | FAULT_PRESENT), "writing it: error code 7");
	end = run(USER_PROGRAM(user_write), USER_TEXT);
	check(trapped(end, TRAP_PAGE_FAULT, FAULT_USER | FAULT_WRITE | FAULT_PRESENT), "writing its own code: error code 7");
	end = run(PAGE_OFFSET, 0);
	check(trapped(end, TRAP_PAGE_FAULT, FAULT_USER | FAULT_PRESENT) && end.eip == PAGE_OFFSET, "running the kernel's code: error code 5");
	check(trapped(run(USER_PROGRAM(user_divide), 0), TRAP_DIVIDE, 0), "dividing by zero: trap 0");
	check(trapped(run(USER_PROGRAM(user_breakpoint), 0), TRAP_BREAKPOINT, 0), "int3: trap 3");
	end = run(USER_PROGRAM(user_step), 0);
	check(trapped(end, TRAP_DEBUG, 0) && end.eip == USER_PROGRAM(user_step_end), "the trap flag: trap 1, after one instruction");
	check(trapped(run(USER_PROGRAM(user_alignment), 0), TRAP_ALIGNMENT, 0), "with AC set, an unaligned access: trap 17");
}

static void check_forbidden(void)
{
	struct user_end end;

	check(trapped(run(USER_PROGRAM(user_hypercall), 0), TRAP_PROTECTION, 0xFA), "a hypercall from ring 3: protection fault, error code 0xfa");
	check(trapped(run(USER_PROGRAM(user_interrupt), 0), TRAP_PROTECTION, 0x10A), "int $0x21: error code 0x10a");
	end = run(USER_PROGRAM(user_cli), 0);
	check(trapped(end, TRAP_PROTECTION, 0) && end.eip == USER_PROGRAM(user_cli), "cli in ring 3 is not stepped over");
	check(trapped(run(USER_PROGRAM(user_hlt), 0), TRAP_PROTECTION, 0), "hlt: error code 0");
	check(trapped(run(USER_PROGRAM(user_in), 0), TRAP_PROTECTION, 0), "in: error code 0");
	check(trapped(run(USER_PROGRAM(user_out), 0), TRAP_PROTECTION, 0), "out: error code 0");
	check(trapped(run(USER_PROGRAM(user_data_segment), KERNEL_DS), TRAP_PROTECTION, KERNEL_DS & ~3u),
	      "loading the kernel's data segment: an error code that names it");
	check(trapped(run(USER_PROGRAM(user_iret), 0), TRAP_PROTECTION, KERNEL_CS & ~3u), "returning to ring 1 by iret: the same");
}

/* One page for a stack is enough, and none is pinned if none is asked for. */
static void check_entry_stack(void)
{
	u32 other = frame_alloc(), top = (u32)virt(other) + PAGE_SIZE;
	struct user_end end;

	set_entry_stack(top, 1);
	end = run(USER_PROGRAM(user_divide), 0);
	check(end.frame_end == top, "a trap from ring 3 comes in where SET_STACK said");
	end = run(USER_PROGRAM(user_read), 16);
	check(end.frame_end == top, "with an error code too");
	set_entry_stack(top - 64, 0);
	end = run(USER_PROGRAM(user_divide), 0);
	check(end.frame_end == top - 64, "SET_STACK can name a place within a page, and pin none");
	user_init();
	frame_free(other);
}

static void check_thread_local(void)
{
	struct descriptor three[3] = {{0}};

	((u32 *)virt(data))[2] = 0x715;
	three[0] = make_descriptor(USER_DATA + 8, 0xFFF, DESCRIPTOR_DATA | DESCRIPTOR_DPL(3));
	tls_load(three);
	check(exited_with(run(USER_PROGRAM(user_segment), TLS_SELECTOR), 0x715), "LOAD_TLS gives a program its thread-local segment");
	tls_load((struct descriptor[3]){{0}});
}

/* In the middle of the loop: the program's memory is the current one, and its stack is not ours. */
static void end_the_loop(u32 irq)
{
	(void)irq;
	if (from_user(interrupted) && interrupted->ss == USER_DS && interrupted->esp == USER_STACK)
		*(volatile u32 *)USER_DATA = 33;
	else
		hcall(LHCALL_SET_CLOCKEVENT, NSEC_PER_MSEC, 0, 0, 0);
}

static void check_preemption(void)
{
	irq_handler before = irq_replace(CLOCK, end_the_loop);

	*(u32 *)virt(data) = 0;
	hcall(LHCALL_SET_CLOCKEVENT, 2 * NSEC_PER_MSEC, 0, 0, 0);
	check(exited_with(run(USER_PROGRAM(user_loop), 0), 33), "the alarm interrupts a program that never calls us");
	irq_replace(CLOCK, before);
}

void check_user(void)
{
	load();
	check_system_calls();
	check_faults();
	check_forbidden();
	check_entry_stack();
	check_thread_local();
	check_preemption();
	unload();
}

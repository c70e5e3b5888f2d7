/*
 * user.c: programs in ring 3.
 *
 * There is one at a time: run_user() is left when the program exits, or does something for which there is no excuse.
 * System calls have the numbers and the registers of Linux/i386, though there are only two of them.
 */
#include "guest.h"

#define SYS_EXIT 1
#define SYS_WRITE 4
#define ENOSYS 38
#define EFAULT 14
#define EBADF 9

#define ENTRY_STACK_PAGES 2

void enter_user(const struct trap_frame *frame);
void leave_user(u32 status) __attribute__((noreturn));

/* Where the Host puts the frame when a program is interrupted. */
static u8 entry_stack[ENTRY_STACK_PAGES * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static struct user_end end;
static struct address_space *current;

/* The stack on which the next trap from ring 3 comes in. */
void set_entry_stack(u32 top, u32 pages)
{
	lazy_hcall(LHCALL_SET_STACK, KERNEL_DS, top, pages, 0);
}

void user_init(void)
{
	set_entry_stack((u32)entry_stack + sizeof(entry_stack), ENTRY_STACK_PAGES);
}

struct user_end run_user(struct address_space *space, u32 entry, u32 stack, u32 argument)
{
	struct trap_frame frame = {
		.eax = argument,
		.ds = USER_DS, .es = USER_DS,
		.eip = entry, .cs = USER_CS, .eflags = X86_EFLAGS_IF,
		.esp = stack, .ss = USER_DS,
	};
	u32 flags = irq_save();

	end = (struct user_end){.trap = NO_TRAP};
	current = space;
	space_enter(space);
	enter_user(&frame);
	space_enter(&kernel_space);
	current = NULL;
	irq_restore(flags);
	return end;
}

void user_trap(struct trap_frame *frame)
{
	end = (struct user_end){
		.trap = frame->vector, .error = frame->error, .address = lguest_data.cr2, .eip = frame->eip,
		.frame_end = (u32)(frame + 1),
	};
	leave_user(0);
}

/* May the program read all of this?  What it may not read, we must not read for it. */
static bool user_may_read(u32 address, u32 bytes)
{
	u32 page;

	if (address >= PAGE_OFFSET || bytes > PAGE_OFFSET - address)
		return false;
	for (page = address & ~(PAGE_SIZE - 1u); page < address + bytes; page += PAGE_SIZE)
		if ((~read_pte(current, page) & (PTE_PRESENT | PTE_USER)) != 0)
			return false;
	return true;
}

static s32 sys_write(u32 file, u32 address, u32 bytes)
{
	if (file != 1 && file != 2)
		return -EBADF;
	if (!user_may_read(address, bytes))
		return -EFAULT;
	console_write((const char *)address, bytes);
	return (s32)bytes;
}

void system_call(struct trap_frame *frame)
{
	/* The gate has turned interrupts off, but a system call is not an emergency. */
	irq_enable();
	switch (frame->eax) {
	case SYS_EXIT:
		irq_save();
		end.exited = true;
		end.status = frame->ebx;
		leave_user(0);
	case SYS_WRITE:
		frame->eax = (u32)sys_write(frame->ebx, frame->ecx, frame->edx);
		break;
	default:
		frame->eax = (u32)-ENOSYS;
	}
	irq_save();
}

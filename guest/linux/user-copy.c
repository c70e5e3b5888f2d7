/*
 * user-copy.c: reading and writing the memory of programs.
 *
 * Programs see all of their memory at once, and much of it is not there until it is touched.  So we simply touch it: at a
 * fault in copy_user (entry.S) the page is fetched as if the program itself had touched it; if that cannot be done, the copy
 * ends early and says by how much.
 */
#include "linux.h"

extern const u8 copy_user_begin[], copy_user_end[], copy_user_failed[];
extern const u8 pop_gs[], pop_fs[], pop_es[], pop_ds[];

bool user_range(u32 address, u32 bytes)
{
	return address < PAGE_OFFSET && bytes <= PAGE_OFFSET - address;
}

s32 copy_in(void *to, u32 from, u32 bytes)
{
	return user_range(from, bytes) && copy_user(to, (const void *)from, bytes) == 0 ? 0 : -EFAULT;
}

s32 copy_out(u32 to, const void *from, u32 bytes)
{
	return user_range(to, bytes) && copy_user((void *)to, from, bytes) == 0 ? 0 : -EFAULT;
}

/* Returns its length without the NUL. */
s32 copy_string_in(char *to, u32 from, u32 size)
{
	u32 at = 0, part, index;

	while (at < size) {
		part = PAGE_SIZE - ((from + at) & (PAGE_SIZE - 1));
		if (part > size - at)
			part = size - at;
		if (copy_in(to + at, from + at, part) < 0)
			return -EFAULT;
		for (index = 0; index < part; index++)
			if (!to[at + index])
				return (s32)(at + index);
		at += part;
	}
	return -ENAMETOOLONG;
}

/*
 * A fault in ring 1 that is not our mistake: a copy from or to a program, or a segment register that a program has left
 * with something that is no segment any more.  True if there is a way to go on.
 */
bool fix_kernel_fault(struct trap_frame *frame)
{
	u32 eip = frame->eip;

	if (!current->process)
		return false;
	if (frame->vector == TRAP_PAGE_FAULT && eip >= (u32)copy_user_begin && eip < (u32)copy_user_end) {
		u32 address = lguest_data.cr2;

		if (address >= PAGE_OFFSET || memory_fault(memory_in_use, address, (frame->error & 2) != 0) != 0)
			frame->eip = (u32)copy_user_failed;
		return true;
	}
	if (eip == (u32)pop_gs || eip == (u32)pop_fs || eip == (u32)pop_es || eip == (u32)pop_ds) {
		*(u32 *)&frame->esp = 0;         /* the word that was to be popped: no ss and esp were pushed before it */
		return true;
	}
	return false;
}

/*
 * user-programs.h: where the little programs of the self-test live.
 */
#ifndef GUEST_USER_PROGRAMS_H
#define GUEST_USER_PROGRAMS_H

#include "lguest.h"

#define USER_TEXT 0x08048000
#define USER_DATA 0x08049000
#define USER_STACK 0xBFFFF000

#ifndef __ASSEMBLER__

/* The address at which a program runs, from the one at which it was linked into the kernel. */
#define USER_PROGRAM(name) \
	({ \
		extern const u8 name[]; \
		USER_TEXT + (u32)(name - user_programs); \
	})

extern const u8 user_programs[], user_programs_end[];

#endif
#endif

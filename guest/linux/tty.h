/*
 * tty.h: what the two halves of the terminal share.
 */
#ifndef GUEST_LINUX_TTY_H
#define GUEST_LINUX_TTY_H

#include "linux.h"

#define INPUT_BYTES 4096         /* a power of two */
#define END_OF_FILE 0x100        /* in the ring: a line that ends here, with no character for it */

extern struct terminal {
	/* A ring of characters; up to `ready` they can be read, behind that the line is still being typed. */
	u16 input[INPUT_BYTES];
	u32 taken, ready, typed;
	struct termios settings;
	struct winsize window;
	u32 session, group;              /* whose terminal it is, and who of them is in front */
} tty;

static inline bool on(u32 flags, u32 flag) { return (flags & flag) != 0; }

#endif

/*
 * abi-files.h: what Linux/i386 promised its programs about files and the terminal.
 */
#ifndef GUEST_LINUX_ABI_FILES_H
#define GUEST_LINUX_ABI_FILES_H

#include "../lguest.h"

/* ---- files ---- */

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFLNK 0120000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define S_IFFIFO S_IFIFO         /* for S_IS */
#define S_IS(mode, type) (((mode)&S_IFMT) == S_IF##type)

#define O_ACCMODE 3
#define O_RDONLY 0
#define O_WRONLY 1
#define O_RDWR 2
#define O_CREAT 0100
#define O_EXCL 0200
#define O_NOCTTY 0400
#define O_TRUNC 01000
#define O_APPEND 02000
#define O_NONBLOCK 04000
#define O_DIRECTORY 0200000
#define O_NOFOLLOW 0400000
#define O_CLOEXEC 02000000
#define O_PATH 010000000

#define AT_FDCWD (-100)
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_REMOVEDIR 0x200
#define AT_SYMLINK_FOLLOW 0x400
#define AT_EMPTY_PATH 0x1000

#define F_DUPFD 0
#define F_GETFD 1
#define F_SETFD 2
#define F_GETFL 3
#define F_SETFL 4
#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#define F_GETLK64 12
#define F_SETLK64 13
#define F_SETLKW64 14
#define F_DUPFD_CLOEXEC 1030

#define POLLIN 0x001
#define POLLOUT 0x004
#define POLLERR 0x008
#define POLLHUP 0x010
#define POLLNVAL 0x020
#define POLLRDNORM 0x040
#define POLLWRNORM 0x100

struct pollfd {
	s32 file;
	u16 events, happened;
};

struct stat64 {
	u64 device;
	u32 pad1, short_inode, mode, links, uid, gid;
	u64 rdevice;
	u32 pad2;
	u64 size;
	u32 block_size;
	u64 blocks;
	u32 atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns;
	u64 inode;
};

_Static_assert(sizeof(struct stat64) == 96, "struct stat64 is 96 bytes on i386");

struct timespec {
	s32 seconds, nanoseconds;
};

struct timespec64 {
	s64 seconds;
	u32 nanoseconds, pad;
};

struct timeval {
	s32 seconds, microseconds;
};

/* ---- the terminal ---- */

#define TCGETS 0x5401
#define TCSETS 0x5402
#define TCSETSW 0x5403
#define TCSETSF 0x5404
#define TCSBRK 0x5409
#define TCFLSH 0x540B
#define TIOCSCTTY 0x540E
#define TIOCGPGRP 0x540F
#define TIOCSPGRP 0x5410
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414
#define TIOCNOTTY 0x5422
#define TIOCGSID 0x5429
#define FIONREAD 0x541B
#define FIONBIO 0x5421

#define ICRNL 0x0100
#define IXON 0x0400
#define INLCR 0x0040
#define IGNCR 0x0080
#define OPOST 0x0001
#define ONLCR 0x0004
#define ISIG 0x0001
#define ICANON 0x0002
#define ECHO 0x0008
#define ECHOE 0x0010
#define ECHOK 0x0020
#define ECHONL 0x0040
#define NOFLSH 0x0080
#define TOSTOP 0x0100
#define ECHOCTL 0x0200
#define ECHOKE 0x0800
#define IEXTEN 0x8000

#define VINTR 0
#define VQUIT 1
#define VERASE 2
#define VKILL 3
#define VEOF 4
#define VTIME 5
#define VMIN 6
#define VSUSP 10
#define VEOL 11
#define VWERASE 14

struct termios {
	u32 input, output, control, local;
	u8 line, characters[19];
};

struct winsize {
	u16 rows, columns, x, y;
};

#endif

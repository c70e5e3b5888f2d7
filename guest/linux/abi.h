/*
 * abi.h: what Linux/i386 promised its programs: numbers and layouts.  As in lguest.h, no opinion of ours is in it.
 */
#ifndef GUEST_LINUX_ABI_H
#define GUEST_LINUX_ABI_H

#include "../lguest.h"
#include "abi-files.h"

/* ---- errors ---- */

#define EPERM 1
#define ENOENT 2
#define ESRCH 3
#define EINTR 4
#define EIO 5
#define ENXIO 6
#define E2BIG 7
#define ENOEXEC 8
#define EBADF 9
#define ECHILD 10
#define EAGAIN 11
#define ENOMEM 12
#define EACCES 13
#define EFAULT 14
#define EBUSY 16
#define EEXIST 17
#define EXDEV 18
#define ENODEV 19
#define ENOTDIR 20
#define EISDIR 21
#define EINVAL 22
#define EMFILE 24
#define ENOTTY 25
#define EFBIG 27
#define ENOSPC 28
#define ESPIPE 29
#define EROFS 30
#define EPIPE 32
#define ERANGE 34
#define ENAMETOOLONG 36
#define ENOSYS 38
#define ENOTEMPTY 39
#define ELOOP 40
#define EOPNOTSUPP 95
#define ETIMEDOUT 110

/* Never seen by a program: the call is made again, unless a handler runs that does not want that. */
#define ERESTART 512
/* The same for calls that would wait too long if they were made again: with a handler they always end. */
#define ERESTART_NO_HANDLER 514

/* ---- signals ---- */

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGSEGV 11
#define SIGPIPE 13
#define SIGALRM 14
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGWINCH 28
#define SIGRTMIN 32
#define SIGNALS 64

#define SIG_DFL 0
#define SIG_IGN 1

#define SA_NOCLDSTOP 0x00000001
#define SA_NOCLDWAIT 0x00000002
#define SA_SIGINFO 0x00000004
#define SA_RESTORER 0x04000000
#define SA_ONSTACK 0x08000000
#define SA_RESTART 0x10000000
#define SA_NODEFER 0x40000000
#define SA_RESETHAND 0x80000000

#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_QUEUE (-1)
#define SI_TIMER (-2)
#define SI_TKILL (-6)
#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_STOPPED 5
#define CLD_CONTINUED 6
#define ILL_ILLOPN 2
#define FPE_INTDIV 1
#define FPE_FLTDIV 3
#define FPE_FLTOVF 4
#define FPE_FLTUND 5
#define FPE_FLTRES 6
#define FPE_FLTINV 7
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define TRAP_BRKPT 1
#define TRAP_TRACE 2

#define SS_ONSTACK 1
#define SS_DISABLE 2

struct sigaction {
	u32 handler, flags, restorer;
	u64 mask;
};

struct siginfo {
	s32 signal, error, code;
	u32 field[29];               /* pid, uid, status, utime, stime; or pid, uid, value; or the address */
};

_Static_assert(sizeof(struct siginfo) == 128, "siginfo_t is 128 bytes");

struct sigcontext {
	u32 gs, fs, es, ds, edi, esi, ebp, esp, ebx, edx, ecx, eax, trap, error, eip, cs, eflags, esp_at_signal, ss;
	u32 fpstate, old_mask, cr2;
};

struct stack_t {
	u32 sp, flags, size;
};

struct ucontext {
	u32 flags, link;
	struct stack_t stack;
	struct sigcontext context;
	u64 mask;
};

/* The x87 as fsave stores it, then the image of fxsave. */
struct fpstate {
	u32 control, status, tag, instruction, code_segment, operand, data_segment;
	u8 registers[8][10];
	u16 status_copy, magic;
	u8 fxsave[512];
};

/* ---- processes ---- */

#define CLONE_VM 0x00000100
#define CLONE_FS 0x00000200
#define CLONE_FILES 0x00000400
#define CLONE_SIGHAND 0x00000800
#define CLONE_VFORK 0x00004000
#define CLONE_PARENT 0x00008000
#define CLONE_THREAD 0x00010000
#define CLONE_SETTLS 0x00080000
#define CLONE_PARENT_SETTID 0x00100000
#define CLONE_CHILD_CLEARTID 0x00200000
#define CLONE_CHILD_SETTID 0x01000000

#define WNOHANG 1
#define WUNTRACED 2
#define WCONTINUED 8

struct user_desc {
	u32 entry, base, limit, flags;
};

#define USER_DESC_32BIT 0x01
#define USER_DESC_EXPAND_DOWN 0x02
#define USER_DESC_CODE 0x04
#define USER_DESC_READ_ONLY 0x08
#define USER_DESC_PAGES 0x10
#define USER_DESC_NOT_PRESENT 0x20
#define USER_DESC_USEABLE 0x40

struct elf_header {
	u8 ident[16];
	u16 type, machine;
	u32 version, entry, phoff, shoff, flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_program_header {
	u32 type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

#define ET_EXEC 2
#define EM_386 3
#define PT_LOAD 1
#define PT_INTERP 3
#define PF_X 1
#define PF_W 2
#define PF_R 4

#define AT_NULL 0
#define AT_PHDR 3
#define AT_PHENT 4
#define AT_PHNUM 5
#define AT_PAGESZ 6
#define AT_BASE 7
#define AT_FLAGS 8
#define AT_ENTRY 9
#define AT_UID 11
#define AT_EUID 12
#define AT_GID 13
#define AT_EGID 14
#define AT_PLATFORM 15
#define AT_HWCAP 16
#define AT_CLKTCK 17
#define AT_SECURE 23
#define AT_RANDOM 25
#define AT_EXECFN 31

/* ---- memory ---- */

#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define MAP_SHARED 0x01
#define MAP_PRIVATE 0x02
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_FIXED_NOREPLACE 0x100000
#define MREMAP_MAYMOVE 1
#define MREMAP_FIXED 2
#define MADV_DONTNEED 4

#endif

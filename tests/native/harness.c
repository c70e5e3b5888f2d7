/* The native half of the CPU tests: runs a few bytes of machine code on the real CPU and says what they did.
 *
 * Every case begins in a sigreturn and ends in a signal. The signal handler is the main loop: it writes down the state
 * that the kernel saved in the signal frame, puts the state of the next case into the same frame, and returns into it.
 * So nothing of ours stands between the kernel's frame and the instruction under test, and a case costs a few
 * microseconds.
 *
 * There is no libc here: it would want gs for itself, which the cases need. All addresses are fixed, so that the same
 * case has the same result on any machine:
 *
 *     00000000  rw page    reached by 16-bit addresses that wrap
 *     0000f000  rw page    the end of the 16-bit address space; what follows is not mapped
 *     10000000  rw 2 pages the data; the stack is here too, so that pushes are seen as changed memory
 *     10003000  rw page    followed by a read-only page, for stores that begin well and end badly
 *     10004000  r  page
 *     20003000  rwx 2 pages full of int3: wherever a branch goes, a trap tells where
 *
 * The protocol, both ways: a 32-bit length in bytes, then that many bytes, all little-endian words.
 *     request:  eax ecx edx ebx esp ebp esi edi, eip, eflags, es cs ss ds fs gs, 288 bytes of fxsave image, patches
 *     answer:   signal, si_code, trap number, error code, cr2, then the same as in a request
 *     patches:  their number, then for each: address, length, the bytes, padding to a word
 * Patches of a request are put over the pages' initial pattern; those of an answer are the bytes that changed.
 * Signal 0 in an answer: the case did not end in time. Signal 1000: it took the harness with it.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

enum {
  PAGE = 4096,
  FX_BYTES = 288, /* control words, eight x87 and eight xmm registers */
  INPUT_BYTES = 1 << 16,
  OUTPUT_BYTES = 1 << 20,
  ANSWER_BYTES = 1 << 17, /* more than the longest answer */
  TICKS_PER_CASE = 3,     /* of TICK_USEC each, before a case is given up */
  TICK_USEC = 100000,
};

/* ---- the kernel's side, as on i386 ---- */

enum { SYS_exit = 1, SYS_fork = 2, SYS_read = 3, SYS_write = 4, SYS_waitpid = 7, SYS_setitimer = 104, SYS_mprotect = 125 };
enum { SYS_rt_sigreturn = 173, SYS_rt_sigaction = 174, SYS_sigaltstack = 186, SYS_mmap2 = 192, SYS_set_thread_area = 243 };
enum { PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4, MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_FIXED = 16, MAP_ANONYMOUS = 32 };
enum { SIGILL = 4, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGSEGV = 11, SIGALRM = 14, NOTHING = 0, CRASHED = 1000 };
enum { SA_SIGINFO = 4, SA_RESTORER = 0x04000000, SA_ONSTACK = 0x08000000 };

struct sigcontext {
  u16 gs, gs_high, fs, fs_high, es, es_high, ds, ds_high;
  u32 edi, esi, ebp, esp, ebx, edx, ecx, eax;
  u32 trapno, error, eip;
  u16 cs, cs_high;
  u32 eflags, esp_at_signal;
  u16 ss, ss_high;
  struct fpstate *fpstate;
  u32 oldmask, cr2;
};

/* The x87 state comes from the fsave part when the kernel restores it, the rest from the fxsave part. */
struct fpstate {
  u32 cw, sw, tag, ip_offset, cs_and_opcode, data_offset, data_selector;
  u8 st[8][10];
  u16 status, magic;
  u8 fx[512];
};

struct ucontext {
  u32 flags, link, stack[3];
  struct sigcontext context;
};

struct siginfo {
  int signal, error, code;
};

struct user_desc {
  u32 entry_number, base, limit, flags;
};
enum { SEG_32BIT = 1, CONTENTS_EXPAND_DOWN = 1 << 1, LIMIT_IN_PAGES = 1 << 4, USEABLE = 1 << 6 };

static int syscall5(int number, u32 a, u32 b, u32 c, u32 d, u32 e) {
  int result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
  return result;
}
#define syscall3(number, a, b, c) syscall5(number, (u32)(a), (u32)(b), (u32)(c), 0, 0)

static int mmap(u32 address, u32 bytes, u32 protection, u32 flags) {
  register int result __asm__("eax") = SYS_mmap2;
  /* The sixth argument (the offset, 0) is in ebp, which the compiler does not let us name. */
  __asm__ volatile("push %%ebp; xor %%ebp, %%ebp; int $0x80; pop %%ebp"
                   : "+a"(result)
                   : "b"(address), "c"(bytes), "d"(protection), "S"(flags), "D"(-1)
                   : "memory");
  return result;
}

__attribute__((noreturn)) static void exit_with(int status) {
  for (;;) syscall3(SYS_exit, status, 0, 0);
}

void *memcpy(void *to, const void *from, u32 bytes) {
  void *start = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
  return start;
}

void *memset(void *to, int value, u32 bytes) {
  void *start = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
  return start;
}

/* ---- the pages ---- */

struct area {
  u32 address, pages;
  int writable, code;
};
static const struct area areas[] = {
    {0x00000000, 1, 1, 0}, {0x0000f000, 1, 1, 0}, {0x10000000, 2, 1, 0},
    {0x10003000, 1, 1, 0}, {0x10004000, 1, 0, 0}, {0x20003000, 2, 1, 1},
};
enum { AREAS = sizeof areas / sizeof areas[0], PAGES = 8 };

static u8 initial[PAGES][PAGE]; /* what is in each page before the patches */
static u8 before[PAGES][PAGE];  /* and after them: what the case finds */
static u8 dirty[PAGES];
static u32 page_address[PAGES];
static int page_writable[PAGES];

/* Page 0 is a page like any other here, which no compiler would believe. */
static u8 *at(u32 address) {
  __asm__("" : "+r"(address));
  return (u8 *)address;
}

static u8 pattern(u32 address) { return address * 0x9d + (address >> 8) * 0x3b + 0x5a; }

static int map_pages(void) {
  int page = 0;
  for (int i = 0; i < AREAS; i++) {
    const struct area *area = &areas[i];
    u32 bytes = area->pages * PAGE, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (mmap(area->address, bytes, PROT_READ | PROT_WRITE | (area->code ? PROT_EXEC : 0), flags) != (int)area->address) return 0;
    for (u32 n = 0; n < area->pages; n++, page++) {
      page_address[page] = area->address + n * PAGE;
      page_writable[page] = area->writable;
      for (u32 k = 0; k < PAGE; k++) initial[page][k] = area->code ? 0xcc : pattern(page_address[page] + k);
      memcpy(at(page_address[page]), initial[page], PAGE);
      memcpy(before[page], initial[page], PAGE);
    }
    if (!area->writable) syscall3(SYS_mprotect, area->address, bytes, PROT_READ);
  }
  return 1;
}

static int page_of(u32 address) {
  for (int page = 0; page < PAGES; page++)
    if (address - page_address[page] < PAGE) return page;
  return -1;
}

/* ---- input and output: in memory that outlives a child ---- */

static struct shared {
  u32 input_at, input_end, output_end;
  u32 running; /* a case has been taken from the input and not been answered */
  u8 input[INPUT_BYTES];
  u8 output[OUTPUT_BYTES];
} *shared;

static void flush(void) {
  u32 done = 0;
  while (done < shared->output_end) {
    int n = syscall3(SYS_write, 1, shared->output + done, shared->output_end - done);
    if (n <= 0) exit_with(1);
    done += n;
  }
  shared->output_end = 0;
}

/* The next request, or 0 at the end of the input. */
static const u32 *next_request(void) {
  struct shared *s = shared;
  for (;;) {
    u32 have = s->input_end - s->input_at;
    u32 *request = (u32 *)(s->input + s->input_at);
    if (have >= 4 && request[0] > INPUT_BYTES - 4) exit_with(1);
    if (have >= 4 && have >= 4 + request[0]) {
      s->input_at += 4 + request[0];
      return request + 1;
    }
    flush();
    for (u32 i = 0; i < have; i++) s->input[i] = s->input[s->input_at + i];
    s->input_at = 0;
    s->input_end = have;
    int n = syscall3(SYS_read, 0, s->input + have, INPUT_BYTES - have);
    if (n <= 0) return 0;
    s->input_end += n;
  }
}

/* ---- one case ---- */

static void apply_patches(const u32 *patch) {
  for (u32 count = *patch++; count; count--) {
    u32 address = patch[0], length = patch[1];
    const u8 *bytes = (const u8 *)(patch + 2);
    for (u32 i = 0; i < length; i++) {
      int page = page_of(address + i);
      if (page < 0 || !page_writable[page]) exit_with(1);
      *at(address + i) = bytes[i];
      before[page][(address + i) % PAGE] = bytes[i];
      dirty[page] = 1;
    }
    patch += 2 + (length + 3) / 4;
  }
}

/* Everything that differs between `before` and the page, as patches; then both are as in the beginning again. */
static u32 *collect_patches(u32 *out) {
  u32 *count = out++;
  *count = 0;
  for (int page = 0; page < PAGES; page++) {
    const u8 *now = at(page_address[page]), *was = before[page];
    const u32 *now_words = (const u32 *)now, *was_words = (const u32 *)was;
    u32 i = 0;
    for (;;) {
      while (i < PAGE && now_words[i / 4] == was_words[i / 4]) i += 4;
      if (i == PAGE) break;
      while (now[i] == was[i]) i++;
      u32 end = i + 1, same = 0, k = i + 1; /* a run ends with four bytes that did not change */
      for (; k < PAGE && same < 4; k++) {
        if (now[k] == was[k]) same++;
        else same = 0, end = k + 1;
      }
      out[0] = page_address[page] + i;
      out[1] = end - i;
      out[1 + (end - i + 3) / 4] = 0;
      memcpy(out + 2, now + i, end - i);
      out += 2 + (end - i + 3) / 4;
      ++*count;
      dirty[page] = 1;
      i = (end + 3) & ~3u;
    }
    if (dirty[page]) {
      memcpy(at(page_address[page]), initial[page], PAGE);
      memcpy(before[page], initial[page], PAGE);
      dirty[page] = 0;
    }
  }
  return out;
}

static void answer(int signal, int code, const struct sigcontext *c) {
  u32 *start = (u32 *)(shared->output + shared->output_end), *out = start + 1;
  *out++ = signal;
  *out++ = code;
  *out++ = c->trapno;
  *out++ = c->error;
  *out++ = c->cr2;
  *out++ = c->eax, *out++ = c->ecx, *out++ = c->edx, *out++ = c->ebx;
  *out++ = c->esp, *out++ = c->ebp, *out++ = c->esi, *out++ = c->edi;
  *out++ = c->eip, *out++ = c->eflags;
  *out++ = c->es, *out++ = c->cs, *out++ = c->ss, *out++ = c->ds, *out++ = c->fs, *out++ = c->gs;
  memcpy(out, c->fpstate->fx, FX_BYTES);
  out = collect_patches(out + FX_BYTES / 4);
  start[0] = (out - start - 1) * 4;
  shared->output_end += (out - start) * 4;
  shared->running = 0;
  if (shared->output_end > OUTPUT_BYTES - ANSWER_BYTES) flush();
}

static void load_fx(struct fpstate *to, const u8 *fx) {
  memcpy(to->fx, fx, FX_BYTES);
  to->cw = *(const u16 *)(fx + 0);
  to->sw = *(const u16 *)(fx + 2);
  to->tag = 0;
  for (int i = 0; i < 8; i++) to->tag |= (fx[4] >> i & 1 ? 0u : 3u) << 2 * i;
  to->cs_and_opcode = (u32)*(const u16 *)(fx + 6) << 16;
  to->ip_offset = *(const u32 *)(fx + 8);
  to->data_offset = *(const u32 *)(fx + 16);
  for (int i = 0; i < 8; i++) memcpy(to->st[i], fx + 32 + 16 * i, 10);
}

static void load_case(const u32 *request, struct sigcontext *c) {
  c->eax = request[0], c->ecx = request[1], c->edx = request[2], c->ebx = request[3];
  c->esp = request[4], c->ebp = request[5], c->esi = request[6], c->edi = request[7];
  c->eip = request[8], c->eflags = request[9];
  c->es = request[10], c->ds = request[13], c->fs = request[14], c->gs = request[15];
  load_fx(c->fpstate, (const u8 *)(request + 16));
  apply_patches(request + 16 + FX_BYTES / 4);
}

enum { EFLAGS_ALWAYS = 0x202, EFLAGS_NT = 1 << 14, EFLAGS_ID = 1 << 21 };

/* sigreturn does not restore NT and ID: the case has those that the handler has. */
static u32 kept_eflags __attribute__((used));
__asm__(".text\nrestorer: pushl kept_eflags\n popfl\n mov $173, %eax\n int $0x80");
extern void restorer(void);

static int ticks;

static void next(int signal, int code, struct sigcontext *c) {
  if (shared->running) answer(signal, code, c);
  const u32 *request = next_request();
  if (!request) exit_with(0);
  ticks = 0;
  shared->running = 1;
  load_case(request, c);
}

static void handler(int signal, struct siginfo *info, struct ucontext *u) {
  struct sigcontext *c = &u->context;
  if (signal != SIGALRM) next(signal, info->code, c);
  else if (shared->running && ++ticks >= TICKS_PER_CASE) next(NOTHING, 0, c);
  kept_eflags = EFLAGS_ALWAYS | (c->eflags & (EFLAGS_NT | EFLAGS_ID));
}

static void child(void) {
  static const int signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGALRM};
  static u8 stack[1 << 16];
  const u32 alternate[] = {(u32)stack, 0, sizeof stack};
  const struct { u32 handler, flags, restorer, mask[2]; } action = {
      (u32)handler, SA_SIGINFO | SA_RESTORER | SA_ONSTACK, (u32)restorer, {~0u, ~0u}};
  const u32 timer[] = {0, TICK_USEC, 0, TICK_USEC};
  syscall3(SYS_sigaltstack, alternate, 0, 0);
  for (u32 i = 0; i < sizeof signals / sizeof signals[0]; i++)
    syscall5(SYS_rt_sigaction, signals[i], (u32)&action, 0, 8, 0);
  syscall3(SYS_setitimer, 0, timer, 0);
  /* The kernel puts no FPU state into the frame of a task that has none. */
  __asm__ volatile("fninit; int3");
  exit_with(1);
}

/* Three segments for the cases: selectors 63, 6b and 73, where a 64-bit kernel has the thread-local ones. */
static int segments(void) {
  struct user_desc all = {12, 0x10000100, 0xfffff, SEG_32BIT | LIMIT_IN_PAGES | USEABLE};
  struct user_desc small = {13, 0x10000200, 0xff, SEG_32BIT | USEABLE};
  struct user_desc down = {14, 0x10000000, 0xfff, SEG_32BIT | CONTENTS_EXPAND_DOWN | USEABLE};
  return !syscall3(SYS_set_thread_area, &all, 0, 0) && !syscall3(SYS_set_thread_area, &small, 0, 0) &&
         !syscall3(SYS_set_thread_area, &down, 0, 0);
}

static void crashed(void) {
  static struct fpstate no_fpstate;
  static struct sigcontext nothing;
  nothing.fpstate = &no_fpstate;
  answer(CRASHED, 0, &nothing);
}

__attribute__((noreturn, force_align_arg_pointer)) void _start(void) {
  static const char complaint[] = "harness: cannot map the pages (page 0 needs root or vm.mmap_min_addr=0) or set the segments\n";
  shared = (struct shared *)mmap(0, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
  if (!map_pages() || !segments()) {
    syscall3(SYS_write, 2, complaint, sizeof complaint - 1);
    exit_with(1);
  }
  for (;;) {
    int status = 0, pid = syscall3(SYS_fork, 0, 0, 0);
    if (pid == 0) child();
    if (syscall3(SYS_waitpid, pid, &status, 0) != pid) exit_with(1);
    if (!shared->running) {
      flush();
      exit_with(status ? 1 : 0);
    }
    crashed();
  }
}

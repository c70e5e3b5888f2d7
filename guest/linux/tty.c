/*
 * tty.c: the terminal: one, the console.
 *
 * Between the keyboard and the program stands the line discipline: it echoes, lets the typist correct the line, and turns ^C
 * and its like into signals.  It works when a character arrives, not when somebody reads.
 */
#include "linux.h"

#define INPUT_BYTES 4096         /* a power of two */
#define CTRL(letter) ((letter) & 0x1F)
#define END_OF_FILE 0x100        /* in the ring: a line that ends here, with no character for it */

/* A ring of characters; up to `ready` they can be read, behind that the line is still being typed. */
static u16 input[INPUT_BYTES];
static u32 taken, ready, typed;
static struct termios settings;
static struct winsize window = {24, 80, 0, 0};
static u32 session, group, column;

static bool on(u32 flags, u32 flag) { return (flags & flag) != 0; }

u32 tty_group(void) { return group; }

void tty_reset(u32 new_session, u32 new_group)
{
	static const u8 characters[19] = {
		CTRL('c'), CTRL('\\'), 0x7F, CTRL('u'), CTRL('d'), 0, 1, 0, CTRL('q'), CTRL('s'), CTRL('z'), 0, CTRL('r'),
		CTRL('o'), CTRL('w'), CTRL('v'),
	};

	settings = (struct termios){
		.input = ICRNL | IXON, .output = OPOST | ONLCR, .control = 0x4BF,       /* 38400 baud, 8 bits, reading, hang up */
		.local = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	};
	memcpy(settings.characters, characters, sizeof(characters));
	session = new_session;
	group = new_group;
	taken = ready = typed = 0;
}

void tty_session_ended(u32 ended)
{
	if (ended != session || !session)
		return;
	signal_group(group, SIGHUP);
	signal_group(group, SIGCONT);
	session = group = 0;
}

/* ---- output ---- */

void tty_write(const char *text, u32 bytes)
{
	char out[128];
	u32 used = 0;

	for (; bytes; bytes--, text++) {
		if (used + 2 > sizeof(out)) {
			console_write(out, used);
			used = 0;
		}
		if (*text == '\n' && on(settings.output, OPOST) && on(settings.output, ONLCR))
			out[used++] = '\r';
		out[used++] = *text;
		column = *text == '\n' || *text == '\r' ? 0 : *text == '\b' ? column - !!column : column + ((u8)*text >= ' ');
	}
	console_write(out, used);
}

static void echo(u16 c)
{
	char text[2] = {'^', (char)(c ^ 0x40)};

	if (c == '\n' ? !on(settings.local, ECHO | ECHONL) : !on(settings.local, ECHO))
		return;
	if ((c < ' ' || c == 0x7F) && c != '\n' && c != '\t' && on(settings.local, ECHOCTL))
		tty_write(text, 2);
	else
		tty_write(&(char){(char)c}, 1);
}

/* ---- input ---- */

static void append(u16 c)
{
	if (typed - taken < INPUT_BYTES - 1)
		input[typed++ % INPUT_BYTES] = c;
}

static void rub_out(void)
{
	u16 c = input[(typed - 1) % INPUT_BYTES];
	bool wide = (c < ' ' || c == 0x7F) && on(settings.local, ECHOCTL);

	typed--;
	if (on(settings.local, ECHO))
		tty_write(wide ? "\b \b\b \b" : "\b \b", wide ? 6 : 3);
}

static bool is(u8 c, u32 which) { return settings.characters[which] && c == settings.characters[which]; }

static void interrupt_group(u8 c, u32 signal)
{
	if (!on(settings.local, NOFLSH))
		taken = ready = typed;
	echo(c);
	signal_group(group, signal);
}

/* Editing: true if the character was for us. */
static bool edit(u8 c)
{
	if (is(c, VERASE) || c == '\b') {
		if (typed != ready)
			rub_out();
	} else if (is(c, VKILL)) {
		while (typed != ready)
			rub_out();
	} else if (is(c, VWERASE) && on(settings.local, IEXTEN)) {
		while (typed != ready && input[(typed - 1) % INPUT_BYTES] == ' ')
			rub_out();
		while (typed != ready && input[(typed - 1) % INPUT_BYTES] != ' ')
			rub_out();
	} else {
		return false;
	}
	return true;
}

static void receive(u8 c)
{
	if (c == '\r' && on(settings.input, IGNCR))
		return;
	if (c == '\r' && on(settings.input, ICRNL))
		c = '\n';
	else if (c == '\n' && on(settings.input, INLCR))
		c = '\r';
	if (on(settings.local, ISIG) && (is(c, VINTR) || is(c, VQUIT) || is(c, VSUSP))) {
		interrupt_group(c, is(c, VINTR) ? SIGINT : is(c, VQUIT) ? SIGQUIT : SIGTSTP);
		return;
	}
	if (!on(settings.local, ICANON)) {
		echo(c);
		append(c);
		ready = typed;
		return;
	}
	if (edit(c))
		return;
	if (is(c, VEOF)) {
		append(END_OF_FILE);
		ready = typed;
		return;
	}
	echo(c);
	append(c);
	if (c == '\n' || is(c, VEOL))
		ready = typed;
}

/* Called by the console when characters have come. */
void tty_receive(void)
{
	static bool busy;                /* echoing may wait, and what it waits for comes by an interrupt, as characters do */
	int c;

	if (!session || busy)
		return;
	busy = true;
	while (typed - taken < INPUT_BYTES - 1 && (c = console_take()) >= 0)
		receive((u8)c);
	busy = false;
	wake(input);
}

/* ---- the file ---- */

/* In the background one does not read, and does not change the terminal for others. */
static s32 background(u32 signal)
{
	struct process *process = current->process;

	if (process->session != session || !session || process->group == group)
		return 0;
	if (signal_ignored(process, signal) || current->blocked & SIGNAL_BIT(signal))
		return signal == SIGTTIN ? -EIO : 0;
	if (group_is_orphaned(process->group))
		return -EIO;
	signal_group(process->group, signal);
	return -ERESTART;
}

/* Takes what can be read; in canonical mode, at most a line. */
static s32 take(char *to, u32 bytes)
{
	u32 done = 0;

	while (done < bytes && taken != ready) {
		u16 c = input[taken++ % INPUT_BYTES];

		if (c == END_OF_FILE)
			break;
		if (copy_user(to + done, &(char){(char)c}, 1))
			return -EFAULT;
		done++;
		if (c == '\n' && on(settings.local, ICANON))
			break;
	}
	tty_receive();
	return (s32)done;
}

static s32 tty_read(struct file *file, void *to, u32 bytes)
{
	u32 minimum = settings.characters[VMIN], time = settings.characters[VTIME];
	u64 deadline = NEVER;
	s32 error;

	tty_receive();
	if (!on(settings.local, ICANON) && time)
		deadline = clock_ns() + time * 100ull * NSEC_PER_MSEC;
	for (;;) {
		error = background(SIGTTIN);
		if (error < 0)
			return error;
		if (ready != taken || !bytes)
			return take(to, bytes);
		if (!session || (!on(settings.local, ICANON) && !minimum && !time))
			return 0;
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		error = wait_on(input, minimum ? NEVER : deadline);
		if (error == -ETIMEDOUT)
			return 0;
		if (error < 0)
			return -ERESTART;
	}
}

static s32 tty_file_write(struct file *file, const void *from, u32 bytes)
{
	char text[128];
	u32 done, part;
	s32 error = on(settings.local, TOSTOP) ? background(SIGTTOU) : 0;

	(void)file;
	if (error < 0)
		return error;
	for (done = 0; done < bytes; done += part) {
		part = bytes - done < sizeof(text) ? bytes - done : sizeof(text);
		if (copy_user(text, (const u8 *)from + done, part))
			return done ? (s32)done : -EFAULT;
		tty_write(text, part);
	}
	return (s32)bytes;
}

static u32 tty_poll(struct file *file)
{
	(void)file;
	tty_receive();
	return POLLOUT | POLLWRNORM | (ready != taken ? POLLIN | POLLRDNORM : 0);
}

static s32 set_settings(u32 request, u32 argument)
{
	s32 error = background(SIGTTOU);

	if (error < 0)
		return error;
	if (copy_in(&settings, argument, sizeof(settings)) < 0)
		return -EFAULT;
	if (request == TCSETSF)
		taken = ready = typed;
	if (!on(settings.local, ICANON))
		ready = typed;
	wake(input);
	return 0;
}

static s32 set_group(u32 argument)
{
	u32 wanted;
	s32 error = background(SIGTTOU);

	if (error < 0)
		return error;
	if (current->process->session != session)
		return -ENOTTY;
	if (copy_in(&wanted, argument, sizeof(wanted)) < 0)
		return -EFAULT;
	group = wanted;
	return 0;
}

static s32 take_terminal(void)
{
	struct process *process = current->process;

	if (process->session != process->pid)
		return -EPERM;
	session = process->session;
	group = process->group;
	process->has_tty = true;
	return 0;
}

static s32 tty_ioctl(struct file *file, u32 request, u32 argument)
{
	u32 waiting = ready - taken;

	(void)file;
	switch (request) {
	case TCGETS: return copy_out(argument, &settings, sizeof(settings));
	case TCSETS:
	case TCSETSW:
	case TCSETSF: return set_settings(request, argument);
	case TCSBRK: return 0;
	case TCFLSH: return taken = ready = typed, 0;
	case TIOCGWINSZ: return copy_out(argument, &window, sizeof(window));
	case TIOCSWINSZ: return copy_in(&window, argument, sizeof(window));
	case TIOCGPGRP: return current->process->session == session ? copy_out(argument, &group, sizeof(group)) : -ENOTTY;
	case TIOCSPGRP: return set_group(argument);
	case TIOCGSID: return current->process->session == session ? copy_out(argument, &session, sizeof(session)) : -ENOTTY;
	case TIOCSCTTY: return take_terminal();
	case TIOCNOTTY: return 0;
	case FIONREAD: return copy_out(argument, &waiting, sizeof(waiting));
	}
	return -ENOTTY;
}

/* /dev/tty is there for those alone who have a terminal.  A leader of a session without one gets this one. */
static s32 tty_open(struct file *file)
{
	struct process *process = current->process;

	if (!process)
		return 0;
	if (file->node->device == 0x500)
		return process->session == session ? 0 : -ENXIO;
	if (!(file->flags & O_NOCTTY) && !session && process->session == process->pid)
		take_terminal();
	return 0;
}

const struct file_kind tty_kind = {
	.open = tty_open, .read = tty_read, .write = tty_file_write, .poll = tty_poll, .ioctl = tty_ioctl,
};

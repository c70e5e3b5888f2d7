/*
 * tty-file.c: the terminal as a file: reading lines, the settings, who may use it.
 */
#include "tty.h"

/* In the background one does not read, and does not change the terminal for others. */
static s32 background(u32 signal)
{
	struct process *process = current->process;

	if (process->session != tty.session || !tty.session || process->group == tty.group)
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

	while (done < bytes && tty.taken != tty.ready) {
		u16 c = tty.input[tty.taken++ % INPUT_BYTES];

		if (c == END_OF_FILE)
			break;
		if (copy_user(to + done, &(char){(char)c}, 1))
			return -EFAULT;
		done++;
		if (c == '\n' && on(tty.settings.local, ICANON))
			break;
	}
	tty_receive();
	return (s32)done;
}

static s32 tty_read(struct file *file, void *to, u32 bytes)
{
	u32 minimum = tty.settings.characters[VMIN], time = tty.settings.characters[VTIME];
	u64 deadline = NEVER;
	s32 error;

	tty_receive();
	if (!on(tty.settings.local, ICANON) && time)
		deadline = clock_ns() + time * 100ull * NSEC_PER_MSEC;
	for (;;) {
		error = background(SIGTTIN);
		if (error < 0)
			return error;
		if (tty.ready != tty.taken || !bytes)
			return take(to, bytes);
		if (!tty.session || (!on(tty.settings.local, ICANON) && !minimum && !time))
			return 0;
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		error = wait_on(tty.input, minimum ? NEVER : deadline);
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
	s32 error = on(tty.settings.local, TOSTOP) ? background(SIGTTOU) : 0;

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
	return POLLOUT | POLLWRNORM | (tty.ready != tty.taken ? POLLIN | POLLRDNORM : 0);
}

static s32 set_settings(u32 request, u32 argument)
{
	s32 error = background(SIGTTOU);

	if (error < 0)
		return error;
	if (copy_in(&tty.settings, argument, sizeof(tty.settings)) < 0)
		return -EFAULT;
	if (request == TCSETSF)
		tty.taken = tty.ready = tty.typed;
	if (!on(tty.settings.local, ICANON))
		tty.ready = tty.typed;
	wake(tty.input);
	return 0;
}

static s32 set_group(u32 argument)
{
	u32 wanted;
	s32 error = background(SIGTTOU);

	if (error < 0)
		return error;
	if (current->process->session != tty.session)
		return -ENOTTY;
	if (copy_in(&wanted, argument, sizeof(wanted)) < 0)
		return -EFAULT;
	tty.group = wanted;
	return 0;
}

static s32 take_terminal(void)
{
	struct process *process = current->process;

	if (process->session != process->pid)
		return -EPERM;
	tty.session = process->session;
	tty.group = process->group;
	process->has_tty = true;
	return 0;
}

static s32 tty_ioctl(struct file *file, u32 request, u32 argument)
{
	u32 waiting = tty.ready - tty.taken;

	(void)file;
	switch (request) {
	case TCGETS: return copy_out(argument, &tty.settings, sizeof(tty.settings));
	case TCSETS:
	case TCSETSW:
	case TCSETSF: return set_settings(request, argument);
	case TCSBRK: return 0;
	case TCFLSH: return tty.taken = tty.ready = tty.typed, 0;
	case TIOCGWINSZ: return copy_out(argument, &tty.window, sizeof(tty.window));
	case TIOCSWINSZ: return copy_in(&tty.window, argument, sizeof(tty.window));
	case TIOCGPGRP: return current->process->session == tty.session ? copy_out(argument, &tty.group, sizeof(tty.group)) : -ENOTTY;
	case TIOCSPGRP: return set_group(argument);
	case TIOCGSID: return current->process->session == tty.session ? copy_out(argument, &tty.session, sizeof(tty.session)) : -ENOTTY;
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
		return process->session == tty.session ? 0 : -ENXIO;
	if (!(file->flags & O_NOCTTY) && !tty.session && process->session == process->pid)
		take_terminal();
	return 0;
}

const struct file_kind tty_kind = {
	.open = tty_open, .read = tty_read, .write = tty_file_write, .poll = tty_poll, .ioctl = tty_ioctl,
};

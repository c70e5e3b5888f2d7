/*
 * pipe.c: pipes, with a name (FIFOs) and without.
 *
 * A ring of 64 KB in pages that are there while they are needed.  Up to a page is written in one piece.
 */
#include "linux.h"

#define PIPE_PAGES 16
#define PIPE_BYTES (PIPE_PAGES * PAGE_SIZE)
#define PIPE_ATOMIC PAGE_SIZE

struct pipe {
	u32 readers, writers, start, used;
	u32 readers_ever, writers_ever;          /* for those who wait for the other end to be opened */
	bool nameless;                           /* opened again by /proc/self/fd: there is nobody to wait for */
	u8 *pages[PIPE_PAGES];
};

static bool reads(const struct file *file) { return (file->flags & O_ACCMODE) != O_WRONLY; }
static bool writes(const struct file *file) { return (file->flags & O_ACCMODE) != O_RDONLY; }

/* Moves as many bytes as lie together. */
static s32 move(struct pipe *pipe, void *memory, u32 bytes, bool out)
{
	u32 at = (out ? pipe->start : pipe->start + pipe->used) % PIPE_BYTES, part = PAGE_SIZE - at % PAGE_SIZE;
	u8 **page = &pipe->pages[at / PAGE_SIZE], *place;

	if (part > bytes)
		part = bytes;
	if (!*page)
		*page = kalloc(PAGE_SIZE);
	place = *page + at % PAGE_SIZE;
	if (out ? copy_user(memory, place, part) : copy_user(place, memory, part))
		return -EFAULT;
	if (out) {
		pipe->start = (pipe->start + part) % PIPE_BYTES;
		pipe->used -= part;
		if (!pipe->used || pipe->start % PAGE_SIZE == 0) {
			kfree(*page, PAGE_SIZE);
			*page = NULL;
		}
	} else {
		pipe->used += part;
	}
	return (s32)part;
}

static s32 pipe_read(struct file *file, void *to, u32 bytes)
{
	struct pipe *pipe = file->data;
	u32 done = 0;
	s32 part;

	if (!bytes)
		return 0;
	while (!pipe->used) {
		if (!pipe->writers)
			return 0;
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_on(pipe, NEVER) < 0)
			return -ERESTART;
	}
	while (done < bytes && pipe->used) {
		u32 wanted = bytes - done < pipe->used ? bytes - done : pipe->used;

		part = move(pipe, (u8 *)to + done, wanted, true);
		if (part < 0)
			return done ? (s32)done : part;
		done += (u32)part;
	}
	wake(pipe);
	return (s32)done;
}

static s32 pipe_write(struct file *file, const void *from, u32 bytes)
{
	struct pipe *pipe = file->data;
	u32 done = 0, needed = bytes <= PIPE_ATOMIC ? bytes : 1;
	s32 part;

	while (done < bytes) {
		if (!pipe->readers) {
			if (!done)
				signal_process(current->process, SIGPIPE);
			return done ? (s32)done : -EPIPE;
		}
		if (PIPE_BYTES - pipe->used < needed) {
			if (file->flags & O_NONBLOCK)
				return done ? (s32)done : -EAGAIN;
			if (wait_on(pipe, NEVER) < 0)
				return done ? (s32)done : -ERESTART;
			continue;
		}
		part = PIPE_BYTES - pipe->used < bytes - done ? (s32)(PIPE_BYTES - pipe->used) : (s32)(bytes - done);
		part = move(pipe, (u8 *)(u32)from + done, (u32)part, false);
		if (part < 0)
			return done ? (s32)done : part;
		done += (u32)part;
		needed = 1;
		wake(pipe);
	}
	return (s32)done;
}

static u32 pipe_poll(struct file *file)
{
	struct pipe *pipe = file->data;
	u32 happened = 0;

	if (reads(file)) {
		happened |= pipe->used ? POLLIN | POLLRDNORM : 0;
		happened |= pipe->writers ? 0 : POLLHUP;
	}
	if (writes(file)) {
		happened |= PIPE_BYTES - pipe->used >= PIPE_ATOMIC ? POLLOUT | POLLWRNORM : 0;
		happened |= pipe->readers ? 0 : POLLERR;
	}
	return happened;
}

static s32 pipe_ioctl(struct file *file, u32 request, u32 argument)
{
	struct pipe *pipe = file->data;

	return request == FIONREAD ? copy_out(argument, &pipe->used, 4) : -ENOTTY;
}

static void pipe_close(struct file *file)
{
	struct pipe *pipe = file->data;
	u32 index;

	pipe->readers -= reads(file);
	pipe->writers -= writes(file);
	wake(pipe);
	if (pipe->readers || pipe->writers)
		return;
	for (index = 0; index < PIPE_PAGES; index++)
		kfree(pipe->pages[index], PAGE_SIZE);
	if (file->node)
		file->node->pipe = NULL;
	kfree(pipe, sizeof(*pipe));
}

const struct file_kind pipe_kind = {
	.read = pipe_read, .write = pipe_write, .poll = pipe_poll, .ioctl = pipe_ioctl, .close = pipe_close,
};

static void attach(struct file *file, struct pipe *pipe)
{
	file->data = pipe;
	pipe->readers += reads(file);
	pipe->writers += writes(file);
	pipe->readers_ever += reads(file);
	pipe->writers_ever += writes(file);
	wake(pipe);
}

/* Who opens one end waits for the other. */
s32 fifo_open(struct file *file)
{
	struct pipe *pipe = file->node->pipe;
	u32 *other, seen;

	if (!pipe)
		pipe = file->node->pipe = kalloc(sizeof(*pipe));
	if ((file->flags & O_ACCMODE) == O_WRONLY && file->flags & O_NONBLOCK && !pipe->readers) {
		if (!pipe->writers) {
			file->node->pipe = NULL;
			kfree(pipe, sizeof(*pipe));
		}
		return -ENXIO;
	}
	attach(file, pipe);
	if (pipe->nameless || file->flags & O_NONBLOCK || (reads(file) && writes(file)) || (reads(file) ? pipe->writers : pipe->readers))
		return 0;
	other = reads(file) ? &pipe->writers_ever : &pipe->readers_ever;
	for (seen = *other; *other == seen;)
		if (wait_on(pipe, NEVER) < 0) {
			pipe_close(file);
			return -ERESTART;
		}
	return 0;
}

s32 sys_pipe2(u32 numbers, u32 flags)
{
	struct pipe *pipe = kalloc(sizeof(*pipe));
	struct node *node = node_create(S_IFIFO | 0600);
	struct file *ends[2];
	s32 number[2];
	u32 index;

	node->pipe = pipe;
	pipe->nameless = true;
	for (index = 0; index < 2; index++) {
		ends[index] = file_create(&pipe_kind, node, (index ? O_WRONLY : O_RDONLY) | (flags & O_NONBLOCK));
		attach(ends[index], pipe);
	}
	node_release(node);
	number[0] = file_install(ends[0], 0, (flags & O_CLOEXEC) != 0);
	number[1] = number[0] < 0 ? -EMFILE : file_install(ends[1], 0, (flags & O_CLOEXEC) != 0);
	if (number[1] >= 0 && copy_out(numbers, number, sizeof(number)) >= 0)
		return 0;
	for (index = 0; index < 2; index++) {
		if (number[index] >= 0)
			current->process->files->file[number[index]] = NULL;
		file_release(ends[index]);
	}
	return number[1] < 0 ? -EMFILE : -EFAULT;
}

s32 sys_pipe(u32 numbers)
{
	return sys_pipe2(numbers, 0);
}

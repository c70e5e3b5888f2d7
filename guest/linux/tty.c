/*
 * tty.c: the terminal: one, the console.  As a file it is in tty-file.c.
 *
 * Between the keyboard and the program stands the line discipline: it echoes, lets the typist correct the line, and turns ^C
 * and its like into signals.  It works when a character arrives, not when somebody reads.
 */
#include "tty.h"

#define CTRL(letter) ((letter) & 0x1F)

struct terminal tty;

static void find_size(void)
{
	tty.window = (struct winsize){24, 80, 0, 0};
	console_size(&tty.window.columns, &tty.window.rows);
}

/* Called by the console when its size has changed. */
void tty_resized(void)
{
	find_size();
	if (tty.group)
		signal_group(tty.group, SIGWINCH);
}

u32 tty_group(void) { return tty.group; }

void tty_reset(u32 new_session, u32 new_group)
{
	static const u8 characters[19] = {
		CTRL('c'), CTRL('\\'), 0x7F, CTRL('u'), CTRL('d'), 0, 1, 0, CTRL('q'), CTRL('s'), CTRL('z'), 0, CTRL('r'),
		CTRL('o'), CTRL('w'), CTRL('v'),
	};

	tty.settings = (struct termios){
		.input = ICRNL | IXON, .output = OPOST | ONLCR, .control = 0x4BF,       /* 38400 baud, 8 bits, reading, hang up */
		.local = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	};
	memcpy(tty.settings.characters, characters, sizeof(characters));
	find_size();
	tty.session = new_session;
	tty.group = new_group;
	tty.taken = tty.ready = tty.typed = 0;
}

void tty_session_ended(u32 ended)
{
	if (ended != tty.session || !tty.session)
		return;
	signal_group(tty.group, SIGHUP);
	signal_group(tty.group, SIGCONT);
	tty.session = tty.group = 0;
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
		if (*text == '\n' && on(tty.settings.output, OPOST) && on(tty.settings.output, ONLCR))
			out[used++] = '\r';
		out[used++] = *text;
	}
	console_write(out, used);
}

static void echo(u16 c)
{
	char text[2] = {'^', (char)(c ^ 0x40)};

	if (c == '\n' ? !on(tty.settings.local, ECHO | ECHONL) : !on(tty.settings.local, ECHO))
		return;
	if ((c < ' ' || c == 0x7F) && c != '\n' && c != '\t' && on(tty.settings.local, ECHOCTL))
		tty_write(text, 2);
	else
		tty_write(&(char){(char)c}, 1);
}

/* ---- input ---- */

static void append(u16 c)
{
	if (tty.typed - tty.taken < INPUT_BYTES - 1)
		tty.input[tty.typed++ % INPUT_BYTES] = c;
}

static void rub_out(void)
{
	u16 c = tty.input[(tty.typed - 1) % INPUT_BYTES];
	bool wide = (c < ' ' || c == 0x7F) && on(tty.settings.local, ECHOCTL);

	tty.typed--;
	if (on(tty.settings.local, ECHO))
		tty_write(wide ? "\b \b\b \b" : "\b \b", wide ? 6 : 3);
}

static bool is(u8 c, u32 which) { return tty.settings.characters[which] && c == tty.settings.characters[which]; }

static void interrupt_group(u8 c, u32 signal)
{
	if (!on(tty.settings.local, NOFLSH))
		tty.taken = tty.ready = tty.typed;
	echo(c);
	signal_group(tty.group, signal);
}

/* Editing: true if the character was for us. */
static bool edit(u8 c)
{
	if (is(c, VERASE) || c == '\b') {
		if (tty.typed != tty.ready)
			rub_out();
	} else if (is(c, VKILL)) {
		while (tty.typed != tty.ready)
			rub_out();
	} else if (is(c, VWERASE) && on(tty.settings.local, IEXTEN)) {
		while (tty.typed != tty.ready && tty.input[(tty.typed - 1) % INPUT_BYTES] == ' ')
			rub_out();
		while (tty.typed != tty.ready && tty.input[(tty.typed - 1) % INPUT_BYTES] != ' ')
			rub_out();
	} else {
		return false;
	}
	return true;
}

static void receive(u8 c)
{
	if (c == '\r' && on(tty.settings.input, IGNCR))
		return;
	if (c == '\r' && on(tty.settings.input, ICRNL))
		c = '\n';
	else if (c == '\n' && on(tty.settings.input, INLCR))
		c = '\r';
	if (on(tty.settings.local, ISIG) && (is(c, VINTR) || is(c, VQUIT) || is(c, VSUSP))) {
		interrupt_group(c, is(c, VINTR) ? SIGINT : is(c, VQUIT) ? SIGQUIT : SIGTSTP);
		return;
	}
	if (!on(tty.settings.local, ICANON)) {
		echo(c);
		append(c);
		tty.ready = tty.typed;
		return;
	}
	if (edit(c))
		return;
	if (is(c, VEOF)) {
		append(END_OF_FILE);
		tty.ready = tty.typed;
		return;
	}
	echo(c);
	append(c);
	if (c == '\n' || is(c, VEOL))
		tty.ready = tty.typed;
}

/* Called by the console when characters have come. */
void tty_receive(void)
{
	static bool busy;                /* echoing may wait, and what it waits for comes by an interrupt, as characters do */
	int c;

	if (!tty.session || busy)
		return;
	busy = true;
	while (tty.typed - tty.taken < INPUT_BYTES - 1 && (c = console_take()) >= 0)
		receive((u8)c);
	busy = false;
	wake(tty.input);
}


/*
 * shell.c: a prompt.
 *
 * The Launcher gives us a raw terminal: what is typed appears only because we print it.  Keys: backspace, ^U (forget the
 * line), ^W (forget the word), ^C, ^D (on an empty line: the end), arrows up and down (or ^P and ^N) for earlier lines.
 */
#include "guest.h"

#define LINE_BYTES 160
#define MAX_WORDS 32
#define HISTORY_LINES 16

#define CTRL(letter) ((letter) & 0x1F)
#define ESCAPE 27
#define DELETE 127

static char history[HISTORY_LINES][LINE_BYTES];
static u32 history_count;

struct line {
	char text[LINE_BYTES];
	u32 length, recalled;
	bool after_return;
};

static void rub_out(struct line *line, u32 characters)
{
	for (; characters && line->length; characters--) {
		line->length--;
		print("\b \b");
	}
}

static void rub_out_word(struct line *line)
{
	while (line->length && line->text[line->length - 1] == ' ')
		rub_out(line, 1);
	while (line->length && line->text[line->length - 1] != ' ')
		rub_out(line, 1);
}

/* steps lines back (or forward, if negative); the line after the newest is the empty one. */
static void recall(struct line *line, int steps)
{
	u32 wanted = line->recalled + (u32)steps, oldest = history_count < HISTORY_LINES ? history_count : HISTORY_LINES;

	if ((int)wanted < 0 || wanted > oldest)
		return;
	rub_out(line, line->length);
	line->recalled = wanted;
	if (wanted)
		copy_text(line->text, LINE_BYTES, history[(history_count - wanted) % HISTORY_LINES]);
	line->length = wanted ? strlen(line->text) : 0;
	console_write(line->text, line->length);
}

static void remember(const char *text)
{
	if (!*text || (history_count && strcmp(history[(history_count - 1) % HISTORY_LINES], text) == 0))
		return;
	copy_text(history[history_count++ % HISTORY_LINES], LINE_BYTES, text);
}

/* Arrow keys come as ESC [ A and so on; all we do not know is swallowed. */
static void escape_sequence(struct line *line)
{
	int c = console_read();

	if (c != '[' && c != 'O')
		return;
	do
		c = console_read();
	while (c >= 0 && (c < '@' || c > '~'));
	if (c == 'A')
		recall(line, 1);
	else if (c == 'B')
		recall(line, -1);
}

static void type(struct line *line, char c)
{
	if (line->length >= LINE_BYTES - 1) {
		print("\a");
		return;
	}
	line->text[line->length++] = c;
	console_write(&c, 1);
}

/* True when the line is complete. */
static bool key(struct line *line, int c)
{
	/* A terminal may send CR, LF or both for the one key. */
	if (c == '\n' && line->after_return) {
		line->after_return = false;
		return false;
	}
	line->after_return = c == '\r';
	if (c == '\r' || c == '\n') {
		print("\n");
		return true;
	}
	if (c == '\b' || c == DELETE)
		rub_out(line, 1);
	else if (c == CTRL('u'))
		rub_out(line, line->length);
	else if (c == CTRL('w'))
		rub_out_word(line);
	else if (c == CTRL('p'))
		recall(line, 1);
	else if (c == CTRL('n'))
		recall(line, -1);
	else if (c == ESCAPE)
		escape_sequence(line);
	else if (c == CTRL('c')) {
		print("^C\n");
		line->length = 0;
		return true;
	} else if (c == CTRL('d') && !line->length) {
		print("poweroff\n");
		power_off();
	} else if (c >= ' ')
		type(line, (char)c);
	return false;
}

static char *read_line(struct line *line)
{
	int c;

	line->length = line->recalled = 0;
	print("lguest> ");
	do {
		c = console_read();
		if (c < 0)
			crash("no console to read from");
	} while (!key(line, c));
	line->text[line->length] = '\0';
	return line->text;
}

static void run_command(char *text)
{
	char *words[MAX_WORDS];
	u32 count = 0, index;

	while (*text && count < MAX_WORDS) {
		while (*text == ' ')
			*text++ = '\0';
		if (!*text)
			break;
		words[count++] = text;
		while (*text && *text != ' ')
			text++;
	}
	if (!count)
		return;
	for (index = 0; index < command_count; index++)
		if (strcmp(words[0], commands[index].name) == 0) {
			commands[index].run(count, words);
			return;
		}
	print("%s: no such command; try help\n", words[0]);
}

/* Commands separated by semicolons; ^C ends the one that runs, and those after it are not begun. */
void run_line(char *line)
{
	while (line && !console_interrupted()) {
		char *rest = line;

		while (*rest && *rest != ';')
			rest++;
		if (*rest)
			*rest++ = '\0';
		else
			rest = NULL;
		run_command(line);
		line = rest;
	}
	if (console_interrupted()) {
		console_discard_interrupt();
		print("^C\n");
	}
}

void shell(void)
{
	static struct line line;

	for (;;) {
		char *text = read_line(&line);

		remember(text);
		run_line(text);
	}
}

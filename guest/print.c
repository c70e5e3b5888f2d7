/*
 * print.c: text for people.  A small printf: %c %s %d %u %x %o %llu %llx, with widths, '0' and '-'.
 */
#include "guest.h"

struct sink {
	char *text;
	u32 size, used;
	void (*full)(struct sink *sink);
};

static void put(struct sink *sink, char c)
{
	if (sink->used == sink->size && sink->full)
		sink->full(sink);
	if (sink->used < sink->size)
		sink->text[sink->used++] = c;
}

struct field {
	u32 width;
	bool left, zeroes, wide;
};

static void put_padded(struct sink *sink, const char *text, u32 length, const struct field *field)
{
	u32 padding = field->width > length ? field->width - length : 0;
	char pad = field->zeroes ? '0' : ' ';

	if (!field->left)
		for (; padding; padding--)
			put(sink, pad);
	while (length--)
		put(sink, *text++);
	for (; padding; padding--)
		put(sink, ' ');
}

static void put_number(struct sink *sink, u64 value, u32 base, bool negative, const struct field *field)
{
	char digits[24];
	u32 at = sizeof(digits);

	do {
		u32 digit;

		value = divide(value, base, &digit);
		digits[--at] = "0123456789abcdef"[digit];
	} while (value);
	if (negative)
		digits[--at] = '-';
	put_padded(sink, digits + at, sizeof(digits) - at, field);
}

static const char *parse_field(const char *format, struct field *field)
{
	*field = (struct field){0};
	for (;; format++) {
		if (*format == '-')
			field->left = true;
		else if (*format == '0')
			field->zeroes = true;
		else
			break;
	}
	for (; *format >= '0' && *format <= '9'; format++)
		field->width = field->width * 10 + (u32)(*format - '0');
	if (format[0] == 'l' && format[1] == 'l') {
		field->wide = true;
		format += 2;
	}
	return format;
}

static void format_to(struct sink *sink, const char *format, va_list arguments)
{
	for (; *format; format++) {
		struct field field;
		const char *text;
		s32 number;
		char c;

		if (*format != '%') {
			put(sink, *format);
			continue;
		}
		format = parse_field(format + 1, &field);
		if (*format == 's') {
			text = __builtin_va_arg(arguments, const char *);
			put_padded(sink, text, strlen(text), &field);
		} else if (*format == 'c') {
			c = (char)__builtin_va_arg(arguments, int);
			put_padded(sink, &c, 1, &field);
		} else if (*format == 'd') {
			number = __builtin_va_arg(arguments, int);
			put_number(sink, number < 0 ? 0u - (u32)number : (u32)number, 10, number < 0, &field);
		} else if (*format == 'u' || *format == 'x' || *format == 'o') {
			u64 value = field.wide ? __builtin_va_arg(arguments, u64) : __builtin_va_arg(arguments, u32);

			put_number(sink, value, *format == 'u' ? 10 : *format == 'x' ? 16 : 8, false, &field);
		} else {
			put(sink, *format);
		}
	}
}

static void to_console(struct sink *sink)
{
	console_write(sink->text, sink->used);
	sink->used = 0;
}

void print(const char *format, ...)
{
	char text[128];
	struct sink sink = {text, sizeof(text), 0, to_console};
	va_list arguments;

	__builtin_va_start(arguments, format);
	format_to(&sink, format, arguments);
	__builtin_va_end(arguments);
	to_console(&sink);
}

/* What does not fit is left out. */
void format_arguments(char *to, u32 size, const char *format, va_list arguments)
{
	struct sink sink = {to, size - 1, 0, NULL};

	format_to(&sink, format, arguments);
	to[sink.used] = '\0';
}

void format_text(char *to, u32 size, const char *format, ...)
{
	va_list arguments;

	__builtin_va_start(arguments, format);
	format_arguments(to, size, format, arguments);
	__builtin_va_end(arguments);
}

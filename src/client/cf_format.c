/* SPDX-License-Identifier: MIT
 *
 * cf_format - strings made as printf() makes them, with %@ for objects.
 *
 * Place:   client. Each conversion is cut out of the format and given to fprintf() alone, with an
 *          argument of the type that its letters name. What is not in the table is refused, %n too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CoreFoundation/CFString.h>

#include "base/check.h"
#include "client/cf.h"

struct arguments {
	va_list list;
};

/* One conversion: "%-*.3lld" */
struct conversion {
	char text[32]; /* with the star widths replaced by digits */
	size_t length;
	char size[3]; /* "", "h", "hh", "l", "ll", "q", "z", "t", "j", "L" */
	char letter;
};

static bool append(struct conversion *conversion, const char *text, size_t length)
{
	if (length >= sizeof(conversion->text) - conversion->length) {
		return false;
	}
	memcpy(conversion->text + conversion->length, text, length);
	conversion->length += length;
	conversion->text[conversion->length] = 0;
	return true;
}

/* Digits, or a star that takes its number from the arguments. */
static bool parse_number(const char **at, struct conversion *conversion, struct arguments *arguments)
{
	if (**at == '*') {
		char digits[16];
		int length = snprintf(digits, sizeof(digits), "%d", va_arg(arguments->list, int));

		*at += 1;
		return append(conversion, digits, (size_t)length);
	}
	size_t length = strspn(*at, "0123456789");
	bool fits = append(conversion, *at, length);
	*at += length;
	return fits;
}

static bool parse(const char **at, struct conversion *conversion, struct arguments *arguments)
{
	size_t flags = strspn(*at, "-+ #0'");

	if (!append(conversion, "%", 1) || !append(conversion, *at, flags)) {
		return false;
	}
	*at += flags;
	if (!parse_number(at, conversion, arguments)) {
		return false;
	}
	if (**at == '.') {
		*at += 1;
		if (!append(conversion, ".", 1) || !parse_number(at, conversion, arguments)) {
			return false;
		}
	}
	size_t size = strspn(*at, "hlqztjL");
	if (size > 2 || !append(conversion, *at, size)) {
		return false;
	}
	memcpy(conversion->size, *at, size);
	conversion->letter = (*at)[size];
	*at += size + 1;
	return conversion->letter != 0 && append(conversion, &conversion->letter, 1);
}

/* The format is a conversion that parse() took apart and whose argument type matches. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static bool put_integer(FILE *stream, const struct conversion *conversion, struct arguments *arguments)
{
	const char *size = conversion->size;

	if (size[0] == 0 || size[0] == 'h') {
		(void)fprintf(stream, conversion->text, va_arg(arguments->list, int));
	} else if (strcmp(size, "l") == 0) {
		(void)fprintf(stream, conversion->text, va_arg(arguments->list, long));
	} else if (strcmp(size, "ll") == 0 || strcmp(size, "q") == 0) {
		(void)fprintf(stream, conversion->text, va_arg(arguments->list, long long));
	} else if (strcmp(size, "z") == 0) {
		(void)fprintf(stream, conversion->text, va_arg(arguments->list, size_t));
	} else if (strcmp(size, "t") == 0) {
		(void)fprintf(stream, conversion->text, va_arg(arguments->list, ptrdiff_t));
	} else if (strcmp(size, "j") == 0) {
		(void)fprintf(stream, conversion->text, va_arg(arguments->list, intmax_t));
	} else {
		return false;
	}
	return true;
}

static bool put(FILE *stream, const struct conversion *conversion, struct arguments *arguments)
{
	const char *text = NULL;

	switch (conversion->letter) {
	case 'd': case 'i': case 'u': case 'x': case 'X': case 'o':
		return put_integer(stream, conversion, arguments);
	case 'c':
		(void)fprintf(stream, conversion->text, va_arg(arguments->list, int));
		return conversion->size[0] == 0;
	case 'a': case 'A': case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
		if (strcmp(conversion->size, "L") == 0) {
			(void)fprintf(stream, conversion->text, va_arg(arguments->list, long double));
		} else {
			(void)fprintf(stream, conversion->text, va_arg(arguments->list, double));
		}
		return true;
	case 's':
		text = va_arg(arguments->list, const char *);
		(void)fprintf(stream, conversion->text, text == NULL ? "(null)" : text);
		return conversion->size[0] == 0;
	case 'p':
		(void)fprintf(stream, conversion->text, va_arg(arguments->list, void *));
		return true;
	case '@':
		dx_cf_describe(stream, va_arg(arguments->list, const void *), false);
		return true;
	case '%':
		(void)fputc('%', stream);
		return true;
	default:
		return false;
	}
}

#pragma GCC diagnostic pop

static bool put_all(FILE *stream, const char *at, struct arguments *arguments)
{
	while (*at != 0) {
		const char *percent = strchrnul(at, '%');
		struct conversion conversion = {.length = 0};

		(void)fwrite(at, 1, (size_t)(percent - at), stream); /* fclose() tells */
		at = percent;
		if (*at == 0) {
			break;
		}
		at += 1;
		if (!parse(&at, &conversion, arguments) || !put(stream, &conversion, arguments)) {
			return false;
		}
	}
	return true;
}

CFStringRef CFStringCreateWithFormatAndArguments(CFAllocatorRef alloc, CFDictionaryRef formatOptions,
						 CFStringRef format, va_list arguments)
{
	char *text = NULL;
	size_t length = 0;
	struct arguments copy;
	CFStringRef string = NULL;

	(void)alloc;
	(void)formatOptions;
	FILE *stream = open_memstream(&text, &length);
	if (stream == NULL) {
		return NULL;
	}
	va_copy(copy.list, arguments);
	bool good = put_all(stream, dx_string_get((const void *)format), &copy);
	va_end(copy.list);
	if (fclose(stream) == 0 && good) {
		string = (CFStringRef)dx_string_new_length(text, length);
	}
	free(text);
	return string;
}

CFStringRef CFStringCreateWithFormat(CFAllocatorRef alloc, CFDictionaryRef formatOptions,
				     CFStringRef format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	CFStringRef string =
		CFStringCreateWithFormatAndArguments(alloc, formatOptions, format, arguments);
	va_end(arguments);
	return string;
}

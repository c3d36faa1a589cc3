/* SPDX-License-Identifier: MIT
 *
 * keystrokes - text to keys; see keystrokes.h.
 *
 * Place:      backend/virtual.
 */
#include "backend/virtual/keystrokes.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"

#define SHIFT    0x02u
#define USAGE_A  0x04u
#define USAGE_1  0x1Eu
#define USAGE_0  0x27u
#define USAGE_F1 0x3Au

struct name {
	const char *text;
	uint8_t value;
};

static const struct name modifier_names[] = {
	{"ctrl", 0x01},  {"shift", SHIFT}, {"alt", 0x04},   {"gui", 0x08},
	{"rctrl", 0x10}, {"rshift", 0x20}, {"altgr", 0x40}, {"rgui", 0x80},
};

static const struct name key_names[] = {
	{"enter", 0x28},  {"esc", 0x29},      {"backspace", 0x2A}, {"tab", 0x2B},
	{"space", 0x2C},  {"capslock", 0x39}, {"print", 0x46},     {"scrolllock", 0x47},
	{"pause", 0x48},  {"insert", 0x49},   {"home", 0x4A},      {"pageup", 0x4B},
	{"delete", 0x4C}, {"end", 0x4D},      {"pagedown", 0x4E},  {"right", 0x4F},
	{"left", 0x50},   {"down", 0x51},     {"up", 0x52},        {"numlock", 0x53},
	{"menu", 0x65},
};

/* Keys 0x2C.. without and with shift; two characters each. */
static const char symbols[] = "  -_=+[{]}\\|\0\0;:'\"`~,<.>/?";

static bool find_symbol(char character, struct dx_keystroke *ret_stroke)
{
	static const char over_digits[] = "!@#$%^&*()";
	const char *over = character == '\0' ? NULL : strchr(over_digits, character);

	if (over != NULL) {
		*ret_stroke =
			(struct dx_keystroke){SHIFT, (uint8_t)(USAGE_1 + (over - over_digits))};
		return true;
	}
	for (unsigned i = 0; i + 1 < sizeof(symbols); i++) {
		if (symbols[i] == character && character != '\0') {
			ret_stroke->modifiers = i % 2 == 0 ? 0 : SHIFT;
			ret_stroke->usage = (uint8_t)(0x2C + i / 2);
			return true;
		}
	}
	return false;
}

static bool find_character(char character, struct dx_keystroke *ret_stroke)
{
	*ret_stroke = (struct dx_keystroke){0};
	if (character >= 'a' && character <= 'z') {
		ret_stroke->usage = (uint8_t)(USAGE_A + (character - 'a'));
		return true;
	}
	if (character >= 'A' && character <= 'Z') {
		ret_stroke->modifiers = SHIFT;
		ret_stroke->usage = (uint8_t)(USAGE_A + (character - 'A'));
		return true;
	}
	if (character >= '1' && character <= '9') {
		ret_stroke->usage = (uint8_t)(USAGE_1 + (character - '1'));
		return true;
	}
	if (character == '0') {
		ret_stroke->usage = USAGE_0;
		return true;
	}
	return find_symbol(character, ret_stroke);
}

static uint8_t find_name(const struct name *names, size_t nr_names, const char *text, size_t length)
{
	for (size_t i = 0; i < nr_names; i++) {
		if (strlen(names[i].text) == length &&
		    strncasecmp(names[i].text, text, length) == 0) {
			return names[i].value;
		}
	}
	return 0;
}

/* f1 .. f12 */
static uint8_t find_function_key(const char *text, size_t length)
{
	unsigned number = 0;

	if (length < 2 || length > 3 || (text[0] | 0x20) != 'f') {
		return 0;
	}
	for (size_t i = 1; i < length; i++) {
		if (text[i] < '0' || text[i] > '9') {
			return 0;
		}
		number = number * 10 + (unsigned)(text[i] - '0');
	}
	return number >= 1 && number <= 12 ? (uint8_t)(USAGE_F1 + number - 1) : 0;
}

static bool find_key(const char *text, size_t length, struct dx_keystroke *ret_stroke)
{
	uint8_t usage = find_name(key_names, DX_ARRAY_SIZE(key_names), text, length);

	if (usage == 0) {
		usage = find_function_key(text, length);
	}
	if (usage != 0) {
		*ret_stroke = (struct dx_keystroke){0, usage};
		return true;
	}
	return length == 1 && find_character(text[0], ret_stroke);
}

/* What stands between braces: "ctrl+alt+delete". */
static bool find_combination(const char *text, size_t length, struct dx_keystroke *ret_stroke)
{
	uint8_t modifiers = 0;

	for (;;) {
		const char *plus = length < 2 ? NULL : memchr(text + 1, '+', length - 1);
		size_t part = plus == NULL ? length : (size_t)(plus - text);
		uint8_t bit = 0;

		if (plus == NULL || part + 1 == length) {
			break;
		}
		bit = find_name(modifier_names, DX_ARRAY_SIZE(modifier_names), text, part);
		if (bit == 0) {
			return false;
		}
		modifiers |= bit;
		text += part + 1;
		length -= part + 1;
	}
	if (!find_key(text, length, ret_stroke)) {
		return false;
	}
	ret_stroke->modifiers |= modifiers;
	return true;
}

/* One keystroke. @return bytes of the text, 0 if it cannot be typed. */
static size_t next(const char *text, struct dx_keystroke *ret_stroke)
{
	const char *end = NULL;

	if (text[0] != '{') {
		return find_character(text[0], ret_stroke) ? 1 : 0;
	}
	end = text[1] == '\0' ? NULL : strchr(text + 2, '}'); /* from 2: "{}}" is a brace */
	if (end == NULL || !find_combination(text + 1, (size_t)(end - text - 1), ret_stroke)) {
		return 0;
	}
	return (size_t)(end - text) + 1;
}

int dx_keystrokes_parse(const char *text, struct dx_keystroke *strokes, size_t capacity,
			const char **ret_bad)
{
	int nr_strokes = 0;

	while (*text != '\0') {
		struct dx_keystroke stroke = {0};
		size_t length = next(text, &stroke);

		if (length == 0) {
			*ret_bad = text;
			return -EINVAL;
		}
		if ((size_t)nr_strokes < capacity) {
			strokes[nr_strokes] = stroke;
		}
		nr_strokes++;
		text += length;
	}
	return nr_strokes;
}

/* SPDX-License-Identifier: MIT
 *
 * keystrokes - text as a person at a US keyboard types it.
 *
 * Place:      backend/virtual, under hid_keyboard.c.
 * Form:       printable ASCII types itself; "{enter}", "{f5}", "{ctrl+alt+delete}", "{shift+a}"
 *             name a key, "{{}" is a brace. docs/devices.md has the names.
 */
#ifndef DX_BACKEND_VIRTUAL_KEYSTROKES_H
#define DX_BACKEND_VIRTUAL_KEYSTROKES_H

#include <stddef.h>
#include <stdint.h>

/* One key with what is held meanwhile: modifier bits and usage of the keyboard page. */
struct dx_keystroke {
	uint8_t modifiers;
	uint8_t usage;
};

/*
 * At most `capacity` keystrokes into `strokes`, which may be NULL with 0 to count.
 * @return how many the text has; -EINVAL: *ret_bad is where the text cannot be typed.
 */
int dx_keystrokes_parse(const char *text, struct dx_keystroke *strokes, size_t capacity,
			const char **ret_bad);

#endif

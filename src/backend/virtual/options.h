/* SPDX-License-Identifier: MIT
 *
 * options - "NAME,key=value,key=value" taken apart.
 *
 * Place:      backend/virtual.
 * Form:       a backslash takes the next character literally; a key may appear once; whoever reads a
 *             key marks it as known, and what nobody knows is an error. "key" alone is "key=yes" for a
 *             flag and an error for everything else.
 * Trust:      the text comes from a command line or a peer of the broker: bounded in number and size.
 */
#ifndef DX_BACKEND_VIRTUAL_OPTIONS_H
#define DX_BACKEND_VIRTUAL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DX_OPTIONS_MAX	     32u
#define DX_OPTIONS_TEXT_SIZE 1024u

struct dx_option {
	const char *key;
	const char *value; /* NULL: a flag */
	bool known;
};

struct dx_options {
	char text[DX_OPTIONS_TEXT_SIZE];
	const char *name; /* before the first comma */
	unsigned nr_options;
	struct dx_option options[DX_OPTIONS_MAX];
	char *message; /* where the first error goes */
	size_t message_size;
	int result; /* 0, or -EINVAL once a value was wrong */
};

/* text without the prefix ("gadget-zero,speed=super"). @return 0 or -EINVAL with a message. */
int dx_options_parse(struct dx_options *options, const char *text, char *message,
		     size_t message_size);
/* Getters: the fallback when the key is missing; errors go into options->result and message. */
const char *dx_options_string(struct dx_options *options, const char *key, const char *fallback);
/* Decimal or 0x..., with K, M or G behind it for 1024s. */
uint64_t dx_options_number(struct dx_options *options, const char *key, uint64_t minimum,
			   uint64_t maximum, uint64_t fallback);
/* Index of the value in `names` (NULL-ended). */
unsigned dx_options_choice(struct dx_options *options, const char *key, const char *const *names,
			   unsigned fallback);
/* yes, no, or the key alone. */
bool dx_options_flag(struct dx_options *options, const char *key, bool fallback);
/* The key is allowed although nobody reads it. */
void dx_options_excuse(struct dx_options *options, const char *key);
/* After all getters: the first error, unknown keys included. */
int dx_options_finish(struct dx_options *options);
/* Writes a message if there is none yet, and sets result. */
void dx_options_fail(struct dx_options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif

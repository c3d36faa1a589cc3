/* SPDX-License-Identifier: MIT
 *
 * cf - what the CoreFoundation files share.
 *
 * Place:      client, over base/object.h and base/value.h.
 * Invariants:
 *   F1  a CFTypeRef is a struct dx_object pointer; strings, numbers, booleans, data and the
 *       containers of objects are dx values, so they reach the registry without conversion.
 *   F2  containers with callbacks other than the kCFType ones are classes of their own (plain
 *       pointers) and are never given to dx_ functions.
 * Threads:    as base/value.h says.
 */
#ifndef DX_CLIENT_CF_H
#define DX_CLIENT_CF_H

#include <stdbool.h>
#include <stdio.h>

#include <CoreFoundation/CFArray.h>
#include <CoreFoundation/CFBase.h>
#include <CoreFoundation/CFDictionary.h>
#include <CoreFoundation/CFString.h>

#include "base/object.h"
#include "base/value.h"

/* Type numbers; part of the interface only by comparison. */
enum dx_cf_type {
	DX_CF_OTHER = 1,
	DX_CF_STRING = 7,
	DX_CF_SET = 17,
	DX_CF_DICTIONARY = 18,
	DX_CF_ARRAY = 19,
	DX_CF_DATA = 20,
	DX_CF_BOOLEAN = 21,
	DX_CF_NUMBER = 22,
	DX_CF_UUID = 41,
	DX_CF_RUN_LOOP = 42,
	DX_CF_SOURCE = 43,
	DX_CF_TIMER = 45,
	DX_CF_MACH_PORT = 46,
};

extern const struct dx_class dx_cf_plain_array_class, dx_cf_plain_dictionary_class, dx_cf_set_class,
	dx_cf_uuid_class, dx_cf_mach_port_class, dx_run_loop_class, dx_run_loop_source_class,
	dx_run_loop_timer_class;

/* Writes the one-line description of an object, or the text itself of a string. */
void dx_cf_describe(FILE *stream, const void *object, bool quote);
bool dx_cf_array_is_plain(const void *array);
bool dx_cf_dictionary_is_plain(const void *dictionary);

/* Encodings (cf_encoding.c): both give malloc'd bytes, NULL when the text cannot be converted. */
char *dx_cf_utf8_from(const void *bytes, size_t length, CFStringEncoding encoding);
char *dx_cf_utf8_to(const char *utf8, CFStringEncoding encoding, size_t *ret_length);
bool dx_cf_is_ascii(const char *text);
/* The code point at *text, which is valid UTF-8, and one step on. */
uint32_t dx_cf_next_code_point(const char **text);

#endif

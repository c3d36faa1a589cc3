/* SPDX-License-Identifier: MIT
 *
 * cf_object - references, comparison and description of any CoreFoundation object.
 *
 * Place:   client, over base/object.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <CoreFoundation/CFSet.h>
#include <CoreFoundation/CFUUID.h>

#include "base/check.h"
#include "client/cf.h"

/* A NULL object is a bug of the program; macOS crashes there, so the program must not rely on it. */
static void refuse_null(const void *object, const char *function)
{
	static const char text[] = ": the object is NULL\n";

	if (object == NULL) {
		(void)!write(STDERR_FILENO, function, strlen(function));
		(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
		abort();
	}
}

CFTypeRef CFRetain(CFTypeRef cf)
{
	refuse_null(cf, "CFRetain");
	return dx_object_ref(cf);
}

void CFRelease(CFTypeRef cf)
{
	refuse_null(cf, "CFRelease");
	(void)dx_object_unref(cf); /* always NULL */
}

CFIndex CFGetRetainCount(CFTypeRef cf)
{
	refuse_null(cf, "CFGetRetainCount");
	return (CFIndex)dx_object_refs(cf);
}

CFTypeID CFGetTypeID(CFTypeRef cf)
{
	static const struct {
		const struct dx_class *class;
		enum dx_cf_type type;
	} types[] = {
		{&dx_string_class, DX_CF_STRING},
		{&dx_dict_class, DX_CF_DICTIONARY},
		{&dx_cf_plain_dictionary_class, DX_CF_DICTIONARY},
		{&dx_array_class, DX_CF_ARRAY},
		{&dx_cf_plain_array_class, DX_CF_ARRAY},
		{&dx_data_class, DX_CF_DATA},
		{&dx_boolean_class, DX_CF_BOOLEAN},
		{&dx_number_class, DX_CF_NUMBER},
		{&dx_cf_set_class, DX_CF_SET},
		{&dx_cf_uuid_class, DX_CF_UUID},
		{&dx_cf_mach_port_class, DX_CF_MACH_PORT},
		{&dx_run_loop_class, DX_CF_RUN_LOOP},
		{&dx_run_loop_source_class, DX_CF_SOURCE},
		{&dx_run_loop_timer_class, DX_CF_TIMER},
	};

	refuse_null(cf, "CFGetTypeID");
	for (size_t i = 0; i < DX_ARRAY_SIZE(types); i++) {
		if (dx_object_is_kind(cf, types[i].class)) {
			return types[i].type;
		}
	}
	return DX_CF_OTHER;
}

Boolean CFEqual(CFTypeRef cf1, CFTypeRef cf2)
{
	refuse_null(cf1, "CFEqual");
	refuse_null(cf2, "CFEqual");
	return dx_value_equal(cf1, cf2) ? 1 : 0;
}

static CFHashCode hash_bytes(const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	CFHashCode hash = 14695981039346656037ul;

	for (size_t i = 0; i < length; i++) {
		hash = (hash ^ at[i]) * 1099511628211ul;
	}
	return hash;
}

static CFHashCode hash_uuid(CFUUIDRef uuid)
{
	const CFUUIDBytes bytes = CFUUIDGetUUIDBytes(uuid);

	return hash_bytes(&bytes, sizeof(bytes));
}

CFHashCode CFHash(CFTypeRef cf)
{
	switch (CFGetTypeID(cf)) {
	case DX_CF_STRING:
		return hash_bytes(dx_string_get(cf), dx_string_length(cf));
	case DX_CF_DATA:
		return hash_bytes(dx_data_bytes(cf), dx_data_length(cf));
	case DX_CF_NUMBER: /* equal numbers may differ in width and in being real */
		return (CFHashCode)(int64_t)dx_number_real(cf);
	case DX_CF_BOOLEAN:
		return dx_boolean_get(cf) ? 1 : 0;
	case DX_CF_ARRAY:
		return (CFHashCode)CFArrayGetCount(cf);
	case DX_CF_SET:
		return (CFHashCode)CFSetGetCount(cf);
	case DX_CF_UUID:
		return hash_uuid(cf);
	case DX_CF_DICTIONARY:
		return (CFHashCode)CFDictionaryGetCount(cf);
	default:
		return (CFHashCode)(uintptr_t)cf >> 4;
	}
}

static void describe_data(FILE *stream, const struct dx_data *data)
{
	const unsigned char *bytes = dx_data_bytes(data);

	(void)fputc('<', stream); /* a stream in memory; what it lacks shows when it is closed */
	for (size_t i = 0; i < dx_data_length(data); i++) {
		(void)fprintf(stream, "%02x", bytes[i]);
	}
	(void)fputc('>', stream);
}

static void describe_number(FILE *stream, const struct dx_number *number)
{
	if (dx_number_is_real(number)) {
		(void)fprintf(stream, "%.17g", dx_number_real(number));
	} else if (dx_number_bits(number) <= 32) {
		(void)fprintf(stream, "%d", (int)(int32_t)dx_number_u64(number));
	} else {
		(void)fprintf(stream, "%lld", (long long)dx_number_u64(number));
	}
}

static void describe_array(FILE *stream, const struct dx_array *array)
{
	(void)fputc('[', stream);
	for (size_t i = 0; i < dx_array_count(array); i++) {
		(void)fputs(i == 0 ? "" : ", ", stream);
		dx_cf_describe(stream, dx_array_get(array, i), true);
	}
	(void)fputc(']', stream);
}

static void describe_dictionary(FILE *stream, const struct dx_dict *dict)
{
	const char *key = NULL;
	void *object = NULL;

	(void)fputc('{', stream);
	for (size_t i = 0; dx_dict_at(dict, i, &key, &object); i++) {
		(void)fprintf(stream, "%s\"%s\": ", i == 0 ? "" : ", ", key);
		dx_cf_describe(stream, object, true);
	}
	(void)fputc('}', stream);
}

void dx_cf_describe(FILE *stream, const void *object, bool quote)
{
	const struct dx_object *head = object;

	if (object == NULL) {
		(void)fputs("(null)", stream);
	} else if (head->class == &dx_string_class) {
		(void)fprintf(stream, quote ? "\"%s\"" : "%s", dx_string_get(object));
	} else if (head->class == &dx_data_class) {
		describe_data(stream, object);
	} else if (head->class == &dx_number_class) {
		describe_number(stream, object);
	} else if (head->class == &dx_boolean_class) {
		(void)fputs(dx_boolean_get(object) ? "true" : "false", stream);
	} else if (head->class == &dx_array_class) {
		describe_array(stream, object);
	} else if (head->class == &dx_dict_class) {
		describe_dictionary(stream, object);
	} else {
		(void)fprintf(stream, "<%s %p>", head->class->name, object);
	}
}

void CFShow(CFTypeRef obj)
{
	dx_cf_describe(stderr, obj, true);
	(void)fputc('\n', stderr); /* nobody to tell */
}

CFStringRef CFCopyDescription(CFTypeRef cf)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	CFStringRef description = NULL;

	if (stream == NULL) {
		return NULL;
	}
	dx_cf_describe(stream, cf, true);
	if (fclose(stream) == 0) {
		description = (CFStringRef)dx_string_new(text);
	}
	free(text);
	return description;
}

/* SPDX-License-Identifier: MIT
 *
 * cf_string - strings.
 *
 * Place:   client, over dx_string. Constant strings live in one table of the process, which only
 *          grows: one entry per text that a program names with CFSTR().
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <CoreFoundation/CFString.h>

#include "base/cleanup.h"
#include "base/mutex.h"
#include "client/cf.h"

static struct {
	struct dx_mutex lock; /* order 95, innermost; guards: texts */
	struct dx_dict *texts DX_GUARDED_BY(lock);
} constants = {.lock = DX_MUTEX_INIT};

static struct dx_string *string_of_c(const char *text, CFStringEncoding encoding)
{
	DX_CLEANUP_FREE char *utf8 = dx_cf_utf8_from(text, strlen(text), encoding);

	return utf8 == NULL ? NULL : dx_string_new(utf8);
}

static struct dx_string *find_constant(struct dx_string *string) DX_REQUIRES(constants.lock)
{
	if (constants.texts == NULL) {
		constants.texts = dx_dict_new();
	}
	if (string == NULL || constants.texts == NULL) {
		return NULL;
	}
	struct dx_string *known = dx_dict_get(constants.texts, dx_string_get(string));
	if (known == NULL && dx_dict_set(constants.texts, dx_string_get(string), string) == 0) {
		known = string;
	}
	return known;
}

CFStringRef __CFStringMakeConstantString(const char *cStr)
{
	static const char message[] = "CFSTR: out of memory\n";
	struct dx_string *string = string_of_c(cStr, kCFStringEncodingUTF8);

	if (string == NULL) {
		string = string_of_c(cStr, kCFStringEncodingMacRoman);
	}
	dx_mutex_lock(&constants.lock);
	struct dx_string *known = find_constant(string);
	dx_mutex_unlock(&constants.lock);
	if (known == NULL) {
		(void)!write(STDERR_FILENO, message, sizeof(message) - 1);
		abort();
	}
	(void)dx_object_unref(string); /* the table holds it */
	return (CFStringRef)known;
}

CFTypeID CFStringGetTypeID(void)
{
	return DX_CF_STRING;
}

CFStringRef CFStringCreateWithCString(CFAllocatorRef alloc, const char *cStr,
				      CFStringEncoding encoding)
{
	(void)alloc;
	if (cStr == NULL || encoding == kCFStringEncodingUTF16) {
		return NULL;
	}
	return (CFStringRef)string_of_c(cStr, encoding);
}

CFStringRef CFStringCreateWithCStringNoCopy(CFAllocatorRef alloc, const char *cStr,
					    CFStringEncoding encoding,
					    CFAllocatorRef contentsDeallocator)
{
	CFStringRef string = CFStringCreateWithCString(alloc, cStr, encoding);

	if (string != NULL && contentsDeallocator != kCFAllocatorNull) {
		free((void *)(uintptr_t)cStr);
	}
	return string;
}

/* Bytes of a byte order mark to skip; other is set when it says the other byte order. */
static size_t mark_length(const UInt8 *bytes, size_t length, CFStringEncoding encoding, bool *other)
{
	*other = false;
	if (encoding == kCFStringEncodingUTF8) {
		return length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	}
	if (encoding != kCFStringEncodingUTF16 || length < 2) {
		return 0;
	}
	uint16_t mark = 0;
	memcpy(&mark, bytes, 2);
	*other = mark == 0xfffe;
	return mark == 0xfeff || mark == 0xfffe ? 2 : 0;
}

static char *swapped(const UInt8 *bytes, size_t length)
{
	char *copy = calloc(1, length + 1);

	for (size_t i = 0; copy != NULL && i + 1 < length; i += 2) {
		copy[i] = (char)bytes[i + 1];
		copy[i + 1] = (char)bytes[i];
	}
	return copy;
}

CFStringRef CFStringCreateWithBytes(CFAllocatorRef alloc, const UInt8 *bytes, CFIndex numBytes,
				    CFStringEncoding encoding, Boolean isExternalRepresentation)
{
	bool other = false;
	size_t length = (size_t)numBytes;

	(void)alloc;
	if (numBytes < 0 || (bytes == NULL && numBytes != 0)) {
		return NULL;
	}
	if (numBytes == 0) {
		return (CFStringRef)dx_string_new("");
	}
	size_t mark = isExternalRepresentation ? mark_length(bytes, length, encoding, &other) : 0;
	DX_CLEANUP_FREE char *turned = other ? swapped(bytes + mark, length - mark) : NULL;
	if (other && turned == NULL) {
		return NULL;
	}
	const void *start = other ? (const void *)turned : (const void *)(bytes + mark);
	DX_CLEANUP_FREE char *utf8 = dx_cf_utf8_from(start, length - mark, encoding);
	if (utf8 == NULL ||
	    (encoding != kCFStringEncodingUTF16 && memchr(start, 0, length - mark) != NULL)) {
		return NULL;
	}
	return (CFStringRef)dx_string_new(utf8);
}

CFStringRef CFStringCreateCopy(CFAllocatorRef alloc, CFStringRef theString)
{
	(void)alloc;
	return CFRetain(theString); /* strings do not change */
}

CFIndex CFStringGetLength(CFStringRef theString)
{
	const char *at = dx_string_get((const void *)theString);
	CFIndex length = 0;

	while (*at != 0) {
		length += dx_cf_next_code_point(&at) >= 0x10000 ? 2 : 1;
	}
	return length;
}

UniChar CFStringGetCharacterAtIndex(CFStringRef theString, CFIndex idx)
{
	const char *at = dx_string_get((const void *)theString);

	for (CFIndex here = 0; idx >= 0 && *at != 0;) {
		uint32_t point = dx_cf_next_code_point(&at);

		if (point < 0x10000) {
			if (here == idx) {
				return (UniChar)point;
			}
			here += 1;
			continue;
		}
		if (here == idx) {
			return (UniChar)(0xd800 + ((point - 0x10000) >> 10));
		}
		if (here + 1 == idx) {
			return (UniChar)(0xdc00 + ((point - 0x10000) & 0x3ff));
		}
		here += 2;
	}
	return 0;
}

CFIndex CFStringGetMaximumSizeForEncoding(CFIndex length, CFStringEncoding encoding)
{
	CFIndex each = encoding == kCFStringEncodingUTF8    ? 3
		       : encoding == kCFStringEncodingUTF16 ? 2
		       : encoding == kCFStringEncodingASCII ||
				       encoding == kCFStringEncodingMacRoman
			       ? 1
			       : 0;
	CFIndex size = 0;

	if (each == 0 || length < 0 || __builtin_mul_overflow(length, each, &size)) {
		return kCFNotFound;
	}
	return size;
}

Boolean CFStringGetCString(CFStringRef theString, char *buffer, CFIndex bufferSize,
			   CFStringEncoding encoding)
{
	size_t length = 0;

	if (buffer == NULL || bufferSize <= 0) {
		return 0;
	}
	buffer[0] = 0;
	if (encoding == kCFStringEncodingUTF16) {
		return 0;
	}
	DX_CLEANUP_FREE char *bytes =
		dx_cf_utf8_to(dx_string_get((const void *)theString), encoding, &length);
	if (bytes == NULL || length >= (size_t)bufferSize) {
		return 0;
	}
	memcpy(buffer, bytes, length + 1);
	return 1;
}

const char *CFStringGetCStringPtr(CFStringRef theString, CFStringEncoding encoding)
{
	const char *text = dx_string_get((const void *)theString);

	if (encoding == kCFStringEncodingUTF8) {
		return text;
	}
	if (encoding != kCFStringEncodingASCII && encoding != kCFStringEncodingMacRoman) {
		return NULL;
	}
	return dx_cf_is_ascii(text) ? text : NULL;
}

static int fold(unsigned char byte, bool folding)
{
	return folding && byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
}

/* The order of UTF-8 bytes is the order of code points. */
CFComparisonResult CFStringCompare(CFStringRef theString1, CFStringRef theString2,
				   CFStringCompareFlags compareOptions)
{
	const char *a = dx_string_get((const void *)theString1);
	const char *b = dx_string_get((const void *)theString2);
	bool folding = (compareOptions & kCFCompareCaseInsensitive) != 0;

	for (;; a++, b++) {
		int left = fold((unsigned char)*a, folding);
		int right = fold((unsigned char)*b, folding);

		if (left != right) {
			return left < right ? kCFCompareLessThan : kCFCompareGreaterThan;
		}
		if (left == 0) {
			return kCFCompareEqualTo;
		}
	}
}

Boolean CFStringHasPrefix(CFStringRef theString, CFStringRef prefix)
{
	const char *start = dx_string_get((const void *)prefix);

	return strncmp(dx_string_get((const void *)theString), start, strlen(start)) == 0;
}

Boolean CFStringHasSuffix(CFStringRef theString, CFStringRef suffix)
{
	size_t length = dx_string_length((const void *)theString);
	size_t end = dx_string_length((const void *)suffix);

	return end <= length && strcmp(dx_string_get((const void *)theString) + length - end,
				       dx_string_get((const void *)suffix)) == 0;
}

SInt32 CFStringGetIntValue(CFStringRef str)
{
	long long value = strtoll(dx_string_get((const void *)str), NULL, 10);

	return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (SInt32)value;
}

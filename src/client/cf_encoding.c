/* SPDX-License-Identifier: MIT
 *
 * cf_encoding - text between UTF-8, in which all strings are kept, and the other encodings.
 *
 * Place:   client, under cf_string.c.
 * Trust:   bytes come from the program or from files; whatever is malformed is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "client/cf.h"

/* Code points of the bytes 0x80 to 0xff. */
static const uint16_t mac_roman[128] = {
	0x00c4, 0x00c5, 0x00c7, 0x00c9, 0x00d1, 0x00d6, 0x00dc, 0x00e1,
	0x00e0, 0x00e2, 0x00e4, 0x00e3, 0x00e5, 0x00e7, 0x00e9, 0x00e8,
	0x00ea, 0x00eb, 0x00ed, 0x00ec, 0x00ee, 0x00ef, 0x00f1, 0x00f3,
	0x00f2, 0x00f4, 0x00f6, 0x00f5, 0x00fa, 0x00f9, 0x00fb, 0x00fc,
	0x2020, 0x00b0, 0x00a2, 0x00a3, 0x00a7, 0x2022, 0x00b6, 0x00df,
	0x00ae, 0x00a9, 0x2122, 0x00b4, 0x00a8, 0x2260, 0x00c6, 0x00d8,
	0x221e, 0x00b1, 0x2264, 0x2265, 0x00a5, 0x00b5, 0x2202, 0x2211,
	0x220f, 0x03c0, 0x222b, 0x00aa, 0x00ba, 0x03a9, 0x00e6, 0x00f8,
	0x00bf, 0x00a1, 0x00ac, 0x221a, 0x0192, 0x2248, 0x2206, 0x00ab,
	0x00bb, 0x2026, 0x00a0, 0x00c0, 0x00c3, 0x00d5, 0x0152, 0x0153,
	0x2013, 0x2014, 0x201c, 0x201d, 0x2018, 0x2019, 0x00f7, 0x25ca,
	0x00ff, 0x0178, 0x2044, 0x20ac, 0x2039, 0x203a, 0xfb01, 0xfb02,
	0x2021, 0x00b7, 0x201a, 0x201e, 0x2030, 0x00c2, 0x00ca, 0x00c1,
	0x00cb, 0x00c8, 0x00cd, 0x00ce, 0x00cf, 0x00cc, 0x00d3, 0x00d4,
	0xf8ff, 0x00d2, 0x00da, 0x00db, 0x00d9, 0x0131, 0x02c6, 0x02dc,
	0x00af, 0x02d8, 0x02d9, 0x02da, 0x00b8, 0x02dd, 0x02db, 0x02c7,
};

static char *put_code_point(char *out, uint32_t point)
{
	if (point < 0x80) {
		*out++ = (char)point;
	} else if (point < 0x800) {
		*out++ = (char)(0xc0 | point >> 6);
		*out++ = (char)(0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		*out++ = (char)(0xe0 | point >> 12);
		*out++ = (char)(0x80 | (point >> 6 & 0x3f));
		*out++ = (char)(0x80 | (point & 0x3f));
	} else {
		*out++ = (char)(0xf0 | point >> 18);
		*out++ = (char)(0x80 | (point >> 12 & 0x3f));
		*out++ = (char)(0x80 | (point >> 6 & 0x3f));
		*out++ = (char)(0x80 | (point & 0x3f));
	}
	return out;
}

uint32_t dx_cf_next_code_point(const char **text)
{
	const unsigned char *at = (const unsigned char *)*text;
	unsigned extra = at[0] < 0x80 ? 0 : at[0] < 0xe0 ? 1 : at[0] < 0xf0 ? 2 : 3;
	uint32_t point = extra == 0 ? at[0] : at[0] & (0x3fu >> extra);

	for (unsigned i = 1; i <= extra; i++) {
		point = point << 6 | (at[i] & 0x3f);
	}
	*text += extra + 1;
	return point;
}

bool dx_cf_is_ascii(const char *text)
{
	for (; *text != 0; text++) {
		if ((unsigned char)*text >= 0x80) {
			return false;
		}
	}
	return true;
}

/* One byte of an eight-bit encoding; 0 when it has no meaning there. */
static uint32_t point_of_byte(unsigned char byte, CFStringEncoding encoding)
{
	if (byte < 0x80) {
		return byte;
	}
	return encoding == kCFStringEncodingMacRoman ? mac_roman[byte - 0x80] : 0;
}

static char *from_bytes(const unsigned char *bytes, size_t length, CFStringEncoding encoding)
{
	size_t capacity = 0;

	if (dx_mul_overflow(length, (size_t)3, &capacity) || dx_add_overflow(capacity, 1, &capacity)) {
		return NULL;
	}
	char *text = malloc(capacity);
	char *out = text;
	for (size_t i = 0; text != NULL && i < length; i++) {
		uint32_t point = point_of_byte(bytes[i], encoding);

		if (point == 0) {
			free(text);
			return NULL;
		}
		out = put_code_point(out, point);
	}
	if (text != NULL) {
		*out = 0;
	}
	return text;
}

/* The code point at units[*at]; 0 when it is malformed or NUL. */
static uint32_t utf16_next(const unsigned char *bytes, size_t count, size_t *at)
{
	uint16_t unit[2] = {0, 0};

	memcpy(&unit[0], bytes + *at * 2, 2);
	*at += 1;
	if (unit[0] < 0xd800 || unit[0] >= 0xe000) {
		return unit[0];
	}
	if (unit[0] >= 0xdc00 || *at >= count) {
		return 0;
	}
	memcpy(&unit[1], bytes + *at * 2, 2);
	*at += 1;
	if (unit[1] < 0xdc00 || unit[1] >= 0xe000) {
		return 0;
	}
	return 0x10000u + ((uint32_t)(unit[0] - 0xd800) << 10) + (uint32_t)(unit[1] - 0xdc00);
}

static char *from_utf16(const unsigned char *bytes, size_t length)
{
	size_t capacity = 0;

	if (length % 2 != 0 || dx_mul_overflow(length / 2, (size_t)3, &capacity)) {
		return NULL;
	}
	char *text = malloc(capacity + 1);
	char *out = text;
	for (size_t at = 0; text != NULL && at < length / 2;) {
		uint32_t point = utf16_next(bytes, length / 2, &at);

		if (point == 0) {
			free(text);
			return NULL;
		}
		out = put_code_point(out, point);
	}
	if (text != NULL) {
		*out = 0;
	}
	return text;
}

char *dx_cf_utf8_from(const void *bytes, size_t length, CFStringEncoding encoding)
{
	switch (encoding) {
	case kCFStringEncodingUTF8:
		return dx_string_is_valid(bytes, length) ? strndup(bytes, length) : NULL;
	case kCFStringEncodingMacRoman:
	case kCFStringEncodingASCII:
		return from_bytes(bytes, length, encoding);
	case kCFStringEncodingUTF16:
		return from_utf16(bytes, length);
	default:
		return NULL;
	}
}

/* The byte for a code point, or -1. */
static int byte_of_point(uint32_t point, CFStringEncoding encoding)
{
	if (point < 0x80) {
		return (int)point;
	}
	for (unsigned i = 0; encoding == kCFStringEncodingMacRoman && i < 128; i++) {
		if (mac_roman[i] == point) {
			return (int)(0x80 + i);
		}
	}
	return -1;
}

static char *to_bytes(const char *utf8, CFStringEncoding encoding, size_t *ret_length)
{
	char *bytes = malloc(strlen(utf8) + 1);
	size_t length = 0;

	while (bytes != NULL && *utf8 != 0) {
		int byte = byte_of_point(dx_cf_next_code_point(&utf8), encoding);

		if (byte < 0) {
			free(bytes);
			return NULL;
		}
		bytes[length++] = (char)byte;
	}
	if (bytes != NULL) {
		bytes[length] = 0;
		*ret_length = length;
	}
	return bytes;
}

static char *to_utf16(const char *utf8, size_t *ret_length)
{
	uint16_t *units = calloc(strlen(utf8) + 1, sizeof(*units));
	size_t count = 0;

	while (units != NULL && *utf8 != 0) {
		uint32_t point = dx_cf_next_code_point(&utf8);

		if (point >= 0x10000) {
			units[count++] = (uint16_t)(0xd800 + ((point - 0x10000) >> 10));
			units[count++] = (uint16_t)(0xdc00 + ((point - 0x10000) & 0x3ff));
		} else {
			units[count++] = (uint16_t)point;
		}
	}
	*ret_length = count * 2;
	return (char *)units;
}

char *dx_cf_utf8_to(const char *utf8, CFStringEncoding encoding, size_t *ret_length)
{
	switch (encoding) {
	case kCFStringEncodingUTF8:
		*ret_length = strlen(utf8);
		return strdup(utf8);
	case kCFStringEncodingMacRoman:
	case kCFStringEncodingASCII:
		return to_bytes(utf8, encoding, ret_length);
	case kCFStringEncodingUTF16:
		return to_utf16(utf8, ret_length);
	default:
		return NULL;
	}
}

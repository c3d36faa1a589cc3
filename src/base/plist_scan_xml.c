/* SPDX-License-Identifier: MIT
 *
 * plist_scan_xml - structure of an XML property list.
 *
 * Not an XML parser: it knows the dozen elements of a property list, that they nest, that
 * dictionaries alternate keys and values, and what may stand in each leaf. Entities beyond the five
 * of XML, internal DTDs, dates and UIDs are refused.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/plist_scan.h"
#include "base/value.h"

struct scan {
	const char *text;
	size_t length;
	size_t at;
	unsigned depth;
	bool is_dict[DX_MAX_PLIST_DEPTH];  /* else array */
	bool wants_key[DX_MAX_PLIST_DEPTH]; /* of a dictionary */
	bool is_done;			   /* the one value of the document is complete */
	bool is_in_plist;
};

/* The text between the tags of a leaf. */
typedef bool (*leaf_check_fn)(const char *text, size_t length);

static bool starts_with(const struct scan *scan, const char *prefix)
{
	size_t length = strlen(prefix);

	return scan->length - scan->at >= length &&
	       memcmp(scan->text + scan->at, prefix, length) == 0;
}

/* Moves behind the next occurrence of mark. */
static bool skip_past(struct scan *scan, const char *mark)
{
	const char *found = memmem(scan->text + scan->at, scan->length - scan->at, mark,
				   strlen(mark));

	if (found == NULL) {
		return false;
	}
	scan->at = (size_t)(found - scan->text) + strlen(mark);
	return true;
}

static void skip_space(struct scan *scan)
{
	while (scan->at < scan->length && isspace((unsigned char)scan->text[scan->at])) {
		scan->at++;
	}
}

/* Space, comments, processing instructions, a document type without a body. */
static int skip_misc(struct scan *scan)
{
	for (;;) {
		size_t start;

		skip_space(scan);
		start = scan->at;
		if (starts_with(scan, "<!--")) {
			if (!skip_past(scan, "-->")) {
				return -EPROTO;
			}
		} else if (starts_with(scan, "<?")) {
			if (!skip_past(scan, "?>")) {
				return -EPROTO;
			}
		} else if (starts_with(scan, "<!DOCTYPE")) {
			if (!skip_past(scan, ">")) {
				return -EPROTO;
			}
			if (memchr(scan->text + start, '[', scan->at - start) != NULL) {
				scan->at = start;
				return -EPROTO;
			}
		} else {
			return 0;
		}
	}
}

static void trim(const char **text, size_t *length)
{
	while (*length > 0 && isspace((unsigned char)**text)) {
		(*text)++;
		(*length)--;
	}
	while (*length > 0 && isspace((unsigned char)(*text)[*length - 1])) {
		(*length)--;
	}
}

static bool is_integer(const char *text, size_t length)
{
	size_t nr_digits = 0;
	bool is_hex = false;

	trim(&text, &length);
	if (length > 0 && (text[0] == '-' || text[0] == '+')) {
		text++;
		length--;
	}
	if (length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		is_hex = true;
		text += 2;
		length -= 2;
	}
	for (; nr_digits < length; nr_digits++) {
		unsigned char digit = (unsigned char)text[nr_digits];

		if (is_hex ? !isxdigit(digit) : !isdigit(digit)) {
			return false;
		}
	}
	return nr_digits > 0 && nr_digits <= (is_hex ? 16 : 20);
}

static bool is_real(const char *text, size_t length)
{
	trim(&text, &length);
	if (length == 0 || length > 64) {
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		if (!isdigit((unsigned char)text[i]) && memchr("+-.eE", text[i], 5) == NULL) {
			return false;
		}
	}
	return true;
}

static bool is_base64(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (!isalnum(byte) && !isspace(byte) && memchr("+/=", byte, 3) == NULL) {
			return false;
		}
	}
	return true;
}

/* "&#65;" or "&#x41;": a character that text may hold. */
static bool is_character_reference(const char *text, size_t length)
{
	bool is_hex = length > 2 && text[2] == 'x';
	uint32_t code = 0;

	for (size_t at = is_hex ? 3 : 2; at < length && code <= 0x10ffff; at++) {
		unsigned char digit = (unsigned char)text[at];

		if (digit == ';') {
			return code != 0 && (code < 0xd800 || code > 0xdfff);
		}
		if (is_hex ? !isxdigit(digit) : !isdigit(digit)) {
			return false;
		}
		code = code * (is_hex ? 16 : 10);
		code += (uint32_t)(isdigit(digit) ? digit - '0' : tolower(digit) - 'a' + 10);
	}
	return false;
}

static bool is_known_entity(const char *text, size_t length)
{
	static const char *const known[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&apos;"};

	for (size_t i = 0; i < DX_ARRAY_SIZE(known); i++) {
		if (length >= strlen(known[i]) && memcmp(text, known[i], strlen(known[i])) == 0) {
			return true;
		}
	}
	return length >= 4 && text[1] == '#' && is_character_reference(text, length);
}

/* CDATA sections may hold '&' and '<'; the caller has found the end of the leaf outside of them. */
static bool is_text(const char *text, size_t length)
{
	struct scan scan = {.text = text, .length = length};

	if (!dx_string_is_valid(text, length)) {
		return false;
	}
	while (scan.at < length) {
		if (starts_with(&scan, "<![CDATA[")) {
			if (!skip_past(&scan, "]]>")) {
				return false;
			}
			continue;
		}
		if (text[scan.at] == '<' ||
		    (text[scan.at] == '&' && !is_known_entity(text + scan.at, length - scan.at))) {
			return false;
		}
		scan.at++;
	}
	return true;
}

static const struct leaf {
	const char *name;
	leaf_check_fn check; /* NULL: no content */
} leaves[] = {
	{"key", is_text},  {"string", is_text}, {"integer", is_integer}, {"real", is_real},
	{"data", is_base64}, {"true", NULL},	{"false", NULL},
};

static const struct leaf *find_leaf(const char *name, size_t length)
{
	for (size_t i = 0; i < DX_ARRAY_SIZE(leaves); i++) {
		if (strlen(leaves[i].name) == length && memcmp(leaves[i].name, name, length) == 0) {
			return &leaves[i];
		}
	}
	return NULL;
}

/* Accounts for one key or value where the scan stands. */
static int place(struct scan *scan, bool is_key)
{
	unsigned top = scan->depth - 1;

	if (scan->depth == 0) {
		if (is_key || scan->is_done) {
			return -EPROTO;
		}
		scan->is_done = true;
		return 0;
	}
	if (is_key != (scan->is_dict[top] && scan->wants_key[top])) {
		return -EPROTO;
	}
	if (scan->is_dict[top]) {
		scan->wants_key[top] = !scan->wants_key[top];
	}
	return 0;
}

static int open_container(struct scan *scan, bool is_dict, bool is_empty)
{
	int result = place(scan, false);

	if (result < 0 || is_empty) {
		return result;
	}
	if (scan->depth == DX_MAX_PLIST_DEPTH) {
		return -E2BIG;
	}
	scan->is_dict[scan->depth] = is_dict;
	scan->wants_key[scan->depth] = is_dict;
	scan->depth++;
	return 0;
}

static int close_container(struct scan *scan, bool is_dict)
{
	unsigned top = scan->depth - 1;

	if (scan->depth == 0 || scan->is_dict[top] != is_dict ||
	    (is_dict && !scan->wants_key[top])) {
		return -EPROTO;
	}
	scan->depth--;
	return 0;
}

/* From behind the opening tag to behind the closing one. */
static int scan_leaf_content(struct scan *scan, const struct leaf *leaf)
{
	const char *start = scan->text + scan->at;
	size_t name_length = strlen(leaf->name);
	size_t length;

	for (;;) {
		const char *mark = memchr(scan->text + scan->at, '<', scan->length - scan->at);

		if (mark == NULL) {
			return -EPROTO;
		}
		scan->at = (size_t)(mark - scan->text);
		if (!starts_with(scan, "<![CDATA[")) {
			break;
		}
		if (!skip_past(scan, "]]>")) {
			return -EPROTO;
		}
	}
	length = (size_t)(scan->text + scan->at - start);
	if (!starts_with(scan, "</") || scan->length - scan->at < name_length + 3 ||
	    memcmp(scan->text + scan->at + 2, leaf->name, name_length) != 0 ||
	    scan->text[scan->at + 2 + name_length] != '>') {
		return -EPROTO;
	}
	if (leaf->check == NULL ? length > 0 : !leaf->check(start, length)) {
		return -EPROTO;
	}
	scan->at += name_length + 3;
	return 0;
}

static int scan_leaf(struct scan *scan, const struct leaf *leaf, bool is_empty)
{
	int result = place(scan, strcmp(leaf->name, "key") == 0);

	if (result < 0) {
		return result;
	}
	if (is_empty) {
		return leaf->check == is_integer || leaf->check == is_real ? -EPROTO : 0;
	}
	return scan_leaf_content(scan, leaf);
}

static bool name_is(const char *name, size_t length, const char *expected)
{
	return length == strlen(expected) && memcmp(name, expected, length) == 0;
}

static int scan_opening(struct scan *scan, const char *name, size_t length, bool is_empty)
{
	const struct leaf *leaf = find_leaf(name, length);

	if (leaf != NULL) {
		return scan_leaf(scan, leaf, is_empty);
	}
	if (name_is(name, length, "dict")) {
		return open_container(scan, true, is_empty);
	}
	return name_is(name, length, "array") ? open_container(scan, false, is_empty) : -EPROTO;
}

static int scan_closing(struct scan *scan, const char *name, size_t length)
{
	if (name_is(name, length, "plist")) {
		if (scan->depth > 0 || !scan->is_in_plist || !scan->is_done) {
			return -EPROTO;
		}
		scan->is_in_plist = false;
		return 0;
	}
	if (name_is(name, length, "dict")) {
		return close_container(scan, true);
	}
	return name_is(name, length, "array") ? close_container(scan, false) : -EPROTO;
}

/* One tag, and a leaf whole. On failure scan->at stays in it. */
static int scan_tag(struct scan *scan)
{
	size_t start = scan->at;
	bool is_closing = starts_with(scan, "</");
	const char *name = scan->text + scan->at + (is_closing ? 2 : 1);
	size_t length = 0;
	bool is_empty;
	int result;

	if (!starts_with(scan, "<") || !skip_past(scan, ">")) {
		return -EPROTO;
	}
	is_empty = scan->text[scan->at - 2] == '/';
	while (isalpha((unsigned char)name[length])) {
		length++; /* ends at the '>' at the latest */
	}
	if (!is_closing && name_is(name, length, "plist")) {
		result = scan->is_in_plist || scan->is_done || is_empty ? -EPROTO : 0;
		scan->is_in_plist = true;
	} else if (!scan->is_in_plist || (name[length] != '>' && name[length] != '/')) {
		result = -EPROTO;
	} else if (is_closing) {
		result = scan_closing(scan, name, length);
	} else {
		result = scan_opening(scan, name, length, is_empty);
	}
	if (result < 0 && scan->at > start + 1) {
		scan->at = scan->at < scan->length ? scan->at - 1 : scan->length;
	}
	return result;
}

static unsigned line_at(const struct scan *scan)
{
	unsigned line = 1;

	for (size_t i = 0; i < scan->at && i < scan->length; i++) {
		line += scan->text[i] == '\n' ? 1 : 0;
	}
	return line;
}

static int scan_document(struct scan *scan)
{
	bool was_opened = false;

	for (;;) {
		int result = skip_misc(scan);

		if (result < 0) {
			return result;
		}
		if (scan->at == scan->length) {
			return was_opened && !scan->is_in_plist ? 0 : -EPROTO;
		}
		result = scan_tag(scan);
		if (result < 0) {
			return result;
		}
		was_opened = true;
	}
}

int dx_plist_scan_xml(const char *text, size_t length, unsigned *ret_line)
{
	struct scan scan = {.text = text, .length = length};
	int result;

	if (length > DX_MAX_PLIST_BYTES) {
		*ret_line = 0;
		return -E2BIG;
	}
	result = scan_document(&scan);
	if (result < 0) {
		*ret_line = line_at(&scan);
	}
	return result;
}

/* SPDX-License-Identifier: MIT
 *
 * plist_scan_binary - bounds of a binary property list.
 *
 *	0		"bplist00"
 *	8		objects: one marker byte, a longer count where it does not fit, the content
 *	table		nr_objects offsets of objects, offset_size bytes each, big endian
 *	length - 32	trailer: 6 unused, offset_size, ref_size, nr_objects (8), root (8), table (8)
 *
 * Arrays and dictionaries name their members by object number, ref_size bytes each; an object that
 * is named twice exists twice once it is built. Every object is looked into once and its height
 * and cost are kept, so the sums are right although the walk is linear.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/plist_scan.h"

#define HEADER_BYTES  8u
#define TRAILER_BYTES 32u
#define NODE_BYTES    128u /* about what one value takes beside its bytes */

struct summary {
	uint32_t cost;	 /* bytes once built, with all below */
	uint8_t height;	 /* levels of containers below and here */
	bool is_visited; /* the two are known */
	bool is_string;
};

struct scan {
	const unsigned char *bytes;
	uint64_t nr_objects;
	uint64_t table; /* offset of the table, end of the objects */
	unsigned offset_size;
	unsigned ref_size;
	struct summary *summaries;
};

/* What the marker of an object says. */
struct object {
	unsigned kind;	  /* high four bits of the marker */
	uint64_t count;	  /* low four bits, or the longer count */
	uint64_t content; /* offset of what follows */
};

static uint64_t read_number(const unsigned char *bytes, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++) {
		value = value << 8 | bytes[i];
	}
	return value;
}

/* A count that does not fit is an integer object of its own behind the marker. */
static int read_long_count(const struct scan *scan, struct object *object)
{
	unsigned size;

	if (object->content >= scan->table || scan->bytes[object->content] >> 4 != 1) {
		return -EPROTO;
	}
	size = 1u << (scan->bytes[object->content] & 0xf);
	if (size > 8 || !dx_range_inside(object->content + 1, size, scan->table)) {
		return -EPROTO;
	}
	object->count = read_number(scan->bytes + object->content + 1, size);
	object->content += 1 + size;
	return 0;
}

static int read_object(const struct scan *scan, uint64_t number, struct object *ret_object)
{
	const unsigned char *slot = scan->bytes + scan->table + number * scan->offset_size;
	uint64_t offset = read_number(slot, scan->offset_size);
	struct object object;
	int result = 0;

	if (offset < HEADER_BYTES || offset >= scan->table) {
		return -EPROTO;
	}
	object.kind = scan->bytes[offset] >> 4;
	object.count = scan->bytes[offset] & 0xf;
	object.content = offset + 1;
	if (object.count == 0xf && object.kind >= 4) {
		result = read_long_count(scan, &object);
	}
	if (result == 0) {
		*ret_object = object;
	}
	return result;
}

/* Bytes of the content of anything but a container; -EPROTO for kinds that are no value of ours. */
static int content_length(const struct object *object, uint64_t *ret_length)
{
	switch (object->kind) {
	case 0x0:
		*ret_length = 0;
		return object->count == 8 || object->count == 9 ? 0 : -EPROTO;
	case 0x1:
		*ret_length = UINT64_C(1) << object->count;
		return object->count <= 4 ? 0 : -EPROTO;
	case 0x2:
		*ret_length = UINT64_C(1) << object->count;
		return object->count == 2 || object->count == 3 ? 0 : -EPROTO;
	case 0x4:
	case 0x5:
		*ret_length = object->count;
		return 0;
	case 0x6:
		return dx_mul_overflow(object->count, 2u, ret_length) ? -EPROTO : 0;
	default:
		return -EPROTO;
	}
}

static bool is_ascii(const unsigned char *bytes, uint64_t length)
{
	for (uint64_t i = 0; i < length; i++) {
		if (bytes[i] == 0 || bytes[i] > 0x7f) {
			return false;
		}
	}
	return true;
}

static bool is_utf16(const unsigned char *bytes, uint64_t length)
{
	bool wants_low = false;

	for (uint64_t i = 0; i < length; i += 2) {
		unsigned unit = (unsigned)read_number(bytes + i, 2);
		bool is_low = unit >= 0xdc00 && unit <= 0xdfff;

		if (unit == 0 || is_low != wants_low) {
			return false;
		}
		wants_low = unit >= 0xd800 && unit <= 0xdbff;
	}
	return !wants_low;
}

/* libplist aborts the process at a NUL inside of a key. */
static bool is_clean_text(const struct scan *scan, const struct object *object, uint64_t length)
{
	const unsigned char *bytes = scan->bytes + object->content;

	switch (object->kind) {
	case 0x5:
		return is_ascii(bytes, length);
	case 0x6:
		return is_utf16(bytes, length);
	default:
		return true;
	}
}

static int visit_leaf(const struct scan *scan, const struct object *object, struct summary *summary)
{
	uint64_t length = 0;
	int result = content_length(object, &length);

	if (result < 0) {
		return result;
	}
	if (!dx_range_inside(object->content, length, scan->table) ||
	    !is_clean_text(scan, object, length)) {
		return -EPROTO;
	}
	summary->cost = (uint32_t)(NODE_BYTES + 2 * length); /* length <= DX_MAX_PLIST_BYTES */
	summary->is_string = object->kind == 5 || object->kind == 6;
	return 0;
}

static int visit(struct scan *scan, uint64_t number, unsigned depth);

static int add_member(struct scan *scan, struct summary *summary, uint64_t at, unsigned depth,
		      bool must_be_string)
{
	uint64_t number = read_number(scan->bytes + at, scan->ref_size);
	int result = number < scan->nr_objects ? visit(scan, number, depth + 1) : -EPROTO;
	const struct summary *member;

	if (result < 0) {
		return result;
	}
	member = &scan->summaries[number];
	if (must_be_string && !member->is_string) {
		return -EPROTO;
	}
	/* Neither term is above the limit, so the sum fits. */
	summary->cost += member->cost;
	if (summary->cost > DX_MAX_PLIST_EXPANDED_BYTES) {
		return -E2BIG;
	}
	if (member->height + 1 > summary->height) {
		summary->height = (uint8_t)(member->height + 1);
	}
	return 0;
}

static int visit_container(struct scan *scan, const struct object *object, struct summary *summary,
			   unsigned depth)
{
	bool is_dict = object->kind == 0xd;
	uint64_t nr_refs = 0;
	uint64_t length = 0;

	if (dx_mul_overflow(object->count, is_dict ? 2u : 1u, &nr_refs) ||
	    dx_mul_overflow(nr_refs, scan->ref_size, &length) ||
	    !dx_range_inside(object->content, length, scan->table)) {
		return -EPROTO;
	}
	summary->cost = NODE_BYTES;
	summary->height = 1;
	for (uint64_t i = 0; i < nr_refs; i++) {
		int result = add_member(scan, summary, object->content + i * scan->ref_size, depth,
					is_dict && i < object->count);

		if (result < 0) {
			return result;
		}
	}
	return 0;
}

/* Recursive by nature; the depth is bounded. A cycle ends at that bound. */
static int visit(struct scan *scan, uint64_t number, unsigned depth)
{
	struct summary summary = {.is_visited = true};
	struct object object;
	int result;

	if (depth + scan->summaries[number].height > DX_MAX_PLIST_DEPTH) {
		return -E2BIG;
	}
	if (scan->summaries[number].is_visited) {
		return 0;
	}
	result = read_object(scan, number, &object);
	if (result == 0) {
		result = object.kind == 0xa || object.kind == 0xd
				 ? visit_container(scan, &object, &summary, depth)
				 : visit_leaf(scan, &object, &summary);
	}
	if (result == 0) {
		scan->summaries[number] = summary;
	}
	return result;
}

static int read_trailer(struct scan *scan, size_t length, uint64_t *ret_root)
{
	const unsigned char *trailer = scan->bytes + length - TRAILER_BYTES;
	uint64_t table_bytes = 0;

	scan->offset_size = trailer[6];
	scan->ref_size = trailer[7];
	scan->nr_objects = read_number(trailer + 8, 8);
	*ret_root = read_number(trailer + 16, 8);
	scan->table = read_number(trailer + 24, 8);
	if (scan->offset_size < 1 || scan->offset_size > 8 || scan->ref_size < 1 ||
	    scan->ref_size > 8 || *ret_root >= scan->nr_objects || scan->table < HEADER_BYTES ||
	    dx_mul_overflow(scan->nr_objects, scan->offset_size, &table_bytes) ||
	    !dx_range_inside(scan->table, table_bytes, length - TRAILER_BYTES)) {
		return -EPROTO;
	}
	return 0;
}

int dx_plist_scan_binary(const void *bytes, size_t length)
{
	struct scan scan = {.bytes = bytes};
	DX_CLEANUP_FREE struct summary *summaries = NULL;
	uint64_t root = 0;
	int result;

	if (length > DX_MAX_PLIST_BYTES) {
		return -E2BIG;
	}
	if (length < HEADER_BYTES + TRAILER_BYTES || memcmp(bytes, "bplist00", HEADER_BYTES) != 0) {
		return -EPROTO;
	}
	result = read_trailer(&scan, length, &root);
	if (result < 0) {
		return result;
	}
	summaries = calloc(scan.nr_objects, sizeof(*summaries)); /* at most one per byte */
	if (summaries == NULL) {
		return -ENOMEM;
	}
	scan.summaries = summaries;
	return visit(&scan, root, 0);
}

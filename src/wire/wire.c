/* SPDX-License-Identifier: MIT
 *
 * wire - encode, decode and check messages; the table of all types.
 *
 * Place:      see wire.h. One row per type says what its request and its reply carry; the checks of
 *             a body stand beside it, so that a new message is one row and at most one function.
 * Trust:      dx_wire_decode() reads foreign bytes. The frame is checked before the body, the body
 *             before anybody sees it. The buffer is private to the caller, so it cannot change.
 * Threads:    any; no state.
 */
#include "wire/wire.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"

enum {
	HAS_REQUEST = 1,  /* the type exists without DX_WIRE_REPLY */
	HAS_REPLY = 2,    /* and with it */
	REQUEST_DATA = 4, /* a payload may follow */
	REPLY_DATA = 8,
};

typedef bool (*body_check_fn)(const void *body);

struct row {
	uint16_t type;
	uint16_t what;
	uint16_t request_body;
	uint16_t reply_body;
	uint8_t request_fds; /* exact */
	uint8_t reply_fds;   /* exact in a reply that succeeded; see dx_wire_nr_fds() */
	const char *name;
	body_check_fn check_request; /* NULL: every bit pattern is fine */
	body_check_fn check_reply;
};

/* What a failed reply without body shows instead: as many zeros as any body has bytes. */
static const uint64_t empty_body[sizeof(struct dx_wire_add_entry) / sizeof(uint64_t)];

/* A name that fills its array with text and one NUL at least. */
static bool name_is_valid(const char *name)
{
	size_t length = strnlen(name, DX_MAX_NAME);

	return length < DX_MAX_NAME && dx_wire_text_is_valid(name, length);
}

static bool check_hello(const void *body)
{
	const struct dx_wire_hello *hello = body;

	return hello->pad == 0 && hello->role >= DX_WIRE_ROLE_APPLICATION &&
	       hello->role <= DX_WIRE_ROLE_TOOL;
}

static bool check_match(const void *body)
{
	const struct dx_wire_match *match = body;

	return match->first_only <= 1 && match->pad == 0;
}

static bool check_value(const void *body)
{
	return ((const struct dx_wire_value *)body)->pad == 0;
}

static bool check_ids(const void *body)
{
	return ((const struct dx_wire_ids *)body)->pad == 0;
}

static bool check_entry(const void *body)
{
	const struct dx_wire_entry *entry = body;

	return (entry->flags & ~DX_WIRE_ENTRY_PROPERTIES) == 0 && entry->pad == 0;
}

static bool check_open(const void *body)
{
	return ((const struct dx_wire_open *)body)->pad == 0;
}

static bool check_watch(const void *body)
{
	return name_is_valid(((const struct dx_wire_watch *)body)->kind);
}

static bool check_event(const void *body)
{
	const struct dx_wire_event *event = body;

	return event->kind == DX_WIRE_EVENT_SERVICE || event->kind == DX_WIRE_EVENT_INTEREST;
}

static bool check_setup(const void *body)
{
	const struct dx_wire_setup *setup = body;
	uint64_t end = 0;

	return (setup->flags & ~(DX_SETUP_EXIT_WITH_BROKER | DX_SETUP_CAPTURE_FD)) == 0 &&
	       setup->pad == 0 &&
	       !dx_add_overflow(setup->first_id, setup->nr_ids, &end);
}

static bool check_start(const void *body)
{
	const struct dx_wire_start *start = body;

	return (start->flags & ~DX_START_DEVICE_FD) == 0 && start->pad == 0;
}

static bool check_host_open(const void *body)
{
	return name_is_valid(((const struct dx_wire_host_open *)body)->name);
}

static bool check_add_entry(const void *body)
{
	const struct dx_wire_add_entry *entry = body;

	return name_is_valid(entry->class_name) && name_is_valid(entry->name) &&
	       entry->class_name[0] != '\0';
}

static bool check_configured(const void *body)
{
	const struct dx_wire_configured *configured = body;

	return configured->value <= UINT8_MAX && (configured->flags & ~DX_CONFIGURED_MATCH) == 0;
}

static bool check_adjust(const void *body)
{
	return ((const struct dx_wire_adjust *)body)->pad == 0;
}

static bool check_message(const void *body)
{
	return ((const struct dx_wire_message *)body)->pad == 0;
}

static bool check_map(const void *body)
{
	return ((const struct dx_wire_map *)body)->options <= 0xfffu;
}

static bool check_map_reply(const void *body)
{
	const struct dx_wire_map_reply *reply = body;
	uint64_t sum = 0;

	if ((reply->flags & ~DX_WIRE_MAP_READ_ONLY) != 0 || reply->nr_slices > DX_WIRE_MAX_SLICES) {
		return false;
	}
	for (uint32_t i = 0; i < reply->nr_slices; i++) {
		uint64_t end = 0;

		if (dx_add_overflow(reply->slices[i].offset, reply->slices[i].length, &end) ||
		    dx_add_overflow(sum, reply->slices[i].length, &sum)) {
			return false;
		}
	}
	return reply->nr_slices == 0 || sum == reply->length;
}

static bool check_grant(const void *body)
{
	const struct dx_wire_grant *grant = body;
	uint64_t end = 0;

	return grant->pad == 0 && grant->status <= 0 &&
	       !dx_add_overflow(grant->offset, grant->length, &end);
}

#define ROW(type_, name_, what_, ...)                                                              \
	{                                                                                          \
		.type = (type_), .name = (name_), .what = (what_), __VA_ARGS__                     \
	}
#define CALL                     (HAS_REQUEST | HAS_REPLY)
#define REQUEST(struct_, check_) .request_body = sizeof(struct struct_), .check_request = (check_)
#define REPLY(struct_, check_)   .reply_body = sizeof(struct struct_), .check_reply = (check_)

static const struct row rows[] = {
	ROW(DX_WIRE_A_HELLO, "A_HELLO", CALL, REQUEST(dx_wire_hello, check_hello),
	    REPLY(dx_wire_hello_reply, NULL)),
	ROW(DX_WIRE_A_MATCH, "A_MATCH", CALL | REQUEST_DATA | REPLY_DATA,
	    REQUEST(dx_wire_match, check_match), REPLY(dx_wire_ids, check_ids)),
	ROW(DX_WIRE_A_ENTRY, "A_ENTRY", CALL | REPLY_DATA, REQUEST(dx_wire_entry, check_entry)),
	ROW(DX_WIRE_A_MATCH_TEST, "A_MATCH_TEST", CALL | REQUEST_DATA, REQUEST(dx_wire_id, NULL),
	    REPLY(dx_wire_value, check_value)),
	ROW(DX_WIRE_A_OPEN, "A_OPEN", CALL, REQUEST(dx_wire_open, check_open),
	    REPLY(dx_wire_id, NULL), .reply_fds = 1),
	ROW(DX_WIRE_A_WATCH_MATCHING, "A_WATCH_MATCHING", CALL | REQUEST_DATA | REPLY_DATA,
	    REQUEST(dx_wire_watch, check_watch), REPLY(dx_wire_ids, check_ids)),
	ROW(DX_WIRE_A_WATCH_INTEREST, "A_WATCH_INTEREST", CALL,
	    REQUEST(dx_wire_watch, check_watch)),
	ROW(DX_WIRE_A_UNWATCH, "A_UNWATCH", CALL, REQUEST(dx_wire_id, NULL)),
	ROW(DX_WIRE_A_EVENT, "A_EVENT", HAS_REQUEST, REQUEST(dx_wire_event, check_event)),
	ROW(DX_WIRE_A_BUSY, "A_BUSY", CALL, REQUEST(dx_wire_id, NULL),
	    REPLY(dx_wire_value, check_value)),
	ROW(DX_WIRE_A_WAIT_QUIET, "A_WAIT_QUIET", CALL, REQUEST(dx_wire_wait, NULL)),
	ROW(DX_WIRE_A_LOAD, "A_LOAD", CALL | REQUEST_DATA | REPLY_DATA),
	ROW(DX_WIRE_A_UNLOAD, "A_UNLOAD", CALL | REQUEST_DATA),
	ROW(DX_WIRE_A_ATTACH, "A_ATTACH", CALL | REQUEST_DATA, REPLY(dx_wire_id, NULL)),
	ROW(DX_WIRE_A_DETACH, "A_DETACH", CALL, REQUEST(dx_wire_id, NULL)),
	ROW(DX_WIRE_A_TREE, "A_TREE", CALL | REPLY_DATA),
	ROW(DX_WIRE_A_STATUS, "A_STATUS", CALL | REPLY_DATA),
	ROW(DX_WIRE_A_SHUTDOWN, "A_SHUTDOWN", CALL),
	ROW(DX_WIRE_A_EXPLAIN, "A_EXPLAIN", CALL | REQUEST_DATA | REPLY_DATA),

	ROW(DX_WIRE_H_SETUP, "H_SETUP", CALL | REQUEST_DATA, REQUEST(dx_wire_setup, check_setup)),
	ROW(DX_WIRE_H_START, "H_START", CALL | REQUEST_DATA, REQUEST(dx_wire_start, check_start)),
	ROW(DX_WIRE_H_OPEN, "H_OPEN", CALL, REQUEST(dx_wire_host_open, check_host_open),
	    REPLY(dx_wire_id, NULL), .request_fds = 1),
	ROW(DX_WIRE_H_TERMINATE, "H_TERMINATE", CALL, REQUEST(dx_wire_id, NULL)),
	ROW(DX_WIRE_H_DEVICE_GONE, "H_DEVICE_GONE", CALL, REQUEST(dx_wire_id, NULL)),
	ROW(DX_WIRE_H_WATCH, "H_WATCH", HAS_REQUEST | REQUEST_DATA, REQUEST(dx_wire_id, NULL)),
	ROW(DX_WIRE_H_UNWATCH, "H_UNWATCH", HAS_REQUEST, REQUEST(dx_wire_id, NULL)),
	ROW(DX_WIRE_H_SERVICE_MATCHED, "H_SERVICE_MATCHED", HAS_REQUEST | REQUEST_DATA,
	    REQUEST(dx_wire_service, NULL)),
	ROW(DX_WIRE_H_SERVICE_TERMINATED, "H_SERVICE_TERMINATED", HAS_REQUEST,
	    REQUEST(dx_wire_service, NULL)),
	ROW(DX_WIRE_H_SERVICES_TOLD, "H_SERVICES_TOLD", HAS_REQUEST, REQUEST(dx_wire_id, NULL)),
	ROW(DX_WIRE_H_REGISTER, "H_REGISTER", HAS_REQUEST, REQUEST(dx_wire_id, NULL)),
	ROW(DX_WIRE_H_SET_NAME, "H_SET_NAME", HAS_REQUEST | REQUEST_DATA,
	    REQUEST(dx_wire_id, NULL)),
	ROW(DX_WIRE_H_SET_PROPERTIES, "H_SET_PROPERTIES", HAS_REQUEST | REQUEST_DATA,
	    REQUEST(dx_wire_id, NULL)),
	ROW(DX_WIRE_H_REMOVE_PROPERTY, "H_REMOVE_PROPERTY", HAS_REQUEST | REQUEST_DATA,
	    REQUEST(dx_wire_id, NULL)),
	ROW(DX_WIRE_H_ADD_ENTRY, "H_ADD_ENTRY", HAS_REQUEST | REQUEST_DATA,
	    REQUEST(dx_wire_add_entry, check_add_entry)),
	ROW(DX_WIRE_H_REMOVE_ENTRY, "H_REMOVE_ENTRY", HAS_REQUEST, REQUEST(dx_wire_id, NULL)),
	ROW(DX_WIRE_H_TERMINATE_REQUEST, "H_TERMINATE_REQUEST", HAS_REQUEST,
	    REQUEST(dx_wire_id, NULL)),
	ROW(DX_WIRE_H_DEVICE_LOST, "H_DEVICE_LOST", HAS_REQUEST, REQUEST(dx_wire_id, NULL)),
	ROW(DX_WIRE_H_ADJUST_BUSY, "H_ADJUST_BUSY", HAS_REQUEST,
	    REQUEST(dx_wire_adjust, check_adjust)),
	ROW(DX_WIRE_H_MESSAGE, "H_MESSAGE", HAS_REQUEST, REQUEST(dx_wire_message, check_message)),
	ROW(DX_WIRE_H_ADOPT, "H_ADOPT", HAS_REQUEST | REQUEST_DATA),
	ROW(DX_WIRE_H_DEVICE_RESET, "H_DEVICE_RESET", HAS_REQUEST, REQUEST(dx_wire_id, NULL)),
	ROW(DX_WIRE_H_CONFIGURED, "H_CONFIGURED", HAS_REQUEST,
	    REQUEST(dx_wire_configured, check_configured)),

	ROW(DX_WIRE_C_CHANNEL, "C_CHANNEL", HAS_REQUEST, REQUEST(dx_wire_channel, NULL),
	    .request_fds = 3),
	ROW(DX_WIRE_C_WAKE, "C_WAKE", HAS_REQUEST),
	ROW(DX_WIRE_C_MAP, "C_MAP", CALL, REQUEST(dx_wire_map, check_map),
	    REPLY(dx_wire_map_reply, check_map_reply), .reply_fds = DX_WIRE_MAX_SLICES),
	ROW(DX_WIRE_C_UNMAP, "C_UNMAP", CALL, REQUEST(dx_wire_map, check_map),
	    REPLY(dx_wire_map_reply, check_map_reply)),
	ROW(DX_WIRE_C_CLOSE, "C_CLOSE", CALL),
	ROW(DX_WIRE_C_GRANT, "C_GRANT", HAS_REQUEST, REQUEST(dx_wire_grant, check_grant),
	    .request_fds = 1),
};

/* The row of a type, if the type exists in that direction; else NULL. */
static const struct row *row_find(uint16_t type)
{
	uint16_t needed = (type & DX_WIRE_REPLY) != 0 ? HAS_REPLY : HAS_REQUEST;
	uint16_t plain = (uint16_t)(type & ~DX_WIRE_REPLY);

	for (size_t i = 0; i < DX_ARRAY_SIZE(rows); i++) {
		if (rows[i].type == plain) {
			return (rows[i].what & needed) != 0 ? &rows[i] : NULL;
		}
	}
	return NULL;
}

static bool is_reply(uint16_t type)
{
	return (type & DX_WIRE_REPLY) != 0;
}

static size_t row_body_length(const struct row *row, uint16_t type)
{
	return is_reply(type) ? row->reply_body : row->request_body;
}

static bool row_takes_payload(const struct row *row, const struct dx_wire_header *header)
{
	if (!is_reply(header->type)) {
		return (row->what & REQUEST_DATA) != 0;
	}
	return header->status != 0 || (row->what & REPLY_DATA) != 0; /* M3 */
}

/* M1 and M4, up to the body. */
static bool header_is_valid(const struct dx_wire_header *header, const struct row *row,
			    size_t length)
{
	size_t body = row_body_length(row, header->type);
	bool failed = is_reply(header->type) && header->status != 0;

	if (header->version != DX_WIRE_VERSION || header->pad != 0 || header->length != length ||
	    (header->flags & ~DX_WIRE_PAYLOAD_FD) != 0) {
		return false;
	}
	if (!is_reply(header->type) && header->status != 0) {
		return false;
	}
	if (is_reply(header->type) && header->seq == 0) {
		return false; /* nobody can have asked for it */
	}
	if (header->body_length != body && !(failed && header->body_length == 0)) {
		return false;
	}
	return dx_range_inside(sizeof(*header), header->body_length, length);
}

bool dx_wire_text_is_valid(const char *text, size_t length)
{
	const unsigned char *at = (const unsigned char *)text;
	const unsigned char *end = at + length;

	while (at < end) {
		static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
		unsigned extra = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
		uint32_t code = extra == 0 ? *at : *at & (0x3fu >> extra);

		if (*at == 0 || (*at >= 0x80 && *at < 0xc2) || *at > 0xf4 ||
		    (size_t)(end - at) <= extra) {
			return false;
		}
		for (unsigned i = 1; i <= extra; i++) {
			if ((at[i] & 0xc0) != 0x80) {
				return false;
			}
			code = code << 6 | (at[i] & 0x3fu);
		}
		if (code < smallest[extra] || code > 0x10ffff ||
		    (code >= 0xd800 && code < 0xe000)) {
			return false;
		}
		at += extra + 1;
	}
	return true;
}

ssize_t dx_wire_encode(void *buffer, size_t capacity, uint16_t type, uint32_t seq, int32_t status,
		       const void *body, size_t body_length, const void *payload,
		       size_t payload_length)
{
	struct dx_wire_header header = {
		.version = DX_WIRE_VERSION,
		.type = type,
		.seq = seq,
		.status = status,
		.body_length = (uint32_t)body_length,
	};
	size_t length = 0;

	if (dx_add_overflow(sizeof(header) + body_length, payload_length, &length) ||
	    length > capacity || length > DX_MAX_MESSAGE_BYTES) {
		return -EMSGSIZE;
	}
	header.length = (uint32_t)length;
	memcpy(buffer, &header, sizeof(header));
	if (body_length > 0) {
		memcpy((char *)buffer + sizeof(header), body, body_length);
	}
	if (payload_length > 0) {
		memcpy((char *)buffer + sizeof(header) + body_length, payload, payload_length);
	}
	return (ssize_t)length;
}

int dx_wire_check_payload(const struct dx_wire_view *view)
{
	const struct row *row = row_find(view->header.type);

	if (row == NULL || (view->payload_length > 0 && !row_takes_payload(row, &view->header))) {
		return -EPROTO;
	}
	if (row->check_reply == check_ids && is_reply(view->header.type) &&
	    view->header.status == 0) {
		const struct dx_wire_ids *ids = view->body;

		return view->payload_length == (uint64_t)ids->count * sizeof(uint64_t) ? 0
										       : -EPROTO;
	}
	return 0;
}

int dx_wire_decode(const void *buffer, size_t length, struct dx_wire_view *ret_view)
{
	struct dx_wire_view view = {.body = empty_body};
	const struct row *row = NULL;
	body_check_fn check = NULL;

	if (length < sizeof(view.header) || length > DX_MAX_MESSAGE_BYTES) {
		return -EPROTO;
	}
	memcpy(&view.header, buffer, sizeof(view.header));
	row = row_find(view.header.type);
	if (row == NULL || !header_is_valid(&view.header, row, length)) {
		return -EPROTO;
	}
	if (view.header.body_length > 0) {
		view.body = (const char *)buffer + sizeof(view.header);
	}
	check = is_reply(view.header.type) ? row->check_reply : row->check_request;
	if (check != NULL && view.header.body_length > 0 && !check(view.body)) {
		return -EPROTO;
	}
	view.payload_length = length - sizeof(view.header) - view.header.body_length;
	view.payload = view.payload_length == 0 ? NULL
						: (const char *)buffer + sizeof(view.header) +
							  view.header.body_length;
	if ((view.header.flags & DX_WIRE_PAYLOAD_FD) != 0) {
		/* The payload is elsewhere: the link puts it here and checks it then. */
		if (view.payload_length > 0 || !row_takes_payload(row, &view.header)) {
			return -EPROTO;
		}
	} else if (dx_wire_check_payload(&view) < 0) {
		return -EPROTO;
	}
	*ret_view = view;
	return 0;
}

ssize_t dx_wire_body_length(uint16_t type)
{
	const struct row *row = row_find(type);

	return row == NULL ? -EPROTO : (ssize_t)row_body_length(row, type);
}

int dx_wire_nr_fds(const struct dx_wire_view *view)
{
	const struct row *row = row_find(view->header.type);

	if (row == NULL) {
		return -EPROTO;
	}
	if (!is_reply(view->header.type)) {
		if (view->header.type == DX_WIRE_C_GRANT) {
			return ((const struct dx_wire_grant *)view->body)->status == 0 ? 1 : 0;
		}
		if (view->header.type == DX_WIRE_H_SETUP) {
			return (((const struct dx_wire_setup *)view->body)->flags &
				DX_SETUP_CAPTURE_FD) != 0;
		}
		if (view->header.type == DX_WIRE_H_START) {
			return (int)(((const struct dx_wire_start *)view->body)->flags &
				     DX_START_DEVICE_FD);
		}
		return row->request_fds;
	}
	if (view->header.status != 0) {
		return 0;
	}
	if (row->type == DX_WIRE_C_MAP) {
		return (int)((const struct dx_wire_map_reply *)view->body)->nr_slices;
	}
	return row->reply_fds;
}

const char *dx_wire_type_name(uint16_t type)
{
	for (size_t i = 0; i < DX_ARRAY_SIZE(rows); i++) {
		if (rows[i].type == (type & ~DX_WIRE_REPLY)) {
			return rows[i].name;
		}
	}
	return "unknown";
}

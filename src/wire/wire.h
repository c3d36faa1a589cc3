/* SPDX-License-Identifier: MIT
 *
 * wire - every message that travels over a socket between application, broker and host.
 *
 * Place:      the common language of client, host and daemon, which never include each other.
 *             No system calls here: encode, decode, check. Sockets are SOCK_SEQPACKET, so one
 *             message is one datagram; both ends run on one machine, so byte order is native.
 * Conversations:
 *   W-A  application or tool <-> broker     DX_WIRE_A_*   (address: see wire/address.h)
 *   W-H  broker <-> host                    DX_WIRE_H_*   (socket pair inherited as fd 3)
 *   W-C  application <-> host               DX_WIRE_C_*   (one socket pair per connection)
 * Frame:      struct dx_wire_header, then the fixed body of the type, then an optional payload: a
 *             binary property list or text, as the type says. With DX_WIRE_PAYLOAD_FD the payload
 *             is in an attached memfd (last fd of the message, sealed against shrinking) instead.
 * Invariants:
 *   M1  header.length == bytes received; body size == size of the type; else -EPROTO. A failed
 *       reply may leave its body out; the view then shows a body of zeros.
 *   M2  a reply has type | DX_WIRE_REPLY and the seq of its request; seq 0 means no reply wanted.
 *   M3  status is 0 in requests and an IOReturn in replies; a failed reply may carry a text payload
 *       that says why, for tools.
 *   M4  unknown types, versions and flags are refused, padding is zero.
 * Trust:      every field is checked by the decoder of its type before anybody uses it.
 */
#ifndef DX_WIRE_WIRE_H
#define DX_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"
#include "base/value.h"

#define DX_WIRE_VERSION    1u
#define DX_WIRE_REPLY      0x8000u /* in type */
#define DX_WIRE_PAYLOAD_FD 0x0001u /* in flags */

struct dx_wire_header {
	uint16_t version;
	uint16_t type;
	uint16_t flags;
	uint16_t pad;
	uint32_t seq;
	uint32_t length; /* whole message, bytes */
	int32_t status;
	uint32_t body_length; /* bytes of fixed body behind the header; the rest is payload */
};
_Static_assert(sizeof(struct dx_wire_header) == 24, "wire layout");

enum dx_wire_type {
	/* W-A requests; the comment gives payload -> reply body and payload */
	DX_WIRE_A_HELLO = 0x0100,      /* dx_wire_hello -> dx_wire_hello_reply */
	DX_WIRE_A_MATCH = 0x0101,      /* dx_wire_match + plist -> dx_wire_ids + u64[count] */
	DX_WIRE_A_ENTRY = 0x0102,      /* dx_wire_entry -> + plist (keys: DX_ENTRY_*) */
	DX_WIRE_A_MATCH_TEST = 0x0103, /* dx_wire_id + plist -> dx_wire_value (0/1) */
	DX_WIRE_A_OPEN = 0x0104, /* dx_wire_open -> dx_wire_id (user client) + fd (W-C socket) */
	DX_WIRE_A_WATCH_MATCHING = 0x0105, /* dx_wire_watch + plist -> dx_wire_ids + u64[count] */
	DX_WIRE_A_WATCH_INTEREST = 0x0106, /* dx_wire_watch -> nothing */
	DX_WIRE_A_UNWATCH = 0x0107,        /* dx_wire_id (cookie) -> nothing */
	DX_WIRE_A_EVENT = 0x0108,          /* broker to application, seq 0: dx_wire_event */
	DX_WIRE_A_BUSY = 0x0109,           /* dx_wire_id -> dx_wire_value */
	DX_WIRE_A_WAIT_QUIET = 0x010a, /* dx_wire_wait -> nothing; reply when quiet or timed out */
	DX_WIRE_A_LOAD = 0x0110,     /* + text: absolute bundle path -> + text: bundle identifier */
	DX_WIRE_A_UNLOAD = 0x0111,   /* + text: bundle identifier -> nothing */
	DX_WIRE_A_ATTACH = 0x0112,   /* + text: device spec -> dx_wire_id (device entry) */
	DX_WIRE_A_DETACH = 0x0113,   /* dx_wire_id (device entry) -> nothing */
	DX_WIRE_A_TREE = 0x0114,     /* nothing -> + plist: the whole registry, nested */
	DX_WIRE_A_STATUS = 0x0115,   /* nothing -> + plist: bundles, hosts, devices, clients */
	DX_WIRE_A_SHUTDOWN = 0x0116, /* nothing -> nothing; the broker ends its hosts and itself */
	DX_WIRE_A_EXPLAIN = 0x0117,  /* + plist (DX_EXPLAIN_*) -> + plist: why drivers match, or not */

	/* W-H, broker to host */
	DX_WIRE_H_SETUP = 0x0200, /* dx_wire_setup + plist (DX_SETUP_*) [+ fd] -> failed: + text */
	DX_WIRE_H_START = 0x0201, /* dx_wire_start + plist (DX_START_*) [+ fd] -> failed: + text */
	DX_WIRE_H_OPEN = 0x0202,  /* dx_wire_host_open + fd (W-C socket) -> dx_wire_id (client) */
	DX_WIRE_H_TERMINATE = 0x0203,   /* dx_wire_id -> nothing; reply when Stop is through */
	DX_WIRE_H_DEVICE_GONE = 0x0204, /* dx_wire_id (provider): unplugged -> nothing */
	/* W-H, services that a driver watches, seq 0: the host asks, the broker tells */
	DX_WIRE_H_WATCH = 0x0290,              /* dx_wire_id (cookie) + plist: matching dictionary */
	DX_WIRE_H_UNWATCH = 0x0291,            /* dx_wire_id (cookie) */
	DX_WIRE_H_SERVICE_MATCHED = 0x0205,    /* dx_wire_service + plist (DX_SERVICE_*) */
	DX_WIRE_H_SERVICE_TERMINATED = 0x0206, /* dx_wire_service */
	DX_WIRE_H_SERVICES_TOLD = 0x0207,      /* dx_wire_id (cookie): that is all there is now */
	/* W-H, host to broker; all with seq 0 */
	DX_WIRE_H_REGISTER = 0x0280, /* dx_wire_id */
	DX_WIRE_H_SET_NAME = 0x0281, /* dx_wire_id + text */
	DX_WIRE_H_SET_PROPERTIES =
		0x0282, /* dx_wire_id + plist, merged into IOUserServiceProperties */
	DX_WIRE_H_REMOVE_PROPERTY = 0x0283,   /* dx_wire_id + text */
	DX_WIRE_H_ADD_ENTRY = 0x0284,         /* dx_wire_add_entry + plist (properties) */
	DX_WIRE_H_REMOVE_ENTRY = 0x0285,      /* dx_wire_id: terminated and gone */
	DX_WIRE_H_TERMINATE_REQUEST = 0x0286, /* dx_wire_id: the driver called Terminate() */
	DX_WIRE_H_DEVICE_LOST = 0x0287, /* dx_wire_id (provider): the backend says it is gone */
	DX_WIRE_H_ADJUST_BUSY = 0x0288, /* dx_wire_adjust */
	DX_WIRE_H_MESSAGE = 0x0289,     /* dx_wire_message: to interested applications */
	DX_WIRE_H_ADOPT = 0x028a, /* + plist (DX_ADOPT_*): to a new broker, after its restart */
	DX_WIRE_H_DEVICE_RESET = 0x028b, /* dx_wire_id (provider): lost by a port reset, comes back */
	DX_WIRE_H_CONFIGURED = 0x028c,   /* dx_wire_configured: a driver has chosen */

	/* W-C, host to application */
	DX_WIRE_C_CHANNEL = 0x0300, /* first message: dx_wire_channel + fds D, A, doorbell */
	DX_WIRE_C_WAKE = 0x0301,    /* header only, seq 0: look at the notification ring */
	/* W-C, application to host */
	DX_WIRE_C_MAP = 0x0310,   /* dx_wire_map -> dx_wire_map_reply + one fd per slice */
	DX_WIRE_C_UNMAP = 0x0311, /* dx_wire_map -> dx_wire_map_reply, no fds */
	DX_WIRE_C_CLOSE = 0x0312, /* nothing -> nothing */
	DX_WIRE_C_GRANT = 0x0313, /* seq 0: dx_wire_grant + fd: answer to an ask in a call */
};

enum dx_wire_role { DX_WIRE_ROLE_APPLICATION = 1, DX_WIRE_ROLE_HOST = 2, DX_WIRE_ROLE_TOOL = 3 };

struct dx_wire_hello {
	uint32_t role;
	uint32_t pad;
};

struct dx_wire_hello_reply {
	uint64_t broker_id; /* differs after every broker start */
	uint64_t root_id;
};

struct dx_wire_id {
	uint64_t id;
};

struct dx_wire_value {
	uint32_t value;
	uint32_t pad;
};

struct dx_wire_match {
	uint32_t first_only; /* 0 or 1 */
	uint32_t pad;
};

struct dx_wire_ids {
	uint32_t count;
	uint32_t pad;
	/* count registry ids of 8 bytes follow as payload */
};

#define DX_WIRE_ENTRY_PROPERTIES 1u /* include DX_ENTRY_PROPERTIES_KEY */

struct dx_wire_entry {
	uint64_t id; /* 0: the root */
	uint32_t flags;
	uint32_t pad;
};

/* Keys of the DX_WIRE_A_ENTRY reply and of each node of DX_WIRE_A_TREE. */
#define DX_ENTRY_ID_KEY         "id"         /* number */
#define DX_ENTRY_NAME_KEY       "name"       /* string */
#define DX_ENTRY_CLASSES_KEY    "classes"    /* array of strings: kernel class chain, own first */
#define DX_ENTRY_LOCATION_KEY   "location"   /* string, may be missing */
#define DX_ENTRY_PATH_KEY       "path"       /* string: IOService:/... */
#define DX_ENTRY_REGISTERED_KEY "registered" /* boolean */
#define DX_ENTRY_INACTIVE_KEY   "inactive"   /* boolean */
#define DX_ENTRY_BUSY_KEY       "busy"       /* number */
#define DX_ENTRY_RETAIN_KEY     "retain"     /* number */
#define DX_ENTRY_PARENT_KEY     "parent"     /* number: id; missing on the root */
#define DX_ENTRY_CHILDREN_KEY   "children"   /* array of ids; in a tree, array of nodes */
#define DX_ENTRY_PROPERTIES_KEY "properties" /* dictionary */
#define DX_ENTRY_PID_KEY        "pid"        /* number: host process, services of drivers only */
#define DX_ENTRY_FAILURES_KEY   "failures"   /* array of strings: drivers it lacks, and why */

/*
 * DX_WIRE_A_EXPLAIN. The request names a bundle, and devices by spec or by registry id; without any
 * the answer looks at everything in the registry. The reply is a dictionary with the keys below.
 */
#define DX_EXPLAIN_BUNDLE_KEY        "bundle"  /* string: absolute path, or identifier if loaded */
#define DX_EXPLAIN_SPECS_KEY         "specs"   /* array of strings */
#define DX_EXPLAIN_ENTRIES_KEY       "entries" /* array of ids */
#define DX_EXPLAIN_IDENTIFIER_KEY    "identifier" /* reply: string */
#define DX_EXPLAIN_PATH_KEY          "path"       /* string */
#define DX_EXPLAIN_LOADED_KEY        "loaded"     /* boolean */
#define DX_EXPLAIN_MATCHES_KEY       "matches"    /* boolean: some personality matches something */
#define DX_EXPLAIN_PROBLEMS_KEY      "problems"   /* array of strings */
#define DX_EXPLAIN_PERSONALITIES_KEY "personalities" /* array of dictionaries: */
#define DX_EXPLAIN_NAME_KEY          "name"      /* string; of a provider, too */
#define DX_EXPLAIN_CLASS_KEY         "class"     /* string: IOUserClass; of a provider its own */
#define DX_EXPLAIN_WANTS_KEY         "wants"     /* string: IOProviderClass */
#define DX_EXPLAIN_CATEGORY_KEY      "category"  /* string */
#define DX_EXPLAIN_PROVIDERS_KEY     "providers" /* array of dictionaries: */
#define DX_EXPLAIN_ID_KEY            "id"        /* number; missing: described for this answer */
#define DX_EXPLAIN_SPEC_KEY          "spec"      /* string, may be missing */
#define DX_EXPLAIN_RESULT_KEY        "result"    /* "runs", "starts", "wins", "waits", "loses",
						  * "failed", "ended", "no" */
#define DX_EXPLAIN_SCORE_KEY         "score"     /* number, when it matches */
#define DX_EXPLAIN_TEXT_KEY          "text"      /* string: to whom it loses, why it failed */
#define DX_EXPLAIN_REASONS_KEY       "reasons"   /* array of { key, text }, when it does not */
#define DX_EXPLAIN_KEY_KEY           "key"       /* string */

struct dx_wire_open {
	uint64_t id;
	uint32_t type;
	uint32_t pad;
};

struct dx_wire_watch {
	uint64_t cookie;        /* chosen by the application, unique among its watches */
	uint64_t id;            /* interest only, else 0 */
	char kind[DX_MAX_NAME]; /* "IOServiceFirstMatch", "IOGeneralInterest", ...; NUL-terminated
				 */
};

enum dx_wire_event_kind { DX_WIRE_EVENT_SERVICE = 1, DX_WIRE_EVENT_INTEREST = 2 };

struct dx_wire_event {
	uint64_t cookie;
	uint64_t id; /* the service */
	uint32_t kind;
	uint32_t message_type; /* interest: kIOMessage* */
	uint64_t argument;
};

struct dx_wire_wait {
	uint64_t id;         /* 0: the whole registry */
	uint64_t timeout_ns; /* UINT64_MAX: for ever */
};

/* Registry ids that the host may give to objects it makes: [first_id, first_id + nr_ids). */
struct dx_wire_setup {
	uint64_t first_id;
	uint64_t nr_ids;
	uint32_t flags;
	uint32_t pad;
};
#define DX_SETUP_EXIT_WITH_BROKER 1u /* private broker: end when its socket closes */
#define DX_SETUP_CAPTURE_FD       2u /* a descriptor comes along: append what is on the bus to it */

#define DX_SETUP_BUNDLE_KEY       "bundle"     /* string: absolute path of the .dext */
#define DX_SETUP_IDENTIFIER_KEY   "identifier" /* string: CFBundleIdentifier */
#define DX_SETUP_EXECUTABLE_KEY   "executable" /* string: absolute path of the shared object */
#define DX_SETUP_SERVER_KEY       "server"     /* string: IOUserServerName */
#define DX_SETUP_BROKER_KEY       "broker"     /* string: address to reconnect to */

struct dx_wire_start {
	uint64_t id;          /* of the new service */
	uint64_t provider_id; /* registry id of what it was matched on */
	uint32_t flags;
	uint32_t pad;
};
/* A descriptor comes along: what the spec of the provider's device needs from outside the host. */
#define DX_START_DEVICE_FD 1u

#define DX_START_CLASS_KEY               "IOUserClass" /* string: class of the driver to make */
#define DX_START_PROPERTIES_KEY          "properties" /* dictionary: of the registry */
#define DX_START_PROVIDER_KEY            "provider"   /* dictionary with the next five */
#define DX_START_PROVIDER_CLASS_KEY      "class"      /* string: kernel class */
#define DX_START_PROVIDER_NAME_KEY       "name"       /* string */
#define DX_START_PROVIDER_PROPERTIES_KEY "properties" /* dictionary */
#define DX_START_PROVIDER_SPEC_KEY       "spec"       /* string: device spec; USB providers */
#define DX_START_PROVIDER_DEVICE_KEY     "device"     /* number: id of the USB device entry */

/* A service that a watch of the host is told of. */
struct dx_wire_service {
	uint64_t cookie; /* chosen by the host, unique among its watches */
	uint64_t id;
};

#define DX_SERVICE_CLASS_KEY      "class"      /* string: kernel class */
#define DX_SERVICE_NAME_KEY       "name"       /* string */
#define DX_SERVICE_PROPERTIES_KEY "properties" /* dictionary */

struct dx_wire_host_open {
	uint64_t service_id;
	uint32_t type;
	uint32_t pid;
	uint32_t uid;
	uint32_t gid;
	char name[DX_MAX_NAME]; /* of the application's program */
};

struct dx_wire_add_entry {
	uint64_t id;
	uint64_t parent_id;
	char class_name[DX_MAX_NAME]; /* kernel class: IOUserUserClient, IOUserService, ... */
	char name[DX_MAX_NAME];
};

#define DX_CONFIGURED_MATCH 1u /* drivers are to be looked for on its interfaces */

struct dx_wire_configured {
	uint64_t id;    /* the device */
	uint32_t value; /* bConfigurationValue; 0: none */
	uint32_t flags;
};

struct dx_wire_adjust {
	uint64_t id;
	int32_t delta;
	uint32_t pad;
};

struct dx_wire_message {
	uint64_t id;
	uint64_t argument;
	uint32_t type;
	uint32_t pad;
};

#define DX_ADOPT_IDENTIFIER_KEY "identifier"
#define DX_ADOPT_PID_KEY        "pid"
#define DX_ADOPT_BUNDLE_KEY     "bundle"
#define DX_ADOPT_FIRST_ID_KEY   "first_id"
#define DX_ADOPT_NR_IDS_KEY     "nr_ids"
#define DX_ADOPT_SERVER_KEY     "server"   /* string: IOUserServerName */
#define DX_ADOPT_SERVICES_KEY   "services" /* array of dictionaries, parents before children */

/*
 * Each service has DX_ENTRY_ID_KEY, DX_ENTRY_PARENT_KEY (id of its provider), and when they apply
 * DX_ENTRY_REGISTERED_KEY, DX_ENTRY_NAME_KEY (set by the driver) and DX_ADOPT_USER_PROPERTIES_KEY.
 * One that a broker matched has DX_ADOPT_START_KEY; one that the driver made has
 * DX_ADOPT_CLASS_KEY, DX_ENTRY_NAME_KEY and DX_ENTRY_PROPERTIES_KEY. When the process has configured
 * its provider it has DX_ADOPT_CONFIGURATION_KEY and DX_ADOPT_MATCHES_KEY: the last broker may not
 * have heard of that.
 */
#define DX_ADOPT_START_KEY           "start" /* dictionary: the DX_START_* keys */
#define DX_ADOPT_CLASS_KEY           "class"           /* string: kernel class */
#define DX_ADOPT_USER_PROPERTIES_KEY "user_properties" /* dictionary: IOUserServiceProperties */
#define DX_ADOPT_CONFIGURATION_KEY   "configuration"   /* number: as in dx_wire_configured */
#define DX_ADOPT_MATCHES_KEY         "matches"         /* boolean: DX_CONFIGURED_MATCH */

struct dx_wire_channel {
	uint64_t client_id; /* registry id of the user client */
	uint64_t d_length;
	uint64_t a_length;
};

struct dx_wire_map {
	uint32_t memory_type;
	uint32_t options; /* low 12 bits of what the application gave */
};

#define DX_WIRE_MAX_SLICES    8u
#define DX_WIRE_MAP_READ_ONLY 1u

struct dx_wire_slice {
	uint64_t offset; /* in the fd of the same index */
	uint64_t length;
};

struct dx_wire_map_reply {
	uint64_t memory_id; /* names the descriptor object, never used twice by one host */
	uint64_t length;    /* bytes; 0 with memory_id 0: the driver gave no memory */
	uint32_t flags;
	uint32_t nr_slices;
	struct dx_wire_slice slices[DX_WIRE_MAX_SLICES];
};

struct dx_wire_grant {
	uint64_t ask_id;
	uint64_t offset; /* of the asked address in the fd */
	uint64_t length;
	int32_t status; /* 0 with an fd, or a negative errno without */
	uint32_t pad;
};

_Static_assert(sizeof(struct dx_wire_watch) == 144, "wire layout");
_Static_assert(sizeof(struct dx_wire_event) == 32, "wire layout");
_Static_assert(sizeof(struct dx_wire_setup) == 24, "wire layout");
_Static_assert(sizeof(struct dx_wire_start) == 24, "wire layout");
_Static_assert(sizeof(struct dx_wire_host_open) == 152, "wire layout");
_Static_assert(sizeof(struct dx_wire_configured) == 16, "wire layout");
_Static_assert(sizeof(struct dx_wire_add_entry) == 272, "wire layout");
_Static_assert(sizeof(struct dx_wire_map_reply) == 152, "wire layout");
_Static_assert(sizeof(struct dx_wire_grant) == 32, "wire layout");

/* A message that was received and checked (M1, M4). Borrowed from the buffer it was parsed from. */
struct dx_wire_view {
	struct dx_wire_header header;
	const void *body; /* header.body_length bytes, aligned to 8 */
	const void *payload;
	size_t payload_length;
};

/*
 * Encodes header, body and inline payload into buffer.
 * @return bytes written; -EMSGSIZE when it does not fit (then send the payload as an fd).
 */
ssize_t dx_wire_encode(void *buffer, size_t capacity, uint16_t type, uint32_t seq, int32_t status,
		       const void *body, size_t body_length, const void *payload,
		       size_t payload_length);

/*
 * Checks a received message: frame, known type, body size of that type, terminated names, zero
 * padding. buffer must be aligned to 8.
 * @return 0, or -EPROTO.
 */
int dx_wire_decode(const void *buffer, size_t length, struct dx_wire_view *ret_view);

/*
 * Checks what the decoder could not see while the payload was in an attached memfd: that the type
 * has one, and that a list of ids is as long as its count says. dx_link_receive() calls it.
 * @return 0, or -EPROTO.
 */
int dx_wire_check_payload(const struct dx_wire_view *view);

/* How many descriptors, besides that of the payload, must come with a message; -EPROTO if unknown.
 */
int dx_wire_nr_fds(const struct dx_wire_view *view);

/* UTF-8 without NUL, so that it can go into a property list. */
bool dx_wire_text_is_valid(const char *text, size_t length);

/* The fixed body size of a type (reply or request), or -EPROTO for an unknown type. */
ssize_t dx_wire_body_length(uint16_t type);
/* "A_MATCH", for messages and traces; never NULL. */
const char *dx_wire_type_name(uint16_t type);

#endif

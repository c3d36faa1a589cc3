/* SPDX-License-Identifier: MIT
 *
 * demo_link - what `dext demo` and its application tell each other.
 *
 * Place:      tools; a SOCK_SEQPACKET pair, descriptor 3 of the application. A message is a struct.
 * Trust:      both ends are of one build and one user; a message of another size is an error.
 * Order:      application: PROGRESS*, MAPPED; then it waits for GO; PROGRESS*, MOVED; waits for GO;
 *             RESULT, then it ends. FAILED at any time, then it ends.
 */
#ifndef DX_TOOLS_DEMO_LINK_H
#define DX_TOOLS_DEMO_LINK_H

#include <stdint.h>

#define DX_DEMO_LINK_FD     3
#define DX_DEMO_MAX_BUFFERS 64u /* of each set */
#define DX_DEMO_HASH_BYTES  32u

enum dx_demo_kind {
	DX_DEMO_PROGRESS = 1,
	DX_DEMO_MAPPED = 2, /* first pass done: everything is mapped at both ends */
	DX_DEMO_MOVED = 3,  /* second pass done */
	DX_DEMO_RESULT = 4,
	DX_DEMO_FAILED = 5,
	DX_DEMO_GO = 6,
};

/* A pass: every byte of the stream out and back once. */
struct dx_demo_pass {
	uint64_t bytes;
	uint64_t buffers; /* that came back */
	uint64_t wall_ns;
	uint64_t round_trip_p50_ns; /* from the send call to the completion of its echo */
	uint64_t round_trip_p99_ns;
	/* Counted by the library on the application's side. */
	uint64_t calls;
	uint64_t notifications;
	uint64_t system_calls;   /* doorbells, sleeps and wake-ups */
	uint64_t copied_bytes;   /* all that was copied between the processes */
	uint64_t argument_bytes; /* what of it are the numbers in calls and completions */
};

struct dx_demo_result {
	struct dx_demo_pass verify; /* filled from the file, hashed on both sides */
	struct dx_demo_pass move;   /* the same buffers, untouched by the application */
	uint64_t hash_ns;           /* of the first pass, both sides */
	uint64_t call_p50_ns;
	uint64_t call_p99_ns;
	uint64_t nr_calls; /* that were measured for the two above */
	uint8_t hash_out[DX_DEMO_HASH_BYTES];
	uint8_t hash_in[DX_DEMO_HASH_BYTES];
};

struct dx_demo_message {
	uint32_t kind;
	uint32_t nr_addresses;
	uint64_t done; /* PROGRESS: bytes that came back in this pass; MAPPED: all of the next */
	union {
		uint64_t addresses[2 * DX_DEMO_MAX_BUFFERS]; /* MAPPED: by memory type */
		struct dx_demo_result result;                /* RESULT */
		char text[256];                              /* FAILED: what and why */
	};
};

#endif

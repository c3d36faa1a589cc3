/* SPDX-License-Identifier: MIT
 *
 * demo_flow - the application of `dext demo`: a stream through the driver's buffers and back.
 *
 * Place:      tools; a client of libIOKit like any other. Speaks to the driver of examples/stream.
 * Invariants:
 *   L1  chunk k of the stream is at most one buffer long; as many bytes are asked back as chunk k
 *       has, in the same order: what comes back as chunk k is what went out as chunk k.
 *   L2  at most `depth` buffers of each set are with the driver, and at most DX_FLOW_WINDOW chunks
 *       are between their send and their return.
 * Threads:    one.
 */
#ifndef DX_TOOLS_DEMO_FLOW_H
#define DX_TOOLS_DEMO_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <IOKit/IOKitLib.h>
#include <nettle/sha2.h>

#include "demo_link.h"
#include "samples.h"

#define DX_FLOW_WINDOW (4u * DX_DEMO_MAX_BUFFERS)

struct dx_flow_options {
	const uint8_t *file;
	uint64_t file_length;
	uint64_t total; /* bytes; the file is repeated */
	uint32_t nr_buffers;
	uint32_t size;
	uint32_t depth;
};

struct dx_flow {
	struct dx_flow_options options;
	io_connect_t connection;
	io_service_t service;
	io_object_t interest;
	IONotificationPortRef port;
	uint8_t *buffers[2 * DX_DEMO_MAX_BUFFERS]; /* by memory type */
	char failure[200];                         /* "" while all is well */

	/* Called with the bytes that came back so far. */
	void (*progress)(void *context, uint64_t done);
	void *context;

	/* The pass that runs. */
	bool verify;
	uint64_t length; /* bytes */
	uint64_t nr_sent, nr_asked, nr_returned; /* chunks */
	uint64_t bytes_returned;
	uint64_t sent_ns[DX_FLOW_WINDOW];       /* of chunk k at k modulo the window */
	uint64_t chunk_of[DX_DEMO_MAX_BUFFERS]; /* which chunk in buffer n waits for */
	uint32_t idle_out[DX_DEMO_MAX_BUFFERS];
	uint32_t nr_idle_out;
	uint64_t nr_scalars; /* numbers given to calls */
	struct dx_samples round_trips;

	struct sha256_ctx hash_out, hash_in;
	uint64_t hash_ns;
};

/* Finds the service, opens it, maps the buffers. @return false with flow->failure set. */
bool dx_flow_open(struct dx_flow *flow);
/* One pass. verify: the whole stream, filled from the file and hashed; else `rounds` times as many
 * bytes, whatever they are. */
bool dx_flow_pass(struct dx_flow *flow, bool verify, uint64_t rounds,
		  struct dx_demo_pass *ret_pass);
/* What one call without arguments takes. */
bool dx_flow_measure_calls(struct dx_flow *flow, uint64_t nr_calls, uint64_t *ret_p50_ns,
			   uint64_t *ret_p99_ns);
void dx_flow_close(struct dx_flow *flow);

#endif

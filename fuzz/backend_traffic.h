/* SPDX-License-Identifier: MIT
 *
 * backend_traffic - a virtual device and whatever is sent to it: what the fuzzers of models share.
 *
 * Held in each state: a transfer that was accepted is completed once, with no more bytes than it
 * has room for; buffers are exactly as long as they say.
 */
#ifndef DX_FUZZ_BACKEND_TRAFFIC_H
#define DX_FUZZ_BACKEND_TRAFFIC_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "backend/virtual/virtual.h"

#define TRAFFIC_MAX 16u

/* The input, read from its front; zeros behind its end. */
struct traffic_input {
	const uint8_t *bytes;
	size_t left;
};

struct traffic {
	struct dx_usb_backend *device;
	struct dx_usb_transfer transfers[TRAFFIC_MAX];
	bool busy[TRAFFIC_MAX];
	bool gone;
};

static inline uint8_t traffic_byte(struct traffic_input *input)
{
	if (input->left == 0) {
		return 0;
	}
	input->left--;
	return *input->bytes++;
}

static inline void traffic_bytes(struct traffic_input *input, uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bytes[i] = traffic_byte(input);
	}
}

static inline void traffic_complete(void *ctx, struct dx_usb_transfer *transfer)
{
	struct traffic *traffic = ctx;
	size_t slot = (size_t)(transfer - traffic->transfers);

	assert(slot < TRAFFIC_MAX && traffic->busy[slot]);
	assert(transfer->actual <= transfer->length);
	traffic->busy[slot] = false;
	free(transfer->data);
	free(transfer->packets);
}

static inline void traffic_gone(void *ctx)
{
	struct traffic *traffic = ctx;

	assert(!traffic->gone);
	traffic->gone = true;
}

static inline bool traffic_open(struct traffic *traffic, const char *spec, int fd)
{
	static const struct dx_usb_backend_host host = {.complete = traffic_complete,
							.gone = traffic_gone};
	char message[256] = "";

	*traffic = (struct traffic){0};
	if (dx_backend_virtual.open(spec, fd, &host, traffic, message, sizeof(message),
				    &traffic->device) < 0) {
		assert(message[0] != '\0');
		return false;
	}
	return true;
}

/* A place for a transfer, all its own; NULL when all are in use. */
static inline struct dx_usb_transfer *traffic_new(struct traffic *traffic)
{
	for (unsigned i = 0; i < TRAFFIC_MAX; i++) {
		if (!traffic->busy[i]) {
			traffic->transfers[i] = (struct dx_usb_transfer){0};
			dx_list_init(&traffic->transfers[i].link);
			return &traffic->transfers[i];
		}
	}
	return NULL;
}

static inline void traffic_mark(struct traffic *traffic, struct dx_usb_transfer *transfer,
				bool busy)
{
	traffic->busy[transfer - traffic->transfers] = busy;
}

/* Room of exactly that length, filled from the input. */
static inline void traffic_fill(struct dx_usb_transfer *transfer, struct traffic_input *input,
				uint32_t length)
{
	transfer->length = length;
	transfer->data = length == 0 ? NULL : malloc(length);
	if (length != 0) {
		assert(transfer->data != NULL);
		traffic_bytes(input, transfer->data, length);
	}
}

static inline void traffic_submit(struct traffic *traffic, struct dx_usb_transfer *transfer)
{
	traffic_mark(traffic, transfer, true);
	if (dx_backend_virtual.submit(traffic->device, transfer) < 0) {
		traffic_mark(traffic, transfer, false);
		free(transfer->data);
		free(transfer->packets);
	}
}

static inline void traffic_clear_halt(struct traffic *traffic, uint8_t address, bool with_request)
{
	struct dx_usb_transfer *done = traffic_new(traffic);

	if (done == NULL) {
		return;
	}
	traffic_mark(traffic, done, true);
	if (dx_backend_virtual.clear_halt(traffic->device, address, with_request, done) < 0) {
		traffic_mark(traffic, done, false);
	}
}

static inline void traffic_poll(struct traffic *traffic)
{
	while (!traffic->gone && dx_backend_virtual.is_ready(traffic->device)) {
		dx_backend_virtual.poll(traffic->device);
	}
}

static inline void traffic_cancel(struct traffic *traffic)
{
	for (unsigned i = 0; i < TRAFFIC_MAX; i++) {
		if (traffic->busy[i]) {
			traffic->transfers[i].cancelled = true;
			dx_backend_virtual.cancel(traffic->device, &traffic->transfers[i]);
		}
	}
}

static inline void traffic_close(struct traffic *traffic)
{
	traffic_cancel(traffic);
	for (unsigned i = 0; i < TRAFFIC_MAX; i++) {
		assert(!traffic->busy[i]);
	}
	dx_backend_virtual.close(traffic->device);
}

#endif

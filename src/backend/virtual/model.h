/* SPDX-License-Identifier: MIT
 *
 * model - what a device model in C provides, and what the runtime offers to it.
 *
 * Place:      backend/virtual. virtual (runtime) <-> model <-> behaviour.
 *
 * A model is a description (descriptors follow from it) and functions for what the description cannot
 * say. The runtime answers standard requests, keeps the queues, makes errors on demand (faults.h), and
 * calls an endpoint's work() when something may have become possible there. work() takes the transfer
 * at the head (dx_virtual_offer), moves bytes straight from or to transfer->data, raises
 * transfer->actual, and ends it (dx_virtual_finish) or leaves it pending, which is a NAK.
 *
 * Invariants:
 *   V1  A transfer on an IN endpoint ends when it is full or by a short packet: a model that moved
 *       less than a whole number of packets finishes the transfer.
 *   V2  actual <= dx_virtual_limit() at all times.
 *   V3  A model that has something to say later asks for it with dx_virtual_wake_at(), in work().
 * Trust:      bytes of a transfer may change while they are read; nothing here is parsed from them.
 * Threads:    those of the backend: one at a time (B1).
 */
#ifndef DX_BACKEND_VIRTUAL_MODEL_H
#define DX_BACKEND_VIRTUAL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/virtual/description.h"
#include "base/list.h"
#include "usb/backend.h"

struct dx_virtual;
struct dx_virtual_endpoint;
struct dx_model;

/* A SETUP packet in host byte order. */
struct dx_model_setup {
	uint8_t request_type;
	uint8_t request;
	uint16_t value;
	uint16_t index;
	uint16_t length;
};

struct dx_model_ops {
	/*
	 * A class or vendor request, or a standard one that the runtime does not know.
	 * @param data  setup->length bytes to read (OUT) or to fill (IN).
	 * @return bytes moved; negative: stall.
	 */
	int (*control)(struct dx_model *model, const struct dx_model_setup *setup, uint8_t *data);
	/* The endpoint has come into being: sets endpoint->work and its state. -ENOMEM. */
	int (*bind)(struct dx_model *model, struct dx_virtual_endpoint *endpoint);
	/* The host has cleared the endpoint's halt; the model may halt it again. May be NULL. */
	void (*cleared)(struct dx_model *model, struct dx_virtual_endpoint *endpoint);
	/* It ends; its queue is empty. */
	void (*unbind)(struct dx_model *model, struct dx_virtual_endpoint *endpoint);
	void (*free)(struct dx_model *model);
};

struct dx_model {
	const struct dx_model_ops *ops;
	struct dx_description *description; /* owned */
};

/* One endpoint of the settings in force. */
struct dx_virtual_endpoint {
	struct dx_virtual *device;
	const struct dx_described_endpoint *described;
	uint8_t address;
	uint8_t type; /* enum dx_usb_transfer_type */
	uint8_t interface_number;
	uint16_t max_packet;
	uint64_t interval_ns; /* periodic endpoints: between packets */
	bool present;
	bool halted;		 /* the device's halt feature */
	bool stopped;		 /* the host's side, after an error (B6) */
	struct dx_list queue;	 /* transfers in order */
	struct dx_list ready;	 /* in the device's list when work() should run */
	uint64_t next_free_ns;	 /* isochronous: end of what is scheduled */
	uint64_t nr_finished;	 /* transfers that ended without error */
	uint64_t nr_since_clear; /* the same since the last clear_halt */

	/* The model's part. @return true when something moved and it wants to be called again. */
	bool (*work)(struct dx_virtual_endpoint *endpoint);
	/* Isochronous: one packet. @return bytes moved. */
	uint32_t (*packet)(struct dx_virtual_endpoint *endpoint, uint8_t *data, uint32_t length);
	void *state;
};

static inline bool dx_virtual_endpoint_is_in(const struct dx_virtual_endpoint *endpoint)
{
	return (endpoint->address & 0x80) != 0;
}

/* The transfer that the device may work on now, or NULL (none, halted, delayed, hung). */
struct dx_usb_transfer *dx_virtual_offer(struct dx_virtual_endpoint *endpoint);
/* How far actual may go: the length, or less when a fault makes the packet short. */
uint32_t dx_virtual_limit(const struct dx_virtual_endpoint *endpoint,
			  const struct dx_usb_transfer *transfer);
/* Ends the transfer at the head of its endpoint. An error stops the endpoint (B6). */
void dx_virtual_finish(struct dx_virtual_endpoint *endpoint, struct dx_usb_transfer *transfer,
		       int32_t status);
/* Ends an IN transfer that has got what it can take. more: bytes that the device would send in the
 * same packet or after it; a buffer that ends inside a packet is babble.
 * @return how many of them are lost with that packet. */
uint32_t dx_virtual_finish_in(struct dx_virtual_endpoint *endpoint,
			      struct dx_usb_transfer *transfer, uint64_t more);
/* A whole message, of one packet at most, as the answer to an IN transfer. */
void dx_virtual_send(struct dx_virtual_endpoint *endpoint, struct dx_usb_transfer *transfer,
		     const void *bytes, uint32_t length);
/* Sets the halt feature: what is not finished stalls. */
void dx_virtual_halt(struct dx_virtual_endpoint *endpoint);
/* Asks for work() of all endpoints that have transfers, at that time (CLOCK_MONOTONIC). */
void dx_virtual_wake_at(struct dx_virtual *device, uint64_t time_ns);
/* Asks for work() in this or the next poll. */
void dx_virtual_kick(struct dx_virtual_endpoint *endpoint);
/* The endpoint with that address in the settings in force, or NULL. */
struct dx_virtual_endpoint *dx_virtual_endpoint(struct dx_virtual *device, uint8_t address);

/* The answer to a control request with data to the host. @return bytes moved. */
int dx_model_answer(const struct dx_model_setup *setup, uint8_t *data, const void *bytes,
		    size_t length);

#endif

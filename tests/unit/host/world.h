/* SPDX-License-Identifier: MIT
 *
 * world - a host in a thread, with a driver of its own, and the broker's end of its socket.
 */
#ifndef DX_TESTS_HOST_WORLD_H
#define DX_TESTS_HOST_WORLD_H

#include <pthread.h>
#include <stdatomic.h>

#include "host/host.h"
#include "test.h"
#include "wire/link.h"

#define WORLD_FIRST_ID 1000u
#define WORLD_NR_IDS   100u

struct world {
	pthread_t thread;
	struct dx_host_options options;
	int socket; /* the broker's end */
	int result;
	uint32_t seq;
	char path[108];
	int listener;
};

/* Good registers and opens Client; Fail, Unmade, Slow, SlowFail, Late, Talker and Gated do what
 * they are called, those that wait until the gate is open. */
extern const OSDriverClass *const world_classes[];
extern const OSDriverClass *const world_wrong_classes[];
extern const struct dx_usb_backend_ops *const world_backends[];
extern _Atomic bool world_gate;

/* Waits for the host to end by itself. @return its result. */
int world_finish(struct world *world);
void world_send_value(struct world *world, uint16_t type, const void *body, size_t length,
		      const void *value);
void world_send_id(struct world *world, uint16_t type, uint64_t id);
/* The next message, which must come soon. */
void world_receive(struct world *world, struct dx_wire_message_in *message);
uint64_t world_expect_id(struct world *world, uint16_t type);
/* @return the status of the reply to the last request. */
int32_t world_expect_reply(struct world *world, uint16_t type, char *text, size_t size);
void world_expect_eof(struct world *world);
void world_send_setup(struct world *world, uint32_t flags);
void world_begin(struct world *world, uint32_t flags);
void world_begin_with(struct world *world, const OSDriverClass *const *table);
void world_send_start(struct world *world, uint64_t id, const char *class_name);
void world_send_start_of(struct world *world, uint64_t id, const char *class_name,
			 const char *client_class);
/* @return the application's end. */
int world_send_open(struct world *world, uint64_t id, uint32_t type);
void world_start_good(struct world *world, uint64_t id);
void world_terminate(struct world *world, uint64_t id);
void world_wait_for_driver(void);

#endif

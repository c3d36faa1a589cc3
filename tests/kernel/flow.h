/* SPDX-License-Identifier: MIT
 *
 * flow - transfers through the driver of examples/stream, out and in on a loopback.
 *
 * Place:      tests/kernel, an ordinary application of the public interface.
 * Invariants:
 *   F1  nr_flying is the number of transfers that the driver accepted and that have not completed.
 *   F2  Each completion starts the next transfer of its buffer, until nr_wanted of that direction
 *       have been started, that direction is stopped, or a transfer was refused.
 * Threads:    one.
 */
#ifndef DX_TESTS_KERNEL_FLOW_H
#define DX_TESTS_KERNEL_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include <IOKit/IOKitLib.h>

enum { FLOW_OUT = 0, FLOW_IN = 1 };

struct flow {
	io_service_t service;
	io_connect_t connect;
	io_object_t interest;
	IONotificationPortRef port;
	uint64_t bytes;     /* of a transfer */
	uint64_t depth;     /* in flight each way */
	uint64_t nr_wanted; /* each way */
	uint64_t nr_started[2];
	uint64_t nr_done[2];
	uint64_t nr_flying;
	bool is_stopped[2]; /* no more of these */
	bool is_terminated;    /* the service is gone, says the notification */
	kern_return_t refused; /* what the first refused start returned; 0: none was */
	/* Called after each completion, may be NULL. */
	void (*on_done)(struct flow *flow, unsigned direction, IOReturn status);
	void *context;
};

/* Waits for the service. @return false: there was none within the limit. */
bool flow_find(struct flow *flow, unsigned limit_ms);
/* Opens it and maps its buffers; bytes, depth and nr_wanted are set. */
kern_return_t flow_open(struct flow *flow);
/* Starts what may be in flight. */
void flow_start(struct flow *flow);
/* Handles what has come, waits for something if nothing has. @return false after limit_ms. */
bool flow_step(struct flow *flow, unsigned limit_ms);
void flow_close(struct flow *flow);

#endif

/* SPDX-License-Identifier: MIT
 *
 * call - one external method call on its way through the driver.
 *
 * Place:      driver, between channel and ExternalMethod.
 * Invariants:
 *   L1  a frame holds the only copy of the arguments that the driver sees.
 *   L2  a call that was taken is answered exactly once, unless the connection has failed.
 *   L3  between two calls the arguments of a frame hold no references; the rest of them is stale.
 * Threads:    a frame belongs to one thread at a time. Unused ones are kept by the runtime, so that a
 *             scalar call allocates nothing.
 */
#ifndef DX_DRIVER_CALL_H
#define DX_DRIVER_CALL_H

#include <opendext/user_client.h>

#include "channel/channel.h"
#include "driver/queue.h"

struct dx_user_client;

struct dx_call_frame {
	struct dx_item item;
	struct dx_list free_link;
	struct dx_user_client *client; /* counted while the call lives */
	struct dx_call_frame *outer;   /* the call around it on this thread */
	IOUserClientMethodArguments arguments;
	uint64_t scalar_output[DX_MAX_SCALARS];
	struct dx_data *input; /* kept for the next call of the same size */
	struct dx_channel_call call;
};

/* One that is unused; NULL without memory. */
struct dx_call_frame *dx_call_frame_new(struct dx_runtime *runtime);
/* Gives it back to the runtime. */
void dx_call_frame_recycle(struct dx_runtime *runtime, struct dx_call_frame *frame);
struct dx_call_frame *dx_call_frame_free(struct dx_call_frame *frame);
/* Runs it here if the queue is free, else there. The frame is taken over. */
void dx_call_start(struct dx_user_client *client, struct dx_call_frame *frame);
/* The call of that client that this thread is inside of, or NULL. */
struct dx_call_frame *dx_call_current(const struct dx_user_client *client);

#endif

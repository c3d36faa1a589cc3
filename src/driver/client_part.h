/* SPDX-License-Identifier: MIT
 *
 * client_part - the head of a named object that a driver makes for one of its user clients.
 *
 * Place:   driver, under event_link and work_group, whose structs begin with it.
 * Owner:   it counts the client until it is invalidated or freed. The client knows nothing of it.
 * Threads: any.
 */
#ifndef DX_DRIVER_CLIENT_PART_H
#define DX_DRIVER_CLIENT_PART_H

#include <opendext/link.h>

#include "base/mutex.h"
#include "driver/user_client.h"

struct dx_client_part {
	struct dx_object object;
	struct dx_mutex lock; /* order 24; guards what follows, and what its owner says */
	struct dx_user_client *client DX_GUARDED_BY(lock); /* counted; NULL once invalidated */
};

/* An object of that class, which begins with a part. @return kIOReturnBadArgument for a name that is
 * empty or too long, or a client that is none; kIOReturnNoMemory. */
kern_return_t dx_client_part_new(const struct dx_class *class, const OSString *name,
				 size_t max_length, const IOUserClient *client, void **ret_object);
void dx_client_part_fini(struct dx_client_part *part);
/* Lets go of the client; NULL: kIOReturnBadArgument. */
kern_return_t dx_client_part_invalidate(struct dx_client_part *part);

#endif

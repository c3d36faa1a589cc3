/* SPDX-License-Identifier: MIT
 *
 * work_group - IOWorkGroup: threads that belong together. They are not scheduled differently.
 *
 * Place:   driver. A token lies in memory of the driver: it is compared, never followed.
 * Threads: any.
 */
#include <opendext/link.h>

#include <pthread.h>
#include <string.h>

#include "driver/client_part.h"

struct token {
	uint64_t group; /* address of the group it belongs to */
	uint64_t thread;
	uint64_t reserved[2];
};

struct work_group {
	struct dx_client_part part;
};

static void group_free(struct dx_object *object)
{
	dx_client_part_fini(&((struct work_group *)object)->part);
}

static const struct dx_class group_class = {
	.name = "IOWorkGroup",
	.instance_size = sizeof(struct work_group),
	.free = group_free,
};

const OSDriverClass IOWorkGroupClass = {
	.name = "IOWorkGroup", .super = &OSObjectClass, .reserved = {&group_class}};

static struct work_group *group_of(const IOWorkGroup *group)
{
	return dx_object_is_kind(group, &group_class) ? (struct work_group *)(uintptr_t)group : NULL;
}

kern_return_t IOWorkGroupCreate(OSString *name, IOUserClient *userClient, IOWorkGroup **group)
{
	void *made = NULL;

	if (group == NULL) {
		return kIOReturnBadArgument;
	}
	kern_return_t status =
		dx_client_part_new(&group_class, name, kIOWorkGroupMaxNameLength, userClient, &made);
	if (status == kIOReturnSuccess) {
		*group = made;
	}
	return status;
}

kern_return_t IOWorkGroupInvalidate(IOWorkGroup *group)
{
	struct work_group *core = group_of(group);

	return dx_client_part_invalidate(core == NULL ? NULL : &core->part);
}

size_t IOWorkGroupGetTokenSize(IOWorkGroup *group)
{
	(void)group;
	return sizeof(struct token);
}

static struct token own_token(const struct work_group *group)
{
	return (struct token){.group = (uint64_t)(uintptr_t)group,
			      .thread = (uint64_t)pthread_self()};
}

kern_return_t IOWorkGroupJoin(IOWorkGroup *group, void *token)
{
	if (group_of(group) == NULL || token == NULL) {
		return kIOReturnBadArgument;
	}
	const struct token joined = own_token(group_of(group));
	memcpy(token, &joined, sizeof(joined)); /* it need not be aligned */
	return kIOReturnSuccess;
}

kern_return_t IOWorkGroupLeave(IOWorkGroup *group, void *token)
{
	if (group_of(group) == NULL || token == NULL) {
		return kIOReturnBadArgument;
	}
	const struct token joined = own_token(group_of(group));
	if (memcmp(token, &joined, sizeof(joined)) != 0) {
		return kIOReturnBadArgument;
	}
	memset(token, 0, sizeof(joined));
	return kIOReturnSuccess;
}

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

#include "base/mutex.h"
#include "driver/user_client.h"

struct token {
	uint64_t group; /* address of the group it belongs to */
	uint64_t thread;
	uint64_t reserved[2];
};

struct work_group {
	struct dx_object object;
	struct dx_mutex lock; /* order 24; guards what follows */
	struct dx_user_client *client DX_GUARDED_BY(lock); /* counted; NULL once invalidated */
};

static void group_free(struct dx_object *object)
{
	struct work_group *group = (struct work_group *)object;

	(void)dx_object_unref(group->client);
	dx_mutex_fini(&group->lock);
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

static bool is_name(const OSString *name)
{
	size_t length = dx_object_is_kind(name, &dx_string_class)
				? strlen(dx_string_get((const void *)name))
				: 0;

	return length > 0 && length <= kIOWorkGroupMaxNameLength;
}

kern_return_t IOWorkGroupCreate(OSString *name, IOUserClient *userClient, IOWorkGroup **group)
{
	if (!is_name(name) || !dx_object_is_kind(userClient, &dx_user_client_class) ||
	    group == NULL) {
		return kIOReturnBadArgument;
	}
	struct work_group *made = dx_object_new(&group_class);
	if (made == NULL) {
		return kIOReturnNoMemory;
	}
	dx_mutex_init(&made->lock);
	made->client = dx_object_ref(userClient);
	*group = (IOWorkGroup *)made;
	return kIOReturnSuccess;
}

kern_return_t IOWorkGroupInvalidate(IOWorkGroup *group)
{
	struct work_group *core = group_of(group);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->lock);
	struct dx_user_client *client = core->client;
	core->client = NULL;
	dx_mutex_unlock(&core->lock);
	(void)dx_object_unref(client);
	return kIOReturnSuccess;
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

/* SPDX-License-Identifier: MIT
 *
 * client_part - see client_part.h.
 */
#include "driver/client_part.h"

#include <string.h>

static bool is_name(const OSString *name, size_t max_length)
{
	size_t length = dx_object_is_kind(name, &dx_string_class)
				? strlen(dx_string_get((const void *)name))
				: 0;

	return length > 0 && length <= max_length;
}

kern_return_t dx_client_part_new(const struct dx_class *class, const OSString *name,
				 size_t max_length, const IOUserClient *client, void **ret_object)
{
	struct dx_client_part *part = NULL;

	if (!is_name(name, max_length) || !dx_object_is_kind(client, &dx_user_client_class)) {
		return kIOReturnBadArgument;
	}
	part = dx_object_new(class);
	if (part == NULL) {
		return kIOReturnNoMemory;
	}
	dx_mutex_init(&part->lock);
	part->client = dx_object_ref(client);
	*ret_object = part;
	return kIOReturnSuccess;
}

void dx_client_part_fini(struct dx_client_part *part)
{
	(void)dx_object_unref(part->client);
	dx_mutex_fini(&part->lock);
}

kern_return_t dx_client_part_invalidate(struct dx_client_part *part)
{
	struct dx_user_client *client = NULL;

	if (part == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&part->lock);
	client = part->client;
	part->client = NULL;
	dx_mutex_unlock(&part->lock);
	(void)dx_object_unref(client);
	return kIOReturnSuccess;
}

/* SPDX-License-Identifier: MIT
 *
 * cf_members - see cf_members.h.
 */
#include "client/cf_members.h"

#include <stdlib.h>

#define FIRST_CAPACITY 8u

const void *dx_cf_retain_object(CFAllocatorRef allocator, const void *value)
{
	(void)allocator;
	return CFRetain(value);
}

void dx_cf_release_object(CFAllocatorRef allocator, const void *value)
{
	(void)allocator;
	CFRelease(value);
}

const void *dx_cf_member_keep(dx_cf_retain_fn retain, const void *value)
{
	return retain == NULL ? value : retain(NULL, value);
}

void dx_cf_member_drop(dx_cf_release_fn release, const void *value)
{
	if (release != NULL) {
		release(NULL, value);
	}
}

void *dx_cf_members_grow(void *members, size_t size, size_t count, size_t *capacity)
{
	size_t wanted = *capacity == 0 ? FIRST_CAPACITY : *capacity * 2;
	void *grown = members;

	if (count == *capacity) {
		grown = reallocarray(members, wanted, size);
		*capacity = grown == NULL ? *capacity : wanted;
	}
	return grown;
}

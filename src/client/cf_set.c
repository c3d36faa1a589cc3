/* SPDX-License-Identifier: MIT
 *
 * cf_set - values without order, each once.
 *
 * Place:   client. A set is no property list: it does not go to the registry.
 * Threads: as of CoreFoundation: one thread changes, or several read.
 */
#include <stdlib.h>

#include <CoreFoundation/CFSet.h>

#include "client/cf.h"
#include "client/cf_members.h"

struct __CFSet {
	struct dx_object object;
	CFSetCallBacks callbacks;
	const void **values;
	size_t count;
	size_t capacity;
};

static void drop(const struct __CFSet *set, const void *value)
{
	dx_cf_member_drop(set->callbacks.release, value);
}

/* Index of the member that is equal, or the count. */
static size_t find(const struct __CFSet *set, const void *value)
{
	size_t i = 0;

	while (i < set->count && set->values[i] != value &&
	       (set->callbacks.equal == NULL || !set->callbacks.equal(set->values[i], value))) {
		i += 1;
	}
	return i;
}

static bool set_equal(const struct dx_object *a, const struct dx_object *b)
{
	const struct __CFSet *left = (const void *)a;
	const struct __CFSet *right = (const void *)b;
	bool equal = left->count == right->count;

	for (size_t i = 0; i < left->count && equal; i++) {
		equal = find(right, left->values[i]) < right->count;
	}
	return equal;
}

static void set_free(struct dx_object *object)
{
	struct __CFSet *set = (void *)object;

	CFSetRemoveAllValues(set);
	free(set->values);
}

const struct dx_class dx_cf_set_class = {
	.name = "set",
	.instance_size = sizeof(struct __CFSet),
	.free = set_free,
	.equal = set_equal,
};

const CFSetCallBacks kCFTypeSetCallBacks = {
	.retain = dx_cf_retain_object,
	.release = dx_cf_release_object,
	.copyDescription = CFCopyDescription,
	.equal = CFEqual,
	.hash = CFHash,
};

CFTypeID CFSetGetTypeID(void)
{
	return DX_CF_SET;
}

CFMutableSetRef CFSetCreateMutable(CFAllocatorRef allocator, CFIndex capacity,
				   const CFSetCallBacks *callBacks)
{
	struct __CFSet *set = dx_object_new(&dx_cf_set_class);

	(void)allocator;
	(void)capacity;
	if (set != NULL && callBacks != NULL) {
		set->callbacks = *callBacks;
	}
	return set;
}

CFSetRef CFSetCreate(CFAllocatorRef allocator, const void **values, CFIndex numValues,
		     const CFSetCallBacks *callBacks)
{
	struct __CFSet *set = CFSetCreateMutable(allocator, numValues, callBacks);

	for (CFIndex i = 0; set != NULL && i < numValues; i++) {
		CFSetAddValue(set, values[i]);
		if (find(set, values[i]) == set->count) { /* no memory */
			set = dx_object_unref(set);
		}
	}
	return set;
}

CFIndex CFSetGetCount(CFSetRef theSet)
{
	return (CFIndex)theSet->count;
}

Boolean CFSetContainsValue(CFSetRef theSet, const void *value)
{
	return find(theSet, value) < theSet->count ? 1 : 0;
}

const void *CFSetGetValue(CFSetRef theSet, const void *value)
{
	size_t index = find(theSet, value);

	return index < theSet->count ? theSet->values[index] : NULL;
}

void CFSetGetValues(CFSetRef theSet, const void **values)
{
	for (size_t i = 0; i < theSet->count; i++) {
		values[i] = theSet->values[i];
	}
}

void CFSetApplyFunction(CFSetRef theSet, CFSetApplierFunction applier, void *context)
{
	for (size_t i = 0; i < theSet->count; i++) {
		applier(theSet->values[i], context);
	}
}

static bool make_room(struct __CFSet *set)
{
	const void **values =
		dx_cf_members_grow(set->values, sizeof(*values), set->count, &set->capacity);

	if (values == NULL) {
		return false;
	}
	set->values = values;
	return true;
}

static const void *keep(const struct __CFSet *set, const void *value)
{
	return dx_cf_member_keep(set->callbacks.retain, value);
}

void CFSetAddValue(CFMutableSetRef theSet, const void *value)
{
	if (find(theSet, value) == theSet->count && make_room(theSet)) {
		theSet->values[theSet->count++] = keep(theSet, value);
	}
}

void CFSetSetValue(CFMutableSetRef theSet, const void *value)
{
	size_t index = find(theSet, value);

	if (index == theSet->count) {
		CFSetAddValue(theSet, value);
		return;
	}
	const void *old = theSet->values[index];
	theSet->values[index] = keep(theSet, value);
	drop(theSet, old);
}

void CFSetRemoveValue(CFMutableSetRef theSet, const void *value)
{
	size_t index = find(theSet, value);

	if (index < theSet->count) {
		const void *old = theSet->values[index];

		theSet->values[index] = theSet->values[--theSet->count];
		drop(theSet, old);
	}
}

void CFSetRemoveAllValues(CFMutableSetRef theSet)
{
	while (theSet->count > 0) {
		drop(theSet, theSet->values[--theSet->count]);
	}
}

/* SPDX-License-Identifier: MIT
 *
 * cf_array - arrays of objects (dx_array) and arrays of plain pointers (here).
 *
 * Place:   client. CFArray functions look at the class and go one way or the other.
 */
#include <stdlib.h>
#include <string.h>

#include <CoreFoundation/CFArray.h>

#include "base/check.h"
#include "client/cf.h"
#include "client/cf_members.h"

struct plain_array {
	struct dx_object object;
	CFArrayCallBacks callbacks;
	const void **values;
	size_t count;
	size_t capacity;
};

static const void *plain_retain(const struct plain_array *array, const void *value)
{
	return dx_cf_member_keep(array->callbacks.retain, value);
}

static void plain_release(const struct plain_array *array, const void *value)
{
	dx_cf_member_drop(array->callbacks.release, value);
}

static void plain_free(struct dx_object *object)
{
	struct plain_array *array = (void *)object;

	for (size_t i = 0; i < array->count; i++) {
		plain_release(array, array->values[i]);
	}
	free(array->values);
}

const struct dx_class dx_cf_plain_array_class = {
	.name = "pointer array",
	.instance_size = sizeof(struct plain_array),
	.free = plain_free,
};

bool dx_cf_array_is_plain(const void *array)
{
	return dx_object_is_kind(array, &dx_cf_plain_array_class);
}

static int plain_insert(struct plain_array *array, size_t index, const void *value)
{
	const void **values = dx_cf_members_grow(array->values, sizeof(*values), array->count,
						 &array->capacity);

	if (values == NULL) {
		return -1;
	}
	array->values = values;
	memmove(array->values + index + 1, array->values + index,
		(array->count - index) * sizeof(*array->values));
	array->values[index] = plain_retain(array, value);
	array->count += 1;
	return 0;
}

/* Members of a const plain array may be read through this. */
static const struct plain_array *plain(CFArrayRef array)
{
	return (const void *)array;
}

static bool wants_objects(const CFArrayCallBacks *callbacks)
{
	return callbacks != NULL && callbacks->retain == kCFTypeArrayCallBacks.retain;
}

const CFArrayCallBacks kCFTypeArrayCallBacks = {
	.retain = dx_cf_retain_object,
	.release = dx_cf_release_object,
	.copyDescription = CFCopyDescription,
	.equal = CFEqual,
};

CFTypeID CFArrayGetTypeID(void)
{
	return DX_CF_ARRAY;
}

CFMutableArrayRef CFArrayCreateMutable(CFAllocatorRef allocator, CFIndex capacity,
				       const CFArrayCallBacks *callBacks)
{
	(void)allocator;
	(void)capacity;
	if (wants_objects(callBacks)) {
		return (CFMutableArrayRef)dx_array_new();
	}
	struct plain_array *array = dx_object_new(&dx_cf_plain_array_class);
	if (array != NULL && callBacks != NULL) {
		array->callbacks = *callBacks;
	}
	return (CFMutableArrayRef)array;
}

/* 0 or a negative number. */
static int insert(CFMutableArrayRef array, size_t index, const void *value)
{
	if (dx_cf_array_is_plain(array)) {
		return plain_insert((void *)array, index, value);
	}
	return value == NULL ? -1 : dx_array_insert((void *)array, index, value);
}

CFArrayRef CFArrayCreate(CFAllocatorRef allocator, const void **values, CFIndex numValues,
			 const CFArrayCallBacks *callBacks)
{
	if (numValues < 0 || (values == NULL && numValues != 0)) {
		return NULL;
	}
	CFMutableArrayRef array = CFArrayCreateMutable(allocator, numValues, callBacks);
	for (CFIndex i = 0; array != NULL && i < numValues; i++) {
		if (insert(array, (size_t)i, values[i]) != 0) {
			CFRelease(array);
			return NULL;
		}
	}
	return array;
}

CFMutableArrayRef CFArrayCreateMutableCopy(CFAllocatorRef allocator, CFIndex capacity,
					   CFArrayRef theArray)
{
	const CFArrayCallBacks *callbacks = dx_cf_array_is_plain(theArray)
						    ? &plain(theArray)->callbacks
						    : &kCFTypeArrayCallBacks;
	CFMutableArrayRef copy = CFArrayCreateMutable(allocator, capacity, callbacks);

	for (CFIndex i = 0; copy != NULL && i < CFArrayGetCount(theArray); i++) {
		if (insert(copy, (size_t)i, CFArrayGetValueAtIndex(theArray, i)) != 0) {
			CFRelease(copy);
			return NULL;
		}
	}
	return copy;
}

CFArrayRef CFArrayCreateCopy(CFAllocatorRef allocator, CFArrayRef theArray)
{
	return CFArrayCreateMutableCopy(allocator, 0, theArray);
}

CFIndex CFArrayGetCount(CFArrayRef theArray)
{
	return (CFIndex)(dx_cf_array_is_plain(theArray) ? plain(theArray)->count
							: dx_array_count((const void *)theArray));
}

const void *CFArrayGetValueAtIndex(CFArrayRef theArray, CFIndex idx)
{
	if (idx < 0 || idx >= CFArrayGetCount(theArray)) {
		return NULL;
	}
	return dx_cf_array_is_plain(theArray) ? plain(theArray)->values[idx]
					      : dx_array_get((const void *)theArray, (size_t)idx);
}

static bool members_equal(CFArrayRef array, const void *a, const void *b)
{
	if (!dx_cf_array_is_plain(array)) {
		return dx_value_equal(a, b);
	}
	CFArrayEqualCallBack equal = plain(array)->callbacks.equal;
	return a == b || (equal != NULL && equal(a, b));
}

CFIndex CFArrayGetFirstIndexOfValue(CFArrayRef theArray, CFRange range, const void *value)
{
	CFIndex count = CFArrayGetCount(theArray);

	for (CFIndex i = 0; i < range.length && range.location >= 0; i++) {
		CFIndex at = range.location + i;

		if (at >= count) {
			break;
		}
		if (members_equal(theArray, CFArrayGetValueAtIndex(theArray, at), value)) {
			return at;
		}
	}
	return kCFNotFound;
}

Boolean CFArrayContainsValue(CFArrayRef theArray, CFRange range, const void *value)
{
	return CFArrayGetFirstIndexOfValue(theArray, range, value) != kCFNotFound;
}

void CFArrayApplyFunction(CFArrayRef theArray, CFRange range, CFArrayApplierFunction applier,
			  void *context)
{
	CFIndex count = CFArrayGetCount(theArray);

	for (CFIndex i = 0; i < range.length && range.location >= 0; i++) {
		if (range.location + i < count) {
			applier(CFArrayGetValueAtIndex(theArray, range.location + i), context);
		}
	}
}

void CFArrayInsertValueAtIndex(CFMutableArrayRef theArray, CFIndex idx, const void *value)
{
	if (idx >= 0 && idx <= CFArrayGetCount(theArray)) {
		(void)insert(theArray, (size_t)idx, value); /* as documented, nobody is told */
	}
}

void CFArrayAppendValue(CFMutableArrayRef theArray, const void *value)
{
	CFArrayInsertValueAtIndex(theArray, CFArrayGetCount(theArray), value);
}

static void plain_replace(struct plain_array *array, size_t index, const void *value)
{
	const void *old = array->values[index];

	array->values[index] = plain_retain(array, value);
	plain_release(array, old);
}

void CFArraySetValueAtIndex(CFMutableArrayRef theArray, CFIndex idx, const void *value)
{
	if (idx < 0 || idx >= CFArrayGetCount(theArray)) {
		CFArrayInsertValueAtIndex(theArray, idx, value);
	} else if (dx_cf_array_is_plain(theArray)) {
		plain_replace((void *)theArray, (size_t)idx, value);
	} else if (value != NULL) {
		(void)dx_array_replace((void *)theArray, (size_t)idx, value); /* index is inside */
	}
}

void CFArrayRemoveValueAtIndex(CFMutableArrayRef theArray, CFIndex idx)
{
	struct plain_array *array = (void *)theArray;

	if (idx < 0 || idx >= CFArrayGetCount(theArray)) {
		return;
	}
	if (!dx_cf_array_is_plain(theArray)) {
		dx_array_remove((void *)theArray, (size_t)idx);
		return;
	}
	const void *old = array->values[idx];
	array->count -= 1;
	memmove(array->values + idx, array->values + idx + 1,
		(array->count - (size_t)idx) * sizeof(*array->values));
	plain_release(array, old);
}

void CFArrayRemoveAllValues(CFMutableArrayRef theArray)
{
	while (CFArrayGetCount(theArray) > 0) {
		CFArrayRemoveValueAtIndex(theArray, CFArrayGetCount(theArray) - 1);
	}
}

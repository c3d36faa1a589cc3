/* SPDX-License-Identifier: MIT
 *
 * object - reference counts and class tables; object.h has the invariants.
 *
 * Memory order: unref releases what the thread did to the object, and the thread that takes the
 * count to zero acquires all of it before the free chain runs. ref needs no order: whoever calls
 * it holds a reference already.
 */
#include "base/object.h"

#include <assert.h>
#include <stdlib.h>

#include "base/check.h"

void *dx_object_new_extra(const struct dx_class *class, size_t extra_bytes)
{
	size_t size = 0;
	struct dx_object *object;

	assert(class->instance_size >= sizeof(struct dx_object));
	if (dx_add_overflow(class->instance_size, extra_bytes, &size)) {
		return NULL;
	}
	object = calloc(1, size);
	if (object == NULL) {
		return NULL;
	}
	object->class = class;
	atomic_init(&object->refs, 1);
	return object;
}

void *dx_object_new(const struct dx_class *class)
{
	return dx_object_new_extra(class, 0);
}

/* The counter is the only part of an object that its readers change. */
static struct dx_object *counted(const void *object)
{
	return (struct dx_object *)(uintptr_t)object;
}

void *dx_object_ref(const void *object)
{
	struct dx_object *self = counted(object);
	uint32_t before;

	if (self == NULL) {
		return NULL;
	}
	if (atomic_load_explicit(&self->refs, memory_order_relaxed) == DX_OBJECT_IMMORTAL) {
		return self;
	}
	before = atomic_fetch_add_explicit(&self->refs, 1, memory_order_relaxed);
	assert(before > 0 && before < DX_OBJECT_IMMORTAL - 1);
	return self;
}

/* Acquire: pairs with the release of set_face, whose caller has filled the face in. */
struct dx_face *dx_object_face(const void *object)
{
	return atomic_load_explicit(&counted(object)->face, memory_order_acquire);
}

struct dx_face *dx_object_set_face(const void *object, struct dx_face *face)
{
	struct dx_face *found = NULL;

	assert(dx_object_refs(object) != DX_OBJECT_IMMORTAL);
	return atomic_compare_exchange_strong_explicit(&counted(object)->face, &found, face,
						       memory_order_acq_rel,
						       memory_order_acquire)
		       ? face
		       : found;
}

static void destroy(struct dx_object *object)
{
	for (const struct dx_class *class = object->class; class != NULL; class = class->super) {
		if (class->free != NULL) {
			class->free(object);
		}
	}
	struct dx_face *face = dx_object_face(object);
	if (face != NULL) {
		face->free(face);
	}
	free(object);
}

void *dx_object_unref(const void *object)
{
	struct dx_object *self = counted(object);
	uint32_t before;

	if (self == NULL ||
	    atomic_load_explicit(&self->refs, memory_order_relaxed) == DX_OBJECT_IMMORTAL) {
		return NULL;
	}
	before = atomic_fetch_sub_explicit(&self->refs, 1, memory_order_acq_rel);
	assert(before > 0 && before < DX_OBJECT_IMMORTAL);
	if (before == 1) {
		destroy(self);
	}
	return NULL;
}

uint32_t dx_object_refs(const void *object)
{
	return atomic_load_explicit(&counted(object)->refs, memory_order_relaxed);
}

bool dx_object_is_kind(const void *object, const struct dx_class *class)
{
	const struct dx_object *self = object;

	if (self == NULL) {
		return false;
	}
	for (const struct dx_class *at = self->class; at != NULL; at = at->super) {
		if (at == class) {
			return true;
		}
	}
	return false;
}

bool dx_object_equal(const void *a, const void *b)
{
	const struct dx_object *left = a;
	const struct dx_object *right = b;

	if (left == right) {
		return true;
	}
	if (left == NULL || right == NULL || left->class != right->class) {
		return false;
	}
	for (const struct dx_class *at = left->class; at != NULL; at = at->super) {
		if (at->equal != NULL) {
			return at->equal(left, right);
		}
	}
	return false;
}

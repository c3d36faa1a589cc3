/* SPDX-License-Identifier: MIT
 *
 * object - the head of every reference-counted object: values, CoreFoundation, DriverKit.
 *
 * Place:      base. One class table pointer and one counter; C++ objects of drivers share both,
 *             because their core precedes them in the same allocation.
 * Invariants:
 *   O1  refs > 0 while anyone may touch the object; at 0 the class's free chain runs once.
 *   O2  an immortal object (refs == DX_OBJECT_IMMORTAL) is never counted.
 *   O3  an object has at most one face, set once; it is freed with the object.
 * Owner:      whoever holds a counted reference.
 * Threads:    ref and unref from any; the rest as the class says.
 */
#ifndef DX_BASE_OBJECT_H
#define DX_BASE_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/face.h"

struct dx_object;

/* A class table. Subclass tables of other rooms embed it as first member. */
struct dx_class {
	const char *name;
	const struct dx_class *super;		   /* NULL for a root */
	size_t instance_size;			   /* bytes, with this head */
	void (*free)(struct dx_object *object);	   /* own fields only; super's runs after; may be NULL */
	bool (*equal)(const struct dx_object *a, const struct dx_object *b); /* NULL: identity */
};

#define DX_OBJECT_IMMORTAL 0x40000000u

struct dx_object {
	const struct dx_class *class;
	_Atomic uint32_t refs;
	uint32_t flags; /* free for the class */
	_Atomic(struct dx_face *) face; /* O3 */
};

/* Zeroed, count 1; NULL without memory. */
void *dx_object_new(const struct dx_class *class);
/* Same, with extra_bytes behind instance_size. */
void *dx_object_new_extra(const struct dx_class *class, size_t extra_bytes);
/* NULL is allowed and returned. */
void *dx_object_ref(const void *object);
/* NULL is allowed. @return NULL. */
void *dx_object_unref(const void *object);
uint32_t dx_object_refs(const void *object);
/* True when object's class is class or derives from it; false for NULL. */
bool dx_object_is_kind(const void *object, const struct dx_class *class);
/* The face, or NULL. */
struct dx_face *dx_object_face(const void *object);
/* Gives an object its face unless it has one. @return the one that it has now; the caller frees the
 * other one. Not for immortal objects: they may be read-only. */
struct dx_face *dx_object_set_face(const void *object, struct dx_face *face);
/* Same class with an equal() that says so, or identity. NULL equals only NULL. */
bool dx_object_equal(const void *a, const void *b);

#endif

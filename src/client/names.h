/* SPDX-License-Identifier: MIT
 *
 * names - the 32-bit handles of a process.
 *
 * Place:      client, under every public IOKit function.
 * Invariants:
 *   T1  a name is never used for two objects within 255 uses of its place, so that a stale name is
 *       told from a live one.
 *   T2  a registry entry has one name while the process holds it; other objects are named once.
 *   T3  the table holds one reference on each object it names; dropped() is called once, without
 *       locks, when the program has given its last reference on the name back.
 * Threads:    any. One table per process, because the public interface has no context to carry it.
 */
#ifndef DX_CLIENT_NAMES_H
#define DX_CLIENT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/object.h"

/* Classes of objects that have names. */
struct dx_named_class {
	struct dx_class class;
	void (*dropped)(void *object); /* may be NULL */
};

/* A registry entry, by number. */
struct dx_entry {
	struct dx_object object;
	uint64_t id;
};

extern const struct dx_named_class dx_entry_class;

/* Names that exist without an object. */
#define DX_NAME_TASK	  0x103u
#define DX_NAME_MAIN_PORT 0x207u

/* Names an object, with one reference on the name. The table takes its own reference on object.
 * @return 0; -ENOMEM; -EMFILE when there are no names left. */
int dx_names_add(void *object, uint32_t *ret_name);
/* Same for a registry entry; if it has a name already, that one with one more reference. */
int dx_names_add_entry(uint64_t id, uint32_t *ret_name);
/* +1, or NULL when nothing of that class has this name; class NULL: any. */
void *dx_names_get(uint32_t name, const struct dx_named_class *class);
/* One after the other: the next object of that class at or behind a place, +1; *place is behind it
 * then. NULL when there is none. What comes and goes meanwhile may be missed. */
void *dx_names_next(const struct dx_named_class *class, uint32_t *place);
/* The number behind an entry's name; -ENOENT. */
int dx_names_entry_id(uint32_t name, uint64_t *ret_id);
/* @return 0; -ENOENT. */
int dx_names_retain(uint32_t name);
int dx_names_release(uint32_t name);
/* References of the program on the name; 0 for none. */
uint32_t dx_names_refs(uint32_t name);
/* True when nothing has a name. */
bool dx_names_is_empty(void);

#endif

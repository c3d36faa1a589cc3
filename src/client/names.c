/* SPDX-License-Identifier: MIT
 *
 * names - see names.h.
 *
 * A name is index << 8 | generation. Free places are reused first in, first out, and a place's
 * generation grows with each use, so names come back as late as they can. Entries are found by
 * number through hash chains.
 */
#include "client/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mutex.h"

#define FIRST_INDEX 16u /* below are the names without objects */
#define MAX_PLACES  (1u << 20)
#define NR_CHAINS   1024u

struct place {
	void *object; /* NULL: free */
	uint32_t refs;
	uint32_t next; /* free: next free place; entry: next in its chain; 0: none */
	uint8_t generation;
};

static struct {
	struct dx_mutex lock; /* order 50; guards: all below */
	struct place *places DX_GUARDED_BY(lock);
	uint32_t nr_places DX_GUARDED_BY(lock);
	uint32_t nr_used DX_GUARDED_BY(lock);
	uint32_t first_free DX_GUARDED_BY(lock);
	uint32_t last_free DX_GUARDED_BY(lock);
	uint32_t chains[NR_CHAINS] DX_GUARDED_BY(lock);
} table = {.lock = DX_MUTEX_INIT};

const struct dx_named_class dx_entry_class = {
	.class = {.name = "registry entry", .instance_size = sizeof(struct dx_entry)},
};

static uint32_t *chain_of(uint64_t id) DX_REQUIRES(table.lock)
{
	return &table.chains[(id ^ id >> 10 ^ id >> 32) % NR_CHAINS];
}

static bool is_entry(const void *object)
{
	return object != NULL && dx_object_is_kind(object, &dx_entry_class.class);
}

static uint32_t name_of(uint32_t index) DX_REQUIRES(table.lock)
{
	return index << 8 | table.places[index].generation;
}

static int grow(void) DX_REQUIRES(table.lock)
{
	uint32_t first = table.nr_places == 0 ? FIRST_INDEX : table.nr_places;
	uint32_t count = table.nr_places == 0 ? 64 : table.nr_places * 2;

	if (count > MAX_PLACES) {
		return -EMFILE;
	}
	struct place *places = reallocarray(table.places, count, sizeof(*places));
	if (places == NULL) {
		return -ENOMEM;
	}
	memset(places + table.nr_places, 0, (count - table.nr_places) * sizeof(*places));
	for (uint32_t i = first; i < count; i++) {
		places[i].next = i + 1 < count ? i + 1 : 0;
	}
	table.places = places;
	table.nr_places = count;
	table.first_free = first;
	table.last_free = count - 1;
	return 0;
}

static int add_locked(void *object, uint32_t *ret_index) DX_REQUIRES(table.lock)
{
	if (table.first_free == 0) {
		int error = grow();

		if (error < 0) {
			return error;
		}
	}
	uint32_t index = table.first_free;
	struct place *place = &table.places[index];
	table.first_free = place->next;
	if (table.first_free == 0) {
		table.last_free = 0;
	}
	place->object = dx_object_ref(object);
	place->refs = 1;
	place->next = 0;
	place->generation = (uint8_t)(place->generation % 255u + 1u); /* 1..255: no name is 0 */
	table.nr_used += 1;
	*ret_index = index;
	return 0;
}

int dx_names_add(void *object, uint32_t *ret_name)
{
	uint32_t index = 0;

	dx_mutex_lock(&table.lock);
	int error = add_locked(object, &index);
	if (error == 0) {
		*ret_name = name_of(index);
	}
	dx_mutex_unlock(&table.lock);
	return error;
}

static uint32_t find_entry(uint64_t id) DX_REQUIRES(table.lock)
{
	uint32_t index = *chain_of(id);

	while (index != 0 && ((struct dx_entry *)table.places[index].object)->id != id) {
		index = table.places[index].next;
	}
	return index;
}

static int add_entry_locked(struct dx_entry *entry, uint32_t *ret_index) DX_REQUIRES(table.lock)
{
	uint32_t index = find_entry(entry->id);

	if (index != 0) {
		table.places[index].refs += 1;
		*ret_index = index;
		return 0;
	}
	int error = add_locked(entry, &index);
	if (error < 0) {
		return error;
	}
	table.places[index].next = *chain_of(entry->id);
	*chain_of(entry->id) = index;
	*ret_index = index;
	return 0;
}

int dx_names_add_entry(uint64_t id, uint32_t *ret_name)
{
	struct dx_entry *entry = dx_object_new(&dx_entry_class.class);
	uint32_t index = 0;

	if (entry == NULL) {
		return -ENOMEM;
	}
	entry->id = id;
	dx_mutex_lock(&table.lock);
	int error = add_entry_locked(entry, &index);
	if (error == 0) {
		*ret_name = name_of(index);
	}
	dx_mutex_unlock(&table.lock);
	(void)dx_object_unref(entry); /* always NULL; the table has its own */
	return error;
}

/* The place of a live name, or NULL. */
static struct place *find(uint32_t name) DX_REQUIRES(table.lock)
{
	uint32_t index = name >> 8;

	if (index >= table.nr_places || table.places[index].object == NULL ||
	    table.places[index].generation != (name & 0xff)) {
		return NULL;
	}
	return &table.places[index];
}

void *dx_names_get(uint32_t name, const struct dx_named_class *class)
{
	void *object = NULL;

	dx_mutex_lock(&table.lock);
	const struct place *place = find(name);
	if (place != NULL &&
	    (class == NULL || dx_object_is_kind(place->object, &class->class))) {
		object = dx_object_ref(place->object);
	}
	dx_mutex_unlock(&table.lock);
	return object;
}

void *dx_names_next(const struct dx_named_class *class, uint32_t *place)
{
	void *object = NULL;

	dx_mutex_lock(&table.lock);
	while (object == NULL && *place < table.nr_places) {
		void *candidate = table.places[(*place)++].object;

		if (candidate != NULL && dx_object_is_kind(candidate, &class->class)) {
			object = dx_object_ref(candidate);
		}
	}
	dx_mutex_unlock(&table.lock);
	return object;
}

int dx_names_entry_id(uint32_t name, uint64_t *ret_id)
{
	int error = -ENOENT;

	dx_mutex_lock(&table.lock);
	const struct place *place = find(name);
	if (place != NULL && is_entry(place->object)) {
		*ret_id = ((const struct dx_entry *)place->object)->id;
		error = 0;
	}
	dx_mutex_unlock(&table.lock);
	return error;
}

int dx_names_retain(uint32_t name)
{
	dx_mutex_lock(&table.lock);
	struct place *place = find(name);
	if (place != NULL && place->refs < UINT32_MAX) {
		place->refs += 1;
	}
	dx_mutex_unlock(&table.lock);
	return place == NULL ? -ENOENT : 0;
}

static void unchain(uint32_t index, uint64_t id) DX_REQUIRES(table.lock)
{
	uint32_t *link = chain_of(id);

	while (*link != index) {
		link = &table.places[*link].next;
	}
	*link = table.places[index].next;
}

/* Takes the object out of its place. */
static void *remove_locked(struct place *place) DX_REQUIRES(table.lock)
{
	void *object = place->object;
	uint32_t index = (uint32_t)(place - table.places);

	if (is_entry(object)) {
		unchain(index, ((const struct dx_entry *)object)->id);
	}
	place->object = NULL;
	place->next = 0;
	if (table.last_free == 0) {
		table.first_free = index;
	} else {
		table.places[table.last_free].next = index;
	}
	table.last_free = index;
	table.nr_used -= 1;
	return object;
}

int dx_names_release(uint32_t name)
{
	void *object = NULL;

	dx_mutex_lock(&table.lock);
	struct place *place = find(name);
	if (place != NULL) {
		place->refs -= 1;
		object = place->refs == 0 ? remove_locked(place) : NULL;
	}
	dx_mutex_unlock(&table.lock);
	if (object != NULL) {
		const struct dx_named_class *class =
			(const void *)((const struct dx_object *)object)->class;

		if (class->dropped != NULL) {
			class->dropped(object);
		}
		(void)dx_object_unref(object); /* always NULL */
	}
	return place == NULL ? -ENOENT : 0;
}

uint32_t dx_names_refs(uint32_t name)
{
	dx_mutex_lock(&table.lock);
	const struct place *place = find(name);
	uint32_t refs = place == NULL ? 0 : place->refs;
	dx_mutex_unlock(&table.lock);
	return refs;
}

bool dx_names_is_empty(void)
{
	dx_mutex_lock(&table.lock);
	bool empty = table.nr_used == 0;
	dx_mutex_unlock(&table.lock);
	return empty;
}

/* SPDX-License-Identifier: MIT
 *
 * tags - see tags.h.
 */
#include "client/tags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/object.h"

void dx_tags_init(struct dx_tags *tags)
{
	dx_mutex_init(&tags->lock);
}

void dx_tag_fini(struct dx_tag *tag)
{
	tag->port = dx_object_unref(tag->port);
	tag->further = dx_object_unref(tag->further);
}

static void free_places(struct dx_tags *tags) DX_REQUIRES(tags->lock)
{
	for (uint32_t i = 0; i < tags->nr_places; i++) {
		dx_tag_fini(&tags->places[i].tag);
	}
	free(tags->places);
	tags->places = NULL;
	tags->nr_places = 0;
	tags->first_free = 0;
}

void dx_tags_fini(struct dx_tags *tags)
{
	dx_mutex_lock(&tags->lock);
	free_places(tags);
	dx_mutex_unlock(&tags->lock);
	dx_mutex_fini(&tags->lock);
}

static int grow(struct dx_tags *tags) DX_REQUIRES(tags->lock)
{
	uint32_t count = tags->nr_places == 0 ? 16 : tags->nr_places * 2;

	if (count > DX_MAX_ASYNC_ACTIONS) {
		return -ENOBUFS;
	}
	struct dx_tag_place *places = reallocarray(tags->places, count, sizeof(*places));
	if (places == NULL) {
		return -ENOMEM;
	}
	memset(places + tags->nr_places, 0, (count - tags->nr_places) * sizeof(*places));
	for (uint32_t i = tags->nr_places; i < count; i++) {
		places[i].next_free = i + 1 < count ? i + 2 : 0;
	}
	tags->first_free = tags->nr_places + 1;
	tags->places = places;
	tags->nr_places = count;
	return 0;
}

static int add_locked(struct dx_tags *tags, const struct dx_tag *tag, uint64_t *ret_number)
	DX_REQUIRES(tags->lock)
{
	if (tags->first_free == 0) {
		int error = grow(tags);

		if (error < 0) {
			return error;
		}
	}
	uint32_t number = tags->first_free;
	struct dx_tag_place *place = &tags->places[number - 1];
	tags->first_free = place->next_free;
	place->tag = *tag;
	place->generation += 1;
	*ret_number = (uint64_t)place->generation << 32 | number;
	return 0;
}

int dx_tags_add(struct dx_tags *tags, const struct dx_tag *tag, uint64_t *ret_number)
{
	struct dx_tag copy = *tag;

	(void)dx_object_ref(copy.port);
	(void)dx_object_ref(copy.further);
	dx_mutex_lock(&tags->lock);
	int error = add_locked(tags, &copy, ret_number);
	dx_mutex_unlock(&tags->lock);
	if (error < 0) {
		dx_tag_fini(&copy);
	}
	return error;
}

static struct dx_tag_place *find(struct dx_tags *tags, uint64_t number) DX_REQUIRES(tags->lock)
{
	uint32_t index = (uint32_t)number - 1;

	if (index >= tags->nr_places || tags->places[index].tag.port == NULL ||
	    tags->places[index].generation != number >> 32) {
		return NULL;
	}
	return &tags->places[index];
}

int dx_tags_get(struct dx_tags *tags, uint64_t number, struct dx_tag *ret_tag)
{
	dx_mutex_lock(&tags->lock);
	const struct dx_tag_place *place = find(tags, number);
	if (place != NULL) {
		*ret_tag = place->tag;
		(void)dx_object_ref(ret_tag->port);
		(void)dx_object_ref(ret_tag->further);
	}
	dx_mutex_unlock(&tags->lock);
	return place == NULL ? -ENOENT : 0;
}

void dx_tags_remove(struct dx_tags *tags, uint64_t number)
{
	struct dx_tag removed = {0};

	dx_mutex_lock(&tags->lock);
	struct dx_tag_place *place = find(tags, number);
	if (place != NULL) {
		removed = place->tag;
		place->tag = (struct dx_tag){0};
		if (place->generation < UINT32_MAX) { /* else the place has served its time */
			place->next_free = tags->first_free;
			tags->first_free = (uint32_t)number;
		}
	}
	dx_mutex_unlock(&tags->lock);
	dx_tag_fini(&removed);
}

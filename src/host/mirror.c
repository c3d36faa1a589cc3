/* SPDX-License-Identifier: MIT
 *
 * mirror - see mirror.h. Each entry is the dictionary that adoption will send.
 *
 * Place:   host.
 */
#include "host/mirror.h"

#include <errno.h>
#include <stdlib.h>

#include "wire/wire.h"

struct entry {
	struct dx_list node;
	struct dx_mirror_news news; /* with the ids */
	struct dx_dict *dict;
};

struct watch {
	struct dx_list node;
	uint64_t cookie;
	const struct dx_dict *matching; /* counted */
};

static void watch_free(struct watch *watch)
{
	dx_list_remove(&watch->node);
	(void)dx_object_unref(watch->matching);
	free(watch);
}

static void entry_free(struct entry *entry)
{
	(void)dx_object_unref(entry->dict);
	free(entry);
}

void dx_mirror_init(struct dx_mirror *mirror)
{
	dx_mutex_init(&mirror->lock);
	dx_mutex_lock(&mirror->lock);
	dx_list_init(&mirror->entries);
	dx_list_init(&mirror->watches);
	dx_mutex_unlock(&mirror->lock);
}

void dx_mirror_fini(struct dx_mirror *mirror)
{
	dx_mutex_lock(&mirror->lock);
	dx_list_for_each_safe (node, &mirror->entries) {
		dx_list_remove(node);
		entry_free(dx_list_entry(node, struct entry, node));
	}
	dx_list_for_each_safe (node, &mirror->watches) {
		watch_free(dx_list_entry(node, struct watch, node));
	}
	dx_mutex_unlock(&mirror->lock);
	dx_mutex_fini(&mirror->lock);
}

static struct entry *find_locked(struct dx_mirror *mirror, uint64_t id) DX_REQUIRES(mirror->lock)
{
	dx_list_for_each (node, &mirror->entries) {
		struct entry *entry = dx_list_entry(node, struct entry, node);
		if (entry->news.id == id) {
			return entry;
		}
	}
	return NULL;
}

static struct dx_dict *dict_of_locked(struct dx_mirror *mirror, uint64_t id)
	DX_REQUIRES(mirror->lock)
{
	struct entry *entry = find_locked(mirror, id);

	return entry == NULL ? NULL : entry->dict;
}

/* Takes over dict, also on failure. */
static int add(struct dx_mirror *mirror, uint64_t id, uint64_t parent_id, struct dx_dict *dict)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL || dict == NULL || dx_dict_set_u64(dict, DX_ENTRY_ID_KEY, id, 64) < 0 ||
	    dx_dict_set_u64(dict, DX_ENTRY_PARENT_KEY, parent_id, 64) < 0) {
		free(entry);
		(void)dx_object_unref(dict);
		return -ENOMEM;
	}
	entry->news.id = id;
	entry->news.parent_id = parent_id;
	entry->dict = dict;
	dx_mutex_lock(&mirror->lock);
	bool is_new = find_locked(mirror, id) == NULL;
	if (is_new) {
		dx_list_push_back(&mirror->entries, &entry->node);
	}
	dx_mutex_unlock(&mirror->lock);
	if (!is_new) {
		entry_free(entry);
		return -EEXIST;
	}
	return 0;
}

int dx_mirror_add_started(struct dx_mirror *mirror, uint64_t id, uint64_t provider_id,
			  const struct dx_dict *start)
{
	struct dx_dict *dict = dx_dict_new();

	if (dict != NULL && dx_dict_set(dict, DX_ADOPT_START_KEY, start) < 0) {
		(void)dx_object_unref(dict);
		return -ENOMEM;
	}
	return add(mirror, id, provider_id, dict);
}

int dx_mirror_add_made(struct dx_mirror *mirror, uint64_t id, uint64_t parent_id,
		       const char *class_name, const char *name, const struct dx_dict *properties)
{
	struct dx_dict *dict = dx_dict_new();

	if (dict == NULL || dx_dict_set_string(dict, DX_ADOPT_CLASS_KEY, class_name) < 0 ||
	    dx_dict_set_string(dict, DX_ENTRY_NAME_KEY, name) < 0 ||
	    (properties != NULL && dx_dict_set(dict, DX_ENTRY_PROPERTIES_KEY, properties) < 0)) {
		(void)dx_object_unref(dict);
		return -ENOMEM;
	}
	return add(mirror, id, parent_id, dict);
}

void dx_mirror_remove(struct dx_mirror *mirror, uint64_t id)
{
	dx_mutex_lock(&mirror->lock);
	struct entry *found = find_locked(mirror, id);
	if (found != NULL) {
		dx_list_remove(&found->node);
	}
	dx_mutex_unlock(&mirror->lock);
	if (found != NULL) {
		entry_free(found);
	}
}

void dx_mirror_set_registered(struct dx_mirror *mirror, uint64_t id)
{
	dx_mutex_lock(&mirror->lock);
	struct dx_dict *dict = dict_of_locked(mirror, id);
	if (dict != NULL) {
		/* Without memory the next broker would find it unregistered: no more than that. */
		(void)dx_dict_set_bool(dict, DX_ENTRY_REGISTERED_KEY, true);
	}
	dx_mutex_unlock(&mirror->lock);
}

int dx_mirror_set_name(struct dx_mirror *mirror, uint64_t id, const char *name)
{
	int rc = 0;

	dx_mutex_lock(&mirror->lock);
	struct dx_dict *dict = dict_of_locked(mirror, id);
	if (dict != NULL) {
		rc = dx_dict_set_string(dict, DX_ENTRY_NAME_KEY, name);
	}
	dx_mutex_unlock(&mirror->lock);
	return rc;
}

/* The dictionary under DX_ADOPT_USER_PROPERTIES_KEY, made when missing. */
static struct dx_dict *user_properties(struct dx_dict *dict)
{
	struct dx_dict *user = dx_dict_get_dict(dict, DX_ADOPT_USER_PROPERTIES_KEY);

	if (user != NULL) {
		return user;
	}
	user = dx_dict_new();
	if (user != NULL) {
		(void)dx_dict_set(dict, DX_ADOPT_USER_PROPERTIES_KEY, user);
		(void)dx_object_unref(user);
	}
	return dx_dict_get_dict(dict, DX_ADOPT_USER_PROPERTIES_KEY);
}

int dx_mirror_set_properties(struct dx_mirror *mirror, uint64_t id,
			     const struct dx_dict *properties)
{
	int rc = 0;

	dx_mutex_lock(&mirror->lock);
	struct dx_dict *dict = dict_of_locked(mirror, id);
	if (dict != NULL) {
		struct dx_dict *user = user_properties(dict);
		rc = user == NULL ? -ENOMEM : dx_dict_merge(user, properties);
	}
	dx_mutex_unlock(&mirror->lock);
	return rc;
}

void dx_mirror_remove_property(struct dx_mirror *mirror, uint64_t id, const char *key)
{
	dx_mutex_lock(&mirror->lock);
	struct dx_dict *dict = dict_of_locked(mirror, id);
	struct dx_dict *user =
		dict == NULL ? NULL : dx_dict_get_dict(dict, DX_ADOPT_USER_PROPERTIES_KEY);
	if (user != NULL) {
		(void)dx_dict_remove(user, key);
	}
	dx_mutex_unlock(&mirror->lock);
}

int dx_mirror_set_configuration(struct dx_mirror *mirror, uint64_t provider_id, uint8_t value,
				bool matches)
{
	int rc = 0;

	dx_mutex_lock(&mirror->lock);
	dx_list_for_each (node, &mirror->entries) {
		struct entry *entry = dx_list_entry(node, struct entry, node);
		if (rc == 0 && entry->news.parent_id == provider_id) {
			rc = dx_dict_set_u64(entry->dict, DX_ADOPT_CONFIGURATION_KEY, value, 8);
		}
		if (rc == 0 && entry->news.parent_id == provider_id) {
			rc = dx_dict_set_bool(entry->dict, DX_ADOPT_MATCHES_KEY, matches);
		}
	}
	dx_mutex_unlock(&mirror->lock);
	return rc;
}

void dx_mirror_want_termination(struct dx_mirror *mirror, uint64_t id)
{
	dx_mutex_lock(&mirror->lock);
	struct entry *entry = find_locked(mirror, id);
	if (entry != NULL) {
		entry->news.termination_wanted = true;
	}
	dx_mutex_unlock(&mirror->lock);
}

void dx_mirror_lose_provider(struct dx_mirror *mirror, uint64_t provider_id, bool was_reset)
{
	dx_mutex_lock(&mirror->lock);
	dx_list_for_each (node, &mirror->entries) {
		struct entry *entry = dx_list_entry(node, struct entry, node);
		if (entry->news.parent_id == provider_id) {
			entry->news.provider_lost = true;
			entry->news.provider_reset = was_reset;
		}
	}
	dx_mutex_unlock(&mirror->lock);
}

void dx_mirror_adjust_busy(struct dx_mirror *mirror, uint64_t id, int32_t delta)
{
	dx_mutex_lock(&mirror->lock);
	struct entry *entry = find_locked(mirror, id);
	if (entry != NULL) {
		/* The runtime keeps the sum within 0..INT32_MAX. */
		entry->news.busy = (int32_t)((uint32_t)entry->news.busy + (uint32_t)delta);
	}
	dx_mutex_unlock(&mirror->lock);
}

void dx_mirror_each_news(struct dx_mirror *mirror, dx_mirror_news_fn function, void *context)
{
	dx_mutex_lock(&mirror->lock);
	dx_list_for_each (node, &mirror->entries) {
		const struct dx_mirror_news *news = &dx_list_entry(node, struct entry, node)->news;
		if (news->busy != 0 || news->termination_wanted || news->provider_lost) {
			function(context, news);
		}
	}
	dx_mutex_unlock(&mirror->lock);
}

int dx_mirror_add_watch(struct dx_mirror *mirror, uint64_t cookie, const struct dx_dict *matching)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL) {
		return -ENOMEM;
	}
	watch->cookie = cookie;
	watch->matching = dx_object_ref(matching);
	dx_mutex_lock(&mirror->lock);
	dx_list_push_back(&mirror->watches, &watch->node);
	dx_mutex_unlock(&mirror->lock);
	return 0;
}

void dx_mirror_remove_watch(struct dx_mirror *mirror, uint64_t cookie)
{
	dx_mutex_lock(&mirror->lock);
	dx_list_for_each_safe (node, &mirror->watches) {
		struct watch *watch = dx_list_entry(node, struct watch, node);
		if (watch->cookie == cookie) {
			watch_free(watch);
		}
	}
	dx_mutex_unlock(&mirror->lock);
}

void dx_mirror_each_watch(struct dx_mirror *mirror, dx_mirror_watch_fn function, void *context)
{
	dx_mutex_lock(&mirror->lock);
	dx_list_for_each (node, &mirror->watches) {
		const struct watch *watch = dx_list_entry(node, struct watch, node);
		function(context, watch->cookie, watch->matching);
	}
	dx_mutex_unlock(&mirror->lock);
}

bool dx_mirror_is_empty(struct dx_mirror *mirror)
{
	dx_mutex_lock(&mirror->lock);
	bool is_empty = dx_list_is_empty(&mirror->entries);
	dx_mutex_unlock(&mirror->lock);
	return is_empty;
}

struct dx_array *dx_mirror_describe(struct dx_mirror *mirror)
{
	struct dx_array *array = dx_array_new();
	int rc = array == NULL ? -ENOMEM : 0;

	dx_mutex_lock(&mirror->lock);
	dx_list_for_each (node, &mirror->entries) {
		/* A copy: the entries change while the array is encoded. */
		void *copy = dx_value_copy_deep(dx_list_entry(node, struct entry, node)->dict);
		if (rc == 0) {
			rc = copy == NULL ? -ENOMEM : dx_array_append(array, copy);
		}
		(void)dx_object_unref(copy);
	}
	dx_mutex_unlock(&mirror->lock);
	return rc == 0 ? array : dx_object_unref(array);
}

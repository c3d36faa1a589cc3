/* SPDX-License-Identifier: MIT
 *
 * registry - entries and their tree; see registry.h.
 *
 * Place:      daemon. Descriptions for the wire are in describe.c, kernel classes in classes.c.
 * Threads:    one.
 */
#include "daemon/registry.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/plist.h"

#define NR_BUCKETS          4096u
#define IDS_PER_MILLISECOND 24 /* as a power of two */

struct dx_registry {
	const struct dx_registry_ops *ops;
	void *context;
	struct dx_entry *root;
	uint64_t next_id;
	size_t count; /* living entries */
	size_t nr_ghosts;
	struct dx_list ghosts; /* oldest first */
	struct dx_list buckets[NR_BUCKETS];
};

static struct dx_list *bucket_of(struct dx_registry *registry, uint64_t id)
{
	return &registry->buckets[(id ^ (id >> 12) ^ (id >> 24)) % NR_BUCKETS];
}

/* G1: milliseconds since boot, with room for 16 million ids in each. */
static uint64_t first_id(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &now); /* cannot fail for this clock */
	return ((uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u + 1024u)
	       << IDS_PER_MILLISECOND;
}

static bool value_fits(const void *value, unsigned levels)
{
	const char *key = NULL;
	void *member = NULL;

	if (levels == 0) {
		return false;
	}
	if (dx_object_is_kind(value, &dx_dict_class)) {
		for (size_t i = 0; dx_dict_at(value, i, &key, &member); i++) {
			if (!value_fits(member, levels - 1)) {
				return false;
			}
		}
	} else if (dx_object_is_kind(value, &dx_array_class)) {
		for (size_t i = 0; i < dx_array_count(value); i++) {
			if (!value_fits(dx_array_get(value, i), levels - 1)) {
				return false;
			}
		}
	}
	return true;
}

/* G4. */
static int properties_check(const struct dx_dict *properties)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	int r = 0;

	if (!value_fits(properties, DX_ENTRY_MAX_LEVELS)) {
		return -E2BIG;
	}
	r = dx_plist_encode(properties, &bytes, &length);
	if (r < 0) {
		return r;
	}
	return length > DX_ENTRY_MAX_BYTES ? -E2BIG : 0;
}

static struct dx_entry *entry_free(struct dx_entry *entry)
{
	if (entry != NULL) {
		dx_list_remove(&entry->bucket);
		dx_list_remove(&entry->sibling);
		dx_object_unref(entry->properties);
		free(entry);
	}
	return NULL;
}

static struct dx_entry *entry_new(struct dx_registry *registry, uint64_t id, const char *class_name,
				  const char *name)
{
	struct dx_entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL) {
		return NULL;
	}
	entry->registry = registry;
	entry->id = id;
	dx_list_init(&entry->children);
	dx_list_init(&entry->sibling);
	dx_list_init(&entry->bucket);
	dx_list_init(&entry->slots);
	dx_list_init(&entry->interests);
	(void)snprintf(entry->class_name, sizeof(entry->class_name), "%s", class_name);
	dx_entry_set_name(entry, name);
	entry->properties = dx_dict_new();
	if (entry->properties == NULL) {
		return entry_free(entry);
	}
	dx_list_push_back(bucket_of(registry, id), &entry->bucket);
	return entry;
}

static int add_fixed(struct dx_registry *registry, uint64_t id, const char *class_name)
{
	struct dx_entry *entry = NULL;
	int r = dx_registry_add(registry->root, id, class_name, class_name, NULL, &entry);

	if (r < 0) {
		return r;
	}
	r = dx_dict_set_bool(entry->properties, "IOKit", true);
	entry->registered = true;
	entry->matched = true;
	entry->match_told = true;
	return r;
}

int dx_registry_new(const struct dx_registry_ops *ops, void *context,
		    struct dx_registry **ret_registry)
{
	struct dx_registry *registry = calloc(1, sizeof(*registry));
	int r = 0;

	if (registry == NULL) {
		return -ENOMEM;
	}
	registry->ops = ops;
	registry->context = context;
	registry->next_id = first_id();
	dx_list_init(&registry->ghosts);
	for (size_t i = 0; i < NR_BUCKETS; i++) {
		dx_list_init(&registry->buckets[i]);
	}
	registry->root = entry_new(registry, DX_REGISTRY_ROOT_ID, "IORegistryEntry", "Root");
	if (registry->root == NULL) {
		free(registry);
		return -ENOMEM;
	}
	registry->count = 1;
	r = add_fixed(registry, DX_REGISTRY_RESOURCES_ID, "IOResources");
	if (r == 0) {
		r = add_fixed(registry, DX_REGISTRY_USER_RESOURCES_ID, "IOUserResources");
	}
	if (r < 0) {
		(void)dx_registry_free(registry);
		return r;
	}
	*ret_registry = registry;
	return 0;
}

struct dx_registry *dx_registry_free(struct dx_registry *registry)
{
	if (registry == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < NR_BUCKETS; i++) {
		dx_list_for_each_safe (node, &registry->buckets[i]) {
			struct dx_entry *entry = dx_list_entry(node, struct dx_entry, bucket);

			while (dx_list_pop_front(&entry->children) != NULL) {
				/* children may be freed later than their parent: they let go of it
				 */
			}
			(void)entry_free(entry);
		}
	}
	free(registry);
	return NULL;
}

struct dx_entry *dx_registry_root(struct dx_registry *registry)
{
	return registry->root;
}

struct dx_entry *dx_registry_find(struct dx_registry *registry, uint64_t id)
{
	if (id == 0) {
		return registry->root;
	}
	dx_list_for_each (node, bucket_of(registry, id)) {
		struct dx_entry *entry = dx_list_entry(node, struct dx_entry, bucket);

		if (entry->id == id) {
			return entry;
		}
	}
	return NULL;
}

struct dx_entry *dx_registry_next(const struct dx_entry *entry)
{
	if (!dx_list_is_empty(&entry->children)) {
		return dx_list_entry(entry->children.next, struct dx_entry, sibling);
	}
	while (entry->parent != NULL) {
		if (entry->sibling.next != &entry->parent->children) {
			return dx_list_entry(entry->sibling.next, struct dx_entry, sibling);
		}
		entry = entry->parent;
	}
	return NULL;
}

uint64_t dx_registry_take_ids(struct dx_registry *registry, uint64_t nr_ids)
{
	uint64_t first = registry->next_id;

	registry->next_id += nr_ids;
	return first;
}

void dx_registry_skip_ids(struct dx_registry *registry, uint64_t end)
{
	if (end > registry->next_id) {
		registry->next_id = end;
	}
}

size_t dx_registry_count(const struct dx_registry *registry)
{
	return registry->count;
}

static int add_check(struct dx_entry *parent, uint64_t id, const struct dx_dict *properties)
{
	struct dx_registry *registry = parent->registry;

	if (parent->inactive || parent->ghost) {
		return -ENODEV;
	}
	if (registry->count >= DX_MAX_REGISTRY_ENTRIES) {
		return -ENOSPC;
	}
	if (parent->depth + 1 >= DX_REGISTRY_MAX_DEPTH) {
		return -ELOOP;
	}
	if (id != 0 && dx_registry_find(registry, id) != NULL) {
		return -EEXIST;
	}
	return properties == NULL ? 0 : properties_check(properties);
}

int dx_registry_add(struct dx_entry *parent, uint64_t id, const char *class_name, const char *name,
		    const struct dx_dict *properties, struct dx_entry **ret_entry)
{
	struct dx_registry *registry = parent->registry;
	struct dx_entry *entry = NULL;
	int r = add_check(parent, id, properties);

	if (r < 0) {
		return r;
	}
	entry = entry_new(registry, id != 0 ? id : dx_registry_take_ids(registry, 1), class_name,
			  name);
	if (entry == NULL) {
		return -ENOMEM;
	}
	if (properties != NULL) {
		r = dx_dict_merge(entry->properties, properties);
		if (r < 0) {
			(void)entry_free(entry);
			return r;
		}
	}
	entry->parent = parent;
	entry->parent_id = parent->id;
	entry->depth = parent->depth + 1;
	dx_list_push_back(&parent->children, &entry->sibling);
	parent->nr_children++;
	registry->count++;
	*ret_entry = entry;
	return 0;
}

static void ghost_keep(struct dx_registry *registry, struct dx_entry *entry)
{
	entry->ghost = true;
	entry->inactive = true;
	dx_list_push_back(&registry->ghosts, &entry->sibling);
	registry->nr_ghosts++;
	if (registry->nr_ghosts > DX_REGISTRY_MAX_GHOSTS) {
		struct dx_list *oldest = dx_list_pop_front(&registry->ghosts);

		registry->nr_ghosts--;
		(void)entry_free(dx_list_entry(oldest, struct dx_entry, sibling));
	}
}

void dx_registry_remove(struct dx_entry *entry)
{
	struct dx_registry *registry = entry->registry;

	assert(entry->parent != NULL && entry->nr_children == 0 && !entry->ghost);
	if (entry->busy > 0) {
		dx_entry_adjust_busy(entry, -(int)entry->busy);
	}
	dx_list_remove(&entry->sibling);
	entry->parent->nr_children--;
	entry->parent = NULL;
	registry->count--;
	entry->host = NULL;
	entry->driver = NULL;
	entry->device = NULL;
	if (entry->registered) {
		ghost_keep(registry, entry);
	} else {
		(void)entry_free(entry);
	}
}

void dx_entry_set_name(struct dx_entry *entry, const char *name)
{
	/* Cut between characters, or the name would no longer be UTF-8. */
	size_t length = strnlen(name, sizeof(entry->name) - 1);

	if (name[length] != '\0') {
		while (length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80) {
			length--;
		}
	}
	memmove(entry->name, name, length);
	entry->name[length] = '\0';
}

/* Puts a changed sub-dictionary in place if all properties together still fit. */
static int user_properties_replace(struct dx_entry *entry, const struct dx_dict *user)
{
	struct dx_dict *all = dx_dict_copy(entry->properties);
	int r = all == NULL ? -ENOMEM : dx_dict_set(all, DX_USER_PROPERTIES_KEY, user);

	if (r == 0) {
		r = properties_check(all);
	}
	if (r < 0) {
		dx_object_unref(all);
		return r;
	}
	dx_object_unref(entry->properties);
	entry->properties = all;
	return 0;
}

int dx_entry_merge_user_properties(struct dx_entry *entry, const struct dx_dict *properties)
{
	struct dx_dict *old = dx_dict_get_dict(entry->properties, DX_USER_PROPERTIES_KEY);
	struct dx_dict *user = old != NULL ? dx_dict_copy(old) : dx_dict_new();
	int r = user == NULL ? -ENOMEM : dx_dict_merge(user, properties);

	if (r == 0) {
		r = user_properties_replace(entry, user);
	}
	dx_object_unref(user);
	return r;
}

void dx_entry_remove_user_property(struct dx_entry *entry, const char *key)
{
	struct dx_dict *user = dx_dict_get_dict(entry->properties, DX_USER_PROPERTIES_KEY);

	if (user != NULL) {
		(void)dx_dict_remove(user, key);
	}
}

void dx_entry_adjust_busy(struct dx_entry *entry, int delta)
{
	while (entry != NULL && delta != 0) {
		uint32_t before = entry->busy;
		int64_t after = (int64_t)before + delta;

		entry->busy = after < 0 ? 0 : (uint32_t)after;
		delta = (entry->busy > 0) - (before > 0); /* G3 */
		if (delta != 0 && entry->registry->ops != NULL) {
			entry->registry->ops->busy_changed(entry->registry->context, entry);
		}
		entry = entry->parent;
	}
}

void *dx_entry_property(const struct dx_entry *entry, const char *key)
{
	const struct dx_dict *user = dx_dict_get_dict(entry->properties, DX_USER_PROPERTIES_KEY);
	void *value = user == NULL ? NULL : dx_dict_get(user, key);

	return value != NULL ? value : dx_dict_get(entry->properties, key);
}

bool dx_entry_is_kind(const struct dx_entry *entry, const char *class_name)
{
	return dx_kernel_class_conforms(entry->class_name, class_name);
}

bool dx_entry_is_below(const struct dx_entry *entry, const struct dx_entry *above)
{
	for (; entry != NULL; entry = entry->parent) {
		if (entry == above) {
			return true;
		}
	}
	return false;
}

static void append(char *buffer, size_t capacity, size_t *length, const char *text)
{
	if (*length < capacity) {
		(void)snprintf(buffer + *length, capacity - *length, "%s", text);
	}
	*length += strlen(text);
}

size_t dx_entry_path(const struct dx_entry *entry, char *buffer, size_t capacity)
{
	const struct dx_entry *chain[DX_REGISTRY_MAX_DEPTH];
	size_t nr_chain = 0;
	size_t length = 0;

	for (; entry != NULL && entry->parent != NULL; entry = entry->parent) {
		chain[nr_chain++] = entry; /* G4 bounds it */
	}
	append(buffer, capacity, &length, nr_chain == 0 ? "IOService:/" : "IOService:");
	while (nr_chain > 0) {
		entry = chain[--nr_chain];
		append(buffer, capacity, &length, "/");
		append(buffer, capacity, &length, entry->name);
		if (entry->location[0] != '\0') {
			append(buffer, capacity, &length, "@");
			append(buffer, capacity, &length, entry->location);
		}
	}
	return length;
}

void dx_registry_check(const struct dx_registry *registry)
{
	size_t count = 0;

	for (const struct dx_entry *entry = registry->root; entry != NULL;
	     entry = dx_registry_next(entry)) {
		unsigned nr_children = 0;
		uint32_t busy_children = 0;

		count++;
		dx_list_for_each (node, &entry->children) {
			const struct dx_entry *child =
				dx_list_entry(node, struct dx_entry, sibling);

			assert(child->parent == entry && child->depth == entry->depth + 1);
			nr_children++;
			busy_children += child->busy > 0;
		}
		assert(nr_children == entry->nr_children && busy_children <= entry->busy);
		assert(!entry->ghost && entry->registry == registry);
	}
	assert(count == registry->count);
}

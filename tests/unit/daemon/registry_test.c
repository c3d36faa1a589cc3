/* SPDX-License-Identifier: MIT
 *
 * registry_test - entries, ids, tree, properties, busy counts, paths, descriptions.
 */
#include "daemon/registry.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "wire/wire.h"

struct counts {
	unsigned nr_calls;
	uint64_t last_id;
};

static void on_busy(void *context, struct dx_entry *entry)
{
	struct counts *counts = context;

	counts->nr_calls++;
	counts->last_id = entry->id;
}

static const struct dx_registry_ops ops = {.busy_changed = on_busy};

static struct dx_registry *new_registry(struct counts *counts)
{
	struct dx_registry *registry = NULL;

	CHECK_EQ(dx_registry_new(counts == NULL ? NULL : &ops, counts, &registry), 0);
	return registry;
}

static struct dx_entry *add(struct dx_entry *parent, const char *name)
{
	struct dx_entry *entry = NULL;

	CHECK_EQ(dx_registry_add(parent, 0, "IOUserService", name, NULL, &entry), 0);
	return entry;
}

TEST(registry_begins_with_root_and_resources)
{
	struct dx_registry *registry = new_registry(NULL);
	struct dx_entry *resources = dx_registry_find(registry, DX_REGISTRY_USER_RESOURCES_ID);

	CHECK_EQ(dx_registry_count(registry), 3);
	CHECK(dx_registry_find(registry, 0) == dx_registry_root(registry));
	CHECK(resources != NULL && resources->registered);
	CHECK(dx_entry_is_kind(resources, "IOService"));
	dx_registry_check(registry);
	(void)dx_registry_free(registry);
	(void)dx_registry_free(NULL);
}

TEST(registry_ids_are_never_given_twice)
{
	struct dx_registry *registry = new_registry(NULL);
	uint64_t first = dx_registry_take_ids(registry, 10);
	uint64_t second = dx_registry_take_ids(registry, 1);
	struct dx_registry *later = NULL;

	CHECK_EQ(second, first + 10);
	dx_registry_skip_ids(registry, second + 100);
	CHECK_EQ(dx_registry_take_ids(registry, 1), second + 100);
	dx_registry_skip_ids(registry, 5);
	CHECK_GT(dx_registry_take_ids(registry, 1), second);
	(void)dx_registry_free(registry);
	(void)poll(NULL, 0, 3); /* at least as long as any broker lives */
	later = new_registry(NULL);
	CHECK_GT(dx_registry_take_ids(later, 1), first + 11);
	(void)dx_registry_free(later);
}

TEST(registry_add_keeps_order_and_depth)
{
	struct dx_registry *registry = new_registry(NULL);
	struct dx_entry *root = dx_registry_root(registry);
	struct dx_entry *a = add(root, "a");
	struct dx_entry *b = add(a, "b");
	struct dx_entry *c = add(root, "c");

	CHECK(dx_registry_next(a) == b);
	CHECK(dx_registry_next(b) == c);
	CHECK(dx_registry_next(c) == NULL);
	CHECK(dx_entry_is_below(b, a) && dx_entry_is_below(b, root) && !dx_entry_is_below(a, b));
	dx_registry_check(registry);
	(void)dx_registry_free(registry);
}

TEST(registry_add_refuses_what_breaks_an_invariant)
{
	struct dx_registry *registry = new_registry(NULL);
	struct dx_entry *entry = dx_registry_root(registry);
	struct dx_entry *other = NULL;

	CHECK_EQ(dx_registry_add(entry, DX_REGISTRY_RESOURCES_ID, "IOService", "x", NULL, &other),
		 -EEXIST);
	for (unsigned depth = 1; depth < DX_REGISTRY_MAX_DEPTH; depth++) {
		entry = add(entry, "deeper");
	}
	CHECK_EQ(dx_registry_add(entry, 0, "IOService", "x", NULL, &other), -ELOOP);
	entry->inactive = true;
	CHECK_EQ(dx_registry_add(entry, 0, "IOService", "x", NULL, &other), -ENODEV);
	(void)dx_registry_free(registry);
}

TEST(registry_is_bounded)
{
	struct dx_registry *registry = new_registry(NULL);
	struct dx_entry *root = dx_registry_root(registry);
	struct dx_entry *entry = NULL;

	while (dx_registry_count(registry) < DX_MAX_REGISTRY_ENTRIES) {
		(void)add(root, "one of many");
	}
	CHECK_EQ(dx_registry_add(root, 0, "IOService", "x", NULL, &entry), -ENOSPC);
	(void)dx_registry_free(registry);
}

static struct dx_dict *nested(unsigned levels)
{
	struct dx_dict *dict = dx_dict_new();

	for (unsigned i = 1; i < levels; i++) {
		struct dx_dict *outer = dx_dict_new();

		CHECK_EQ(dx_dict_set(outer, "inner", dict), 0);
		dx_object_unref(dict);
		dict = outer;
	}
	return dict;
}

TEST(registry_properties_are_bounded_in_size_and_depth)
{
	struct dx_registry *registry = new_registry(NULL);
	struct dx_entry *root = dx_registry_root(registry);
	struct dx_data *data = dx_data_new(NULL, DX_ENTRY_MAX_BYTES);
	struct dx_array *array = dx_array_new();
	struct dx_entry *entry = NULL;
	struct dx_dict *dict = nested(DX_ENTRY_MAX_LEVELS);

	CHECK_EQ(dx_registry_add(root, 0, "IOService", "x", dict, &entry), 0);
	CHECK_EQ(dx_entry_merge_user_properties(entry, dict), -E2BIG); /* one level further down */
	dx_object_unref(dict);
	dict = nested(DX_ENTRY_MAX_LEVELS + 1);
	CHECK_EQ(dx_registry_add(root, 0, "IOService", "x", dict, &entry), -E2BIG);
	CHECK_EQ(dx_array_append(array, dict), 0);
	dx_object_unref(dict);
	dict = dx_dict_new();
	CHECK_EQ(dx_dict_set(dict, "array", array), 0);
	CHECK_EQ(dx_registry_add(root, 0, "IOService", "x", dict, &entry), -E2BIG);
	CHECK_EQ(dx_dict_set(dict, "array", data), 0);
	CHECK_EQ(dx_registry_add(root, 0, "IOService", "x", dict, &entry), -E2BIG);
	dx_object_unref(array);
	dx_object_unref(data);
	dx_object_unref(dict);
	(void)dx_registry_free(registry);
}

TEST(entry_user_properties_win_and_can_be_removed)
{
	struct dx_registry *registry = new_registry(NULL);
	struct dx_dict *dict = dx_dict_new();
	struct dx_entry *entry = NULL;

	CHECK_EQ(dx_dict_set_u64(dict, "a", 1, 32), 0);
	CHECK_EQ(dx_registry_add(dx_registry_root(registry), 0, "IOService", "x", dict, &entry), 0);
	CHECK_EQ(dx_dict_set_u64(dict, "a", 2, 32), 0);
	CHECK_EQ(dx_dict_set_u64(dict, "b", 3, 32), 0);
	CHECK_EQ(dx_entry_merge_user_properties(entry, dict), 0);
	CHECK_EQ(dx_number_u64(dx_entry_property(entry, "a")), 2);
	CHECK_EQ(dx_number_u64(dx_entry_property(entry, "b")), 3);
	dx_entry_remove_user_property(entry, "a");
	CHECK_EQ(dx_number_u64(dx_entry_property(entry, "a")), 1);
	dx_entry_remove_user_property(entry, "never there");
	CHECK(dx_entry_property(entry, "c") == NULL);
	dx_object_unref(dict);
	(void)dx_registry_free(registry);
}

TEST(entry_busy_propagates_as_one)
{
	struct counts counts = {0};
	struct dx_registry *registry = new_registry(&counts);
	struct dx_entry *root = dx_registry_root(registry);
	struct dx_entry *a = add(root, "a");
	struct dx_entry *b = add(a, "b");
	struct dx_entry *c = add(a, "c");

	dx_entry_adjust_busy(b, 3);
	dx_entry_adjust_busy(c, 1);
	CHECK_EQ(b->busy, 3);
	CHECK_EQ(a->busy, 2);
	CHECK_EQ(root->busy, 1);
	dx_registry_check(registry);
	dx_entry_adjust_busy(b, -100);
	CHECK_EQ(b->busy, 0);
	CHECK_EQ(a->busy, 1);
	dx_registry_remove(c); /* takes its count along */
	CHECK_EQ(root->busy, 0);
	CHECK_EQ(counts.last_id, root->id);
	CHECK_EQ(counts.nr_calls, 3 + 1 + 1 + 3);
	dx_registry_check(registry);
	(void)dx_registry_free(registry);
}

TEST(entry_removed_after_registration_stays_readable_for_a_while)
{
	struct dx_registry *registry = new_registry(NULL);
	struct dx_entry *root = dx_registry_root(registry);
	struct dx_entry *entry = add(root, "gone");
	uint64_t first = entry->id;
	uint64_t second = 0;

	entry->registered = true;
	dx_registry_remove(entry);
	entry = dx_registry_find(registry, first);
	CHECK(entry != NULL && entry->ghost && entry->inactive);
	CHECK_STR_EQ(entry->name, "gone");
	entry = add(root, "never registered");
	second = entry->id;
	dx_registry_remove(entry);
	CHECK(dx_registry_find(registry, second) == NULL);
	for (unsigned i = 0; i < DX_REGISTRY_MAX_GHOSTS; i++) {
		entry = add(root, "another");
		entry->registered = true;
		dx_registry_remove(entry);
	}
	CHECK(dx_registry_find(registry, first) == NULL);
	CHECK_EQ(dx_registry_count(registry), 3);
	(void)dx_registry_free(registry);
}

TEST(entry_name_is_cut_between_characters)
{
	struct dx_registry *registry = new_registry(NULL);
	struct dx_entry *entry = add(dx_registry_root(registry), "x");
	char name[DX_MAX_NAME + 10];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	dx_entry_set_name(entry, name);
	CHECK_EQ(strlen(entry->name), DX_MAX_NAME - 1);
	memcpy(&name[DX_MAX_NAME - 2], "\xe2\x82\xac", 3);
	dx_entry_set_name(entry, name);
	CHECK_EQ(strlen(entry->name), DX_MAX_NAME - 2);
	CHECK(dx_wire_text_is_valid(entry->name, strlen(entry->name)));
	(void)dx_registry_free(registry);
}

TEST(entry_path_names_all_above_and_says_when_it_is_cut)
{
	struct dx_registry *registry = new_registry(NULL);
	struct dx_entry *root = dx_registry_root(registry);
	struct dx_entry *entry = add(root, "a");
	char path[64];

	CHECK_EQ(dx_entry_path(root, path, sizeof(path)), 11);
	CHECK_STR_EQ(path, "IOService:/");
	(void)snprintf(entry->location, sizeof(entry->location), "14100000");
	entry = add(entry, "b");
	CHECK_EQ(dx_entry_path(entry, path, sizeof(path)), strlen("IOService:/a@14100000/b"));
	CHECK_STR_EQ(path, "IOService:/a@14100000/b");
	CHECK_EQ(dx_entry_path(entry, path, 5), strlen("IOService:/a@14100000/b"));
	CHECK_STR_EQ(path, "IOSe");
	(void)dx_registry_free(registry);
}

TEST(kernel_classes_form_a_tree_and_old_usb_names_count)
{
	CHECK(dx_kernel_class_conforms("IOUSBHostDevice", "IOUSBDevice"));
	CHECK(dx_kernel_class_conforms("IOUSBHostInterface", "IOUSBInterface"));
	CHECK(dx_kernel_class_conforms("IOUserUserClient", "IOUserClient"));
	CHECK(dx_kernel_class_conforms("MyKernelClass", "IOUserService"));
	CHECK(!dx_kernel_class_conforms("IOUserResources", "IOResources"));
	CHECK(!dx_kernel_class_conforms("IOUserService", "IOUserClient"));
	CHECK(dx_kernel_class_super("OSObject") == NULL);
}

TEST(entry_description_has_every_key)
{
	struct dx_registry *registry = new_registry(NULL);
	struct dx_entry *entry = add(dx_registry_root(registry), "x");
	struct dx_dict *dict = NULL;

	(void)snprintf(entry->location, sizeof(entry->location), "7");
	dict = dx_entry_describe(entry, true);
	CHECK_EQ(dx_dict_get_u64(dict, DX_ENTRY_ID_KEY, 0), entry->id);
	CHECK_STR_EQ(dx_dict_get_string(dict, DX_ENTRY_NAME_KEY, ""), "x");
	CHECK_STR_EQ(dx_dict_get_string(dict, DX_ENTRY_LOCATION_KEY, ""), "7");
	CHECK_STR_EQ(dx_dict_get_string(dict, DX_ENTRY_PATH_KEY, ""), "IOService:/x@7");
	CHECK(!dx_dict_get_bool(dict, DX_ENTRY_REGISTERED_KEY, true));
	CHECK(!dx_dict_get_bool(dict, DX_ENTRY_INACTIVE_KEY, true));
	CHECK_EQ(dx_dict_get_u64(dict, DX_ENTRY_BUSY_KEY, 9), 0);
	CHECK_EQ(dx_dict_get_u64(dict, DX_ENTRY_RETAIN_KEY, 9), 1);
	CHECK_EQ(dx_dict_get_u64(dict, DX_ENTRY_PARENT_KEY, 0), DX_REGISTRY_ROOT_ID);
	CHECK(dx_dict_get_dict(dict, DX_ENTRY_PROPERTIES_KEY) != NULL);
	CHECK_EQ(dx_array_count(dx_dict_get_array(dict, DX_ENTRY_CLASSES_KEY)), 4);
	dx_object_unref(dict);
	dict = dx_entry_describe_tree(dx_registry_root(registry), false);
	CHECK_EQ(dx_array_count(dx_dict_get_array(dict, DX_ENTRY_CHILDREN_KEY)), 3);
	CHECK(dx_dict_get(dict, DX_ENTRY_PROPERTIES_KEY) == NULL);
	CHECK(dx_dict_get(dict, DX_ENTRY_PARENT_KEY) == NULL);
	dx_object_unref(dict);
	(void)dx_registry_free(registry);
}

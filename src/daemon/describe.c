/* SPDX-License-Identifier: MIT
 *
 * describe - registry entries as property lists, for DX_WIRE_A_ENTRY and DX_WIRE_A_TREE.
 *
 * Place:   daemon, over registry. Keys: DX_ENTRY_* of wire/wire.h.
 */
#include <errno.h>
#include <sys/types.h>

#include "daemon/drivers.h"
#include "daemon/hosts.h"
#include "daemon/registry.h"
#include "wire/wire.h"

/* Takes over the reference to member, also when it fails. */
static int append_owned(struct dx_array *array, void *member)
{
	int r = member == NULL ? -ENOMEM : dx_array_append(array, member);

	dx_object_unref(member);
	return r;
}

static int set_owned(struct dx_dict *dict, const char *key, void *member)
{
	int r = member == NULL ? -ENOMEM : dx_dict_set(dict, key, member);

	dx_object_unref(member);
	return r;
}

static struct dx_array *describe_classes(const struct dx_entry *entry)
{
	struct dx_array *array = dx_array_new();
	int r = array == NULL ? -ENOMEM : 0;

	for (const char *name = entry->class_name; r == 0 && name != NULL;
	     name = dx_kernel_class_super(name)) {
		r = append_owned(array, dx_string_new(name));
	}
	return r < 0 ? dx_object_unref(array) : array;
}

static struct dx_array *describe_children(const struct dx_entry *entry, bool nested,
					  bool with_properties)
{
	struct dx_array *array = dx_array_new();
	int r = array == NULL ? -ENOMEM : 0;

	for (struct dx_list *node = entry->children.next; r == 0 && node != &entry->children;
	     node = node->next) {
		const struct dx_entry *child = dx_list_entry(node, struct dx_entry, sibling);

		r = append_owned(array,
				 nested ? (void *)dx_entry_describe_tree(child, with_properties)
					: (void *)dx_number_new(child->id, 64));
	}
	return r < 0 ? dx_object_unref(array) : array;
}

/* Nothing for an entry without failures. */
static int describe_failures(const struct dx_entry *entry, struct dx_dict *dict)
{
	struct dx_array *array = NULL;
	int r = 0;

	dx_list_for_each (node, &entry->slots) {
		const char *failure = dx_slot_failure(dx_list_entry(node, struct dx_slot, node));

		if (r < 0 || failure == NULL) {
			continue;
		}
		if (array == NULL) {
			array = dx_array_new();
		}
		r = array == NULL ? -ENOMEM : append_owned(array, dx_string_new(failure));
	}
	if (r == 0 && array != NULL) {
		r = dx_dict_set(dict, DX_ENTRY_FAILURES_KEY, array);
	}
	dx_object_unref(array);
	return r;
}

static int describe_states(const struct dx_entry *entry, struct dx_dict *dict)
{
	int r = dx_dict_set_bool(dict, DX_ENTRY_REGISTERED_KEY, entry->registered);

	if (r == 0) {
		r = dx_dict_set_bool(dict, DX_ENTRY_INACTIVE_KEY, entry->inactive);
	}
	if (r == 0) {
		r = dx_dict_set_u64(dict, DX_ENTRY_BUSY_KEY, entry->busy, 32);
	}
	if (r == 0) {
		r = dx_dict_set_u64(dict, DX_ENTRY_RETAIN_KEY, 1u + entry->nr_children, 32);
	}
	if (r == 0 && entry->host != NULL) {
		r = dx_dict_set_u64(dict, DX_ENTRY_PID_KEY, (uint64_t)dx_host_pid(entry->host), 32);
	}
	if (r == 0) {
		r = describe_failures(entry, dict);
	}
	return r;
}

static int describe_identity(const struct dx_entry *entry, struct dx_dict *dict)
{
	char path[DX_MAX_PATH];
	int r = dx_dict_set_u64(dict, DX_ENTRY_ID_KEY, entry->id, 64);

	if (r == 0) {
		r = dx_dict_set_string(dict, DX_ENTRY_NAME_KEY, entry->name);
	}
	if (r == 0) {
		r = set_owned(dict, DX_ENTRY_CLASSES_KEY, describe_classes(entry));
	}
	if (r == 0 && entry->location[0] != '\0') {
		r = dx_dict_set_string(dict, DX_ENTRY_LOCATION_KEY, entry->location);
	}
	/* A path that does not fit an io_string_t could not be used by a program, so it has none.
	 */
	if (r == 0 && !entry->ghost && dx_entry_path(entry, path, sizeof(path)) < sizeof(path)) {
		r = dx_dict_set_string(dict, DX_ENTRY_PATH_KEY, path);
	}
	if (r == 0 && entry->parent_id != 0) {
		r = dx_dict_set_u64(dict, DX_ENTRY_PARENT_KEY, entry->parent_id, 64);
	}
	return r;
}

static struct dx_dict *describe(const struct dx_entry *entry, bool nested, bool with_properties)
{
	struct dx_dict *dict = dx_dict_new();
	int r = dict == NULL ? -ENOMEM : describe_identity(entry, dict);

	if (r == 0) {
		r = describe_states(entry, dict);
	}
	if (r == 0 && with_properties) {
		r = dx_dict_set(dict, DX_ENTRY_PROPERTIES_KEY, entry->properties);
	}
	if (r == 0) {
		r = set_owned(dict, DX_ENTRY_CHILDREN_KEY,
			      describe_children(entry, nested, with_properties));
	}
	return r < 0 ? dx_object_unref(dict) : dict;
}

struct dx_dict *dx_entry_describe(const struct dx_entry *entry, bool with_properties)
{
	return describe(entry, false, with_properties);
}

struct dx_dict *dx_entry_describe_tree(const struct dx_entry *entry, bool with_properties)
{
	return describe(entry, true, with_properties);
}

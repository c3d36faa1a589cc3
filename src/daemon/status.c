/* SPDX-License-Identifier: MIT
 *
 * status - lists of everything; see status.h.
 *
 * Place:   daemon.
 */
#include "daemon/status.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/plist.h"
#include "daemon/bundle.h"
#include "daemon/clients.h"
#include "daemon/device.h"
#include "daemon/drivers.h"
#include "daemon/hosts.h"

/* Fills a dictionary from the object that holds node. */
typedef int (*describe_fn)(const struct dx_list *node, struct dx_dict *dict);

static int set_owned(struct dx_dict *dict, const char *key, void *member)
{
	int r = member == NULL ? -ENOMEM : dx_dict_set(dict, key, member);

	dx_object_unref(member);
	return r;
}

static int append_described(struct dx_array *array, const struct dx_list *node,
			    describe_fn describe)
{
	struct dx_dict *dict = dx_dict_new();
	int r = dict == NULL ? -ENOMEM : describe(node, dict);

	if (r == 0) {
		r = dx_array_append(array, dict);
	}
	dx_object_unref(dict);
	return r;
}

static int set_list(struct dx_dict *dict, const char *key, const struct dx_list *list,
		    describe_fn describe)
{
	struct dx_array *array = dx_array_new();
	int r = array == NULL ? -ENOMEM : 0;

	for (const struct dx_list *node = list->next; r == 0 && node != list; node = node->next) {
		r = append_described(array, node, describe);
	}
	if (r == 0) {
		r = dx_dict_set(dict, key, array);
	}
	dx_object_unref(array);
	return r;
}

static int describe_bundle(const struct dx_list *node, struct dx_dict *dict)
{
	const struct dx_bundle *bundle = dx_list_entry(node, const struct dx_bundle, node);
	int r = dx_dict_set_string(dict, "identifier", bundle->identifier);

	if (r == 0) {
		r = dx_dict_set_string(dict, "path", bundle->path);
	}
	if (r == 0) {
		r = dx_dict_set_u64(dict, "drivers", bundle->nr_drivers, 32);
	}
	return r < 0 ? r : dx_dict_set_bool(dict, "unloading", bundle->unloading);
}

static int append_id(struct dx_array *array, uint64_t id)
{
	struct dx_number *number = dx_number_new(id, 64);
	int r = number == NULL ? -ENOMEM : dx_array_append(array, number);

	dx_object_unref(number);
	return r;
}

static struct dx_array *service_ids(const struct dx_host *host)
{
	struct dx_array *array = dx_array_new();
	int r = array == NULL ? -ENOMEM : 0;

	for (const struct dx_list *node = host->drivers.next; r == 0 && node != &host->drivers;
	     node = node->next) {
		r = append_id(array,
			      dx_list_entry(node, const struct dx_driver, host_node)->entry->id);
	}
	return r < 0 ? dx_object_unref(array) : array;
}

static int describe_host(const struct dx_list *node, struct dx_dict *dict)
{
	const struct dx_host *host = dx_list_entry(node, const struct dx_host, node);
	int r = dx_dict_set_u64(dict, "pid", (uint64_t)host->launched.pid, 32);

	if (r == 0) {
		r = dx_dict_set_string(dict, "identifier", host->identifier);
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, "server", host->server);
	}
	return r < 0 ? r : set_owned(dict, "services", service_ids(host));
}

static int describe_device(const struct dx_list *node, struct dx_dict *dict)
{
	const struct dx_device *device = dx_list_entry(node, const struct dx_device, node);
	int r = dx_dict_set_u64(dict, "id", device->id, 64);

	if (r == 0) {
		r = dx_dict_set_string(dict, "spec", device->spec);
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, "name",
				       device->entry != NULL ? device->entry->name : "-");
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, "state", dx_device_state_name(device));
	}
	return r < 0 ? r
		     : dx_dict_set_string(dict, "problem",
					  device->failure != NULL ? device->failure : "-");
}

static int describe_client(const struct dx_list *node, struct dx_dict *dict)
{
	static const char *const roles[] = {"none", "application", "host", "tool"};
	const struct dx_client *client = dx_list_entry(node, const struct dx_client, node);
	int r = dx_dict_set_u64(dict, "pid", (uint64_t)client->pid, 32);

	if (r == 0) {
		r = dx_dict_set_u64(dict, "uid", client->uid, 32);
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, "name", client->name);
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, "role", roles[client->role]);
	}
	return r < 0 ? r : dx_dict_set_u64(dict, "watches", client->nr_watches, 32);
}

static struct dx_dict *describe_broker(const struct dx_broker *broker)
{
	struct dx_dict *dict = dx_dict_new();
	int r = dict == NULL ? -ENOMEM : dx_dict_set_u64(dict, "pid", (uint64_t)getpid(), 32);

	if (r == 0) {
		r = dx_dict_set_string(dict, "socket", broker->options->socket_path);
	}
	if (r == 0) {
		r = dx_dict_set_bool(dict, "private", broker->options->is_private);
	}
	return r < 0 ? dx_object_unref(dict) : dict;
}

struct dx_dict *dx_status(const struct dx_broker *broker)
{
	struct dx_dict *dict = dx_dict_new();
	int r = dict == NULL ? -ENOMEM : set_owned(dict, "broker", describe_broker(broker));

	if (r == 0) {
		r = set_list(dict, "bundles", &broker->bundles, describe_bundle);
	}
	if (r == 0) {
		r = set_list(dict, "hosts", &broker->hosts, describe_host);
	}
	if (r == 0) {
		r = set_list(dict, "devices", &broker->devices, describe_device);
	}
	if (r == 0) {
		r = set_list(dict, "clients", &broker->clients, describe_client);
	}
	return r < 0 ? dx_object_unref(dict) : dict;
}

struct dx_dict *dx_status_tree(struct dx_broker *broker)
{
	const struct dx_entry *root = dx_registry_root(broker->registry);
	struct dx_dict *tree = dx_entry_describe_tree(root, true);
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;

	if (tree == NULL ||
	    (dx_plist_encode(tree, &bytes, &length) == 0 && length <= DX_MAX_PLIST_BYTES)) {
		return tree;
	}
	dx_object_unref(tree);
	return dx_entry_describe_tree(root, false);
}

/* SPDX-License-Identifier: MIT
 *
 * records - files about hosts, written and read; see records.h. Taking over is in adopt.c.
 *
 * Place:      daemon.
 * Layout:     dictionary: pid, start_time, identifier, bundle, server, one_process, first_id,
 *             nr_ids, services: array of { id, provider, personality, and for USB: device, spec, port,
 *             location, configuration, and whether this service chose it: configures }.
 */
#include "daemon/records.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/plist.h"
#include "daemon/bundle.h"
#include "daemon/configure.h"
#include "daemon/device.h"
#include "daemon/drivers.h"
#include "daemon/hosts.h"

static char *record_path(const struct dx_broker *broker, pid_t pid, const char *suffix)
{
	char *path = NULL;

	return asprintf(&path, "%s/%d%s", broker->records_path, (int)pid, suffix) < 0 ? NULL : path;
}

static int describe_service(const struct dx_driver *driver, struct dx_dict *dict)
{
	const struct dx_entry *provider = driver->entry->parent;
	int r = dx_dict_set_u64(dict, "id", driver->entry->id, 64);

	if (r == 0) {
		r = dx_dict_set_u64(dict, "provider", provider->id, 64);
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, "personality", driver->personality->name);
	}
	if (r == 0 && provider->device != NULL) {
		r = dx_dict_set_u64(dict, "device", provider->device->entry->id, 64);
	}
	if (r == 0 && provider->device != NULL) {
		r = dx_dict_set_string(dict, "spec", provider->device->spec);
	}
	if (r == 0 && provider->device != NULL && provider->device->port != NULL) {
		r = dx_dict_set_string(dict, "port", provider->device->port);
	}
	if (r == 0 && provider->device != NULL) {
		r = dx_dict_set_string(dict, "location", provider->location);
	}
	if (r == 0 && provider->device != NULL) {
		r = dx_dict_set_u64(dict, "configuration", provider->device->configuration, 8);
	}
	if (r == 0 && provider->device != NULL) {
		r = dx_dict_set_bool(dict, "configures",
				     provider->device->configured_by == driver->entry->id);
	}
	return r;
}

static int append_service(struct dx_array *array, const struct dx_driver *driver)
{
	struct dx_dict *dict = dx_dict_new();
	int r = dict == NULL ? -ENOMEM : describe_service(driver, dict);

	if (r == 0) {
		r = dx_array_append(array, dict);
	}
	dx_object_unref(dict);
	return r;
}

static int describe_services(const struct dx_host *host, struct dx_dict *dict)
{
	struct dx_array *array = dx_array_new();
	int r = array == NULL ? -ENOMEM : 0;

	for (const struct dx_list *node = host->drivers.next; r == 0 && node != &host->drivers;
	     node = node->next) {
		r = append_service(array, dx_list_entry(node, const struct dx_driver, host_node));
	}
	if (r == 0) {
		r = dx_dict_set(dict, "services", array);
	}
	dx_object_unref(array);
	return r;
}

static int describe_host(const struct dx_host *host, struct dx_dict *dict)
{
	int r = dx_dict_set_u64(dict, "pid", (uint64_t)host->launched.pid, 32);

	if (r == 0) {
		r = dx_dict_set_u64(dict, "start_time", dx_process_start_time(host->launched.pid),
				    64);
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, "identifier", host->identifier);
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, "bundle", host->bundle->path);
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, "server", host->server);
	}
	if (r == 0) {
		r = dx_dict_set_bool(dict, "one_process", host->one_process);
	}
	if (r == 0) {
		r = dx_dict_set_u64(dict, "first_id", host->first_id, 64);
	}
	if (r == 0) {
		r = dx_dict_set_u64(dict, "nr_ids", host->nr_ids, 64);
	}
	return r < 0 ? r : describe_services(host, dict);
}

/* Beside, then over the old one, so that a reader never sees half of it. */
static int write_file(const struct dx_broker *broker, pid_t pid, const void *text, size_t length)
{
	DX_CLEANUP_FREE char *path = record_path(broker, pid, "");
	DX_CLEANUP_FREE char *temporary = record_path(broker, pid, ".new");
	DX_CLEANUP_FD int fd = -1;
	int r = 0;

	if (path == NULL || temporary == NULL) {
		return -ENOMEM;
	}
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return -errno;
	}
	r = dx_file_write_fd(fd, text, length);
	if (r == 0 && rename(temporary, path) < 0) {
		r = -errno;
	}
	if (r < 0) {
		(void)unlink(temporary);
	}
	return r;
}

static int record_write(struct dx_host *host)
{
	struct dx_dict *dict = dx_dict_new();
	DX_CLEANUP_FREE char *text = NULL;
	size_t length = 0;
	int r = dict == NULL ? -ENOMEM : describe_host(host, dict);

	if (r == 0) {
		r = dx_plist_encode_xml(dict, &text, &length);
	}
	dx_object_unref(dict);
	if (r < 0) {
		return r;
	}
	if (mkdir(host->broker->records_path, 0700) < 0 && errno != EEXIST) {
		return -errno;
	}
	return write_file(host->broker, host->launched.pid, text, length);
}

void dx_record_write(struct dx_host *host)
{
	int r = host->broker->records_path == NULL ? 0 : record_write(host);

	if (r < 0) {
		dx_log_warning("%s: cannot remember host %d: %s: it would not outlive this broker",
			       host->broker->records_path, (int)host->launched.pid, strerror(-r));
	}
}

void dx_record_remove(struct dx_broker *broker, pid_t pid)
{
	DX_CLEANUP_FREE char *path =
		broker->records_path == NULL ? NULL : record_path(broker, pid, "");

	if (path != NULL) {
		(void)unlink(path); /* or it was never written */
	}
}

static void record_free(struct dx_record *record)
{
	record->watch = dx_loop_source_remove(record->watch);
	dx_list_remove(&record->node);
	dx_fd_close(&record->pidfd);
	dx_object_unref(record->dict);
	free(record);
}

static void on_expected_died(void *context, int fd, uint32_t events)
{
	struct dx_record *record = context;
	struct dx_broker *broker = record->broker;

	(void)fd;
	(void)events;
	dx_record_remove(broker, record->pid);
	record_free(record);
	dx_broker_kick(broker);
}

/* Takes over dict and *pidfd. */
static int record_add(struct dx_broker *broker, struct dx_dict *dict, pid_t pid, int *pidfd)
{
	struct dx_record *record = calloc(1, sizeof(*record));
	int r = -ENOMEM;

	if (record != NULL) {
		dx_list_init(&record->node);
		record->broker = broker;
		record->pid = pid;
		record->pidfd = -1;
		r = dx_loop_add_fd(broker->loop, *pidfd, EPOLLIN, on_expected_died, record,
				   &record->watch);
	}
	if (r < 0) {
		free(record);
		return r;
	}
	record->pidfd = dx_take_fd(pidfd);
	record->dict = dx_object_ref(dict);
	dx_registry_skip_ids(broker->registry, dx_dict_get_u64(dict, "first_id", 0) +
						       dx_dict_get_u64(dict, "nr_ids", 0));
	dx_list_push_back(&broker->expected, &record->node);
	return 0;
}

/* A value in the file, or -EPROTO. */
static int read_dict(const char *path, struct dx_dict **ret_dict)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	void *value = NULL;
	int r = dx_file_read(path, DX_MAX_PLIST_BYTES, &bytes, &length);

	if (r == 0) {
		r = dx_plist_decode(bytes, length, &value, NULL);
	}
	if (r == 0 && !dx_object_is_kind(value, &dx_dict_class)) {
		dx_object_unref(value);
		r = -EPROTO;
	}
	if (r == 0) {
		*ret_dict = value;
	}
	return r;
}

static int read_one(struct dx_broker *broker, const char *name)
{
	pid_t pid = (pid_t)strtol(name, NULL, 10);
	DX_CLEANUP_FREE char *path = record_path(broker, pid, "");
	DX_CLEANUP_FD int pidfd = -1;
	struct dx_dict *dict = NULL;
	int r = path == NULL ? -ENOMEM : read_dict(path, &dict);

	if (r == 0 && dx_dict_get_u64(dict, "pid", 0) != (uint64_t)pid) {
		r = -EPROTO;
	}
	if (r == 0) {
		r = dx_process_open(pid, dx_dict_get_u64(dict, "start_time", 0), &pidfd); /* Q1 */
	}
	if (r == 0) {
		r = record_add(broker, dict, pid, &pidfd);
	}
	dx_object_unref(dict);
	if (r == -ESRCH || r == -EPROTO) {
		(void)unlink(path);
		return 0;
	}
	return r;
}

int dx_records_read(struct dx_broker *broker)
{
	struct dirent **entries = NULL;
	int nr_entries = 0;
	int result = 0;

	if (broker->records_path == NULL) {
		return 0;
	}
	nr_entries = scandir(broker->records_path, &entries, NULL, NULL);
	if (nr_entries < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	for (int i = 0; i < nr_entries; i++) {
		const char *name = entries[i]->d_name;
		int r = 0;

		if (name[0] != '\0' && name[strspn(name, "0123456789")] == '\0') {
			r = read_one(broker, name);
		}
		result = result == 0 ? r : result;
		free(entries[i]);
	}
	free(entries);
	return result;
}

struct dx_record *dx_record_find(struct dx_broker *broker, pid_t pid)
{
	dx_list_for_each (node, &broker->expected) {
		struct dx_record *record = dx_list_entry(node, struct dx_record, node);

		if (record->pid == pid) {
			return record;
		}
	}
	return NULL;
}

/* The i-th service of a record, or NULL behind the last. */
static const struct dx_dict *service_at(const struct dx_record *record, size_t i)
{
	const struct dx_array *services = dx_dict_get_array(record->dict, "services");
	const void *service = services == NULL ? NULL : dx_array_get(services, i);

	return dx_object_is_kind(service, &dx_dict_class) ? service : NULL;
}

uint64_t dx_records_device_id(struct dx_broker *broker, const char *spec)
{
	dx_list_for_each (node, &broker->expected) {
		const struct dx_record *record = dx_list_entry(node, struct dx_record, node);
		const struct dx_dict *service = NULL;

		for (size_t i = 0; (service = service_at(record, i)) != NULL; i++) {
			uint64_t id = dx_dict_get_u64(service, "device", 0);

			if (id != 0 && strcmp(dx_dict_get_string(service, "spec", ""), spec) == 0 &&
			    dx_registry_find(broker->registry, id) == NULL &&
			    dx_device_find(broker, id) == NULL) {
				return id;
			}
		}
	}
	return 0;
}

const char *dx_records_device_port(const struct dx_broker *broker, uint64_t device_id)
{
	dx_list_for_each (node, &broker->expected) {
		const struct dx_record *record = dx_list_entry(node, struct dx_record, node);
		const struct dx_dict *service = NULL;

		for (size_t i = 0; (service = service_at(record, i)) != NULL; i++) {
			if (dx_dict_get_u64(service, "device", 0) == device_id) {
				return dx_dict_get_string(service, "port", NULL);
			}
		}
	}
	return NULL;
}

uint64_t dx_records_interface_id(struct dx_broker *broker, uint64_t device_id, const char *location)
{
	dx_list_for_each (node, &broker->expected) {
		const struct dx_record *record = dx_list_entry(node, struct dx_record, node);
		const struct dx_dict *service = NULL;

		for (size_t i = 0; (service = service_at(record, i)) != NULL; i++) {
			uint64_t id = dx_dict_get_u64(service, "provider", 0);

			if (id != device_id && dx_dict_get_u64(service, "device", 0) == device_id &&
			    strcmp(dx_dict_get_string(service, "location", ""), location) == 0 &&
			    dx_registry_find(broker->registry, id) == NULL) {
				return id;
			}
		}
	}
	return 0;
}

static void restore_bundle(struct dx_broker *broker, const struct dx_record *record)
{
	const char *identifier = dx_dict_get_string(record->dict, "identifier", "");
	const char *path = dx_dict_get_string(record->dict, "bundle", "");
	char message[DX_BUNDLE_MESSAGE_BYTES];

	if (dx_broker_find_bundle(broker, identifier) == NULL &&
	    dx_broker_load(broker, path, message, sizeof(message)) < 0) {
		dx_log_error("%s", message);
	}
}

static void restore_devices(struct dx_broker *broker, const struct dx_record *record)
{
	const struct dx_dict *service = NULL;
	char message[512];

	for (size_t i = 0; (service = service_at(record, i)) != NULL; i++) {
		const struct dx_device_wish wish = {
			.spec = dx_dict_get_string(service, "spec", NULL),
			.origin = DX_DEVICE_RECORDED,
		};
		uint64_t id = dx_dict_get_u64(service, "device", 0);

		if (wish.spec != NULL && id != 0 &&
		    dx_registry_find(broker->registry, id) == NULL &&
		    dx_device_find(broker, id) == NULL &&
		    dx_device_attach(broker, &wish, message, sizeof(message)) < 0) {
			dx_log_error("%s", message);
		}
	}
}

/* Hosts on their way need the interfaces that their services are on, under their old ids. */
void dx_records_restore_interfaces(struct dx_device *device)
{
	dx_list_for_each (node, &device->broker->expected) {
		const struct dx_record *record = dx_list_entry(node, struct dx_record, node);
		const struct dx_dict *service = NULL;

		for (size_t i = 0; (service = service_at(record, i)) != NULL; i++) {
			uint64_t value = dx_dict_get_u64(service, "configuration", 0);

			if (dx_dict_get_u64(service, "device", 0) != device->id || value == 0 ||
			    value > UINT8_MAX) {
				continue;
			}
			if (device->configuration == 0) {
				dx_device_configure(device, (unsigned)value, true);
			}
			if (dx_dict_get_bool(service, "configures", false)) {
				device->configured_by = dx_dict_get_u64(service, "id", 0);
			}
		}
	}
}

void dx_records_restore(struct dx_broker *broker)
{
	dx_list_for_each (node, &broker->expected) {
		const struct dx_record *record = dx_list_entry(node, struct dx_record, node);

		restore_bundle(broker, record);
		restore_devices(broker, record);
	}
}

void dx_records_give_up(struct dx_broker *broker)
{
	dx_list_for_each_safe (node, &broker->expected) {
		struct dx_record *record = dx_list_entry(node, struct dx_record, node);
		const struct dx_launched launched = {.pid = record->pid, .watch_fd = record->pidfd};

		dx_log_warning("host %d of %s did not come back: it is killed", (int)record->pid,
			       dx_dict_get_string(record->dict, "identifier", "?"));
		dx_launcher_process.kill(NULL, &launched, SIGKILL);
		dx_record_remove(broker, record->pid);
		record_free(record);
	}
	dx_adopt_give_up(broker);
}

void dx_records_free(struct dx_broker *broker)
{
	dx_list_for_each_safe (node, &broker->expected) {
		record_free(dx_list_entry(node, struct dx_record, node));
	}
}

void dx_record_taken(struct dx_record *record)
{
	record->watch = dx_loop_source_remove(record->watch);
	record_free(record);
}

/* SPDX-License-Identifier: MIT
 *
 * broker - dx_daemon_run(): set up, run, stop; see daemon.h and broker.h.
 *
 * Place:   daemon.
 */
#include "daemon/broker.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/jobs.h"
#include "base/log.h"
#include "capture/capture.h"
#include "base/pathutil.h"
#include "daemon/bundle.h"
#include "daemon/clients.h"
#include "daemon/configure.h"
#include "daemon/device.h"
#include "daemon/drivers.h"
#include "daemon/host_watches.h"
#include "daemon/explain.h"
#include "daemon/hosts.h"
#include "daemon/hotplug.h"
#include "daemon/records.h"
#include "daemon/terminate.h"
#include "daemon/watches.h"

#define NS_PER_MS     1000000ull
#define ADOPT_WAIT_MS        5000u
#define STOP_WAIT_MS         5000u
#define RESTART_DELAY_MS     100u
#define RESTART_DELAY_MAX_MS 10000u
#define JOBS_WAIT_MS         1000u /* for devices that are being asked when the broker ends */

static void phase_timer_set(struct dx_broker *broker, unsigned wanted_ms, unsigned default_ms)
{
	unsigned ms = wanted_ms != 0 ? wanted_ms : default_ms;

	dx_loop_set_timer(broker->phase_timer, dx_clock_now_ns() + ms * NS_PER_MS);
}

void dx_broker_kick(struct dx_broker *broker)
{
	dx_loop_set_timer(broker->kick, dx_clock_now_ns());
}

void dx_broker_match_later(struct dx_broker *broker, struct dx_entry *provider)
{
	if (!provider->registered || provider->inactive || provider->match_due ||
	    broker->phase >= DX_PHASE_STOPPING) {
		return;
	}
	provider->match_due = true;
	dx_entry_adjust_busy(provider, 1);
	dx_broker_kick(broker);
}

static void match_due_entries(struct dx_broker *broker)
{
	struct dx_entry *entry = dx_registry_root(broker->registry);

	/* Matching an entry may change what is below it, never the entry itself or what is above.
	 */
	for (; entry != NULL; entry = dx_registry_next(entry)) {
		if (entry->match_due) {
			entry->match_due = false;
			dx_drivers_match(broker, entry);
			dx_entry_adjust_busy(entry, -1);
		}
	}
}

static void sweep_bundles(struct dx_broker *broker)
{
	dx_list_for_each_safe (node, &broker->bundles) {
		struct dx_bundle *bundle = dx_list_entry(node, struct dx_bundle, node);

		if (bundle->unloading && bundle->nr_drivers == 0) {
			dx_list_remove(&bundle->node);
			dx_waits_bundle_gone(broker, bundle);
			(void)dx_bundle_free(bundle);
		}
	}
}

static void tell_ready(struct dx_broker *broker, const char *line)
{
	if (!broker->ready_told && broker->options->ready_fd >= 0) {
		/* A reader that has gone is noticed elsewhere. */
		(void)!write(broker->options->ready_fd, line, strlen(line));
	}
	broker->ready_told = true;
}

/* What is wrong with what was given at the start ends the broker, instead of being one line. */
static bool is_strict(const struct dx_broker *broker)
{
	return broker->options->ready_fd >= 0 || broker->options->is_private;
}

/* A device that was given is still being read, and drivers wait with that whether there is one. */
static bool given_are_awaited(const struct dx_broker *broker)
{
	dx_list_for_each (node, &broker->devices) {
		const struct dx_device *device = dx_list_entry(node, struct dx_device, node);

		if (device->origin == DX_DEVICE_GIVEN && device->keeps_busy) {
			return is_strict(broker);
		}
	}
	return false;
}

/* A host has come back before the device that its services are on has been read: it is not given up. */
static bool hosts_await_devices(const struct dx_broker *broker)
{
	bool is_reading = false;
	bool is_waiting = false;

	dx_list_for_each (node, &broker->devices) {
		is_reading |= dx_list_entry(node, struct dx_device, node)->keeps_busy;
	}
	dx_list_for_each (node, &broker->hosts) {
		is_waiting |= dx_list_entry(node, struct dx_host, node)->adopting != NULL;
	}
	return is_reading && is_waiting;
}

static void adopting_over(struct dx_broker *broker)
{
	dx_loop_set_timer(broker->phase_timer, 0);
	dx_records_give_up(broker);
	broker->phase = DX_PHASE_RUNNING;
	dx_clients_release(broker);
	dx_host_watches_begin(broker);
}

static void on_kick(void *context)
{
	struct dx_broker *broker = context;

	dx_clients_sweep(broker);
	if (broker->phase == DX_PHASE_ADOPTING && dx_list_is_empty(&broker->expected) &&
	    !given_are_awaited(broker) && !hosts_await_devices(broker)) {
		adopting_over(broker);
	}
	if (broker->phase == DX_PHASE_RUNNING) {
		dx_devices_sweep(broker);
		match_due_entries(broker);
	}
	sweep_bundles(broker);
	if (broker->phase == DX_PHASE_RUNNING && dx_registry_root(broker->registry)->busy == 0) {
		tell_ready(broker, "ready\n");
	}
	if (broker->phase == DX_PHASE_STOPPING && dx_list_is_empty(&broker->drivers) &&
	    dx_list_is_empty(&broker->hosts)) {
		broker->phase = DX_PHASE_DONE;
		dx_loop_stop(broker->loop);
	}
}

static void on_phase_timer(void *context)
{
	struct dx_broker *broker = context;

	if (broker->phase == DX_PHASE_ADOPTING) {
		adopting_over(broker);
		dx_broker_kick(broker);
	} else if (broker->phase == DX_PHASE_STOPPING) {
		dx_log_warning("some drivers did not stop in time, their hosts are killed");
		broker->phase = DX_PHASE_DONE;
		dx_loop_stop(broker->loop);
	}
}

/* Drivers that sit on others' services go with those. */
static void terminate_drivers(struct dx_broker *broker)
{
	for (struct dx_list *node = broker->drivers.next; node != &broker->drivers;) {
		struct dx_driver *driver = dx_list_entry(node, struct dx_driver, node);

		node = node->next;
		if (!driver->entry->inactive) {
			dx_terminate(broker, driver->entry);
			node = broker->drivers.next;
		}
	}
}

void dx_broker_stop(struct dx_broker *broker)
{
	if (broker->phase >= DX_PHASE_STOPPING) {
		return;
	}
	tell_ready(broker, "error: stopped before everything was loaded\n");
	broker->phase = DX_PHASE_STOPPING;
	if (broker->options->keep_hosts && !broker->options->is_private &&
	    !broker->shutdown_asked) {
		broker->phase = DX_PHASE_DONE;
		dx_loop_stop(broker->loop);
		return;
	}
	broker->shutdown_asked = true;
	dx_records_give_up(broker);
	terminate_drivers(broker);
	phase_timer_set(broker, broker->options->stop_wait_ms, STOP_WAIT_MS);
	dx_broker_kick(broker);
}

static void on_stop_fd(void *context, int fd, uint32_t events)
{
	struct dx_broker *broker = context;

	(void)fd;
	(void)events;
	broker->stop_source = dx_loop_source_remove(broker->stop_source);
	dx_broker_stop(broker);
}

static void on_ready_fd(void *context, int fd, uint32_t events)
{
	struct dx_broker *broker = context;

	(void)fd;
	(void)events;
	broker->ready_source = dx_loop_source_remove(broker->ready_source);
	dx_broker_stop(broker); /* whoever started us has gone */
}

static void on_busy_changed(void *context, struct dx_entry *entry)
{
	struct dx_broker *broker = context;

	dx_watches_interest(entry, DX_WATCH_BUSY, DX_MESSAGE_BUSY, entry->busy > 0);
	if (entry->busy == 0) {
		dx_waits_entry_quiet(broker, entry->id);
		dx_broker_kick(broker);
	}
}

static const struct dx_registry_ops registry_ops = {.busy_changed = on_busy_changed};

struct dx_bundle *dx_broker_find_bundle(struct dx_broker *broker, const char *identifier)
{
	dx_list_for_each (node, &broker->bundles) {
		struct dx_bundle *bundle = dx_list_entry(node, struct dx_bundle, node);

		if (!bundle->unloading && strcmp(bundle->identifier, identifier) == 0) {
			return bundle;
		}
	}
	return NULL;
}

static int load_one(struct dx_broker *broker, const char *path, char *message, size_t message_size)
{
	struct dx_bundle *bundle = NULL;
	const struct dx_bundle *same = NULL;
	int r = dx_bundle_load(path, message, message_size, &bundle);

	if (r < 0) {
		return r;
	}
	same = dx_broker_find_bundle(broker, bundle->identifier);
	if (same != NULL) {
		(void)snprintf(message, message_size, "%s: CFBundleIdentifier %s is loaded from %s",
			       bundle->path, bundle->identifier, same->path);
		(void)dx_bundle_free(bundle);
		return -EEXIST;
	}
	(void)snprintf(message, message_size, "%s", bundle->identifier);
	dx_list_push_back(&broker->bundles, &bundle->node);
	dx_drivers_match_all(broker);
	return 0;
}

static int only_bundles(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && dx_path_has_suffix(entry->d_name, ".dext");
}

/* In the order of their names, so that ties between equal scores do not depend on the disk. The
 * first that fails is reported, the others are loaded all the same. */
static int load_directory(struct dx_broker *broker, const char *path, char *message,
			  size_t message_size)
{
	struct dirent **entries = NULL;
	char text[DX_BUNDLE_MESSAGE_BYTES];
	int nr_entries = scandir(path, &entries, only_bundles, alphasort);
	int result = 0;

	if (nr_entries <= 0) {
		result = nr_entries < 0 ? -errno : -ENOENT;
		(void)snprintf(message, message_size, "%s: %s", path,
			       nr_entries < 0 ? strerror(-result) : "holds no *.dext bundle");
	}
	for (int i = 0; i < nr_entries; i++) {
		DX_CLEANUP_FREE char *inner = dx_path_join(path, entries[i]->d_name);
		int r = inner == NULL ? -ENOMEM : load_one(broker, inner, text, sizeof(text));

		if (result == 0 || (r < 0 && i == 0)) {
			result = r;
			(void)snprintf(message, message_size, "%s", r == -ENOMEM ? path : text);
		} else if (r < 0) {
			dx_log_error("%s", text);
		}
		free(entries[i]);
	}
	free(entries);
	return result;
}

int dx_broker_load(struct dx_broker *broker, const char *path, char *message, size_t message_size)
{
	DX_CLEANUP_FREE char *resolved = realpath(path, NULL);

	if (resolved == NULL || dx_bundle_is_at(resolved)) {
		return load_one(broker, path, message, message_size);
	}
	return load_directory(broker, resolved, message, message_size);
}

/* Something that was given does not work: fatal for a private broker, one line for the others. */
static void complain(struct dx_broker *broker, int code)
{
	dx_log_error("%s", broker->message);
	if (is_strict(broker) && broker->result == 0) {
		broker->result = code;
	}
	if (broker->result == 0) {
		broker->message[0] = '\0';
	}
}

bool dx_broker_given_failed(struct dx_broker *broker, int code, const char *text)
{
	if (broker->result == 0) {
		(void)snprintf(broker->message, sizeof(broker->message), "%s", text);
		complain(broker, code);
	}
	if (broker->result == 0) {
		return false;
	}
	broker->phase = DX_PHASE_DONE;
	dx_loop_stop(broker->loop);
	return true;
}

unsigned dx_broker_backoff_ms(const struct dx_broker *broker, unsigned nr_failures)
{
	unsigned delay = broker->options->restart_delay_ms != 0 ? broker->options->restart_delay_ms
								: RESTART_DELAY_MS;

	for (unsigned i = 1; i < nr_failures && delay < RESTART_DELAY_MAX_MS; i++) {
		delay *= 2;
	}
	return delay < RESTART_DELAY_MAX_MS ? delay : RESTART_DELAY_MAX_MS;
}

static void load_given(struct dx_broker *broker)
{
	const struct dx_daemon_options *options = broker->options;

	for (size_t i = 0; i < options->nr_bundles && broker->result == 0; i++) {
		int r = dx_broker_load(broker, options->bundles[i], broker->message,
				       sizeof(broker->message));

		if (r < 0) {
			complain(broker, r);
		}
	}
	for (size_t i = 0; i < options->nr_devices && broker->result == 0; i++) {
		const struct dx_device_wish wish = {
			.spec = options->devices[i],
			.origin = DX_DEVICE_GIVEN,
		};
		int r = dx_device_attach(broker, &wish, broker->message,
					 sizeof(broker->message));

		if (r < 0) {
			complain(broker, r);
		}
	}
	if (broker->result == 0) {
		broker->message[0] = '\0';
	}
}

static void lists_init(struct dx_broker *broker)
{
	for (size_t i = 0; i < DX_ARRAY_SIZE(broker->watches); i++) {
		dx_list_init(&broker->watches[i]);
	}
	dx_list_init(&broker->clients);
	dx_list_init(&broker->waiters);
	dx_list_init(&broker->explanations);
	dx_list_init(&broker->bundles);
	dx_list_init(&broker->hosts);
	dx_list_init(&broker->devices);
	dx_list_init(&broker->drivers);
	dx_list_init(&broker->expected);
}

/* fd may be a file or a terminal that epoll refuses: then nobody can go away from it. */
static int watch_if_possible(struct dx_broker *broker, int fd, uint32_t events,
			     dx_loop_fd_fn callback, struct dx_loop_source **ret_source)
{
	int r = fd < 0 ? 0 : dx_loop_add_fd(broker->loop, fd, events, callback, broker, ret_source);

	return r == -EPERM ? 0 : r;
}

static int sources_init(struct dx_broker *broker)
{
	const struct dx_daemon_options *options = broker->options;
	int r = dx_loop_new(&broker->loop);

	if (r == 0) {
		r = dx_jobs_new(broker->loop, &broker->jobs);
	}
	if (r == 0) {
		r = dx_loop_add_timer(broker->loop, on_kick, broker, &broker->kick);
	}
	if (r == 0) {
		r = dx_loop_add_timer(broker->loop, on_phase_timer, broker, &broker->phase_timer);
	}
	if (r == 0) {
		r = watch_if_possible(broker, options->stop_fd, EPOLLIN, on_stop_fd,
				      &broker->stop_source);
	}
	if (r == 0 && options->is_private) {
		r = watch_if_possible(broker, options->ready_fd, 0, on_ready_fd,
				      &broker->ready_source);
	}
	return r;
}

static int records_path_init(struct dx_broker *broker)
{
	if (broker->options->is_private) {
		return 0;
	}
	if (asprintf(&broker->records_path, "%s.hosts", broker->options->socket_path) < 0) {
		broker->records_path = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int broker_init(struct dx_broker *broker, const struct dx_daemon_options *options)
{
	int r = 0;

	broker->options = options;
	broker->launcher = options->launcher != NULL ? options->launcher : &dx_launcher_process;
	broker->listener = -1;
	broker->capture_fd = -1;
	broker->next_client_id = 1;
	lists_init(broker);
	r = sources_init(broker);
	if (r == 0) {
		r = dx_registry_new(&registry_ops, broker, &broker->registry);
	}
	if (r == 0) {
		broker->id = dx_registry_take_ids(broker->registry, 1);
		r = records_path_init(broker);
	}
	if (r == 0) {
		r = dx_clients_listen(broker);
	}
	if (r == 0 && options->capture != NULL) {
		broker->capture_fd = dx_capture_begin(options->capture, broker->message,
						      sizeof(broker->message));
		r = broker->capture_fd < 0 ? broker->capture_fd : 0;
	}
	if (r < 0 && broker->message[0] == '\0') {
		(void)snprintf(broker->message, sizeof(broker->message), "%s: %s",
			       options->socket_path,
			       r == -EADDRINUSE ? "another broker listens here"
			       : r == -ENOTSOCK ? "is there already and is no socket"
						: strerror(-r));
	}
	return r;
}

static void registry_fini(struct dx_broker *broker)
{
	struct dx_entry *entry = NULL;

	if (broker->registry == NULL) {
		return;
	}
	while (!dx_list_is_empty(&broker->drivers)) {
		struct dx_driver *driver =
			dx_list_entry(broker->drivers.next, struct dx_driver, node);

		driver->settled = true; /* nobody is there to hear of it */
		dx_driver_free(driver);
	}
	for (entry = dx_registry_root(broker->registry); entry != NULL;
	     entry = dx_registry_next(entry)) {
		dx_slots_free(entry);
	}
	while (!dx_list_is_empty(&broker->devices)) {
		dx_device_free(dx_list_entry(broker->devices.next, struct dx_device, node));
	}
	broker->registry = dx_registry_free(broker->registry);
}

static void broker_fini(struct dx_broker *broker)
{
	struct dx_list *node = NULL;

	dx_hotplug_stop(broker);
	dx_explains_free(broker);
	dx_hosts_free(broker);
	dx_records_free(broker);
	if (broker->records_path != NULL) {
		(void)rmdir(broker->records_path); /* stays when hosts live on */
	}
	dx_clients_close_all(broker);
	registry_fini(broker);
	for (node = dx_list_pop_front(&broker->bundles); node != NULL;
	     node = dx_list_pop_front(&broker->bundles)) {
		(void)dx_bundle_free(dx_list_entry(node, struct dx_bundle, node));
	}
	broker->jobs = dx_jobs_free(broker->jobs, JOBS_WAIT_MS);
	broker->loop = dx_loop_free(broker->loop);
	free(broker->records_path);
	dx_capture_end(&broker->capture_fd);
}

static int broker_run(struct dx_broker *broker)
{
	int r = dx_records_read(broker);

	if (r < 0) {
		(void)snprintf(broker->message, sizeof(broker->message), "%s: %s",
			       broker->records_path, strerror(-r));
		return r;
	}
	load_given(broker);
	if (broker->result == 0 && broker->options->usb_all) {
		r = dx_hotplug_start(broker, broker->message, sizeof(broker->message));
		if (r < 0) {
			complain(broker, r);
		}
	}
	if (broker->result < 0) {
		return broker->result;
	}
	dx_records_restore(broker);
	phase_timer_set(broker, broker->options->adopt_wait_ms, ADOPT_WAIT_MS);
	dx_broker_kick(broker);
	r = dx_loop_run(broker->loop);
	return broker->result < 0 ? broker->result : r;
}

int dx_daemon_run(const struct dx_daemon_options *options, char *ret_message, size_t message_size)
{
	struct dx_broker *broker = calloc(1, sizeof(*broker));
	int r = 0;

	if (broker == NULL) {
		return -ENOMEM;
	}
	r = broker_init(broker, options);
	if (r == 0) {
		r = broker_run(broker);
	}
	if (r < 0) {
		char line[sizeof(broker->message) + 16];

		(void)snprintf(line, sizeof(line), "error: %s\n", broker->message);
		tell_ready(broker, line);
		broker->shutdown_asked = true;
	}
	if (ret_message != NULL) {
		(void)snprintf(ret_message, message_size, "%s", broker->message);
	}
	if (broker->loop != NULL) {
		broker_fini(broker);
	}
	free(broker);
	return r;
}

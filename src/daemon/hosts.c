/* SPDX-License-Identifier: MIT
 *
 * hosts - launch, set up, ask, watch; see hosts.h. What hosts say by themselves: host_messages.c.
 *
 * Place:   daemon.
 */
#include "daemon/hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/calls.h"
#include "daemon/clients.h"
#include "daemon/device.h"
#include "daemon/drivers.h"
#include "daemon/host_watches.h"
#include "daemon/records.h"
#include "daemon/terminate.h"

#define MAX_HOST_FRAMES 16384u
#define NS_PER_MS       1000000ull

pid_t dx_host_pid(const struct dx_host *host)
{
	return host->launched.pid;
}

static const struct dx_launcher *launcher_of(const struct dx_host *host)
{
	return host->adopted ? &dx_launcher_process : host->broker->launcher;
}

void dx_host_kill(struct dx_host *host, int signal)
{
	const struct dx_launcher *launcher = launcher_of(host);

	launcher->kill(launcher->context, &host->launched, signal);
}

static void host_free(struct dx_host *host)
{
	dx_calls_drop(host);
	dx_host_watches_remove_all(host);
	host->watch = dx_loop_source_remove(host->watch);
	host->kill_timer = dx_loop_source_remove(host->kill_timer);
	if (host->has_peer) {
		dx_peer_fini(&host->peer);
	}
	dx_fd_close(&host->launched.watch_fd);
	dx_list_remove(&host->node);
	dx_object_unref(host->adopting);
	dx_object_unref(host->record);
	free(host->identifier);
	free(host->server);
	free(host);
}

/* The process has ended. Everything that was its own goes, then it itself. */
static void on_exit_seen(void *context, int fd, uint32_t events)
{
	struct dx_host *host = context;
	struct dx_broker *broker = host->broker;
	char words[256];
	const struct dx_launcher *launcher = launcher_of(host);
	bool clean = launcher->reap(launcher->context, &host->launched, words, sizeof(words));

	(void)fd;
	(void)events;
	if (dx_list_is_empty(&host->drivers) && !clean && !host->refused && !host->killed) {
		dx_log_warning("host %d of %s: %s", (int)host->launched.pid, host->identifier,
			       words);
	}
	dx_list_for_each_safe (node, &host->drivers) {
		dx_driver_host_died(dx_list_entry(node, struct dx_driver, host_node), words);
	}
	dx_calls_fail_all(host);
	dx_terminate_host(broker, host);
	dx_record_remove(broker, host->launched.pid);
	host_free(host);
	dx_broker_kick(broker);
}

static void kill_timer_set(struct dx_host *host, unsigned delay_ms)
{
	dx_loop_set_timer(host->kill_timer, dx_clock_now_ns() + delay_ms * NS_PER_MS);
}

static void kill_timer_fired(void *context)
{
	struct dx_host *host = context;

	host->killed = true;
	dx_host_kill(host, host->nr_kills == 0 ? SIGTERM : SIGKILL);
	host->nr_kills++;
	kill_timer_set(host, DX_HOST_KILL_MS);
}

void dx_host_kill_hanging(struct dx_host *host)
{
	host->killed = true;
	dx_host_kill(host, SIGQUIT);
	host->nr_kills = 1;
	kill_timer_set(host, DX_HOST_STACK_MS);
}

/* Lets it exit by itself, for a while. */
static void host_end(struct dx_host *host)
{
	if (!host->ending) {
		host->ending = true;
		kill_timer_set(host, DX_HOST_EXIT_MS);
	}
}

void dx_host_driver_gone(struct dx_host *host)
{
	if (dx_list_is_empty(&host->drivers)) {
		host_end(host);
	} else {
		dx_record_write(host);
	}
}

static void on_peer_closed(void *context, int reason)
{
	struct dx_host *host = context;

	if (reason < 0 && !host->killed && reason != -ECONNRESET && reason != -EPIPE) {
		dx_log_error("host %d of %s: %s: it is killed", (int)host->launched.pid,
			     host->identifier,
			     reason == -EPROTO ? "broke the protocol" : strerror(-reason));
		host->killed = true;
		dx_host_kill(host, SIGKILL); /* J3 */
	}
	/* A dying process closes its socket first; whoever only closes it does not get away. */
	host->nr_kills = 1;
	kill_timer_set(host, DX_HOST_EXIT_MS);
}

static int on_peer_message(void *context, struct dx_wire_message_in *message)
{
	struct dx_host *host = context;

	if ((message->view.header.type & DX_WIRE_REPLY) != 0) {
		return dx_calls_reply(host, message);
	}
	return dx_host_message(host, message);
}

static const struct dx_peer_ops peer_ops = {
	.message = on_peer_message,
	.closed = on_peer_closed,
};

static int host_new(struct dx_broker *broker, struct dx_bundle *bundle, const char *server,
		    struct dx_host **ret_host)
{
	struct dx_host *host = calloc(1, sizeof(*host));
	int r = -ENOMEM;

	if (host == NULL) {
		return -ENOMEM;
	}
	host->broker = broker;
	host->bundle = bundle;
	host->launched.watch_fd = -1;
	dx_list_init(&host->node);
	dx_list_init(&host->drivers);
	dx_list_init(&host->calls);
	dx_list_init(&host->watches);
	host->identifier = strdup(bundle->identifier);
	host->server = strdup(server);
	if (host->identifier != NULL && host->server != NULL) {
		r = dx_loop_add_timer(broker->loop, kill_timer_fired, host, &host->kill_timer);
	}
	if (r < 0) {
		host_free(host);
		return r;
	}
	*ret_host = host;
	return 0;
}

/* From here on the loop watches process and socket. Takes *socket over. */
static int host_watch(struct dx_host *host, int *socket)
{
	int r = dx_loop_add_fd(host->broker->loop, host->launched.watch_fd, EPOLLIN, on_exit_seen,
			       host, &host->watch);

	if (r == 0) {
		r = dx_peer_init(&host->peer, host->broker->loop, socket, 0, MAX_HOST_FRAMES,
				 &peer_ops, host);
	}
	if (r == 0) {
		host->has_peer = true;
		dx_list_push_back(&host->broker->hosts, &host->node);
	}
	return r;
}

static int setup_values(const struct dx_host *host, struct dx_dict *dict)
{
	int r = dx_dict_set_string(dict, DX_SETUP_BUNDLE_KEY, host->bundle->path);

	if (r == 0) {
		r = dx_dict_set_string(dict, DX_SETUP_IDENTIFIER_KEY, host->bundle->identifier);
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, DX_SETUP_EXECUTABLE_KEY, host->bundle->executable);
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, DX_SETUP_SERVER_KEY, host->server);
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, DX_SETUP_BROKER_KEY,
				       host->broker->options->socket_path);
	}
	return r;
}

static int send_setup(struct dx_host *host)
{
	struct dx_wire_setup setup = {
		.first_id = host->first_id,
		.nr_ids = host->nr_ids,
		.flags = host->broker->options->is_private ? DX_SETUP_EXIT_WITH_BROKER : 0,
	};
	DX_CLEANUP_FD int capture = -1;
	struct dx_dict *dict = dx_dict_new();
	int r = dict == NULL ? -ENOMEM : setup_values(host, dict);

	if (r == 0 && host->broker->capture_fd >= 0) {
		capture = fcntl(host->broker->capture_fd, F_DUPFD_CLOEXEC, 0);
		setup.flags |= DX_SETUP_CAPTURE_FD;
		r = capture < 0 ? -errno : 0;
	}
	if (r == 0) {
		r = dx_call_value(host, DX_WIRE_H_SETUP, 0, &setup, sizeof(setup), dict,
				  capture < 0 ? NULL : &capture);
	}
	dx_object_unref(dict);
	return r;
}

static int host_launch(struct dx_host *host)
{
	const struct dx_broker *broker = host->broker;
	const struct dx_launch launch = {
		.program = broker->options->host_program,
		.identifier = host->identifier,
		.is_private = broker->options->is_private,
	};
	DX_CLEANUP_FD int ours = -1;
	DX_CLEANUP_FD int theirs = -1;
	int ends[2];
	int r = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		return -errno;
	}
	ours = ends[0];
	theirs = ends[1];
	r = broker->launcher->launch(broker->launcher->context, &launch, &theirs, &host->launched);
	if (r == 0) {
		r = host_watch(host, &ours);
	}
	return r;
}

/* Not in the loop yet, or only half: end the process and take the status. */
static void host_discard(struct dx_host *host)
{
	struct pollfd waiting = {.fd = host->launched.watch_fd, .events = POLLIN};
	char words[128];

	if (host->launched.watch_fd >= 0) {
		dx_host_kill(host, SIGKILL);
		(void)poll(&waiting, 1, 1000); /* nothing outlives SIGKILL for long */
		(void)launcher_of(host)->reap(launcher_of(host)->context, &host->launched, words,
					      sizeof(words));
	}
	host_free(host);
}

/* Some service of it goes on; device NULL: on anything. */
static bool serves(const struct dx_host *host, const struct dx_device *device)
{
	dx_list_for_each (node, &host->drivers) {
		const struct dx_entry *entry =
			dx_list_entry(node, struct dx_driver, host_node)->entry;

		if (!entry->inactive && (device == NULL || entry->parent->device == device)) {
			return true;
		}
	}
	return false;
}

static bool host_takes(const struct dx_host *host, const struct dx_personality *personality,
		       const struct dx_device *device)
{
	if (host->ending || host->refused || host->bundle != personality->bundle ||
	    strcmp(host->server, personality->server) != 0) {
		return false;
	}
	/* J4, J5. */
	return (host->one_process && personality->one_process && serves(host, NULL)) ||
	       (device != NULL && serves(host, device));
}

int dx_host_for(struct dx_broker *broker, const struct dx_personality *personality,
		const struct dx_device *device, struct dx_host **ret_host)
{
	struct dx_host *host = NULL;
	int r = 0;

	dx_list_for_each (node, &broker->hosts) {
		host = dx_list_entry(node, struct dx_host, node);
		if (host_takes(host, personality, device)) {
			*ret_host = host;
			return 0;
		}
	}
	r = host_new(broker, personality->bundle, personality->server, &host);
	if (r < 0) {
		return r;
	}
	host->one_process = personality->one_process;
	host->first_id = dx_registry_take_ids(broker->registry, DX_HOST_NR_IDS);
	host->nr_ids = DX_HOST_NR_IDS;
	r = host_launch(host);
	if (r == 0) {
		r = send_setup(host);
	}
	if (r < 0) {
		host_discard(host);
		return r;
	}
	dx_record_write(host);
	*ret_host = host;
	return 0;
}

int dx_host_adopt(struct dx_broker *broker, struct dx_bundle *bundle, const char *server,
		  const struct dx_launched *launched, int *socket, uint64_t first_id,
		  uint64_t nr_ids, struct dx_host **ret_host)
{
	struct dx_host *host = NULL;
	int r = host_new(broker, bundle, server, &host);

	if (r < 0) {
		return r;
	}
	host->launched = *launched;
	host->first_id = first_id;
	host->nr_ids = nr_ids;
	host->adopted = true;
	host->ready = true;
	r = host_watch(host, socket);
	if (r < 0) {
		host->launched.watch_fd = -1; /* stays the caller's */
		host_free(host);
		return r;
	}
	*ret_host = host;
	return 0;
}

void dx_host_setup_done(struct dx_host *host, int32_t status, const char *text)
{
	if (status == 0) {
		host->ready = true;
		dx_list_for_each_safe (node, &host->drivers) {
			dx_driver_host_ready(dx_list_entry(node, struct dx_driver, host_node));
		}
		return;
	}
	host->refused = true;
	host_end(host);
	while (!dx_list_is_empty(&host->drivers)) {
		struct dx_driver *driver =
			dx_list_entry(host->drivers.next, struct dx_driver, host_node);

		/* Out of the list first: ending it may take a while when others sit on it. */
		dx_list_remove(&driver->host_node);
		dx_driver_host_refused(driver, text[0] != '\0' ? text : "its host refused it",
				       false);
	}
}

static int set_provider(struct dx_dict *dict, const struct dx_entry *provider)
{
	const struct dx_device *device = provider->device;
	int r = dx_dict_set_string(dict, DX_START_PROVIDER_CLASS_KEY, provider->class_name);

	if (r == 0) {
		r = dx_dict_set_string(dict, DX_START_PROVIDER_NAME_KEY, provider->name);
	}
	if (r == 0) {
		r = dx_dict_set(dict, DX_START_PROVIDER_PROPERTIES_KEY, provider->properties);
	}
	if (r == 0 && device != NULL) {
		r = dx_dict_set_string(dict, DX_START_PROVIDER_SPEC_KEY, device->spec);
	}
	if (r == 0 && device != NULL) {
		r = dx_dict_set_u64(dict, DX_START_PROVIDER_DEVICE_KEY, device->entry->id, 64);
	}
	return r;
}

static int start_values(const struct dx_driver *driver, struct dx_dict *dict,
			struct dx_dict *provider)
{
	int r = dx_dict_set_string(dict, DX_START_CLASS_KEY, driver->personality->user_class);

	if (r == 0) {
		r = dx_dict_set(dict, DX_START_PROPERTIES_KEY, driver->entry->properties);
	}
	if (r == 0) {
		r = set_provider(provider, driver->entry->parent);
	}
	if (r == 0) {
		r = dx_dict_set(dict, DX_START_PROVIDER_KEY, provider);
	}
	return r;
}

int dx_host_start(struct dx_host *host, struct dx_driver *driver, int *fd)
{
	const struct dx_wire_start start = {
		.id = driver->entry->id,
		.provider_id = driver->provider_id,
		.flags = *fd >= 0 ? DX_START_DEVICE_FD : 0,
	};
	struct dx_dict *dict = dx_dict_new();
	struct dx_dict *provider = dx_dict_new();
	int r = dict == NULL || provider == NULL ? -ENOMEM : start_values(driver, dict, provider);

	if (r == 0) {
		r = dx_call_value(host, DX_WIRE_H_START, driver->entry->id, &start, sizeof(start),
				  dict, *fd >= 0 ? fd : NULL);
	}
	dx_object_unref(provider);
	dx_object_unref(dict);
	return r;
}

int dx_host_terminate(struct dx_host *host, struct dx_entry *entry)
{
	const struct dx_wire_id id = {.id = entry->id};

	if (entry->driver != NULL) {
		entry->driver->state = DX_DRIVER_STOPPING;
	}
	return dx_call(host, DX_WIRE_H_TERMINATE, entry->id, &id, sizeof(id));
}

void dx_host_device_gone(struct dx_host *host, uint64_t provider_id)
{
	const struct dx_wire_id id = {.id = provider_id};
	int r = dx_call(host, DX_WIRE_H_DEVICE_GONE, provider_id, &id, sizeof(id));

	if (r < 0) {
		dx_peer_break(&host->peer, r); /* it must not go on as if the device were there */
	}
}

void dx_hosts_free(struct dx_broker *broker)
{
	dx_list_for_each_safe (node, &broker->hosts) {
		struct dx_host *host = dx_list_entry(node, struct dx_host, node);

		dx_list_for_each_safe (driver_node, &host->drivers) {
			dx_list_entry(driver_node, struct dx_driver, host_node)->host = NULL;
			dx_list_remove(driver_node);
		}
		if (broker->options->keep_hosts && !broker->options->is_private &&
		    !broker->shutdown_asked) {
			host_free(host); /* its socket closes; it looks for the next broker */
		} else {
			pid_t pid = host->launched.pid;

			host_discard(host);
			dx_record_remove(broker, pid);
		}
	}
}

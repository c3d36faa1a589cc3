/* SPDX-License-Identifier: MIT
 *
 * life - the host from its first socket to its end, over any number of brokers.
 *
 * Place:   host.
 * Rules:   no broker is no reason to stop serving, unless it was a private one. A new broker that
 *          does not want us ends us with a signal; the socket alone says nothing for good.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/plist.h"
#include "driver/service.h"
#include "host/confine.h"
#include "host/loader.h"
#include "host/private.h"
#include "wire/address.h"

#define RETRY_MAX_NS     5000000000u
#define STOP_WAIT_MS     3000u

/* ------------------------------------------------------------------------------------------- */
/* Loading                                                                                     */

static int confine(struct dx_host *host, const char *bundle, char *message, size_t size)
{
	const char *off = getenv(DX_CONFINE_OFF_ENVIRONMENT);
	char missing[64];

	if (!host->options->confine || (off != NULL && strcmp(off, "1") == 0)) {
		return 0;
	}
	struct dx_confine_options options = {
		.bundle = bundle,
		.may_connect = !host->exit_with_broker,
	};
	int rc = dx_confine(&options, missing, sizeof(missing));
	if (rc < 0) {
		(void)snprintf(message, size, "%s: cannot confine the driver: %s", host->name,
			       strerror(-rc));
		return rc;
	}
	if (missing[0] != '\0') {
		dx_log_warning("%s: runs without %s, which this kernel lacks", host->name, missing);
	}
	return 0;
}

int dx_host_load(struct dx_host *host, const OSDriverClass *const **ret_classes, char *message,
		 size_t size)
{
	const char *bundle = dx_dict_get_string(host->setup, DX_SETUP_BUNDLE_KEY, NULL);
	const char *executable = dx_dict_get_string(host->setup, DX_SETUP_EXECUTABLE_KEY, NULL);

	if (bundle == NULL || executable == NULL) {
		(void)snprintf(message, size, "SETUP names no bundle or no executable");
		return -EINVAL;
	}
	int rc = confine(host, bundle, message, size);
	return rc < 0 ? rc : dx_loader_load(executable, ret_classes, message, size);
}

/* ------------------------------------------------------------------------------------------- */
/* The socket                                                                                  */

static void drop_broker(struct dx_host *host)
{
	host->socket_source = dx_loop_source_remove(host->socket_source);
	dx_fd_close(&host->socket);
	dx_outbox_detach(&host->outbox);
}

static void end(struct dx_host *host, int result)
{
	host->result = result;
	dx_loop_stop(host->loop);
}

/* Nothing that a broker or an application could want of it. */
static bool is_idle(struct dx_host *host)
{
	dx_mutex_lock(&host->lock);
	bool is_quiet = host->nr_requests == 0 && dx_mirror_is_empty(&host->mirror);
	dx_mutex_unlock(&host->lock);
	return is_quiet && (host->runtime == NULL || dx_runtime_nr_services(host->runtime) == 0);
}

/* Failed, or the last service has gone: nothing is left to do or to say. */
static bool is_finished(struct dx_host *host)
{
	return host->ending || (host->had_service && is_idle(host));
}

static void lose_broker(struct dx_host *host, int rc)
{
	drop_broker(host);
	if (host->exit_with_broker || host->ending || is_idle(host)) {
		end(host, rc);
		return;
	}
	dx_loop_set_timer(host->retry_timer, dx_clock_now_ns() + host->retry_ns);
	host->retry_ns = host->retry_ns * 2 > RETRY_MAX_NS ? RETRY_MAX_NS : host->retry_ns * 2;
}

static void send_out(struct dx_host *host)
{
	/* First: a request that ends from here on wakes us again. */
	dx_outbox_quiet(&host->outbox);
	/* Asked before sending: what ends it was put into the outbox first. */
	bool finished = is_finished(host);

	if (host->socket < 0) {
		if (finished) {
			end(host, 0);
		}
		return;
	}
	int rc = dx_outbox_send(&host->outbox, host->socket);
	if (rc < 0) {
		lose_broker(host, 0);
		return;
	}
	(void)dx_loop_set_events(host->socket_source, rc == 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
	if (finished && rc == 1 && dx_outbox_is_empty(&host->outbox)) {
		end(host, 0);
	}
}

/* @return 1 handled one; 0 none is waiting; negative: the socket is done. */
static int receive_one(struct dx_host *host)
{
	struct dx_wire_message_in message;
	int rc = dx_link_receive(host->socket, true, &message);

	if (rc == -EAGAIN) {
		return 0;
	}
	if (rc <= 0) {
		return rc == 0 ? -ECONNRESET : rc;
	}
	rc = dx_host_handle(host, &message);
	dx_wire_message_in_fini(&message);
	return rc < 0 ? rc : 1;
}

static void on_socket(void *context, int fd, uint32_t events)
{
	struct dx_host *host = context;
	int rc = 1;

	(void)fd;
	(void)events;
	while (rc > 0) {
		rc = receive_one(host);
	}
	if (rc < 0) {
		if (rc != -ECONNRESET) {
			dx_log_error("%s: broken message from the broker: %s", host->name,
				     strerror(-rc));
		}
		lose_broker(host, rc == -ECONNRESET ? 0 : rc);
		return;
	}
	send_out(host);
}

static void on_wake(void *context, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	send_out(context);
}

static int use_socket(struct dx_host *host, int *socket)
{
	int rc =
		dx_loop_add_fd(host->loop, *socket, EPOLLIN, on_socket, host, &host->socket_source);

	if (rc < 0) {
		return rc;
	}
	host->socket = dx_take_fd(socket);
	return 0;
}

/* ------------------------------------------------------------------------------------------- */
/* The next broker                                                                             */

static void on_retry(void *context)
{
	struct dx_host *host = context;
	const char *address = dx_dict_get_string(host->setup, DX_SETUP_BROKER_KEY, "");
	DX_CLEANUP_FD int socket = dx_address_connect(address);

	if (socket < 0 || use_socket(host, &socket) < 0 || dx_host_introduce(host) < 0) {
		lose_broker(host, 0);
	}
}

/* ------------------------------------------------------------------------------------------- */
/* Begin and end                                                                               */

static int begin(struct dx_host *host, int *socket)
{
	int rc = dx_loop_new(&host->loop);

	if (rc < 0) {
		return rc;
	}
	rc = dx_loop_add_fd(host->loop, host->outbox.wake_fd, EPOLLIN, on_wake, host,
			    &host->wake_source);
	if (rc < 0) {
		return rc;
	}
	rc = dx_loop_add_timer(host->loop, on_retry, host, &host->retry_timer);
	if (rc == 0) {
		rc = use_socket(host, socket);
	}
	if (rc == 0) {
		dx_outbox_attach(&host->outbox);
	}
	return rc;
}

static void terminate_one(void *context, struct dx_service *service)
{
	(void)dx_runtime_terminate(context, service->id, NULL, NULL);
}

/* Without broker nobody asks for it any more, so do it ourselves; a driver may take its time, but
 * not for ever. @return 0, or -EBUSY. */
static int stop_services(struct dx_host *host)
{
	struct timespec pause = {.tv_nsec = 1000000};

	if (host->runtime == NULL) {
		return 0;
	}
	dx_runtime_each(host->runtime, terminate_one, host->runtime);
	for (unsigned i = 0; i < STOP_WAIT_MS && dx_runtime_nr_services(host->runtime) != 0; i++) {
		(void)nanosleep(&pause, NULL);
	}
	return dx_runtime_nr_services(host->runtime) == 0 ? 0 : -EBUSY;
}

static void release(struct dx_host *host)
{
	host->runtime = dx_runtime_free(host->runtime);
	host->capture = dx_capture_free(host->capture);
	host->retry_timer = dx_loop_source_remove(host->retry_timer);
	host->wake_source = dx_loop_source_remove(host->wake_source);
	drop_broker(host);
	host->loop = dx_loop_free(host->loop);
	dx_outbox_fini(&host->outbox);
	dx_mirror_fini(&host->mirror);
	dx_mutex_fini(&host->lock);
	dx_alive_registry_fini(&host->alive);
	host->setup = dx_object_unref(host->setup);
	free(host);
}

static int host_new(const struct dx_host_options *options, struct dx_host **ret_host)
{
	struct dx_host *host = calloc(1, sizeof(*host));

	if (host == NULL) {
		return -ENOMEM;
	}
	host->options = options;
	host->socket = -1;
	host->retry_ns = DX_HOST_RETRY_FIRST_NS;
	(void)snprintf(host->name, sizeof(host->name), "dext-host");
	int rc = dx_outbox_init(&host->outbox);
	if (rc < 0) {
		free(host);
		return rc;
	}
	rc = dx_alive_registry_init(&host->alive);
	if (rc < 0) {
		dx_outbox_fini(&host->outbox);
		free(host);
		return rc;
	}
	dx_mirror_init(&host->mirror);
	dx_mutex_init(&host->lock);
	*ret_host = host;
	return 0;
}

int dx_host_run(const struct dx_host_options *options)
{
	DX_CLEANUP_FD int socket = options->socket;
	struct dx_host *host = NULL;
	int rc = host_new(options, &host);

	if (rc < 0) {
		return rc;
	}
	rc = begin(host, &socket);
	if (rc == 0) {
		rc = dx_loop_run(host->loop);
	}
	int result = rc < 0 ? rc : host->result;
	/* Threads that still run driver code use the host: it must stay. */
	if (stop_services(host) < 0) {
		return -EBUSY;
	}
	release(host);
	return result;
}

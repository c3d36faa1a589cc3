/* SPDX-License-Identifier: MIT
 *
 * export - the devices, the listening socket, the clients; see export.h.
 *
 * Place:      export.
 */
#include "export/export.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "backend/usbip/spec.h"
#include "base/cleanup.h"
#include "export/private.h"

#define BACKLOG      16
#define JOBS_WAIT_MS 2000u /* at the end, for devices that are being opened */

void dx_export_say(struct dx_export *export, const char *format, ...)
{
	char line[512];
	va_list arguments;

	if (export->options.say == NULL) {
		return;
	}
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	export->options.say(export->options.say_context, line);
}

struct dx_export_device *dx_export_find(struct dx_export *export, const char *busid)
{
	for (size_t i = 0; i < export->nr_devices; i++) {
		if (strcmp(export->devices[i].busid, busid) == 0) {
			return &export->devices[i];
		}
	}
	return NULL;
}

/* ---- making and ending ---- */

static void free_cleanup(struct dx_export **export)
{
	(void)dx_export_free(*export);
}

int dx_export_new(struct dx_loop *loop, const struct dx_export_options *options, char *message,
		  size_t message_size, struct dx_export **ret_export)
{
	DX_CLEANUP(free_cleanup) struct dx_export *export = NULL;
	int result = 0;

	if (options->nr_specs == 0 || options->nr_specs > DX_MAX_EXPORT_DEVICES) {
		(void)snprintf(message, message_size, "1 to %u devices can be exported",
			       DX_MAX_EXPORT_DEVICES);
		return -EINVAL;
	}
	export = calloc(1, sizeof(*export));
	if (export == NULL) {
		return -ENOMEM;
	}
	export->loop = loop;
	export->options = *options;
	export->listen_fd = -1;
	dx_list_init(&export->peers);
	export->devices = calloc(options->nr_specs, sizeof(*export->devices));
	if (export->devices == NULL) {
		return -ENOMEM;
	}
	result = dx_jobs_new(loop, &export->jobs);
	if (result < 0) {
		(void)snprintf(message, message_size, "%s", strerror(-result));
		return result;
	}
	for (size_t i = 0; i < options->nr_specs; i++) {
		result = dx_export_device_init(&export->devices[export->nr_devices++], export,
						   options->specs[i], (unsigned)i + 1, message,
						   message_size);

		if (result < 0) {
			return result;
		}
	}
	*ret_export = dx_take_ptr(&export);
	return 0;
}

struct dx_export *dx_export_free(struct dx_export *export)
{
	if (export == NULL) {
		return NULL;
	}
	export->listen_source = dx_loop_source_remove(export->listen_source);
	dx_fd_close(&export->listen_fd);
	dx_list_for_each (node, &export->peers) {
		dx_export_peer_end(dx_list_entry(node, struct dx_export_peer, link), NULL);
	}
	for (size_t i = 0; i < export->nr_devices; i++) {
		dx_export_device_fini(&export->devices[i]);
	}
	while (!dx_list_is_empty(&export->peers)) {
		struct dx_list *node = dx_list_pop_front(&export->peers);

		dx_export_peer_free(dx_list_entry(node, struct dx_export_peer, link));
	}
	export->jobs = dx_jobs_free(export->jobs, JOBS_WAIT_MS);
	free(export->devices);
	free(export);
	return NULL;
}

/* ---- listening ---- */

static void name_of(const struct sockaddr *address, socklen_t length, char *name, size_t size)
{
	char host[46];
	char port[8];

	if (getnameinfo(address, length, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		(void)snprintf(name, size, "client");
		return;
	}
	(void)snprintf(name, size, address->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
		       port);
}

static void on_connection(void *context, int fd, uint32_t events)
{
	struct dx_export *export = context;
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);
	DX_CLEANUP_FD int client =
		accept4(fd, (struct sockaddr *)&address, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
	char name[64];
	int result = 0;

	(void)events;
	if (client < 0) {
		export->is_deaf = (errno == EMFILE || errno == ENFILE) && export->nr_peers != 0;
		if (export->is_deaf) {
			(void)dx_loop_set_events(export->listen_source,
						 0); /* worst: it is asked again */
		}
		return;
	}
	name_of((struct sockaddr *)&address, length, name, sizeof(name));
	result = dx_export_add_client(export, &client, name);
	if (result < 0) {
		dx_export_say(export, "%s is turned away: %s", name,
			      result == -EMFILE ? "too many clients" : strerror(-result));
	}
}

void dx_export_listen_again(struct dx_export *export)
{
	if (export->is_deaf && export->listen_source != NULL) {
		export->is_deaf = false;
		(void)dx_loop_set_events(export->listen_source, EPOLLIN); /* as it was before */
	}
}

int dx_export_add_client(struct dx_export *export, int *fd, const char *name)
{
	return dx_export_peer_new(export, fd, name);
}

static int bind_one(const struct addrinfo *address)
{
	DX_CLEANUP_FD int fd =
		socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	const int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		return -errno;
	}
	return dx_take_fd(&fd);
}

/* @return a listening descriptor. */
static int bind_to(const struct dx_usbip_address *address, char *message, size_t message_size)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *addresses = NULL;
	int fd = -EADDRNOTAVAIL;
	int error = getaddrinfo(address->host, address->port, &hints, &addresses);

	if (error != 0) {
		(void)snprintf(message, message_size, "%s: %s", address->host, gai_strerror(error));
		return -EADDRNOTAVAIL;
	}
	for (const struct addrinfo *one = addresses; one != NULL && fd < 0; one = one->ai_next) {
		fd = bind_one(one);
	}
	freeaddrinfo(addresses);
	if (fd < 0) {
		(void)snprintf(message, message_size, "cannot listen at %s port %s: %s",
			       address->host, address->port, strerror(-fd));
	}
	return fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
		return 0;
	}
	return ntohs(address.ss_family == AF_INET6
			     ? ((const struct sockaddr_in6 *)(const void *)&address)->sin6_port
			     : ((const struct sockaddr_in *)(const void *)&address)->sin_port);
}

int dx_export_listen(struct dx_export *export, const char *address, char *message,
		     size_t message_size, uint16_t *ret_port)
{
	struct dx_usbip_address parsed;
	int result =
		dx_usbip_address_parse(address, strlen(address), &parsed, message, message_size);

	if (result < 0) {
		return result;
	}
	result = bind_to(&parsed, message, message_size);
	if (result < 0) {
		return result;
	}
	export->listen_fd = result;
	result = dx_loop_add_fd(export->loop, export->listen_fd, EPOLLIN, on_connection, export,
				&export->listen_source);
	if (result < 0) {
		dx_fd_close(&export->listen_fd);
		(void)snprintf(message, message_size, "%s", strerror(-result));
		return result;
	}
	*ret_port = port_of(export->listen_fd);
	return 0;
}

/* ---- for those who show it ---- */

bool dx_export_device(const struct dx_export *export, size_t n,
		      struct dx_export_device_info *ret_info)
{
	const struct dx_export_device *device = NULL;
	struct dx_usbip_device described = {.speed = DX_USB_SPEED_NONE};

	if (n >= export->nr_devices) {
		return false;
	}
	device = &export->devices[n];
	if (device->info != NULL) {
		dx_export_device_describe(device, &described);
	}
	*ret_info = (struct dx_export_device_info){
		.busid = device->busid,
		.spec = device->spec,
		.vendor = described.vendor,
		.product = described.product,
		.speed = described.speed,
	};
	return true;
}

unsigned dx_export_nr_clients(const struct dx_export *export)
{
	return export->nr_peers;
}

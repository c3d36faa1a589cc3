/* SPDX-License-Identifier: MIT
 *
 * connect - sockets and waiting; see connect.h.
 *
 * Place:      backend/usbip.
 */
#include "backend/usbip/connect.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "usb/backend.h"

#define NS_PER_MS       1000000u
#define LIST_PAUSE_MS   100
#define IDLE_S          10
#define PROBE_S         5
#define NR_PROBES       3
#define USER_TIMEOUT_MS 25000u

/* ---- waiting ---- */

static int wait_for(int fd, short events, uint64_t deadline_ns)
{
	struct pollfd pollfd = {.fd = fd, .events = events};

	for (;;) {
		uint64_t now_ns = dx_clock_now_ns();
		int result = 0;

		if (now_ns >= deadline_ns) {
			return -ETIMEDOUT;
		}
		result = poll(&pollfd, 1, (int)((deadline_ns - now_ns) / NS_PER_MS) + 1);
		if (result > 0) {
			return 0;
		}
		if (result < 0 && errno != EINTR) {
			return -errno;
		}
	}
}

static int send_all(int fd, const uint8_t *bytes, size_t length, uint64_t deadline_ns)
{
	while (length != 0) {
		ssize_t sent = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno == EAGAIN) {
			int result = wait_for(fd, POLLOUT, deadline_ns);

			if (result < 0) {
				return result;
			}
			sent = 0;
		}
		if (sent < 0) {
			return errno == EPIPE ? -ECONNRESET : -errno;
		}
		bytes += sent;
		length -= (size_t)sent;
	}
	return 0;
}

static int receive_all(int fd, uint8_t *bytes, size_t length, uint64_t deadline_ns)
{
	while (length != 0) {
		ssize_t received = recv(fd, bytes, length, MSG_DONTWAIT);

		if (received == 0) {
			return -ECONNRESET;
		}
		if (received < 0 && errno == EAGAIN) {
			int result = wait_for(fd, POLLIN, deadline_ns);

			if (result < 0) {
				return result;
			}
			received = 0;
		}
		if (received < 0) {
			return -errno;
		}
		bytes += received;
		length -= (size_t)received;
	}
	return 0;
}

/* ---- connecting ---- */

void dx_usbip_tune(int fd)
{
	const int on = 1;
	const int idle = IDLE_S;
	const int probe = PROBE_S;
	const int nr_probes = NR_PROBES;
	const unsigned timeout = USER_TIMEOUT_MS;

	/* What a socket does not have (a socket pair in a test) is not needed there. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &probe, sizeof(probe));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &nr_probes, sizeof(nr_probes));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

static int connect_one(const struct addrinfo *address, uint64_t deadline_ns)
{
	DX_CLEANUP_FD int fd =
		socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	int error = 0;
	socklen_t length = sizeof(error);
	int result = 0;

	if (fd < 0) {
		return -errno;
	}
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
		if (errno != EINPROGRESS) {
			return -errno;
		}
		result = wait_for(fd, POLLOUT, deadline_ns);
		if (result < 0) {
			return result;
		}
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 || error != 0) {
			return error == 0 ? -EIO : -error;
		}
	}
	dx_usbip_tune(fd);
	return dx_take_fd(&fd);
}

static void free_addresses(struct addrinfo **addresses)
{
	if (*addresses != NULL) {
		freeaddrinfo(*addresses);
	}
}

static int dial(const struct dx_usbip_spec *spec, uint64_t deadline_ns, char *message,
		size_t message_size)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	const struct addrinfo numeric = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
	DX_CLEANUP(free_addresses) struct addrinfo *addresses = NULL;
	int fd = -EHOSTUNREACH;
	int error = getaddrinfo(spec->address.host, spec->address.port, &numeric, &addresses);

	if (error == EAI_NONAME) {
		error = getaddrinfo(spec->address.host, spec->address.port, &hints, &addresses);
	}
	if (error != 0) {
		(void)snprintf(message, message_size, "%s: %s", spec->peer, gai_strerror(error));
		return error == EAI_MEMORY ? -ENOMEM : -EHOSTUNREACH;
	}
	for (const struct addrinfo *one = addresses; one != NULL; one = one->ai_next) {
		fd = connect_one(one, deadline_ns);
		if (fd >= 0) {
			return fd;
		}
	}
	(void)snprintf(message, message_size, "%s: cannot connect: %s", spec->peer, strerror(-fd));
	return fd;
}

/* ---- the list ---- */

/* What of the list matters here. */
struct listing {
	bool has_it;
	char others[160];
};

static void note_device(struct listing *listing, const char *busid, const char *wanted)
{
	size_t used = strlen(listing->others);

	if (strcmp(busid, wanted) == 0) {
		listing->has_it = true;
	}
	if (used + strlen(busid) + 3 < sizeof(listing->others)) {
		(void)snprintf(listing->others + used, sizeof(listing->others) - used, "%s%s",
			       used == 0 ? "" : ", ", busid);
	}
}

static int read_list(int fd, uint64_t deadline_ns, const char *wanted, struct listing *ret_listing)
{
	struct listing listing = {.has_it = false};
	uint8_t bytes[DX_USBIP_DEVICE_BYTES];
	uint8_t interface[DX_USBIP_INTERFACE_BYTES];
	uint32_t status = 0;
	uint32_t count = 0;
	int result = receive_all(fd, bytes, DX_USBIP_HEADER_BYTES + 4, deadline_ns);

	if (result < 0) {
		return result;
	}
	count = dx_usbip_get32(bytes + DX_USBIP_HEADER_BYTES);
	if (dx_usbip_get_header(bytes, DX_USBIP_REP_DEVLIST, &status) < 0 ||
	    status != DX_USBIP_OK || count > DX_USBIP_MAX_LISTED) {
		return -EPROTO;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct dx_usbip_device device;

		result = receive_all(fd, bytes, sizeof(bytes), deadline_ns);
		if (result == 0) {
			result = dx_usbip_get_device(bytes, &device);
		}
		for (unsigned j = 0; result == 0 && j < device.nr_interfaces; j++) {
			result = receive_all(fd, interface, sizeof(interface), deadline_ns);
		}
		if (result < 0) {
			return result;
		}
		note_device(&listing, device.busid, wanted);
	}
	*ret_listing = listing;
	return 0;
}

static int ask_list(const struct dx_usbip_spec *spec, uint64_t deadline_ns, char *message,
		    size_t message_size, struct listing *ret_listing)
{
	uint8_t request[DX_USBIP_HEADER_BYTES];
	DX_CLEANUP_FD int fd = dial(spec, deadline_ns, message, message_size);
	int result = 0;

	if (fd < 0) {
		return fd;
	}
	dx_usbip_put_header(request, DX_USBIP_REQ_DEVLIST, 0);
	result = send_all(fd, request, sizeof(request), deadline_ns);
	if (result == 0) {
		result = read_list(fd, deadline_ns, spec->busid, ret_listing);
	}
	if (result < 0) {
		(void)snprintf(message, message_size, "%s: asked for its devices: %s", spec->peer,
			       result == -EPROTO ? "what it answers is no USB/IP 1.1.1"
						 : strerror(-result));
	}
	return result;
}

static int await_device(const struct dx_usbip_spec *spec, char *message, size_t message_size)
{
	uint64_t limit_ns = dx_clock_now_ns() + (uint64_t)DX_USBIP_FREE_MS * NS_PER_MS;

	for (;;) {
		struct listing listing = {.has_it = false};
		uint64_t now_ns = dx_clock_now_ns();
		int result = ask_list(spec, now_ns + (uint64_t)DX_USBIP_CONNECT_MS * NS_PER_MS,
				      message, message_size, &listing);

		if (result < 0 || listing.has_it) {
			return result;
		}
		if (now_ns >= limit_ns) {
			(void)snprintf(
				message, message_size,
				"%s has no device %s to give: there is no such one, or somebody "
				"uses it (there is: %s)",
				spec->peer, spec->busid,
				listing.others[0] == '\0' ? "none" : listing.others);
			return -ENOENT;
		}
		(void)poll(NULL, 0, LIST_PAUSE_MS);
	}
}

int dx_usbip_connect(const struct dx_usbip_spec *spec, char *message, size_t message_size)
{
	int result = await_device(spec, message, message_size);

	if (result < 0) {
		return result;
	}
	return dial(spec, dx_clock_now_ns() + (uint64_t)DX_USBIP_CONNECT_MS * NS_PER_MS, message,
		    message_size);
}

/* ---- import ---- */

static int result_of(uint32_t status)
{
	switch (status) {
	case DX_USBIP_OK:
		return 0;
	case DX_USBIP_NOT_AVAILABLE:
	case DX_USBIP_BUSY:
		return -EBUSY;
	case DX_USBIP_NO_DEVICE:
		return -ENODEV;
	default:
		return -EIO;
	}
}

int dx_usbip_import(int fd, const char *busid, uint64_t deadline_ns,
		    struct dx_usbip_device *ret_device)
{
	uint8_t bytes[DX_USBIP_DEVICE_BYTES];
	struct dx_usbip_device device;
	uint32_t status = 0;
	int result = dx_usbip_put_busid(bytes + DX_USBIP_HEADER_BYTES, busid);

	if (result < 0) {
		return result;
	}
	dx_usbip_put_header(bytes, DX_USBIP_REQ_IMPORT, 0);
	result = send_all(fd, bytes, DX_USBIP_HEADER_BYTES + DX_USBIP_BUSID_BYTES, deadline_ns);
	if (result == 0) {
		result = receive_all(fd, bytes, DX_USBIP_HEADER_BYTES, deadline_ns);
	}
	if (result == 0) {
		result = dx_usbip_get_header(bytes, DX_USBIP_REP_IMPORT, &status);
	}
	if (result == 0) {
		result = result_of(status);
	}
	if (result == 0) {
		result = receive_all(fd, bytes, sizeof(bytes), deadline_ns);
	}
	if (result == 0) {
		result = dx_usbip_get_device(bytes, &device);
	}
	if (result < 0) {
		return result;
	}
	if (strcmp(device.busid, busid) != 0) {
		return -EPROTO;
	}
	*ret_device = device;
	return 0;
}

int dx_usbip_control_in(int fd, uint32_t device_number, const uint8_t *setup, uint8_t *data,
			uint64_t deadline_ns)
{
	struct dx_usbip_unit unit = {
		.command = DX_USBIP_SUBMIT,
		.number = 1,
		.device = device_number,
		.is_in = true,
		.length = (uint32_t)setup[6] | (uint32_t)setup[7] << 8,
	};
	uint32_t length = unit.length;
	uint8_t bytes[DX_USBIP_UNIT_BYTES];
	int result = 0;

	memcpy(unit.setup, setup, sizeof(unit.setup));
	dx_usbip_put_unit(bytes, &unit);
	result = send_all(fd, bytes, sizeof(bytes), deadline_ns);
	if (result == 0) {
		result = receive_all(fd, bytes, sizeof(bytes), deadline_ns);
	}
	if (result == 0) {
		result = dx_usbip_get_unit(bytes, &unit);
	}
	if (result < 0) {
		return result;
	}
	if (unit.command != DX_USBIP_SUBMIT_ANSWER || unit.number != 1 || unit.actual > length) {
		return -EPROTO;
	}
	result = receive_all(fd, data, unit.actual, deadline_ns);
	if (result < 0) {
		return result;
	}
	return unit.status == 0 ? (int)unit.actual : -EPIPE;
}

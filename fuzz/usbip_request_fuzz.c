/* SPDX-License-Identifier: MIT
 *
 * usbip_request_fuzz - the USB/IP server, asked anything by a client.
 *
 * The first byte: bit 0 sends the bytes instead of an import; else the device is imported, and bit
 * 1 configures it first. In the end the client hangs up: it must be gone, and the device must be
 * free.
 */
#include <assert.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "export/export.h"
#include "fuzz.h"
#include "support/canned.h"

#define MAX_BYTES 65536u
#define ROUNDS    100000u

/* Takes what the server says, so that it does not wait for room. */
static bool listen_to(int fd)
{
	uint8_t bytes[4096];
	ssize_t length = 0;

	do {
		length = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	} while (length > 0);
	return length != 0;
}

static void put_import(uint8_t *bytes)
{
	dx_usbip_put_header(bytes, DX_USBIP_REQ_IMPORT, 0);
	(void)dx_usbip_put_busid(bytes + DX_USBIP_HEADER_BYTES, "1-1");
}

static void put_configure(uint8_t *bytes)
{
	const struct dx_usbip_unit unit = {
		.command = DX_USBIP_SUBMIT,
		.number = 1,
		.device = 1u << 16 | 1,
		.setup = {0, 9, 3, 0, 0, 0, 0, 0},
	};

	dx_usbip_put_unit(bytes, &unit);
}

static void ask(int fd, const uint8_t *bytes, size_t length)
{
	uint8_t first[DX_USBIP_HEADER_BYTES + DX_USBIP_BUSID_BYTES];
	uint8_t second[DX_USBIP_UNIT_BYTES];

	if (!(bytes[0] & 1)) {
		put_import(first);
		(void)!write(fd, first, sizeof(first));
	}
	if ((bytes[0] & 3) == 2) {
		put_configure(second);
		(void)!write(fd, second, sizeof(second));
	}
	(void)!send(fd, bytes + 1, length - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void serve(const uint8_t *bytes, size_t length)
{
	static const char *const specs[] = {"virtual:gadget-zero,speed=high"};
	const struct dx_export_options options = {
		.backends = dx_export_backends,
		.specs = specs,
		.nr_specs = 1,
	};
	struct dx_loop *loop = NULL;
	struct dx_export *export = NULL;
	char message[256] = "";
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
		return;
	}
	assert(dx_loop_new(&loop) == 0);
	assert(dx_export_new(loop, &options, message, sizeof(message), &export) == 0);
	assert(dx_export_add_client(export, &fds[0], "fuzzer") == 0);
	ask(fds[1], bytes, length);
	for (unsigned i = 0; i < 4; i++) {
		(void)dx_loop_run_once(loop, 0);
		(void)listen_to(fds[1]);
	}
	(void)shutdown(fds[1], SHUT_WR);
	for (unsigned i = 0; i < ROUNDS && dx_export_nr_clients(export) != 0; i++) {
		(void)dx_loop_run_once(loop, 0);
		(void)listen_to(fds[1]);
	}
	assert(dx_export_nr_clients(export) == 0);
	(void)dx_export_free(export);
	(void)dx_loop_free(loop);
	(void)close(fds[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length != 0 && length <= MAX_BYTES) {
		serve(bytes, length);
	}
	return 0;
}

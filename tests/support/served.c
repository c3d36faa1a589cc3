/* SPDX-License-Identifier: MIT
 *
 * served - see served.h.
 */
#include "support/served.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "export/export.h"
#include "test.h"

struct served {
	pthread_t thread;
	struct dx_loop *loop;
	struct dx_export *export;
	uint16_t port;
	char specs[SERVED_MAX][SERVED_SPEC_BYTES];
	char *names[SERVED_MAX]; /* copies: callers' texts may be gone before the server is */
};

static void *run(void *argument)
{
	struct served *served = argument;

	CHECK_EQ(dx_loop_run(served->loop), 0);
	return NULL;
}

struct served *served_start_over(const struct dx_usb_backend_ops *const *backends,
				 const char *const *specs, unsigned nr_specs)
{
	struct served *served = calloc(1, sizeof(*served));
	struct dx_export_options options = {.backends = backends, .nr_specs = nr_specs};
	char message[512] = "";

	CHECK(served != NULL && nr_specs <= SERVED_MAX);
	for (unsigned i = 0; i < nr_specs; i++) {
		served->names[i] = strdup(specs[i]);
		CHECK(served->names[i] != NULL);
	}
	options.specs = (const char *const *)served->names;
	CHECK_EQ(dx_loop_new(&served->loop), 0);
	if (dx_export_new(served->loop, &options, message, sizeof(message), &served->export) < 0 ||
	    dx_export_listen(served->export, "127.0.0.1:0", message, sizeof(message),
			     &served->port) < 0) {
		FAIL("export: %s", message);
	}
	for (unsigned i = 0; i < nr_specs; i++) {
		(void)snprintf(served->specs[i], SERVED_SPEC_BYTES, "usbip:127.0.0.1:%u/1-%u",
			       served->port, i + 1);
	}
	CHECK_EQ(pthread_create(&served->thread, NULL, run, served), 0);
	return served;
}

struct served *served_start(const char *const *specs, unsigned nr_specs)
{
	return served_start_over(dx_export_backends, specs, nr_specs);
}

const char *served_spec(const struct served *served, unsigned n)
{
	return served->specs[n];
}

uint16_t served_port(const struct served *served)
{
	return served->port;
}

int served_connect(const struct served *served)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(served->port),
		.sin_addr = {htonl(INADDR_LOOPBACK)},
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK_GE(fd, 0);
	CHECK_EQ(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void served_stop(struct served *served)
{
	dx_loop_stop(served->loop);
	CHECK_EQ(pthread_join(served->thread, NULL), 0);
	served->export = dx_export_free(served->export);
	served->loop = dx_loop_free(served->loop);
	for (unsigned i = 0; i < SERVED_MAX; i++) {
		free(served->names[i]);
	}
	free(served);
}

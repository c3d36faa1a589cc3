/* SPDX-License-Identifier: MIT
 *
 * dext-demo-app - the application process of `dext demo`.
 *
 * Place:   tools. Started by demo.c with a socket to it as descriptor 3 (demo_link.h); of no use
 *          alone. Arguments: FILE TOTAL BUFFERS SIZE DEPTH CALLS, checked by demo.c already.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "demo_flow.h"
#include "helper.h"

#define PROGRESS_NS 20000000u
#define MOVE_NS     1000000000u /* what the second pass should take */
#define MAX_ROUNDS  200u

struct app {
	struct dx_flow flow;
	struct dx_demo_result result;
	uint64_t nr_calls;
	uint64_t told_ns;
};

static void tell(const struct dx_demo_message *message)
{
	if (send(DX_DEMO_LINK_FD, message, sizeof(*message), MSG_NOSIGNAL) < 0) {
		_exit(EXIT_FAILURE); /* dext has gone: nobody is interested any more */
	}
}

static void tell_progress(void *context, uint64_t done)
{
	struct app *app = context;
	uint64_t now = dx_clock_now_ns();
	struct dx_demo_message message = {.kind = DX_DEMO_PROGRESS, .done = done};

	if (now - app->told_ns >= PROGRESS_NS) {
		app->told_ns = now;
		tell(&message);
	}
}

static void wait_go(void)
{
	struct dx_demo_message message;
	ssize_t length = 0;

	do {
		length = recv(DX_DEMO_LINK_FD, &message, sizeof(message), 0);
	} while (length < 0 && errno == EINTR);
	if (length != (ssize_t)sizeof(message) || message.kind != DX_DEMO_GO) {
		_exit(EXIT_FAILURE);
	}
}

static int tell_failure(const char *text)
{
	struct dx_demo_message message = {.kind = DX_DEMO_FAILED};

	(void)snprintf(message.text, sizeof(message.text), "%s", text);
	tell(&message);
	return EXIT_FAILURE;
}

/* How often the second pass goes over the stream, to last long enough to be measured. */
static uint64_t choose_rounds(const struct app *app)
{
	uint64_t moving_ns = app->result.verify.wall_ns - app->result.hash_ns + 1;
	uint64_t rounds = MOVE_NS / moving_ns + 1;

	rounds = rounds > MAX_ROUNDS ? MAX_ROUNDS : rounds;
	return app->flow.options.total > UINT64_MAX / MAX_ROUNDS ? 1 : rounds;
}

static void tell_mapped(const struct dx_flow *flow, uint64_t rounds)
{
	struct dx_demo_message message = {.kind = DX_DEMO_MAPPED,
					  .nr_addresses = 2 * DX_DEMO_MAX_BUFFERS,
					  .done = flow->options.total * rounds};

	for (size_t i = 0; i < 2 * DX_DEMO_MAX_BUFFERS; i++) {
		message.addresses[i] = (uintptr_t)flow->buffers[i];
	}
	tell(&message);
	wait_go();
}

static bool run(struct app *app)
{
	struct dx_demo_result *result = &app->result;
	struct dx_demo_message moved = {.kind = DX_DEMO_MOVED};
	uint64_t rounds = 0;

	if (!dx_flow_open(&app->flow) || !dx_flow_pass(&app->flow, true, 1, &result->verify)) {
		return false;
	}
	sha256_digest(&app->flow.hash_out, DX_DEMO_HASH_BYTES, result->hash_out);
	sha256_digest(&app->flow.hash_in, DX_DEMO_HASH_BYTES, result->hash_in);
	result->hash_ns = app->flow.hash_ns;
	rounds = choose_rounds(app);
	tell_mapped(&app->flow, rounds);
	if (!dx_flow_pass(&app->flow, false, rounds, &result->move)) {
		return false;
	}
	tell(&moved);
	wait_go();
	result->nr_calls = app->nr_calls;
	return dx_flow_measure_calls(&app->flow, app->nr_calls, &result->call_p50_ns,
				     &result->call_p99_ns);
}

/* Maps the file for the life of the process. */
static int map_file(const char *path, struct dx_flow_options *options)
{
	DX_CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *address = NULL;

	if (fd < 0 || fstat(fd, &status) < 0) {
		return -errno;
	}
	address = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (address == MAP_FAILED) {
		return -errno;
	}
	options->file = address;
	options->file_length = (uint64_t)status.st_size;
	return 0;
}

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 10);
}

static const char help[] =
	"usage: dext-demo-app FILE TOTAL BUFFERS SIZE DEPTH CALLS\n"
	"The application of 'dext demo', which starts it and hears from it over descriptor 3.\n"
	"\n"
	"  -h, --help     show this text\n"
	"  -V, --version  show the version\n";

int main(int argc, char **argv)
{
	static struct app app; /* 30 KiB of buckets and buffers */
	struct dx_demo_message message = {.kind = DX_DEMO_RESULT};
	int result = 0;

	if (argc == 2) {
		return dx_helper_answer("dext-demo-app", help, argv[1]);
	}
	if (argc != 7) {
		(void)fprintf(stderr, "dext-demo-app: started by 'dext demo', not by hand\n");
		return 2;
	}
	app.nr_calls = number(argv[6]);
	app.flow.options = (struct dx_flow_options){
		.total = number(argv[2]),
		.nr_buffers = (uint32_t)number(argv[3]),
		.size = (uint32_t)number(argv[4]),
		.depth = (uint32_t)number(argv[5]),
	};
	app.flow.progress = tell_progress;
	app.flow.context = &app;
	result = map_file(argv[1], &app.flow.options);
	if (result < 0) {
		return tell_failure(strerror(-result));
	}
	if (!run(&app)) {
		return tell_failure(app.flow.failure);
	}
	dx_flow_close(&app.flow);
	message.result = app.result;
	tell(&message);
	return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 *
 * server - a small driver side for tests; see server.h.
 */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fdpass.h"
#include "test.h"

#define QUANTUM 16u

void pin_to_cpu(int cpu)
{
	cpu_set_t set;

	if (cpu < 0) {
		return;
	}
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	CHECK_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
}

/* ------------------------------------------------------------------------------------------- */
/* What the calls do                                                                           */

struct later {
	struct dx_channel_driver *channel;
	uint64_t id;
	uint64_t tag;
};

static void answer_value(struct dx_channel_driver *channel, uint64_t id, int32_t result,
			 uint64_t value)
{
	struct dx_channel_answer answer = {.result = result, .value = value};

	(void)dx_channel_driver_answer(channel, id, &answer);
}

static void answer_echo(struct dx_channel_driver *channel, const struct dx_channel_call *call)
{
	uint64_t scalars[DX_MAX_SCALARS];
	struct dx_channel_answer answer = {.result = (int32_t)call->flags,
					   .nr_scalars = call->nr_scalars,
					   .nr_bytes = call->nr_bytes,
					   .value = call->tag,
					   .scalars = scalars,
					   .bytes = call->bytes};

	for (unsigned i = 0; i < call->nr_scalars; i++) {
		scalars[i] = call->scalars[i] + 1;
	}
	(void)dx_channel_driver_answer(channel, call->id, &answer);
}

static void *answer_later(void *argument)
{
	const int *input = argument;
	struct later later;

	while (read(*input, &later, sizeof(later)) == (ssize_t)sizeof(later)) {
		answer_value(later.channel, later.id, 0, later.tag);
	}
	return NULL;
}

static void do_notify(struct server *server, unsigned index, const struct dx_channel_call *call)
{
	struct dx_channel_driver *channel = server->channels[index];
	uint64_t args[DX_MAX_ASYNC_ARGUMENTS] = {0};
	int rc = 0;

	if (call->scalars[1] != 0) {
		dx_channel_driver_batch_begin(channel);
	}
	for (uint64_t i = 0; i < call->scalars[0] && rc == 0; i++) {
		uint64_t number = server->next_note[index]++;
		args[0] = number;
		args[15] = ~number;
		rc = dx_channel_driver_notify(channel, DX_CHANNEL_COMPLETION, call->tag,
					      (int32_t)number, args, number % 3 == 0 ? 16 : 1);
	}
	if (call->scalars[1] != 0) {
		dx_channel_driver_batch_end(channel);
	}
	answer_value(channel, call->id, rc, 0);
}

static void ask_again(struct server *server, unsigned index, uint64_t id)
{
	unsigned slot = (unsigned)id % DX_MAX_CALL_SLOTS;
	struct dx_channel_ask ask = {.kind = 77, .flags = 1, .id = id, .length = 4096};

	if (server->asks_left[index][slot] == 0) {
		answer_value(server->channels[index], id, 0, server->sums[index][slot]);
		return;
	}
	ask.address = --server->asks_left[index][slot];
	(void)dx_channel_driver_ask(server->channels[index], id, &ask);
}

static void handle_call(struct server *server, unsigned index, struct dx_channel_call *call)
{
	struct dx_channel_driver *channel = server->channels[index];
	unsigned slot = (unsigned)call->id % DX_MAX_CALL_SLOTS;
	struct later later = {.channel = channel, .id = call->id, .tag = call->tag};

	switch (call->selector) {
	case SELECTOR_ECHO:
		answer_echo(channel, call);
		break;
	case SELECTOR_NOTIFY:
		do_notify(server, index, call);
		break;
	case SELECTOR_ASK:
		server->asks_left[index][slot] = call->scalars[0];
		server->sums[index][slot] = 0;
		ask_again(server, index, call->id);
		break;
	case SELECTOR_DIE:
		(void)kill(getpid(), SIGKILL);
		break;
	case SELECTOR_CLOSE:
		dx_channel_driver_fail(channel, -ECANCELED);
		break;
	case SELECTOR_THREAD:
		CHECK_EQ(write(server->helper_pipe[1], &later, sizeof(later)), sizeof(later));
		break;
	case SELECTOR_BACKLOG:
		answer_value(channel, call->id, 0, dx_channel_driver_backlog(channel));
		break;
	default:
		break; /* hangs */
	}
}

/* ------------------------------------------------------------------------------------------- */
/* The loop                                                                                    */

static unsigned poll_one(struct server *server, unsigned index)
{
	struct dx_channel_driver *channel = server->channels[index];
	struct dx_channel_call call;
	struct dx_channel_reply reply;
	unsigned done = 0;

	for (; done < QUANTUM; done++) {
		int rc = dx_channel_driver_poll(channel, &call, &reply);
		if (rc < 0) {
			server->errors[index] = rc;
			return done;
		}
		if (rc == DX_CHANNEL_NOTHING) {
			return done;
		}
		if (rc == DX_CHANNEL_CALL) {
			server->nr_calls++;
			handle_call(server, index, &call);
		} else {
			server->sums[index][(unsigned)reply.id % DX_MAX_CALL_SLOTS] +=
				reply.value + (uint64_t)(int64_t)reply.status;
			ask_again(server, index, reply.id);
		}
	}
	return done;
}

static unsigned poll_all(struct server *server)
{
	unsigned done = 0;
	uint32_t cpu = dx_wait_cpu();

	for (unsigned i = 0; i < server->options.nr_channels; i++) {
		if (server->errors[i] == 0) {
			dx_channel_driver_set_cpu(server->channels[i], cpu);
			done += poll_one(server, i);
		}
	}
	return done;
}

static bool arm_all(struct server *server)
{
	bool ready = false;

	for (unsigned i = 0; i < server->options.nr_channels; i++) {
		if (server->errors[i] == 0 && dx_channel_driver_arm(server->channels[i])) {
			ready = true;
		}
	}
	return ready;
}

static void disarm_all(struct server *server)
{
	for (unsigned i = 0; i < server->options.nr_channels; i++) {
		dx_channel_driver_disarm(server->channels[i]);
	}
}

/* Milliseconds until the first muted doorbell is to be heard again, -1 for none. */
static int unmute_due(struct server *server)
{
	uint64_t now = dx_clock_now_ns();
	int timeout = -1;

	for (unsigned i = 0; i < server->options.nr_channels; i++) {
		if (server->unmute_at_ns[i] == 0) {
			continue;
		}
		if (server->unmute_at_ns[i] <= now) {
			server->unmute_at_ns[i] = 0;
			dx_channel_driver_unmute(server->channels[i]);
		} else {
			timeout = 1;
		}
	}
	return timeout;
}

/* @return false when told to stop. */
static bool sleep_until_rung(struct server *server)
{
	struct epoll_event events[SERVER_MAX_CHANNELS + 1];
	int timeout = unmute_due(server);
	int nr = epoll_wait(server->epoll_fd, events, SERVER_MAX_CHANNELS + 1, timeout);

	server->nr_parks++;
	disarm_all(server);
	for (int i = 0; i < nr; i++) {
		uint64_t index = events[i].data.u64;
		if (index == UINT64_MAX) {
			/* Acquire pairs with server_stop(): all that the test did is over. */
			return !atomic_load(&server->stopping);
		}
		server->nr_rings++;
		if (server->errors[index] == 0) {
			(void)poll_one(server, (unsigned)index);
			server->unmute_at_ns[index] =
				dx_channel_driver_rang(server->channels[index]);
		}
	}
	return true;
}

static void serve(struct server *server)
{
	struct dx_wait_policy policy;
	uint64_t passes = 0;
	bool go_on = true;

	dx_wait_policy_init(&policy, server->options.budget_ns);
	dx_wait_policy_begin(&policy);
	while (go_on) {
		if (poll_all(server) != 0) {
			dx_wait_policy_end(&policy);
			dx_wait_policy_begin(&policy);
			continue;
		}
		passes++;
		bool at_once = server->options.park_at_once != 0 &&
			       passes % server->options.park_at_once == 0;
		uint32_t peer_cpu = dx_channel_driver_peer_cpu(server->channels[0]);
		if (!at_once && dx_wait_policy_spin(&policy, peer_cpu)) {
			continue;
		}
		if (!arm_all(server)) {
			go_on = sleep_until_rung(server);
		}
	}
}

/* ------------------------------------------------------------------------------------------- */
/* Start and stop                                                                              */

_Atomic uint64_t server_wake_cost_ns;

static uint64_t cpu_time_ns(void)
{
	struct timespec now;

	CHECK_EQ(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void send_wake(void *context)
{
	const int *socket = context;
	char byte = 'n';
	uint64_t end_ns = cpu_time_ns() + server_wake_cost_ns;

	while (cpu_time_ns() < end_ns) {
	}
	(void)send(*socket, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL); /* full is delivered */
}

static void open_channels(struct server *server)
{
	struct epoll_event stop = {.events = EPOLLIN, .data.u64 = UINT64_MAX};

	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	CHECK_GE(server->epoll_fd, 0);
	CHECK_EQ(epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->stop_fd, &stop), 0);
	for (unsigned i = 0; i < server->options.nr_channels; i++) {
		struct dx_channel_driver_options options = {
			.registry = server->options.no_registry ? NULL : &server->registry,
			.notify = send_wake,
			.notify_context = &server->sockets[i][1],
		};
		CHECK_EQ(dx_channel_driver_open(&options, &server->channels[i]), 0);
		CHECK_EQ(dx_channel_driver_listen(server->channels[i], server->epoll_fd, i), 0);
	}
}

static void close_channels(struct server *server)
{
	for (unsigned i = 0; i < server->options.nr_channels; i++) {
		server->channels[i] = dx_channel_driver_close(server->channels[i]);
	}
	dx_fd_close(&server->epoll_fd);
}

static void *run_thread(void *argument)
{
	struct server *server = argument;
	char byte = 'r';

	pin_to_cpu(server->options.cpu);
	CHECK_EQ(dx_alive_registry_init(&server->registry), 0);
	open_channels(server);
	CHECK_EQ(write(server->ready[1], &byte, 1), 1);
	serve(server);
	/* Helpers may still answer; they must be gone before the channels are. */
	dx_fd_close(&server->helper_pipe[1]);
	CHECK_EQ(pthread_join(server->helper, NULL), 0);
	close_channels(server);
	dx_alive_registry_fini(&server->registry);
	return NULL;
}

static void make_fds(struct server *server, const struct server_options *options)
{
	memset(server, 0, sizeof(*server));
	server->options = *options;
	server->control = -1;
	server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK_GE(server->stop_fd, 0);
	CHECK_EQ(pipe2(server->ready, O_CLOEXEC), 0);
	CHECK_EQ(pipe2(server->helper_pipe, O_CLOEXEC), 0);
	for (unsigned i = 0; i < options->nr_channels; i++) {
		CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, server->sockets[i]),
			 0);
	}
}

static void close_fds(struct server *server)
{
	dx_fd_close(&server->stop_fd);
	dx_fd_close(&server->helper_pipe[0]);
	dx_fd_close(&server->helper_pipe[1]);
	dx_fd_close(&server->ready[0]);
	dx_fd_close(&server->ready[1]);
	for (unsigned i = 0; i < server->options.nr_channels; i++) {
		dx_fd_close(&server->sockets[i][0]);
		dx_fd_close(&server->sockets[i][1]);
	}
}

static void start_threads(struct server *server)
{
	char byte = 0;

	CHECK_EQ(pthread_create(&server->helper, NULL, answer_later, &server->helper_pipe[0]), 0);
	CHECK_EQ(pthread_create(&server->thread, NULL, run_thread, server), 0);
	CHECK_EQ(read(server->ready[0], &byte, 1), 1);
}

void server_start(struct server *server, const struct server_options *options)
{
	make_fds(server, options);
	start_threads(server);
}

void server_stop(struct server *server)
{
	uint64_t one = 1;

	atomic_store(&server->stopping, true);
	CHECK_EQ(write(server->stop_fd, &one, sizeof(one)), sizeof(one));
	CHECK_EQ(pthread_join(server->thread, NULL), 0);
	close_fds(server);
}

static void copy_from_driver(struct server *server, unsigned index, int ret_fds[DX_CHANNEL_NR_FDS])
{
	int fds[DX_CHANNEL_NR_FDS];

	dx_channel_driver_fds(server->channels[index], fds);
	for (unsigned i = 0; i < DX_CHANNEL_NR_FDS; i++) {
		ret_fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		CHECK_GE(ret_fds[i], 0);
	}
}

/* In the child: serve until the other end of control is closed. */
static void run_child(struct server *server, int control)
{
	char byte = 0;

	start_threads(server);
	for (unsigned i = 0; i < server->options.nr_channels; i++) {
		int fds[DX_CHANNEL_NR_FDS];
		dx_channel_driver_fds(server->channels[i], fds);
		if (dx_fdpass_send(control, "c", 1, fds, DX_CHANNEL_NR_FDS, 0) < 0) {
			_exit(3);
		}
		dx_channel_driver_sent(server->channels[i]);
	}
	ssize_t got = read(control, &byte, 1);
	server_stop(server);
	_exit(got == 0 ? 0 : 4);
}

void server_fork(struct server *server, const struct server_options *options)
{
	int control[2];

	make_fds(server, options);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	server->process = fork();
	CHECK_GE(server->process, 0);
	if (server->process == 0) {
		dx_fd_close(&control[0]);
		run_child(server, control[1]);
	}
	dx_fd_close(&control[1]);
	server->control = control[0];
	dx_fd_close(&server->helper_pipe[1]); /* the child's helper ends when no end is open */
	for (unsigned i = 0; i < options->nr_channels; i++) {
		dx_fd_close(&server->sockets[i][1]);
	}
}

void server_reap(struct server *server)
{
	int status = 0;

	dx_fd_close(&server->control);
	CHECK_EQ(waitpid(server->process, &status, 0), server->process);
	close_fds(server);
}

void server_copy_fds(struct server *server, unsigned index, int ret_fds[DX_CHANNEL_NR_FDS])
{
	char byte = 0;
	int fds[DX_FDPASS_MAX];

	if (server->process == 0) {
		copy_from_driver(server, index, ret_fds);
		return;
	}
	CHECK_EQ(dx_fdpass_recv(server->control, &byte, 1, fds, DX_CHANNEL_NR_FDS, 0), 1);
	memcpy(ret_fds, fds, DX_CHANNEL_NR_FDS * sizeof(int));
}

struct dx_channel_app *server_app(struct server *server, unsigned index, uint64_t budget_ns)
{
	struct dx_channel_app_options options = {.spin_budget_ns = budget_ns};
	struct dx_channel_app *app = NULL;
	int fds[DX_CHANNEL_NR_FDS];

	server_copy_fds(server, index, fds);
	CHECK_EQ(dx_channel_app_open(&options, fds, &app), 0);
	for (unsigned i = 0; i < DX_CHANNEL_NR_FDS; i++) {
		CHECK_EQ(fds[i], -1);
	}
	return app;
}

/* ------------------------------------------------------------------------------------------- */
/* Calls                                                                                       */

int call_echo(struct dx_channel_app *app, unsigned nr_scalars, uint64_t seed)
{
	uint64_t in[DX_MAX_SCALARS];
	uint64_t out[DX_MAX_SCALARS] = {0};
	struct dx_channel_request request = {.selector = SELECTOR_ECHO,
					     .flags = (uint32_t)seed & 0x7fffffffu,
					     .tag = seed,
					     .scalars = in,
					     .nr_scalars = nr_scalars,
					     .max_scalars = nr_scalars};
	struct dx_channel_response response = {.scalars = out, .nr_scalars = nr_scalars};

	for (unsigned i = 0; i < nr_scalars; i++) {
		in[i] = seed * 31 + i;
	}
	int rc = dx_channel_app_call(app, &request, &response);
	if (rc < 0) {
		return rc;
	}
	CHECK_EQ(response.result, (uint32_t)seed & 0x7fffffffu);
	CHECK_EQ(response.value, seed);
	CHECK_EQ(response.nr_scalars, nr_scalars);
	for (unsigned i = 0; i < nr_scalars; i++) {
		CHECK_EQ(out[i], in[i] + 1);
	}
	return 0;
}

int call_simple(struct dx_channel_app *app, uint64_t selector, uint64_t first, uint64_t second,
		uint64_t *ret_value)
{
	uint64_t in[2] = {first, second};
	struct dx_channel_request request = {
		.selector = selector, .tag = 4711, .scalars = in, .nr_scalars = 2};
	struct dx_channel_response response = {0};
	int rc = dx_channel_app_call(app, &request, &response);

	if (rc < 0) {
		return rc;
	}
	if (ret_value != NULL) {
		*ret_value = response.value;
	}
	return response.result;
}

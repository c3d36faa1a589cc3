/* SPDX-License-Identifier: MIT
 *
 * call_test - calls, answers and questions over a channel, in one process and between two.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "channel/layout.h"
#include "server.h"
#include "test.h"

#define BUDGET 20000u

static const struct server_options one = {.nr_channels = 1, .budget_ns = BUDGET, .cpu = -1};

TEST(call_every_number_of_scalars_comes_back)
{
	struct server server;
	server_start(&server, &one);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);

	for (unsigned nr = 0; nr <= DX_MAX_SCALARS; nr++) {
		CHECK_EQ(call_echo(app, nr, nr * 1000 + 7), 0);
	}
	dx_channel_app_free(app);
	server_stop(&server);
}

static void check_bytes(struct dx_channel_app *app, uint32_t length, uint32_t room)
{
	uint8_t in[DX_MAX_INLINE_BYTES];
	uint8_t out[DX_MAX_INLINE_BYTES + 1];
	struct dx_channel_request request = {
		.selector = SELECTOR_ECHO, .bytes = in, .nr_bytes = length, .max_bytes = room};
	struct dx_channel_response response = {.bytes = out, .nr_bytes = room};

	for (uint32_t i = 0; i < length; i++) {
		in[i] = (uint8_t)(i * 7 + length);
	}
	memset(out, 0xee, sizeof(out));
	CHECK_EQ(dx_channel_app_call(app, &request, &response), 0);
	uint32_t expected = length < room ? length : room;
	CHECK_EQ(response.nr_bytes, expected);
	CHECK_MEM_EQ(in, out, expected);
	for (uint32_t i = expected; i < sizeof(out); i++) {
		CHECK_EQ(out[i], 0xee);
	}
}

TEST(call_every_edge_of_structure_size_comes_back)
{
	static const uint32_t edges[] = {0, 1, 7, 8, 63, 64, 65, 4095, 4096};
	struct server server;
	server_start(&server, &one);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);

	for (unsigned i = 0; i < DX_ARRAY_SIZE(edges); i++) {
		for (unsigned j = 0; j < DX_ARRAY_SIZE(edges); j++) {
			check_bytes(app, edges[i], edges[j]);
		}
	}
	dx_channel_app_free(app);
	server_stop(&server);
}

TEST(call_between_processes_carries_all_fields)
{
	struct server server;
	server_fork(&server, &one);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);

	for (unsigned i = 0; i < 1000; i++) {
		CHECK_EQ(call_echo(app, i % 17, i), 0);
	}
	check_bytes(app, 4096, 4096);
	dx_channel_app_free(app);
	server_reap(&server);
}

TEST(call_fields_reach_the_driver_unchanged)
{
	struct dx_channel_driver_options driver_options = {0};
	struct dx_channel_driver *driver = NULL;
	struct dx_channel_call call;
	struct dx_channel_reply reply;
	int fds[DX_CHANNEL_NR_FDS];

	CHECK_EQ(dx_channel_driver_open(&driver_options, &driver), 0);
	dx_channel_driver_fds(driver, fds);
	void *map = mmap(NULL, sizeof(struct dx_layout_a), PROT_READ | PROT_WRITE, MAP_SHARED,
			 fds[DX_CHANNEL_FD_A], 0);
	CHECK(map != MAP_FAILED);
	struct dx_layout_a *a = map;
	a->requests[3].fields = (struct dx_layout_request_fields){.turn = 9,
								  .kind = 1,
								  .flags = 2,
								  .nr_scalars = 1,
								  .nr_bytes = 3,
								  .max_scalars = 4,
								  .selector = 5,
								  .tag = 6,
								  .max_bytes = UINT64_MAX};
	a->requests[3].more = (struct dx_layout_request_more){
		.in_address = 8, .in_length = 9, .out_address = 10, .out_length = 11};
	a->requests[3].scalars[0] = 12;
	memcpy(a->bytes[3], "abc", 3);
	dx_shared_store_release(&a->sq[0], (uint64_t)1 << 32 | DX_LAYOUT_SUBMIT_LONG << 8 | 3);
	CHECK(dx_channel_driver_is_ready(driver));
	CHECK_EQ(dx_channel_driver_poll(driver, &call, &reply), DX_CHANNEL_CALL);
	CHECK(call.kind == 1 && call.flags == 2 && call.nr_scalars == 1 && call.nr_bytes == 3);
	CHECK(call.max_scalars == 4 && call.selector == 5 && call.tag == 6);
	CHECK(call.max_bytes == UINT64_MAX && call.in_address == 8 && call.in_length == 9);
	CHECK(call.out_address == 10 && call.out_length == 11 && call.scalars[0] == 12);
	CHECK_MEM_EQ(call.bytes, "abc", 3);
	CHECK_EQ(dx_channel_driver_poll(driver, &call, &reply), DX_CHANNEL_NOTHING);
	(void)munmap(map, sizeof(struct dx_layout_a));
	dx_channel_driver_close(driver);
}

TEST(call_with_bad_arguments_is_refused)
{
	struct server server;
	server_start(&server, &one);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);
	struct dx_channel_request good = {.selector = SELECTOR_ECHO};
	struct dx_channel_response response = {0};
	uint64_t scalar = 0;

	struct dx_channel_request bad = good;
	bad.nr_scalars = DX_MAX_SCALARS + 1;
	bad.scalars = &scalar;
	CHECK_EQ(dx_channel_app_call(app, &bad, &response), -EINVAL);
	bad = good;
	bad.max_scalars = DX_MAX_SCALARS + 1;
	CHECK_EQ(dx_channel_app_call(app, &bad, &response), -EINVAL);
	bad = good;
	bad.nr_bytes = DX_MAX_INLINE_BYTES + 1;
	bad.bytes = &scalar;
	CHECK_EQ(dx_channel_app_call(app, &bad, &response), -EINVAL);
	bad = good;
	bad.nr_scalars = 1;
	CHECK_EQ(dx_channel_app_call(app, &bad, &response), -EINVAL);
	bad = good;
	bad.nr_bytes = 1;
	CHECK_EQ(dx_channel_app_call(app, &bad, &response), -EINVAL);
	response.nr_scalars = 1;
	CHECK_EQ(dx_channel_app_call(app, &good, &response), -EINVAL);
	response = (struct dx_channel_response){.nr_bytes = 1};
	CHECK_EQ(dx_channel_app_call(app, &good, &response), -EINVAL);
	CHECK_EQ(dx_channel_app_call(NULL, &good, &response), -EINVAL);
	CHECK_EQ(dx_channel_app_call(app, NULL, &response), -EINVAL);
	CHECK_EQ(dx_channel_app_call(app, &good, NULL), -EINVAL);
	CHECK_EQ(call_echo(app, 16, 1), 0);
	dx_channel_app_free(app);
	server_stop(&server);
}

/* ------------------------------------------------------------------------------------------- */

struct caller {
	struct dx_channel_app *app;
	unsigned number;
	unsigned nr_calls;
	uint64_t selector;
	int result;
	pthread_t thread;
};

static void *call_many(void *argument)
{
	struct caller *caller = argument;

	for (unsigned i = 0; i < caller->nr_calls && caller->result == 0; i++) {
		caller->result = call_echo(caller->app, i % 17, (uint64_t)caller->number << 20 | i);
	}
	return NULL;
}

static void *call_once(void *argument)
{
	struct caller *caller = argument;

	caller->result = call_simple(caller->app, caller->selector, 0, 0, NULL);
	return NULL;
}

static void start_callers(struct caller *callers, unsigned nr, struct caller how,
			  void *(*run)(void *))
{
	for (unsigned i = 0; i < nr; i++) {
		callers[i] = how;
		callers[i].number = i;
		CHECK_EQ(pthread_create(&callers[i].thread, NULL, run, &callers[i]), 0);
	}
}

static void join_callers(struct caller *callers, unsigned nr, int expected)
{
	for (unsigned i = 0; i < nr; i++) {
		CHECK_EQ(pthread_join(callers[i].thread, NULL), 0);
		CHECK_EQ(callers[i].result, expected);
	}
}

TEST_SECONDS(call_from_64_threads_on_one_connection, 60)
{
	struct server server;
	struct caller callers[64];
	server_fork(&server, &one);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);

	start_callers(callers, 64, (struct caller){.app = app, .nr_calls = 500}, call_many);
	join_callers(callers, 64, 0);
	dx_channel_app_free(app);
	server_reap(&server);
}

TEST_SECONDS(call_from_64_threads_in_one_process_without_spinning, 60)
{
	struct server server;
	struct caller callers[64];
	struct server_options options = {.nr_channels = 1, .budget_ns = 0, .cpu = -1};
	server_start(&server, &options);
	struct dx_channel_app *app = server_app(&server, 0, 0);

	start_callers(callers, 64, (struct caller){.app = app, .nr_calls = 200}, call_many);
	join_callers(callers, 64, 0);
	dx_channel_app_free(app);
	server_stop(&server);
	CHECK_EQ(server.nr_calls, 64 * 200);
}

static bool all_slots_hang(void *argument)
{
	struct server *server = argument;

	return server->nr_calls >= DX_MAX_CALL_SLOTS;
}

TEST(close_during_calls_ends_all_of_them)
{
	struct server server;
	struct caller callers[40];
	server_start(&server, &one);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);

	start_callers(callers, 40, (struct caller){.app = app, .selector = SELECTOR_HANG},
		      call_once);
	CHECK(test_wait_until(all_slots_hang, &server, 10000));
	dx_channel_app_close(app);
	join_callers(callers, 40, -ESHUTDOWN);
	CHECK_EQ(call_echo(app, 1, 1), -ESHUTDOWN);
	dx_channel_app_close(app);
	dx_channel_app_free(app);
	server_stop(&server);
}

TEST(answers_come_from_another_thread_in_any_order)
{
	struct server server;
	struct caller callers[20];
	server_start(&server, &one);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);

	start_callers(callers, 20, (struct caller){.app = app, .selector = SELECTOR_THREAD},
		      call_once);
	for (unsigned i = 0; i < 200; i++) {
		CHECK_EQ(call_echo(app, 3, i), 0);
	}
	join_callers(callers, 20, 0);
	dx_channel_app_free(app);
	server_stop(&server);
}

/* ------------------------------------------------------------------------------------------- */

struct asked {
	unsigned times;
	pthread_t thread;
};

static int32_t answer_ask(void *context, const struct dx_channel_ask *ask, uint64_t *ret_value)
{
	struct asked *asked = context;

	CHECK(pthread_equal(asked->thread, pthread_self()));
	CHECK_EQ(ask->kind, 77);
	CHECK_EQ(ask->flags, 1);
	CHECK_EQ(ask->length, 4096);
	asked->times++;
	*ret_value = ask->address * 10;
	return 1;
}

TEST(ask_is_carried_out_on_the_calling_thread)
{
	struct server server;
	struct asked asked = {.thread = pthread_self()};
	uint64_t in[1] = {5};
	struct dx_channel_request request = {.selector = SELECTOR_ASK,
					     .scalars = in,
					     .nr_scalars = 1,
					     .ask = answer_ask,
					     .ask_context = &asked};
	struct dx_channel_response response = {0};
	server_fork(&server, &one);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);

	CHECK_EQ(dx_channel_app_call(app, &request, &response), 0);
	CHECK_EQ(asked.times, 5);
	CHECK_EQ(response.value, (0 + 1 + 2 + 3 + 4) * 10 + 5);
	request.ask = NULL;
	CHECK_EQ(dx_channel_app_call(app, &request, &response), 0);
	CHECK_EQ((int64_t)response.value, 5 * -ENOTSUP);
	CHECK_EQ(call_echo(app, 4, 4), 0);
	dx_channel_app_free(app);
	server_reap(&server);
}

/* ------------------------------------------------------------------------------------------- */

struct manual {
	struct dx_channel_driver *driver;
	struct dx_channel_app *app;
	struct caller caller;
	struct dx_channel_call call;
	struct dx_channel_reply reply;
};

static bool has_call(void *argument)
{
	struct manual *manual = argument;

	return dx_channel_driver_poll(manual->driver, &manual->call, &manual->reply) ==
	       DX_CHANNEL_CALL;
}

static bool has_reply(void *argument)
{
	struct manual *manual = argument;

	return dx_channel_driver_poll(manual->driver, &manual->call, &manual->reply) ==
	       DX_CHANNEL_REPLY;
}

static void manual_open(struct manual *manual)
{
	struct dx_channel_driver_options options = {0};
	struct dx_channel_app_options app_options = {0};
	int fds[DX_CHANNEL_NR_FDS];

	*manual = (struct manual){0};
	CHECK_EQ(dx_channel_driver_open(&options, &manual->driver), 0);
	dx_channel_driver_fds(manual->driver, fds);
	for (unsigned i = 0; i < DX_CHANNEL_NR_FDS; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
	}
	CHECK_EQ(dx_channel_app_open(&app_options, fds, &manual->app), 0);
	dx_channel_driver_sent(manual->driver);
	dx_channel_driver_sent(manual->driver);
}

static void manual_call(struct manual *manual)
{
	manual->caller = (struct caller){.app = manual->app, .selector = SELECTOR_HANG};
	CHECK_EQ(pthread_create(&manual->caller.thread, NULL, call_once, &manual->caller), 0);
	CHECK(test_wait_until(has_call, manual, 10000));
}

static void manual_close(struct manual *manual)
{
	manual->app = dx_channel_app_free(manual->app);
	manual->driver = dx_channel_driver_close(manual->driver);
}

TEST(answer_with_a_wrong_or_old_id_is_refused)
{
	struct manual manual;
	struct dx_channel_answer answer = {.result = 5};
	struct dx_channel_ask ask = {.kind = 1};

	manual_open(&manual);
	CHECK_EQ(dx_channel_driver_answer(manual.driver, 0, &answer), -ESTALE);
	CHECK_EQ(dx_channel_driver_answer(manual.driver, 0xffffffffu, &answer), -ESTALE);
	CHECK_EQ(dx_channel_driver_answer(manual.driver, UINT64_MAX, &answer), -ESTALE);
	CHECK_EQ(dx_channel_driver_ask(manual.driver, 4, &ask), -ESTALE);
	manual_call(&manual);
	CHECK_EQ(dx_channel_driver_answer(manual.driver, manual.call.id + 1, &answer), -ESTALE);
	CHECK_EQ(dx_channel_driver_ask(manual.driver, manual.call.id, &ask), 0);
	/* The caller may have replied by now, but nobody has polled. */
	CHECK_EQ(dx_channel_driver_ask(manual.driver, manual.call.id, &ask), -EBUSY);
	CHECK_EQ(dx_channel_driver_answer(manual.driver, manual.call.id, &answer), -EBUSY);
	CHECK(test_wait_until(has_reply, &manual, 10000));
	CHECK_EQ(manual.reply.id, manual.call.id);
	CHECK_EQ(manual.reply.status, -ENOTSUP);
	CHECK_EQ(dx_channel_driver_answer(manual.driver, manual.call.id, &answer), 0);
	join_callers(&manual.caller, 1, 5);
	CHECK_EQ(dx_channel_driver_answer(manual.driver, manual.call.id, &answer), -ESTALE);
	uint64_t old = manual.call.id;
	manual_call(&manual);
	CHECK_NE(manual.call.id, old);
	CHECK_EQ(dx_channel_driver_answer(manual.driver, old, &answer), -ESTALE);
	CHECK_EQ(dx_channel_driver_answer(manual.driver, manual.call.id, &answer), 0);
	join_callers(&manual.caller, 1, 5);
	manual_close(&manual);
}

TEST(answer_over_the_limits_is_refused)
{
	struct manual manual;
	struct dx_channel_answer answer = {.nr_scalars = DX_MAX_SCALARS + 1};
	uint64_t scalars[DX_MAX_SCALARS] = {0};

	manual_open(&manual);
	manual_call(&manual);
	answer.scalars = scalars;
	CHECK_EQ(dx_channel_driver_answer(manual.driver, manual.call.id, &answer), -EINVAL);
	answer = (struct dx_channel_answer){.nr_scalars = 1};
	CHECK_EQ(dx_channel_driver_answer(manual.driver, manual.call.id, &answer), -EINVAL);
	answer = (struct dx_channel_answer){.nr_bytes = 1};
	CHECK_EQ(dx_channel_driver_answer(manual.driver, manual.call.id, &answer), -EINVAL);
	answer = (struct dx_channel_answer){.nr_bytes = 4097, .bytes = scalars};
	CHECK_EQ(dx_channel_driver_answer(manual.driver, manual.call.id, &answer), -EINVAL);
	answer = (struct dx_channel_answer){.nr_scalars = 16, .scalars = scalars};
	CHECK_EQ(dx_channel_driver_answer(manual.driver, manual.call.id, &answer), 0);
	join_callers(&manual.caller, 1, 0);
	manual_close(&manual);
}

TEST(open_refuses_null)
{
	struct dx_channel_driver_options options = {0};
	struct dx_channel_app_options app_options = {0};
	struct dx_channel_driver *driver = NULL;
	struct dx_channel_app *app = NULL;
	int fds[DX_CHANNEL_NR_FDS] = {-1, -1, -1};

	CHECK_EQ(dx_channel_driver_open(NULL, &driver), -EINVAL);
	CHECK_EQ(dx_channel_driver_open(&options, NULL), -EINVAL);
	CHECK_EQ(dx_channel_app_open(NULL, fds, &app), -EINVAL);
	CHECK_EQ(dx_channel_app_open(&app_options, NULL, &app), -EINVAL);
	CHECK_EQ(dx_channel_app_open(&app_options, fds, NULL), -EINVAL);
	CHECK(dx_channel_driver_close(NULL) == NULL);
	CHECK(dx_channel_app_free(NULL) == NULL);
}

TEST(open_without_descriptors_left_fails_cleanly)
{
	struct dx_channel_driver_options options = {0};
	struct rlimit before;
	unsigned nr_fds = test_count_fds();
	int rc = 0;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
	/* Room for none, for D, for D and A; each limit is above those that are open. */
	for (unsigned extra = 0; extra < 4; extra++) {
		struct dx_channel_driver *driver = NULL;
		int lowest = fcntl(0, F_DUPFD_CLOEXEC, 0);
		CHECK_GE(lowest, 0);
		dx_fd_close(&lowest);
		lowest = fcntl(0, F_DUPFD_CLOEXEC, 0);
		struct rlimit low = {.rlim_cur = (rlim_t)lowest + extra,
				     .rlim_max = before.rlim_max};
		dx_fd_close(&lowest);
		CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
		rc = dx_channel_driver_open(&options, &driver);
		CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
		CHECK_EQ(rc, extra < 3 ? -EMFILE : 0);
		driver = dx_channel_driver_close(driver);
		CHECK_EQ(test_count_fds(), nr_fds);
	}
}

TEST(listen_twice_or_on_no_epoll_set_is_refused)
{
	struct dx_channel_driver_options options = {0};
	struct dx_channel_driver *driver = NULL;
	DX_CLEANUP_FD int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	CHECK_EQ(dx_channel_driver_open(&options, &driver), 0);
	CHECK_EQ(dx_channel_driver_listen(driver, -1, 1), -EBADF);
	dx_channel_driver_unmute(driver);
	CHECK_EQ(dx_channel_driver_listen(driver, epoll_fd, 1), 0);
	CHECK_EQ(dx_channel_driver_listen(driver, epoll_fd, 1), -EBUSY);
	dx_channel_driver_close(driver);
}

/* All the memory that an idle connection keeps on both sides, after a few scalar calls. */
TEST(an_idle_connection_holds_four_pages)
{
	struct server server;
	struct stat d;
	struct stat a;
	int fds[DX_CHANNEL_NR_FDS];
	server_start(&server, &one);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);

	for (unsigned i = 0; i < 10; i++) {
		CHECK_EQ(call_echo(app, 16, i), 0);
	}
	server_copy_fds(&server, 0, fds);
	CHECK_EQ(fstat(fds[0], &d), 0);
	CHECK_EQ(fstat(fds[1], &a), 0);
	CHECK_EQ(d.st_blocks * 512, 4096);
	CHECK_EQ(a.st_blocks * 512, 2 * 4096);
	for (unsigned i = 0; i < DX_CHANNEL_NR_FDS; i++) {
		dx_fd_close(&fds[i]);
	}
	dx_channel_app_free(app);
	server_stop(&server);
}

TEST(use_in_a_child_of_fork_is_refused)
{
	struct server server;
	struct dx_channel_note note;
	int status = 0;
	server_start(&server, &one);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);

	CHECK_EQ(call_echo(app, 1, 1), 0);
	pid_t child = fork();
	CHECK_GE(child, 0);
	if (child == 0) {
		bool good = call_echo(app, 1, 1) == -ECHILD &&
			    dx_channel_app_next(app, &note) == -ECHILD &&
			    dx_channel_app_wait(app, 1) == -ECHILD &&
			    dx_channel_app_arm(app, 1) == -ECHILD && !dx_channel_app_spin(app);
		dx_channel_app_disarm(app);
		dx_channel_app_close(app);
		dx_channel_app_free(app);
		_exit(good ? 0 : 1);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK_EQ(call_echo(app, 1, 1), 0);
	dx_channel_app_free(app);
	server_stop(&server);
}

TEST(a_channel_opened_in_a_child_works_there)
{
	struct server server;
	int fds[DX_CHANNEL_NR_FDS];
	int status = 0;
	struct server_options two = {.nr_channels = 2, .budget_ns = BUDGET, .cpu = -1};
	server_start(&server, &two);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);

	server_copy_fds(&server, 1, fds);
	pid_t child = fork();
	CHECK_GE(child, 0);
	if (child == 0) {
		struct dx_channel_app_options options = {.spin_budget_ns = BUDGET};
		struct dx_channel_app *own = NULL;
		bool good = dx_channel_app_open(&options, fds, &own) == 0 &&
			    call_echo(own, 16, 99) == 0 && call_echo(app, 1, 1) == -ECHILD;
		dx_channel_app_free(own);
		_exit(good ? 0 : 1);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	for (unsigned i = 0; i < DX_CHANNEL_NR_FDS; i++) {
		dx_fd_close(&fds[i]);
	}
	dx_channel_app_free(app);
	server_stop(&server);
}

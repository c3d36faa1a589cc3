/* SPDX-License-Identifier: MIT
 *
 * loop_test - descriptors, timers, signals, and changes from inside of callbacks.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/loop.h"

#define MS 1000000u

struct state {
	struct dx_loop *loop;
	struct dx_loop_source *sources[4];
	int fds[4];
	int nr_calls;
	int order;
	int signal;
};

static struct dx_loop *new_loop(void)
{
	struct dx_loop *loop = NULL;

	CHECK_EQ(dx_loop_new(&loop), 0);
	return loop;
}

static int ready_fd(void)
{
	return eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
}

static void count_fd(void *context, int fd, uint32_t events)
{
	struct state *state = context;

	CHECK_EQ(fd, state->fds[0]);
	CHECK_EQ(events, EPOLLIN);
	state->nr_calls++;
}

TEST(loop_calls_for_a_ready_descriptor_until_it_is_removed)
{
	struct state state = {.loop = new_loop(), .fds = {ready_fd()}};

	CHECK_EQ(dx_loop_add_fd(state.loop, state.fds[0], EPOLLIN, count_fd, &state,
				&state.sources[0]),
		 0);
	CHECK_EQ(dx_loop_run_once(state.loop, 0), 1);
	CHECK_EQ(dx_loop_run_once(state.loop, -1), 1);
	CHECK_EQ(dx_loop_set_events(state.sources[0], 0), 0);
	CHECK_EQ(dx_loop_run_once(state.loop, 0), 0);
	CHECK_EQ(dx_loop_set_events(state.sources[0], EPOLLIN), 0);
	CHECK_EQ(dx_loop_run_once(state.loop, 0), 1);
	CHECK(dx_loop_source_remove(state.sources[0]) == NULL);
	CHECK_EQ(dx_loop_run_once(state.loop, 0), 0);
	CHECK_EQ(state.nr_calls, 3);
	dx_fd_close(&state.fds[0]);
	CHECK(dx_loop_free(state.loop) == NULL);
	CHECK(dx_loop_free(NULL) == NULL);
	CHECK(dx_loop_source_remove(NULL) == NULL);
}

TEST(loop_add_reports_what_epoll_reports)
{
	struct state state = {.loop = new_loop(), .fds = {ready_fd()}};
	DX_CLEANUP_FD int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct dx_loop_source *source = NULL;

	CHECK_EQ(dx_loop_add_fd(state.loop, state.fds[0], EPOLLIN, count_fd, &state, &source), 0);
	CHECK_EQ(dx_loop_add_fd(state.loop, state.fds[0], EPOLLIN, count_fd, &state, &source),
		 -EEXIST);
	CHECK_EQ(dx_loop_add_fd(state.loop, file, EPOLLIN, count_fd, &state, &source), -EPERM);
	CHECK_EQ(dx_loop_add_fd(state.loop, -1, EPOLLIN, count_fd, &state, &source), -EBADF);
	dx_loop_free(state.loop); /* with a source in it */
	dx_fd_close(&state.fds[0]);
}

/* Removes every source, its own included; whoever comes first must be the only one called. */
static void remove_all(void *context, int fd, uint32_t events)
{
	struct state *state = context;

	(void)fd;
	(void)events;
	state->nr_calls++;
	for (int i = 0; i < 4; i++) {
		state->sources[i] = dx_loop_source_remove(state->sources[i]);
	}
}

TEST(loop_source_removed_by_another_in_the_same_round_is_not_called)
{
	struct state state = {.loop = new_loop()};

	for (int i = 0; i < 4; i++) {
		state.fds[i] = ready_fd();
		CHECK_EQ(dx_loop_add_fd(state.loop, state.fds[i], EPOLLIN, remove_all, &state,
					&state.sources[i]),
			 0);
	}
	CHECK_EQ(dx_loop_run_once(state.loop, 0), 1);
	CHECK_EQ(dx_loop_run_once(state.loop, 0), 0);
	CHECK_EQ(state.nr_calls, 1);
	for (int i = 0; i < 4; i++) {
		dx_fd_close(&state.fds[i]);
	}
	dx_loop_free(state.loop);
}

static void add_another(void *context, int fd, uint32_t events)
{
	struct state *state = context;

	(void)fd;
	(void)events;
	state->sources[0] = dx_loop_source_remove(state->sources[0]);
	CHECK_EQ(dx_loop_add_fd(state->loop, state->fds[0], EPOLLIN, count_fd, state,
				&state->sources[1]),
		 0);
}

TEST(loop_callback_may_add_its_descriptor_again)
{
	struct state state = {.loop = new_loop(), .fds = {ready_fd()}};

	CHECK_EQ(dx_loop_add_fd(state.loop, state.fds[0], EPOLLIN, add_another, &state,
				&state.sources[0]),
		 0);
	CHECK_EQ(dx_loop_run_once(state.loop, 0), 1);
	CHECK_EQ(dx_loop_run_once(state.loop, 0), 1);
	CHECK_EQ(state.nr_calls, 1);
	dx_loop_free(state.loop);
	dx_fd_close(&state.fds[0]);
}

static void note(struct state *state, int digit)
{
	state->order = state->order * 10 + digit;
}

static void timer_one(void *context)
{
	note(context, 1);
}

static void timer_two(void *context)
{
	note(context, 2);
}

static void timer_stop(void *context)
{
	struct state *state = context;

	note(state, 9);
	dx_loop_stop(state->loop);
}

TEST(loop_timers_fire_once_in_order_of_their_deadlines)
{
	struct state state = {.loop = new_loop()};
	uint64_t now_ns = dx_clock_now_ns();

	CHECK_EQ(dx_loop_add_timer(state.loop, timer_stop, &state, &state.sources[0]), 0);
	CHECK_EQ(dx_loop_add_timer(state.loop, timer_two, &state, &state.sources[1]), 0);
	CHECK_EQ(dx_loop_add_timer(state.loop, timer_one, &state, &state.sources[2]), 0);
	CHECK_EQ(dx_loop_add_timer(state.loop, timer_one, &state, &state.sources[3]), 0);
	dx_loop_set_timer(state.sources[0], now_ns + 30 * MS);
	dx_loop_set_timer(state.sources[1], now_ns + 20 * MS);
	dx_loop_set_timer(state.sources[2], now_ns + 10 * MS);
	dx_loop_set_timer(state.sources[3], now_ns + 10 * MS);
	dx_loop_set_timer(state.sources[3], 0);
	CHECK_EQ(dx_loop_run(state.loop), 0);
	CHECK(dx_clock_now_ns() >= now_ns + 30 * MS);
	CHECK_EQ(state.order, 129);
	dx_loop_free(state.loop);
}

TEST(loop_timer_past_its_deadline_fires_at_once_and_never_early)
{
	struct state state = {.loop = new_loop()};

	CHECK_EQ(dx_loop_add_timer(state.loop, timer_one, &state, &state.sources[0]), 0);
	CHECK_EQ(dx_loop_run_once(state.loop, 0), 0);
	dx_loop_set_timer(state.sources[0], 1);
	CHECK_EQ(dx_loop_run_once(state.loop, -1), 1);
	dx_loop_set_timer(state.sources[0], dx_clock_now_ns() + 1000 * MS);
	CHECK_EQ(dx_loop_run_once(state.loop, 1), 0);
	dx_loop_set_timer(state.sources[0], UINT64_MAX);
	CHECK_EQ(dx_loop_run_once(state.loop, 1), 0);
	dx_loop_free(state.loop);
}

static void set_again(void *context)
{
	struct state *state = context;

	if (++state->nr_calls == 3) {
		dx_loop_stop(state->loop);
	}
	dx_loop_set_timer(state->sources[0], 1);
}

TEST(loop_timer_that_sets_itself_does_not_hold_the_round)
{
	struct state state = {.loop = new_loop()};

	CHECK_EQ(dx_loop_add_timer(state.loop, set_again, &state, &state.sources[0]), 0);
	dx_loop_set_timer(state.sources[0], 1);
	CHECK_EQ(dx_loop_run_once(state.loop, 0), 1);
	CHECK_EQ(dx_loop_run(state.loop), 0);
	CHECK_EQ(state.nr_calls, 3);
	dx_loop_free(state.loop);
}

static void remove_second_timer(void *context)
{
	struct state *state = context;

	state->nr_calls++;
	state->sources[1] = dx_loop_source_remove(state->sources[1]);
}

TEST(loop_timer_removed_by_another_that_is_due_does_not_fire)
{
	struct state state = {.loop = new_loop()};

	CHECK_EQ(dx_loop_add_timer(state.loop, remove_second_timer, &state, &state.sources[0]), 0);
	CHECK_EQ(dx_loop_add_timer(state.loop, timer_one, &state, &state.sources[1]), 0);
	dx_loop_set_timer(state.sources[0], 1);
	dx_loop_set_timer(state.sources[1], 2);
	CHECK_EQ(dx_loop_run_once(state.loop, 0), 1);
	CHECK_EQ(state.order, 0);
	dx_loop_free(state.loop);
}

static void on_signal(void *context, int signal)
{
	struct state *state = context;

	state->signal = signal;
	dx_loop_stop(state->loop);
}

TEST(loop_delivers_signals_as_calls)
{
	struct state state = {.loop = new_loop()};
	const int signals[] = {SIGTERM, SIGUSR1};

	CHECK_EQ(dx_loop_add_signals(state.loop, signals, 2, on_signal, &state, &state.sources[0]),
		 0);
	CHECK_EQ(raise(SIGUSR1), 0);
	CHECK_EQ(dx_loop_run(state.loop), 0);
	CHECK_EQ(state.signal, SIGUSR1);
	CHECK_EQ(kill(getpid(), SIGTERM), 0);
	CHECK_EQ(dx_loop_run(state.loop), 0);
	CHECK_EQ(state.signal, SIGTERM);
	dx_loop_source_remove(state.sources[0]);
	dx_loop_free(state.loop);
}

TEST(loop_signal_that_does_not_exist_is_refused)
{
	struct state state = {.loop = new_loop()};
	const int bad = 12345;

	CHECK_EQ(dx_loop_add_signals(state.loop, &bad, 1, on_signal, &state, &state.sources[0]),
		 -EINVAL);
	CHECK(state.sources[0] == NULL);
	dx_loop_free(state.loop);
}

TEST(loop_without_free_descriptors_is_an_error)
{
	const int signal = SIGUSR1;
	struct state state = {.loop = new_loop()};
	struct dx_loop *second = NULL;
	struct rlimit before;
	struct rlimit limit;
	DX_CLEANUP_FD int next = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0); /* lowest that is free */
	rlim_t nr_fds = (rlim_t)next;

	dx_fd_close(&next);

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (unsigned more = 0; more < 2; more++) {
		limit = (struct rlimit){.rlim_cur = nr_fds + more, .rlim_max = before.rlim_max};
		CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
		CHECK_EQ(dx_loop_new(&second), -EMFILE);
	}
	limit.rlim_cur = nr_fds;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK_EQ(dx_loop_add_signals(state.loop, &signal, 1, on_signal, &state, &state.sources[0]),
		 -EMFILE);
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
	dx_loop_free(state.loop);
}

static void *stop_from_thread(void *loop)
{
	dx_loop_stop(loop);
	return NULL;
}

TEST(loop_stop_works_from_another_thread_and_before_the_run)
{
	struct dx_loop *loop = new_loop();
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, stop_from_thread, loop), 0);
	CHECK_EQ(dx_loop_run(loop), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	dx_loop_stop(loop);
	CHECK_EQ(dx_loop_run(loop), 0);
	CHECK_EQ(dx_loop_run_once(loop, 0), 0); /* the stop has been used up */
	dx_loop_free(loop);
}

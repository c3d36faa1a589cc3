/* SPDX-License-Identifier: MIT
 *
 * death_test - the driver dies, closes or cuts the connection while the application waits.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/futex.h"
#include "channel/layout.h"
#include "server.h"
#include "test.h"

#define BUDGET     20000u
#define NR_WAITERS 24u /* more than slots */

static const struct server_options one = {.nr_channels = 1, .budget_ns = BUDGET, .cpu = -1};

struct waiter {
	struct dx_channel_app *app;
	uint64_t selector; /* 0: waits for a notification */
	int result;
	_Atomic uint64_t ended_ns;
	pthread_t thread;
};

static void *wait_for_end(void *argument)
{
	struct waiter *waiter = argument;

	waiter->result = waiter->selector == 0
				 ? dx_channel_app_wait(waiter->app, 0)
				 : call_simple(waiter->app, waiter->selector, 0, 0, NULL);
	atomic_store(&waiter->ended_ns, dx_clock_now_ns());
	return NULL;
}

static void start_waiters(struct waiter *waiters, struct dx_channel_app *app)
{
	struct timespec moment = {.tv_nsec = 50000000};

	for (unsigned i = 0; i < NR_WAITERS; i++) {
		waiters[i] = (struct waiter){.app = app, .selector = i == 0 ? 0 : SELECTOR_HANG};
		CHECK_EQ(pthread_create(&waiters[i].thread, NULL, wait_for_end, &waiters[i]), 0);
	}
	(void)nanosleep(&moment, NULL); /* most of them sleep by now; no result depends on it */
}

/* @return the time of the last to end. */
static uint64_t join_waiters(struct waiter *waiters, int expected)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < NR_WAITERS; i++) {
		CHECK_EQ(pthread_join(waiters[i].thread, NULL), 0);
		CHECK_EQ(waiters[i].result, expected);
		if (waiters[i].ended_ns > last) {
			last = waiters[i].ended_ns;
		}
	}
	return last;
}

static void kill_under_waiters(int signal)
{
	struct server server;
	struct waiter waiters[NR_WAITERS];
	struct dx_channel_note note;
	server_fork(&server, &one);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);

	CHECK_EQ(call_echo(app, 3, 3), 0);
	start_waiters(waiters, app);
	uint64_t start = dx_clock_now_ns();
	CHECK_EQ(kill(server.process, signal), 0);
	uint64_t last = join_waiters(waiters, -EOWNERDEAD);
	printf("all of %u returned %llu us after the kill\n", NR_WAITERS,
	       (unsigned long long)(last - start) / 1000);
	CHECK_LT(last - start, 1000000000);
	CHECK_EQ(call_echo(app, 3, 3), -EOWNERDEAD);
	CHECK_EQ(dx_channel_app_next(app, &note), -EOWNERDEAD);
	CHECK_EQ(dx_channel_app_arm(app, 1), -EOWNERDEAD);
	CHECK_EQ(dx_channel_app_wait(app, 0), -EOWNERDEAD);
	dx_channel_app_free(app);
	server_reap(&server);
}

TEST(kill_of_the_driver_ends_every_wait)
{
	kill_under_waiters(SIGKILL);
}

/* Kernels before 5.16 and some sandboxes have no futex_waitv. */
static void forbid_futex_waitv(unsigned error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 449, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = code};

	CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

TEST(kill_of_the_driver_ends_every_wait_on_an_old_kernel)
{
	forbid_futex_waitv(ENOSYS);
	kill_under_waiters(SIGKILL);
}

TEST(kill_of_the_driver_ends_every_wait_in_a_sandbox)
{
	forbid_futex_waitv(EPERM);
	kill_under_waiters(SIGKILL);
}

TEST(abort_of_the_driver_ends_every_wait)
{
	kill_under_waiters(SIGTERM);
}

TEST(driver_that_dies_inside_a_call_ends_that_call)
{
	for (unsigned i = 0; i < 20; i++) {
		struct server server;
		server_fork(&server, &one);
		struct dx_channel_app *app = server_app(&server, 0, i % 2 == 0 ? 0 : BUDGET);
		CHECK_EQ(call_simple(app, SELECTOR_DIE, 0, 0, NULL), -EOWNERDEAD);
		dx_channel_app_free(app);
		server_reap(&server);
	}
}

TEST(notifications_published_before_death_are_taken)
{
	struct server server;
	struct dx_channel_note note;
	server_fork(&server, &one);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);

	CHECK_EQ(call_simple(app, SELECTOR_NOTIFY, 50, 0, NULL), 0);
	CHECK_EQ(call_simple(app, SELECTOR_DIE, 0, 0, NULL), -EOWNERDEAD);
	CHECK_EQ(dx_channel_app_arm(app, 1), 1);
	CHECK_EQ(dx_channel_app_wait(app, 0), 1);
	for (unsigned i = 0; i < 50; i++) {
		CHECK_EQ(dx_channel_app_next(app, &note), 1);
	}
	CHECK_EQ(dx_channel_app_next(app, &note), -EOWNERDEAD);
	dx_channel_app_free(app);
	server_reap(&server);
}

TEST(clean_close_ends_every_wait)
{
	struct server server;
	struct waiter waiters[NR_WAITERS];
	server_start(&server, &one);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);

	start_waiters(waiters, app);
	server_stop(&server);
	(void)join_waiters(waiters, -ECONNRESET);
	CHECK_EQ(call_echo(app, 0, 0), -ECONNRESET);
	dx_channel_app_free(app);
}

TEST(a_connection_cut_by_the_driver_ends_every_wait_and_no_other)
{
	struct server server;
	struct waiter waiters[NR_WAITERS];
	struct server_options two = {.nr_channels = 2, .budget_ns = BUDGET, .cpu = -1};
	server_start(&server, &two);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);
	struct dx_channel_app *other = server_app(&server, 1, BUDGET);

	CHECK_EQ(call_simple(app, SELECTOR_CLOSE, 0, 0, NULL), -ECONNRESET);
	start_waiters(waiters, app);
	(void)join_waiters(waiters, -ECONNRESET);
	CHECK_EQ(call_echo(other, 16, 5), 0);
	dx_channel_app_free(app);
	dx_channel_app_free(other);
	server_stop(&server);
	CHECK_EQ(server.errors[0], -ECANCELED);
	CHECK_EQ(server.errors[1], 0);
}

/* ------------------------------------------------------------------------------------------- */

struct gone {
	pid_t process;
	_Atomic unsigned asked;
};

static bool has_gone(void *context)
{
	struct gone *gone = context;
	siginfo_t info = {0};

	gone->asked++;
	return waitid(P_PID, (id_t)gone->process, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == gone->process;
}

TEST(an_unwatched_driver_is_missed_after_a_while)
{
	struct server server;
	struct server_options options = one;
	struct gone gone = {0};
	struct dx_channel_app *app = NULL;
	struct dx_channel_app_options app_options = {.gone = has_gone, .gone_context = &gone};
	int fds[DX_CHANNEL_NR_FDS];
	options.no_registry = true;
	server_fork(&server, &options);
	server_copy_fds(&server, 0, fds);
	CHECK_EQ(dx_channel_app_open(&app_options, fds, &app), 0);
	gone.process = server.process;

	CHECK_EQ(call_echo(app, 2, 2), 0);
	CHECK_EQ(call_simple(app, SELECTOR_DIE, 0, 0, NULL), -EOWNERDEAD);
	CHECK_GE(gone.asked, 1);
	dx_channel_app_free(app);
	server_reap(&server);
}

TEST(an_unwatched_driver_closes_cleanly)
{
	struct server server;
	struct server_options options = one;
	struct waiter waiters[NR_WAITERS];
	options.no_registry = true;
	server_start(&server, &options);
	struct dx_channel_app *app = server_app(&server, 0, BUDGET);

	start_waiters(waiters, app);
	server_stop(&server);
	(void)join_waiters(waiters, -ECONNRESET);
	dx_channel_app_free(app);
}

/* ------------------------------------------------------------------------------------------- */

#define NR_MANY (DX_ALIVE_MAX + 3)

TEST(entries_above_the_limit_of_the_kernel_are_not_watched)
{
	struct dx_alive_registry registry;
	char *memory = mmap(NULL, DX_ALIVE_DISTANCE * 2 + NR_MANY * 64, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);

	/* Entries of 64 bytes, words one distance behind: the areas of both must not overlap. */
	_Static_assert(sizeof(struct dx_alive_entry) <= 64, "as laid out here");
	unsigned nr = 0;
	CHECK_EQ(dx_alive_registry_init(&registry), 0);
	for (unsigned block = 0; nr < NR_MANY; block++) {
		char *base = mmap(NULL, DX_ALIVE_DISTANCE * 2, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(base != MAP_FAILED);
		for (unsigned i = 0; i < DX_ALIVE_DISTANCE / 64 && nr < NR_MANY; i++, nr++) {
			struct dx_alive_entry *entry = (void *)(base + i * 64);
			struct dx_shared_u32 *word = (void *)(base + DX_ALIVE_DISTANCE + i * 64);
			bool watched = dx_alive_add(&registry, entry, word);
			CHECK_EQ(watched, nr < DX_ALIVE_MAX);
			uint32_t value = dx_shared_load_relaxed(word);
			CHECK_EQ(dx_alive_is_watched(value), watched);
			CHECK(!dx_alive_is_dead(value) && !dx_alive_is_closed(value));
			((struct dx_alive_entry **)(void *)memory)[nr] = entry;
		}
	}
	/* From the middle, the end, the start. */
	for (unsigned i = 0; i < NR_MANY; i++) {
		unsigned pick = (i * 701u) % NR_MANY;
		struct dx_alive_entry *entry = ((struct dx_alive_entry **)(void *)memory)[pick];
		dx_alive_remove(&registry, entry);
		dx_alive_remove(&registry, entry);
		CHECK(dx_alive_is_closed(dx_shared_load_relaxed(entry->word)));
	}
	dx_alive_registry_fini(&registry);
}

static void *own_and_end(void *argument)
{
	char *base = argument;
	/* It dies with this thread's stack still mapped by nobody: so it is on the heap. */
	struct dx_alive_registry *registry = calloc(1, sizeof(*registry));

	CHECK(registry != NULL);
	CHECK_EQ(dx_alive_registry_init(registry), 0);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(dx_alive_add(registry, (void *)(base + i * 64),
				   (void *)(base + DX_ALIVE_DISTANCE + i * 64)));
	}
	dx_alive_remove(registry, (void *)(base + 64));
	return registry;
}

TEST(the_end_of_the_owning_thread_marks_its_words)
{
	pthread_t thread;
	void *registry = NULL;
	char *base = mmap(NULL, DX_ALIVE_DISTANCE * 2, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(base != MAP_FAILED);

	CHECK_EQ(pthread_create(&thread, NULL, own_and_end, base), 0);
	CHECK_EQ(pthread_join(thread, &registry), 0);
	for (unsigned i = 0; i < 3; i++) {
		struct dx_shared_u32 *word = (void *)(base + DX_ALIVE_DISTANCE + i * 64);
		CHECK_EQ(dx_alive_is_dead(dx_shared_load_acquire(word)), i != 1);
		CHECK_EQ(dx_alive_is_closed(dx_shared_load_acquire(word)), i == 1);
	}
	free(registry);
}

/* Adds and removes entries for ever, until it is killed at some instruction. */
static void churn(char *base, int ready)
{
	struct dx_alive_registry registry;
	unsigned random = 1;
	bool is_on[62] = {false};

	if (dx_alive_registry_init(&registry) < 0) {
		_exit(1);
	}
	/* Always there: the first added, hence the end of the list. */
	(void)dx_alive_add(&registry, (void *)(base + 63 * 64),
			   (void *)(base + DX_ALIVE_DISTANCE + 63 * 64));
	(void)!write(ready, "r", 1);
	for (;;) {
		random = random * 1103515245u + 12345u;
		unsigned i = random / 65536 % 62;
		void *entry = base + i * 64;
		if (is_on[i]) {
			dx_alive_remove(&registry, entry);
		} else {
			(void)dx_alive_add(&registry, entry,
					   (void *)(base + DX_ALIVE_DISTANCE + i * 64));
		}
		is_on[i] = !is_on[i];
	}
}

TEST_SECONDS(the_list_is_whole_whenever_the_process_is_killed, 60)
{
	for (unsigned round = 0; round < 200; round++) {
		struct timespec moment = {.tv_nsec = 100000 + round * 1000};
		int ready[2];
		char byte = 0;
		char *base = mmap(NULL, DX_ALIVE_DISTANCE * 2, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		CHECK(base != MAP_FAILED);
		CHECK_EQ(pipe(ready), 0);
		pid_t child = fork();
		CHECK_GE(child, 0);
		if (child == 0) {
			churn(base, ready[1]);
		}
		CHECK_EQ(read(ready[0], &byte, 1), 1);
		(void)nanosleep(&moment, NULL);
		CHECK_EQ(kill(child, SIGKILL), 0);
		CHECK_EQ(waitpid(child, NULL, 0), child);
		struct dx_shared_u32 *last = (void *)(base + DX_ALIVE_DISTANCE + 63 * 64);
		CHECK(dx_alive_is_dead(dx_shared_load_acquire(last)));
		dx_fd_close(&ready[0]);
		dx_fd_close(&ready[1]);
		(void)munmap(base, DX_ALIVE_DISTANCE * 2);
	}
}

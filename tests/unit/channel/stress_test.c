/* SPDX-License-Identifier: MIT
 *
 * stress_test - both sides park at random moments; a lost wake-up is a test that never ends.
 */
#include <pthread.h>
#include <sched.h>

#include "server.h"
#include "test.h"

#define NR_THREADS 4u

struct caller {
	struct dx_channel_app *app;
	unsigned number;
	unsigned nr_calls;
	pthread_t thread;
};

static void *call_and_dawdle(void *argument)
{
	struct caller *caller = argument;
	unsigned random = caller->number + 1;

	for (unsigned i = 0; i < caller->nr_calls; i++) {
		random = random * 1103515245u + 12345u;
		/* From at once to about the time that the server needs to fall asleep. */
		for (volatile unsigned pause = random / 65536 % 4000; pause > 0; pause--) {
		}
		CHECK_EQ(call_echo(caller->app, i % 17, (uint64_t)caller->number << 32 | i), 0);
		if (i % 16 == 0) {
			CHECK_EQ(call_simple(caller->app, SELECTOR_NOTIFY, 1, 0, NULL), 0);
		}
	}
	return NULL;
}

static void *take_notes(void *argument)
{
	struct caller *caller = argument;
	struct dx_channel_note note;

	for (unsigned taken = 0; taken < caller->nr_calls;) {
		CHECK_EQ(dx_channel_app_wait(caller->app, 0), 1);
		while (dx_channel_app_next(caller->app, &note) == 1) {
			CHECK_EQ(note.args[0], taken);
			taken++;
		}
	}
	return NULL;
}

/* server_cpu and cpu: -1 leaves placement to the kernel. */
static void stress(unsigned nr_calls, int server_cpu, int cpu, uint64_t budget_ns, unsigned park)
{
	struct server server;
	struct server_options options = {
		.nr_channels = 1, .budget_ns = budget_ns, .cpu = server_cpu, .park_at_once = park};
	struct caller callers[NR_THREADS];
	struct caller taker = {0};
	server_fork(&server, &options);
	pin_to_cpu(cpu);
	struct dx_channel_app *app = server_app(&server, 0, budget_ns / 2);

	for (unsigned i = 0; i < NR_THREADS; i++) {
		callers[i] = (struct caller){.app = app, .number = i, .nr_calls = nr_calls};
		taker.nr_calls += (nr_calls + 15) / 16;
		CHECK_EQ(pthread_create(&callers[i].thread, NULL, call_and_dawdle, &callers[i]), 0);
	}
	taker.app = app;
	CHECK_EQ(pthread_create(&taker.thread, NULL, take_notes, &taker), 0);
	for (unsigned i = 0; i < NR_THREADS; i++) {
		CHECK_EQ(pthread_join(callers[i].thread, NULL), 0);
	}
	CHECK_EQ(pthread_join(taker.thread, NULL), 0);
	dx_channel_app_free(app);
	server_reap(&server);
}

static bool has_two_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_ISSET(0, &set) &&
	       CPU_ISSET(1, &set);
}

TEST_SECONDS(random_parking_on_one_core_loses_nothing, 100)
{
	stress(5000, 0, 0, 10000, 7);
	stress(5000, 0, 0, 0, 0);
}

TEST_SECONDS(random_parking_on_two_cores_loses_nothing, 100)
{
	if (!has_two_cpus()) {
		SKIP("needs CPUs 0 and 1");
	}
	stress(10000, 0, 1, 10000, 7);
	stress(10000, 0, 1, 3000, 2);
	stress(5000, 0, 1, 0, 0);
}

TEST_SECONDS(random_parking_wherever_the_kernel_puts_us_loses_nothing, 100)
{
	stress(10000, -1, -1, 5000, 3);
}

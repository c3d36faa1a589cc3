/* SPDX-License-Identifier: MIT
 *
 * hostile_test - an application that breaks the protocol harms nobody but itself.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "process/children.h"
#include "support/world.h"
#include "support/world_process.h"

#define APP	"OPENDEXT_TEST_APP"
#define HOSTILE "OPENDEXT_TEST_HOSTILE"

/* Honest use while the other one is at it; every answer must be right and the driver must live. */
static void use_beside(const char *attack)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	pid_t host = world_driver_pid(connect);
	struct heard heard = {0};
	struct child hostile = child_start(HOSTILE, attack, "1", "700");
	const uint64_t input[] = {0, 3, 20, 0};
	struct holdings before;
	int status = 0;

	child_wait_ready(&hostile);
	for (uint64_t i = 1; waitpid(hostile.pid, &status, WNOHANG) == 0; i++) {
		CHECK_EQ(GET(connect, CONTRACT_ADD, i, i), 2 * i);
		CHECK_EQ(world_async(connect, CONTRACT_FIRE_INSIDE, port, REFERENCE(heard_n, &heard),
				     input, 4, NULL, 0),
			 kIOReturnSuccess);
		world_hear(port, &heard, (unsigned)(20 * i));
		if (i % 16 == 0) {
			world_close(world_open());
		}
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		FAIL("the hostile application ended with status %#x", (unsigned)status);
	}
	(void)close(hostile.output);
	CHECK_EQ(world_driver_pid(connect), host);
	/* Nothing of it is left; a new one makes no difference. */
	before = holdings_take(host);
	hostile = child_start(HOSTILE, attack, "2", "100");
	child_join(&hostile);
	holdings_expect(&before);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(hostile_garbage_in_its_memory)
{
	use_beside("memory");
}

CONTRACT(hostile_wild_submissions)
{
	use_beside("entries");
}

CONTRACT(hostile_garbage_on_its_socket)
{
	use_beside("socket");
}

CONTRACT(hostile_doorbell)
{
	use_beside("doorbell");
}

CONTRACT(hostile_garbage_to_the_broker)
{
	use_beside("broker");
}

CONTRACT(silent_application_is_disconnected_at_the_limit)
{
	io_connect_t connect = world_open();
	struct holdings before = holdings_take(world_driver_pid(connect));
	struct child silent = child_start(APP, "silent", "100000", NULL);
	char line[64];

	for (uint64_t i = 0; i < 2000; i++) {
		CHECK_EQ(GET(connect, CONTRACT_ADD, i, i), 2 * i);
	}
	child_read_line(&silent, line, sizeof(line));
	CHECK_STR_EQ(line, "disconnected");
	CHECK_EQ(GET(connect, CONTRACT_ADD, 1, 1), 2);
	child_kill(&silent);
	holdings_expect(&before);
	world_close(connect);
}

CONTRACT(silent_application_below_the_limit_keeps_all)
{
	io_connect_t connect = world_open();
	struct child silent = child_start(APP, "silent", "20000", NULL);

	child_wait_ready(&silent);
	CHECK_EQ(GET(connect, CONTRACT_ADD, 1, 1), 2);
	child_kill(&silent);
	world_close(connect);
}

CONTRACT(application_forks)
{
	io_connect_t connect = world_open();
	struct holdings before = holdings_take(world_driver_pid(connect));
	struct child app = child_start(APP, "fork", NULL, NULL);

	child_wait_ready(&app);
	child_join(&app);
	holdings_expect(&before);
	world_close(connect);
}

CONTRACT(application_may_lock_no_memory)
{
	struct child app = child_start(APP, "memlock", NULL, NULL);

	child_wait_ready(&app);
	child_join(&app);
}

CONTRACT(application_may_write_no_files)
{
	struct child app = child_start(APP, "small-files", NULL, NULL);

	child_wait_ready(&app);
	child_join(&app);
}

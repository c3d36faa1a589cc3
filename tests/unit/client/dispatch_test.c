/* SPDX-License-Identifier: MIT
 *
 * dispatch_test - queues, semaphores, the main queue, and ports that deliver on a queue.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CoreFoundation/CoreFoundation.h>
#include <IOKit/IOKitLib.h>

#include "client/port.h"
#include "test.h"

static atomic_uint count;
static atomic_bool is_inside;
static atomic_bool overlapped;

static void add_one(void *context)
{
	unsigned *next = context;

	if (atomic_exchange(&is_inside, true)) {
		overlapped = true;
	}
	*next += 1; /* the queue is the lock */
	atomic_store(&is_inside, false);
	atomic_fetch_add(&count, 1);
}

static void do_nothing(void *context)
{
	(void)context;
}

TEST(serial_queue_runs_items_one_after_the_other)
{
	dispatch_queue_t queue = dispatch_queue_create("serial", DISPATCH_QUEUE_SERIAL);
	unsigned next = 0;

	CHECK(queue != NULL);
	CHECK_STR_EQ(dispatch_queue_get_label(queue), "serial");
	for (unsigned i = 0; i < 10000; i++) {
		dispatch_async_f(queue, &next, add_one);
	}
	dispatch_sync_f(queue, &next, add_one); /* behind all of them */
	CHECK_EQ(next, 10001);
	CHECK(!overlapped);
	dispatch_release(queue);
}

static void *push_many(void *argument)
{
	static unsigned next;

	for (unsigned i = 0; i < 2000; i++) {
		if (i % 16 == 0) {
			dispatch_sync_f(argument, &next, add_one);
		} else {
			dispatch_async_f(argument, &next, add_one);
		}
	}
	return NULL;
}

TEST_SECONDS(serial_queue_takes_items_of_many_threads, 60)
{
	dispatch_queue_t queue = dispatch_queue_create(NULL, NULL);
	pthread_t threads[4];

	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(pthread_create(&threads[i], NULL, push_many, queue), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	}
	dispatch_sync_f(queue, NULL, do_nothing);
	CHECK_EQ(atomic_load(&count), 8000);
	CHECK(!overlapped);
	dispatch_release(queue);
}

static bool is_done(void *argument)
{
	return atomic_load(&count) == *(unsigned *)argument;
}

TEST(queue_that_was_released_runs_what_was_put_on_it)
{
	dispatch_queue_t queue = dispatch_queue_create("short", NULL);
	unsigned next = 0;
	unsigned wanted = 100;

	dispatch_retain(queue);
	for (unsigned i = 0; i < wanted; i++) {
		dispatch_async_f(queue, &next, add_one);
	}
	dispatch_release(queue);
	dispatch_release(queue);
	CHECK(test_wait_until(is_done, &wanted, 10000));
}

/* Each item holds the semaphore. */
static void signal_and_release(void *context)
{
	(void)dispatch_semaphore_signal(context);
	dispatch_release(context);
	atomic_fetch_add(&count, 1);
}

static void wait_and_release(void *context)
{
	CHECK_EQ(dispatch_semaphore_wait(context, DISPATCH_TIME_FOREVER), 0);
	dispatch_release(context);
	atomic_fetch_add(&count, 1);
}

static void check_concurrent(dispatch_queue_t queue)
{
	dispatch_semaphore_t semaphore = dispatch_semaphore_create(0);
	unsigned wanted = atomic_load(&count) + 16;

	/* The first items wait for the last ones. */
	for (unsigned i = 0; i < 16; i++) {
		dispatch_retain(semaphore);
		dispatch_async_f(queue, semaphore, i < 8 ? wait_and_release : signal_and_release);
	}
	dispatch_sync_f(queue, NULL, do_nothing);
	dispatch_release(semaphore);
	CHECK(test_wait_until(is_done, &wanted, 10000));
}

TEST(concurrent_queues_do_not_wait_for_items_that_wait)
{
	dispatch_queue_t queue = dispatch_queue_create("many", DISPATCH_QUEUE_CONCURRENT);

	check_concurrent(queue);
	dispatch_release(queue);
	check_concurrent(dispatch_get_global_queue(DISPATCH_QUEUE_PRIORITY_DEFAULT, 0));
	CHECK(dispatch_get_global_queue(0, 1) == NULL);
}

TEST(semaphore_counts_and_gives_up_in_time)
{
	dispatch_semaphore_t semaphore = dispatch_semaphore_create(1);

	CHECK(dispatch_semaphore_create(-1) == NULL);
	CHECK_EQ(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_NOW), 0);
	CHECK_NE(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_NOW), 0);
	CHECK_NE(
		dispatch_semaphore_wait(semaphore, dispatch_time(DISPATCH_TIME_NOW, NSEC_PER_MSEC)),
		0);
	CHECK_EQ(dispatch_semaphore_signal(semaphore), 0); /* nobody waits */
	CHECK_EQ(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_FOREVER), 0);
	dispatch_release(semaphore);
}

TEST(times_beyond_what_can_be_told_are_for_ever)
{
	dispatch_time_t now = dispatch_time(DISPATCH_TIME_NOW, 0);

	CHECK_GT(now, 0);
	CHECK_EQ(dispatch_time(now, 5), now + 5);
	CHECK_EQ(dispatch_time(now, -5), now - 5);
	CHECK_EQ(dispatch_time(1, INT64_MIN), 1);
	CHECK_EQ(dispatch_time(UINT64_MAX - 3, 10), DISPATCH_TIME_FOREVER);
	CHECK_EQ(dispatch_time(DISPATCH_TIME_FOREVER, -10), DISPATCH_TIME_FOREVER);
}

/* --- Misuse and the main queue: in a process of their own ------------------------------------ */

static int status_of(void (*child)(void))
{
	int status = 0;
	pid_t pid = fork();

	CHECK_GE(pid, 0);
	if (pid == 0) {
		child();
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

static void sync_again(void *context)
{
	dispatch_sync_f(context, NULL, do_nothing);
}

static void sync_on_itself(void)
{
	dispatch_queue_t queue = dispatch_queue_create("self", NULL);

	dispatch_sync_f(queue, queue, sync_again);
}

TEST(sync_on_the_own_queue_ends_the_program)
{
	int status = status_of(sync_on_itself);

	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGABRT);
}

static void leave(void *context)
{
	unsigned *next = context;

	_exit(gettid() == getpid() && *next == 3 ? 42 : 1);
}

static void run_main_queue(void)
{
	static unsigned next;

	for (unsigned i = 0; i < 3; i++) {
		dispatch_async_f(dispatch_get_main_queue(), &next, add_one);
	}
	dispatch_async_f(dispatch_get_main_queue(), &next, leave);
	dispatch_main();
}

TEST(main_queue_runs_in_dispatch_main)
{
	CHECK_EQ(WEXITSTATUS(status_of(run_main_queue)), 42);
}

static void stop_loop(void *context)
{
	(void)context;
	CFRunLoopStop(CFRunLoopGetMain());
}

static void *sync_to_main(void *context)
{
	dispatch_sync_f(dispatch_get_main_queue(), context, add_one);
	dispatch_async_f(dispatch_get_main_queue(), NULL, stop_loop);
	return NULL;
}

static void run_main_loop(void)
{
	static unsigned next;
	pthread_t thread;

	(void)dispatch_get_main_queue();
	CHECK_EQ(pthread_create(&thread, NULL, sync_to_main, &next), 0);
	CFRunLoopRun();
	CHECK_EQ(pthread_join(thread, NULL), 0);
	_exit(next == 1 ? 42 : 1);
}

TEST(main_queue_runs_in_the_main_run_loop)
{
	CHECK_EQ(WEXITSTATUS(status_of(run_main_loop)), 42);
}

/* --- Ports ----------------------------------------------------------------------------------- */

static dispatch_queue_t port_queue;
static IONotificationPortRef port;
static unsigned next_value;

static unsigned check_next(struct dx_delivery *delivery)
{
	CHECK_EQ(delivery->args[0], next_value);
	next_value += 1;
	atomic_fetch_add(&count, 1);
	return 1;
}

static unsigned destroy_port(struct dx_delivery *delivery)
{
	(void)delivery;
	IONotificationPortDestroy(port);
	atomic_fetch_add(&count, 1);
	return 1;
}

static void push(unsigned (*deliver)(struct dx_delivery *), uint64_t value)
{
	struct dx_delivery delivery = {.deliver = deliver, .nr_args = 1, .args = {value}};

	CHECK_EQ(dx_port_push(port, &delivery), 0);
}

static bool are_closed(void *argument)
{
	return test_count_fds() == *(unsigned *)argument;
}

static void wait_for(unsigned wanted)
{
	CHECK(test_wait_until(is_done, &wanted, 10000));
}

TEST(port_delivers_on_its_queue_in_order)
{
	unsigned nr_fds = test_count_fds();

	port = IONotificationPortCreate(0);
	port_queue = dispatch_queue_create("port", NULL);
	IONotificationPortSetDispatchQueue(NULL, port_queue);
	IONotificationPortSetDispatchQueue(port, port_queue);
	for (unsigned i = 0; i < 1000; i++) {
		push(check_next, i);
		if (i % 100 == 0) {
			wait_for(i + 1);
		}
	}
	wait_for(1000);
	IONotificationPortDestroy(port);
	dispatch_release(port_queue);
	CHECK(test_wait_until(are_closed, &nr_fds, 10000));
}

TEST(port_without_a_queue_keeps_what_comes_for_the_next_one)
{
	unsigned nr_fds = test_count_fds();

	port = IONotificationPortCreate(0);
	port_queue = dispatch_queue_create("port", NULL);
	IONotificationPortSetDispatchQueue(port, port_queue);
	push(check_next, 0);
	wait_for(1);
	IONotificationPortSetDispatchQueue(port, NULL);
	dispatch_sync_f(port_queue, NULL, do_nothing);
	push(check_next, 1);
	dispatch_sync_f(port_queue, NULL, do_nothing);
	CHECK_EQ(atomic_load(&count), 1);
	IONotificationPortSetDispatchQueue(port, port_queue);
	wait_for(2);
	IONotificationPortDestroy(port);
	dispatch_release(port_queue);
	CHECK(test_wait_until(are_closed, &nr_fds, 10000));
}

TEST(callback_on_a_queue_may_destroy_its_port)
{
	unsigned nr_fds = test_count_fds();

	port = IONotificationPortCreate(0);
	port_queue = dispatch_queue_create("port", NULL);
	push(destroy_port, 0);
	push(check_next, 1); /* never delivered */
	IONotificationPortSetDispatchQueue(port, port_queue);
	dispatch_release(port_queue); /* the port holds it */
	wait_for(1);
	CHECK(test_wait_until(are_closed, &nr_fds, 10000));
	CHECK_EQ(atomic_load(&count), 1);
}

/* --- Blocks, as their runtime lays them out -------------------------------------------------- */

struct literal {
	void *isa;
	int flags;
	int reserved;
	void (*invoke)(struct literal *self);
	unsigned *number;
};

void dispatch_sync(dispatch_queue_t queue, void *block);

static void add_to_number(struct literal *self)
{
	*self->number += 7;
}

TEST(sync_of_a_block_calls_its_function)
{
	dispatch_queue_t queue = dispatch_queue_create("block", NULL);
	unsigned number = 0;
	struct literal block = {.invoke = add_to_number, .number = &number};

	dispatch_sync(queue, &block);
	CHECK_EQ(number, 7);
	dispatch_release(queue);
}

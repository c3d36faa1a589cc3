/* SPDX-License-Identifier: MIT
 *
 * runloop_test - run loops: sources, timers, modes, results, other threads.
 */
#include <pthread.h>
#include <stdlib.h>

#include <CoreFoundation/CoreFoundation.h>

#include "test.h"

static unsigned nr_performed;

static void perform(void *info)
{
	unsigned *count = info;

	*count += 1;
	nr_performed++;
}

static void perform_and_stop(void *info)
{
	perform(info);
	CFRunLoopStop(CFRunLoopGetCurrent());
}

static void perform_and_invalidate(void *info)
{
	CFRunLoopSourceInvalidate(*(CFRunLoopSourceRef *)info);
	nr_performed++;
}

static CFRunLoopSourceRef make_source(void (*function)(void *), void *info, CFIndex order)
{
	CFRunLoopSourceContext context = {.info = info, .perform = function};

	return CFRunLoopSourceCreate(NULL, order, &context);
}

static CFRunLoopRunResult run(double seconds, bool one)
{
	return CFRunLoopRunInMode(kCFRunLoopDefaultMode, seconds, one);
}

TEST(run_of_an_empty_mode_is_finished)
{
	CHECK_EQ(run(10, false), kCFRunLoopRunFinished);
	CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopCommonModes, 0, 0), kCFRunLoopRunFinished);
	CHECK_EQ(CFRunLoopRunInMode(NULL, 0, 0), kCFRunLoopRunFinished);
	CFRunLoopRun();
}

TEST(signalled_source_is_performed_once)
{
	unsigned count = 0;
	CFRunLoopSourceRef source = make_source(perform, &count, 0);
	CFRunLoopRef loop = CFRunLoopGetCurrent();

	CHECK(loop == CFRunLoopGetMain());
	CFRunLoopAddSource(loop, source, kCFRunLoopCommonModes);
	CFRunLoopAddSource(loop, source, kCFRunLoopDefaultMode);
	CHECK(CFRunLoopContainsSource(loop, source, kCFRunLoopDefaultMode));
	CHECK_EQ(run(0, true), kCFRunLoopRunTimedOut);
	CFRunLoopSourceSignal(source);
	CHECK_EQ(run(10, true), kCFRunLoopRunHandledSource);
	CHECK_EQ(run(0.01, false), kCFRunLoopRunTimedOut);
	CHECK_EQ(count, 1);
	CFRunLoopRemoveSource(loop, source, kCFRunLoopDefaultMode);
	CHECK(!CFRunLoopContainsSource(loop, source, kCFRunLoopDefaultMode));
	CHECK_EQ(CFGetRetainCount(source), 1);
	CFRelease(source);
}

TEST(source_of_another_mode_waits)
{
	unsigned count = 0;
	CFRunLoopSourceRef source = make_source(perform, &count, 0);
	CFRunLoopRef loop = CFRunLoopGetCurrent();

	CFRunLoopAddSource(loop, source, CFSTR("other"));
	CFRunLoopSourceSignal(source);
	CHECK_EQ(run(0, false), kCFRunLoopRunFinished);
	CHECK_EQ(CFRunLoopRunInMode(CFSTR("other"), 1, 1), kCFRunLoopRunHandledSource);
	CFRunLoopSourceInvalidate(source);
	CHECK(!CFRunLoopSourceIsValid(source));
	CFRunLoopAddSource(loop, source, CFSTR("other"));
	CHECK_EQ(CFRunLoopRunInMode(CFSTR("other"), 0, 1), kCFRunLoopRunFinished);
	CFRelease(source);
}

TEST(stop_ends_a_run_and_the_next_one_goes_on)
{
	unsigned count = 0;
	CFRunLoopSourceRef source = make_source(perform_and_stop, &count, 0);
	CFRunLoopRef loop = CFRunLoopGetCurrent();

	CFRunLoopAddSource(loop, source, kCFRunLoopDefaultMode);
	CFRunLoopSourceSignal(source);
	CHECK_EQ(run(10, false), kCFRunLoopRunStopped);
	CHECK_EQ(run(0, false), kCFRunLoopRunTimedOut);
	CFRunLoopStop(loop);
	CHECK_EQ(run(10, false), kCFRunLoopRunStopped);
	CFRunLoopSourceInvalidate(source);
	CFRelease(source);
}

TEST(source_may_end_itself_while_performed)
{
	CFRunLoopSourceRef source = make_source(perform_and_invalidate, &source, 0);

	CFRunLoopAddSource(CFRunLoopGetCurrent(), source, kCFRunLoopDefaultMode);
	CFRunLoopSourceSignal(source);
	CHECK_EQ(run(10, false), kCFRunLoopRunFinished);
	CHECK_EQ(nr_performed, 1);
	CFRelease(source);
}

static void count_timer(CFRunLoopTimerRef timer, void *info)
{
	unsigned *count = info;

	(void)timer;
	*count += 1;
	if (*count == 3) {
		CFRunLoopStop(CFRunLoopGetCurrent());
	}
}

TEST(timer_once_and_again)
{
	unsigned once = 0;
	unsigned again = 0;
	CFRunLoopTimerContext first = {.info = &once};
	CFRunLoopTimerContext second = {.info = &again};
	CFAbsoluteTime now = CFAbsoluteTimeGetCurrent();
	CFRunLoopTimerRef a = CFRunLoopTimerCreate(NULL, now + 0.005, 0, 0, 0, count_timer, &first);
	CFRunLoopTimerRef b =
		CFRunLoopTimerCreate(NULL, now + 0.01, 0.005, 0, 0, count_timer, &second);

	CFRunLoopAddTimer(CFRunLoopGetCurrent(), a, kCFRunLoopDefaultMode);
	CFRunLoopAddTimer(CFRunLoopGetCurrent(), b, kCFRunLoopDefaultMode);
	CHECK(CFRunLoopContainsTimer(CFRunLoopGetCurrent(), b, kCFRunLoopDefaultMode));
	CHECK_EQ(run(10, false), kCFRunLoopRunStopped);
	CHECK_EQ(once, 1);
	CHECK_EQ(again, 3);
	CHECK(!CFRunLoopTimerIsValid(a));
	CHECK(CFRunLoopTimerIsValid(b));
	CFRunLoopTimerSetNextFireDate(b, now + 1e12);
	CHECK_EQ(run(0.02, false), kCFRunLoopRunTimedOut);
	CHECK_EQ(again, 3);
	CFRunLoopRemoveTimer(CFRunLoopGetCurrent(), b, kCFRunLoopDefaultMode);
	CHECK_EQ(run(10, false), kCFRunLoopRunFinished);
	CFRelease(a);
	CFRelease(b);
}

struct other {
	CFRunLoopRef loop;
	CFRunLoopSourceRef source;
};

static void *signal_later(void *context)
{
	struct other *other = context;

	while (!CFRunLoopIsWaiting(other->loop)) {
		(void)sched_yield();
	}
	CFRunLoopSourceSignal(other->source);
	CFRunLoopWakeUp(other->loop);
	return NULL;
}

TEST(other_thread_wakes_a_loop)
{
	unsigned count = 0;
	struct other other = {CFRunLoopGetCurrent(), make_source(perform_and_stop, &count, 0)};
	pthread_t thread;

	CFRunLoopAddSource(other.loop, other.source, kCFRunLoopDefaultMode);
	CHECK_EQ(pthread_create(&thread, NULL, signal_later, &other), 0);
	CFRunLoopRun();
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(count, 1);
	CFRunLoopSourceInvalidate(other.source);
	CFRelease(other.source);
}

static void *leave_a_source(void *source)
{
	CHECK(CFRunLoopGetCurrent() != CFRunLoopGetMain());
	CFRunLoopAddSource(CFRunLoopGetCurrent(), source, kCFRunLoopDefaultMode);
	return NULL;
}

TEST(loop_of_an_ended_thread_lets_its_sources_go)
{
	unsigned count = 0;
	CFRunLoopSourceRef source = make_source(perform, &count, 0);
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, leave_a_source, source), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(CFGetRetainCount(source), 1);
	CFRunLoopSourceInvalidate(source);
	CFRelease(source);
}

TEST(source_of_another_version_is_refused)
{
	CFRunLoopSourceContext context = {.version = 1};

	CHECK(CFRunLoopSourceCreate(NULL, 0, &context) == NULL);
	CHECK(CFRunLoopSourceCreate(NULL, 0, NULL) == NULL);
}

/* --- Blocks, as their runtime lays them out -------------------------------------------------- */

struct literal {
	void *isa;
	int flags;
	int reserved;
	void (*invoke)(struct literal *self);
	unsigned number;
};

static char performed[16];
static int nr_copies;

/* In place of the runtime's. */
void *_Block_copy(const void *block);
void _Block_release(const void *block);
void CFRunLoopPerformBlock(CFRunLoopRef rl, CFTypeRef mode, void *block);

void *_Block_copy(const void *block)
{
	struct literal *copy = malloc(sizeof(*copy));

	CHECK(copy != NULL);
	*copy = *(const struct literal *)block;
	nr_copies++;
	return copy;
}

void _Block_release(const void *block)
{
	nr_copies--;
	free((void *)(uintptr_t)block);
}

static void note_number(struct literal *self)
{
	performed[strlen(performed)] = (char)('0' + self->number);
}

static void add_another(struct literal *self)
{
	struct literal inner = {.invoke = note_number, .number = self->number + 1};

	note_number(self);
	CFRunLoopPerformBlock(CFRunLoopGetCurrent(), kCFRunLoopDefaultMode, &inner);
}

TEST(blocks_run_once_in_order_in_their_modes)
{
	struct literal first = {.invoke = add_another, .number = 1};
	struct literal second = {.invoke = note_number, .number = 5};
	struct literal other = {.invoke = note_number, .number = 9};
	const void *names[] = {CFSTR("other"), kCFRunLoopCommonModes};
	CFArrayRef modes = CFArrayCreate(NULL, names, 2, &kCFTypeArrayCallBacks);
	CFRunLoopRef loop = CFRunLoopGetCurrent();

	CFRunLoopPerformBlock(loop, kCFRunLoopDefaultMode, &first);
	CFRunLoopPerformBlock(loop, CFSTR("other"), &other);
	CFRunLoopPerformBlock(loop, modes, &second);
	CFRunLoopPerformBlock(NULL, modes, &second);
	CFRunLoopPerformBlock(loop, NULL, &second);
	CHECK_EQ(nr_copies, 3);
	CHECK_EQ(run(10, false), kCFRunLoopRunFinished); /* nothing is left */
	CHECK(strcmp(performed, "152") == 0);
	CHECK_EQ(CFRunLoopRunInMode(CFSTR("other"), 10, 0), kCFRunLoopRunFinished);
	CHECK(strcmp(performed, "1529") == 0);
	CHECK_EQ(nr_copies, 0);
	CFRelease(modes);
}

static void *add_block_and_wake(void *loop)
{
	struct literal block = {.invoke = note_number, .number = 7};

	CFRunLoopPerformBlock(loop, kCFRunLoopDefaultMode, &block);
	CFRunLoopWakeUp(loop);
	return NULL;
}

TEST(block_of_another_thread_wakes_the_loop)
{
	unsigned count = 0;
	CFRunLoopSourceRef source = make_source(perform, &count, 0); /* keeps the mode from ending */
	pthread_t thread;

	CFRunLoopAddSource(CFRunLoopGetCurrent(), source, kCFRunLoopDefaultMode);
	CHECK_EQ(pthread_create(&thread, NULL, add_block_and_wake, CFRunLoopGetCurrent()), 0);
	while (performed[0] == '\0') {
		(void)run(0.01, false);
	}
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CFRunLoopSourceInvalidate(source);
	CFRelease(source);
}

/* The loop of the thread ends with a block that nobody ran. */
static void *leave_a_block(void *unused)
{
	struct literal block = {.invoke = note_number, .number = 7};

	(void)unused;
	CFRunLoopPerformBlock(CFRunLoopGetCurrent(), kCFRunLoopDefaultMode, &block);
	return NULL;
}

TEST(blocks_go_with_their_loop)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, leave_a_block, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(nr_copies, 0);
	CHECK_EQ(performed[0], '\0');
}

TEST(timer_that_is_invalidated_is_in_no_loop)
{
	CFRunLoopRef loop = CFRunLoopGetCurrent();
	CFRunLoopTimerRef timer =
		CFRunLoopTimerCreate(NULL, CFAbsoluteTimeGetCurrent() + 1000, 0, 0, 0, NULL, NULL);

	CFRunLoopAddTimer(loop, timer, kCFRunLoopDefaultMode);
	CHECK(CFRunLoopContainsTimer(loop, timer, kCFRunLoopDefaultMode));
	CFRunLoopTimerInvalidate(timer);
	CHECK(!CFRunLoopContainsTimer(loop, timer, kCFRunLoopDefaultMode));
	CHECK(!CFRunLoopTimerIsValid(timer));
	CFRunLoopAddTimer(loop, timer, kCFRunLoopDefaultMode);
	CHECK(!CFRunLoopContainsTimer(loop, timer, kCFRunLoopDefaultMode));
	CFRelease(timer);
}

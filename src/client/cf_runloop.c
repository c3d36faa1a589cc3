/* SPDX-License-Identifier: MIT
 *
 * cf_runloop - running a loop: each round calls what is ready, then waits.
 *
 * Place:      client, over cf_source.c.
 * Invariants:
 *   R1  a round looks at a snapshot of the mode's members, each held by a reference; a member that
 *       was invalidated meanwhile is skipped.
 *   R2  the thread sleeps only after every port source was armed and had nothing; in one poll() of
 *       the loop's own descriptor and those of the ports.
 *   R3  a run ends as finished when the mode has nothing in it, and when all that is in it are ports to
 *       which nothing can come any more.
 *   R4  a loop that does not run and has nothing in it has no descriptor.
 * Threads:    a loop is run by its own thread; loops of ended threads go with them. The loop of the
 *             main thread can be had before it runs, so it is kept by the process.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "client/cf.h"
#include "client/runloop.h"

static void loop_free(struct dx_object *object)
{
	struct __CFRunLoop *loop = (void *)object;
	struct dx_list modes = DX_LIST_INIT(modes);

	dx_run_loop_drop_blocks(loop);
	dx_mutex_lock(&dx_run_loop_lock);
	dx_run_loop_empty_locked(loop, &modes);
	dx_mutex_unlock(&dx_run_loop_lock);
	dx_list_for_each_safe(node, &modes) {
		dx_run_loop_mode_free(dx_list_entry(node, struct dx_run_loop_mode, node));
	}
}

const struct dx_class dx_run_loop_class = {
	.name = "run loop",
	.instance_size = sizeof(struct __CFRunLoop),
	.free = loop_free,
};

static struct __CFRunLoop *loop_new(void)
{
	struct __CFRunLoop *loop = dx_object_new(&dx_run_loop_class);

	if (loop != NULL) {
		dx_list_init(&loop->modes);
		dx_list_init(&loop->blocks);
		loop->wake_fd = -1;
		atomic_init(&loop->stopped, false);
		atomic_init(&loop->waiting, false);
	}
	return loop;
}

static pthread_key_t thread_key;
static pthread_once_t thread_once = PTHREAD_ONCE_INIT;

static void unref_loop(void *loop)
{
	(void)dx_object_unref(loop); /* always NULL */
}

static void make_key(void)
{
	/* Fails only when the process has used up all keys; then pthread_setspecific() fails too. */
	(void)pthread_key_create(&thread_key, unref_loop);
}

CFTypeID CFRunLoopGetTypeID(void)
{
	return DX_CF_RUN_LOOP;
}

CFRunLoopRef CFRunLoopGetMain(void)
{
	static struct __CFRunLoop *main_loop DX_GUARDED_BY(dx_run_loop_lock);

	dx_mutex_lock(&dx_run_loop_lock);
	if (main_loop == NULL) {
		main_loop = loop_new();
	}
	struct __CFRunLoop *loop = main_loop;
	dx_mutex_unlock(&dx_run_loop_lock);
	return loop;
}

CFRunLoopRef CFRunLoopGetCurrent(void)
{
	if (gettid() == getpid()) {
		return CFRunLoopGetMain();
	}
	(void)pthread_once(&thread_once, make_key); /* cannot fail with these arguments */
	struct __CFRunLoop *loop = pthread_getspecific(thread_key);
	if (loop != NULL) {
		return loop;
	}
	loop = loop_new();
	if (loop != NULL && pthread_setspecific(thread_key, loop) != 0) {
		loop = dx_object_unref(loop);
	}
	return loop;
}

/* The members of a mode at the start of a round. */
struct round {
	struct dx_array *sources;
	struct dx_array *timers;
	uint64_t next_timer_ns;
};

static void round_fini(struct round *round)
{
	round->sources = dx_object_unref(round->sources);
	round->timers = dx_object_unref(round->timers);
}

static bool copy_members(struct dx_array *to, const struct dx_array *from)
{
	for (size_t i = 0; i < dx_array_count(from); i++) {
		if (dx_array_append(to, dx_array_get(from, i)) != 0) {
			return false;
		}
	}
	return true;
}

/* False when the mode is empty, or without memory. */
static bool round_begin(struct __CFRunLoop *loop, CFRunLoopMode name, struct round *round)
{
	bool any = false;

	round->sources = dx_array_new();
	round->timers = dx_array_new();
	dx_mutex_lock(&dx_run_loop_lock);
	const struct dx_run_loop_mode *mode = dx_run_loop_mode_find(loop, name);
	if (mode != NULL && round->sources != NULL && round->timers != NULL) {
		any = copy_members(round->sources, mode->sources) &&
		      copy_members(round->timers, mode->timers) &&
		      dx_array_count(round->sources) + dx_array_count(round->timers) > 0;
	}
	any |= dx_run_loop_has_block_locked(loop, name);
	dx_mutex_unlock(&dx_run_loop_lock);
	return any && round->sources != NULL && round->timers != NULL;
}

/* True when the timer is due; its next time is set. Periods that were slept through are skipped. */
static bool timer_due(struct __CFRunLoopTimer *timer, uint64_t now, uint64_t *next_ns)
{
	double step = timer->interval * 1e9;

	dx_mutex_lock(&dx_run_loop_lock);
	bool due = timer->next_ns <= now;
	if (due && step > 0 && step < 1e18) {
		double missed = floor((double)(now - timer->next_ns) / step);

		timer->next_ns += (uint64_t)((missed + 1) * step);
	} else if (due) {
		timer->next_ns = UINT64_MAX;
	}
	if (timer->next_ns < *next_ns) {
		*next_ns = timer->next_ns;
	}
	dx_mutex_unlock(&dx_run_loop_lock);
	return due;
}

/* Calls the timers that are due; finds the time of the next one. */
static void run_timers(struct round *round)
{
	uint64_t now = dx_clock_now_ns();

	round->next_timer_ns = UINT64_MAX;
	for (size_t i = 0; i < dx_array_count(round->timers); i++) {
		struct __CFRunLoopTimer *timer = dx_array_get(round->timers, i);

		if (!CFRunLoopTimerIsValid(timer) ||
		    !timer_due(timer, now, &round->next_timer_ns)) {
			continue;
		}
		if (timer->callout != NULL) {
			timer->callout(timer, timer->context.info);
		}
		if (!CFRunLoopTimerDoesRepeat(timer)) {
			CFRunLoopTimerInvalidate(timer);
		}
	}
}

/* A counted reference on the port of a source; NULL when it has none or is invalid. */
static void *port_ref(struct __CFRunLoopSource *source)
{
	dx_mutex_lock(&dx_run_loop_lock);
	void *port = dx_object_ref(source->port);
	dx_mutex_unlock(&dx_run_loop_lock);
	return port;
}

/* Performs one source if it is ready. */
static bool run_source(struct __CFRunLoopSource *source)
{
	if (!CFRunLoopSourceIsValid(source)) {
		return false;
	}
	if (source->functions != NULL) {
		void *port = port_ref(source);
		bool handled = port != NULL && source->functions->deliver(port) > 0;

		(void)dx_object_unref(port); /* always NULL */
		return handled;
	}
	/* Pairs with the store in CFRunLoopSourceSignal(). */
	if (!atomic_exchange_explicit(&source->signalled, false, memory_order_acquire)) {
		return false;
	}
	if (source->context.perform != NULL) {
		source->context.perform(source->context.info);
	}
	return true;
}

static bool run_sources(const struct round *round)
{
	bool handled = false;

	for (size_t i = 0; i < dx_array_count(round->sources); i++) {
		handled |= run_source(dx_array_get(round->sources, i));
	}
	return handled;
}

/* True when the source must be looked at again before the thread sleeps. */
static bool arm_source(struct __CFRunLoopSource *source, bool may_spin)
{
	if (source->functions == NULL) {
		return atomic_load_explicit(&source->signalled, memory_order_relaxed);
	}
	void *port = port_ref(source);
	bool ready = port != NULL && ((may_spin && source->functions->spin(port)) ||
				      source->functions->arm(port));
	(void)dx_object_unref(port); /* always NULL */
	return ready;
}

/* Asks each source to tell; a port that is alone may spin first.
 * @return true when one of them has something now. */
static bool arm_sources(const struct round *round)
{
	size_t nr_ports = 0;
	bool ready = false;

	for (size_t i = 0; i < dx_array_count(round->sources); i++) {
		const struct __CFRunLoopSource *source = dx_array_get(round->sources, i);

		nr_ports += source->functions != NULL ? 1 : 0;
	}
	for (size_t i = 0; i < dx_array_count(round->sources) && !ready; i++) {
		ready = arm_source(dx_array_get(round->sources, i), nr_ports == 1);
	}
	return ready;
}

static bool is_source_over(struct __CFRunLoopSource *source)
{
	void *port = source->functions == NULL ? NULL : port_ref(source);
	bool is_over = !CFRunLoopSourceIsValid(source) ||
		       (port != NULL && source->functions->is_over(port));

	(void)dx_object_unref(port); /* always NULL */
	return is_over;
}

/* R3 */
static bool is_round_over(const struct round *round)
{
	bool is_over = dx_array_count(round->sources) > 0;

	for (size_t i = 0; i < dx_array_count(round->timers) && is_over; i++) {
		is_over = !CFRunLoopTimerIsValid(dx_array_get(round->timers, i));
	}
	for (size_t i = 0; i < dx_array_count(round->sources) && is_over; i++) {
		is_over = is_source_over(dx_array_get(round->sources, i));
	}
	return is_over;
}

/* Fills fds with the loop's and the ports' descriptors. @return how many. */
static nfds_t collect_descriptors(const struct round *round, int wake_fd, struct pollfd *fds)
{
	nfds_t count = 1;

	fds[0] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
	for (size_t i = 0; i < dx_array_count(round->sources); i++) {
		struct __CFRunLoopSource *source = dx_array_get(round->sources, i);
		void *port = source->functions == NULL ? NULL : port_ref(source);

		if (port != NULL) {
			fds[count++] = (struct pollfd){
				.fd = source->functions->descriptor(port), .events = POLLIN};
		}
		(void)dx_object_unref(port); /* always NULL */
	}
	return count;
}

static struct timespec span_until(uint64_t deadline_ns)
{
	uint64_t now = dx_clock_now_ns();
	uint64_t span = deadline_ns > now ? deadline_ns - now : 0;

	return (struct timespec){.tv_sec = (time_t)(span / 1000000000u),
				 .tv_nsec = (long)(span % 1000000000u)};
}

/* Sleeps until a descriptor is ready or the deadline is there. */
static void sleep_round(struct __CFRunLoop *loop, const struct round *round, int wake_fd,
			uint64_t deadline_ns)
{
	struct timespec span = span_until(deadline_ns);
	DX_CLEANUP_FREE struct pollfd *fds =
		calloc(dx_array_count(round->sources) + 1, sizeof(*fds));
	uint64_t count = 0;

	if (fds == NULL) {
		return; /* the next round tries again */
	}
	nfds_t nr_fds = collect_descriptors(round, wake_fd, fds);
	atomic_store_explicit(&loop->waiting, true, memory_order_relaxed);
	int nr_ready = ppoll(fds, nr_fds, deadline_ns == UINT64_MAX ? NULL : &span, NULL);
	atomic_store_explicit(&loop->waiting, false, memory_order_relaxed);
	if (nr_ready > 0 && fds[0].revents != 0) {
		(void)!read(wake_fd, &count, sizeof(count)); /* non-blocking, resets the counter */
	}
}

static bool take_stop(struct __CFRunLoop *loop)
{
	/* Pairs with the store in CFRunLoopStop(). */
	return atomic_exchange_explicit(&loop->stopped, false, memory_order_acquire);
}

/* One round. @return 0 to go on, or why the run ends. */
static CFRunLoopRunResult run_round(struct __CFRunLoop *loop, CFRunLoopMode mode, int wake_fd,
				    uint64_t deadline_ns, bool one_source)
{
	struct round round = {0};
	CFRunLoopRunResult result = 0;

	if (take_stop(loop)) {
		return kCFRunLoopRunStopped;
	}
	if (!round_begin(loop, mode, &round)) {
		round_fini(&round);
		return kCFRunLoopRunFinished;
	}
	bool again = dx_run_loop_run_blocks(loop, mode);
	run_timers(&round);
	bool handled = run_sources(&round);
	again |= handled | dx_run_loop_run_blocks(loop, mode);
	if (take_stop(loop)) {
		result = kCFRunLoopRunStopped;
	} else if (handled && one_source) {
		result = kCFRunLoopRunHandledSource;
	} else if (!again && is_round_over(&round)) {
		result = kCFRunLoopRunFinished;
	} else if (dx_clock_now_ns() >= deadline_ns) {
		result = kCFRunLoopRunTimedOut;
	} else if (!again && !arm_sources(&round)) {
		uint64_t until = round.next_timer_ns < deadline_ns ? round.next_timer_ns
								    : deadline_ns;

		sleep_round(loop, &round, wake_fd, until);
	}
	round_fini(&round);
	return result;
}

/* One level deeper, in that mode. @return the loop's descriptor or a negative errno. */
static int enter(struct __CFRunLoop *loop, CFRunLoopMode name, struct dx_string **ret_outer)
{
	dx_mutex_lock(&dx_run_loop_lock);
	if (loop->wake_fd < 0) {
		loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	int wake_fd = loop->wake_fd < 0 ? -errno : loop->wake_fd;
	if (wake_fd >= 0) {
		*ret_outer = loop->current;
		loop->current = dx_object_ref(name);
		loop->depth += 1;
	}
	dx_mutex_unlock(&dx_run_loop_lock);
	return wake_fd;
}

static void leave(struct __CFRunLoop *loop, struct dx_string *outer)
{
	dx_mutex_lock(&dx_run_loop_lock);
	struct dx_string *name = loop->current;
	loop->current = outer;
	loop->depth -= 1;
	dx_run_loop_settle_locked(loop);
	dx_mutex_unlock(&dx_run_loop_lock);
	(void)dx_object_unref(name); /* always NULL */
}

static uint64_t deadline_after(CFTimeInterval seconds)
{
	if (seconds > 1e9) {
		return UINT64_MAX;
	}
	return dx_clock_now_ns() + (seconds > 0 ? (uint64_t)(seconds * 1e9) : 0);
}

CFRunLoopRunResult CFRunLoopRunInMode(CFRunLoopMode mode, CFTimeInterval seconds,
				      Boolean returnAfterSourceHandled)
{
	struct __CFRunLoop *loop = CFRunLoopGetCurrent();
	struct dx_string *outer = NULL;
	CFRunLoopRunResult result = 0;

	if (loop == NULL || mode == NULL || mode == kCFRunLoopCommonModes) {
		return kCFRunLoopRunFinished;
	}
	uint64_t deadline_ns = deadline_after(seconds);
	int wake_fd = enter(loop, mode, &outer);
	if (wake_fd < 0) {
		return kCFRunLoopRunFinished;
	}
	while (result == 0) {
		result = run_round(loop, mode, wake_fd, deadline_ns, returnAfterSourceHandled != 0);
	}
	leave(loop, outer);
	return result;
}

void CFRunLoopRun(void)
{
	CFRunLoopRunResult result = kCFRunLoopRunTimedOut;

	while (result != kCFRunLoopRunStopped && result != kCFRunLoopRunFinished) {
		result = CFRunLoopRunInMode(kCFRunLoopDefaultMode, 1e10, 0);
	}
}

CFRunLoopMode CFRunLoopCopyCurrentMode(CFRunLoopRef rl)
{
	dx_mutex_lock(&dx_run_loop_lock);
	const void *name = dx_object_ref(rl->current);
	dx_mutex_unlock(&dx_run_loop_lock);
	return name;
}

Boolean CFRunLoopIsWaiting(CFRunLoopRef rl)
{
	return atomic_load_explicit(&rl->waiting, memory_order_relaxed) ? 1 : 0;
}

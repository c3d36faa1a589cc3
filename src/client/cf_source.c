/* SPDX-License-Identifier: MIT
 *
 * cf_source - sources and timers, and in which run loops they are.
 *
 * Place:      client, beside cf_runloop.c.
 * Invariants:
 *   S1  a mode holds a reference on each member; a member knows its loops without holding them; a
 *       loop takes itself out of its members before it goes.
 *   S2  an invalid member is in no loop, and its callback is not called again on the thread that
 *       invalidated it.
 * Threads:    any; one lock for the topology. Callbacks are made without it.
 */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "client/cf.h"
#include "client/runloop.h"

struct dx_mutex dx_run_loop_lock = DX_MUTEX_INIT;

/* A member is in one mode of one loop. */
struct membership {
	struct dx_list node;
	struct __CFRunLoop *loop;
	struct dx_run_loop_mode *mode;
};

static void source_free(struct dx_object *object)
{
	struct __CFRunLoopSource *source = (void *)object;

	if (source->context.release != NULL) {
		source->context.release(source->context.info);
	}
}

const struct dx_class dx_run_loop_source_class = {
	.name = "run loop source",
	.instance_size = sizeof(struct __CFRunLoopSource),
	.free = source_free,
};

static void timer_free(struct dx_object *object)
{
	struct __CFRunLoopTimer *timer = (void *)object;

	if (timer->context.release != NULL) {
		timer->context.release(timer->context.info);
	}
}

const struct dx_class dx_run_loop_timer_class = {
	.name = "run loop timer",
	.instance_size = sizeof(struct __CFRunLoopTimer),
	.free = timer_free,
};

struct dx_run_loop_mode *dx_run_loop_mode_find(struct __CFRunLoop *loop, CFRunLoopMode name)
{
	CFRunLoopMode wanted = name == kCFRunLoopCommonModes ? kCFRunLoopDefaultMode : name;

	dx_list_for_each(node, &loop->modes) {
		struct dx_run_loop_mode *mode = dx_list_entry(node, struct dx_run_loop_mode, node);

		if (dx_value_equal(mode->name, wanted)) {
			return mode;
		}
	}
	return NULL;
}

void dx_run_loop_mode_free(struct dx_run_loop_mode *mode)
{
	dx_list_remove(&mode->node);
	(void)dx_object_unref(mode->name); /* always NULL, here and below */
	(void)dx_object_unref(mode->sources);
	(void)dx_object_unref(mode->timers);
	free(mode);
}

static struct dx_run_loop_mode *mode_find_or_add(struct __CFRunLoop *loop, CFRunLoopMode name)
	DX_REQUIRES(dx_run_loop_lock)
{
	struct dx_run_loop_mode *mode = dx_run_loop_mode_find(loop, name);

	if (mode != NULL) {
		return mode;
	}
	mode = calloc(1, sizeof(*mode));
	if (mode == NULL) {
		return NULL;
	}
	dx_list_init(&mode->node);
	mode->name = dx_object_ref(name == kCFRunLoopCommonModes ? kCFRunLoopDefaultMode : name);
	mode->sources = dx_array_new();
	mode->timers = dx_array_new();
	if (mode->sources == NULL || mode->timers == NULL) {
		dx_run_loop_mode_free(mode);
		return NULL;
	}
	dx_list_push_back(&loop->modes, &mode->node);
	return mode;
}

/* Index in members, or their count. */
static size_t index_of(const struct dx_array *members, const void *member)
{
	size_t i = 0;

	while (i < dx_array_count(members) && dx_array_get(members, i) != member) {
		i += 1;
	}
	return i;
}

static struct membership *find_membership(struct dx_list *loops, const struct __CFRunLoop *loop,
					  const struct dx_run_loop_mode *mode)
{
	dx_list_for_each(node, loops) {
		struct membership *membership = dx_list_entry(node, struct membership, node);

		if (membership->loop == loop && membership->mode == mode) {
			return membership;
		}
	}
	return NULL;
}

static void drop_membership(struct membership *membership)
{
	if (membership != NULL) {
		dx_list_remove(&membership->node);
		free(membership);
	}
}

static bool join(struct dx_list *loops, struct __CFRunLoop *loop, struct dx_run_loop_mode *mode,
		 struct dx_array *members, size_t index, const void *member)
	DX_REQUIRES(dx_run_loop_lock)
{
	struct membership *membership = calloc(1, sizeof(*membership));

	if (membership == NULL || dx_array_insert(members, index, member) != 0) {
		free(membership);
		return false;
	}
	*membership = (struct membership){.loop = loop, .mode = mode};
	dx_list_push_back(loops, &membership->node);
	return true;
}

/* Takes the member out of the array; the reference of the array goes to the caller. */
static void leave(struct membership *membership, struct dx_array *members, const void *member)
	DX_REQUIRES(dx_run_loop_lock)
{
	size_t index = index_of(members, member);

	drop_membership(membership);
	if (index < dx_array_count(members)) {
		(void)dx_object_ref(member); /* the caller's, in place of the array's */
		dx_array_remove(members, index);
	}
}

void dx_run_loop_settle_locked(struct __CFRunLoop *loop)
{
	if (loop->depth > 0) {
		return;
	}
	dx_list_for_each_safe(node, &loop->modes) {
		struct dx_run_loop_mode *mode = dx_list_entry(node, struct dx_run_loop_mode, node);

		if (dx_array_count(mode->sources) == 0 && dx_array_count(mode->timers) == 0) {
			dx_run_loop_mode_free(mode);
		}
	}
	if (dx_list_is_empty(&loop->modes)) {
		dx_fd_close(&loop->wake_fd);
	}
}

static void forget_members(struct __CFRunLoop *loop, struct dx_run_loop_mode *mode)
	DX_REQUIRES(dx_run_loop_lock)
{
	for (size_t i = 0; i < dx_array_count(mode->sources); i++) {
		struct __CFRunLoopSource *source = dx_array_get(mode->sources, i);

		drop_membership(find_membership(&source->loops, loop, mode));
	}
	for (size_t i = 0; i < dx_array_count(mode->timers); i++) {
		struct __CFRunLoopTimer *timer = dx_array_get(mode->timers, i);

		drop_membership(find_membership(&timer->loops, loop, mode));
	}
}

void dx_run_loop_empty_locked(struct __CFRunLoop *loop, struct dx_list *ret_modes)
{
	dx_list_for_each(node, &loop->modes) {
		forget_members(loop, dx_list_entry(node, struct dx_run_loop_mode, node));
	}
	dx_list_splice_back(ret_modes, &loop->modes);
	dx_fd_close(&loop->wake_fd);
}

static void wake_locked(struct __CFRunLoop *loop) DX_REQUIRES(dx_run_loop_lock)
{
	uint64_t one = 1;

	if (loop->wake_fd >= 0) {
		/* Only this process has the descriptor; a counter that is full is readable too. */
		(void)!write(loop->wake_fd, &one, sizeof(one));
	}
}

static size_t place_of(const struct dx_run_loop_mode *mode, CFIndex order)
{
	size_t index = 0;

	while (index < dx_array_count(mode->sources) &&
	       ((struct __CFRunLoopSource *)dx_array_get(mode->sources, index))->order <= order) {
		index += 1;
	}
	return index;
}

static bool add_source_locked(struct __CFRunLoop *loop, struct __CFRunLoopSource *source,
			      CFRunLoopMode name) DX_REQUIRES(dx_run_loop_lock)
{
	struct dx_run_loop_mode *mode = mode_find_or_add(loop, name);

	if (mode == NULL || !atomic_load_explicit(&source->valid, memory_order_relaxed) ||
	    find_membership(&source->loops, loop, mode) != NULL) {
		return false;
	}
	bool added = join(&source->loops, loop, mode, mode->sources, place_of(mode, source->order),
			  source);
	wake_locked(loop);
	return added;
}

void CFRunLoopAddSource(CFRunLoopRef rl, CFRunLoopSourceRef source, CFRunLoopMode mode)
{
	if (rl == NULL || source == NULL || mode == NULL) {
		return;
	}
	dx_mutex_lock(&dx_run_loop_lock);
	bool added = add_source_locked(rl, source, mode);
	dx_run_loop_settle_locked(rl);
	dx_mutex_unlock(&dx_run_loop_lock);
	if (added && source->context.schedule != NULL) {
		source->context.schedule(source->context.info, rl, mode);
	}
}

static bool remove_source_locked(struct __CFRunLoop *loop, struct __CFRunLoopSource *source,
				 CFRunLoopMode name) DX_REQUIRES(dx_run_loop_lock)
{
	struct dx_run_loop_mode *mode = dx_run_loop_mode_find(loop, name);
	struct membership *membership =
		mode == NULL ? NULL : find_membership(&source->loops, loop, mode);

	if (membership == NULL) {
		return false;
	}
	leave(membership, mode->sources, source);
	wake_locked(loop);
	dx_run_loop_settle_locked(loop);
	return true;
}

void CFRunLoopRemoveSource(CFRunLoopRef rl, CFRunLoopSourceRef source, CFRunLoopMode mode)
{
	if (rl == NULL || source == NULL || mode == NULL) {
		return;
	}
	dx_mutex_lock(&dx_run_loop_lock);
	bool removed = remove_source_locked(rl, source, mode);
	dx_mutex_unlock(&dx_run_loop_lock);
	if (!removed) {
		return;
	}
	if (source->context.cancel != NULL) {
		source->context.cancel(source->context.info, rl, mode);
	}
	CFRelease(source);
}

Boolean CFRunLoopContainsSource(CFRunLoopRef rl, CFRunLoopSourceRef source, CFRunLoopMode mode)
{
	if (rl == NULL || source == NULL || mode == NULL) {
		return 0;
	}
	dx_mutex_lock(&dx_run_loop_lock);
	struct dx_run_loop_mode *found = dx_run_loop_mode_find(rl, mode);
	bool inside = found != NULL && find_membership(&source->loops, rl, found) != NULL;
	dx_mutex_unlock(&dx_run_loop_lock);
	return inside ? 1 : 0;
}

static struct __CFRunLoopSource *source_new(CFIndex order)
{
	struct __CFRunLoopSource *source = dx_object_new(&dx_run_loop_source_class);

	if (source != NULL) {
		source->order = order;
		dx_list_init(&source->loops);
		atomic_init(&source->valid, true);
		atomic_init(&source->signalled, false);
	}
	return source;
}

CFRunLoopSourceRef dx_run_loop_source_new_port(const struct dx_run_loop_port *functions, void *port)
{
	struct __CFRunLoopSource *source = source_new(0);

	if (source != NULL) {
		source->functions = functions;
		source->port = dx_object_ref(port);
	}
	return source;
}

CFRunLoopSourceRef CFRunLoopSourceCreate(CFAllocatorRef allocator, CFIndex order,
					 CFRunLoopSourceContext *context)
{
	(void)allocator;
	if (context == NULL || context->version != 0) {
		return NULL;
	}
	struct __CFRunLoopSource *source = source_new(order);
	if (source != NULL) {
		source->context = *context;
		if (context->retain != NULL) {
			source->context.info = (void *)(uintptr_t)context->retain(context->info);
		}
	}
	return source;
}

CFIndex CFRunLoopSourceGetOrder(CFRunLoopSourceRef source)
{
	return source->order;
}

/* One loop less; cancel is called. @return false when there was none. */
static bool leave_one_loop(struct __CFRunLoopSource *source)
{
	struct __CFRunLoop *loop = NULL;
	struct dx_string *name = NULL;

	dx_mutex_lock(&dx_run_loop_lock);
	if (!dx_list_is_empty(&source->loops)) {
		struct membership *membership =
			dx_list_entry(source->loops.next, struct membership, node);

		loop = dx_object_ref(membership->loop);
		name = dx_object_ref(membership->mode->name);
		leave(membership, membership->mode->sources, source);
		wake_locked(loop);
		dx_run_loop_settle_locked(loop);
	}
	dx_mutex_unlock(&dx_run_loop_lock);
	if (loop == NULL) {
		return false;
	}
	if (source->context.cancel != NULL) {
		source->context.cancel(source->context.info, loop, (CFRunLoopMode)name);
	}
	(void)dx_object_unref(name); /* always NULL, also below */
	(void)dx_object_unref(loop);
	(void)dx_object_unref(source);
	return true;
}

void CFRunLoopSourceInvalidate(CFRunLoopSourceRef source)
{
	(void)dx_object_ref(source); /* loops may hold the last ones */
	atomic_store_explicit(&source->valid, false, memory_order_relaxed);
	while (leave_one_loop(source)) {
	}
	dx_mutex_lock(&dx_run_loop_lock);
	void *port = source->port;
	source->port = NULL;
	dx_mutex_unlock(&dx_run_loop_lock);
	(void)dx_object_unref(port); /* always NULL, also below */
	(void)dx_object_unref(source);
}

Boolean CFRunLoopSourceIsValid(CFRunLoopSourceRef source)
{
	return atomic_load_explicit(&source->valid, memory_order_relaxed) ? 1 : 0;
}

void CFRunLoopSourceGetContext(CFRunLoopSourceRef source, CFRunLoopSourceContext *context)
{
	if (context->version == 0) {
		*context = source->context;
	}
}

void CFRunLoopSourceSignal(CFRunLoopSourceRef source)
{
	/* Pairs with the exchange in cf_runloop.c: what the program wrote before is seen there. */
	atomic_store_explicit(&source->signalled, true, memory_order_release);
}

static uint64_t ns_of_date(CFAbsoluteTime date)
{
	double delay = date - CFAbsoluteTimeGetCurrent();
	uint64_t now = dx_clock_now_ns();

	if (!(delay > 0)) {
		return now;
	}
	return delay > 1e9 ? UINT64_MAX : now + (uint64_t)(delay * 1e9);
}

CFRunLoopTimerRef CFRunLoopTimerCreate(CFAllocatorRef allocator, CFAbsoluteTime fireDate,
				       CFTimeInterval interval, CFOptionFlags flags, CFIndex order,
				       CFRunLoopTimerCallBack callout,
				       CFRunLoopTimerContext *context)
{
	(void)allocator;
	(void)flags;
	(void)order;
	struct __CFRunLoopTimer *timer = dx_object_new(&dx_run_loop_timer_class);
	if (timer == NULL) {
		return NULL;
	}
	timer->callout = callout;
	timer->interval = interval;
	timer->next_ns = ns_of_date(fireDate);
	dx_list_init(&timer->loops);
	atomic_init(&timer->valid, true);
	if (context != NULL) {
		timer->context = *context;
		if (context->retain != NULL) {
			timer->context.info = (void *)(uintptr_t)context->retain(context->info);
		}
	}
	return timer;
}

static void add_timer_locked(struct __CFRunLoop *loop, struct __CFRunLoopTimer *timer,
			     CFRunLoopMode name) DX_REQUIRES(dx_run_loop_lock)
{
	struct dx_run_loop_mode *mode = mode_find_or_add(loop, name);

	if (mode == NULL || !atomic_load_explicit(&timer->valid, memory_order_relaxed) ||
	    find_membership(&timer->loops, loop, mode) != NULL) {
		return;
	}
	/* Without memory the timer is not added; there is nobody to tell. */
	(void)join(&timer->loops, loop, mode, mode->timers, dx_array_count(mode->timers), timer);
	wake_locked(loop);
}

void CFRunLoopAddTimer(CFRunLoopRef rl, CFRunLoopTimerRef timer, CFRunLoopMode mode)
{
	if (rl == NULL || timer == NULL || mode == NULL) {
		return;
	}
	dx_mutex_lock(&dx_run_loop_lock);
	add_timer_locked(rl, timer, mode);
	dx_run_loop_settle_locked(rl);
	dx_mutex_unlock(&dx_run_loop_lock);
}

/* The membership in that loop and mode, or with loop NULL any. */
static struct membership *timer_membership(struct __CFRunLoopTimer *timer, struct __CFRunLoop *loop,
					   CFRunLoopMode name) DX_REQUIRES(dx_run_loop_lock)
{
	if (loop == NULL) {
		return dx_list_is_empty(&timer->loops)
			       ? NULL
			       : dx_list_entry(timer->loops.next, struct membership, node);
	}
	struct dx_run_loop_mode *mode = dx_run_loop_mode_find(loop, name);
	return mode == NULL ? NULL : find_membership(&timer->loops, loop, mode);
}

/* @return false when there was none. */
static bool leave_timer_loop(struct __CFRunLoopTimer *timer, struct __CFRunLoop *loop,
			     CFRunLoopMode name)
{
	dx_mutex_lock(&dx_run_loop_lock);
	struct membership *membership = timer_membership(timer, loop, name);
	if (membership != NULL) {
		struct __CFRunLoop *left = membership->loop;

		leave(membership, membership->mode->timers, timer);
		wake_locked(left);
		dx_run_loop_settle_locked(left);
	}
	dx_mutex_unlock(&dx_run_loop_lock);
	if (membership != NULL) {
		(void)dx_object_unref(timer); /* always NULL */
	}
	return membership != NULL;
}

void CFRunLoopRemoveTimer(CFRunLoopRef rl, CFRunLoopTimerRef timer, CFRunLoopMode mode)
{
	if (rl != NULL && timer != NULL && mode != NULL) {
		(void)leave_timer_loop(timer, rl, mode); /* there or not */
	}
}

Boolean CFRunLoopContainsTimer(CFRunLoopRef rl, CFRunLoopTimerRef timer, CFRunLoopMode mode)
{
	if (rl == NULL || timer == NULL || mode == NULL) {
		return 0;
	}
	dx_mutex_lock(&dx_run_loop_lock);
	bool inside = timer_membership(timer, rl, mode) != NULL;
	dx_mutex_unlock(&dx_run_loop_lock);
	return inside ? 1 : 0;
}

void CFRunLoopTimerInvalidate(CFRunLoopTimerRef timer)
{
	(void)dx_object_ref(timer); /* loops may hold the last ones */
	atomic_store_explicit(&timer->valid, false, memory_order_relaxed);
	while (leave_timer_loop(timer, NULL, NULL)) {
	}
	(void)dx_object_unref(timer); /* always NULL */
}

Boolean CFRunLoopTimerIsValid(CFRunLoopTimerRef timer)
{
	return atomic_load_explicit(&timer->valid, memory_order_relaxed) ? 1 : 0;
}

Boolean CFRunLoopTimerDoesRepeat(CFRunLoopTimerRef timer)
{
	return timer->interval > 0 ? 1 : 0;
}

CFAbsoluteTime CFRunLoopTimerGetNextFireDate(CFRunLoopTimerRef timer)
{
	dx_mutex_lock(&dx_run_loop_lock);
	uint64_t next = timer->next_ns;
	dx_mutex_unlock(&dx_run_loop_lock);
	if (next == UINT64_MAX) {
		return (CFAbsoluteTime)HUGE_VAL;
	}
	return CFAbsoluteTimeGetCurrent() + ((double)next - (double)dx_clock_now_ns()) * 1e-9;
}

void CFRunLoopTimerSetNextFireDate(CFRunLoopTimerRef timer, CFAbsoluteTime fireDate)
{
	dx_mutex_lock(&dx_run_loop_lock);
	timer->next_ns = ns_of_date(fireDate);
	dx_list_for_each(node, &timer->loops) {
		wake_locked(dx_list_entry(node, struct membership, node)->loop);
	}
	dx_mutex_unlock(&dx_run_loop_lock);
}

void CFRunLoopWakeUp(CFRunLoopRef rl)
{
	dx_mutex_lock(&dx_run_loop_lock);
	wake_locked(rl);
	dx_mutex_unlock(&dx_run_loop_lock);
}

void CFRunLoopStop(CFRunLoopRef rl)
{
	/* Pairs with the exchange in cf_runloop.c. */
	atomic_store_explicit(&rl->stopped, true, memory_order_release);
	CFRunLoopWakeUp(rl);
}

CFTypeID CFRunLoopSourceGetTypeID(void)
{
	return DX_CF_SOURCE;
}

CFTypeID CFRunLoopTimerGetTypeID(void)
{
	return DX_CF_TIMER;
}

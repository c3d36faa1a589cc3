/* SPDX-License-Identifier: MIT
 *
 * dispatch - queues of functions and blocks, on threads; semaphores.
 *
 * Place:      client. Programs get callbacks of notification ports on such queues
 *             (dispatch_port.c).
 * Invariants:
 *   Q1  a serial queue has one thread at most; items run in the order in which they came.
 *   Q2  while an item waits there is a thread that runs or will look for it: more are started than
 *       stand idle, up to the width of the queue.
 *   Q3  a queue lives as long as somebody holds it, items wait on it, or a thread serves it.
 *   Q4  the main queue has no thread: its items are run by dispatch_main() and by a source in the
 *       main run loop.
 * Threads:    any. Idle threads end after IDLE_NS.
 * Blocks:     the compiler of this file need not know them: a block is a pointer to a structure
 *             with its function in it, and the one function of the runtime that is needed is
 *             looked for when the program has it.
 */
#include <dispatch/dispatch.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CoreFoundation/CFRunLoop.h>

#include "base/clock.h"
#include "base/helper.h"
#include "base/mutex.h"
#include "base/object.h"

#define IDLE_NS          UINT64_C(1000000000)
#define CONCURRENT_WIDTH 64u

/* What waits on a queue. */
struct item {
	struct item *next;
	dispatch_function_t work;
	void *context;
	bool waited_for; /* on the stack of who waits; else freed */
	bool done;       /* guarded by the queue's lock */
};

struct dispatch_queue_s {
	struct dx_object object;
	char *label;
	unsigned width;       /* threads at most; 0: the main queue */
	struct dx_mutex lock; /* order 85; guards: all below */
	struct dx_cond arrived;
	struct dx_cond finished;
	struct item *first DX_GUARDED_BY(lock);
	struct item *last DX_GUARDED_BY(lock);
	unsigned nr_items DX_GUARDED_BY(lock);
	unsigned nr_threads DX_GUARDED_BY(lock);
	unsigned nr_idle DX_GUARDED_BY(lock);
	CFRunLoopSourceRef source; /* Q4; set once */
};

struct dispatch_semaphore_s {
	struct dx_object object;
	struct dx_mutex lock; /* order 85; guards: all below */
	struct dx_cond given;
	intptr_t value DX_GUARDED_BY(lock);
	unsigned nr_waiting DX_GUARDED_BY(lock);
};

struct dispatch_queue_attr_s {
	unsigned width;
};

const struct dispatch_queue_attr_s _dispatch_queue_attr_concurrent = {.width = CONCURRENT_WIDTH};

/* The head of every block. */
struct block {
	void *isa;
	int flags;
	int reserved;
	void (*invoke)(struct block *self);
};

void *_Block_copy(const void *block) __attribute__((weak));
void _Block_release(const void *block) __attribute__((weak));
/* For programs; declared in the header only where blocks are known. */
void dispatch_async(dispatch_queue_t queue, void *block);
void dispatch_sync(dispatch_queue_t queue, void *block);

static _Thread_local dispatch_queue_t current; /* whose item this thread runs */
static pthread_once_t main_once = PTHREAD_ONCE_INIT;
static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static dispatch_queue_t main_queue;
static dispatch_queue_t global_queue;

__attribute__((noreturn)) static void die(const char *why)
{
	(void)fprintf(stderr, "dispatch: %s\n", why); /* the program ends here */
	abort();
}

static void queue_free(struct dx_object *object)
{
	struct dispatch_queue_s *queue = (void *)object;

	dx_cond_fini(&queue->arrived);
	dx_cond_fini(&queue->finished);
	dx_mutex_fini(&queue->lock);
	free(queue->label);
}

static const struct dx_class queue_class = {
	.name = "dispatch queue",
	.instance_size = sizeof(struct dispatch_queue_s),
	.free = queue_free,
};

static dispatch_queue_t queue_new(const char *label, unsigned width)
{
	struct dispatch_queue_s *queue = dx_object_new(&queue_class);

	if (queue == NULL) {
		return NULL;
	}
	dx_mutex_init(&queue->lock);
	dx_cond_init(&queue->arrived);
	dx_cond_init(&queue->finished);
	queue->width = width;
	queue->label = strdup(label == NULL ? "" : label);
	return queue->label == NULL ? dx_object_unref(queue) : queue;
}

/* --- Running --------------------------------------------------------------------------------- */

static struct item *pop_locked(dispatch_queue_t queue) DX_REQUIRES(queue->lock)
{
	struct item *item = queue->first;

	if (item != NULL) {
		queue->first = item->next;
		queue->last = queue->first == NULL ? NULL : queue->last;
		queue->nr_items -= 1;
	}
	return item;
}

static void run_item(dispatch_queue_t queue, struct item *item)
{
	dispatch_queue_t outer = current;

	current = queue;
	item->work(item->context);
	current = outer;
	if (!item->waited_for) {
		free(item);
		return;
	}
	dx_mutex_lock(&queue->lock);
	item->done = true;
	dx_cond_broadcast(&queue->finished);
	dx_mutex_unlock(&queue->lock);
}

/* @return false when nothing came for a while: the thread ends. */
static bool await_item_locked(dispatch_queue_t queue) DX_REQUIRES(queue->lock)
{
	uint64_t deadline_ns = dx_clock_now_ns() + IDLE_NS;
	int error = 0;

	queue->nr_idle += 1;
	while (queue->first == NULL && error == 0) {
		error = dx_cond_wait_until(&queue->arrived, &queue->lock, deadline_ns);
	}
	queue->nr_idle -= 1;
	return queue->first != NULL;
}

static void *serve(void *argument)
{
	dispatch_queue_t queue = argument;
	bool more = true;

	while (more) {
		dx_mutex_lock(&queue->lock);
		more = await_item_locked(queue);
		struct item *item = pop_locked(queue);
		queue->nr_threads -= !more;
		dx_mutex_unlock(&queue->lock);
		if (item != NULL) {
			run_item(queue, item);
		}
	}
	(void)dx_object_unref(queue); /* always NULL */
	return NULL;
}

static void start_thread(dispatch_queue_t queue)
{
	if (dx_helper_start(serve, dx_object_ref(queue), 0, NULL) < 0) {
		die("cannot start a thread");
	}
}

static void push(dispatch_queue_t queue, struct item *item)
{
	dx_mutex_lock(&queue->lock);
	if (queue->last == NULL) {
		queue->first = item;
	} else {
		queue->last->next = item;
	}
	queue->last = item;
	queue->nr_items += 1;
	/* Q2 */
	bool start = queue->nr_items > queue->nr_idle && queue->nr_threads < queue->width;
	queue->nr_threads += start;
	dx_cond_signal(&queue->arrived);
	dx_mutex_unlock(&queue->lock);
	if (start) {
		start_thread(queue);
	}
	if (queue->source != NULL) {
		CFRunLoopSourceSignal(queue->source);
		CFRunLoopWakeUp(CFRunLoopGetMain());
	}
}

/* --- The main queue and the global one ------------------------------------------------------- */

static struct item *take(dispatch_queue_t queue)
{
	dx_mutex_lock(&queue->lock);
	struct item *item = pop_locked(queue);
	dx_mutex_unlock(&queue->lock);
	return item;
}

/* What is there now; what comes meanwhile signals the source again. */
static void perform_main(void *info)
{
	dispatch_queue_t queue = info;

	dx_mutex_lock(&queue->lock);
	unsigned nr = queue->nr_items;
	dx_mutex_unlock(&queue->lock);
	for (unsigned i = 0; i < nr; i++) {
		struct item *item = take(queue);

		if (item != NULL) {
			run_item(queue, item);
		}
	}
}

/* A queue that is never given back. */
static dispatch_queue_t queue_new_immortal(const char *label, unsigned width)
{
	dispatch_queue_t queue = queue_new(label, width);

	if (queue == NULL) {
		die("no memory");
	}
	atomic_store_explicit(&queue->object.refs, DX_OBJECT_IMMORTAL, memory_order_relaxed);
	return queue;
}

static void make_main_queue(void)
{
	CFRunLoopSourceContext context = {.perform = perform_main};

	main_queue = queue_new_immortal("main", 0);
	context.info = main_queue;
	main_queue->source = CFRunLoopSourceCreate(NULL, 0, &context);
	if (main_queue->source == NULL) {
		die("no memory");
	}
	CFRunLoopAddSource(CFRunLoopGetMain(), main_queue->source, kCFRunLoopCommonModes);
}

static void make_global_queue(void)
{
	global_queue = queue_new_immortal("global", CONCURRENT_WIDTH);
}

dispatch_queue_t dispatch_get_main_queue(void)
{
	(void)pthread_once(&main_once, make_main_queue); /* cannot fail with these arguments */
	return main_queue;
}

dispatch_queue_t dispatch_get_global_queue(intptr_t identifier, uintptr_t flags)
{
	(void)identifier; /* priorities are the kernel's business here */
	(void)pthread_once(&global_once, make_global_queue);
	return flags == 0 ? global_queue : NULL;
}

void dispatch_main(void)
{
	dispatch_queue_t queue = dispatch_get_main_queue();

	for (;;) {
		dx_mutex_lock(&queue->lock);
		while (queue->first == NULL) {
			dx_cond_wait(&queue->arrived, &queue->lock);
		}
		struct item *item = pop_locked(queue);
		dx_mutex_unlock(&queue->lock);
		run_item(queue, item);
	}
}

/* --- Queues ---------------------------------------------------------------------------------- */

dispatch_queue_t dispatch_queue_create(const char *label, dispatch_queue_attr_t attr)
{
	return queue_new(label, attr == NULL ? 1 : attr->width);
}

const char *dispatch_queue_get_label(dispatch_queue_t queue)
{
	return queue->label;
}

void dispatch_retain(dispatch_object_t object)
{
	(void)dx_object_ref(object);
}

void dispatch_release(dispatch_object_t object)
{
	(void)dx_object_unref(object); /* always NULL */
}

void dispatch_async_f(dispatch_queue_t queue, void *context, dispatch_function_t work)
{
	struct item *item = malloc(sizeof(*item));

	if (item == NULL) {
		die("no memory");
	}
	*item = (struct item){.work = work, .context = context};
	push(queue, item);
}

void dispatch_sync_f(dispatch_queue_t queue, void *context, dispatch_function_t work)
{
	struct item item = {.work = work, .context = context, .waited_for = true};

	if (current == queue && queue->width <= 1) {
		die("dispatch_sync on the queue that the caller runs on waits for ever");
	}
	push(queue, &item);
	dx_mutex_lock(&queue->lock);
	while (!item.done) {
		dx_cond_wait(&queue->finished, &queue->lock);
	}
	dx_mutex_unlock(&queue->lock);
}

static void call_block(void *context)
{
	struct block *block = context;

	block->invoke(block);
}

static void call_and_release_block(void *context)
{
	call_block(context);
	_Block_release(context);
}

void dispatch_async(dispatch_queue_t queue, void *block)
{
	if (_Block_copy == NULL || _Block_release == NULL) {
		die("the program is not linked with the blocks runtime");
	}
	void *copy = _Block_copy(block);
	if (copy == NULL) {
		die("no memory");
	}
	dispatch_async_f(queue, copy, call_and_release_block);
}

void dispatch_sync(dispatch_queue_t queue, void *block)
{
	dispatch_sync_f(queue, block, call_block);
}

/* --- Time and semaphores --------------------------------------------------------------------- */

dispatch_time_t dispatch_time(dispatch_time_t when, int64_t delta)
{
	uint64_t from = when == DISPATCH_TIME_NOW ? dx_clock_now_ns() : when;
	uint64_t result = from + (uint64_t)delta;

	if (when == DISPATCH_TIME_FOREVER || (delta > 0 && result < from)) {
		return DISPATCH_TIME_FOREVER;
	}
	return delta < 0 && (result > from || result == 0) ? 1 : result;
}

static void semaphore_free(struct dx_object *object)
{
	struct dispatch_semaphore_s *semaphore = (void *)object;

	dx_cond_fini(&semaphore->given);
	dx_mutex_fini(&semaphore->lock);
}

static const struct dx_class semaphore_class = {
	.name = "dispatch semaphore",
	.instance_size = sizeof(struct dispatch_semaphore_s),
	.free = semaphore_free,
};

dispatch_semaphore_t dispatch_semaphore_create(intptr_t value)
{
	struct dispatch_semaphore_s *semaphore = value < 0 ? NULL : dx_object_new(&semaphore_class);

	if (semaphore != NULL) {
		dx_mutex_init(&semaphore->lock);
		dx_cond_init(&semaphore->given);
		semaphore->value = value;
	}
	return semaphore;
}

static int wait_locked(dispatch_semaphore_t semaphore, dispatch_time_t timeout)
	DX_REQUIRES(semaphore->lock)
{
	int error = 0;

	semaphore->nr_waiting += 1;
	while (semaphore->value == 0 && error == 0) {
		if (timeout == DISPATCH_TIME_FOREVER) {
			dx_cond_wait(&semaphore->given, &semaphore->lock);
		} else {
			error = timeout == DISPATCH_TIME_NOW
					? -ETIMEDOUT
					: dx_cond_wait_until(&semaphore->given, &semaphore->lock,
							     timeout);
		}
	}
	semaphore->nr_waiting -= 1;
	if (semaphore->value == 0) {
		return error;
	}
	semaphore->value -= 1;
	return 0;
}

intptr_t dispatch_semaphore_wait(dispatch_semaphore_t semaphore, dispatch_time_t timeout)
{
	dx_mutex_lock(&semaphore->lock);
	int error = wait_locked(semaphore, timeout);
	dx_mutex_unlock(&semaphore->lock);
	return error;
}

intptr_t dispatch_semaphore_signal(dispatch_semaphore_t semaphore)
{
	dx_mutex_lock(&semaphore->lock);
	bool waited = semaphore->nr_waiting > 0;
	semaphore->value += 1;
	dx_cond_signal(&semaphore->given);
	dx_mutex_unlock(&semaphore->lock);
	return waited;
}

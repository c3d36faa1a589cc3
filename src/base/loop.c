/* SPDX-License-Identifier: MIT
 *
 * loop - one thread that waits for many things; loop.h has the invariants.
 *
 * A removed source may still be named by events that this round has fetched, so it moves to a list
 * of the dead and is freed between rounds. Timers are a list by deadline: there are few of them,
 * and the next one is all that a round looks at.
 */
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/list.h"

#define EVENTS_PER_ROUND 64

enum kind {
	KIND_FD,
	KIND_TIMER,
	KIND_SIGNALS,
};

struct dx_loop_source {
	struct dx_list link; /* in all or dead */
	struct dx_list timer_link;
	struct dx_loop *loop;
	enum kind kind;
	bool removed;
	int fd; /* owned for KIND_SIGNALS only */
	uint64_t deadline_ns;
	union {
		dx_loop_fd_fn call_fd;
		dx_loop_timer_fn call_timer;
		dx_loop_signal_fn call_signal;
	};
	void *context;
};

struct dx_loop {
	int epoll;
	int wake;	     /* eventfd, made readable by stop */
	_Atomic bool stop;   /* release by the stopping thread, acquire by run */
	bool is_calling;
	struct dx_list all;
	struct dx_list dead;
	struct dx_list timers; /* those that are set, earliest first */
};

static void bury_dead(struct dx_loop *loop)
{
	struct dx_list *node = dx_list_pop_front(&loop->dead);

	for (; node != NULL; node = dx_list_pop_front(&loop->dead)) {
		free(dx_list_entry(node, struct dx_loop_source, link));
	}
}

struct dx_loop *dx_loop_free(struct dx_loop *loop)
{
	if (loop == NULL) {
		return NULL;
	}
	assert(!loop->is_calling);
	while (!dx_list_is_empty(&loop->all)) {
		dx_loop_source_remove(
			dx_list_entry(loop->all.next, struct dx_loop_source, link));
	}
	bury_dead(loop);
	dx_fd_close(&loop->epoll);
	dx_fd_close(&loop->wake);
	free(loop);
	return NULL;
}

int dx_loop_new(struct dx_loop **ret_loop)
{
	struct dx_loop *loop = calloc(1, sizeof(*loop));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	int error;

	if (loop == NULL) {
		return -ENOMEM;
	}
	dx_list_init(&loop->all);
	dx_list_init(&loop->dead);
	dx_list_init(&loop->timers);
	loop->wake = -1;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	error = errno;
	if (loop->epoll >= 0) {
		loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		error = errno;
	}
	if (loop->wake < 0 || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event) < 0) {
		error = loop->wake < 0 ? error : errno;
		dx_loop_free(loop);
		return -error;
	}
	*ret_loop = loop;
	return 0;
}

void dx_loop_stop(struct dx_loop *loop)
{
	int saved = errno;
	uint64_t one = 1;

	atomic_store_explicit(&loop->stop, true, memory_order_release);
	(void)!write(loop->wake, &one, sizeof(one)); /* full means readable, which is all we want */
	errno = saved;
}

static struct dx_loop_source *new_source(struct dx_loop *loop, enum kind kind, void *context)
{
	struct dx_loop_source *source = calloc(1, sizeof(*source));

	if (source == NULL) {
		return NULL;
	}
	source->loop = loop;
	source->kind = kind;
	source->fd = -1;
	source->context = context;
	dx_list_init(&source->link);
	dx_list_init(&source->timer_link);
	return source;
}

static int watch(struct dx_loop_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (epoll_ctl(source->loop->epoll, EPOLL_CTL_ADD, source->fd, &event) < 0) {
		return -errno;
	}
	dx_list_push_back(&source->loop->all, &source->link);
	return 0;
}

int dx_loop_add_fd(struct dx_loop *loop, int fd, uint32_t events, dx_loop_fd_fn callback,
		   void *context, struct dx_loop_source **ret_source)
{
	struct dx_loop_source *source = new_source(loop, KIND_FD, context);
	int result;

	if (source == NULL) {
		return -ENOMEM;
	}
	source->fd = fd;
	source->call_fd = callback;
	result = watch(source, events);
	if (result < 0) {
		free(source);
		return result;
	}
	*ret_source = source;
	return 0;
}

int dx_loop_set_events(struct dx_loop_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	assert(source->kind == KIND_FD && !source->removed);
	return epoll_ctl(source->loop->epoll, EPOLL_CTL_MOD, source->fd, &event) < 0 ? -errno : 0;
}

int dx_loop_add_timer(struct dx_loop *loop, dx_loop_timer_fn callback, void *context,
		      struct dx_loop_source **ret_source)
{
	struct dx_loop_source *source = new_source(loop, KIND_TIMER, context);

	if (source == NULL) {
		return -ENOMEM;
	}
	source->call_timer = callback;
	dx_list_push_back(&loop->all, &source->link);
	*ret_source = source;
	return 0;
}

void dx_loop_set_timer(struct dx_loop_source *source, uint64_t deadline_ns)
{
	struct dx_list *timers = &source->loop->timers;
	struct dx_list *after = timers->prev;

	assert(source->kind == KIND_TIMER && !source->removed);
	dx_list_remove(&source->timer_link);
	source->deadline_ns = deadline_ns;
	if (deadline_ns == 0) {
		return;
	}
	/* From the end: most deadlines are later than those that are set already. */
	for (after = timers->prev; after != timers; after = after->prev) {
		if (dx_list_entry(after, struct dx_loop_source, timer_link)->deadline_ns <=
		    deadline_ns) {
			break;
		}
	}
	dx_list_push_front(after, &source->timer_link);
}

int dx_loop_add_signals(struct dx_loop *loop, const int *signals, size_t nr_signals,
			dx_loop_signal_fn callback, void *context,
			struct dx_loop_source **ret_source)
{
	DX_CLEANUP_FREE struct dx_loop_source *source = NULL;
	DX_CLEANUP_FD int fd = -1;
	sigset_t set;
	int result;

	(void)sigemptyset(&set); /* cannot fail */
	for (size_t i = 0; i < nr_signals; i++) {
		if (sigaddset(&set, signals[i]) < 0) {
			return -EINVAL;
		}
	}
	source = new_source(loop, KIND_SIGNALS, context);
	if (source == NULL) {
		return -ENOMEM;
	}
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		return -errno;
	}
	source->fd = fd;
	source->call_signal = callback;
	result = watch(source, EPOLLIN);
	if (result < 0) {
		return result;
	}
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL); /* the set was checked above */
	(void)dx_take_fd(&fd);			      /* the source has it */
	*ret_source = dx_take_ptr(&source);
	return 0;
}

struct dx_loop_source *dx_loop_source_remove(struct dx_loop_source *source)
{
	if (source == NULL) {
		return NULL;
	}
	assert(!source->removed);
	source->removed = true;
	dx_list_remove(&source->timer_link);
	dx_list_remove(&source->link);
	if (source->fd >= 0) {
		/* Fails only for a descriptor that was closed too early; there is nothing to undo. */
		(void)epoll_ctl(source->loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	}
	if (source->kind == KIND_SIGNALS) {
		dx_fd_close(&source->fd);
	}
	dx_list_push_back(&source->loop->dead, &source->link);
	return NULL;
}

static int call_signals(struct dx_loop_source *source)
{
	struct signalfd_siginfo info;
	int nr_calls = 0;

	while (!source->removed && read(source->fd, &info, sizeof(info)) == sizeof(info)) {
		source->call_signal(source->context, (int)info.ssi_signo);
		nr_calls++;
	}
	return nr_calls;
}

static int call_ready(const struct epoll_event *event)
{
	struct dx_loop_source *source = event->data.ptr;

	if (source == NULL || source->removed) {
		return 0; /* the wake-up, which run() looks at; or dead since it was fetched */
	}
	if (source->kind == KIND_SIGNALS) {
		return call_signals(source);
	}
	source->call_fd(source->context, source->fd, event->events);
	return 1;
}

/* Those that are due now; what callbacks set meanwhile waits for the next round. */
static int call_timers(struct dx_loop *loop)
{
	uint64_t now_ns = dx_clock_now_ns();
	struct dx_list due;
	int nr_calls = 0;

	dx_list_init(&due);
	while (!dx_list_is_empty(&loop->timers)) {
		struct dx_loop_source *source = dx_list_entry(
			loop->timers.next, struct dx_loop_source, timer_link);

		if (source->deadline_ns > now_ns) {
			break;
		}
		dx_list_remove(&source->timer_link);
		dx_list_push_back(&due, &source->timer_link);
	}
	for (struct dx_list *node = dx_list_pop_front(&due); node != NULL;
	     node = dx_list_pop_front(&due)) {
		struct dx_loop_source *source =
			dx_list_entry(node, struct dx_loop_source, timer_link);

		source->call_timer(source->context);
		nr_calls++;
	}
	return nr_calls;
}

/* The shorter of timeout_ms and the time to the next timer, rounded up. */
static int wait_ms(const struct dx_loop *loop, int timeout_ms)
{
	const struct dx_loop_source *next;
	uint64_t now_ns;
	uint64_t left_ms;

	if (dx_list_is_empty(&loop->timers)) {
		return timeout_ms;
	}
	next = dx_list_entry(loop->timers.next, struct dx_loop_source, timer_link);
	now_ns = dx_clock_now_ns();
	if (next->deadline_ns <= now_ns) {
		return 0;
	}
	left_ms = (next->deadline_ns - now_ns + 999999) / 1000000;
	if (timeout_ms >= 0 && (uint64_t)timeout_ms < left_ms) {
		return timeout_ms;
	}
	return left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

int dx_loop_run_once(struct dx_loop *loop, int timeout_ms)
{
	struct epoll_event events[EVENTS_PER_ROUND];
	int nr_calls = 0;
	int nr_events = epoll_wait(loop->epoll, events, EVENTS_PER_ROUND, wait_ms(loop, timeout_ms));
	int error = errno;

	if (nr_events < 0) {
		return error == EINTR ? 0 : -error;
	}
	loop->is_calling = true;
	nr_calls += call_timers(loop);
	for (int i = 0; i < nr_events; i++) {
		nr_calls += call_ready(&events[i]);
	}
	loop->is_calling = false;
	bury_dead(loop);
	return nr_calls;
}

int dx_loop_run(struct dx_loop *loop)
{
	int result = 0;
	uint64_t count;

	while (result >= 0 && !atomic_load_explicit(&loop->stop, memory_order_acquire)) {
		result = dx_loop_run_once(loop, -1);
	}
	atomic_store_explicit(&loop->stop, false, memory_order_relaxed);
	(void)!read(loop->wake, &count, sizeof(count)); /* empty when a signal ended the wait */
	return result < 0 ? result : 0;
}

/* SPDX-License-Identifier: MIT
 *
 * reactor - see reactor.h.
 *
 * One pass: scheduled queues, active sources, timers that are due. Between busy passes the epoll set
 * is looked at now and then, so that chatty clients cannot hide the others. Without work the leader
 * spins as the wait policy allows, then arms and sleeps.
 */
#include "driver/reactor.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "driver/queue.h"
#include "driver/reactor_private.h"
#include "driver/user_client.h"

#define NR_EVENTS 64

/* ---- sources ---- */

uint64_t dx_reactor_cookie(const struct dx_source *source, unsigned which)
{
	return (uint64_t)source->index << 1 | which;
}

int dx_reactor_epoll_fd(const struct dx_reactor *reactor)
{
	return reactor->epoll_fd;
}

static int find_entry_locked(struct dx_reactor *reactor, uint32_t *ret_index)
	DX_REQUIRES(reactor->lock)
{
	for (uint32_t i = reactor->free_hint; i < reactor->nr_entries; i++) {
		if (reactor->entries[i] == NULL) {
			*ret_index = i;
			reactor->free_hint = i + 1;
			return 0;
		}
	}
	uint32_t count = reactor->nr_entries == 0 ? 16 : reactor->nr_entries * 2;
	struct dx_source **entries =
		realloc(reactor->entries, count * sizeof(*reactor->entries));
	if (entries == NULL) {
		return -ENOMEM;
	}
	for (uint32_t i = reactor->nr_entries; i < count; i++) {
		entries[i] = NULL;
	}
	/* Entry 0 stays free: index 0 means "not added". */
	*ret_index = reactor->nr_entries == 0 ? 1 : reactor->nr_entries;
	reactor->entries = entries;
	reactor->nr_entries = count;
	reactor->free_hint = *ret_index + 1;
	return 0;
}

static void source_hold(struct dx_source *source)
{
	atomic_fetch_add_explicit(&source->holds, 1, memory_order_relaxed);
}

static void source_drop(struct dx_source *source)
{
	if (atomic_fetch_sub_explicit(&source->holds, 1, memory_order_acq_rel) == 1) {
		source->ops->released(source);
	}
}

static bool active_push(struct dx_reactor *reactor, struct dx_source *source)
{
	if (source->active) {
		return true;
	}
	if (reactor->nr_active == reactor->max_active) {
		uint32_t count = reactor->max_active == 0 ? DX_REACTOR_ACTIVE
							  : reactor->max_active * 2;
		struct dx_source **active =
			realloc(reactor->active, count * sizeof(*reactor->active));
		if (active == NULL) {
			return false;
		}
		reactor->active = active;
		reactor->max_active = count;
	}
	source->active = true;
	source->idle_passes = 0;
	source_hold(source);
	reactor->active[reactor->nr_active++] = source;
	return true;
}

static void attract_attention(struct dx_reactor *reactor)
{
	atomic_store_explicit(&reactor->attention, true, memory_order_release);
}

int dx_reactor_add(struct dx_reactor *reactor, struct dx_source *source)
{
	uint32_t index = 0;

	dx_mutex_lock(&reactor->lock);
	int result = find_entry_locked(reactor, &index);
	if (result == 0) {
		reactor->entries[index] = source;
		source->index = index;
		atomic_store_explicit(&source->removed, false, memory_order_relaxed);
		source_hold(source);
	}
	dx_mutex_unlock(&reactor->lock);
	if (result == 0 && source->persistent) {
		dx_reactor_kick(reactor);
	}
	return result;
}

int dx_reactor_watch(struct dx_reactor *reactor, struct dx_source *source, unsigned which, int fd,
		     uint32_t events)
{
	struct epoll_event event = {.events = events,
				    .data.u64 = dx_reactor_cookie(source, which)};

	return epoll_ctl(reactor->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void dx_reactor_unwatch(struct dx_reactor *reactor, int fd)
{
	if (fd >= 0) {
		(void)epoll_ctl(reactor->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	}
}

void dx_reactor_remove(struct dx_reactor *reactor, struct dx_source *source)
{
	dx_mutex_lock(&reactor->lock);
	bool first = source->index != 0 && !source->removed;
	source->removed = true;
	reactor->nr_removed += first ? 1 : 0;
	attract_attention(reactor);
	bool wake = first && reactor->sleeping;
	dx_mutex_unlock(&reactor->lock);
	if (wake) {
		dx_reactor_wake(reactor);
	}
}

static void active_drop(struct dx_reactor *reactor, uint32_t i)
{
	struct dx_source *source = reactor->active[i];

	reactor->active[i] = reactor->active[--reactor->nr_active];
	source->active = false;
	source_drop(source);
}

/* Takes one removed source out of the table; NULL when there is none. */
static struct dx_source *take_removed(struct dx_reactor *reactor)
{
	struct dx_source *found = NULL;

	dx_mutex_lock(&reactor->lock);
	for (uint32_t i = 1; reactor->nr_removed > 0 && i < reactor->nr_entries; i++) {
		struct dx_source *source = reactor->entries[i];
		if (source != NULL && source->removed) {
			found = source;
			reactor->entries[i] = NULL;
			reactor->nr_removed--;
			if (i < reactor->free_hint) {
				reactor->free_hint = i;
			}
			break;
		}
	}
	dx_mutex_unlock(&reactor->lock);
	return found;
}

/* E4: removed sources leave the active set and the table. */
static void collect_removed(struct dx_reactor *reactor)
{
	for (uint32_t i = reactor->nr_active; i > 0; i--) {
		if (reactor->active[i - 1]->removed) {
			active_drop(reactor, i - 1);
		}
	}
	for (struct dx_source *source = take_removed(reactor); source != NULL;
	     source = take_removed(reactor)) {
		source_drop(source);
	}
}

/* Persistent sources that were added since the last look. */
static void collect_persistent(struct dx_reactor *reactor)
{
	dx_mutex_lock(&reactor->lock);
	reactor->kicked = false;
	for (uint32_t i = 1; i < reactor->nr_entries; i++) {
		struct dx_source *source = reactor->entries[i];
		if (source != NULL && source->persistent && !source->removed) {
			(void)active_push(reactor, source);
		}
	}
	dx_mutex_unlock(&reactor->lock);
}

static void attend(struct dx_reactor *reactor)
{
	if (!atomic_load_explicit(&reactor->attention, memory_order_acquire)) {
		return;
	}
	atomic_store_explicit(&reactor->attention, false, memory_order_relaxed);
	collect_removed(reactor);
	collect_persistent(reactor);
}

/* ---- scheduled queues ---- */

void dx_reactor_schedule(struct dx_reactor *reactor, struct dx_queue *queue)
{
	dx_mutex_lock(&reactor->lock);
	dx_list_push_back(&reactor->scheduled, &queue->schedule_link);
	atomic_fetch_add_explicit(&reactor->nr_scheduled, 1, memory_order_relaxed);
	bool wake = reactor->sleeping;
	dx_mutex_unlock(&reactor->lock);
	if (wake) {
		dx_reactor_wake(reactor);
	}
}

void dx_reactor_kick(struct dx_reactor *reactor)
{
	dx_mutex_lock(&reactor->lock);
	reactor->kicked = true;
	attract_attention(reactor);
	bool wake = reactor->sleeping;
	dx_mutex_unlock(&reactor->lock);
	if (wake) {
		dx_reactor_wake(reactor);
	}
}

static struct dx_queue *take_scheduled(struct dx_reactor *reactor)
{
	if (atomic_load_explicit(&reactor->nr_scheduled, memory_order_relaxed) == 0) {
		return NULL;
	}
	dx_mutex_lock(&reactor->lock);
	struct dx_list *node = dx_list_pop_front(&reactor->scheduled);
	if (node != NULL) {
		atomic_fetch_sub_explicit(&reactor->nr_scheduled, 1, memory_order_relaxed);
	}
	dx_mutex_unlock(&reactor->lock);
	return node == NULL ? NULL : dx_list_entry(node, struct dx_queue, schedule_link);
}

/* ---- the leader ---- */

/* Only the leader counts, others read. */
static void count_one(_Atomic uint64_t *counter)
{
	uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, value + 1, memory_order_relaxed);
}

static void take_events(struct dx_reactor *reactor, const struct epoll_event *events, int count)
{
	for (int i = 0; i < count; i++) {
		uint64_t cookie = events[i].data.u64;
		struct dx_source *source = NULL;

		if (cookie == DX_REACTOR_WAKE_COOKIE) {
			uint64_t ignored = 0;
			(void)!read(reactor->wake_fd, &ignored, sizeof(ignored));
			continue;
		}
		dx_mutex_lock(&reactor->lock);
		if (cookie >> 1 < reactor->nr_entries) {
			source = reactor->entries[cookie >> 1];
		}
		if (source != NULL && source->removed) {
			source = NULL;
		}
		if (source != NULL) {
			source_hold(source);
		}
		dx_mutex_unlock(&reactor->lock);
		if (source == NULL) {
			continue;
		}
		count_one(&reactor->nr_events);
		source->ops->event(source, (unsigned)(cookie & 1), events[i].events);
		if ((cookie & 1) == 0 && active_push(reactor, source)) {
			source->ops->disarm(source);
		}
		source_drop(source);
	}
}

static void peek_events(struct dx_reactor *reactor)
{
	struct epoll_event events[NR_EVENTS];
	int count = epoll_wait(reactor->epoll_fd, events, NR_EVENTS, 0);

	reactor->passes_since_peek = 0;
	if (count > 0) {
		take_events(reactor, events, count);
	}
}

/* False when the lead was lost: then nothing of the reactor's leader state may be touched. */
static bool poll_sources(struct dx_reactor *reactor, struct dx_thread *self, bool *did)
{
	for (uint32_t i = 0; i < reactor->nr_active; i++) {
		struct dx_source *source = reactor->active[i];
		bool worked = source->ops->poll(source);
		if (!self->leader) {
			return false;
		}
		source->idle_passes = worked ? 0 : source->idle_passes + 1;
		*did |= worked;
	}
	return true;
}

/* While others are busy, those that have been quiet for long are armed and left alone. */
static void retire_quiet(struct dx_reactor *reactor)
{
	for (uint32_t i = reactor->nr_active; i > 0; i--) {
		struct dx_source *source = reactor->active[i - 1];
		if (source->persistent || source->idle_passes < DX_REACTOR_IDLE_PASSES) {
			continue;
		}
		if (source->ops->arm(source) || source->ops->deadline(source) != UINT64_MAX) {
			source->ops->disarm(source);
			source->idle_passes = 0;
		} else {
			active_drop(reactor, i - 1);
		}
	}
}

static bool drain_queues(struct dx_reactor *reactor, struct dx_thread *self, bool *did)
{
	for (unsigned i = 0; i < DX_REACTOR_QUEUES; i++) {
		struct dx_queue *queue = take_scheduled(reactor);
		if (queue == NULL) {
			break;
		}
		*did = true;
		dx_queue_drain(queue, DX_REACTOR_ITEMS);
		if (!self->leader) {
			return false;
		}
	}
	return true;
}

static bool pass(struct dx_reactor *reactor, struct dx_thread *self, bool *did)
{
	count_one(&reactor->nr_passes);
	self->cpu = dx_wait_cpu();
	if (!drain_queues(reactor, self, did) || !poll_sources(reactor, self, did)) {
		return false;
	}
	*did |= dx_reactor_fire_timers(reactor);
	if (*did && self->leader) {
		/* What the sources produced runs before its results are published (one wake-up). */
		if (!drain_queues(reactor, self, did)) {
			return false;
		}
		dx_thread_flush(self); /* may free the last of a user client: driver code */
		if (!self->leader) {
			return false;
		}
		if (++reactor->passes_since_peek >= DX_REACTOR_PEEK_PASSES) {
			peek_events(reactor);
			retire_quiet(reactor);
		}
	}
	return self->leader;
}

/* Arms everything; the quiet ones leave the active set. True: there is work after all (E3). */
static bool arm_sources(struct dx_reactor *reactor, uint64_t *deadline_ns)
{
	bool work = false;

	for (uint32_t i = reactor->nr_active; i > 0; i--) {
		struct dx_source *source = reactor->active[i - 1];
		bool busy = source->ops->arm(source);
		uint64_t source_deadline = source->ops->deadline(source);

		if (source_deadline < *deadline_ns) {
			*deadline_ns = source_deadline;
		}
		if (busy) {
			source->ops->disarm(source);
			work = true;
		} else if (!source->persistent && source_deadline == UINT64_MAX) {
			active_drop(reactor, i - 1);
		}
	}
	return work;
}

/* True when it is all right to sleep: from now on whoever has work wakes us. */
static bool announce_sleep(struct dx_reactor *reactor)
{
	dx_mutex_lock(&reactor->lock);
	bool quiet = dx_list_is_empty(&reactor->scheduled) && !reactor->kicked &&
		     !reactor->stopping && reactor->nr_removed == 0;
	reactor->sleeping = quiet;
	dx_mutex_unlock(&reactor->lock);
	return quiet;
}

/* Kernels before 5.11 and some sandboxes lack the call with nanoseconds: then up to 1 ms late. */
static int wait_coarsely(struct dx_reactor *reactor, struct epoll_event *events, bool timed,
			 uint64_t left_ns)
{
	uint64_t left_ms = left_ns / 1000000u + 1;

	return epoll_wait(reactor->epoll_fd, events, NR_EVENTS,
			  !timed ? -1 : left_ms > INT_MAX ? INT_MAX : (int)left_ms);
}

static void wait_for_events(struct dx_reactor *reactor, uint64_t deadline_ns)
{
	struct epoll_event events[NR_EVENTS];
	bool timed = deadline_ns != UINT64_MAX;
	uint64_t now_ns = timed ? dx_clock_now_ns() : 0;
	uint64_t left_ns = timed && deadline_ns > now_ns ? deadline_ns - now_ns : 0;
	struct timespec timeout = {.tv_sec = (time_t)(left_ns / 1000000000u),
				   .tv_nsec = (long)(left_ns % 1000000000u)};
	int count = epoll_pwait2(reactor->epoll_fd, events, NR_EVENTS, timed ? &timeout : NULL,
				 NULL);
	if (count < 0 && (errno == ENOSYS || errno == EPERM)) {
		count = wait_coarsely(reactor, events, timed, left_ns);
	}
	dx_mutex_lock(&reactor->lock);
	reactor->sleeping = false;
	dx_mutex_unlock(&reactor->lock);
	reactor->passes_since_peek = 0;
	if (count > 0) {
		take_events(reactor, events, count);
	}
}

static void sleep_until_work(struct dx_reactor *reactor)
{
	if (!announce_sleep(reactor)) {
		return;
	}
	uint64_t deadline_ns =
		atomic_load_explicit(&reactor->next_timer_ns, memory_order_relaxed);
	if (arm_sources(reactor, &deadline_ns)) {
		dx_mutex_lock(&reactor->lock);
		reactor->sleeping = false;
		dx_mutex_unlock(&reactor->lock);
		return;
	}
	count_one(&reactor->nr_sleeps);
	wait_for_events(reactor, deadline_ns);
}

/* Where the most recent peer ran. */
static uint32_t peer_cpu(struct dx_reactor *reactor)
{
	for (uint32_t i = 0; i < reactor->nr_active; i++) {
		struct dx_source *source = reactor->active[i];
		if (!source->persistent && source->idle_passes < DX_REACTOR_IDLE_PASSES) {
			return source->ops->peer_cpu(source);
		}
	}
	return DX_WAIT_CPU_UNKNOWN;
}

/* Something that can be heard of without a system call is worth spinning for. */
static bool is_worth_spinning(const struct dx_reactor *reactor)
{
	for (uint32_t i = 0; i < reactor->nr_active; i++) {
		if (!reactor->active[i]->persistent) {
			return true;
		}
	}
	return false;
}

static void idle(struct dx_reactor *reactor)
{
	if (!reactor->waiting) {
		reactor->waiting = true;
		dx_wait_policy_begin(&reactor->policy);
	}
	if (is_worth_spinning(reactor) &&
	    dx_wait_policy_spin(&reactor->policy, peer_cpu(reactor))) {
		return;
	}
	sleep_until_work(reactor);
}

/* Asked only when there was nothing to do: a stop lets finish what is there. */
static bool is_stopping(struct dx_reactor *reactor)
{
	return atomic_load_explicit(&reactor->stop, memory_order_acquire);
}

void dx_reactor_lead(struct dx_reactor *reactor, struct dx_thread *self)
{
	for (;;) {
		bool did = false;

		attend(reactor);
		if (!pass(reactor, self, &did)) {
			return;
		}
		if (!did && is_stopping(reactor) &&
		    !atomic_load_explicit(&reactor->attention, memory_order_acquire)) {
			break;
		}
		if (!did) {
			idle(reactor);
		} else if (reactor->waiting) {
			reactor->waiting = false;
			dx_wait_policy_end(&reactor->policy);
		}
	}
	self->leader = false;
}

/* ---- birth and death ---- */

int dx_reactor_new(struct dx_runtime *runtime, uint64_t spin_budget_ns,
		   struct dx_reactor **ret_reactor)
{
	struct dx_reactor *reactor = calloc(1, sizeof(*reactor));
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = DX_REACTOR_WAKE_COOKIE};

	if (reactor == NULL) {
		return -ENOMEM;
	}
	reactor->runtime = runtime;
	reactor->leaderless = true;
	dx_mutex_init(&reactor->lock);
	dx_cond_init(&reactor->spare_cond);
	dx_list_init(&reactor->scheduled);
	dx_list_init(&reactor->timers);
	dx_list_init(&reactor->threads);
	dx_list_init(&reactor->finished);
	atomic_store_explicit(&reactor->next_timer_ns, UINT64_MAX, memory_order_relaxed);
	dx_wait_policy_init(&reactor->policy, spin_budget_ns);
	reactor->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	int result = reactor->epoll_fd < 0 ? -errno : 0;
	reactor->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (result == 0 && reactor->wake_fd < 0) {
		result = -errno;
	}
	if (result == 0 &&
	    epoll_ctl(reactor->epoll_fd, EPOLL_CTL_ADD, reactor->wake_fd, &event) < 0) {
		result = -errno;
	}
	if (result == 0) {
		result = dx_reactor_start_thread(reactor);
	}
	if (result < 0) {
		(void)dx_reactor_free(reactor);
		return result;
	}
	*ret_reactor = reactor;
	return 0;
}

/* No thread is left; what threads that came back late gave up is freed through queues. */
static void run_leftovers(struct dx_reactor *reactor)
{
	struct dx_queue *queue = NULL;

	do {
		while (reactor->nr_active > 0) {
			active_drop(reactor, reactor->nr_active - 1);
		}
		collect_removed(reactor);
		queue = take_scheduled(reactor);
		if (queue != NULL) {
			dx_queue_drain(queue, DX_REACTOR_ITEMS);
			dx_thread_flush(dx_thread_self());
		}
	} while (queue != NULL);
}

struct dx_reactor *dx_reactor_free(struct dx_reactor *reactor)
{
	if (reactor == NULL) {
		return NULL;
	}
	dx_mutex_lock(&reactor->lock);
	reactor->stopping = true;
	atomic_store_explicit(&reactor->stop, true, memory_order_release);
	attract_attention(reactor);
	dx_cond_broadcast(&reactor->spare_cond);
	dx_mutex_unlock(&reactor->lock);
	if (reactor->wake_fd >= 0) {
		dx_reactor_wake(reactor);
	}
	dx_reactor_join_threads(reactor);
	run_leftovers(reactor);
	if (reactor->epoll_fd >= 0) {
		(void)close(reactor->epoll_fd);
	}
	if (reactor->wake_fd >= 0) {
		(void)close(reactor->wake_fd);
	}
	dx_cond_fini(&reactor->spare_cond);
	dx_mutex_fini(&reactor->lock);
	free(reactor->entries);
	free(reactor->active);
	free(reactor);
	return NULL;
}

void dx_reactor_counters(struct dx_reactor *reactor, struct dx_reactor_counters *ret_counters)
{
	ret_counters->passes = atomic_load_explicit(&reactor->nr_passes, memory_order_relaxed);
	ret_counters->sleeps = atomic_load_explicit(&reactor->nr_sleeps, memory_order_relaxed);
	ret_counters->events = atomic_load_explicit(&reactor->nr_events, memory_order_relaxed);
	dx_mutex_lock(&reactor->lock);
	ret_counters->threads = reactor->nr_threads;
	dx_mutex_unlock(&reactor->lock);
}

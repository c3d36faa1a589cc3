/* SPDX-License-Identifier: MIT
 *
 * app_side - the application's end of a channel: open, close, sleep, peer's death.
 *
 * Place:   channel; see channel.h for the interface, app_side.h for the state and Z1..Z4.
 * Trust:   the driver may be anybody's code: descriptors and header are checked at open.
 */
#include "channel/app_side.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/futex.h"
#include "channel/forkmark.h"
#include "channel/segment.h"

#define TIMED_WAIT_NS  250000000u
#define CLOSE_CHECK_NS 1000000u

/* ------------------------------------------------------------------------------------------- */
/* Open                                                                                        */

static int check_header(const struct dx_layout_header *header, uint32_t magic)
{
	bool is_ours = dx_shared_load_relaxed(&header->magic) == magic &&
		       dx_shared_load_relaxed(&header->version) == DX_LAYOUT_VERSION &&
		       dx_shared_load_relaxed(&header->size_d) == sizeof(struct dx_layout_d) &&
		       dx_shared_load_relaxed(&header->size_a) == sizeof(struct dx_layout_a) &&
		       dx_shared_load_relaxed(&header->nr_slots) == DX_LAYOUT_SLOTS &&
		       dx_shared_load_relaxed(&header->cq_size) == DX_LAYOUT_CQ_SIZE;

	return is_ours ? 0 : -EPROTO;
}

/* Writing to a pipe or socket could raise SIGPIPE; eventfds have no file type bits. */
static int check_doorbell(int fd)
{
	struct stat info;

	if (fstat(fd, &info) < 0) {
		return -EPROTO;
	}
	return (info.st_mode & S_IFMT) == 0 ? 0 : -EPROTO;
}

static int map_shared(int fd, size_t size, int protection, void **ret_map)
{
	void *map = mmap(NULL, size, protection, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED) {
		return -errno;
	}
	/* A child could not use it anyway; see forkmark.h. */
	if (madvise(map, size, MADV_DONTFORK) < 0) {
		int error = -errno;
		(void)munmap(map, size);
		return error;
	}
	*ret_map = map;
	return 0;
}

static int map_both(struct dx_channel_app *channel, const int fds[DX_CHANNEL_NR_FDS])
{
	void *map = NULL;
	int rc = map_shared(fds[DX_CHANNEL_FD_D], sizeof(struct dx_layout_d), PROT_READ, &map);

	if (rc < 0) {
		return rc;
	}
	channel->d = map;
	rc = map_shared(fds[DX_CHANNEL_FD_A], sizeof(struct dx_layout_a), PROT_READ | PROT_WRITE,
			&map);
	if (rc < 0) {
		return rc;
	}
	channel->a = map;
	rc = check_header(&channel->d->header, DX_LAYOUT_MAGIC_D);
	if (rc < 0) {
		return rc;
	}
	rc = check_header(&channel->a->header, DX_LAYOUT_MAGIC_A);
	if (rc < 0) {
		return rc;
	}
	return dx_segment_populate(channel->a, offsetof(struct dx_layout_a, bytes));
}

static void unmap_both(struct dx_channel_app *channel)
{
	if (channel->d != NULL) {
		(void)munmap((void *)(uintptr_t)channel->d, sizeof(struct dx_layout_d));
	}
	if (channel->a != NULL) {
		(void)munmap(channel->a, sizeof(struct dx_layout_a));
	}
}

static int check_fds(const int fds[DX_CHANNEL_NR_FDS])
{
	int rc = dx_segment_check(fds[DX_CHANNEL_FD_D], sizeof(struct dx_layout_d), true);

	if (rc == 0) {
		rc = dx_segment_check(fds[DX_CHANNEL_FD_A], sizeof(struct dx_layout_a), false);
	}
	return rc == 0 ? check_doorbell(fds[DX_CHANNEL_FD_DOORBELL]) : rc;
}

static void init_private(struct dx_channel_app *channel,
			 const struct dx_channel_app_options *options)
{
	channel->doorbell = -1;
	channel->options = *options;
	channel->free_slots = DX_ALL_SLOTS;
	dx_mutex_init(&channel->lock);
	dx_cond_init(&channel->slot_free);
	dx_mutex_init(&channel->notes.lock);
	dx_wait_policy_init(&channel->notes.policy, options->spin_budget_ns);
	for (unsigned i = 0; i < DX_LAYOUT_SLOTS; i++) {
		dx_wait_policy_init(&channel->slots[i].policy, options->spin_budget_ns);
		channel->slots[i].cpu = DX_WAIT_CPU_UNKNOWN;
	}
}

static void fini_private(struct dx_channel_app *channel)
{
	dx_mutex_fini(&channel->notes.lock);
	dx_cond_fini(&channel->slot_free);
	dx_mutex_fini(&channel->lock);
	free(channel);
}

int dx_channel_app_open(const struct dx_channel_app_options *options, int fds[DX_CHANNEL_NR_FDS],
			struct dx_channel_app **ret_channel)
{
	struct dx_channel_app *channel = NULL;

	if (options == NULL || fds == NULL || ret_channel == NULL) {
		return -EINVAL;
	}
	int rc = check_fds(fds);
	if (rc < 0) {
		return rc;
	}
	if (posix_memalign((void **)&channel, 64, sizeof(*channel)) != 0) {
		return -ENOMEM;
	}
	memset(channel, 0, sizeof(*channel));
	init_private(channel, options);
	rc = dx_forkmark_take(&channel->fork_mark);
	if (rc == 0) {
		rc = map_both(channel, fds);
	}
	if (rc < 0) {
		unmap_both(channel);
		fini_private(channel);
		return rc;
	}
	channel->doorbell = dx_take_fd(&fds[DX_CHANNEL_FD_DOORBELL]);
	dx_fd_close(&fds[DX_CHANNEL_FD_D]);
	dx_fd_close(&fds[DX_CHANNEL_FD_A]);
	*ret_channel = channel;
	return 0;
}

/* ------------------------------------------------------------------------------------------- */
/* The peer's life, and sleeping                                                               */

int dx_channel_app_error(const struct dx_channel_app *channel)
{
	if (!dx_forkmark_is_current(channel->fork_mark)) {
		return -ECHILD;
	}
	if (atomic_load_explicit(&channel->closing, memory_order_relaxed) != 0) {
		return -ESHUTDOWN;
	}
	return atomic_load_explicit(&channel->error, memory_order_relaxed);
}

int dx_channel_app_fail(struct dx_channel_app *channel, int negative_errno)
{
	int none = 0;

	if (atomic_compare_exchange_strong(&channel->error, &none, negative_errno)) {
		return negative_errno;
	}
	return none; /* another was first */
}

static int judge_alive(struct dx_channel_app *channel, uint32_t alive)
{
	if (!dx_alive_is_dead(alive) && !dx_alive_is_closed(alive)) {
		return 0;
	}
	(void)dx_futex_wake(&channel->d->alive, INT_MAX); /* Z4 */
	return dx_channel_app_fail(channel, dx_alive_is_dead(alive) ? -EOWNERDEAD : -ECONNRESET);
}

int dx_channel_app_check_peer(struct dx_channel_app *channel)
{
	if (!dx_forkmark_is_current(channel->fork_mark)) {
		return -ECHILD; /* nothing is mapped here */
	}
	if (atomic_load(&channel->closing) != 0) {
		return -ESHUTDOWN;
	}
	/* Acquire: what the driver published before it closed is visible now. */
	return judge_alive(channel, dx_shared_load_acquire(&channel->d->alive));
}

/* The kernel cannot tell us about this driver: look once in a while. */
static int look_for_death(struct dx_channel_app *channel)
{
	if (channel->options.gone == NULL ||
	    !channel->options.gone(channel->options.gone_context)) {
		return 0;
	}
	return dx_channel_app_fail(channel, -EOWNERDEAD);
}

static bool is_missing(int rc)
{
	return rc == -ENOSYS || rc == -EPERM; /* old kernel; sandbox */
}

/* @return what the kernel said; *ret_timer: the wait was bounded because nobody would end it. */
static int sleep_once(struct dx_channel_app *channel, const struct dx_shared_u32 *word,
		      uint32_t seen, uint32_t alive, uint64_t deadline_ns)
{
	uint64_t timer_ns = dx_clock_now_ns() + TIMED_WAIT_NS;
	bool timer_first = deadline_ns == 0 || timer_ns < deadline_ns;
	bool needs_timer = !dx_alive_is_watched(alive);
	uint64_t end_ns = needs_timer && timer_first ? timer_ns : deadline_ns;
	atomic_fetch_add_explicit(&channel->nr_sleeps, 1, memory_order_relaxed); /* a count */
	int rc = dx_futex_wait2(word, seen, &channel->d->alive, alive, end_ns);

	if (is_missing(rc)) {
		needs_timer = true;
		end_ns = timer_first ? timer_ns : deadline_ns;
		rc = dx_futex_wait(word, seen, end_ns);
	}
	if (rc == -ETIMEDOUT && needs_timer) {
		int dead = look_for_death(channel);
		return dead < 0 ? dead : timer_first ? 0 : -ETIMEDOUT;
	}
	return rc == -ETIMEDOUT ? rc : 0;
}

int dx_channel_app_sleep(struct dx_channel_app *channel, const struct dx_shared_u32 *word,
			 uint32_t seen, uint64_t deadline_ns)
{
	if (atomic_load(&channel->closing) != 0) {
		return -ESHUTDOWN;
	}
	uint32_t alive = dx_shared_load_acquire(&channel->d->alive);
	int rc = judge_alive(channel, alive);
	if (rc < 0) {
		return rc;
	}
	int slept = sleep_once(channel, word, seen, alive, deadline_ns);
	rc = dx_channel_app_check_peer(channel); /* also when woken for the other word, see Z4 */
	return rc < 0 ? rc : slept;
}

void dx_channel_app_ring(struct dx_channel_app *channel)
{
	uint64_t one = 1;

	atomic_fetch_add_explicit(&channel->nr_rings, 1, memory_order_relaxed); /* a count */
	/* A full counter is a doorbell that rings already; nothing else can go wrong here. */
	ssize_t written = write(channel->doorbell, &one, sizeof(one));
	(void)written;
}

void dx_channel_app_counts(const struct dx_channel_app *channel,
			   struct dx_channel_app_counts *ret_counts)
{
	ret_counts->rings = atomic_load_explicit(&channel->nr_rings, memory_order_relaxed);
	ret_counts->sleeps = atomic_load_explicit(&channel->nr_sleeps, memory_order_relaxed);
	ret_counts->yields =
		atomic_load_explicit(&channel->notes.policy.nr_yields, memory_order_relaxed);
	for (unsigned i = 0; i < DX_LAYOUT_SLOTS; i++) {
		ret_counts->yields += atomic_load_explicit(&channel->slots[i].policy.nr_yields,
							   memory_order_relaxed);
	}
}

/* ------------------------------------------------------------------------------------------- */
/* Close                                                                                       */

static bool is_quiet(struct dx_channel_app *channel)
{
	return atomic_load(&channel->free_slots) == DX_ALL_SLOTS &&
	       atomic_load(&channel->nr_want_slot) == 0 && atomic_load(&channel->nr_waiting) == 0;
}

static void wake_everybody(struct dx_channel_app *channel)
{
	(void)dx_futex_wake(&channel->d->alive, INT_MAX);
	(void)dx_futex_wake(&channel->d->cq_tail, INT_MAX); /* for sleepers without waitv */
	for (unsigned i = 0; i < DX_LAYOUT_SLOTS; i++) {
		(void)dx_futex_wake(&channel->d->answers[i].state, INT_MAX);
	}
	dx_cond_broadcast(&channel->slot_free);
}

void dx_channel_app_close(struct dx_channel_app *channel)
{
	if (!dx_forkmark_is_current(channel->fork_mark)) {
		return;
	}
	atomic_store(&channel->closing, 1);
	/* We cannot change the words they sleep on. One who has looked at closing but does not
	 * sleep yet misses a wake-up; so repeat it until all have left. */
	dx_mutex_lock(&channel->lock);
	while (!is_quiet(channel)) {
		wake_everybody(channel);
		(void)dx_cond_wait_until(&channel->slot_free, &channel->lock,
					 dx_clock_now_ns() + CLOSE_CHECK_NS);
	}
	dx_mutex_unlock(&channel->lock);
}

struct dx_channel_app *dx_channel_app_free(struct dx_channel_app *channel)
{
	if (channel == NULL) {
		return NULL;
	}
	if (dx_forkmark_is_current(channel->fork_mark)) {
		dx_channel_app_close(channel);
		unmap_both(channel); /* a child has no such mappings, perhaps others there */
	}
	dx_fd_close(&channel->doorbell);
	fini_private(channel);
	return NULL;
}

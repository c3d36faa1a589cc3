/* SPDX-License-Identifier: MIT
 *
 * driver_notes - notifications: the ring in D, and the backlog behind it.
 *
 * Place:      channel, driver side; driver_side.h has the state.
 * Invariants:
 *   M1  0 <= tail - head <= DX_LAYOUT_CQ_SIZE, where head is what the application says, checked;
 *       an application that says something else has failed.
 *   M2  while the backlog is not empty everything new goes to its end: order is kept.
 *   M3  a backlog is never left without a doorbell to come: cq_blocked is odd, and after it was
 *       set, cq_head was looked at again and there was still no room. Each look announces an epoch
 *       of its own: the application may have rung for the last one already, with a head that was
 *       used up before, and rings once for an epoch.
 *   M4  wake-ups happen outside the lock, at most one per epoch of the application's a_wait.
 * Trust:      cq_head, cq_event and a_wait are the application's: a lie costs it wake-ups or its
 *             connection.
 */
#include "channel/driver_side.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/futex.h"
#include "channel/segment.h"

#define EXPECTED_AHEAD 8u  /* about a batch */
#define CHUNK_NOTES    24u /* about a page */
#define SLOW_NS        1000000u
#define SLOW_LIMIT_NS  1000000000u /* beside three quarters of all time */
#define NR_SUSPECT     64u	   /* after a slow one */

struct note_chunk {
	struct dx_list node;
	uint32_t first; /* oldest unmoved */
	uint32_t end;   /* one behind the newest */
	struct dx_channel_note notes[CHUNK_NOTES];
};

enum wake {
	WAKE_NONE,
	WAKE_FUTEX,
	WAKE_SOCKET,
};

void dx_channel_notes_init(struct dx_channel_driver *channel)
{
	dx_mutex_init(&channel->notes.lock);
	dx_list_init(&channel->notes.backlog);
}

void dx_channel_notes_fini(struct dx_channel_driver *channel)
{
	struct dx_list *node = dx_list_pop_front(&channel->notes.backlog);

	while (node != NULL) {
		free(dx_list_entry(node, struct note_chunk, node));
		node = dx_list_pop_front(&channel->notes.backlog);
	}
	dx_mutex_fini(&channel->notes.lock);
}

static uint32_t backlog_of(const struct dx_channel_driver *channel)
{
	return atomic_load_explicit(&channel->nr_backlog, memory_order_relaxed);
}

/* @return 0 and the room in the ring; -EPROTO (M1). */
static int look_for_room_locked(struct dx_channel_driver *channel, uint32_t *ret_room)
	DX_REQUIRES(channel->notes.lock)
{
	struct dx_channel_notes *notes = &channel->notes;
	uint32_t used = notes->tail - notes->head;

	if (used == DX_LAYOUT_CQ_SIZE) {
		/* Pairs with the release of cq_head: those entries are read, they may be written.
		 */
		uint32_t head = dx_shared_load_acquire(&channel->a->cq_head);
		if (head - notes->head > used) {
			return -EPROTO;
		}
		notes->head = head;
		used = notes->tail - head;
	}
	*ret_room = DX_LAYOUT_CQ_SIZE - used;
	return 0;
}

/* A few times in a life of a channel, and short: allowed under the lock. */
static int prepare_pages_locked(struct dx_channel_driver *channel, uint32_t index)
	DX_REQUIRES(channel->notes.lock)
{
	size_t end = (index + 1) * sizeof(struct dx_layout_note);
	uint32_t wanted = (uint32_t)((end + DX_LAYOUT_PAGE - 1) / DX_LAYOUT_PAGE);

	while (channel->notes.nr_pages < wanted) {
		char *page = (char *)channel->d->notes + channel->notes.nr_pages * DX_LAYOUT_PAGE;
		if (dx_segment_populate(page, DX_LAYOUT_PAGE) < 0) {
			return -ENOMEM;
		}
		channel->notes.nr_pages++;
	}
	return 0;
}

/* There is room. */
static int write_note_locked(struct dx_channel_driver *channel, const struct dx_channel_note *note)
	DX_REQUIRES(channel->notes.lock)
{
	uint32_t index = channel->notes.tail % DX_LAYOUT_CQ_SIZE;
	struct dx_layout_note *place = &channel->d->notes[index];
	int rc = prepare_pages_locked(channel, index);

	if (rc < 0) {
		return rc;
	}
	place->kind = note->kind;
	place->tag = note->tag;
	place->result = note->result;
	place->nr_args = note->nr_args;
	memcpy(place->args, note->args, note->nr_args * sizeof(uint64_t));
	place->seq = ++channel->notes.tail;
	dx_expect_write(&channel->d->notes[(index + EXPECTED_AHEAD) % DX_LAYOUT_CQ_SIZE]);
	return 0;
}

static int push_backlog_locked(struct dx_channel_driver *channel,
			       const struct dx_channel_note *note) DX_REQUIRES(channel->notes.lock)
{
	struct dx_list *backlog = &channel->notes.backlog;
	struct note_chunk *chunk = NULL;

	if (backlog_of(channel) >= DX_MAX_NOTIFY_BACKLOG) {
		return -ENOBUFS;
	}
	if (!dx_list_is_empty(backlog)) {
		chunk = dx_list_entry(backlog->prev, struct note_chunk, node);
	}
	if (chunk == NULL || chunk->end == CHUNK_NOTES) {
		chunk = calloc(1, sizeof(*chunk));
		if (chunk == NULL) {
			return -ENOMEM;
		}
		dx_list_push_back(backlog, &chunk->node);
	}
	chunk->notes[chunk->end++] = *note;
	atomic_store_explicit(&channel->nr_backlog, backlog_of(channel) + 1, memory_order_relaxed);
	return 0;
}

/* Moves what there is room for. @return how many; -EPROTO; -ENOMEM. */
static int move_backlog_locked(struct dx_channel_driver *channel) DX_REQUIRES(channel->notes.lock)
{
	struct dx_list *backlog = &channel->notes.backlog;
	uint32_t room = 0;
	uint32_t moved = 0;
	int rc = look_for_room_locked(channel, &room);

	while (rc == 0 && moved < room && !dx_list_is_empty(backlog)) {
		struct note_chunk *chunk = dx_list_entry(backlog->next, struct note_chunk, node);
		rc = write_note_locked(channel, &chunk->notes[chunk->first]);
		if (rc == 0) {
			moved++;
			chunk->first++;
		}
		if (chunk->first == chunk->end) {
			dx_list_remove(&chunk->node);
			free(chunk);
		}
	}
	atomic_store_explicit(&channel->nr_backlog, backlog_of(channel) - moved,
			      memory_order_relaxed);
	return rc < 0 ? rc : (int)moved;
}

static void set_blocked_locked(struct dx_channel_driver *channel, uint32_t epoch)
	DX_REQUIRES(channel->notes.lock)
{
	channel->notes.blocked = epoch;
	dx_shared_store_relaxed(&channel->d->cq_blocked, epoch);
}

/* Empties the backlog, or leaves it as M3 says. */
static int settle_backlog_locked(struct dx_channel_driver *channel) DX_REQUIRES(channel->notes.lock)
{
	struct dx_channel_notes *notes = &channel->notes;
	bool announced = false;

	for (;;) {
		int moved = move_backlog_locked(channel);
		if (moved < 0) {
			return moved;
		}
		if (dx_list_is_empty(&notes->backlog)) {
			if ((notes->blocked & 1u) != 0) {
				set_blocked_locked(channel, notes->blocked + 1);
			}
			return 0;
		}
		if (moved == 0 && announced) {
			return 0; /* that epoch was checked since */
		}
		announced = true;
		set_blocked_locked(channel, (notes->blocked + 1) | 1u);
		dx_fence_seq_cst(); /* pairs with the fence after cq_head */
	}
}

/* D2 for notifications. */
static enum wake publish_locked(struct dx_channel_driver *channel) DX_REQUIRES(channel->notes.lock)
{
	struct dx_channel_notes *notes = &channel->notes;
	uint32_t old = notes->published;

	if (notes->tail == old) {
		return WAKE_NONE;
	}
	notes->published = notes->tail;
	dx_shared_store_release(&channel->d->cq_tail, notes->tail); /* pairs with A3 */
	dx_fence_seq_cst();                                         /* pairs with A4 */
	/* Acquire: cq_event belongs to this epoch. */
	uint32_t wait = dx_shared_load_acquire(&channel->a->a_wait);
	if ((wait & DX_LAYOUT_WAIT_ARMED) == 0 || wait == notes->woken) {
		return WAKE_NONE;
	}
	uint32_t event = dx_shared_load_relaxed(&channel->a->cq_event);
	/* Not an economy only: an entry that was taken before the reader armed must not use up the
	 * one wake-up of this epoch, because a futex does not remember it. */
	if (!dx_layout_need_event(event, notes->tail, old)) {
		return WAKE_NONE;
	}
	notes->woken = wait;
	return (wait & DX_LAYOUT_WAIT_SOCKET) != 0 ? WAKE_SOCKET : WAKE_FUTEX;
}

/* CPU time, because a wake-up often ends with the woken thread running in our place. */
static uint64_t cpu_time_ns(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now); /* cannot fail for this clock */
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Whether slow wake-ups took so much that it cannot be chance. Their number says nothing: where the
 * machine is itself a guest, the time for which its host runs others counts as ours, and dozens in a
 * row are slow, up to half of the time. An application with thousands of waiters takes nearly all.
 * What two threads add at once may be lost. */
static bool is_too_slow(struct dx_channel_driver *channel, uint64_t spent_ns)
{
	if (spent_ns < SLOW_NS) {
		uint32_t left = atomic_load_explicit(&channel->nr_suspect, memory_order_relaxed);

		atomic_store_explicit(&channel->nr_suspect, left == 0 ? 0 : left - 1,
				      memory_order_relaxed);
		return false;
	}
	atomic_store_explicit(&channel->nr_suspect, NR_SUSPECT, memory_order_relaxed);
	uint64_t now = dx_clock_now_ns();
	uint64_t before = atomic_load_explicit(&channel->slow_at_ns, memory_order_relaxed);
	uint64_t level = atomic_load_explicit(&channel->slow_ns, memory_order_relaxed);
	uint64_t allowed = now > before ? (now - before) / 4 * 3 : 0;

	level = (level > allowed ? level - allowed : 0) + spent_ns;
	atomic_store_explicit(&channel->slow_at_ns, now, memory_order_relaxed);
	atomic_store_explicit(&channel->slow_ns, level, memory_order_relaxed);
	return level >= SLOW_LIMIT_NS;
}

/* The application can make a wake-up dear (thousands of waiters), but not endless. */
static void wake(struct dx_channel_driver *channel, enum wake how)
{
	if (how == WAKE_NONE) {
		return;
	}
	/* Reading the CPU time is a system call: only after a wake-up that was slow by the clock. */
	bool is_suspect = atomic_load_explicit(&channel->nr_suspect, memory_order_relaxed) != 0;
	uint64_t start = is_suspect ? cpu_time_ns() : dx_clock_now_ns();
	if (how == WAKE_FUTEX) {
		(void)dx_futex_wake(&channel->d->cq_tail, 1);
	} else if (channel->notify != NULL) {
		channel->notify(channel->notify_context);
	}
	if (!is_suspect) {
		if (dx_clock_now_ns() - start >= SLOW_NS) {
			atomic_store_explicit(&channel->nr_suspect, NR_SUSPECT,
					      memory_order_relaxed);
		}
	} else if (is_too_slow(channel, cpu_time_ns() - start)) {
		dx_channel_driver_fail(channel, -ETIME);
	}
}

static int add_locked(struct dx_channel_driver *channel, const struct dx_channel_note *note)
	DX_REQUIRES(channel->notes.lock)
{
	uint32_t room = 0;

	if (dx_list_is_empty(&channel->notes.backlog)) {
		int rc = look_for_room_locked(channel, &room);
		if (rc < 0) {
			return rc;
		}
	}
	if (room != 0) {
		return write_note_locked(channel, note);
	}
	int rc = push_backlog_locked(channel, note);
	if (rc < 0) {
		return rc;
	}
	/* While an announced backlog waits, the doorbell will move it; do not look each time. */
	return (channel->notes.blocked & 1u) != 0 ? 0 : settle_backlog_locked(channel);
}

static bool is_note_valid(uint32_t nr_args, const uint64_t *args)
{
	return nr_args <= DX_LAYOUT_CQ_ARGS && (nr_args == 0 || args != NULL);
}

int dx_channel_driver_notify(struct dx_channel_driver *channel, uint32_t kind, uint64_t tag,
			     int32_t result, const uint64_t *args, uint32_t nr_args)
{
	struct dx_channel_note note;
	enum wake how = WAKE_NONE;
	int error = dx_channel_driver_error(channel);

	if (error != 0) {
		return error;
	}
	if (!is_note_valid(nr_args, args)) {
		return -EINVAL;
	}
	note.kind = kind;
	note.tag = tag;
	note.result = result;
	note.nr_args = nr_args;
	if (nr_args != 0) {
		memcpy(note.args, args, nr_args * sizeof(uint64_t));
	}
	dx_mutex_lock(&channel->notes.lock);
	int rc = add_locked(channel, &note);
	/* A batch waits for its end, unless the ring is full: then nobody could read on. */
	if (rc == 0 && (channel->notes.batches == 0 || backlog_of(channel) != 0)) {
		how = publish_locked(channel);
	}
	dx_mutex_unlock(&channel->notes.lock);
	if (rc < 0) {
		dx_channel_driver_fail(channel, rc);
	}
	wake(channel, how);
	return rc;
}

void dx_channel_driver_batch_begin(struct dx_channel_driver *channel)
{
	dx_mutex_lock(&channel->notes.lock);
	channel->notes.batches++;
	dx_mutex_unlock(&channel->notes.lock);
}

void dx_channel_driver_batch_end(struct dx_channel_driver *channel)
{
	dx_mutex_lock(&channel->notes.lock);
	channel->notes.batches--;
	enum wake how = publish_locked(channel);
	dx_mutex_unlock(&channel->notes.lock);
	wake(channel, how);
}

uint32_t dx_channel_driver_backlog(struct dx_channel_driver *channel)
{
	return backlog_of(channel);
}

void dx_channel_notes_flush(struct dx_channel_driver *channel)
{
	enum wake how = WAKE_NONE;

	dx_mutex_lock(&channel->notes.lock);
	uint32_t before = channel->notes.tail;
	int rc = settle_backlog_locked(channel);
	if (rc == 0) {
		channel->consumed += channel->notes.tail - before;
		how = publish_locked(channel);
	}
	dx_mutex_unlock(&channel->notes.lock);
	if (rc < 0) {
		dx_channel_driver_fail(channel, rc);
	}
	wake(channel, how);
}

/* SPDX-License-Identifier: MIT
 *
 * app_notes - taking notifications, and waiting for them in three ways: spinning, asleep on a
 * futex, or through a socket that the caller polls.
 *
 * Place:   channel, application side; app_side.h has the state and Z1..Z4.
 * Trust:   cq_tail and the entries are the driver's: bounded, copied once.
 * Orders:  the names A3, A4, D2 are those of docs/PROTOCOL.md, "Publish and park".
 */
#include "channel/app_side.h"

#include <errno.h>
#include <string.h>

#define PUBLISH_EVERY 32u
#define NR_EXPECTED   8u /* a batch; more lines than that are not fetched at once */

/* Looks at cq_tail. @return 0; -EPROTO, which is kept. */
static int look_at_tail_locked(struct dx_channel_app *channel) DX_REQUIRES(channel->notes.lock)
{
	struct dx_channel_app_notes *notes = &channel->notes;
	uint32_t tail = dx_shared_load_acquire(&channel->d->cq_tail); /* A3, pairs with D2 */

	/* It may only grow, and never beyond what the ring holds. */
	if (tail - notes->head > DX_LAYOUT_CQ_SIZE ||
	    tail - notes->head < notes->tail - notes->head) {
		return dx_channel_app_fail(channel, -EPROTO);
	}
	notes->tail = tail;
	return 0;
}

/* What has come lies in the driver's cache: all of it sets out at once, not one after the other. */
static void expect_notes_locked(const struct dx_channel_app *channel)
	DX_REQUIRES(channel->notes.lock)
{
	uint32_t head = channel->notes.head;
	uint32_t nr_new = channel->notes.tail - head;

	for (uint32_t i = 0; i < nr_new && i < NR_EXPECTED; i++) {
		dx_expect_read(&channel->d->notes[(head + i) % DX_LAYOUT_CQ_SIZE]);
	}
}

/* Tells the driver which entries are free, and rings when it has more than fits. */
static void publish_head_locked(struct dx_channel_app *channel) DX_REQUIRES(channel->notes.lock)
{
	struct dx_channel_app_notes *notes = &channel->notes;

	if (notes->published == notes->head) {
		return;
	}
	notes->published = notes->head;
	/* Release: our reads of the entries are over before the driver may write them again. */
	dx_shared_store_release(&channel->a->cq_head, notes->head);
	dx_fence_seq_cst(); /* pairs with the fence after cq_blocked */
	uint32_t blocked = dx_shared_load_relaxed(&channel->d->cq_blocked);
	if ((blocked & 1u) != 0 && blocked != notes->blocked_rung) {
		notes->blocked_rung = blocked;
		dx_channel_app_ring(channel);
	}
}

static bool try_use_policy(struct dx_channel_app_notes *notes)
{
	/* Acquire and release pair with each other: the policy is handed on. */
	return atomic_exchange_explicit(&notes->policy_busy, 1, memory_order_acquire) == 0;
}

static void unuse_policy(struct dx_channel_app_notes *notes)
{
	atomic_store_explicit(&notes->policy_busy, 0, memory_order_release);
}

/* A wait that went on in the caller's poll() ends when its notification is taken. */
static void end_open_wait(struct dx_channel_app_notes *notes)
{
	if (atomic_load_explicit(&notes->wait_open, memory_order_relaxed) == 0 ||
	    !try_use_policy(notes)) {
		return;
	}
	atomic_store_explicit(&notes->wait_open, 0, memory_order_relaxed);
	dx_wait_policy_end(&notes->policy);
	unuse_policy(notes);
}

/* There is one at head. */
static int copy_note_locked(struct dx_channel_app *channel, struct dx_channel_note *ret_note)
	DX_REQUIRES(channel->notes.lock)
{
	uint32_t head = channel->notes.head;
	const struct dx_layout_note *place = &channel->d->notes[head % DX_LAYOUT_CQ_SIZE];
	uint32_t seq = place->seq;
	uint32_t nr_args = place->nr_args;

	atomic_signal_fence(memory_order_seq_cst); /* Z3 */
	if (seq != head + 1 || nr_args > DX_LAYOUT_CQ_ARGS) {
		return dx_channel_app_fail(channel, -EPROTO);
	}
	ret_note->kind = place->kind;
	ret_note->tag = place->tag;
	ret_note->result = place->result;
	ret_note->nr_args = nr_args;
	memcpy(ret_note->args, place->args, nr_args * sizeof(uint64_t));
	channel->notes.head++;
	end_open_wait(&channel->notes);
	if (channel->notes.head - channel->notes.published >= PUBLISH_EVERY) {
		publish_head_locked(channel);
	}
	return 1;
}

/* Nothing was there. The driver may have published, then died: look in that order. */
static int judge_nothing_locked(struct dx_channel_app *channel) DX_REQUIRES(channel->notes.lock)
{
	publish_head_locked(channel);
	int error = dx_channel_app_check_peer(channel);
	if (error == 0 || error == -ESHUTDOWN) {
		return error;
	}
	int rc = look_at_tail_locked(channel);
	if (rc < 0) {
		return rc;
	}
	return channel->notes.tail != channel->notes.head ? 0 : error;
}

static int next_locked(struct dx_channel_app *channel, struct dx_channel_note *ret_note)
	DX_REQUIRES(channel->notes.lock)
{
	struct dx_channel_app_notes *notes = &channel->notes;

	for (;;) {
		if (notes->tail == notes->head) {
			int rc = look_at_tail_locked(channel);
			if (rc < 0) {
				return rc;
			}
			expect_notes_locked(channel);
		}
		if (notes->tail != notes->head) {
			return copy_note_locked(channel, ret_note);
		}
		int rc = judge_nothing_locked(channel);
		if (rc < 0 || notes->tail == notes->head) {
			return rc;
		}
	}
}

/* Errors that end taking at once; a dead driver's last notifications can still be taken. */
static int hard_error(const struct dx_channel_app *channel)
{
	int error = dx_channel_app_error(channel);

	return error == -EOWNERDEAD || error == -ECONNRESET ? 0 : error;
}

int dx_channel_app_next(struct dx_channel_app *channel, struct dx_channel_note *ret_note)
{
	int error = hard_error(channel);

	if (error != 0) {
		return error;
	}
	dx_mutex_lock(&channel->notes.lock);
	int rc = next_locked(channel, ret_note);
	dx_mutex_unlock(&channel->notes.lock);
	return rc;
}

/* A4. mode: 0 or DX_LAYOUT_WAIT_SOCKET. @return 0 armed; 1 that many are there, not armed. */
static int arm_locked(struct dx_channel_app *channel, uint32_t after, uint32_t mode)
	DX_REQUIRES(channel->notes.lock)
{
	struct dx_channel_app_notes *notes = &channel->notes;

	publish_head_locked(channel);
	notes->epoch += DX_LAYOUT_WAIT_EPOCH;
	dx_shared_store_relaxed(&channel->a->cq_event, notes->head + after - 1);
	/* Release: cq_event belongs to this epoch. */
	dx_shared_store_release(&channel->a->a_wait, notes->epoch | DX_LAYOUT_WAIT_ARMED | mode);
	dx_fence_seq_cst(); /* pairs with D2 */
	int rc = look_at_tail_locked(channel);
	if (rc == 0 && notes->tail - notes->head >= after) {
		rc = 1;
	}
	if (rc == 0) {
		rc = dx_channel_app_check_peer(channel);
	}
	if (rc != 0) {
		dx_shared_store_relaxed(&channel->a->a_wait, notes->epoch);
	}
	return rc;
}

static int arm(struct dx_channel_app *channel, uint32_t after, uint32_t mode, uint32_t *ret_tail)
{
	int rc = hard_error(channel);

	if (rc != 0) {
		return rc;
	}
	dx_mutex_lock(&channel->notes.lock);
	rc = arm_locked(channel, after, mode);
	*ret_tail = channel->notes.tail;
	/* What came before the end is there to be taken. */
	if (rc < 0 && *ret_tail != channel->notes.head && rc != -ESHUTDOWN && rc != -EPROTO) {
		rc = 1;
	}
	dx_mutex_unlock(&channel->notes.lock);
	return rc;
}

int dx_channel_app_arm(struct dx_channel_app *channel, uint32_t after)
{
	uint32_t tail = 0;

	if (after == 0 || after > DX_LAYOUT_CQ_SIZE) {
		return -EINVAL;
	}
	return arm(channel, after, DX_LAYOUT_WAIT_SOCKET, &tail);
}

void dx_channel_app_disarm(struct dx_channel_app *channel)
{
	if (hard_error(channel) != 0) {
		return;
	}
	dx_mutex_lock(&channel->notes.lock);
	dx_shared_store_relaxed(&channel->a->a_wait, channel->notes.epoch);
	dx_mutex_unlock(&channel->notes.lock);
}

/* Without the lock: head only moves when a notification is taken, which ends the wait anyway. */
static bool has_note(struct dx_channel_app *channel, uint32_t head)
{
	return dx_shared_load_acquire(&channel->d->cq_tail) != head; /* A3; checked when taken */
}

static uint32_t head_of(struct dx_channel_app *channel)
{
	dx_mutex_lock(&channel->notes.lock);
	uint32_t head = channel->notes.head;
	dx_mutex_unlock(&channel->notes.lock);
	return head;
}

/* Begins a wait; a fruitless spin leaves it open. Threads that find the policy in use do not spin:
 * one spinning thread is enough. */
static bool spin(struct dx_channel_app *channel)
{
	struct dx_channel_app_notes *notes = &channel->notes;
	uint32_t head = head_of(channel);
	uint32_t peer_cpu = dx_shared_load_relaxed(&channel->d->d_cpu); /* a hint */

	if (has_note(channel, head) || !try_use_policy(notes)) {
		return has_note(channel, head);
	}
	bool found = false;
	dx_wait_policy_begin(&notes->policy);
	do {
		found = has_note(channel, head);
	} while (!found && dx_wait_policy_spin(&notes->policy, peer_cpu));
	if (found) {
		dx_wait_policy_end(&notes->policy);
	}
	atomic_store_explicit(&notes->wait_open, !found, memory_order_relaxed);
	unuse_policy(notes);
	return found;
}

bool dx_channel_app_spin(struct dx_channel_app *channel)
{
	return hard_error(channel) == 0 && spin(channel);
}

static int wait_asleep(struct dx_channel_app *channel, uint64_t deadline_ns)
{
	for (;;) {
		uint32_t tail = 0;
		int rc = arm(channel, 1, 0, &tail);
		if (rc != 0) {
			return rc;
		}
		rc = dx_channel_app_sleep(channel, &channel->d->cq_tail, tail, deadline_ns);
		dx_channel_app_disarm(channel);
		if (rc < 0 && has_note(channel, tail) && rc != -ESHUTDOWN) {
			return 1;
		}
		if (rc < 0) {
			return rc;
		}
	}
}

int dx_channel_app_wait(struct dx_channel_app *channel, uint64_t deadline_ns)
{
	int rc = hard_error(channel);

	if (rc != 0) {
		return rc;
	}
	/* Count, then look: pairs with set closing, then look in close(). */
	(void)atomic_fetch_add(&channel->nr_waiting, 1);
	rc = spin(channel) ? 1 : wait_asleep(channel, deadline_ns);
	(void)atomic_fetch_sub(&channel->nr_waiting, 1);
	return rc;
}

/* SPDX-License-Identifier: MIT
 *
 * app_call - one call: take a slot, submit, wait, answer questions, copy the answer out.
 *
 * Place:   channel, application side; app_side.h has the state and Z1..Z4.
 * Trust:   an answer is copied once and its counts are checked before they are used.
 * Orders:  the names A1..A4, D1..D3 are those of docs/PROTOCOL.md, "Publish and park".
 */
#include "channel/app_side.h"

#include <errno.h>
#include <string.h>

#include "channel/segment.h"

/* ------------------------------------------------------------------------------------------- */
/* Slots                                                                                       */

/* @return false when none is free. */
static bool try_take_slot(struct dx_channel_app *channel, uint32_t *ret_slot)
{
	uint32_t free_slots = atomic_load_explicit(&channel->free_slots, memory_order_relaxed);

	while (free_slots != 0) {
		/* Acquire pairs with the release in give_slot(); seq_cst pairs with close(). */
		if (atomic_compare_exchange_weak(&channel->free_slots, &free_slots,
						 free_slots & (free_slots - 1))) {
			*ret_slot = (uint32_t)__builtin_ctz(free_slots);
			return true;
		}
	}
	return false;
}

static int wait_for_slot(struct dx_channel_app *channel, uint32_t *ret_slot)
{
	int error = 0;

	dx_mutex_lock(&channel->lock);
	/* Announce, then look: pairs with put bit, then look in give_slot(); both seq_cst. */
	(void)atomic_fetch_add(&channel->nr_want_slot, 1);
	while (error == 0 && !try_take_slot(channel, ret_slot)) {
		dx_cond_wait(&channel->slot_free, &channel->lock);
		error = dx_channel_app_error(channel);
	}
	(void)atomic_fetch_sub(&channel->nr_want_slot, 1);
	dx_mutex_unlock(&channel->lock);
	return error;
}

static void give_slot(struct dx_channel_app *channel, uint32_t slot)
{
	(void)atomic_fetch_or(&channel->free_slots, 1u << slot);
	if (atomic_load(&channel->nr_want_slot) == 0 && atomic_load(&channel->closing) == 0) {
		return;
	}
	dx_mutex_lock(&channel->lock);
	if (dx_channel_app_error(channel) != 0) {
		dx_cond_broadcast(&channel->slot_free); /* all are to leave */
	} else {
		dx_cond_signal(&channel->slot_free);
	}
	dx_mutex_unlock(&channel->lock);
}

static int take_slot(struct dx_channel_app *channel, uint32_t *ret_slot)
{
	int error = dx_channel_app_error(channel);

	if (error != 0) {
		return error;
	}
	if (!try_take_slot(channel, ret_slot)) {
		return wait_for_slot(channel, ret_slot);
	}
	/* Take, then look: pairs with set closing, then look in close(). */
	if (atomic_load(&channel->closing) != 0) {
		give_slot(channel, *ret_slot);
		return -ESHUTDOWN;
	}
	return 0;
}

/* ------------------------------------------------------------------------------------------- */
/* Submitting                                                                                  */

/* The number comes before the record: an atomic addition behind it would wait until the record's
 * cache lines are ours, and only then begin with the entry's. */
static uint32_t take_number(struct dx_channel_app *channel)
{
	return atomic_fetch_add_explicit(&channel->sq_next, 1, memory_order_relaxed);
}

/* A1. The record of the slot is written. */
static void submit(struct dx_channel_app *channel, uint32_t index, uint32_t slot, uint32_t kind)
{
	uint64_t entry = (uint64_t)(index + 1) << 32 | kind << 8 | slot;

	/* Pairs with D1. No entry is overwritten unread: each slot has at most one unread. */
	dx_shared_store_release(&channel->a->sq[index % DX_LAYOUT_SQ_SIZE], entry);
	dx_fence_seq_cst(); /* pairs with D3 */
	uint32_t epoch = dx_shared_load_relaxed(&channel->d->d_wait);
	if ((epoch & 1u) == 0 ||
	    atomic_load_explicit(&channel->rung, memory_order_relaxed) == epoch) {
		return;
	}
	/* Ring before saying so: another thread must not rely on a ring that has not happened. */
	dx_channel_app_ring(channel);
	atomic_store_explicit(&channel->rung, epoch, memory_order_relaxed);
}

static uint32_t next_turn(struct dx_channel_app_slot *own)
{
	own->turn = (own->turn + 1) & DX_LAYOUT_TURN_MASK;
	return own->turn;
}

static int write_bytes(struct dx_channel_app *channel, uint32_t slot,
		       const struct dx_channel_request *request)
{
	struct dx_channel_app_slot *own = &channel->slots[slot];
	uint8_t *page = channel->a->bytes[slot];

	if (!own->page_ready && dx_segment_populate(page, DX_MAX_INLINE_BYTES) < 0) {
		return -ENOMEM;
	}
	own->page_ready = true;
	memcpy(page, request->bytes, request->nr_bytes);
	return 0;
}

/* Most calls have none of these, and send a cache line less. */
static bool has_more(const struct dx_channel_request *request)
{
	return (request->in_address | request->in_length | request->out_address |
		request->out_length) != 0;
}

static void write_request(struct dx_channel_app *channel, uint32_t slot,
			  const struct dx_channel_request *request)
{
	struct dx_channel_app_slot *own = &channel->slots[slot];
	struct dx_layout_request *record = &channel->a->requests[slot];

	if (request->nr_scalars != 0) {
		memcpy(record->scalars, request->scalars, request->nr_scalars * sizeof(uint64_t));
	}
	record->fields = (struct dx_layout_request_fields){
		.turn = next_turn(own),
		.kind = request->kind,
		.flags = request->flags,
		.nr_scalars = request->nr_scalars,
		.nr_bytes = request->nr_bytes,
		.max_scalars = request->max_scalars,
		.selector = request->selector,
		.tag = request->tag,
		.max_bytes = request->max_bytes,
	};
	if (has_more(request)) {
		record->more = (struct dx_layout_request_more){
			.in_address = request->in_address,
			.in_length = request->in_length,
			.out_address = request->out_address,
			.out_length = request->out_length,
		};
	}
	uint32_t cpu = dx_wait_cpu();
	if (cpu != own->cpu) {
		own->cpu = cpu;
		dx_shared_store_relaxed(&record->a_cpu, cpu); /* a hint, orders nothing */
	}
}

/* ------------------------------------------------------------------------------------------- */
/* Waiting                                                                                     */

static bool has_turned(const struct dx_shared_u32 *word, uint32_t turn, uint32_t *ret_state)
{
	*ret_state = dx_shared_load_acquire(word); /* A3, pairs with D2 */
	return *ret_state >> DX_LAYOUT_STATUS_BITS == turn;
}

/* A4. @return 0: look again; or the error of the peer. */
static int park(struct dx_channel_app *channel, uint32_t slot, uint32_t turn)
{
	const struct dx_shared_u32 *word = &channel->d->answers[slot].state;
	struct dx_shared_u32 *a_wait = &channel->a->requests[slot].a_wait;
	uint32_t state = 0;
	int rc = 0;

	dx_shared_store_relaxed(a_wait, 1);
	dx_fence_seq_cst(); /* pairs with D2 */
	if (!has_turned(word, turn, &state)) {
		rc = dx_channel_app_sleep(channel, word, state, 0);
	}
	dx_shared_store_relaxed(a_wait, 0);
	return rc;
}

/* Until the driver answers this turn. @return 0 and the state; or the error of the peer. */
static int wait_for_turn(struct dx_channel_app *channel, uint32_t slot, uint32_t *ret_state)
{
	struct dx_channel_app_slot *own = &channel->slots[slot];
	const struct dx_shared_u32 *word = &channel->d->answers[slot].state;
	uint32_t peer_cpu = dx_shared_load_relaxed(&channel->d->d_cpu); /* a hint */

	dx_wait_policy_begin(&own->policy);
	while (!has_turned(word, own->turn, ret_state)) {
		if (dx_wait_policy_spin(&own->policy, peer_cpu)) {
			continue;
		}
		int rc = park(channel, slot, own->turn);
		/* An answer that came before the end counts. */
		if (rc < 0 && !has_turned(word, own->turn, ret_state)) {
			dx_wait_policy_cancel(&own->policy);
			return rc;
		}
	}
	dx_wait_policy_end(&own->policy);
	return 0;
}

/* Z3: what was copied must not be loaded from shared memory again. */
static void copy_shared(void *to, const void *from, size_t length)
{
	memcpy(to, from, length);
	atomic_signal_fence(memory_order_seq_cst);
}

/* The part of an answer between its state word and its scalars. */
struct answer_head {
	int32_t result;
	uint32_t nr_scalars;
	uint32_t nr_bytes;
	uint64_t value;
};

/* The next call is likely to use the slot again; the driver has read these lines. */
static void expect_request(const struct dx_layout_request *record)
{
	dx_expect_write(record);
	dx_expect_write(&record->scalars[1]);
	dx_expect_write(&record->scalars[9]);
}

static int read_answer(struct dx_channel_app *channel, uint32_t slot,
		       struct dx_channel_response *response)
{
	const struct dx_layout_answer *record = &channel->d->answers[slot];
	struct answer_head head = {.result = record->result,
				   .nr_scalars = record->nr_scalars,
				   .nr_bytes = record->nr_bytes,
				   .value = record->value};

	atomic_signal_fence(memory_order_seq_cst); /* Z3 */
	if (head.nr_scalars > DX_MAX_SCALARS || head.nr_bytes > DX_MAX_INLINE_BYTES) {
		return dx_channel_app_fail(channel, -EPROTO);
	}
	response->result = head.result;
	response->value = head.value;
	if (response->nr_scalars > head.nr_scalars) {
		response->nr_scalars = head.nr_scalars;
	}
	if (response->nr_bytes > head.nr_bytes) {
		response->nr_bytes = head.nr_bytes;
	}
	if (response->nr_scalars != 0) {
		copy_shared(response->scalars, record->scalars,
			    response->nr_scalars * sizeof(uint64_t));
	}
	if (response->nr_bytes != 0) {
		copy_shared(response->bytes, channel->d->bytes[slot], response->nr_bytes);
	}
	expect_request(&channel->a->requests[slot]);
	return 0;
}

static void answer_question(struct dx_channel_app *channel, uint32_t slot,
			    const struct dx_channel_request *request)
{
	const struct dx_layout_answer *record = &channel->d->answers[slot];
	struct dx_layout_request *own = &channel->a->requests[slot];
	struct dx_channel_ask ask = {.kind = record->ask.kind,
				     .flags = record->ask.flags,
				     .id = record->ask.id,
				     .address = record->ask.address,
				     .length = record->ask.length};
	int32_t status = -ENOTSUP;
	uint64_t value = 0;

	atomic_signal_fence(memory_order_seq_cst); /* Z3 */
	if (request->ask != NULL) {
		status = request->ask(request->ask_context, &ask, &value);
	}
	uint32_t index = take_number(channel);
	own->more.reply_status = status;
	own->more.reply_value = value;
	own->fields.turn = next_turn(&channel->slots[slot]);
	submit(channel, index, slot, DX_LAYOUT_SUBMIT_REPLY);
}

static int call_in_slot(struct dx_channel_app *channel, uint32_t slot,
			const struct dx_channel_request *request,
			struct dx_channel_response *response)
{
	uint32_t state = 0;
	int rc = request->nr_bytes == 0 ? 0 : write_bytes(channel, slot, request);

	if (rc < 0) {
		return rc;
	}
	uint32_t index = take_number(channel);
	write_request(channel, slot, request);
	submit(channel, index, slot,
	       has_more(request) ? DX_LAYOUT_SUBMIT_LONG : DX_LAYOUT_SUBMIT_CALL);
	for (;;) {
		rc = wait_for_turn(channel, slot, &state);
		if (rc < 0) {
			return rc;
		}
		switch (state & DX_LAYOUT_STATUS_MASK) {
		case DX_LAYOUT_STATUS_DONE:
			return read_answer(channel, slot, response);
		case DX_LAYOUT_STATUS_ASK:
			answer_question(channel, slot, request);
			break;
		default:
			return dx_channel_app_fail(channel, -EPROTO);
		}
	}
}

static bool is_request_valid(const struct dx_channel_request *request,
			     const struct dx_channel_response *response)
{
	return request->nr_scalars <= DX_MAX_SCALARS && request->max_scalars <= DX_MAX_SCALARS &&
	       request->nr_bytes <= DX_MAX_INLINE_BYTES &&
	       (request->nr_scalars == 0 || request->scalars != NULL) &&
	       (request->nr_bytes == 0 || request->bytes != NULL) &&
	       (response->nr_scalars == 0 || response->scalars != NULL) &&
	       (response->nr_bytes == 0 || response->bytes != NULL);
}

int dx_channel_app_call(struct dx_channel_app *channel, const struct dx_channel_request *request,
			struct dx_channel_response *response)
{
	uint32_t slot = 0;

	if (channel == NULL || request == NULL || response == NULL ||
	    !is_request_valid(request, response)) {
		return -EINVAL;
	}
	int rc = take_slot(channel, &slot);
	if (rc < 0) {
		return rc;
	}
	rc = call_in_slot(channel, slot, request, response);
	give_slot(channel, slot);
	return rc;
}

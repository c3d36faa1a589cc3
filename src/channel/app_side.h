/* SPDX-License-Identifier: MIT
 *
 * app_side - the private state of the application's end of a channel.
 *
 * Place:      channel; app_side.c (open, close, sleeping), app_call.c (calls), app_notes.c.
 * Invariants:
 *   Z1  a slot belongs to the thread that took its bit out of free_slots, until it puts it back;
 *       the lowest free one is taken, so that an idle application touches one.
 *   Z2  own indices and turns are private; what is in A is published and never read back.
 *   Z3  what is in D is loaded once, checked, and used from the copy.
 *   Z4  a thread sleeps only on a word that changes when it is answered, together with the alive
 *       word; after every sleep it looks at the alive word, and when that is dead or closed it
 *       wakes everybody else, because the kernel wakes one waiter only.
 * Threads:    any, except where said.
 */
#ifndef DX_CHANNEL_APP_SIDE_H
#define DX_CHANNEL_APP_SIDE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mutex.h"
#include "base/shared.h"
#include "channel/channel.h"
#include "channel/layout.h"
#include "channel/policy.h"

#define DX_ALL_SLOTS ((1u << DX_LAYOUT_SLOTS) - 1u)

/* Owned as Z1 says. */
struct dx_channel_app_slot {
	struct dx_wait_policy policy;
	uint32_t turn;
	uint32_t cpu; /* what a_cpu says */
	bool page_ready;
} __attribute__((aligned(64)));

struct dx_channel_app_notes {
	struct dx_mutex lock;         /* order 81; guards the next five */
	uint32_t head;                /* taken */
	uint32_t published;           /* what cq_head says */
	uint32_t tail;                /* the driver's, last checked value */
	uint32_t blocked_rung;        /* the epoch of cq_blocked that was rung last */
	uint32_t epoch;               /* of a_wait */
	_Atomic uint32_t policy_busy; /* 1: a thread uses policy and wait_open */
	_Atomic uint32_t wait_open;   /* 1: a wait began with a spin and goes on in the caller */
	struct dx_wait_policy policy;
};

struct dx_channel_app {
	const struct dx_layout_d *d;
	struct dx_layout_a *a;
	int doorbell;
	uint32_t fork_mark;
	struct dx_channel_app_options options;
	_Atomic uint32_t closing;
	_Atomic int error;           /* the first that ended the connection */
	_Atomic uint32_t nr_waiting; /* threads in dx_channel_app_wait() */
	_Atomic uint32_t nr_want_slot;
	_Atomic uint64_t nr_rings;  /* counts only, see struct dx_channel_app_counts */
	_Atomic uint64_t nr_sleeps;
	struct dx_mutex lock; /* order 82; for sleeping until a slot is free */
	struct dx_cond slot_free;
	struct dx_channel_app_notes notes;
	_Atomic uint32_t sq_next __attribute__((aligned(64))); /* next submission number */
	_Atomic uint32_t rung; /* the epoch of d_wait that was rung last */
	_Atomic uint32_t free_slots __attribute__((aligned(64)));
	struct dx_channel_app_slot slots[DX_LAYOUT_SLOTS];
};

/* 0, or the error with which every function of this channel returns from now on. */
int dx_channel_app_error(const struct dx_channel_app *channel);
/* Keeps the first error. @return the error that is kept. */
int dx_channel_app_fail(struct dx_channel_app *channel, int negative_errno);
/* Sleeps while *word is seen and the driver lives. Spurious returns happen.
 * @return 0; -ETIMEDOUT; or the error, as above. */
int dx_channel_app_sleep(struct dx_channel_app *channel, const struct dx_shared_u32 *word,
			 uint32_t seen, uint64_t deadline_ns);
void dx_channel_app_ring(struct dx_channel_app *channel);

#endif

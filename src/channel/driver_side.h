/* SPDX-License-Identifier: MIT
 *
 * driver_side - the private state of the driver's end of a channel.
 *
 * Place:      channel; driver_side.c (open, calls, parking) and driver_notes.c (notifications).
 * Memory:     one reservation: [ this struct, a private page | D, shared ]. The struct lies
 *             DX_ALIVE_DISTANCE before D, so that the robust list node in it lies at the one
 *             distance from its word that the kernel knows (alive.h V2, V3). A is mapped apart,
 *             read-only.
 * Invariants:
 *   X1  own indices and epochs are private; what is in D is published and never read back.
 *   X2  what is in A is loaded once, checked, and used from the copy.
 *   X3  serial of a slot = count << 2 | phase, and only these steps exist:
 *           idle --poll CALL--> busy --answer--> claimed --> idle
 *                               busy --ask-----> claimed --> asking --poll REPLY--> busy
 *       Whoever makes the step busy -> claimed owns the slot's answer record and its turn.
 * Threads:    the serving thread polls, arms, listens; any thread answers and notifies.
 */
#ifndef DX_CHANNEL_DRIVER_SIDE_H
#define DX_CHANNEL_DRIVER_SIDE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/mutex.h"
#include "channel/alive.h"
#include "channel/channel.h"
#include "channel/layout.h"

#define DX_SLOT_PHASE_MASK 3u
#define DX_SLOT_IDLE       0u
#define DX_SLOT_BUSY       1u
#define DX_SLOT_CLAIMED    2u
#define DX_SLOT_ASKING     3u
#define DX_SLOT_COUNT_ONE  4u

struct dx_channel_slot {
	_Atomic uint32_t serial;
	uint32_t turn; /* owned with the slot, see X3 */
};

struct dx_channel_notes {
	struct dx_mutex lock;   /* order 80; guards the rest; nothing is called under it */
	uint32_t tail;          /* written */
	uint32_t published;     /* what cq_tail says */
	uint32_t head;          /* the application's, last checked value */
	uint32_t woken;         /* the epoch of a_wait that was woken last */
	uint32_t blocked;       /* what cq_blocked says */
	uint32_t batches;       /* begun and not ended */
	uint32_t nr_pages;      /* pages of the ring that are filled */
	struct dx_list backlog; /* of struct note_chunk, oldest first */
};

struct dx_channel_doorbell {
	int fd;
	int epoll_fd;
	uint64_t cookie;
	uint32_t consumed_at_ring;
	uint32_t idle_rings; /* in a row */
	bool muted;
	bool expect_echo; /* listening again reports the old ring once more */
};

struct dx_channel_driver {
	/* The serving thread's. */
	const struct dx_layout_a *a;
	struct dx_layout_d *d;
	uint32_t sq_next;  /* next submission to take */
	uint32_t d_epoch;  /* what d_wait says */
	uint32_t cpu;      /* what d_cpu says */
	uint32_t peer_cpu; /* hint of the last caller */
	uint32_t consumed; /* things taken or moved, for the doorbell's judgement */
	uint8_t space_[92];
	struct dx_alive_entry alive; /* at the offset of the alive word in D */
	/* Any thread's. */
	struct dx_alive_registry *registry;
	_Atomic int error;
	_Atomic uint32_t pages_ready; /* bit per slot: its answer bytes have a page */
	_Atomic uint32_t nr_backlog;  /* written under notes.lock */
	_Atomic uint32_t nr_suspect;  /* wake-ups whose CPU time is to be measured */
	_Atomic uint64_t slow_ns;     /* CPU time of slow wake-ups, beyond what is allowed */
	_Atomic uint64_t slow_at_ns;  /* when slow_ns was right */
	struct dx_channel_slot slots[DX_LAYOUT_SLOTS];
	struct dx_channel_notes notes;
	dx_channel_notify_fn notify;
	void *notify_context;
	struct dx_channel_doorbell doorbell;
	int fd_d; /* -1 after _sent */
	int fd_a;
};

_Static_assert(sizeof(struct dx_channel_driver) <= DX_ALIVE_DISTANCE, "fits before D");
_Static_assert(offsetof(struct dx_channel_driver, alive) == offsetof(struct dx_layout_d, alive),
	       "node and word at the one distance");

void dx_channel_notes_init(struct dx_channel_driver *channel);
void dx_channel_notes_fini(struct dx_channel_driver *channel);
/* Moves what waits into the ring as far as there is room. Serving thread. */
void dx_channel_notes_flush(struct dx_channel_driver *channel);

#endif

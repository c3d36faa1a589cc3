/* SPDX-License-Identifier: MIT
 *
 * script - a recording as a part to play: which transfer of the driver meets which recorded one, when it
 * may end, and where the two differ.
 *
 * Place:      backend/replay, between the recording and the backend's table (replay.c).
 *
 * Each endpoint has a lane: its recorded transfers in order. Bulk and interrupt lanes are streams: what
 * a driver sends or asks for in pieces of another size than the recorded ones is the same, as long as
 * short packets are where they were. Control and isochronous lanes go one by one.
 *
 * Invariants:
 *   P1  A recorded transfer ends only after everything that the driver had sent (OUT and control) before
 *       that moment in the recording has been sent again: an answer never comes before its question.
 *   P2  When nothing moves for `patience` although the driver waits, the script says which packet it
 *       misses, and goes on without it.
 *   P3  Whatever the driver does differently is reported with the number of the packet, as Wireshark
 *       shows it, and counted. The device then does what it did in the recording.
 *   P4  Standard requests are answered from the recording wherever it has them; they are no part of the
 *       order, because another system asks for other descriptors. But SET_FEATURE(ENDPOINT_HALT) is: a
 *       driver sends it, and the endpoint fails because of it.
 *   P5  What was queued behind a transfer that failed and failed with it, as on controllers that go on
 *       after an error, is not played: the endpoint is halted then, and nothing more comes of it.
 * Trust:      the recording has been checked (R1 of recording.h).
 * Threads:    B1 of usb/backend.h.
 */
#ifndef DX_BACKEND_REPLAY_SCRIPT_H
#define DX_BACKEND_REPLAY_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "capture/recording.h"
#include "usb/backend.h"

#define DX_LANES 33u /* 0: control; 1..16 OUT, 17..32 IN */

struct dx_lane {
	size_t *items; /* indexes into the recording */
	size_t nr_items;
	size_t next;	/* first item that is not played yet; items before it are past */
	uint32_t offset; /* bytes of it that are played: streams only */
	uint16_t max_packet;
	bool halted;
	struct dx_list queue; /* the driver's transfers, in order */
	size_t timed_item;    /* whose due_ns is known; SIZE_MAX: none */
	uint64_t due_ns;
	uint64_t last_ns; /* when its last item ended */
};

struct dx_script {
	const struct dx_recording *recording;
	const char *name; /* of the file, for reports */
	bool keeps_time;  /* delays as recorded */
	uint64_t patience_ns;
	struct dx_lane lanes[DX_LANES];
	bool *is_past; /* by index: sent again, or given up */
	size_t *standards; /* standard requests, for their answers */
	size_t nr_standards;
	size_t *causes; /* what the driver sent, in order */
	size_t nr_causes;
	size_t next_cause;
	uint64_t progress_ns;
	uint32_t nr_divergences;
	uint32_t first_divergence; /* packet number */
	bool is_played;		   /* a driver has begun */
	bool is_unplugged;	   /* the recording ends with that */
};

/* @return 0 or -ENOMEM. recording and name are borrowed. */
int dx_script_init(struct dx_script *script, const struct dx_recording *recording, const char *name);
void dx_script_fini(struct dx_script *script);

struct dx_lane *dx_script_lane(struct dx_script *script, uint8_t endpoint, uint8_t type);

/*!
 * Takes a transfer of the driver; it stays in its lane's queue until the script ends it.
 * @param now_ns  CLOCK_MONOTONIC.
 * @return false: it is answered already (P4, or the device cannot do it), result in the transfer.
 */
bool dx_script_submit(struct dx_script *script, struct dx_usb_transfer *transfer, uint64_t now_ns);

/*!
 * The next transfer whose end has come, taken out of its queue, with its result; NULL: none now.
 * @param ret_deadline_ns  then: when to look again, UINT64_MAX: not before something is submitted.
 */
struct dx_usb_transfer *dx_script_next(struct dx_script *script, uint64_t now_ns,
				       uint64_t *ret_deadline_ns);

/* Says how far the play went. */
void dx_script_summarize(const struct dx_script *script);

#endif

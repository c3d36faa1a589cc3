/* SPDX-License-Identifier: MIT
 *
 * script - lanes, order, time; see script.h.
 *
 * Place:      backend/replay.
 * Cost:       a step looks at the head of each lane.
 */
#include "backend/replay/script.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend/replay/private.h"
#include "base/log.h"

#define MAX_REPORTS	20u
#define PATIENCE_NS	1000000000u
#define ENDPOINT_TYPE	5u
#define ENDPOINT_LENGTH 7u

void dx_script_diverge(struct dx_script *script, uint32_t packet, const char *format, ...)
{
	char text[256];
	va_list arguments;

	if (script->nr_divergences++ == 0) {
		script->first_divergence = packet;
	}
	if (script->nr_divergences > MAX_REPORTS) {
		return;
	}
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	dx_log_warning("replay of %s: packet %u: %s%s", script->name, packet, text,
		       script->nr_divergences == MAX_REPORTS ? " (more is counted, not shown)" : "");
}

uint32_t dx_recorded_packet(const struct dx_recorded_transfer *recorded)
{
	return recorded->submitted_at != 0 ? recorded->submitted_at : recorded->completed_at;
}

/* ---- beginning ---- */

static unsigned lane_index(uint8_t endpoint, uint8_t type)
{
	return type == DX_USB_CONTROL ? 0 : 1u + (endpoint & 0x0f) + (endpoint & 0x80 ? 16 : 0);
}

struct dx_lane *dx_script_lane(struct dx_script *script, uint8_t endpoint, uint8_t type)
{
	return &script->lanes[lane_index(endpoint, type)];
}

static bool was_cancelled(const struct dx_recorded_transfer *recorded)
{
	return recorded->completed_at != 0 && recorded->status == DX_USB_ABORTED;
}

/* Reads that were cancelled empty say nothing about the device: another driver reads ahead by another
 * number. So do those without an end, and those that were never sent. */
static bool is_played(const struct dx_recorded_transfer *recorded)
{
	if (recorded->was_refused || (recorded->type == DX_USB_CONTROL &&
				      dx_setup_is_unordered(recorded->setup))) {
		return false;
	}
	return !recorded->is_in || recorded->type == DX_USB_CONTROL ||
	       (recorded->completed_at != 0 &&
		(!was_cancelled(recorded) || recorded->actual != 0));
}

static bool is_cause(const struct dx_recorded_transfer *recorded)
{
	return recorded->submitted_at != 0 && is_played(recorded) &&
	       (!recorded->is_in || recorded->type == DX_USB_CONTROL);
}

static void find_max_packets(struct dx_script *script)
{
	const struct dx_recording *recording = script->recording;

	for (unsigned i = 0; i < recording->nr_configurations; i++) {
		const uint8_t *bytes = recording->configurations[i];
		size_t left = recording->configuration_lengths[i];

		while (left >= 2 && bytes[0] >= 2 && bytes[0] <= left) {
			if (bytes[1] == ENDPOINT_TYPE && bytes[0] >= ENDPOINT_LENGTH) {
				struct dx_lane *lane =
					dx_script_lane(script, bytes[2], DX_USB_BULK);
				uint16_t size = (uint16_t)((bytes[4] | bytes[5] << 8) & 0x7ff);

				lane->max_packet = size > lane->max_packet ? size : lane->max_packet;
			}
			left -= bytes[0];
			bytes += bytes[0];
		}
	}
}

/* P5: a stalled read that was under way when the one before it in the lane failed likewise. */
static bool failed_with_another(const struct dx_script *script, const struct dx_lane *lane,
				const struct dx_recorded_transfer *recorded)
{
	const struct dx_recorded_transfer *before = NULL;

	if (lane->nr_items == 0 || !recorded->is_in || recorded->type == DX_USB_CONTROL ||
	    recorded->status != DX_USB_STALLED || recorded->actual != 0) {
		return false;
	}
	before = &script->recording->transfers[lane->items[lane->nr_items - 1]];
	return before->status == DX_USB_STALLED && recorded->submitted_at < before->completed_at;
}

/* Counts first, so that each lane's table has its size. */
static int fill_lanes(struct dx_script *script)
{
	const struct dx_recording *recording = script->recording;

	for (size_t i = 0; i < recording->nr_transfers; i++) {
		const struct dx_recorded_transfer *recorded = &recording->transfers[i];

		script->lanes[lane_index(recorded->endpoint, recorded->type)].nr_items++;
	}
	for (unsigned i = 0; i < DX_LANES; i++) {
		struct dx_lane *lane = &script->lanes[i];

		lane->items = calloc(lane->nr_items + 1, sizeof(*lane->items));
		if (lane->items == NULL) {
			return -ENOMEM;
		}
		lane->nr_items = 0;
	}
	for (size_t i = 0; i < recording->nr_transfers; i++) {
		const struct dx_recorded_transfer *recorded = &recording->transfers[i];
		struct dx_lane *lane = dx_script_lane(script, recorded->endpoint, recorded->type);

		if (is_played(recorded) && !failed_with_another(script, lane, recorded)) {
			lane->items[lane->nr_items++] = i;
		}
		if (recorded->type == DX_USB_CONTROL && dx_setup_is_unordered(recorded->setup)) {
			script->standards[script->nr_standards++] = i;
		}
		if (is_cause(recorded)) {
			script->causes[script->nr_causes++] = i;
		}
	}
	return 0;
}

int dx_script_init(struct dx_script *script, const struct dx_recording *recording, const char *name)
{
	*script = (struct dx_script){
		.recording = recording,
		.name = name,
		.patience_ns = PATIENCE_NS,
	};
	for (unsigned i = 0; i < DX_LANES; i++) {
		dx_list_init(&script->lanes[i].queue);
		script->lanes[i].max_packet = 1;
		script->lanes[i].timed_item = SIZE_MAX;
	}
	script->is_past = calloc(recording->nr_transfers + 1, sizeof(*script->is_past));
	script->causes = calloc(recording->nr_transfers + 1, sizeof(*script->causes));
	script->standards = calloc(recording->nr_transfers + 1, sizeof(*script->standards));
	if (script->is_past == NULL || script->causes == NULL || script->standards == NULL) {
		return -ENOMEM;
	}
	find_max_packets(script);
	return fill_lanes(script);
}

void dx_script_fini(struct dx_script *script)
{
	for (unsigned i = 0; i < DX_LANES; i++) {
		free(script->lanes[i].items);
	}
	free(script->is_past);
	free(script->standards);
	free(script->causes);
}

/* ---- playing ---- */

bool dx_script_submit(struct dx_script *script, struct dx_usb_transfer *transfer, uint64_t now_ns)
{
	struct dx_lane *lane = dx_script_lane(script, transfer->endpoint, transfer->type);
	bool is_in = transfer->endpoint & 0x80;

	script->progress_ns = now_ns;
	script->is_played = script->is_played || transfer->type != DX_USB_CONTROL ||
			    (transfer->setup[0] & 0x60) != 0;
	transfer->actual = 0;
	transfer->backend_words[DX_WORD_SUBMITTED_NS] = now_ns;
	transfer->backend_words[DX_WORD_ITEM] = 0;
	if (transfer->type == DX_USB_CONTROL && !dx_script_submit_control(script, transfer)) {
		return false;
	}
	if (transfer->type != DX_USB_CONTROL && transfer->type != DX_USB_ISOCHRONOUS && !is_in &&
	    !dx_script_submit_out(script, lane, transfer)) {
		return false;
	}
	dx_list_push_back(&lane->queue, &transfer->link);
	return true;
}

static const struct dx_recorded_transfer *first_cause(struct dx_script *script)
{
	while (script->next_cause < script->nr_causes &&
	       script->is_past[script->causes[script->next_cause]]) {
		script->next_cause++;
	}
	return script->next_cause == script->nr_causes
		       ? NULL
		       : &script->recording->transfers[script->causes[script->next_cause]];
}

/* P1 */
static bool is_caused(struct dx_script *script, const struct dx_recorded_transfer *recorded)
{
	const struct dx_recorded_transfer *missing = first_cause(script);

	return missing == NULL || missing == recorded || /* a part of it has been sent */
	       missing->submitted_at > recorded->completed_at;
}

/* The recorded transfer that decides about the head of the queue; NULL: none is left. */
static const struct dx_recorded_transfer *item_of(const struct dx_script *script,
						  const struct dx_lane *lane,
						  const struct dx_usb_transfer *head)
{
	uint64_t item = head->backend_words[DX_WORD_ITEM];

	if (item != 0) {
		return &script->recording->transfers[item - 1];
	}
	if (lane->next == lane->nr_items || head->type == DX_USB_CONTROL ||
	    !(head->endpoint & 0x80 || head->type == DX_USB_ISOCHRONOUS)) {
		return NULL;
	}
	return &script->recording->transfers[lane->items[lane->next]];
}

static uint64_t due_ns(struct dx_script *script, struct dx_lane *lane,
		       const struct dx_usb_transfer *head, const struct dx_recorded_transfer *recorded)
{
	size_t index = (size_t)(recorded - script->recording->transfers);
	uint64_t submitted_ns = head->backend_words[DX_WORD_SUBMITTED_NS];
	uint64_t before_ns = recorded->submitted_ns;

	if (!script->keeps_time) {
		return 0;
	}
	if (lane->timed_item != index) {
		if (lane->timed_item != SIZE_MAX) {
			uint64_t last_ns =
				script->recording->transfers[lane->timed_item].completed_ns;

			before_ns = last_ns > before_ns ? last_ns : before_ns;
		}
		lane->due_ns = submitted_ns > lane->last_ns ? submitted_ns : lane->last_ns;
		if (before_ns != 0 && recorded->completed_ns > before_ns) {
			lane->due_ns += recorded->completed_ns - before_ns;
		}
		lane->timed_item = index;
	}
	return lane->due_ns;
}

enum step { STEP_NONE, STEP_LATER, STEP_BLOCKED, STEP_NOW };

/* May the head of the lane go on? */
static enum step look(struct dx_script *script, struct dx_lane *lane, uint64_t now_ns,
		      const struct dx_recorded_transfer **ret_recorded, uint64_t *ret_due_ns)
{
	const struct dx_usb_transfer *head = NULL;

	*ret_recorded = NULL;
	if (dx_list_is_empty(&lane->queue) || lane->halted) {
		return STEP_NONE;
	}
	head = dx_list_entry(lane->queue.next, struct dx_usb_transfer, link);
	*ret_recorded = item_of(script, lane, head);
	if (*ret_recorded == NULL || (*ret_recorded)->completed_at == 0 ||
	    (was_cancelled(*ret_recorded) && (*ret_recorded)->actual == 0)) {
		return STEP_NONE; /* until the driver cancels, as it was */
	}
	if (!is_caused(script, *ret_recorded)) {
		return STEP_BLOCKED;
	}
	*ret_due_ns = due_ns(script, lane, head, *ret_recorded);
	return *ret_due_ns > now_ns ? STEP_LATER : STEP_NOW;
}

/* Ends the head, or lets it take what the item has. @return it if it has ended. */
static struct dx_usb_transfer *play(struct dx_script *script, struct dx_lane *lane,
				    const struct dx_recorded_transfer *recorded, uint64_t now_ns)
{
	struct dx_usb_transfer *head =
		dx_list_entry(lane->queue.next, struct dx_usb_transfer, link);
	bool ended = true;

	script->progress_ns = now_ns;
	lane->last_ns = now_ns;
	if (head->type == DX_USB_ISOCHRONOUS) {
		dx_script_play_iso(script, lane, head);
	} else if (head->type != DX_USB_CONTROL && head->endpoint & 0x80) {
		ended = dx_script_play_in(script, lane, head);
	} else { /* it has its result since it was submitted */
		head->status = recorded->status;
	}
	if (!ended) {
		return NULL;
	}
	dx_list_remove(&head->link);
	lane->halted = head->status != DX_USB_OK && head->status != DX_USB_ABORTED &&
		       (head->type == DX_USB_BULK || head->type == DX_USB_INTERRUPT);
	script->is_unplugged = script->is_unplugged || head->status == DX_USB_NOT_RESPONDING;
	return head;
}

/* P2 */
static void give_up_cause(struct dx_script *script, uint64_t now_ns)
{
	const struct dx_recorded_transfer *missing = first_cause(script);
	size_t index = script->causes[script->next_cause];
	struct dx_lane *lane = dx_script_lane(script, missing->endpoint, missing->type);

	dx_script_diverge(script, missing->submitted_at,
			  "the driver waits, and has not sent this %s of %u bytes to endpoint %#x; "
			  "going on without",
			  missing->type == DX_USB_CONTROL ? "request" : "transfer", missing->length,
			  missing->endpoint);
	script->is_past[index] = true;
	if (lane->next < lane->nr_items && lane->items[lane->next] == index) {
		lane->next++;
		lane->offset = 0;
	}
	script->progress_ns = now_ns;
}

/* The lane whose head was answered first in the recording. */
static struct dx_lane *choose(struct dx_script *script, uint64_t now_ns,
			      const struct dx_recorded_transfer **ret_recorded, bool *ret_is_blocked,
			      uint64_t *ret_deadline_ns)
{
	struct dx_lane *chosen = NULL;

	*ret_is_blocked = false;
	*ret_deadline_ns = UINT64_MAX;
	for (unsigned i = 0; i < DX_LANES; i++) {
		const struct dx_recorded_transfer *recorded = NULL;
		uint64_t due = 0;
		enum step step = look(script, &script->lanes[i], now_ns, &recorded, &due);

		*ret_is_blocked = *ret_is_blocked || step == STEP_BLOCKED;
		if (step == STEP_LATER && due < *ret_deadline_ns) {
			*ret_deadline_ns = due;
		}
		if (step == STEP_NOW && (chosen == NULL || recorded->completed_at <
								   (*ret_recorded)->completed_at)) {
			chosen = &script->lanes[i];
			*ret_recorded = recorded;
		}
	}
	return chosen;
}

struct dx_usb_transfer *dx_script_next(struct dx_script *script, uint64_t now_ns,
				       uint64_t *ret_deadline_ns)
{
	for (;;) {
		const struct dx_recorded_transfer *recorded = NULL;
		struct dx_usb_transfer *ended = NULL;
		bool is_blocked = false;
		struct dx_lane *lane =
			choose(script, now_ns, &recorded, &is_blocked, ret_deadline_ns);

		if (lane != NULL) {
			ended = play(script, lane, recorded, now_ns);
			if (ended != NULL) {
				return ended;
			}
			continue;
		}
		if (!is_blocked) {
			return NULL;
		}
		if (now_ns < script->progress_ns + script->patience_ns) {
			uint64_t end_ns = script->progress_ns + script->patience_ns;

			*ret_deadline_ns = end_ns < *ret_deadline_ns ? end_ns : *ret_deadline_ns;
			return NULL;
		}
		give_up_cause(script, now_ns);
	}
}

void dx_script_summarize(const struct dx_script *script)
{
	size_t nr_left = 0;

	for (unsigned i = 0; i < DX_LANES; i++) {
		nr_left += script->lanes[i].nr_items - script->lanes[i].next;
	}
	if (!script->is_played) { /* opened to be described, no more */
		return;
	}
	if (script->nr_divergences == 0) {
		dx_log_info("replay of %s: the driver did as recorded; %zu transfers were not reached",
			    script->name, nr_left);
		return;
	}
	dx_log_warning("replay of %s: the driver did otherwise %u times, first at packet %u of %u; "
		       "%zu transfers were not reached",
		       script->name, script->nr_divergences, script->first_divergence,
		       script->recording->nr_packets, nr_left);
}

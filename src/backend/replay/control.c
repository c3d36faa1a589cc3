/* SPDX-License-Identifier: MIT
 *
 * control - requests of a script: standard ones from what was recorded, others in their order.
 *
 * Place:      backend/replay; see script.h, P4.
 */
#include <string.h>

#include "backend/replay/private.h"

#define TYPE_MASK      0x60u
#define DIRECTION_IN   0x80u
#define TO_ENDPOINT    0x02u
#define SET_FEATURE    3u
#define LOOK_AHEAD     256u /* recorded requests that a driver may leave out and still be followed */

bool dx_setup_is_unordered(const uint8_t *setup)
{
	bool halts_an_endpoint = setup[0] == TO_ENDPOINT && setup[1] == SET_FEATURE;

	return (setup[0] & TYPE_MASK) == 0 && !halts_an_endpoint;
}

static void answer(struct dx_usb_transfer *transfer, const uint8_t *bytes, size_t size, int32_t status)
{
	uint32_t length = size < transfer->length ? (uint32_t)size : transfer->length;

	transfer->status = status;
	transfer->actual = transfer->setup[0] & DIRECTION_IN ? length : transfer->length;
	if (transfer->setup[0] & DIRECTION_IN && bytes != NULL && length != 0) {
		memcpy(transfer->data, bytes, length);
	}
}

/* The longest answer that was recorded to the same question, whatever its wLength. */
static const struct dx_recorded_transfer *find_answer(const struct dx_script *script,
						      const uint8_t *setup)
{
	const struct dx_recorded_transfer *best = NULL;

	for (size_t i = 0; i < script->nr_standards; i++) {
		const struct dx_recorded_transfer *recorded =
			&script->recording->transfers[script->standards[i]];

		if (recorded->completed_at != 0 && memcmp(recorded->setup, setup, 6) == 0 &&
		    (best == NULL || recorded->nr_data > best->nr_data)) {
			best = recorded;
		}
	}
	return best;
}

/* A question that nobody asked then: writes are taken, reads stall as unknown ones do. */
static void answer_standard(const struct dx_script *script, struct dx_usb_transfer *transfer)
{
	const struct dx_recorded_transfer *recorded = find_answer(script, transfer->setup);
	static const uint8_t zeros[2] = {0};

	if (recorded != NULL && transfer->setup[0] & DIRECTION_IN) {
		answer(transfer, recorded->data, recorded->nr_data, recorded->status);
	} else if (!(transfer->setup[0] & DIRECTION_IN)) {
		answer(transfer, NULL, 0, DX_USB_OK);
	} else if (transfer->setup[1] == 0) { /* GET_STATUS */
		answer(transfer, zeros, sizeof(zeros), DX_USB_OK);
	} else {
		answer(transfer, NULL, 0, DX_USB_STALLED);
	}
}

static bool is_same(const struct dx_recorded_transfer *item, const struct dx_usb_transfer *transfer)
{
	if (memcmp(item->setup, transfer->setup, sizeof(item->setup)) != 0) {
		return false;
	}
	return item->is_in || item->nr_data > transfer->length || item->nr_data == 0 ||
	       memcmp(item->data, transfer->data, item->nr_data) == 0;
}

static void pass_until(struct dx_script *script, struct dx_lane *lane, size_t end)
{
	while (lane->next < end) {
		script->is_past[lane->items[lane->next++]] = true;
	}
}

static void diverge(struct dx_script *script, const struct dx_lane *lane,
		    const struct dx_usb_transfer *transfer, const char *what)
{
	const uint8_t *setup = transfer->setup;
	uint32_t packet = script->recording->nr_packets;

	if (lane->next < lane->nr_items) {
		packet = dx_recorded_packet(
			&script->recording->transfers[lane->items[lane->next]]);
	}
	dx_script_diverge(script, packet,
			  "the driver sends request %02x %02x %02x%02x %02x%02x %02x%02x%s", setup[0],
			  setup[1], setup[3], setup[2], setup[5], setup[4], setup[7], setup[6], what);
}

bool dx_script_submit_control(struct dx_script *script, struct dx_usb_transfer *transfer)
{
	struct dx_lane *lane = dx_script_lane(script, 0, DX_USB_CONTROL);
	size_t position = lane->next;
	size_t end = lane->nr_items - lane->next < LOOK_AHEAD ? lane->nr_items
							      : lane->next + LOOK_AHEAD;
	const struct dx_recorded_transfer *item = NULL;

	if (dx_setup_is_unordered(transfer->setup)) {
		answer_standard(script, transfer);
		return false;
	}
	while (position < end &&
	       !is_same(&script->recording->transfers[lane->items[position]], transfer)) {
		position++;
	}
	if (position == end) { /* the recording does not know what it would do */
		diverge(script, lane, transfer, ", which is not in the recording from here on");
		answer(transfer, NULL, 0, DX_USB_STALLED);
		return false;
	}
	if (position != lane->next) {
		diverge(script, lane, transfer, " before others that came first");
	}
	item = &script->recording->transfers[lane->items[position]];
	pass_until(script, lane, position + 1);
	answer(transfer, item->data, item->nr_data, item->status);
	transfer->backend_words[DX_WORD_ITEM] = lane->items[position] + 1;
	return true;
}

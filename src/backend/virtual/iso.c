/* SPDX-License-Identifier: MIT
 *
 * iso - isochronous transfers against the clock: one packet per service interval.
 *
 * Place:      backend/virtual, under virtual.c. A transfer's words: [0] = start time, [1] = next packet,
 *             [2] = offset of its data.
 */
#include <errno.h>

#include "backend/virtual/runtime.h"
#include "base/clock.h"

#define FRAME_NS	 1000000u
#define MAX_AHEAD_FRAMES 1024u /* how far in the future a transfer may begin */

int dx_virtual_iso_schedule(struct dx_virtual_endpoint *endpoint,
			    struct dx_usb_transfer *transfer)
{
	uint64_t now_ns = dx_clock_now_ns();
	uint64_t now_frame = (now_ns - endpoint->device->epoch_ns) / FRAME_NS;
	uint64_t start_ns = 0;

	if (transfer->first_frame == 0) {
		start_ns = endpoint->next_free_ns > now_ns ? endpoint->next_free_ns : now_ns;
	} else if (transfer->first_frame > now_frame + MAX_AHEAD_FRAMES) {
		return -ERANGE;
	} else {
		start_ns = endpoint->device->epoch_ns + transfer->first_frame * FRAME_NS;
		if (start_ns < now_ns || start_ns < endpoint->next_free_ns) {
			return -ESTALE;
		}
	}
	transfer->backend_words[0] = start_ns;
	endpoint->next_free_ns = start_ns + transfer->nr_packets * endpoint->interval_ns;
	return 0;
}

static void run_packet(struct dx_virtual_endpoint *endpoint, struct dx_usb_transfer *transfer,
		       struct dx_usb_packet *packet, uint64_t due_ns)
{
	uint8_t *data = transfer->data == NULL ? NULL : transfer->data + transfer->backend_words[2];
	uint32_t length = packet->length;
	uint32_t capacity =
		endpoint->max_packet * (endpoint->described->mult + 1u) *
		(endpoint->described->max_burst + 1u);

	length = length > capacity ? capacity : length;
	packet->actual = endpoint->packet(endpoint, data, length);
	packet->status = !dx_virtual_endpoint_is_in(endpoint) && packet->actual < packet->length
				 ? DX_USB_UNDERRUN
				 : DX_USB_OK;
	packet->timestamp_ns = due_ns;
	transfer->actual += packet->actual;
	transfer->backend_words[2] += packet->length;
}

bool dx_virtual_iso_run(struct dx_virtual_endpoint *endpoint, struct dx_usb_transfer *transfer)
{
	uint64_t now_ns = dx_clock_now_ns();

	while (transfer->backend_words[1] < transfer->nr_packets) {
		uint64_t due_ns = transfer->backend_words[0] +
				  (transfer->backend_words[1] + 1) * endpoint->interval_ns;

		if (due_ns > now_ns) {
			/* One wake-up for the whole transfer: only its end is of interest. */
			dx_virtual_wake_at(endpoint->device,
					   transfer->backend_words[0] +
						   transfer->nr_packets * endpoint->interval_ns);
			return false;
		}
		run_packet(endpoint, transfer, &transfer->packets[transfer->backend_words[1]],
			   due_ns);
		transfer->backend_words[1]++;
	}
	return true;
}

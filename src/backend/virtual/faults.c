/* SPDX-License-Identifier: MIT
 *
 * faults - errors on demand, and the pace of interrupt endpoints: who may work when.
 *
 * Place:      backend/virtual, under virtual.c. A transfer's words: [0] = when it may be worked on
 *             (0 = not yet decided).
 */
#include "backend/virtual/runtime.h"
#include "base/clock.h"

#define MAX_COUNT UINT32_MAX

void dx_faults_read(struct dx_faults *faults, struct dx_options *options)
{
	*faults = (struct dx_faults){
		.delay_ns = 1000u * dx_options_number(options, "delay-us", 0, 60000000, 0),
		.stall_after = dx_options_number(options, "stall-after", 1, MAX_COUNT, 0),
		.hang_after = dx_options_number(options, "hang-after", 1, MAX_COUNT, 0),
		.babble_after = dx_options_number(options, "babble-after", 1, MAX_COUNT, 0),
		.short_bytes = dx_options_number(options, "short", 1, MAX_COUNT, 0),
		.corrupt_every = dx_options_number(options, "corrupt", 1, MAX_COUNT, 0),
		.disconnect_after =
			dx_options_number(options, "disconnect-after", 1, MAX_COUNT, 0),
		.disconnect_bytes = dx_options_number(options, "disconnect-after-bytes", 1,
						      UINT64_MAX, 0),
	};
	faults->any = (faults->delay_ns | faults->stall_after | faults->hang_after |
		       faults->babble_after | faults->short_bytes | faults->corrupt_every |
		       faults->disconnect_after | faults->disconnect_bytes) != 0;
}

/* Time between a transfer reaching the head of its queue and the device's answer. */
static bool is_due(struct dx_virtual_endpoint *endpoint, struct dx_usb_transfer *transfer)
{
	uint64_t pace_ns = endpoint->device->faults.delay_ns + endpoint->interval_ns;
	uint64_t now_ns = 0;

	if (pace_ns == 0) {
		return true;
	}
	now_ns = dx_clock_now_ns();
	if (transfer->backend_words[0] == 0) {
		transfer->backend_words[0] = now_ns + pace_ns;
	}
	if (now_ns >= transfer->backend_words[0]) {
		return true;
	}
	dx_virtual_wake_at(endpoint->device, transfer->backend_words[0]);
	return false;
}

bool dx_faults_admit(struct dx_virtual_endpoint *endpoint, struct dx_usb_transfer *transfer)
{
	const struct dx_faults *faults = &endpoint->device->faults;

	if (endpoint->device->unplug || !is_due(endpoint, transfer)) {
		return false;
	}
	if (faults->hang_after != 0 && endpoint->nr_finished >= faults->hang_after) {
		return false;
	}
	if (faults->stall_after != 0 && endpoint->nr_since_clear >= faults->stall_after) {
		endpoint->halted = true;
		dx_virtual_finish(endpoint, transfer, DX_USB_STALLED);
		return false;
	}
	if (faults->babble_after != 0 && endpoint->nr_finished == faults->babble_after &&
	    dx_virtual_endpoint_is_in(endpoint)) {
		endpoint->nr_finished++; /* once */
		dx_virtual_finish(endpoint, transfer, DX_USB_OVERRUN);
		return false;
	}
	return true;
}

void dx_faults_finishing(struct dx_virtual_endpoint *endpoint, struct dx_usb_transfer *transfer)
{
	struct dx_virtual *device = endpoint->device;
	const struct dx_faults *faults = &device->faults;

	device->nr_finished++;
	device->nr_bytes += transfer->actual;
	if (faults->corrupt_every != 0 && endpoint->nr_finished % faults->corrupt_every == 0 &&
	    dx_virtual_endpoint_is_in(endpoint) && transfer->actual != 0) {
		transfer->data[0] ^= 0xFF;
	}
	if ((faults->disconnect_after != 0 && device->nr_finished >= faults->disconnect_after) ||
	    (faults->disconnect_bytes != 0 && device->nr_bytes >= faults->disconnect_bytes)) {
		device->unplug = true;
	}
}

/* SPDX-License-Identifier: MIT
 *
 * quiesce - ending a selection of requests, and waiting until their owners know.
 *
 * Place:      usb, under abort, close, clear_stall, new configurations and detach.
 * Invariants:
 *   Q1  What is selected when cancel runs is marked `awaited`; what callbacks submit afterwards is
 *       not, so a driver that resubmits cannot keep an abort from returning.
 * Threads:    under the device's lock; quiesce unlocks while it waits.
 */
#include "usb/private.h"

struct quiesce {
	const struct dx_usb_selection *selection;
	bool only_callbacks_left;
	uint64_t batches;
};

static bool is_selected(const struct dx_usb_selection *selection,
			const struct dx_usb_request *request)
{
	const struct dx_usb_interface *interface = selection->interface;

	return selection->all || (selection->pipe != NULL && request->pipe == selection->pipe) ||
	       (interface != NULL &&
		(request->pipe->interface == interface || request->client == interface)) ||
	       (selection->client != NULL && request->client == selection->client);
}

/* From the last to the first, so that a transport does not begin what is about to be cancelled.
 * cancel() may take out the current node; all before it only when it is the first (U2). */
static void cancel_pipe_locked(struct dx_usb_device *device, struct dx_usb_pipe *pipe,
			       const struct dx_usb_selection *selection, int32_t status)
	DX_REQUIRES(device->lock)
{
	struct dx_list *node = pipe->pending.prev;

	while (node != &pipe->pending) {
		struct dx_list *before = node->prev;
		struct dx_usb_request *request = dx_list_entry(node, struct dx_usb_request, link);

		if (is_selected(selection, request)) {
			request->awaited = true;
			dx_usb_request_cancel_locked(device, request, status);
		}
		node = before;
	}
}

void dx_usb_cancel_locked(struct dx_usb_device *device, const struct dx_usb_selection *selection,
			  int32_t status)
{
	cancel_pipe_locked(device, &device->control, selection, status);
	dx_list_for_each(node, &device->pipes)
	{
		cancel_pipe_locked(device, dx_list_entry(node, struct dx_usb_pipe, link),
				   selection, status);
	}
	dx_list_for_each(node, &device->done)
	{
		struct dx_usb_request *request = dx_list_entry(node, struct dx_usb_request, link);

		request->awaited = request->awaited || is_selected(selection, request);
	}
}

static bool list_has_awaited(const struct dx_list *list, const struct dx_usb_selection *selection)
{
	dx_list_for_each(node, list)
	{
		const struct dx_usb_request *request =
			dx_list_entry(node, struct dx_usb_request, link);

		if (request->awaited && is_selected(selection, request)) {
			return true;
		}
	}
	return false;
}

static bool has_awaited_locked(struct dx_usb_device *device,
			       const struct dx_usb_selection *selection) DX_REQUIRES(device->lock)
{
	dx_list_for_each(node, &device->pipes)
	{
		if (list_has_awaited(&dx_list_entry(node, struct dx_usb_pipe, link)->pending,
				     selection)) {
			return true;
		}
	}
	return list_has_awaited(&device->control.pending, selection) ||
	       list_has_awaited(&device->done, selection);
}

/* S3: another thread's batch may hold the last callbacks; it must end once more. */
DX_NO_THREAD_SAFETY /* called by dx_usb_wait_locked() with the lock held */
static bool is_quiet(struct dx_usb_device *device, void *argument)
{
	struct quiesce *quiesce = argument;

	if (has_awaited_locked(device, quiesce->selection)) {
		return false;
	}
	if (!device->delivers) {
		return true;
	}
	if (dx_usb_in_callback_locked(device)) {
		return dx_list_is_empty(&device->delivering);
	}
	if (!quiesce->only_callbacks_left) {
		quiesce->only_callbacks_left = true;
		quiesce->batches = device->batches;
	}
	return device->batches != quiesce->batches;
}

void dx_usb_quiesce_locked(struct dx_usb_device *device, const struct dx_usb_selection *selection)
{
	struct quiesce quiesce = {.selection = selection};

	dx_usb_wait_locked(device, is_quiet, &quiesce);
}

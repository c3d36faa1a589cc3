/* SPDX-License-Identifier: MIT
 *
 * event - running the backend, making callbacks, waiting.
 *
 * Place:      usb. The only file that unlocks in the middle of something, and that sleeps.
 * Invariants: S2, S3 of private.h, and
 *   E1  A waiter runs the backend itself; it sleeps only when the backend is not ready, and wakes at
 *       the earliest deadline, when an event fd is readable, or by dx_usb_wake_locked().
 *   E2  One waiter at most sleeps on the event fd; when it stops it wakes the others, so that one of
 *       them takes its place.
 * Threads:    any.
 */
#include "usb/private.h"

#include <poll.h>
#include <unistd.h>

#include "base/clock.h"

bool dx_usb_in_callback_locked(struct dx_usb_device *device)
{
	return device->delivers && pthread_equal(device->deliverer, pthread_self());
}

void dx_usb_wake_locked(struct dx_usb_device *device)
{
	if (device->nr_waiters == 0) {
		return;
	}
	dx_cond_broadcast(&device->changed);
	if (device->waiter_polls) {
		uint64_t one = 1;
		/* Only this process holds it, and the waiter drains it: it cannot be full. */
		(void)!write(device->wake_fd, &one, sizeof(one));
	}
}

/* ---- callbacks ---- */

/* Writes what the device did into the caller's frame list. */
static void publish_frames(const struct dx_usb_request *request)
{
	for (uint32_t i = 0; i < request->transfer.nr_packets; i++) {
		const struct dx_usb_packet *packet = &request->packets[i];
		struct dx_usb_iso_frame *frame = &request->frames[i];

		frame->status = request->transfer.status == DX_USB_OK ||
						packet->status != DX_USB_INVALID
					? packet->status
					: request->transfer.status;
		frame->complete_count = packet->actual;
		frame->timestamp_ns = packet->timestamp_ns;
	}
}

static bool continues_bundle(const struct dx_usb_request *first, const struct dx_usb_request *next,
			     uint32_t count)
{
	return next->kind == DX_USB_REQUEST_BUNDLED && next->pipe == first->pipe &&
	       next->ctx == first->ctx && next->complete_bundle == first->complete_bundle &&
	       next->ring_index == (first->ring_index + count) % first->pipe->ring_size;
}

/* One callback for as many neighbours of the ring as have come together. */
static uint32_t call_bundle(struct dx_usb_device *device, struct dx_usb_request *first,
			    struct dx_list *finished)
{
	uint32_t actual[DX_USB_BUNDLE_MAX] = {first->transfer.actual};
	int32_t statuses[DX_USB_BUNDLE_MAX] = {first->transfer.status};
	uint32_t count = 1;

	while (count < DX_USB_BUNDLE_MAX && !dx_list_is_empty(&device->delivering)) {
		struct dx_list *node = device->delivering.next;
		struct dx_usb_request *next = dx_list_entry(node, struct dx_usb_request, link);

		if (!continues_bundle(first, next, count)) {
			break;
		}
		actual[count] = next->transfer.actual;
		statuses[count] = next->transfer.status;
		count++;
		dx_list_remove(node);
		dx_list_push_back(finished, node);
	}
	first->complete_bundle(first->ctx, first->ring_index, count, actual, statuses);
	return count;
}

/* Without the lock, on the delivering thread (S2). */
static int make_callbacks(struct dx_usb_device *device, struct dx_list *finished)
{
	uint64_t now_ns = dx_clock_now_ns();
	int nr_made = 0;

	while (!dx_list_is_empty(&device->delivering)) {
		struct dx_list *node = dx_list_pop_front(&device->delivering);
		struct dx_usb_request *request = dx_list_entry(node, struct dx_usb_request, link);

		dx_list_push_back(finished, node);
		nr_made++;
		if (request->kind == DX_USB_REQUEST_BUNDLED) {
			(void)call_bundle(device, request, finished);
			continue;
		}
		if (request->transfer.type == DX_USB_ISOCHRONOUS) {
			publish_frames(request);
		}
		request->complete(request->ctx, request->transfer.status, request->transfer.actual,
				  now_ns);
	}
	return nr_made;
}

static void take_done_locked(struct dx_usb_device *device) DX_REQUIRES(device->lock)
{
	dx_list_for_each(node, &device->done)
	{
		struct dx_usb_request *request = dx_list_entry(node, struct dx_usb_request, link);

		request->pipe->nr_pending--;
		if (request->kind == DX_USB_REQUEST_BUNDLED) {
			request->pipe->ring[request->ring_index].in_flight = false;
		}
	}
	dx_list_splice_back(&device->delivering, &device->done);
}

static void recycle_locked(struct dx_usb_device *device, struct dx_list *finished)
	DX_REQUIRES(device->lock)
{
	while (!dx_list_is_empty(finished)) {
		struct dx_list *node = dx_list_pop_front(finished);

		dx_usb_request_put_locked(device, dx_list_entry(node, struct dx_usb_request, link));
	}
}

static int deliver_rounds_locked(struct dx_usb_device *device) DX_REQUIRES(device->lock)
{
	struct dx_list finished = DX_LIST_INIT(finished);
	int nr_made = 0;

	while (!dx_list_is_empty(&device->done) || !dx_list_is_empty(&device->delivering)) {
		take_done_locked(device);
		dx_mutex_unlock(&device->lock);
		nr_made += make_callbacks(device, &finished);
		dx_mutex_lock(&device->lock);
		recycle_locked(device, &finished);
	}
	return nr_made;
}

static void tell_gone_locked(struct dx_usb_device *device) DX_REQUIRES(device->lock)
{
	dx_usb_gone_fn on_gone = device->on_gone;
	void *ctx = device->on_gone_ctx;
	enum dx_usb_gone_reason reason = device->gone_reason;

	device->gone_owed = false;
	if (on_gone != NULL) {
		dx_mutex_unlock(&device->lock);
		on_gone(ctx, reason);
		dx_mutex_lock(&device->lock);
	}
}

static bool owes_gone_locked(const struct dx_usb_device *device) DX_REQUIRES(device->lock)
{
	return device->gone_owed && device->nr_queued == 0;
}

int dx_usb_deliver_locked(struct dx_usb_device *device)
{
	int nr_made = 0;

	if (device->delivers) {
		return dx_usb_in_callback_locked(device) ? deliver_rounds_locked(device) : 0;
	}
	device->delivers = true;
	device->deliverer = pthread_self();
	nr_made = deliver_rounds_locked(device);
	if (owes_gone_locked(device)) {
		tell_gone_locked(device);
		nr_made += deliver_rounds_locked(device);
	}
	device->delivers = false;
	device->batches++;
	if (device->pipes_closed) {
		dx_usb_pipes_reap_locked(device);
	}
	dx_usb_wake_locked(device);
	return nr_made;
}

/* ---- running ---- */

static void expire_locked(struct dx_usb_device *device) DX_REQUIRES(device->lock)
{
	uint64_t now_ns = 0;

	if (dx_list_is_empty(&device->timers)) {
		return;
	}
	now_ns = dx_clock_now_ns();
	while (!dx_list_is_empty(&device->timers)) {
		struct dx_usb_request *request =
			dx_list_entry(device->timers.next, struct dx_usb_request, timer);

		if (request->deadline_ns > now_ns) {
			return;
		}
		dx_usb_request_cancel_locked(device, request, DX_USB_TIMEOUT);
	}
}

static uint64_t next_deadline_locked(const struct dx_usb_device *device) DX_REQUIRES(device->lock)
{
	uint64_t backend_ns = device->ops->next_deadline_ns(device->backend);
	uint64_t timer_ns = UINT64_MAX;

	if (!dx_list_is_empty(&device->timers)) {
		timer_ns = dx_list_entry(device->timers.next, struct dx_usb_request, timer)
				   ->deadline_ns;
	}
	return backend_ns < timer_ns ? backend_ns : timer_ns;
}

static void run_backend_locked(struct dx_usb_device *device) DX_REQUIRES(device->lock)
{
	expire_locked(device);
	device->ops->poll(device->backend);
	device->counters.polls++;
	if (device->nr_waiters != 0 && next_deadline_locked(device) < device->waiters_deadline_ns) {
		dx_usb_wake_locked(device);
	}
}

static bool has_callbacks_locked(struct dx_usb_device *device) DX_REQUIRES(device->lock)
{
	if (device->delivers && !pthread_equal(device->deliverer, pthread_self())) {
		return false;
	}
	return !dx_list_is_empty(&device->done) ||
	       (device->delivers ? !dx_list_is_empty(&device->delivering)
				 : owes_gone_locked(device));
}

int dx_usb_poll(struct dx_usb_device *device)
{
	int nr_made = 0;

	dx_mutex_lock(&device->lock);
	run_backend_locked(device);
	if (has_callbacks_locked(device)) {
		nr_made = dx_usb_deliver_locked(device);
	}
	dx_mutex_unlock(&device->lock);
	return nr_made;
}

/* Reads the clock only while something has a deadline. */
static bool is_due_locked(const struct dx_usb_device *device) DX_REQUIRES(device->lock)
{
	uint64_t deadline_ns = next_deadline_locked(device);

	return deadline_ns != UINT64_MAX && deadline_ns <= dx_clock_now_ns();
}

bool dx_usb_needs_poll(struct dx_usb_device *device)
{
	bool needs = false;

	dx_mutex_lock(&device->lock);
	needs = has_callbacks_locked(device) || device->ops->is_ready(device->backend) ||
		is_due_locked(device);
	dx_mutex_unlock(&device->lock);
	return needs;
}

int dx_usb_event_fd(const struct dx_usb_device *device)
{
	return device->event_fd;
}

uint64_t dx_usb_next_deadline_ns(struct dx_usb_device *device)
{
	uint64_t deadline_ns = 0;

	dx_mutex_lock(&device->lock);
	deadline_ns = next_deadline_locked(device);
	dx_mutex_unlock(&device->lock);
	return deadline_ns;
}

/* ---- waiting ---- */

static void sleep_on_fds(struct dx_usb_device *device, uint64_t deadline_ns)
{
	struct pollfd fds[2] = {
		{.fd = device->event_fd, .events = POLLIN},
		{.fd = device->wake_fd, .events = POLLIN},
	};
	struct timespec left = {0};
	uint64_t now_ns = dx_clock_now_ns();
	uint64_t drained = 0;

	if (deadline_ns != UINT64_MAX && deadline_ns > now_ns) {
		left.tv_sec = (time_t)((deadline_ns - now_ns) / 1000000000u);
		left.tv_nsec = (long)((deadline_ns - now_ns) % 1000000000u);
	}
	(void)ppoll(fds, 2, deadline_ns == UINT64_MAX ? NULL : &left, NULL); /* woken or not: look */
	(void)!read(device->wake_fd, &drained, sizeof(drained)); /* non-blocking */
}

/* E1, E2 */
static void sleep_locked(struct dx_usb_device *device) DX_REQUIRES(device->lock)
{
	uint64_t deadline_ns = next_deadline_locked(device);

	if (device->nr_waiters == 0 || deadline_ns < device->waiters_deadline_ns) {
		device->waiters_deadline_ns = deadline_ns;
	}
	device->nr_waiters++;
	if (device->event_fd >= 0 && !device->waiter_polls) {
		device->waiter_polls = true;
		dx_mutex_unlock(&device->lock);
		sleep_on_fds(device, deadline_ns);
		dx_mutex_lock(&device->lock);
		device->waiter_polls = false;
		dx_cond_broadcast(&device->changed);
	} else if (deadline_ns == UINT64_MAX) {
		dx_cond_wait(&device->changed, &device->lock);
	} else {
		(void)dx_cond_wait_until(&device->changed, &device->lock, deadline_ns);
	}
	device->nr_waiters--;
}

void dx_usb_wait_locked(struct dx_usb_device *device, dx_usb_condition_fn condition,
			void *argument)
{
	while (!condition(device, argument)) {
		run_backend_locked(device);
		if (has_callbacks_locked(device)) {
			(void)dx_usb_deliver_locked(device);
			continue;
		}
		if (condition(device, argument)) {
			return;
		}
		if (!device->ops->is_ready(device->backend)) {
			sleep_locked(device);
		}
	}
}

static bool request_is_done(struct dx_usb_device *device, void *argument)
{
	const struct dx_usb_request *request = argument;

	(void)device;
	return request->state == DX_USB_REQUEST_DONE;
}

void dx_usb_wait_request_locked(struct dx_usb_device *device, struct dx_usb_request *request)
{
	dx_usb_wait_locked(device, request_is_done, request);
	if (request->transfer.type == DX_USB_ISOCHRONOUS && request->frames != NULL) {
		publish_frames(request);
	}
}

/* SPDX-License-Identifier: MIT
 *
 * virtual - the runtime of device models: queues, the table that the USB stack calls.
 *
 * Place:      backend; invariants in runtime.h and usb/backend.h.
 * Hot path:   submit puts the transfer on its endpoint's queue and the endpoint on the ready list; poll
 *             lets each ready endpoint work. No allocation, no system call, no clock unless a fault or
 *             a periodic endpoint needs time.
 * Threads:    B1.
 */
#include "backend/virtual/virtual.h"

#include <errno.h>
#include <string.h>

#include "backend/virtual/runtime.h"
#include "base/clock.h"

#define FRAME_NS      1000000u
#define SLOT(address) (((address) & 0x0Fu) | ((address) & 0x80u) >> 3)

static struct dx_virtual *virtual_of(struct dx_usb_backend *backend)
{
	return (struct dx_virtual *)(void *)backend;
}

static const struct dx_virtual *virtual_of_const(const struct dx_usb_backend *backend)
{
	return (const struct dx_virtual *)(const void *)backend;
}

/* ---- transfers ---- */

void dx_virtual_complete(struct dx_virtual *device, struct dx_usb_transfer *transfer,
			 int32_t status)
{
	dx_list_remove(&transfer->link);
	transfer->status = status;
	device->host->complete(device->host_ctx, transfer);
}

void dx_virtual_wake_at(struct dx_virtual *device, uint64_t time_ns)
{
	if (time_ns < device->wake_ns) {
		device->wake_ns = time_ns;
	}
}

struct dx_virtual_endpoint *dx_virtual_endpoint(struct dx_virtual *device, uint8_t address)
{
	struct dx_virtual_endpoint *endpoint = &device->endpoints[SLOT(address)];

	return endpoint->present && endpoint->address == address ? endpoint : NULL;
}

void dx_virtual_kick(struct dx_virtual_endpoint *endpoint)
{
	if (dx_list_is_empty(&endpoint->ready)) {
		dx_list_push_back(&endpoint->device->ready, &endpoint->ready);
	}
}

struct dx_usb_transfer *dx_virtual_offer(struct dx_virtual_endpoint *endpoint)
{
	struct dx_usb_transfer *transfer = NULL;

	if (endpoint->stopped || dx_list_is_empty(&endpoint->queue)) {
		return NULL;
	}
	transfer = dx_list_entry(endpoint->queue.next, struct dx_usb_transfer, link);
	if (endpoint->halted) {
		dx_virtual_finish(endpoint, transfer, DX_USB_STALLED);
		return NULL;
	}
	if ((endpoint->device->faults.any || endpoint->type == DX_USB_INTERRUPT) &&
	    !dx_faults_admit(endpoint, transfer)) {
		return NULL;
	}
	return transfer;
}

uint32_t dx_virtual_limit(const struct dx_virtual_endpoint *endpoint,
			  const struct dx_usb_transfer *transfer)
{
	uint64_t short_bytes = endpoint->device->faults.short_bytes;

	return short_bytes != 0 && short_bytes < transfer->length &&
			       dx_virtual_endpoint_is_in(endpoint)
		       ? (uint32_t)short_bytes
		       : transfer->length;
}

void dx_virtual_finish(struct dx_virtual_endpoint *endpoint, struct dx_usb_transfer *transfer,
		       int32_t status)
{
	struct dx_virtual *device = endpoint->device;

	if (status == DX_USB_OK) {
		endpoint->nr_finished++;
		endpoint->nr_since_clear++;
		if (device->faults.any) {
			dx_faults_finishing(endpoint, transfer);
		}
	} else {
		endpoint->stopped = true;
	}
	dx_virtual_complete(device, transfer, status);
}

uint32_t dx_virtual_finish_in(struct dx_virtual_endpoint *endpoint,
			      struct dx_usb_transfer *transfer, uint64_t more)
{
	uint32_t over = transfer->actual % endpoint->max_packet;
	bool babbles = over != 0 && more != 0 && transfer->actual == transfer->length;
	uint32_t lost = endpoint->max_packet - over;

	dx_virtual_finish(endpoint, transfer, babbles ? DX_USB_OVERRUN : DX_USB_OK);
	if (!babbles) {
		return 0;
	}
	return more < lost ? (uint32_t)more : lost;
}

void dx_virtual_send(struct dx_virtual_endpoint *endpoint, struct dx_usb_transfer *transfer,
		     const void *bytes, uint32_t length)
{
	uint32_t limit = dx_virtual_limit(endpoint, transfer);

	transfer->actual = length < limit ? length : limit;
	if (transfer->actual != 0) {
		memcpy(transfer->data, bytes, transfer->actual);
	}
	dx_virtual_finish(endpoint, transfer,
			  length > transfer->length ? DX_USB_OVERRUN : DX_USB_OK);
}

void dx_virtual_halt(struct dx_virtual_endpoint *endpoint)
{
	endpoint->halted = true;
	dx_virtual_kick(endpoint);
}

/* ---- endpoints come and go ---- */

const struct dx_described_configuration *dx_virtual_configuration(const struct dx_virtual *device)
{
	const struct dx_description *description = device->model->description;

	for (unsigned i = 0; i < description->nr_configurations; i++) {
		if (device->configuration != 0 &&
		    description->configurations[i].value == device->configuration) {
			return &description->configurations[i];
		}
	}
	return NULL;
}

static uint64_t interval_ns(const struct dx_virtual *device,
			    const struct dx_described_endpoint *described)
{
	bool is_slow = device->info.speed == DX_USB_SPEED_FULL ||
		       device->info.speed == DX_USB_SPEED_LOW;
	unsigned exponent = described->interval == 0 ? 0 : (described->interval - 1u) & 15u;

	if (described->type != DX_USB_ISOCHRONOUS && described->type != DX_USB_INTERRUPT) {
		return 0;
	}
	if (is_slow && described->type == DX_USB_INTERRUPT) {
		return (described->interval == 0 ? 1u : described->interval) * (uint64_t)FRAME_NS;
	}
	return (is_slow ? FRAME_NS : FRAME_NS / 8) * (uint64_t)(1u << exponent);
}

static void endpoint_init(struct dx_virtual *device, struct dx_virtual_endpoint *endpoint,
			  uint8_t interface_number, const struct dx_described_endpoint *described)
{
	*endpoint = (struct dx_virtual_endpoint){
		.device = device,
		.described = described,
		.address = described->address,
		.type = described->type,
		.interface_number = interface_number,
		.max_packet = described->max_packet,
		.interval_ns = interval_ns(device, described),
		.present = true,
	};
	dx_list_init(&endpoint->queue);
	dx_list_init(&endpoint->ready);
}

static void endpoint_end(struct dx_virtual *device, struct dx_virtual_endpoint *endpoint)
{
	while (!dx_list_is_empty(&endpoint->queue)) {
		dx_virtual_complete(device,
				    dx_list_entry(endpoint->queue.next, struct dx_usb_transfer,
						  link),
				    DX_USB_ABORTED);
	}
	dx_list_remove(&endpoint->ready);
	device->model->ops->unbind(device->model, endpoint);
	endpoint->present = false;
}

void dx_virtual_unbind(struct dx_virtual *device, uint8_t interface_number)
{
	for (unsigned i = 0; i < DX_VIRTUAL_ENDPOINTS; i++) {
		struct dx_virtual_endpoint *endpoint = &device->endpoints[i];

		if (endpoint->present && endpoint->interface_number == interface_number) {
			endpoint_end(device, endpoint);
		}
	}
}

void dx_virtual_unbind_all(struct dx_virtual *device)
{
	for (unsigned i = 0; i < DX_VIRTUAL_ENDPOINTS; i++) {
		if (device->endpoints[i].present) {
			endpoint_end(device, &device->endpoints[i]);
		}
	}
}

int dx_virtual_bind(struct dx_virtual *device, const struct dx_described_interface *interface,
		    unsigned setting)
{
	const struct dx_described_setting *described = &interface->settings[setting];

	for (unsigned i = 0; i < described->nr_endpoints; i++) {
		struct dx_virtual_endpoint *endpoint =
			&device->endpoints[SLOT(described->endpoints[i].address)];
		int result = 0;

		endpoint_init(device, endpoint, interface->number, &described->endpoints[i]);
		result = device->model->ops->bind(device->model, endpoint);
		if (result < 0) {
			endpoint->present = false;
			return result;
		}
	}
	return 0;
}

static void virtual_close(struct dx_usb_backend *backend)
{
	dx_virtual_free(virtual_of(backend));
}

static const struct dx_usb_backend_info *virtual_info(const struct dx_usb_backend *backend)
{
	return &virtual_of_const(backend)->info;
}

/* ---- interfaces ---- */

static int interface_place(const struct dx_virtual *device, uint8_t number)
{
	const struct dx_described_configuration *configuration = dx_virtual_configuration(device);

	for (unsigned i = 0; configuration != NULL && i < configuration->nr_interfaces; i++) {
		if (configuration->interfaces[i].number == number) {
			return (int)i;
		}
	}
	return -ENOENT;
}

static int virtual_claim(struct dx_usb_backend *backend, uint8_t interface_number)
{
	struct dx_virtual *device = virtual_of(backend);
	int place = interface_place(device, interface_number);

	if (device->gone) {
		return -ENODEV;
	}
	if (place < 0) {
		return place;
	}
	if (device->claimed & 1u << place) {
		return -EBUSY;
	}
	device->claimed |= 1u << place;
	return 0;
}

static void virtual_release(struct dx_usb_backend *backend, uint8_t interface_number)
{
	struct dx_virtual *device = virtual_of(backend);
	int place = interface_place(device, interface_number);

	if (place >= 0) {
		device->claimed &= ~(1u << place);
	}
}

/* ---- submitting ---- */

static int submit_control(struct dx_virtual *device, struct dx_usb_transfer *transfer,
			  enum dx_virtual_control kind)
{
	if (device->gone) {
		return -ENODEV;
	}
	transfer->backend_words[0] = kind;
	dx_list_push_back(&device->control, &transfer->link);
	return 0;
}

static int submit_request(struct dx_virtual *device, struct dx_usb_transfer *done,
			  uint8_t request_type, uint8_t request, uint8_t value, uint8_t index)
{
	const uint8_t setup[8] = {request_type, request, value, 0, index, 0, 0, 0};

	memcpy(done->setup, setup, sizeof(setup));
	return submit_control(device, done, DX_VIRTUAL_REQUEST);
}

static int virtual_submit(struct dx_usb_backend *backend, struct dx_usb_transfer *transfer)
{
	struct dx_virtual *device = virtual_of(backend);
	struct dx_virtual_endpoint *endpoint = NULL;

	if (transfer->type == DX_USB_CONTROL) {
		return submit_control(device, transfer, DX_VIRTUAL_REQUEST);
	}
	if (device->gone) {
		return -ENODEV;
	}
	endpoint = dx_virtual_endpoint(device, transfer->endpoint);
	if (endpoint == NULL || endpoint->type != transfer->type) {
		return -ENOENT;
	}
	if (transfer->type == DX_USB_ISOCHRONOUS) {
		int result = dx_virtual_iso_schedule(endpoint, transfer);

		if (result < 0) {
			return result;
		}
	}
	dx_list_push_back(&endpoint->queue, &transfer->link);
	dx_virtual_kick(endpoint);
	return 0;
}

static void virtual_cancel(struct dx_usb_backend *backend, struct dx_usb_transfer *transfer)
{
	struct dx_virtual *device = virtual_of(backend);
	struct dx_virtual_endpoint *endpoint = NULL;

	if (transfer->type == DX_USB_ISOCHRONOUS) {
		endpoint = dx_virtual_endpoint(device, transfer->endpoint);
		(void)dx_virtual_iso_run(endpoint, transfer); /* what is due has happened */
		if (endpoint->queue.prev == &transfer->link) { /* nothing behind it */
			endpoint->next_free_ns = transfer->backend_words[0];
		}
	}
	dx_virtual_complete(device, transfer, DX_USB_ABORTED);
}

static int virtual_set_configuration(struct dx_usb_backend *backend, uint8_t value,
				     struct dx_usb_transfer *done)
{
	return submit_request(virtual_of(backend), done, 0x00, 9, value, 0);
}

static int virtual_set_altsetting(struct dx_usb_backend *backend, uint8_t interface_number,
				  uint8_t setting, struct dx_usb_transfer *done)
{
	return submit_request(virtual_of(backend), done, 0x01, 11, setting, interface_number);
}

static int virtual_clear_halt(struct dx_usb_backend *backend, uint8_t address, bool with_request,
			      struct dx_usb_transfer *done)
{
	struct dx_virtual *device = virtual_of(backend);
	struct dx_virtual_endpoint *endpoint = dx_virtual_endpoint(device, address);

	if (endpoint == NULL) {
		return device->gone ? -ENODEV : -ENOENT;
	}
	endpoint->stopped = false;
	dx_virtual_kick(endpoint);
	return with_request ? submit_request(device, done, 0x02, 1, 0, address)
			    : submit_control(device, done, DX_VIRTUAL_NOTHING);
}

static int virtual_reset(struct dx_usb_backend *backend, struct dx_usb_transfer *done)
{
	return submit_control(virtual_of(backend), done, DX_VIRTUAL_RESET);
}

/* ---- running ---- */

static struct dx_model_setup decode_setup(const uint8_t *bytes)
{
	return (struct dx_model_setup){
		.request_type = bytes[0],
		.request = bytes[1],
		.value = (uint16_t)(bytes[2] | bytes[3] << 8),
		.index = (uint16_t)(bytes[4] | bytes[5] << 8),
		.length = (uint16_t)(bytes[6] | bytes[7] << 8),
	};
}

static void run_control(struct dx_virtual *device, struct dx_usb_transfer *transfer)
{
	struct dx_model_setup setup = decode_setup(transfer->setup);
	int moved = 0;

	if (transfer->backend_words[0] == DX_VIRTUAL_RESET) {
		device->unplug = true;
	} else if (transfer->backend_words[0] == DX_VIRTUAL_REQUEST) {
		moved = dx_virtual_control(device, &setup, transfer->data);
	}
	transfer->actual = moved < 0 ? 0 : (uint32_t)moved;
	dx_virtual_complete(device, transfer, moved < 0 ? DX_USB_STALLED : DX_USB_OK);
}

static void run_iso(struct dx_virtual_endpoint *endpoint)
{
	while (!dx_list_is_empty(&endpoint->queue)) {
		struct dx_usb_transfer *transfer =
			dx_list_entry(endpoint->queue.next, struct dx_usb_transfer, link);

		if (!dx_virtual_iso_run(endpoint, transfer)) {
			return;
		}
		dx_virtual_finish(endpoint, transfer, DX_USB_OK);
	}
}

static void run_endpoint(struct dx_virtual_endpoint *endpoint)
{
	if (endpoint->type == DX_USB_ISOCHRONOUS) {
		run_iso(endpoint);
		return;
	}
	while (endpoint->work(endpoint)) {
	}
}

/* Who waits for time looks at the clock again itself, and asks for the next wake-up. */
static void wake_sleepers(struct dx_virtual *device)
{
	if (device->wake_ns == UINT64_MAX || dx_clock_now_ns() < device->wake_ns) {
		return;
	}
	device->wake_ns = UINT64_MAX;
	for (unsigned i = 0; i < DX_VIRTUAL_ENDPOINTS; i++) {
		struct dx_virtual_endpoint *endpoint = &device->endpoints[i];

		if (endpoint->present && !dx_list_is_empty(&endpoint->queue)) {
			dx_virtual_kick(endpoint);
		}
	}
}

static void fail_queue(struct dx_virtual *device, struct dx_list *queue)
{
	while (!dx_list_is_empty(queue)) {
		dx_virtual_complete(device,
				    dx_list_entry(queue->next, struct dx_usb_transfer, link),
				    DX_USB_NOT_RESPONDING);
	}
}

static void unplug(struct dx_virtual *device)
{
	device->gone = true;
	device->unplug = false;
	device->wake_ns = UINT64_MAX;
	fail_queue(device, &device->control);
	for (unsigned i = 0; i < DX_VIRTUAL_ENDPOINTS; i++) {
		if (device->endpoints[i].present) {
			fail_queue(device, &device->endpoints[i].queue);
			dx_list_remove(&device->endpoints[i].ready);
		}
	}
	device->host->gone(device->host_ctx);
}

static void virtual_poll(struct dx_usb_backend *backend)
{
	struct dx_virtual *device = virtual_of(backend);

	wake_sleepers(device);
	while (!device->unplug && !dx_list_is_empty(&device->control)) {
		run_control(device, dx_list_entry(device->control.next, struct dx_usb_transfer,
						  link));
	}
	while (!device->unplug && !dx_list_is_empty(&device->ready)) {
		struct dx_list *node = dx_list_pop_front(&device->ready);

		run_endpoint(dx_list_entry(node, struct dx_virtual_endpoint, ready));
	}
	if (device->unplug) {
		unplug(device);
	}
}

static bool virtual_is_ready(const struct dx_usb_backend *backend)
{
	const struct dx_virtual *device = virtual_of_const(backend);

	return !dx_list_is_empty(&device->ready) || !dx_list_is_empty(&device->control);
}

static int virtual_event_fd(const struct dx_usb_backend *backend)
{
	(void)backend;
	return -1;
}

static uint64_t virtual_next_deadline_ns(const struct dx_usb_backend *backend)
{
	return virtual_of_const(backend)->wake_ns;
}

static int virtual_frame_number(struct dx_usb_backend *backend, uint64_t *ret_frame,
				uint64_t *ret_time_ns)
{
	uint64_t now_ns = dx_clock_now_ns();

	*ret_frame = (now_ns - virtual_of(backend)->epoch_ns) / FRAME_NS;
	*ret_time_ns = now_ns;
	return 0;
}

const struct dx_usb_backend_ops dx_backend_virtual = {
	.name = "virtual",
	.accepts = dx_virtual_accepts,
	.acquire = dx_virtual_acquire,
	.open = dx_virtual_open,
	.close = virtual_close,
	.info = virtual_info,
	.claim = virtual_claim,
	.release = virtual_release,
	.submit = virtual_submit,
	.cancel = virtual_cancel,
	.set_configuration = virtual_set_configuration,
	.set_altsetting = virtual_set_altsetting,
	.clear_halt = virtual_clear_halt,
	.reset = virtual_reset,
	.is_ready = virtual_is_ready,
	.poll = virtual_poll,
	.event_fd = virtual_event_fd,
	.next_deadline_ns = virtual_next_deadline_ns,
	.frame_number = virtual_frame_number,
};

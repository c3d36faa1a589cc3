/* SPDX-License-Identifier: MIT
 *
 * device - an exported device: its backend, the events of that, and who has it.
 *
 * Place:      export; the picture is in private.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/check.h"
#include "base/clock.h"
#include "export/private.h"

#define RUN_ROUNDS 64u /* polls of a backend before others have their turn */

/* ---- what the backend calls (X1) ---- */

static bool is_restart(const struct dx_export_device *device,
		       const struct dx_usb_transfer *transfer)
{
	return transfer >= device->restart_transfers &&
	       transfer < device->restart_transfers + DX_USBIP_PLACES;
}

static bool has_failed(const struct dx_usb_transfer *transfer)
{
	return (transfer->type == DX_USB_BULK || transfer->type == DX_USB_INTERRUPT) &&
	       transfer->status != DX_USB_OK && transfer->status != DX_USB_ABORTED;
}

/* Not when the device has gone, which is told by itself, or has other endpoints by now. */
static void note_restart(struct dx_export_device *device, unsigned place, int32_t status)
{
	if (status != DX_USB_OK && status != DX_USB_NOT_RESPONDING &&
	    device->layout.places[place].present) {
		device->stuck = device->layout.places[place].address;
	}
}

static void on_complete(void *context, struct dx_usb_transfer *transfer)
{
	struct dx_export_device *device = context;
	struct dx_export_request *request = NULL;

	if (is_restart(device, transfer)) {
		unsigned place = (unsigned)(transfer - device->restart_transfers);

		device->restarting &= ~(1u << place);
		note_restart(device, place, transfer->status);
		return;
	}
	request = dx_container_of(transfer, struct dx_export_request, transfer);
	if (has_failed(transfer)) {
		device->restarts |= 1u << dx_usbip_place_index(transfer->endpoint);
	}
	if (transfer->status == DX_USB_OK) {
		dx_export_special_done(request);
	}
	dx_export_request_finish(request, transfer->status);
}

static void on_gone(void *context)
{
	((struct dx_export_device *)context)->is_gone = true;
}

const struct dx_usb_backend_host dx_export_device_host = {.complete = on_complete, .gone = on_gone};

/* ---- running ---- */

/* Begins to clear the backend's side of an endpoint that has failed. */
static void start_restart(struct dx_export_device *device, unsigned place)
{
	struct dx_usb_transfer *transfer = &device->restart_transfers[place];
	int result = 0;

	*transfer = (struct dx_usb_transfer){.type = DX_USB_CONTROL};
	dx_list_init(&transfer->link);
	result = device->ops->clear_halt(device->backend, device->layout.places[place].address,
					 false, transfer);
	if (result == 0) {
		device->restarting |= 1u << place;
	} else {
		note_restart(device, place,
			     result == -ENODEV ? DX_USB_NOT_RESPONDING : DX_USB_IO_ERROR);
	}
}

static void start_restarts(struct dx_export_device *device)
{
	for (unsigned i = 0; device->restarts != 0 && i < DX_USBIP_PLACES; i++) {
		uint32_t bit = 1u << i;

		if (!(device->restarts & bit) || (device->restarting & bit)) {
			continue;
		}
		device->restarts &= ~bit;
		if (device->layout.places[i].present) {
			start_restart(device, i);
		}
	}
}

/* What somebody else has is told; transfers to it will fail. */
static void claim_all(struct dx_export_device *device)
{
	device->needs_claim = false;
	for (unsigned i = 0;; i++) {
		const uint8_t *interface = dx_usbip_layout_interface(&device->layout, i);
		int result = 0;

		if (interface == NULL) {
			return;
		}
		result = device->ops->claim(device->backend, interface[2]);
		if (result < 0 && result != -EBUSY) {
			dx_export_say(device->export, "%s: interface %u: %s", device->busid,
				      interface[2], strerror(-result));
		}
	}
}

void dx_export_device_release(struct dx_export_device *device)
{
	for (unsigned i = 0;; i++) {
		const uint8_t *interface = dx_usbip_layout_interface(&device->layout, i);

		if (interface == NULL) {
			return;
		}
		device->ops->release(device->backend, interface[2]);
	}
}

static void run_once(struct dx_export_device *device)
{
	start_restarts(device);
	if (device->importer != NULL) {
		dx_export_special_go_on(device->importer);
	}
	if (device->needs_claim) {
		claim_all(device);
	}
	device->ops->poll(device->backend);
}

static bool has_work(const struct dx_export_device *device)
{
	return device->needs_claim ||
	       (device->importer != NULL && dx_export_special_is_due(device->importer)) ||
	       (device->restarts & ~device->restarting) != 0 ||
	       device->ops->is_ready(device->backend);
}

void dx_export_device_again(struct dx_export_device *device)
{
	dx_loop_set_timer(device->timer, 1);
}

void dx_export_device_run(struct dx_export_device *device)
{
	uint64_t deadline_ns = 0;

	if (device->backend == NULL) {
		return;
	}
	for (unsigned i = 0; !device->is_gone && (i == 0 || has_work(device)); i++) {
		if (i == RUN_ROUNDS) {
			dx_export_device_again(device);
			return;
		}
		run_once(device);
	}
	if (device->is_gone) {
		dx_loop_set_timer(device->timer, 0);
		return;
	}
	deadline_ns = device->ops->next_deadline_ns(device->backend);
	dx_loop_set_timer(device->timer, deadline_ns == UINT64_MAX ? 0 : deadline_ns);
}

bool dx_export_device_is_idle(const struct dx_export_device *device)
{
	return dx_list_is_empty(&device->requests) && device->restarting == 0;
}

/* An event of the backend, or its time has come. */
static void look(struct dx_export_device *device)
{
	if (device->importer != NULL) {
		struct dx_export_peer *importer = device->importer;

		dx_export_peer_work(importer);
		dx_export_peer_reap(importer);
		return;
	}
	dx_export_device_run(device);
	if (device->is_gone && device->backend != NULL) {
		dx_export_say(device->export, "%s: the device has gone", device->busid);
		dx_export_device_renew(device, false);
	}
}

static void on_event(void *context, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	look(context);
}

static void on_timer(void *context)
{
	look(context);
}

/* ---- open and close ---- */

int dx_export_device_adopt(struct dx_export_device *device, struct dx_usb_backend *backend,
			   char *message, size_t message_size)
{
	int fd = device->ops->event_fd(backend);
	int result = 0;

	device->backend = backend;
	device->info = device->ops->info(backend);
	device->is_gone = false;
	device->restarts = 0;
	device->restarting = 0;
	device->stuck = 0;
	device->layout = (struct dx_usbip_layout){
		.configurations = device->info->configurations,
		.lengths = device->info->configuration_lengths,
		.nr_configurations = device->info->nr_configurations,
	};
	dx_usbip_layout_configure(&device->layout, device->info->configuration);
	device->needs_claim = device->info->configuration != 0;
	if (fd >= 0) {
		result = dx_loop_add_fd(device->export->loop, fd, EPOLLIN, on_event, device,
					&device->event_source);
	}
	if (result < 0) {
		(void)snprintf(message, message_size, "device \"%s\": %s", device->spec,
			       strerror(-result));
		dx_export_device_close(device);
	}
	return result;
}

void dx_export_device_disregard(struct dx_export_device *device)
{
	device->event_source = dx_loop_source_remove(device->event_source);
	dx_loop_set_timer(device->timer, 0);
	device->info = NULL;
}

void dx_export_device_close(struct dx_export_device *device)
{
	dx_export_device_disregard(device);
	if (device->backend != NULL) {
		device->ops->close(device->backend);
	}
	device->backend = NULL;
}

static const struct dx_usb_backend_ops *
find_backend(const struct dx_usb_backend_ops *const *backends, const char *spec)
{
	while (*backends != NULL && !(*backends)->accepts(spec)) {
		backends++;
	}
	return *backends;
}

int dx_export_device_init(struct dx_export_device *device, struct dx_export *export,
			  const char *spec, unsigned number, char *message, size_t message_size)
{
	const char *prefix = export->options.busid_prefix;
	struct dx_usb_backend *backend = NULL;
	int length = 0;
	int result = 0;

	device->export = export;
	device->spec = spec;
	device->number = number;
	dx_list_init(&device->requests);
	length = snprintf(device->busid, sizeof(device->busid), "%s-%u",
			  prefix == NULL ? DX_EXPORT_BUSID : prefix, number);
	if (length >= (int)sizeof(device->busid) || !dx_usbip_busid_is_good(device->busid)) {
		(void)snprintf(message, message_size,
			       "bus id \"%.64s-%u\": at most %u plain characters, without '/'",
			       prefix, number, DX_USBIP_BUSID_BYTES - 1);
		return -EINVAL;
	}
	device->ops = find_backend(export->options.backends, spec);
	if (device->ops == NULL) {
		(void)snprintf(message, message_size, "device \"%s\": no backend understands it",
			       spec);
		return -EINVAL;
	}
	result = dx_loop_add_timer(export->loop, on_timer, device, &device->timer);
	if (result == 0) {
		result = device->ops->open(spec, -1, &dx_export_device_host, device, message,
					   message_size, &backend);
	}
	return result < 0 ? result
			  : dx_export_device_adopt(device, backend, message, message_size);
}

/* Waits for what was cancelled; a backend that does not give it back is closed all the same. */
static void drain(struct dx_export_device *device)
{
	uint64_t limit_ns = dx_clock_now_ns() + 5000000000u;

	while (device->backend != NULL && !device->is_gone && !dx_export_device_is_idle(device) &&
	       dx_clock_now_ns() < limit_ns) {
		struct pollfd pollfd = {.fd = device->ops->event_fd(device->backend),
					.events = POLLIN};

		dx_export_device_run(device);
		if (!has_work(device) && !dx_export_device_is_idle(device)) {
			(void)poll(&pollfd, 1, 1);
		}
	}
}

void dx_export_device_fini(struct dx_export_device *device)
{
	if (device->timer == NULL) {
		return;
	}
	drain(device);
	dx_export_device_close(device);
	device->timer = dx_loop_source_remove(device->timer);
}

enum dx_export_state dx_export_device_look(struct dx_export_device *device, bool opens)
{
	struct dx_export_peer *importer = device->importer;

	if (importer != NULL && dx_export_peer_has_hung_up(importer)) {
		dx_export_peer_end(importer, NULL);
		dx_export_device_run(device);
		dx_export_peer_reap(importer);
	}
	if (device->importer != NULL) {
		return DX_EXPORT_IMPORTED;
	}
	if (device->backend == NULL && device->job == NULL && opens) {
		dx_export_device_renew(device, true);
	}
	return device->job != NULL	 ? DX_EXPORT_OPENING
	       : device->backend == NULL ? DX_EXPORT_CLOSED
					 : DX_EXPORT_FREE;
}

/* ---- for lists ---- */

/* Of the configuration in force, or of the one that a host would choose. */
static uint8_t nr_interfaces(const struct dx_export_device *device)
{
	const struct dx_usb_backend_info *info = device->info;

	for (unsigned i = 0; i < info->nr_configurations; i++) {
		if (info->configuration_lengths[i] >= 9 &&
		    (info->configuration == 0 ||
		     info->configurations[i][5] == info->configuration)) {
			return info->configurations[i][4];
		}
	}
	return 0;
}

void dx_export_device_describe(const struct dx_export_device *device,
			       struct dx_usbip_device *ret_described)
{
	const uint8_t *bytes = device->info->device;
	struct dx_usbip_device described = {
		.busnum = 1,
		.devnum = device->number,
		.speed = device->info->speed,
		.vendor = (uint16_t)(bytes[8] | bytes[9] << 8),
		.product = (uint16_t)(bytes[10] | bytes[11] << 8),
		.release = (uint16_t)(bytes[12] | bytes[13] << 8),
		.device_class = bytes[4],
		.device_subclass = bytes[5],
		.device_protocol = bytes[6],
		.configuration = device->info->configuration,
		.nr_configurations = bytes[17],
		.nr_interfaces = nr_interfaces(device),
	};

	(void)snprintf(described.path, sizeof(described.path), "%s", device->spec);
	(void)snprintf(described.busid, sizeof(described.busid), "%s", device->busid);
	*ret_described = described;
}

void dx_export_device_interface(const struct dx_export_device *device, unsigned n, uint8_t *bytes)
{
	const struct dx_usb_backend_info *info = device->info;
	struct dx_usbip_layout layout = device->layout;
	const uint8_t *interface = NULL;

	if (layout.configuration == 0 && info->configuration_lengths[0] >= 9) {
		layout.configuration = info->configurations[0][5];
	}
	interface = dx_usbip_layout_interface(&layout, n);
	memset(bytes, 0, DX_USBIP_INTERFACE_BYTES);
	if (interface != NULL) {
		memcpy(bytes, interface + 5, 3);
	}
}

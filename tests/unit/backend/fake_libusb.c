/* SPDX-License-Identifier: MIT
 *
 * fake_libusb - see fake_libusb.h.
 */
#include "fake_libusb.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/libusb/usbfs.h"
#include "test.h"
#include "usb/backend.h"

#define MAX_PLUGS 16

struct libusb_context {
	int event_fd; /* as the real one has: never readable here */
	bool is_monitor;
};

struct libusb_device_handle {
	int fd;
};

struct libusb_device {
	uint8_t bus;
	uint8_t ports[8];
	int nr_ports;
	struct libusb_device_descriptor descriptor;
};

/* Before each struct libusb_transfer. */
struct hidden {
	_Alignas(struct libusb_transfer) bool is_ended; /* the transfer is right behind it */
	bool is_cancelled;
	enum libusb_transfer_status status;
	int actual;
};

struct fake fake = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.released = PTHREAD_COND_INITIALIZER,
	.configuration = 1,
	.driver = "usbfs",
};

static struct libusb_device_handle the_handle = {.fd = -1};
static bool is_unplugged;
static libusb_pollfd_added_cb added;
static libusb_pollfd_removed_cb removed;
static void *notify_context;
static libusb_hotplug_callback_fn hotplug;
static void *hotplug_context;
static libusb_context *hotplug_libusb;
static struct {
	libusb_hotplug_event event;
	struct libusb_device device;
} plugs[MAX_PLUGS];
static unsigned nr_plugs;

/* Counts; what the test wants to fail, fails. */
static int enter(enum fake_call call, int argument)
{
	int code = 0;

	pthread_mutex_lock(&fake.lock);
	fake.nr_calls[call]++;
	fake.last_argument[call] = argument;
	code = fake.fail[call];
	fake.fail[call] = 0;
	pthread_mutex_unlock(&fake.lock);
	if (code != 0) {
		errno = fake.fail_errno;
	}
	return code;
}

/* The same for what may take long. */
static int enter_slow(enum fake_call call, int argument)
{
	pthread_mutex_lock(&fake.lock);
	fake.nr_held++;
	while (fake.hold) {
		pthread_cond_wait(&fake.released, &fake.lock);
	}
	fake.nr_held--;
	pthread_mutex_unlock(&fake.lock);
	return enter(call, argument);
}

void fake_release(void)
{
	pthread_mutex_lock(&fake.lock);
	fake.hold = false;
	pthread_cond_broadcast(&fake.released);
	pthread_mutex_unlock(&fake.lock);
}

static struct hidden *hidden_of(struct libusb_transfer *transfer)
{
	return (struct hidden *)(void *)((char *)transfer - sizeof(struct hidden));
}

static void wake(void)
{
	CHECK_EQ(eventfd_write(the_handle.fd, 1), 0);
}

int fake_node(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	CHECK_GE(fd, 0);
	return fd;
}

void fake_end(unsigned index, enum libusb_transfer_status status, int actual)
{
	struct hidden *hidden = NULL;

	CHECK_LT(index, fake.nr_flying);
	hidden = hidden_of(fake.flying[index]);
	hidden->is_ended = true;
	hidden->status = status;
	hidden->actual = actual;
	wake();
}

void fake_unplug(void)
{
	is_unplugged = true;
	wake();
}

void fake_plug(libusb_hotplug_event event, uint8_t bus, const uint8_t *ports, int nr_ports,
	       uint16_t id_product, uint8_t device_class)
{
	CHECK_LT(nr_plugs, MAX_PLUGS);
	plugs[nr_plugs].event = event;
	plugs[nr_plugs].device = (struct libusb_device){
		.bus = bus,
		.nr_ports = nr_ports,
		.descriptor = {.idVendor = 0x1234,
			       .idProduct = id_product,
			       .bDeviceClass = device_class},
	};
	memcpy(plugs[nr_plugs++].device.ports, ports, (size_t)nr_ports);
	if (hotplug_libusb != NULL) {
		CHECK_EQ(eventfd_write(hotplug_libusb->event_fd, 1), 0);
	}
}

/* ---- contexts and handles ---- */

int libusb_set_option(libusb_context *context, enum libusb_option option, ...)
{
	CHECK(context == NULL);
	return enter(FAKE_SET_OPTION, (int)option);
}

int libusb_init(libusb_context **ret_context)
{
	int code = enter(FAKE_INIT, 0);

	if (code == 0) {
		*ret_context = calloc(1, sizeof(**ret_context));
		(*ret_context)->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	return code;
}

void libusb_exit(libusb_context *context)
{
	if (context == hotplug_libusb) {
		hotplug_libusb = NULL;
	}
	(void)close(context->event_fd);
	free(context);
}

int libusb_wrap_sys_device(libusb_context *context, intptr_t fd, libusb_device_handle **ret_handle)
{
	int code = enter(FAKE_WRAP, (int)fd);

	(void)context;
	if (code == 0) {
		the_handle.fd = (int)fd;
		*ret_handle = &the_handle;
	}
	return code;
}

void libusb_close(libusb_device_handle *handle)
{
	CHECK(handle == &the_handle);
	fake.nr_flying = 0; /* the backend frees them */
	if (removed != NULL) {
		removed(handle->fd, notify_context);
	}
}

int libusb_get_configuration(libusb_device_handle *handle, int *ret_value)
{
	int code = enter(FAKE_GET_CONFIGURATION, 0);

	CHECK(handle == &the_handle);
	*ret_value = fake.configuration;
	return code;
}

int libusb_set_auto_detach_kernel_driver(libusb_device_handle *handle, int enable)
{
	CHECK(handle == &the_handle);
	CHECK_EQ(enable, 1);
	return LIBUSB_SUCCESS;
}

/* ---- interfaces ---- */

int libusb_claim_interface(libusb_device_handle *handle, int number)
{
	CHECK(handle == &the_handle);
	return enter(FAKE_CLAIM, number);
}

int libusb_release_interface(libusb_device_handle *handle, int number)
{
	CHECK(handle == &the_handle);
	return enter(FAKE_RELEASE, number);
}

int libusb_detach_kernel_driver(libusb_device_handle *handle, int number)
{
	CHECK(handle == &the_handle);
	return enter(FAKE_DETACH, number);
}

int libusb_attach_kernel_driver(libusb_device_handle *handle, int number)
{
	CHECK(handle == &the_handle);
	return enter(FAKE_ATTACH, number);
}

int libusb_set_configuration(libusb_device_handle *handle, int value)
{
	CHECK(handle == &the_handle);
	return enter_slow(FAKE_SET_CONFIGURATION, value);
}

int libusb_set_interface_alt_setting(libusb_device_handle *handle, int number, int setting)
{
	CHECK(handle == &the_handle);
	return enter_slow(FAKE_SET_ALTSETTING, number << 8 | setting);
}

int libusb_clear_halt(libusb_device_handle *handle, unsigned char endpoint)
{
	CHECK(handle == &the_handle);
	return enter_slow(FAKE_CLEAR_HALT, endpoint);
}

int libusb_reset_device(libusb_device_handle *handle)
{
	CHECK(handle == &the_handle);
	return enter_slow(FAKE_RESET, 0);
}

int libusb_control_transfer(libusb_device_handle *handle, uint8_t request_type, uint8_t request,
			    uint16_t value, uint16_t index, unsigned char *data, uint16_t length,
			    unsigned timeout_ms)
{
	static const uint8_t bos[] = {5, 15, 12, 0, 1, 7, 16, 2, 6, 0, 0, 0};
	int code = enter(FAKE_CONTROL, value);
	int wanted = length < sizeof(bos) ? length : (int)sizeof(bos);

	CHECK(handle == &the_handle);
	CHECK_EQ(request_type, 0x80);
	CHECK_EQ(request, 6);
	CHECK_EQ(value, 0x0f00);
	CHECK_EQ(index, 0);
	CHECK_NE(timeout_ms, 0);
	if (code != 0) {
		return code;
	}
	memcpy(data, bos, (size_t)wanted);
	if (fake.has_wrong_bos) {
		data[1] = 1;
	}
	return wanted;
}

unsigned char *libusb_dev_mem_alloc(libusb_device_handle *handle, size_t length)
{
	CHECK(handle == &the_handle);
	return enter(FAKE_MEMORY, (int)length) != 0 ? NULL : calloc(1, length);
}

/* ---- transfers ---- */

struct libusb_transfer *libusb_alloc_transfer(int nr_packets)
{
	struct hidden *hidden =
		calloc(1, sizeof(*hidden) + sizeof(struct libusb_transfer) +
				  (size_t)nr_packets * sizeof(struct libusb_iso_packet_descriptor));

	fake.nr_allocated++;
	return hidden == NULL ? NULL : (struct libusb_transfer *)(void *)(hidden + 1);
}

void libusb_free_transfer(struct libusb_transfer *transfer)
{
	if (transfer != NULL) {
		free(hidden_of(transfer));
	}
}

int libusb_submit_transfer(struct libusb_transfer *transfer)
{
	int code = enter(FAKE_SUBMIT, transfer->endpoint);

	if (code == 0 && fake.limit != 0 && fake.nr_flying >= fake.limit) {
		code = LIBUSB_ERROR_NO_MEM;
	}
	if (code != 0) {
		return code;
	}
	CHECK_LT(fake.nr_flying, FAKE_MAX_FLYING);
	CHECK(transfer->callback != NULL);
	CHECK_EQ(transfer->timeout, 0);
	*hidden_of(transfer) = (struct hidden){0};
	fake.flying[fake.nr_flying++] = transfer;
	return 0;
}

int libusb_cancel_transfer(struct libusb_transfer *transfer)
{
	int code = enter(FAKE_CANCEL, transfer->endpoint);

	for (unsigned i = 0; code == 0 && i < fake.nr_flying; i++) {
		if (fake.flying[i] == transfer && !hidden_of(transfer)->is_cancelled) {
			hidden_of(transfer)->is_cancelled = true;
			wake();
			return 0;
		}
	}
	return code != 0 ? code : LIBUSB_ERROR_NOT_FOUND;
}

static void end_one(unsigned index, enum libusb_transfer_status status, int actual)
{
	struct libusb_transfer *transfer = fake.flying[index];

	memmove(&fake.flying[index], &fake.flying[index + 1],
		(fake.nr_flying - index - 1) * sizeof(fake.flying[0]));
	fake.nr_flying--;
	transfer->status = status;
	transfer->actual_length = actual;
	transfer->callback(transfer);
}

/* The first that has something to say. */
static bool end_next(void)
{
	for (unsigned i = 0; i < fake.nr_flying; i++) {
		const struct hidden *hidden = hidden_of(fake.flying[i]);

		if (hidden->is_ended) {
			end_one(i, hidden->status, hidden->actual);
			return true;
		}
		if (is_unplugged) {
			end_one(i, LIBUSB_TRANSFER_NO_DEVICE, 0);
			return true;
		}
		if (hidden->is_cancelled) {
			end_one(i, LIBUSB_TRANSFER_CANCELLED, hidden->actual);
			return true;
		}
	}
	return false;
}

static void report_plugs(void)
{
	for (unsigned i = 0; i < nr_plugs; i++) {
		CHECK_EQ(hotplug(hotplug_libusb, &plugs[i].device, plugs[i].event, hotplug_context), 0);
	}
	nr_plugs = 0;
}

int libusb_handle_events_timeout_completed(libusb_context *context, struct timeval *time,
					   int *completed)
{
	eventfd_t count = 0;

	CHECK_EQ(time->tv_sec, 0);
	CHECK_EQ(time->tv_usec, 0);
	CHECK(completed == NULL);
	if (context == hotplug_libusb) {
		(void)eventfd_read(context->event_fd, &count);
		report_plugs();
		return 0;
	}
	pthread_mutex_lock(&fake.lock);
	CHECK_EQ(fake.nr_held, 0); /* nobody uses the device while an operation runs */
	pthread_mutex_unlock(&fake.lock);
	(void)eventfd_read(the_handle.fd, &count);
	while (end_next()) {
		continue;
	}
	if (is_unplugged && removed != NULL) {
		libusb_pollfd_removed_cb function = removed;

		removed = NULL;
		function(the_handle.fd, notify_context);
	}
	return 0;
}

const struct libusb_pollfd **libusb_get_pollfds(libusb_context *context)
{
	struct list {
		const struct libusb_pollfd *pointers[3];
		struct libusb_pollfd fds[2];
	} *list = enter(FAKE_POLLFDS, 0) != 0 ? NULL : calloc(1, sizeof(*list));

	if (list == NULL) {
		return NULL;
	}
	list->fds[0] = (struct libusb_pollfd){.fd = context->event_fd, .events = POLLIN};
	list->pointers[0] = &list->fds[0];
	if (context != hotplug_libusb) {
		list->fds[1] = (struct libusb_pollfd){.fd = the_handle.fd, .events = POLLIN};
		list->pointers[1] = &list->fds[1];
	}
	return list->pointers;
}

void libusb_free_pollfds(const struct libusb_pollfd **list)
{
	free((void *)(uintptr_t)list);
}

void libusb_set_pollfd_notifiers(libusb_context *context, libusb_pollfd_added_cb on_added,
				 libusb_pollfd_removed_cb on_removed, void *user_data)
{
	(void)context;
	added = on_added;
	removed = on_removed;
	notify_context = user_data;
	if (added != NULL) { /* libusb may add one at any time */
		int fd = eventfd(0, EFD_CLOEXEC);

		added(fd, POLLIN | POLLOUT, user_data);
		removed(fd, user_data);
		(void)close(fd);
	}
}

/* ---- hot-plug ---- */

int libusb_hotplug_register_callback(libusb_context *context, int events, int flags, int vendor,
				     int product, int device_class,
				     libusb_hotplug_callback_fn function, void *user_data,
				     libusb_hotplug_callback_handle *handle)
{
	int code = enter(FAKE_HOTPLUG, events);

	(void)vendor;
	(void)product;
	(void)device_class;
	(void)handle;
	CHECK_EQ(flags, LIBUSB_HOTPLUG_ENUMERATE);
	if (code == 0) {
		hotplug_libusb = context;
		hotplug = function;
		hotplug_context = user_data;
		report_plugs();
	}
	return code;
}

uint8_t libusb_get_bus_number(libusb_device *device)
{
	return device->bus;
}

int libusb_get_port_numbers(libusb_device *device, uint8_t *ports, int size)
{
	CHECK_LE(device->nr_ports, size);
	memcpy(ports, device->ports, (size_t)device->nr_ports);
	return device->nr_ports;
}

int libusb_get_device_descriptor(libusb_device *device, struct libusb_device_descriptor *ret)
{
	*ret = device->descriptor;
	return 0;
}

/* ---- the node ---- */

int dx_usbfs_identify(int fd, struct dx_usbfs_identity *ret_identity)
{
	int code = enter(FAKE_IDENTIFY, fd);

	*ret_identity = (struct dx_usbfs_identity){
		.port = {.bus = 3, .nr_ports = 2, .ports = {1, 2}},
		.address = 9,
		.speed = DX_USB_SPEED_SUPER,
	};
	return code;
}

int dx_usbfs_read_descriptors(int fd, uint8_t **ret_bytes, size_t *ret_length)
{
	static const uint8_t bytes[] = {
		/* The 16-bit fields as a little-endian machine shows them. */
		18, 1, 0x00, 0x03, 0xff, 0, 0, 9, 0x34, 0x12, 0x78, 0x56, 0x00, 0x01, 0, 0, 0, 2,
		/* configuration 1 */
		9, 2, 46, 0, 1, 1, 0, 0x80, 50,
		9, 4, 0, 0, 4, 0xff, 0, 0, 0,
		7, 5, 0x01, 2, 0, 4, 0,
		7, 5, 0x81, 2, 0, 4, 0,
		7, 5, 0x82, 3, 8, 0, 4,
		7, 5, 0x83, 1, 0, 4, 4,
		/* configuration 2 */
		9, 2, 18, 0, 1, 2, 0, 0x80, 50,
		9, 4, 0, 0, 0, 0xff, 0, 0, 0,
	};
	int code = enter(FAKE_READ_DESCRIPTORS, fd);

	if (code != 0) {
		return code;
	}
	*ret_length = fake.has_no_descriptors ? 4 : sizeof(bytes);
	*ret_bytes = malloc(*ret_length);
	memcpy(*ret_bytes, bytes, *ret_length);
	return 0;
}

int dx_usbfs_reset_endpoint(int fd, uint8_t endpoint)
{
	CHECK_EQ(fd, the_handle.fd);
	return enter_slow(FAKE_RESET_ENDPOINT, endpoint);
}

int dx_usbfs_driver(int fd, uint8_t interface_number, char *name, size_t size)
{
	int code = enter(FAKE_DRIVER, interface_number);

	(void)fd;
	if (code == 0) {
		(void)snprintf(name, size, "%s", fake.driver);
	}
	return code;
}

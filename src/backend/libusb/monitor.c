/* SPDX-License-Identifier: MIT
 *
 * monitor - see monitor.h.
 *
 * Place:      backend/libusb. libusb watches the kernel (udev's netlink socket) on a thread of its own
 *             and calls us from its event handling, which runs in poll() only. What it says goes
 *             through a list, so that the owner's functions run when libusb has returned.
 */
#include "backend/libusb/monitor.h"

#include <errno.h>
#include <libusb-1.0/libusb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <unistd.h>

#include "backend/libusb/spec.h"
#include "backend/libusb/sysfs.h"
#include "base/cleanup.h"
#include "base/list.h"

struct news {
	struct dx_list node;
	bool is_there;
	bool is_told; /* of those that are there */
	uint16_t id_vendor;
	uint16_t id_product;
	char spec[DX_USB_MONITOR_SPEC_SIZE];
};

struct dx_usb_monitor {
	const struct dx_usb_monitor_calls *calls;
	void *context;
	libusb_context *libusb; /* NULL: there is nothing to hear */
	int epoll_fd;
	struct dx_list present; /* struct news: what is there */
	struct dx_list left;	/* struct news: told, and gone since */
};

static struct news *find(struct dx_usb_monitor *monitor, const char *spec)
{
	dx_list_for_each(node, &monitor->present)
	{
		struct news *news = dx_list_entry(node, struct news, node);

		if (strcmp(news->spec, spec) == 0) {
			return news;
		}
	}
	return NULL;
}

static void news_free(struct news *news)
{
	dx_list_remove(&news->node);
	free(news);
}

/* One that nobody was told of is forgotten without a word. */
static void note_left(struct dx_usb_monitor *monitor, const char *spec)
{
	struct news *news = find(monitor, spec);

	if (news != NULL && news->is_told) {
		dx_list_remove(&news->node);
		dx_list_push_back(&monitor->left, &news->node);
	} else if (news != NULL) {
		news_free(news);
	}
}

static void note_arrived(struct dx_usb_monitor *monitor, const char *spec,
			 const struct libusb_device_descriptor *descriptor)
{
	struct news *news = NULL;

	note_left(monitor, spec); /* the port has another device, and we missed that the first went */
	news = calloc(1, sizeof(*news));
	if (news == NULL) {
		return; /* it is as if it had not been plugged in */
	}
	(void)snprintf(news->spec, sizeof(news->spec), "%s", spec);
	news->id_vendor = descriptor->idVendor;
	news->id_product = descriptor->idProduct;
	dx_list_push_back(&monitor->present, &news->node);
}

/* False: it hangs nowhere, as the buses themselves. */
static bool name_port(libusb_device *device, char *spec, size_t size)
{
	struct dx_libusb_port port = {.bus = libusb_get_bus_number(device)};
	int nr_ports = libusb_get_port_numbers(device, port.ports, (int)DX_LIBUSB_MAX_PORTS);
	char text[DX_USB_MONITOR_SPEC_SIZE - 4];

	if (nr_ports <= 0) {
		return false;
	}
	port.nr_ports = (uint8_t)nr_ports;
	dx_libusb_port_format(&port, text, sizeof(text));
	(void)snprintf(spec, size, "usb:%s", text);
	return true;
}

static int LIBUSB_CALL on_hotplug(libusb_context *libusb, libusb_device *device,
				  libusb_hotplug_event event, void *context)
{
	struct dx_usb_monitor *monitor = context;
	struct libusb_device_descriptor descriptor = {0};
	char spec[DX_USB_MONITOR_SPEC_SIZE];

	(void)libusb;
	if (!name_port(device, spec, sizeof(spec))) {
		return 0;
	}
	if (event == LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT) {
		note_left(monitor, spec);
	} else if (libusb_get_device_descriptor(device, &descriptor) == LIBUSB_SUCCESS &&
		   descriptor.bDeviceClass != LIBUSB_CLASS_HUB) {
		note_arrived(monitor, spec, &descriptor);
	}
	return 0; /* go on listening */
}

static void LIBUSB_CALL on_fd_added(int fd, short events, void *context)
{
	struct dx_usb_monitor *monitor = context;
	struct epoll_event event = {
		.events = ((events & POLLIN) != 0 ? (uint32_t)EPOLLIN : 0) |
			  ((events & POLLOUT) != 0 ? (uint32_t)EPOLLOUT : 0),
		.data.fd = fd,
	};

	(void)epoll_ctl(monitor->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void LIBUSB_CALL on_fd_removed(int fd, void *context)
{
	struct dx_usb_monitor *monitor = context;

	(void)epoll_ctl(monitor->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static void watch_all(struct dx_usb_monitor *monitor)
{
	const struct libusb_pollfd **list = libusb_get_pollfds(monitor->libusb);

	for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
		on_fd_added(list[i]->fd, list[i]->events, monitor);
	}
	libusb_free_pollfds(list);
	libusb_set_pollfd_notifiers(monitor->libusb, on_fd_added, on_fd_removed, monitor);
}

/* Without success there is nothing to hear. */
static void begin_listening(struct dx_usb_monitor *monitor)
{
	int code = LIBUSB_SUCCESS;

	if (libusb_init(&monitor->libusb) != LIBUSB_SUCCESS) {
		monitor->libusb = NULL;
		return;
	}
	code = libusb_hotplug_register_callback(
		monitor->libusb,
		LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT,
		LIBUSB_HOTPLUG_ENUMERATE, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY,
		LIBUSB_HOTPLUG_MATCH_ANY, on_hotplug, monitor, NULL);
	if (code != LIBUSB_SUCCESS) {
		libusb_exit(monitor->libusb);
		monitor->libusb = NULL;
		return;
	}
	watch_all(monitor);
}

int dx_usb_monitor_new(const struct dx_usb_monitor_calls *calls, void *context,
		       struct dx_usb_monitor **ret_monitor)
{
	struct dx_usb_monitor *monitor = calloc(1, sizeof(*monitor));

	if (monitor == NULL) {
		return -ENOMEM;
	}
	monitor->calls = calls;
	monitor->context = context;
	dx_list_init(&monitor->present);
	dx_list_init(&monitor->left);
	monitor->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (monitor->epoll_fd < 0) {
		int result = -errno;

		free(monitor);
		return result;
	}
	begin_listening(monitor);
	*ret_monitor = monitor;
	return 0;
}

struct dx_usb_monitor *dx_usb_monitor_free(struct dx_usb_monitor *monitor)
{
	if (monitor == NULL) {
		return NULL;
	}
	if (monitor->libusb != NULL) {
		libusb_set_pollfd_notifiers(monitor->libusb, NULL, NULL, NULL);
		libusb_exit(monitor->libusb);
	}
	while (!dx_list_is_empty(&monitor->present)) {
		news_free(dx_list_entry(monitor->present.next, struct news, node));
	}
	while (!dx_list_is_empty(&monitor->left)) {
		news_free(dx_list_entry(monitor->left.next, struct news, node));
	}
	(void)close(monitor->epoll_fd);
	free(monitor);
	return NULL;
}

int dx_usb_monitor_fd(const struct dx_usb_monitor *monitor)
{
	return monitor->epoll_fd;
}

static struct news *next_untold(struct dx_usb_monitor *monitor)
{
	dx_list_for_each(node, &monitor->present)
	{
		struct news *news = dx_list_entry(node, struct news, node);

		if (!news->is_told) {
			return news;
		}
	}
	return NULL;
}

void dx_usb_monitor_poll(struct dx_usb_monitor *monitor)
{
	struct timeval now = {0};

	if (monitor->libusb != NULL) {
		(void)libusb_handle_events_timeout_completed(monitor->libusb, &now, NULL);
	}
	/* Those that went first: one of them may be back under the same name. */
	while (!dx_list_is_empty(&monitor->left)) {
		struct news *news = dx_list_entry(monitor->left.next, struct news, node);

		monitor->calls->left(monitor->context, news->spec);
		news_free(news);
	}
	for (struct news *news = next_untold(monitor); news != NULL; news = next_untold(monitor)) {
		news->is_told = true;
		monitor->calls->arrived(monitor->context, news->spec, news->id_vendor,
					news->id_product);
	}
}

bool dx_usb_monitor_names(const char *spec, const char *port_spec)
{
	DX_CLEANUP_FREE struct dx_usb_listed *list = NULL;
	struct dx_libusb_spec wanted;
	struct dx_libusb_spec at;
	size_t nr = 0;
	char unused[8];

	if (dx_libusb_spec_parse(spec, &wanted, unused, sizeof(unused)) < 0 ||
	    dx_libusb_spec_parse(port_spec, &at, unused, sizeof(unused)) < 0 || at.has_ids) {
		return false;
	}
	if (!wanted.has_ids && wanted.serial[0] == '\0') {
		return dx_libusb_port_equal(&wanted.port, &at.port); /* it may have gone by now */
	}
	if (dx_libusb_scan(&dx_libusb_places, &list, &nr) < 0) {
		return false;
	}
	for (size_t i = 0; i < nr; i++) {
		if (dx_libusb_spec_matches(&at, &list[i])) {
			return dx_libusb_spec_matches(&wanted, &list[i]);
		}
	}
	return false;
}

uint32_t dx_usb_monitor_location(const char *port_spec)
{
	struct dx_libusb_spec at;
	char unused[8];

	return dx_libusb_spec_parse(port_spec, &at, unused, sizeof(unused)) < 0 || at.has_ids
		       ? 0
		       : dx_libusb_port_location(&at.port);
}

int dx_usb_monitor_list(struct dx_usb_listed **ret_devices, size_t *ret_nr_devices)
{
	return dx_libusb_scan(&dx_libusb_places, ret_devices, ret_nr_devices);
}

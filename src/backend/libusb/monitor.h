/* SPDX-License-Identifier: MIT
 *
 * monitor - USB devices of this machine: which are there, which come, which go.
 *
 * Place:      backend/libusb, for the broker and for tools that list devices. No device is opened.
 * Use:        dx_usb_monitor_new(); watch dx_usb_monitor_fd() with EPOLLIN; whenever it is readable,
 *             dx_usb_monitor_poll(), which makes the calls. Devices that are there from the beginning
 *             are reported by the first poll: call it once without waiting.
 *
 *                 static const struct dx_usb_monitor_calls calls = {arrived, left};
 *                 dx_usb_monitor_new(&calls, broker, &monitor);
 *                 dx_loop_add_fd(loop, dx_usb_monitor_fd(monitor), EPOLLIN, on_monitor, ...);
 *                 dx_usb_monitor_poll(monitor);
 *
 *             The spec of a call names the port ("usb:1-2.4"), so it is the same string when the same
 *             device comes back to the same port, and no two devices have the same. A device is
 *             attached by giving the spec to dx_usb_device_attach() or dx_usb_describe(). One that was
 *             attached by another spec of the same device ("usb:0525:a4a0") is not known here under
 *             it; dx_usb_monitor_names() tells whether two specs may mean the same device.
 * Rules:      hubs are not reported. left() is called for what arrived() was called for, once.
 *             A device that has just arrived may not have its permissions yet: udev sets them a moment
 *             later, so an -EACCES right after arrived() is worth a second attempt.
 *             A process that has a monitor opens devices with fd -1 (usb/backend.h): a libusb that has
 *             been told to look for no devices, as open() with a descriptor does, is told so for good.
 * Where there is no USB (no /dev/bus/usb, no sysfs, no netlink) a monitor says nothing; its descriptor
 * is valid and never readable.
 * Threads:    one at a time.
 */
#ifndef DX_BACKEND_LIBUSB_MONITOR_H
#define DX_BACKEND_LIBUSB_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DX_USB_MONITOR_SPEC_SIZE 64u

struct dx_usb_monitor;

/* Called from dx_usb_monitor_poll() only. They may do anything but free the monitor. */
struct dx_usb_monitor_calls {
	void (*arrived)(void *context, const char *spec, uint16_t id_vendor, uint16_t id_product);
	void (*left)(void *context, const char *spec);
};

/* calls: borrowed. @return 0; -ENOMEM; -EMFILE. */
int dx_usb_monitor_new(const struct dx_usb_monitor_calls *calls, void *context,
		       struct dx_usb_monitor **ret_monitor);
/* Makes no calls. NULL is allowed. @return NULL. */
struct dx_usb_monitor *dx_usb_monitor_free(struct dx_usb_monitor *monitor);
/* Readable (level) when there is something to poll. Borrowed, constant. */
int dx_usb_monitor_fd(const struct dx_usb_monitor *monitor);
/* Makes the calls that are due. Never waits. */
void dx_usb_monitor_poll(struct dx_usb_monitor *monitor);

/*
 * Whether the spec that somebody gave ("usb:0525:a4a0,serial=7", "usb:1-2") means the device at the
 * port of the second ("usb:1-2"), as far as it can be seen without opening it. False for specs that
 * are no "usb:" specs.
 */
bool dx_usb_monitor_names(const char *spec, const char *port_spec);

/* The locationID of a device at this port ("usb:1-2.4"); 0: it is no port. */
uint32_t dx_usb_monitor_location(const char *port_spec);

/* One device, for people. Texts are what the device says, UTF-8, "" where it says nothing. */
struct dx_usb_listed {
	char spec[DX_USB_MONITOR_SPEC_SIZE]; /* "usb:1-2.4" */
	uint16_t id_vendor;
	uint16_t id_product;
	uint8_t device_class;
	uint8_t configuration; /* bConfigurationValue in force, 0: none */
	unsigned bus;
	unsigned address;
	unsigned speed_mbps; /* 1 for low speed; 0: unknown */
	bool accessible;     /* this process may open it for reading and writing */
	char manufacturer[128];
	char product[128];
	char serial[128];
	char drivers[128]; /* kernel drivers of its interfaces, "usbhid, usbfs" */
};

/*
 * What is there now, hubs left out, sorted by port. Needs no monitor and no libusb.
 * @param ret_devices  to be freed with free(); NULL when there are none.
 * @return 0; -ENOMEM.
 */
int dx_usb_monitor_list(struct dx_usb_listed **ret_devices, size_t *ret_nr_devices);

#endif

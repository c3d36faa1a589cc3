/* SPDX-License-Identifier: MIT
 *
 * hotplug - real devices that come and go, as a monitor of the machine's bus tells.
 *
 * Place:      daemon, over device. The monitor is a table, so that tests have one of their own.
 * Rules:      with a filter of "all" every device that is there is attached by the spec that the
 *             monitor gives ("usb:BUS-PORT"), with VID:PID pairs only those. A device that somebody
 *             attached by another spec ("usb:VID:PID") and that has left is looked for at every
 *             arrival; the one that is attached already is not attached twice.
 *             Such a spec means one device of several that are alike from the moment it is attached:
 *             the one at its port. When that one leaves and one that is like it is there, that follows.
 * Invariants:
 *   W1  a port that has a device is in the list of ports, by the spec that the monitor gave.
 * Threads:    one.
 */
#ifndef DX_DAEMON_HOTPLUG_H
#define DX_DAEMON_HOTPLUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/libusb/monitor.h"
#include "daemon/daemon.h"

struct dx_broker;
struct dx_usb_backend_ops;

/* The functions of backend/libusb/monitor.h, or a test's. */
struct dx_monitor_ops {
	const struct dx_usb_backend_ops *backend; /* whose specs it gives */
	int (*create)(const struct dx_usb_monitor_calls *calls, void *context,
		      struct dx_usb_monitor **ret_monitor);
	struct dx_usb_monitor *(*destroy)(struct dx_usb_monitor *monitor);
	int (*fd)(const struct dx_usb_monitor *monitor);
	void (*poll)(struct dx_usb_monitor *monitor);
	bool (*names)(const char *spec, const char *port_spec);
	uint32_t (*location)(const char *port_spec);
};

/* Begins to watch, unless it does already or cannot. @return 0; negative with one line in message. */
int dx_hotplug_start(struct dx_broker *broker, char *message, size_t message_size);
/* A device of this backend is to be attached: from now on it is worth watching. */
int dx_hotplug_expect(struct dx_broker *broker, const struct dx_usb_backend_ops *backend,
		      char *message, size_t message_size);
void dx_hotplug_stop(struct dx_broker *broker);
/* The spec of the port where a device of this backend is, borrowed; NULL: it is not known. */
const char *dx_hotplug_port(const struct dx_broker *broker,
			    const struct dx_usb_backend_ops *backend, uint64_t location);
/* Arrivals of this backend's devices are heard of. */
bool dx_hotplug_watches(const struct dx_broker *broker, const struct dx_usb_backend_ops *backend);

#endif

/* SPDX-License-Identifier: MIT
 *
 * configure - the interfaces of a device: when they appear, and who makes them.
 *
 * Place:      daemon, over device and registry.
 * Rules:      a device shows interfaces once it is configured. Who does that:
 *               - the built-in composite driver, for a device whose class says that its interfaces
 *                 speak for themselves (0; 239/2/1, with interface associations; 2, communications),
 *                 when no driver with an equal or higher score has the device in the default match
 *                 category. Its score is that of the row it would match by;
 *               - a driver of the device, by SetConfiguration(). With matchInterfaces the interfaces
 *                 are registered, that is drivers are looked for; without they can only be seen.
 *             Configuring anew takes the old interfaces away first. When the driver that configured
 *             the device goes, so do they: with it goes the process that had the device open, which
 *             for a virtual one is the device; the next driver configures it as it likes.
 * Invariants:
 *   I1  interfaces of one configuration at a time: new ones come after the old have left.
 *   I2  what an interface looks like comes from the descriptors that the broker read, never from a
 *       host.
 * Threads:    one.
 */
#ifndef DX_DAEMON_CONFIGURE_H
#define DX_DAEMON_CONFIGURE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/device.h"

struct dx_driver;

#define DX_COMPOSITE_SCORE    60000
#define DX_COMPOSITE_CATEGORY "IODefaultMatchCategory"

/* The class of the device is one that the built-in driver takes. */
bool dx_device_is_composite(const struct dx_entry *entry);
/* The built-in driver takes the device. */
void dx_device_compose(struct dx_device *device);
/* It lets go again, if no driver uses what it made. */
bool dx_device_decompose(struct dx_device *device);

/* Interfaces of the configuration with this value (0: none), in place of what is there. */
void dx_device_configure(struct dx_device *device, unsigned value, bool matches);
/* The same by a driver; its interfaces go with it. */
void dx_device_configure_by(struct dx_device *device, const struct dx_driver *driver,
			    unsigned value, bool matches);
/* From the loop: whose drivers have gone are no longer configured. */
void dx_devices_sweep(struct dx_broker *broker);
/* terminate.c: one of its interfaces has left. */
void dx_device_interface_gone(struct dx_device *device);
/* The value that the built-in driver selects: what is in force, or the first. 0: there is none. */
unsigned dx_preferred_configuration(const struct dx_dict *device_properties);
/* The interfaces of a configuration as dictionaries, borrowed. NULL: no such configuration. */
const struct dx_array *dx_device_interfaces(const struct dx_array *configurations, unsigned value);

#endif

/* SPDX-License-Identifier: MIT
 *
 * tap - who listens to what passes between the stack and the device: a capture.
 *
 * Place:      usb. The stack calls the table; who writes captures fills it.
 * Invariants:
 *   T1  Each transfer is told twice: submitted, then completed or refused. Between two tells the
 *       transfer's address is its identity.
 *   T2  Told are transfers and the standard requests that the stack makes itself; what a backend asks
 *       the device while it opens is summed up by opened().
 * Threads:    all calls for one device come under its lock, those of two devices at the same time.
 *             They may block for a write to a file, and nothing more.
 */
#ifndef DX_USB_TAP_H
#define DX_USB_TAP_H

#include "usb/backend.h"

struct dx_usb_tap {
	/* The device is there, and this is what its descriptors said. */
	void (*opened)(struct dx_usb_tap *tap, const struct dx_usb_backend_info *info);
	/* About to go to the backend. data of an OUT transfer is what the device will most likely get:
	 * its owner may still change it. */
	void (*submitted)(struct dx_usb_tap *tap, const struct dx_usb_backend_info *info,
			  const struct dx_usb_transfer *transfer);
	/* The backend did not take it; error is its negative errno. */
	void (*refused)(struct dx_usb_tap *tap, const struct dx_usb_backend_info *info,
			const struct dx_usb_transfer *transfer, int error);
	/* status and actual are the backend's, not yet what the driver will be told. */
	void (*completed)(struct dx_usb_tap *tap, const struct dx_usb_backend_info *info,
			  const struct dx_usb_transfer *transfer);
};

struct dx_usb_device;

/*!
 * Calls tap->opened(), and from now on the others. Once per device, before its first request.
 * @param tap  borrowed for the device's life.
 */
void dx_usb_device_set_tap(struct dx_usb_device *device, struct dx_usb_tap *tap);

#endif

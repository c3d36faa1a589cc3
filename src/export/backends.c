/* SPDX-License-Identifier: MIT
 *
 * backends - everything that can be exported: all backends.
 *
 * Place:      export.
 */
#include "backend/libusb/libusb.h"
#include "backend/replay/replay.h"
#include "backend/usbip/usbip.h"
#include "backend/virtual/virtual.h"
#include "export/export.h"

const struct dx_usb_backend_ops *const dx_export_backends[] = {
	&dx_backend_virtual, &dx_backend_libusb, &dx_backend_usbip, &dx_backend_replay, NULL,
};

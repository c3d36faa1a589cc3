/* SPDX-License-Identifier: MIT
 *
 * libusb - devices of this machine, through libusb and the kernel's usbfs: "usb:...".
 *
 * Place:      backend/libusb; chosen by host and daemon. See state.h for how it works, spec.h for the
 *             specs, docs/devices.md for what a user sees.
 */
#ifndef DX_BACKEND_LIBUSB_LIBUSB_H
#define DX_BACKEND_LIBUSB_LIBUSB_H

#include "usb/backend.h"

extern const struct dx_usb_backend_ops dx_backend_libusb;

#endif

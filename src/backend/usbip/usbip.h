/* SPDX-License-Identifier: MIT
 *
 * usbip - the backend for devices of other machines: "usbip:HOST[:PORT]/BUSID".
 *
 * Place:      backend/usbip; what host and daemon choose. docs/devices.md says what a user sees.
 */
#ifndef DX_BACKEND_USBIP_USBIP_H
#define DX_BACKEND_USBIP_USBIP_H

#include "usb/backend.h"

extern const struct dx_usb_backend_ops dx_backend_usbip;

#endif

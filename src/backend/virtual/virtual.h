/* SPDX-License-Identifier: MIT
 *
 * virtual - the backend whose devices are models in this process.
 *
 * Place:   backend. host and daemon put dx_backend_virtual into their table of backends.
 * Specs:   "virtual:MODEL[,key=value]...", "file:PATH[,key=value]...", "PATH.device[,...]";
 *          docs/devices.md lists the keys.
 */
#ifndef DX_BACKEND_VIRTUAL_H
#define DX_BACKEND_VIRTUAL_H

#include "usb/backend.h"

extern const struct dx_usb_backend_ops dx_backend_virtual;

#endif

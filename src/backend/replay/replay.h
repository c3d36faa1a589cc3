/* SPDX-License-Identifier: MIT
 *
 * replay - a backend that plays the device of a capture: "replay:out.pcapng".
 *
 * Place:      backend/replay -> capture (the recording) and usb/backend.h. docs/devices.md lists the keys.
 */
#ifndef DX_BACKEND_REPLAY_REPLAY_H
#define DX_BACKEND_REPLAY_REPLAY_H

#include "usb/backend.h"

extern const struct dx_usb_backend_ops dx_backend_replay;

#endif

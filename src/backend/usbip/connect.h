/* SPDX-License-Identifier: MIT
 *
 * connect - reaching a USB/IP server and asking it for a device: the part that may wait.
 *
 * Place:      backend/usbip, under acquire() and open(). Everything here has a time limit.
 * Trust:      the server is hostile: each reply is checked, its size is bounded.
 * Threads:    any.
 *
 * A link that dies without a word is found by TCP: after 10 s of silence the other end is asked
 * every 5 s, three times; bytes that are not taken for 25 s end it, too.
 */
#ifndef DX_BACKEND_USBIP_CONNECT_H
#define DX_BACKEND_USBIP_CONNECT_H

#include <stddef.h>
#include <stdint.h>

#include "backend/usbip/spec.h"

#define DX_USBIP_CONNECT_MS 5000u
#define DX_USBIP_FREE_MS    2000u /* how long a server may need to give a device free again */
#define DX_USBIP_OPEN_MS    10000u

/*
 * A connection on which nothing has been said yet, to a server that has the device to give: its
 * list is looked at first, and for DX_USBIP_FREE_MS again if the device is not in it, because Linux
 * needs a moment to take a device back from its last user.
 * @return a descriptor; -ENOENT the server does not have it; -ECONNREFUSED, -ETIMEDOUT, ...; each
 * with one line in message.
 */
int dx_usbip_connect(const struct dx_usbip_spec *spec, char *message, size_t message_size);
/* Settings of a connected socket: no delay, the death of the link is noticed. */
void dx_usbip_tune(int fd);

/* REQ_IMPORT and its reply. @return 0; -EBUSY; -ENODEV; -EPROTO; -ETIMEDOUT; ... */
int dx_usbip_import(int fd, const char *busid, uint64_t deadline_ns,
		    struct dx_usbip_device *ret_device);
/*
 * A control transfer IN, waited for; nothing else is under way. data has setup's wLength bytes.
 * @return bytes received; -EPIPE: the device refuses; -EPROTO; -ETIMEDOUT; ...
 */
int dx_usbip_control_in(int fd, uint32_t device_number, const uint8_t *setup, uint8_t *data,
			uint64_t deadline_ns);

#endif

/* SPDX-License-Identifier: MIT
 *
 * spec - device specs: which backend a string like "virtual:gadget-zero,speed=super" belongs to.
 *
 * Place:   usb. What follows the colon is the backend's business.
 */
#ifndef DX_USB_SPEC_H
#define DX_USB_SPEC_H

#include <stddef.h>

#include "usb/backend.h"

#define DX_USB_MAX_SPEC 1024u /* bytes, terminating NUL included */

/* The first backend of the NULL-ended table that accepts the spec. On NULL, message (may be NULL)
 * holds one line that names the spec and the forms that exist. */
const struct dx_usb_backend_ops *
dx_usb_spec_backend(const char *spec, const struct dx_usb_backend_ops *const *backends,
		    char *message, size_t message_size);

/* acquire() of that backend (backend.h). @return a descriptor; -ENODATA: none is needed; -ENODEV and
 * what acquire() says, with one line in message (may be NULL with 0). May block. */
int dx_usb_spec_acquire(const char *spec, const struct dx_usb_backend_ops *const *backends,
			char *message, size_t message_size);

#endif

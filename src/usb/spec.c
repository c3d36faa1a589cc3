/* SPDX-License-Identifier: MIT
 *
 * spec - finding the backend of a device spec.
 *
 * Place:      usb. Only asks the backends; knows no form of its own.
 */
#include "usb/spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void list_names(const struct dx_usb_backend_ops *const *backends, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (; *backends != NULL && used < size; backends++) {
		used += (size_t)snprintf(text + used, size - used, "%s%s", used == 0 ? "" : ", ",
					 (*backends)->name);
	}
}

const struct dx_usb_backend_ops *
dx_usb_spec_backend(const char *spec, const struct dx_usb_backend_ops *const *backends,
		    char *message, size_t message_size)
{
	char names[128];

	if (strnlen(spec, DX_USB_MAX_SPEC) == DX_USB_MAX_SPEC) {
		if (message != NULL) {
			(void)snprintf(message, message_size,
				       "device spec is longer than %u bytes", DX_USB_MAX_SPEC - 1);
		}
		return NULL;
	}
	for (const struct dx_usb_backend_ops *const *ops = backends; *ops != NULL; ops++) {
		if ((*ops)->accepts(spec)) {
			return *ops;
		}
	}
	list_names(backends, names, sizeof(names));
	if (message != NULL) {
		(void)snprintf(message, message_size,
			       "device spec \"%s\": no backend understands it (there is: %s)", spec,
			       names[0] == '\0' ? "none" : names);
	}
	return NULL;
}

int dx_usb_spec_acquire(const char *spec, const struct dx_usb_backend_ops *const *backends,
			char *message, size_t message_size)
{
	const struct dx_usb_backend_ops *ops = NULL;
	char unused[1] = "";

	if (message == NULL || message_size == 0) {
		message = unused;
		message_size = sizeof(unused);
	}
	message[0] = '\0';
	ops = dx_usb_spec_backend(spec, backends, message, message_size);
	if (ops == NULL) {
		return -ENODEV;
	}
	return ops->acquire == NULL ? -ENODATA : ops->acquire(spec, message, message_size);
}

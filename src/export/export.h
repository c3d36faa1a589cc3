/* SPDX-License-Identifier: MIT
 *
 * export - a USB/IP server: devices of any backend, offered to other machines' kernels and
 * programs.
 *
 * Place:      export, over usb/backend.h and the backends; `dext export` and tests use it. It talks
 *             to backends itself, without the USB stack, because it is a stack's transport for
 *             others.
 * Protocol:   backend/usbip/protocol.h. One device has one importer at a time; a device that nobody
 *             uses is listed. A device is opened anew for each importer, so each finds it as if it
 *             had just been plugged in.
 * Trust:      clients are hostile; what one does ends at its connection. There is no authentication
 *             in USB/IP: who reaches the address has the devices.
 * Threads:    one, that of the loop.
 */
#ifndef DX_EXPORT_EXPORT_H
#define DX_EXPORT_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "usb/backend.h"

#define DX_EXPORT_ADDRESS "127.0.0.1:3240"
#define DX_EXPORT_BUSID   "1" /* prefix: devices are 1-1, 1-2, ... */

struct dx_export;

/* All there are, ended by NULL. */
extern const struct dx_usb_backend_ops *const dx_export_backends[];

struct dx_export_options {
	const struct dx_usb_backend_ops *const *backends; /* ended by NULL */
	const char *const *specs;
	size_t nr_specs;
	const char *busid_prefix; /* NULL: DX_EXPORT_BUSID */
	/* One line for each client that comes, imports, goes or breaks the rules; may be NULL. */
	void (*say)(void *context, const char *line);
	void *say_context;
};

struct dx_export_device_info {
	const char *busid;
	const char *spec;
	uint16_t vendor;
	uint16_t product;
	uint8_t speed; /* enum dx_usb_speed */
};

/*
 * Opens the devices. The texts of options are borrowed for the export's life.
 * @return 0; what the backend's open says, -EINVAL for options, -ENOMEM; with one line in message.
 */
int dx_export_new(struct dx_loop *loop, const struct dx_export_options *options, char *message,
		  size_t message_size, struct dx_export **ret_export);
/* Disconnects all clients, cancels what they wait for, closes the devices. @return NULL. */
struct dx_export *dx_export_free(struct dx_export *export);

/*
 * Listens at "ADDRESS:PORT", "[V6]:PORT"; port 0: any. Once per export.
 * @return 0 and the port; -EADDRINUSE and so on with one line in message.
 */
int dx_export_listen(struct dx_export *export, const char *address, char *message,
		     size_t message_size, uint16_t *ret_port);
/* Serves a connected stream socket, which is taken over on success. -EMFILE too many; -ENOMEM. */
int dx_export_add_client(struct dx_export *export, int *fd, const char *name);

/* The n-th device; false behind the last. */
bool dx_export_device(const struct dx_export *export, size_t n,
		      struct dx_export_device_info *ret_info);
unsigned dx_export_nr_clients(const struct dx_export *export);

#endif

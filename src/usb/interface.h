/* SPDX-License-Identifier: MIT
 *
 * interface - one interface of the current configuration: a session, alternate settings, pipes.
 *
 * Place:      usb, part of a device.
 * Invariants:
 *   I1  At most one session; pipes exist only inside it.
 *   I2  Once terminated (new configuration, device gone) it never works again; its handle stays.
 * Threads:    any.
 */
#ifndef DX_USB_INTERFACE_H
#define DX_USB_INTERFACE_H

#include <stddef.h>
#include <stdint.h>

#include "usb/device.h"

struct dx_usb_interface;
struct dx_usb_pipe;

/* kUSBHostOpenOptionSelectAlternateSetting */
#define DX_USB_OPEN_SELECT_ALTERNATE 0x10000u

/* Handles; each keeps the device's memory. NULL is allowed; unref returns NULL. */
struct dx_usb_interface *dx_usb_interface_ref(struct dx_usb_interface *interface);
struct dx_usb_interface *dx_usb_interface_unref(struct dx_usb_interface *interface);

struct dx_usb_device *dx_usb_interface_device(const struct dx_usb_interface *interface);
uint8_t dx_usb_interface_number(const struct dx_usb_interface *interface);
bool dx_usb_interface_is_terminated(struct dx_usb_interface *interface);

/* The configuration that it belongs to. Borrowed as long as the device's memory. */
const uint8_t *dx_usb_interface_configuration(const struct dx_usb_interface *interface,
					      size_t *ret_length);
/* Offset of the interface descriptor of the current alternate setting in that configuration. */
size_t dx_usb_interface_descriptor_offset(struct dx_usb_interface *interface);
uint8_t dx_usb_interface_alternate(struct dx_usb_interface *interface);

/*!
 * Opens the session; another client's session on the device is no obstacle.
 * @param options    0, or DX_USB_OPEN_SELECT_ALTERNATE: also selects `alternate` (which blocks).
 * @return DX_USB_OK, also when client holds it already; DX_USB_EXCLUSIVE; DX_USB_BAD_ARGUMENT
 *         client NULL or unknown option; DX_USB_NO_DEVICE terminated; DX_USB_NOT_FOUND alternate.
 */
int32_t dx_usb_interface_open(struct dx_usb_interface *interface, const void *client,
			      uint32_t options, uint8_t alternate);
/* Aborts I/O and requests, closes the pipes; returns when all callbacks have been made.
 * DX_USB_NOT_OPEN if client has no session. */
int32_t dx_usb_interface_close(struct dx_usb_interface *interface, const void *client);

/*!
 * Aborts pending I/O (DX_USB_ABORTED), closes all pipes, sends SET_INTERFACE. Old pipe handles
 * refuse everything with DX_USB_NOT_OPEN from then on.
 * @return DX_USB_OK; DX_USB_NOT_OPEN; DX_USB_NOT_FOUND; DX_USB_NO_DEVICE; status of the request.
 * Blocks: until aborted requests have completed and the device has answered, 5 s at most.
 */
int32_t dx_usb_interface_select_alternate(struct dx_usb_interface *interface, uint8_t alternate);

/*!
 * The pipe of an endpoint of the current alternate setting; the same one each time.
 * @param address  bEndpointAddress with the direction bit.
 * @return DX_USB_OK and +1; DX_USB_NOT_OPEN; DX_USB_NOT_FOUND; DX_USB_NO_DEVICE;
 *         DX_USB_NO_MEMORY.
 */
int32_t dx_usb_interface_copy_pipe(struct dx_usb_interface *interface, uint8_t address,
				   struct dx_usb_pipe **ret_pipe);

/* Milliseconds; stored, in force on backends that can suspend a device. DX_USB_NOT_OPEN. */
int32_t dx_usb_interface_set_idle_policy(struct dx_usb_interface *interface, uint32_t timeout_ms);
int32_t dx_usb_interface_idle_policy(struct dx_usb_interface *interface, uint32_t *ret_timeout_ms);

/* Control requests with the interface as client; as the functions of device.h. */
int32_t dx_usb_interface_request_async(struct dx_usb_interface *interface,
				       const struct dx_usb_setup *setup, void *data,
				       uint32_t timeout_ms, dx_usb_complete_fn complete, void *ctx);
int32_t dx_usb_interface_request(struct dx_usb_interface *interface,
				 const struct dx_usb_setup *setup, void *data,
				 uint32_t timeout_ms, uint32_t *ret_actual);
int32_t dx_usb_interface_abort_requests(struct dx_usb_interface *interface, int32_t with_error);

#endif

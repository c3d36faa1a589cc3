/* SPDX-License-Identifier: MIT
 *
 * spec - "usbip:HOST[:PORT]/BUSID" taken apart; the addresses of both ends.
 *
 * Place:      backend/usbip, and the room `export` for its listening address. No system calls.
 * Trust:      the text comes from a command line or a client of the broker.
 */
#ifndef DX_BACKEND_USBIP_SPEC_H
#define DX_BACKEND_USBIP_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/usbip/protocol.h"

#define DX_USBIP_PREFIX     "usbip:"
#define DX_USBIP_HOST_BYTES 256u

struct dx_usbip_address {
	char host[DX_USBIP_HOST_BYTES]; /* a name or a number, without brackets */
	char port[6];
};

struct dx_usbip_spec {
	struct dx_usbip_address address;
	char busid[DX_USBIP_BUSID_BYTES];
	char peer[DX_USBIP_HOST_BYTES + 16]; /* "HOST:PORT" as given, for messages */
};

/*
 * "HOST", "HOST:PORT", "[V6]:PORT", "[V6]"; length bytes of text.
 * @return 0; -EINVAL with one line in message.
 */
int dx_usbip_address_parse(const char *text, size_t length, struct dx_usbip_address *ret_address,
			   char *message, size_t message_size);
/* @return 0; -EINVAL with one line in message. */
int dx_usbip_spec_parse(const char *spec, struct dx_usbip_spec *ret_spec, char *message,
			size_t message_size);
bool dx_usbip_accepts(const char *spec);

#endif

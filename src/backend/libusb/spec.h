/* SPDX-License-Identifier: MIT
 *
 * spec - "usb:0525:a4a0,serial=7" and "usb:1-2.4" taken apart.
 *
 * Place:      backend/libusb.
 * Form:       usb:VID:PID[,key=value]...     four hexadecimal digits each, at most
 *             usb:BUS-PORT[.PORT]...[,key=value]...
 *             keys: serial=TEXT, port=BUS-PORT[.PORT]... (with ids), configuration=N. A backslash takes
 *             the next character literally. A key may appear once.
 * Trust:      the text comes from a command line or a peer of the broker.
 */
#ifndef DX_BACKEND_LIBUSB_SPEC_H
#define DX_BACKEND_LIBUSB_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DX_LIBUSB_MAX_PORTS  7u /* hubs behind hubs */
#define DX_LIBUSB_MAX_SERIAL 128u

/* Where a device is plugged in. bus 0: anywhere. */
struct dx_libusb_port {
	uint16_t bus;
	uint8_t nr_ports;
	uint8_t ports[DX_LIBUSB_MAX_PORTS];
};

struct dx_libusb_spec {
	bool has_ids;
	uint16_t id_vendor;
	uint16_t id_product;
	struct dx_libusb_port port;
	char serial[DX_LIBUSB_MAX_SERIAL]; /* "": any */
	uint16_t configuration;		   /* 0: as it is */
};

bool dx_libusb_spec_accepts(const char *spec);
/* @return 0, or -EINVAL with one line in message that names what is wrong. */
int dx_libusb_spec_parse(const char *spec, struct dx_libusb_spec *ret_spec, char *message,
			 size_t message_size);

/* "1-2.4", as the kernel calls a device. False: it is no such name. */
bool dx_libusb_port_parse(const char *text, struct dx_libusb_port *ret_port);
/* Into text: "1-2.4". */
void dx_libusb_port_format(const struct dx_libusb_port *port, char *text, size_t size);
bool dx_libusb_port_equal(const struct dx_libusb_port *a, const struct dx_libusb_port *b);
/* locationID: the bus in the highest byte, then one digit of four bits per port. */
uint32_t dx_libusb_port_location(const struct dx_libusb_port *port);

#endif

/* SPDX-License-Identifier: MIT
 *
 * canned - see canned.h.
 */
#include "support/canned.h"

#include <string.h>

#include "usb/backend.h"

static const uint8_t device_descriptor[18] = {18, 1,    0x00, 0x02, 0xFF, 0, 0, 64, 0x25,
					      5,  0xA4, 0xA0, 0,    1,    0, 0, 0,  1};
static const uint8_t configuration[] = {
	9, 2, 53,   0, 1,  1,    0, 0x80, 50, /* header */
	9, 4, 0,    0, 5,  0xFF, 0, 0,    0,  /* interface */
	7, 5, 0x81, 2, 0,  2,    0,           /* bulk IN */
	7, 5, 0x01, 2, 0,  2,    0,           /* bulk OUT */
	7, 5, 0x82, 3, 64, 0,    4,           /* interrupt IN */
	7, 5, 0x83, 1, 0,  4,    1,           /* isochronous IN */
	7, 5, 0x03, 1, 0,  4,    1,           /* isochronous OUT */
};

_Static_assert(sizeof(configuration) == 53, "wTotalLength");

void canned_answer(uint8_t *bytes, uint32_t number, int32_t status, uint32_t actual)
{
	const struct dx_usbip_unit unit = {
		.command = DX_USBIP_SUBMIT_ANSWER,
		.number = number,
		.status = status,
		.actual = actual,
	};

	dx_usbip_put_unit(bytes, &unit);
}

void canned_unlink_answer(uint8_t *bytes, uint32_t number, int32_t status)
{
	const struct dx_usbip_unit unit = {
		.command = DX_USBIP_UNLINK_ANSWER,
		.number = number,
		.status = status,
	};

	dx_usbip_put_unit(bytes, &unit);
}

static size_t put_answer(uint8_t *bytes, const uint8_t *data, uint32_t length)
{
	canned_answer(bytes, 1, 0, length);
	memcpy(bytes + DX_USBIP_UNIT_BYTES, data, length);
	return DX_USBIP_UNIT_BYTES + length;
}

size_t canned_replies(uint8_t *bytes)
{
	const struct dx_usbip_device device = {
		.path = "/canned",
		.busid = "1-1",
		.busnum = 1,
		.devnum = 2,
		.speed = DX_USB_SPEED_HIGH,
		.configuration = 1,
		.nr_configurations = 1,
		.nr_interfaces = 1,
	};
	size_t at = DX_USBIP_HEADER_BYTES;

	dx_usbip_put_header(bytes, DX_USBIP_REP_IMPORT, DX_USBIP_OK);
	dx_usbip_put_device(bytes + at, &device);
	at += DX_USBIP_DEVICE_BYTES;
	at += put_answer(bytes + at, device_descriptor, sizeof(device_descriptor));
	at += put_answer(bytes + at, configuration, 9);
	at += put_answer(bytes + at, configuration, sizeof(configuration));
	return at;
}

/* SPDX-License-Identifier: MIT
 *
 * protocol - encoders and decoders; see protocol.h for the byte map.
 *
 * Place:      backend/usbip.
 */
#include "backend/usbip/protocol.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "usb/backend.h"

/* ---- numbers ---- */

static void put16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

void dx_usbip_put32(uint8_t *bytes, uint32_t value)
{
	put16(bytes, (uint16_t)(value >> 16));
	put16(bytes + 2, (uint16_t)value);
}

uint32_t dx_usbip_get32(const uint8_t *bytes)
{
	return (uint32_t)get16(bytes) << 16 | get16(bytes + 2);
}

/* ---- request and reply ---- */

void dx_usbip_put_header(uint8_t *bytes, uint16_t code, uint32_t result)
{
	put16(bytes, DX_USBIP_VERSION);
	put16(bytes + 2, code);
	dx_usbip_put32(bytes + 4, result);
}

int dx_usbip_get_header(const uint8_t *bytes, uint16_t code, uint32_t *ret_result)
{
	if (get16(bytes) != DX_USBIP_VERSION || get16(bytes + 2) != code) {
		return -EPROTO;
	}
	*ret_result = dx_usbip_get32(bytes + 4);
	return 0;
}

uint16_t dx_usbip_get_request(const uint8_t *bytes)
{
	uint16_t code = get16(bytes + 2);

	return get16(bytes) == DX_USBIP_VERSION &&
			       (code == DX_USBIP_REQ_DEVLIST || code == DX_USBIP_REQ_IMPORT)
		       ? code
		       : 0;
}

bool dx_usbip_busid_is_good(const char *busid)
{
	size_t length = strnlen(busid, DX_USBIP_BUSID_BYTES);

	if (length == 0 || length == DX_USBIP_BUSID_BYTES) {
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		if (busid[i] <= ' ' || busid[i] >= 0x7F || busid[i] == '/') {
			return false;
		}
	}
	return true;
}

int dx_usbip_put_busid(uint8_t *bytes, const char *busid)
{
	if (!dx_usbip_busid_is_good(busid)) {
		return -EINVAL;
	}
	memset(bytes, 0, DX_USBIP_BUSID_BYTES);
	memcpy(bytes, busid, strlen(busid));
	return 0;
}

int dx_usbip_get_busid(const uint8_t *bytes, char *busid)
{
	char copy[DX_USBIP_BUSID_BYTES];

	memcpy(copy, bytes, sizeof(copy));
	if (!dx_usbip_busid_is_good(copy)) {
		return -EPROTO;
	}
	memcpy(busid, copy, sizeof(copy));
	return 0;
}

static const uint8_t speeds[] = {
	/* the protocol's number of each speed of ours */
	[DX_USB_SPEED_NONE] = 0,           [DX_USB_SPEED_FULL] = 2,  [DX_USB_SPEED_LOW] = 1,
	[DX_USB_SPEED_HIGH] = 3,           [DX_USB_SPEED_SUPER] = 5, [DX_USB_SPEED_SUPER_PLUS] = 6,
	[DX_USB_SPEED_SUPER_PLUS_BY2] = 6,
};

static uint8_t speed_from_number(uint32_t number)
{
	for (uint8_t i = 0; i < DX_ARRAY_SIZE(speeds); i++) {
		if (speeds[i] == number) {
			return i;
		}
	}
	return DX_USB_SPEED_NONE;
}

void dx_usbip_put_device(uint8_t *bytes, const struct dx_usbip_device *device)
{
	uint8_t *numbers = bytes + DX_USBIP_PATH_BYTES + DX_USBIP_BUSID_BYTES;

	memset(bytes, 0, DX_USBIP_DEVICE_BYTES);
	memcpy(bytes, device->path, strnlen(device->path, DX_USBIP_PATH_BYTES - 1));
	memcpy(bytes + DX_USBIP_PATH_BYTES, device->busid,
	       strnlen(device->busid, DX_USBIP_BUSID_BYTES - 1));
	dx_usbip_put32(numbers, device->busnum);
	dx_usbip_put32(numbers + 4, device->devnum);
	dx_usbip_put32(numbers + 8,
		       device->speed < DX_ARRAY_SIZE(speeds) ? speeds[device->speed] : 0);
	put16(numbers + 12, device->vendor);
	put16(numbers + 14, device->product);
	put16(numbers + 16, device->release);
	numbers[18] = device->device_class;
	numbers[19] = device->device_subclass;
	numbers[20] = device->device_protocol;
	numbers[21] = device->configuration;
	numbers[22] = device->nr_configurations;
	numbers[23] = device->nr_interfaces;
}

int dx_usbip_get_device(const uint8_t *bytes, struct dx_usbip_device *ret_device)
{
	const uint8_t *numbers = bytes + DX_USBIP_PATH_BYTES + DX_USBIP_BUSID_BYTES;
	struct dx_usbip_device device = {
		.busnum = dx_usbip_get32(numbers),
		.devnum = dx_usbip_get32(numbers + 4),
		.speed = speed_from_number(dx_usbip_get32(numbers + 8)),
		.vendor = get16(numbers + 12),
		.product = get16(numbers + 14),
		.release = get16(numbers + 16),
		.device_class = numbers[18],
		.device_subclass = numbers[19],
		.device_protocol = numbers[20],
		.configuration = numbers[21],
		.nr_configurations = numbers[22],
		.nr_interfaces = numbers[23],
	};

	if (memchr(bytes, 0, DX_USBIP_PATH_BYTES) == NULL || device.busnum > UINT16_MAX ||
	    device.devnum > UINT16_MAX ||
	    dx_usbip_get_busid(bytes + DX_USBIP_PATH_BYTES, device.busid) < 0) {
		return -EPROTO;
	}
	memcpy(device.path, bytes, sizeof(device.path));
	*ret_device = device;
	return 0;
}

uint32_t dx_usbip_device_number(const struct dx_usbip_device *device)
{
	return device->busnum << 16 | device->devnum;
}

/* ---- units ---- */

void dx_usbip_put_unit(uint8_t *bytes, const struct dx_usbip_unit *unit)
{
	memset(bytes, 0, DX_USBIP_UNIT_BYTES);
	dx_usbip_put32(bytes, unit->command);
	dx_usbip_put32(bytes + 4, unit->number);
	dx_usbip_put32(bytes + 8, unit->device);
	dx_usbip_put32(bytes + 12, unit->is_in);
	dx_usbip_put32(bytes + 16, unit->endpoint & 0x0Fu);
	switch (unit->command) {
	case DX_USBIP_SUBMIT:
		dx_usbip_put32(bytes + 20, unit->flags);
		dx_usbip_put32(bytes + 24, unit->length);
		dx_usbip_put32(bytes + 28, unit->start_frame);
		dx_usbip_put32(bytes + 32, unit->nr_packets);
		dx_usbip_put32(bytes + 36, unit->interval);
		memcpy(bytes + 40, unit->setup, sizeof(unit->setup));
		break;
	case DX_USBIP_SUBMIT_ANSWER:
		dx_usbip_put32(bytes + 20, (uint32_t)unit->status);
		dx_usbip_put32(bytes + 24, unit->actual);
		dx_usbip_put32(bytes + 28, unit->start_frame);
		dx_usbip_put32(bytes + 32, unit->nr_packets);
		dx_usbip_put32(bytes + 36, unit->nr_errors);
		break;
	case DX_USBIP_UNLINK:
		dx_usbip_put32(bytes + 20, unit->unlinked);
		break;
	default:
		dx_usbip_put32(bytes + 20, (uint32_t)unit->status);
		break;
	}
}

/* "Not isochronous" is 0 in Linux and -1 in its documentation. */
static uint32_t packets_of(uint32_t sent)
{
	return sent == UINT32_MAX ? 0 : sent;
}

static bool decode_body(const uint8_t *bytes, struct dx_usbip_unit *unit)
{
	switch (unit->command) {
	case DX_USBIP_SUBMIT:
		unit->flags = dx_usbip_get32(bytes + 20);
		unit->length = dx_usbip_get32(bytes + 24);
		unit->start_frame = dx_usbip_get32(bytes + 28);
		unit->nr_packets = packets_of(dx_usbip_get32(bytes + 32));
		unit->interval = dx_usbip_get32(bytes + 36);
		memcpy(unit->setup, bytes + 40, sizeof(unit->setup));
		return unit->length <= INT32_MAX && unit->nr_packets <= INT32_MAX;
	case DX_USBIP_SUBMIT_ANSWER:
		unit->status = (int32_t)dx_usbip_get32(bytes + 20);
		unit->actual = dx_usbip_get32(bytes + 24);
		unit->start_frame = dx_usbip_get32(bytes + 28);
		unit->nr_packets = packets_of(dx_usbip_get32(bytes + 32));
		unit->nr_errors = dx_usbip_get32(bytes + 36);
		return unit->actual <= INT32_MAX && unit->nr_packets <= INT32_MAX;
	case DX_USBIP_UNLINK:
		unit->unlinked = dx_usbip_get32(bytes + 20);
		return true;
	case DX_USBIP_UNLINK_ANSWER:
		unit->status = (int32_t)dx_usbip_get32(bytes + 20);
		return true;
	default:
		return false;
	}
}

int dx_usbip_get_unit(const uint8_t *bytes, struct dx_usbip_unit *ret_unit)
{
	uint32_t direction = dx_usbip_get32(bytes + 12);
	uint32_t endpoint = dx_usbip_get32(bytes + 16);
	struct dx_usbip_unit unit = {
		.command = dx_usbip_get32(bytes),
		.number = dx_usbip_get32(bytes + 4),
		.device = dx_usbip_get32(bytes + 8),
		.is_in = direction == 1,
		.endpoint = (uint8_t)endpoint,
	};

	if (direction > 1 || endpoint > 15 || !decode_body(bytes, &unit)) {
		return -EPROTO;
	}
	*ret_unit = unit;
	return 0;
}

void dx_usbip_put_packet(uint8_t *bytes, const struct dx_usbip_packet *packet)
{
	dx_usbip_put32(bytes, packet->offset);
	dx_usbip_put32(bytes + 4, packet->length);
	dx_usbip_put32(bytes + 8, packet->actual);
	dx_usbip_put32(bytes + 12, (uint32_t)packet->status);
}

void dx_usbip_get_packet(const uint8_t *bytes, struct dx_usbip_packet *ret_packet)
{
	*ret_packet = (struct dx_usbip_packet){
		.offset = dx_usbip_get32(bytes),
		.length = dx_usbip_get32(bytes + 4),
		.actual = dx_usbip_get32(bytes + 8),
		.status = (int32_t)dx_usbip_get32(bytes + 12),
	};
}

/* ---- status ---- */

/* The first row of a number decides in its direction. */
static const struct {
	int32_t status;
	int32_t sent;
} statuses[] = {
	{DX_USB_OK, 0},
	{DX_USB_STALLED, DX_USBIP_EPIPE},
	{DX_USB_OVERRUN, DX_USBIP_EOVERFLOW},
	{DX_USB_OVERRUN, DX_USBIP_ECOMM},
	{DX_USB_UNDERRUN, DX_USBIP_EREMOTEIO},
	{DX_USB_UNDERRUN, DX_USBIP_ENOSR},
	{DX_USB_ABORTED, DX_USBIP_ECONNRESET},
	{DX_USB_ABORTED, DX_USBIP_ENOENT},
	{DX_USB_NOT_RESPONDING, DX_USBIP_ESHUTDOWN},
	{DX_USB_NOT_RESPONDING, DX_USBIP_ENODEV},
	{DX_USB_NO_DEVICE, DX_USBIP_ENODEV},
	{DX_USB_NO_MEMORY, DX_USBIP_ENOMEM},
	{DX_USB_NO_RESOURCES, DX_USBIP_ENOMEM},
	{DX_USB_NO_BANDWIDTH, DX_USBIP_ENOSPC},
	{DX_USB_BAD_ARGUMENT, DX_USBIP_EINVAL},
	{DX_USB_TIMEOUT, DX_USBIP_ETIMEDOUT},
	{DX_USB_ISO_TOO_OLD, DX_USBIP_EXDEV},
	{DX_USB_ISO_TOO_NEW, DX_USBIP_EXDEV},
};

int32_t dx_usbip_status_to_errno(int32_t status)
{
	for (size_t i = 0; i < DX_ARRAY_SIZE(statuses); i++) {
		if (statuses[i].status == status) {
			return statuses[i].sent;
		}
	}
	return DX_USBIP_EIO;
}

int32_t dx_usbip_status_from_errno(int32_t sent)
{
	for (size_t i = 0; i < DX_ARRAY_SIZE(statuses); i++) {
		if (statuses[i].sent == sent) {
			return statuses[i].status;
		}
	}
	return DX_USB_IO_ERROR;
}

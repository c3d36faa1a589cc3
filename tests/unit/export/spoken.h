/* SPDX-License-Identifier: MIT
 *
 * spoken - a client of the server that speaks byte by byte.
 */
#ifndef DX_TESTS_EXPORT_SPOKEN_H
#define DX_TESTS_EXPORT_SPOKEN_H

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/canned.h"
#include "support/served.h"
#include "test.h"

#define DEVICE 0x00010001u /* of the first that is exported */
#define ZERO   "virtual:gadget-zero,speed=high"

__attribute__((unused)) static struct served *serve(const char *spec)
{
	return served_start(&spec, 1);
}

__attribute__((unused)) static void say(int fd, const void *bytes, size_t length)
{
	CHECK_EQ(send(fd, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

__attribute__((unused)) static void hear(int fd, void *bytes, size_t length)
{
	if (length != 0) {
		CHECK_EQ(recv(fd, bytes, length, MSG_WAITALL), (ssize_t)length);
	}
}

/* The server has closed. */
__attribute__((unused)) static void hear_end(int fd)
{
	uint8_t bytes[4096];
	ssize_t length = 0;

	do {
		length = recv(fd, bytes, sizeof(bytes), 0);
	} while (length > 0);
	CHECK(length == 0 || errno == ECONNRESET);
	(void)close(fd);
}

__attribute__((unused)) static uint32_t ask_import(int fd, const char *busid)
{
	uint8_t bytes[DX_USBIP_HEADER_BYTES + DX_USBIP_BUSID_BYTES] = {0};
	uint32_t result = 0;

	dx_usbip_put_header(bytes, DX_USBIP_REQ_IMPORT, 0);
	for (unsigned i = 0; i < DX_USBIP_BUSID_BYTES && busid[i] != '\0'; i++) {
		bytes[DX_USBIP_HEADER_BYTES + i] = (uint8_t)busid[i];
	}
	say(fd, bytes, sizeof(bytes));
	hear(fd, bytes, DX_USBIP_HEADER_BYTES);
	CHECK_EQ(dx_usbip_get_header(bytes, DX_USBIP_REP_IMPORT, &result), 0);
	return result;
}

__attribute__((unused)) static int import(const struct served *served)
{
	int fd = served_connect(served);
	uint8_t bytes[DX_USBIP_DEVICE_BYTES];
	struct dx_usbip_device device;

	CHECK_EQ(ask_import(fd, "1-1"), DX_USBIP_OK);
	hear(fd, bytes, sizeof(bytes));
	CHECK_EQ(dx_usbip_get_device(bytes, &device), 0);
	CHECK_EQ(dx_usbip_device_number(&device), DEVICE);
	return fd;
}

__attribute__((unused)) static void say_unit(int fd, const struct dx_usbip_unit *unit)
{
	uint8_t bytes[DX_USBIP_UNIT_BYTES];

	dx_usbip_put_unit(bytes, unit);
	say(fd, bytes, sizeof(bytes));
}

__attribute__((unused)) static struct dx_usbip_unit hear_unit(int fd)
{
	uint8_t bytes[DX_USBIP_UNIT_BYTES];
	struct dx_usbip_unit unit;

	hear(fd, bytes, sizeof(bytes));
	CHECK_EQ(dx_usbip_get_unit(bytes, &unit), 0);
	CHECK_EQ(unit.device, 0); /* as Linux answers */
	CHECK_EQ(unit.endpoint, 0);
	return unit;
}

__attribute__((unused)) static void submit(int fd, uint32_t number, uint8_t address, uint32_t length)
{
	const struct dx_usbip_unit unit = {
		.command = DX_USBIP_SUBMIT,
		.number = number,
		.device = DEVICE,
		.is_in = (address & 0x80) != 0,
		.endpoint = address & 0x0F,
		.length = length,
	};

	say_unit(fd, &unit);
}

__attribute__((unused)) static void unlink_it(int fd, uint32_t number, uint32_t what)
{
	const struct dx_usbip_unit unit = {
		.command = DX_USBIP_UNLINK, .number = number, .device = DEVICE, .unlinked = what};

	say_unit(fd, &unit);
}

/* A control request without OUT data. @return its status. */
__attribute__((unused)) static int32_t control(int fd, const uint8_t *setup, uint8_t *data,
					       uint32_t *ret_actual)
{
	uint32_t length = (uint32_t)setup[6] | (uint32_t)setup[7] << 8;
	struct dx_usbip_unit unit = {
		.command = DX_USBIP_SUBMIT,
		.number = 0xC0C0,
		.device = DEVICE,
		.is_in = length != 0,
		.length = length,
	};

	memcpy(unit.setup, setup, sizeof(unit.setup));
	say_unit(fd, &unit);
	unit = hear_unit(fd);
	CHECK_EQ(unit.command, DX_USBIP_SUBMIT_ANSWER);
	CHECK_EQ(unit.number, 0xC0C0);
	CHECK_LE(unit.actual, length);
	hear(fd, data, unit.actual);
	*ret_actual = unit.actual;
	return unit.status;
}

__attribute__((unused)) static int32_t simple(int fd, uint8_t type, uint8_t request,
					      uint16_t value, uint8_t index)
{
	const uint8_t setup[8] = {type, request, (uint8_t)value, (uint8_t)(value >> 8), index};
	uint32_t actual = 0;

	return control(fd, setup, NULL, &actual);
}

__attribute__((unused)) static bool is_free(void *served)
{
	int fd = served_connect(served);
	bool is_ok = ask_import(fd, "1-1") == DX_USBIP_OK;

	(void)close(fd);
	return is_ok;
}

#endif

/* SPDX-License-Identifier: MIT
 *
 * usbip_test - the bytes of USB/IP there and back, what is refused, specs, streams, layouts.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/usbip/layout.h"
#include "backend/usbip/protocol.h"
#include "backend/usbip/spec.h"
#include "backend/usbip/stream.h"
#include "backend/usbip/usbip.h"
#include "test.h"

/* ---- protocol ---- */

TEST(header_there_and_back)
{
	uint8_t bytes[DX_USBIP_HEADER_BYTES];
	const uint8_t wanted[] = {0x01, 0x11, 0x00, 0x03, 0, 0, 0, 2};
	uint32_t result = 0;

	dx_usbip_put_header(bytes, DX_USBIP_REP_IMPORT, 2);
	CHECK_MEM_EQ(bytes, wanted, sizeof(wanted));
	CHECK_EQ(dx_usbip_get_header(bytes, DX_USBIP_REP_IMPORT, &result), 0);
	CHECK_EQ(result, 2);
	CHECK_EQ(dx_usbip_get_header(bytes, DX_USBIP_REP_DEVLIST, &result), -EPROTO);
	CHECK_EQ(dx_usbip_get_request(bytes), 0);
	dx_usbip_put_header(bytes, DX_USBIP_REQ_DEVLIST, 0);
	CHECK_EQ(dx_usbip_get_request(bytes), DX_USBIP_REQ_DEVLIST);
	bytes[1] = 0x06;
	CHECK_EQ(dx_usbip_get_request(bytes), 0);
	CHECK_EQ(dx_usbip_get_header(bytes, DX_USBIP_REQ_DEVLIST, &result), -EPROTO);
}

TEST(device_there_and_back)
{
	const struct dx_usbip_device device = {
		.path = "/sys/devices/1-1",
		.busid = "1-1.4",
		.busnum = 3,
		.devnum = 127,
		.speed = DX_USB_SPEED_SUPER,
		.vendor = 0x1234,
		.product = 0x5678,
		.release = 0x9ABC,
		.device_class = 1,
		.device_subclass = 2,
		.device_protocol = 3,
		.configuration = 4,
		.nr_configurations = 5,
		.nr_interfaces = 6,
	};
	struct dx_usbip_device again;
	uint8_t bytes[DX_USBIP_DEVICE_BYTES];

	dx_usbip_put_device(bytes, &device);
	CHECK_EQ(bytes[256 + 32 + 11], 5); /* Linux's number of super speed */
	CHECK_EQ(dx_usbip_get_device(bytes, &again), 0);
	CHECK_STR_EQ(again.path, device.path);
	CHECK_STR_EQ(again.busid, device.busid);
	CHECK_EQ(again.vendor, 0x1234);
	CHECK_EQ(again.release, 0x9ABC);
	CHECK_EQ(again.speed, DX_USB_SPEED_SUPER);
	CHECK_EQ(again.nr_interfaces, 6);
	CHECK_EQ(dx_usbip_device_number(&again), 3u << 16 | 127);
	bytes[256 + 32 + 11] = 99;
	CHECK_EQ(dx_usbip_get_device(bytes, &again), 0);
	CHECK_EQ(again.speed, DX_USB_SPEED_NONE);
	bytes[256 + 32] = 1;
	CHECK_EQ(dx_usbip_get_device(bytes, &again), -EPROTO);
	dx_usbip_put_device(bytes, &device);
	memset(bytes, 'x', 256);
	CHECK_EQ(dx_usbip_get_device(bytes, &again), -EPROTO);
	dx_usbip_put_device(bytes, &device);
	bytes[256] = 0;
	CHECK_EQ(dx_usbip_get_device(bytes, &again), -EPROTO);
}

TEST(units_there_and_back)
{
	const struct dx_usbip_unit submit = {
		.command = DX_USBIP_SUBMIT,
		.number = 0x01020304,
		.device = 0x00030004,
		.is_in = true,
		.endpoint = 15,
		.flags = 0x42,
		.length = 0x7FFFFFFF,
		.interval = 8,
		.setup = {1, 2, 3, 4, 5, 6, 7, 8},
		.start_frame = 9,
		.nr_packets = 10,
	};
	const struct dx_usbip_unit answer = {
		.command = DX_USBIP_SUBMIT_ANSWER,
		.number = 5,
		.status = -32,
		.actual = 77,
		.nr_packets = 3,
		.nr_errors = 2,
	};
	struct dx_usbip_unit unit;
	uint8_t bytes[DX_USBIP_UNIT_BYTES];

	dx_usbip_put_unit(bytes, &submit);
	CHECK_EQ(dx_usbip_get32(bytes + 4), 0x01020304);
	CHECK_EQ(dx_usbip_get_unit(bytes, &unit), 0);
	CHECK_MEM_EQ(&unit, &submit, sizeof(unit));
	dx_usbip_put_unit(bytes, &answer);
	CHECK_EQ(dx_usbip_get_unit(bytes, &unit), 0);
	CHECK_MEM_EQ(&unit, &answer, sizeof(unit));
	dx_usbip_put32(bytes + 32, UINT32_MAX); /* "not isochronous", as it is documented */
	CHECK_EQ(dx_usbip_get_unit(bytes, &unit), 0);
	CHECK_EQ(unit.nr_packets, 0);
}

TEST(units_that_no_peer_may_send)
{
	static const struct {
		uint8_t command;
		uint8_t at;
		uint32_t value;
	} lies[] = {
		{1, 0, 0},           {1, 0, 5},           {1, 12, 2},          {1, 16, 16},
		{1, 24, 0x80000000}, {1, 32, 0x80000000}, {3, 24, 0xFFFFFFFF}, {3, 32, 0xFFFFFFFE},
		{2, 12, 7},          {4, 16, 0x100},
	};
	struct dx_usbip_unit unit;
	uint8_t bytes[DX_USBIP_UNIT_BYTES];

	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		dx_usbip_put_unit(bytes, &(struct dx_usbip_unit){.command = lies[i].command});
		CHECK_EQ(dx_usbip_get_unit(bytes, &unit), 0);
		dx_usbip_put32(bytes + lies[i].at, lies[i].value);
		CHECK_EQ(dx_usbip_get_unit(bytes, &unit), -EPROTO);
	}
}

TEST(statuses_there_and_back)
{
	static const int32_t statuses[] = {
		DX_USB_OK,       DX_USB_STALLED,      DX_USB_OVERRUN,
		DX_USB_UNDERRUN, DX_USB_ABORTED,      DX_USB_NOT_RESPONDING,
		DX_USB_TIMEOUT,  DX_USB_NO_BANDWIDTH, DX_USB_NO_MEMORY};

	for (unsigned i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		CHECK_EQ(dx_usbip_status_from_errno(dx_usbip_status_to_errno(statuses[i])),
			 statuses[i]);
	}
	CHECK_EQ(dx_usbip_status_to_errno(DX_USB_INTERNAL), -5);
	CHECK_EQ(dx_usbip_status_from_errno(-71), DX_USB_IO_ERROR); /* EPROTO: the bus */
	CHECK_EQ(dx_usbip_status_from_errno(12345), DX_USB_IO_ERROR);
}

/* ---- specs ---- */

TEST(specs_that_parse)
{
	struct dx_usbip_spec spec;
	char message[512] = "";

	CHECK(dx_usbip_accepts("usbip:x/1-1"));
	CHECK(!dx_usbip_accepts("usb:x/1-1"));
	CHECK_EQ(dx_usbip_spec_parse("usbip:host/1-1.2", &spec, message, sizeof(message)), 0);
	CHECK_STR_EQ(spec.address.host, "host");
	CHECK_STR_EQ(spec.address.port, "3240");
	CHECK_STR_EQ(spec.busid, "1-1.2");
	CHECK_EQ(dx_usbip_spec_parse("usbip:192.0.2.1:99/b", &spec, message, sizeof(message)), 0);
	CHECK_STR_EQ(spec.address.port, "99");
	CHECK_STR_EQ(spec.peer, "192.0.2.1:99");
	CHECK_EQ(
		dx_usbip_spec_parse("usbip:[2001:db8::1]:65535/b", &spec, message, sizeof(message)),
		0);
	CHECK_STR_EQ(spec.address.host, "2001:db8::1");
	CHECK_STR_EQ(spec.peer, "[2001:db8::1]:65535");
	CHECK_EQ(dx_usbip_spec_parse("usbip:[::1]/b", &spec, message, sizeof(message)), 0);
	CHECK_STR_EQ(spec.address.port, "3240");
	CHECK_STR_EQ(message, "");
}

TEST(specs_that_do_not)
{
	static const char *const specs[] = {
		"usbip:",
		"usbip:host",
		"usbip:/1-1",
		"usbip:host/",
		"usbip:h:/1-1",
		"usbip:h:x/1-1",
		"usbip:h:65536/1",
		"usbip:h:999999/1",
		"usbip:[::1/1",
		"usbip:[]/1",
		"usbip:[::1]x/1",
		"usbip:::1/1-1",
		"usbip:h st/1",
		"usbip:h\001/1-1",
		"usbip:host/1 1",
		"usbip:h[/1-1",
		"usbip:host/12345678901234567890123456789012",
	};

	for (unsigned i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct dx_usbip_spec spec;
		char message[512] = "";

		if (dx_usbip_spec_parse(specs[i], &spec, message, sizeof(message)) != -EINVAL) {
			FAIL("%s is taken", specs[i]);
		}
		CHECK_EQ(strncmp(message, "device \"", 8), 0);
	}
}

TEST(acquire_says_who_cannot_be_reached)
{
	struct dx_usb_backend *backend = NULL;
	char message[512] = "";

	CHECK_EQ(dx_backend_usbip.acquire("usbip:127.0.0.1:1/1-1", message, sizeof(message)),
		 -ECONNREFUSED);
	CHECK(strstr(message, "127.0.0.1:1") != NULL);
	CHECK_EQ(dx_backend_usbip.acquire("usbip:/1-1", message, sizeof(message)), -EINVAL);
	CHECK_EQ(dx_backend_usbip.open("usbip:127.0.0.1:1/1-1", -1, NULL, NULL, message,
				       sizeof(message), &backend),
		 -ECONNREFUSED);
	CHECK_EQ(dx_backend_usbip.open("usbip:x", -1, NULL, NULL, message, sizeof(message),
				       &backend),
		 -EINVAL);
}

/* ---- streams ---- */

TEST(reader_puts_bytes_where_they_are_wanted)
{
	static struct dx_usbip_reader reader;
	static uint8_t source[100000], place[100000];
	int fds[2];
	size_t written = 0;
	size_t at = 0;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	for (unsigned i = 0; i < sizeof(source); i++) {
		source[i] = (uint8_t)(i * 7 + (i >> 8));
	}
	dx_usbip_reader_want(&reader, place, 1);
	CHECK_EQ(dx_usbip_reader_receive(&reader, fds[0]), -EAGAIN);
	for (size_t step = 1; at < sizeof(source); step = step * 3 % 7919 + 1) {
		while (!dx_usbip_reader_is_full(&reader)) {
			ssize_t more = send(
				fds[1], source + written,
				sizeof(source) - written < step ? sizeof(source) - written : step,
				MSG_DONTWAIT);

			written += more < 0 ? 0 : (size_t)more;
			CHECK_GT(dx_usbip_reader_receive(&reader, fds[0]), 0);
		}
		at = at == 0 ? 1 : at;
		if (at + step > sizeof(source)) {
			step = sizeof(source) - at;
		}
		dx_usbip_reader_want(&reader, place + at, step);
		at += step;
		while (!dx_usbip_reader_is_full(&reader) && written == sizeof(source)) {
			CHECK_GT(dx_usbip_reader_receive(&reader, fds[0]), 0);
		}
		if (step == 0) {
			break;
		}
	}
	CHECK_MEM_EQ(place, source, sizeof(source));
	(void)close(fds[1]);
	(void)close(fds[0]);
}

TEST(reader_throws_away_what_is_wanted_nowhere)
{
	static struct dx_usbip_reader reader;
	static uint8_t bytes[50000];
	uint8_t last = 0;
	int fds[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	bytes[49999] = 42;
	CHECK_EQ(send(fds[1], bytes, sizeof(bytes), 0), (ssize_t)sizeof(bytes));
	dx_usbip_reader_want(&reader, NULL, 49999);
	while (!dx_usbip_reader_is_full(&reader)) {
		CHECK_GT(dx_usbip_reader_receive(&reader, fds[0]), 0);
	}
	dx_usbip_reader_want(&reader, &last, 1);
	while (!dx_usbip_reader_is_full(&reader)) {
		CHECK_GT(dx_usbip_reader_receive(&reader, fds[0]), 0);
	}
	CHECK_EQ(last, 42);
	(void)close(fds[1]);
	dx_usbip_reader_want(&reader, &last, 1);
	CHECK_EQ(dx_usbip_reader_receive(&reader, fds[0]), -ECONNRESET);
	(void)close(fds[0]);
}

TEST(writer_sends_units_whole_and_in_order)
{
	static struct dx_usbip_writer writer;
	static uint8_t payload[DX_USBIP_BATCH_UNITS][60000];
	static uint8_t heard[DX_USBIP_BATCH_UNITS * (DX_USBIP_UNIT_BYTES + 60000)];
	size_t wanted = 0;
	size_t at = 0;
	unsigned nr_units = 0;
	int fds[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	while (dx_usbip_writer_has_room(&writer)) {
		const struct dx_usbip_unit unit = {.command = DX_USBIP_SUBMIT,
						   .number = nr_units + 1};

		memset(payload[nr_units], (int)nr_units + 1, 60000);
		dx_usbip_writer_add(&writer, &unit, NULL, payload[nr_units], 60000, NULL, 0);
		nr_units++;
		wanted += DX_USBIP_UNIT_BYTES + 60000;
	}
	CHECK_EQ(nr_units, 5); /* the last one goes beyond DX_USBIP_BATCH_BYTES */
	while (at < wanted) {
		int sent = writer.nr_sent == writer.nr_units
				   ? 0
				   : dx_usbip_writer_send(&writer, fds[0]);
		ssize_t length = 0;

		CHECK(sent >= 0 || sent == -EAGAIN);
		CHECK_EQ(dx_usbip_writer_is_begun(&writer), writer.sent != wanted);
		length = recv(fds[1], heard + at, 30000, MSG_DONTWAIT);
		at += length < 0 ? 0 : (size_t)length;
		CHECK_EQ(writer.nr_sent, writer.sent / (DX_USBIP_UNIT_BYTES + 60000));
	}
	for (unsigned i = 0; i < nr_units; i++) {
		const uint8_t *unit = heard + (size_t)i * (DX_USBIP_UNIT_BYTES + 60000);

		CHECK_EQ(dx_usbip_get32(unit + 4), i + 1);
		CHECK_MEM_EQ(unit + DX_USBIP_UNIT_BYTES, payload[i], 60000);
	}
	dx_usbip_writer_clear(&writer);
	CHECK(dx_usbip_writer_is_empty(&writer));
	(void)close(fds[1]);
	dx_usbip_writer_add(&writer, &(struct dx_usbip_unit){.command = 1}, NULL, NULL, 0, NULL, 0);
	CHECK_EQ(dx_usbip_writer_send(&writer, fds[0]), -EPIPE);
	(void)close(fds[0]);
}

/* ---- layouts ---- */

TEST(layout_follows_configuration_and_setting)
{
	static const uint8_t block[] = {
		9, 2, 64,   0, 1, 5,    0, 0x80, 50,                         /* configuration 5 */
		9, 4, 2,    0, 1, 0xFF, 0, 0,    0,  7, 5, 0x81, 2, 0, 2, 0, /* setting 0: bulk */
		9, 4, 2,    1, 2, 0xFF, 0, 0,    0,  7, 5, 0x81, 2, 0, 2, 0, /* setting 1: and */
		7, 5, 0x02, 1, 0, 4,    1,                                   /* isochronous */
		9, 4, 3,    0, 1, 0xFF, 0, 0,    0,  7, 5, 0x83, 3, 8, 0, 9, /* another interface */
	};
	const uint8_t *const blocks[] = {block};
	const size_t lengths[] = {sizeof(block)};
	struct dx_usbip_layout layout = {
		.configurations = blocks, .lengths = lengths, .nr_configurations = 1};

	dx_usbip_layout_configure(&layout, 0);
	CHECK(dx_usbip_layout_find(&layout, 0x81) == NULL);
	CHECK(dx_usbip_layout_find(&layout, 0) != NULL);
	CHECK(dx_usbip_layout_find(&layout, 0x80) != NULL);
	CHECK(!dx_usbip_layout_has_interface(&layout, 2));
	dx_usbip_layout_configure(&layout, 5);
	CHECK(dx_usbip_layout_find(&layout, 0x81) != NULL);
	CHECK(dx_usbip_layout_find(&layout, 0x02) == NULL);
	CHECK_EQ(dx_usbip_layout_find(&layout, 0x83)->interval, 9);
	CHECK(dx_usbip_layout_has_interface(&layout, 3));
	CHECK(!dx_usbip_layout_has_interface(&layout, 0));
	dx_usbip_layout_select(&layout, 2, 1);
	CHECK_EQ(dx_usbip_layout_find(&layout, 0x02)->type, DX_USB_ISOCHRONOUS);
	CHECK(dx_usbip_layout_find(&layout, 0x83) != NULL);
	dx_usbip_layout_configure(&layout, 6);
	CHECK(dx_usbip_layout_find(&layout, 0x83) == NULL);
}

/* SPDX-License-Identifier: MIT
 *
 * server_test - the server, asked byte by byte: what a kernel expects, and what a hostile client
 * gets.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "export/export.h"
#include "spoken.h"
#include "usb/backend.h"

/* ---- the first words ---- */

TEST(list_names_what_is_free)
{
	static const char *const specs[] = {ZERO, "virtual:gadget-zero,configuration=2"};
	struct served *served = served_start(specs, 2);
	uint8_t bytes[DX_USBIP_DEVICE_BYTES];
	uint8_t request[DX_USBIP_HEADER_BYTES];
	struct dx_usbip_device device;
	int importer = import(served);
	int fd = served_connect(served);
	uint32_t result = 1;

	dx_usbip_put_header(request, DX_USBIP_REQ_DEVLIST, 0);
	say(fd, request, sizeof(request));
	hear(fd, bytes, DX_USBIP_HEADER_BYTES + 4);
	CHECK_EQ(dx_usbip_get_header(bytes, DX_USBIP_REP_DEVLIST, &result), 0);
	CHECK_EQ(result, 0);
	CHECK_EQ(dx_usbip_get32(bytes + DX_USBIP_HEADER_BYTES), 1);
	hear(fd, bytes, sizeof(bytes));
	CHECK_EQ(dx_usbip_get_device(bytes, &device), 0);
	CHECK_STR_EQ(device.busid, "1-2");
	CHECK_EQ(device.vendor, 0x0525);
	CHECK_EQ(device.configuration, 2);
	CHECK_EQ(device.nr_interfaces, 1);
	hear(fd, bytes, 4);
	CHECK_EQ(bytes[0], 0xFF);
	hear_end(fd);
	(void)close(importer);
	served_stop(served);
}

TEST(import_of_what_is_not_there_or_not_free)
{
	struct served *served = serve(ZERO);
	int importer = import(served);
	int fd = served_connect(served);

	CHECK_EQ(ask_import(fd, "1-1"), DX_USBIP_BUSY);
	hear_end(fd);
	fd = served_connect(served);
	CHECK_EQ(ask_import(fd, "1-2"), DX_USBIP_NO_DEVICE);
	hear_end(fd);
	fd = served_connect(served);
	CHECK_EQ(ask_import(fd, "no bus id at all, and much too long"), DX_USBIP_FAILED);
	hear_end(fd);
	(void)close(importer);
	fd = import(served); /* at once: the server looks whether the other one is still there */
	(void)close(fd);
	served_stop(served);
}

TEST(first_words_that_are_none_end_the_connection)
{
	static const uint8_t words[][8] = {{0x01, 0x06, 0x80, 0x05},
					   {0x01, 0x11, 0x00, 0x03},
					   {'G', 'E', 'T', ' ', '/', ' ', 'H', 'T'}};
	struct served *served = serve(ZERO);

	for (unsigned i = 0; i < 3; i++) {
		int fd = served_connect(served);

		say(fd, words[i], 8);
		hear_end(fd);
	}
	CHECK(is_free(served));
	served_stop(served);
}

/* ---- unlink, as Linux expects it ---- */

/* A request with 512 bytes to endpoint 1. */
static void submit_out(int fd, uint32_t number)
{
	const uint8_t data[512] = {0};

	submit(fd, number, 0x01, sizeof(data));
	say(fd, data, sizeof(data));
}

static void hear_unlinked(int fd, uint32_t number, int32_t status)
{
	const struct dx_usbip_unit unit = hear_unit(fd);

	CHECK_EQ(unit.command, DX_USBIP_UNLINK_ANSWER);
	CHECK_EQ(unit.number, number);
	CHECK_EQ(unit.status, status);
}

TEST(unlink_of_a_pending_request_leaves_no_other_answer)
{
	struct served *served = serve(ZERO);
	int fd = import(served);

	CHECK_EQ(simple(fd, 0, 9, 2, 0), 0);
	submit(fd, 10, 0x81, 512);
	submit(fd, 11, 0x81, 512);
	unlink_it(fd, 12, 10);
	hear_unlinked(fd, 12, DX_USBIP_ECONNRESET);
	unlink_it(fd, 13, 10); /* it is gone: too late is no error */
	hear_unlinked(fd, 13, 0);
	unlink_it(fd, 14, 9); /* was never there */
	hear_unlinked(fd, 14, 0);
	(void)close(fd);
	CHECK(test_wait_until(is_free, served, 10000));
	served_stop(served);
}

/* Linux's two queues: the unlink may overtake the submit. */
TEST(unlink_before_its_request_is_answered_instead_of_it)
{
	struct served *served = serve(ZERO);
	int fd = import(served);
	struct dx_usbip_unit unit;

	CHECK_EQ(simple(fd, 0, 9, 3, 0), 0);
	unlink_it(fd, 0xC0D2, 0xC0D1);
	submit_out(fd, 0xC0D0);
	unit = hear_unit(fd);
	CHECK_EQ(unit.number, 0xC0D0);
	CHECK_EQ(unit.actual, 512);
	submit_out(fd, 0xC0D1);
	hear_unlinked(fd, 0xC0D2, DX_USBIP_ECONNRESET);
	for (uint32_t i = 0; i < 64; i++) { /* those that never come are few */
		unlink_it(fd, 0xD000 + i, 0xE000 + i);
	}
	unlink_it(fd, 0xD100, 0xE100);
	hear_unlinked(fd, 0xD100, 0);
	(void)close(fd);
	CHECK(test_wait_until(is_free, served, 10000));
	served_stop(served);
}

/* Linux's numbers begin anew at the end of 32 bits. */
TEST(unlink_before_its_request_is_known_behind_the_last_number)
{
	struct served *served = serve(ZERO);
	int fd = import(served);
	struct dx_usbip_unit unit;

	CHECK_EQ(simple(fd, 0, 9, 3, 0), 0);
	for (uint32_t i = 1; i <= 3; i++) {
		submit_out(fd, i * 0x55555555u);
		CHECK_EQ(hear_unit(fd).number, i * 0x55555555u);
	}
	unlink_it(fd, 2, 1);
	submit_out(fd, 0);
	unit = hear_unit(fd);
	CHECK_EQ(unit.command, DX_USBIP_SUBMIT_ANSWER);
	CHECK_EQ(unit.number, 0);
	submit_out(fd, 1);
	hear_unlinked(fd, 2, DX_USBIP_ECONNRESET);
	(void)close(fd);
	served_stop(served);
}

TEST(unlink_of_a_request_that_has_moved_bytes_answers_both)
{
	struct served *served = serve(ZERO);
	int fd = import(served);
	uint8_t data[512];
	struct dx_usbip_unit unit;

	CHECK_EQ(simple(fd, 0, 9, 2, 0), 0);
	submit(fd, 10, 0x81, 4096);
	submit(fd, 11, 0x01, 512);
	memset(data, 0x5A, sizeof(data));
	say(fd, data, sizeof(data));
	unit = hear_unit(fd);
	CHECK_EQ(unit.number, 11);
	CHECK_EQ(unit.actual, 512);
	unlink_it(fd, 12, 10);
	unit = hear_unit(fd);
	CHECK_EQ(unit.command, DX_USBIP_SUBMIT_ANSWER);
	CHECK_EQ(unit.number, 10);
	CHECK_EQ(unit.status, DX_USBIP_ECONNRESET);
	CHECK_EQ(unit.actual, 512);
	memset(data, 0, sizeof(data));
	hear(fd, data, 512);
	CHECK_EQ(data[511], 0x5A);
	hear_unlinked(fd, 12, 0);
	(void)close(fd);
	served_stop(served);
}

/* ---- control requests ---- */

TEST(standard_requests_are_answered_as_by_a_device)
{
	static const uint8_t get_status[] = {0x80, 0, 0, 0, 0, 0, 2, 0};
	static const uint8_t endpoint_status[] = {0x82, 0, 0, 0, 0x81, 0, 2, 0};
	static const uint8_t get_configuration[] = {0x80, 8, 0, 0, 0, 0, 1, 0};
	static const uint8_t get_device[] = {0x80, 6, 0, 1, 0, 0, 64, 0};
	struct served *served = serve(ZERO);
	int fd = import(served);
	uint8_t data[512];
	uint32_t actual = 0;

	CHECK_EQ(control(fd, get_device, data, &actual), 0);
	CHECK_EQ(actual, 18);
	CHECK_EQ(simple(fd, 0, 9, 3, 0), 0);
	CHECK_EQ(control(fd, get_configuration, data, &actual), 0);
	CHECK_EQ(data[0], 3);
	CHECK_EQ(control(fd, get_status, data, &actual), 0);
	CHECK_EQ(actual, 2);
	CHECK_EQ(data[0], 1); /* self powered */
	CHECK_EQ(simple(fd, 1, 11, 1, 0), 0);
	CHECK_EQ(simple(fd, 1, 11, 9, 0), DX_USBIP_EPIPE);
	CHECK_EQ(simple(fd, 2, 3, 0, 0x81), 0); /* SET_FEATURE(HALT) */
	CHECK_EQ(control(fd, endpoint_status, data, &actual), 0);
	CHECK_EQ(data[0], 1);
	submit(fd, 5, 0x81, 64);
	CHECK_EQ(hear_unit(fd).status, DX_USBIP_EPIPE);
	CHECK_EQ(simple(fd, 2, 1, 0, 0x81), 0); /* CLEAR_FEATURE(HALT) */
	submit(fd, 6, 0x81, 512);
	CHECK_EQ(hear_unit(fd).status, 0);
	hear(fd, data, 512);
	CHECK_EQ(simple(fd, 2, 1, 0, 0x8F), DX_USBIP_EPIPE);
	CHECK_EQ(simple(fd, 0, 9, 77, 0), DX_USBIP_EPIPE);
	CHECK_EQ(simple(fd, 0, 5, 7, 0), DX_USBIP_EPIPE); /* SET_ADDRESS is not ours to pass on */
	(void)close(fd);
	served_stop(served);
}

TEST(set_configuration_ends_what_it_disturbs)
{
	struct served *served = serve(ZERO);
	int fd = import(served);
	bool has_heard[3] = {false};

	CHECK_EQ(simple(fd, 0, 9, 2, 0), 0);
	submit(fd, 1, 0x81, 512);
	submit(fd, 2, 0x81, 512);
	{
		const struct dx_usbip_unit unit = {.command = DX_USBIP_SUBMIT,
						   .number = 3,
						   .device = DEVICE,
						   .setup = {0, 9, 3}};

		say_unit(fd, &unit);
	}
	for (unsigned i = 0; i < 3; i++) {
		struct dx_usbip_unit unit = hear_unit(fd);

		CHECK_EQ(unit.number, i + 1);
		CHECK_EQ(unit.status, i < 2 ? DX_USBIP_ECONNRESET : 0);
		has_heard[i] = true;
	}
	CHECK(has_heard[2]);
	submit(fd, 4, 0x81, 512); /* the source of the other configuration */
	CHECK_EQ(hear_unit(fd).status, 0);
	(void)close(fd);
	served_stop(served);
}

TEST(queue_goes_on_after_an_error)
{
	struct served *served = serve(ZERO ",babble-after=1");
	int fd = import(served);
	uint8_t data[512];

	CHECK_EQ(simple(fd, 0, 9, 3, 0), 0);
	for (uint32_t i = 1; i <= 4; i++) {
		submit(fd, i, 0x81, 512);
	}
	for (uint32_t i = 1; i <= 4; i++) {
		struct dx_usbip_unit unit = hear_unit(fd);

		CHECK_EQ(unit.number, i);
		CHECK_EQ(unit.status, (i == 2 ? DX_USBIP_EOVERFLOW : 0));
		hear(fd, data, unit.actual);
	}
	(void)close(fd);
	served_stop(served);
}

/* ---- hostile clients ---- */

TEST(requests_that_cannot_be_are_refused_one_by_one)
{
	static const uint8_t get_device[] = {0x80, 6, 0, 1, 0, 0, 18, 0};
	struct served *served = serve(ZERO);
	int fd = import(served);
	uint8_t data[64] = {0};
	uint32_t actual = 0;
	struct dx_usbip_unit unit = {
		.command = DX_USBIP_SUBMIT, .number = 9, .device = DEVICE, .length = 8};

	submit(fd, 1, 0x81, 64); /* not configured: no such endpoint */
	CHECK_EQ(hear_unit(fd).status, DX_USBIP_EPIPE);
	submit(fd, 2, 0x01, 64);
	say(fd, data, 64); /* is thrown away */
	CHECK_EQ(hear_unit(fd).status, DX_USBIP_EPIPE);
	CHECK_EQ(simple(fd, 0, 9, 3, 0), 0);
	submit(fd, 3, 0x81, DX_MAX_EXPORT_BYTES + 1);
	CHECK_EQ(hear_unit(fd).status, DX_USBIP_ENOMEM);
	memcpy(unit.setup, get_device, 8); /* says IN where the unit says OUT */
	say_unit(fd, &unit);
	say(fd, data, 8);
	CHECK_EQ(hear_unit(fd).status, DX_USBIP_EINVAL);
	unit.is_in = true; /* less room than wLength */
	say_unit(fd, &unit);
	CHECK_EQ(hear_unit(fd).actual, 8);
	hear(fd, data, 8);
	CHECK_EQ(control(fd, get_device, data, &actual), 0); /* all is well */
	(void)close(fd);
	served_stop(served);
}

static void put_packets(uint8_t *bytes, uint32_t second_offset)
{
	for (uint32_t i = 0; i < 2; i++) {
		const struct dx_usbip_packet packet = {.offset = i * second_offset, .length = 50};

		dx_usbip_put_packet(bytes + (size_t)i * DX_USBIP_PACKET_BYTES, &packet);
	}
}

TEST(isochronous_packets_may_have_gaps_but_not_lie)
{
	static const uint32_t offsets[] = {100, 20, 151, 0xFFFFFFF0};
	struct served *served = serve(ZERO ",pattern=1");
	int fd = import(served);
	struct dx_usbip_unit unit = {.command = DX_USBIP_SUBMIT,
				     .device = DEVICE,
				     .is_in = true,
				     .endpoint = 2,
				     .length = 200,
				     .nr_packets = 2,
				     .interval = 8};
	uint8_t packets[2 * DX_USBIP_PACKET_BYTES];
	uint8_t data[100];

	CHECK_EQ(simple(fd, 0, 9, 3, 0), 0);
	CHECK_EQ(simple(fd, 1, 11, 1, 0), 0);
	for (uint32_t i = 0; i < 4; i++) {
		struct dx_usbip_unit answer;

		unit.number = i + 1;
		put_packets(packets, offsets[i]);
		say_unit(fd, &unit);
		say(fd, packets, sizeof(packets));
		answer = hear_unit(fd);
		CHECK_EQ(answer.number, i + 1);
		CHECK_EQ(answer.nr_packets, 2);
		CHECK_EQ(answer.status, i == 0 ? 0 : DX_USBIP_EINVAL);
		CHECK_EQ(answer.actual, i == 0 ? 100 : 0);
		hear(fd, data, answer.actual);
		hear(fd, packets, sizeof(packets));
		CHECK_EQ(dx_usbip_get32(packets + DX_USBIP_PACKET_BYTES), offsets[i]);
	}
	CHECK_EQ(data[49], 49); /* each packet begins the pattern anew */
	CHECK_EQ(data[50], 0);
	unit.number = 9;
	unit.nr_packets = 1025;
	say_unit(fd, &unit);
	hear_end(fd);
	CHECK(test_wait_until(is_free, served, 10000));
	served_stop(served);
}

TEST(units_that_are_none_end_that_connection_only)
{
	struct served *served = serve(ZERO);

	for (unsigned i = 0; i < 4; i++) {
		struct dx_usbip_unit unit = {.command = DX_USBIP_SUBMIT, .device = DEVICE};
		uint8_t bytes[DX_USBIP_UNIT_BYTES];
		int fd = import(served);

		unit.command = i == 0 ? DX_USBIP_SUBMIT_ANSWER : i == 1 ? 0 : DX_USBIP_SUBMIT;
		unit.device = i == 2 ? DEVICE + 1 : DEVICE;
		dx_usbip_put_unit(bytes, &unit);
		bytes[16] = i == 3 ? 1 : 0;
		say(fd, bytes, sizeof(bytes));
		hear_end(fd);
		CHECK(test_wait_until(is_free, served, 10000));
	}
	served_stop(served);
}

/* ---- making one ---- */

static void expect_new(const struct dx_export_options *options, int result, const char *text)
{
	struct dx_loop *loop = NULL;
	struct dx_export *export = NULL;
	char message[512] = "";

	CHECK_EQ(dx_loop_new(&loop), 0);
	CHECK_EQ(dx_export_new(loop, options, message, sizeof(message), &export), result);
	if (strstr(message, text) == NULL) {
		FAIL("message: %s", message);
	}
	(void)dx_loop_free(loop);
}

TEST(servers_that_cannot_be_made)
{
	static const char *const bad[] = {"virtual:no-such-model"};
	static const char *const unknown[] = {"nothing:at-all"};
	static const char *const good[] = {ZERO};
	struct dx_export_options options = {
		.backends = dx_export_backends, .specs = bad, .nr_specs = 1};

	expect_new(&options, -EINVAL, "no-such-model");
	options.specs = unknown;
	expect_new(&options, -EINVAL, "no backend understands");
	options.nr_specs = 0;
	expect_new(&options, -EINVAL, "1 to 127");
	options.specs = good;
	options.nr_specs = 1;
	options.busid_prefix = "a/b";
	expect_new(&options, -EINVAL, "bus id");
	options.busid_prefix = "a-prefix-that-is-longer-than-bus-ids-are";
	expect_new(&options, -EINVAL, "bus id");
}

TEST(addresses_that_cannot_be_listened_at)
{
	struct served *served = serve(ZERO);
	static const char *const specs[] = {ZERO};
	const struct dx_export_options options = {
		.backends = dx_export_backends, .specs = specs, .nr_specs = 1};
	struct dx_loop *loop = NULL;
	struct dx_export *export = NULL;
	struct dx_export_device_info info;
	char message[512] = "";
	char address[32];
	uint16_t port = 0;

	CHECK_EQ(dx_loop_new(&loop), 0);
	CHECK_EQ(dx_export_new(loop, &options, message, sizeof(message), &export), 0);
	CHECK(dx_export_device(export, 0, &info));
	CHECK_STR_EQ(info.busid, "1-1");
	CHECK_EQ(info.speed, DX_USB_SPEED_HIGH);
	CHECK(!dx_export_device(export, 1, &info));
	(void)snprintf(address, sizeof(address), "127.0.0.1:%u", served_port(served));
	CHECK_EQ(dx_export_listen(export, address, message, sizeof(message), &port), -EADDRINUSE);
	CHECK(strstr(message, "cannot listen") != NULL);
	CHECK_EQ(dx_export_listen(export, "127.0.0.1:x", message, sizeof(message), &port), -EINVAL);
	CHECK_EQ(dx_export_listen(export, "192.0.2.1:0", message, sizeof(message), &port),
		 -EADDRNOTAVAIL);
	CHECK_EQ(dx_export_listen(export, "127.0.0.1:0", message, sizeof(message), &port), 0);
	CHECK_NE(port, 0);
	CHECK_EQ(dx_export_nr_clients(export), 0);
	(void)dx_export_free(export);
	(void)dx_loop_free(loop);
	served_stop(served);
}

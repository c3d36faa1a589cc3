/* SPDX-License-Identifier: MIT
 *
 * limits_test - clients that are too many, say nothing, take nothing, or want too much to be kept.
 */
#include <poll.h>

#include "base/limits.h"
#include "spoken.h"
#include "usb/backend.h"

TEST(too_many_clients_are_turned_away)
{
	struct served *served = serve(ZERO);
	int fds[DX_MAX_EXPORT_CLIENTS];
	uint8_t byte = 0;

	for (unsigned i = 0; i < DX_MAX_EXPORT_CLIENTS; i++) {
		fds[i] = served_connect(served);
	}
	hear_end(served_connect(served));
	CHECK_EQ(recv(fds[0], &byte, 1, MSG_DONTWAIT), -1); /* the others are not touched */
	CHECK_EQ(ask_import(fds[7], "1-1"), DX_USBIP_OK);
	for (unsigned i = 0; i < DX_MAX_EXPORT_CLIENTS; i++) {
		(void)close(fds[i]);
	}
	CHECK(test_wait_until(is_free, served, 10000));
	served_stop(served);
}

TEST_SECONDS(client_that_says_nothing_is_sent_away, 60)
{
	struct served *served = serve(ZERO);

	hear_end(served_connect(served));
	served_stop(served);
}

/* X3 */
TEST_SECONDS(packets_count_as_what_a_client_makes_us_keep, 60)
{
	static const uint8_t packets[1024 * DX_USBIP_PACKET_BYTES];
	const uint32_t enough =
		DX_MAX_EXPORT_BYTES / (sizeof(packets) + 1024 * sizeof(struct dx_usb_packet)) + 16;
	struct served *served = serve(ZERO);
	int fd = import(served);
	struct dx_usbip_unit unit = {.command = DX_USBIP_SUBMIT,
				     .device = DEVICE,
				     .is_in = true,
				     .endpoint = 2,
				     .nr_packets = 1024};
	int32_t status = 0;

	CHECK_EQ(simple(fd, 0, 9, 3, 0), 0);
	CHECK_EQ(simple(fd, 1, 11, 1, 0), 0);
	for (; unit.number < enough; unit.number++) { /* without data; none ends within a second */
		say_unit(fd, &unit);
		say(fd, packets, sizeof(packets));
	}
	while (status == 0) {
		uint8_t answered[sizeof(packets)];

		status = hear_unit(fd).status;
		hear(fd, answered, sizeof(answered));
	}
	CHECK_EQ(status, DX_USBIP_ENOMEM);
	(void)close(fd);
	CHECK(test_wait_until(is_free, served, 10000));
	served_stop(served);
}

TEST(client_that_does_not_read_waits_and_hurts_nobody)
{
	static const char *const specs[] = {ZERO, ZERO ",serial=2"};
	struct served *served = served_start(specs, 2);
	int slow = import(served);
	int fd = served_connect(served);
	uint32_t number = 1;
	size_t at = 0;
	bool is_full = false;
	uint8_t bytes[DX_USBIP_UNIT_BYTES];
	struct dx_usbip_unit unit = {.command = DX_USBIP_SUBMIT,
				     .device = DEVICE,
				     .is_in = true,
				     .endpoint = 1,
				     .length = 65536};

	CHECK_EQ(simple(slow, 0, 9, 3, 0), 0);
	do { /* until the server reads no more: its memory is bounded */
		struct pollfd pollfd = {.fd = slow, .events = POLLOUT};
		ssize_t sent = 0;

		if (at == 0) {
			unit.number = number++;
			dx_usbip_put_unit(bytes, &unit);
		}
		sent = send(slow, bytes + at, sizeof(bytes) - at, MSG_NOSIGNAL | MSG_DONTWAIT);
		at = sent < 0 ? at : (at + (size_t)sent) % sizeof(bytes);
		is_full = sent < 0 && poll(&pollfd, 1, 500) == 0;
	} while (!is_full);
	CHECK_EQ(ask_import(fd, "1-2"), DX_USBIP_OK);
	(void)close(fd);
	(void)close(slow);
	CHECK(test_wait_until(is_free, served, 10000));
	served_stop(served);
}

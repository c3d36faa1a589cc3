/* SPDX-License-Identifier: MIT
 *
 * usbip_memory_test - what the client does when there is no memory for a request. The linker puts the
 * calloc() of this file in front of the real one.
 */
#include "unit/backend/usbip_link.h"

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static unsigned nr_failures; /* as many as this fail from now on */

void *__wrap_calloc(size_t count, size_t size)
{
	if (nr_failures != 0) {
		nr_failures--;
		return NULL;
	}
	return __real_calloc(count, size);
}

static void clear_halt(struct link *link, uint8_t address)
{
	struct dx_usb_transfer done = {.type = DX_USB_CONTROL, .status = DX_USB_INVALID};

	dx_list_init(&done.link);
	CHECK_EQ(ops->clear_halt(link->client, address, false, &done), 0);
	settle(link);
	CHECK_EQ(done.status, DX_USB_OK);
}

TEST(bulk_transfer_without_memory_is_not_overtaken)
{
	struct link link;
	static uint8_t data[3][64];
	struct dx_usb_transfer transfers[3];
	struct dx_usb_transfer other = transfer_to(DX_USB_BULK, 0x01, NULL, 0);

	open_link(&link);
	for (unsigned i = 0; i < 3; i++) {
		transfers[i] = transfer_to(DX_USB_BULK, 0x81, data[i], 64);
		submit(&link, &transfers[i]);
	}
	nr_failures = 1;
	settle(&link);
	CHECK_EQ(nr_failures, 0);
	CHECK_EQ(link.nr_complete, 1);
	CHECK_EQ(transfers[0].status, DX_USB_NO_MEMORY);
	hear_nothing(&link);
	submit(&link, &other); /* another endpoint does not mind */
	settle(&link);
	CHECK(!hear(&link).is_in);
	clear_halt(&link, 0x81);
	for (unsigned i = 1; i < 3; i++) {
		say_answer(&link, hear(&link).number, 0, 0);
		settle(&link);
		CHECK_EQ(transfers[i].status, DX_USB_OK);
	}
	close_link(&link);
}

TEST(transfer_without_memory_waits_for_the_slot_of_an_earlier_one)
{
	struct asked asked;
	struct dx_usb_transfer next = transfer_to(DX_USB_BULK, 0x81, NULL, 0);

	ask(&asked);
	submit(&asked.link, &next);
	nr_failures = UINT32_MAX;
	settle(&asked.link);
	CHECK_EQ(asked.link.nr_complete, 0);
	CHECK(!ops->is_ready(asked.link.client));
	hear_nothing(&asked.link);
	say_answer(&asked.link, asked.number, 0, 0);
	settle(&asked.link);
	CHECK_EQ(asked.transfer.status, DX_USB_OK);
	say_answer(&asked.link, hear(&asked.link).number, 0, 0);
	settle(&asked.link);
	CHECK_EQ(next.status, DX_USB_OK);
	close_link(&asked.link);
}

TEST(control_request_without_memory_stops_nothing)
{
	struct link link;
	struct dx_usb_transfer transfers[2];

	open_link(&link);
	for (unsigned i = 0; i < 2; i++) {
		transfers[i] = transfer_to(DX_USB_CONTROL, 0, NULL, 0);
		submit(&link, &transfers[i]);
	}
	nr_failures = 1;
	settle(&link);
	CHECK_EQ(transfers[0].status, DX_USB_NO_MEMORY);
	say_answer(&link, hear(&link).number, 0, 0);
	settle(&link);
	CHECK_EQ(transfers[1].status, DX_USB_OK);
	close_link(&link);
}

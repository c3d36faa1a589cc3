/* SPDX-License-Identifier: MIT
 *
 * libusb_monitor_test - who is told of what, in which order, and what a monitor does where there is
 * nothing.
 */
#include "backend/libusb/monitor.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_libusb.h"
#include "test.h"

#define ARRIVED LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED
#define LEFT	LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT

struct story {
	char text[512];
};

static void tell_arrived(void *context, const char *spec, uint16_t id_vendor, uint16_t id_product)
{
	struct story *story = context;
	size_t used = strlen(story->text);

	(void)snprintf(story->text + used, sizeof(story->text) - used, "+%s %04x:%04x\n", spec,
		       id_vendor, id_product);
}

static void tell_left(void *context, const char *spec)
{
	struct story *story = context;
	size_t used = strlen(story->text);

	(void)snprintf(story->text + used, sizeof(story->text) - used, "-%s\n", spec);
}

static const struct dx_usb_monitor_calls calls = {.arrived = tell_arrived, .left = tell_left};

static void plug(libusb_hotplug_event event, uint8_t port, uint16_t id_product)
{
	const uint8_t ports[] = {port, 4};

	fake_plug(event, 2, ports, 2, id_product, 0xff);
}

static bool is_readable(const struct dx_usb_monitor *monitor)
{
	struct pollfd waiting = {.fd = dx_usb_monitor_fd(monitor), .events = POLLIN};

	return poll(&waiting, 1, 0) == 1;
}

TEST(monitor_tells_what_is_there_comes_and_goes)
{
	struct dx_usb_monitor *monitor = NULL;
	struct story story = {""};

	plug(ARRIVED, 1, 1);
	CHECK_EQ(dx_usb_monitor_new(&calls, &story, &monitor), 0);
	CHECK_STR_EQ(story.text, "");
	dx_usb_monitor_poll(monitor);
	CHECK_STR_EQ(story.text, "+usb:2-1.4 1234:0001\n");
	CHECK(!is_readable(monitor));
	plug(ARRIVED, 3, 2);
	CHECK(is_readable(monitor));
	dx_usb_monitor_poll(monitor);
	plug(LEFT, 1, 1);
	dx_usb_monitor_poll(monitor);
	dx_usb_monitor_poll(monitor);
	CHECK_STR_EQ(story.text, "+usb:2-1.4 1234:0001\n+usb:2-3.4 1234:0002\n-usb:2-1.4\n");
	CHECK(dx_usb_monitor_free(monitor) == NULL);
}

TEST(monitor_tells_of_the_old_one_before_the_new_one)
{
	struct dx_usb_monitor *monitor = NULL;
	struct story story = {""};

	plug(ARRIVED, 1, 1);
	CHECK_EQ(dx_usb_monitor_new(&calls, &story, &monitor), 0);
	dx_usb_monitor_poll(monitor);
	plug(LEFT, 1, 1);
	plug(ARRIVED, 1, 2);
	plug(ARRIVED, 1, 3); /* and its leaving was lost */
	dx_usb_monitor_poll(monitor);
	CHECK_STR_EQ(story.text,
		     "+usb:2-1.4 1234:0001\n-usb:2-1.4\n+usb:2-1.4 1234:0003\n");
	plug(LEFT, 1, 3);
	plug(LEFT, 9, 9); /* nobody was told of that one */
	plug(ARRIVED, 5, 5);
	plug(LEFT, 5, 5); /* nor of this one */
	(void)dx_usb_monitor_free(monitor);
}

TEST(monitor_says_nothing_of_hubs_and_buses)
{
	const uint8_t ports[] = {1};
	struct dx_usb_monitor *monitor = NULL;
	struct story story = {""};

	fake_plug(ARRIVED, 1, ports, 1, 2, LIBUSB_CLASS_HUB);
	fake_plug(ARRIVED, 1, ports, 0, 2, 0);
	fake_plug(LEFT, 1, ports, 1, 2, LIBUSB_CLASS_HUB);
	CHECK_EQ(dx_usb_monitor_new(&calls, &story, &monitor), 0);
	dx_usb_monitor_poll(monitor);
	CHECK_STR_EQ(story.text, "");
	(void)dx_usb_monitor_free(monitor);
	CHECK(dx_usb_monitor_free(NULL) == NULL);
}

TEST(monitor_without_usb_says_nothing)
{
	static const enum fake_call failing[] = {FAKE_INIT, FAKE_HOTPLUG, FAKE_POLLFDS};

	for (size_t i = 0; i < sizeof(failing) / sizeof(failing[0]); i++) {
		struct dx_usb_monitor *monitor = NULL;
		struct story story = {""};

		fake.fail[failing[i]] = LIBUSB_ERROR_OTHER;
		CHECK_EQ(dx_usb_monitor_new(&calls, &story, &monitor), 0);
		CHECK_GE(dx_usb_monitor_fd(monitor), 0);
		CHECK(!is_readable(monitor));
		dx_usb_monitor_poll(monitor);
		CHECK_STR_EQ(story.text, "");
		(void)dx_usb_monitor_free(monitor);
	}
}

TEST(monitor_names_compares_specs)
{
	CHECK(dx_usb_monitor_names("usb:1-2", "usb:1-2"));
	CHECK(!dx_usb_monitor_names("usb:1-2", "usb:1-2.1"));
	CHECK_EQ(dx_usb_monitor_location("usb:3-2.1"), 0x03210000);
	CHECK_EQ(dx_usb_monitor_location("usb:1234:5678"), 0);
	CHECK_EQ(dx_usb_monitor_location("virtual:gadget-zero"), 0);
	CHECK(!dx_usb_monitor_names("usb:1-2", "usb:1234:5678"));
	CHECK(!dx_usb_monitor_names("virtual:gadget-zero", "usb:1-2"));
	CHECK(!dx_usb_monitor_names("usb:1-2", "usb:"));
	CHECK(!dx_usb_monitor_names("usb:fffe:fffd", "usb:1-2")); /* nobody has that one */
}

TEST(monitor_list_is_sorted_by_port)
{
	struct dx_usb_listed *list = NULL;
	size_t nr = 0;

	CHECK_EQ(dx_usb_monitor_list(&list, &nr), 0); /* of this machine, whatever it has */
	CHECK((list == NULL) == (nr == 0));
	free(list);
}

/* SPDX-License-Identifier: MIT
 *
 * libusb_open_test - from a spec to a device: what is read, every way in which it can fail, and
 * interfaces.
 */
#include "libusb_fixture.h"

#include <sys/eventfd.h>

TEST(open_tells_what_is_known)
{
	static const uint8_t device[18] = {18, 1, 0x00, 0x03, 0xff, 0, 0, 9, 0x34,
					   0x12, 0x78, 0x56, 0x00, 0x01, 0, 0, 0, 2};
	struct fixture f;
	const struct dx_usb_backend_info *info = NULL;

	fixture_open(&f);
	info = ops->info(f.backend);
	CHECK_EQ(info->speed, DX_USB_SPEED_SUPER);
	CHECK_EQ(info->address, 9);
	CHECK_EQ(info->location_id, 0x03120000);
	CHECK_EQ(info->configuration, 1);
	CHECK_MEM_EQ(info->device, device, sizeof(device));
	CHECK_EQ(info->nr_configurations, 2);
	CHECK_EQ(info->configuration_lengths[0], 46);
	CHECK_EQ(info->configurations[1][5], 2);
	CHECK_EQ(info->bos_length, 12);
	CHECK_EQ(info->bos[4], 1);
	CHECK_EQ(fake.nr_calls[FAKE_SET_OPTION], 1); /* it may not look for devices */
	CHECK_GE(ops->event_fd(f.backend), 0);
	CHECK(!ops->is_ready(f.backend));
	fixture_close(&f);
}

TEST(open_without_a_bos_is_no_error)
{
	struct fixture f;

	fake.has_wrong_bos = true;
	fixture_open(&f);
	CHECK(ops->info(f.backend)->bos == NULL);
	fixture_close(&f);
	fake.has_wrong_bos = false;
	fake.fail[FAKE_CONTROL] = LIBUSB_ERROR_PIPE;
	fixture_open(&f);
	CHECK(ops->info(f.backend)->bos == NULL);
	fixture_close(&f);
}

TEST(open_fails_at_every_step_with_a_line)
{
	static const struct {
		enum fake_call call;
		int code;
		int result;
		const char *message;
	} steps[] = {
		{FAKE_IDENTIFY, -ENOTTY, -ENOTTY,
		 "device \"usb:1234:5678\": not a USB device: Inappropriate ioctl for device"},
		{FAKE_READ_DESCRIPTORS, -ENODEV, -ENODEV,
		 "device \"usb:1234:5678\": cannot read its descriptors: No such device"},
		{FAKE_SET_OPTION, LIBUSB_ERROR_NOT_SUPPORTED, -EOPNOTSUPP,
		 "device \"usb:1234:5678\": libusb refuses it: Operation not supported"},
		{FAKE_INIT, LIBUSB_ERROR_OTHER, -EIO,
		 "device \"usb:1234:5678\": libusb refuses it: Input/output error"},
		{FAKE_WRAP, LIBUSB_ERROR_NO_DEVICE, -ENODEV,
		 "device \"usb:1234:5678\": libusb refuses it: No such device"},
		{FAKE_GET_CONFIGURATION, LIBUSB_ERROR_TIMEOUT, -ETIMEDOUT,
		 "device \"usb:1234:5678\": cannot read its configuration: Connection timed out"},
		{FAKE_POLLFDS, 1, -ENOMEM,
		 "device \"usb:1234:5678\": cannot wait for events: Cannot allocate memory"},
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct fixture f = {0};

		fake.fail[steps[i].call] = steps[i].code;
		CHECK_EQ(fixture_try(&f, "usb:1234:5678"), steps[i].result);
		CHECK_STR_EQ(f.message, steps[i].message);
		CHECK(f.backend == NULL);
	}
}

TEST(open_refuses_what_is_no_device)
{
	struct fixture f = {0};

	fake.has_no_descriptors = true;
	CHECK_EQ(fixture_try(&f, "usb:1234:5678"), -EPROTO);
	CHECK_STR_EQ(f.message,
		     "device \"usb:1234:5678\": cannot read its descriptors: Protocol error");
}

TEST(open_refuses_the_descriptor_of_another_device)
{
	static const char *const specs[] = {"usb:1234:5679", "usb:1235:5678", "usb:3-1",
					    "usb:1234:5678,port=3-1.3"};

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct fixture f = {0};

		CHECK_EQ(fixture_try(&f, specs[i]), -ENXIO);
		CHECK(strstr(f.message, "the descriptor is another device's") != NULL);
	}
}

TEST(open_of_a_wrong_spec_closes_the_descriptor)
{
	struct fixture f = {0};

	CHECK_EQ(fixture_try(&f, "usb:nothing"), -EINVAL);
	CHECK(strstr(f.message, "neither usb:VID:PID") != NULL);
}

/* No such thing on a machine that runs this test, or no permission. */
TEST(open_without_a_descriptor_acquires_one_itself)
{
	struct fixture f = {0};
	char message[256] = "";

	CHECK_EQ(ops->open("usb:fffe:fffd", -1, &log_host, &f.log, f.message, sizeof(f.message),
			   &f.backend),
		 -ENODEV);
	CHECK(strstr(f.message, "device \"usb:fffe:fffd\": no such device is plugged in") != NULL);
	CHECK_EQ(ops->acquire("usb:fffe:fffd", message, sizeof(message)), -ENODEV);
	CHECK_STR_EQ(message, f.message);
	CHECK_EQ(ops->acquire("usb:x", message, sizeof(message)), -EINVAL);
}

TEST(open_selects_the_configuration_of_the_spec)
{
	struct fixture f = {0};

	CHECK_EQ(fixture_try(&f, "usb:1234:5678,configuration=2"), 0);
	CHECK_EQ(fake.last_argument[FAKE_SET_CONFIGURATION], 2);
	CHECK_EQ(ops->info(f.backend)->configuration, 2);
	fixture_close(&f);
	CHECK_EQ(fixture_try(&f, "usb:3-1.2,configuration=1"), 0); /* is in force */
	CHECK_EQ(fake.nr_calls[FAKE_SET_CONFIGURATION], 1);
	fixture_close(&f);
	f.backend = NULL;
	fake.fail[FAKE_SET_CONFIGURATION] = LIBUSB_ERROR_BUSY;
	CHECK_EQ(fixture_try(&f, "usb:1234:5678,configuration=2"), -EBUSY);
	CHECK_STR_EQ(f.message, "device \"usb:1234:5678,configuration=2\": cannot select the "
				"configuration: Device or resource busy");
}

/* ---- interfaces ---- */

TEST(claim_and_release)
{
	struct fixture f;

	fixture_open(&f);
	CHECK_EQ(ops->claim(f.backend, 3), 0);
	CHECK_EQ(fake.last_argument[FAKE_CLAIM], 3);
	ops->release(f.backend, 3);
	ops->release(f.backend, 3); /* no longer */
	ops->release(f.backend, 200);
	CHECK_EQ(fake.nr_calls[FAKE_RELEASE], 1);
	CHECK_EQ(ops->claim(f.backend, 3), 0);
	fixture_close(&f); /* gives it back */
	CHECK_EQ(fake.nr_calls[FAKE_RELEASE], 2);
}

TEST(claim_errors_have_their_codes)
{
	struct fixture f;

	fixture_open(&f);
	fake.fail[FAKE_CLAIM] = LIBUSB_ERROR_NOT_FOUND;
	CHECK_EQ(ops->claim(f.backend, 9), -ENOENT);
	fake.fail[FAKE_CLAIM] = LIBUSB_ERROR_NO_DEVICE;
	CHECK_EQ(ops->claim(f.backend, 0), -ENODEV);
	fake.fail[FAKE_CLAIM] = LIBUSB_ERROR_BUSY;
	CHECK_EQ(ops->claim(f.backend, 0), -EBUSY);
	CHECK_EQ(fake.nr_calls[FAKE_DRIVER], 1); /* who has it is said */
	fake.driver = "usbhid";
	fake.fail[FAKE_CLAIM] = LIBUSB_ERROR_BUSY;
	CHECK_EQ(ops->claim(f.backend, 0), -EBUSY);
	fake.fail[FAKE_CLAIM] = LIBUSB_ERROR_BUSY;
	fake.fail[FAKE_DRIVER] = -ENODATA;
	CHECK_EQ(ops->claim(f.backend, 0), -EBUSY);
	fixture_close(&f);
	CHECK_EQ(fake.nr_calls[FAKE_RELEASE], 0);
}

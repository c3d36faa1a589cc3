/* SPDX-License-Identifier: MIT
 *
 * device - attach, sessions, descriptors, control requests, configurations, reset, detach.
 */
#include "fixture.h"

#include <errno.h>
#include <string.h>

static struct dx_usb_setup vendor(uint8_t type, uint8_t request, uint16_t length)
{
	return (struct dx_usb_setup){
		.bmRequestType = type,
		.bRequest = request,
		.wLength = length,
	};
}

TEST(device_attach_of_an_unknown_form_names_the_spec)
{
	struct dx_usb_device *device = NULL;
	static const struct dx_usb_backend_ops *const none[] = {NULL};
	char message[256];
	char endless[2000];

	CHECK_EQ(dx_usb_device_attach(fixture_backends, "usb:1-2", -1, message, sizeof(message),
				      &device),
		 -ENODEV);
	CHECK_STR_EQ(message,
		     "device spec \"usb:1-2\": no backend understands it (there is: virtual)");
	CHECK_EQ(dx_usb_device_attach(none, "usb:1-2", -1, NULL, 0, &device), -ENODEV);
	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	CHECK_EQ(dx_usb_device_attach(fixture_backends, endless, -1, message, sizeof(message),
				      &device),
		 -ENODEV);
	CHECK_STR_EQ(message, "device spec is longer than 1023 bytes");
	CHECK(device == NULL);
}

TEST(device_session_belongs_to_one_client)
{
	struct dx_usb_device *device = attach("virtual:gadget-zero");

	CHECK_EQ(dx_usb_device_open(device, NULL), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_device_close(device, CLIENT), DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_device_open(device, CLIENT), DX_USB_OK);
	CHECK_EQ(dx_usb_device_open(device, CLIENT), DX_USB_OK);
	CHECK_EQ(dx_usb_device_open(device, OTHER_CLIENT), DX_USB_EXCLUSIVE);
	CHECK_EQ(dx_usb_device_close(device, OTHER_CLIENT), DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_device_close(device, CLIENT), DX_USB_OK);
	CHECK_EQ(dx_usb_device_open(device, OTHER_CLIENT), DX_USB_OK);
	(void)dx_usb_device_unref(device);
}

TEST(device_control_request_echoes_through_the_device)
{
	struct dx_usb_device *device = attach("virtual:gadget-zero");
	struct dx_usb_setup write = vendor(0x40, 0x5B, 100);
	struct dx_usb_setup read = vendor(0xC0, 0x5C, 100);
	uint8_t out[100], in[100] = {0};
	static uint8_t too_long[4097];
	uint32_t actual = 0;

	for (unsigned i = 0; i < sizeof(out); i++) {
		out[i] = (uint8_t)(i + 3);
	}
	CHECK_EQ(dx_usb_device_request(device, CLIENT, &write, out, 1000, &actual),
		 DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_device_open(device, CLIENT), DX_USB_OK);
	CHECK_EQ(dx_usb_device_request(device, CLIENT, &write, out, 1000, &actual), DX_USB_OK);
	CHECK_EQ(actual, 100);
	CHECK_EQ(dx_usb_device_request(device, CLIENT, &read, in, 1000, &actual), DX_USB_OK);
	CHECK_MEM_EQ(in, out, 100);
	read.wLength = 4097;
	CHECK_EQ(dx_usb_device_request(device, CLIENT, &read, too_long, 1000, &actual),
		 DX_USB_STALLED);
	CHECK_EQ(actual, 0);
	read = vendor(0xC0, 0x77, 1);
	CHECK_EQ(dx_usb_device_request(device, CLIENT, &read, in, 1000, NULL), DX_USB_STALLED);
	(void)dx_usb_device_unref(device);
}

TEST(device_control_request_checks_its_arguments)
{
	struct dx_usb_device *device = attach("virtual:gadget-zero");
	struct dx_usb_setup setup = vendor(0x40, 0x5B, 4);
	struct dx_usb_setup set_configuration = vendor(0x00, 9, 0);
	struct record record = {0};

	CHECK_EQ(dx_usb_device_open(device, CLIENT), DX_USB_OK);
	CHECK_EQ(dx_usb_device_request(device, CLIENT, &setup, NULL, 0, NULL),
		 DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_device_request(device, CLIENT, NULL, NULL, 0, NULL), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_device_request(device, NULL, &setup, &record, 0, NULL),
		 DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_device_request_async(device, CLIENT, &setup, &record, 0, NULL, NULL),
		 DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_device_request_async(device, CLIENT, &setup, NULL, 0, note, &record),
		 DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_device_request_async(device, OTHER_CLIENT, &setup, &record, 0, note,
					     &record),
		 DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_device_request(device, CLIENT, &set_configuration, NULL, 0, NULL),
		 DX_USB_NOT_PERMITTED);
	CHECK_EQ(dx_usb_device_abort_requests(device, CLIENT, DX_USB_OK), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_device_abort_requests(device, OTHER_CLIENT, DX_USB_ABORTED),
		 DX_USB_NOT_OPEN);
	CHECK_EQ(record.nr, 0);
	(void)dx_usb_device_unref(device);
}

TEST(device_abort_and_close_end_only_this_clients_requests)
{
	struct fixture f = set_up("virtual:gadget-zero", SOURCE_SINK);
	struct dx_usb_setup setup = vendor(0xC0, 0x5C, 4);
	struct record mine = {0}, others = {0};
	uint8_t bytes[16];

	CHECK_EQ(dx_usb_device_open(f.device, OTHER_CLIENT), DX_USB_OK);
	CHECK_EQ(dx_usb_device_request_async(f.device, OTHER_CLIENT, &setup, bytes, 0, note,
					     &mine),
		 DX_USB_OK);
	CHECK_EQ(dx_usb_interface_request_async(f.interface, &setup, bytes + 8, 0, note, &others),
		 DX_USB_OK);
	CHECK_EQ(dx_usb_device_abort_requests(f.device, OTHER_CLIENT, DX_USB_ABORTED), DX_USB_OK);
	(void)dx_usb_poll(f.device);
	CHECK_EQ(mine.nr, 1);
	CHECK_EQ(mine.entries[0].status, DX_USB_ABORTED);
	CHECK_EQ(others.nr, 1);
	CHECK_EQ(others.entries[0].status, DX_USB_OK);
	CHECK_EQ(others.entries[0].actual, 4);
	CHECK_EQ(dx_usb_device_request_async(f.device, OTHER_CLIENT, &setup, bytes, 0, note,
					     &mine),
		 DX_USB_OK);
	CHECK_EQ(dx_usb_device_close(f.device, OTHER_CLIENT), DX_USB_OK);
	CHECK_EQ(mine.nr, 2);
	CHECK_EQ(dx_usb_interface_request_async(f.interface, &setup, bytes, 0, note, &others),
		 DX_USB_OK);
	CHECK_EQ(dx_usb_interface_abort_requests(f.interface, DX_USB_OVERRUN), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_abort_requests(f.interface, DX_USB_OK), DX_USB_BAD_ARGUMENT);
	(void)dx_usb_poll(f.device);
	CHECK_EQ(others.entries[1].status, DX_USB_OVERRUN);
	CHECK_EQ(dx_usb_interface_request(f.interface, &setup, bytes, 0, NULL), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_request_async(f.interface, &setup, bytes, 0, NULL, NULL),
		 DX_USB_BAD_ARGUMENT);
	tear_down(&f);
}

TEST(device_descriptors_come_from_the_cache)
{
	struct dx_usb_device *device = attach("virtual:gadget-zero,speed=super,serial=S1");
	struct dx_usb_counters before = {0}, after = {0};
	const uint8_t *configuration = NULL;
	uint8_t bytes[64] = {0};
	uint16_t length = 4;
	size_t size = 0;

	CHECK_EQ(dx_usb_device_copy_descriptor(device, 1, &length, 0, 0, 0, 0, bytes), DX_USB_OK);
	CHECK_EQ(length, 4);
	length = sizeof(bytes);
	CHECK_EQ(dx_usb_device_copy_descriptor(device, 1, &length, 0, 0, 0, 0, bytes), DX_USB_OK);
	CHECK_EQ(length, 18);
	CHECK_EQ(dx_usb_get16(bytes + 8), 0x0525);
	CHECK_EQ(dx_usb_get16(bytes + 10), 0xA4A0);
	configuration = dx_usb_device_configuration_at(device, 0, &size);
	CHECK_EQ(dx_usb_get16(configuration + 2), size);
	CHECK_EQ(configuration[5], 3);
	CHECK(dx_usb_desc_check(configuration, size));
	CHECK(dx_usb_device_configuration_at(device, 2, &size) == NULL);
	CHECK(dx_usb_device_configuration_with_value(device, 2, &size) != NULL);
	CHECK(dx_usb_device_configuration_with_value(device, 9, &size) == NULL);
	CHECK(dx_usb_device_bos(device, &size) != NULL);
	CHECK(dx_usb_desc_check(dx_usb_device_bos(device, &size), size));

	free(dx_usb_device_copy_text(device, 2));
	dx_usb_device_counters(device, &before);
	CHECK_GT(before.submitted, 0);
	for (unsigned i = 0; i < 5; i++) {
		char *text = dx_usb_device_copy_text(device, 2);

		CHECK_STR_EQ(text, "Gadget Zero");
		free(text);
	}
	dx_usb_device_counters(device, &after);
	CHECK_EQ(before.submitted, after.submitted);
	CHECK(dx_usb_device_copy_text(device, 0) == NULL);
	CHECK(dx_usb_device_copy_text(device, 99) == NULL);
	length = sizeof(bytes);
	CHECK_EQ(dx_usb_device_copy_descriptor(device, 6, &length, 0, 0, 0, 0, bytes),
		 DX_USB_STALLED);
	length = 0;
	CHECK_EQ(dx_usb_device_copy_descriptor(device, 1, &length, 0, 0, 0, 0, bytes),
		 DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_device_copy_descriptor(device, 1, NULL, 0, 0, 0, 0, bytes),
		 DX_USB_BAD_ARGUMENT);
	(void)dx_usb_device_unref(device);
}

TEST(device_high_speed_has_a_qualifier_and_no_bos)
{
	struct dx_usb_device *device = attach("virtual:gadget-zero,speed=high");
	uint8_t bytes[64] = {0};
	uint16_t length = sizeof(bytes);
	size_t size = 0;

	CHECK_EQ(dx_usb_device_copy_descriptor(device, 6, &length, 0, 0, 0, 0, bytes), DX_USB_OK);
	CHECK_EQ(length, 10);
	CHECK_EQ(bytes[8], 0); /* configurations of another speed: a host would ask for them */
	CHECK(dx_usb_device_bos(device, &size) == NULL);
	length = sizeof(bytes);
	CHECK_EQ(dx_usb_device_copy_descriptor(device, 15, &length, 0, 0, 0, 0, bytes),
		 DX_USB_STALLED);
	CHECK_EQ(dx_usb_device_speed(device), DX_USB_SPEED_HIGH);
	CHECK_EQ(dx_usb_device_port_status(device), 0x1300);
	(void)dx_usb_device_unref(device);
}

TEST(device_set_configuration_terminates_the_old_interfaces)
{
	struct fixture f = set_up("virtual:gadget-zero,hang-after=1", SOURCE_SINK);
	struct record in = {0};
	struct dx_usb_interface *second = NULL;
	struct dx_usb_pipe *pipe = NULL;
	uint8_t bytes[1024];

	CHECK_EQ(dx_usb_device_configuration(f.device), SOURCE_SINK);
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 1024, 0, NULL), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_submit(f.in, bytes, 1024, 0, note, &in), DX_USB_OK);
	CHECK_EQ(dx_usb_device_set_configuration(f.device, NULL, 7), DX_USB_NOT_FOUND);
	CHECK_EQ(dx_usb_device_set_configuration(f.device, CLIENT, 2), DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_device_set_configuration(f.device, NULL, 2), DX_USB_OK);
	CHECK_EQ(in.nr, 1);
	CHECK_EQ(in.entries[0].status, DX_USB_ABORTED);
	CHECK(dx_usb_interface_is_terminated(f.interface));
	CHECK_EQ(dx_usb_pipe_submit(f.in, bytes, 1024, 0, note, &in), DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_interface_open(f.interface, CLIENT, 0, 0), DX_USB_NO_DEVICE);
	CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x81, &pipe), DX_USB_NO_DEVICE);
	CHECK_EQ(dx_usb_interface_close(f.interface, CLIENT), DX_USB_NOT_OPEN);
	second = dx_usb_device_copy_interface(f.device, 0);
	CHECK(second != NULL && second != f.interface);
	CHECK(dx_usb_device_copy_interface(f.device, 1) == NULL);
	CHECK_EQ(dx_usb_interface_open(second, OTHER_CLIENT, 0, 0), DX_USB_OK);
	CHECK_EQ(dx_usb_device_set_configuration(f.device, NULL, 0), DX_USB_OK);
	CHECK_EQ(dx_usb_device_configuration(f.device), 0);
	CHECK(dx_usb_device_copy_interface(f.device, 0) == NULL);
	(void)dx_usb_interface_unref(second);
	tear_down(&f);
}

struct gone {
	unsigned nr;
	enum dx_usb_gone_reason reason;
	const struct record *before;
	unsigned nr_before;
};

static void on_gone(void *ctx, enum dx_usb_gone_reason reason)
{
	struct gone *gone = ctx;

	gone->nr++;
	gone->reason = reason;
	gone->nr_before = gone->before->nr;
}

static void check_gone(struct fixture *f, struct record *in, const struct gone *gone,
		       enum dx_usb_gone_reason reason, int32_t status)
{
	CHECK_EQ(gone->nr, 1);
	CHECK_EQ(gone->reason, reason);
	CHECK_EQ(gone->nr_before, 2); /* completions first */
	CHECK_EQ(in->entries[1].status, status);
	CHECK(dx_usb_device_is_gone(f->device));
	CHECK_EQ(dx_usb_device_port_status(f->device), 0);
	CHECK_EQ(dx_usb_device_reset(f->device, NULL), DX_USB_NO_DEVICE);
	dx_usb_device_detach(f->device);
	CHECK_EQ(gone->nr, 1);
}

TEST(device_reset_completes_everything_and_tells)
{
	struct fixture f = set_up("virtual:gadget-zero,mode=loopback", LOOPBACK);
	struct record in = {0};
	struct gone gone = {.before = &in};
	uint8_t bytes[1024];

	dx_usb_device_on_gone(f.device, on_gone, &gone);
	CHECK_EQ(dx_usb_pipe_submit(f.in, bytes, 1024, 0, note, &in), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_submit(f.in, bytes, 1024, 0, note, &in), DX_USB_OK);
	CHECK_EQ(dx_usb_device_reset(f.device, CLIENT), DX_USB_NOT_OPEN);
	CHECK_EQ(dx_usb_device_reset(f.device, NULL), DX_USB_OK);
	check_gone(&f, &in, &gone, DX_USB_GONE_RESET, DX_USB_ABORTED);
	tear_down(&f);
}

TEST(device_detach_completes_everything_and_tells)
{
	struct fixture f = set_up("virtual:gadget-zero,mode=loopback", LOOPBACK);
	struct record in = {0};
	struct gone gone = {.before = &in};
	uint8_t bytes[1024];

	dx_usb_device_on_gone(f.device, on_gone, &gone);
	CHECK_EQ(dx_usb_pipe_submit(f.in, bytes, 1024, 0, note, &in), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_submit(f.in, bytes, 1024, 0, note, &in), DX_USB_OK);
	dx_usb_device_detach(f.device);
	check_gone(&f, &in, &gone, DX_USB_GONE_DETACHED, DX_USB_NOT_RESPONDING);
	tear_down(&f);
}

TEST(device_without_memory_of_its_controller_says_so)
{
	struct dx_usb_device *device = attach("virtual:gadget-zero");
	void *base = NULL;

	CHECK_EQ(dx_usb_device_alloc_buffer(device, 4096, &base), -EOPNOTSUPP);
	dx_usb_device_detach(device);
	CHECK_EQ(dx_usb_device_alloc_buffer(device, 4096, &base), -ENODEV);
	CHECK(base == NULL);
	(void)dx_usb_device_unref(device);
}

TEST(device_frame_number_advances_by_milliseconds)
{
	struct dx_usb_device *device = attach("virtual:gadget-zero");
	uint64_t first = 0, second = 0, first_ns = 0, second_ns = 0;

	CHECK_EQ(dx_usb_device_frame_number(device, NULL, NULL), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_device_frame_number(device, &first, &first_ns), DX_USB_OK);
	while (dx_clock_now_ns() < first_ns + 5000000) {
	}
	CHECK_EQ(dx_usb_device_frame_number(device, &second, &second_ns), DX_USB_OK);
	CHECK_GE(second - first, 4);
	CHECK_LE(second - first, (second_ns - first_ns) / 1000000 + 1);
	dx_usb_device_detach(device);
	CHECK_EQ(dx_usb_device_frame_number(device, &second, NULL), DX_USB_NO_DEVICE);
	(void)dx_usb_device_unref(device);
}

TEST(device_describe_has_the_registry_names)
{
	struct dx_dict *dict = NULL;
	struct dx_dict *interface = NULL;
	char message[256];

	CHECK_EQ(dx_usb_describe("virtual:gadget-zero,mode=loopback,serial=X1,location=0x42",
				 fixture_backends, message, sizeof(message), &dict),
		 0);
	CHECK_EQ(dx_dict_get_u64(dict, "idVendor", 0), 0x0525);
	CHECK_EQ(dx_dict_get_u64(dict, "idProduct", 0), 0xA4A0);
	CHECK_EQ(dx_dict_get_u64(dict, "locationID", 0), 0x42);
	CHECK_EQ(dx_dict_get_u64(dict, "USBSpeed", 0), 4);
	CHECK_EQ(dx_dict_get_u64(dict, "bDeviceClass", 0), 255);
	CHECK_EQ(dx_dict_get_u64(dict, "kUSBPreferredConfiguration", 0), 2);
	CHECK_EQ(dx_dict_get_u64(dict, "kUSBCurrentConfiguration", 9), 0);
	CHECK_STR_EQ(dx_dict_get_string(dict, "kUSBProductString", ""), "Gadget Zero");
	CHECK_STR_EQ(dx_dict_get_string(dict, "kUSBVendorString", ""), "OpenDext");
	CHECK_STR_EQ(dx_dict_get_string(dict, "kUSBSerialNumberString", ""), "X1");
	CHECK_EQ(strlen(dx_dict_get_string(dict, "kUSBContainerID", "")), 36);
	CHECK_EQ(dx_array_count(dx_dict_get_array(dict, "interfaces")), 1);
	interface = dx_array_get(dx_dict_get_array(dict, "interfaces"), 0);
	CHECK_EQ(dx_dict_get_u64(interface, "bInterfaceClass", 0), 255);
	CHECK_EQ(dx_dict_get_u64(interface, "bConfigurationValue", 0), 2);
	CHECK_EQ(dx_dict_get_u64(interface, "idVendor", 0), 0x0525);
	CHECK_EQ(dx_dict_get_u64(interface, "bNumEndpoints", 0), 2);
	(void)dx_object_unref(dict);
	CHECK_EQ(dx_usb_describe("virtual:nothing", fixture_backends, message, sizeof(message),
				 &dict),
		 -EINVAL);
}

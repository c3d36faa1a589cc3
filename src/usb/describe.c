/* SPDX-License-Identifier: MIT
 *
 * describe - a device and its interfaces as registry properties.
 *
 * Place:      usb, for the broker.
 */
#include "usb/describe.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "usb/descriptor.h"

static void unref_cleanup(void *pointer)
{
	(void)dx_object_unref(*(void **)pointer);
}

static void free_device_cleanup(struct dx_usb_device **device)
{
	(void)dx_usb_device_unref(*device);
}

/* Collects the first error of many dx_dict_set_... calls. */
struct setter {
	struct dx_dict *dict;
	int result;
};

static void set_number(struct setter *setter, const char *key, uint64_t value, unsigned bits)
{
	if (setter->result == 0) {
		setter->result = dx_dict_set_u64(setter->dict, key, value, bits);
	}
}

/* A string that the device does not have is left out. */
static void set_text(struct setter *setter, const char *key, struct dx_usb_device *device,
		     uint8_t index)
{
	DX_CLEANUP_FREE char *text = dx_usb_device_copy_text(device, index);

	if (setter->result == 0 && text != NULL) {
		setter->result = dx_dict_set_string(setter->dict, key, text);
	}
}

/* What interfaces share with their device, because matching uses it for both. */
static void set_ids(struct setter *setter, const struct dx_usb_device *device)
{
	const uint8_t *bytes = dx_usb_device_descriptor(device);

	set_number(setter, "idVendor", dx_usb_get16(bytes + 8), 16);
	set_number(setter, "idProduct", dx_usb_get16(bytes + 10), 16);
	set_number(setter, "bcdDevice", dx_usb_get16(bytes + 12), 16);
	set_number(setter, "bDeviceClass", bytes[4], 8);
	set_number(setter, "bDeviceSubClass", bytes[5], 8);
	set_number(setter, "bDeviceProtocol", bytes[6], 8);
	set_number(setter, "locationID", dx_usb_device_location(device), 32);
	set_number(setter, "USBSpeed", dx_usb_device_speed(device), 8);
	set_number(setter, "USBPortType", 0, 8); /* kIOUSBHostPortTypeStandard */
}

static void set_container(struct setter *setter, const struct dx_usb_device *device)
{
	size_t length = 0;
	const uint8_t *bos = dx_usb_device_bos(device, &length);
	size_t total = bos == NULL ? 0 : dx_usb_desc_total(bos, length);
	size_t at = bos == NULL ? 0 : dx_usb_desc_find_capability(bos, total, 4, 20);
	const uint8_t *id = NULL;
	char text[40];

	if (at == 0 || setter->result != 0) {
		return;
	}
	id = bos + at + 4;
	(void)snprintf(text, sizeof(text),
		       "%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X",
		       id[3], id[2], id[1], id[0], id[5], id[4], id[7], id[6], id[8], id[9],
		       id[10], id[11], id[12], id[13], id[14], id[15]);
	setter->result = dx_dict_set_string(setter->dict, "kUSBContainerID", text);
}

static uint8_t preferred_configuration(const struct dx_usb_device *device)
{
	size_t length = 0;
	const uint8_t *bytes = dx_usb_device_configuration_at(device, 0, &length);

	return bytes == NULL ? 0 : bytes[5];
}

static int describe_interface(struct dx_usb_device *device, const uint8_t *interface,
			      uint8_t configuration, struct dx_array *interfaces)
{
	DX_CLEANUP(unref_cleanup) struct dx_dict *dict = dx_dict_new();
	struct setter setter = {.dict = dict, .result = dict == NULL ? -ENOMEM : 0};

	set_ids(&setter, device);
	set_number(&setter, "bInterfaceNumber", interface[2], 8);
	set_number(&setter, "bAlternateSetting", interface[3], 8);
	set_number(&setter, "bNumEndpoints", interface[4], 8);
	set_number(&setter, "bInterfaceClass", interface[5], 8);
	set_number(&setter, "bInterfaceSubClass", interface[6], 8);
	set_number(&setter, "bInterfaceProtocol", interface[7], 8);
	set_number(&setter, "iInterface", interface[8], 8);
	set_number(&setter, "bConfigurationValue", configuration, 8);
	set_text(&setter, "kUSBString", device, interface[8]);
	return setter.result < 0 ? setter.result : dx_array_append(interfaces, dict);
}

/* One entry for each interface of the block, in its first setting. */
static int describe_interfaces(struct dx_usb_device *device, const uint8_t *block, size_t length,
			       struct dx_array *interfaces)
{
	size_t total = dx_usb_desc_total(block, length);
	size_t at = dx_usb_desc_next_type(block, total, 0, DX_USB_DESC_INTERFACE);
	int result = 0;

	while (result == 0 && at != 0) {
		if (block[at] >= 9 && block[at + 3] == 0) {
			result = describe_interface(device, block + at, block[5], interfaces);
		}
		at = dx_usb_desc_next_type(block, total, at, DX_USB_DESC_INTERFACE);
	}
	return result;
}

/* chosen: its interfaces are set in device_dict, too. */
static int describe_configuration(struct dx_usb_device *device, const uint8_t *block,
				  size_t length, uint8_t chosen, struct dx_dict *device_dict,
				  struct dx_array *configurations)
{
	DX_CLEANUP(unref_cleanup) struct dx_array *interfaces = dx_array_new();
	DX_CLEANUP(unref_cleanup) struct dx_dict *dict = dx_dict_new();
	int result = interfaces == NULL || dict == NULL
			     ? -ENOMEM
			     : describe_interfaces(device, block, length, interfaces);

	if (result == 0) {
		result = dx_dict_set_u64(dict, "bConfigurationValue", block[5], 8);
	}
	if (result == 0) {
		result = dx_dict_set(dict, "interfaces", interfaces);
	}
	if (result == 0 && block[5] == chosen) {
		result = dx_dict_set(device_dict, "interfaces", interfaces);
	}
	return result < 0 ? result : dx_array_append(configurations, dict);
}

static int describe_configurations(struct dx_usb_device *device, uint8_t chosen,
				   struct dx_dict *dict)
{
	DX_CLEANUP(unref_cleanup) struct dx_array *configurations = dx_array_new();
	int result = configurations == NULL ? -ENOMEM : 0;

	for (unsigned i = 0; result == 0; i++) {
		size_t length = 0;
		const uint8_t *block =
			dx_usb_device_configuration_at(device, (uint8_t)i, &length);

		if (block == NULL) {
			return dx_dict_set(dict, "configurations", configurations);
		}
		result = describe_configuration(device, block, length, chosen, dict,
						configurations);
	}
	return result;
}

static void set_device(struct setter *setter, struct dx_usb_device *device)
{
	const uint8_t *bytes = dx_usb_device_descriptor(device);

	set_ids(setter, device);
	set_number(setter, "bcdUSB", dx_usb_get16(bytes + 2), 16);
	set_number(setter, "bMaxPacketSize0", bytes[7], 8);
	set_number(setter, "iManufacturer", bytes[14], 8);
	set_number(setter, "iProduct", bytes[15], 8);
	set_number(setter, "iSerialNumber", bytes[16], 8);
	set_number(setter, "bNumConfigurations", bytes[17], 8);
	set_number(setter, "kUSBAddress", dx_usb_device_address(device), 8);
	set_number(setter, "kUSBCurrentConfiguration", dx_usb_device_configuration(device), 8);
	set_number(setter, "kUSBPreferredConfiguration", preferred_configuration(device), 8);
	set_text(setter, "kUSBVendorString", device, bytes[14]);
	set_text(setter, "kUSBProductString", device, bytes[15]);
	set_text(setter, "kUSBSerialNumberString", device, bytes[16]);
	set_container(setter, device);
}

int dx_usb_describe_device(struct dx_usb_device *device, struct dx_dict **ret_dict)
{
	DX_CLEANUP(unref_cleanup) struct dx_dict *dict = dx_dict_new();
	struct setter setter = {.dict = dict, .result = dict == NULL ? -ENOMEM : 0};
	uint8_t configuration = dx_usb_device_configuration(device);
	int result = 0;

	set_device(&setter, device);
	if (setter.result < 0) {
		return setter.result;
	}
	if (configuration == 0) {
		configuration = preferred_configuration(device);
	}
	result = describe_configurations(device, configuration, dict);
	if (result < 0) {
		return result;
	}
	*ret_dict = dx_take_ptr(&dict);
	return 0;
}

int dx_usb_describe(const char *spec, const struct dx_usb_backend_ops *const *backends,
		    char *message, size_t message_size, struct dx_dict **ret_dict)
{
	DX_CLEANUP(free_device_cleanup) struct dx_usb_device *device = NULL;
	int result = dx_usb_device_attach(backends, spec, -1, message, message_size, &device);

	return result < 0 ? result : dx_usb_describe_device(device, ret_dict);
}

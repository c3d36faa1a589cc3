/* SPDX-License-Identifier: MIT
 *
 * device_descriptors - tables of fields, and two walks over them; see device_descriptors.h.
 *
 * Place:      tools.
 */
#include "device_descriptors.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/check.h"
#include "terminal.h"

#define MAX_FIELDS  14u
#define ANY_SUBTYPE (-1)

struct field {
	const char *name;
	uint8_t size; /* bytes, little-endian */
};

/* Fields behind bLength and bDescriptorType. */
struct layout {
	uint8_t type;
	int subtype; /* third byte, or ANY_SUBTYPE */
	const char *name;
	unsigned indent;
	struct field fields[MAX_FIELDS];
};

static const struct layout layouts[] = {
	{1,
	 ANY_SUBTYPE,
	 "device",
	 0,
	 {{"bcdUSB", 2},
	  {"bDeviceClass", 1},
	  {"bDeviceSubClass", 1},
	  {"bDeviceProtocol", 1},
	  {"bMaxPacketSize0", 1},
	  {"idVendor", 2},
	  {"idProduct", 2},
	  {"bcdDevice", 2},
	  {"iManufacturer", 1},
	  {"iProduct", 1},
	  {"iSerialNumber", 1},
	  {"bNumConfigurations", 1}}},
	{2,
	 ANY_SUBTYPE,
	 "configuration",
	 0,
	 {{"wTotalLength", 2},
	  {"bNumInterfaces", 1},
	  {"bConfigurationValue", 1},
	  {"iConfiguration", 1},
	  {"bmAttributes", 1},
	  {"bMaxPower", 1}}},
	{11,
	 ANY_SUBTYPE,
	 "association",
	 2,
	 {{"bFirstInterface", 1},
	  {"bInterfaceCount", 1},
	  {"bFunctionClass", 1},
	  {"bFunctionSubClass", 1},
	  {"bFunctionProtocol", 1},
	  {"iFunction", 1}}},
	{4,
	 ANY_SUBTYPE,
	 "interface",
	 2,
	 {{"bInterfaceNumber", 1},
	  {"bAlternateSetting", 1},
	  {"bNumEndpoints", 1},
	  {"bInterfaceClass", 1},
	  {"bInterfaceSubClass", 1},
	  {"bInterfaceProtocol", 1},
	  {"iInterface", 1}}},
	{5,
	 ANY_SUBTYPE,
	 "endpoint",
	 4,
	 {{"bEndpointAddress", 1}, {"bmAttributes", 1}, {"wMaxPacketSize", 2}, {"bInterval", 1}}},
	{48,
	 ANY_SUBTYPE,
	 "endpoint companion",
	 6,
	 {{"bMaxBurst", 1}, {"bmAttributes", 1}, {"wBytesPerInterval", 2}}},
	{15, ANY_SUBTYPE, "binary object store", 0, {{"wTotalLength", 2}, {"bNumDeviceCaps", 1}}},
	{16, 2, "USB 2.0 extension", 2, {{"bDevCapabilityType", 1}, {"bmAttributes", 4}}},
	{16,
	 3,
	 "SuperSpeed capability",
	 2,
	 {{"bDevCapabilityType", 1},
	  {"bmAttributes", 1},
	  {"wSpeedsSupported", 2},
	  {"bFunctionalitySupport", 1},
	  {"bU1DevExitLat", 1},
	  {"wU2DevExitLat", 2}}},
	{16, 4, "container id", 2, {{"bDevCapabilityType", 1}, {"bReserved", 1}}},
	{0x21,
	 ANY_SUBTYPE,
	 "HID",
	 4,
	 {{"bcdHID", 2},
	  {"bCountryCode", 1},
	  {"bNumDescriptors", 1},
	  {"bReportType", 1},
	  {"wReportLength", 2}}},
	{0x24, 0, "CDC header", 4, {{"bDescriptorSubtype", 1}, {"bcdCDC", 2}}},
	{0x24,
	 1,
	 "CDC call management",
	 4,
	 {{"bDescriptorSubtype", 1}, {"bmCapabilities", 1}, {"bDataInterface", 1}}},
	{0x24,
	 2,
	 "CDC abstract control model",
	 4,
	 {{"bDescriptorSubtype", 1}, {"bmCapabilities", 1}}},
	{0x24,
	 6,
	 "CDC union",
	 4,
	 {{"bDescriptorSubtype", 1}, {"bControlInterface", 1}, {"bSubordinateInterface0", 1}}},
};

static const struct layout *find_layout(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < DX_ARRAY_SIZE(layouts); i++) {
		if (layouts[i].type == bytes[1] &&
		    (layouts[i].subtype == ANY_SUBTYPE ||
		     (length > 2 && layouts[i].subtype == bytes[2]))) {
			return &layouts[i];
		}
	}
	return NULL;
}

/* ---- decoding ---- */

static int add_field(struct dx_dict *dict, const struct field *field, const uint8_t *bytes,
		     dx_descriptor_text_fn text, const void *ctx)
{
	uint32_t value = 0;
	int result = 0;

	for (unsigned i = 0; i < field->size; i++) {
		value |= (uint32_t)bytes[i] << 8 * i;
	}
	result = dx_dict_set_u64(dict, field->name, value, 32);
	if (result == 0 && field->name[0] == 'i' && field->size == 1 && value != 0) {
		const char *found = text(ctx, (uint8_t)value);
		char name[32];

		(void)snprintf(name, sizeof(name), "%s (text)", field->name + 1);
		result = found == NULL ? 0 : dx_dict_set_string(dict, name, found);
	}
	return result;
}

/* What no field names: bytes of kinds that are unknown, and of what is longer than its kind. */
static int add_rest(struct dx_dict *dict, const uint8_t *bytes, size_t length)
{
	char hex[2 * 255 + 1] = "";

	for (size_t i = 0; i < length; i++) {
		(void)snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	}
	return length == 0 ? 0 : dx_dict_set_string(dict, "bytes", hex);
}

/* One descriptor; +1, or NULL. */
static struct dx_dict *decode_one(const uint8_t *bytes, size_t length, dx_descriptor_text_fn text,
				  const void *ctx)
{
	const struct layout *layout = find_layout(bytes, length);
	struct dx_dict *dict = dx_dict_new();
	size_t at = 2;
	int result = dict == NULL ? -ENOMEM
				  : dx_dict_set_string(dict, "descriptor",
						       layout == NULL ? "other" : layout->name);

	if (result == 0) {
		result = dx_dict_set_u64(dict, "bLength", length, 32);
	}
	if (result == 0) {
		result = dx_dict_set_u64(dict, "bDescriptorType", bytes[1], 32);
	}
	for (unsigned i = 0;
	     result == 0 && layout != NULL && i < MAX_FIELDS && layout->fields[i].name != NULL &&
	     length - at >= layout->fields[i].size;
	     i++) {
		result = add_field(dict, &layout->fields[i], bytes + at, text, ctx);
		at += layout->fields[i].size;
	}
	if (result == 0) {
		result = add_rest(dict, bytes + at, length - at);
	}
	return result < 0 ? dx_object_unref(dict) : dict;
}

int dx_descriptors_decode(const uint8_t *bytes, size_t length, dx_descriptor_text_fn text,
			  const void *ctx, struct dx_array *array)
{
	int result = 0;

	while (result == 0 && length >= 2 && bytes[0] >= 2 && bytes[0] <= length) {
		struct dx_dict *dict = decode_one(bytes, bytes[0], text, ctx);

		result = dict == NULL ? -ENOMEM : dx_array_append(array, dict);
		dx_object_unref(dict);
		length -= bytes[0];
		bytes += bytes[0];
	}
	return result;
}

/* ---- printing ---- */

static const char *class_name(uint64_t value)
{
	static const struct {
		uint8_t value;
		const char *name;
	} classes[] = {
		{0, "see interfaces"},
		{1, "audio"},
		{2, "communication"},
		{3, "HID"},
		{7, "printer"},
		{8, "mass storage"},
		{9, "hub"},
		{10, "CDC data"},
		{14, "video"},
		{0xEF, "miscellaneous"},
		{0xFF, "vendor"},
	};

	for (size_t i = 0; i < DX_ARRAY_SIZE(classes); i++) {
		if (classes[i].value == value) {
			return classes[i].name;
		}
	}
	return "";
}

/* What a number means, where that is short. */
static const char *meaning(const char *kind, const char *field, uint64_t value)
{
	static const char *const types[] = {"control", "isochronous", "bulk", "interrupt"};

	if (strcmp(field, "bDeviceClass") == 0 || strcmp(field, "bInterfaceClass") == 0 ||
	    strcmp(field, "bFunctionClass") == 0) {
		return class_name(value);
	}
	if (strcmp(field, "bEndpointAddress") == 0) {
		return (value & 0x80) != 0 ? "IN" : "OUT";
	}
	if (strcmp(kind, "endpoint") == 0 && strcmp(field, "bmAttributes") == 0) {
		return types[value & 3];
	}
	return "";
}

static void print_field(FILE *stream, unsigned indent, const char *kind, const char *name,
			const void *value)
{
	bool is_number = dx_object_is_kind(value, &dx_number_class);
	uint64_t number = is_number ? dx_number_u64(value) : 0;
	const char *text = is_number ? meaning(kind, name, number) : "";
	/* Release numbers, ids, addresses and bits are read in hexadecimal. */
	bool is_hex = strncmp(name, "bcd", 3) == 0 || strncmp(name, "id", 2) == 0 ||
		      strncmp(name, "bm", 2) == 0 || strcmp(name, "bEndpointAddress") == 0;

	(void)fprintf(stream, "%*s%-*s", (int)indent + 2, "", 28 - (int)indent, name);
	if (!is_number) {
		dx_terminal_print_text(stream, dx_string_get(value));
		(void)fputc('\n', stream);
		return;
	}
	(void)fprintf(stream, is_hex ? "0x%0*" PRIx64 : "%.*" PRIu64,
		      !is_hex                            ? 1
		      : name[0] == 'i' || name[1] == 'c' ? 4
							 : 2,
		      number);
	(void)fprintf(stream, "%s%s\n", text[0] == '\0' ? "" : " ", text);
}

static unsigned indent_of(const char *kind)
{
	for (size_t i = 0; i < DX_ARRAY_SIZE(layouts); i++) {
		if (strcmp(layouts[i].name, kind) == 0) {
			return layouts[i].indent;
		}
	}
	return 4;
}

void dx_descriptors_print(const struct dx_array *array, FILE *stream)
{
	for (size_t i = 0; i < dx_array_count(array); i++) {
		const struct dx_dict *dict = dx_array_get(array, i);
		const char *kind = dx_dict_get_string(dict, "descriptor", "");
		unsigned indent = indent_of(kind);
		const char *name = NULL;
		void *value = NULL;

		(void)fprintf(stream, "%*s%s%s descriptor%s\n", (int)indent, "",
			      dx_terminal_style(stream, DX_STYLE_BOLD), kind,
			      dx_terminal_style(stream, DX_STYLE_PLAIN));
		for (size_t k = 1; dx_dict_at(dict, k, &name, &value); k++) {
			print_field(stream, indent, kind, name, value);
		}
	}
}

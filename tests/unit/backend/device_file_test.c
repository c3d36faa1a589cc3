/* SPDX-License-Identifier: MIT
 *
 * device_file - description files: what they describe, what is refused and how it is said.
 */
#include "../usb/fixture.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define HEAD "<?xml version=\"1.0\"?>\n<plist version=\"1.0\"><dict>\n"
#define TAIL "</dict></plist>\n"
#define IDS  "<key>idVendor</key><integer>4660</integer><key>idProduct</key><integer>2</integer>\n"
#define ONE_INTERFACE(inside)                                                                   \
	HEAD IDS "<key>configurations</key><array><dict><key>interfaces</key><array><dict>"     \
	inside "</dict></array></dict></array>" TAIL
#define ENDPOINTS(inside) \
	ONE_INTERFACE("<key>endpoints</key><array><dict>" inside "</dict></array>")
#define ADDRESS(n) "<key>bEndpointAddress</key><integer>" #n "</integer>"

/* 99 bytes of zeros. */
#define ZEROS	  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define LONG_DATA ZEROS ZEROS ZEROS

static const char path[] = "device_file_test.device";

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	CHECK(file != NULL);
	CHECK_EQ(fwrite(text, 1, strlen(text), file), strlen(text));
	CHECK_EQ(fclose(file), 0);
}

static void expect_error(const char *text, const char *problem)
{
	struct dx_usb_device *device = NULL;
	char message[512] = "";
	char expected[512];
	int result = 0;

	write_file(text);
	result = dx_usb_device_attach(fixture_backends, path, -1, message, sizeof(message), &device);
	(void)unlink(path);
	CHECK_EQ(result, -EINVAL);
	(void)snprintf(expected, sizeof(expected), "device \"%s\": %s: %s", path, path, problem);
	CHECK_STR_EQ(message, expected);
}

static const char whole[] = HEAD IDS
	"<key>speed</key><string>high</string><key>product</key><string>Probe</string>\n"
	"<key>configurations</key><array><dict>\n"
	"  <key>name</key><string>only</string><key>selfPowered</key><true/>\n"
	"  <key>interfaces</key><array><dict>\n"
	"    <key>bInterfaceClass</key><integer>255</integer><key>endpoints</key><array>\n"
	"      <dict>" ADDRESS(131) "<key>behaviour</key><string>loopback</string>"
	"            <key>peer</key><integer>4</integer></dict>\n"
	"      <dict>" ADDRESS(4) "<key>behaviour</key><string>loopback</string>"
	"            <key>peer</key><integer>131</integer></dict>\n"
	"    </array></dict><dict>\n"
	"    <key>bInterfaceNumber</key><integer>5</integer><key>endpoints</key><array>\n"
	"      <dict>" ADDRESS(129) "<key>type</key><string>interrupt</string>"
	"            <key>wMaxPacketSize</key><integer>16</integer>"
	"            <key>bInterval</key><integer>4</integer>"
	"            <key>behaviour</key><string>source</string></dict>\n"
	"    </array><key>alternateSettings</key><array><dict>"
	"      <key>name</key><string>quiet</string></dict></array>\n"
	"  </dict></array></dict></array>" TAIL;

TEST(device_file_describes_a_device)
{
	struct dx_usb_device *device = NULL;
	struct dx_usb_interface *interface = NULL;
	struct dx_usb_pipe *pipe = NULL;
	struct dx_dict *dict = NULL;
	uint8_t bytes[16];
	uint32_t actual = 0;

	write_file(whole);
	device = attach("file:device_file_test.device,serial=7");
	(void)unlink(path);
	CHECK_EQ(dx_usb_describe_device(device, &dict), 0);
	CHECK_STR_EQ(dx_dict_get_string(dict, "kUSBProductString", ""), "Probe");
	CHECK_STR_EQ(dx_dict_get_string(dict, "kUSBSerialNumberString", ""), "7");
	CHECK_EQ(dx_array_count(dx_dict_get_array(dict, "interfaces")), 2);
	(void)dx_object_unref(dict);
	CHECK_EQ(dx_usb_device_set_configuration(device, NULL, 1), DX_USB_OK);
	interface = dx_usb_device_copy_interface(device, 1);
	CHECK_EQ(dx_usb_interface_number(interface), 5);
	CHECK_EQ(dx_usb_interface_open(interface, CLIENT, 0, 0), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_copy_pipe(interface, 0x81, &pipe), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(pipe, bytes, 16, 5, &actual), DX_USB_BAD_ARGUMENT);
	CHECK_EQ(dx_usb_pipe_io(pipe, bytes, 16, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, 16);
	CHECK_EQ(dx_usb_interface_select_alternate(interface, 1), DX_USB_OK);
	(void)dx_usb_pipe_unref(pipe);
	(void)dx_usb_interface_unref(interface);
	(void)dx_usb_device_unref(device);
}

TEST(device_file_may_have_class_descriptors_and_associations)
{
	static const uint8_t expected[] = {
		9, 2, 31,   0, 1, 1, 0, 0x80, 50, /* configuration */
		8, 11, 0,   1, 2, 2, 1, 0,        /* association */
		9, 4, 0,    0, 0, 2, 0, 0,    0,  /* interface */
		5, 0x24, 0, 0x10, 1,              /* of its class */
	};
	struct dx_usb_device *device = NULL;
	size_t length = 0;
	const uint8_t *bytes = NULL;

	write_file(ONE_INTERFACE("<key>association</key><dict>"
				 "<key>bInterfaceCount</key><integer>1</integer>"
				 "<key>bFunctionClass</key><integer>2</integer>"
				 "<key>bFunctionSubClass</key><integer>2</integer>"
				 "<key>bFunctionProtocol</key><integer>1</integer></dict>"
				 "<key>bInterfaceClass</key><integer>2</integer>"
				 "<key>classDescriptors</key><data>BSQAEAE=</data>"));
	device = attach("file:device_file_test.device");
	(void)unlink(path);
	bytes = dx_usb_device_configuration_at(device, 0, &length);
	CHECK_EQ(length, sizeof(expected));
	CHECK_MEM_EQ(bytes, expected, sizeof(expected));
	(void)dx_usb_device_unref(device);
}

TEST(device_file_errors_name_file_and_key)
{
	expect_error(HEAD IDS TAIL, "configurations: missing or empty");
	expect_error(HEAD "<key>idVendor</key><integer>1</integer>" TAIL, "idProduct: missing");
	expect_error(HEAD "<key>idVendor</key><string>1</string>" TAIL, "idVendor: not an integer");
	expect_error(HEAD "<key>idVendor</key><integer>65536</integer>" TAIL,
		     "idVendor: 65536 is not in 0..65535");
	expect_error(HEAD "<key>vendor</key><integer>1</integer>" TAIL, "vendor: unknown key");
	expect_error(HEAD "<key>speed</key><string>x</string>" TAIL,
		     "speed: not one of full, low, high, super, super-plus");
	expect_error(HEAD "<key>speed</key><string></string>" TAIL, "speed: empty");
	expect_error(HEAD "<key>speed</key><true/>" TAIL, "speed: not a string");
	expect_error(HEAD IDS "<key>configurations</key><true/>" TAIL,
		     "configurations: not an array");
	expect_error(HEAD IDS "<key>configurations</key><array><true/></array>" TAIL,
		     "configurations[0]: not a dictionary");
	expect_error(HEAD IDS "<key>configurations</key><array><dict/><dict/><dict/><dict/>"
			      "<dict/></array>" TAIL,
		     "configurations: more than 4 entries");
	expect_error(HEAD IDS "<key>configurations</key><array><dict>"
			      "<key>selfPowered</key><integer>1</integer></dict></array>" TAIL,
		     "configurations[0].selfPowered: not true or false");
	expect_error(ENDPOINTS(""), "configurations[0].interfaces[0].endpoints[0]."
				    "bEndpointAddress: missing");
	expect_error(ENDPOINTS(ADDRESS(128)), "configurations[0].interfaces[0].endpoints[0]."
					      "bEndpointAddress: not in 1..15 or 129..143");
	expect_error(ENDPOINTS(ADDRESS(1) "<key>behaviour</key><string>source</string>"),
		     "configurations[0].interfaces[0].endpoints[0].behaviour: an OUT endpoint "
		     "cannot be a source");
	expect_error(ENDPOINTS(ADDRESS(1) "<key>type</key><string>bluk</string>"),
		     "configurations[0].interfaces[0].endpoints[0].type: not one of isochronous, "
		     "bulk, interrupt");
	expect_error(ENDPOINTS(ADDRESS(1) "<key>wMaxPacketSize</key><integer>64</integer>"),
		     "configurations[0].interfaces[0].endpoints[0].wMaxPacketSize: not a size for "
		     "bulk at this speed");
	expect_error(ENDPOINTS(ADDRESS(1) "<key>behaviour</key><string>loopback</string>"),
		     "configurations[0].interfaces[0].endpoints: a loopback's peer is missing, no "
		     "loopback, or of another size");
	expect_error(ENDPOINTS(ADDRESS(1) "</dict><dict>" ADDRESS(1)),
		     "configurations[0].interfaces[0].endpoints[1].bEndpointAddress: used twice");
	expect_error(ONE_INTERFACE("<key>classDescriptors</key><integer>1</integer>"),
		     "configurations[0].interfaces[0].classDescriptors: not data");
	expect_error(ONE_INTERFACE("<key>classDescriptors</key><data>BSQAEA==</data>"),
		     "configurations[0].interfaces[0].classDescriptors: not whole descriptors of "
		     "types from 0x21 on");
	expect_error(ONE_INTERFACE("<key>classDescriptors</key><data>CQQAAAD/AAAA</data>"),
		     "configurations[0].interfaces[0].classDescriptors: not whole descriptors of "
		     "types from 0x21 on");
	expect_error(ONE_INTERFACE("<key>classDescriptors</key><data>" LONG_DATA "</data>"),
		     "configurations[0].interfaces[0].classDescriptors: more than 96 bytes");
	expect_error(ONE_INTERFACE("<key>association</key><array/>"),
		     "configurations[0].interfaces[0].association: not a dictionary");
	expect_error(ONE_INTERFACE("<key>association</key><dict/>"),
		     "configurations[0].interfaces[0].association.bInterfaceCount: missing");
	expect_error(ONE_INTERFACE("<key>association</key><dict><key>x</key><true/></dict>"),
		     "configurations[0].interfaces[0].association.x: unknown key");
	expect_error("<plist><array/></plist>", "the property list is not a dictionary");
}

/* Those that are installed as a beginning for others. */
TEST(device_file_examples_are_devices)
{
	const char *directory = getenv("OPENDEXT_TEST_DEVICES");
	DIR *devices = directory == NULL ? NULL : opendir(directory);
	const struct dirent *entry = NULL;
	unsigned nr_devices = 0;

	CHECK(devices != NULL);
	for (entry = readdir(devices); entry != NULL; entry = readdir(devices)) {
		struct dx_usb_device *device = NULL;
		char spec[1024];

		if (entry->d_name[0] == '.') {
			continue;
		}
		(void)snprintf(spec, sizeof(spec), "%s/%s", directory, entry->d_name);
		device = attach(spec);
		CHECK_EQ(dx_usb_device_set_configuration(device, NULL, 1), DX_USB_OK);
		(void)dx_usb_device_unref(device);
		nr_devices++;
	}
	CHECK_EQ(closedir(devices), 0);
	CHECK_GE(nr_devices, 5);
}

TEST(device_file_that_is_no_property_list_names_the_file)
{
	struct dx_usb_device *device = NULL;
	char message[512] = "";
	int result = 0;

	write_file("<?xml version=\"1.0\"?>\n<plist>\n<dict>\n<key>a</key>\n</plist>\n");
	result = dx_usb_device_attach(fixture_backends, path, -1, message, sizeof(message), &device);
	(void)unlink(path);
	CHECK_EQ(result, -EINVAL);
	CHECK(strstr(message, path) != NULL);
	CHECK(strstr(message, "not a property list") != NULL);
}

TEST(device_file_that_cannot_be_read_says_why)
{
	struct dx_usb_device *device = NULL;
	char message[512] = "";

	CHECK_EQ(dx_usb_device_attach(fixture_backends, "file:/no/such", -1, message, sizeof(message),
				      &device),
		 -ENOENT);
	CHECK_STR_EQ(message, "device \"file:/no/such\": /no/such: No such file or directory");
	CHECK_EQ(dx_usb_device_attach(fixture_backends, "file:/", -1, message, sizeof(message),
				      &device),
		 -EISDIR);
	CHECK_EQ(dx_usb_device_attach(fixture_backends, "file:/dev/null", -1, message,
				      sizeof(message), &device),
		 -EINVAL);
}

/* SPDX-License-Identifier: MIT
 *
 * configure_test - interfaces: who makes them appear, who drives them, and in which process.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"
#include "test.h"

#define GADGET                                                                                     \
	"<key>idVendor</key><integer>1317</integer><key>idProduct</key><integer>42144</integer>"
#define PAIR "<key>idVendor</key><integer>4660</integer><key>idProduct</key><integer>1</integer>"
#define PLACE(number, value)                                                                       \
	"<key>bInterfaceNumber</key><integer>" #number "</integer>"                                \
	"<key>bConfigurationValue</key><integer>" #value "</integer>"
#define CATEGORY(name) "<key>IOMatchCategory</key><string>" name "</string>"

/* Two interfaces, one of class 3, one of class 10. */
static void write_pair(struct fixture *fixture, unsigned device_class, char *spec, size_t size)
{
	static const char format[] =
		"<plist version=\"1.0\"><dict>" PAIR
		"<key>product</key><string>Pair</string>"
		"<key>bDeviceClass</key><integer>%u</integer>"
		"<key>bDeviceSubClass</key><integer>%u</integer>"
		"<key>bDeviceProtocol</key><integer>%u</integer>"
		"<key>configurations</key><array><dict><key>interfaces</key><array>"
		"<dict><key>bInterfaceClass</key><integer>3</integer>"
		"<key>name</key><string>Left</string></dict>"
		"<dict><key>bInterfaceClass</key><integer>10</integer>"
		"<key>name</key><string>Right</string></dict>"
		"</array></dict></array></dict></plist>";
	FILE *file = NULL;

	fixture_path(fixture, "pair.device", spec, size);
	file = fopen(spec, "w");
	CHECK(file != NULL);
	(void)fprintf(file, format, device_class, device_class == 239 ? 2 : 0,
		      device_class == 239 ? 1 : 0);
	CHECK_EQ(fclose(file), 0);
}

static uint64_t parent_of(int client, uint64_t id)
{
	struct dx_dict *entry = client_entry(client, id);
	uint64_t parent = dx_dict_get_u64(entry, DX_ENTRY_PARENT_KEY, 0);

	dx_object_unref(entry);
	return parent;
}

static unsigned nr_children(int client, uint64_t id)
{
	struct dx_dict *entry = client_entry(client, id);
	unsigned count = (unsigned)dx_array_count(dx_dict_get_array(entry, DX_ENTRY_CHILDREN_KEY));

	dx_object_unref(entry);
	return count;
}

static uint64_t property_of(int client, uint64_t id, const char *key)
{
	struct dx_dict *entry = client_entry(client, id);
	uint64_t value =
		dx_dict_get_u64(dx_dict_get_dict(entry, DX_ENTRY_PROPERTIES_KEY), key, 999);

	dx_object_unref(entry);
	return value;
}

TEST(composite_devices_show_their_interfaces_and_others_do_not)
{
	static const struct {
		unsigned device_class;
		bool shows;
	} cases[] = {{0, true}, {2, true}, {239, true}, {255, false}, {9, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture fixture;
		char spec[400];
		int client = -1;
		uint64_t device = 0;

		fixture_init(&fixture);
		fixture_bundle(&fixture, "Right", "GoodRight", "IOUSBHostInterface",
			       "<key>bInterfaceClass</key><integer>10</integer>"
			       "<key>bInterfaceSubClass</key><integer>0</integer>");
		write_pair(&fixture, cases[i].device_class, spec, sizeof(spec));
		fixture.devices[fixture.options.nr_devices++] = spec;
		client = fixture_start_client(&fixture);
		device = client_find(client, "Pair");
		CHECK_NE(device, 0);
		CHECK_EQ(client_find(client, "Left") != 0, cases[i].shows);
		CHECK_EQ(client_find(client, "GoodRight") != 0, cases[i].shows);
		CHECK_EQ(property_of(client, device, "kUSBCurrentConfiguration"),
			 cases[i].shows ? 1 : 0);
		if (cases[i].shows) {
			CHECK_EQ(parent_of(client, client_find(client, "Left")), device);
			CHECK_EQ(parent_of(client, client_find(client, "GoodRight")),
				 client_find(client, "Right"));
		}
		fixture_end(&fixture, client);
	}
}

TEST(driver_of_a_composite_device_keeps_its_interfaces_away)
{
	struct fixture fixture;
	char spec[400];
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Whole", "GoodWhole", "IOUSBHostDevice", PAIR);
	fixture_bundle(&fixture, "Left", "GoodLeft", "IOUSBHostInterface", PAIR PLACE(0, 1));
	write_pair(&fixture, 0, spec, sizeof(spec));
	fixture.devices[fixture.options.nr_devices++] = spec;
	client = fixture_start_client(&fixture);
	CHECK_NE(client_find(client, "GoodWhole"), 0);
	CHECK_EQ(client_find(client, "Left"), 0);
	/* Without it, the built-in driver has its turn. */
	CHECK_EQ(client_text(client, DX_WIRE_A_UNLOAD, "test.Whole", NULL, 0), 0);
	(void)client_wait_find(client, "GoodLeft");
	fixture_end(&fixture, client);
}

TEST(driver_of_another_category_and_a_lower_score_leave_the_interfaces)
{
	struct fixture fixture;
	char spec[400];
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Beside", "GoodBeside", "IOUSBHostDevice",
		       PAIR CATEGORY("test.beside"));
	fixture_bundle(&fixture, "Low", "GoodLow", "IOUSBHostDevice",
		       "<key>bDeviceClass</key><integer>0</integer>"
		       "<key>bDeviceSubClass</key><integer>0</integer>");
	write_pair(&fixture, 0, spec, sizeof(spec));
	fixture.devices[fixture.options.nr_devices++] = spec;
	client = fixture_start_client(&fixture);
	CHECK_NE(client_find(client, "GoodBeside"), 0);
	CHECK_EQ(client_find(client, "GoodLow"), 0);
	CHECK_NE(client_find(client, "Left"), 0);
	fixture_end(&fixture, client);
}

TEST(driver_that_fails_to_start_leaves_the_device_to_the_composite_driver)
{
	struct fixture fixture;
	char spec[400];
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Whole", "FailStart", "IOUSBHostDevice", PAIR);
	write_pair(&fixture, 0, spec, sizeof(spec));
	fixture.devices[fixture.options.nr_devices++] = spec;
	client = fixture_start_client(&fixture);
	CHECK_EQ(client_find(client, "FailStart"), 0);
	CHECK_NE(client_find(client, "Left"), 0);
	fixture_end(&fixture, client);
}

TEST(driver_that_is_loaded_later_gets_a_device_whose_interfaces_nobody_uses)
{
	struct fixture fixture;
	char spec[400];
	char path[400];
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Whole", "GoodWhole", "IOUSBHostDevice", PAIR);
	fixture_bundle(&fixture, "Left", "GoodLeft", "IOUSBHostInterface", PAIR PLACE(0, 1));
	fixture.options.nr_bundles = 0;
	write_pair(&fixture, 0, spec, sizeof(spec));
	fixture.devices[fixture.options.nr_devices++] = spec;
	client = fixture_start_client(&fixture);
	CHECK_NE(client_find(client, "Left"), 0);
	fixture_path(&fixture, "Whole.dext", path, sizeof(path));
	CHECK_EQ(client_text(client, DX_WIRE_A_LOAD, path, NULL, 0), 0);
	(void)client_wait_find(client, "GoodWhole");
	CHECK_EQ(client_find(client, "Left"), 0);
	/* ... and not one whose interface has a driver. */
	CHECK_EQ(client_text(client, DX_WIRE_A_UNLOAD, "test.Whole", NULL, 0), 0);
	fixture_path(&fixture, "Left.dext", path, sizeof(path));
	CHECK_EQ(client_text(client, DX_WIRE_A_LOAD, path, NULL, 0), 0);
	(void)client_wait_find(client, "GoodLeft");
	fixture_path(&fixture, "Whole.dext", path, sizeof(path));
	CHECK_EQ(client_text(client, DX_WIRE_A_LOAD, path, NULL, 0), 0);
	client_wait_quiet(client);
	CHECK_EQ(client_find(client, "GoodWhole"), 0);
	CHECK_NE(client_find(client, "GoodLeft"), 0);
	fixture.options.nr_bundles = 2; /* to be freed */
	fixture_end(&fixture, client);
}

/* One bundle with a driver for the device and one for an interface. */
static void write_both(struct fixture *fixture, const char *device_class)
{
	char info[4096];

	(void)snprintf(info, sizeof(info),
		       "<plist version=\"1.0\"><dict>"
		       "<key>CFBundleIdentifier</key><string>test.both</string>"
		       "<key>IOKitPersonalities</key><dict>"
		       "<key>Device</key><dict>" GADGET CATEGORY("test.both")
		       "<key>IOProviderClass</key><string>IOUSBHostDevice</string>"
		       "<key>IOUserClass</key><string>%s</string></dict>"
		       "<key>Interface</key><dict>" GADGET PLACE(0, 2) CATEGORY("test.both")
		       "<key>IOClass</key><string>AppleUserHIDDevice</string>"
		       "<key>IOResourceMatch</key><string>IOKit</string>"
		       "<key>IOProviderClass</key><string>IOUSBHostInterface</string>"
		       "<key>IOUserClass</key><string>GoodInterface</string></dict>"
		       "</dict></dict></plist>",
		       device_class);
	fixture_write_bundle(fixture, "both", info, true);
	fixture->bundles[0] = strdup(fixture->directory);
	fixture->options.nr_bundles = 1;
	fixture->devices[fixture->options.nr_devices++] = "virtual:gadget-zero";
}

TEST(configuration_with_matching_starts_the_interface_driver_in_the_same_process)
{
	struct fixture fixture;
	struct dx_dict *entry = NULL;
	int client = -1;
	uint64_t service = 0;

	fixture_init(&fixture);
	write_both(&fixture, "Configure2Match");
	client = fixture_start_client(&fixture);
	service = client_wait_find(client, "GoodInterface");
	client_wait_quiet(client);
	CHECK_EQ(fixture.nr_launched, 1); /* J5 */
	CHECK_EQ(property_of(client, client_find(client, "Gadget Zero"),
			     "kUSBCurrentConfiguration"),
		 2);
	CHECK_EQ(property_of(client, parent_of(client, service), "bConfigurationValue"), 2);
	entry = client_entry(client, service);
	CHECK_STR_EQ(dx_string_get(dx_array_get(dx_dict_get_array(entry, DX_ENTRY_CLASSES_KEY), 0)),
		     "AppleUserHIDDevice");
	dx_object_unref(entry);
	fixture_end(&fixture, client);
}

TEST(configuration_without_matching_only_shows_the_interface)
{
	struct fixture fixture;
	uint64_t device = 0;
	int client = -1;

	fixture_init(&fixture);
	write_both(&fixture, "Configure2");
	client = fixture_start_client(&fixture);
	client_wait_quiet(client);
	device = client_find(client, "Gadget Zero");
	CHECK_EQ(nr_children(client, device), 2); /* the driver and the interface */
	CHECK_EQ(client_count(client, "IOUSBHostInterface"), 0); /* not registered */
	CHECK_EQ(client_find(client, "GoodInterface"), 0);
	CHECK_NE(client_find(client, "Configure2"), 0);
	fixture_end(&fixture, client);
}

TEST(configuration_that_nobody_described_shows_nothing)
{
	struct fixture fixture;
	int client = -1;

	fixture_init(&fixture);
	write_both(&fixture, "Configure9Match");
	client = fixture_start_client(&fixture);
	client_wait_quiet(client);
	CHECK_EQ(nr_children(client, client_find(client, "Gadget Zero")), 1);
	CHECK_NE(client_find(client, "Configure9Match"), 0);
	fixture_end(&fixture, client);
}

TEST(new_configuration_takes_the_old_interfaces_and_their_drivers_away)
{
	struct fixture fixture;
	char path[400];
	uint64_t old = 0;
	int client = -1;

	fixture_init(&fixture);
	write_both(&fixture, "Configure2Match");
	fixture_bundle(&fixture, "Second", "Configure3Match", "IOUSBHostDevice",
		       GADGET CATEGORY("test.second"));
	fixture.options.nr_bundles = 0;
	client = fixture_start_client(&fixture);
	fixture_path(&fixture, "both.dext", path, sizeof(path));
	CHECK_EQ(client_text(client, DX_WIRE_A_LOAD, path, NULL, 0), 0);
	old = client_wait_find(client, "GoodInterface");
	fixture_path(&fixture, "Second.dext", path, sizeof(path));
	CHECK_EQ(client_text(client, DX_WIRE_A_LOAD, path, NULL, 0), 0);
	client_wait_gone(client, old);
	client_wait_quiet(client);
	CHECK_EQ(client_find(client, "GoodInterface"), 0); /* it wants configuration 2 */
	CHECK_EQ(property_of(client, client_find(client, "IOUSBHostInterface"),
			     "bConfigurationValue"),
		 3);
	fixture.options.nr_bundles = 2; /* to be freed */
	fixture_end(&fixture, client);
}

TEST(interfaces_go_with_the_driver_that_configured_the_device)
{
	struct fixture fixture;
	uint64_t device = 0;
	int client = -1;

	fixture_init(&fixture);
	write_both(&fixture, "Configure2Match");
	client = fixture_start_client(&fixture);
	(void)client_wait_find(client, "GoodInterface");
	device = client_find(client, "Gadget Zero");
	CHECK_EQ(client_text(client, DX_WIRE_A_UNLOAD, "test.both", NULL, 0), 0);
	client_wait_count(client, "IOUSBHostInterface", 0);
	CHECK_EQ(nr_children(client, device), 0);
	CHECK_EQ(client_find(client, "Gadget Zero"), device);
	fixture_end(&fixture, client);
}

TEST(configuration_of_somebody_elses_device_breaks_the_host)
{
	struct fixture fixture;
	int client = -1;

	fixture_init(&fixture);
	/* IOUserResources is no device, and no driver of this host drives it as one. */
	fixture_bundle(&fixture, "Liar", "Configure1", "IOUserResources", "");
	fixture.options.restart_delay_ms = 10000;
	fixture_start(&fixture);
	client = client_connect(&fixture);
	client_wait_quiet(client);
	client_wait_not_found(client, "Configure1");
	fixture_end(&fixture, client);
}

/* SPDX-License-Identifier: MIT
 *
 * matching_test - every key of the common table, every row of the USB tables, and what people are
 * told when something does not fit.
 */
#include "daemon/matching.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/plist.h"
#include "test.h"

static struct dx_registry *registry;
static struct dx_entry *device;
static struct dx_entry *interface;
static struct dx_entry *service;

/* <dict> from XML without the outside. */
static struct dx_dict *xml(const char *inside)
{
	char text[4096];
	void *value = NULL;

	(void)snprintf(text, sizeof(text), "<plist version=\"1.0\"><dict>%s</dict></plist>", inside);
	CHECK_EQ(dx_plist_decode(text, strlen(text), &value, NULL), 0);
	return value;
}

#define S(key, value) "<key>" key "</key><string>" value "</string>"
#define N(key, value) "<key>" key "</key><integer>" #value "</integer>"
#define NS(key, value) "<key>" key "</key><integer>" value "</integer>"

static struct dx_entry *add(struct dx_entry *parent, const char *class_name, const char *name,
			    const char *properties)
{
	struct dx_dict *dict = xml(properties);
	struct dx_entry *entry = NULL;

	CHECK_EQ(dx_registry_add(parent, 0, class_name, name, dict, &entry), 0);
	dx_object_unref(dict);
	return entry;
}

static void setup(unsigned device_class, unsigned interface_class)
{
	char text[1024];
	struct dx_dict *user = NULL;

	CHECK_EQ(dx_registry_new(NULL, NULL, &registry), 0);
	(void)snprintf(text, sizeof(text),
		       N("idVendor", 10) N("idProduct", 20) N("bcdDevice", 256) N("USBSpeed", 4)
		       N("locationID", 77) N("bDeviceSubClass", 2) N("bDeviceProtocol", 3)
		       "<key>bDeviceClass</key><integer>%u</integer>", device_class);
	device = add(dx_registry_root(registry), "IOUSBHostDevice", "Dev", text);
	(void)snprintf(text, sizeof(text),
		       N("idVendor", 10) N("idProduct", 20) N("bcdDevice", 256) N("USBSpeed", 4)
		       N("bInterfaceNumber", 0) N("bConfigurationValue", 1)
		       N("bInterfaceSubClass", 6) N("bInterfaceProtocol", 80)
		       "<key>bInterfaceClass</key><integer>%u</integer>", interface_class);
	interface = add(device, "IOUSBHostInterface", "If", text);
	(void)snprintf(interface->location, sizeof(interface->location), "0");
	service = add(interface, "IOUserService", "Svc", S("IOUserClass", "Svc") N("own", 1));
	user = xml(N("own", 2) S("extra", "yes"));
	CHECK_EQ(dx_entry_merge_user_properties(service, user), 0);
	dx_object_unref(user);
}

static void teardown(void)
{
	registry = dx_registry_free(registry);
}

static bool fits(const struct dx_entry *entry, const char *table)
{
	struct dx_dict *dict = xml(table);
	struct dx_why why = {0};
	bool quick = dx_match_table(dict, entry, NULL);
	bool thorough = dx_match_table(dict, entry, &why);

	CHECK_EQ(quick, thorough);		   /* N1 */
	CHECK_EQ(why.nr_reasons == 0, thorough); /* a refusal has a reason */
	dx_object_unref(dict);
	return quick;
}

TEST(matching_empty_table_fits_everything)
{
	setup(0, 8);
	CHECK(fits(service, ""));
	CHECK(fits(device, ""));
	teardown();
}

TEST(matching_provider_class_takes_derived_classes_and_kernel_names_only)
{
	setup(0, 8);
	CHECK(fits(service, S("IOProviderClass", "IOUserService")));
	CHECK(fits(service, S("IOProviderClass", "IOService")));
	CHECK(!fits(service, S("IOProviderClass", "Svc")));
	CHECK(!fits(service, N("IOProviderClass", 1)));
	CHECK(fits(device, S("IOProviderClass", "IOUSBDevice")));
	teardown();
}

TEST(matching_name_is_one_or_several)
{
	setup(0, 8);
	CHECK(fits(service, S("IONameMatch", "Svc")));
	CHECK(!fits(service, S("IONameMatch", "svc")));
	CHECK(fits(service, "<key>IONameMatch</key><array><string>a</string><string>Svc</string></array>"));
	CHECK(!fits(service, "<key>IONameMatch</key><array/>"));
	CHECK(!fits(service, N("IONameMatch", 1)));
	teardown();
}

TEST(matching_location)
{
	setup(0, 8);
	CHECK(fits(interface, S("IOLocationMatch", "0")));
	CHECK(!fits(interface, S("IOLocationMatch", "1")));
	CHECK(!fits(service, S("IOLocationMatch", "")));
	CHECK(!fits(interface, N("IOLocationMatch", 0)));
	teardown();
}

TEST(matching_properties_merge_those_of_the_driver)
{
	setup(0, 8);
	CHECK(fits(service, "<key>IOPropertyMatch</key><dict>" S("IOUserClass", "Svc") N("own", 2)
			    "</dict>"));
	CHECK(!fits(service, "<key>IOPropertyMatch</key><dict>" N("own", 1) "</dict>"));
	CHECK(!fits(service, "<key>IOPropertyMatch</key><dict>" N("missing", 1) "</dict>"));
	CHECK(fits(service, "<key>IOPropertyMatch</key><array><dict>" N("own", 9) "</dict><dict>"
			    S("extra", "yes") "</dict></array>"));
	CHECK(!fits(service, "<key>IOPropertyMatch</key><array/>"));
	CHECK(!fits(service, S("IOPropertyMatch", "own")));
	teardown();
}

TEST(matching_property_exists)
{
	setup(0, 8);
	CHECK(fits(service, S("IOPropertyExistsMatch", "extra")));
	CHECK(!fits(service, S("IOPropertyExistsMatch", "missing")));
	CHECK(fits(service, "<key>IOPropertyExistsMatch</key><array><string>missing</string>"
			    "<string>own</string></array>"));
	CHECK(!fits(service, N("IOPropertyExistsMatch", 1)));
	teardown();
}

TEST(matching_path_id_count_and_parent)
{
	char text[200];

	setup(0, 8);
	CHECK(fits(service, S("IOPathMatch", "IOService:/Dev/If@0/Svc")));
	CHECK(!fits(service, S("IOPathMatch", "IOService:/Dev")));
	CHECK(!fits(service, N("IOPathMatch", 1)));
	(void)snprintf(text, sizeof(text), "<key>IORegistryEntryID</key><integer>%llu</integer>",
		       (unsigned long long)service->id);
	CHECK(fits(service, text));
	CHECK(!fits(device, text));
	CHECK(!fits(service, S("IORegistryEntryID", "1")));
	CHECK(fits(service, N("IOMatchedServiceCountMatch", 0)));
	CHECK(!fits(service, N("IOMatchedServiceCountMatch", 1)));
	CHECK(!fits(service, S("IOMatchedServiceCountMatch", "0")));
	CHECK(fits(service, "<key>IOParentMatch</key><dict>" S("IONameMatch", "Dev") "</dict>"));
	CHECK(!fits(service, "<key>IOParentMatch</key><dict>" S("IONameMatch", "Svc") "</dict>"));
	CHECK(!fits(service, S("IOParentMatch", "Dev")));
	CHECK(fits(service, "<key>IOParentMatch</key><dict>" S("IONameMatch", "If")
			    "<key>IOParentMatch</key><dict>" S("IONameMatch", "Dev") "</dict></dict>"));
	teardown();
}

TEST(matching_all_keys_must_fit)
{
	setup(0, 8);
	CHECK(fits(service, S("IOProviderClass", "IOService") S("IONameMatch", "Svc")));
	CHECK(!fits(service, S("IOProviderClass", "IOService") S("IONameMatch", "other")));
	CHECK(!fits(service, S("IOProviderClass", "IOUserClient") S("IONameMatch", "Svc")));
	teardown();
}

TEST(matching_resource_is_there_or_never_will_be)
{
	setup(0, 8);
	CHECK(fits(service, S("IOResourceMatch", "IOKit")));
	CHECK(!fits(service, S("IOResourceMatch", "IOBSD")));
	CHECK(!fits(service, N("IOResourceMatch", 1)));
	teardown();
}

/* Score of a USB personality; 0: it does not fit. */
static int64_t score(const struct dx_entry *entry, const char *keys)
{
	char text[2048];
	struct dx_dict *dict = NULL;
	struct dx_why why = {0};
	int64_t quick = 0;
	int64_t thorough = 0;
	bool matches = false;

	(void)snprintf(text, sizeof(text), S("IOProviderClass", "%s") "%s", entry->class_name, keys);
	dict = xml(text);
	matches = dx_match_personality(dict, entry, &quick, NULL);
	CHECK_EQ(dx_match_personality(dict, entry, &thorough, &why), matches);
	CHECK_EQ(quick, thorough);
	CHECK_EQ(why.nr_reasons == 0, matches);
	dx_object_unref(dict);
	return matches ? quick : 0;
}

#define VID N("idVendor", 10)
#define PID N("idProduct", 20)
#define REL N("bcdDevice", 256)
#define DSUB N("bDeviceSubClass", 2)
#define DPROTO N("bDeviceProtocol", 3)
#define ISUB N("bInterfaceSubClass", 6)
#define IPROTO N("bInterfaceProtocol", 80)
#define PLACE N("bInterfaceNumber", 0) N("bConfigurationValue", 1)

TEST(usb_device_combinations_have_their_scores)
{
	setup(9, 8);
	CHECK_EQ(score(device, VID PID REL), 100000);
	CHECK_EQ(score(device, VID PID), 90000);
	CHECK_EQ(score(device, VID DSUB DPROTO), 0); /* only for vendor-specific classes */
	CHECK_EQ(score(device, VID DSUB), 0);
	CHECK_EQ(score(device, N("bDeviceClass", 9) DSUB DPROTO), 60000);
	CHECK_EQ(score(device, N("bDeviceClass", 9) DSUB), 50000);
	teardown();
	setup(255, 8);
	CHECK_EQ(score(device, VID PID REL), 100000);
	CHECK_EQ(score(device, VID DSUB DPROTO), 80000);
	CHECK_EQ(score(device, VID DSUB), 70000);
	CHECK_EQ(score(device, VID N("bDeviceClass", 255) DSUB DPROTO), 80000);
	CHECK_EQ(score(device, VID N("bDeviceClass", 255) DSUB), 70000);
	CHECK_EQ(score(device, N("bDeviceClass", 255) DSUB DPROTO), 0);
	CHECK_EQ(score(device, N("bDeviceClass", 255) DSUB), 0);
	teardown();
}

TEST(usb_interface_combinations_have_their_scores)
{
	setup(0, 8);
	CHECK_EQ(score(interface, VID PID PLACE REL), 100000);
	CHECK_EQ(score(interface, VID PID PLACE), 90000);
	CHECK_EQ(score(interface, N("bInterfaceClass", 8) ISUB IPROTO), 60000);
	CHECK_EQ(score(interface, N("bInterfaceClass", 8) ISUB), 50000);
	CHECK_EQ(score(interface, VID ISUB IPROTO), 0);
	CHECK_EQ(score(interface, VID PID), 0);
	CHECK_EQ(score(interface, VID PID N("bInterfaceNumber", 0)), 0);
	teardown();
	setup(0, 255);
	CHECK_EQ(score(interface, VID ISUB IPROTO), 80000);
	CHECK_EQ(score(interface, VID ISUB), 70000);
	CHECK_EQ(score(interface, VID N("bInterfaceClass", 255) ISUB), 70000);
	CHECK_EQ(score(interface, N("bInterfaceClass", 255) ISUB IPROTO), 0);
	teardown();
}

TEST(usb_products_may_be_an_array_or_masked)
{
	setup(9, 8);
	CHECK_EQ(score(device, VID "<key>idProductArray</key><array><integer>1</integer>"
			       "<integer>20</integer></array>"),
		 90000);
	CHECK_EQ(score(device, VID REL "<key>idProductArray</key><array><integer>20</integer></array>"),
		 100000);
	CHECK_EQ(score(device, VID "<key>idProductArray</key><array><integer>1</integer></array>"), 0);
	CHECK_EQ(score(device, VID N("idProductArray", 20)), 0);
	CHECK_EQ(score(device, VID PID "<key>idProductArray</key><array><integer>20</integer></array>"),
		 0);
	CHECK_EQ(score(device, VID N("idProduct", 23) N("idProductMask", 65532)), 90000);
	CHECK_EQ(score(device, VID N("idProduct", 24) N("idProductMask", 65532)), 0);
	CHECK_EQ(score(device, VID N("idProductMask", 65532)), 0);
	CHECK_EQ(score(device, VID PID S("idProductMask", "all")), 0);
	teardown();
}

TEST(usb_extra_keys_are_allowed_but_must_fit)
{
	setup(9, 8);
	CHECK_EQ(score(device, VID PID N("USBSpeed", 4)), 90000);
	CHECK_EQ(score(device, VID PID N("USBSpeed", 3)), 0);
	CHECK_EQ(score(device, VID PID N("locationID", 77)), 90000);
	CHECK_EQ(score(device, VID PID N("USBPortType", 1)), 0); /* the device does not say */
	teardown();
}

TEST(usb_ids_may_be_a_star_for_any)
{
	setup(9, 8);
	CHECK_EQ(score(device, S("idVendor", "*") PID), 90000);
	CHECK_EQ(score(device, VID S("idProduct", "*")), 90000);
	CHECK_EQ(score(interface, S("idVendor", "*") S("idProduct", "*") PLACE), 90000);
	CHECK_EQ(score(interface, S("idVendor", "*") S("idProduct", "*") N("bInterfaceNumber", 1)
						     N("bConfigurationValue", 1)),
		 0);
	CHECK_EQ(score(device, S("idVendor", "**") PID), 0);
	CHECK_EQ(score(device, VID S("idProduct", "*") N("idProductMask", 65532)), 0);
	teardown();
}

TEST(usb_other_combinations_types_and_values_do_not_fit)
{
	setup(9, 8);
	CHECK_EQ(score(device, ""), 0);
	CHECK_EQ(score(device, VID), 0);
	CHECK_EQ(score(device, PID), 0);
	CHECK_EQ(score(device, VID PID DSUB), 0);
	CHECK_EQ(score(device, VID PID N("IOProbeScore", 1)), 0);
	CHECK_EQ(score(device, N("idVendor", 11) PID), 0);
	CHECK_EQ(score(device, VID N("idProduct", 21)), 0);
	CHECK_EQ(score(device, VID PID N("bcdDevice", 257)), 0);
	CHECK_EQ(score(device, S("idVendor", "10") PID), 0);
	CHECK_EQ(score(device, VID PID S("bcdDevice", "*")), 0);
	CHECK_EQ(score(device, VID PID N("bInterfaceNumber", 0)), 0); /* a key for interfaces */
	CHECK_EQ(score(interface, VID PID PLACE N("bDeviceClass", 9)), 0);
	teardown();
}

TEST(usb_application_tables_follow_the_same_rules)
{
	setup(9, 8);
	CHECK(fits(device, S("IOProviderClass", "IOUSBHostDevice")));
	CHECK(fits(device, S("IOProviderClass", "IOUSBHostDevice") VID PID));
	CHECK(!fits(device, S("IOProviderClass", "IOUSBHostDevice") VID));
	CHECK(fits(device, N("USBSpeed", 4)));
	CHECK(!fits(device, N("USBSpeed", 1)));
	CHECK(fits(service, VID)); /* means nothing to other classes */
	teardown();
}

TEST(personality_elsewhere_uses_its_own_score)
{
	struct dx_dict *dict = NULL;
	int64_t result = 0;

	setup(0, 8);
	dict = xml(S("IOProviderClass", "IOUserService") S("IONameMatch", "Svc") N("IOProbeScore", 7));
	CHECK(dx_match_personality(dict, service, &result, NULL));
	CHECK_EQ(result, 7);
	dx_object_unref(dict);
	dict = xml(S("IOProviderClass", "IOUserService") NS("IOProbeScore", "-7"));
	CHECK(dx_match_personality(dict, service, &result, NULL));
	CHECK_EQ(result, -7);
	dx_object_unref(dict);
	dict = xml(S("IONameMatch", "Svc"));
	CHECK(!dx_match_personality(dict, service, &result, NULL));
	dx_object_unref(dict);
	teardown();
}

static void check_reason(const struct dx_why *why, const char *key, const char *part)
{
	for (size_t i = 0; i < why->nr_reasons; i++) {
		if (strcmp(why->reasons[i].key, key) == 0 &&
		    strstr(why->reasons[i].text, part) != NULL) {
			return;
		}
	}
	FAIL("no reason for %s that says \"%s\"", key, part);
}

TEST(why_not_names_every_key_at_fault)
{
	struct dx_dict *dict = NULL;
	struct dx_why why = {0};
	int64_t result = 0;

	setup(9, 8);
	dict = xml(S("IOProviderClass", "IOUSBHostDevice") N("idVendor", 11) N("idProduct", 21)
		   N("USBSpeed", 3) S("IONameMatch", "Other") N("IOProbeScore", 1));
	CHECK(!dx_match_personality(dict, device, &result, &why));
	check_reason(&why, "idVendor", "wants 11 (0xb), the provider has 10 (0xa)");
	check_reason(&why, "idProduct", "wants 21");
	check_reason(&why, "USBSpeed", "wants 3");
	check_reason(&why, "IONameMatch", "Dev");
	check_reason(&why, "IOProbeScore", "leave it out");
	dx_object_unref(dict);
	why.nr_reasons = 0;
	dict = xml(S("IOProviderClass", "IOUSBHostDevice") VID DSUB);
	CHECK(!dx_match_personality(dict, device, &result, &why));
	check_reason(&why, "bDeviceClass", "255 (vendor-specific)");
	dx_object_unref(dict);
	teardown();
}

struct documented_row {
	unsigned keys;
	unsigned optional;
	int only; /* 1: class 255; -1: other classes; 0: any */
	int64_t score;
};

/* All subsets of the keys of one family, against the documented rows. */
struct documented {
	const char *const *keys; /* XML of each, with the values of the provider */
	unsigned nr_keys;
	const struct documented_row *rows;
	unsigned nr_rows;
};

static int64_t documented_score(const struct documented *table, unsigned keys, bool is_255)
{
	for (unsigned i = 0; i < table->nr_rows; i++) {
		if ((keys & ~table->rows[i].optional) == table->rows[i].keys &&
		    (table->rows[i].only == 0 || (table->rows[i].only == 1) == is_255)) {
			return table->rows[i].score;
		}
	}
	return 0;
}

static void check_all(const struct documented *table, const struct dx_entry *entry, bool is_255)
{
	for (unsigned keys = 0; keys < 1u << table->nr_keys; keys++) {
		char text[1024] = "";
		size_t length = 0;

		for (unsigned i = 0; i < table->nr_keys; i++) {
			if ((keys & 1u << i) != 0) {
				length += (size_t)snprintf(text + length, sizeof(text) - length,
							   "%s", table->keys[i]);
			}
		}
		if (score(entry, text) != documented_score(table, keys, is_255)) {
			FAIL("%s: %lld", text, (long long)score(entry, text));
		}
	}
}

TEST(usb_every_combination_of_keys_is_a_row_or_no_match)
{
	static const char *const other_keys[] = {VID, PID, REL, N("bDeviceClass", 9), DSUB, DPROTO};
	static const char *const own_keys[] = {VID, PID, REL, N("bDeviceClass", 255), DSUB, DPROTO};
	static const char *const other_places[] = {VID,  PID,	 REL, N("bInterfaceClass", 8),
						   ISUB, IPROTO, N("bInterfaceNumber", 0),
						   N("bConfigurationValue", 1)};
	static const char *const own_places[] = {VID,  PID,	REL, N("bInterfaceClass", 255),
						 ISUB, IPROTO, N("bInterfaceNumber", 0),
						 N("bConfigurationValue", 1)};
	/* Bits: 1 vendor, 2 product, 4 release, 8 class, 16 subclass, 32 protocol, 64 + 128 place. */
	static const struct documented_row device_rows[] = {
		{1 | 2 | 4, 0, 0, 100000},   {1 | 2, 0, 0, 90000},
		{1 | 16 | 32, 8, 1, 80000},  {1 | 16, 8, 1, 70000},
		{8 | 16 | 32, 0, -1, 60000}, {8 | 16, 0, -1, 50000}};
	static const struct documented_row interface_rows[] = {
		{1 | 2 | 4 | 64 | 128, 0, 0, 100000}, {1 | 2 | 64 | 128, 0, 0, 90000},
		{1 | 16 | 32, 8, 1, 80000},	       {1 | 16, 8, 1, 70000},
		{8 | 16 | 32, 0, -1, 60000},	       {8 | 16, 0, -1, 50000}};
	struct documented table = {other_keys, 6, device_rows, 6};

	setup(9, 8);
	check_all(&table, device, false);
	table = (struct documented){other_places, 8, interface_rows, 6};
	check_all(&table, interface, false);
	teardown();
	setup(255, 255);
	table = (struct documented){own_keys, 6, device_rows, 6};
	check_all(&table, device, true);
	table = (struct documented){own_places, 8, interface_rows, 6};
	check_all(&table, interface, true);
	teardown();
}

static void check_why(const struct dx_entry *entry, const char *keys, const char *key,
		      const char *part)
{
	char text[2048];
	struct dx_dict *dict = NULL;
	struct dx_why why = {0};
	int64_t result = 0;

	(void)snprintf(text, sizeof(text), S("IOProviderClass", "%s") "%s", entry->class_name, keys);
	dict = xml(text);
	CHECK(!dx_match_personality(dict, entry, &result, &why));
	check_reason(&why, key, part);
	dx_object_unref(dict);
}

TEST(why_not_names_what_a_combination_lacks_or_has_too_much)
{
	setup(9, 8);
	check_why(device, PID, "idVendor", "idProduct without idVendor is no combination");
	check_why(device, VID, "idProduct", "idVendor without idProduct is no combination");
	check_why(device, VID PID DSUB, "bDeviceSubClass",
		  "bDeviceSubClass is too much beside idVendor + idProduct");
	check_why(device, N("bDeviceClass", 9), "bDeviceSubClass", "bDeviceClass without");
	check_why(device, VID PID N("bInterfaceNumber", 0), "bInterfaceNumber",
		  "belongs to IOUSBHostInterface");
	check_why(interface, VID PID, "bInterfaceNumber",
		  "without bInterfaceNumber + bConfigurationValue is no combination");
	check_why(interface, VID PID N("bInterfaceNumber", 0), "bConfigurationValue",
		  "without bConfigurationValue");
	check_why(device, "", "IOProviderClass", "needs keys such as idVendor and idProduct");
	teardown();
	setup(255, 255);
	check_why(interface, VID PID, "bInterfaceNumber",
		  "without bInterfaceNumber + bConfigurationValue is no combination");
	check_why(device, N("bDeviceClass", 255) DSUB, "bDeviceClass", "whose class is not 255");
	teardown();
}

TEST(known_keys_are_found_in_other_letters)
{
	CHECK_STR_EQ(dx_match_known_key("idvendor"), "idVendor");
	CHECK_STR_EQ(dx_match_known_key("bDeviceSubclass"), "bDeviceSubClass");
	CHECK_STR_EQ(dx_match_known_key("bInterfaceSubclass"), "bInterfaceSubClass");
	CHECK_STR_EQ(dx_match_known_key("usbspeed"), "USBSpeed");
	CHECK_STR_EQ(dx_match_known_key("IDProductarray"), "idProductArray");
	CHECK_STR_EQ(dx_match_known_key("ioproviderclass"), "IOProviderClass");
	CHECK_STR_EQ(dx_match_known_key("IOMatchCategory"), "IOMatchCategory");
	CHECK(dx_match_known_key("UserClientProperties") == NULL);
}

TEST(why_not_keeps_the_first_lines_when_full)
{
	struct dx_why why = {0};

	for (int i = 0; i < 40; i++) {
		dx_why_add(&why, "key", "%d", i);
	}
	CHECK_EQ(why.nr_reasons, DX_WHY_MAX);
	CHECK_STR_EQ(why.reasons[0].text, "0");
	dx_why_add(NULL, "key", "nobody asked");
}

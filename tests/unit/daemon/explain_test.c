/* SPDX-License-Identifier: MIT
 *
 * explain_test - why a personality matches, wins, loses, fails, or does not match, as the broker says.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/plist.h"
#include "support.h"
#include "test.h"

#define VID    "<key>idVendor</key><integer>1317</integer>"
#define PID    "<key>idProduct</key><integer>42144</integer>"
#define GADGET VID PID
#define SPEC   "virtual:gadget-zero"

struct answer {
	int32_t status;
	struct dx_dict *dict; /* NULL unless status is 0 */
	char text[1000];
};

/* bundle: a name in the fixture's directory ending in .dext, or an identifier. spec, id: may be none. */
static struct answer explain(struct fixture *fixture, int client, const char *bundle,
			     const char *spec, uint64_t id)
{
	struct dx_dict *request = NULL;
	struct dx_array *array = dx_array_new();
	struct dx_wire_message_in reply;
	struct answer answer = {0};
	void *bytes = NULL;
	void *value = NULL;
	char *text = NULL;
	size_t length = 0;
	char path[400];

	fixture_path(fixture, bundle, path, sizeof(path));
	request = dict_with(DX_EXPLAIN_BUNDLE_KEY,
			    strstr(bundle, ".dext") != NULL ? path : bundle);
	value = spec != NULL ? (void *)dx_string_new(spec) : (void *)dx_number_new(id, 64);
	CHECK_EQ(dx_array_append(array, value), 0);
	dx_object_unref(value);
	if (spec != NULL || id != 0) {
		CHECK_EQ(dx_dict_set(request,
				     spec != NULL ? DX_EXPLAIN_SPECS_KEY : DX_EXPLAIN_ENTRIES_KEY,
				     array),
			 0);
	}
	dx_object_unref(array);
	CHECK_EQ(dx_plist_encode(request, &bytes, &length), 0);
	dx_object_unref(request);
	client_call(client, DX_WIRE_A_EXPLAIN, NULL, 0, bytes, length, &reply);
	free(bytes);
	answer.status = reply.view.header.status;
	value = NULL;
	if (answer.status == 0) {
		CHECK_EQ(dx_wire_message_value(&reply, &dx_dict_class, &value), 0);
		answer.dict = value;
	} else {
		CHECK_EQ(dx_wire_message_text(&reply, 999, &text), 0);
		(void)snprintf(answer.text, sizeof(answer.text), "%s", text);
		free(text);
	}
	dx_wire_message_in_fini(&reply);
	return answer;
}

static const struct dx_dict *personality_of(const struct answer *answer, const char *name)
{
	const struct dx_array *all = dx_dict_get_array(answer->dict, DX_EXPLAIN_PERSONALITIES_KEY);

	for (size_t i = 0; i < dx_array_count(all); i++) {
		const struct dx_dict *one = dx_array_get(all, i);

		if (strcmp(dx_dict_get_string(one, DX_EXPLAIN_NAME_KEY, ""), name) == 0) {
			return one;
		}
	}
	FAIL("no personality %s", name);
}

/* The i-th provider of a personality; NULL behind the last. */
static const struct dx_dict *provider_of(const struct answer *answer, const char *name, size_t i)
{
	const struct dx_array *all =
		dx_dict_get_array(personality_of(answer, name), DX_EXPLAIN_PROVIDERS_KEY);

	return i < dx_array_count(all) ? dx_array_get(all, i) : NULL;
}

static void check_result(const struct dx_dict *provider, const char *result, uint64_t score,
			 const char *text)
{
	CHECK(provider != NULL);
	CHECK_STR_EQ(dx_dict_get_string(provider, DX_EXPLAIN_RESULT_KEY, ""), result);
	CHECK_EQ(dx_dict_get_u64(provider, DX_EXPLAIN_SCORE_KEY, 0), score);
	if (strstr(dx_dict_get_string(provider, DX_EXPLAIN_TEXT_KEY, ""), text) == NULL) {
		FAIL("'%s' is not in '%s'", text,
		     dx_dict_get_string(provider, DX_EXPLAIN_TEXT_KEY, ""));
	}
}

static void check_reason(const struct dx_dict *provider, const char *key, const char *text)
{
	const struct dx_array *reasons = dx_dict_get_array(provider, DX_EXPLAIN_REASONS_KEY);

	for (size_t i = 0; reasons != NULL && i < dx_array_count(reasons); i++) {
		const struct dx_dict *reason = dx_array_get(reasons, i);

		if (strcmp(dx_dict_get_string(reason, DX_EXPLAIN_KEY_KEY, ""), key) == 0 &&
		    strstr(dx_dict_get_string(reason, DX_EXPLAIN_TEXT_KEY, ""), text) != NULL) {
			return;
		}
	}
	FAIL("no reason for %s with '%s'", key, text);
}

static void check_problem(const struct dx_dict *dict, const char *part)
{
	const struct dx_array *problems = dx_dict_get_array(dict, DX_EXPLAIN_PROBLEMS_KEY);

	for (size_t i = 0; i < dx_array_count(problems); i++) {
		if (strstr(dx_string_get(dx_array_get(problems, i)), part) != NULL) {
			return;
		}
	}
	FAIL("no problem with '%s'", part);
}

static bool matches(const struct answer *answer)
{
	return dx_dict_get_bool(answer->dict, DX_EXPLAIN_MATCHES_KEY, false);
}

/* A bundle that is not loaded. */
static void write_only(struct fixture *fixture, const char *name, const char *class_name,
		       const char *provider_class, const char *extra)
{
	fixture_bundle(fixture, name, class_name, provider_class, extra);
	free((void *)(uintptr_t)fixture->bundles[--fixture->options.nr_bundles]);
}

TEST(explain_bundle_that_is_not_loaded_and_a_spec_that_is_not_attached)
{
	struct fixture fixture;
	struct answer answer;
	int client = -1;

	fixture_init(&fixture);
	write_only(&fixture, "Fits", "Fits", "IOUSBHostDevice", GADGET);
	write_only(&fixture, "Not", "Not", "IOUSBHostDevice",
		   VID "<key>idProduct</key><integer>7</integer>");
	client = fixture_start_client(&fixture);
	answer = explain(&fixture, client, "Fits.dext", SPEC, 0);
	CHECK_EQ(answer.status, 0);
	CHECK(matches(&answer));
	CHECK(!dx_dict_get_bool(answer.dict, DX_EXPLAIN_LOADED_KEY, true));
	check_result(provider_of(&answer, "One", 0), "wins", 90000, "");
	CHECK_STR_EQ(dx_dict_get_string(provider_of(&answer, "One", 0), DX_EXPLAIN_SPEC_KEY, ""),
		     SPEC);
	CHECK(dx_dict_get(provider_of(&answer, "One", 0), DX_EXPLAIN_ID_KEY) == NULL);
	dx_object_unref(answer.dict);
	answer = explain(&fixture, client, "Not.dext", SPEC, 0);
	CHECK(!matches(&answer));
	check_result(provider_of(&answer, "One", 0), "no", 0, "");
	check_reason(provider_of(&answer, "One", 0), "idProduct",
		     "wants 7 (0x7), the provider has 42144 (0xa4a0)");
	dx_object_unref(answer.dict);
	CHECK_EQ(client_devices(client, "", NULL), 0); /* nothing was attached for that */
	CHECK_EQ(client_find(client, "Gadget Zero"), 0);
	fixture_end(&fixture, client);
}

TEST(explain_says_who_runs_and_to_whom_the_others_lose)
{
	struct fixture fixture;
	struct answer answer;
	uint64_t device = 0;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "A", "GoodFirst", "IOUSBHostDevice", GADGET);
	fixture_bundle(&fixture, "B", "GoodSecond", "IOUSBHostDevice", GADGET);
	fixture_bundle(&fixture, "C", "GoodOther", "IOUSBHostDevice",
		       GADGET "<key>IOMatchCategory</key><string>c</string>");
	write_only(&fixture, "D", "GoodExact", "IOUSBHostDevice",
		   GADGET "<key>bcdDevice</key><integer>256</integer>");
	fixture.devices[fixture.options.nr_devices++] = SPEC;
	client = fixture_start_client(&fixture);
	device = client_find(client, "Gadget Zero");
	answer = explain(&fixture, client, "test.A", NULL, 0);
	check_result(provider_of(&answer, "One", 0), "runs", 90000, "");
	CHECK_EQ(dx_dict_get_u64(provider_of(&answer, "One", 0), DX_EXPLAIN_ID_KEY, 0), device);
	CHECK(dx_dict_get_bool(answer.dict, DX_EXPLAIN_LOADED_KEY, false));
	dx_object_unref(answer.dict);
	answer = explain(&fixture, client, "test.B", NULL, device);
	check_result(provider_of(&answer, "One", 0), "loses", 90000,
		     "GoodFirst of test.A has category IODefaultMatchCategory, with score 90000");
	dx_object_unref(answer.dict);
	answer = explain(&fixture, client, "C.dext", NULL, 0); /* by path, and loaded */
	check_result(provider_of(&answer, "One", 0), "runs", 90000, "");
	dx_object_unref(answer.dict);
	answer = explain(&fixture, client, "test.B", "virtual:gadget-zero,serial=2", 0);
	check_result(provider_of(&answer, "One", 0), "loses", 90000,
		     "GoodFirst of test.A wins category IODefaultMatchCategory, with score 90000, it "
		     "comes first");
	dx_object_unref(answer.dict);
	answer = explain(&fixture, client, "test.A", "virtual:gadget-zero,serial=2", 0);
	check_result(provider_of(&answer, "One", 0), "wins", 90000, "");
	dx_object_unref(answer.dict);
	fixture_end(&fixture, client);
}

TEST(explain_repeats_why_a_driver_failed)
{
	struct fixture fixture;
	struct answer answer;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "A", "FailStart", "IOUserResources", "");
	fixture_bundle(&fixture, "B", "Retire", "IOUserResources",
		       "<key>IOMatchCategory</key><string>b</string>");
	client = fixture_start_client(&fixture);
	answer = explain(&fixture, client, "test.A", NULL, 0);
	check_result(provider_of(&answer, "One", 0), "failed", 0, "Start failed: kIOReturn");
	CHECK(matches(&answer));
	dx_object_unref(answer.dict);
	client_wait_not_found(client, "Retire");
	answer = explain(&fixture, client, "test.B", NULL, 0);
	check_result(provider_of(&answer, "One", 0), "ended", 0, "terminated itself");
	dx_object_unref(answer.dict);
	fixture_end(&fixture, client);
}

TEST(explain_interfaces_that_are_not_there_yet)
{
	static const char extra[] = GADGET "<key>bInterfaceNumber</key><integer>0</integer>"
					   "<key>bConfigurationValue</key><integer>2</integer>";
	struct fixture fixture;
	struct answer answer;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "A", "Good", "IOUSBHostInterface", extra);
	client = fixture_start_client(&fixture);
	answer = explain(&fixture, client, "test.A", SPEC, 0);
	CHECK(matches(&answer));
	for (size_t i = 0; i < 2; i++) { /* one for each configuration */
		const struct dx_dict *provider = provider_of(&answer, "One", i);
		bool fits = strcmp(dx_dict_get_string(provider, DX_EXPLAIN_RESULT_KEY, ""),
				   "waits") == 0;

		if (fits) {
			check_result(provider, "waits", 90000, "SetConfiguration(2, true)");
		} else {
			check_reason(provider, "bConfigurationValue", "wants 2 (0x2)");
		}
	}
	CHECK(provider_of(&answer, "One", 2) == NULL);
	dx_object_unref(answer.dict);
	CHECK_EQ(client_attach(client, SPEC, NULL), 0);
	answer = explain(&fixture, client, "test.A", NULL, 0); /* the same for what is attached */
	CHECK(matches(&answer));
	CHECK(provider_of(&answer, "One", 1) != NULL);
	dx_object_unref(answer.dict);
	/* A composite device has them at once. */
	answer = explain(&fixture, client, "test.A", "virtual:hid-keyboard", 0);
	check_result(provider_of(&answer, "One", 0), "no", 0, "");
	dx_object_unref(answer.dict);
	fixture_end(&fixture, client);
}

TEST(explain_low_score_loses_against_the_composite_driver)
{
	struct fixture fixture;
	struct answer answer;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "A", "Good", "IOUSBHostDevice",
		       "<key>bDeviceClass</key><integer>0</integer>"
		       "<key>bDeviceSubClass</key><integer>0</integer>");
	fixture.devices[fixture.options.nr_devices++] = "virtual:hid-keyboard";
	client = fixture_start_client(&fixture);
	answer = explain(&fixture, client, "test.A", NULL, 0);
	check_result(provider_of(&answer, "One", 0), "loses", 50000, "composite driver");
	dx_object_unref(answer.dict);
	fixture_end(&fixture, client);
}

TEST(explain_names_what_is_odd_about_a_personality)
{
	struct fixture fixture;
	struct answer answer;
	int client = -1;

	fixture_init(&fixture);
	write_only(&fixture, "A", "Good", "IOPCIDevice",
		   "<key>idvendor</key><integer>1</integer>"
		   "<key>IOClass</key><string>IOFancyThing</string>"
		   "<key>IOProbeScore</key><string>high</string>"
		   "<key>bInterfaceSubclass</key><integer>1</integer>");
	client = fixture_start_client(&fixture);
	answer = explain(&fixture, client, "A.dext", NULL, 0);
	CHECK(!matches(&answer));
	CHECK(provider_of(&answer, "One", 0) == NULL);
	check_problem(personality_of(&answer, "One"), "nothing of class IOPCIDevice");
	check_problem(personality_of(&answer, "One"), "idvendor is no matching key, idVendor is");
	check_problem(personality_of(&answer, "One"),
		      "bInterfaceSubclass is no matching key, bInterfaceSubClass is");
	check_problem(personality_of(&answer, "One"), "IOFancyThing is not known here");
	check_problem(personality_of(&answer, "One"), "IOProbeScore: is no number");
	dx_object_unref(answer.dict);
	answer = explain(&fixture, client, "A.dext", SPEC, 0); /* named: it is shown all the same */
	check_reason(provider_of(&answer, "One", 0), "IOProviderClass", "wants IOPCIDevice");
	dx_object_unref(answer.dict);
	fixture_end(&fixture, client);
}

TEST(explain_refuses_what_makes_no_sense_in_one_line)
{
	struct fixture fixture;
	struct answer answer;
	int client = -1;

	fixture_init(&fixture);
	fixture_write_bundle(&fixture, "Bad",
			     "<plist version=\"1.0\"><dict><key>CFBundleIdentifier</key>"
			     "<string>test.bad</string><key>IOKitPersonalities</key><dict>"
			     "<key>One</key><dict><key>IOProviderClass</key>"
			     "<string>IOUSBHostDevice</string></dict></dict></dict></plist>",
			     true);
	write_only(&fixture, "A", "Good", "IOUSBHostDevice", GADGET);
	client = fixture_start_client(&fixture);
	answer = explain(&fixture, client, "Bad.dext", SPEC, 0);
	CHECK_NE(answer.status, 0);
	CHECK(strstr(answer.text, "IOKitPersonalities.One: key IOUserClass is missing") != NULL);
	answer = explain(&fixture, client, "test.unknown", NULL, 0);
	CHECK_NE(answer.status, 0);
	CHECK_STR_EQ(answer.text, "no bundle test.unknown is loaded");
	answer = explain(&fixture, client, "None.dext", NULL, 0);
	CHECK_NE(answer.status, 0);
	CHECK(strstr(answer.text, "No such file or directory") != NULL);
	answer = explain(&fixture, client, "A.dext", "virtual:nope", 0);
	CHECK_EQ(answer.status, 0);
	CHECK(!matches(&answer));
	check_problem(answer.dict, "model \"nope\" does not exist");
	dx_object_unref(answer.dict);
	answer = explain(&fixture, client, "A.dext", NULL, 12345); /* nothing has this id */
	CHECK(!matches(&answer));
	dx_object_unref(answer.dict);
	fixture_end(&fixture, client);
}

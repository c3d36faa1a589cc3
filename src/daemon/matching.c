/* SPDX-License-Identifier: MIT
 *
 * matching - the keys that every class knows; see matching.h.
 *
 * Place:   daemon.
 * Trust:   dictionaries come from applications and bundles: any key may hold any type; a wrong type
 *          does not fit and says so.
 */
#include "daemon/matching.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"

typedef bool (*key_fn)(const struct dx_entry *entry, const void *wanted, struct dx_why *why);

void dx_why_add(struct dx_why *why, const char *key, const char *format, ...)
{
	va_list arguments;

	if (why == NULL || why->nr_reasons == DX_WHY_MAX) {
		return;
	}
	(void)snprintf(why->reasons[why->nr_reasons].key, sizeof(why->reasons[0].key), "%s", key);
	va_start(arguments, format);
	(void)vsnprintf(why->reasons[why->nr_reasons].text, sizeof(why->reasons[0].text), format,
			arguments);
	va_end(arguments);
	why->nr_reasons++;
}

static const char *text_of(const void *value)
{
	return dx_object_is_kind(value, &dx_string_class) ? dx_string_get(value) : NULL;
}

static bool wrong_type(struct dx_why *why, const char *key, const char *expected)
{
	dx_why_add(why, key, "must be %s", expected);
	return false;
}

static bool match_provider_class(const struct dx_entry *entry, const void *wanted,
				 struct dx_why *why)
{
	const char *name = text_of(wanted);

	if (name == NULL) {
		return wrong_type(why, "IOProviderClass", "a string");
	}
	if (!dx_entry_is_kind(entry, name)) {
		dx_why_add(why, "IOProviderClass", "wants %s, \"%s\" is %s", name, entry->name,
			   entry->class_name);
		return false;
	}
	return true;
}

/* True when test says so for the value, or for a member when it is an array. */
static bool any_of(const struct dx_entry *entry, const void *wanted,
		   bool (*test)(const struct dx_entry *entry, const void *value))
{
	if (!dx_object_is_kind(wanted, &dx_array_class)) {
		return test(entry, wanted);
	}
	for (size_t i = 0; i < dx_array_count(wanted); i++) {
		if (test(entry, dx_array_get(wanted, i))) {
			return true;
		}
	}
	return false;
}

static bool name_is(const struct dx_entry *entry, const void *value)
{
	const char *name = text_of(value);

	return name != NULL && strcmp(name, entry->name) == 0;
}

static bool match_name(const struct dx_entry *entry, const void *wanted, struct dx_why *why)
{
	if (any_of(entry, wanted, name_is)) {
		return true;
	}
	dx_why_add(why, "IONameMatch", "none of its names is \"%s\"", entry->name);
	return false;
}

static bool match_location(const struct dx_entry *entry, const void *wanted, struct dx_why *why)
{
	const char *location = text_of(wanted);

	if (location == NULL) {
		return wrong_type(why, "IOLocationMatch", "a string");
	}
	if (entry->location[0] == '\0' || strcmp(location, entry->location) != 0) {
		dx_why_add(why, "IOLocationMatch", "wants %s, the location is \"%s\"", location,
			   entry->location);
		return false;
	}
	return true;
}

static bool has_all_properties(const struct dx_entry *entry, const void *value)
{
	const char *key = NULL;
	void *wanted = NULL;

	if (!dx_object_is_kind(value, &dx_dict_class)) {
		return false;
	}
	for (size_t i = 0; dx_dict_at(value, i, &key, &wanted); i++) {
		if (!dx_value_equal(dx_entry_property(entry, key), wanted)) {
			return false;
		}
	}
	return true;
}

static bool match_properties(const struct dx_entry *entry, const void *wanted, struct dx_why *why)
{
	const char *key = NULL;
	void *value = NULL;

	if (any_of(entry, wanted, has_all_properties)) {
		return true;
	}
	if (!dx_object_is_kind(wanted, &dx_dict_class)) {
		dx_why_add(why, "IOPropertyMatch", "no dictionary of it fits");
		return false;
	}
	for (size_t i = 0; dx_dict_at(wanted, i, &key, &value); i++) {
		const void *have = dx_entry_property(entry, key);

		if (!dx_value_equal(have, value)) {
			dx_why_add(why, "IOPropertyMatch", "property %s %s", key,
				   have == NULL ? "is missing" : "has another value");
		}
	}
	return false;
}

static bool property_exists(const struct dx_entry *entry, const void *value)
{
	const char *key = text_of(value);

	return key != NULL && dx_entry_property(entry, key) != NULL;
}

static bool match_property_exists(const struct dx_entry *entry, const void *wanted,
				  struct dx_why *why)
{
	if (any_of(entry, wanted, property_exists)) {
		return true;
	}
	dx_why_add(why, "IOPropertyExistsMatch", "no such property");
	return false;
}

static bool match_path(const struct dx_entry *entry, const void *wanted, struct dx_why *why)
{
	const char *path = text_of(wanted);
	char have[DX_MAX_PATH];

	if (path == NULL) {
		return wrong_type(why, "IOPathMatch", "a string");
	}
	if (dx_entry_path(entry, have, sizeof(have)) >= sizeof(have) || strcmp(path, have) != 0) {
		dx_why_add(why, "IOPathMatch", "the path is %s", have);
		return false;
	}
	return true;
}

static bool match_id(const struct dx_entry *entry, const void *wanted, struct dx_why *why)
{
	if (!dx_object_is_kind(wanted, &dx_number_class)) {
		return wrong_type(why, "IORegistryEntryID", "a number");
	}
	if (dx_number_u64(wanted) != entry->id) {
		dx_why_add(why, "IORegistryEntryID", "the id is %#llx",
			   (unsigned long long)entry->id);
		return false;
	}
	return true;
}

static bool match_service_count(const struct dx_entry *entry, const void *wanted,
				struct dx_why *why)
{
	unsigned count = 0;

	if (!dx_object_is_kind(wanted, &dx_number_class)) {
		return wrong_type(why, "IOMatchedServiceCountMatch", "a number");
	}
	dx_list_for_each (node, &entry->children) {
		const struct dx_entry *child = dx_list_entry(node, struct dx_entry, sibling);

		count += child->driver != NULL && !child->inactive;
	}
	if (dx_number_u64(wanted) != count) {
		dx_why_add(why, "IOMatchedServiceCountMatch", "%u drivers are matched", count);
		return false;
	}
	return true;
}

/* Nested parent dictionaries are bounded by the depth of the tree: each looks further up. */
static bool match_parent(const struct dx_entry *entry, const void *wanted, struct dx_why *why)
{
	if (!dx_object_is_kind(wanted, &dx_dict_class)) {
		return wrong_type(why, "IOParentMatch", "a dictionary");
	}
	for (const struct dx_entry *above = entry->parent; above != NULL; above = above->parent) {
		if (dx_match_table(wanted, above, NULL)) {
			return true;
		}
	}
	dx_why_add(why, "IOParentMatch", "nothing above \"%s\" fits", entry->name);
	return false;
}

/* The one resource that exists here is published from the start. */
static bool match_resource(const struct dx_entry *entry, const void *wanted, struct dx_why *why)
{
	const char *name = text_of(wanted);

	(void)entry; /* resources belong to the system, not to the entry */
	if (name == NULL) {
		return wrong_type(why, "IOResourceMatch", "a string");
	}
	if (strcmp(name, "IOKit") != 0) {
		dx_why_add(why, "IOResourceMatch", "resource %s is never published, only IOKit is",
			   name);
		return false;
	}
	return true;
}

static const struct {
	const char *key;
	key_fn match;
} common_keys[] = {
	{"IOProviderClass", match_provider_class},
	{"IONameMatch", match_name},
	{"IOLocationMatch", match_location},
	{"IOPropertyMatch", match_properties},
	{"IOPropertyExistsMatch", match_property_exists},
	{"IOPathMatch", match_path},
	{"IORegistryEntryID", match_id},
	{"IOMatchedServiceCountMatch", match_service_count},
	{"IOParentMatch", match_parent},
	{"IOResourceMatch", match_resource},
};

static bool match_common(const struct dx_dict *table, const struct dx_entry *entry,
			 struct dx_why *why)
{
	bool fits = true;

	for (size_t i = 0; i < DX_ARRAY_SIZE(common_keys); i++) {
		const void *wanted = dx_dict_get(table, common_keys[i].key);

		if (wanted != NULL && !common_keys[i].match(entry, wanted, why)) {
			fits = false;
			if (why == NULL) {
				break;
			}
		}
	}
	return fits;
}

const char *dx_match_known_key(const char *key)
{
	static const char *const others[] = {"IOProbeScore", "IOMatchCategory", "IOUserClass",
					     "IOUserServerName", "IOUserServerOneProcess",
					     "IOClass"};

	for (size_t i = 0; i < DX_ARRAY_SIZE(common_keys); i++) {
		if (strcasecmp(common_keys[i].key, key) == 0) {
			return common_keys[i].key;
		}
	}
	for (size_t i = 0; i < DX_ARRAY_SIZE(others); i++) {
		if (strcasecmp(others[i], key) == 0) {
			return others[i];
		}
	}
	return dx_usb_match_known_key(key);
}

static bool is_usb(const struct dx_entry *entry)
{
	return dx_entry_is_kind(entry, "IOUSBHostDevice") ||
	       dx_entry_is_kind(entry, "IOUSBHostInterface");
}

bool dx_match_table(const struct dx_dict *table, const struct dx_entry *entry, struct dx_why *why)
{
	bool fits = match_common(table, entry, why);
	int64_t score = 0;

	if ((fits || why != NULL) && is_usb(entry) &&
	    dx_usb_match_table(table, entry, &score, why) == DX_USB_MATCH_FAILS) {
		fits = false;
	}
	return fits;
}

static bool match_usb_personality(const struct dx_dict *personality,
				  const struct dx_entry *provider, int64_t *ret_score,
				  struct dx_why *why)
{
	enum dx_usb_match match = dx_usb_match_table(personality, provider, ret_score, why);

	if (match == DX_USB_MATCH_NONE) {
		dx_why_add(why, "IOProviderClass",
			   "a personality for USB needs keys such as idVendor and idProduct");
	}
	if (dx_dict_get(personality, "IOProbeScore") != NULL) {
		dx_why_add(why, "IOProbeScore",
			   "the USB families score by themselves, leave it out");
		return false;
	}
	return match == DX_USB_MATCH_FITS;
}

bool dx_match_personality(const struct dx_dict *personality, const struct dx_entry *provider,
			  int64_t *ret_score, struct dx_why *why)
{
	const void *score_value = dx_dict_get(personality, "IOProbeScore");
	int64_t score = 0;
	bool fits = true;

	if (dx_dict_get(personality, "IOProviderClass") == NULL) {
		dx_why_add(why, "IOProviderClass", "is missing");
		fits = false;
	}
	if ((fits || why != NULL) && !match_common(personality, provider, why)) {
		fits = false;
	}
	if (!fits && why == NULL) {
		return false;
	}
	if (is_usb(provider)) {
		fits = match_usb_personality(personality, provider, &score, why) && fits;
	} else if (dx_object_is_kind(score_value, &dx_number_class)) {
		score = (int64_t)dx_number_u64(score_value);
	}
	if (fits) {
		*ret_score = score;
	}
	return fits;
}

/* SPDX-License-Identifier: MIT
 *
 * daemon_matching_fuzz - matching dictionaries from anywhere against every kind of entry: with and
 * without reasons the answer is the same, and a refusal has a reason.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/plist.h"
#include "daemon/matching.h"
#include "fuzz.h"

static struct dx_entry *add(struct dx_entry *parent, const char *class_name)
{
	static const char *const keys[] = {"idVendor",	      "idProduct",	"bDeviceClass",
					   "bInterfaceClass", "bInterfaceNumber"};
	struct dx_dict *dict = dx_dict_new();
	struct dx_entry *entry = NULL;
	int r = 0;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		r |= dx_dict_set_u64(dict, keys[i], i, 16);
	}
	r |= dx_registry_add(parent, 0, class_name, "name", dict, &entry);
	assert(r == 0);
	dx_object_unref(dict);
	return entry;
}

static void check_entry(const struct dx_dict *table, const struct dx_entry *entry)
{
	struct dx_why why = {0};
	int64_t score = 0;
	bool fits = dx_match_table(table, entry, NULL);

	assert(dx_match_table(table, entry, &why) == fits);
	assert((why.nr_reasons == 0) == fits);
	why.nr_reasons = 0;
	fits = dx_match_personality(table, entry, &score, NULL);
	assert(dx_match_personality(table, entry, &score, &why) == fits);
	assert((why.nr_reasons == 0) == fits);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct dx_registry *registry = NULL;
	struct dx_entry *entry = NULL;
	void *value = NULL;

	if (dx_plist_decode(bytes, length, &value, NULL) < 0) {
		return 0;
	}
	if (dx_object_is_kind(value, &dx_dict_class) &&
	    dx_registry_new(NULL, NULL, &registry) == 0) {
		check_entry(value, dx_registry_root(registry));
		entry = add(dx_registry_root(registry), "IOUSBHostDevice");
		check_entry(value, entry);
		entry = add(entry, "IOUSBHostInterface");
		check_entry(value, entry);
		check_entry(value, add(entry, "IOUserService"));
		(void)dx_registry_free(registry);
	}
	dx_object_unref(value);
	return 0;
}

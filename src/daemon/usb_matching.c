/* SPDX-License-Identifier: MIT
 *
 * usb_matching - the key combinations of the USB families and their scores; see matching.h.
 *
 * Place:      daemon.
 * Rules:      the USB keys of a table must be exactly those of one row. A product may be given as
 *             idProduct, as idProduct with idProductMask, or as idProductArray. USBSpeed,
 *             USBPortType and locationID may be added to any row. In the rows for vendor-specific
 *             classes the class key itself may be given too. idVendor and idProduct may be "*": any.
 *             (Differs from nothing known; whether the class key may stand in those rows is not
 *             documented, public personalities have it.)
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "daemon/matching.h"

#define VENDOR_SPECIFIC 0xffu

enum key {
	KEY_VENDOR = 1 << 0,
	KEY_PRODUCT = 1 << 1,
	KEY_RELEASE = 1 << 2,
	KEY_CLASS = 1 << 3,
	KEY_SUBCLASS = 1 << 4,
	KEY_PROTOCOL = 1 << 5,
	KEY_NUMBER = 1 << 6,
	KEY_CONFIGURATION = 1 << 7,
};

enum class_rule { ANY_CLASS, ONLY_VENDOR_SPECIFIC, NOT_VENDOR_SPECIFIC };

struct row {
	unsigned keys;
	unsigned optional;
	enum class_rule rule;
	int64_t score;
};

struct family {
	const char *key_names[8]; /* by bit; NULL: the family has no such key */
	const char *class_key;
	const struct row *rows;
	size_t nr_rows;
};

static const struct row device_rows[] = {
	{KEY_VENDOR | KEY_PRODUCT | KEY_RELEASE, 0, ANY_CLASS, 100000},
	{KEY_VENDOR | KEY_PRODUCT, 0, ANY_CLASS, 90000},
	{KEY_VENDOR | KEY_SUBCLASS | KEY_PROTOCOL, KEY_CLASS, ONLY_VENDOR_SPECIFIC, 80000},
	{KEY_VENDOR | KEY_SUBCLASS, KEY_CLASS, ONLY_VENDOR_SPECIFIC, 70000},
	{KEY_CLASS | KEY_SUBCLASS | KEY_PROTOCOL, 0, NOT_VENDOR_SPECIFIC, 60000},
	{KEY_CLASS | KEY_SUBCLASS, 0, NOT_VENDOR_SPECIFIC, 50000},
};

#define INTERFACE_PLACE (KEY_NUMBER | KEY_CONFIGURATION)

static const struct row interface_rows[] = {
	{KEY_VENDOR | KEY_PRODUCT | INTERFACE_PLACE | KEY_RELEASE, 0, ANY_CLASS, 100000},
	{KEY_VENDOR | KEY_PRODUCT | INTERFACE_PLACE, 0, ANY_CLASS, 90000},
	{KEY_VENDOR | KEY_SUBCLASS | KEY_PROTOCOL, KEY_CLASS, ONLY_VENDOR_SPECIFIC, 80000},
	{KEY_VENDOR | KEY_SUBCLASS, KEY_CLASS, ONLY_VENDOR_SPECIFIC, 70000},
	{KEY_CLASS | KEY_SUBCLASS | KEY_PROTOCOL, 0, NOT_VENDOR_SPECIFIC, 60000},
	{KEY_CLASS | KEY_SUBCLASS, 0, NOT_VENDOR_SPECIFIC, 50000},
};

static const struct family device_family = {
	.key_names = {"idVendor", "idProduct", "bcdDevice", "bDeviceClass", "bDeviceSubClass",
		      "bDeviceProtocol", NULL, NULL},
	.class_key = "bDeviceClass",
	.rows = device_rows,
	.nr_rows = DX_ARRAY_SIZE(device_rows),
};

static const struct family interface_family = {
	.key_names = {"idVendor", "idProduct", "bcdDevice", "bInterfaceClass", "bInterfaceSubClass",
		      "bInterfaceProtocol", "bInterfaceNumber", "bConfigurationValue"},
	.class_key = "bInterfaceClass",
	.rows = interface_rows,
	.nr_rows = DX_ARRAY_SIZE(interface_rows),
};

static const char *const extra_keys[] = {"USBSpeed", "USBPortType", "locationID"};

static const char *find_key(const char *const *keys, size_t nr_keys, const char *key)
{
	for (size_t i = 0; i < nr_keys; i++) {
		if (keys[i] != NULL && strcasecmp(keys[i], key) == 0) {
			return keys[i];
		}
	}
	return NULL;
}

const char *dx_usb_match_known_key(const char *key)
{
	static const char *const product_keys[] = {"idProductArray", "idProductMask"};
	const char *found = find_key(device_family.key_names,
				     DX_ARRAY_SIZE(device_family.key_names), key);

	if (found == NULL) {
		found = find_key(interface_family.key_names,
				 DX_ARRAY_SIZE(interface_family.key_names), key);
	}
	if (found == NULL) {
		found = find_key(extra_keys, DX_ARRAY_SIZE(extra_keys), key);
	}
	return found != NULL ? found
			     : find_key(product_keys, DX_ARRAY_SIZE(product_keys), key);
}

/* Keys of the other family: they have no meaning on this one, so they fit no row. */
static bool has_foreign_keys(const struct dx_dict *table, const struct family *family,
			     struct dx_why *why)
{
	const struct family *other = family == &device_family ? &interface_family : &device_family;
	bool found = false;

	for (size_t i = 3; i < DX_ARRAY_SIZE(other->key_names); i++) {
		const char *key = other->key_names[i];

		if (key != NULL && dx_dict_get(table, key) != NULL) {
			dx_why_add(why, key, "belongs to %s",
				   family == &device_family ? "IOUSBHostInterface"
							    : "IOUSBHostDevice");
			found = true;
		}
	}
	return found;
}

static unsigned keys_present(const struct dx_dict *table, const struct family *family)
{
	unsigned keys = 0;

	for (size_t i = 0; i < DX_ARRAY_SIZE(family->key_names); i++) {
		if (family->key_names[i] != NULL &&
		    dx_dict_get(table, family->key_names[i]) != NULL) {
			keys |= 1u << i;
		}
	}
	if (dx_dict_get(table, "idProductArray") != NULL ||
	    dx_dict_get(table, "idProductMask") != NULL) {
		keys |= KEY_PRODUCT;
	}
	return keys;
}

/* False when it is there and is no number. */
static bool number_of(const void *value, uint64_t *ret_number)
{
	if (!dx_object_is_kind(value, &dx_number_class)) {
		return false;
	}
	*ret_number = dx_number_u64(value);
	return true;
}

/* Personalities that are still being developed leave open which device it will be. */
static bool is_any(const char *key, const void *wanted)
{
	return (strcmp(key, "idVendor") == 0 || strcmp(key, "idProduct") == 0) &&
	       dx_object_is_kind(wanted, &dx_string_class) &&
	       strcmp(dx_string_get(wanted), "*") == 0;
}

static bool value_fits(const struct dx_dict *table, const struct dx_entry *entry, const char *key,
		       struct dx_why *why)
{
	const void *wanted = dx_dict_get(table, key);
	uint64_t want = 0;
	uint64_t have = 0;

	if (wanted == NULL || is_any(key, wanted)) {
		return true;
	}
	if (!number_of(wanted, &want)) {
		dx_why_add(why, key, "must be a number");
		return false;
	}
	if (!number_of(dx_entry_property(entry, key), &have)) {
		dx_why_add(why, key, "the provider has no such property");
		return false;
	}
	if (want != have) {
		dx_why_add(why, key, "wants %llu (%#llx), the provider has %llu (%#llx)",
			   (unsigned long long)want, (unsigned long long)want,
			   (unsigned long long)have, (unsigned long long)have);
		return false;
	}
	return true;
}

static bool product_in_array(const struct dx_array *array, uint64_t have)
{
	for (size_t i = 0; i < dx_array_count(array); i++) {
		uint64_t want = 0;

		if (number_of(dx_array_get(array, i), &want) && want == have) {
			return true;
		}
	}
	return false;
}

static bool product_fits(const struct dx_dict *table, const struct dx_entry *entry,
			 struct dx_why *why)
{
	const void *array = dx_dict_get(table, "idProductArray");
	const void *mask_value = dx_dict_get(table, "idProductMask");
	const void *product = dx_dict_get(table, "idProduct");
	uint64_t have = 0;
	uint64_t want = 0;
	uint64_t mask = 0;

	if (array == NULL && mask_value == NULL) {
		return value_fits(table, entry, "idProduct", why);
	}
	if (!number_of(dx_entry_property(entry, "idProduct"), &have)) {
		dx_why_add(why, "idProduct", "the provider has no such property");
		return false;
	}
	if (array != NULL) {
		if (product != NULL || mask_value != NULL ||
		    !dx_object_is_kind(array, &dx_array_class)) {
			dx_why_add(why, "idProductArray",
				   "must be an array of numbers, in place of "
				   "idProduct and idProductMask");
			return false;
		}
		if (!product_in_array(array, have)) {
			dx_why_add(why, "idProductArray", "%llu (%#llx) is not in it",
				   (unsigned long long)have, (unsigned long long)have);
			return false;
		}
		return true;
	}
	if (!number_of(mask_value, &mask) || !number_of(product, &want)) {
		dx_why_add(why, "idProductMask", "must be a number, beside a number idProduct");
		return false;
	}
	if ((have & mask) != (want & mask)) {
		dx_why_add(why, "idProduct", "wants %#llx under mask %#llx, the provider has %#llx",
			   (unsigned long long)want, (unsigned long long)mask,
			   (unsigned long long)have);
		return false;
	}
	return true;
}

static const struct row *row_of(const struct family *family, unsigned keys, bool vendor_specific)
{
	for (size_t i = 0; i < family->nr_rows; i++) {
		const struct row *row = &family->rows[i];

		if ((keys & ~row->optional) != row->keys) {
			continue;
		}
		if (row->rule == ANY_CLASS ||
		    (row->rule == ONLY_VENDOR_SPECIFIC) == vendor_specific) {
			return row;
		}
	}
	return NULL;
}

/* "idVendor + idProduct", cut at size. */
static void name_keys(const struct family *family, unsigned keys, char *text, size_t size)
{
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < DX_ARRAY_SIZE(family->key_names); i++) {
		if ((keys & (1u << i)) != 0 && length < size) {
			length += (size_t)snprintf(text + length, size - length, "%s%s",
						   length == 0 ? "" : " + ", family->key_names[i]);
		}
	}
}

/* The row with the fewest keys missing or too many; of equal ones that with the highest score. */
static const struct row *nearest_row(const struct family *family, unsigned keys,
				     bool vendor_specific)
{
	const struct row *nearest = NULL;
	unsigned least = UINT_MAX;

	for (size_t i = 0; i < family->nr_rows; i++) {
		const struct row *row = &family->rows[i];
		unsigned missing = (unsigned)__builtin_popcount(row->keys & ~keys);
		unsigned extra =
			(unsigned)__builtin_popcount(keys & ~row->keys & ~row->optional);
		bool fits_class = row->rule == ANY_CLASS ||
				  (row->rule == ONLY_VENDOR_SPECIFIC) == vendor_specific;

		if (fits_class && missing + extra < least) {
			least = missing + extra;
			nearest = row;
		}
	}
	return nearest;
}

/* Keys that are not one row: what the nearest one has more, or what it does not take. */
static void explain_combination(const struct family *family, unsigned keys, bool vendor_specific,
				struct dx_why *why)
{
	const struct row *row = nearest_row(family, keys, vendor_specific);
	unsigned missing = row->keys & ~keys;
	unsigned extra = keys & ~row->keys & ~row->optional;
	unsigned first = missing != 0 ? missing : extra;
	char have[96];
	char rest[96];
	char whole[96];

	name_keys(family, keys, have, sizeof(have));
	name_keys(family, first, rest, sizeof(rest));
	name_keys(family, row->keys, whole, sizeof(whole));
	if (missing != 0) {
		dx_why_add(why, family->key_names[__builtin_ctz(first)],
			   "%s without %s is no combination that USB matching knows", have, rest);
	} else {
		dx_why_add(why, family->key_names[__builtin_ctz(first)],
			   "%s is too much beside %s: together they are no combination", rest,
			   whole);
	}
}

/* Says why there is no row: the combination does not exist, or not for this class. */
static void explain_row(const struct family *family, unsigned keys, bool vendor_specific,
			struct dx_why *why)
{
	if (row_of(family, keys, !vendor_specific) != NULL) {
		dx_why_add(why, family->class_key,
			   "this combination of USB keys is for devices whose class is %s",
			   vendor_specific ? "not 255" : "255 (vendor-specific)");
		return;
	}
	explain_combination(family, keys, vendor_specific, why);
}

enum dx_usb_match dx_usb_match_table(const struct dx_dict *table, const struct dx_entry *entry,
				     int64_t *ret_score, struct dx_why *why)
{
	const struct family *family =
		dx_entry_is_kind(entry, "IOUSBHostDevice") ? &device_family : &interface_family;
	unsigned keys = keys_present(table, family);
	uint64_t class_code = 0;
	bool vendor_specific =
		number_of(dx_entry_property(entry, family->class_key), &class_code) &&
		class_code == VENDOR_SPECIFIC;
	const struct row *row = row_of(family, keys, vendor_specific);
	bool fits = !has_foreign_keys(table, family, why);

	for (size_t i = 0; i < DX_ARRAY_SIZE(extra_keys); i++) {
		fits = value_fits(table, entry, extra_keys[i], why) && fits;
	}
	if (keys == 0) {
		return fits ? DX_USB_MATCH_NONE : DX_USB_MATCH_FAILS;
	}
	if (row == NULL) {
		explain_row(family, keys, vendor_specific, why);
		fits = false;
	}
	if ((keys & KEY_PRODUCT) != 0) {
		fits = product_fits(table, entry, why) && fits;
	}
	for (size_t i = 0; i < DX_ARRAY_SIZE(family->key_names); i++) {
		if ((keys & (1u << i)) != 0 && (1u << i) != KEY_PRODUCT) {
			fits = value_fits(table, entry, family->key_names[i], why) && fits;
		}
	}
	if (!fits) {
		return DX_USB_MATCH_FAILS;
	}
	*ret_score = row->score;
	return DX_USB_MATCH_FITS;
}

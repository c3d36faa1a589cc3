/* SPDX-License-Identifier: MIT
 *
 * catalog - the list of models, and the keys that all devices take; see catalog.h.
 *
 * Place:      backend/virtual.
 */
#include "backend/virtual/catalog.h"

#include <string.h>

const struct dx_model_kind *const dx_model_kinds[] = {
	&dx_model_gadget_zero,
	&dx_model_source_sink,
	&dx_model_loopback,
	&dx_model_cdc_acm,
	&dx_model_hid_keyboard,
	&dx_model_mass_storage,
	NULL,
};

const struct dx_model_kind *dx_model_kind_find(const char *name)
{
	for (unsigned i = 0; dx_model_kinds[i] != NULL; i++) {
		if (strcmp(dx_model_kinds[i]->name, name) == 0) {
			return dx_model_kinds[i];
		}
	}
	return NULL;
}

const struct dx_model_key dx_device_keys[] = {
	{"serial", "TEXT", "the model's", "serial number string"},
	{"idVendor", "0..0xffff", "the model's", "vendor id"},
	{"idProduct", "0..0xffff", "the model's", "product id"},
	{"configuration", "0..255", "0", "configured with this value from the beginning"},
	{"location", "0..0xffffffff", "from the spec", "locationID"},
	{"address", "1..127", "from the spec", "address on the bus"},
	{NULL, NULL, NULL, NULL},
};

const struct dx_model_key dx_fault_keys[] = {
	{"stall-after", "1..", "never",
	 "an endpoint stalls after N transfers; again after a clear"},
	{"short", "1..", "never", "IN transfers end after N bytes"},
	{"corrupt", "1..", "never", "the first byte of every N-th IN transfer is inverted"},
	{"babble-after", "1..", "never", "the IN transfer after N good ones is an overrun, once"},
	{"hang-after", "1..", "never", "an endpoint never answers after N transfers"},
	{"delay-us", "0..60000000", "0", "each transfer takes so long"},
	{"disconnect-after", "1..", "never", "unplugged after N transfers of all endpoints"},
	{"disconnect-after-bytes", "1..", "never", "unplugged after N bytes of all endpoints"},
	{NULL, NULL, NULL, NULL},
};

/* SPDX-License-Identifier: MIT
 *
 * base_plist_fuzz - property lists from anywhere: what is read can be written and read again, and
 * is the same.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/plist.h"
#include "fuzz.h"

static void check_round_trip(const void *value)
{
	void *bytes = NULL;
	void *again = NULL;
	size_t length = 0;
	int result = dx_plist_encode(value, &bytes, &length);

	assert(result == 0);
	/* An input that leans on shared objects may come out longer than what we read. */
	if (length <= DX_MAX_PLIST_BYTES) {
		result = dx_plist_decode(bytes, length, &again, NULL);
		assert(result == 0);
		assert(dx_value_equal(value, again));
		dx_object_unref(again);
	}
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	void *value = NULL;
	unsigned line = 0;

	if (dx_plist_decode(bytes, length, &value, &line) == 0) {
		check_round_trip(value);
		dx_object_unref(value);
	}
	return 0;
}

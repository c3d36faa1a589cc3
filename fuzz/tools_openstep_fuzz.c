/* SPDX-License-Identifier: MIT
 *
 * tools_openstep_fuzz - Xcode's projects from anywhere: what is read is a value, and an error has a
 * line that the text has.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/value.h"
#include "fuzz.h"
#include "openstep.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	unsigned nr_lines = 1;
	unsigned line = 0;
	void *value = NULL;
	int rc = dx_openstep_decode((const char *)bytes, length, &value, &line);

	if (rc == 0) {
		assert(dx_object_is_kind(value, &dx_dict_class) ||
		       dx_object_is_kind(value, &dx_array_class) ||
		       dx_object_is_kind(value, &dx_string_class) ||
		       dx_object_is_kind(value, &dx_data_class));
		(void)dx_object_unref(value); /* always NULL */
		return 0;
	}
	for (size_t i = 0; i < length; i++) {
		nr_lines += bytes[i] == '\n';
	}
	assert(value == NULL && line >= 1 && line <= nr_lines);
	return 0;
}

/* SPDX-License-Identifier: MIT
 *
 * tools_database_fuzz - compile_commands.json of anybody: what was kept once is kept again, as it is.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "build_database.h"
#include "fuzz.h"

#define PREFIX "/w/A.build/"
#define OWN    "  {\"output\": \"" PREFIX "1.o\"}"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char *once = NULL;
	char *twice = NULL;
	int rc = dx_database_merge((const char *)bytes, length, PREFIX, OWN, &once);

	assert(rc == 0 && strstr(once, OWN) != NULL);
	if (memchr(bytes, '\0', length) == NULL) {
		rc = dx_database_merge(once, strlen(once), PREFIX, OWN, &twice);
		assert(rc == 0 && strcmp(once, twice) == 0);
	}
	free(once);
	free(twice);
	return 0;
}

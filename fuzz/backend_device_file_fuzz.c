/* SPDX-License-Identifier: MIT
 *
 * backend_device_file_fuzz - description files: what is accepted gives descriptors that a host can walk.
 */
#include <assert.h>
#include <stdlib.h>

#include "backend/virtual/runtime.h"
#include "fuzz.h"

static void check_image(const struct dx_description *description)
{
	static const uint8_t container[16];
	struct dx_image image = {0};

	if (dx_image_build(&image, description, container) < 0) {
		return;
	}
	assert(image.nr_configurations == image.device[17]);
	for (unsigned i = 0; i < image.nr_configurations; i++) {
		const uint8_t *block = image.configurations[i];
		size_t length = image.configuration_lengths[i];
		size_t at = 0;

		assert(length == (size_t)(block[2] | block[3] << 8));
		while (at < length) {
			assert(block[at] >= 2);
			at += block[at];
		}
		assert(at == length);
	}
	dx_image_fini(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct dx_description *description = NULL;
	struct dx_options *options = calloc(1, sizeof(*options));
	char message[256] = "";

	if (options == NULL) {
		return 0;
	}
	(void)dx_options_parse(options, "fuzz", message, sizeof(message));
	if (dx_device_file_parse(bytes, length, "fuzz", options, &description) == 0) {
		check_image(description);
		(void)dx_description_free(description);
	} else {
		assert(message[0] != '\0');
	}
	free(options);
	return 0;
}

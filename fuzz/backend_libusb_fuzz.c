/* SPDX-License-Identifier: MIT
 *
 * backend_libusb_fuzz - what the libusb backend reads from others: the text of a spec, and the
 * descriptors of a device. The first byte of the input says which.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "backend/libusb/descriptors.h"
#include "backend/libusb/spec.h"
#include "fuzz.h"

/* Any text is a spec that means what it says, or a line. */
static void read_spec(const uint8_t *bytes, size_t length)
{
	char *text = malloc(length + 5);
	char message[200] = "";
	char port[40];
	struct dx_libusb_spec spec;
	struct dx_libusb_port again;

	if (text == NULL) {
		return;
	}
	memcpy(text, "usb:", 4);
	memcpy(text + 4, bytes, length);
	text[length + 4] = '\0';
	if (dx_libusb_spec_parse(text, &spec, message, sizeof(message)) < 0) {
		assert(message[0] != '\0');
	} else if (spec.port.bus != 0) {
		dx_libusb_port_format(&spec.port, port, sizeof(port));
		assert(dx_libusb_port_parse(port, &again));
		assert(dx_libusb_port_equal(&again, &spec.port));
	} else {
		assert(spec.has_ids);
	}
	free(text);
}

/* Every block that is found lies inside, one behind the other, and begins as one. */
static void read_descriptors(const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length == 0 ? 1 : length);
	struct dx_libusb_descriptors found;
	const uint8_t *end = NULL;

	if (copy == NULL) {
		return;
	}
	if (length != 0) {
		memcpy(copy, bytes, length);
	}
	if (dx_libusb_descriptors_parse(copy, length, &found) == 0) {
		end = copy + 18;
		for (unsigned i = 0; i < found.nr_configurations; i++) {
			assert(found.configurations[i] == end);
			assert(found.lengths[i] >= 9 && found.configurations[i][1] == 2);
			end += found.lengths[i];
		}
		assert(end <= copy + length);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length == 0) {
		return 0;
	}
	if (bytes[0] == 's') {
		read_spec(bytes + 1, length - 1);
	} else {
		read_descriptors(bytes + 1, length - 1);
	}
	return 0;
}

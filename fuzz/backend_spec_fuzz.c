/* SPDX-License-Identifier: MIT
 *
 * backend_spec_fuzz - device specs: any text either makes a device with sound descriptors or a one-line
 * message.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "backend/virtual/virtual.h"
#include "fuzz.h"

static void complete(void *host_ctx, struct dx_usb_transfer *transfer)
{
	(void)host_ctx;
	(void)transfer;
}

static void gone(void *host_ctx)
{
	(void)host_ctx;
}

static const struct dx_usb_backend_host host = {.complete = complete, .gone = gone};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const char prefix[] = "virtual:gadget-zero,";
	struct dx_usb_backend *backend = NULL;
	char message[128] = "";
	char *spec = malloc(sizeof(prefix) + length);

	if (spec == NULL) {
		return 0;
	}
	memcpy(spec, prefix, sizeof(prefix) - 1);
	memcpy(spec + sizeof(prefix) - 1, bytes, length);
	spec[sizeof(prefix) - 1 + length] = '\0';
	if (dx_backend_virtual.open(spec, -1, &host, NULL, message, sizeof(message), &backend) ==
	    0) {
		assert(dx_backend_virtual.info(backend)->nr_configurations != 0);
		dx_backend_virtual.close(backend);
	} else {
		assert(message[0] != '\0');
	}
	free(spec);
	return 0;
}

/* SPDX-License-Identifier: MIT
 *
 * wire_message_fuzz - messages from anywhere: what the decoder accepts is inside its buffer, has the
 * body its type says, and encodes to the same bytes.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "wire/wire.h"

static void check_view(const struct dx_wire_view *view, const void *bytes, size_t length)
{
	unsigned char *again = malloc(length);
	size_t body_length = view->header.body_length;
	ssize_t encoded = 0;

	assert(again != NULL);
	assert(sizeof(view->header) + body_length + view->payload_length == length);
	assert(view->header.status != 0 ||
	       (ssize_t)body_length == dx_wire_body_length(view->header.type));
	assert(dx_wire_nr_fds(view) >= 0);
	encoded = dx_wire_encode(again, length, view->header.type, view->header.seq,
				 view->header.status, view->body, body_length, view->payload,
				 view->payload_length);
	assert(encoded == (ssize_t)length);
	((struct dx_wire_header *)(void *)again)->flags = view->header.flags;
	assert(memcmp(again, bytes, length) == 0);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct dx_wire_view view;
	unsigned char *copy = malloc(length > 0 ? length : 1); /* aligned, and exactly as long */

	assert(copy != NULL);
	if (length > 0) {
		memcpy(copy, bytes, length);
	}
	if (dx_wire_decode(copy, length, &view) == 0) {
		check_view(&view, copy, length);
	}
	free(copy);
	return 0;
}

/* SPDX-License-Identifier: MIT
 *
 * channel_peer_fuzz - the driver side of a channel against any contents of A.
 *
 * Input: a sequence of operations, one byte each with its arguments: write to A, or use the driver
 *        side. Model: what the driver side hands out obeys its limits, an answer is accepted at
 *        most once, and a failed channel stays failed.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "channel/channel.h"
#include "channel/layout.h"
#include "fuzz.h"

struct input {
	const uint8_t *data;
	size_t left;
};

static uint32_t take(struct input *input, size_t width)
{
	uint32_t value = 0;
	size_t nr = width < input->left ? width : input->left;

	memcpy(&value, input->data, nr);
	input->data += nr;
	input->left -= nr;
	return value;
}

static void write_a(struct input *input, uint8_t *a)
{
	static const uint32_t starts[] = {
		offsetof(struct dx_layout_a, a_wait), offsetof(struct dx_layout_a, cq_head),
		offsetof(struct dx_layout_a, sq), offsetof(struct dx_layout_a, requests)};
	uint32_t start = starts[take(input, 1) % 4];
	uint32_t offset = (start + take(input, 2) % 4096) & ~3u;
	uint32_t value = take(input, 4);

	memcpy(a + offset % sizeof(struct dx_layout_a), &value, sizeof(value));
}

static void submit(struct input *input, struct dx_layout_a *a, uint32_t *number)
{
	uint64_t low = take(input, 2);

	dx_shared_store_release(&a->sq[*number % DX_LAYOUT_SQ_SIZE],
				(uint64_t)(*number + 1) << 32 | (low >> 8 & 3) << 8 | (low & 0x1f));
	(*number)++;
}

static void use(struct dx_channel_driver *driver, uint8_t operation, uint64_t *last_id)
{
	struct dx_channel_call call;
	struct dx_channel_reply reply;
	struct dx_channel_answer answer = {.result = 1};
	struct dx_channel_ask ask = {.kind = 1};
	int error = dx_channel_driver_error(driver);
	int rc = 0;

	switch (operation) {
	case 0:
		rc = dx_channel_driver_poll(driver, &call, &reply);
		if (rc == DX_CHANNEL_CALL) {
			assert(call.nr_scalars <= DX_MAX_SCALARS &&
			       call.max_scalars <= DX_MAX_SCALARS);
			assert(call.nr_bytes <= DX_MAX_INLINE_BYTES);
			*last_id = call.id;
		}
		break;
	case 1:
		rc = dx_channel_driver_answer(driver, *last_id, &answer);
		assert(rc != 0 || dx_channel_driver_answer(driver, *last_id, &answer) == -ESTALE);
		rc = rc == -ESTALE || rc == -EBUSY ? 0 : rc;
		break;
	case 2:
		rc = dx_channel_driver_ask(driver, *last_id, &ask);
		rc = rc == -ESTALE || rc == -EBUSY ? 0 : rc;
		break;
	case 3:
		for (unsigned i = 0; i < 40 && rc == 0; i++) {
			rc = dx_channel_driver_notify(driver, 1, i, 0, NULL, 0);
		}
		break;
	default:
		(void)dx_channel_driver_arm(driver);
		break;
	}
	assert(error == 0 || operation > 3 || rc == error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {.data = data, .left = size};
	struct dx_channel_driver_options options = {0};
	struct dx_channel_driver *driver = NULL;
	int fds[DX_CHANNEL_NR_FDS];
	uint64_t last_id = 0;
	uint32_t number = 0;

	if (dx_channel_driver_open(&options, &driver) < 0) {
		return 0;
	}
	dx_channel_driver_fds(driver, fds);
	void *a = mmap(NULL, sizeof(struct dx_layout_a), PROT_READ | PROT_WRITE, MAP_SHARED,
		       fds[DX_CHANNEL_FD_A], 0);
	assert(a != MAP_FAILED);
	while (input.left > 0) {
		uint8_t operation = (uint8_t)(take(&input, 1) % 8);
		if (operation == 5) {
			write_a(&input, a);
		} else if (operation == 6) {
			submit(&input, a, &number);
		} else {
			use(driver, operation, &last_id);
		}
	}
	(void)munmap(a, sizeof(struct dx_layout_a));
	(void)dx_channel_driver_close(driver);
	return 0;
}

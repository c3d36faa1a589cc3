/* SPDX-License-Identifier: MIT
 *
 * capture_recording_fuzz - captures from anybody: what loads is consistent, and a script plays it to
 * its end for a driver that does what was recorded.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/replay/script.h"
#include "base/log.h"
#include "capture/recording.h"
#include "fuzz.h"

#define MAX_BUFFER 65536u
#define NS_PER_S   1000000000u

/* Sends it again; the buffer is exactly as large as the transfer says. */
static void submit(struct dx_script *script, const struct dx_recorded_transfer *recorded, uint64_t *now_ns)
{
	uint32_t length = recorded->length < MAX_BUFFER ? recorded->length : MAX_BUFFER;
	uint8_t *data = malloc(length + 1u);
	struct dx_usb_packet *packets =
		calloc(recorded->nr_packets + 1u, sizeof(*packets));
	struct dx_usb_transfer transfer = {
		.type = recorded->type,
		.endpoint = recorded->endpoint,
		.data = data,
		.length = length,
		.packets = packets,
	};
	uint64_t deadline_ns = 0;

	assert(data != NULL && packets != NULL);
	memset(data, 0, length);
	if (!recorded->is_in && recorded->nr_data <= length && recorded->nr_data != 0) {
		memcpy(data, recorded->data, recorded->nr_data);
	}
	memcpy(transfer.setup, recorded->setup, sizeof(transfer.setup));
	if (transfer.type == DX_USB_ISOCHRONOUS && recorded->length == length) {
		transfer.nr_packets = recorded->nr_packets;
		for (uint32_t i = 0; i < recorded->nr_packets; i++) {
			packets[i].length = recorded->packets[i].length;
		}
	}
	dx_list_init(&transfer.link);
	if (dx_script_submit(script, &transfer, *now_ns)) {
		for (unsigned i = 0; i < 3; i++) { /* beyond the patience */
			(void)dx_script_next(script, *now_ns, &deadline_ns);
			*now_ns += NS_PER_S;
		}
		dx_list_remove(&transfer.link); /* cancelled, if it still waits */
		dx_script_lane(script, transfer.endpoint, transfer.type)->halted = false;
	}
	assert(transfer.actual <= length);
	free(packets);
	free(data);
}

static void play(const struct dx_recording *recording)
{
	struct dx_script script;
	uint64_t now_ns = 1;

	if (dx_script_init(&script, recording, "fuzz") == 0) {
		for (size_t i = 0; i < recording->nr_transfers && i < 200; i++) {
			submit(&script, &recording->transfers[i], &now_ns);
		}
	}
	dx_script_fini(&script);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct dx_recording *recording = NULL;
	char message[512] = "";
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	dx_log_set_level(DX_LOG_ERROR);
	assert(fd >= 0 && write(fd, bytes, length) == (ssize_t)length && lseek(fd, 0, SEEK_SET) == 0);
	if (dx_recording_load(fd, "fuzz", NULL, message, sizeof(message), &recording) < 0) {
		assert(message[0] != '\0');
		return 0;
	}
	for (size_t i = 0; i < recording->nr_transfers; i++) {
		const struct dx_recorded_transfer *transfer = &recording->transfers[i];

		assert(transfer->actual <= transfer->length);
		assert(transfer->nr_data == 0 || transfer->data != NULL);
		assert(transfer->nr_data <= transfer->length);
	}
	play(recording);
	(void)dx_recording_free(recording);
	return 0;
}

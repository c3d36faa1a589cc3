/* SPDX-License-Identifier: MIT
 *
 * backend_storage_fuzz - the disk: command wrappers, command blocks and data that are anything.
 *
 * Input: flags, then steps: 0 a wrapper of the right form around any block, 1 OUT of any bytes, 2
 * IN, 3 clear a halt, 4 reset, 5 cancel all. Beside what the transfers must keep to
 * (backend_traffic.h): the file keeps its length, and a read-only one its bytes; after the recovery
 * of the standard a command is answered.
 */
#include "backend_traffic.h"
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_STEPS  64u
#define DISK_BYTES 16384u

static void bulk(struct traffic *traffic, struct traffic_input *input, uint8_t address,
		 uint32_t length)
{
	struct dx_usb_transfer *transfer = traffic_new(traffic);

	if (transfer == NULL) {
		return;
	}
	transfer->endpoint = address;
	transfer->type = DX_USB_BULK;
	traffic_fill(transfer, input, length);
	traffic_submit(traffic, transfer);
}

static void wrapper(struct traffic *traffic, const uint8_t *bytes)
{
	struct traffic_input copy = {bytes, 31};

	bulk(traffic, &copy, 0x01, 31);
}

static void any_command(struct traffic *traffic, struct traffic_input *input)
{
	uint8_t bytes[31] = "USBC";
	uint8_t about = traffic_byte(input);

	traffic_bytes(input, bytes + 8, 2); /* wanted: up to 64 KiB */
	bytes[12] = about & 0x80;
	bytes[13] = (about & 0x40) >> 6;
	bytes[14] = 1 + (about & 15);
	traffic_bytes(input, bytes + 15, 16);
	wrapper(traffic, bytes);
}

static void reset(struct traffic *traffic)
{
	static const uint8_t setup[8] = {0x21, 0xFF};
	struct dx_usb_transfer *transfer = traffic_new(traffic);

	if (transfer != NULL) {
		memcpy(transfer->setup, setup, sizeof(setup));
		traffic_submit(traffic, transfer);
	}
}

static void step(struct traffic *traffic, struct traffic_input *input)
{
	uint8_t kind = traffic_byte(input);
	uint32_t length = (uint32_t)(traffic_byte(input) | (kind & 0x70) << 4);

	switch (kind & 7) {
	case 0:
	case 6:
		any_command(traffic, input);
		break;
	case 1:
		bulk(traffic, input, 0x01, length);
		break;
	case 2:
	case 7:
		bulk(traffic, input, 0x81, length);
		break;
	case 3:
		traffic_clear_halt(traffic, (length & 1) != 0 ? 0x81 : 0x01, (length & 2) != 0);
		break;
	case 4:
		reset(traffic);
		break;
	default:
		traffic_cancel(traffic);
		break;
	}
	if ((kind & 0x80) == 0) {
		traffic_poll(traffic);
	}
}

/* Reset, both halts cleared, then a command: it must be answered. */
static void check_recovery(struct traffic *traffic)
{
	static const uint8_t ready[31] = {'U', 'S', 'B', 'C', 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 6};
	struct traffic_input nothing = {NULL, 0};
	struct dx_usb_transfer *status = NULL;

	traffic_cancel(traffic);
	reset(traffic);
	traffic_poll(traffic);
	traffic_clear_halt(traffic, 0x81, true);
	traffic_clear_halt(traffic, 0x01, true);
	traffic_poll(traffic);
	wrapper(traffic, ready);
	traffic_poll(traffic);
	status = traffic_new(traffic);
	assert(status == &traffic->transfers[0]); /* nothing is pending */
	bulk(traffic, &nothing, 0x81, 13);
	traffic_poll(traffic);
	assert(!traffic->busy[0] && status->status == DX_USB_OK && status->actual == 13);
}

static void check_disk(int fd, bool read_only)
{
	static uint8_t bytes[DISK_BYTES];
	struct stat about = {0};

	assert(fstat(fd, &about) == 0 && about.st_size == DISK_BYTES);
	assert(pread(fd, bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes));
	for (unsigned i = 0; read_only && i < sizeof(bytes); i++) {
		assert(bytes[i] == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct traffic_input input = {bytes, length};
	uint8_t flags = traffic_byte(&input);
	bool read_only = (flags & 1) != 0;
	int fd = memfd_create("disk", MFD_CLOEXEC);
	int beside = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* open() takes the other one */
	struct traffic traffic;
	char spec[128];

	assert(fd >= 0 && beside >= 0 && ftruncate(fd, DISK_BYTES) == 0);
	(void)snprintf(spec, sizeof(spec),
		       "virtual:mass-storage,configuration=1,file=x,ro=%s,removable=%s,speed=%s",
		       read_only ? "yes" : "no", (flags & 2) != 0 ? "yes" : "no",
		       (flags & 4) != 0 ? "full" : "super");
	if (!traffic_open(&traffic, spec, fd)) {
		abort();
	}
	for (unsigned i = 0; i < MAX_STEPS && input.left != 0; i++) {
		step(&traffic, &input);
	}
	check_recovery(&traffic);
	traffic_close(&traffic);
	check_disk(beside, read_only);
	(void)close(beside);
	return 0;
}

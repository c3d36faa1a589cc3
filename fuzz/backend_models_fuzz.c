/* SPDX-License-Identifier: MIT
 *
 * backend_models_fuzz - every model, and requests and transfers of any kind in any order.
 *
 * Input: model, fault, then steps: 0 control (8 bytes, data), 1 IN, 2 OUT, 3 isochronous, 4 clear a
 * halt, 5 cancel all, 6 choose a setting.
 */
#include "backend_traffic.h"
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#define MAX_STEPS 64u
#define MAX_BYTES 2048u

static const char *const models[] = {
	"virtual:gadget-zero,configuration=3,speed=high",
	"virtual:gadget-zero,configuration=2,speed=full,fifo=4096",
	"virtual:source-sink,configuration=1,type=interrupt,packet=8,interval=1",
	"virtual:source-sink,configuration=1,type=isochronous,in=3,out=4",
	"virtual:loopback,configuration=1,in=5,out=6,speed=super",
	"virtual:cdc-acm,configuration=1,fifo=64,banner=hello",
	"virtual:hid-keyboard,configuration=1,text={ctrl+a}b,rate=1000,repeat=0",
	"virtual:mass-storage,configuration=1,file=x",
};

static const char *const faults[] = {
	"",
	"",
	"",
	"",
	",short=3",
	",stall-after=2",
	",disconnect-after=3",
	",corrupt=2,babble-after=1",
};

static int make_disk(const char *spec)
{
	int fd = -1;

	if (strstr(spec, "mass-storage") == NULL) {
		return -1;
	}
	fd = memfd_create("disk", MFD_CLOEXEC);
	assert(fd >= 0);
	assert(ftruncate(fd, 8192) == 0);
	return fd;
}

static void control(struct traffic *traffic, struct traffic_input *input)
{
	struct dx_usb_transfer *transfer = traffic_new(traffic);

	if (transfer == NULL) {
		return;
	}
	traffic_bytes(input, transfer->setup, sizeof(transfer->setup));
	transfer->setup[7] &= 3;
	traffic_fill(transfer, input, (uint32_t)(transfer->setup[6] | transfer->setup[7] << 8));
	traffic_submit(traffic, transfer);
}

static void bulk(struct traffic *traffic, struct traffic_input *input, uint8_t direction)
{
	struct dx_usb_transfer *transfer = traffic_new(traffic);
	uint8_t about = traffic_byte(input);

	if (transfer == NULL) {
		return;
	}
	transfer->endpoint = direction | (about & 0x0F);
	transfer->type = (about & 0x10) != 0 ? DX_USB_INTERRUPT : DX_USB_BULK;
	traffic_fill(transfer, input, (traffic_byte(input) | (about & 0xE0u) << 3) % MAX_BYTES);
	traffic_submit(traffic, transfer);
}

static void isochronous(struct traffic *traffic, struct traffic_input *input)
{
	struct dx_usb_transfer *transfer = traffic_new(traffic);
	uint8_t about = traffic_byte(input);
	uint32_t length = 0;

	if (transfer == NULL) {
		return;
	}
	transfer->endpoint = (about & 0x80) | (about & 7);
	transfer->type = DX_USB_ISOCHRONOUS;
	transfer->nr_packets = 1 + (about >> 3 & 3);
	transfer->first_frame = traffic_byte(input);
	transfer->packets = calloc(transfer->nr_packets, sizeof(*transfer->packets));
	assert(transfer->packets != NULL);
	for (unsigned i = 0; i < transfer->nr_packets; i++) {
		transfer->packets[i].length = traffic_byte(input);
		length += transfer->packets[i].length;
	}
	traffic_fill(transfer, input, length);
	traffic_submit(traffic, transfer);
}

static void set_alternate(struct traffic *traffic, uint8_t about)
{
	struct dx_usb_transfer *done = traffic_new(traffic);

	if (done == NULL) {
		return;
	}
	traffic_mark(traffic, done, true);
	if (dx_backend_virtual.set_altsetting(traffic->device, about & 3, about >> 2 & 3, done) <
	    0) {
		traffic_mark(traffic, done, false);
	}
}

static void step(struct traffic *traffic, struct traffic_input *input)
{
	uint8_t kind = traffic_byte(input);

	switch (kind & 7) {
	case 0:
		control(traffic, input);
		break;
	case 1:
		bulk(traffic, input, 0x80);
		break;
	case 2:
		bulk(traffic, input, 0);
		break;
	case 3:
		isochronous(traffic, input);
		break;
	case 4:
		traffic_clear_halt(traffic, traffic_byte(input), (kind & 8) != 0);
		break;
	case 5:
		traffic_cancel(traffic);
		break;
	case 6:
		set_alternate(traffic, kind >> 4);
		break;
	default:
		break;
	}
	if ((kind & 0x80) == 0) {
		traffic_poll(traffic);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct traffic_input input = {bytes, length};
	const char *model = models[traffic_byte(&input) % (sizeof(models) / sizeof(models[0]))];
	const char *fault = faults[traffic_byte(&input) % (sizeof(faults) / sizeof(faults[0]))];
	struct traffic traffic;
	char spec[256];

	memcpy(spec, model, strlen(model) + 1);
	memcpy(spec + strlen(model), fault, strlen(fault) + 1);
	if (!traffic_open(&traffic, spec, make_disk(spec))) {
		abort();
	}
	for (unsigned i = 0; i < MAX_STEPS && input.left != 0 && !traffic.gone; i++) {
		step(&traffic, &input);
	}
	traffic_close(&traffic);
	return 0;
}

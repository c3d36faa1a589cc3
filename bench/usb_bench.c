/* SPDX-License-Identifier: MIT
 *
 * usb_bench - a buffer through the USB stack and a virtual device in one process.
 *
 * Place:      bench. The base line of the buffer round trip: the same device without driver process
 *             and application. One round trip: a buffer OUT, the same bytes IN, two callbacks.
 * Prints:     median and spread over slices, in ns per round trip, at queue depth 8; "copy" is a plain
 *             memcpy of the same buffers in the same slices, "stack" the difference.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/virtual/virtual.h"
#include "base/clock.h"
#include "usb/usb.h"

#define DEPTH	  8u
#define SLICES	  21u
#define MAX_BYTES 262144u

static const struct dx_usb_backend_ops *const backends[] = {&dx_backend_virtual, NULL};

struct bench {
	struct dx_usb_device *device;
	struct dx_usb_interface *interface;
	struct dx_usb_pipe *in;
	struct dx_usb_pipe *out;
	uint32_t bytes;
	uint64_t nr_done;
	uint8_t *out_data[DEPTH];
	uint8_t *in_data[DEPTH];
};

static void on_out(void *ctx, int32_t status, uint32_t actual, uint64_t timestamp_ns)
{
	(void)ctx;
	(void)actual;
	(void)timestamp_ns;
	if (status != DX_USB_OK) {
		abort();
	}
}

static void on_in(void *ctx, int32_t status, uint32_t actual, uint64_t timestamp_ns)
{
	struct bench *bench = ctx;

	(void)timestamp_ns;
	if (status != DX_USB_OK || actual != bench->bytes) {
		abort();
	}
	bench->nr_done++;
}

static void submit_batch(struct bench *bench)
{
	for (unsigned i = 0; i < DEPTH; i++) {
		if (dx_usb_pipe_submit(bench->out, bench->out_data[i], bench->bytes, 0, on_out,
				       bench) != DX_USB_OK ||
		    dx_usb_pipe_submit(bench->in, bench->in_data[i], bench->bytes, 0, on_in,
				       bench) != DX_USB_OK) {
			abort();
		}
	}
}

static double round_trip_ns(struct bench *bench, unsigned nr_batches)
{
	uint64_t before_ns = dx_clock_now_ns();

	for (unsigned i = 0; i < nr_batches; i++) {
		submit_batch(bench);
		while (dx_usb_needs_poll(bench->device)) {
			(void)dx_usb_poll(bench->device);
		}
	}
	return (double)(dx_clock_now_ns() - before_ns) / (nr_batches * DEPTH);
}

static double copy_ns(struct bench *bench, unsigned nr_batches)
{
	uint64_t before_ns = dx_clock_now_ns();

	for (unsigned i = 0; i < nr_batches; i++) {
		for (unsigned k = 0; k < DEPTH; k++) {
			memcpy(bench->in_data[k], bench->out_data[k], bench->bytes);
			__asm__ volatile("" ::: "memory");
		}
	}
	return (double)(dx_clock_now_ns() - before_ns) / (nr_batches * DEPTH);
}

static int compare_doubles(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return (difference > 0) - (difference < 0);
}

static void measure(struct bench *bench, uint32_t bytes)
{
	double trips[SLICES];
	double copies[SLICES];
	double stack[SLICES];
	unsigned nr_batches = bytes >= 65536 ? 100 : 4000;

	bench->bytes = bytes;
	(void)round_trip_ns(bench, nr_batches);
	for (unsigned i = 0; i < SLICES; i++) {
		trips[i] = round_trip_ns(bench, nr_batches);
		copies[i] = copy_ns(bench, nr_batches);
		stack[i] = trips[i] - copies[i];
	}
	qsort(trips, SLICES, sizeof(trips[0]), compare_doubles);
	qsort(copies, SLICES, sizeof(copies[0]), compare_doubles);
	qsort(stack, SLICES, sizeof(stack[0]), compare_doubles);
	printf("usb in-process round trip, %u bytes, depth %u: %.0f ns (%.0f..%.0f), copy %.0f ns, "
	       "stack %.0f ns (%.0f..%.0f)\n",
	       bytes, DEPTH, trips[SLICES / 2], trips[2], trips[SLICES - 3], copies[SLICES / 2],
	       stack[SLICES / 2], stack[2], stack[SLICES - 3]);
}

static int set_up(struct bench *bench)
{
	char message[256];

	if (dx_usb_device_attach(backends, "virtual:gadget-zero,mode=loopback", -1, message,
				 sizeof(message), &bench->device) < 0) {
		fprintf(stderr, "usb_bench: %s\n", message);
		return -1;
	}
	if (dx_usb_device_set_configuration(bench->device, NULL, 2) != DX_USB_OK) {
		return -1;
	}
	bench->interface = dx_usb_device_copy_interface(bench->device, 0);
	if (bench->interface == NULL ||
	    dx_usb_interface_open(bench->interface, bench, 0, 0) != DX_USB_OK ||
	    dx_usb_interface_copy_pipe(bench->interface, 0x81, &bench->in) != DX_USB_OK ||
	    dx_usb_interface_copy_pipe(bench->interface, 0x01, &bench->out) != DX_USB_OK) {
		return -1;
	}
	for (unsigned i = 0; i < DEPTH; i++) {
		bench->out_data[i] = malloc(MAX_BYTES);
		bench->in_data[i] = malloc(MAX_BYTES);
		if (bench->out_data[i] == NULL || bench->in_data[i] == NULL) {
			return -1;
		}
		memset(bench->out_data[i], (int)i, MAX_BYTES);
		memset(bench->in_data[i], 0, MAX_BYTES);
	}
	return 0;
}

int main(void)
{
	static const uint32_t sizes[] = {512, 4096, 65536, 262144};
	struct bench bench = {0};

	if (set_up(&bench) < 0) {
		return 1;
	}
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		measure(&bench, sizes[i]);
	}
	(void)dx_usb_pipe_unref(bench.in);
	(void)dx_usb_pipe_unref(bench.out);
	(void)dx_usb_interface_unref(bench.interface);
	(void)dx_usb_device_unref(bench.device);
	for (unsigned i = 0; i < DEPTH; i++) {
		free(bench.out_data[i]);
		free(bench.in_data[i]);
	}
	return 0;
}

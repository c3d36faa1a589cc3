/* SPDX-License-Identifier: MIT
 *
 * plain_libusb - a program that moves bytes with libusb and nothing else: the yardstick.
 *
 *	plain_libusb SERIAL out|in|loopback|move BYTES DEPTH COUNT
 *
 * Moves COUNT transfers of BYTES on a Gadget Zero with that serial number, DEPTH of them in flight;
 * a loopback is a transfer out and the same bytes in, and is compared; "move" is the same without a
 * look at the bytes. Uses libusb as its documentation shows: asynchronous transfers, memory of malloc,
 * libusb_handle_events().
 *
 * Prints one line: "transfers=N wall_ns=N cpu_ns=N" for the time between the first submission and
 * the last completion. Exit status 1 when a transfer failed or bytes were wrong.
 */
#include <errno.h>
#include <libusb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VENDOR      0x0525
#define PRODUCT     0xa4a0
#define SOURCE_SINK 3
#define LOOPBACK    2
#define MAX_DEPTH   64u

struct run {
	libusb_device_handle *handle;
	uint8_t in; /* endpoints; 0: not used */
	uint8_t out;
	int is_compared;
	unsigned bytes;
	unsigned depth;
	uint64_t nr_wanted; /* of each direction */
	uint64_t nr_submitted[2];
	uint64_t nr_done[2];
	int failed;
	unsigned nr_flying;
	struct libusb_transfer *transfers[2][MAX_DEPTH];
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void fill(uint8_t *data, unsigned bytes, uint64_t number)
{
	for (unsigned i = 0; i < bytes; i++) {
		data[i] = (uint8_t)(number * 31 + i * 7);
	}
}

static int is_filled(const uint8_t *data, unsigned bytes, uint64_t number)
{
	for (unsigned i = 0; i < bytes; i++) {
		if (data[i] != (uint8_t)(number * 31 + i * 7)) {
			return 0;
		}
	}
	return 1;
}

static void submit(struct run *run, struct libusb_transfer *transfer)
{
	unsigned is_in = (transfer->endpoint & LIBUSB_ENDPOINT_IN) != 0;
	int ret;

	if (run->is_compared && !is_in) {
		fill(transfer->buffer, run->bytes, run->nr_submitted[is_in]);
	}
	ret = libusb_submit_transfer(transfer);
	if (ret != LIBUSB_SUCCESS) {
		fprintf(stderr, "plain_libusb: submit: %s\n", libusb_error_name(ret));
		run->failed = 1;
		return;
	}
	run->nr_submitted[is_in]++;
	run->nr_flying++;
}

static void LIBUSB_CALL on_done(struct libusb_transfer *transfer)
{
	struct run *run = transfer->user_data;
	unsigned is_in = (transfer->endpoint & LIBUSB_ENDPOINT_IN) != 0;

	run->nr_flying--;
	if (transfer->status != LIBUSB_TRANSFER_COMPLETED ||
	    (unsigned)transfer->actual_length != run->bytes) {
		fprintf(stderr, "plain_libusb: endpoint %#x: status %d, %d of %u bytes\n",
			transfer->endpoint, transfer->status, transfer->actual_length, run->bytes);
		run->failed = 1;
		return;
	}
	if (run->is_compared && is_in &&
	    !is_filled(transfer->buffer, run->bytes, run->nr_done[is_in])) {
		fprintf(stderr, "plain_libusb: transfer %llu has other bytes\n",
			(unsigned long long)run->nr_done[is_in]);
		run->failed = 1;
	}
	run->nr_done[is_in]++;
	if (!run->failed && run->nr_submitted[is_in] < run->nr_wanted) {
		submit(run, transfer);
	}
}

static int make_transfers(struct run *run)
{
	for (unsigned is_in = 0; is_in < 2; is_in++) {
		uint8_t endpoint = is_in ? run->in : run->out;

		for (unsigned i = 0; endpoint != 0 && i < run->depth; i++) {
			struct libusb_transfer *transfer = libusb_alloc_transfer(0);
			uint8_t *data = malloc(run->bytes);

			if (transfer == NULL || data == NULL) {
				libusb_free_transfer(transfer);
				free(data);
				return -ENOMEM;
			}
			memset(data, 0, run->bytes); /* pages that nobody has touched cost less to send */
			libusb_fill_bulk_transfer(transfer, run->handle, endpoint, data,
						  (int)run->bytes, on_done, run, 0);
			run->transfers[is_in][i] = transfer;
		}
	}
	return 0;
}

static void free_transfers(struct run *run)
{
	for (unsigned is_in = 0; is_in < 2; is_in++) {
		for (unsigned i = 0; i < run->depth && run->transfers[is_in][i] != NULL; i++) {
			free(run->transfers[is_in][i]->buffer);
			libusb_free_transfer(run->transfers[is_in][i]);
		}
	}
}

/* A failure lets what flies come down: the first error cancels the others. */
static void cancel_all(struct run *run)
{
	for (unsigned is_in = 0; is_in < 2; is_in++) {
		for (unsigned i = 0; i < run->depth && run->transfers[is_in][i] != NULL; i++) {
			(void)libusb_cancel_transfer(run->transfers[is_in][i]); /* may be done */
		}
	}
}

static void stream(struct run *run, libusb_context *context)
{
	int is_cancelled = 0;

	for (unsigned i = 0; i < run->depth; i++) {
		for (unsigned is_in = 0; is_in < 2; is_in++) {
			if (run->transfers[is_in][i] != NULL && !run->failed &&
			    run->nr_submitted[is_in] < run->nr_wanted) {
				submit(run, run->transfers[is_in][i]);
			}
		}
	}
	while (run->nr_flying > 0) {
		(void)libusb_handle_events(context); /* what happened is in the transfers */
		if (run->failed && !is_cancelled) {
			cancel_all(run);
			is_cancelled = 1;
		}
	}
}

static libusb_device_handle *open_serial(libusb_context *context, const char *serial)
{
	libusb_device **devices = NULL;
	libusb_device_handle *found = NULL;
	ssize_t nr_devices = libusb_get_device_list(context, &devices);

	for (ssize_t i = 0; i < nr_devices && found == NULL; i++) {
		struct libusb_device_descriptor about;
		libusb_device_handle *handle = NULL;
		char text[128] = "";

		if (libusb_get_device_descriptor(devices[i], &about) != 0 ||
		    about.idVendor != VENDOR || about.idProduct != PRODUCT ||
		    libusb_open(devices[i], &handle) != 0) {
			continue;
		}
		(void)libusb_get_string_descriptor_ascii(handle, about.iSerialNumber,
							 (unsigned char *)text, sizeof(text));
		if (strcmp(text, serial) == 0) {
			found = handle;
		} else {
			libusb_close(handle);
		}
	}
	if (nr_devices >= 0) {
		libusb_free_device_list(devices, 1);
	}
	return found;
}

static int find_endpoints(struct run *run)
{
	struct libusb_config_descriptor *config = NULL;
	const struct libusb_interface_descriptor *setting;
	int ret = libusb_get_active_config_descriptor(libusb_get_device(run->handle), &config);

	if (ret != LIBUSB_SUCCESS) {
		return ret;
	}
	setting = &config->interface[0].altsetting[0];
	for (unsigned i = 0; i < setting->bNumEndpoints; i++) {
		uint8_t address = setting->endpoint[i].bEndpointAddress;

		if ((address & LIBUSB_ENDPOINT_IN) != 0) {
			run->in = address;
		} else {
			run->out = address;
		}
	}
	libusb_free_config_descriptor(config);
	return 0;
}

static int configure(struct run *run, int configuration)
{
	int current = 0;
	int ret = libusb_get_configuration(run->handle, &current);

	(void)libusb_set_auto_detach_kernel_driver(run->handle, 1);
	if (ret == LIBUSB_SUCCESS && current != configuration) {
		ret = libusb_set_configuration(run->handle, configuration);
	}
	if (ret == LIBUSB_SUCCESS) {
		ret = libusb_claim_interface(run->handle, 0);
	}
	return ret == LIBUSB_SUCCESS ? find_endpoints(run) : ret;
}

static int move(struct run *run, libusb_context *context)
{
	uint64_t wall_ns;
	uint64_t cpu_ns;

	if (make_transfers(run) < 0) {
		fprintf(stderr, "plain_libusb: no memory\n");
		free_transfers(run);
		return 1;
	}
	wall_ns = now_ns(CLOCK_MONOTONIC);
	cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	stream(run, context);
	cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
	wall_ns = now_ns(CLOCK_MONOTONIC) - wall_ns;
	free_transfers(run);
	printf("transfers=%llu wall_ns=%llu cpu_ns=%llu\n",
	       (unsigned long long)(run->nr_done[0] + run->nr_done[1]), (unsigned long long)wall_ns,
	       (unsigned long long)cpu_ns);
	return run->failed;
}

static unsigned long number(const char *text, unsigned long max)
{
	char *end = NULL;
	unsigned long value = strtoul(text, &end, 10);

	if (value == 0 || value > max || *end != '\0') {
		fprintf(stderr, "plain_libusb: %s: not a number from 1 to %lu\n", text, max);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	struct run run = {0};
	libusb_context *context = NULL;
	int configuration;
	int ret;

	if (argc != 6) {
		fprintf(stderr,
			"usage: plain_libusb SERIAL out|in|loopback|move BYTES DEPTH COUNT\n");
		return 2;
	}
	run.bytes = (unsigned)number(argv[3], 1u << 20);
	run.depth = (unsigned)number(argv[4], MAX_DEPTH);
	run.nr_wanted = number(argv[5], 1u << 30);
	run.is_compared = strcmp(argv[2], "loopback") == 0;
	configuration = run.is_compared || strcmp(argv[2], "move") == 0 ? LOOPBACK : SOURCE_SINK;
	if (libusb_init(&context) != LIBUSB_SUCCESS) {
		return 1;
	}
	run.handle = open_serial(context, argv[1]);
	ret = run.handle == NULL ? LIBUSB_ERROR_NO_DEVICE : configure(&run, configuration);
	if (ret != LIBUSB_SUCCESS) {
		fprintf(stderr, "plain_libusb: %s: %s\n", argv[1], libusb_error_name(ret));
		run.failed = 1;
	} else {
		run.in = strcmp(argv[2], "out") == 0 ? 0 : run.in;
		run.out = strcmp(argv[2], "in") == 0 ? 0 : run.out;
		run.failed = move(&run, context);
		(void)libusb_release_interface(run.handle, 0);
	}
	if (run.handle != NULL) {
		libusb_close(run.handle);
	}
	libusb_exit(context);
	return run.failed;
}

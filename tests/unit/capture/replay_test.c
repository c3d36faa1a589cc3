/* SPDX-License-Identifier: MIT
 *
 * replay - a session with a virtual device is captured, then the capture is the device.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/replay/replay.h"
#include "backend/virtual/virtual.h"
#include "capture/capture.h"
#include "test.h"
#include "usb/usb.h"

#define CLIENT ((const void *)"a client")

static const struct dx_usb_backend_ops *const backends[] = {&dx_backend_virtual, &dx_backend_replay,
							    NULL};

struct place {
	char directory[64];
	char path[96];
	char spec[160];
};

static struct place make_place(void)
{
	struct place place;

	test_make_directory(place.directory, sizeof(place.directory));
	(void)snprintf(place.path, sizeof(place.path), "%s/out.pcapng", place.directory);
	(void)snprintf(place.spec, sizeof(place.spec), "replay:%s,strict=yes", place.path);
	return place;
}

static struct dx_usb_device *attach(const char *spec)
{
	struct dx_usb_device *device = NULL;
	char message[512] = "";

	if (dx_usb_device_attach(backends, spec, -1, message, sizeof(message), &device) < 0) {
		FAIL("attach %s: %s", spec, message);
	}
	return device;
}

static void check_refused(const char *spec, int result, const char *text)
{
	struct dx_usb_device *device = NULL;
	char message[512] = "";

	CHECK_EQ(dx_usb_device_attach(backends, spec, -1, message, sizeof(message), &device), result);
	CHECK_STR_EQ(message, text);
}

struct pipes {
	struct dx_usb_interface *interface;
	struct dx_usb_pipe *in;
	struct dx_usb_pipe *out;
};

static struct pipes open_pipes(struct dx_usb_device *device, uint8_t configuration)
{
	struct pipes pipes = {0};

	CHECK_EQ(dx_usb_device_set_configuration(device, NULL, configuration), DX_USB_OK);
	pipes.interface = dx_usb_device_copy_interface(device, 0);
	CHECK(pipes.interface != NULL);
	CHECK_EQ(dx_usb_interface_open(pipes.interface, CLIENT, 0, 0), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_copy_pipe(pipes.interface, 0x81, &pipes.in), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_copy_pipe(pipes.interface, 0x01, &pipes.out), DX_USB_OK);
	return pipes;
}

static void close_pipes(struct pipes *pipes)
{
	(void)dx_usb_pipe_unref(pipes->in);
	(void)dx_usb_pipe_unref(pipes->out);
	(void)dx_usb_interface_unref(pipes->interface);
}

/* What a driver of a loopback does: requests, data, a short packet, a stall that it clears. */
static void session(struct dx_usb_device *device, uint8_t seed)
{
	struct pipes pipes = open_pipes(device, 2);
	const struct dx_usb_setup write = {.bmRequestType = 0x40, .bRequest = 0x5b, .wLength = 5};
	const struct dx_usb_setup read = {.bmRequestType = 0xc0, .bRequest = 0x5c, .wLength = 5};
	char *product = dx_usb_device_copy_text(device, 2);
	uint8_t sent[3000];
	uint8_t received[3000];
	uint32_t actual = 0;

	CHECK(product != NULL && product[0] != '\0');
	free(product);
	CHECK_EQ(dx_usb_pipe_io(pipes.in, received, 1024, 1, &actual), DX_USB_TIMEOUT);
	CHECK_EQ(dx_usb_device_open(device, CLIENT), DX_USB_OK);
	memcpy(sent, "hello", 5);
	CHECK_EQ(dx_usb_device_request(device, CLIENT, &write, sent, 0, NULL), DX_USB_OK);
	memset(received, 0, 5);
	CHECK_EQ(dx_usb_device_request(device, CLIENT, &read, received, 0, NULL), DX_USB_OK);
	CHECK_MEM_EQ(received, "hello", 5);
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(sent); i++) {
			sent[i] = (uint8_t)(i * seed + round);
		}
		memset(received, 0, sizeof(received));
		CHECK_EQ(dx_usb_pipe_io(pipes.out, sent, sizeof(sent), 0, &actual), DX_USB_OK);
		CHECK_EQ(dx_usb_pipe_io(pipes.in, received, sizeof(received), 0, &actual), DX_USB_OK);
		CHECK_EQ(actual, sizeof(sent));
		CHECK_MEM_EQ(received, sent, sizeof(sent));
	}
	CHECK_EQ(dx_usb_pipe_io(pipes.out, sent, 512, 0, &actual), DX_USB_STALLED);
	CHECK_EQ(dx_usb_pipe_clear_stall(pipes.out, true), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(pipes.out, sent, 512, 0, &actual), DX_USB_OK);
	close_pipes(&pipes);
}

static void record(const struct place *place)
{
	struct dx_usb_device *device = attach("virtual:gadget-zero,mode=loopback,speed=high,stall-after=3");
	struct dx_capture *capture = NULL;
	char message[256];

	CHECK_EQ(dx_capture_new(dx_capture_begin(place->path, message, sizeof(message)), &capture), 0);
	dx_usb_device_set_tap(device, dx_capture_tap(capture));
	session(device, 7);
	(void)dx_usb_device_unref(device);
	(void)dx_capture_free(capture);
}

TEST(replay_does_what_the_recorded_device_did)
{
	struct place place = make_place();
	struct dx_usb_device *device = NULL;

	record(&place);
	device = attach(place.spec);
	CHECK_EQ(dx_usb_device_speed(device), DX_USB_SPEED_HIGH);
	CHECK_EQ(dx_usb_device_descriptor(device)[8], 0x25);
	session(device, 7);
	CHECK(!dx_usb_device_is_gone(device)); /* strict: it did everything as recorded */
	(void)dx_usb_device_unref(device);
}

TEST(replay_that_is_strict_unplugs_a_driver_that_differs)
{
	struct place place = make_place();
	struct dx_usb_device *device = NULL;
	struct pipes pipes;
	uint8_t bytes[512] = {0};

	record(&place);
	device = attach(place.spec);
	pipes = open_pipes(device, 2);
	(void)dx_usb_pipe_io(pipes.out, bytes, sizeof(bytes), 0, NULL);
	(void)dx_usb_poll(device);
	CHECK(dx_usb_device_is_gone(device));
	close_pipes(&pipes);
	(void)dx_usb_device_unref(device);
}

TEST(replay_tells_what_a_cancelled_transfer_has_moved)
{
	struct place place = make_place();
	struct dx_usb_device *device = attach("virtual:gadget-zero,mode=loopback,speed=high");
	struct dx_capture *capture = NULL;
	char message[256];
	uint8_t bytes[1024] = {'b'};
	uint32_t actual = 0;

	CHECK_EQ(dx_capture_new(dx_capture_begin(place.path, message, sizeof(message)), &capture), 0);
	dx_usb_device_set_tap(device, dx_capture_tap(capture));
	for (unsigned i = 0; i < 2; i++) {
		struct pipes pipes = open_pipes(device, 2);

		CHECK_EQ(dx_usb_pipe_io(pipes.out, bytes, 512, 0, NULL), DX_USB_OK);
		memset(bytes, 0, sizeof(bytes));
		if (i == 0) {
			CHECK_EQ(dx_usb_pipe_io(pipes.in, bytes, 512, 0, &actual), DX_USB_OK);
		} else { /* twice what the device has */
			CHECK_EQ(dx_usb_pipe_io(pipes.in, bytes, 1024, 20, &actual), DX_USB_TIMEOUT);
		}
		CHECK_EQ(actual, 512);
		CHECK_EQ(bytes[0], 'b');
		close_pipes(&pipes);
		(void)dx_usb_device_unref(device);
		(void)dx_capture_free(capture);
		capture = NULL;
		device = i == 0 ? attach(place.spec) : NULL;
	}
}

TEST(replay_of_a_replay_is_the_same)
{
	struct place first = make_place();
	struct dx_capture *capture = NULL;
	struct dx_usb_device *device = NULL;
	char again[128];
	char spec[192];
	char message[256];

	record(&first);
	(void)snprintf(again, sizeof(again), "%s/again.pcapng", first.directory);
	(void)snprintf(spec, sizeof(spec), "replay:%s,strict,timing=recorded,speed=full", again);
	device = attach(first.spec);
	CHECK_EQ(dx_capture_new(dx_capture_begin(again, message, sizeof(message)), &capture), 0);
	dx_usb_device_set_tap(device, dx_capture_tap(capture));
	session(device, 7);
	(void)dx_usb_device_unref(device);
	(void)dx_capture_free(capture);
	device = attach(spec);
	CHECK_EQ(dx_usb_device_speed(device), DX_USB_SPEED_FULL);
	session(device, 7);
	CHECK(!dx_usb_device_is_gone(device));
	(void)dx_usb_device_unref(device);
}

static void note(void *ctx, int32_t status, uint32_t actual_bytes, uint64_t timestamp_ns)
{
	(void)actual_bytes;
	(void)timestamp_ns;
	*(int32_t *)ctx = status;
}

TEST(replay_unplugs_when_the_recorded_device_was)
{
	struct place place = make_place();
	struct dx_usb_device *device = attach("virtual:gadget-zero,disconnect-after=2");
	struct dx_capture *capture = NULL;
	struct pipes pipes;
	static uint8_t bytes[4096];
	int32_t ends[3] = {0};
	char message[256];

	CHECK_EQ(dx_capture_new(dx_capture_begin(place.path, message, sizeof(message)), &capture), 0);
	dx_usb_device_set_tap(device, dx_capture_tap(capture));
	for (unsigned i = 0; i < 2; i++) {
		pipes = open_pipes(device, 3);
		for (unsigned n = 0; n < 3; n++) {
			CHECK_EQ(dx_usb_pipe_submit(pipes.in, bytes, sizeof(bytes), 0, note, &ends[n]),
				 DX_USB_OK);
		}
		while (!dx_usb_device_is_gone(device)) {
			(void)dx_usb_poll(device);
		}
		(void)dx_usb_poll(device);
		CHECK_EQ(ends[0], DX_USB_OK);
		CHECK_EQ(ends[1], DX_USB_OK);
		CHECK_EQ(ends[2], DX_USB_NOT_RESPONDING);
		close_pipes(&pipes);
		(void)dx_usb_device_unref(device);
		if (i == 0) {
			(void)dx_capture_free(capture);
			device = attach(place.spec);
		}
	}
}

TEST(replay_takes_a_descriptor_from_outside)
{
	struct place place = make_place();
	struct dx_usb_device *device = NULL;
	char message[512] = "";
	int fd = -1;

	record(&place);
	fd = dx_backend_replay.acquire(place.spec, message, sizeof(message));
	CHECK_GE(fd, 0);
	CHECK_EQ(unlink(place.path), 0);
	CHECK_EQ(dx_usb_device_attach(backends, place.spec, fd, message, sizeof(message), &device), 0);
	(void)dx_usb_device_unref(device);
}

TEST(replay_says_what_is_wrong_with_a_spec)
{
	struct place place = make_place();
	char spec[256];
	char text[256];

	record(&place);
	check_refused("replay:/nonexistent.pcapng", -ENOENT,
		      "/nonexistent.pcapng: cannot be replayed: No such file or directory");
	check_refused("replay:/dev/null", -EINVAL, "/dev/null: cannot be replayed: not a file");
	check_refused("replay:/etc/passwd", -EINVAL,
		      "/etc/passwd: not a capture: unknown file format");
	(void)snprintf(spec, sizeof(spec), "replay:%s,speed=none", place.path);
	check_refused(spec, -EINVAL, "speed=none: not one of full, low, high, super, super-plus");
	(void)snprintf(spec, sizeof(spec), "replay:%s,timing=slow", place.path);
	check_refused(spec, -EINVAL, "timing=slow: not one of none, recorded");
	(void)snprintf(spec, sizeof(spec), "replay:%s,device=3.4", place.path);
	(void)snprintf(text, sizeof(text),
		       "%s: lacks the device descriptor of device 3.4: start the capture, then plug the "
		       "device in",
		       place.path);
	check_refused(spec, -ENODEV, text);
}

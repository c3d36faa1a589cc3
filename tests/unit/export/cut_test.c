/* SPDX-License-Identifier: MIT
 *
 * cut_test - the link between client and server ends anywhere; nothing is lost, nothing is left.
 */
#include "unit/export/far.h"

/* Passes bytes both ways, and stops for good after so many towards the client. */
struct cutter {
	pthread_t thread;
	int client;
	int server;
	size_t left;
	size_t passed; /* read after the thread has ended */
};

/* @return false: one side has ended. */
static bool pass(int from, int to, size_t limit, size_t *ret_passed)
{
	static _Thread_local uint8_t bytes[16384];
	ssize_t length = recv(from, bytes, limit < sizeof(bytes) ? limit : sizeof(bytes), 0);

	if (length <= 0) {
		return false;
	}
	*ret_passed += (size_t)length;
	return send(to, bytes, (size_t)length, MSG_NOSIGNAL) == length;
}

static void *cut(void *argument)
{
	struct cutter *cutter = argument;
	bool goes_on = true;

	while (goes_on && cutter->left > cutter->passed) {
		struct pollfd fds[2] = {{.fd = cutter->client, .events = POLLIN},
					{.fd = cutter->server, .events = POLLIN}};
		size_t ignored = 0;

		CHECK_GE(poll(fds, 2, 20000), 1);
		if (fds[0].revents != 0) {
			goes_on = pass(cutter->client, cutter->server, SIZE_MAX, &ignored);
		}
		if (goes_on && fds[1].revents != 0) {
			goes_on = pass(cutter->server, cutter->client,
				       cutter->left - cutter->passed, &cutter->passed);
		}
	}
	(void)close(cutter->client);
	(void)close(cutter->server);
	return NULL;
}

/* @return the client's end. */
static int cutter_start(struct cutter *cutter, const struct served *served, size_t left)
{
	int fds[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	*cutter = (struct cutter){.client = fds[1], .left = left};
	cutter->server = served_connect(served);
	CHECK_EQ(pthread_create(&cutter->thread, NULL, cut, cutter), 0);
	return fds[0];
}

struct traffic {
	struct record record;
	uint8_t bytes[24][3000];
};

/* Both directions of a loopback, and a request now and then. @return what was accepted. */
static unsigned submit_all(struct fixture *f, struct traffic *traffic)
{
	unsigned nr = 0;

	for (unsigned i = 0; i < 24; i++) {
		struct dx_usb_pipe *pipe = i % 2 == 0 ? f->in : f->out;
		int32_t status =
			dx_usb_pipe_submit(pipe, traffic->bytes[i], i % 2 == 0 ? 3000 : 2500, 0,
					   note, &traffic->record);

		CHECK(status == DX_USB_OK || status == DX_USB_NO_DEVICE ||
		      status == DX_USB_STALLED);
		nr += status == DX_USB_OK;
	}
	return nr;
}

/* @return true when everything has come through. */
static bool run_traffic(struct dx_usb_device *device)
{
	struct fixture f = {.device = device};
	static struct traffic traffic;
	bool is_whole = false;
	unsigned nr = 0;

	traffic.record.nr = 0;
	if (dx_usb_device_set_configuration(device, NULL, LOOPBACK) == DX_USB_OK) {
		f.interface = dx_usb_device_copy_interface(device, 0);
	}
	if (f.interface != NULL && dx_usb_interface_open(f.interface, CLIENT, 0, 0) == DX_USB_OK &&
	    dx_usb_interface_copy_pipe(f.interface, 0x81, &f.in) == DX_USB_OK &&
	    dx_usb_interface_copy_pipe(f.interface, 0x01, &f.out) == DX_USB_OK) {
		nr = submit_all(&f, &traffic);
		run_until(device, &traffic.record, nr); /* exactly that many */
	}
	is_whole = nr == 24 && !dx_usb_device_is_gone(device);
	if (f.in != NULL) {
		(void)dx_usb_pipe_unref(f.in);
	}
	if (f.out != NULL) {
		(void)dx_usb_pipe_unref(f.out);
	}
	if (f.interface != NULL) {
		(void)dx_usb_interface_unref(f.interface);
	}
	return is_whole;
}

/* @return bytes that came to the client, and whether that was all. */
static size_t run_once(const struct served *served, size_t left, bool *ret_is_whole)
{
	struct cutter cutter;
	int fd = cutter_start(&cutter, served, left);
	struct dx_usb_device *device = NULL;
	char message[256] = "";

	*ret_is_whole = false;
	if (dx_usb_device_attach(far_backends, served_spec(served, 0), fd, message, sizeof(message),
				 &device) == 0) {
		*ret_is_whole = run_traffic(device);
		(void)dx_usb_device_unref(device);
	} else {
		CHECK_NE(message[0], '\0');
	}
	CHECK_EQ(pthread_join(cutter.thread, NULL), 0);
	return cutter.passed;
}

static bool device_is_free(void *argument)
{
	struct dx_usb_device *device = NULL;
	int fd = served_connect(argument);

	if (dx_usb_device_attach(far_backends, served_spec(argument, 0), fd, NULL, 0, &device) <
	    0) {
		return false;
	}
	(void)dx_usb_device_unref(device);
	return true;
}

TEST_SECONDS(cut_link_at_200_places, 120)
{
	static const char *const specs[] = {SUPER};
	struct served *served = served_start(specs, 1);
	bool is_whole = false;
	size_t total = run_once(served, SIZE_MAX, &is_whole);
	uint64_t random = 88172645463325252u;

	CHECK(is_whole);
	CHECK_GT(total, 12 * 2500);
	dx_log_set_level(DX_LOG_ERROR);
	for (unsigned i = 0; i < 200; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		(void)run_once(served, 1 + random % (total - 1), &is_whole);
		CHECK(test_wait_until(device_is_free, served, 10000));
	}
	served_stop(served);
}

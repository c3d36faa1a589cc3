/* SPDX-License-Identifier: MIT
 *
 * acquire_test - what a spec needs from outside of the process: who takes it, who owns it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/virtual/virtual.h"
#include "test.h"
#include "usb/spec.h"
#include "usb/usb.h"

static int opened_with;

static bool taker_accepts(const char *spec)
{
	return strncmp(spec, "take:", 5) == 0;
}

static int taker_acquire(const char *spec, char *message, size_t message_size)
{
	if (strcmp(spec, "take:nothing") == 0) {
		return -ENODATA;
	}
	if (strcmp(spec, "take:busy") == 0) {
		(void)snprintf(message, message_size, "somebody has it");
		return -EBUSY;
	}
	return eventfd(0, EFD_CLOEXEC);
}

/* Takes the descriptor over and fails: what is left open is the caller's fault. */
static int taker_open(const char *spec, int fd, const struct dx_usb_backend_host *host,
		      void *host_ctx, char *message, size_t message_size,
		      struct dx_usb_backend **ret_backend)
{
	(void)spec;
	(void)host;
	(void)host_ctx;
	(void)message;
	(void)message_size;
	(void)ret_backend;
	opened_with = fd;
	if (fd >= 0) {
		(void)close(fd);
	}
	return -EIO;
}

static bool plain_accepts(const char *spec)
{
	return strcmp(spec, "plain:") == 0;
}

/* Needs nothing from outside. */
static const struct dx_usb_backend_ops plain_ops = {
	.name = "plain",
	.accepts = plain_accepts,
};

static const struct dx_usb_backend_ops taker_ops = {
	.name = "taker",
	.accepts = taker_accepts,
	.acquire = taker_acquire,
	.open = taker_open,
};

static const struct dx_usb_backend_ops *const backends[] = {&dx_backend_virtual, &taker_ops, &plain_ops,
							    NULL};

TEST(acquire_of_an_unknown_form_fails_with_a_message)
{
	char message[256] = "";

	CHECK_EQ(dx_usb_spec_acquire("other:x", backends, message, sizeof(message)), -ENODEV);
	CHECK_STR_EQ(message,
		     "device spec \"other:x\": no backend understands it "
		     "(there is: virtual, taker, plain)");
	CHECK_EQ(dx_usb_spec_acquire("other:x", backends, NULL, 0), -ENODEV);
}

TEST(acquire_of_a_backend_that_needs_nothing_says_so)
{
	char message[256] = "left over";

	CHECK_EQ(dx_usb_spec_acquire("virtual:gadget-zero", backends, message, sizeof(message)),
		 -ENODATA);
	CHECK_STR_EQ(message, "");
	CHECK_EQ(dx_usb_spec_acquire("take:nothing", backends, NULL, 0), -ENODATA);
}

TEST(acquire_passes_errors_and_messages)
{
	char message[256] = "";

	CHECK_EQ(dx_usb_spec_acquire("take:busy", backends, message, sizeof(message)), -EBUSY);
	CHECK_STR_EQ(message, "somebody has it");
	CHECK_EQ(dx_usb_spec_acquire("take:busy", backends, NULL, 0), -EBUSY);
}

TEST(attach_gives_what_was_acquired_to_open)
{
	struct dx_usb_device *device = NULL;
	int fd = dx_usb_spec_acquire("take:it", backends, NULL, 0);

	CHECK_GE(fd, 0);
	CHECK_EQ(dx_usb_device_attach(backends, "take:it", fd, NULL, 0, &device), -EIO);
	CHECK_EQ(opened_with, fd);
	CHECK_EQ(dx_usb_device_attach(backends, "take:it", -1, NULL, 0, &device), -EIO);
	CHECK_EQ(opened_with, -1);
}

TEST(attach_closes_a_descriptor_that_nobody_takes)
{
	struct dx_usb_device *device = NULL;
	char message[256] = "";
	int fd = eventfd(0, EFD_CLOEXEC);

	CHECK_EQ(dx_usb_device_attach(backends, "plain:", fd, message, sizeof(message), &device),
		 -EINVAL);
	CHECK_STR_EQ(message, "device spec \"plain:\" takes no descriptor");
	CHECK_EQ(fcntl(fd, F_GETFD), -1);
	fd = eventfd(0, EFD_CLOEXEC);
	CHECK_EQ(dx_usb_device_attach(backends, "other:x", fd, NULL, 0, &device), -ENODEV);
	CHECK_EQ(fcntl(fd, F_GETFD), -1);
	CHECK(device == NULL);
}

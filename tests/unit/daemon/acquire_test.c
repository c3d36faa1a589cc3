/* SPDX-License-Identifier: MIT
 *
 * acquire_test - a driver's device needs something from outside of its host: the broker takes it
 * and sends it along, or says why the driver cannot start.
 *
 * The backend "held:" is a Gadget Zero whose descriptor is given
 *
 *	held:always	as often as it is asked for
 *	held:once	the first time only
 *	held:never	not at all
 *	held:late	when the test lets it
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/virtual/virtual.h"
#include "support.h"
#include "test.h"

#define GADGET                                                                                     \
	"<key>idVendor</key><integer>1317</integer><key>idProduct</key><integer>42144</integer>"

static _Atomic unsigned nr_acquired;
static _Atomic bool may_acquire;
static _Atomic unsigned nr_late; /* that have been let through */

static bool is_set(void *flag)
{
	return *(_Atomic bool *)flag;
}

static bool is_two(void *count)
{
	return *(_Atomic unsigned *)count == 2;
}

static bool held_accepts(const char *spec)
{
	return strncmp(spec, "held:", 5) == 0;
}

static int held_acquire(const char *spec, char *message, size_t message_size)
{
	unsigned before = atomic_fetch_add(&nr_acquired, 1);

	if (strcmp(spec, "held:never") == 0) {
		(void)snprintf(message, message_size, "%s: no permission, add a rule", spec);
		return -EACCES;
	}
	if (strcmp(spec, "held:once") == 0 && before > 0) {
		(void)snprintf(message, message_size, "%s: somebody has it", spec);
		return -EBUSY;
	}
	if (strcmp(spec, "held:late") == 0) {
		CHECK(test_wait_until(is_set, &may_acquire, 20000));
		nr_late++;
	}
	return eventfd(0, EFD_CLOEXEC);
}

static int held_open(const char *spec, int fd, const struct dx_usb_backend_host *host,
		     void *host_ctx, char *message, size_t message_size,
		     struct dx_usb_backend **ret_backend)
{
	(void)spec;
	if (fd >= 0) {
		(void)close(fd);
	}
	return dx_backend_virtual.open("virtual:gadget-zero", -1, host, host_ctx, message,
				       message_size, ret_backend);
}

static struct dx_usb_backend_ops held_ops;
static const struct dx_usb_backend_ops *const held_backends[] = {&held_ops, NULL};

static void begin(struct fixture *fixture, const char *spec)
{
	held_ops = dx_backend_virtual;
	held_ops.name = "held";
	held_ops.accepts = held_accepts;
	held_ops.acquire = held_acquire;
	held_ops.open = held_open;
	fixture->options.backends = held_backends;
	if (spec != NULL) {
		fixture->devices[fixture->options.nr_devices++] = spec;
	}
	fixture_start(fixture);
	CHECK(fixture_wait_ready(fixture));
}

static unsigned nr_start_fds(struct fixture *fixture)
{
	unsigned count = 0;

	pthread_mutex_lock(&fixture->lock);
	count = fixture->nr_start_fds;
	pthread_mutex_unlock(&fixture->lock);
	return count;
}

TEST(start_brings_what_the_device_needs)
{
	struct fixture fixture;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Usb", "GoodUsb", "IOUSBHostDevice", GADGET);
	begin(&fixture, "held:always");
	client = client_connect(&fixture);
	(void)client_wait_find(client, "GoodUsb");
	CHECK_EQ(nr_acquired, 1);
	CHECK_EQ(nr_start_fds(&fixture), 1);
	fixture_end(&fixture, client);
}

struct failing {
	int client;
	uint64_t id;
	char text[512];
};

static bool has_failed(void *argument)
{
	struct failing *failing = argument;
	struct dx_dict *entry = client_entry(failing->client, failing->id);
	const struct dx_array *failures = dx_dict_get_array(entry, DX_ENTRY_FAILURES_KEY);
	bool failed = failures != NULL && dx_array_count(failures) > 0;

	if (failed) {
		(void)snprintf(failing->text, sizeof(failing->text), "%s",
			       dx_string_get(dx_array_get(failures, 0)));
	}
	dx_object_unref(entry);
	return failed;
}

TEST(start_fails_with_the_reason_when_the_device_cannot_be_had)
{
	struct fixture fixture;
	struct failing failing = {0};

	fixture_init(&fixture);
	fixture_bundle(&fixture, "Usb", "GoodUsb", "IOUSBHostDevice", GADGET);
	begin(&fixture, "held:never");
	failing.client = client_connect(&fixture);
	failing.id = client_wait_find(failing.client, "Gadget Zero");
	CHECK(test_wait_until(has_failed, &failing, 10000));
	CHECK_STR_EQ(failing.text,
		     "GoodUsb of test.Usb on Gadget Zero: held:never: no permission, add a rule");
	CHECK_EQ(client_find(failing.client, "GoodUsb"), 0);
	CHECK_EQ(nr_acquired, 1); /* and it is not tried again */
	(void)close(failing.client);
	fixture_fini(&fixture);
}

/* Two services in one process share the device that could be had once. */
TEST(start_beside_a_service_that_has_the_device_needs_no_other)
{
	struct fixture fixture;
	int client = -1;

	fixture_init(&fixture);
	fixture_write_bundle(
		&fixture, "Two",
		"<?xml version=\"1.0\"?>\n<plist version=\"1.0\"><dict>"
		"<key>CFBundleIdentifier</key><string>test.Two</string>"
		"<key>IOKitPersonalities</key><dict>"
		"<key>One</key><dict><key>IOProviderClass</key><string>IOUSBHostDevice</string>"
		"<key>IOUserClass</key><string>GoodOne</string>" GADGET
		"<key>IOUserServerOneProcess</key><true/>"
		"<key>IOMatchCategory</key><string>one</string></dict>"
		"<key>Two</key><dict><key>IOProviderClass</key><string>IOUSBHostDevice</string>"
		"<key>IOUserClass</key><string>GoodTwo</string>" GADGET
		"<key>IOUserServerOneProcess</key><true/>"
		"<key>IOMatchCategory</key><string>two</string></dict>"
		"</dict></dict></plist>",
		true);
	CHECK_GT(asprintf((char **)(uintptr_t)&fixture.bundles[0], "%s/Two.dext", fixture.directory),
		 0);
	fixture.options.nr_bundles = 1;
	begin(&fixture, "held:once");
	client = client_connect(&fixture);
	(void)client_wait_find(client, "GoodOne");
	(void)client_wait_find(client, "GoodTwo");
	CHECK_EQ(fixture.nr_launched, 1);
	CHECK_EQ(nr_acquired, 2);
	CHECK_EQ(nr_start_fds(&fixture), 1);
	fixture_end(&fixture, client);
}

/* The host has died; its service is still there, because another one sits on it. */
TEST(device_that_comes_after_its_host_has_died_goes_nowhere)
{
	struct fixture fixture;
	int client = -1;

	fixture_init(&fixture);
	fixture_bundle(&fixture, "early", "GoodUsb", "IOUSBHostDevice", GADGET);
	fixture_bundle(&fixture, "OnNub", "NoStopOnNub", "IOService",
		       "<key>IONameMatch</key><string>Nub</string>");
	begin(&fixture, NULL);
	client = client_connect(&fixture);
	CHECK_EQ(client_attach(client, "held:late", NULL), 0);
	(void)client_wait_find(client, "NoStopOnNub");
	(void)shutdown(fixture.hosts[0].socket, SHUT_RDWR);
	CHECK(test_wait_until(is_two, &nr_acquired, 10000)); /* a new service, in a new host */
	may_acquire = true;
	CHECK(test_wait_until(is_two, &nr_late, 10000));
	(void)client_wait_find(client, "GoodUsb");
	CHECK_EQ(nr_start_fds(&fixture), 1);
	fixture_end(&fixture, client);
}

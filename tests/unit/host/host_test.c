/* SPDX-License-Identifier: MIT
 *
 * host_test - the conversation of a host with its broker, the broker being the test: H1, H2, the
 * end of the last service, messages that are wrong.
 */
#include "world.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/plist.h"
#include "wire/address.h"

/* ---- SETUP ---- */

TEST(host_whose_bundle_cannot_be_loaded_says_why_and_ends)
{
	struct world world;
	char text[512];
	const struct dx_wire_setup body = {.first_id = 1, .nr_ids = 1};
	struct dx_dict *dict = dx_dict_new();

	world_begin_with(&world, NULL);
	CHECK_EQ(dx_dict_set_string(dict, DX_SETUP_BUNDLE_KEY, "/nowhere"), 0);
	CHECK_EQ(dx_dict_set_string(dict, DX_SETUP_EXECUTABLE_KEY, "/nowhere/driver"), 0);
	world_send_value(&world, DX_WIRE_H_SETUP, &body, sizeof(body), dict);
	dx_object_unref(dict);
	CHECK_NE(world_expect_reply(&world, DX_WIRE_H_SETUP, text, sizeof(text)), 0);
	CHECK(strstr(text, "/nowhere/driver") != NULL);
	world_expect_eof(&world);
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_whose_setup_names_nothing_says_so_and_ends)
{
	struct world world;
	char text[512];

	world_begin_with(&world, NULL);
	world_send_setup(&world, 0);
	CHECK_NE(world_expect_reply(&world, DX_WIRE_H_SETUP, text, sizeof(text)), 0);
	CHECK(strstr(text, "executable") != NULL);
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_with_a_wrong_class_table_says_so_and_ends)
{
	struct world world;
	char text[512];

	world_begin_with(&world, world_wrong_classes);
	world_send_setup(&world, 0);
	CHECK_NE(world_expect_reply(&world, DX_WIRE_H_SETUP, text, sizeof(text)), 0);
	CHECK(strstr(text, "class table") != NULL);
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_set_up_twice_ends_with_protocol_error)
{
	struct world world;

	world_begin(&world, DX_SETUP_EXIT_WITH_BROKER);
	world_send_setup(&world, 0);
	world_expect_eof(&world);
	CHECK_EQ(world_finish(&world), -EPROTO);
}

TEST(host_that_is_not_set_up_refuses_requests)
{
	struct world world;

	world_begin_with(&world, world_classes);
	world_send_id(&world, DX_WIRE_H_TERMINATE, 10);
	world_expect_eof(&world);
	CHECK_EQ(world_finish(&world), -EPROTO);
}

TEST(host_before_setup_ends_with_its_broker)
{
	struct world world;

	world_begin_with(&world, world_classes);
	dx_fd_close(&world.socket);
	CHECK_EQ(world_finish(&world), 0);
}

/* ---- services ---- */

TEST(host_ends_by_itself_when_the_last_service_is_gone)
{
	struct world world;

	world_begin(&world, 0);
	world_start_good(&world, 10);
	world_start_good(&world, 11);
	world_terminate(&world, 10);
	world_terminate(&world, 11);
	world_expect_eof(&world);
	CHECK_EQ(world_finish(&world), 0);
}

/* The last answer and the end are told by different threads. */
TEST_SECONDS(host_ends_every_time, 60)
{
	for (unsigned i = 0; i < 2000; i++) {
		struct world world;

		world_begin(&world, 0);
		world_start_good(&world, 10);
		world_terminate(&world, 10);
		CHECK_EQ(world_finish(&world), 0);
	}
}

/* The host ends by itself. */
static int32_t status_of_failed_start(const char *class)
{
	struct world world;
	int32_t status = 0;

	world_begin(&world, 0);
	world_send_start(&world, 10, class);
	status = world_expect_reply(&world, DX_WIRE_H_START, NULL, 0);
	world_expect_eof(&world);
	CHECK_EQ(world_finish(&world), 0);
	return status;
}

TEST(host_whose_start_fails_tells_the_status_and_ends)
{
	CHECK_EQ(status_of_failed_start("Fail"), kIOReturnNoDevice);
}

TEST(host_whose_init_is_false_tells_and_ends)
{
	CHECK_NE(status_of_failed_start("Unmade"), 0);
}

TEST(host_start_of_an_unknown_class_fails_and_ends)
{
	CHECK_EQ(status_of_failed_start("Nobody"), kIOReturnNotFound);
}

TEST(host_start_with_a_known_id_fails_and_leaves_the_first)
{
	struct world world;

	world_begin(&world, 0);
	world_start_good(&world, 10);
	world_send_start(&world, 10, "Good");
	CHECK_NE(world_expect_reply(&world, DX_WIRE_H_START, NULL, 0), 0);
	world_terminate(&world, 10);
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_terminate_of_an_unknown_id_fails)
{
	struct world world;

	world_begin(&world, DX_SETUP_EXIT_WITH_BROKER);
	world_send_id(&world, DX_WIRE_H_TERMINATE, 10);
	CHECK_EQ(world_expect_reply(&world, DX_WIRE_H_TERMINATE, NULL, 0), kIOReturnNotFound);
	dx_fd_close(&world.socket);
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_device_gone_of_known_and_unknown_providers)
{
	struct world world;

	world_begin(&world, 0);
	world_start_good(&world, 10);
	world_send_id(&world, DX_WIRE_H_DEVICE_GONE, 77);
	CHECK_EQ(world_expect_reply(&world, DX_WIRE_H_DEVICE_GONE, NULL, 0), kIOReturnNotFound);
	world_send_id(&world, DX_WIRE_H_DEVICE_GONE, 5);
	CHECK_EQ(world_expect_reply(&world, DX_WIRE_H_DEVICE_GONE, NULL, 0), 0);
	world_terminate(&world, 10);
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_reports_in_order)
{
	struct world world;

	world_begin(&world, 0);
	world_send_start(&world, 10, "Talker");
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_SET_PROPERTIES), 10);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_SET_NAME), 10);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_ADJUST_BUSY), 10);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_ADJUST_BUSY), 10);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_TERMINATE_REQUEST), 10);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_REGISTER), 10);
	CHECK_EQ(world_expect_reply(&world, DX_WIRE_H_START, NULL, 0), 0);
	world_terminate(&world, 10);
	CHECK_EQ(world_finish(&world), 0);
}

/* ---- opens ---- */

TEST(host_open_gives_a_connection_that_ends_with_the_application)
{
	struct world world;

	world_begin(&world, 0);
	world_start_good(&world, 10);
	int app = world_send_open(&world, 10, 0);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_ADD_ENTRY), WORLD_FIRST_ID);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_OPEN | DX_WIRE_REPLY), WORLD_FIRST_ID);
	(void)close(app);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_REMOVE_ENTRY), WORLD_FIRST_ID);
	world_terminate(&world, 10);
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_open_that_cannot_be_is_refused)
{
	struct world world;

	world_begin(&world, 0);
	world_start_good(&world, 10);
	(void)close(world_send_open(&world, 99, 0));
	CHECK_EQ(world_expect_reply(&world, DX_WIRE_H_OPEN, NULL, 0), kIOReturnNotFound);
	(void)close(world_send_open(&world, 10, 7));
	CHECK_EQ(world_expect_reply(&world, DX_WIRE_H_OPEN, NULL, 0), kIOReturnUnsupported);
	world_terminate(&world, 10);
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_terminate_with_an_open_connection_closes_it)
{
	struct world world;
	struct dx_wire_message_in message;

	world_begin(&world, 0);
	world_start_good(&world, 10);
	int app = world_send_open(&world, 10, 0);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_ADD_ENTRY), WORLD_FIRST_ID);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_OPEN | DX_WIRE_REPLY), WORLD_FIRST_ID);
	world_send_id(&world, DX_WIRE_H_TERMINATE, 10);
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_REMOVE_ENTRY), WORLD_FIRST_ID);
	CHECK_EQ(world_expect_reply(&world, DX_WIRE_H_TERMINATE, NULL, 0), 0);
	CHECK_EQ(dx_link_receive(app, false, &message), 1); /* the channel */
	dx_wire_message_in_fini(&message);
	CHECK_LE(dx_link_receive(app, false, &message), 0);
	(void)close(app);
	CHECK_EQ(world_finish(&world), 0);
}

TEST(host_terminate_during_new_user_client_ends_both)
{
	struct world world;

	world_begin(&world, 0);
	world_send_start(&world, 10, "Gated");
	CHECK_EQ(world_expect_reply(&world, DX_WIRE_H_START, NULL, 0), 0);
	int app = world_send_open(&world, 10, 0);
	world_wait_for_driver();
	world_send_id(&world, DX_WIRE_H_TERMINATE, 10);
	(void)poll(NULL, 0, 50);
	world_gate = true;
	/* The open fails, the user client's entry goes, the termination is answered, in any order.
	 */
	struct dx_wire_message_in message;
	bool terminated = false;
	while (!terminated) {
		world_receive(&world, &message);
		uint16_t type = message.view.header.type;
		CHECK(type != (DX_WIRE_H_OPEN | DX_WIRE_REPLY) || message.view.header.status != 0);
		terminated = type == (DX_WIRE_H_TERMINATE | DX_WIRE_REPLY);
		dx_wire_message_in_fini(&message);
	}
	CHECK_EQ(world_finish(&world), 0);
	(void)close(app);
}

TEST(host_terminate_during_a_client_start_that_fails_ends_both)
{
	struct world world;

	world_begin(&world, 0);
	world_send_start_of(&world, 10, "Good", "FailingClient");
	CHECK_EQ(world_expect_id(&world, DX_WIRE_H_REGISTER), 10);
	CHECK_EQ(world_expect_reply(&world, DX_WIRE_H_START, NULL, 0), 0);
	int app = world_send_open(&world, 10, 0);
	world_wait_for_driver();
	world_send_id(&world, DX_WIRE_H_TERMINATE, 10);
	(void)poll(NULL, 0, 50);
	world_gate = true;
	struct dx_wire_message_in message;
	bool terminated = false;
	while (!terminated) {
		world_receive(&world, &message);
		terminated = message.view.header.type == (DX_WIRE_H_TERMINATE | DX_WIRE_REPLY);
		dx_wire_message_in_fini(&message);
	}
	CHECK_EQ(world_finish(&world), 0);
	(void)close(app);
}

/* ---- what is no message ---- */

TEST(host_ends_with_protocol_error_on_garbage)
{
	struct world world;

	world_begin(&world, DX_SETUP_EXIT_WITH_BROKER);
	world_start_good(&world, 10);
	CHECK_EQ(send(world.socket, "this is no message, is it?", 26, MSG_NOSIGNAL), 26);
	world_expect_eof(&world);
	CHECK_EQ(world_finish(&world), -EPROTO);
}

TEST(host_ends_with_protocol_error_on_messages_for_others)
{
	static const uint16_t types[] = {DX_WIRE_A_UNWATCH, DX_WIRE_H_REGISTER,
					 DX_WIRE_H_REMOVE_ENTRY};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct world world;

		world_begin(&world, DX_SETUP_EXIT_WITH_BROKER);
		world_send_id(&world, types[i], 10);
		world_expect_eof(&world);
		CHECK_EQ(world_finish(&world), -EPROTO);
	}
}

TEST(host_ends_with_protocol_error_on_a_start_that_is_no_dictionary)
{
	struct world world;
	const struct dx_wire_start body = {.id = 10, .provider_id = 5};
	struct dx_array *array = dx_array_new();

	world_begin(&world, DX_SETUP_EXIT_WITH_BROKER);
	world_send_value(&world, DX_WIRE_H_START, &body, sizeof(body), array);
	dx_object_unref(array);
	world_expect_eof(&world);
	CHECK_EQ(world_finish(&world), -EPROTO);
}

TEST(host_start_without_provider_is_refused)
{
	struct world world;
	const struct dx_wire_start body = {.id = 10, .provider_id = 5};
	struct dx_dict *dict = dx_dict_new();

	world_begin(&world, 0);
	world_send_value(&world, DX_WIRE_H_START, &body, sizeof(body), dict);
	dx_object_unref(dict);
	CHECK_EQ(world_expect_reply(&world, DX_WIRE_H_START, NULL, 0), kIOReturnBadArgument);
	CHECK_EQ(world_finish(&world), 0);
}

/* A model of a device takes none: the reason comes back, the descriptor is closed. */
TEST(host_start_with_a_descriptor_gives_it_to_the_device)
{
	struct world world;
	const struct dx_wire_start body = {
		.id = 10, .provider_id = 5, .flags = DX_START_DEVICE_FD};
	struct dx_dict *dict = dx_dict_new();
	struct dx_dict *provider = dx_dict_new();
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	char text[256] = "";
	int fd = eventfd(0, EFD_CLOEXEC);

	CHECK_EQ(dx_dict_set_string(provider, DX_START_PROVIDER_CLASS_KEY, "IOUSBHostDevice"), 0);
	CHECK_EQ(dx_dict_set_string(provider, DX_START_PROVIDER_SPEC_KEY,
				    "virtual:mass-storage,file=/a"),
		 0);
	CHECK_EQ(dx_dict_set(dict, DX_START_PROVIDER_KEY, provider), 0);
	CHECK_EQ(dx_dict_set_string(dict, DX_START_CLASS_KEY, "Good"), 0);
	CHECK_EQ(dx_plist_encode(dict, &bytes, &length), 0);
	world_begin(&world, 0);
	CHECK_EQ(dx_link_send(world.socket, DX_WIRE_H_START, ++world.seq, 0, &body, sizeof(body),
			      bytes, length, &fd, 1, false),
		 0);
	(void)close(fd);
	CHECK_EQ(world_expect_reply(&world, DX_WIRE_H_START, text, sizeof(text)),
		 kIOReturnBadArgument);
	CHECK(strstr(text, "file=/a: not a regular file") != NULL); /* the eventfd that we gave */
	CHECK_EQ(world_finish(&world), 0);
	dx_object_unref(provider);
	dx_object_unref(dict);
}

TEST(host_with_a_socket_that_is_none_fails)
{
	const struct dx_host_options options = {
		.socket = -1, .backends = world_backends, .classes = world_classes};

	CHECK_LT(dx_host_run(&options), 0);
}

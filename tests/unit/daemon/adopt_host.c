/* SPDX-License-Identifier: MIT
 *
 * adopt_host - a host program without driver, for adopt_test: starts what it is told, and when its
 * broker goes, looks for the next one and brings its services along.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/plist.h"
#include "base/value.h"
#include "wire/address.h"
#include "wire/link.h"

#define MAX_SERVICES 8

static struct {
	uint64_t id;
	uint64_t provider_id;
	struct dx_dict *start;
} services[MAX_SERVICES];

static size_t nr_services;
static uint64_t first_id;
static uint64_t nr_ids;
static uint64_t next_id;
static struct dx_dict *setup;

static void say_id(int socket, uint16_t type, uint32_t seq, uint64_t id)
{
	const struct dx_wire_id body = {.id = id};

	(void)dx_link_send(socket, type, seq, 0, &body, sizeof(body), NULL, 0, NULL, 0, false);
}

static void say_done(int socket, const struct dx_wire_message_in *message)
{
	(void)dx_link_send(socket, message->view.header.type | DX_WIRE_REPLY, message->view.header.seq, 0,
			   NULL, 0, NULL, 0, NULL, 0, false);
}

static void on_start(int socket, const struct dx_wire_message_in *message)
{
	const struct dx_wire_start *start = message->view.body;
	void *value = NULL;

	(void)dx_wire_message_value(message, &dx_dict_class, &value);
	services[nr_services].id = start->id;
	services[nr_services].provider_id = start->provider_id;
	services[nr_services++].start = value;
	say_id(socket, DX_WIRE_H_REGISTER, 0, start->id);
	say_done(socket, message);
}

static void on_terminate(int socket, const struct dx_wire_message_in *message)
{
	const struct dx_wire_id *id = message->view.body;

	for (size_t i = 0; i < nr_services; i++) {
		if (services[i].id == id->id) {
			dx_object_unref(services[i].start);
			services[i] = services[--nr_services];
			break;
		}
	}
	say_done(socket, message);
}

/* false: the last service is gone. */
static bool on_message(int socket, struct dx_wire_message_in *message)
{
	const struct dx_wire_setup *body = message->view.body;

	switch (message->view.header.type) {
	case DX_WIRE_H_SETUP:
		first_id = body->first_id;
		nr_ids = body->nr_ids;
		next_id = first_id;
		(void)dx_wire_message_value(message, &dx_dict_class, (void **)&setup);
		say_done(socket, message);
		return true;
	case DX_WIRE_H_START:
		on_start(socket, message);
		return true;
	case DX_WIRE_H_OPEN:
		say_id(socket, DX_WIRE_H_OPEN | DX_WIRE_REPLY, message->view.header.seq, next_id++);
		return true;
	case DX_WIRE_H_TERMINATE:
		on_terminate(socket, message);
		return nr_services > 0;
	default:
		say_done(socket, message);
		return true;
	}
}

/* false: end. */
static bool serve(int socket)
{
	for (;;) {
		struct dx_wire_message_in message;
		bool go_on = false;

		if (dx_link_receive(socket, false, &message) <= 0) {
			return true;
		}
		go_on = on_message(socket, &message);
		dx_wire_message_in_fini(&message);
		if (!go_on) {
			return false;
		}
	}
}

static struct dx_dict *describe(size_t i)
{
	struct dx_dict *dict = dx_dict_new();

	(void)dx_dict_set_u64(dict, DX_ENTRY_ID_KEY, services[i].id, 64);
	(void)dx_dict_set_u64(dict, DX_ENTRY_PARENT_KEY, services[i].provider_id, 64);
	(void)dx_dict_set_bool(dict, DX_ENTRY_REGISTERED_KEY, true);
	(void)dx_dict_set(dict, DX_ADOPT_START_KEY, services[i].start);
	if (strcmp(dx_dict_get_string(services[i].start, DX_START_CLASS_KEY, ""), "Configures") == 0) {
		/* It did so while there was no broker to tell. */
		(void)dx_dict_set_u64(dict, DX_ADOPT_CONFIGURATION_KEY, 3, 8);
		(void)dx_dict_set_bool(dict, DX_ADOPT_MATCHES_KEY, true);
	}
	return dict;
}

static void adopt(int socket)
{
	struct dx_dict *dict = dx_dict_new();
	struct dx_array *array = dx_array_new();

	for (size_t i = 0; i < nr_services; i++) {
		struct dx_dict *service = describe(i);

		(void)dx_array_append(array, service);
		dx_object_unref(service);
	}
	(void)dx_dict_set_string(dict, DX_ADOPT_IDENTIFIER_KEY,
				 dx_dict_get_string(setup, DX_SETUP_IDENTIFIER_KEY, ""));
	(void)dx_dict_set_u64(dict, DX_ADOPT_PID_KEY, (uint64_t)getpid(), 32);
	(void)dx_dict_set(dict, DX_ADOPT_SERVICES_KEY, array);
	/* A host that a test has told to is a liar: it brings a service nobody gave it. */
	if (strstr(dx_dict_get_string(setup, DX_SETUP_IDENTIFIER_KEY, ""), "nonsense") != NULL) {
		(void)dx_dict_remove(dict, DX_ADOPT_SERVICES_KEY);
	}
	(void)dx_link_send_value(socket, DX_WIRE_H_ADOPT, 0, 0, NULL, 0, dict, false);
	dx_object_unref(array);
	dx_object_unref(dict);
}

/* @return a socket on which the next broker listens to us; -1: it does not want us. */
static int find_broker(void)
{
	const struct dx_wire_hello hello = {.role = DX_WIRE_ROLE_HOST};

	for (;;) {
		struct dx_wire_message_in reply;
		DX_CLEANUP_FD int socket =
			dx_address_connect(dx_dict_get_string(setup, DX_SETUP_BROKER_KEY, ""));
		int r = -1;

		if (socket < 0) {
			(void)poll(NULL, 0, 10);
			continue;
		}
		(void)dx_link_send(socket, DX_WIRE_A_HELLO, 1, 0, &hello, sizeof(hello), NULL, 0, NULL, 0,
				   false);
		r = dx_link_receive(socket, false, &reply);
		if (r <= 0) {
			continue;
		}
		r = reply.view.header.status == 0 ? 0 : -1;
		dx_wire_message_in_fini(&reply);
		if (r < 0) {
			return -1;
		}
		adopt(socket);
		return dx_take_fd(&socket);
	}
}

int main(void)
{
	int socket = 3;

	while (serve(socket)) {
		(void)close(socket);
		socket = find_broker();
		if (socket < 0) {
			return 0;
		}
	}
	return 0;
}

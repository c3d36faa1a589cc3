/* SPDX-License-Identifier: MIT
 *
 * hostile - an application that breaks the protocol: garbage in its memory, on its socket, on its
 * doorbell. It speaks the protocol itself; libIOKit would not do this.
 *
 *	hostile memory SEED MS	 writes random bytes into memory A, rings, at full speed
 *	hostile entries SEED MS	 well-formed submissions with wild contents
 *	hostile socket SEED MS	 random messages on the W-C socket
 *	hostile broker SEED MS	 random messages on the W-A socket
 *	hostile doorbell SEED MS fills the eventfd's counter, clears O_NONBLOCK, floods it
 *
 * Being disconnected is what it deserves: it then opens again. It prints "ready" after its first
 * connection and exits with 0 when the time is over.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/value.h"
#include "channel/channel.h"
#include "contract/driver/contract.h"
#include "wire/address.h"
#include "wire/link.h"

struct attack {
	unsigned random;
	uint64_t end_ns;
	int broker;
	int control; /* W-C */
	int fds[DX_CHANNEL_NR_FDS];
	uint8_t *memory; /* A */
	size_t length;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void die(const char *what, int error)
{
	fprintf(stderr, "hostile: %s: %s\n", what, strerror(-error));
	exit(1);
}

static uint32_t draw(struct attack *attack)
{
	return (uint32_t)rand_r(&attack->random) ^ (uint32_t)rand_r(&attack->random) << 16;
}

/* The reply to the request that was just sent; events are skipped. */
static void receive_reply(int socket, uint16_t type, struct dx_wire_message_in *message)
{
	for (;;) {
		int result = dx_link_receive(socket, false, message);

		if (result <= 0) {
			die("receive", result < 0 ? result : -ECONNRESET);
		}
		if (message->view.header.type == type) {
			return;
		}
		dx_wire_message_in_fini(message);
	}
}

static void connect_broker(struct attack *attack)
{
	const struct dx_wire_hello hello = {.role = DX_WIRE_ROLE_APPLICATION};
	struct dx_wire_message_in reply;
	char path[256];
	int result = dx_address_default(path, sizeof(path));

	attack->broker = result < 0 ? result : dx_address_connect(path);
	if (attack->broker < 0) {
		die("broker", attack->broker);
	}
	result = dx_link_send(attack->broker, DX_WIRE_A_HELLO, 1, 0, &hello, sizeof(hello), NULL, 0,
			      NULL, 0, false);
	if (result < 0) {
		die("hello", result);
	}
	receive_reply(attack->broker, DX_WIRE_A_HELLO | DX_WIRE_REPLY, &reply);
	dx_wire_message_in_fini(&reply);
}

static uint64_t find_service(struct attack *attack)
{
	struct dx_dict *matching = dx_dict_new();
	struct dx_string *name = dx_string_new(CONTRACT_SERVICE);
	const struct dx_wire_match match = {.first_only = 1};
	struct dx_wire_message_in reply;
	uint64_t id = 0;

	(void)dx_dict_set(matching, "IONameMatch", name);
	(void)dx_link_send_value(attack->broker, DX_WIRE_A_MATCH, 2, 0, &match, sizeof(match),
				 matching, false);
	(void)dx_object_unref(name);
	(void)dx_object_unref(matching);
	receive_reply(attack->broker, DX_WIRE_A_MATCH | DX_WIRE_REPLY, &reply);
	if (reply.view.payload_length >= sizeof(id)) {
		memcpy(&id, reply.view.payload, sizeof(id));
	}
	dx_wire_message_in_fini(&reply);
	return id;
}

/* @return false when there is no service at the moment. */
static bool open_connection(struct attack *attack)
{
	const struct dx_wire_open open_body = {.id = find_service(attack)};
	struct dx_wire_message_in reply;
	struct stat status;

	(void)dx_link_send(attack->broker, DX_WIRE_A_OPEN, 3, 0, &open_body, sizeof(open_body), NULL,
			   0, NULL, 0, false);
	receive_reply(attack->broker, DX_WIRE_A_OPEN | DX_WIRE_REPLY, &reply);
	if (reply.view.header.status != 0 || reply.nr_fds < 1) {
		dx_wire_message_in_fini(&reply);
		return false;
	}
	attack->control = dx_take_fd(&reply.fds[0]);
	dx_wire_message_in_fini(&reply);
	receive_reply(attack->control, DX_WIRE_C_CHANNEL, &reply);
	for (unsigned i = 0; i < DX_CHANNEL_NR_FDS; i++) {
		attack->fds[i] = dx_take_fd(&reply.fds[i]);
	}
	dx_wire_message_in_fini(&reply);
	if (fstat(attack->fds[DX_CHANNEL_FD_A], &status) != 0) {
		die("fstat", -errno);
	}
	attack->length = (size_t)status.st_size;
	attack->memory = mmap(NULL, attack->length, PROT_READ | PROT_WRITE, MAP_SHARED,
			      attack->fds[DX_CHANNEL_FD_A], 0);
	if (attack->memory == MAP_FAILED) {
		die("mmap", -errno);
	}
	return true;
}

static void close_connection(struct attack *attack)
{
	(void)munmap(attack->memory, attack->length);
	for (unsigned i = 0; i < DX_CHANNEL_NR_FDS; i++) {
		(void)close(attack->fds[i]);
	}
	(void)close(attack->control);
}

static bool is_disconnected(const struct attack *attack)
{
	struct pollfd entry = {.fd = attack->control, .events = POLLRDHUP};

	return poll(&entry, 1, 0) > 0 && (entry.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

static void ring(const struct attack *attack)
{
	uint64_t one = 1;

	(void)!write(attack->fds[DX_CHANNEL_FD_DOORBELL], &one, sizeof(one)); /* full: rung */
}

static void attack_memory(struct attack *attack)
{
	for (unsigned i = 0; i < 64; i++) {
		uint32_t value = draw(attack);
		/* Mostly the words that steer; they are in the first two pages. */
		size_t range = value & 1 ? attack->length : 8192;

		memcpy(attack->memory + draw(attack) % (range - 4), &value, sizeof(value));
	}
	ring(attack);
}

/* Submission i is valid when it says i + 1: guess the next index and send every slot and kind. */
static void attack_entries(struct attack *attack)
{
	uint64_t next = draw(attack) % 64;

	for (unsigned i = 0; i < 32; i++, next++) {
		uint64_t entry = (next + 1) << 32 | (draw(attack) % 4) << 8 | draw(attack) % 20;
		uint8_t *request = attack->memory + 4096 + (draw(attack) % 16) * 256;

		for (unsigned word = 8; word < 256; word += 4) {
			uint32_t value = draw(attack) % 4 == 0 ? draw(attack) : draw(attack) % 80;

			memcpy(request + word, &value, sizeof(value));
		}
		memcpy(attack->memory + 256 + (next % 32) * 8, &entry, sizeof(entry));
	}
	ring(attack);
}

static void send_garbage(struct attack *attack, int socket, uint16_t first_type, uint16_t nr_types)
{
	uint8_t bytes[512];
	size_t length = draw(attack) % sizeof(bytes);
	struct dx_wire_header header = {
		.version = DX_WIRE_VERSION,
		.type = (uint16_t)(first_type + draw(attack) % nr_types),
		.flags = (uint16_t)(draw(attack) % 8 == 0),
		.seq = draw(attack) % 4,
		.length = (uint32_t)length,
		.body_length = draw(attack) % 64,
	};

	for (size_t i = 0; i < length; i++) {
		bytes[i] = (uint8_t)draw(attack);
	}
	if (length >= sizeof(header) && draw(attack) % 8 != 0) {
		memcpy(bytes, &header, sizeof(header));
	}
	(void)send(socket, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (recv(socket, bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
	}
}

static void attack_socket(struct attack *attack)
{
	send_garbage(attack, attack->control, DX_WIRE_C_CHANNEL, 0x20);
}

static void attack_doorbell(struct attack *attack)
{
	int fd = attack->fds[DX_CHANNEL_FD_DOORBELL];
	uint64_t nearly_full = UINT64_MAX - 1;
	int flags = fcntl(fd, F_GETFL);

	(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	(void)!write(fd, &nearly_full, sizeof(nearly_full));
	(void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	(void)!read(fd, &nearly_full, sizeof(nearly_full));
	for (unsigned i = 0; i < 1000; i++) {
		ring(attack);
	}
}

static void attack_broker(struct attack *attack)
{
	struct pollfd entry = {.fd = attack->broker, .events = POLLRDHUP};

	/* From LOAD on it would ask for real things; those are for tools. */
	send_garbage(attack, attack->broker, DX_WIRE_A_HELLO, 0x0b);
	if (poll(&entry, 1, 0) > 0 && (entry.revents & (POLLHUP | POLLRDHUP)) != 0) {
		(void)close(attack->broker);
		connect_broker(attack);
	}
}

static void run(struct attack *attack, void (*step)(struct attack *attack))
{
	bool said = false;

	while (now_ns() < attack->end_ns) {
		if (!open_connection(attack)) {
			continue;
		}
		if (!said) {
			puts("ready");
			fflush(stdout);
			said = true;
		}
		while (now_ns() < attack->end_ns && !is_disconnected(attack)) {
			step(attack);
		}
		close_connection(attack);
	}
}

int main(int argc, char **argv)
{
	struct attack attack = {.control = -1};

	if (argc != 4) {
		return 2;
	}
	attack.random = (unsigned)strtoul(argv[2], NULL, 0);
	attack.end_ns = now_ns() + strtoull(argv[3], NULL, 0) * 1000000u;
	connect_broker(&attack);
	if (strcmp(argv[1], "memory") == 0) {
		run(&attack, attack_memory);
	} else if (strcmp(argv[1], "entries") == 0) {
		run(&attack, attack_entries);
	} else if (strcmp(argv[1], "socket") == 0) {
		run(&attack, attack_socket);
	} else if (strcmp(argv[1], "doorbell") == 0) {
		run(&attack, attack_doorbell);
	} else if (strcmp(argv[1], "broker") == 0) {
		puts("ready");
		fflush(stdout);
		while (now_ns() < attack.end_ns) {
			attack_broker(&attack);
		}
	} else {
		return 2;
	}
	(void)close(attack.broker);
	return 0;
}

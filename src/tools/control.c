/* SPDX-License-Identifier: MIT
 *
 * control - requests to dextd and their replies. See control.h.
 */
#include "control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/ioreturn.h"
#include "wire/address.h"
#include "wire/link.h"

#define REASON_MAX 480u

struct request {
	uint16_t type;
	const void *body;
	size_t body_length;
	const char *text; /* payload, may be NULL */
	const void *value; /* payload instead of text, may be NULL */
};

/* Waits until the broker's socket has something. */
static int wait_readable(const struct dx_control *broker)
{
	struct pollfd fds[] = {
		{.fd = broker->interrupt_fd, .events = POLLIN}, /* -1 is ignored by poll() */
		{.fd = broker->socket, .events = POLLIN},
	};

	for (;;) {
		if (poll(fds, 2, -1) >= 0) {
			return fds[0].revents != 0 ? -EINTR : 0;
		}
		if (errno != EINTR) {
			return -errno;
		}
	}
}

/* The next message that is the reply; events for other purposes are dropped. */
static int receive_reply(const struct dx_control *broker, uint16_t type,
			 struct dx_wire_message_in *ret_reply)
{
	for (;;) {
		int result = wait_readable(broker);

		if (result == 0) {
			result = dx_link_receive(broker->socket, false, ret_reply);
			if (result == 0) {
				return -ECONNRESET;
			}
		}
		if (result < 0) {
			return result;
		}
		if (ret_reply->view.header.type == (type | DX_WIRE_REPLY) &&
		    ret_reply->view.header.seq == broker->seq) {
			return 0;
		}
		dx_wire_message_in_fini(ret_reply);
	}
}

/* Keeps why the broker refused (B1). */
static void keep_reason(struct dx_control *broker, const struct dx_wire_message_in *reply)
{
	DX_CLEANUP_FREE char *text = NULL;
	const char *name = dx_ioreturn_name(reply->view.header.status);

	if (reply->view.payload_length > 0 && dx_wire_message_text(reply, REASON_MAX, &text) == 0 &&
	    text[0] != '\0') {
		(void)snprintf(broker->message, sizeof(broker->message), "%s", text);
	} else if (name != NULL) {
		(void)snprintf(broker->message, sizeof(broker->message),
			       "refused by the broker: %s", name);
	} else {
		(void)snprintf(broker->message, sizeof(broker->message),
			       "refused by the broker: 0x%08x",
			       (unsigned)reply->view.header.status);
	}
}

static int send_request(const struct dx_control *broker, const struct request *request)
{
	if (request->value != NULL) {
		return dx_link_send_value(broker->socket, request->type, broker->seq, 0,
					  request->body, request->body_length, request->value,
					  false);
	}
	return dx_link_send(broker->socket, request->type, broker->seq, 0, request->body,
			    request->body_length, request->text,
			    request->text == NULL ? 0 : strlen(request->text), NULL, 0, false);
}

/* On success the caller owns *ret_reply. */
static int call(struct dx_control *broker, const struct request *request,
		struct dx_wire_message_in *ret_reply)
{
	int result = 0;

	broker->message[0] = '\0';
	broker->seq++;
	result = send_request(broker, request);
	if (result < 0) {
		return result == -EPIPE ? -ECONNRESET : result;
	}
	result = receive_reply(broker, request->type, ret_reply);
	if (result < 0) {
		return result;
	}
	if (ret_reply->view.header.status != 0) {
		keep_reason(broker, ret_reply);
		dx_wire_message_in_fini(ret_reply);
		return -EREMOTEIO;
	}
	return 0;
}

/* For requests whose reply says nothing but success. */
static int call_plain(struct dx_control *broker, const struct request *request)
{
	struct dx_wire_message_in reply = {0};
	int result = call(broker, request, &reply);

	if (result == 0) {
		dx_wire_message_in_fini(&reply);
	}
	return result;
}

int dx_control_open(struct dx_control *broker, const char *address)
{
	struct dx_wire_hello hello = {.role = DX_WIRE_ROLE_TOOL};
	struct request request = {DX_WIRE_A_HELLO, &hello, sizeof(hello), NULL, NULL};
	struct dx_wire_message_in reply = {0};
	struct dx_wire_hello_reply body = {0};
	char path[256];
	int result = 0;

	if (address == NULL) {
		result = dx_address_default(path, sizeof(path));
		if (result < 0) {
			return result;
		}
		address = path;
	}
	broker->socket = dx_address_connect(address);
	if (broker->socket < 0) {
		result = broker->socket;
		broker->socket = -1;
		return result;
	}
	result = call(broker, &request, &reply);
	if (result < 0) {
		dx_control_close(broker);
		return result;
	}
	memcpy(&body, reply.view.body, sizeof(body)); /* its size was checked by the decoder */
	broker->root_id = body.root_id;
	dx_wire_message_in_fini(&reply);
	return 0;
}

void dx_control_close(struct dx_control *broker)
{
	dx_fd_close(&broker->socket);
}

int dx_control_load(struct dx_control *broker, const char *bundle, char *ret_identifier,
		    size_t capacity)
{
	struct request request = {DX_WIRE_A_LOAD, NULL, 0, bundle, NULL};
	struct dx_wire_message_in reply = {0};
	DX_CLEANUP_FREE char *text = NULL;
	int result = call(broker, &request, &reply);

	if (result < 0) {
		return result;
	}
	result = dx_wire_message_text(&reply, capacity - 1, &text);
	dx_wire_message_in_fini(&reply);
	if (result < 0) {
		return result;
	}
	(void)snprintf(ret_identifier, capacity, "%s", text);
	return 0;
}

int dx_control_unload(struct dx_control *broker, const char *identifier)
{
	struct request request = {DX_WIRE_A_UNLOAD, NULL, 0, identifier, NULL};

	return call_plain(broker, &request);
}

int dx_control_attach(struct dx_control *broker, const char *spec, uint64_t *ret_id)
{
	struct request request = {DX_WIRE_A_ATTACH, NULL, 0, spec, NULL};
	struct dx_wire_message_in reply = {0};
	struct dx_wire_id body = {0};
	int result = call(broker, &request, &reply);

	if (result < 0) {
		return result;
	}
	memcpy(&body, reply.view.body, sizeof(body));
	dx_wire_message_in_fini(&reply);
	*ret_id = body.id;
	return 0;
}

int dx_control_detach(struct dx_control *broker, uint64_t id)
{
	struct dx_wire_id body = {.id = id};
	struct request request = {DX_WIRE_A_DETACH, &body, sizeof(body), NULL, NULL};

	return call_plain(broker, &request);
}

int dx_control_wait_quiet(struct dx_control *broker, uint64_t timeout_ns)
{
	struct dx_wire_wait body = {.timeout_ns = timeout_ns};
	struct request request = {DX_WIRE_A_WAIT_QUIET, &body, sizeof(body), NULL, NULL};

	return call_plain(broker, &request);
}

int dx_control_shutdown(struct dx_control *broker)
{
	struct request request = {DX_WIRE_A_SHUTDOWN, NULL, 0, NULL, NULL};

	return call_plain(broker, &request);
}

static int call_dict(struct dx_control *broker, const struct request *request,
		     struct dx_dict **ret_dict)
{
	struct dx_wire_message_in reply = {0};
	void *value = NULL;
	int result = call(broker, request, &reply);

	if (result < 0) {
		return result;
	}
	result = dx_wire_message_value(&reply, &dx_dict_class, &value);
	dx_wire_message_in_fini(&reply);
	if (result == 0) {
		*ret_dict = value;
	}
	return result;
}

int dx_control_copy_tree(struct dx_control *broker, struct dx_dict **ret_tree)
{
	struct request request = {.type = DX_WIRE_A_TREE};

	return call_dict(broker, &request, ret_tree);
}

int dx_control_copy_status(struct dx_control *broker, struct dx_dict **ret_status)
{
	struct request request = {.type = DX_WIRE_A_STATUS};

	return call_dict(broker, &request, ret_status);
}

int dx_control_explain(struct dx_control *broker, const struct dx_dict *request,
		       struct dx_dict **ret_answer)
{
	struct request explain = {.type = DX_WIRE_A_EXPLAIN, .value = request};

	return call_dict(broker, &explain, ret_answer);
}

const char *dx_control_reason(const struct dx_control *broker, int error)
{
	switch (error) {
	case -EREMOTEIO:
		return broker->message;
	case -EINTR:
		return "interrupted";
	case -ECONNRESET:
		return "the broker went away";
	case -EPROTO:
		return "the broker sent something that is no reply";
	default:
		return strerror(-error);
	}
}

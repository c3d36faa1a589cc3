/* SPDX-License-Identifier: MIT
 *
 * client_link - the control socket of one connection: grants, questions, map requests.
 *
 * Place:   driver. The reactor's leader reads when the socket is readable; a thread that waits for a
 *          grant reads too. Requests that need the driver (map, unmap, close) go to the default queue
 *          with everything they own; answers are sent without blocking.
 * Trust:   the application chooses every byte; what it can make us keep is bounded (K3).
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ioreturn.h"
#include "driver/action.h"
#include "driver/user_client.h"
#include "wire/call.h"

/* A request on its way to the queue. */
struct link_request {
	struct dx_item item;
	struct dx_user_client *client; /* counted */
	uint16_t type;
	uint32_t seq;
	struct dx_wire_map map;
};

/* ---- requests ---- */

/* An application that lets replies pile up is cut off: nothing here may block. */
static void reply(struct dx_user_client *client, const struct link_request *request,
		  kern_return_t status, const void *body, size_t body_length, const int *fds,
		  size_t nr_fds)
{
	int result = dx_link_send(client->socket, request->type | DX_WIRE_REPLY, request->seq,
				  status, body, body_length, NULL, 0, fds, nr_fds, true);

	if (result == -EAGAIN) {
		dx_user_client_lose(client, "does not read its replies");
	}
}

static kern_return_t copy_memory(struct dx_user_client *client, uint32_t type, uint64_t *options,
				 struct dx_memory **ret_memory)
{
	struct dx_service *service = &client->service;
	IOMemoryDescriptor *memory = NULL;
	struct dx_service_entry entry;

	dx_service_entry_begin(service, "CopyClientMemoryForType", &entry);
	kern_return_t status = DX_METHOD(service->driver_class, CopyClientMemoryForType)(
		(IOUserClient *)client, type, options, &memory);
	dx_service_entry_end(&entry);
	if (status != kIOReturnSuccess) {
		return status;
	}
	if (memory != NULL && !dx_object_is_kind(memory, &dx_memory_class)) {
		OSRelease(memory);
		return kIOReturnBadArgument;
	}
	*ret_memory = (struct dx_memory *)memory;
	return kIOReturnSuccess;
}

/* The slices that hold the present length; fds only for a map. */
static int describe(const struct dx_memory *memory, bool read_only, bool with_fds,
		    struct dx_wire_map_reply *body, int *fds)
{
	uint64_t left = dx_memory_length(memory);

	body->memory_id = dx_memory_id(memory);
	body->length = left;
	body->flags = read_only ? DX_WIRE_MAP_READ_ONLY : 0;
	for (size_t i = 0; left > 0; i++) {
		const struct dx_slice *slice = dx_memory_slice(memory, i);
		if (slice == NULL || i >= DX_WIRE_MAX_SLICES) {
			return -E2BIG;
		}
		body->slices[i].offset = slice->offset;
		body->slices[i].length = slice->length < left ? slice->length : left;
		body->nr_slices = (uint32_t)i + 1;
		left -= body->slices[i].length;
		if (with_fds) {
			fds[i] = dx_shm_handout(slice->shm, read_only);
			if (fds[i] < 0) {
				return fds[i];
			}
		}
	}
	return 0;
}

static void map_or_unmap(struct dx_user_client *client, const struct link_request *request)
{
	bool map = request->type == DX_WIRE_C_MAP;
	struct dx_wire_map_reply body = {0};
	struct dx_memory *memory = NULL;
	uint64_t options = 0;
	int fds[DX_WIRE_MAX_SLICES];
	kern_return_t status = copy_memory(client, request->map.memory_type, &options, &memory);

	if (status == kIOReturnSuccess && memory != NULL) {
		bool read_only = (options & kIOUserClientMemoryReadOnly) != 0;
		int result = describe(memory, read_only, map, &body, fds);
		/* What is mapped is kept by the application; nothing here grows with it. */
		status = dx_ioreturn_from_errno(result);
	}
	if (status != kIOReturnSuccess) {
		body = (struct dx_wire_map_reply){0};
	}
	reply(client, request, status, &body, sizeof(body), fds,
	      map && status == kIOReturnSuccess ? body.nr_slices : 0);
	(void)dx_memory_unref(memory);
}

static void request_run(struct dx_item *item, bool cancelled)
{
	struct link_request *request = dx_container_of(item, struct link_request, item);
	struct dx_user_client *client = request->client;
	struct dx_wire_map_reply none = {0};

	dx_mutex_lock(&client->link_lock);
	client->nr_requests--;
	dx_mutex_unlock(&client->link_lock);
	if (request->type == DX_WIRE_C_CLOSE) {
		reply(client, request, kIOReturnSuccess, NULL, 0, NULL, 0);
		(void)dx_service_terminate(&client->service, NULL, NULL);
	} else if (cancelled || dx_service_is_stopped(&client->service)) {
		reply(client, request, kIOReturnNotReady, &none, sizeof(none), NULL, 0);
	} else {
		map_or_unmap(client, request);
	}
	free(request);
	(void)dx_object_unref(client);
}

static int queue_request_locked(struct dx_user_client *client, const struct dx_wire_view *view)
	DX_REQUIRES(client->link_lock)
{
	if (client->nr_requests >= DX_CLIENT_MAX_REQUESTS) {
		return -EPROTO;
	}
	struct link_request *request = calloc(1, sizeof(*request));
	if (request == NULL) {
		return -ENOMEM;
	}
	request->item.run = request_run;
	request->client = dx_object_ref(client);
	request->type = view->header.type;
	request->seq = view->header.seq;
	if (view->header.type != DX_WIRE_C_CLOSE) {
		request->map = *(const struct dx_wire_map *)view->body;
	}
	client->nr_requests++;
	struct dx_queue *queue = dx_service_ref_queue(&client->service, NULL);
	dx_queue_push(queue, &request->item);
	(void)dx_object_unref(queue);
	return 0;
}

/* ---- grants ---- */

static int keep_grant_locked(struct dx_user_client *client, struct dx_wire_message_in *message)
	DX_REQUIRES(client->link_lock)
{
	const struct dx_wire_grant *body = message->view.body;

	if (body->status != 0) {
		return 0; /* the reply says so too */
	}
	if (message->nr_fds != 1 || client->nr_grants >= DX_CLIENT_MAX_GRANTS) {
		return -EPROTO;
	}
	struct dx_client_grant *grant = calloc(1, sizeof(*grant));
	if (grant == NULL) {
		return -ENOMEM;
	}
	grant->id = body->ask_id;
	grant->offset = body->offset;
	grant->length = body->length;
	grant->fd = dx_take_fd(&message->fds[0]);
	dx_list_push_back(&client->grants, &grant->link);
	client->nr_grants++;
	dx_cond_broadcast(&client->link_cond);
	return 0;
}

static int handle_locked(struct dx_user_client *client, struct dx_wire_message_in *message)
	DX_REQUIRES(client->link_lock)
{
	switch (message->view.header.type) {
	case DX_WIRE_C_GRANT:
		return keep_grant_locked(client, message);
	case DX_WIRE_C_MAP:
	case DX_WIRE_C_UNMAP:
	case DX_WIRE_C_CLOSE:
		return message->nr_fds == 0 ? queue_request_locked(client, &message->view)
					    : -EPROTO;
	default:
		return -EPROTO;
	}
}

/* What is there, up to what an honest application can have sent: one that never stops must not
 * keep the leader from others. @return -EAGAIN at the end; 0 hang-up; other errors. */
static int receive_locked(struct dx_user_client *client) DX_REQUIRES(client->link_lock)
{
	for (unsigned i = 0; i < DX_CLIENT_MAX_MESSAGES; i++) {
		struct dx_wire_message_in message;
		int result = dx_link_receive(client->socket, true, &message);
		if (result != 1) {
			return result;
		}
		result = handle_locked(client, &message);
		dx_wire_message_in_fini(&message);
		if (result < 0) {
			return result;
		}
	}
	return -EAGAIN; /* the socket is still readable */
}

void dx_user_client_receive(struct dx_user_client *client)
{
	dx_mutex_lock(&client->link_lock);
	int result = client->link_dead ? -EAGAIN : receive_locked(client);
	bool dead = client->link_dead;
	dx_mutex_unlock(&client->link_lock);
	if (result == -EAGAIN && !dead) {
		return;
	}
	if (result == -EPROTO) {
		dx_user_client_lose(client, "broke the protocol of its socket");
	} else if (result == -EMFILE) {
		dx_user_client_lose(client, "sent memory, and no descriptor is free for it");
	} else {
		dx_user_client_lose(client, NULL); /* it has gone, or is being closed */
	}
}

static bool take_grant_locked(struct dx_user_client *client, uint64_t id,
			      struct dx_client_grant *ret_grant) DX_REQUIRES(client->link_lock)
{
	dx_list_for_each(node, &client->grants) {
		struct dx_client_grant *grant = dx_list_entry(node, struct dx_client_grant, link);
		if (grant->id == id) {
			dx_list_remove(&grant->link);
			client->nr_grants--;
			*ret_grant = *grant;
			free(grant);
			return true;
		}
	}
	return false;
}

int dx_user_client_claim(struct dx_user_client *client, uint64_t id, struct dx_client_grant *grant)
{
	dx_mutex_lock(&client->link_lock);
	bool found = take_grant_locked(client, id, grant);
	if (!found && !client->link_dead) {
		(void)receive_locked(client); /* what is wrong with it the leader will see as well */
		found = take_grant_locked(client, id, grant);
	}
	dx_mutex_unlock(&client->link_lock);
	return found ? 0 : -EPROTO;
}

/* ---- questions ---- */

static int wait_for_reply(struct dx_user_client *client, struct dx_client_ask *wait)
{
	uint64_t deadline_ns = dx_clock_now_ns() + DX_CLIENT_ASK_NS;
	int result = 0;

	dx_reactor_blocking_begin();
	dx_mutex_lock(&client->link_lock);
	while (!wait->done && !client->link_dead && result == 0) {
		result = dx_cond_wait_until(&client->link_cond, &client->link_lock, deadline_ns);
	}
	dx_list_remove(&wait->link);
	result = wait->done ? wait->status : (client->link_dead ? -ENOTCONN : -ETIMEDOUT);
	dx_mutex_unlock(&client->link_lock);
	dx_reactor_blocking_end();
	return result;
}

int dx_user_client_ask(struct dx_user_client *client, uint64_t call_id, uint32_t kind,
		       uint32_t flags, uint64_t address, uint64_t length,
		       struct dx_client_grant *ret_grant)
{
	struct dx_client_ask wait = {.call_id = call_id};
	struct dx_channel_ask ask = {
		.kind = kind, .flags = flags, .address = address, .length = length};

	dx_mutex_lock(&client->link_lock);
	ask.id = ++client->last_ask;
	dx_list_push_back(&client->asks, &wait.link);
	dx_mutex_unlock(&client->link_lock);
	int result = dx_channel_driver_ask(client->channel, call_id, &ask);
	if (result < 0) {
		dx_mutex_lock(&client->link_lock);
		dx_list_remove(&wait.link);
		dx_mutex_unlock(&client->link_lock);
		return result;
	}
	result = wait_for_reply(client, &wait);
	if (result > 0) {
		return -EPROTO;
	}
	return result < 0 ? result : dx_user_client_claim(client, ask.id, ret_grant);
}

void dx_user_client_replied(struct dx_user_client *client, const struct dx_channel_reply *reply)
{
	dx_mutex_lock(&client->link_lock);
	dx_list_for_each(node, &client->asks) {
		struct dx_client_ask *wait = dx_list_entry(node, struct dx_client_ask, link);
		if (wait->call_id == reply->id && !wait->done) {
			wait->done = true;
			wait->status = reply->status;
			dx_cond_broadcast(&client->link_cond);
			break;
		}
	}
	dx_mutex_unlock(&client->link_lock);
}

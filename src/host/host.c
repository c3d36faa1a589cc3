/* SPDX-License-Identifier: MIT
 *
 * host - the control thread: what the broker asks, what it is told; see host.h for H1..H3.
 *
 * Place:   host. Knows messages and the runtime's functions, not drivers.
 */
#include "host/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/ioreturn.h"
#include "base/log.h"

/* ------------------------------------------------------------------------------------------- */
/* Replies                                                                                     */

static void lost(const char *what, int rc)
{
	if (rc < 0) {
		dx_log_error("cannot tell the broker (%s): %s", what, strerror(-rc));
	}
}

static void reply(struct dx_host *host, uint16_t type, uint32_t seq, int32_t status)
{
	if (seq != 0) {
		lost(dx_wire_type_name(type), dx_outbox_put(&host->outbox, type | DX_WIRE_REPLY, seq,
							    status, NULL, 0, NULL, 0));
	}
}

static void reply_text(struct dx_host *host, uint16_t type, uint32_t seq, int32_t status,
		       const char *text)
{
	lost(dx_wire_type_name(type), dx_outbox_put(&host->outbox, type | DX_WIRE_REPLY, seq, status,
						    NULL, 0, text, strlen(text)));
}

/* A request that the runtime carries out; freed when it ends (H1). */
struct request {
	struct dx_host *host;
	uint16_t type;
	uint32_t seq;
	uint64_t id;
};

static struct request *request_new(struct dx_host *host, const struct dx_wire_header *header,
				   uint64_t id)
{
	struct request *request = malloc(sizeof(*request));

	if (request != NULL) {
		*request = (struct request){host, header->type, header->seq, id};
	}
	return request;
}

static void request_done(void *context, IOReturn status, uint64_t id)
{
	struct request *request = context;
	struct dx_host *host = request->host;

	(void)id;
	if (request->type == DX_WIRE_H_TERMINATE ||
	    (request->type == DX_WIRE_H_START && status != kIOReturnSuccess)) {
		dx_mirror_remove(&host->mirror, request->id);
	}
	if (request->type == DX_WIRE_H_START && status != kIOReturnSuccess) {
		dx_log_error("%s: Start failed: %s (0x%08x)", host->name,
			     dx_ioreturn_name(status) == NULL ? "driver's own code"
							      : dx_ioreturn_name(status),
			     (unsigned)status);
	}
	reply(host, request->type, request->seq, status);
	free(request);
}

static void open_done(void *context, IOReturn status, uint64_t id)
{
	struct request *request = context;
	struct dx_wire_id body = {.id = id};

	if (status == kIOReturnSuccess) {
		lost("open", dx_outbox_put(&request->host->outbox, DX_WIRE_H_OPEN | DX_WIRE_REPLY,
					   request->seq, status, &body, sizeof(body), NULL, 0));
	} else {
		reply(request->host, DX_WIRE_H_OPEN, request->seq, status);
	}
	free(request);
}

/* ------------------------------------------------------------------------------------------- */
/* Requests                                                                                    */

static int start_runtime(struct dx_host *host, const struct dx_wire_setup *setup,
			 const OSDriverClass *const *classes)
{
	struct dx_runtime_options options = {
		.name = host->name,
		.classes = classes,
		.backends = host->options->backends,
		.first_id = setup->first_id,
		.nr_ids = setup->nr_ids,
		.alive = &host->alive,
		.spin_budget_ns = host->options->spin_budget_ns,
		.ops = &dx_host_runtime_ops,
		.ops_context = host,
	};

	return dx_runtime_new(&options, &host->runtime);
}

static int setup(struct dx_host *host, const struct dx_wire_setup *body, char *message, size_t size)
{
	const OSDriverClass *const *classes = host->options->classes;
	const char *name = dx_dict_get_string(host->setup, DX_SETUP_IDENTIFIER_KEY, "driver");

	host->exit_with_broker = (body->flags & DX_SETUP_EXIT_WITH_BROKER) != 0;
	host->first_id = body->first_id;
	host->nr_ids = body->nr_ids;
	(void)snprintf(host->name, sizeof(host->name), "%s", name);
	if (classes == NULL) {
		int rc = dx_host_load(host, &classes, message, size);
		if (rc < 0) {
			return rc;
		}
	}
	int rc = start_runtime(host, body, classes);
	if (rc < 0) {
		(void)snprintf(message, size, "%s: %s", host->name,
			       rc == -EINVAL ? "a class table of the driver is wrong (name, super or "
					       "method missing)"
					     : strerror(-rc));
	}
	return rc;
}

static int handle_setup(struct dx_host *host, struct dx_wire_message_in *message)
{
	char text[1024] = "";
	void *value = NULL;

	if (host->runtime != NULL || host->setup != NULL) {
		return -EPROTO;
	}
	int rc = dx_wire_message_value(message, &dx_dict_class, &value);
	if (rc < 0) {
		return rc;
	}
	host->setup = value;
	rc = setup(host, message->view.body, text, sizeof(text));
	if (rc < 0) {
		reply_text(host, DX_WIRE_H_SETUP, message->view.header.seq,
			   dx_ioreturn_from_errno(rc), text);
		host->ending = true;
		return 0;
	}
	reply(host, DX_WIRE_H_SETUP, message->view.header.seq, kIOReturnSuccess);
	return 0;
}

static int start_service(struct dx_host *host, const struct dx_wire_start *body,
			 const struct dx_dict *start, struct request *request)
{
	const struct dx_dict *provider = dx_dict_get_dict(start, DX_START_PROVIDER_KEY);
	char text[512] = "";

	if (provider == NULL) {
		return -EINVAL;
	}
	struct dx_runtime_provider description = {
		.id = body->provider_id,
		.class_name = dx_dict_get_string(provider, DX_START_PROVIDER_CLASS_KEY, "IOService"),
		.name = dx_dict_get_string(provider, DX_START_PROVIDER_NAME_KEY, ""),
		.properties = dx_dict_get_dict(provider, DX_START_PROVIDER_PROPERTIES_KEY),
		.spec = dx_dict_get_string(provider, DX_START_PROVIDER_SPEC_KEY, NULL),
		.device_id = dx_dict_get_u64(provider, DX_START_PROVIDER_DEVICE_KEY, 0),
	};
	const char *class_name = dx_dict_get_string(start, DX_START_CLASS_KEY, "");
	int rc = dx_mirror_add_started(&host->mirror, body->id, body->provider_id, start);
	if (rc < 0) {
		return rc;
	}
	rc = dx_runtime_start(host->runtime, body->id, class_name,
			      dx_dict_get_dict(start, DX_START_PROPERTIES_KEY), &description, text,
			      sizeof(text), request_done, request);
	if (rc == -ENOENT && text[0] == '\0') {
		dx_log_error("%s: no class %s in the driver (IOUserClass in Info.plist)", host->name,
			     class_name);
	} else if (rc < 0) {
		dx_log_error("%s: cannot start %s: %s", host->name, class_name,
			     text[0] != '\0' ? text : strerror(-rc));
	}
	if (rc < 0) {
		dx_mirror_remove(&host->mirror, body->id);
	}
	return rc;
}

/* Those that cannot even begin are answered here; request is NULL without memory. */
static void refuse(struct dx_host *host, const struct dx_wire_header *header, int rc,
		   struct request *request)
{
	free(request);
	reply(host, header->type, header->seq, dx_ioreturn_from_errno(rc));
}

static int handle_start(struct dx_host *host, struct dx_wire_message_in *message)
{
	const struct dx_wire_start *body = message->view.body;
	struct request *request = request_new(host, &message->view.header, body->id);
	void *start = NULL;
	int rc = dx_wire_message_value(message, &dx_dict_class, &start);

	if (rc < 0) {
		free(request);
		return rc;
	}
	host->had_service = true;
	rc = request == NULL ? -ENOMEM : start_service(host, body, start, request);
	if (rc < 0) {
		refuse(host, &message->view.header, rc, request);
	}
	(void)dx_object_unref(start);
	return 0;
}

static int handle_open(struct dx_host *host, struct dx_wire_message_in *message)
{
	const struct dx_wire_host_open *body = message->view.body;
	struct request *request = request_new(host, &message->view.header, body->service_id);
	struct dx_runtime_opener opener = {body->pid, body->uid, body->name};
	int rc = request == NULL ? -ENOMEM
				 : dx_runtime_open(host->runtime, body->service_id, body->type,
						   &opener, &message->fds[0], open_done, request);

	if (rc < 0) {
		refuse(host, &message->view.header, rc, request);
	}
	return 0;
}

static int handle_terminate(struct dx_host *host, struct dx_wire_message_in *message)
{
	const struct dx_wire_id *body = message->view.body;
	struct request *request = request_new(host, &message->view.header, body->id);
	int rc = request == NULL
			 ? -ENOMEM
			 : dx_runtime_terminate(host->runtime, body->id, request_done, request);

	if (rc < 0) {
		refuse(host, &message->view.header, rc, request);
	}
	return 0;
}

static int handle_device_gone(struct dx_host *host, struct dx_wire_message_in *message)
{
	const struct dx_wire_id *body = message->view.body;
	int rc = dx_runtime_provider_gone(host->runtime, body->id);

	reply(host, DX_WIRE_H_DEVICE_GONE, message->view.header.seq, dx_ioreturn_from_errno(rc));
	return 0;
}

int dx_host_handle(struct dx_host *host, struct dx_wire_message_in *message)
{
	uint16_t type = message->view.header.type;

	if (type == (DX_WIRE_A_HELLO | DX_WIRE_REPLY)) {
		return 0; /* a new broker greets back; ADOPT is on its way */
	}
	if (type == DX_WIRE_H_SETUP) {
		return handle_setup(host, message);
	}
	if (host->runtime == NULL) {
		return -EPROTO;
	}
	switch (type) {
	case DX_WIRE_H_START:
		return handle_start(host, message);
	case DX_WIRE_H_OPEN:
		return handle_open(host, message);
	case DX_WIRE_H_TERMINATE:
		return handle_terminate(host, message);
	case DX_WIRE_H_DEVICE_GONE:
		return handle_device_gone(host, message);
	default:
		return -EPROTO;
	}
}

/* ------------------------------------------------------------------------------------------- */
/* What the runtime reports; any thread (H2)                                                   */

static void put_id(struct dx_host *host, uint16_t type, uint64_t id)
{
	struct dx_wire_id body = {.id = id};

	lost(dx_wire_type_name(type),
	     dx_outbox_put(&host->outbox, type, 0, 0, &body, sizeof(body), NULL, 0));
}

static void put_id_text(struct dx_host *host, uint16_t type, uint64_t id, const char *text)
{
	struct dx_wire_id body = {.id = id};

	lost(dx_wire_type_name(type), dx_outbox_put(&host->outbox, type, 0, 0, &body, sizeof(body),
						    text, strlen(text)));
}

static void on_registered(void *context, uint64_t id)
{
	struct dx_host *host = context;

	dx_mirror_set_registered(&host->mirror, id);
	put_id(host, DX_WIRE_H_REGISTER, id);
}

static void on_renamed(void *context, uint64_t id, const char *name)
{
	struct dx_host *host = context;

	lost("mirror", dx_mirror_set_name(&host->mirror, id, name));
	put_id_text(host, DX_WIRE_H_SET_NAME, id, name);
}

static void on_properties_set(void *context, uint64_t id, const struct dx_dict *properties)
{
	struct dx_host *host = context;
	struct dx_wire_id body = {.id = id};

	lost("mirror", dx_mirror_set_properties(&host->mirror, id, properties));
	lost("properties", dx_outbox_put_value(&host->outbox, DX_WIRE_H_SET_PROPERTIES, 0, 0, &body,
					       sizeof(body), properties));
}

static void on_property_removed(void *context, uint64_t id, const char *key)
{
	struct dx_host *host = context;

	dx_mirror_remove_property(&host->mirror, id, key);
	put_id_text(host, DX_WIRE_H_REMOVE_PROPERTY, id, key);
}

static void put_entry(struct dx_host *host, const struct dx_wire_add_entry *body,
		      const struct dx_dict *properties)
{
	struct dx_dict *empty = properties == NULL ? dx_dict_new() : NULL;
	int rc = properties == NULL && empty == NULL
			 ? -ENOMEM
			 : dx_outbox_put_value(&host->outbox, DX_WIRE_H_ADD_ENTRY, 0, 0, body,
					       sizeof(*body), properties == NULL ? empty : properties);

	(void)dx_object_unref(empty);
	lost("entry", rc);
}

static void on_entry_added(void *context, uint64_t id, uint64_t parent_id, const char *class_name,
			   const char *name, const struct dx_dict *properties)
{
	struct dx_host *host = context;
	struct dx_wire_add_entry body = {.id = id, .parent_id = parent_id};

	(void)snprintf(body.class_name, sizeof(body.class_name), "%s", class_name);
	(void)snprintf(body.name, sizeof(body.name), "%s", name);
	lost("mirror", dx_mirror_add_made(&host->mirror, id, parent_id, class_name, name, properties));
	put_entry(host, &body, properties);
}

static void on_entry_removed(void *context, uint64_t id)
{
	struct dx_host *host = context;

	dx_mirror_remove(&host->mirror, id);
	put_id(host, DX_WIRE_H_REMOVE_ENTRY, id);
}

static void on_terminate_wanted(void *context, uint64_t id)
{
	put_id(context, DX_WIRE_H_TERMINATE_REQUEST, id);
}

static void on_device_lost(void *context, uint64_t provider_id)
{
	put_id(context, DX_WIRE_H_DEVICE_LOST, provider_id);
}

static void on_busy_adjusted(void *context, uint64_t id, int32_t delta)
{
	struct dx_host *host = context;
	struct dx_wire_adjust body = {.id = id, .delta = delta};

	lost("busy", dx_outbox_put(&host->outbox, DX_WIRE_H_ADJUST_BUSY, 0, 0, &body, sizeof(body),
				   NULL, 0));
}

const struct dx_runtime_ops dx_host_runtime_ops = {
	.registered = on_registered,
	.renamed = on_renamed,
	.properties_set = on_properties_set,
	.property_removed = on_property_removed,
	.entry_added = on_entry_added,
	.entry_removed = on_entry_removed,
	.terminate_wanted = on_terminate_wanted,
	.device_lost = on_device_lost,
	.busy_adjusted = on_busy_adjusted,
};

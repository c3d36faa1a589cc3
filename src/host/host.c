/* SPDX-License-Identifier: MIT
 *
 * host - the control thread: what the broker asks and how it is answered; see host.h for H1..H3.
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

void dx_host_lost(const char *what, int rc)
{
	if (rc < 0) {
		dx_log_error("cannot tell the broker (%s): %s", what, strerror(-rc));
	}
}

static void reply(struct dx_host *host, uint16_t type, uint32_t seq, int32_t status)
{
	if (seq != 0) {
		dx_host_lost(dx_wire_type_name(type),
			     dx_outbox_put(&host->outbox, type | DX_WIRE_REPLY, seq, status, NULL,
					   0, NULL, 0));
	}
}

static void reply_text(struct dx_host *host, uint16_t type, uint32_t seq, int32_t status,
		       const char *text)
{
	if (seq != 0) {
		dx_host_lost(dx_wire_type_name(type),
			     dx_outbox_put(&host->outbox, type | DX_WIRE_REPLY, seq, status, NULL,
					   0, text, strlen(text)));
	}
}

/* A request that the runtime carries out; freed when it ends (H1). */
struct request {
	struct dx_host *host;
	uint16_t type;
	uint32_t seq;
	uint64_t id;
	unsigned broker; /* which one asked; the next one does not wait for the answer */
};

static struct request *request_new(struct dx_host *host, const struct dx_wire_header *header,
				   uint64_t id)
{
	struct request *request = malloc(sizeof(*request));

	if (request != NULL) {
		dx_mutex_lock(&host->lock);
		host->nr_requests++;
		*request = (struct request){host, header->type, header->seq, id, host->nr_brokers};
		dx_mutex_unlock(&host->lock);
	}
	return request;
}

/* Its answer was put, or never will be. The host may end from here on. */
static void request_free(struct request *request)
{
	struct dx_host *host = request->host;

	dx_mutex_lock(&host->lock);
	host->nr_requests--;
	dx_mutex_unlock(&host->lock);
	dx_outbox_wake(&host->outbox);
	free(request);
}

/* What ended is no longer told to a new broker; one that was told already hears of the end. */
static void answer(struct request *request, bool is_gone, int32_t status)
{
	struct dx_host *host = request->host;
	const struct dx_wire_id body = {.id = request->id};

	dx_mutex_lock(&host->lock);
	if (is_gone) {
		dx_mirror_remove(&host->mirror, request->id);
	}
	if (request->broker == host->nr_brokers) {
		reply(host, request->type, request->seq, status);
	} else if (is_gone) {
		dx_host_lost("end", dx_outbox_put(&host->outbox, DX_WIRE_H_REMOVE_ENTRY, 0, 0,
						  &body, sizeof(body), NULL, 0));
	}
	dx_mutex_unlock(&host->lock);
}

static void request_done(void *context, IOReturn status, uint64_t id)
{
	struct request *request = context;
	bool failed_start = request->type == DX_WIRE_H_START && status != kIOReturnSuccess;

	(void)id;
	if (failed_start) {
		dx_log_error("Start failed: %s (0x%08x)",
			     dx_ioreturn_name(status) == NULL ? "a code of the driver's own"
							      : dx_ioreturn_name(status),
			     (unsigned)status);
	}
	answer(request, failed_start || request->type == DX_WIRE_H_TERMINATE, status);
	request_free(request);
}

static void open_done(void *context, IOReturn status, uint64_t id)
{
	struct request *request = context;
	struct dx_host *host = request->host;
	struct dx_wire_id body = {.id = id};

	if (status != kIOReturnSuccess) {
		answer(request, false, status);
	} else {
		dx_mutex_lock(&host->lock);
		if (request->broker == host->nr_brokers) {
			dx_host_lost("open",
				     dx_outbox_put(&host->outbox, DX_WIRE_H_OPEN | DX_WIRE_REPLY,
						   request->seq, status, &body, sizeof(body), NULL,
						   0));
		}
		dx_mutex_unlock(&host->lock);
	}
	request_free(request);
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
		.tap = host->capture == NULL ? NULL : dx_capture_tap(host->capture),
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
			       rc == -EINVAL
				       ? "a class table of the driver is wrong (name, super or "
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
	rc = message->fds[0] < 0 ? 0 : dx_capture_new(dx_take_fd(&message->fds[0]), &host->capture);
	if (rc == 0) {
		rc = setup(host, message->view.body, text, sizeof(text));
	}
	if (rc < 0) {
		reply_text(host, DX_WIRE_H_SETUP, message->view.header.seq,
			   dx_ioreturn_from_errno(rc), text);
		host->ending = true;
		return 0;
	}
	reply(host, DX_WIRE_H_SETUP, message->view.header.seq, kIOReturnSuccess);
	return 0;
}

/* Takes *device_fd if the device is not open here yet. On failure text may say why. */
static int start_service(struct dx_host *host, const struct dx_wire_start *body,
			 const struct dx_dict *start, int *device_fd, struct request *request,
			 char *text, size_t text_size)
{
	const struct dx_dict *provider = dx_dict_get_dict(start, DX_START_PROVIDER_KEY);

	if (provider == NULL) {
		return -EINVAL;
	}
	struct dx_runtime_provider description = {
		.id = body->provider_id,
		.class_name =
			dx_dict_get_string(provider, DX_START_PROVIDER_CLASS_KEY, "IOService"),
		.name = dx_dict_get_string(provider, DX_START_PROVIDER_NAME_KEY, ""),
		.properties = dx_dict_get_dict(provider, DX_START_PROVIDER_PROPERTIES_KEY),
		.spec = dx_dict_get_string(provider, DX_START_PROVIDER_SPEC_KEY, NULL),
		.device_id = dx_dict_get_u64(provider, DX_START_PROVIDER_DEVICE_KEY, 0),
		.device_fd = device_fd,
	};
	const char *class_name = dx_dict_get_string(start, DX_START_CLASS_KEY, "");
	int rc = dx_mirror_add_started(&host->mirror, body->id, body->provider_id, start);
	if (rc < 0) {
		return rc;
	}
	rc = dx_runtime_start(host->runtime, body->id, class_name,
			      dx_dict_get_dict(start, DX_START_PROPERTIES_KEY), &description, text,
			      text_size, request_done, request);
	if (rc == -ENOENT && text[0] == '\0') {
		(void)snprintf(text, text_size,
			       "no class %s in the driver (IOUserClass in Info.plist)", class_name);
	}
	if (rc < 0) {
		dx_mirror_remove(&host->mirror, body->id);
	}
	return rc;
}

/* Those that cannot even begin are answered here; request is NULL without memory. */
static void refuse(struct dx_host *host, const struct dx_wire_header *header, int rc,
		   struct request *request, const char *text)
{
	reply_text(host, header->type, header->seq, dx_ioreturn_from_errno(rc), text);
	if (request != NULL) {
		request_free(request);
	}
}

static int handle_start(struct dx_host *host, struct dx_wire_message_in *message)
{
	const struct dx_wire_start *body = message->view.body;
	struct request *request = request_new(host, &message->view.header, body->id);
	void *start = NULL;
	char text[512] = "";
	int rc = dx_wire_message_value(message, &dx_dict_class, &start);

	if (rc < 0) {
		if (request != NULL) {
			request_free(request);
		}
		return rc;
	}
	host->had_service = true;
	rc = request == NULL ? -ENOMEM
			     : start_service(host, body, start, &message->fds[0], request, text,
					     sizeof(text));
	if (rc < 0) {
		refuse(host, &message->view.header, rc, request, text);
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
		refuse(host, &message->view.header, rc, request, "");
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
		refuse(host, &message->view.header, rc, request, "");
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

static int handle_matched(struct dx_host *host, struct dx_wire_message_in *message)
{
	const struct dx_wire_service *body = message->view.body;
	void *value = NULL;
	int rc = dx_wire_message_value(message, &dx_dict_class, &value);

	if (rc < 0) {
		return rc;
	}
	const struct dx_runtime_match match = {
		.id = body->id,
		.class_name = dx_dict_get_string(value, DX_SERVICE_CLASS_KEY, "IOService"),
		.name = dx_dict_get_string(value, DX_SERVICE_NAME_KEY, ""),
		.properties = dx_dict_get_dict(value, DX_SERVICE_PROPERTIES_KEY),
	};
	dx_runtime_service_matched(host->runtime, body->cookie, &match);
	(void)dx_object_unref(value);
	return 0;
}

/* What the driver's watches are told. */
static int handle_service(struct dx_host *host, struct dx_wire_message_in *message)
{
	const struct dx_wire_service *ended = message->view.body;
	const struct dx_wire_id *told = message->view.body;

	switch (message->view.header.type) {
	case DX_WIRE_H_SERVICE_MATCHED:
		return handle_matched(host, message);
	case DX_WIRE_H_SERVICE_TERMINATED:
		dx_runtime_service_terminated(host->runtime, ended->cookie, ended->id);
		return 0;
	default:
		dx_runtime_services_told(host->runtime, told->id);
		return 0;
	}
}

int dx_host_handle(struct dx_host *host, struct dx_wire_message_in *message)
{
	uint16_t type = message->view.header.type;

	if (type == (DX_WIRE_A_HELLO | DX_WIRE_REPLY)) {
		/* A new broker greets back; ADOPT is on its way. One that refuses us knows of no
		 * driver here, nobody else will ever end it. */
		host->ending = host->ending || message->view.header.status != 0;
		return 0;
	}
	host->retry_ns = DX_HOST_RETRY_FIRST_NS;
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
	case DX_WIRE_H_SERVICE_MATCHED:
	case DX_WIRE_H_SERVICE_TERMINATED:
	case DX_WIRE_H_SERVICES_TOLD:
		return handle_service(host, message);
	default:
		return -EPROTO;
	}
}

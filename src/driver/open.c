/* SPDX-License-Identifier: MIT
 *
 * open - an application opens a service: NewUserClient, Create, init, Start, and the connection.
 *
 * Place:   driver. NewUserClient runs on the service's queue, Start on the user client's own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/ioreturn.h"
#include "driver/runtime.h"
#include "driver/user_client.h"

struct opening {
	struct dx_item item;
	struct dx_service *service;    /* counted */
	struct dx_user_client *client; /* counted, once there is one */
	uint32_t type;
	uint32_t pid;
	uint32_t uid;
	char name[DX_MAX_NAME];
	int socket;
	dx_runtime_done_fn done;
	void *context;
};

static void opening_end(struct opening *opening, kern_return_t status)
{
	struct dx_runtime *runtime = opening->service->runtime;
	uint64_t id = opening->client == NULL ? 0 : opening->client->service.id;

	if (status != kIOReturnSuccess) {
		dx_mutex_lock(&runtime->lock);
		runtime->nr_connections--;
		dx_mutex_unlock(&runtime->lock);
	}
	dx_fd_close(&opening->socket);
	opening->done(opening->context, status, id);
	(void)dx_object_unref(opening->client);
	(void)dx_object_unref(opening->service);
	free(opening);
}

/* On the user client's own queue. */
static void start_run(struct dx_item *item, bool cancelled)
{
	struct opening *opening = dx_container_of(item, struct opening, item);
	struct dx_service *service = &opening->client->service;
	kern_return_t status = cancelled ? kIOReturnAborted : dx_service_run_start(service);

	if (status == kIOReturnSuccess) {
		int result = dx_user_client_connect(opening->client, &opening->socket);
		if (result < 0) {
			status = result == -EMFILE || result == -ENFILE
					 ? kIOReturnNoResources
					 : dx_ioreturn_from_errno(result);
			(void)dx_service_terminate(service, NULL, NULL);
		}
	} else {
		dx_service_start_failed(service);
	}
	opening_end(opening, status);
}

static kern_return_t new_user_client(struct opening *opening)
{
	struct dx_service *service = opening->service;
	IOUserClient *made = NULL;
	struct dx_service_entry entry;

	dx_mutex_lock(&service->lock);
	bool serving = service->state == DX_SERVICE_STARTED && !service->terminating;
	dx_mutex_unlock(&service->lock);
	if (!serving) {
		return kIOReturnNotReady;
	}
	dx_service_entry_begin(service, "NewUserClient", &entry);
	kern_return_t status = DX_METHOD(service->driver_class, NewUserClient)(
		IO_SERVICE(service), opening->type, &made);
	dx_service_entry_end(&entry);
	if (status != kIOReturnSuccess) {
		return status;
	}
	if (made == NULL) {
		return kIOReturnError;
	}
	if (!dx_object_is_kind(made, &dx_user_client_class) ||
	    ((struct dx_service *)made)->driver_class == NULL) {
		OSRelease(made);
		return kIOReturnUnsupported;
	}
	opening->client = (struct dx_user_client *)made; /* its reference comes along */
	return kIOReturnSuccess;
}

/* On the service's queue. */
static void open_run(struct dx_item *item, bool cancelled)
{
	struct opening *opening = dx_container_of(item, struct opening, item);
	kern_return_t status = cancelled ? kIOReturnAborted : new_user_client(opening);

	if (status != kIOReturnSuccess) {
		opening_end(opening, status);
		return;
	}
	struct dx_user_client *client = opening->client;
	client->opener_pid = opening->pid;
	client->opener_uid = opening->uid;
	(void)snprintf(client->opener_name, sizeof(client->opener_name), "%s", opening->name);
	dx_service_attach(&client->service);
	opening->item.run = start_run;
	/* The queue may run the item to its end at once. */
	client = dx_object_ref(client);
	dx_queue_push(client->service.own_queue, &opening->item);
	dx_service_follow_parent(&client->service);
	(void)dx_object_unref(client);
}

static bool admit(struct dx_runtime *runtime)
{
	dx_mutex_lock(&runtime->lock);
	bool admitted = runtime->nr_connections < DX_MAX_CONNECTIONS_PER_HOST;
	runtime->nr_connections += admitted ? 1 : 0;
	dx_mutex_unlock(&runtime->lock);
	return admitted;
}

int dx_runtime_open(struct dx_runtime *runtime, uint64_t service_id, uint32_t type,
		    const struct dx_runtime_opener *opener, int *socket, dx_runtime_done_fn done,
		    void *context)
{
	struct dx_service *service = dx_runtime_find(runtime, service_id);

	if (service == NULL || service->driver_class == NULL) {
		(void)dx_object_unref(service);
		return -ENOENT;
	}
	struct opening *opening = calloc(1, sizeof(*opening));
	if (opening == NULL || !admit(runtime)) {
		int result = opening == NULL ? -ENOMEM : -EDQUOT;
		free(opening);
		(void)dx_object_unref(service);
		return result;
	}
	opening->item.run = open_run;
	opening->service = service;
	opening->type = type;
	opening->pid = opener->pid;
	opening->uid = opener->uid;
	(void)snprintf(opening->name, sizeof(opening->name), "%s", opener->name);
	opening->socket = dx_take_fd(socket);
	opening->done = done;
	opening->context = context;
	struct dx_queue *queue = dx_service_ref_queue(service, NULL);
	dx_queue_push(queue, &opening->item);
	(void)dx_object_unref(queue);
	return 0;
}

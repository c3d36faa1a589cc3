/* SPDX-License-Identifier: MIT
 *
 * opening - a device is closed and opened again, which may take seconds, away from the loop.
 *
 * Place:      export; the picture is in private.h.
 * Threads:    the backend is the job's from the start of the job to its end: nobody else has it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/private.h"

struct opening {
	const struct dx_usb_backend_ops *ops;
	char *spec;   /* ours: the job may outlive the server */
	void *device; /* a name for it; the job does not look */
	bool opens;
	struct dx_usb_backend *backend; /* what is to be closed, and then what has been opened */
	int result;
	char message[256];
};

static void opening_free(void *data)
{
	struct opening *opening = data;

	if (opening->backend != NULL) {
		opening->ops->close(opening->backend);
	}
	free(opening->spec);
	free(opening);
}

static void work(void *data)
{
	struct opening *opening = data;

	if (opening->backend != NULL) {
		opening->ops->close(opening->backend);
		opening->backend = NULL;
	}
	if (opening->opens) {
		opening->result = opening->ops->open(opening->spec, -1, &dx_export_device_host,
						     opening->device, opening->message,
						     sizeof(opening->message), &opening->backend);
		opening->backend = opening->result < 0 ? NULL : opening->backend;
	}
}

static void done(void *context, void *data)
{
	struct dx_export_device *device = context;
	struct opening *opening = data;
	int result = opening->result;

	device->job = NULL;
	if (opening->backend != NULL) {
		result = dx_export_device_adopt(device, dx_take_ptr(&opening->backend),
						opening->message, sizeof(opening->message));
	}
	if (result < 0) {
		dx_export_say(device->export, "%s", opening->message);
	}
	dx_export_peers_go_on(device->export);
}

static struct opening *opening_new(const struct dx_export_device *device, bool opens)
{
	struct opening *opening = calloc(1, sizeof(*opening));

	if (opening == NULL) {
		return NULL;
	}
	*opening = (struct opening){.ops = device->ops, .opens = opens};
	opening->device = (void *)(uintptr_t)device;
	opening->spec = strdup(device->spec);
	if (opening->spec == NULL) {
		free(opening);
		return NULL;
	}
	return opening;
}

void dx_export_device_renew(struct dx_export_device *device, bool opens)
{
	static const struct dx_job_ops ops = {.work = work, .done = done, .release = opening_free};
	struct opening *opening = opening_new(device, opens);
	int result = -ENOMEM;

	dx_export_device_disregard(device);
	if (opening != NULL) {
		opening->backend = dx_take_ptr(&device->backend);
		result = dx_job_start(device->export->jobs, &ops, opening, device, &device->job);
	}
	if (result < 0) { /* it is closed, and opened when somebody asks for it */
		dx_export_say(device->export, "%s cannot be opened again: %s", device->busid,
			      strerror(-result));
		if (opening != NULL) {
			opening_free(opening);
		}
		dx_export_device_close(device);
	}
}

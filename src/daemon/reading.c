/* SPDX-License-Identifier: MIT
 *
 * reading - descriptors of a spec, in a thread; see reading.h.
 *
 * Place:   daemon.
 */
#include "daemon/reading.h"

#include <stdlib.h>
#include <string.h>

#include "usb/describe.h"

struct dx_reading *dx_reading_new(const struct dx_broker *broker, const char *spec)
{
	static const struct dx_usb_backend_ops *const none[] = {NULL};
	struct dx_reading *reading = calloc(1, sizeof(*reading));

	if (reading == NULL) {
		return NULL;
	}
	reading->backends = broker->options->backends != NULL ? broker->options->backends : none;
	reading->spec = strdup(spec);
	if (reading->spec == NULL) {
		free(reading);
		return NULL;
	}
	return reading;
}

void dx_reading_free(struct dx_reading *reading)
{
	if (reading != NULL) {
		dx_object_unref(reading->dict);
		free(reading->spec);
		free(reading);
	}
}

void dx_reading_work(void *data)
{
	struct dx_reading *reading = data;

	reading->result = dx_usb_describe(reading->spec, reading->backends, reading->message,
					  sizeof(reading->message), &reading->dict);
}

void dx_reading_release(void *data)
{
	dx_reading_free(data);
}

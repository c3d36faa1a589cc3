/* SPDX-License-Identifier: MIT
 *
 * reading - a job that reads what a device says of itself, without attaching it.
 *
 * Place:      daemon, over jobs and usb/describe.
 */
#ifndef DX_DAEMON_READING_H
#define DX_DAEMON_READING_H

#include "base/value.h"
#include "daemon/broker.h"

struct dx_usb_backend_ops;

struct dx_reading {
	char *spec;
	const struct dx_usb_backend_ops *const *backends;
	int result;        /* of dx_usb_describe() */
	char message[512]; /* one line, when it failed */
	struct dx_dict *dict;
};

/* NULL without memory. */
struct dx_reading *dx_reading_new(const struct dx_broker *broker, const char *spec);
/* NULL is allowed. */
void dx_reading_free(struct dx_reading *reading);
/* The work() and release() of a job whose data is a struct dx_reading. */
void dx_reading_work(void *data);
void dx_reading_release(void *data);

#endif

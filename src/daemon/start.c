/* SPDX-License-Identifier: MIT
 *
 * start - from a host that is ready to a driver that runs: fetch what its device needs, tell it to
 * start, not for ever; see drivers.h.
 *
 * Place:      daemon, between drivers and hosts.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/jobs.h"
#include "daemon/device.h"
#include "daemon/drivers.h"
#include "daemon/hosts.h"
#include "daemon/records.h"
#include "usb/spec.h"

#define START_WAIT_MS 30000u
#define NS_PER_MS     1000000ull

/* The data of a job that acquires. */
struct acquisition {
	char *spec;
	const struct dx_usb_backend_ops *const *backends;
	int fd; /* or what dx_usb_spec_acquire() said */
	char message[512];
};

static void acquisition_work(void *data)
{
	struct acquisition *acquisition = data;

	acquisition->fd = dx_usb_spec_acquire(acquisition->spec, acquisition->backends,
					      acquisition->message, sizeof(acquisition->message));
}

static void acquisition_release(void *data)
{
	struct acquisition *acquisition = data;

	if (acquisition != NULL) {
		dx_fd_close(&acquisition->fd);
		free(acquisition->spec);
		free(acquisition);
	}
}

static struct acquisition *acquisition_new(const struct dx_broker *broker, const char *spec)
{
	struct acquisition *acquisition = calloc(1, sizeof(*acquisition));

	if (acquisition == NULL) {
		return NULL;
	}
	acquisition->fd = -1;
	acquisition->backends = broker->options->backends;
	acquisition->spec = strdup(spec);
	if (acquisition->spec == NULL) {
		free(acquisition);
		return NULL;
	}
	return acquisition;
}

static unsigned start_wait_ms(const struct dx_driver *driver)
{
	unsigned wait_ms = driver->broker->options->start_wait_ms;

	return wait_ms != 0 ? wait_ms : START_WAIT_MS;
}

/* Start hangs: nobody could stop the driver in another way. Others in its process start anew. */
static void start_took_too_long(void *context)
{
	struct dx_driver *driver = context;
	struct dx_host *host = driver->host;
	char words[128];

	if (host == NULL) {
		return; /* it has died; what follows from that is under way */
	}
	(void)snprintf(words, sizeof(words), "Start has not returned after %u ms: it is killed",
		       start_wait_ms(driver));
	dx_driver_host_refused(driver, words, false);
	dx_host_kill_hanging(host);
}

/* Tells it to start, and how long it may take. Takes *fd over if there is one. */
static int tell(struct dx_driver *driver, int *fd)
{
	int r = dx_loop_add_timer(driver->broker->loop, start_took_too_long, driver,
				  &driver->start_timer);

	if (r == 0) {
		dx_loop_set_timer(driver->start_timer,
				  driver->started_ns + start_wait_ms(driver) * NS_PER_MS);
		r = dx_host_start(driver->host, driver, fd);
	}
	return r;
}

static void start(struct dx_driver *driver, int *fd)
{
	int r = 0;

	driver->state = DX_DRIVER_STARTING;
	driver->started_ns = dx_clock_now_ns();
	r = tell(driver, fd);
	if (r < 0) {
		char words[128];

		(void)snprintf(words, sizeof(words), "cannot be told to start: %s", strerror(-r));
		dx_driver_host_refused(driver, words, true);
		return;
	}
	dx_record_write(driver->host);
}

/* Another service of the host is on this device, and will be. */
static bool host_drives(const struct dx_host *host, const struct dx_driver *except,
			const struct dx_device *device)
{
	dx_list_for_each (node, &host->drivers) {
		const struct dx_driver *driver = dx_list_entry(node, struct dx_driver, host_node);

		if (driver != except && driver->entry->parent->device == device &&
		    !driver->entry->inactive &&
		    (driver->state == DX_DRIVER_STARTING || driver->state == DX_DRIVER_RUNNING)) {
			return true;
		}
	}
	return false;
}

/* V4: somebody else of the host is at it. */
static bool must_wait(const struct dx_driver *driver)
{
	dx_list_for_each (node, &driver->host->drivers) {
		const struct dx_driver *other = dx_list_entry(node, struct dx_driver, host_node);

		if (other->acquiring != NULL &&
		    other->entry->parent->device == driver->entry->parent->device) {
			return true;
		}
	}
	return false;
}

/* The device cannot be had. Where the backend reconnects, it is the connection that failed: then the
 * device is lost, and all that follows from it. */
static void not_acquired(struct dx_driver *driver, int code, const char *text)
{
	struct dx_device *device = driver->entry->parent->device;
	bool lasting = code == -EACCES || code == -EPERM || code == -ENOENT || code == -EINVAL;

	if (device->backend->reconnects && !lasting && code != -EBUSY) {
		dx_device_gone(device, false);
		return;
	}
	dx_driver_host_refused(driver, text[0] != '\0' ? text : strerror(-code), !lasting);
}

static void acquired(struct dx_driver *driver, struct acquisition *acquisition)
{
	int code = acquisition->fd;

	if (code == -EBUSY && host_drives(driver->host, driver, driver->entry->parent->device)) {
		code = -ENODATA; /* one that can be had once only is there already */
	}
	if (code >= 0 || code == -ENODATA) {
		start(driver, &acquisition->fd);
	} else {
		not_acquired(driver, code, acquisition->message);
	}
}

static void on_acquired(void *context, void *data)
{
	struct dx_driver *driver = context;
	struct dx_host *host = driver->host;

	driver->acquiring = NULL;
	/* Its device has gone, or its host has died, and it is still there because others sit on it:
	 * then it goes after them. */
	if (!driver->entry->inactive) {
		acquired(driver, data);
	}
	if (host != NULL) { /* has this driver still, or others, or ends in a moment: it is there */
		dx_drivers_acquire_next(host);
	}
}

static void acquire(struct dx_driver *driver)
{
	static const struct dx_job_ops ops = {.work = acquisition_work,
					      .done = on_acquired,
					      .release = acquisition_release};
	struct dx_broker *broker = driver->broker;
	const struct dx_device *device = driver->entry->parent->device;
	struct acquisition *acquisition = acquisition_new(
		broker, device->port != NULL ? device->port : device->spec); /* others may be like it */
	int r = acquisition == NULL ? -ENOMEM
				    : dx_job_start(broker->jobs, &ops, acquisition, driver,
						   &driver->acquiring);

	if (r < 0) {
		acquisition_release(acquisition);
		dx_driver_host_refused(driver, strerror(-r), true);
	}
}

void dx_drivers_acquire_next(struct dx_host *host)
{
	dx_list_for_each (node, &host->drivers) {
		struct dx_driver *driver = dx_list_entry(node, struct dx_driver, host_node);

		if (driver->state == DX_DRIVER_ACQUIRING && driver->acquiring == NULL &&
		    !driver->entry->inactive && !must_wait(driver)) {
			acquire(driver);
			return; /* it, or its end, calls for the next one */
		}
	}
}

void dx_driver_host_ready(struct dx_driver *driver)
{
	const struct dx_device *device = driver->entry->parent->device;
	int none = -1;

	if (driver->state != DX_DRIVER_LAUNCHING || driver->entry->inactive) {
		return;
	}
	if (device == NULL || device->backend->acquire == NULL) {
		start(driver, &none);
		return;
	}
	driver->state = DX_DRIVER_ACQUIRING;
	dx_drivers_acquire_next(driver->host);
}

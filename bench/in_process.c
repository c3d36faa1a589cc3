/* SPDX-License-Identifier: MIT
 *
 * in_process - see in_process.h.
 */
#include "in_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/virtual/virtual.h"
#include "report.h"
#include "usb/usb.h"

#define NR_BUFFERS 8u	 /* as the driver has */
#define MAX_BYTES  4096u /* each on a page of its own, as the driver's */

static struct {
	struct dx_usb_device *device;
	struct dx_usb_interface *interface;
	struct dx_usb_pipe *out;
	uint64_t nr_done;
	uint8_t *data;
} self;

static const struct dx_usb_backend_ops *const backends[] = {&dx_backend_virtual, NULL};

int in_process_start(void)
{
	char message[256] = "";

	self.data = aligned_alloc(MAX_BYTES, NR_BUFFERS * MAX_BYTES);
	if (self.data == NULL ||
	    dx_usb_device_attach(backends, "virtual:gadget-zero,speed=super", -1, message,
				 sizeof(message), &self.device) < 0 ||
	    dx_usb_device_set_configuration(self.device, NULL, 3) != DX_USB_OK) {
		fprintf(stderr, "bench: %s\n", message);
		return -1;
	}
	memset(self.data, 0, NR_BUFFERS * MAX_BYTES);
	self.interface = dx_usb_device_copy_interface(self.device, 0);
	if (self.interface == NULL ||
	    dx_usb_interface_open(self.interface, &self, 0, 0) != DX_USB_OK ||
	    dx_usb_interface_copy_pipe(self.interface, 0x01, &self.out) != DX_USB_OK) {
		return -1;
	}
	return 0;
}

void in_process_stop(void)
{
	(void)dx_usb_pipe_unref(self.out);
	(void)dx_usb_interface_unref(self.interface);
	(void)dx_usb_device_unref(self.device);
	free(self.data);
}

static void on_done(void *ctx, int32_t status, uint32_t actual, uint64_t timestamp_ns)
{
	(void)ctx;
	(void)actual;
	(void)timestamp_ns;
	if (status != DX_USB_OK) {
		abort();
	}
	self.nr_done++;
}

double in_process_buffer_ns(uint32_t bytes, unsigned depth, unsigned ms)
{
	uint64_t begin_ns = bench_now_ns();
	uint64_t before = self.nr_done;
	uint64_t sent = before;
	uint64_t now_ns;

	do {
		for (unsigned i = 0; i < 1000; i++) {
			while (sent - self.nr_done < depth) {
				uint8_t *data = self.data + sent % NR_BUFFERS * MAX_BYTES;

				if (dx_usb_pipe_submit(self.out, data, bytes, 0, on_done, NULL) !=
				    DX_USB_OK) {
					abort();
				}
				sent++;
			}
			(void)dx_usb_poll(self.device);
		}
		now_ns = bench_now_ns();
	} while (now_ns - begin_ns < (uint64_t)ms * 1000000);
	while (self.nr_done < sent) {
		(void)dx_usb_poll(self.device);
	}
	return (double)(bench_now_ns() - begin_ns) / (double)(self.nr_done - before);
}

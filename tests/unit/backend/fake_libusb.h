/* SPDX-License-Identifier: MIT
 *
 * fake_libusb - as much of libusb, and of the device node under it, as the backend uses; a test says
 * what happens. It takes the place of the library when a test program is linked.
 *
 * One device: super speed, at port 3-1.2, address 9, ids 1234:5678, configuration 1 in force (of 1 and
 * 2), one interface with bulk OUT 0x01, bulk IN 0x81, interrupt IN 0x82, isochronous IN 0x83.
 * What a test decides takes effect in libusb_handle_events_...(), as in the real one.
 */
#ifndef DX_TESTS_FAKE_LIBUSB_H
#define DX_TESTS_FAKE_LIBUSB_H

#include <libusb-1.0/libusb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum fake_call {
	FAKE_INIT,
	FAKE_SET_OPTION,
	FAKE_WRAP,
	FAKE_GET_CONFIGURATION,
	FAKE_CLAIM,
	FAKE_RELEASE,
	FAKE_DETACH,
	FAKE_ATTACH,
	FAKE_SET_CONFIGURATION,
	FAKE_SET_ALTSETTING,
	FAKE_CLEAR_HALT,
	FAKE_RESET,
	FAKE_SUBMIT,
	FAKE_CANCEL,
	FAKE_CONTROL, /* synchronous */
	FAKE_POLLFDS,
	FAKE_HOTPLUG,
	FAKE_MEMORY,
	FAKE_IDENTIFY, /* of the node */
	FAKE_READ_DESCRIPTORS,
	FAKE_RESET_ENDPOINT,
	FAKE_DRIVER,
	FAKE_NR_CALLS,
};

#define FAKE_MAX_FLYING 64

struct fake {
	pthread_mutex_t lock; /* for what a thread of the backend touches */
	unsigned nr_calls[FAKE_NR_CALLS];
	/* The next call of that kind fails with this; errno becomes fail_errno. 0: it does not. */
	int fail[FAKE_NR_CALLS];
	int fail_errno;
	int last_argument[FAKE_NR_CALLS]; /* value, setting, endpoint */
	bool hold;			  /* configuration, setting, halt and reset wait */
	pthread_cond_t released;
	unsigned nr_held;
	uint8_t configuration;
	int driver_result; /* of the node's driver: 0 and "usbfs", or negative */
	const char *driver;
	bool has_wrong_bos;
	bool has_no_descriptors;

	struct libusb_transfer *flying[FAKE_MAX_FLYING]; /* in order of submission */
	unsigned nr_flying;
	unsigned nr_allocated; /* transfers, ever */
	unsigned limit;	       /* submissions in flight after which there is no memory; 0: none */
};

extern struct fake fake;

/* What `flying[index]` ends with. Cancelled ones end by themselves. */
void fake_end(unsigned index, enum libusb_transfer_status status, int actual);
/* Everything ends, and the node is no longer watched. */
void fake_unplug(void);
/* Held operations go on. */
void fake_release(void);
/* Of a monitor. */
void fake_plug(libusb_hotplug_event event, uint8_t bus, const uint8_t *ports, int nr_ports,
	       uint16_t id_product, uint8_t device_class);
/* A descriptor that can be given to open() as the device node. */
int fake_node(void);

#endif

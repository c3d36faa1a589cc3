/* SPDX-License-Identifier: MIT
 *
 * runtime - one virtual device: its state, shared by the files of the runtime.
 *
 * Place:      backend/virtual: virtual.c (table, queues), control.c (standard requests), iso.c, faults.c.
 * Invariants:
 *   R1  An endpoint with a non-empty queue that could move is in `ready`, or waits for its peer, for
 *       clear_halt, or for wake_ns.
 *   R2  Endpoints exist exactly for the settings in force.
 * Threads:    B1.
 */
#ifndef DX_BACKEND_VIRTUAL_RUNTIME_H
#define DX_BACKEND_VIRTUAL_RUNTIME_H

#include "backend/virtual/model.h"
#include "backend/virtual/options.h"

#define DX_VIRTUAL_ENDPOINTS 32u /* 16 OUT, then 16 IN */

/* Errors on demand. Counts are per endpoint; 0 = never. */
struct dx_faults {
	bool any;
	uint64_t delay_ns;	    /* each transfer takes that long */
	uint64_t stall_after;	    /* after so many, stall; again after each clear_halt */
	uint64_t hang_after;	    /* after so many, never answer */
	uint64_t babble_after;	    /* after so many, one IN transfer gets too much */
	uint64_t short_bytes;	    /* IN transfers end after so many bytes */
	uint64_t corrupt_every;	    /* the first byte of every n-th IN transfer is inverted */
	uint64_t disconnect_after;  /* transfers of all endpoints */
	uint64_t disconnect_bytes;  /* bytes of all endpoints */
};

struct dx_virtual {
	const struct dx_usb_backend_host *host;
	void *host_ctx;
	struct dx_model *model;
	struct dx_image image;
	struct dx_usb_backend_info info;
	const uint8_t *configurations[DX_DESCRIBED_CONFIGURATIONS];
	struct dx_faults faults;

	uint8_t configuration; /* bConfigurationValue in force */
	uint8_t alternates[DX_DESCRIBED_INTERFACES]; /* by place in the configuration */
	uint32_t claimed; /* bit per interface place */
	bool remote_wakeup;
	struct dx_virtual_endpoint endpoints[DX_VIRTUAL_ENDPOINTS];

	struct dx_list control; /* control transfers in order */
	struct dx_list ready;
	uint64_t wake_ns;  /* when an endpoint that waits for time must be looked at */
	uint64_t epoch_ns; /* time of frame 0 */
	uint64_t nr_finished;
	uint64_t nr_bytes;
	bool unplug; /* to be carried out by poll */
	bool gone;
};

/* What a control transfer in the queue really is; in backend_words[0]. */
enum dx_virtual_control {
	DX_VIRTUAL_REQUEST = 0, /* as its setup says */
	DX_VIRTUAL_NOTHING,	/* succeeds */
	DX_VIRTUAL_RESET,
};

/* ---- virtual.c ---- */

/* Takes a transfer out of its queue and hands it back. */
void dx_virtual_complete(struct dx_virtual *device, struct dx_usb_transfer *transfer,
			 int32_t status);
const struct dx_described_configuration *dx_virtual_configuration(const struct dx_virtual *device);
/* Ends all endpoints / those of one interface; makes those of the settings in force. */
void dx_virtual_unbind_all(struct dx_virtual *device);
int dx_virtual_bind(struct dx_virtual *device, const struct dx_described_interface *interface,
		    unsigned setting);
void dx_virtual_unbind(struct dx_virtual *device, uint8_t interface_number);

/* ---- open.c: entries of the backend's table ---- */

bool dx_virtual_accepts(const char *spec);
int dx_virtual_acquire(const char *spec, char *message, size_t message_size);
int dx_virtual_open(const char *spec, int fd, const struct dx_usb_backend_host *host, void *host_ctx,
		    char *message, size_t message_size, struct dx_usb_backend **ret_backend);
void dx_virtual_free(struct dx_virtual *device);

/* ---- control.c ---- */

/* Answers a request. @return bytes moved, negative: stall. */
int dx_virtual_control(struct dx_virtual *device, const struct dx_model_setup *setup,
		       uint8_t *data);

/* ---- iso.c ---- */

/* -ESTALE, -ERANGE, -EINVAL. */
int dx_virtual_iso_schedule(struct dx_virtual_endpoint *endpoint,
			    struct dx_usb_transfer *transfer);
/* Moves the packets that are due. @return true when the transfer is complete. */
bool dx_virtual_iso_run(struct dx_virtual_endpoint *endpoint, struct dx_usb_transfer *transfer);

/* ---- faults.c ---- */

void dx_faults_read(struct dx_faults *faults, struct dx_options *options);
/* May the device work on this transfer now? May end it with an error instead. */
bool dx_faults_admit(struct dx_virtual_endpoint *endpoint, struct dx_usb_transfer *transfer);
/* A transfer has moved all it will; the last chance to spoil it. */
void dx_faults_finishing(struct dx_virtual_endpoint *endpoint, struct dx_usb_transfer *transfer);

/* ---- device_file.c ---- */

/* The file, for one who may not open it: a descriptor, or a negative errno with a message. */
int dx_device_file_open(struct dx_options *options, const char *path);
/* Reads the file, from its beginning in fd if that is not -1; 0 and a description, or a negative errno
 * with a message in options. */
int dx_device_file_describe(struct dx_options *options, const char *path, int fd,
			    struct dx_description **ret_description);
/* The decoder behind it, for bytes that are in memory; `name` begins the messages. */
int dx_device_file_parse(const void *bytes, size_t length, const char *name,
			 struct dx_options *options, struct dx_description **ret_description);
/* Overrides that every device takes: serial, idVendor, idProduct. */
int dx_description_override(struct dx_description *description, struct dx_options *options);

/* ---- described.c ---- */

/* A model that does what its description says; takes the description over. NULL: no memory. */
struct dx_model *dx_described_model_new(struct dx_description **description);

#endif

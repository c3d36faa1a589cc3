/* SPDX-License-Identifier: MIT
 *
 * device - USB devices that were attached by a spec, as registry entries.
 *
 * Place:      daemon, over usb. The broker reads a device's descriptors once; the hosts talk to it.
 * Life:
 *
 *   ATTACHING -- descriptors read --> ATTACHED -- lost --> LEAVING -- entries gone --> freed, or
 *       |                                ^                                           |
 *       +-- failed: freed                +-- read -- RETRYING <-- reconnects, reset -+
 *                                        +-- read -- ATTACHING <- plugged in - ABSENT+
 *
 *             A device whose backend reconnects is tried again with back-off until it is detached. One
 *             that the monitor watches waits for its return. A port reset is a loss and an attach.
 * Invariants:
 *   D1  descriptors are read by a job (base/jobs.h): nothing here waits for a device.
 *   D2  each time it comes it is a new entry with a new id, as programs expect of a device that was
 *       unplugged; only the first one has the id that was promised when it was attached.
 *   D3  while it is read for the first time, or after an arrival, the root of the registry is busy.
 * Threads:    one.
 */
#ifndef DX_DAEMON_DEVICE_H
#define DX_DAEMON_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/value.h"
#include "daemon/broker.h"

struct dx_host;
struct dx_job;
struct dx_usb_backend_ops;

enum dx_device_state {
	DX_DEVICE_ATTACHING,
	DX_DEVICE_ATTACHED,
	DX_DEVICE_LEAVING,
	DX_DEVICE_ABSENT,
	DX_DEVICE_RETRYING,
};

enum dx_device_origin {
	DX_DEVICE_ASKED,    /* by a tool, which waits for the answer */
	DX_DEVICE_GIVEN,    /* on the command line */
	DX_DEVICE_RECORDED, /* hosts that live on use it */
	DX_DEVICE_PLUGGED,  /* the monitor found it; it goes with the plug */
};

struct dx_device {
	struct dx_list node; /* broker->devices */
	struct dx_broker *broker;
	char *spec;
	char *port; /* the monitor's spec of where it is, or was at the last broker; NULL: not known */
	const struct dx_usb_backend_ops *backend;
	enum dx_device_origin origin;
	enum dx_device_state state;
	uint64_t id;            /* of its entry: the one it has, will have, or had last */
	uint64_t first_id;      /* what the one who attached it was told */
	struct dx_entry *entry; /* ATTACHED, LEAVING; else NULL */
	char *failure;          /* why it is not there; NULL: nothing is wrong, or no memory */
	unsigned nr_tries;
	bool had_entry; /* id is taken: the next entry gets another one */
	bool settled;   /* the first attempt has ended */
	bool unwanted;  /* detached: it does not come back */
	bool again;     /* LEAVING: read it at once when its entries have gone */
	bool keeps_busy;
	struct dx_job *job;           /* reads its descriptors */
	struct dx_loop_source *timer; /* RETRYING: the next try */
	uint64_t client_id;           /* ASKED: who */
	uint32_t client_seq;          /* 0: the answer was given, or nobody wants one */

	/* configure.c */
	struct dx_array *configurations; /* of what dx_usb_describe() says of each */
	unsigned configuration;          /* whose interfaces are published; 0: none */
	bool composite;                  /* the built-in driver has configured it */
	uint64_t configured_by;          /* the service that has; 0: none of those that are there */
	unsigned next_configuration;     /* 0, or what follows when the old interfaces have gone */
	bool next_matches;
};

/* What to attach, and for whom. client_seq 0: nobody waits. */
struct dx_device_wish {
	const char *spec;
	enum dx_device_origin origin;
	uint64_t client_id;
	uint32_t client_seq;
};

/* @return 0: the end of it is told later; negative with one line in message: it cannot even begin. */
int dx_device_attach(struct dx_broker *broker, const struct dx_device_wish *wish, char *message,
		     size_t message_size);
/* By the id of its entry, or of its first one. NULL. */
struct dx_device *dx_device_find(struct dx_broker *broker, uint64_t id);
/* Somebody no longer wants it: like unplugged, and it does not come back. It may be gone on return. */
void dx_device_detach(struct dx_device *device);
/* Unplugged or reset: hosts hear of it, then everything on it terminates. */
void dx_device_gone(struct dx_device *device, bool was_reset);
/* It may be there again: now, or as soon as what is left of it has gone. */
void dx_device_returned(struct dx_device *device);
/* terminate.c: its entry leaves the registry. */
void dx_device_entry_gone(struct dx_device *device);
/* At the end of the broker. */
void dx_device_free(struct dx_device *device);
/* "attached", "waiting", ... */
const char *dx_device_state_name(const struct dx_device *device);

#endif

/* SPDX-License-Identifier: MIT
 *
 * private - the state of one host, shared by the files of this room.
 *
 * Place:   host. Files: host.c (requests), reports.c (what the broker is told), life.c
 *          (socket, brokers, end), main.c (process).
 */
#ifndef DX_HOST_PRIVATE_H
#define DX_HOST_PRIVATE_H

#include "base/loop.h"
#include "capture/capture.h"
#include "channel/alive.h"
#include "driver/runtime.h"
#include "host/host.h"
#include "host/mirror.h"
#include "host/outbox.h"
#include "wire/link.h"

#define DX_HOST_RETRY_FIRST_NS 100000000u /* to the first attempt at the next broker */

struct dx_host {
	const struct dx_host_options *options;
	struct dx_loop *loop;
	struct dx_outbox outbox;
	struct dx_mirror mirror;
	struct dx_alive_registry alive;
	struct dx_runtime *runtime; /* after SETUP */
	struct dx_capture *capture; /* NULL: nobody wants one */
	struct dx_dict *setup;      /* after SETUP, counted */
	char name[DX_MAX_NAME];
	uint64_t first_id;
	uint64_t nr_ids;
	bool exit_with_broker;
	bool had_service; /* START was seen */

	/* Order 60. Held over each change of the mirror together with what is put into the outbox
	 * about it, so that a new broker is told every change exactly once: by the description, or
	 * after it. Guards what follows. */
	struct dx_mutex lock;
	unsigned nr_brokers DX_GUARDED_BY(lock);  /* so far: requests remember whose they are */
	unsigned nr_requests DX_GUARDED_BY(lock); /* accepted and not answered */

	bool ending; /* as soon as the outbox is empty */
	int result;
	int socket; /* -1: no broker */
	struct dx_loop_source *socket_source;
	struct dx_loop_source *wake_source;
	struct dx_loop_source *retry_timer;
	uint64_t retry_ns; /* next back-off */
};

extern const struct dx_runtime_ops dx_host_runtime_ops;

/* One message of the broker. @return 0; negative: the conversation is broken. */
int dx_host_handle(struct dx_host *host, struct dx_wire_message_in *message);
/* Says once that the broker's view is no longer complete. rc >= 0: nothing is wrong. */
void dx_host_lost(const char *what, int rc);
/* Sends nothing yet: adoption's first words to a new broker. @return 0; -ENOMEM; -EMSGSIZE. */
int dx_host_introduce(struct dx_host *host);
/* Confines the process if wanted and loads what SETUP named. */
int dx_host_load(struct dx_host *host, const OSDriverClass *const **ret_classes, char *message,
		 size_t size);

#endif

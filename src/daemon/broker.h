/* SPDX-License-Identifier: MIT
 *
 * broker - what all parts of a running broker share.
 *
 * Place:      daemon. One struct per dx_daemon_run(); parts (hosts, drivers, clients, ...) get it
 *             and touch each other's state only through each other's functions.
 *
 *                clients ---- requests ----+                     +---- drivers ---- hosts
 *                   |                      +---> registry <------+        |
 *                 watches <-- events ------+                     +-- terminate
 *
 * Invariants:
 *   H1  nothing reacts inside a notification: a change that calls for matching or for ending the
 *       broker sets a timer (the kick) and is acted on from the loop, so no list changes under a
 *       caller's feet.
 *   H2  a peer that misbehaves costs that peer, or at most the services of its host.
 * Threads:    one.
 */
#ifndef DX_DAEMON_BROKER_H
#define DX_DAEMON_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "daemon/daemon.h"
#include "daemon/registry.h"

/* IOReturn codes that the broker itself answers with. */
#define DX_KR_SUCCESS         0
#define DX_KR_NO_MEMORY       ((int32_t)0xe00002bd)
#define DX_KR_NO_RESOURCES    ((int32_t)0xe00002be)
#define DX_KR_NOT_PRIVILEGED  ((int32_t)0xe00002c1)
#define DX_KR_BAD_ARGUMENT    ((int32_t)0xe00002c2)
#define DX_KR_UNSUPPORTED     ((int32_t)0xe00002c7)
#define DX_KR_TIMEOUT         ((int32_t)0xe00002d6)
#define DX_KR_OFFLINE         ((int32_t)0xe00002d7)
#define DX_KR_NOT_FOUND       ((int32_t)0xe00002f0)
#define DX_KR_NOT_PERMITTED   ((int32_t)0xe00002e2)
#define DX_KR_TOO_LARGE       ((int32_t)0xe00002e1)
#define DX_KR_INVALID_DEST    0x10000003 /* MACH_SEND_INVALID_DEST */

#define DX_MESSAGE_TERMINATED 0xe0000010u /* kIOMessageServiceIsTerminated */
#define DX_MESSAGE_BUSY       0xe0000120u /* kIOMessageServiceBusyStateChange */

enum dx_broker_phase {
	DX_PHASE_ADOPTING, /* waits for hosts of an earlier broker; nothing is matched yet */
	DX_PHASE_RUNNING,
	DX_PHASE_STOPPING, /* drivers stop, hosts end */
	DX_PHASE_DONE,
};

struct dx_broker {
	const struct dx_daemon_options *options;
	const struct dx_launcher *launcher;
	struct dx_loop *loop;
	struct dx_jobs *jobs;
	struct dx_registry *registry;
	struct dx_hotplug *hotplug; /* NULL: real devices are not watched */
	uint64_t id; /* differs after every start */
	enum dx_broker_phase phase;
	bool ready_told;
	bool shutdown_asked; /* by a tool: no host lives on */
	int result;
	char message[1024]; /* first thing that went wrong while loading what was given */

	int listener;
	struct dx_loop_source *listener_source;
	struct dx_loop_source *accept_timer; /* set while descriptors are short */
	struct dx_loop_source *stop_source;
	struct dx_loop_source *ready_source;
	struct dx_loop_source *kick;        /* matching is due */
	struct dx_loop_source *phase_timer; /* end of adopting, or of stopping */

	struct dx_list clients;
	size_t nr_clients;
	uint64_t next_client_id;
	struct dx_list watches[8]; /* by enum dx_watch_kind */
	struct dx_list waiters;
	struct dx_list explanations; /* that wait for a device to be read */

	struct dx_list bundles;
	struct dx_list hosts;
	struct dx_list devices;
	struct dx_list drivers;  /* all struct dx_driver */
	struct dx_list expected; /* of struct dx_record: hosts to adopt */
	int capture_fd;          /* the file of options->capture, begun; -1: none */
	char *records_path;      /* "<socket>.hosts"; NULL: nothing outlives this broker */
};

/* Matching of this entry, as a provider, is due; its busy count says so until it is done. */
void dx_broker_match_later(struct dx_broker *broker, struct dx_entry *provider);
/* Something may have become quiet, or ended: look from the loop. */
void dx_broker_kick(struct dx_broker *broker);
/* Pause before the attempt after the n-th failure in a row. */
unsigned dx_broker_backoff_ms(const struct dx_broker *broker, unsigned nr_failures);
/* A device that was given at the start cannot be attached. @return true when that ends the broker. */
bool dx_broker_given_failed(struct dx_broker *broker, int code, const char *text);
/* Begins to stop: drivers first, then hosts, then the loop. */
void dx_broker_stop(struct dx_broker *broker);
/* Loads a bundle, or all in a directory. message gets one line on failure; the identifier of the
 * (last) bundle on success. */
int dx_broker_load(struct dx_broker *broker, const char *path, char *message, size_t message_size);
struct dx_bundle *dx_broker_find_bundle(struct dx_broker *broker, const char *identifier);

#endif

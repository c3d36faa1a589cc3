/* SPDX-License-Identifier: MIT
 *
 * hosts - the processes around drivers, and the W-H conversation with each.
 *
 * Place:      daemon, over launcher, peer and wire.
 * Life:       launched -> SETUP answered -> serves -> its last service is gone -> it exits by
 *             itself; SIGTERM after DX_HOST_EXIT_MS, SIGKILL DX_HOST_KILL_MS later.
 * Invariants:
 *   J1  a host speaks of its own services and of entries in its own range of ids only; ids that are
 *       gone are ignored (it may not know yet); ids of others break it.
 *   J2  every request to it gets exactly one end: its reply, or its death.
 *   J3  a host that breaks the protocol is killed; its services terminate as after a crash.
 *   J4  a host whose last service was told to stop gets no new one.
 *   J5  drivers of one bundle and server on one device, and on its interfaces, share a host: there
 *       the device is open once. (Elsewhere each matched service has a process, and devices that can
 *       be had once only, or that are a model in the process, could not be shared.)
 * Trust:      hosts run drivers: what they send is checked like any peer's.
 * Threads:    one.
 */
#ifndef DX_DAEMON_HOSTS_H
#define DX_DAEMON_HOSTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "base/value.h"
#include "daemon/broker.h"
#include "daemon/launcher.h"
#include "daemon/peer.h"

#define DX_HOST_NR_IDS  (1ull << 26) /* user clients of one host, ever */
#define DX_HOST_EXIT_MS 2000u
#define DX_HOST_KILL_MS 5000u
#define DX_HOST_STACK_MS 3000u /* for a host that hangs, to say where and end */

struct dx_bundle;
struct dx_client;
struct dx_device;
struct dx_driver;
struct dx_personality;

struct dx_host {
	struct dx_list node; /* broker->hosts */
	struct dx_broker *broker;
	struct dx_bundle *bundle; /* alive as long as the host has drivers */
	char *identifier;
	char *server;
	bool one_process;
	bool has_peer;
	bool adopted; /* a process of an earlier broker: not our child, not our launcher's */
	bool ready;   /* SETUP was answered */
	bool ending;  /* J4 */
	bool refused; /* SETUP failed, its words are told */
	bool killed;  /* by us: how it ends is no news */
	struct dx_launched launched;
	struct dx_loop_source *watch;
	struct dx_loop_source *kill_timer;
	unsigned nr_kills;
	struct dx_peer peer;
	uint64_t first_id;
	uint64_t nr_ids;
	uint32_t next_seq;
	struct dx_list drivers;
	struct dx_list calls;     /* of struct dx_call: requests without answer */
	struct dx_list watches;   /* of struct dx_host_watch */
	unsigned nr_watches;
	struct dx_dict *adopting; /* what it brought, while it waits for its provider's host */
	struct dx_dict *record;   /* what we knew of it, as long */
};

/* A host for this personality on this device (NULL: none): a running one that takes it, or a new one. */
int dx_host_for(struct dx_broker *broker, const struct dx_personality *personality,
		const struct dx_device *device, struct dx_host **ret_host);
/* Takes over the socket of a host that outlived its broker. */
int dx_host_adopt(struct dx_broker *broker, struct dx_bundle *bundle, const char *server,
		  const struct dx_launched *launched, int *socket, uint64_t first_id,
		  uint64_t nr_ids, struct dx_host **ret_host);
pid_t dx_host_pid(const struct dx_host *host);

/* START for a driver whose host is ready. *fd: what its device needs from outside of the host, taken
 * over on success; -1: nothing. */
int dx_host_start(struct dx_host *host, struct dx_driver *driver, int *fd);
/* TERMINATE for any entry of the host; the reply ends in dx_terminate_stopped(). */
int dx_host_terminate(struct dx_host *host, struct dx_entry *entry);
/* DEVICE_GONE for a provider. */
void dx_host_device_gone(struct dx_host *host, uint64_t provider_id);
/*
 * OPEN: a new socket pair, one end to the host. The answer goes to the client from dx_call_ended().
 * @return 0; -EMFILE; -ENOBUFS; -EPIPE.
 */
int dx_host_open(struct dx_host *host, struct dx_entry *service, uint32_t type,
		 struct dx_client *client, uint32_t client_seq);
/* SETUP was answered; text says why not. */
void dx_host_setup_done(struct dx_host *host, int32_t status, const char *text);
/* A driver left; perhaps it was the last. */
void dx_host_driver_gone(struct dx_host *host);
/* signal: SIGTERM or SIGKILL. */
void dx_host_kill(struct dx_host *host, int signal);
/* One whose driver does not return: it is told to say where and to end (SIGQUIT), else killed. */
void dx_host_kill_hanging(struct dx_host *host);
/* Frees all at the end of the broker; those that live on only lose their socket. */
void dx_hosts_free(struct dx_broker *broker);

/* host_messages.c: what a host says by itself. */
int dx_host_message(struct dx_host *host, struct dx_wire_message_in *message);

#endif

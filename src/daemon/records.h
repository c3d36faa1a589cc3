/* SPDX-License-Identifier: MIT
 *
 * records - what a broker leaves behind about its hosts, and how the next one takes them over.
 *
 * Place:      daemon. "<socket>.hosts/PID": one property list per host of a broker that is not
 *             private. Written when a host starts or its services change, removed when it ends.
 * Life:       a new broker reads them, forgets those whose process is gone, attaches the devices
 *             they use under their old ids, and waits a bounded time for each host to come with
 *             DX_WIRE_H_ADOPT. Who does not come, or brings nonsense, is killed.
 * Invariants:
 *   Q1  a process is adopted only if the kernel says that its pid is one we have a record of, with
 *       the start time in the record.
 *   Q2  no driver is launched while a recorded host may still come.
 * Trust:      the directory is ours (0700); contents are checked all the same.
 * Threads:    one.
 */
#ifndef DX_DAEMON_RECORDS_H
#define DX_DAEMON_RECORDS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "base/value.h"
#include "daemon/broker.h"
#include "wire/link.h"

struct dx_host;
struct dx_client;
struct dx_device;

struct dx_record {
	struct dx_list node; /* broker->expected */
	struct dx_broker *broker;
	pid_t pid;
	int pidfd; /* watched: a host that dies now is not waited for */
	struct dx_loop_source *watch;
	struct dx_dict *dict;
};

/* Reads what is there. -errno only for what must not be ignored: no memory, no directory. */
int dx_records_read(struct dx_broker *broker);
/* Attaches recorded devices that were not given to this broker, loads recorded bundles. */
void dx_records_restore(struct dx_broker *broker);
/* The id an entry had: of the device with this spec (location NULL), or of its interface at
 * location. 0: none. A device id is given once. */
uint64_t dx_records_device_id(struct dx_broker *broker, const char *spec);
/* Where that device was, as the monitor calls it; NULL: nobody knows. Borrowed from the record. */
const char *dx_records_device_port(const struct dx_broker *broker, uint64_t device_id);
uint64_t dx_records_interface_id(struct dx_broker *broker, uint64_t device_id,
				 const char *location);
void dx_records_restore_interfaces(struct dx_device *device);
/* Nobody is waited for any more; those who did not come are killed. */
void dx_records_give_up(struct dx_broker *broker);

/* At the end of the broker: forgets them, for the next one to find. */
void dx_records_free(struct dx_broker *broker);

void dx_record_write(struct dx_host *host);
void dx_record_remove(struct dx_broker *broker, pid_t pid);
struct dx_record *dx_record_find(struct dx_broker *broker, pid_t pid);

/* Its host is here: the record is no longer needed. */
void dx_record_taken(struct dx_record *record);
/* adopt.c: something has come that a host may have waited for. */
void dx_adopt_continue(struct dx_broker *broker);
/* Hosts that still wait for another host's service, or for a device, are killed. */
void dx_adopt_give_up(struct dx_broker *broker);

/* DX_WIRE_H_ADOPT arrived from client, whose socket is taken. @return 0, or negative: break it. */
int dx_records_adopt(struct dx_client *client, struct dx_wire_message_in *message);

#endif

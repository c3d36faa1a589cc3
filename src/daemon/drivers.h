/* SPDX-License-Identifier: MIT
 *
 * drivers - which personality gets which provider, and what becomes of it.
 *
 * Place:      daemon, between registry and hosts.
 *
 *   slot (provider, personality)            driver (one service)
 *   IDLE --- wins its category -> LAUNCHING -> ACQUIRING -> STARTING -> RUNNING -> STOPPING -> gone
 *    ^  ^-- back-off is over -- BACKOFF <---- the host died               |
 *    |                          GIVEN_UP <--- ... too often               |
 *    |                          REFUSED  <--- Start failed, or took too long
 *    |                          RETIRED  <--- the driver said Terminate() -+
 *
 * Invariants:
 *   V1  per provider and match category at most one slot has a driver, or waits for one.
 *   V2  a slot that is REFUSED lets the next best personality of its category have the provider;
 *       GIVEN_UP and RETIRED do not. All three end when the bundle is loaded anew or the provider
 *       comes back as a new entry.
 *   V3  while a driver is LAUNCHING, ACQUIRING or STARTING its provider is busy.
 *   V4  drivers of one device in one host acquire it one after the other: a device that can be had
 *       once only comes with the first of them.
 * Threads:    one.
 */
#ifndef DX_DAEMON_DRIVERS_H
#define DX_DAEMON_DRIVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "daemon/broker.h"
#include "daemon/bundle.h"

enum dx_slot_state {
	DX_SLOT_IDLE,
	DX_SLOT_ACTIVE,
	DX_SLOT_BACKOFF,
	DX_SLOT_GIVEN_UP,
	DX_SLOT_REFUSED,
	DX_SLOT_RETIRED,
};

struct dx_job;

struct dx_slot {
	struct dx_list node; /* entry->slots */
	struct dx_broker *broker;
	struct dx_entry *provider;
	const struct dx_personality *personality;
	struct dx_driver *driver; /* of which it has one while ACTIVE */
	enum dx_slot_state state;
	char *failure; /* "WHO: WHY" of the last time; NULL: none, or no memory for it */
	int64_t score; /* with which it won last */
	unsigned nr_deaths;
	struct dx_loop_source *timer; /* BACKOFF */
};

enum dx_driver_state {
	DX_DRIVER_LAUNCHING,
	DX_DRIVER_ACQUIRING, /* its host is ready; what the device needs is being fetched */
	DX_DRIVER_STARTING,
	DX_DRIVER_RUNNING,
	DX_DRIVER_STOPPING,
};

struct dx_driver {
	struct dx_list node;      /* broker->drivers */
	struct dx_list host_node; /* host->drivers */
	struct dx_broker *broker;
	struct dx_entry *entry;
	uint64_t provider_id;
	struct dx_slot *slot; /* NULL once it no longer counts for its provider */
	struct dx_bundle *bundle;
	const struct dx_personality *personality;
	struct dx_host *host; /* NULL once it is dead */
	enum dx_driver_state state;
	bool settled; /* the provider is no longer busy because of it */
	uint64_t started_ns;
	struct dx_loop_source *start_timer; /* set while STARTING */
	struct dx_job *acquiring;           /* ACQUIRING; NULL: waits for its turn (V4) */
};

/* Looks for drivers for one provider. From the loop only (H1). */
void dx_drivers_match(struct dx_broker *broker, struct dx_entry *provider);
/* match_later() for every registered entry: a bundle is new. */
void dx_drivers_match_all(struct dx_broker *broker);

/* A new service of this personality, in a new host or one that runs. What fails is logged. */
void dx_driver_start(struct dx_broker *broker, struct dx_entry *provider,
		     const struct dx_personality *personality, int64_t score);
/* Why it has no driver now. NULL: it has one, or need not have one. */
const char *dx_slot_failure(const struct dx_slot *slot);
struct dx_slot *dx_slot_find(const struct dx_entry *provider,
			     const struct dx_personality *personality);

/* Its host has heard of it, and not that it is gone. */
bool dx_driver_was_told(const struct dx_driver *driver);

/* Events from hosts.c. */
void dx_driver_host_ready(struct dx_driver *driver);
/* One of its drivers is through with acquiring, or gone: others may have waited for that (V4). */
void dx_drivers_acquire_next(struct dx_host *host);
void dx_driver_started(struct dx_driver *driver, int32_t status, const char *text);
/* The process died: words say how. */
void dx_driver_host_died(struct dx_driver *driver, const char *words);
/* The process could not be set up at all. */
void dx_driver_host_refused(struct dx_driver *driver, const char *words, bool try_again);
/* The driver called Terminate() on itself. */
void dx_driver_retire(struct dx_driver *driver);

/* A service that a host brought along when it was adopted. */
int dx_driver_adopt(struct dx_broker *broker, struct dx_entry *entry, struct dx_entry *provider,
		    const struct dx_personality *personality, struct dx_host *host);
/* Its entry goes away: forget it. */
void dx_driver_free(struct dx_driver *driver);
/* The provider goes away, or nobody may start on it any more. */
void dx_slots_free(struct dx_entry *provider);

/* No new drivers from this bundle; its services stop; it is freed when the last one has. */
void dx_bundle_unload(struct dx_broker *broker, struct dx_bundle *bundle);
/* "Class of com.example.x on provider", for messages. */
void dx_driver_describe(const struct dx_driver *driver, char *text, size_t size);

#endif

/* SPDX-License-Identifier: MIT
 *
 * mirror - what the broker knows about this host, kept to tell it to the next broker.
 *
 * Place:      host. Filled from what the broker asked for and from what the runtime reports.
 * Threads:    any; one lock.
 */
#ifndef DX_HOST_MIRROR_H
#define DX_HOST_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/mutex.h"
#include "base/value.h"

/* What adoption cannot say, because it is no state of an entry: messages that follow it. */
struct dx_mirror_news {
	uint64_t id;
	uint64_t parent_id;
	int32_t busy;            /* sum of all adjustments */
	bool termination_wanted; /* the driver asked, the broker has not done it */
	bool provider_lost;
	bool provider_reset; /* the same, and it comes back */
};

typedef void (*dx_mirror_news_fn)(void *context, const struct dx_mirror_news *news);

typedef void (*dx_mirror_watch_fn)(void *context, uint64_t cookie, const struct dx_dict *matching);

struct dx_mirror {
	struct dx_mutex lock; /* order 70; guards entries and watches */
	struct dx_list entries DX_GUARDED_BY(lock);
	struct dx_list watches DX_GUARDED_BY(lock);
};

void dx_mirror_init(struct dx_mirror *mirror);
void dx_mirror_fini(struct dx_mirror *mirror);
/* A service that a broker had matched; start: the property list of DX_WIRE_H_START.
 * @return 0; -EEXIST; -ENOMEM. */
int dx_mirror_add_started(struct dx_mirror *mirror, uint64_t id, uint64_t provider_id,
			  const struct dx_dict *start);
/* An object that the driver made. @return 0; -EEXIST; -ENOMEM. */
int dx_mirror_add_made(struct dx_mirror *mirror, uint64_t id, uint64_t parent_id,
		       const char *class_name, const char *name, const struct dx_dict *properties);
void dx_mirror_remove(struct dx_mirror *mirror, uint64_t id);
void dx_mirror_set_registered(struct dx_mirror *mirror, uint64_t id);
int dx_mirror_set_name(struct dx_mirror *mirror, uint64_t id, const char *name);
int dx_mirror_set_properties(struct dx_mirror *mirror, uint64_t id,
			     const struct dx_dict *properties);
void dx_mirror_remove_property(struct dx_mirror *mirror, uint64_t id, const char *key);
/* The driver has configured the device that its services are on. @return 0; -ENOMEM. */
int dx_mirror_set_configuration(struct dx_mirror *mirror, uint64_t provider_id, uint8_t value,
				bool matches);
void dx_mirror_want_termination(struct dx_mirror *mirror, uint64_t id);
void dx_mirror_lose_provider(struct dx_mirror *mirror, uint64_t provider_id, bool was_reset);
void dx_mirror_adjust_busy(struct dx_mirror *mirror, uint64_t id, int32_t delta);
/* Calls the function, under the lock, for every entry that has news. */
void dx_mirror_each_news(struct dx_mirror *mirror, dx_mirror_news_fn function, void *context);
/* What the driver asked to be told of; matching is referenced and does not change. @return 0;
 * -ENOMEM. */
int dx_mirror_add_watch(struct dx_mirror *mirror, uint64_t cookie, const struct dx_dict *matching);
void dx_mirror_remove_watch(struct dx_mirror *mirror, uint64_t cookie);
/* Calls the function, under the lock, for every watch. */
void dx_mirror_each_watch(struct dx_mirror *mirror, dx_mirror_watch_fn function, void *context);
/* No entries: watches alone keep no host. */
bool dx_mirror_is_empty(struct dx_mirror *mirror);
/* The array for DX_ADOPT_SERVICES_KEY, parents before children. +1; NULL without memory. */
struct dx_array *dx_mirror_describe(struct dx_mirror *mirror);

#endif

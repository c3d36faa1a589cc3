/* SPDX-License-Identifier: MIT
 *
 * judge - what becomes of one personality on one provider, in words.
 *
 * Place:      daemon, over matching and drivers, for explain.c.
 * Threads:    one.
 */
#ifndef DX_DAEMON_JUDGE_H
#define DX_DAEMON_JUDGE_H

#include "base/value.h"
#include "daemon/broker.h"
#include "daemon/bundle.h"

/* A provider to be judged. */
struct dx_judged {
	const struct dx_entry *entry; /* in the broker's registry, or in one made for the answer */
	const char *spec;             /* NULL: none, or the entry's device says */
	bool is_live;                 /* in the broker's registry */
	unsigned hidden;              /* an interface of this configuration, which is not in force; 0 */
};

/*
 * Adds a dictionary (DX_EXPLAIN_PROVIDERS_KEY of wire/wire.h) to array. is_loaded: the personality is
 * one of the broker's. *ret_matches becomes true when it matches, and is not touched otherwise.
 * @return 0; -ENOMEM.
 */
int dx_judge(const struct dx_broker *broker, const struct dx_personality *personality,
	     bool is_loaded, const struct dx_judged *judged, struct dx_array *array,
	     bool *ret_matches);
/* What is odd about a personality whatever the provider: strings, added to array. 0; -ENOMEM. */
int dx_judge_personality(const struct dx_personality *personality, struct dx_array *array);

#endif

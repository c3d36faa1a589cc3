/* SPDX-License-Identifier: MIT
 *
 * matching - does a registry entry fit a matching dictionary, or a driver a provider?
 *
 * Place:      daemon, over registry. No sockets, no policy: who wins is decided in drivers.c.
 * Rules:      a matching dictionary fits when every key it holds fits. The keys that every class
 *             knows are a table in matching.c; keys of the USB families (usb_matching.c) only in
 *             the combinations that the families define, each with its score.
 * Invariants:
 *   N1  without a why the first key that fails ends the evaluation; with one, every key is looked
 *       at, so that a person learns all of them at once. The answer is the same.
 * Threads:    one (that of the registry).
 */
#ifndef DX_DAEMON_MATCHING_H
#define DX_DAEMON_MATCHING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/value.h"
#include "daemon/registry.h"

#define DX_WHY_MAX 16u

/* Why something does not fit: one line per key. */
struct dx_why {
	size_t nr_reasons;
	struct {
		char key[64];
		char text[192];
	} reasons[DX_WHY_MAX];
};

/* why may be NULL; a full one keeps its first lines. */
void dx_why_add(struct dx_why *why, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* An application's matching dictionary. */
bool dx_match_table(const struct dx_dict *table, const struct dx_entry *entry, struct dx_why *why);

/*
 * A driver's personality against a provider.
 * @param ret_score  written when it fits: IOProbeScore, or what the USB family gives.
 */
bool dx_match_personality(const struct dx_dict *personality, const struct dx_entry *provider,
			  int64_t *ret_score, struct dx_why *why);

/* The matching key that key is, or would be in other upper and lower case; NULL: it is none. */
const char *dx_match_known_key(const char *key);
const char *dx_usb_match_known_key(const char *key);

/* Result of the USB families' part. */
enum dx_usb_match {
	DX_USB_MATCH_NONE, /* the table holds no USB key */
	DX_USB_MATCH_FITS,
	DX_USB_MATCH_FAILS,
};

/* entry is an IOUSBHostDevice or IOUSBHostInterface. */
enum dx_usb_match dx_usb_match_table(const struct dx_dict *table, const struct dx_entry *entry,
				     int64_t *ret_score, struct dx_why *why);

#endif

/* SPDX-License-Identifier: MIT
 *
 * choose - which personalities get a provider; see drivers.h.
 *
 * Place:      daemon, between matching and drivers.
 * Rules:      candidates are tried by score, then in the order their bundles were loaded. A running
 *             driver is never replaced by a better one that comes later.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/configure.h"
#include "daemon/drivers.h"
#include "daemon/matching.h"
#include "daemon/watches.h"

struct candidate {
	const struct dx_personality *personality;
	int64_t score;
};

/* V1, V2: somebody has the category, or nobody may. */
static bool category_is_taken(const struct dx_entry *provider, const char *category)
{
	if (provider->device != NULL && provider->device->entry == provider &&
	    provider->device->composite && strcmp(category, DX_COMPOSITE_CATEGORY) == 0) {
		return true;
	}
	dx_list_for_each (node, &provider->slots) {
		const struct dx_slot *slot = dx_list_entry(node, struct dx_slot, node);

		if (slot->state != DX_SLOT_IDLE && slot->state != DX_SLOT_REFUSED &&
		    strcmp(slot->personality->category, category) == 0) {
			return true;
		}
	}
	return false;
}

/* Best first; equal ones keep their order. */
static void candidate_insert(struct candidate *candidates, size_t nr_candidates,
			     struct candidate candidate)
{
	size_t at = nr_candidates;

	while (at > 0 && candidates[at - 1].score < candidate.score) {
		candidates[at] = candidates[at - 1];
		at--;
	}
	candidates[at] = candidate;
}

static size_t count_personalities(const struct dx_broker *broker)
{
	size_t count = 0;

	dx_list_for_each (node, &broker->bundles) {
		count += dx_list_entry(node, struct dx_bundle, node)->nr_personalities;
	}
	return count;
}

/* Fills candidates (room for all personalities), returns how many. */
static size_t find_candidates(struct dx_broker *broker, const struct dx_entry *provider,
			      struct candidate *candidates)
{
	size_t nr_candidates = 0;

	dx_list_for_each (node, &broker->bundles) {
		const struct dx_bundle *bundle = dx_list_entry(node, struct dx_bundle, node);

		for (size_t i = 0; !bundle->unloading && i < bundle->nr_personalities; i++) {
			struct candidate candidate = {.personality = &bundle->personalities[i]};
			const struct dx_slot *slot = dx_slot_find(provider, candidate.personality);

			if ((slot == NULL || slot->state == DX_SLOT_IDLE) &&
			    dx_match_personality(candidate.personality->dict, provider,
						 &candidate.score, NULL)) {
				candidate_insert(candidates, nr_candidates++, candidate);
			}
		}
	}
	return nr_candidates;
}

/* Nothing is being started on it: its drivers have been found. */
static void matching_done(struct dx_broker *broker, struct dx_entry *provider)
{
	bool first = !provider->matched;

	if (provider->match_told) {
		return;
	}
	provider->match_told = true;
	provider->matched = true;
	dx_watches_service(broker, DX_WATCH_MATCHED, provider);
	if (first) {
		dx_watches_service(broker, DX_WATCH_FIRST_MATCH, provider);
	}
}

/* The built-in driver of composite devices is a candidate, too; it gives way to a driver that comes
 * later as long as nobody uses the interfaces. */
static void match_composite(struct dx_entry *provider, const struct candidate *candidates,
			    size_t nr_candidates)
{
	struct dx_device *device = provider->device;
	bool wanted = false;

	if (device == NULL || device->entry != provider || !dx_device_is_composite(provider)) {
		return;
	}
	for (size_t i = 0; i < nr_candidates; i++) {
		wanted |= candidates[i].score >= DX_COMPOSITE_SCORE &&
			  strcmp(candidates[i].personality->category, DX_COMPOSITE_CATEGORY) == 0;
	}
	if (wanted && device->composite) {
		(void)dx_device_decompose(device);
	} else if (!wanted && !category_is_taken(provider, DX_COMPOSITE_CATEGORY)) {
		dx_device_compose(device);
	}
}

void dx_drivers_match(struct dx_broker *broker, struct dx_entry *provider)
{
	size_t nr_personalities = count_personalities(broker);
	size_t nr_candidates = 0;
	struct candidate *candidates = NULL;

	if (!provider->registered || provider->inactive || broker->phase != DX_PHASE_RUNNING) {
		return;
	}
	if (nr_personalities > 0) {
		candidates = calloc(nr_personalities, sizeof(*candidates));
		if (candidates == NULL) {
			dx_log_error("matching %s: %s", provider->name, strerror(ENOMEM));
			return;
		}
		nr_candidates = find_candidates(broker, provider, candidates);
	}
	match_composite(provider, candidates, nr_candidates);
	for (size_t i = 0; i < nr_candidates; i++) {
		if (!category_is_taken(provider, candidates[i].personality->category)) {
			dx_driver_start(broker, provider, candidates[i].personality,
					candidates[i].score);
		}
	}
	free(candidates);
	if (provider->nr_starting == 0 && !provider->match_due) {
		matching_done(broker, provider);
	}
}

void dx_drivers_match_all(struct dx_broker *broker)
{
	for (struct dx_entry *entry = dx_registry_root(broker->registry); entry != NULL;
	     entry = dx_registry_next(entry)) {
		if (entry->registered && !entry->inactive) {
			dx_broker_match_later(broker, entry);
		}
	}
}

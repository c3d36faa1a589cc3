/* SPDX-License-Identifier: MIT
 *
 * judge - match, compare with the others, put it into words; see judge.h.
 *
 * Place:   daemon.
 */
#include "daemon/judge.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "daemon/configure.h"
#include "daemon/drivers.h"
#include "daemon/matching.h"
#include "wire/wire.h"

struct verdict {
	const char *result;
	int64_t score;
	bool matches;
	char text[512];
	struct dx_why why;
};

__attribute__((format(printf, 3, 4))) static void set_verdict(struct verdict *verdict,
							      const char *result,
							      const char *format, ...)
{
	va_list arguments;

	verdict->result = result;
	va_start(arguments, format);
	(void)vsnprintf(verdict->text, sizeof(verdict->text), format, arguments);
	va_end(arguments);
}

static bool holds_category(const struct dx_slot *slot)
{
	return slot->state != DX_SLOT_IDLE && slot->state != DX_SLOT_REFUSED;
}

/* A driver that has the category of this one on the provider already. */
static const struct dx_slot *holder_of(const struct dx_entry *provider,
				       const struct dx_personality *personality)
{
	dx_list_for_each (node, &provider->slots) {
		const struct dx_slot *slot = dx_list_entry(node, struct dx_slot, node);

		if (slot->personality != personality && holds_category(slot) &&
		    strcmp(slot->personality->category, personality->category) == 0) {
			return slot;
		}
	}
	return NULL;
}

struct rival {
	const struct dx_personality *personality;
	int64_t score;
	bool is_earlier; /* wins when equal */
};

/* The better of what there is and one more candidate. */
static void consider(struct rival *best, const struct dx_personality *candidate,
		     const struct dx_personality *personality, const struct dx_entry *provider,
		     bool is_earlier)
{
	int64_t score = 0;

	if (candidate != personality && strcmp(candidate->category, personality->category) == 0 &&
	    dx_match_personality(candidate->dict, provider, &score, NULL) &&
	    (best->personality == NULL || score > best->score)) {
		*best = (struct rival){candidate, score, is_earlier};
	}
}

/* Among all that are loaded, and the others of its own bundle: the best but this one. */
static struct rival rival_of(const struct dx_broker *broker, const struct dx_entry *provider,
			     const struct dx_personality *personality, bool is_loaded)
{
	const struct dx_bundle *own = personality->bundle;
	struct rival best = {0};
	bool is_earlier = true;

	dx_list_for_each (node, &broker->bundles) {
		const struct dx_bundle *bundle = dx_list_entry(node, struct dx_bundle, node);

		for (size_t i = 0; !bundle->unloading && bundle != own &&
				   strcmp(bundle->identifier, own->identifier) != 0 &&
				   i < bundle->nr_personalities;
		     i++) {
			consider(&best, &bundle->personalities[i], personality, provider,
				 is_earlier || !is_loaded);
		}
		is_earlier = is_earlier && bundle != own;
	}
	for (size_t i = 0; i < own->nr_personalities; i++) {
		consider(&best, &own->personalities[i], personality, provider,
			 &own->personalities[i] < personality);
	}
	return best;
}

/* It matches, and nothing of it is on the provider yet. */
static void compare(const struct dx_broker *broker, const struct dx_personality *personality,
		    bool is_loaded, const struct dx_judged *judged, struct verdict *verdict)
{
	const struct dx_slot *holder = holder_of(judged->entry, personality);
	struct rival rival = rival_of(broker, judged->entry, personality, is_loaded);

	if (holder != NULL) {
		set_verdict(verdict, "loses", "%s of %s has category %s, with score %lld",
			    holder->personality->user_class,
			    holder->personality->bundle->identifier, personality->category,
			    (long long)holder->score);
	} else if (strcmp(personality->category, DX_COMPOSITE_CATEGORY) == 0 &&
		   verdict->score < DX_COMPOSITE_SCORE && dx_device_is_composite(judged->entry)) {
		set_verdict(verdict, "loses",
			    "the built-in composite driver has category %s, with score %d",
			    personality->category, DX_COMPOSITE_SCORE);
	} else if (rival.personality != NULL &&
		   (rival.score > verdict->score ||
		    (rival.score == verdict->score && rival.is_earlier))) {
		set_verdict(verdict, "loses", "%s of %s wins category %s, with score %lld%s",
			    rival.personality->user_class, rival.personality->bundle->identifier,
			    personality->category, (long long)rival.score,
			    rival.score == verdict->score ? ", it comes first" : "");
	} else {
		set_verdict(verdict, "wins", "%s", "");
	}
}

static void from_slot(const struct dx_slot *slot, struct verdict *verdict)
{
	const char *failure = dx_slot_failure(slot);

	if (slot->state == DX_SLOT_ACTIVE) {
		bool runs = slot->driver != NULL && slot->driver->state == DX_DRIVER_RUNNING;

		set_verdict(verdict, runs ? "runs" : "starts", "%s", "");
	} else if (slot->state == DX_SLOT_RETIRED) {
		set_verdict(verdict, "ended", "the driver has terminated itself");
	} else {
		set_verdict(verdict, "failed", "%s%s", failure != NULL ? failure : "it failed",
			    slot->state == DX_SLOT_BACKOFF ? "; it is tried again" : "");
	}
}

static void reach(const struct dx_broker *broker, const struct dx_personality *personality,
		  bool is_loaded, const struct dx_judged *judged, struct verdict *verdict)
{
	const struct dx_slot *slot = is_loaded && judged->is_live
					     ? dx_slot_find(judged->entry, personality)
					     : NULL;

	verdict->matches = dx_match_personality(personality->dict, judged->entry, &verdict->score,
						&verdict->why);
	if (!verdict->matches) {
		set_verdict(verdict, "no", "%s", "");
	} else if (slot != NULL && slot->state != DX_SLOT_IDLE) {
		from_slot(slot, verdict);
	} else if (judged->hidden != 0) {
		set_verdict(verdict, "waits",
			    "it appears when a driver of the device calls SetConfiguration(%u, true)",
			    judged->hidden);
	} else {
		compare(broker, personality, is_loaded, judged, verdict);
	}
}

/* Takes over the reference to member, also when it fails. */
static int append_owned(struct dx_array *array, void *member)
{
	int r = member == NULL ? -ENOMEM : dx_array_append(array, member);

	dx_object_unref(member);
	return r;
}

static struct dx_array *describe_reasons(const struct dx_why *why)
{
	struct dx_array *array = dx_array_new();
	int r = array == NULL ? -ENOMEM : 0;

	for (size_t i = 0; r == 0 && i < why->nr_reasons; i++) {
		struct dx_dict *dict = dx_dict_new();

		r = dict == NULL ? -ENOMEM
				 : dx_dict_set_string(dict, DX_EXPLAIN_KEY_KEY,
						      why->reasons[i].key);
		if (r == 0) {
			r = dx_dict_set_string(dict, DX_EXPLAIN_TEXT_KEY, why->reasons[i].text);
		}
		if (r == 0) {
			r = dx_array_append(array, dict);
		}
		dx_object_unref(dict);
	}
	return r < 0 ? dx_object_unref(array) : array;
}

static int set_owned(struct dx_dict *dict, const char *key, void *member)
{
	int r = member == NULL ? -ENOMEM : dx_dict_set(dict, key, member);

	dx_object_unref(member);
	return r;
}

static int describe_provider(const struct dx_judged *judged, struct dx_dict *dict)
{
	const struct dx_entry *entry = judged->entry;
	const char *spec = judged->spec == NULL && judged->is_live && entry->device != NULL
				   ? entry->device->spec
				   : judged->spec;
	int r = dx_dict_set_string(dict, DX_EXPLAIN_NAME_KEY, entry->name);

	if (r == 0) {
		r = dx_dict_set_string(dict, DX_EXPLAIN_CLASS_KEY, entry->class_name);
	}
	if (r == 0 && entry->location[0] != '\0') {
		r = dx_dict_set_string(dict, DX_ENTRY_LOCATION_KEY, entry->location);
	}
	if (r == 0 && spec != NULL) {
		r = dx_dict_set_string(dict, DX_EXPLAIN_SPEC_KEY, spec);
	}
	return r == 0 && judged->is_live ? dx_dict_set_u64(dict, DX_EXPLAIN_ID_KEY, entry->id, 64)
					 : r;
}

static int describe_verdict(const struct verdict *verdict, struct dx_dict *dict)
{
	int r = dx_dict_set_string(dict, DX_EXPLAIN_RESULT_KEY, verdict->result);

	if (r == 0 && verdict->matches) {
		r = set_owned(dict, DX_EXPLAIN_SCORE_KEY,
			      dx_number_new_signed(verdict->score, 64));
	}
	if (r == 0 && verdict->text[0] != '\0') {
		r = dx_dict_set_string(dict, DX_EXPLAIN_TEXT_KEY, verdict->text);
	}
	if (r == 0 && !verdict->matches) {
		r = set_owned(dict, DX_EXPLAIN_REASONS_KEY, describe_reasons(&verdict->why));
	}
	return r;
}

int dx_judge(const struct dx_broker *broker, const struct dx_personality *personality,
	     bool is_loaded, const struct dx_judged *judged, struct dx_array *array,
	     bool *ret_matches)
{
	struct verdict verdict = {0};
	struct dx_dict *dict = dx_dict_new();
	int r = dict == NULL ? -ENOMEM : describe_provider(judged, dict);

	reach(broker, personality, is_loaded, judged, &verdict);
	if (r == 0) {
		r = describe_verdict(&verdict, dict);
	}
	if (r == 0) {
		r = dx_array_append(array, dict);
	}
	dx_object_unref(dict);
	*ret_matches = *ret_matches || verdict.matches;
	return r;
}

__attribute__((format(printf, 2, 3))) static int add_text(struct dx_array *array,
							  const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return append_owned(array, dx_string_new(text));
}

/* Keys that matching knows, in other letters: a slip that makes them plain properties. */
static int judge_spelling(const struct dx_personality *personality, struct dx_array *array)
{
	const char *key = NULL;
	void *value = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && dx_dict_at(personality->dict, i, &key, &value); i++) {
		const char *meant = dx_match_known_key(key);

		if (meant != NULL && strcmp(meant, key) != 0) {
			r = add_text(array, "%s is no matching key, %s is", key, meant);
		}
	}
	return r;
}

int dx_judge_personality(const struct dx_personality *personality, struct dx_array *array)
{
	const char *wanted = dx_dict_get_string(personality->dict, "IOProviderClass", "");
	const void *score = dx_dict_get(personality->dict, "IOProbeScore");
	int r = judge_spelling(personality, array);

	if (r == 0 && !dx_kernel_class_is_known(wanted)) {
		r = add_text(array,
			     "IOProviderClass: nothing of class %s is ever published here; "
			     "IOUserResources, IOUSBHostDevice, IOUSBHostInterface and services of "
			     "drivers are",
			     wanted);
	}
	if (r == 0 && !dx_kernel_class_is_known(personality->kernel_class)) {
		r = add_text(array,
			     "IOClass: %s is not known here, the service shows it as a kind of "
			     "IOUserService",
			     personality->kernel_class);
	}
	if (r == 0 && score != NULL && !dx_object_is_kind(score, &dx_number_class)) {
		r = add_text(array, "IOProbeScore: is no number and counts as 0");
	}
	return r;
}

/* SPDX-License-Identifier: MIT
 *
 * explain - read what was asked about, judge each personality, answer; see explain.h.
 *
 * Place:   daemon.
 */
#include "daemon/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ioreturn.h"
#include "base/jobs.h"
#include "daemon/bundle.h"
#include "daemon/configure.h"
#include "daemon/device.h"
#include "daemon/judge.h"
#include "daemon/matching.h"
#include "daemon/reading.h"

#define MAX_PROVIDERS 512u

/* One spec that was asked about. */
struct asked {
	struct explanation *explanation;
	struct dx_job *job;
	char *spec;
	int result;
	char message[512];
	struct dx_dict *dict;
};

struct explanation {
	struct dx_list node; /* broker->explanations */
	struct dx_broker *broker;
	uint64_t client_id;
	uint32_t seq;
	struct dx_bundle *own;    /* read for this; NULL: a loaded one is meant */
	char *identifier;
	struct dx_array *entries; /* of ids; NULL: none were named */
	struct asked asked[DX_EXPLAIN_MAX_SPECS];
	size_t nr_asked;
	size_t nr_pending;
};

/* What a bundle is judged by, while the answer is made. */
struct providers {
	struct dx_registry *registry; /* of what was described for this */
	struct dx_judged items[MAX_PROVIDERS];
	size_t nr_items;
	bool named; /* the request says which: what does not fit is shown, too */
};

static void explanation_free(struct explanation *explanation)
{
	for (size_t i = 0; i < explanation->nr_asked; i++) {
		(void)dx_job_forget(explanation->asked[i].job);
		dx_object_unref(explanation->asked[i].dict);
		free(explanation->asked[i].spec);
	}
	dx_list_remove(&explanation->node);
	dx_object_unref(explanation->entries);
	(void)dx_bundle_free(explanation->own);
	free(explanation->identifier);
	free(explanation);
}

void dx_explains_free(struct dx_broker *broker)
{
	dx_list_for_each_safe (node, &broker->explanations) {
		explanation_free(dx_list_entry(node, struct explanation, node));
	}
}

/* ---- what is judged ---- */

static void add_item(struct providers *providers, const struct dx_entry *entry, const char *spec,
		     bool is_live, unsigned hidden)
{
	if (providers->nr_items < MAX_PROVIDERS) {
		providers->items[providers->nr_items++] = (struct dx_judged){
			.entry = entry, .spec = spec, .is_live = is_live, .hidden = hidden};
	}
}

static int add_described(struct dx_entry *parent, const char *class_name, const char *name_key,
			 const struct dx_dict *dict, const char *location,
			 struct dx_entry **ret_entry)
{
	int r = dx_registry_add(parent, 0, class_name, dx_dict_get_string(dict, name_key, class_name),
				dict, ret_entry);

	if (r == 0) {
		(void)snprintf((*ret_entry)->location, sizeof((*ret_entry)->location), "%s",
			       location);
	}
	return r;
}

/* Interfaces of all configurations but one, which are there as entries already. */
static int add_interfaces(struct providers *providers, struct dx_entry *parent,
			  const struct dx_array *configurations, unsigned but, unsigned in_force,
			  const char *spec)
{
	int r = 0;

	for (unsigned value = 1; r == 0 && value <= UINT8_MAX; value++) {
		const struct dx_array *interfaces =
			value == but ? NULL : dx_device_interfaces(configurations, value);

		for (size_t i = 0; r == 0 && interfaces != NULL && i < dx_array_count(interfaces);
		     i++) {
			const struct dx_dict *dict = dx_array_get(interfaces, i);
			struct dx_entry *entry = NULL;
			char location[16];

			(void)snprintf(location, sizeof(location), "%x",
				       (unsigned)dx_dict_get_u64(dict, "bInterfaceNumber", 0));
			r = add_described(parent, "IOUSBHostInterface", "kUSBString", dict,
					  location, &entry);
			if (r == 0) {
				add_item(providers, entry, spec, false,
					 value == in_force ? 0 : value);
			}
		}
	}
	return r;
}

/* A device that was described for this; asked->dict loses its configurations. */
static int add_asked(struct providers *providers, struct asked *asked)
{
	struct dx_array *configurations =
		dx_object_ref(dx_dict_get_array(asked->dict, "configurations"));
	struct dx_entry *entry = NULL;
	unsigned in_force = 0;
	char location[16];
	int r = 0;

	(void)dx_dict_remove(asked->dict, "configurations");
	(void)dx_dict_remove(asked->dict, "interfaces");
	(void)snprintf(location, sizeof(location), "%08x",
		       (unsigned)dx_dict_get_u64(asked->dict, "locationID", 0));
	r = add_described(dx_registry_root(providers->registry), "IOUSBHostDevice",
			  "kUSBProductString", asked->dict, location, &entry);
	if (r == 0) {
		add_item(providers, entry, asked->spec, false, 0);
		if (dx_device_is_composite(entry)) {
			in_force = dx_preferred_configuration(entry->properties);
		}
		r = add_interfaces(providers, entry, configurations, 0, in_force, asked->spec);
	}
	dx_object_unref(configurations);
	return r;
}

/* An entry of the broker, with what is below a device and what could be. */
static int add_live(struct providers *providers, const struct dx_entry *entry)
{
	const struct dx_device *device = entry->device;
	struct dx_entry *hidden = NULL;
	int r = 0;

	add_item(providers, entry, NULL, true, 0);
	if (device == NULL || device->entry != entry) {
		return 0;
	}
	dx_list_for_each (node, &entry->children) {
		const struct dx_entry *child = dx_list_entry(node, struct dx_entry, sibling);

		if (providers->named && child->device == device && !child->inactive) {
			add_item(providers, child, NULL, true, 0);
		}
	}
	r = dx_registry_add(dx_registry_root(providers->registry), 0, "IOUSBHostDevice",
			    entry->name, entry->properties, &hidden);
	return r < 0 ? r
		     : add_interfaces(providers, hidden, device->configurations,
				      device->configuration, 0, device->spec);
}

static int add_all_live(struct providers *providers, struct dx_registry *registry)
{
	int r = 0;

	for (struct dx_entry *entry = dx_registry_root(registry); r == 0 && entry != NULL;
	     entry = dx_registry_next(entry)) {
		if (entry->registered && !entry->inactive) {
			r = add_live(providers, entry);
		}
	}
	return r;
}

static int add_named(struct providers *providers, struct dx_registry *registry,
		     const struct dx_array *ids)
{
	int r = 0;

	for (size_t i = 0; r == 0 && ids != NULL && i < dx_array_count(ids); i++) {
		const void *id = dx_array_get(ids, i);
		const struct dx_entry *entry = dx_object_is_kind(id, &dx_number_class)
						       ? dx_registry_find(registry, dx_number_u64(id))
						       : NULL;

		if (entry != NULL && !entry->ghost && !entry->inactive) {
			r = add_live(providers, entry);
		}
	}
	return r;
}

static int collect(struct explanation *explanation, struct providers *providers,
		   struct dx_array *problems)
{
	struct dx_registry *registry = explanation->broker->registry;
	int r = dx_registry_new(NULL, NULL, &providers->registry);

	providers->named = explanation->nr_asked > 0 || explanation->entries != NULL;
	for (size_t i = 0; r == 0 && i < explanation->nr_asked; i++) {
		struct asked *asked = &explanation->asked[i];

		if (asked->result < 0) {
			struct dx_string *text = dx_string_new(asked->message);

			r = text == NULL ? -ENOMEM : dx_array_append(problems, text);
			dx_object_unref(text);
		} else {
			r = add_asked(providers, asked);
		}
	}
	if (r == 0) {
		r = providers->named ? add_named(providers, registry, explanation->entries)
				     : add_all_live(providers, registry);
	}
	return r;
}

/* ---- the answer ---- */

static bool conforms(const struct dx_judged *judged, const struct dx_personality *personality)
{
	return dx_entry_is_kind(judged->entry,
				dx_dict_get_string(personality->dict, "IOProviderClass", ""));
}

/* Those of the class that it wants; where none is, those that were named. */
static int judge_all(const struct dx_broker *broker, const struct dx_personality *personality,
		     bool is_loaded, const struct providers *providers, struct dx_array *array,
		     bool *ret_matches)
{
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < providers->nr_items; i++) {
		any = any || conforms(&providers->items[i], personality);
	}
	for (size_t i = 0; r == 0 && i < providers->nr_items; i++) {
		const struct dx_judged *judged = &providers->items[i];

		if (any ? conforms(judged, personality)
			: providers->named && judged->hidden == 0) {
			r = dx_judge(broker, personality, is_loaded, judged, array, ret_matches);
		}
	}
	return r;
}

static int set_array(struct dx_dict *dict, const char *key, struct dx_array *array, int result)
{
	int r = result == 0 ? dx_dict_set(dict, key, array) : result;

	dx_object_unref(array);
	return r;
}

static int describe_personality(const struct dx_broker *broker,
				const struct dx_personality *personality, bool is_loaded,
				const struct providers *providers, struct dx_dict *dict,
				bool *ret_matches)
{
	struct dx_array *problems = dx_array_new();
	struct dx_array *array = dx_array_new();
	int r = dx_dict_set_string(dict, DX_EXPLAIN_NAME_KEY, personality->name);

	if (r == 0) {
		r = dx_dict_set_string(dict, DX_EXPLAIN_CLASS_KEY, personality->user_class);
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, DX_EXPLAIN_WANTS_KEY,
				       dx_dict_get_string(personality->dict, "IOProviderClass", ""));
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, DX_EXPLAIN_CATEGORY_KEY, personality->category);
	}
	if (r == 0) {
		r = problems == NULL || array == NULL ? -ENOMEM
						      : dx_judge_personality(personality, problems);
	}
	if (r == 0) {
		r = judge_all(broker, personality, is_loaded, providers, array, ret_matches);
	}
	r = set_array(dict, DX_EXPLAIN_PROBLEMS_KEY, problems, r);
	return set_array(dict, DX_EXPLAIN_PROVIDERS_KEY, array, r);
}

static int describe_personalities(const struct dx_broker *broker, const struct dx_bundle *bundle,
				  bool is_loaded, const struct providers *providers,
				  struct dx_dict *dict, bool *ret_matches)
{
	struct dx_array *array = dx_array_new();
	int r = array == NULL ? -ENOMEM : 0;

	for (size_t i = 0; r == 0 && i < bundle->nr_personalities; i++) {
		struct dx_dict *one = dx_dict_new();

		r = one == NULL ? -ENOMEM
				: describe_personality(broker, &bundle->personalities[i], is_loaded,
						       providers, one, ret_matches);
		if (r == 0) {
			r = dx_array_append(array, one);
		}
		dx_object_unref(one);
	}
	return set_array(dict, DX_EXPLAIN_PERSONALITIES_KEY, array, r);
}

static int describe(struct explanation *explanation, const struct dx_bundle *bundle,
		    struct providers *providers, struct dx_dict *dict)
{
	struct dx_array *problems = dx_array_new();
	bool is_loaded = bundle != explanation->own;
	bool matches = false;
	int r = problems == NULL ? -ENOMEM : collect(explanation, providers, problems);

	r = set_array(dict, DX_EXPLAIN_PROBLEMS_KEY, problems, r);
	if (r == 0) {
		r = dx_dict_set_string(dict, DX_EXPLAIN_IDENTIFIER_KEY, bundle->identifier);
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, DX_EXPLAIN_PATH_KEY, bundle->path);
	}
	if (r == 0) {
		r = dx_dict_set_bool(dict, DX_EXPLAIN_LOADED_KEY, is_loaded);
	}
	if (r == 0) {
		r = describe_personalities(explanation->broker, bundle, is_loaded, providers, dict,
					   &matches);
	}
	return r < 0 ? r : dx_dict_set_bool(dict, DX_EXPLAIN_MATCHES_KEY, matches);
}

static void send(struct dx_client *client, uint32_t seq, int code, const struct dx_dict *dict)
{
	int r = code < 0 ? code
			 : dx_peer_send_value(&client->peer, DX_WIRE_A_EXPLAIN | DX_WIRE_REPLY, seq,
					      0, NULL, 0, dict);

	if (r < 0) {
		dx_client_fail(client, DX_WIRE_A_EXPLAIN, seq, dx_ioreturn_from_errno(r), NULL);
	}
}

static void answer(struct explanation *explanation, struct dx_client *client)
{
	const struct dx_bundle *bundle =
		explanation->own != NULL
			? explanation->own
			: dx_broker_find_bundle(explanation->broker, explanation->identifier);
	struct providers *providers = NULL;
	struct dx_dict *dict = NULL;
	int r = 0;

	if (bundle == NULL) {
		dx_client_fail(client, DX_WIRE_A_EXPLAIN, explanation->seq, DX_KR_NOT_FOUND,
			       "no such bundle is loaded any more");
		return;
	}
	providers = calloc(1, sizeof(*providers));
	dict = dx_dict_new();
	r = providers == NULL || dict == NULL ? -ENOMEM
					      : describe(explanation, bundle, providers, dict);
	send(client, explanation->seq, r, dict);
	if (providers != NULL) {
		(void)dx_registry_free(providers->registry);
	}
	free(providers);
	dx_object_unref(dict);
}

/* All specs have been read. */
static void finish(struct explanation *explanation)
{
	struct dx_client *client =
		dx_client_find(explanation->broker, explanation->client_id);

	if (client != NULL) {
		client->nr_waits--;
		answer(explanation, client);
	}
	explanation_free(explanation);
}

static void on_read(void *context, void *data)
{
	struct asked *asked = context;
	struct dx_reading *reading = data;
	struct explanation *explanation = asked->explanation;

	asked->job = NULL;
	asked->result = reading->result;
	(void)snprintf(asked->message, sizeof(asked->message), "%s", reading->message);
	asked->dict = reading->dict;
	reading->dict = NULL;
	if (--explanation->nr_pending == 0) {
		finish(explanation);
	}
}

/* ---- the request ---- */

static int ask(struct explanation *explanation, const char *spec)
{
	static const struct dx_job_ops ops = {
		.work = dx_reading_work, .done = on_read, .release = dx_reading_release};
	struct asked *asked = &explanation->asked[explanation->nr_asked];
	struct dx_reading *reading = dx_reading_new(explanation->broker, spec);
	int r = reading == NULL ? -ENOMEM : 0;

	if (r == 0) {
		explanation->nr_asked++;
		asked->explanation = explanation;
		asked->spec = strdup(spec);
		r = asked->spec == NULL ? -ENOMEM
					: dx_job_start(explanation->broker->jobs, &ops, reading,
						       asked, &asked->job);
	}
	if (r < 0) {
		dx_reading_free(reading);
		return r;
	}
	explanation->nr_pending++;
	return 0;
}

static int ask_all(struct explanation *explanation, const struct dx_array *specs, char *message,
		   size_t message_size)
{
	size_t nr_specs = specs == NULL ? 0 : dx_array_count(specs);
	int r = 0;

	if (nr_specs > DX_EXPLAIN_MAX_SPECS) {
		(void)snprintf(message, message_size, "more than %u specs", DX_EXPLAIN_MAX_SPECS);
		return -E2BIG;
	}
	for (size_t i = 0; r == 0 && i < nr_specs; i++) {
		const void *spec = dx_array_get(specs, i);

		r = dx_object_is_kind(spec, &dx_string_class)
			    ? ask(explanation, dx_string_get(spec))
			    : -EINVAL;
	}
	return r;
}

/* By its identifier, or by its path: then a loaded one with this path, or one of its own. */
static int find_bundle(struct explanation *explanation, const char *name, char *message,
		       size_t message_size)
{
	const struct dx_bundle *loaded = NULL;
	int r = 0;

	if (name[0] == '/') {
		r = dx_bundle_load(name, message, message_size, &explanation->own);
		if (r < 0) {
			return r;
		}
		name = explanation->own->identifier;
	}
	loaded = dx_broker_find_bundle(explanation->broker, name);
	if (loaded == NULL && explanation->own == NULL) {
		(void)snprintf(message, message_size, "no bundle %s is loaded", name);
		return -ENOENT;
	}
	explanation->identifier = strdup(name);
	if (loaded != NULL && explanation->own != NULL &&
	    strcmp(loaded->path, explanation->own->path) == 0) {
		explanation->own = dx_bundle_free(explanation->own);
	}
	return explanation->identifier == NULL ? -ENOMEM : 0;
}

int dx_explain(struct dx_client *client, uint32_t seq, const struct dx_dict *request, char *message,
	       size_t message_size)
{
	struct explanation *explanation = calloc(1, sizeof(*explanation));
	int r = 0;

	if (explanation == NULL) {
		return -ENOMEM;
	}
	dx_list_init(&explanation->node);
	explanation->broker = client->broker;
	explanation->client_id = client->id;
	explanation->seq = seq;
	explanation->entries = dx_object_ref(dx_dict_get_array(request, DX_EXPLAIN_ENTRIES_KEY));
	r = find_bundle(explanation, dx_dict_get_string(request, DX_EXPLAIN_BUNDLE_KEY, ""),
			message, message_size);
	if (r == 0) {
		r = ask_all(explanation, dx_dict_get_array(request, DX_EXPLAIN_SPECS_KEY), message,
			    message_size);
	}
	if (r < 0) {
		explanation_free(explanation);
		return r;
	}
	client->nr_waits++;
	dx_list_push_back(&client->broker->explanations, &explanation->node);
	if (explanation->nr_pending == 0) {
		finish(explanation);
	}
	return 0;
}

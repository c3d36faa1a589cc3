/* SPDX-License-Identifier: MIT
 *
 * drivers - start, restart, let go; see drivers.h. Choosing is in choose.c.
 *
 * Place:      daemon.
 */
#include "daemon/drivers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/ioreturn.h"
#include "base/jobs.h"
#include "base/log.h"
#include "daemon/hosts.h"
#include "daemon/matching.h"
#include "daemon/records.h"
#include "daemon/terminate.h"

#define GOOD_LIFE_NS         (60ull * 1000000000u)
#define NS_PER_MS            1000000ull

void dx_driver_describe(const struct dx_driver *driver, char *text, size_t size)
{
	const struct dx_entry *provider = driver->entry->parent;

	(void)snprintf(text, size, "%s of %s on %s", driver->personality->user_class,
		       driver->bundle->identifier, provider == NULL ? "?" : provider->name);
}

static void slot_free(struct dx_slot *slot)
{
	if (slot->driver != NULL) {
		slot->driver->slot = NULL;
	}
	slot->timer = dx_loop_source_remove(slot->timer);
	dx_list_remove(&slot->node);
	free(slot->failure);
	free(slot);
}

static void slot_failed(struct dx_slot *slot, const char *who, const char *words)
{
	free(slot->failure);
	if (asprintf(&slot->failure, "%s: %s", who, words) < 0) {
		slot->failure = NULL;
	}
}

const char *dx_slot_failure(const struct dx_slot *slot)
{
	switch (slot->state) {
	case DX_SLOT_BACKOFF:
	case DX_SLOT_GIVEN_UP:
	case DX_SLOT_REFUSED:
		return slot->failure;
	default:
		return NULL;
	}
}

void dx_slots_free(struct dx_entry *provider)
{
	dx_list_for_each_safe (node, &provider->slots) {
		slot_free(dx_list_entry(node, struct dx_slot, node));
	}
}

struct dx_slot *dx_slot_find(const struct dx_entry *provider,
			     const struct dx_personality *personality)
{
	dx_list_for_each (node, &provider->slots) {
		struct dx_slot *slot = dx_list_entry(node, struct dx_slot, node);

		if (slot->personality == personality) {
			return slot;
		}
	}
	return NULL;
}

static void backoff_over(void *context)
{
	struct dx_slot *slot = context;

	slot->state = DX_SLOT_IDLE;
	dx_broker_match_later(slot->broker, slot->provider);
}

static int slot_get(struct dx_broker *broker, struct dx_entry *provider,
		    const struct dx_personality *personality, struct dx_slot **ret_slot)
{
	struct dx_slot *slot = dx_slot_find(provider, personality);
	int r = 0;

	if (slot == NULL) {
		slot = calloc(1, sizeof(*slot));
		if (slot == NULL) {
			return -ENOMEM;
		}
		slot->broker = broker;
		slot->provider = provider;
		slot->personality = personality;
		dx_list_init(&slot->node);
		r = dx_loop_add_timer(broker->loop, backoff_over, slot, &slot->timer);
		if (r < 0) {
			free(slot);
			return r;
		}
		dx_list_push_back(&provider->slots, &slot->node);
	}
	*ret_slot = slot;
	return 0;
}

/* The driver no longer keeps its provider busy; the last of a round completes the matching. */
static void driver_settle(struct dx_driver *driver)
{
	struct dx_entry *provider = driver->entry->parent;

	if (driver->settled) {
		return;
	}
	driver->settled = true;
	provider->nr_starting--;
	/* Whether this completes the matching is looked at from the loop (H1); the order of the two
	 * lines keeps the provider busy without a gap. */
	dx_broker_match_later(driver->broker, provider);
	dx_entry_adjust_busy(provider, -1);
}

void dx_driver_free(struct dx_driver *driver)
{
	struct dx_bundle *bundle = driver->bundle;
	struct dx_broker *broker = driver->broker;
	struct dx_host *host = driver->host;

	driver_settle(driver);
	if (driver->slot != NULL) {
		driver->slot->driver = NULL;
		driver->slot->state = DX_SLOT_IDLE;
	}
	driver->entry->driver = NULL;
	dx_list_remove(&driver->node);
	dx_list_remove(&driver->host_node);
	driver->start_timer = dx_loop_source_remove(driver->start_timer);
	driver->acquiring = dx_job_forget(driver->acquiring);
	free(driver);
	if (host != NULL) {
		dx_drivers_acquire_next(host);
		dx_host_driver_gone(host);
	}
	bundle->nr_drivers--;
	dx_broker_kick(broker); /* sweeps what was its own, and perhaps the bundle */
}

/* What the service shows: all keys of its personality, and who it belongs to. */
static int service_properties(const struct dx_personality *personality, int64_t score,
			      struct dx_dict **ret_properties)
{
	struct dx_dict *dict = dx_dict_copy(personality->dict);
	struct dx_number *number = dx_number_new_signed(score, 32);
	int r = dict == NULL || number == NULL ? -ENOMEM : 0;

	if (r == 0) {
		r = dx_dict_set_string(dict, "CFBundleIdentifier", personality->bundle->identifier);
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, "IOUserServerName", personality->server);
	}
	if (r == 0) {
		r = dx_dict_set_string(dict, "IOClass", personality->kernel_class);
	}
	if (r == 0) {
		r = dx_dict_set(dict, "IOProbeScore", number);
	}
	dx_object_unref(number);
	if (r < 0) {
		dx_object_unref(dict);
		return r;
	}
	*ret_properties = dict;
	return 0;
}

static int driver_new(struct dx_broker *broker, struct dx_entry *entry, struct dx_slot *slot,
		      struct dx_driver **ret_driver)
{
	struct dx_driver *driver = calloc(1, sizeof(*driver));

	if (driver == NULL) {
		return -ENOMEM;
	}
	dx_list_init(&driver->host_node);
	driver->broker = broker;
	driver->entry = entry;
	driver->provider_id = slot->provider->id;
	driver->personality = slot->personality;
	driver->bundle = slot->personality->bundle;
	driver->bundle->nr_drivers++;
	driver->slot = slot;
	slot->driver = driver;
	slot->state = DX_SLOT_ACTIVE;
	entry->driver = driver;
	dx_list_push_back(&broker->drivers, &driver->node);
	*ret_driver = driver;
	return 0;
}

static void driver_to_host(struct dx_driver *driver, struct dx_host *host)
{
	driver->host = host;
	driver->entry->host = host;
	dx_list_push_back(&host->drivers, &driver->host_node);
}

/* The service's entry, not started yet. */
static int driver_begin(struct dx_broker *broker, struct dx_slot *slot, int64_t score,
			struct dx_driver **ret_driver)
{
	struct dx_entry *provider = slot->provider;
	struct dx_dict *properties = NULL;
	struct dx_entry *entry = NULL;
	int r = service_properties(slot->personality, score, &properties);

	if (r < 0) {
		return r;
	}
	r = dx_registry_add(provider, 0, slot->personality->kernel_class,
			    slot->personality->user_class, properties, &entry);
	dx_object_unref(properties);
	if (r < 0) {
		return r;
	}
	r = driver_new(broker, entry, slot, ret_driver);
	if (r < 0) {
		dx_registry_remove(entry);
		return r;
	}
	provider->nr_starting++;
	dx_entry_adjust_busy(provider, 1);
	return 0;
}

static bool is_lasting(int code)
{
	return code == -ENOENT || code == -EACCES || code == -ENOEXEC || code == -EPERM ||
	       code == -ENOTDIR;
}

static void driver_launch(struct dx_driver *driver)
{
	const char *program = driver->broker->options->host_program;
	struct dx_host *host = NULL;
	int r = dx_host_for(driver->broker, driver->personality, driver->entry->parent->device,
			    &host);

	if (r < 0) {
		char words[512];

		(void)snprintf(words, sizeof(words), "cannot start %s: %s",
			       program == NULL ? "a host" : program, strerror(-r));
		dx_driver_host_refused(driver, words, !is_lasting(r));
		return;
	}
	driver_to_host(driver, host);
	if (host->ready) {
		dx_driver_host_ready(driver);
	}
}

void dx_driver_start(struct dx_broker *broker, struct dx_entry *provider,
		     const struct dx_personality *personality, int64_t score)
{
	struct dx_driver *driver = NULL;
	struct dx_slot *slot = NULL;
	int r = slot_get(broker, provider, personality, &slot);

	if (r == 0) {
		r = driver_begin(broker, slot, score, &driver);
	}
	if (r < 0) {
		dx_log_error("%s of %s on %s: cannot make a service: %s", personality->user_class,
			     personality->bundle->identifier, provider->name, strerror(-r));
		if (slot != NULL) {
			slot->state = DX_SLOT_REFUSED;
		}
		return;
	}
	slot->score = score;
	driver_launch(driver);
}

/* Another death on this slot: back off, or give up. Says so in one line. */
static void slot_died(struct dx_slot *slot, struct dx_driver *driver, const char *words)
{
	char who[512];
	unsigned delay = 0;

	dx_driver_describe(driver, who, sizeof(who));
	slot_failed(slot, who, words);
	slot->driver = NULL;
	driver->slot = NULL;
	if (driver->started_ns != 0 && dx_clock_now_ns() - driver->started_ns > GOOD_LIFE_NS) {
		slot->nr_deaths = 0;
	}
	slot->nr_deaths++;
	if (slot->nr_deaths > DX_MAX_RESTARTS) {
		slot->state = DX_SLOT_GIVEN_UP;
		dx_log_error("driver %s: %s, for the %uth time: it is not started again", who,
			     words, slot->nr_deaths);
		return;
	}
	delay = dx_broker_backoff_ms(slot->broker, slot->nr_deaths);
	slot->state = DX_SLOT_BACKOFF;
	dx_log_warning("driver %s: %s, starts again in %u ms", who, words, delay);
	dx_loop_set_timer(slot->timer, dx_clock_now_ns() + delay * NS_PER_MS);
}

bool dx_driver_was_told(const struct dx_driver *driver)
{
	return driver->state == DX_DRIVER_STARTING || driver->state == DX_DRIVER_RUNNING ||
	       driver->state == DX_DRIVER_STOPPING;
}

void dx_driver_host_refused(struct dx_driver *driver, const char *words, bool try_again)
{
	struct dx_slot *slot = driver->slot;

	if (slot != NULL && try_again && !driver->entry->inactive) {
		slot_died(slot, driver, words);
	} else if (slot != NULL) {
		char who[512];

		dx_driver_describe(driver, who, sizeof(who));
		dx_log_error("driver %s: %s", who, words);
		slot_failed(slot, who, words);
		slot->driver = NULL;
		slot->state = DX_SLOT_REFUSED;
		driver->slot = NULL;
	}
	dx_terminate_stopped(driver->broker, driver->entry);
}

/* Of a status that has no name. Drivers return a bool where an IOReturn is meant. */
static const char *unnamed(int32_t status)
{
	return status == 1 ? "no status, but true, as of a bool; success is kIOReturnSuccess, 0"
			   : "a code of the driver's own";
}

void dx_driver_started(struct dx_driver *driver, int32_t status, const char *text)
{
	const char *name = dx_ioreturn_name(status);
	char words[512];

	driver->start_timer = dx_loop_source_remove(driver->start_timer);
	if (status == 0) {
		driver->state = DX_DRIVER_RUNNING;
		driver_settle(driver);
		dx_terminate_continue(driver->broker,
				      driver->entry); /* it may have been unplugged */
		return;
	}
	(void)snprintf(words, sizeof(words), "Start failed: %s (%#x)%s%s",
		       name != NULL ? name : unnamed(status), (unsigned)status,
		       text[0] != '\0' ? ": " : "", text);
	dx_driver_host_refused(driver, words, false);
}

void dx_driver_host_died(struct dx_driver *driver, const char *words)
{
	dx_list_remove(&driver->host_node);
	driver->host = NULL;
	/* A driver that was being stopped anyway has only been quicker than its Stop. */
	if (driver->slot != NULL && !driver->entry->inactive) {
		slot_died(driver->slot, driver, words);
	}
}

void dx_driver_retire(struct dx_driver *driver)
{
	if (driver->slot != NULL) {
		driver->slot->driver = NULL;
		driver->slot->state = DX_SLOT_RETIRED;
		driver->slot = NULL;
	}
}

int dx_driver_adopt(struct dx_broker *broker, struct dx_entry *entry, struct dx_entry *provider,
		    const struct dx_personality *personality, struct dx_host *host)
{
	struct dx_slot *slot = NULL;
	struct dx_driver *driver = NULL;
	int r = slot_get(broker, provider, personality, &slot);

	if (r == 0 && slot->driver != NULL) {
		r = -EEXIST;
	}
	if (r == 0) {
		r = driver_new(broker, entry, slot, &driver);
	}
	if (r < 0) {
		return r;
	}
	(void)dx_match_personality(personality->dict, provider, &slot->score, NULL);
	driver->settled = true;
	driver->state = DX_DRIVER_RUNNING;
	driver->started_ns = dx_clock_now_ns();
	driver_to_host(driver, host);
	return 0;
}

/* Slots of a bundle's personalities, wherever they are. */
static void forget_slots(struct dx_broker *broker, const struct dx_bundle *bundle)
{
	for (struct dx_entry *entry = dx_registry_root(broker->registry); entry != NULL;
	     entry = dx_registry_next(entry)) {
		dx_list_for_each_safe (node, &entry->slots) {
			struct dx_slot *slot = dx_list_entry(node, struct dx_slot, node);

			if (slot->personality->bundle == bundle) {
				slot_free(slot);
			}
		}
	}
}

void dx_bundle_unload(struct dx_broker *broker, struct dx_bundle *bundle)
{
	bundle->unloading = true;
	forget_slots(broker, bundle);
	for (struct dx_list *node = broker->drivers.next; node != &broker->drivers;) {
		struct dx_driver *driver = dx_list_entry(node, struct dx_driver, node);

		node = node->next;
		if (driver->bundle == bundle && !driver->entry->inactive) {
			dx_terminate(broker, driver->entry);
			node = broker->drivers.next; /* others may have gone with it */
		}
	}
	dx_drivers_match_all(broker); /* somebody else may have the providers now */
	dx_broker_kick(broker);
}

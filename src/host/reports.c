/* SPDX-License-Identifier: MIT
 *
 * reports - what the broker is told without having asked; see host.h for H2.
 *
 * Place:   host. Each report changes the mirror and goes into the outbox under one lock, so that
 *          a broker that comes in between is told it once.
 * Threads: any; the runtime holds no lock.
 */
#include "host/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

static void put_id(struct dx_host *host, uint16_t type, uint64_t id)
{
	struct dx_wire_id body = {.id = id};

	dx_host_lost(dx_wire_type_name(type),
		     dx_outbox_put(&host->outbox, type, 0, 0, &body, sizeof(body), NULL, 0));
}

static void put_id_text(struct dx_host *host, uint16_t type, uint64_t id, const char *text)
{
	struct dx_wire_id body = {.id = id};

	dx_host_lost(dx_wire_type_name(type), dx_outbox_put(&host->outbox, type, 0, 0, &body,
							    sizeof(body), text, strlen(text)));
}

static void on_registered(void *context, uint64_t id)
{
	struct dx_host *host = context;

	dx_mutex_lock(&host->lock);
	dx_mirror_set_registered(&host->mirror, id);
	put_id(host, DX_WIRE_H_REGISTER, id);
	dx_mutex_unlock(&host->lock);
}

static void on_renamed(void *context, uint64_t id, const char *name)
{
	struct dx_host *host = context;

	dx_mutex_lock(&host->lock);
	dx_host_lost("mirror", dx_mirror_set_name(&host->mirror, id, name));
	put_id_text(host, DX_WIRE_H_SET_NAME, id, name);
	dx_mutex_unlock(&host->lock);
}

static void on_properties_set(void *context, uint64_t id, const struct dx_dict *properties)
{
	struct dx_host *host = context;
	struct dx_wire_id body = {.id = id};

	dx_mutex_lock(&host->lock);
	dx_host_lost("mirror", dx_mirror_set_properties(&host->mirror, id, properties));
	dx_host_lost("properties", dx_outbox_put_value(&host->outbox, DX_WIRE_H_SET_PROPERTIES, 0,
						       0, &body, sizeof(body), properties));
	dx_mutex_unlock(&host->lock);
}

static void on_property_removed(void *context, uint64_t id, const char *key)
{
	struct dx_host *host = context;

	dx_mutex_lock(&host->lock);
	dx_mirror_remove_property(&host->mirror, id, key);
	put_id_text(host, DX_WIRE_H_REMOVE_PROPERTY, id, key);
	dx_mutex_unlock(&host->lock);
}

static void put_entry(struct dx_host *host, const struct dx_wire_add_entry *body,
		      const struct dx_dict *properties)
{
	struct dx_dict *empty = properties == NULL ? dx_dict_new() : NULL;
	int rc = properties == NULL && empty == NULL
			 ? -ENOMEM
			 : dx_outbox_put_value(&host->outbox, DX_WIRE_H_ADD_ENTRY, 0, 0, body,
					       sizeof(*body),
					       properties == NULL ? empty : properties);

	(void)dx_object_unref(empty);
	dx_host_lost("entry", rc);
}

static void on_entry_added(void *context, uint64_t id, uint64_t parent_id, const char *class_name,
			   const char *name, const struct dx_dict *properties)
{
	struct dx_host *host = context;
	struct dx_wire_add_entry body = {.id = id, .parent_id = parent_id};

	(void)snprintf(body.class_name, sizeof(body.class_name), "%s", class_name);
	(void)snprintf(body.name, sizeof(body.name), "%s", name);
	dx_mutex_lock(&host->lock);
	dx_host_lost("mirror", dx_mirror_add_made(&host->mirror, id, parent_id, class_name, name,
						  properties));
	put_entry(host, &body, properties);
	dx_mutex_unlock(&host->lock);
}

static void on_entry_removed(void *context, uint64_t id)
{
	struct dx_host *host = context;

	dx_mutex_lock(&host->lock);
	dx_mirror_remove(&host->mirror, id);
	put_id(host, DX_WIRE_H_REMOVE_ENTRY, id);
	dx_mutex_unlock(&host->lock);
}

static void on_terminate_wanted(void *context, uint64_t id)
{
	struct dx_host *host = context;

	dx_mutex_lock(&host->lock);
	dx_mirror_want_termination(&host->mirror, id);
	put_id(host, DX_WIRE_H_TERMINATE_REQUEST, id);
	dx_mutex_unlock(&host->lock);
}

static uint16_t loss_type(bool was_reset)
{
	return was_reset ? DX_WIRE_H_DEVICE_RESET : DX_WIRE_H_DEVICE_LOST;
}

static void on_device_lost(void *context, uint64_t provider_id, bool was_reset)
{
	struct dx_host *host = context;

	dx_mutex_lock(&host->lock);
	dx_mirror_lose_provider(&host->mirror, provider_id, was_reset);
	put_id(host, loss_type(was_reset), provider_id);
	dx_mutex_unlock(&host->lock);
}

static void on_configured(void *context, uint64_t device_id, uint8_t value, bool match)
{
	struct dx_host *host = context;
	struct dx_wire_configured body = {
		.id = device_id, .value = value, .flags = match ? DX_CONFIGURED_MATCH : 0};

	dx_mutex_lock(&host->lock);
	dx_host_lost("mirror", dx_mirror_set_configuration(&host->mirror, device_id, value, match));
	dx_host_lost("configuration", dx_outbox_put(&host->outbox, DX_WIRE_H_CONFIGURED, 0, 0,
						    &body, sizeof(body), NULL, 0));
	dx_mutex_unlock(&host->lock);
}

static void put_busy(struct dx_host *host, uint64_t id, int32_t delta)
{
	struct dx_wire_adjust body = {.id = id, .delta = delta};

	dx_host_lost("busy", dx_outbox_put(&host->outbox, DX_WIRE_H_ADJUST_BUSY, 0, 0, &body,
					   sizeof(body), NULL, 0));
}

static void on_busy_adjusted(void *context, uint64_t id, int32_t delta)
{
	struct dx_host *host = context;

	dx_mutex_lock(&host->lock);
	dx_mirror_adjust_busy(&host->mirror, id, delta);
	put_busy(host, id, delta);
	dx_mutex_unlock(&host->lock);
}

static void put_watch(void *context, uint64_t cookie, const struct dx_dict *matching)
{
	struct dx_host *host = context;
	struct dx_wire_id body = {.id = cookie};

	dx_host_lost("watch", dx_outbox_put_value(&host->outbox, DX_WIRE_H_WATCH, 0, 0, &body,
						  sizeof(body), matching));
}

static void on_watch_wanted(void *context, uint64_t cookie, const struct dx_dict *matching)
{
	struct dx_host *host = context;

	dx_mutex_lock(&host->lock);
	dx_host_lost("mirror", dx_mirror_add_watch(&host->mirror, cookie, matching));
	put_watch(host, cookie, matching);
	dx_mutex_unlock(&host->lock);
}

static void on_watch_ended(void *context, uint64_t cookie)
{
	struct dx_host *host = context;

	dx_mutex_lock(&host->lock);
	dx_mirror_remove_watch(&host->mirror, cookie);
	put_id(host, DX_WIRE_H_UNWATCH, cookie);
	dx_mutex_unlock(&host->lock);
}

const struct dx_runtime_ops dx_host_runtime_ops = {
	.registered = on_registered,
	.renamed = on_renamed,
	.properties_set = on_properties_set,
	.property_removed = on_property_removed,
	.entry_added = on_entry_added,
	.entry_removed = on_entry_removed,
	.terminate_wanted = on_terminate_wanted,
	.device_lost = on_device_lost,
	.configured = on_configured,
	.busy_adjusted = on_busy_adjusted,
	.watch_wanted = on_watch_wanted,
	.watch_ended = on_watch_ended,
};

/* ------------------------------------------------------------------------------------------- */
/* Adoption: the whole state, and then what is no state                                        */

static struct dx_dict *describe(struct dx_host *host)
{
	struct dx_dict *dict = dx_dict_new();
	struct dx_array *services = dx_mirror_describe(&host->mirror);
	static const char *const same[][2] = {{DX_ADOPT_IDENTIFIER_KEY, DX_SETUP_IDENTIFIER_KEY},
					      {DX_ADOPT_BUNDLE_KEY, DX_SETUP_BUNDLE_KEY},
					      {DX_ADOPT_SERVER_KEY, DX_SETUP_SERVER_KEY}};
	int rc = dict == NULL || services == NULL ? -ENOMEM : 0;

	for (size_t i = 0; rc == 0 && i < DX_ARRAY_SIZE(same); i++) {
		rc = dx_dict_set_string(dict, same[i][0],
					dx_dict_get_string(host->setup, same[i][1], ""));
	}
	if (rc == 0) {
		rc = dx_dict_set_u64(dict, DX_ADOPT_PID_KEY, (uint64_t)getpid(), 32);
	}
	if (rc == 0) {
		rc = dx_dict_set_u64(dict, DX_ADOPT_FIRST_ID_KEY, host->first_id, 64);
	}
	if (rc == 0) {
		rc = dx_dict_set_u64(dict, DX_ADOPT_NR_IDS_KEY, host->nr_ids, 64);
	}
	if (rc == 0) {
		rc = dx_dict_set(dict, DX_ADOPT_SERVICES_KEY, services);
	}
	(void)dx_object_unref(services);
	return rc == 0 ? dict : dx_object_unref(dict);
}

static void put_news(void *context, const struct dx_mirror_news *news)
{
	struct dx_host *host = context;

	if (news->busy != 0) {
		put_busy(host, news->id, news->busy);
	}
	if (news->provider_lost) {
		put_id(host, loss_type(news->provider_reset), news->parent_id);
	}
	if (news->termination_wanted) {
		put_id(host, DX_WIRE_H_TERMINATE_REQUEST, news->id);
	}
}

static int introduce_locked(struct dx_host *host) DX_REQUIRES(host->lock)
{
	struct dx_wire_hello hello = {.role = DX_WIRE_ROLE_HOST};
	struct dx_dict *dict = describe(host);
	int rc = dict == NULL ? -ENOMEM
			      : dx_outbox_put(&host->outbox, DX_WIRE_A_HELLO, 1, 0, &hello,
					      sizeof(hello), NULL, 0);

	if (rc == 0) {
		rc = dx_outbox_put_value(&host->outbox, DX_WIRE_H_ADOPT, 0, 0, NULL, 0, dict);
	}
	(void)dx_object_unref(dict);
	if (rc == 0) {
		dx_mirror_each_news(&host->mirror, put_news, host);
		dx_mirror_each_watch(&host->mirror, put_watch, host);
	}
	return rc;
}

int dx_host_introduce(struct dx_host *host)
{
	dx_runtime_services_again(host->runtime);
	dx_mutex_lock(&host->lock);
	host->nr_brokers++;
	dx_outbox_attach(&host->outbox);
	int rc = introduce_locked(host);
	dx_mutex_unlock(&host->lock);
	return rc;
}

/* SPDX-License-Identifier: MIT
 *
 * waiters - answers that come later: quiet, entry gone, bundle gone; see clients.h.
 *
 * Place:      daemon, part of clients.
 *             A wait remembers ids: an entry that goes away is as quiet as it gets.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "daemon/clients.h"

struct wait {
	struct dx_list node; /* broker->waiters */
	struct dx_client *client;
	enum dx_wait_kind kind;
	uint16_t type;
	uint32_t seq;
	uint64_t id;
	const void *bundle; /* compared only */
	struct dx_loop_source *timer;
};

static void wait_free(struct wait *wait)
{
	wait->client->nr_waits--;
	wait->timer = dx_loop_source_remove(wait->timer);
	dx_list_remove(&wait->node);
	free(wait);
}

static void wait_end(struct wait *wait, int32_t status)
{
	if (status == 0) {
		dx_client_reply(wait->client, wait->type, wait->seq, 0, NULL, 0, NULL);
	} else {
		dx_client_fail(wait->client, wait->type, wait->seq, status, NULL);
	}
	wait_free(wait);
}

static void timed_out(void *context)
{
	wait_end(context, DX_KR_TIMEOUT);
}

int dx_wait_add(struct dx_client *client, enum dx_wait_kind kind, uint16_t type, uint32_t seq,
		uint64_t id, const void *bundle, uint64_t timeout_ns)
{
	struct dx_broker *broker = client->broker;
	struct wait *wait = calloc(1, sizeof(*wait));
	uint64_t deadline = dx_clock_now_ns() + timeout_ns;
	int r = 0;

	if (wait == NULL) {
		return -ENOMEM;
	}
	*wait = (struct wait){.client = client,
			      .kind = kind,
			      .type = type,
			      .seq = seq,
			      .id = id,
			      .bundle = bundle};
	r = dx_loop_add_timer(broker->loop, timed_out, wait, &wait->timer);
	if (r < 0) {
		free(wait);
		return r;
	}
	if (deadline > timeout_ns) { /* else it is so far away that it overflows */
		dx_loop_set_timer(wait->timer, deadline);
	}
	dx_list_push_back(&broker->waiters, &wait->node);
	client->nr_waits++;
	return 0;
}

static void end_all(struct dx_broker *broker, enum dx_wait_kind kind, uint64_t id,
		    const void *bundle)
{
	dx_list_for_each_safe (node, &broker->waiters) {
		struct wait *wait = dx_list_entry(node, struct wait, node);

		if (wait->kind == kind && wait->id == id && wait->bundle == bundle) {
			wait_end(wait, 0);
		}
	}
}

void dx_waits_entry_quiet(struct dx_broker *broker, uint64_t id)
{
	end_all(broker, DX_WAIT_QUIET, id, NULL);
}

void dx_waits_entry_gone(struct dx_broker *broker, uint64_t id)
{
	end_all(broker, DX_WAIT_ENTRY_GONE, id, NULL);
	end_all(broker, DX_WAIT_QUIET, id, NULL);
}

void dx_waits_bundle_gone(struct dx_broker *broker, const void *bundle)
{
	end_all(broker, DX_WAIT_BUNDLE_GONE, 0, bundle);
}

void dx_waits_client_gone(struct dx_client *client)
{
	dx_list_for_each_safe (node, &client->broker->waiters) {
		struct wait *wait = dx_list_entry(node, struct wait, node);

		if (wait->client == client) {
			wait_free(wait);
		}
	}
}

/* SPDX-License-Identifier: MIT
 *
 * event_link - IOEventLink: signals between two threads, one of them in another program.
 *
 * Place:   driver. The other end is played by OpenDextEventLinkSignal().
 * Threads: any; one waits.
 */
#include <opendext/link.h>

#include <pthread.h>

#include "driver/client_part.h"
#include "driver/clocks.h"
#include "driver/reactor.h"

enum association { NOBODY, NEXT_WAITER, THREAD };

struct event_link {
	struct dx_client_part part; /* its lock guards what follows */
	struct dx_cond cond;
	bool active DX_GUARDED_BY(part.lock);
	bool cancelled DX_GUARDED_BY(part.lock);
	uint64_t nr_received DX_GUARDED_BY(part.lock); /* and not consumed */
	uint64_t nr_sent DX_GUARDED_BY(part.lock);     /* and not taken */
	enum association association DX_GUARDED_BY(part.lock);
	pthread_t thread DX_GUARDED_BY(part.lock); /* the associated one */
};

static void link_free(struct dx_object *object)
{
	struct event_link *link = (struct event_link *)object;

	dx_cond_fini(&link->cond);
	dx_client_part_fini(&link->part);
}

static const struct dx_class link_class = {
	.name = "IOEventLink",
	.instance_size = sizeof(struct event_link),
	.free = link_free,
};

const OSDriverClass IOEventLinkClass = {
	.name = "IOEventLink", .super = &OSObjectClass, .reserved = {&link_class}};

static struct event_link *link_of(const IOEventLink *link)
{
	return dx_object_is_kind(link, &link_class) ? (struct event_link *)(uintptr_t)link : NULL;
}

kern_return_t IOEventLinkCreate(OSString *name, IOUserClient *userClient, IOEventLink **link)
{
	void *made = NULL;

	if (link == NULL) {
		return kIOReturnBadArgument;
	}
	kern_return_t status =
		dx_client_part_new(&link_class, name, kIOEventLinkMaxNameLength, userClient, &made);
	if (status == kIOReturnSuccess) {
		dx_cond_init(&((struct event_link *)made)->cond);
		*link = made;
	}
	return status;
}

kern_return_t IOEventLinkInvalidate(IOEventLink *link)
{
	struct event_link *core = link_of(link);

	return dx_client_part_invalidate(core == NULL ? NULL : &core->part);
}

static kern_return_t status_locked(const struct event_link *link) DX_REQUIRES(link->part.lock)
{
	if (link->cancelled) {
		return kIOReturnAborted;
	}
	return link->active ? kIOReturnSuccess : kIOReturnNotReady;
}

kern_return_t IOEventLinkActivate(IOEventLink *link)
{
	struct event_link *core = link_of(link);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->part.lock);
	core->active = true;
	kern_return_t status = status_locked(core);
	dx_mutex_unlock(&core->part.lock);
	return status;
}

kern_return_t IOEventLinkCancel(IOEventLink *link)
{
	struct event_link *core = link_of(link);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->part.lock);
	core->cancelled = true;
	dx_cond_broadcast(&core->cond);
	dx_mutex_unlock(&core->part.lock);
	return kIOReturnSuccess;
}

/* ---- who waits ---- */

static bool is_mine_locked(const struct event_link *link) DX_REQUIRES(link->part.lock)
{
	return link->association == THREAD && pthread_equal(link->thread, pthread_self()) != 0;
}

kern_return_t IOEventLinkAssociate(IOEventLink *link, uint64_t options)
{
	struct event_link *core = link_of(link);

	if (core == NULL || options > kIOEventLinkAssociateOnWait) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->part.lock);
	kern_return_t status = status_locked(core);
	if (status == kIOReturnSuccess && core->association != NOBODY && !is_mine_locked(core)) {
		status = kIOReturnBusy;
	} else if (status == kIOReturnSuccess) {
		core->association = options == kIOEventLinkAssociateOnWait ? NEXT_WAITER : THREAD;
		core->thread = pthread_self();
	}
	dx_mutex_unlock(&core->part.lock);
	return status;
}

kern_return_t IOEventLinkDisassociate(IOEventLink *link)
{
	struct event_link *core = link_of(link);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->part.lock);
	bool may = core->association == NEXT_WAITER || is_mine_locked(core);
	core->association = may ? NOBODY : core->association;
	dx_mutex_unlock(&core->part.lock);
	return may ? kIOReturnSuccess : kIOReturnNotPermitted;
}

/* ---- signals ---- */

kern_return_t IOEventLinkSignal(IOEventLink *link)
{
	struct event_link *core = link_of(link);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->part.lock);
	kern_return_t status = status_locked(core);
	core->nr_sent += status == kIOReturnSuccess;
	dx_mutex_unlock(&core->part.lock);
	return status;
}

kern_return_t OpenDextEventLinkSignal(IOEventLink *link, uint64_t *signalsTaken)
{
	struct event_link *core = link_of(link);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->part.lock);
	kern_return_t status = status_locked(core);
	if (status == kIOReturnSuccess && signalsTaken != NULL) {
		*signalsTaken = core->nr_sent; /* before anybody is woken */
	}
	if (status == kIOReturnSuccess) {
		core->nr_sent = 0;
		core->nr_received++;
		dx_cond_broadcast(&core->cond);
	}
	dx_mutex_unlock(&core->part.lock);
	return status;
}

/* The calling thread is, or becomes, the one that waits. */
static kern_return_t claim_locked(struct event_link *link) DX_REQUIRES(link->part.lock)
{
	kern_return_t status = status_locked(link);

	if (status != kIOReturnSuccess || is_mine_locked(link)) {
		return status;
	}
	if (link->association == NEXT_WAITER) {
		link->association = THREAD;
		link->thread = pthread_self();
		return kIOReturnSuccess;
	}
	return link->association == NOBODY ? kIOReturnNotReady : kIOReturnNotPermitted;
}

/* deadline_ns 0: none. */
static kern_return_t wait_locked(struct event_link *link, uint64_t deadline_ns,
				 uint64_t *ret_signals) DX_REQUIRES(link->part.lock)
{
	kern_return_t status = claim_locked(link);
	int result = 0;

	while (status == kIOReturnSuccess && link->nr_received == 0 && result == 0) {
		if (deadline_ns == 0) {
			dx_cond_wait(&link->cond, &link->part.lock);
		} else {
			result = dx_cond_wait_until(&link->cond, &link->part.lock, deadline_ns);
		}
		status = status_locked(link);
	}
	if (status == kIOReturnSuccess) {
		*ret_signals = link->nr_received;
		link->nr_received = 0;
		status = *ret_signals == 0 ? kIOReturnTimeout : kIOReturnSuccess;
	}
	return status;
}

static kern_return_t wait_until(IOEventLink *link, uint64_t deadline_ns, bool signal,
				uint64_t *signalsConsumed)
{
	struct event_link *core = link_of(link);
	uint64_t nr_signals = 0;
	kern_return_t status = signal ? IOEventLinkSignal(link) : kIOReturnSuccess;

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	if (status == kIOReturnSuccess) {
		dx_reactor_blocking_begin();
		dx_mutex_lock(&core->part.lock);
		status = wait_locked(core, deadline_ns, &nr_signals);
		dx_mutex_unlock(&core->part.lock);
		dx_reactor_blocking_end();
	}
	if (signalsConsumed != NULL) {
		*signalsConsumed = nr_signals;
	}
	return status;
}

kern_return_t IOEventLinkWait(IOEventLink *link, uint64_t *signalsConsumed)
{
	return wait_until(link, 0, false, signalsConsumed);
}

kern_return_t IOEventLinkWaitUntil(IOEventLink *link, uint64_t clockOptions, uint64_t timeout,
				   uint64_t *signalsConsumed)
{
	uint64_t deadline_ns = 0;

	if (!dx_clock_to_monotonic(clockOptions, timeout, &deadline_ns)) {
		return kIOReturnBadArgument;
	}
	return wait_until(link, deadline_ns, false, signalsConsumed);
}

kern_return_t IOEventLinkSignalAndWait(IOEventLink *link, uint64_t *signalsConsumed)
{
	return wait_until(link, 0, true, signalsConsumed);
}

kern_return_t IOEventLinkSignalAndWaitUntil(IOEventLink *link, uint64_t clockOptions,
					    uint64_t timeout, uint64_t *signalsConsumed)
{
	uint64_t deadline_ns = 0;

	if (!dx_clock_to_monotonic(clockOptions, timeout, &deadline_ns)) {
		return kIOReturnBadArgument;
	}
	return wait_until(link, deadline_ns, true, signalsConsumed);
}

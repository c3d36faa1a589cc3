/* SPDX-License-Identifier: MIT
 *
 * notify - see notify.h.
 */
#include "client/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <IOKit/IOKitLib.h>
#include <IOKit/IOMessage.h>

#include "base/cleanup.h"
#include "base/ioreturn.h"
#include "base/limits.h"
#include "client/connection.h"
#include "client/message.h"
#include "client/names.h"
#include "client/port.h"
#include "client/service.h"
#include "client/session.h"

#define MAX_KNOWN 4096u /* services a subscription remembers; the oldest are forgotten */

struct subscription {
	struct dx_watch watch;
	struct IONotificationPort *port; /* counted */
	void *refcon;
	uint64_t reference; /* first word of its messages */
	uint32_t name;
	atomic_bool cancelled;
};

struct matching {
	struct subscription base;
	IOServiceMatchingCallback callback;
	struct dx_mutex lock; /* order 59; guards: all below */
	uint64_t *backlog DX_GUARDED_BY(lock);
	uint32_t nr_backlog DX_GUARDED_BY(lock);
	uint64_t *known DX_GUARDED_BY(lock); /* ring */
	uint32_t nr_known DX_GUARDED_BY(lock);
	bool armed DX_GUARDED_BY(lock);
};

struct interest {
	struct subscription base;
	IOServiceInterestCallback callback;
	io_service_t service; /* the program's handle; or its connection */
	struct dx_port_ending ending; /* of a connection */
};

static void subscription_fini(struct subscription *subscription)
{
	(void)dx_object_unref(subscription->watch.matching); /* always NULL, also below */
	(void)dx_object_unref(subscription->port);
}

static void matching_free(struct dx_object *object)
{
	struct matching *matching = (void *)object;

	dx_mutex_lock(&matching->lock);
	free(matching->backlog);
	free(matching->known);
	dx_mutex_unlock(&matching->lock);
	dx_mutex_fini(&matching->lock);
	subscription_fini(&matching->base);
}

static void interest_free(struct dx_object *object)
{
	subscription_fini(&((struct interest *)(void *)object)->base);
}

static void dropped(void *object)
{
	struct subscription *subscription = object;

	atomic_store_explicit(&subscription->cancelled, true, memory_order_relaxed);
	dx_session_unwatch(&subscription->watch);
	dx_port_remove_watch(subscription->port);
}

static void ending_dropped(void *object)
{
	struct interest *interest = object;

	atomic_store_explicit(&interest->base.cancelled, true, memory_order_relaxed);
	dx_port_remove_ending(interest->base.port, &interest->ending);
}

const struct dx_named_class dx_matching_class = {
	.class = {
		.name = "matching notification",
		.instance_size = sizeof(struct matching),
		.free = matching_free,
	},
	.dropped = dropped,
};

const struct dx_named_class dx_interest_class = {
	.class = {
		.name = "interest notification",
		.instance_size = sizeof(struct interest),
		.free = interest_free,
	},
	.dropped = dropped,
};

/* An interest in a connection: the broker has no part in it. */
const struct dx_named_class dx_ending_class = {
	.class = {
		.name = "interest notification",
		.instance_size = sizeof(struct interest),
		.free = interest_free,
	},
	.dropped = ending_dropped,
};

static bool is_cancelled(struct subscription *subscription)
{
	return atomic_load_explicit(&subscription->cancelled, memory_order_relaxed);
}

/* --- matching ------------------------------------------------------------------------------ */

static unsigned deliver_matching(struct dx_delivery *delivery)
{
	struct matching *matching = delivery->object;

	if (is_cancelled(&matching->base) || matching->callback == NULL) {
		return 0;
	}
	matching->callback(matching->base.refcon, matching->base.name);
	return 1;
}

/* The kind as messages tell it. */
static uint32_t message_type(const struct dx_watch *watch)
{
	if (strncmp(watch->kind, kIOTerminatedNotification, sizeof(watch->kind)) == 0 ||
	    strncmp(watch->kind, kIOWillTerminateNotification, sizeof(watch->kind)) == 0) {
		return kIOServiceTerminatedNotificationType;
	}
	if (strncmp(watch->kind, kIOMatchedNotification, sizeof(watch->kind)) == 0 ||
	    strncmp(watch->kind, kIOFirstMatchNotification, sizeof(watch->kind)) == 0) {
		return kIOServiceMatchedNotificationType;
	}
	return kIOServicePublishNotificationType;
}

static void tell_matching(const struct dx_delivery *delivery, struct dx_notice *ret_notice)
{
	const struct matching *matching = delivery->object;

	ret_notice->type = message_type(&matching->base.watch);
	ret_notice->remote_port = matching->base.name;
	ret_notice->reference[kIOAsyncReservedIndex] = matching->base.reference;
	ret_notice->reference[kIOMatchingCalloutFuncIndex] = (uintptr_t)matching->callback;
	ret_notice->reference[kIOMatchingCalloutRefconIndex] = (uintptr_t)matching->base.refcon;
}

/* True the first time a service is seen (Y3). */
static bool learn(struct matching *matching, uint64_t id) DX_REQUIRES(matching->lock)
{
	uint32_t count = matching->nr_known < MAX_KNOWN ? matching->nr_known : MAX_KNOWN;

	for (uint32_t i = 0; i < count; i++) {
		if (matching->known[i] == id) {
			return false;
		}
	}
	if (count < MAX_KNOWN && (count & (count - 1)) == 0) { /* room for the next power of two */
		size_t size = count == 0 ? 1 : (size_t)count * 2;
		uint64_t *known = reallocarray(matching->known, size, sizeof(*known));

		if (known == NULL) {
			return true; /* told, and perhaps told again */
		}
		matching->known = known;
	}
	matching->known[matching->nr_known % MAX_KNOWN] = id;
	matching->nr_known += 1;
	return true;
}

static bool keep(struct matching *matching, uint64_t id) DX_REQUIRES(matching->lock)
{
	if (matching->nr_backlog >= DX_MAX_ITERATOR_BACKLOG) {
		return false;
	}
	if ((matching->nr_backlog & (matching->nr_backlog - 1)) == 0) {
		size_t size = matching->nr_backlog == 0 ? 1 : (size_t)matching->nr_backlog * 2;
		uint64_t *backlog = reallocarray(matching->backlog, size, sizeof(*backlog));

		if (backlog == NULL) {
			return false;
		}
		matching->backlog = backlog;
	}
	matching->backlog[matching->nr_backlog++] = id;
	return true;
}

static void matching_event(struct dx_watch *watch, const struct dx_wire_event *event)
{
	struct matching *matching = (void *)watch;
	struct dx_delivery delivery = {
		.deliver = deliver_matching, .tell = tell_matching, .object = matching};

	dx_mutex_lock(&matching->lock);
	bool tell = learn(matching, event->id) && keep(matching, event->id) && matching->armed;
	if (tell) {
		matching->armed = false;
	}
	dx_mutex_unlock(&matching->lock);
	if (!tell) {
		return;
	}
	(void)dx_object_ref(matching); /* the delivery's */
	if (dx_port_push(matching->base.port, &delivery) < 0) {
		/* Out of memory or destroyed: the services wait in the iterator. */
		dx_mutex_lock(&matching->lock);
		matching->armed = true;
		dx_mutex_unlock(&matching->lock);
		(void)dx_object_unref(matching); /* always NULL */
	}
}

bool dx_matching_next(void *subscription, uint64_t *ret_id)
{
	struct matching *matching = subscription;

	dx_mutex_lock(&matching->lock);
	bool any = matching->nr_backlog > 0;
	if (any) {
		*ret_id = matching->backlog[--matching->nr_backlog];
	} else {
		matching->armed = true;
	}
	dx_mutex_unlock(&matching->lock);
	return any;
}

/* --- interest ------------------------------------------------------------------------------ */

static unsigned deliver_interest(struct dx_delivery *delivery)
{
	struct interest *interest = delivery->object;

	if (is_cancelled(&interest->base) || interest->callback == NULL) {
		return 0;
	}
	interest->callback(interest->base.refcon, interest->service, (uint32_t)delivery->result,
			   (void *)(uintptr_t)delivery->args[0]);
	return 1;
}

static void tell_interest(const struct dx_delivery *delivery, struct dx_notice *ret_notice)
{
	const struct interest *interest = delivery->object;
	struct IOServiceInterestContent64 content = {
		.messageType = (natural_t)delivery->result,
		.messageArgument = {delivery->args[0]},
	};

	ret_notice->type = kIOServiceMessageNotificationType;
	ret_notice->remote_port = interest->service;
	ret_notice->reference[kIOInterestCalloutFuncIndex] = (uintptr_t)interest->callback;
	ret_notice->reference[kIOInterestCalloutRefconIndex] = (uintptr_t)interest->base.refcon;
	ret_notice->reference[kIOInterestCalloutServiceIndex] = interest->service;
	ret_notice->content_bytes = sizeof(content);
	memcpy(ret_notice->content, &content, sizeof(content));
}

static struct dx_delivery interest_delivery(struct interest *interest, uint32_t type,
					    uint64_t argument)
{
	return (struct dx_delivery){
		.deliver = deliver_interest,
		.tell = tell_interest,
		.object = dx_object_ref(interest),
		.result = (int32_t)type,
		.nr_args = 1,
		.args = {argument},
	};
}

static void interest_event(struct dx_watch *watch, const struct dx_wire_event *event)
{
	struct interest *interest = (void *)watch;
	struct dx_delivery delivery =
		interest_delivery(interest, event->message_type, event->argument);

	if (dx_port_push(interest->base.port, &delivery) < 0) {
		(void)dx_object_unref(interest); /* always NULL; nobody is left to hear it */
	}
}

static void interest_ended(void *object)
{
	struct interest *interest = object;
	struct dx_delivery delivery = interest_delivery(interest, kIOMessageServiceIsTerminated, 0);

	if (dx_port_push_last(interest->base.port, &delivery) < 0) {
		(void)dx_object_unref(interest); /* always NULL; nobody is left to hear it */
	}
}

/* --- both ---------------------------------------------------------------------------------- */

static bool set_kind(struct dx_watch *watch, const char *kind)
{
	size_t length = kind == NULL ? 0 : strnlen(kind, sizeof(watch->kind));

	if (length == 0 || length >= sizeof(watch->kind)) {
		return false;
	}
	memcpy(watch->kind, kind, length);
	return true;
}

/* Names the subscription and starts it. */
static kern_return_t start(struct subscription *subscription, uint32_t *ret_name)
{
	int32_t status = 0;
	uint32_t name = 0;

	dx_list_init(&subscription->watch.node);
	int error = dx_names_add(subscription, &name);
	if (error < 0) {
		return dx_ioreturn_from_errno(error);
	}
	subscription->name = name;
	dx_port_add_watch(subscription->port); /* until it is dropped */
	error = dx_session_watch(&subscription->watch, &status);
	if (error == 0) {
		error = dx_port_attach_session(subscription->port);
	}
	if (error < 0) {
		(void)dx_names_release(name); /* ours, which ends the watch if there is one */
		return dx_session_result(error, status);
	}
	*ret_name = name;
	return kIOReturnSuccess;
}

/* What a program wants to be told of. */
struct wish {
	IONotificationPortRef port;
	const char *kind;
	const struct dx_dict *dict;
	IOServiceMatchingCallback callback;
	void *refcon;
	uint64_t reference;
};

static kern_return_t add_matching(const struct wish *wish, io_iterator_t *ret_iterator)
{
	struct matching *matching = dx_object_new(&dx_matching_class.class);

	if (matching == NULL) {
		return kIOReturnNoMemory;
	}
	dx_mutex_init(&matching->lock);
	matching->callback = wish->callback;
	matching->base.port = dx_object_ref(wish->port);
	matching->base.refcon = wish->refcon;
	matching->base.reference = wish->reference;
	matching->base.watch.matching = dx_object_ref(wish->dict);
	matching->base.watch.event = matching_event;
	kern_return_t result = set_kind(&matching->base.watch, wish->kind)
				       ? start(&matching->base, ret_iterator)
				       : kIOReturnUnsupported;
	(void)dx_object_unref(matching); /* always NULL */
	return result;
}

kern_return_t IOServiceAddMatchingNotification(IONotificationPortRef notifyPort,
					       const char *notificationType,
					       CFDictionaryRef matching,
					       IOServiceMatchingCallback callback, void *refCon,
					       io_iterator_t *notification)
{
	const struct wish wish = {
		.port = notifyPort,
		.kind = notificationType,
		.dict = (const void *)matching,
		.callback = callback,
		.refcon = refCon,
	};
	kern_return_t result = kIOReturnBadArgument;

	if (matching == NULL) {
		return kIOReturnBadArgument;
	}
	if (notifyPort != NULL && notification != NULL) {
		*notification = IO_OBJECT_NULL;
		result = dx_matching_is_good(matching) ? add_matching(&wish, notification)
						       : kIOReturnUnsupported;
	}
	CFRelease(matching);
	return result;
}

kern_return_t IOServiceAddNotification(mach_port_t mainPort, const char *notificationType,
				       CFDictionaryRef matching, mach_port_t wakePort,
				       uintptr_t reference, io_iterator_t *notification)
{
	struct wish wish = {
		.port = dx_names_get(wakePort, &dx_port_class),
		.kind = notificationType,
		.dict = (const void *)matching,
		.reference = reference,
	};
	kern_return_t result = kIOReturnBadArgument;

	if (matching != NULL && wish.port != NULL && notification != NULL) {
		*notification = IO_OBJECT_NULL;
		result = mainPort != MACH_PORT_NULL && mainPort != DX_NAME_MAIN_PORT
				 ? kIOReturnNotPrivileged
			 : dx_matching_is_good(matching) ? add_matching(&wish, notification)
							 : kIOReturnUnsupported;
	}
	(void)dx_object_unref(wish.port); /* always NULL */
	if (matching != NULL) {
		CFRelease(matching);
	}
	return result;
}

/* The messages of a service, or the end of a connection, that a program wants to be told of. */
struct wish_for_messages {
	IONotificationPortRef port;
	io_service_t service;
	const char *kind;
	IOServiceInterestCallback callback;
	void *refcon;
};

static struct interest *interest_new(const struct dx_named_class *class,
				     const struct wish_for_messages *wish)
{
	struct interest *interest = dx_object_new(&class->class);

	if (interest != NULL) {
		interest->callback = wish->callback;
		interest->service = wish->service;
		interest->base.port = dx_object_ref(wish->port);
		interest->base.refcon = wish->refcon;
	}
	return interest;
}

static kern_return_t add_interest(const struct wish_for_messages *wish, uint64_t id,
				  io_object_t *ret_notification)
{
	struct interest *interest = interest_new(&dx_interest_class, wish);

	if (interest == NULL) {
		return kIOReturnNoMemory;
	}
	interest->base.watch.service = id;
	interest->base.watch.event = interest_event;
	kern_return_t result = set_kind(&interest->base.watch, wish->kind)
				       ? start(&interest->base, ret_notification)
				       : kIOReturnUnsupported;
	(void)dx_object_unref(interest); /* always NULL */
	return result;
}

/* A connection that has ended already is told of, too; one that the program closed is none. */
static kern_return_t add_ending(const struct wish_for_messages *wish,
				struct dx_connection *connection, io_object_t *ret_notification)
{
	uint32_t name = 0;

	if (strcmp(wish->kind, kIOGeneralInterest) != 0) {
		return kIOReturnUnsupported;
	}
	if (atomic_load_explicit(&connection->closed, memory_order_relaxed)) {
		return MACH_SEND_INVALID_DEST;
	}
	struct interest *interest = interest_new(&dx_ending_class, wish);
	if (interest == NULL) {
		return kIOReturnNoMemory;
	}
	dx_list_init(&interest->ending.node);
	interest->ending.object = interest;
	interest->ending.ended = interest_ended;
	int error = dx_names_add(interest, &name);
	if (error == 0) {
		error = dx_port_add_ending(wish->port, connection, &interest->ending);
		if (error < 0) {
			(void)dx_names_release(name); /* ours */
		}
	}
	(void)dx_object_unref(interest); /* always NULL */
	if (error < 0) {
		return error == -ESHUTDOWN ? kIOReturnBadArgument : dx_ioreturn_from_errno(error);
	}
	*ret_notification = name;
	return kIOReturnSuccess;
}

kern_return_t IOServiceAddInterestNotification(IONotificationPortRef notifyPort,
					       io_service_t service, const char *interestType,
					       IOServiceInterestCallback callback, void *refCon,
					       io_object_t *notification)
{
	const struct wish_for_messages wish = {
		.port = notifyPort,
		.service = service,
		.kind = interestType,
		.callback = callback,
		.refcon = refCon,
	};
	uint64_t id = 0;

	if (notifyPort == NULL || notification == NULL || interestType == NULL) {
		return kIOReturnBadArgument;
	}
	*notification = IO_OBJECT_NULL;
	struct dx_connection *connection = dx_names_get(service, &dx_connection_class);
	kern_return_t result = connection == NULL ? dx_service_id(service, &id)
						  : add_ending(&wish, connection, notification);
	if (connection == NULL && result == kIOReturnSuccess) {
		result = add_interest(&wish, id, notification);
	}
	(void)dx_object_unref(connection); /* always NULL */
	return result;
}

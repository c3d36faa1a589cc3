/* SPDX-License-Identifier: MIT
 *
 * connect - public functions on connections that neither call nor map: references, closing, traps,
 * counters, and those that drivers' connections do not have.
 *
 * Place:   client, over connection.
 */
#include <errno.h>
#include <string.h>

#include <opendext/client.h>

#include "client/connection.h"
#include "client/session.h"

kern_return_t IOServiceClose(io_connect_t connect)
{
	struct dx_connection *connection = dx_names_get(connect, &dx_connection_class);

	if (connection == NULL) {
		return dx_names_refs(connect) > 0 ? kIOReturnBadArgument : MACH_SEND_INVALID_DEST;
	}
	dx_connection_close(connection);
	(void)dx_object_unref(connection); /* always NULL */
	(void)dx_names_release(connect);   /* another thread may have been faster */
	dx_session_settle();
	return kIOReturnSuccess;
}

kern_return_t IOConnectAddRef(io_connect_t connect)
{
	return IOObjectRetain(connect);
}

kern_return_t IOConnectRelease(io_connect_t connect)
{
	return IOObjectRelease(connect);
}

/* What these connections do not have; waits for running calls like everything that changes. */
static kern_return_t unsupported(io_connect_t connect, bool exclusive)
{
	struct dx_connection *connection = NULL;
	kern_return_t result = dx_connection_enter(connect, exclusive, &connection);

	if (result != kIOReturnSuccess) {
		return result;
	}
	dx_connection_leave(connection);
	return kIOReturnUnsupported;
}

kern_return_t IOConnectGetService(io_connect_t connect, io_service_t *service)
{
	if (service != NULL) {
		*service = IO_OBJECT_NULL;
	}
	return unsupported(connect, false);
}

kern_return_t IOConnectSetNotificationPort(io_connect_t connect, uint32_t type, mach_port_t port,
					   uintptr_t reference)
{
	(void)type;
	(void)port;
	(void)reference;
	return unsupported(connect, true);
}

kern_return_t IOConnectAddClient(io_connect_t connect, io_connect_t client)
{
	(void)client;
	return unsupported(connect, true);
}

kern_return_t IOConnectSetCFProperties(io_connect_t connect, CFTypeRef properties)
{
	(void)properties;
	return unsupported(connect, true);
}

kern_return_t IOConnectSetCFProperty(io_connect_t connect, CFStringRef propertyName,
				     CFTypeRef property)
{
	(void)propertyName;
	(void)property;
	return unsupported(connect, true);
}

/* Indices 0 and 1 attach ports that do not exist here; the others do nothing. */
static kern_return_t trap(io_connect_t connect, uint32_t index)
{
	struct dx_connection *connection = NULL;

	if (dx_connection_enter(connect, false, &connection) != kIOReturnSuccess) {
		return kIOReturnBadArgument;
	}
	dx_connection_leave(connection);
	return index <= 1 ? kIOReturnNotFound : kIOReturnSuccess;
}

kern_return_t IOConnectTrap0(io_connect_t connect, uint32_t index)
{
	return trap(connect, index);
}

kern_return_t IOConnectTrap1(io_connect_t connect, uint32_t index, uintptr_t p1)
{
	(void)p1;
	return trap(connect, index);
}

kern_return_t IOConnectTrap2(io_connect_t connect, uint32_t index, uintptr_t p1, uintptr_t p2)
{
	(void)p2;
	return IOConnectTrap1(connect, index, p1);
}

kern_return_t IOConnectTrap3(io_connect_t connect, uint32_t index, uintptr_t p1, uintptr_t p2,
			     uintptr_t p3)
{
	(void)p3;
	return IOConnectTrap2(connect, index, p1, p2);
}

kern_return_t IOConnectTrap4(io_connect_t connect, uint32_t index, uintptr_t p1, uintptr_t p2,
			     uintptr_t p3, uintptr_t p4)
{
	(void)p4;
	return IOConnectTrap3(connect, index, p1, p2, p3);
}

kern_return_t IOConnectTrap5(io_connect_t connect, uint32_t index, uintptr_t p1, uintptr_t p2,
			     uintptr_t p3, uintptr_t p4, uintptr_t p5)
{
	(void)p5;
	return IOConnectTrap4(connect, index, p1, p2, p3, p4);
}

kern_return_t IOConnectTrap6(io_connect_t connect, uint32_t index, uintptr_t p1, uintptr_t p2,
			     uintptr_t p3, uintptr_t p4, uintptr_t p5, uintptr_t p6)
{
	(void)p6;
	return IOConnectTrap5(connect, index, p1, p2, p3, p4, p5);
}

static kern_return_t state_of(struct dx_connection *connection)
{
	if (atomic_load_explicit(&connection->closed, memory_order_relaxed)) {
		return kIOReturnNotOpen;
	}
	if (dx_channel_app_check_peer(connection->channel) == -ECHILD) {
		return MACH_SEND_INVALID_DEST; /* the parent's */
	}
	switch (dx_connection_look(connection)) {
	case DX_CONNECTION_ENDED:
		return kIOReturnNotAttached;
	case DX_CONNECTION_CRASHED:
		return kIOReturnOffline;
	default:
		return kIOReturnSuccess;
	}
}

kern_return_t IOConnectGetState(io_connect_t connect)
{
	struct dx_connection *connection = dx_names_get(connect, &dx_connection_class);

	if (connection == NULL) {
		return dx_names_refs(connect) > 0 ? kIOReturnBadArgument : MACH_SEND_INVALID_DEST;
	}
	kern_return_t result = state_of(connection);
	(void)dx_object_unref(connection); /* always NULL */
	return result;
}

static uint64_t read_counter(atomic_uint_fast64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed); /* a count, no order */
}

kern_return_t IOConnectGetStatistics(io_connect_t connect, struct IOConnectStatistics *statistics,
				     size_t size)
{
	if (statistics == NULL || size == 0 || size > sizeof(*statistics)) {
		return kIOReturnBadArgument;
	}
	struct dx_connection *connection = dx_names_get(connect, &dx_connection_class);
	if (connection == NULL) {
		return dx_names_refs(connect) > 0 ? kIOReturnBadArgument : MACH_SEND_INVALID_DEST;
	}
	struct dx_statistics *counters = &connection->statistics;
	struct dx_channel_app_counts channel;

	dx_channel_app_counts(connection->channel, &channel);
	struct IOConnectStatistics copy = {
		.calls = read_counter(&counters->calls),
		.notifications = read_counter(&counters->notifications),
		.doorbells = channel.rings,
		.sleeps = channel.sleeps,
		.yields = channel.yields,
		.wakeups = read_counter(&counters->wakeups),
		.port_calls = read_counter(&counters->port_calls),
		.bytes_copied_in = read_counter(&counters->bytes_in),
		.bytes_copied_out = read_counter(&counters->bytes_out),
		.bytes_mapped = read_counter(&counters->bytes_mapped),
		.pages_promoted = read_counter(&counters->pages_promoted),
	};
	memcpy(statistics, &copy, size);
	(void)dx_object_unref(connection); /* always NULL */
	return kIOReturnSuccess;
}

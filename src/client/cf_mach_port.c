/* SPDX-License-Identifier: MIT
 *
 * cf_mach_port - a run loop takes the messages of a port and hands them to the program.
 *
 * Place:   client, over message.h. A CFMachPort is the port of a run loop source: waiting is the
 *          notification port's, only delivering is its own.
 */
#include <stdatomic.h>

#include <CoreFoundation/CFMachPort.h>
#include <mach/message.h>

#include "client/cf.h"
#include "client/message.h"
#include "client/port.h"
#include "client/runloop.h"

#define MAX_PER_ROUND 64u /* messages before other sources get their turn */

struct __CFMachPort {
	struct dx_object object;
	struct IONotificationPort *port; /* counted */
	CFMachPortCallBack callout;
	CFMachPortContext context;
	atomic_bool valid;
};

static void mach_port_free(struct dx_object *object)
{
	struct __CFMachPort *port = (void *)object;

	if (port->context.release != NULL) {
		port->context.release(port->context.info);
	}
	(void)dx_object_unref(port->port); /* always NULL */
}

const struct dx_class dx_cf_mach_port_class = {
	.name = "mach port",
	.instance_size = sizeof(struct __CFMachPort),
	.free = mach_port_free,
};

/* --- the functions of a run loop source ------------------------------------------------------ */

static int descriptor(void *context)
{
	return dx_port_descriptor(((struct __CFMachPort *)context)->port);
}

static bool spin(void *context)
{
	return dx_port_spin(((struct __CFMachPort *)context)->port);
}

static bool arm(void *context)
{
	return dx_port_arm(((struct __CFMachPort *)context)->port);
}

static unsigned deliver(void *context)
{
	struct __CFMachPort *port = context;
	_Alignas(8) unsigned char message[DX_MESSAGE_MAX_BYTES];
	int32_t result = MACH_MSG_SUCCESS;
	unsigned count = 0;

	while (count < MAX_PER_ROUND && CFMachPortIsValid(port) && result == MACH_MSG_SUCCESS) {
		result = dx_message_receive(port->port, 0, message, sizeof(message), 0);
		/* The end of a connection counts, so that a run for one source returns. */
		count += result == MACH_MSG_SUCCESS || result == MACH_RCV_PORT_CHANGED ? 1 : 0;
		if (result == MACH_MSG_SUCCESS && port->callout != NULL) {
			port->callout(port, message,
				      (CFIndex)((mach_msg_header_t *)(void *)message)->msgh_size,
				      port->context.info);
		}
	}
	return count;
}

static bool is_over(void *context)
{
	return dx_port_is_over(((struct __CFMachPort *)context)->port);
}

static const struct dx_run_loop_port functions = {
	.descriptor = descriptor,
	.deliver = deliver,
	.spin = spin,
	.arm = arm,
	.is_over = is_over,
};

/* --- public ---------------------------------------------------------------------------------- */

CFTypeID CFMachPortGetTypeID(void)
{
	return DX_CF_MACH_PORT;
}

CFMachPortRef CFMachPortCreateWithPort(CFAllocatorRef allocator, mach_port_t portNum,
				       CFMachPortCallBack callout, CFMachPortContext *context,
				       Boolean *shouldFreeInfo)
{
	struct IONotificationPort *port = dx_names_get(portNum, &dx_port_class);
	struct __CFMachPort *made = port == NULL ? NULL : dx_object_new(&dx_cf_mach_port_class);

	(void)allocator;
	if (shouldFreeInfo != NULL) {
		*shouldFreeInfo = 0;
	}
	if (made == NULL) {
		return dx_object_unref(port);
	}
	made->port = port;
	made->callout = callout;
	atomic_init(&made->valid, true);
	if (context != NULL) {
		made->context = *context;
		if (context->retain != NULL) {
			made->context.info = (void *)(uintptr_t)context->retain(context->info);
		}
	}
	return made;
}

mach_port_t CFMachPortGetPort(CFMachPortRef port)
{
	return port->port->name;
}

void CFMachPortGetContext(CFMachPortRef port, CFMachPortContext *context)
{
	if (context->version == 0) {
		*context = port->context;
	}
}

CFRunLoopSourceRef CFMachPortCreateRunLoopSource(CFAllocatorRef allocator, CFMachPortRef port,
						 CFIndex order)
{
	(void)allocator;
	(void)order;
	return CFMachPortIsValid(port) ? dx_run_loop_source_new_port(&functions, port) : NULL;
}

void CFMachPortInvalidate(CFMachPortRef port)
{
	atomic_store_explicit(&port->valid, false, memory_order_relaxed);
}

Boolean CFMachPortIsValid(CFMachPortRef port)
{
	return atomic_load_explicit(&port->valid, memory_order_relaxed) ? 1 : 0;
}

/* SPDX-License-Identifier: MIT
 *
 * service - finding, opening and waiting for services.
 *
 * Place:   client, over session. The broker matches; this file builds and sends dictionaries.
 */
#include "client/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <CoreFoundation/CFNumber.h>

#include "base/cleanup.h"
#include "base/ioreturn.h"
#include "base/plist.h"
#include "client/cf.h"
#include "client/connection.h"
#include "client/session.h"

const mach_port_t kIOMainPortDefault = MACH_PORT_NULL;
const mach_port_t kIOMasterPortDefault = MACH_PORT_NULL;

bool dx_is_main_port(mach_port_t port)
{
	return port == MACH_PORT_NULL || port == DX_NAME_MAIN_PORT;
}

kern_return_t IOMainPort(mach_port_t bootstrapPort, mach_port_t *mainPort)
{
	(void)bootstrapPort;
	if (mainPort == NULL) {
		return kIOReturnBadArgument;
	}
	*mainPort = DX_NAME_MAIN_PORT;
	return kIOReturnSuccess;
}

kern_return_t IOMasterPort(mach_port_t bootstrapPort, mach_port_t *mainPort)
{
	return IOMainPort(bootstrapPort, mainPort);
}

kern_return_t dx_service_id(uint32_t name, uint64_t *ret_id)
{
	if (dx_names_entry_id(name, ret_id) == 0) {
		return kIOReturnSuccess;
	}
	return name == IO_OBJECT_NULL || dx_names_refs(name) > 0 ? kIOReturnBadArgument
								  : MACH_SEND_INVALID_DEST;
}

/* --- dictionaries -------------------------------------------------------------------------- */

static CFMutableDictionaryRef one_pair(const char *key, const void *value)
{
	struct dx_dict *dict = value == NULL ? NULL : dx_dict_new();

	if (dict != NULL && dx_dict_set(dict, key, value) < 0) {
		dict = dx_object_unref(dict);
	}
	(void)dx_object_unref(value); /* always NULL */
	return (CFMutableDictionaryRef)dict;
}

static CFMutableDictionaryRef name_pair(const char *key, const char *name)
{
	if (name == NULL) {
		return NULL;
	}
	return one_pair(key, CFStringCreateWithCString(NULL, name, kCFStringEncodingMacRoman));
}

CFMutableDictionaryRef IOServiceMatching(const char *name)
{
	return name_pair(kIOProviderClassKey, name);
}

CFMutableDictionaryRef IOServiceNameMatching(const char *name)
{
	return name_pair(kIONameMatchKey, name);
}

CFMutableDictionaryRef IOBSDNameMatching(mach_port_t mainPort, uint32_t options,
					 const char *bsdName)
{
	(void)mainPort;
	(void)options;
	return name_pair(kIOBSDNameKey, bsdName);
}

CFMutableDictionaryRef IOOpenFirmwarePathMatching(mach_port_t mainPort, uint32_t options,
						  const char *path)
{
	CFStringRef whole = NULL;

	(void)mainPort;
	(void)options;
	if (path != NULL) {
		whole = CFStringCreateWithFormat(NULL, NULL, CFSTR("%s:%s"), kIODeviceTreePlane,
						 path);
	}
	return one_pair(kIOPathMatchKey, whole);
}

CFMutableDictionaryRef IORegistryEntryIDMatching(uint64_t entryID)
{
	return one_pair(kIORegistryEntryIDKey, dx_number_new_signed((int64_t)entryID, 64));
}

bool dx_matching_is_good(CFDictionaryRef matching)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;

	return dx_object_is_kind(matching, &dx_dict_class) &&
	       dx_plist_encode(matching, &bytes, &length) == 0;
}

/* --- matching ------------------------------------------------------------------------------ */

/* Ids of the services that match, malloc'd. The dictionary stays the caller's. */
static kern_return_t match(CFDictionaryRef matching, bool first_only, uint64_t **ret_ids,
			   size_t *ret_count)
{
	struct dx_wire_match body = {.first_only = first_only ? 1 : 0};
	struct dx_mux_send send = {
		.type = DX_WIRE_A_MATCH,
		.body = &body,
		.body_length = sizeof(body),
		.value = matching,
	};
	struct dx_wire_message_in reply;
	int32_t status = 0;

	if (!dx_matching_is_good(matching)) {
		return kIOReturnUnsupported;
	}
	int error = dx_session_request(&send, &reply, &status);
	if (error < 0) {
		return dx_session_result(error, status);
	}
	size_t length = reply.view.payload_length;
	size_t count = ((const struct dx_wire_ids *)reply.view.body)->count;
	kern_return_t result = kIOReturnIPCError;
	if (length / sizeof(uint64_t) == count && length % sizeof(uint64_t) == 0) {
		uint64_t *ids = malloc(length + 1); /* never 0 bytes */

		result = ids == NULL ? kIOReturnNoMemory : kIOReturnSuccess;
		if (ids != NULL) {
			if (length > 0) {
				memcpy(ids, reply.view.payload, length);
			}
			*ret_ids = ids;
			*ret_count = count;
		}
	}
	dx_wire_message_in_fini(&reply);
	return result;
}

io_service_t IOServiceGetMatchingService(mach_port_t mainPort, CFDictionaryRef matching)
{
	DX_CLEANUP_FREE uint64_t *ids = NULL;
	size_t count = 0;
	uint32_t name = IO_OBJECT_NULL;

	if (matching == NULL) {
		return IO_OBJECT_NULL;
	}
	if (dx_is_main_port(mainPort) &&
	    match(matching, true, &ids, &count) == kIOReturnSuccess && count > 0 &&
	    dx_names_add_entry(ids[0], &name) < 0) {
		name = IO_OBJECT_NULL;
	}
	CFRelease(matching);
	dx_session_settle();
	return name;
}

kern_return_t IOServiceGetMatchingServices(mach_port_t mainPort, CFDictionaryRef matching,
					   io_iterator_t *existing)
{
	DX_CLEANUP_FREE uint64_t *ids = NULL;
	size_t count = 0;

	if (matching == NULL) {
		return kIOReturnBadArgument;
	}
	kern_return_t result = existing == NULL		   ? kIOReturnBadArgument
			       : !dx_is_main_port(mainPort) ? kIOReturnNotPrivileged
							    : match(matching, false, &ids, &count);
	if (existing != NULL) {
		*existing = IO_OBJECT_NULL;
	}
	if (result == kIOReturnSuccess) {
		int error = dx_iterator_new(ids, count, existing);

		if (error == 0) {
			ids = NULL;
		}
		result = dx_ioreturn_from_errno(error);
	}
	CFRelease(matching);
	dx_session_settle();
	return result;
}

kern_return_t IOServiceMatchPropertyTable(io_service_t service, CFDictionaryRef matching,
					  boolean_t *matches)
{
	struct dx_wire_id body = {0};
	struct dx_mux_send send = {
		.type = DX_WIRE_A_MATCH_TEST,
		.body = &body,
		.body_length = sizeof(body),
		.value = matching,
	};
	struct dx_wire_message_in reply;
	int32_t status = 0;

	if (matching == NULL || matches == NULL) {
		return kIOReturnBadArgument;
	}
	*matches = FALSE;
	kern_return_t result = dx_service_id(service, &body.id);
	if (result != kIOReturnSuccess) {
		return result;
	}
	if (!dx_matching_is_good(matching)) {
		return kIOReturnUnsupported;
	}
	int error = dx_session_request(&send, &reply, &status);
	if (error < 0) {
		return dx_session_result(error, status);
	}
	*matches = ((const struct dx_wire_value *)reply.view.body)->value != 0 ? TRUE : FALSE;
	dx_wire_message_in_fini(&reply);
	return kIOReturnSuccess;
}

/* --- busy ---------------------------------------------------------------------------------- */

static kern_return_t busy_of(uint64_t id, uint32_t *ret_busy)
{
	struct dx_wire_id body = {.id = id};
	struct dx_mux_send send = {
		.type = DX_WIRE_A_BUSY, .body = &body, .body_length = sizeof(body)};
	struct dx_wire_message_in reply;
	int32_t status = 0;
	int error = dx_session_request(&send, &reply, &status);

	if (error < 0) {
		return dx_session_result(error, status);
	}
	*ret_busy = ((const struct dx_wire_value *)reply.view.body)->value;
	dx_wire_message_in_fini(&reply);
	return kIOReturnSuccess;
}

static kern_return_t wait_quiet(uint64_t id, const mach_timespec_t *span)
{
	struct dx_wire_wait body = {.id = id, .timeout_ns = UINT64_MAX};
	struct dx_mux_send send = {
		.type = DX_WIRE_A_WAIT_QUIET, .body = &body, .body_length = sizeof(body)};
	struct dx_wire_message_in reply;
	int32_t status = 0;

	if (span != NULL && (span->tv_nsec < 0 || span->tv_nsec >= kSecondScale)) {
		return kIOReturnBadArgument;
	}
	if (span != NULL) {
		body.timeout_ns = span->tv_sec * UINT64_C(1000000000) + (uint64_t)span->tv_nsec;
	}
	int error = dx_session_request(&send, &reply, &status);
	if (error < 0) {
		return dx_session_result(error, status);
	}
	dx_wire_message_in_fini(&reply);
	return kIOReturnSuccess;
}

kern_return_t IOServiceGetBusyState(io_service_t service, uint32_t *busyState)
{
	uint64_t id = 0;

	if (busyState == NULL) {
		return kIOReturnBadArgument;
	}
	kern_return_t result = dx_service_id(service, &id);
	return result == kIOReturnSuccess ? busy_of(id, busyState) : result;
}

kern_return_t IOServiceWaitQuiet(io_service_t service, mach_timespec_t *waitTime)
{
	uint64_t id = 0;
	kern_return_t result = dx_service_id(service, &id);

	return result == kIOReturnSuccess ? wait_quiet(id, waitTime) : result;
}

kern_return_t IOKitGetBusyState(mach_port_t mainPort, uint32_t *busyState)
{
	if (!dx_is_main_port(mainPort)) {
		return kIOReturnNotPrivileged;
	}
	if (busyState == NULL) {
		return kIOReturnBadArgument;
	}
	kern_return_t result = busy_of(0, busyState);
	dx_session_settle();
	return result;
}

kern_return_t IOKitWaitQuiet(mach_port_t mainPort, mach_timespec_t *waitTime)
{
	if (!dx_is_main_port(mainPort)) {
		return kIOReturnNotPrivileged;
	}
	kern_return_t result = wait_quiet(0, waitTime);
	dx_session_settle();
	return result;
}

/* --- opening ------------------------------------------------------------------------------- */

/* The broker's answer brings the control socket of the connection. */
static kern_return_t open_socket(uint64_t id, uint32_t type, int *ret_socket)
{
	struct dx_wire_open body = {.id = id, .type = type};
	struct dx_mux_send send = {
		.type = DX_WIRE_A_OPEN, .body = &body, .body_length = sizeof(body)};
	struct dx_wire_message_in reply;
	int32_t status = 0;
	int error = dx_session_request(&send, &reply, &status);

	if (error < 0) {
		return dx_session_result(error, status);
	}
	*ret_socket = reply.nr_fds > 0 ? dx_take_fd(&reply.fds[0]) : -1;
	dx_wire_message_in_fini(&reply);
	return *ret_socket < 0 ? kIOReturnIPCError : kIOReturnSuccess;
}

kern_return_t IOServiceOpen(io_service_t service, task_port_t owningTask, uint32_t type,
			    io_connect_t *connect)
{
	struct dx_connection *connection = NULL;
	DX_CLEANUP_FD int socket = -1;
	uint64_t id = 0;

	if (connect == NULL || owningTask != mach_task_self()) {
		return kIOReturnBadArgument;
	}
	*connect = IO_OBJECT_NULL;
	kern_return_t result = dx_service_id(service, &id);
	if (result == kIOReturnSuccess) {
		result = open_socket(id, type, &socket);
	}
	if (result != kIOReturnSuccess) {
		return result;
	}
	int error = dx_connection_open(&socket, &connection);
	if (error == 0) {
		error = dx_names_add(connection, connect);
		if (error < 0) {
			dx_connection_close(connection);
		}
		(void)dx_object_unref(connection); /* always NULL; the name has its own */
	}
	return dx_ioreturn_from_errno(error);
}

static kern_return_t check_service(io_service_t service, kern_return_t good)
{
	uint64_t id = 0;
	kern_return_t result = dx_service_id(service, &id);

	return result == kIOReturnSuccess ? good : result;
}

kern_return_t IOServiceRequestProbe(io_service_t service, uint32_t options)
{
	(void)options;
	return check_service(service, kIOReturnUnsupported);
}

kern_return_t IOServiceAuthorize(io_service_t service, uint32_t options)
{
	(void)options;
	return check_service(service, kIOReturnSuccess);
}

int IOServiceOpenAsFileDescriptor(io_service_t service, int oflag)
{
	(void)oflag;
	errno = check_service(service, kIOReturnSuccess) == kIOReturnSuccess ? ENOTSUP : EINVAL;
	return -1;
}

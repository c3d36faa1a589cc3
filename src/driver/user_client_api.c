/* SPDX-License-Identifier: MIT
 *
 * user_client_api - the public functions of IOUserClient.
 */
#include <opendext/user_client.h>

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/ioreturn.h"
#include "driver/action.h"
#include "driver/call.h"
#include "driver/user_client.h"
#include "wire/call.h"

static struct dx_user_client *client_of(const IOUserClient *client)
{
	return dx_object_is_kind(client, &dx_user_client_class)
		       ? (struct dx_user_client *)(uintptr_t)client
		       : NULL;
}

/* ---- the root class ---- */

static uint64_t input_size(const IOUserClientMethodArguments *arguments)
{
	uint64_t length = 0;

	if (arguments->structureInputDescriptor != NULL) {
		(void)IOMemoryDescriptorGetLength(arguments->structureInputDescriptor, &length);
		return length;
	}
	return OSDataGetLength(arguments->structureInput);
}

static bool check(uint32_t wanted, uint64_t found)
{
	return wanted == kIOUserClientVariableStructureSize || wanted == found;
}

static bool check_completion(uint32_t wanted, bool exists)
{
	return wanted == kIOUserClientVariableStructureSize || (wanted != 0) == exists;
}

static kern_return_t root_external_method(IOUserClient *self, uint64_t selector,
					  IOUserClientMethodArguments *arguments,
					  const IOUserClientMethodDispatch *dispatch,
					  OSObject *target, void *reference)
{
	(void)self;
	(void)selector;
	if (dispatch == NULL) {
		return kIOReturnUnsupported;
	}
	if (!check_completion(dispatch->checkCompletionExists, arguments->completion != NULL) ||
	    !check(dispatch->checkScalarInputCount, arguments->scalarInputCount) ||
	    !check(dispatch->checkStructureInputSize, input_size(arguments)) ||
	    !check(dispatch->checkScalarOutputCount, arguments->scalarOutputCount) ||
	    !check(dispatch->checkStructureOutputSize, arguments->structureOutputMaximumSize)) {
		return kIOReturnBadArgument;
	}
	if (dispatch->function == NULL) {
		return kIOReturnNoCompletion;
	}
	return dispatch->function(target, reference, arguments);
}

static kern_return_t root_copy_client_memory(IOUserClient *self, uint64_t type, uint64_t *options,
					     IOMemoryDescriptor **memory)
{
	(void)self;
	(void)type;
	(void)options;
	(void)memory;
	return kIOReturnUnsupported;
}

const OSDriverClass IOUserClientClass = {
	.name = "IOUserClient",
	.super = &IOServiceClass,
	.ExternalMethod = root_external_method,
	.CopyClientMemoryForType = root_copy_client_memory,
	.reserved = {&dx_user_client_class},
};

kern_return_t IOUserClientSuperExternalMethod(const OSDriverClass *driver_class,
					      IOUserClient *self, uint64_t selector,
					      IOUserClientMethodArguments *arguments,
					      const IOUserClientMethodDispatch *dispatch,
					      OSObject *target, void *reference)
{
	if (driver_class == NULL || !dx_class_derives(driver_class->super, &IOUserClientClass) ||
	    client_of(self) == NULL || arguments == NULL) {
		return kIOReturnBadArgument;
	}
	return DX_METHOD(driver_class->super, ExternalMethod)(self, selector, arguments, dispatch,
							      target, reference);
}

kern_return_t IOUserClientSuperCopyClientMemoryForType(const OSDriverClass *driver_class,
						       IOUserClient *self, uint64_t type,
						       uint64_t *options,
						       IOMemoryDescriptor **memory)
{
	if (driver_class == NULL || !dx_class_derives(driver_class->super, &IOUserClientClass) ||
	    client_of(self) == NULL || options == NULL || memory == NULL) {
		return kIOReturnBadArgument;
	}
	return DX_METHOD(driver_class->super, CopyClientMemoryForType)(self, type, options, memory);
}

/* ---- completions ---- */

void IOUserClientAsyncCompletion(IOUserClient *client, OSAction *action, IOReturn status,
				 const IOUserClientAsyncArgumentsArray asyncData,
				 uint32_t asyncDataCount)
{
	struct dx_action *core = dx_action_of(action, DX_ACTION_COMPLETION);

	if (client_of(client) == NULL || core == NULL ||
	    asyncDataCount > kIOUserClientAsyncArgumentsCountMax ||
	    (asyncData == NULL && asyncDataCount != 0)) {
		return;
	}
	if (!core->cancelled) {
		dx_connection_notify(core->connection, DX_CHANNEL_COMPLETION, core->tag, status,
				     asyncData, asyncDataCount);
	}
}

/* ---- memory of the application ---- */

static kern_return_t ask_error(int result)
{
	switch (result) {
	case -ETIMEDOUT:
	case -ENOTCONN:
	case -ESTALE:
	case -ECONNRESET:
		return kIOReturnNotReady;
	case -ENOMEM:
		return kIOReturnNoMemory;
	case -EDQUOT:
	case -EMFILE:
	case -ENFILE:
		return kIOReturnNoResources;
	default:
		return kIOReturnBadArgument;
	}
}

static int ask_slice(struct dx_user_client *client, const struct dx_call_frame *frame,
		     const IOAddressSegment *segment, uint64_t options, struct dx_slice *slice)
{
	struct dx_client_grant grant = {.fd = -1};
	bool copy = (options & kIOMemoryDisableCopyOnWrite) == 0;
	bool write = !copy && (options & kIOMemoryDirectionIn) != 0;
	enum dx_shm_access access = copy ? DX_SHM_COPY : (write ? DX_SHM_WRITE : DX_SHM_READ);
	uint64_t end = 0;

	if (segment->length == 0 || dx_add_overflow(segment->address, segment->length, &end)) {
		return -EINVAL;
	}
	int result = dx_user_client_ask(client, frame->call.id, DX_ASK_MEMORY,
					copy ? DX_ASK_COPY : (write ? DX_ASK_WRITE : 0),
					segment->address, segment->length, &grant);
	if (result < 0) {
		return result;
	}
	DX_CLEANUP_FD int fd = grant.fd;
	if (grant.length != segment->length ||
	    dx_add_overflow(grant.offset, grant.length, &end)) {
		return -EPROTO;
	}
	slice->offset = grant.offset;
	slice->length = grant.length;
	return dx_shm_import(&fd, end, access, &slice->shm);
}

kern_return_t IOUserClientCreateMemoryDescriptorFromClient(IOUserClient *client, uint64_t options,
							   uint32_t segmentsCount,
							   const IOAddressSegment *segments,
							   IOMemoryDescriptor **memory)
{
	struct dx_user_client *core = client_of(client);
	struct dx_slice slices[DX_MAX_SEGMENTS] = {0};
	struct dx_memory *made = NULL;
	int result = 0;

	if (segmentsCount > DX_MAX_SEGMENTS) {
		return kIOReturnOverrun;
	}
	if (core == NULL || segmentsCount == 0 || segments == NULL || memory == NULL) {
		return kIOReturnBadArgument;
	}
	const struct dx_call_frame *frame = dx_call_current(core);
	if (frame == NULL) {
		return kIOReturnNotReady;
	}
	for (uint32_t i = 0; result == 0 && i < segmentsCount; i++) {
		result = ask_slice(core, frame, &segments[i], options, &slices[i]);
	}
	if (result == 0) {
		result = dx_memory_new(slices, segmentsCount,
				       (enum dx_memory_direction)(options & 3u), &core->quota,
				       &made);
	}
	for (uint32_t i = 0; i < segmentsCount; i++) {
		(void)dx_shm_unref(slices[i].shm);
	}
	if (result < 0) {
		return ask_error(result);
	}
	*memory = (IOMemoryDescriptor *)made;
	return kIOReturnSuccess;
}

/* ---- who it is ---- */

kern_return_t IOUserClientCopyClientEntitlements(IOUserClient *client, OSDictionary **entitlements)
{
	struct dx_user_client *core = client_of(client);
	char creator[DX_MAX_NAME + 32];

	if (core == NULL || entitlements == NULL) {
		return kIOReturnBadArgument;
	}
	OSDictionary *made = OSDictionaryCreate();
	(void)snprintf(creator, sizeof(creator), "pid %u, %s", core->opener_pid, core->opener_name);
	bool filled = OSDictionarySetStringValue(made, "IOUserClientCreator", creator);
	if (filled && core->opener_uid == 0) {
		filled = OSDictionarySetValue(made, "com.apple.developer.driverkit.administrator",
					      kOSBooleanTrue);
	}
	if (!filled) {
		OSRelease(made);
		return kIOReturnNoMemory;
	}
	*entitlements = made;
	return kIOReturnSuccess;
}

/* SPDX-License-Identifier: MIT
 *
 * user_client - IOUserClient.
 */
#include "cxx/action.h"
#include "cxx/message.h"

DX_RUNTIME_CLASS_RECORD(IOUserClient, &IOService_Class)

static_assert(sizeof(IOUserClientMethodArguments) == sizeof(core::IOUserClientMethodArguments),
	      "the struct of C");

static core::IOUserClient *client_of(const IOUserClient *client)
{
	return dx::to<core::IOUserClient>(client);
}

DX_REMOTE(IOUserClient, CopyClientMemoryForType, type, options, memory)
DX_REMOTE(IOUserClient, CreateMemoryDescriptorFromClient, memoryDescriptorCreateOptions,
	  segmentsCount, segments, memory)
DX_REMOTE(IOUserClient, CopyClientEntitlements, entitlements)
DX_TYPE(IOUserClient, AsyncCompletion, action, status, asyncData, asyncDataCount)

kern_return_t IOUserClient::_Dispatch(OSMetaClassBase *self, const IORPC rpc)
{
	switch (rpc.msgid) {
		DX_CASE(IOUserClient, CopyClientMemoryForType);
		DX_CASE(IOUserClient, CreateMemoryDescriptorFromClient);
		DX_CASE(IOUserClient, CopyClientEntitlements);
	default:
		return IOService::_Dispatch(self, rpc);
	}
}

bool IOUserClient::init()
{
	return super::init();
}

void IOUserClient::free()
{
	super::free();
}

/* ---- ExternalMethod ---- */

static uint64_t input_size(const IOUserClientMethodArguments *arguments)
{
	uint64_t length = 0;

	if (arguments->structureInputDescriptor != nullptr) {
		(void)arguments->structureInputDescriptor->GetLength(&length);
	} else if (arguments->structureInput != nullptr) {
		length = arguments->structureInput->getLength();
	}
	return length;
}

static bool check(uint32_t wanted, uint64_t found)
{
	return wanted == kIOUserClientVariableStructureSize || wanted == found;
}

static bool check_completion(uint32_t wanted, bool exists)
{
	return wanted == -1U || (wanted != 0) == exists;
}

kern_return_t IOUserClient::ExternalMethod(uint64_t selector, IOUserClientMethodArguments *arguments,
					   const IOUserClientMethodDispatch *dispatch,
					   OSObject *target, void *reference)
{
	(void)selector;
	if (dispatch == nullptr) {
		return kIOReturnUnsupported;
	}
	if (arguments == nullptr ||
	    !check_completion(dispatch->checkCompletionExists, arguments->completion != nullptr) ||
	    !check(dispatch->checkScalarInputCount, arguments->scalarInputCount) ||
	    !check(dispatch->checkStructureInputSize, input_size(arguments)) ||
	    !check(dispatch->checkScalarOutputCount, arguments->scalarOutputCount) ||
	    !check(dispatch->checkStructureOutputSize, arguments->structureOutputMaximumSize)) {
		return kIOReturnBadArgument;
	}
	if (dispatch->function == nullptr) {
		return kIOReturnNoCompletion;
	}
	return dispatch->function(target, reference, arguments);
}

/* An application's completion, or an action of the driver's own with that signature. */
void IOUserClient::AsyncCompletion(OSAction *action, IOReturn status,
				   const IOUserClientAsyncArgumentsArray asyncData,
				   uint32_t asyncDataCount, OSDispatchMethod)
{
	if (action == nullptr || asyncDataCount > kIOUserClientAsyncArgumentsCountMax) {
		return;
	}
	if (dx::is_action_for(action, IOUserClient_AsyncCompletion_ID)) {
		IOUserClient_AsyncCompletion_Msg message = {action, status, asyncData,
							    asyncDataCount};
		(void)action->Invoke({IOUserClient_AsyncCompletion_ID, &message});
		return;
	}
	core::IOUserClientAsyncCompletion(client_of(this), dx::to<core::OSAction>(action), status,
					  asyncData, asyncDataCount);
}

/* ---- memory, identity ---- */

kern_return_t IOUserClient::CopyClientMemoryForType_Impl(uint64_t, uint64_t *, IOMemoryDescriptor **)
{
	return kIOReturnUnsupported;
}

kern_return_t IOUserClient::CreateMemoryDescriptorFromClient_Impl(
	uint64_t memoryDescriptorCreateOptions, uint32_t segmentsCount,
	const IOAddressSegment *segments, IOMemoryDescriptor **memory)
{
	core::IOMemoryDescriptor *found = nullptr;

	if (memory == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOUserClientCreateMemoryDescriptorFromClient(
				client_of(this), memoryDescriptorCreateOptions, segmentsCount,
				reinterpret_cast<const core::IOAddressSegment *>(segments), &found),
			found, memory);
}

kern_return_t IOUserClient::CopyClientEntitlements_Impl(OSDictionary **entitlements)
{
	core::OSDictionary *found = nullptr;

	if (entitlements == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOUserClientCopyClientEntitlements(client_of(this), &found), found,
			entitlements);
}

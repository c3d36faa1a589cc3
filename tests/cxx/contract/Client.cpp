/* SPDX-License-Identifier: MIT
 *
 * Client - the user clients: their lives, and the way of a call to its row.
 */
#include "Driver.hpp"

bool ContractClient::init()
{
	if (!super::init()) {
		return false;
	}
	ivars = IONewZero(ContractClient_IVars, 1);
	Log("%s.init", GetClassName());
	return ivars != nullptr;
}

void ContractClient::free()
{
	if (ivars != nullptr) {
		FreeAsync(ivars);
		FreeApplicationMemory(ivars);
		FreeMemory(ivars);
		OSSafeReleaseNULL(ivars->queue);
		OSSafeReleaseNULL(ivars->method_queue);
	}
	Log("%s.free", GetClassName());
	IOSafeDeleteNULL(ivars, ContractClient_IVars, 1);
	super::free();
}

kern_return_t IMPL(ContractClient, Start)
{
	kern_return_t status = Start(provider, SUPERDISPATCH);

	Log("%s.Start %s", GetClassName(), provider->GetClassName());
	if (status != kIOReturnSuccess) {
		return status;
	}
	return IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, 3ull * CONTRACT_PAGE, 0,
						&ivars->shared);
}

kern_return_t IMPL(ContractClient, Stop)
{
	Log("%s.Stop", GetClassName());
	return Stop(provider, SUPERDISPATCH);
}

kern_return_t ContractClient::ExternalMethod(uint64_t selector, IOUserClientMethodArguments *arguments,
					     const IOUserClientMethodDispatch *dispatch,
					     OSObject *target, void *reference)
{
	/* What the runtime passes from outside is NULL; CONTRACT_DESCRIBE reports if not. */
	bool any = dispatch != nullptr || target != nullptr || reference != nullptr;

	return super::ExternalMethod(selector, arguments, RowOf(selector), this,
				     any ? this : nullptr);
}

/* --- External methods on a queue of their own ------------------------------------------------ */

kern_return_t IMPL(ContractQueuedClient, Start)
{
	ContractClient_IVars *own = ContractClient::ivars;
	kern_return_t status = Start(provider, SUPERDISPATCH);

	if (status == kIOReturnSuccess) {
		status = IODispatchQueue::Create("methods", 0, 0, &own->method_queue);
	}
	return status == kIOReturnSuccess
		       ? SetDispatchQueue(kIOUserClientQueueNameExternalMethod, own->method_queue)
		       : status;
}

/* --- Clients that fail, and one that does nothing -------------------------------------------- */

bool ContractStartFailsClient::init()
{
	Log("%s.init", GetClassName());
	return super::init();
}

void ContractStartFailsClient::free()
{
	Log("%s.free", GetClassName());
	super::free();
}

kern_return_t IMPL(ContractStartFailsClient, Start)
{
	Log("%s.Start %s", GetClassName(), provider->GetClassName());
	return kIOReturnNoPower;
}

bool ContractInitFailsClient::init()
{
	Log("%s.init", GetClassName());
	return false;
}

void ContractInitFailsClient::free()
{
	Log("%s.free", GetClassName());
	super::free();
}

uint32_t ContractBareClient::Unused()
{
	return 0;
}

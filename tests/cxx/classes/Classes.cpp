/* SPDX-License-Identifier: MIT
 *
 * Classes - see Classes.iig. A test returns kIOReturnSuccess or logs the line that failed.
 */
#include "Test.hpp"

/* --- the services ---------------------------------------------------------------------------- */

kern_return_t IMPL(Classes, Start)
{
	kern_return_t status = Start(provider, SUPERDISPATCH);

	return status == kIOReturnSuccess ? RegisterService() : status;
}

kern_return_t IMPL(Classes, NewUserClient)
{
	IOService *made = nullptr;
	kern_return_t status = Create(this, "UserClientProperties", &made);

	(void)type;
	if (status == kIOReturnSuccess) {
		*userClient = OSDynamicCast(IOUserClient, made);
	}
	return status;
}

kern_return_t IMPL(ClassesOther, Start)
{
	kern_return_t status = Start(provider, SUPERDISPATCH);

	if (status == kIOReturnSuccess) {
		status = SetName("ClassesThing");
	}
	return status == kIOReturnSuccess ? RegisterService() : status;
}

kern_return_t IMPL(ClassesOther, NewUserClient)
{
	IOService *made = nullptr;
	kern_return_t status = Create(this, "UserClientProperties", &made);

	(void)type;
	if (status == kIOReturnSuccess) {
		*userClient = OSDynamicCast(IOUserClient, made);
	}
	return status;
}

/* Any call ends the service. */
kern_return_t ClassesOtherClient::ExternalMethod(uint64_t, IOUserClientMethodArguments *,
						 const IOUserClientMethodDispatch *, OSObject *,
						 void *)
{
	return GetProvider()->Terminate(0);
}

/* --- the connection -------------------------------------------------------------------------- */

bool ClassesClient::init()
{
	if (!super::init()) {
		return false;
	}
	ivars = IONewZero(ClassesClient_IVars, 1);
	return ivars != nullptr;
}

void ClassesClient::free()
{
	if (ivars != nullptr) {
		OSSafeReleaseNULL(ivars->queue);
		OSSafeReleaseNULL(ivars->normal);
	}
	IOSafeDeleteNULL(ivars, ClassesClient_IVars, 1);
	super::free();
}

kern_return_t IMPL(ClassesClient, Start)
{
	kern_return_t status = Start(provider, SUPERDISPATCH);

	if (status == kIOReturnSuccess) {
		status = IODispatchQueue::Create("ClassesQueue", 0, 0, &ivars->queue);
	}
	if (status == kIOReturnSuccess) {
		status = SetDispatchQueue("ClassesQueue", ivars->queue);
	}
	if (status == kIOReturnSuccess) {
		status = CopyDispatchQueue(kIOServiceDefaultQueueName, &ivars->normal);
	}
	return status;
}

kern_return_t IMPL(ClassesClient, Stop)
{
	if (ivars->services != nullptr) {
		(void)ivars->services->Cancel(nullptr);
		OSSafeReleaseNULL(ivars->services);
	}
	if (ivars->services_action != nullptr) {
		(void)ivars->services_action->Cancel(nullptr);
		OSSafeReleaseNULL(ivars->services_action);
	}
	return Stop(provider, SUPERDISPATCH);
}

kern_return_t ClassesClient::ExternalMethod(uint64_t selector, IOUserClientMethodArguments *arguments,
					    const IOUserClientMethodDispatch *dispatch,
					    OSObject *target, void *reference)
{
	static kern_return_t (ClassesClient::*const tests[])() = {
		&ClassesClient::TestServicesThatCome, &ClassesClient::TestServicesThatGo,
		&ClassesClient::TestServiceSource,    &ClassesClient::TestStateItems,
		&ClassesClient::TestStateSource,      &ClassesClient::TestInterrupts,
		&ClassesClient::TestTimer,	      &ClassesClient::TestDataQueue,
		&ClassesClient::TestQueuesOfObjects,  &ClassesClient::TestActionsByName,
		&ClassesClient::TestServiceMethods,   &ClassesClient::TestClientMemory,
		&ClassesClient::TestEventLinks,	      &ClassesClient::TestWorkGroups,
		&ClassesClient::TestPlainTarget,
	};

	if (selector < sizeof(tests) / sizeof(tests[0]) && arguments->scalarInputCount == 2) {
		ivars->address = arguments->scalarInput[0];
		ivars->length = arguments->scalarInput[1];
		return (this->*tests[selector])();
	}
	return super::ExternalMethod(selector, arguments, dispatch, target, reference);
}

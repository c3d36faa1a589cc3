/* SPDX-License-Identifier: MIT
 *
 * About - what is about the service and its process: log, names, properties, the end.
 */
#include "Driver.hpp"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static IOService *ServiceOf(OSObject *target)
{
	return static_cast<ContractClient *>(target)->GetProvider();
}

METHOD(GiveLog)
{
	char text[CONTRACT_TEXT_BYTES];

	TakeLog(text, sizeof(text));
	return ReturnText(arguments, text);
}

METHOD(Pid)
{
	arguments->scalarOutput[0] = static_cast<uint64_t>(getpid());
	return kIOReturnSuccess;
}

METHOD(RegistryId)
{
	return ServiceOf(target)->GetRegistryEntryID(&arguments->scalarOutput[0]);
}

METHOD(SetServiceName)
{
	char text[512];

	return ReadText(arguments, text, sizeof(text)) ? ServiceOf(target)->SetName(text)
						       : kIOReturnBadArgument;
}

METHOD(SetProperty)
{
	char text[512];
	kern_return_t status = kIOReturnNoMemory;

	if (!ReadText(arguments, text, sizeof(text)) || strchr(text, '=') == nullptr) {
		return kIOReturnBadArgument;
	}
	char *value = strchr(text, '=');
	*value++ = '\0';
	OSDictionary *properties = OSDictionary::withCapacity(1);
	OSString *string = OSString::withCString(value);
	if (properties != nullptr && string != nullptr && properties->setObject(text, string)) {
		status = ServiceOf(target)->SetProperties(properties);
	}
	OSSafeReleaseNULL(string);
	OSSafeReleaseNULL(properties);
	return status;
}

METHOD(RemoveServiceProperty)
{
	char text[512];

	if (!ReadText(arguments, text, sizeof(text))) {
		return kIOReturnBadArgument;
	}
	OSString *key = OSString::withCString(text);
	kern_return_t status = ServiceOf(target)->RemoveProperty(key);
	OSSafeReleaseNULL(key);
	return status;
}

METHOD(AdjustServiceBusy)
{
	return ServiceOf(target)->AdjustBusy(static_cast<int32_t>(arguments->scalarInput[0]));
}

METHOD(TerminateService)
{
	return ServiceOf(target)->Terminate(0);
}

METHOD(TerminateClient)
{
	return CLIENT->Terminate(0);
}

METHOD(Crash)
{
	switch (arguments->scalarInput[0]) {
	case 0:
		abort();
	case 1:
		(void)raise(SIGKILL);
		break;
	default:
		(void)signal(SIGSEGV, SIG_DFL);
		(void)raise(SIGSEGV);
		break;
	}
	return kIOReturnError;
}

METHOD(Entitlements)
{
	OSDictionary *entitlements = nullptr;
	kern_return_t status = CLIENT->CopyClientEntitlements(&entitlements);

	if (status != kIOReturnSuccess) {
		return status;
	}
	OSString *creator = OSDynamicCast(OSString, entitlements->getObject("IOUserClientCreator"));
	OSBoolean *administrator = OSDynamicCast(
		OSBoolean, entitlements->getObject("com.apple.developer.driverkit.administrator"));
	arguments->scalarOutput[0] = administrator != nullptr && administrator->isTrue();
	status = ReturnText(arguments, creator == nullptr ? "" : creator->getCStringNoCopy());
	OSSafeReleaseNULL(entitlements);
	return status;
}

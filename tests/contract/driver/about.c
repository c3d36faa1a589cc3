/* SPDX-License-Identifier: MIT
 *
 * about - what is about the service and its process: log, names, properties, the end.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "driver.h"

static IOService *service_of(OSObject *target)
{
	return IOServiceGetProvider((IOService *)target);
}

METHOD(contract_take_log)
{
	char text[CONTRACT_TEXT_BYTES];

	(void)target;
	(void)reference;
	contract_log_take(text, sizeof(text));
	return contract_return_text(arguments, text);
}

METHOD(contract_pid)
{
	(void)target;
	(void)reference;
	arguments->scalarOutput[0] = (uint64_t)getpid();
	return kIOReturnSuccess;
}

METHOD(contract_registry_id)
{
	(void)reference;
	return IOServiceGetRegistryEntryID(service_of(target), &arguments->scalarOutput[0]);
}

METHOD(contract_set_name)
{
	char text[512];

	(void)reference;
	if (!contract_read_text(arguments, text, sizeof(text))) {
		return kIOReturnBadArgument;
	}
	return IOServiceSetName(service_of(target), text);
}

METHOD(contract_set_property)
{
	char text[512];
	char *value;
	OSDictionary *properties;
	kern_return_t result = kIOReturnNoMemory;

	(void)reference;
	if (!contract_read_text(arguments, text, sizeof(text))) {
		return kIOReturnBadArgument;
	}
	value = strchr(text, '=');
	if (value == NULL) {
		return kIOReturnBadArgument;
	}
	*value++ = '\0';
	properties = OSDictionaryCreate();
	if (OSDictionarySetStringValue(properties, text, value)) {
		result = IOServiceSetProperties(service_of(target), properties);
	}
	OSRelease(properties);
	return result;
}

METHOD(contract_remove_property)
{
	char text[512];
	OSString *key;
	kern_return_t result;

	(void)reference;
	if (!contract_read_text(arguments, text, sizeof(text))) {
		return kIOReturnBadArgument;
	}
	key = OSStringCreate(text, strlen(text));
	result = IOServiceRemoveProperty(service_of(target), key);
	OSRelease(key);
	return result;
}

METHOD(contract_adjust_busy)
{
	(void)reference;
	return IOServiceAdjustBusy(service_of(target), (int32_t)arguments->scalarInput[0]);
}

METHOD(contract_terminate)
{
	(void)reference;
	(void)arguments;
	return IOServiceTerminate(service_of(target), 0);
}

METHOD(contract_terminate_client)
{
	(void)reference;
	(void)arguments;
	return IOServiceTerminate((IOService *)target, 0);
}

METHOD(contract_crash)
{
	(void)target;
	(void)reference;
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

METHOD(contract_entitlements)
{
	OSDictionary *entitlements = NULL;
	const char *creator;
	OSBoolean *administrator;
	kern_return_t result;

	(void)reference;
	result = IOUserClientCopyClientEntitlements((IOUserClient *)target, &entitlements);
	if (result != kIOReturnSuccess) {
		return result;
	}
	creator = OSDictionaryGetStringValue(entitlements, "IOUserClientCreator");
	administrator = OSDynamicCast(
		OSBoolean, OSDictionaryGetValue(entitlements,
						"com.apple.developer.driverkit.administrator"));
	arguments->scalarOutput[0] = administrator != NULL && OSBooleanGetValue(administrator);
	result = contract_return_text(arguments, creator == NULL ? "" : creator);
	OSRelease(entitlements);
	return result;
}

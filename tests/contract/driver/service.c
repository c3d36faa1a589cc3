/* SPDX-License-Identifier: MIT
 *
 * service - the two services and what their NewUserClient does for each type of open.
 */
#include "driver.h"

static bool service_init(OSObject *self)
{
	contract_log("%s.init", OSObjectGetClassName(self));
	return true;
}

static void service_free(OSObject *self)
{
	contract_log("%s.free", OSObjectGetClassName(self));
}

static kern_return_t service_start(IOService *self, IOService *provider)
{
	kern_return_t result = IOServiceSuperStart(&ContractServiceClass, self, provider);

	contract_log("%s.Start %s", OSObjectGetClassName(self), OSObjectGetClassName(provider));
	return result == kIOReturnSuccess ? IOServiceRegisterService(self) : result;
}

static kern_return_t service_stop(IOService *self, IOService *provider)
{
	contract_log("%s.Stop", OSObjectGetClassName(self));
	return IOServiceSuperStop(&ContractServiceClass, self, provider);
}

static kern_return_t create_client(IOService *self, const char *key, IOUserClient **client)
{
	IOService *created = NULL;
	kern_return_t result = IOServiceCreate(self, key, &created);

	if (result != kIOReturnSuccess) {
		return result;
	}
	*client = OSDynamicCast(IOUserClient, created);
	if (*client == NULL) {
		OSRelease(created);
		return kIOReturnError;
	}
	return kIOReturnSuccess;
}

kern_return_t contract_new_user_client(IOService *self, uint32_t type, IOUserClient **client)
{
	contract_log("%s.NewUserClient %u", OSObjectGetClassName(self), type);
	switch (type) {
	case CONTRACT_OPEN:
		return create_client(self, "UserClientProperties", client);
	case CONTRACT_OPEN_BUSY:
		return kIOReturnBusy;
	case CONTRACT_OPEN_NULL:
		return kIOReturnSuccess;
	case CONTRACT_OPEN_START_FAILS:
		return create_client(self, "StartFailsProperties", client);
	case CONTRACT_OPEN_INIT_FAILS:
		return create_client(self, "InitFailsProperties", client);
	case CONTRACT_OPEN_QUEUED:
		return create_client(self, "QueuedProperties", client);
	case CONTRACT_OPEN_NO_PROPERTIES:
		return create_client(self, "NoSuchProperties", client);
	case CONTRACT_OPEN_BARE:
		return create_client(self, "BareProperties", client);
	default:
		return IOServiceSuperNewUserClient(&ContractServiceClass, self, type, client);
	}
}

const OSDriverClass ContractServiceClass = {
	.name = CONTRACT_SERVICE,
	.super = &IOServiceClass,
	.init = service_init,
	.free = service_free,
	.Start = service_start,
	.Stop = service_stop,
	.NewUserClient = contract_new_user_client,
};

/* SPDX-License-Identifier: MIT
 *
 * client - the user clients: their lives, and the way of a call to its row.
 */
#include "driver.h"

static bool client_init(OSObject *self)
{
	contract_log("%s.init", OSObjectGetClassName(self));
	return true;
}

static void client_free(OSObject *self)
{
	struct contract_client *client = contract_client_of(self);

	contract_client_fini_async(client);
	contract_client_fini_application_memory(client);
	contract_client_fini_memory(client);
	OSSafeReleaseNULL(client->queue);
	OSSafeReleaseNULL(client->method_queue);
	contract_log("%s.free", OSObjectGetClassName(self));
}

static kern_return_t client_start(IOService *self, IOService *provider)
{
	struct contract_client *client = contract_client_of(OS_OBJECT(self));
	kern_return_t result = IOServiceSuperStart(&ContractClientClass, self, provider);

	contract_log("%s.Start %s", OSObjectGetClassName(self), OSObjectGetClassName(provider));
	if (result != kIOReturnSuccess) {
		return result;
	}
	return IOBufferMemoryDescriptorCreate(kIOMemoryDirectionInOut, 3ull * CONTRACT_PAGE, 0,
					      &client->shared);
}

static kern_return_t client_stop(IOService *self, IOService *provider)
{
	contract_log("%s.Stop", OSObjectGetClassName(self));
	return IOServiceSuperStop(&ContractClientClass, self, provider);
}

static kern_return_t client_external_method(IOUserClient *self, uint64_t selector,
					    IOUserClientMethodArguments *arguments,
					    const IOUserClientMethodDispatch *dispatch,
					    OSObject *target, void *reference)
{
	const IOUserClientMethodDispatch *row = contract_row(selector);

	/* What the runtime passes from outside is NULL; CONTRACT_DESCRIBE reports if not. */
	return IOUserClientSuperExternalMethod(
		&ContractClientClass, self, selector, arguments, row, OS_OBJECT(self),
		dispatch != NULL || target != NULL || reference != NULL ? self : NULL);
}

struct contract_client *contract_client_of(OSObject *target)
{
	return OSObjectGetIvars(target, &ContractClientClass);
}

const OSDriverClass ContractClientClass = {
	.name = "ContractClient",
	.super = &IOUserClientClass,
	.ivars_size = sizeof(struct contract_client),
	.init = client_init,
	.free = client_free,
	.Start = client_start,
	.Stop = client_stop,
	.ExternalMethod = client_external_method,
	.CopyClientMemoryForType = contract_copy_client_memory,
};

/* --- External methods on a queue of their own ------------------------------------------------ */

static kern_return_t queued_start(IOService *self, IOService *provider)
{
	struct contract_client *client = contract_client_of(OS_OBJECT(self));
	kern_return_t result = IOServiceSuperStart(&ContractQueuedClientClass, self, provider);

	if (result != kIOReturnSuccess) {
		return result;
	}
	result = IODispatchQueueCreate("methods", 0, 0, &client->method_queue);
	if (result != kIOReturnSuccess) {
		return result;
	}
	return IOServiceSetDispatchQueue(self, kIOUserClientQueueNameExternalMethod,
					 client->method_queue);
}

const OSDriverClass ContractQueuedClientClass = {
	.name = "ContractQueuedClient",
	.super = &ContractClientClass,
	.Start = queued_start,
};

/* --- Clients that fail, and one that does nothing -------------------------------------------- */

static kern_return_t start_fails(IOService *self, IOService *provider)
{
	contract_log("%s.Start %s", OSObjectGetClassName(self), OSObjectGetClassName(provider));
	return kIOReturnNoPower;
}

static bool init_fails(OSObject *self)
{
	contract_log("%s.init", OSObjectGetClassName(self));
	return false;
}

static void failed_free(OSObject *self)
{
	contract_log("%s.free", OSObjectGetClassName(self));
}

const OSDriverClass ContractStartFailsClientClass = {
	.name = "ContractStartFailsClient",
	.super = &IOUserClientClass,
	.init = client_init,
	.free = failed_free,
	.Start = start_fails,
};

const OSDriverClass ContractInitFailsClientClass = {
	.name = "ContractInitFailsClient",
	.super = &IOUserClientClass,
	.init = init_fails,
	.free = failed_free,
};

const OSDriverClass ContractBareClientClass = {
	.name = "ContractBareClient",
	.super = &IOUserClientClass,
};

/* SPDX-License-Identifier: MIT
 *
 * driver - all packets of all applications through one pair of pipes of a loopback device.
 *
 * Threads: everything of the service runs on its queue, everything of a client on that client's; the
 *          table of clients is what both use.
 */
#include <opendext/driver.h>

#include "loss.h"
#include "support/driver.h"

#define LOOPBACK 2

struct service {
	IOUSBHostInterface *interface;
	IOUSBHostPipe *in;
	IOUSBHostPipe *out;
	IOBufferMemoryDescriptor *memory; /* of all IN requests */
	IOMemoryDescriptor *requests[LOSS_NR_IN];
	OSAction *actions[LOSS_NR_IN]; /* the reference holds the index */
	IOLock *lock;		       /* guards clients */
	IOUserClient *clients[LOSS_MAX_CLIENTS]; /* retained */
};

struct client {
	uint32_t number;
	bool joined;
	OSAction *completion; /* the application's */
	OSAction *sent;
	IOBufferMemoryDescriptor *memory;
	IOMemoryDescriptor *slots[LOSS_NR_SLOTS];
};

static const OSDriverClass LossClass, LossClientClass;
#define SERVICE(object) ((struct service *)OSObjectGetIvars((object), &LossClass))
#define CLIENT(object)	((struct client *)OSObjectGetIvars((object), &LossClientClass))

/* Divides memory into pieces of a packet each. */
static kern_return_t divide(IOBufferMemoryDescriptor *memory, unsigned count,
			    IOMemoryDescriptor **pieces)
{
	for (unsigned i = 0; i < count; i++) {
		RETURN_IF_FAILED(IOMemoryDescriptorCreateSubMemoryDescriptor(
			kIOMemoryDirectionInOut, (uint64_t)i * LOSS_PACKET, LOSS_PACKET,
			IO_MEMORY_DESCRIPTOR(memory), &pieces[i]));
	}
	return kIOReturnSuccess;
}

/* --- The service ----------------------------------------------------------------------------- */

static void deliver(struct service *service, const struct loss_packet *packet, IOReturn status,
		    uint32_t bytes)
{
	IOUserClient *client = NULL;

	if (packet->magic == LOSS_MAGIC && packet->client < LOSS_MAX_CLIENTS) {
		IOLockLock(service->lock);
		client = OSRetain(service->clients[packet->client]);
		IOLockUnlock(service->lock);
	}
	if (client != NULL) {
		const IOUserClientAsyncArgumentsArray data = {packet->number, packet->mix, bytes};

		IOUserClientAsyncCompletion(client, CLIENT(client)->completion, status, data, 3);
		OSRelease(client);
	}
}

static void received(OSObject *target, OSAction *action, IOReturn status, uint32_t bytes,
		     uint64_t timestamp)
{
	struct service *service = SERVICE(target);
	uint64_t index = *(const uint64_t *)OSActionGetReference(action);
	IOAddressSegment range;

	(void)timestamp;
	if (status != kIOReturnSuccess) {
		return; /* unplugged or stopping */
	}
	(void)IOBufferMemoryDescriptorGetAddressRange(service->memory, &range);
	deliver(service,
		(const struct loss_packet *)(uintptr_t)(range.address + index * LOSS_PACKET), status,
		bytes);
	(void)IOUSBHostPipeAsyncIO(service->in, service->requests[index], LOSS_PACKET, action, 0);
}

static kern_return_t start_receiving(IOService *self, struct service *service)
{
	RETURN_IF_FAILED(IOUSBHostInterfaceCreateIOBuffer(service->interface, kIOMemoryDirectionIn,
							  LOSS_NR_IN * LOSS_PACKET,
							  &service->memory));
	RETURN_IF_FAILED(divide(service->memory, LOSS_NR_IN, service->requests));
	for (uint64_t i = 0; i < LOSS_NR_IN; i++) {
		RETURN_IF_FAILED(IOUSBHostPipeCreateActionCompleteAsyncIO(
			OS_OBJECT(self), received, sizeof(i), &service->actions[i]));
		*(uint64_t *)OSActionGetReference(service->actions[i]) = i;
		RETURN_IF_FAILED(IOUSBHostPipeAsyncIO(service->in, service->requests[i], LOSS_PACKET,
						      service->actions[i], 0));
	}
	return kIOReturnSuccess;
}

static kern_return_t service_start(IOService *self, IOService *provider)
{
	struct service *service = SERVICE(self);
	IOUSBHostDevice *device = OSDynamicCast(IOUSBHostDevice, provider);
	uintptr_t iterator = 0;

	RETURN_IF_FAILED(IOServiceSuperStart(&LossClass, self, provider));
	service->lock = IOLockAlloc();
	RETURN_IF_FAILED(IOUSBHostDeviceOpen(device, self, 0, 0));
	RETURN_IF_FAILED(IOUSBHostDeviceSetConfiguration(device, LOOPBACK, false));
	RETURN_IF_FAILED(IOUSBHostDeviceCreateInterfaceIterator(device, &iterator));
	(void)IOUSBHostDeviceCopyInterface(device, iterator, &service->interface);
	(void)IOUSBHostDeviceDestroyInterfaceIterator(device, iterator);
	RETURN_IF_FAILED(IOUSBHostInterfaceOpen(service->interface, self, 0, NULL));
	RETURN_IF_FAILED(IOUSBHostInterfaceCopyPipe(service->interface, 0x81, &service->in));
	RETURN_IF_FAILED(IOUSBHostInterfaceCopyPipe(service->interface, 0x01, &service->out));
	RETURN_IF_FAILED(start_receiving(self, service));
	return IOServiceRegisterService(self);
}

static kern_return_t service_stop(IOService *self, IOService *provider)
{
	struct service *service = SERVICE(self);

	(void)IOUSBHostPipeAbort(service->in, kIOUSBAbortSynchronous, kIOReturnAborted, NULL);
	for (unsigned i = 0; i < LOSS_NR_IN; i++) {
		(void)OSActionCancel(service->actions[i], NULL, NULL);
	}
	(void)IOUSBHostInterfaceClose(service->interface, self, 0);
	return IOServiceSuperStop(&LossClass, self, provider);
}

static void service_free(OSObject *self)
{
	struct service *service = SERVICE(self);

	for (unsigned i = 0; i < LOSS_NR_IN; i++) {
		OSSafeReleaseNULL(service->actions[i]);
		OSSafeReleaseNULL(service->requests[i]);
	}
	OSSafeReleaseNULL(service->memory);
	OSSafeReleaseNULL(service->in);
	OSSafeReleaseNULL(service->out);
	OSSafeReleaseNULL(service->interface);
	IOLockFree(service->lock);
}

static kern_return_t new_client(IOService *self, uint32_t type, IOUserClient **client)
{
	IOService *created = NULL;

	(void)type;
	RETURN_IF_FAILED(IOServiceCreate(self, "UserClientProperties", &created));
	*client = OSDynamicCast(IOUserClient, created);
	return kIOReturnSuccess;
}

static const OSDriverClass LossClass = {
	.name = LOSS_SERVICE,
	.super = &IOServiceClass,
	.ivars_size = sizeof(struct service),
	.free = service_free,
	.Start = service_start,
	.Stop = service_stop,
	.NewUserClient = new_client,
};

/* --- The clients ----------------------------------------------------------------------------- */

static struct service *service_of(OSObject *client)
{
	return SERVICE(IOServiceGetProvider((IOService *)client));
}

static void was_sent(OSObject *target, OSAction *action, IOReturn status, uint32_t bytes,
		     uint64_t timestamp)
{
	(void)target;
	(void)action;
	(void)status;
	(void)bytes;
	(void)timestamp;
}

static kern_return_t client_start(IOService *self, IOService *provider)
{
	struct client *client = CLIENT(self);

	RETURN_IF_FAILED(IOServiceSuperStart(&LossClientClass, self, provider));
	RETURN_IF_FAILED(IOUSBHostPipeCreateActionCompleteAsyncIO(OS_OBJECT(self), was_sent, 0,
								  &client->sent));
	RETURN_IF_FAILED(IOBufferMemoryDescriptorCreate(kIOMemoryDirectionInOut,
							LOSS_NR_SLOTS * LOSS_PACKET, 0,
							&client->memory));
	return divide(client->memory, LOSS_NR_SLOTS, client->slots);
}

static kern_return_t client_stop(IOService *self, IOService *provider)
{
	struct client *client = CLIENT(self);
	struct service *service = service_of(OS_OBJECT(self));
	IOUserClient *mine = NULL;

	IOLockLock(service->lock);
	if (client->joined) {
		mine = service->clients[client->number];
		service->clients[client->number] = NULL;
	}
	IOLockUnlock(service->lock);
	OSSafeReleaseNULL(mine);
	(void)OSActionCancel(client->sent, NULL, NULL);
	return IOServiceSuperStop(&LossClientClass, self, provider);
}

static void client_free(OSObject *self)
{
	struct client *client = CLIENT(self);

	for (unsigned i = 0; i < LOSS_NR_SLOTS; i++) {
		OSSafeReleaseNULL(client->slots[i]);
	}
	OSSafeReleaseNULL(client->memory);
	OSSafeReleaseNULL(client->sent);
	OSSafeReleaseNULL(client->completion);
}

static kern_return_t join(OSObject *self, void *reference, IOUserClientMethodArguments *arguments)
{
	struct client *client = CLIENT(self);
	struct service *service = service_of(self);

	(void)reference;
	if (client->joined) {
		return kIOReturnBusy;
	}
	client->completion = OSRetain(arguments->completion);
	IOLockLock(service->lock);
	for (uint32_t i = 0; i < LOSS_MAX_CLIENTS && !client->joined; i++) {
		if (service->clients[i] == NULL) {
			service->clients[i] = OSRetain(self);
			client->number = i;
			client->joined = true;
		}
	}
	IOLockUnlock(service->lock);
	arguments->scalarOutput[0] = client->number;
	return client->joined ? kIOReturnSuccess : kIOReturnNoSpace;
}

static kern_return_t send(OSObject *self, void *reference, IOUserClientMethodArguments *arguments)
{
	struct client *client = CLIENT(self);
	struct service *service = service_of(self);
	uint64_t first = arguments->scalarInput[0];

	(void)reference;
	for (uint64_t i = 0; i < arguments->scalarInput[1]; i++) {
		RETURN_IF_FAILED(IOUSBHostPipeAsyncIO(service->out,
						      client->slots[(first + i) % LOSS_NR_SLOTS],
						      LOSS_PACKET, client->sent, 0));
	}
	return kIOReturnSuccess;
}

static kern_return_t client_method(IOUserClient *self, uint64_t selector,
				   IOUserClientMethodArguments *arguments,
				   const IOUserClientMethodDispatch *row, OSObject *target,
				   void *reference)
{
	static const IOUserClientMethodDispatch rows[LOSS_NR_SELECTORS] = {
		[LOSS_JOIN] = {join, true, 0, 0, 1, 0},
		[LOSS_SEND] = {send, false, 2, 0, 0, 0},
	};

	(void)target;
	(void)reference;
	row = selector < LOSS_NR_SELECTORS ? &rows[selector] : NULL;
	return IOUserClientSuperExternalMethod(&LossClientClass, self, selector, arguments, row,
					       OS_OBJECT(self), NULL);
}

static kern_return_t client_memory(IOUserClient *self, uint64_t type, uint64_t *options,
				   IOMemoryDescriptor **memory)
{
	(void)type;
	(void)options;
	*memory = OSRetain(CLIENT(self)->memory);
	return kIOReturnSuccess;
}

static const OSDriverClass LossClientClass = {
	.name = "LossClient",
	.super = &IOUserClientClass,
	.ivars_size = sizeof(struct client),
	.free = client_free,
	.Start = client_start,
	.Stop = client_stop,
	.ExternalMethod = client_method,
	.CopyClientMemoryForType = client_memory,
};

const OSDriverClass *const OpenDextDriverClasses[] = {&LossClass, &LossClientClass, NULL};

/* SPDX-License-Identifier: MIT
 *
 * driver - does as little as a driver can: what is measured is the way to it and back.
 */
#include <opendext/driver.h>
#include <unistd.h>

#include "bench.h"
#include "support/driver.h"

#define SOURCE_SINK 3

struct client {
	IOBufferMemoryDescriptor *buffers[BENCH_MAX_BUFFERS];
	uint32_t nr_buffers;
	/* BenchUsb only */
	IOUSBHostInterface *interface;
	IOUSBHostPipe *pipe;
	OSAction *completion; /* the application's */
	OSAction *actions[BENCH_NR_SLOTS];
	IOBufferMemoryDescriptor *slots[BENCH_NR_SLOTS];
};

static const OSDriverClass BenchClass, BenchUsbClass, BenchClientClass;
#define CLIENT(object) ((struct client *)OSObjectGetIvars((object), &BenchClientClass))

/* --- The services ---------------------------------------------------------------------------- */

static kern_return_t bench_start(IOService *self, IOService *provider)
{
	RETURN_IF_FAILED(IOServiceSuperStart(&BenchClass, self, provider));
	return IOServiceRegisterService(self);
}

static kern_return_t usb_start(IOService *self, IOService *provider)
{
	IOUSBHostDevice *device = OSDynamicCast(IOUSBHostDevice, provider);

	RETURN_IF_FAILED(IOServiceSuperStart(&BenchUsbClass, self, provider));
	RETURN_IF_FAILED(IOUSBHostDeviceOpen(device, self, 0, 0));
	RETURN_IF_FAILED(IOUSBHostDeviceSetConfiguration(device, SOURCE_SINK, false));
	return IOServiceRegisterService(self);
}

static kern_return_t new_client(IOService *self, uint32_t type, IOUserClient **client)
{
	IOService *created = NULL;

	(void)type;
	RETURN_IF_FAILED(IOServiceCreate(self, "UserClientProperties", &created));
	*client = OSDynamicCast(IOUserClient, created);
	return kIOReturnSuccess;
}

/* --- The client ------------------------------------------------------------------------------ */

static void transfer_done(OSObject *self, OSAction *action, IOReturn status, uint32_t bytes,
			  uint64_t timestamp)
{
	const uint64_t *slot = OSActionGetReference(action);
	const IOUserClientAsyncArgumentsArray words = {*slot, bytes, timestamp};

	IOUserClientAsyncCompletion((IOUserClient *)self, CLIENT(self)->completion, status, words,
				    3);
}

/* Which number it has is the device's choice. */
static kern_return_t copy_out_pipe(struct client *client)
{
	const IOUSBConfigurationDescriptor *configuration =
		IOUSBHostInterfaceCopyConfigurationDescriptor(client->interface);
	const IOUSBInterfaceDescriptor *setting =
		IOUSBHostInterfaceGetInterfaceDescriptor(client->interface, configuration);
	const IOUSBEndpointDescriptor *endpoint = NULL;
	kern_return_t result = kIOReturnNotFound;

	do {
		endpoint = IOUSBGetNextEndpointDescriptor(
			configuration, setting, (const IOUSBDescriptorHeader *)endpoint);
	} while (endpoint != NULL && IOUSBGetEndpointDirection(endpoint) != kIOUSBEndpointDirectionOut);
	if (endpoint != NULL) {
		result = IOUSBHostInterfaceCopyPipe(
			client->interface, IOUSBGetEndpointAddress(endpoint), &client->pipe);
	}
	IOUSBHostFreeDescriptor(configuration);
	return result;
}

static kern_return_t open_device(IOService *self, IOUSBHostDevice *device)
{
	struct client *client = CLIENT(self);
	uintptr_t iterator = 0;

	RETURN_IF_FAILED(IOUSBHostDeviceCreateInterfaceIterator(device, &iterator));
	(void)IOUSBHostDeviceCopyInterface(device, iterator, &client->interface);
	(void)IOUSBHostDeviceDestroyInterfaceIterator(device, iterator);
	RETURN_IF_FAILED(IOUSBHostInterfaceOpen(client->interface, self, 0, NULL));
	RETURN_IF_FAILED(copy_out_pipe(client));
	for (uint64_t slot = 0; slot < BENCH_NR_SLOTS; slot++) {
		RETURN_IF_FAILED(IOUSBHostPipeCreateActionCompleteAsyncIO(
			OS_OBJECT(self), transfer_done, sizeof(slot), &client->actions[slot]));
		*(uint64_t *)OSActionGetReference(client->actions[slot]) = slot;
		RETURN_IF_FAILED(IOBufferMemoryDescriptorCreate(kIOMemoryDirectionInOut,
								BENCH_SLOT_BYTES, 0,
								&client->slots[slot]));
	}
	return kIOReturnSuccess;
}

static kern_return_t client_start(IOService *self, IOService *provider)
{
	IOUSBHostDevice *device = OSDynamicCast(IOUSBHostDevice, IOServiceGetProvider(provider));

	RETURN_IF_FAILED(IOServiceSuperStart(&BenchClientClass, self, provider));
	return device == NULL ? kIOReturnSuccess : open_device(self, device);
}

static kern_return_t client_stop(IOService *self, IOService *provider)
{
	struct client *client = CLIENT(self);

	if (client->interface != NULL) {
		(void)IOUSBHostPipeAbort(client->pipe, kIOUSBAbortSynchronous, kIOReturnAborted,
					 NULL);
		(void)IOUSBHostInterfaceClose(client->interface, self, 0);
		for (unsigned slot = 0; slot < BENCH_NR_SLOTS; slot++) {
			(void)OSActionCancel(client->actions[slot], NULL, NULL);
		}
	}
	return IOServiceSuperStop(&BenchClientClass, self, provider);
}

static void release_buffers(struct client *client)
{
	for (; client->nr_buffers > 0; client->nr_buffers--) {
		OSSafeReleaseNULL(client->buffers[client->nr_buffers - 1]);
	}
}

static void client_free(OSObject *self)
{
	struct client *client = CLIENT(self);

	release_buffers(client);
	for (unsigned slot = 0; slot < BENCH_NR_SLOTS; slot++) {
		OSSafeReleaseNULL(client->actions[slot]);
		OSSafeReleaseNULL(client->slots[slot]);
	}
	OSSafeReleaseNULL(client->pipe);
	OSSafeReleaseNULL(client->interface);
	OSSafeReleaseNULL(client->completion);
}

static kern_return_t scalars(OSObject *self, void *reference, IOUserClientMethodArguments *arguments)
{
	(void)self;
	(void)reference;
	for (unsigned i = 0; i < 16; i++) {
		arguments->scalarOutput[i] = arguments->scalarInput[i];
	}
	return kIOReturnSuccess;
}

static kern_return_t allocate(OSObject *self, void *reference,
			      IOUserClientMethodArguments *arguments)
{
	struct client *client = CLIENT(self);

	(void)reference;
	if (client->nr_buffers == BENCH_MAX_BUFFERS) {
		return kIOReturnNoResources;
	}
	RETURN_IF_FAILED(IOBufferMemoryDescriptorCreate(kIOMemoryDirectionInOut,
							arguments->scalarInput[0], 0,
							&client->buffers[client->nr_buffers]));
	arguments->scalarOutput[0] = client->nr_buffers++;
	return kIOReturnSuccess;
}

static kern_return_t release(OSObject *self, void *reference, IOUserClientMethodArguments *arguments)
{
	(void)reference;
	(void)arguments;
	release_buffers(CLIENT(self));
	return kIOReturnSuccess;
}

static kern_return_t block(OSObject *self, void *reference, IOUserClientMethodArguments *arguments)
{
	(void)self;
	(void)reference;
	(void)arguments;
	IOSleep(60000);
	return kIOReturnSuccess;
}

static kern_return_t pid(OSObject *self, void *reference, IOUserClientMethodArguments *arguments)
{
	(void)self;
	(void)reference;
	arguments->scalarOutput[0] = (uint64_t)getpid();
	return kIOReturnSuccess;
}

static kern_return_t join(OSObject *self, void *reference, IOUserClientMethodArguments *arguments)
{
	(void)reference;
	OSSafeReleaseNULL(CLIENT(self)->completion);
	CLIENT(self)->completion = OSRetain(arguments->completion);
	return kIOReturnSuccess;
}

static kern_return_t send(OSObject *self, void *reference, IOUserClientMethodArguments *arguments)
{
	struct client *client = CLIENT(self);
	uint64_t first = arguments->scalarInput[0];
	uint64_t bytes = arguments->scalarInput[2];

	(void)reference;
	if (bytes > BENCH_SLOT_BYTES) {
		return kIOReturnBadArgument;
	}
	for (uint64_t i = 0; i < arguments->scalarInput[1]; i++) {
		uint64_t slot = (first + i) % BENCH_NR_SLOTS;

		RETURN_IF_FAILED(IOUSBHostPipeAsyncIO(client->pipe,
						      IO_MEMORY_DESCRIPTOR(client->slots[slot]),
						      (uint32_t)bytes, client->actions[slot], 0));
	}
	return kIOReturnSuccess;
}

static kern_return_t client_method(IOUserClient *self, uint64_t selector,
				   IOUserClientMethodArguments *arguments,
				   const IOUserClientMethodDispatch *row, OSObject *target,
				   void *reference)
{
	static const IOUserClientMethodDispatch rows[BENCH_NR_SELECTORS] = {
		[BENCH_SCALARS] = {scalars, false, 16, 0, 16, 0},
		[BENCH_ALLOCATE] = {allocate, false, 1, 0, 1, 0},
		[BENCH_RELEASE] = {release, false, 0, 0, 0, 0},
		[BENCH_BLOCK] = {block, false, 0, 0, 0, 0},
		[BENCH_PID] = {pid, false, 0, 0, 1, 0},
		[BENCH_JOIN] = {join, true, 0, 0, 0, 0},
		[BENCH_SEND] = {send, false, 3, 0, 0, 0},
	};

	(void)target;
	(void)reference;
	row = selector < BENCH_NR_SELECTORS ? &rows[selector] : NULL;
	return IOUserClientSuperExternalMethod(&BenchClientClass, self, selector, arguments, row,
					       OS_OBJECT(self), NULL);
}

static kern_return_t client_memory(IOUserClient *self, uint64_t type, uint64_t *options,
				   IOMemoryDescriptor **memory)
{
	struct client *client = CLIENT(self);

	(void)options;
	if (type >= client->nr_buffers) {
		return kIOReturnNotFound;
	}
	*memory = OSRetain(client->buffers[type]);
	return kIOReturnSuccess;
}

static const OSDriverClass BenchClass = {
	.name = BENCH_SERVICE,
	.super = &IOServiceClass,
	.Start = bench_start,
	.NewUserClient = new_client,
};

static const OSDriverClass BenchUsbClass = {
	.name = BENCH_USB,
	.super = &IOServiceClass,
	.Start = usb_start,
	.NewUserClient = new_client,
};

static const OSDriverClass BenchClientClass = {
	.name = "BenchClient",
	.super = &IOUserClientClass,
	.ivars_size = sizeof(struct client),
	.free = client_free,
	.Start = client_start,
	.Stop = client_stop,
	.ExternalMethod = client_method,
	.CopyClientMemoryForType = client_memory,
};

const OSDriverClass *const OpenDextDriverClasses[] = {&BenchClass, &BenchUsbClass,
						      &BenchClientClass, NULL};

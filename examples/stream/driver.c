/* SPDX-License-Identifier: MIT
 *
 * Stream - a driver that lends its buffers to an application and moves them to and from a device.
 *
 * Stream is the service on the device. StreamClient, the connection of one application, owns pipes
 * and buffers. Methods and completions of an object run on its queue, one at a time: no locks.
 */
#include <opendext/driver.h>

#include "stream.h"

struct client {
	IOUSBHostInterface *interface;
	IOUSBHostPipe *pipes[2]; /* out, in */
	OSAction *completion;	 /* the application's */
	uint64_t nr_buffers, nr_bytes;
	IOBufferMemoryDescriptor *buffers[2 * STREAM_MAX_BUFFERS]; /* by memory type */
	OSAction *actions[2 * STREAM_MAX_BUFFERS]; /* the reference of each holds the type */
};

static const OSDriverClass StreamClass, StreamClientClass;
#define CLIENT(object) ((struct client *)OSObjectGetIvars((object), &StreamClientClass))
#define LOOPBACK       2 /* the configuration of Gadget Zero that sends back what it gets */
#define UNUSED	       __attribute__((unused))
#define RETURN_IF_FAILED(call) do { kern_return_t r_ = (call); if (r_ != 0) return r_; } while (0)

/* Stop is inherited: the session with the device is closed for us, also when this fails. */
static kern_return_t stream_start(IOService *self, IOService *provider)
{
	IOUSBHostDevice *device = OSDynamicCast(IOUSBHostDevice, provider);

	RETURN_IF_FAILED(IOServiceSuperStart(&StreamClass, self, provider));
	RETURN_IF_FAILED(IOUSBHostDeviceOpen(device, self, 0, 0));
	RETURN_IF_FAILED(IOUSBHostDeviceSetConfiguration(device, LOOPBACK, false));
	return IOServiceRegisterService(self); /* from now on applications find us */
}

static kern_return_t stream_new_client(IOService *self, UNUSED uint32_t type, IOUserClient **client)
{
	IOService *service = NULL;
	kern_return_t result = IOServiceCreate(self, "UserClientProperties", &service);

	*client = OSDynamicCast(IOUserClient, service);
	return result;
}

/* The first endpoint of each direction: which number they have is the device's choice. */
static kern_return_t copy_pipes(IOUSBHostInterface *usb, IOUSBHostPipe *pipes[2])
{
	const IOUSBConfigurationDescriptor *all =
		IOUSBHostInterfaceCopyConfigurationDescriptor(usb);
	const IOUSBInterfaceDescriptor *now = IOUSBHostInterfaceGetInterfaceDescriptor(usb, all);
	const IOUSBEndpointDescriptor *end = IOUSBGetNextEndpointDescriptor(all, now, NULL);

	for (; end != NULL; end = IOUSBGetNextEndpointDescriptor(all, now, (const void *)end)) {
		IOUSBHostPipe **pipe = &pipes[IOUSBGetEndpointDirection(end)];
		if (*pipe == NULL)
			(void)IOUSBHostInterfaceCopyPipe(usb, IOUSBGetEndpointAddress(end), pipe);
	}
	IOUSBHostFreeDescriptor(all);
	return pipes[0] != NULL && pipes[1] != NULL ? kIOReturnSuccess : kIOReturnNotFound;
}

/* An interface has one session, so a second application gets kIOReturnExclusiveAccess. Selecting
 * its setting drops what the device still holds of an application that died. */
static kern_return_t client_start(IOService *self, IOService *provider)
{
	struct client *client = CLIENT(self);
	IOUSBHostDevice *device = OSDynamicCast(IOUSBHostDevice, IOServiceGetProvider(provider));
	uintptr_t iterator = 0;
	uint8_t zero = 0;

	RETURN_IF_FAILED(IOServiceSuperStart(&StreamClientClass, self, provider));
	RETURN_IF_FAILED(IOUSBHostDeviceCreateInterfaceIterator(device, &iterator));
	(void)IOUSBHostDeviceCopyInterface(device, iterator, &client->interface);
	(void)IOUSBHostDeviceDestroyInterfaceIterator(device, iterator);
	RETURN_IF_FAILED(IOUSBHostInterfaceOpen(client->interface, self,
						kUSBHostOpenOptionSelectAlternateSetting, &zero));
	return copy_pipes(client->interface, client->pipes);
}

/* The application closed the connection or died. Closing aborts the transfers in flight. */
static kern_return_t client_stop(IOService *self, IOService *provider)
{
	(void)IOUSBHostInterfaceClose(CLIENT(self)->interface, self, 0);
	for (unsigned type = 0; type < 2 * STREAM_MAX_BUFFERS; type++)
		(void)OSActionCancel(CLIENT(self)->actions[type], NULL, NULL);
	return IOServiceSuperStop(&StreamClientClass, self, provider);
}

static void client_free(OSObject *self)
{
	for (unsigned type = 0; type < 2 * STREAM_MAX_BUFFERS; type++) {
		OSSafeReleaseNULL(CLIENT(self)->actions[type]);
		OSSafeReleaseNULL(CLIENT(self)->buffers[type]);
	}
	OSSafeReleaseNULL(CLIENT(self)->pipes[0]);
	OSSafeReleaseNULL(CLIENT(self)->pipes[1]);
	OSSafeReleaseNULL(CLIENT(self)->interface);
	OSSafeReleaseNULL(CLIENT(self)->completion);
}

/* A transfer is done: tell the application which buffer, how much, when. */
static void done(OSObject *self, OSAction *action, IOReturn status, uint32_t bytes, uint64_t time)
{
	const uint64_t *type = OSActionGetReference(action);
	const IOUserClientAsyncArgumentsArray words = {*type, bytes, time};

	IOUserClientAsyncCompletion(OSDynamicCast(IOUserClient, self), CLIENT(self)->completion,
				    status, words, STREAM_NR_ARGS);
}

static kern_return_t configure(OSObject *self, UNUSED void *ref, IOUserClientMethodArguments *args)
{
	struct client *client = CLIENT(self);
	const uint64_t *in = args->scalarInput;

	if (client->nr_buffers != 0 || in[0] > STREAM_MAX_BUFFERS || in[1] > STREAM_MAX_BYTES)
		return kIOReturnBadArgument;
	client->nr_buffers = in[0];
	client->nr_bytes = in[1];
	for (uint64_t i = 0; i < 2 * in[0]; i++) {
		uint64_t type = i % 2 * STREAM_IN + i / 2; /* out and in by turns */
		RETURN_IF_FAILED(IOUSBHostPipeCreateActionCompleteAsyncIO(
			self, done, sizeof(type), &client->actions[type]));
		*(uint64_t *)OSActionGetReference(client->actions[type]) = type;
		RETURN_IF_FAILED(IOBufferMemoryDescriptorCreate(kIOMemoryDirectionInOut, in[1], 0,
								&client->buffers[type]));
	}
	return kIOReturnSuccess;
}

static kern_return_t completion(OSObject *self, UNUSED void *ref, IOUserClientMethodArguments *args)
{
	OSSafeReleaseNULL(CLIENT(self)->completion);
	CLIENT(self)->completion = OSRetain(args->completion);
	return kIOReturnSuccess;
}

static kern_return_t transfer(OSObject *self, UNUSED void *ref, IOUserClientMethodArguments *args)
{
	struct client *client = CLIENT(self);
	uint64_t n = args->scalarInput[0], bytes = args->scalarInput[1];
	unsigned set = args->selector == STREAM_SEND ? 0 : 1;
	uint64_t type = set * STREAM_IN + n;

	if (n >= client->nr_buffers || bytes > client->nr_bytes)
		return kIOReturnBadArgument;
	return IOUSBHostPipeAsyncIO(client->pipes[set], IO_MEMORY_DESCRIPTOR(client->buffers[type]),
				    (uint32_t)bytes, client->actions[type], 0);
}

static kern_return_t nothing(UNUSED OSObject *self, UNUSED void *ref,
			     UNUSED IOUserClientMethodArguments *args)
{
	return kIOReturnSuccess;
}

static kern_return_t client_method(IOUserClient *self, uint64_t selector,
				   IOUserClientMethodArguments *args,
				   const IOUserClientMethodDispatch *row, UNUSED OSObject *target,
				   UNUSED void *ref)
{
	/* Function; completion?; scalars in, bytes in, scalars out, bytes out: checked for us. */
	static const IOUserClientMethodDispatch methods[STREAM_NR_SELECTORS] = {
		[STREAM_CONFIGURE] = {configure, false, 2, 0, 0, 0},
		[STREAM_COMPLETION] = {completion, true, 0, 0, 0, 0},
		[STREAM_SEND] = {transfer, false, 2, 0, 0, 0},
		[STREAM_RECEIVE] = {transfer, false, 2, 0, 0, 0},
		[STREAM_NOTHING] = {nothing, false, 0, 0, 0, 0},
	};

	row = selector < STREAM_NR_SELECTORS ? &methods[selector] : NULL;
	return IOUserClientSuperExternalMethod(&StreamClientClass, self, selector, args, row,
					       OS_OBJECT(self), NULL);
}

static kern_return_t client_memory(IOUserClient *self, uint64_t type, uint64_t *options,
				   IOMemoryDescriptor **memory)
{
	if (type >= 2 * STREAM_MAX_BUFFERS || CLIENT(self)->buffers[type] == NULL)
		return IOUserClientSuperCopyClientMemoryForType(&StreamClientClass, self, type,
								options, memory);
	*memory = OSRetain(CLIENT(self)->buffers[type]); /* the caller releases it */
	return kIOReturnSuccess;
}

static const OSDriverClass StreamClass = {
	.name = "Stream", .super = &IOServiceClass,
	.Start = stream_start, .NewUserClient = stream_new_client,
};

static const OSDriverClass StreamClientClass = {
	.name = "StreamClient", .super = &IOUserClientClass, .ivars_size = sizeof(struct client),
	.Start = client_start, .Stop = client_stop, .free = client_free,
	.ExternalMethod = client_method, .CopyClientMemoryForType = client_memory,
};

const OSDriverClass *const OpenDextDriverClasses[] = {&StreamClass, &StreamClientClass, NULL};

/* SPDX-License-Identifier: MIT
 *
 * Stream - a driver that lends its buffers to an application and moves them to and from a device.
 *
 * The same driver as examples/stream, with the same application. Stream is the service that is
 * matched on the device and configures it. StreamClient is the connection of one application: it owns
 * the pipes and the buffers. Methods and completions of an object run on its queue, one at a time.
 */
#include <DriverKit/DriverKit.h>
#include <USBDriverKit/USBDriverKit.h>
#include <os/log.h>

#include "Stream.h"
#include "../stream/stream.h"

/* Gadget Zero in this configuration sends back on one endpoint what it gets on the other. */
enum { LOOPBACK = 2 };

struct StreamClient_IVars {
	IOUSBHostInterface *interface;
	IOUSBHostPipe *pipes[2]; /* out, in */
	OSAction *completion;	 /* the application's */
	uint64_t nr_buffers, nr_bytes;
	IOBufferMemoryDescriptor *buffers[2 * STREAM_MAX_BUFFERS]; /* by memory type */
	OSAction *actions[2 * STREAM_MAX_BUFFERS]; /* the reference of each holds the type */
};

#define RETURN_IF_FAILED(call) \
	do { kern_return_t ret_ = (call); if (ret_ != kIOReturnSuccess) return ret_; } while (0)

/* --- Stream ---------------------------------------------------------------------------------- */

/* Stop is inherited: the session with the device is closed for us, also when this fails. */
kern_return_t IMPL(Stream, Start)
{
	IOUSBHostDevice *device = OSDynamicCast(IOUSBHostDevice, provider);

	RETURN_IF_FAILED(Start(provider, SUPERDISPATCH));
	if (device == nullptr) {
		os_log(OS_LOG_DEFAULT, "Stream - the provider is a %{public}s, no device",
		       provider->GetClassName());
		return kIOReturnNoDevice;
	}
	RETURN_IF_FAILED(device->Open(this, 0, 0));
	RETURN_IF_FAILED(device->SetConfiguration(LOOPBACK, false));
	return RegisterService(); /* from now on applications find us */
}

kern_return_t IMPL(Stream, NewUserClient)
{
	IOService *service = nullptr;

	(void)type;
	RETURN_IF_FAILED(Create(this, "UserClientProperties", &service));
	*userClient = OSDynamicCast(IOUserClient, service);
	return kIOReturnSuccess;
}

/* --- StreamClient ---------------------------------------------------------------------------- */

bool StreamClient::init()
{
	if (!super::init()) {
		return false;
	}
	ivars = IONewZero(StreamClient_IVars, 1);
	return ivars != nullptr;
}

void StreamClient::free()
{
	if (ivars != nullptr) {
		for (unsigned type = 0; type < 2 * STREAM_MAX_BUFFERS; type++) {
			OSSafeReleaseNULL(ivars->actions[type]);
			OSSafeReleaseNULL(ivars->buffers[type]);
		}
		OSSafeReleaseNULL(ivars->pipes[0]);
		OSSafeReleaseNULL(ivars->pipes[1]);
		OSSafeReleaseNULL(ivars->interface);
		OSSafeReleaseNULL(ivars->completion);
	}
	IOSafeDeleteNULL(ivars, StreamClient_IVars, 1);
	super::free();
}

/* The first endpoint of each direction (0 out, 1 in): which number they have is the device's choice. */
static kern_return_t copyPipes(IOUSBHostInterface *interface, IOUSBHostPipe **pipes)
{
	const IOUSBConfigurationDescriptor *configuration = interface->CopyConfigurationDescriptor();
	const IOUSBInterfaceDescriptor *setting = interface->GetInterfaceDescriptor(configuration);
	const IOUSBEndpointDescriptor *endpoint = nullptr;
	kern_return_t result = kIOReturnSuccess;

	while (result == kIOReturnSuccess) {
		endpoint = IOUSBGetNextEndpointDescriptor(
			configuration, setting,
			reinterpret_cast<const IOUSBDescriptorHeader *>(endpoint));
		if (endpoint == nullptr) {
			break;
		}
		IOUSBHostPipe **pipe = &pipes[IOUSBGetEndpointDirection(endpoint)];
		if (*pipe == nullptr) {
			result = interface->CopyPipe(IOUSBGetEndpointAddress(endpoint), pipe);
		}
	}
	IOUSBHostFreeDescriptor(configuration);
	if (result == kIOReturnSuccess && (pipes[0] == nullptr || pipes[1] == nullptr)) {
		result = kIOReturnNotFound;
	}
	return result;
}

/* An interface has one session, so a second application gets kIOReturnExclusiveAccess. Selecting
 * its setting drops what the device still holds of an application that died. */
kern_return_t IMPL(StreamClient, Start)
{
	IOUSBHostDevice *device = OSDynamicCast(IOUSBHostDevice, provider->GetProvider());
	uintptr_t iterator = 0;

	RETURN_IF_FAILED(Start(provider, SUPERDISPATCH));
	RETURN_IF_FAILED(device->CreateInterfaceIterator(&iterator));
	(void)device->CopyInterface(iterator, &ivars->interface);
	(void)device->DestroyInterfaceIterator(iterator);
	if (ivars->interface == nullptr) {
		return kIOReturnNoDevice;
	}
	RETURN_IF_FAILED(ivars->interface->Open(this, 0, nullptr));
	RETURN_IF_FAILED(ivars->interface->SelectAlternateSetting(0));
	return copyPipes(ivars->interface, ivars->pipes);
}

/* The application closed the connection or died, perhaps with transfers in flight. */
kern_return_t IMPL(StreamClient, Stop)
{
	for (IOUSBHostPipe *pipe : ivars->pipes) {
		(void)pipe->Abort(kIOUSBAbortSynchronous, kIOReturnAborted, this);
	}
	for (OSAction *action : ivars->actions) {
		if (action != nullptr) {
			(void)action->Cancel(nullptr);
		}
	}
	(void)ivars->interface->Close(this, 0);
	return Stop(provider, SUPERDISPATCH);
}

/* A transfer is done: tell the application which buffer, how much, when. */
void IMPL(StreamClient, TransferDone)
{
	const uint64_t *type = static_cast<uint64_t *>(action->GetReference());
	const IOUserClientAsyncArgumentsArray words = {*type, actualByteCount,
						       completionTimestamp};

	AsyncCompletion(ivars->completion, status, words, STREAM_NR_ARGS);
}

kern_return_t StreamClient::MakeBuffer(uint64_t type)
{
	RETURN_IF_FAILED(CreateActionTransferDone(sizeof(type), &ivars->actions[type]));
	*static_cast<uint64_t *>(ivars->actions[type]->GetReference()) = type;
	return IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, ivars->nr_bytes, 0,
						&ivars->buffers[type]);
}

kern_return_t StreamClient::Configure(OSObject *target, void *, IOUserClientMethodArguments *arguments)
{
	StreamClient *self = static_cast<StreamClient *>(target);
	const uint64_t *in = arguments->scalarInput;

	if (self->ivars->nr_buffers != 0 || in[0] > STREAM_MAX_BUFFERS || in[1] > STREAM_MAX_BYTES) {
		return kIOReturnBadArgument;
	}
	self->ivars->nr_buffers = in[0];
	self->ivars->nr_bytes = in[1];
	for (uint64_t n = 0; n < self->ivars->nr_buffers; n++) {
		RETURN_IF_FAILED(self->MakeBuffer(n));
		RETURN_IF_FAILED(self->MakeBuffer(STREAM_IN + n));
	}
	return kIOReturnSuccess;
}

kern_return_t StreamClient::Completion(OSObject *target, void *,
				       IOUserClientMethodArguments *arguments)
{
	StreamClient *self = static_cast<StreamClient *>(target);

	OSSafeReleaseNULL(self->ivars->completion);
	self->ivars->completion = arguments->completion;
	self->ivars->completion->retain();
	return kIOReturnSuccess;
}

kern_return_t StreamClient::Transfer(OSObject *target, void *, IOUserClientMethodArguments *arguments)
{
	StreamClient_IVars *ivars = static_cast<StreamClient *>(target)->ivars;
	uint64_t n = arguments->scalarInput[0], bytes = arguments->scalarInput[1];
	unsigned set = arguments->selector == STREAM_SEND ? 0 : 1;
	uint64_t type = set * STREAM_IN + n;

	if (n >= ivars->nr_buffers || bytes > ivars->nr_bytes) {
		return kIOReturnBadArgument;
	}
	return ivars->pipes[set]->AsyncIO(ivars->buffers[type], static_cast<uint32_t>(bytes),
					  ivars->actions[type], 0);
}

kern_return_t StreamClient::Nothing(OSObject *, void *, IOUserClientMethodArguments *)
{
	return kIOReturnSuccess;
}

kern_return_t StreamClient::ExternalMethod(uint64_t selector, IOUserClientMethodArguments *arguments,
					   const IOUserClientMethodDispatch *dispatch,
					   OSObject *target, void *reference)
{
	/* Function; completion?; scalars in, bytes in, scalars out, bytes out: checked for us. */
	static const IOUserClientMethodDispatch methods[STREAM_NR_SELECTORS] = {
		[STREAM_CONFIGURE] = {&StreamClient::Configure, false, 2, 0, 0, 0},
		[STREAM_COMPLETION] = {&StreamClient::Completion, true, 0, 0, 0, 0},
		[STREAM_SEND] = {&StreamClient::Transfer, false, 2, 0, 0, 0},
		[STREAM_RECEIVE] = {&StreamClient::Transfer, false, 2, 0, 0, 0},
		[STREAM_NOTHING] = {&StreamClient::Nothing, false, 0, 0, 0, 0},
	};

	if (selector < STREAM_NR_SELECTORS) {
		dispatch = &methods[selector];
		target = this;
	}
	return super::ExternalMethod(selector, arguments, dispatch, target, reference);
}

kern_return_t IMPL(StreamClient, CopyClientMemoryForType)
{
	if (type >= 2 * STREAM_MAX_BUFFERS || ivars->buffers[type] == nullptr) {
		return CopyClientMemoryForType(type, options, memory, SUPERDISPATCH);
	}
	ivars->buffers[type]->retain(); /* the caller releases it */
	*memory = ivars->buffers[type];
	return kIOReturnSuccess;
}

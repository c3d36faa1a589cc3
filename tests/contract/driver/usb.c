/* SPDX-License-Identifier: MIT
 *
 * usb - the service on Gadget Zero and its user client: sessions, interfaces, pipes.
 *
 * The service holds the session of the device, each client that of the interface.
 */
#include "usb.h"

static kern_return_t usb_start(IOService *self, IOService *provider)
{
	IOUSBHostDevice *device = OSDynamicCast(IOUSBHostDevice, provider);
	kern_return_t result = IOServiceSuperStart(&ContractUsbClass, self, provider);

	contract_log("%s.Start %s", OSObjectGetClassName(self), OSObjectGetClassName(provider));
	if (result == kIOReturnSuccess) {
		result = IOUSBHostDeviceOpen(device, self, 0, 0);
	}
	return result == kIOReturnSuccess ? IOServiceRegisterService(self) : result;
}

static kern_return_t usb_stop(IOService *self, IOService *provider)
{
	contract_log("%s.Stop", OSObjectGetClassName(self));
	return IOServiceSuperStop(&ContractUsbClass, self, provider);
}

static bool usb_init(OSObject *self)
{
	contract_log("%s.init", OSObjectGetClassName(self));
	return true;
}

static void usb_free(OSObject *self)
{
	contract_log("%s.free", OSObjectGetClassName(self));
}

const OSDriverClass ContractUsbClass = {
	.name = CONTRACT_USB,
	.super = &IOServiceClass,
	.init = usb_init,
	.free = usb_free,
	.Start = usb_start,
	.Stop = usb_stop,
	.NewUserClient = contract_new_user_client,
};

/* --- The user client ------------------------------------------------------------------------- */

struct contract_usb *contract_usb_of(IOUserClient *client)
{
	return OSObjectGetIvars(client, &ContractUsbClientClass);
}

IOBufferMemoryDescriptor *contract_usb_buffer(IOUserClient *client, uint64_t type)
{
	struct contract_usb *usb = contract_usb_of(client);

	if (usb == NULL || (type != CONTRACT_MEMORY_USB_IN && type != CONTRACT_MEMORY_USB_OUT)) {
		return NULL;
	}
	return usb->pipes[type - CONTRACT_MEMORY_USB_IN].buffer;
}

void contract_usb_shut(struct contract_usb *usb, IOService *self)
{
	for (unsigned i = 0; i < 2; i++) {
		if (usb->pipes[i].pipe != NULL) {
			(void)IOUSBHostPipeAbort(usb->pipes[i].pipe, kIOUSBAbortSynchronous,
						 kIOReturnAborted, NULL);
		}
		OSSafeReleaseNULL(usb->pipes[i].pipe);
		usb->pipes[i].ring = false;
	}
	if (usb->open) {
		(void)IOUSBHostInterfaceClose(usb->interface, self, 0);
		usb->open = false;
	}
	OSSafeReleaseNULL(usb->interface);
}

static kern_return_t usb_client_start(IOService *self, IOService *provider)
{
	struct contract_usb *usb = contract_usb_of((IOUserClient *)self);
	kern_return_t result = IOServiceSuperStart(&ContractUsbClientClass, self, provider);

	usb->device = OSDynamicCast(IOUSBHostDevice, IOServiceGetProvider(provider));
	return result == kIOReturnSuccess && usb->device == NULL ? kIOReturnNoDevice : result;
}

static kern_return_t usb_client_stop(IOService *self, IOService *provider)
{
	contract_usb_shut(contract_usb_of((IOUserClient *)self), self);
	return IOServiceSuperStop(&ContractUsbClientClass, self, provider);
}

static void usb_client_free(OSObject *self)
{
	struct contract_usb *usb = contract_usb_of((IOUserClient *)self);

	for (unsigned i = 0; i < 2; i++) {
		OSSafeReleaseNULL(usb->pipes[i].pipe);
		OSSafeReleaseNULL(usb->pipes[i].buffer);
	}
	OSSafeReleaseNULL(usb->interface);
}

static kern_return_t usb_external_method(IOUserClient *self, uint64_t selector,
					 IOUserClientMethodArguments *arguments,
					 const IOUserClientMethodDispatch *dispatch,
					 OSObject *target, void *reference)
{
	const IOUserClientMethodDispatch *row = contract_usb_row(selector);

	if (row == NULL) {
		return IOUserClientSuperExternalMethod(&ContractUsbClientClass, self, selector,
						       arguments, dispatch, target, reference);
	}
	/* Past ContractClient, which knows only its own table. */
	return IOUserClientSuperExternalMethod(&ContractClientClass, self, selector, arguments, row,
					       OS_OBJECT(self), NULL);
}

const OSDriverClass ContractUsbClientClass = {
	.name = "ContractUsbClient",
	.super = &ContractClientClass,
	.ivars_size = sizeof(struct contract_usb),
	.free = usb_client_free,
	.Start = usb_client_start,
	.Stop = usb_client_stop,
	.ExternalMethod = usb_external_method,
};

/* --- Configuration --------------------------------------------------------------------------- */

static kern_return_t open_pipe(struct contract_usb *usb, struct contract_pipe *pipe)
{
	kern_return_t result =
		IOUSBHostInterfaceCopyPipe(usb->interface, pipe->address, &pipe->pipe);

	if (result != kIOReturnSuccess || pipe->buffer != NULL) {
		return result;
	}
	return IOUSBHostInterfaceCreateIOBuffer(usb->interface, kIOMemoryDirectionInOut,
						CONTRACT_USB_BUFFER_BYTES, &pipe->buffer);
}

/* The endpoints of the interface, in and out: their numbers are the device's choice. */
static void find_endpoints(struct contract_usb *usb)
{
	const IOUSBConfigurationDescriptor *configuration =
		IOUSBHostInterfaceCopyConfigurationDescriptor(usb->interface);
	const IOUSBInterfaceDescriptor *setting =
		IOUSBHostInterfaceGetInterfaceDescriptor(usb->interface, configuration);
	const IOUSBEndpointDescriptor *endpoint = NULL;

	for (unsigned nr_endpoints = 0; nr_endpoints < 2; nr_endpoints++) {
		endpoint = IOUSBGetNextEndpointDescriptor(configuration, setting,
							  (const IOUSBDescriptorHeader *)endpoint);
		if (endpoint == NULL) {
			break;
		}
		usb->pipes[IOUSBGetEndpointDirection(endpoint) == kIOUSBEndpointDirectionIn ? 0 : 1]
			.address = IOUSBGetEndpointAddress(endpoint);
	}
	IOUSBHostFreeDescriptor(configuration);
}

METHOD(contract_usb_configure)
{
	struct contract_usb *usb = contract_usb_of((IOUserClient *)target);
	uintptr_t iterator = 0;
	uint8_t value = (uint8_t)arguments->scalarInput[0];
	kern_return_t result = kIOReturnSuccess;

	(void)reference;
	contract_usb_shut(usb, (IOService *)target);
	if (value != 0) {
		result = IOUSBHostDeviceSetConfiguration(usb->device, value, false);
	}
	if (result == kIOReturnSuccess) {
		result = IOUSBHostDeviceCreateInterfaceIterator(usb->device, &iterator);
	}
	if (result != kIOReturnSuccess) {
		return result;
	}
	(void)IOUSBHostDeviceCopyInterface(usb->device, iterator, &usb->interface);
	(void)IOUSBHostDeviceDestroyInterfaceIterator(usb->device, iterator);
	if (usb->interface == NULL) {
		return kIOReturnNotFound;
	}
	result = IOUSBHostInterfaceOpen(usb->interface, (IOService *)target, 0, NULL);
	usb->open = result == kIOReturnSuccess;
	find_endpoints(usb);
	for (unsigned i = 0; i < 2 && result == kIOReturnSuccess; i++) {
		result = open_pipe(usb, &usb->pipes[i]);
	}
	return result;
}

METHOD(contract_usb_close)
{
	(void)reference;
	(void)arguments;
	contract_usb_shut(contract_usb_of((IOUserClient *)target), (IOService *)target);
	return kIOReturnSuccess;
}

/* SPDX-License-Identifier: MIT
 *
 * usb_device_api - the public functions of IOUSBHostDevice.
 */
#include <opendext/usb.h>

#include <stdlib.h>
#include <string.h>

#include "driver/action.h"
#include "driver/usb_provider.h"

struct interface_iterator {
	unsigned next;
};

/* A private copy that IOUSBHostFreeDescriptor() frees. */
static void *copy_bytes(const void *bytes, size_t length)
{
	void *copy = bytes == NULL ? NULL : malloc(length);

	if (copy != NULL) {
		memcpy(copy, bytes, length);
	}
	return copy;
}

void IOUSBHostFreeDescriptor(const void *descriptor)
{
	free((void *)(uintptr_t)descriptor);
}

kern_return_t IOUSBHostDeviceCreateActionCompleteAsyncDeviceRequest(
	OSObject *target, IOUSBHostCompleteAsyncDeviceRequestHandler handler, size_t referenceSize,
	OSAction **action)
{
	return dx_action_new(DX_ACTION_DEVICE_REQUEST, target, (void (*)(void))handler,
			     referenceSize, action);
}

/* ---- sessions ---- */

kern_return_t IOUSBHostDeviceOpen(IOUSBHostDevice *device, IOService *forClient,
				  IOOptionBits options, uintptr_t arg)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);

	if (core == NULL || forClient == NULL || options != 0 || arg != 0) {
		return kIOReturnBadArgument;
	}
	int32_t status = dx_usb_device_open(core->share->device, forClient);
	if (status == DX_USB_OK) {
		dx_mutex_lock(&core->usb_lock);
		core->session = forClient;
		dx_mutex_unlock(&core->usb_lock);
	}
	return status;
}

kern_return_t IOUSBHostDeviceClose(IOUSBHostDevice *device, IOService *forClient,
				   IOOptionBits options)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);

	if (core == NULL || forClient == NULL || options != 0) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->usb_lock);
	if (core->session == forClient) {
		core->session = NULL;
	}
	dx_mutex_unlock(&core->usb_lock);
	dx_reactor_blocking_begin();
	int32_t status = dx_usb_device_close(core->share->device, forClient);
	dx_reactor_blocking_end();
	return status;
}

static const void *session_of(struct dx_usb_provider *core)
{
	dx_mutex_lock(&core->usb_lock);
	const void *session = core->session;
	dx_mutex_unlock(&core->usb_lock);
	return session;
}

/* ---- descriptors ---- */

kern_return_t IOUSBHostDeviceCopyDescriptor(IOUSBHostDevice *device, uint8_t type,
					    uint16_t *length, uint8_t index, uint16_t languageID,
					    uint8_t requestType, uint8_t requestRecipient,
					    uint8_t *descriptor)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);

	if (core == NULL || length == NULL || descriptor == NULL) {
		return kIOReturnBadArgument;
	}
	dx_reactor_blocking_begin();
	int32_t status = dx_usb_device_copy_descriptor(core->share->device, type, length, index,
						       languageID, requestType, requestRecipient,
						       descriptor);
	dx_reactor_blocking_end();
	return status;
}

const IOUSBDeviceDescriptor *IOUSBHostDeviceCopyDeviceDescriptor(IOUSBHostDevice *device)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);

	return core == NULL ? NULL : copy_bytes(dx_usb_device_descriptor(core->share->device), 18);
}

const IOUSBConfigurationDescriptor *
IOUSBHostDeviceCopyConfigurationDescriptor(IOUSBHostDevice *device, uint8_t index)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);
	size_t length = 0;

	if (core == NULL) {
		return NULL;
	}
	const uint8_t *bytes = dx_usb_device_configuration_at(core->share->device, index, &length);
	return copy_bytes(bytes, length);
}

static const IOUSBConfigurationDescriptor *copy_configuration(struct dx_usb_provider *core,
							      uint8_t value)
{
	size_t length = 0;
	const uint8_t *bytes =
		dx_usb_device_configuration_with_value(core->share->device, value, &length);

	return copy_bytes(bytes, length);
}

const IOUSBConfigurationDescriptor *
IOUSBHostDeviceCopyConfigurationDescriptorWithValue(IOUSBHostDevice *device,
						    uint8_t bConfigurationValue)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);

	return core == NULL ? NULL : copy_configuration(core, bConfigurationValue);
}

const IOUSBConfigurationDescriptor *
IOUSBHostDeviceCopyCurrentConfigurationDescriptor(IOUSBHostDevice *device, IOService *forClient)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);

	(void)forClient;
	uint8_t value = core == NULL ? 0 : dx_usb_device_configuration(core->share->device);
	return value == 0 ? NULL : copy_configuration(core, value);
}

const IOUSBBOSDescriptor *IOUSBHostDeviceCopyCapabilityDescriptors(IOUSBHostDevice *device)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);
	size_t length = 0;

	if (core == NULL) {
		return NULL;
	}
	const uint8_t *bytes = dx_usb_device_bos(core->share->device, &length);
	return copy_bytes(bytes, length);
}

static const IOUSBStringDescriptor *copy_string(struct dx_usb_provider *core, uint8_t index,
						uint16_t language)
{
	size_t length = 0;

	dx_reactor_blocking_begin();
	void *string = dx_usb_device_copy_string(
		core->share->device, index,
		language == 0 ? (uint16_t)kIOUSBLanguageIDEnglishUS : language, &length);
	dx_reactor_blocking_end();
	return string;
}

const IOUSBStringDescriptor *
IOUSBHostDeviceCopyStringDescriptor(IOUSBHostDevice *device, uint8_t index, uint16_t languageID)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);

	return core == NULL ? NULL : copy_string(core, index, languageID);
}

const IOUSBStringDescriptor *
IOUSBHostInterfaceCopyStringDescriptor(IOUSBHostInterface *interface, uint8_t index,
				       uint16_t languageID)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);

	return core == NULL ? NULL : copy_string(core, index, languageID);
}

/* ---- requests ---- */

kern_return_t IOUSBHostDeviceCreateIOBuffer(IOUSBHostDevice *device, IOOptionBits options,
					    uint64_t capacity, IOBufferMemoryDescriptor **buffer)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	return dx_usb_create_buffer(core->share->device, options, capacity, buffer);
}

kern_return_t IOUSBHostDeviceDeviceRequest(IOUSBHostDevice *device, IOService *forClient,
					   uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue,
					   uint16_t wIndex, uint16_t wLength,
					   IOMemoryDescriptor *dataBuffer,
					   uint16_t *bytesTransferred,
					   uint32_t completionTimeoutMs)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);
	const struct dx_usb_setup setup = {bmRequestType, bRequest, wValue, wIndex, wLength};

	if (core == NULL || forClient == NULL) {
		return kIOReturnBadArgument;
	}
	return dx_usb_request(core, forClient, &setup, dataBuffer, bytesTransferred,
			      completionTimeoutMs);
}

kern_return_t IOUSBHostDeviceAsyncDeviceRequest(IOUSBHostDevice *device, IOService *forClient,
						uint8_t bmRequestType, uint8_t bRequest,
						uint16_t wValue, uint16_t wIndex, uint16_t wLength,
						IOMemoryDescriptor *dataBuffer,
						OSAction *completion, uint32_t completionTimeoutMs)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);
	const struct dx_usb_setup setup = {bmRequestType, bRequest, wValue, wIndex, wLength};

	if (core == NULL || forClient == NULL) {
		return kIOReturnBadArgument;
	}
	return dx_usb_request_async(core, forClient, &setup, dataBuffer, completion,
				    completionTimeoutMs);
}

kern_return_t IOUSBHostDeviceAbortDeviceRequests(IOUSBHostDevice *device, IOService *forClient,
						 IOOptionBits options, IOReturn withError)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);

	if (core == NULL || forClient == NULL || options != 0) {
		return kIOReturnBadArgument;
	}
	int32_t status = dx_usb_device_abort_requests(core->share->device, forClient, withError);
	dx_usb_submitted(core->service.runtime);
	return status;
}

/* ---- configuration ---- */

kern_return_t IOUSBHostDeviceSetConfiguration(IOUSBHostDevice *device, uint8_t bConfigurationValue,
					      bool matchInterfaces)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	const struct dx_runtime *runtime = core->service.runtime;
	const void *session = session_of(core);
	if (session == NULL) {
		return kIOReturnNotOpen;
	}
	dx_reactor_blocking_begin();
	int32_t status = dx_usb_device_set_configuration(core->share->device, session,
							 bConfigurationValue);
	dx_reactor_blocking_end();
	if (status == DX_USB_OK) {
		runtime->ops->configured(runtime->ops_context, core->share->device_id,
					 bConfigurationValue, matchInterfaces);
	}
	return status;
}

kern_return_t IOUSBHostDeviceGetAddress(IOUSBHostDevice *device, uint8_t *address)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);

	if (core == NULL || address == NULL) {
		return kIOReturnBadArgument;
	}
	*address = dx_usb_device_address(core->share->device);
	return kIOReturnSuccess;
}

kern_return_t IOUSBHostDeviceGetSpeed(IOUSBHostDevice *device, uint8_t *speed)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);

	if (core == NULL || speed == NULL) {
		return kIOReturnBadArgument;
	}
	*speed = dx_usb_device_speed(core->share->device);
	return kIOReturnSuccess;
}

kern_return_t IOUSBHostDeviceGetFrameNumber(IOUSBHostDevice *device, uint64_t *frameNumber,
					    uint64_t *theTime)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);

	if (core == NULL || frameNumber == NULL) {
		return kIOReturnBadArgument;
	}
	return dx_usb_device_frame_number(core->share->device, frameNumber, theTime);
}

kern_return_t IOUSBHostDeviceGetPortStatus(IOUSBHostDevice *device, uint32_t *portStatus)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);

	if (core == NULL || portStatus == NULL) {
		return kIOReturnBadArgument;
	}
	*portStatus = dx_usb_device_port_status(core->share->device);
	return kIOReturnSuccess;
}

kern_return_t IOUSBHostDeviceReset(IOUSBHostDevice *device)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	const void *session = session_of(core);
	if (session == NULL) {
		return kIOReturnNotOpen;
	}
	dx_reactor_blocking_begin();
	int32_t status = dx_usb_device_reset(core->share->device, session);
	dx_reactor_blocking_end();
	return status;
}

/* ---- interfaces ---- */

kern_return_t IOUSBHostDeviceCreateInterfaceIterator(IOUSBHostDevice *device, uintptr_t *ref)
{
	if (dx_usb_device_of(device) == NULL || ref == NULL) {
		return kIOReturnBadArgument;
	}
	struct interface_iterator *iterator = calloc(1, sizeof(*iterator));
	if (iterator == NULL) {
		return kIOReturnNoMemory;
	}
	*ref = (uintptr_t)iterator;
	return kIOReturnSuccess;
}

kern_return_t IOUSBHostDeviceCopyInterface(IOUSBHostDevice *device, uintptr_t ref,
					   IOUSBHostInterface **interface)
{
	struct dx_usb_provider *core = dx_usb_device_of(device);
	struct interface_iterator *iterator = (struct interface_iterator *)ref;

	if (core == NULL || iterator == NULL || interface == NULL) {
		return kIOReturnBadArgument;
	}
	struct dx_usb_interface *found =
		dx_usb_device_copy_interface(core->share->device, iterator->next);
	*interface = NULL;
	if (found == NULL) {
		return kIOReturnSuccess;
	}
	struct dx_usb_provider *made = dx_usb_provider_sibling(core, found);
	(void)dx_usb_interface_unref(found);
	if (made == NULL) {
		return kIOReturnNoMemory;
	}
	iterator->next++;
	*interface = (IOUSBHostInterface *)made;
	return kIOReturnSuccess;
}

kern_return_t IOUSBHostDeviceDestroyInterfaceIterator(IOUSBHostDevice *device, uintptr_t ref)
{
	if (dx_usb_device_of(device) == NULL || ref == 0) {
		return kIOReturnBadArgument;
	}
	free((struct interface_iterator *)ref);
	return kIOReturnSuccess;
}

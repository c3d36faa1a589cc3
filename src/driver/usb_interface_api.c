/* SPDX-License-Identifier: MIT
 *
 * usb_interface_api - the public functions of IOUSBHostInterface.
 */
#include <opendext/usb.h>

#include <stdlib.h>
#include <string.h>

#include "driver/usb_pipe.h"
#include "driver/usb_provider.h"

kern_return_t IOUSBHostInterfaceOpen(IOUSBHostInterface *interface, IOService *forClient,
				     IOOptionBits options, uint8_t *arg)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);
	bool select = options == kUSBHostOpenOptionSelectAlternateSetting;

	if (core == NULL || forClient == NULL || (options != 0 && !select) ||
	    (select && arg == NULL)) {
		return kIOReturnBadArgument;
	}
	dx_reactor_blocking_begin();
	int32_t status = dx_usb_interface_open(core->interface, forClient,
					       select ? DX_USB_OPEN_SELECT_ALTERNATE : 0,
					       select ? *arg : 0);
	dx_reactor_blocking_end();
	if (status == DX_USB_OK) {
		dx_mutex_lock(&core->usb_lock);
		core->session = forClient;
		dx_mutex_unlock(&core->usb_lock);
	}
	return status;
}

kern_return_t IOUSBHostInterfaceClose(IOUSBHostInterface *interface, IOService *forClient,
				      IOOptionBits options)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);

	if (core == NULL || forClient == NULL || options != 0) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->usb_lock);
	bool mine = core->session == forClient;
	if (mine) {
		core->session = NULL;
	}
	dx_mutex_unlock(&core->usb_lock);
	dx_reactor_blocking_begin();
	int32_t status = dx_usb_interface_close(core->interface, forClient);
	dx_reactor_blocking_end();
	if (mine) {
		dx_usb_provider_drop_pipes(core);
	}
	return status;
}

kern_return_t IOUSBHostInterfaceGetFrameNumber(IOUSBHostInterface *interface,
					       uint64_t *frameNumber, uint64_t *theTime)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);

	if (core == NULL || frameNumber == NULL) {
		return kIOReturnBadArgument;
	}
	return dx_usb_device_frame_number(core->share->device, frameNumber, theTime);
}

const IOUSBConfigurationDescriptor *
IOUSBHostInterfaceCopyConfigurationDescriptor(IOUSBHostInterface *interface)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);
	size_t length = 0;

	if (core == NULL) {
		return NULL;
	}
	const uint8_t *bytes = dx_usb_interface_configuration(core->interface, &length);
	void *copy = bytes == NULL ? NULL : malloc(length);
	if (copy != NULL) {
		memcpy(copy, bytes, length);
	}
	return copy;
}

const IOUSBInterfaceDescriptor *
IOUSBHostInterfaceGetInterfaceDescriptor(IOUSBHostInterface *interface,
					 const IOUSBConfigurationDescriptor *configuration)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);

	if (core == NULL || configuration == NULL) {
		return NULL;
	}
	const uint8_t *block = (const uint8_t *)configuration;
	size_t total = dx_usb_desc_total(block, USBToHost16(configuration->wTotalLength));
	size_t at = dx_usb_desc_find_interface(block, total,
					       dx_usb_interface_number(core->interface),
					       dx_usb_interface_alternate(core->interface));
	return at == 0 ? NULL : (const IOUSBInterfaceDescriptor *)(block + at);
}

kern_return_t IOUSBHostInterfaceCopyPipe(IOUSBHostInterface *interface, uint8_t address,
					 IOUSBHostPipe **pipe)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);
	struct dx_usb_pipe *found = NULL;

	if (core == NULL || pipe == NULL) {
		return kIOReturnBadArgument;
	}
	int32_t status = dx_usb_interface_copy_pipe(core->interface, address, &found);
	if (status != DX_USB_OK) {
		return status;
	}
	struct dx_usb_pipe_object *object = dx_usb_pipe_object_get(core, found);
	if (object == NULL) {
		return kIOReturnNoMemory;
	}
	*pipe = (IOUSBHostPipe *)object;
	return kIOReturnSuccess;
}

kern_return_t IOUSBHostInterfaceSelectAlternateSetting(IOUSBHostInterface *interface,
						       uint8_t bAlternateSetting)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	dx_reactor_blocking_begin();
	int32_t status = dx_usb_interface_select_alternate(core->interface, bAlternateSetting);
	dx_reactor_blocking_end();
	if (status == DX_USB_OK) {
		dx_usb_provider_drop_pipes(core);
	}
	return status;
}

kern_return_t IOUSBHostInterfaceGetPortStatus(IOUSBHostInterface *interface, uint32_t *portStatus)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);

	if (core == NULL || portStatus == NULL) {
		return kIOReturnBadArgument;
	}
	*portStatus = dx_usb_device_port_status(core->share->device);
	return kIOReturnSuccess;
}

kern_return_t IOUSBHostInterfaceSetIdlePolicy(IOUSBHostInterface *interface,
					      uint32_t deviceIdleTimeout)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);

	return core == NULL ? kIOReturnBadArgument
			    : dx_usb_interface_set_idle_policy(core->interface, deviceIdleTimeout);
}

kern_return_t IOUSBHostInterfaceGetIdlePolicy(IOUSBHostInterface *interface,
					      uint32_t *deviceIdleTimeout)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);

	if (core == NULL || deviceIdleTimeout == NULL) {
		return kIOReturnBadArgument;
	}
	return dx_usb_interface_idle_policy(core->interface, deviceIdleTimeout);
}

kern_return_t IOUSBHostInterfaceCopyDevice(IOUSBHostInterface *interface, IOUSBHostDevice **device)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);

	if (core == NULL || device == NULL) {
		return kIOReturnBadArgument;
	}
	struct dx_usb_provider *made = dx_usb_provider_sibling(core, NULL);
	if (made == NULL) {
		return kIOReturnNoMemory;
	}
	*device = (IOUSBHostDevice *)made;
	return kIOReturnSuccess;
}

kern_return_t IOUSBHostInterfaceCreateIOBuffer(IOUSBHostInterface *interface, IOOptionBits options,
					       uint64_t capacity,
					       IOBufferMemoryDescriptor **buffer)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	return dx_usb_create_buffer(core->share->device, options, capacity, buffer);
}

kern_return_t IOUSBHostInterfaceDeviceRequest(IOUSBHostInterface *interface,
					      uint8_t bmRequestType, uint8_t bRequest,
					      uint16_t wValue, uint16_t wIndex, uint16_t wLength,
					      IOMemoryDescriptor *dataBuffer,
					      uint16_t *bytesTransferred,
					      uint32_t completionTimeoutMs)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);
	const struct dx_usb_setup setup = {bmRequestType, bRequest, wValue, wIndex, wLength};

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	return dx_usb_request(core, NULL, &setup, dataBuffer, bytesTransferred,
			      completionTimeoutMs);
}

kern_return_t IOUSBHostInterfaceAsyncDeviceRequest(IOUSBHostInterface *interface,
						   uint8_t bmRequestType, uint8_t bRequest,
						   uint16_t wValue, uint16_t wIndex,
						   uint16_t wLength,
						   IOMemoryDescriptor *dataBuffer,
						   OSAction *completion,
						   uint32_t completionTimeoutMs)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);
	const struct dx_usb_setup setup = {bmRequestType, bRequest, wValue, wIndex, wLength};

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	return dx_usb_request_async(core, NULL, &setup, dataBuffer, completion,
				    completionTimeoutMs);
}

kern_return_t IOUSBHostInterfaceAbortDeviceRequests(IOUSBHostInterface *interface,
						    IOOptionBits options, IOReturn withError)
{
	struct dx_usb_provider *core = dx_usb_interface_of(interface);

	if (core == NULL || options != 0) {
		return kIOReturnBadArgument;
	}
	int32_t status = dx_usb_interface_abort_requests(core->interface, withError);
	dx_usb_submitted(core->service.runtime);
	return status;
}

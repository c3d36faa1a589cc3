/* SPDX-License-Identifier: MIT
 *
 * HIDDriverKit/IOHIDInterface.h - what an event service drives.
 */
#ifndef OPENDEXT_HIDDRIVERKIT_IOHIDINTERFACE_H
#define OPENDEXT_HIDDRIVERKIT_IOHIDINTERFACE_H

#if defined(__IIG) && __IIG
#include <HIDDriverKit/IOHIDInterface.iig>
#else

#include <DriverKit/IOService.h>
#include <HIDDriverKit/IOHIDDeviceTypes.h>

#pragma GCC visibility push(default)

class IOHIDInterface;
#define IOHIDInterface_ReportAvailable_ID 0x9d6f0f1b3a5e7c21ULL
#define IOHIDInterface_ReportAvailable_Args \
	uint64_t timestamp, uint32_t reportID, uint32_t reportLength, IOHIDReportType type, \
	IOMemoryDescriptor *report, OSAction *action
struct OS_MESSAGE IOHIDInterface_ReportAvailable_Msg {
	uint64_t timestamp;
	uint32_t reportID;
	uint32_t reportLength;
	IOHIDReportType type;
	IOMemoryDescriptor *report;
	OSAction *action;
};

extern OSMetaClass *gIOHIDInterfaceMetaClass;
extern const OSClassLoadInformation IOHIDInterface_Class;

/*! The reports of a device. Differs: no device here has one, so none is ever a provider. */
class IOHIDInterface : public IOService {
	OS_RUNTIME_CLASS(IOHIDInterface, IOService);

	/*! @param action  of TYPE(IOHIDInterface::ReportAvailable). @return kIOReturnUnsupported. */
	kern_return_t Open(IOService *forClient, IOOptionBits options, OSAction *action);
	/*! @return kIOReturnNotOpen. */
	kern_return_t Close(IOService *forClient, IOOptionBits options);
	/*! The elements, +0. @return NULL: there are none. */
	virtual OSArray *getElements();

	/*! Called with each report. */
	OS_RUNTIME_INVOKE_TYPE(IOHIDInterface, ReportAvailable);
};

#pragma GCC visibility pop

#endif
#endif

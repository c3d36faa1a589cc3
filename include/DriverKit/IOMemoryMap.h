/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOMemoryMap.h - memory at an address.
 */
#ifndef OPENDEXT_DRIVERKIT_IOMEMORYMAP_H
#define OPENDEXT_DRIVERKIT_IOMEMORYMAP_H

#if defined(__IIG) && __IIG
#include <DriverKit/IOMemoryMap.iig>
#else

#include <DriverKit/OSObject.h>
#include <DriverKit/IOMemoryDescriptor.h>

#pragma GCC visibility push(default)

class IOMemoryMap;

extern OSMetaClass *gIOMemoryMapMetaClass;
extern const OSClassLoadInformation IOMemoryMap_Class;

/*! A mapping in the driver; it ends with the last reference. */
class IOMemoryMap : public OSObject {
	OS_RUNTIME_CLASS(IOMemoryMap, OSObject);

	/*! Address of the byte at the offset that was asked for. */
	uint64_t GetAddress();
	/*! How many bytes are mapped. */
	uint64_t GetLength();
	/*! Where they begin in the memory. */
	uint64_t GetOffset();
};

#pragma GCC visibility pop

#endif
#endif

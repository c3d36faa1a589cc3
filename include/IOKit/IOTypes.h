/* SPDX-License-Identifier: MIT
 *
 * IOTypes - handles, counts, options and mapping constants.
 */
#ifndef OPENDEXT_IOKIT_IOTYPES_H
#define OPENDEXT_IOKIT_IOTYPES_H

#include <stdbool.h>
#include <stddef.h>

#include <IOKit/IOMapTypes.h>
#include <IOKit/IOReturn.h>
#include <MacTypes.h>
#include <device/device_types.h>
#include <mach/boolean.h>
#include <mach/clock_types.h>
#include <mach/message.h>
#include <mach/port.h>
#include <mach/vm_types.h>

/*! Option bits, counts, versions and cache modes of calls. */
typedef UInt32 IOOptionBits;
typedef SInt32 IOFixed;
typedef UInt32 IOVersion;
typedef UInt32 IOItemCount;
typedef UInt32 IOCacheMode;

/*! Counts of bytes; the narrow form follows the machine, as on macOS. Drivers have the wide one. */
typedef UInt32 IOByteCount32;
typedef UInt64 IOByteCount64;
#if defined(__x86_64__) && !(defined(TARGET_OS_DRIVERKIT) && TARGET_OS_DRIVERKIT)
typedef IOByteCount32 IOByteCount;
#else
typedef IOByteCount64 IOByteCount;
#endif

/*! Addresses as memory descriptors count them. */
typedef mach_vm_address_t IOVirtualAddress;
typedef UInt64 IOPhysicalAddress64;
typedef IOByteCount64 IOPhysicalLength64;

/*! A handle: the name of one registry entry, connection, iterator or notification. */
typedef mach_port_t io_object_t;

/*! Handles by what they name; all are io_object_t. */
typedef io_object_t io_connect_t;
typedef io_object_t io_enumerator_t;
typedef io_object_t io_ident_t;
typedef io_object_t io_iterator_t;
typedef io_object_t io_registry_entry_t;
typedef io_object_t io_service_t;
typedef io_object_t uext_object_t;

/*! No object. */
#define IO_OBJECT_NULL ((io_object_t)0)

/*! Nanoseconds in a unit of time. */
enum {
	kNanosecondScale = 1,
	kMicrosecondScale = 1000,
	kMillisecondScale = 1000 * 1000,
	kSecondScale = 1000 * 1000 * 1000,
	kTickScale = 10 * 1000 * 1000
};

#endif

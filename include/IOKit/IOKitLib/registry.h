/* SPDX-License-Identifier: MIT
 *
 * registry - the entries of the registry: paths, properties, parents and children.
 *
 * Part of <IOKit/IOKitLib.h>: include that.
 */
#ifndef OPENDEXT_IOKIT_IOKITLIB_REGISTRY_H
#define OPENDEXT_IOKIT_IOKITLIB_REGISTRY_H

#include <CoreFoundation/CFDictionary.h>
#include <IOKit/IOTypes.h>
#include <mach/mach.h>

#ifdef __cplusplus
extern "C" {
#endif

/*! How registry iterators and searches walk: into children of children; towards the root. */
enum { kIORegistryIterateRecursively = 0x00000001, kIORegistryIterateParents = 0x00000002 };

/*!
 * The root of the registry: class IORegistryEntry, name "Root".
 * @param mainPort  kIOMainPortDefault.
 * @return +1; 0 without a broker.
 */
io_registry_entry_t IORegistryGetRootEntry(mach_port_t mainPort);

/*!
 * The entry at a path.
 * @param mainPort  kIOMainPortDefault.
 * @param path      "IOService:/..." as IORegistryEntryGetPath() gives it.
 * @return +1; 0 if there is none.
 */
io_registry_entry_t IORegistryEntryFromPath(mach_port_t mainPort, const char *path);

/*!
 * Same, with a string of any length.
 * @param mainPort  kIOMainPortDefault.
 * @param path      borrowed.
 * @return +1; 0 if there is none.
 */
io_registry_entry_t IORegistryEntryCopyFromPath(mach_port_t mainPort, CFStringRef path);

/*!
 * An iterator over the children of the root.
 * @param mainPort  kIOMainPortDefault.
 * @param plane     kIOServicePlane.
 * @param options   0 or kIORegistryIterateRecursively.
 * @param iterator  receives it, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument, also for an unknown plane; kIOReturnNotReady.
 */
kern_return_t IORegistryCreateIterator(mach_port_t mainPort, const char *plane,
				       IOOptionBits options, io_iterator_t *iterator);

/*!
 * An iterator over children or parents of an entry.
 * @param entry     where to start; not part of the walk.
 * @param plane     kIOServicePlane.
 * @param options   kIORegistryIterateRecursively, kIORegistryIterateParents.
 * @param iterator  receives it, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryCreateIterator(io_registry_entry_t entry, const char *plane,
					    IOOptionBits options, io_iterator_t *iterator);

/*!
 * Walks the children of the entry that the iterator gave last.
 * @param iterator  a registry iterator.
 * @return kIOReturnSuccess; kIOReturnBadArgument for another iterator or before its first entry.
 */
kern_return_t IORegistryIteratorEnterEntry(io_iterator_t iterator);

/*!
 * Goes back to where IORegistryIteratorEnterEntry() was called.
 * @param iterator  a registry iterator.
 * @return kIOReturnSuccess; kIOReturnNoDevice at the outermost level; kIOReturnBadArgument.
 */
kern_return_t IORegistryIteratorExitEntry(io_iterator_t iterator);

/*!
 * The name of an entry: for a driver's service its user class, or what the driver set.
 * @param entry  the entry.
 * @param name   receives it.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetName(io_registry_entry_t entry, io_name_t name);

/*!
 * The name of an entry in one plane.
 * @param entry  the entry.
 * @param plane  any; the name is the same in all.
 * @param name   receives it.
 * @return as IORegistryEntryGetName().
 */
kern_return_t IORegistryEntryGetNameInPlane(io_registry_entry_t entry, const char *plane,
					    io_name_t name);

/*!
 * Where an entry is attached.
 * @param entry     the entry.
 * @param plane     kIOServicePlane.
 * @param location  receives it.
 * @return kIOReturnSuccess; kIOReturnNotFound if it has none; kIOReturnBadArgument;
 *         MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetLocationInPlane(io_registry_entry_t entry, const char *plane,
						io_name_t location);

/*!
 * The path of an entry.
 * @param entry  the entry.
 * @param plane  kIOServicePlane.
 * @param path   receives "IOService:/...".
 * @return kIOReturnSuccess; kIOReturnBadArgument, also for another plane; kIOReturnNoSpace if it is
 *         longer than 511 bytes; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetPath(io_registry_entry_t entry, const char *plane,
				     io_string_t path);

/*!
 * Same as a string of any length.
 * @param entry  the entry.
 * @param plane  kIOServicePlane.
 * @return +1, or NULL.
 */
CFStringRef IORegistryEntryCopyPath(io_registry_entry_t entry, const char *plane);

/*!
 * The number of an entry, never used twice; the driver can read the same.
 * @param entry    the entry.
 * @param entryID  receives it; 0 on failure.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetRegistryEntryID(io_registry_entry_t entry, uint64_t *entryID);

/*!
 * Copies all properties. Those that the driver set are inside "IOUserServiceProperties".
 * @param entry       the entry.
 * @param properties  receives the dictionary, +1.
 * @param allocator   ignored.
 * @param options     0.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryCreateCFProperties(io_registry_entry_t entry,
						CFMutableDictionaryRef *properties,
						CFAllocatorRef allocator, IOOptionBits options);

/*!
 * Copies one property of an entry.
 * @param entry      the entry.
 * @param key        its key.
 * @param allocator  ignored.
 * @param options    0.
 * @return +1; NULL if it has none.
 */
CFTypeRef IORegistryEntryCreateCFProperty(io_registry_entry_t entry, CFStringRef key,
					  CFAllocatorRef allocator, IOOptionBits options);

/*!
 * Copies one property of an entry or of its relatives.
 * @param entry      where to start.
 * @param plane      kIOServicePlane.
 * @param key        its key.
 * @param allocator  ignored.
 * @param options    0; kIORegistryIterateRecursively for children, with kIORegistryIterateParents
 *                   for parents.
 * @return +1 of the first that has it; NULL if none has.
 */
CFTypeRef IORegistryEntrySearchCFProperty(io_registry_entry_t entry, const char *plane,
					  CFStringRef key, CFAllocatorRef allocator,
					  IOOptionBits options);

/*!
 * Copies the bytes of one property: data, text with its NUL, "Yes" or "No", a number's bytes.
 * @param entry         the entry.
 * @param propertyName  its key.
 * @param buffer        room for *size bytes.
 * @param size          in: room; out: bytes.
 * @return kIOReturnSuccess; kIOReturnNoResources if it is missing; kIOReturnIPCError if it does not
 *         fit; kIOReturnBadArgument for containers; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetProperty(io_registry_entry_t entry, const char *propertyName,
					 io_struct_inband_t buffer, uint32_t *size);

/*!
 * Programs cannot set properties of drivers' services.
 * @param entry       the entry.
 * @param properties  ignored.
 * @return kIOReturnUnsupported; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntrySetCFProperties(io_registry_entry_t entry, CFTypeRef properties);

/*!
 * Same for one property.
 * @param entry         the entry.
 * @param propertyName  ignored.
 * @param property      ignored.
 * @return as IORegistryEntrySetCFProperties().
 */
kern_return_t IORegistryEntrySetCFProperty(io_registry_entry_t entry, CFStringRef propertyName,
					   CFTypeRef property);

/*!
 * An iterator over the children of an entry.
 * @param entry     the entry.
 * @param plane     kIOServicePlane.
 * @param iterator  receives it, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetChildIterator(io_registry_entry_t entry, const char *plane,
					     io_iterator_t *iterator);

/*!
 * The first of the children of an entry.
 * @param entry   the entry.
 * @param plane   kIOServicePlane.
 * @param child  receives it, +1; 0 on failure.
 * @return kIOReturnSuccess; kIOReturnNoDevice if it has none; kIOReturnBadArgument;
 *         MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetChildEntry(io_registry_entry_t entry, const char *plane,
					  io_registry_entry_t *child);

/*!
 * An iterator over the parents of an entry.
 * @param entry     the entry.
 * @param plane     kIOServicePlane.
 * @param iterator  receives it, +1.
 * @return kIOReturnSuccess; kIOReturnBadArgument; MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetParentIterator(io_registry_entry_t entry, const char *plane,
					     io_iterator_t *iterator);

/*!
 * The first of the parents of an entry.
 * @param entry   the entry.
 * @param plane   kIOServicePlane.
 * @param parent  receives it, +1; 0 on failure.
 * @return kIOReturnSuccess; kIOReturnNoDevice if it has none; kIOReturnBadArgument;
 *         MACH_SEND_INVALID_DEST.
 */
kern_return_t IORegistryEntryGetParentEntry(io_registry_entry_t entry, const char *plane,
					  io_registry_entry_t *parent);

/*!
 * Tells whether an entry is in a plane.
 * @param entry  the entry.
 * @param plane  its name.
 * @return 1 for kIOServicePlane, else 0.
 */
boolean_t IORegistryEntryInPlane(io_registry_entry_t entry, const char *plane);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT
 *
 * IOMapTypes - options of mapping memory.
 */
#ifndef OPENDEXT_IOKIT_IOMAPTYPES_H
#define OPENDEXT_IOKIT_IOMAPTYPES_H

/*! The memory type programs use that know only one. */
enum { kIODefaultMemoryType = 0 };

/*! How memory is cached; kept for the source's sake, memory of a memfd is always cached. */
enum {
	kIODefaultCache = 0,
	kIOInhibitCache = 1,
	kIOWriteThruCache = 2,
	kIOCopybackCache = 3,
	kIOWriteCombineCache = 4,
	kIOCopybackInnerCache = 5,
	kIOPostedWrite = 6,
	kIORealTimeCache = 7,
	kIOPostedReordered = 8,
	kIOPostedCombinedReordered = 9
};

/*!
 * Options of IOConnectMapMemory64(). Of these an application's kIOMapAnywhere counts; the cache
 * modes are accepted; all others are ignored there, as on macOS.
 */
enum {
	kIOMapAnywhere = 0x00000001,

	kIOMapCacheMask = 0x00000f00,
	kIOMapCacheShift = 8,
	kIOMapDefaultCache = kIODefaultCache << kIOMapCacheShift,
	kIOMapInhibitCache = kIOInhibitCache << kIOMapCacheShift,
	kIOMapWriteThruCache = kIOWriteThruCache << kIOMapCacheShift,
	kIOMapCopybackCache = kIOCopybackCache << kIOMapCacheShift,
	kIOMapWriteCombineCache = kIOWriteCombineCache << kIOMapCacheShift,
	kIOMapCopybackInnerCache = kIOCopybackInnerCache << kIOMapCacheShift,
	kIOMapPostedWrite = kIOPostedWrite << kIOMapCacheShift,
	kIOMapRealTimeCache = kIORealTimeCache << kIOMapCacheShift,
	kIOMapPostedReordered = kIOPostedReordered << kIOMapCacheShift,
	kIOMapPostedCombinedReordered = kIOPostedCombinedReordered << kIOMapCacheShift,

	kIOMapUserOptionsMask = 0x00000fff,

	kIOMapReadOnly = 0x00001000,

	kIOMapStatic = 0x01000000,
	kIOMapReference = 0x02000000,
	kIOMapUnique = 0x04000000,
	kIOMapPrefault = 0x10000000,
	kIOMapOverwrite = 0x20000000
};

/*! Guard pages around a mapping; accepted and ignored. */
#define kIOMapGuardedMask  0xC0000000u
#define kIOMapGuardedSmall 0x40000000u
#define kIOMapGuardedLarge 0x80000000u

#endif

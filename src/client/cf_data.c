/* SPDX-License-Identifier: MIT
 *
 * cf_data - blocks of bytes, and the wall clock.
 *
 * Place:   client, over dx_data.
 */
#include <string.h>
#include <time.h>

#include <CoreFoundation/CFData.h>
#include <CoreFoundation/CFDate.h>

#include "base/check.h"
#include "client/cf.h"

CFTypeID CFDataGetTypeID(void)
{
	return DX_CF_DATA;
}

CFDataRef CFDataCreate(CFAllocatorRef allocator, const UInt8 *bytes, CFIndex length)
{
	(void)allocator;
	if (length < 0 || (bytes == NULL && length != 0)) {
		return NULL;
	}
	return (CFDataRef)dx_data_new(bytes, (size_t)length);
}

CFMutableDataRef CFDataCreateMutable(CFAllocatorRef allocator, CFIndex capacity)
{
	(void)capacity;
	return (CFMutableDataRef)(uintptr_t)CFDataCreate(allocator, NULL, 0);
}

CFIndex CFDataGetLength(CFDataRef theData)
{
	return (CFIndex)dx_data_length((const void *)theData);
}

const UInt8 *CFDataGetBytePtr(CFDataRef theData)
{
	return dx_data_bytes((const void *)theData);
}

UInt8 *CFDataGetMutableBytePtr(CFMutableDataRef theData)
{
	return dx_data_mutable_bytes((void *)theData);
}

void CFDataGetBytes(CFDataRef theData, CFRange range, UInt8 *buffer)
{
	if (range.location < 0 || range.length <= 0 ||
	    !dx_range_inside((uint64_t)range.location, (uint64_t)range.length,
			     dx_data_length((const void *)theData))) {
		return;
	}
	memcpy(buffer, CFDataGetBytePtr(theData) + range.location, (size_t)range.length);
}

void CFDataAppendBytes(CFMutableDataRef theData, const UInt8 *bytes, CFIndex length)
{
	if (length > 0 && bytes != NULL) {
		/* Without memory nothing is added, as documented; there is nobody to tell. */
		(void)dx_data_append((void *)theData, bytes, (size_t)length);
	}
}

CFAbsoluteTime CFAbsoluteTimeGetCurrent(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
	return (double)now.tv_sec - kCFAbsoluteTimeIntervalSince1970 + (double)now.tv_nsec * 1e-9;
}

/* SPDX-License-Identifier: MIT
 *
 * CFBase - types that all of CoreFoundation shares, references, comparison.
 *
 * Rule of ownership: a function with Create or Copy in its name returns a reference that the caller
 * releases with CFRelease(); one with Get returns a borrowed object. Containers retain what they
 * hold.
 */
#ifndef OPENDEXT_COREFOUNDATION_CFBASE_H
#define OPENDEXT_COREFOUNDATION_CFBASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <MacTypes.h>

#ifdef __cplusplus
/*! Brackets around C declarations. */
#define CF_EXTERN_C_BEGIN extern "C" {
#define CF_EXTERN_C_END	  }
#else
#define CF_EXTERN_C_BEGIN
#define CF_EXTERN_C_END
#endif

#ifndef CF_EXPORT
/*! Before declarations of exported names. */
#define CF_EXPORT extern
#endif

CF_EXTERN_C_BEGIN

/*! Numbers: of types, of options, of hashes, of members. */
typedef unsigned long CFTypeID;
typedef unsigned long CFOptionFlags;
typedef unsigned long CFHashCode;
typedef signed long CFIndex;

/*! Any object; any property list object. */
typedef const void *CFTypeRef;
typedef CFTypeRef CFPropertyListRef;

/*! A string; see CFString.h. */
typedef const struct __CFString *CFStringRef;
/*! Who allocates. Every value is accepted and the process's heap is used. */
typedef const struct __CFAllocator *CFAllocatorRef;

/*! Allocators that programs name. */
#define kCFAllocatorDefault ((CFAllocatorRef)0)
CF_EXPORT const CFAllocatorRef kCFAllocatorSystemDefault;
CF_EXPORT const CFAllocatorRef kCFAllocatorMalloc;
CF_EXPORT const CFAllocatorRef kCFAllocatorNull;

/*! Result of a comparison. */
typedef CFIndex CFComparisonResult;
enum { kCFCompareLessThan = -1, kCFCompareEqualTo = 0, kCFCompareGreaterThan = 1 };

/*! Result of a search that found nothing. */
enum { kCFNotFound = -1 };

/*! A function that compares two values. */
typedef CFComparisonResult (*CFComparatorFunction)(const void *val1, const void *val2, void *context);

/*! length members from location on. */
typedef struct {
	CFIndex location;
	CFIndex length;
} CFRange;

/*!
 * Makes a range.
 * @param loc  first member.
 * @param len  number of members.
 * @return the range.
 */
static inline CFRange CFRangeMake(CFIndex loc, CFIndex len)
{
	CFRange range;

	range.location = loc;
	range.length = len;
	return range;
}

/*!
 * Takes one more reference.
 * @param cf  any object; NULL ends the program with a one-line message, as a crash does on macOS.
 * @return cf.
 * Threads: any.
 */
CF_EXPORT CFTypeRef CFRetain(CFTypeRef cf);

/*!
 * Gives one reference back; the last one frees the object.
 * @param cf  any object; NULL ends the program with a one-line message.
 * Threads: any.
 */
CF_EXPORT void CFRelease(CFTypeRef cf);

/*!
 * The number of references, for tests and curiosity.
 * @param cf  any object.
 * @return the count; a large number for constants.
 * Threads: any.
 */
CF_EXPORT CFIndex CFGetRetainCount(CFTypeRef cf);

/*!
 * The number of the type of an object; compare with CFStringGetTypeID() and the like.
 * @param cf  any object.
 * @return the number, never 0.
 * Threads: any.
 */
CF_EXPORT CFTypeID CFGetTypeID(CFTypeRef cf);

/*!
 * Tells whether two objects are equal in content: strings, numbers, booleans, data, containers.
 * @param cf1  any object.
 * @param cf2  any object.
 * @return true when equal; objects of other types are equal only to themselves.
 * Threads: any.
 */
CF_EXPORT Boolean CFEqual(CFTypeRef cf1, CFTypeRef cf2);

/*!
 * A number that equal objects have in common.
 * @param cf  any object.
 * @return the hash.
 * Threads: any.
 */
CF_EXPORT CFHashCode CFHash(CFTypeRef cf);

/*!
 * Writes a description of an object and a newline to standard error.
 * @param obj  any object, or NULL.
 * Threads: any.
 */
CF_EXPORT void CFShow(CFTypeRef obj);

/*!
 * Text that describes an object and its content.
 * @param cf  any object.
 * @return a new string; NULL without memory.
 * Threads: any.
 * Differs: the text is ours: JSON-like, one line.
 */
CF_EXPORT CFStringRef CFCopyDescription(CFTypeRef cf);

CF_EXTERN_C_END

#endif

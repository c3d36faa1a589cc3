/* SPDX-License-Identifier: MIT
 *
 * CFString - text. Kept as UTF-8 without NUL inside; lengths are counted in UTF-16 units.
 */
#ifndef OPENDEXT_COREFOUNDATION_CFSTRING_H
#define OPENDEXT_COREFOUNDATION_CFSTRING_H

#include <CoreFoundation/CFBase.h>
#include <CoreFoundation/CFDictionary.h>

CF_EXTERN_C_BEGIN

/*! One UTF-16 unit. */
typedef UInt16 UniChar;

/*! How text is kept in bytes. These four are known; others fail. */
typedef UInt32 CFStringEncoding;
enum {
	kCFStringEncodingMacRoman = 0,
	kCFStringEncodingASCII = 0x0600,
	kCFStringEncodingUTF8 = 0x08000100,
	kCFStringEncodingUTF16 = 0x0100,
	kCFStringEncodingUnicode = 0x0100
};

/*! How to compare; kCFCompareCaseInsensitive folds the letters A to Z. */
typedef CFOptionFlags CFStringCompareFlags;
enum { kCFCompareCaseInsensitive = 1 };

/*!
 * A constant string.
 * @param cStr  a string literal in UTF-8.
 * @return the same object for the same text, never released, never NULL.
 * Differs: a call, not a compile-time constant, so it cannot initialise a static variable in C.
 */
#define CFSTR(cStr) __CFStringMakeConstantString("" cStr "")

/*!
 * What CFSTR() calls.
 * @param cStr  text in UTF-8; text that is not UTF-8 is taken as MacRoman.
 * @return a string that lives as long as the process. Ends the program when memory is out.
 * Threads: any.
 */
CF_EXPORT CFStringRef __CFStringMakeConstantString(const char *cStr);

/*! @return the type number of strings. Threads: any. */
CF_EXPORT CFTypeID CFStringGetTypeID(void);

/*!
 * Makes a string of C text.
 * @param alloc     ignored.
 * @param cStr      NUL-terminated text.
 * @param encoding  of cStr: MacRoman, ASCII or UTF-8.
 * @return +1; NULL if the text is not of that encoding, or without memory.
 */
CF_EXPORT CFStringRef CFStringCreateWithCString(CFAllocatorRef alloc, const char *cStr,
						CFStringEncoding encoding);

/*!
 * Makes a string of C text that the caller promises to keep; it is copied all the same.
 * @param alloc                ignored.
 * @param cStr                 NUL-terminated text.
 * @param encoding             of cStr.
 * @param contentsDeallocator  kCFAllocatorNull keeps cStr; anything else frees it with free().
 * @return +1; NULL as for CFStringCreateWithCString(), cStr is then not freed.
 */
CF_EXPORT CFStringRef CFStringCreateWithCStringNoCopy(CFAllocatorRef alloc, const char *cStr,
						      CFStringEncoding encoding,
						      CFAllocatorRef contentsDeallocator);

/*!
 * Makes a string of bytes.
 * @param alloc                     ignored.
 * @param bytes                     numBytes bytes.
 * @param numBytes                  how many.
 * @param encoding                  any of the four; UTF-16 is in the machine's byte order.
 * @param isExternalRepresentation  true: a byte order mark may come first and is taken off.
 * @return +1; NULL if the bytes are not of that encoding or hold a NUL.
 */
CF_EXPORT CFStringRef CFStringCreateWithBytes(CFAllocatorRef alloc, const UInt8 *bytes,
					      CFIndex numBytes, CFStringEncoding encoding,
					      Boolean isExternalRepresentation);

/*!
 * Copies a string.
 * @param alloc      ignored.
 * @param theString  to copy.
 * @return +1.
 */
CF_EXPORT CFStringRef CFStringCreateCopy(CFAllocatorRef alloc, CFStringRef theString);

/*!
 * Makes a string as printf() does; %@ takes an object and puts its description, or its text if
 * it is a string.
 * @param alloc          ignored.
 * @param formatOptions  ignored; NULL.
 * @param format         text with conversions of C, and %@.
 * @return +1; NULL without memory, or for a conversion that is not known (%n is refused).
 * Differs: positional arguments (%1$@) are not known.
 */
CF_EXPORT CFStringRef CFStringCreateWithFormat(CFAllocatorRef alloc, CFDictionaryRef formatOptions,
					       CFStringRef format, ...);

/*!
 * Same, with the arguments in a list.
 * @param alloc          ignored.
 * @param formatOptions  ignored; NULL.
 * @param format         text with conversions of C, and %@.
 * @param arguments      the values.
 * @return as CFStringCreateWithFormat().
 */
CF_EXPORT CFStringRef CFStringCreateWithFormatAndArguments(CFAllocatorRef alloc,
							   CFDictionaryRef formatOptions,
							   CFStringRef format, va_list arguments);

/*!
 * The length in UTF-16 units.
 * @param theString  a string.
 * @return 0 or more.
 */
CF_EXPORT CFIndex CFStringGetLength(CFStringRef theString);

/*!
 * One UTF-16 unit of a string.
 * @param theString  a string.
 * @param idx        0 .. length - 1.
 * @return the unit; 0 beyond the end.
 */
CF_EXPORT UniChar CFStringGetCharacterAtIndex(CFStringRef theString, CFIndex idx);

/*!
 * Most bytes that a text of some length can take.
 * @param length    UTF-16 units.
 * @param encoding  any of the four.
 * @return bytes without a terminating NUL; kCFNotFound for an unknown encoding or on overflow.
 */
CF_EXPORT CFIndex CFStringGetMaximumSizeForEncoding(CFIndex length, CFStringEncoding encoding);

/*!
 * Copies the text out, with a terminating NUL.
 * @param theString   a string.
 * @param buffer      bufferSize bytes.
 * @param bufferSize  bytes.
 * @param encoding    MacRoman, ASCII or UTF-8.
 * @return true; false if it does not fit or cannot be said in that encoding (buffer is then empty).
 */
CF_EXPORT Boolean CFStringGetCString(CFStringRef theString, char *buffer, CFIndex bufferSize,
				     CFStringEncoding encoding);

/*!
 * The text itself, if it is kept in that encoding.
 * @param theString  a string.
 * @param encoding   any.
 * @return borrowed; NULL if it is kept otherwise. UTF-8 always works; ASCII and MacRoman work for
 *         plain ASCII text.
 */
CF_EXPORT const char *CFStringGetCStringPtr(CFStringRef theString, CFStringEncoding encoding);

/*!
 * Compares two strings.
 * @param theString1      a string.
 * @param theString2      another.
 * @param compareOptions  0 or kCFCompareCaseInsensitive.
 * @return the order of their code points.
 */
CF_EXPORT CFComparisonResult CFStringCompare(CFStringRef theString1, CFStringRef theString2,
					     CFStringCompareFlags compareOptions);

/*!
 * Tells whether a string starts with another.
 * @param theString  a string.
 * @param prefix     the start looked for.
 * @return true if so.
 */
CF_EXPORT Boolean CFStringHasPrefix(CFStringRef theString, CFStringRef prefix);

/*!
 * Tells whether a string ends with another.
 * @param theString  a string.
 * @param suffix     the end looked for.
 * @return true if so.
 */
CF_EXPORT Boolean CFStringHasSuffix(CFStringRef theString, CFStringRef suffix);

/*!
 * The whole number at the start of a string.
 * @param str  a string.
 * @return the number, clamped to 32 bits; 0 if there is none.
 */
CF_EXPORT SInt32 CFStringGetIntValue(CFStringRef str);

CF_EXTERN_C_END

#endif

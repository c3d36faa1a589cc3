/* SPDX-License-Identifier: MIT
 *
 * CFDictionary - values under keys.
 *
 * With the kCFType callbacks the keys are CFStrings and the values are objects: these dictionaries
 * are property lists and can be given to IOKit. With other callbacks keys and values are plain
 * pointers, the callbacks given are used, and a look-up takes time in proportion to the count.
 */
#ifndef OPENDEXT_COREFOUNDATION_CFDICTIONARY_H
#define OPENDEXT_COREFOUNDATION_CFDICTIONARY_H

#include <CoreFoundation/CFBase.h>

CF_EXTERN_C_BEGIN

/*! A dictionary; one that can be changed. */
typedef const struct __CFDictionary *CFDictionaryRef;
typedef struct __CFDictionary *CFMutableDictionaryRef;

/*! What a dictionary does with keys and values. Each function may be NULL. */
typedef const void *(*CFDictionaryRetainCallBack)(CFAllocatorRef allocator, const void *value);
typedef void (*CFDictionaryReleaseCallBack)(CFAllocatorRef allocator, const void *value);
typedef CFStringRef (*CFDictionaryCopyDescriptionCallBack)(const void *value);
typedef Boolean (*CFDictionaryEqualCallBack)(const void *value1, const void *value2);
typedef CFHashCode (*CFDictionaryHashCallBack)(const void *value);
typedef struct {
	CFIndex version;
	CFDictionaryRetainCallBack retain;
	CFDictionaryReleaseCallBack release;
	CFDictionaryCopyDescriptionCallBack copyDescription;
	CFDictionaryEqualCallBack equal;
	CFDictionaryHashCallBack hash;
} CFDictionaryKeyCallBacks;
typedef struct {
	CFIndex version;
	CFDictionaryRetainCallBack retain;
	CFDictionaryReleaseCallBack release;
	CFDictionaryCopyDescriptionCallBack copyDescription;
	CFDictionaryEqualCallBack equal;
} CFDictionaryValueCallBacks;

/*! Keys are CFStrings; values are objects. */
CF_EXPORT const CFDictionaryKeyCallBacks kCFTypeDictionaryKeyCallBacks;
CF_EXPORT const CFDictionaryKeyCallBacks kCFCopyStringDictionaryKeyCallBacks;
CF_EXPORT const CFDictionaryValueCallBacks kCFTypeDictionaryValueCallBacks;

/*! What CFDictionaryApplyFunction() calls. */
typedef void (*CFDictionaryApplierFunction)(const void *key, const void *value, void *context);

/*! @return the type number of dictionaries. Threads: any. */
CF_EXPORT CFTypeID CFDictionaryGetTypeID(void);

/*!
 * Makes a dictionary of pairs.
 * @param allocator       ignored.
 * @param keys            numValues keys.
 * @param values          numValues values.
 * @param numValues       how many; a key that comes twice keeps its first value.
 * @param keyCallBacks    &kCFTypeDictionaryKeyCallBacks, own callbacks, or NULL for bare pointers.
 * @param valueCallBacks  likewise.
 * @return +1; NULL without memory, or if with the kCFType callbacks a key is not a CFString or a
 *         value is NULL.
 * Differs: keys of other types under kCFTypeDictionaryKeyCallBacks are refused.
 */
CF_EXPORT CFDictionaryRef CFDictionaryCreate(CFAllocatorRef allocator, const void **keys,
					     const void **values, CFIndex numValues,
					     const CFDictionaryKeyCallBacks *keyCallBacks,
					     const CFDictionaryValueCallBacks *valueCallBacks);

/*!
 * Copies a dictionary; keys and values are shared.
 * @param allocator  ignored.
 * @param theDict    to copy.
 * @return +1; NULL without memory.
 */
CF_EXPORT CFDictionaryRef CFDictionaryCreateCopy(CFAllocatorRef allocator, CFDictionaryRef theDict);

/*!
 * Makes an empty dictionary that can be changed.
 * @param allocator       ignored.
 * @param capacity        ignored; dictionaries grow.
 * @param keyCallBacks    as for CFDictionaryCreate().
 * @param valueCallBacks  as for CFDictionaryCreate().
 * @return +1; NULL without memory.
 */
CF_EXPORT CFMutableDictionaryRef CFDictionaryCreateMutable(
	CFAllocatorRef allocator, CFIndex capacity, const CFDictionaryKeyCallBacks *keyCallBacks,
	const CFDictionaryValueCallBacks *valueCallBacks);

/*!
 * Copies a dictionary into one that can be changed.
 * @param allocator  ignored.
 * @param capacity   ignored.
 * @param theDict    to copy.
 * @return +1; NULL without memory.
 */
CF_EXPORT CFMutableDictionaryRef CFDictionaryCreateMutableCopy(CFAllocatorRef allocator,
							       CFIndex capacity,
							       CFDictionaryRef theDict);

/*!
 * The number of pairs.
 * @param theDict  a dictionary.
 * @return 0 or more.
 */
CF_EXPORT CFIndex CFDictionaryGetCount(CFDictionaryRef theDict);

/*!
 * Tells whether a key is there.
 * @param theDict  a dictionary.
 * @param key      a key.
 * @return true if it is.
 */
CF_EXPORT Boolean CFDictionaryContainsKey(CFDictionaryRef theDict, const void *key);

/*!
 * The value under a key.
 * @param theDict  a dictionary.
 * @param key      a key.
 * @return borrowed; NULL if there is none.
 */
CF_EXPORT const void *CFDictionaryGetValue(CFDictionaryRef theDict, const void *key);

/*!
 * The value under a key, where NULL may be a value.
 * @param theDict  a dictionary.
 * @param key      a key.
 * @param value    receives the borrowed value if there is one; may be NULL.
 * @return true if the key is there.
 */
CF_EXPORT Boolean CFDictionaryGetValueIfPresent(CFDictionaryRef theDict, const void *key,
						const void **value);

/*!
 * Lists all pairs, in the order in which they were added.
 * @param theDict  a dictionary.
 * @param keys     room for all keys, or NULL.
 * @param values   room for all values, or NULL.
 */
CF_EXPORT void CFDictionaryGetKeysAndValues(CFDictionaryRef theDict, const void **keys,
					    const void **values);

/*!
 * Calls a function for each pair.
 * @param theDict  a dictionary; must not change meanwhile.
 * @param applier  called on this thread.
 * @param context  given to applier.
 */
CF_EXPORT void CFDictionaryApplyFunction(CFDictionaryRef theDict,
					 CFDictionaryApplierFunction applier, void *context);

/*!
 * Adds a pair; a key that is there keeps its value.
 * @param theDict  a mutable dictionary.
 * @param key      a key; one that the callbacks do not allow is ignored.
 * @param value    its value.
 */
CF_EXPORT void CFDictionaryAddValue(CFMutableDictionaryRef theDict, const void *key, const void *value);

/*!
 * Adds a pair or changes the value under a key.
 * @param theDict  a mutable dictionary.
 * @param key      a key; one that the callbacks do not allow is ignored.
 * @param value    its value.
 */
CF_EXPORT void CFDictionarySetValue(CFMutableDictionaryRef theDict, const void *key, const void *value);

/*!
 * Changes the value under a key; a key that is not there is not added.
 * @param theDict  a mutable dictionary.
 * @param key      a key.
 * @param value    its new value.
 */
CF_EXPORT void CFDictionaryReplaceValue(CFMutableDictionaryRef theDict, const void *key,
					const void *value);

/*!
 * Takes a pair out, if it is there.
 * @param theDict  a mutable dictionary.
 * @param key      a key.
 */
CF_EXPORT void CFDictionaryRemoveValue(CFMutableDictionaryRef theDict, const void *key);

/*!
 * Takes all pairs out.
 * @param theDict  a mutable dictionary.
 */
CF_EXPORT void CFDictionaryRemoveAllValues(CFMutableDictionaryRef theDict);

CF_EXTERN_C_END

#endif

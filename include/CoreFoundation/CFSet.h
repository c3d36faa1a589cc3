/* SPDX-License-Identifier: MIT
 *
 * CFSet - values without order, each once.
 *
 * With kCFTypeSetCallBacks the values are objects, equal when CFEqual() says so. With NULL they are
 * bare pointers. A look-up takes time in proportion to the count.
 */
#ifndef OPENDEXT_COREFOUNDATION_CFSET_H
#define OPENDEXT_COREFOUNDATION_CFSET_H

#include <CoreFoundation/CFBase.h>

CF_EXTERN_C_BEGIN

/*! A set; one that can be changed. */
typedef const struct __CFSet *CFSetRef;
typedef struct __CFSet *CFMutableSetRef;

/*! What a set does with its values. Each function may be NULL. */
typedef const void *(*CFSetRetainCallBack)(CFAllocatorRef allocator, const void *value);
typedef void (*CFSetReleaseCallBack)(CFAllocatorRef allocator, const void *value);
typedef CFStringRef (*CFSetCopyDescriptionCallBack)(const void *value);
typedef Boolean (*CFSetEqualCallBack)(const void *value1, const void *value2);
typedef CFHashCode (*CFSetHashCallBack)(const void *value);
typedef struct {
	CFIndex version;
	CFSetRetainCallBack retain;
	CFSetReleaseCallBack release;
	CFSetCopyDescriptionCallBack copyDescription;
	CFSetEqualCallBack equal;
	CFSetHashCallBack hash;
} CFSetCallBacks;

/*! Values are objects. */
CF_EXPORT const CFSetCallBacks kCFTypeSetCallBacks;

/*! What CFSetApplyFunction() calls. */
typedef void (*CFSetApplierFunction)(const void *value, void *context);

/*! @return the type number of sets. Threads: any. */
CF_EXPORT CFTypeID CFSetGetTypeID(void);

/*!
 * Makes a set of values.
 * @param allocator  ignored.
 * @param values     numValues values; of equal ones the first is kept.
 * @param numValues  how many.
 * @param callBacks  &kCFTypeSetCallBacks, own callbacks, or NULL.
 * @return +1; NULL without memory.
 */
CF_EXPORT CFSetRef CFSetCreate(CFAllocatorRef allocator, const void **values, CFIndex numValues,
			       const CFSetCallBacks *callBacks);

/*!
 * Makes an empty set that can be changed.
 * @param allocator  ignored.
 * @param capacity   ignored.
 * @param callBacks  as of CFSetCreate().
 * @return +1; NULL without memory.
 */
CF_EXPORT CFMutableSetRef CFSetCreateMutable(CFAllocatorRef allocator, CFIndex capacity,
					     const CFSetCallBacks *callBacks);

/*!
 * The number of values.
 * @param theSet  a set.
 * @return the count.
 */
CF_EXPORT CFIndex CFSetGetCount(CFSetRef theSet);

/*!
 * Tells whether a value, or one equal to it, is in a set.
 * @param theSet  a set.
 * @param value   the value.
 * @return true if so.
 */
CF_EXPORT Boolean CFSetContainsValue(CFSetRef theSet, const void *value);

/*!
 * The member that is equal to a value.
 * @param theSet  a set.
 * @param value   the value.
 * @return borrowed; NULL when there is none.
 */
CF_EXPORT const void *CFSetGetValue(CFSetRef theSet, const void *value);

/*!
 * Copies the pointers of all members.
 * @param theSet  a set.
 * @param values  receives CFSetGetCount() pointers, borrowed.
 */
CF_EXPORT void CFSetGetValues(CFSetRef theSet, const void **values);

/*!
 * Calls a function for each member.
 * @param theSet   a set, which the function does not change.
 * @param applier  the function.
 * @param context  given to it.
 */
CF_EXPORT void CFSetApplyFunction(CFSetRef theSet, CFSetApplierFunction applier, void *context);

/*!
 * Adds a value unless an equal one is there.
 * @param theSet  a set that can be changed.
 * @param value   retained by the callbacks. Without memory nothing is added.
 */
CF_EXPORT void CFSetAddValue(CFMutableSetRef theSet, const void *value);

/*!
 * Adds a value, in place of an equal one if there is one.
 * @param theSet  a set that can be changed.
 * @param value   as above.
 */
CF_EXPORT void CFSetSetValue(CFMutableSetRef theSet, const void *value);

/*!
 * Takes the member out that is equal to a value, if there is one.
 * @param theSet  a set that can be changed.
 * @param value   the value.
 */
CF_EXPORT void CFSetRemoveValue(CFMutableSetRef theSet, const void *value);

/*!
 * Takes all members out.
 * @param theSet  a set that can be changed.
 */
CF_EXPORT void CFSetRemoveAllValues(CFMutableSetRef theSet);

CF_EXTERN_C_END

#endif

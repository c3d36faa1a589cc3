/* SPDX-License-Identifier: MIT
 *
 * CFArray - an ordered list of values.
 *
 * With kCFTypeArrayCallBacks the members are objects, retained and compared by content. With other
 * callbacks the members are plain pointers, and the callbacks given are used.
 */
#ifndef OPENDEXT_COREFOUNDATION_CFARRAY_H
#define OPENDEXT_COREFOUNDATION_CFARRAY_H

#include <CoreFoundation/CFBase.h>

CF_EXTERN_C_BEGIN

/*! An array; one that can be changed. */
typedef const struct __CFArray *CFArrayRef;
typedef struct __CFArray *CFMutableArrayRef;

/*! What a container does with a member. Each function may be NULL. */
typedef const void *(*CFArrayRetainCallBack)(CFAllocatorRef allocator, const void *value);
typedef void (*CFArrayReleaseCallBack)(CFAllocatorRef allocator, const void *value);
typedef CFStringRef (*CFArrayCopyDescriptionCallBack)(const void *value);
typedef Boolean (*CFArrayEqualCallBack)(const void *value1, const void *value2);
typedef struct {
	CFIndex version;
	CFArrayRetainCallBack retain;
	CFArrayReleaseCallBack release;
	CFArrayCopyDescriptionCallBack copyDescription;
	CFArrayEqualCallBack equal;
} CFArrayCallBacks;

/*! Members are objects. */
CF_EXPORT const CFArrayCallBacks kCFTypeArrayCallBacks;

/*! What CFArrayApplyFunction() calls. */
typedef void (*CFArrayApplierFunction)(const void *value, void *context);

/*! @return the type number of arrays. Threads: any. */
CF_EXPORT CFTypeID CFArrayGetTypeID(void);

/*!
 * Makes an array of values.
 * @param allocator  ignored.
 * @param values     numValues values; may be NULL if there are none.
 * @param numValues  how many.
 * @param callBacks  &kCFTypeArrayCallBacks, own callbacks, or NULL for bare pointers.
 * @return +1; NULL without memory, for a negative count, or for a NULL object.
 * Threads: any.
 */
CF_EXPORT CFArrayRef CFArrayCreate(CFAllocatorRef allocator, const void **values, CFIndex numValues,
				   const CFArrayCallBacks *callBacks);

/*!
 * Copies an array; the members are shared.
 * @param allocator  ignored.
 * @param theArray   to copy.
 * @return +1; NULL without memory.
 * Threads: any.
 */
CF_EXPORT CFArrayRef CFArrayCreateCopy(CFAllocatorRef allocator, CFArrayRef theArray);

/*!
 * Makes an empty array that can be changed.
 * @param allocator  ignored.
 * @param capacity   ignored; arrays grow.
 * @param callBacks  as for CFArrayCreate().
 * @return +1; NULL without memory.
 * Threads: any to create, one at a time to change.
 */
CF_EXPORT CFMutableArrayRef CFArrayCreateMutable(CFAllocatorRef allocator, CFIndex capacity,
						 const CFArrayCallBacks *callBacks);

/*!
 * Copies an array into one that can be changed.
 * @param allocator  ignored.
 * @param capacity   ignored.
 * @param theArray   to copy.
 * @return +1; NULL without memory.
 */
CF_EXPORT CFMutableArrayRef CFArrayCreateMutableCopy(CFAllocatorRef allocator, CFIndex capacity,
						     CFArrayRef theArray);

/*!
 * The number of members.
 * @param theArray  an array.
 * @return 0 or more.
 */
CF_EXPORT CFIndex CFArrayGetCount(CFArrayRef theArray);

/*!
 * One member.
 * @param theArray  an array.
 * @param idx       0 .. count - 1.
 * @return the member, borrowed; NULL beyond the end (macOS ends the program).
 */
CF_EXPORT const void *CFArrayGetValueAtIndex(CFArrayRef theArray, CFIndex idx);

/*!
 * Tells whether a value is among the members of a range.
 * @param theArray  an array.
 * @param range     where to look.
 * @param value     what to look for; compared by the callbacks.
 * @return true if it is there.
 */
CF_EXPORT Boolean CFArrayContainsValue(CFArrayRef theArray, CFRange range, const void *value);

/*!
 * The place of the first member of a range that equals a value.
 * @param theArray  an array.
 * @param range     where to look.
 * @param value     what to look for.
 * @return the index, or kCFNotFound.
 */
CF_EXPORT CFIndex CFArrayGetFirstIndexOfValue(CFArrayRef theArray, CFRange range, const void *value);

/*!
 * Calls a function for each member of a range, in order.
 * @param theArray  an array; must not change meanwhile.
 * @param range     which members.
 * @param applier   called on this thread.
 * @param context   given to applier.
 */
CF_EXPORT void CFArrayApplyFunction(CFArrayRef theArray, CFRange range,
				    CFArrayApplierFunction applier, void *context);

/*!
 * Adds a member at the end.
 * @param theArray  a mutable array.
 * @param value     retained by the callbacks. A NULL object is ignored.
 */
CF_EXPORT void CFArrayAppendValue(CFMutableArrayRef theArray, const void *value);

/*!
 * Adds a member before another.
 * @param theArray  a mutable array.
 * @param idx       0 .. count; anything else is ignored.
 * @param value     retained by the callbacks.
 */
CF_EXPORT void CFArrayInsertValueAtIndex(CFMutableArrayRef theArray, CFIndex idx, const void *value);

/*!
 * Puts a value in the place of a member, or at the end.
 * @param theArray  a mutable array.
 * @param idx       0 .. count; anything else is ignored.
 * @param value     retained by the callbacks.
 */
CF_EXPORT void CFArraySetValueAtIndex(CFMutableArrayRef theArray, CFIndex idx, const void *value);

/*!
 * Takes a member out.
 * @param theArray  a mutable array.
 * @param idx       0 .. count - 1; anything else is ignored.
 */
CF_EXPORT void CFArrayRemoveValueAtIndex(CFMutableArrayRef theArray, CFIndex idx);

/*!
 * Takes all members out.
 * @param theArray  a mutable array.
 */
CF_EXPORT void CFArrayRemoveAllValues(CFMutableArrayRef theArray);

CF_EXTERN_C_END

#endif

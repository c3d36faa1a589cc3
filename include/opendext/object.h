/* SPDX-License-Identifier: MIT
 *
 * opendext/object.h - objects, class tables and collections for drivers written in C.
 *
 * Every object has a class and a reference count. Apple's rule holds for references: functions
 * with Create or Copy in their name hand over a reference that the caller releases, functions with
 * Get lend one. Types that derive from others are passed upwards with the OS_OBJECT(), IO_SERVICE()
 * and IO_MEMORY_DESCRIPTOR() macros and downwards with OSDynamicCast().
 *
 * A driver is a shared object that exports one symbol, the NULL-terminated list of its classes:
 *
 *	static const OSDriverClass StreamClass = {
 *		.name = "Stream", .super = &IOServiceClass, .ivars_size = sizeof(struct stream),
 *		.Start = stream_start, .Stop = stream_stop, .NewUserClient = stream_new_user_client,
 *	};
 *	const OSDriverClass *const OpenDextDriverClasses[] = {&StreamClass, &StreamClientClass, NULL};
 *
 * The personality key IOUserClass names the class to make.
 */
#ifndef OPENDEXT_OBJECT_H
#define OPENDEXT_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <IOKit/IOReturn.h>
#include <IOKit/IOTypes.h>

#pragma GCC visibility push(default)

typedef struct OSObject OSObject;
typedef struct OSAction OSAction;
typedef struct OSBoolean OSBoolean;
typedef struct OSNumber OSNumber;
typedef struct OSString OSString;
typedef struct OSData OSData;
typedef struct OSArray OSArray;
typedef struct OSDictionary OSDictionary;
typedef OSObject OSContainer; /* any property value */

typedef struct IOService IOService;
typedef struct IOUserClient IOUserClient;
typedef struct IODispatchQueue IODispatchQueue;
typedef struct IOTimerDispatchSource IOTimerDispatchSource;
typedef struct IOEventLink IOEventLink;
typedef struct IOWorkGroup IOWorkGroup;
typedef struct IOInterruptDispatchSource IOInterruptDispatchSource;
typedef struct IOServiceNotificationDispatchSource IOServiceNotificationDispatchSource;
typedef struct IOServiceStateNotificationDispatchSource IOServiceStateNotificationDispatchSource;
typedef struct IOMemoryDescriptor IOMemoryDescriptor;
typedef struct IOBufferMemoryDescriptor IOBufferMemoryDescriptor;
typedef struct IOMemoryMap IOMemoryMap;
typedef struct IOUSBHostDevice IOUSBHostDevice;
typedef struct IOUSBHostInterface IOUSBHostInterface;
typedef struct IOUSBHostPipe IOUSBHostPipe;

typedef void *OSObjectPtr; /* any object */
typedef OSString *OSStringPtr;
typedef OSData *OSDataPtr;
typedef OSNumber *OSNumberPtr;
typedef OSArray *OSArrayPtr;
typedef OSDictionary *OSDictionaryPtr;

typedef char IODispatchQueueName[256];
typedef char IOServiceName[128];
typedef char IOPropertyName[128];
typedef char IORegistryPlaneName[128];

struct IOUserClientMethodArguments;
struct IOUserClientMethodDispatch;

/* --- Classes --------------------------------------------------------------------------------- */

/*!
 * The class table of a driver's class. Everything may be NULL or 0 but name and super: a missing
 * method is inherited. All methods of one object run on its dispatch queues, one at a time on each.
 *
 * Methods call what they override through IOServiceSuperStart(&MyClass, ...) and its relatives.
 * The two exceptions are init and free, which are chained by the runtime.
 */
typedef struct OSDriverClass OSDriverClass;
struct OSDriverClass {
	const char *name;	    /* what IOUserClass says; unique in the driver */
	const OSDriverClass *super; /* &IOServiceClass, &IOUserClientClass or another of the driver's */
	size_t ivars_size;	    /* bytes of zeroed instance variables: OSObjectGetIvars() */
	const char *const *queue_names; /* NULL-terminated: further names for SetDispatchQueue */

	/* Called once, super classes first. false makes the creation fail. */
	bool (*init)(OSObject *self);
	/* Called once when the last reference is gone, own class first; also when init of this class
	 * returned false, but not for a class whose init was never reached. */
	void (*free)(OSObject *self);

	/* The methods of these names in IOService; NULL: inherited. */
	kern_return_t (*Start)(IOService *self, IOService *provider);
	kern_return_t (*Stop)(IOService *self, IOService *provider);
	kern_return_t (*NewUserClient)(IOService *self, uint32_t type, IOUserClient **userClient);
	kern_return_t (*SetPowerState)(IOService *self, uint32_t powerFlags);

	/* Those of IOUserClient, only for classes that derive from it. */
	kern_return_t (*ExternalMethod)(IOUserClient *self, uint64_t selector,
					struct IOUserClientMethodArguments *arguments,
					const struct IOUserClientMethodDispatch *dispatch,
					OSObject *target, void *reference);
	kern_return_t (*CopyClientMemoryForType)(IOUserClient *self, uint64_t type,
						 uint64_t *options, IOMemoryDescriptor **memory);

	const void *reserved[8]; /* zero; the runtime's own classes use it */
};

/*! The list of the driver's classes that its shared object exports; see the top of this page. */
extern const OSDriverClass *const OpenDextDriverClasses[];

/* The runtime's classes, for super pointers and casts. Only IOServiceClass and IOUserClientClass can
 * be derived from. */
extern const OSDriverClass OSObjectClass, OSActionClass, OSBooleanClass, OSNumberClass,
	OSStringClass, OSDataClass, OSArrayClass, OSDictionaryClass, IOServiceClass,
	IOUserClientClass, IODispatchQueueClass, IOTimerDispatchSourceClass,
	IOInterruptDispatchSourceClass, IOServiceNotificationDispatchSourceClass,
	IOServiceStateNotificationDispatchSourceClass, IOEventLinkClass, IOWorkGroupClass,
	IOMemoryDescriptorClass, IOBufferMemoryDescriptorClass, IOMemoryMapClass,
	IOUSBHostDeviceClass, IOUSBHostInterfaceClass, IOUSBHostPipeClass;

/*! Upcasts: no check, no reference. The argument must be of a class that derives from the type. */
#define OS_OBJECT(object)	     ((OSObject *)(object))
#define IO_SERVICE(object)	     ((IOService *)(object))
#define IO_MEMORY_DESCRIPTOR(object) ((IOMemoryDescriptor *)(object))

/*!
 * Downcast with a check: the object as a pointer to the type when its class is the type or derives
 * from it, else NULL. type is one of the runtime's (OSDynamicCast(IOUSBHostInterface, provider)) or
 * any name for which <name>Class is an OSDriverClass that is visible here.
 * No reference is taken.
 */
#define OSDynamicCast(type, object) ((type *)OSObjectCast((object), &type##Class))

/*!
 * The function behind OSDynamicCast().
 * @param object       borrowed; may be NULL.
 * @param driver_class a class of the runtime or of the driver.
 * @return object, or NULL when it is NULL or of another class.
 * Threads: any.
 */
void *OSObjectCast(const void *object, const OSDriverClass *driver_class);

/*!
 * Tells whether an object's class is driver_class or derives from it.
 * @return false for a NULL object.
 * Threads: any.
 */
bool OSObjectIsKind(const void *object, const OSDriverClass *driver_class);

/*!
 * The name of the object's class as it was declared.
 * @return valid while the object is; "" for NULL.
 * Threads: any.
 */
const char *OSObjectGetClassName(const void *object);

/*!
 * The instance variables of one class level of a driver's object.
 * @param object       of driver_class or a class derived from it.
 * @param driver_class one of the driver's own classes.
 * @return ivars_size bytes, zero at first, aligned to 16, valid until the object's free has run;
 *         NULL when the object is of another class or ivars_size is 0.
 * Threads: any; what is inside is the driver's to protect.
 */
void *OSObjectGetIvars(const void *object, const OSDriverClass *driver_class);

/*!
 * Takes one more reference.
 * @param object  NULL is allowed.
 * @return object.
 * Threads: any.
 */
void *OSRetain(const void *object);

/*!
 * Gives one reference back; with the last one the object is freed.
 * @param object  NULL is allowed.
 * Threads: any. The free method of a driver's object runs in the thread of the last release.
 */
void OSRelease(const void *object);

/*! The present number of references; for tests and traces only. */
uint32_t OSObjectGetRetainCount(const void *object);

/*! Releases what the variable holds, if anything, and sets it to NULL. */
#define OSSafeReleaseNULL(variable)          \
	do {                                 \
		if ((variable) != NULL) {    \
			OSRelease(variable); \
			(variable) = NULL;   \
		}                            \
	} while (0)

#define OSObjectRetain(object)		  OSRetain(object)
#define OSObjectRelease(object)		  OSRelease(object)
#define OSObjectSafeReleaseNULL(variable) OSSafeReleaseNULL(variable)

/*! Value equality of two property values, identity for other objects; NULL equals only NULL. */
bool OSObjectIsEqualTo(const void *a, const void *b);

/* --- Actions --------------------------------------------------------------------------------- */

/*! A function with its context, for the places where Apple's interface takes a block. */
typedef void (*OSActionCancelHandler)(void *context);
typedef void (*OSActionAbortedHandler)(void *context);
typedef struct OSActionWaitToken OSActionWaitToken;

/* Actions are made by the typed creators: IOUSBHostPipeCreateActionCompleteAsyncIO(),
 * IOUSBHostDeviceCreateActionCompleteAsyncDeviceRequest(),
 * IOTimerDispatchSourceCreateActionTimerOccurred() and so on. An action retains its target until it
 * is cancelled or freed, may fire any number of times, and runs its handler on the target's default
 * queue, or on the one of OSActionSetQueueName(). */

/*!
 * The storage that came with the action.
 * @return referenceSize zeroed bytes, aligned to 16, for the life of the action; NULL for size 0 and
 *         for the completion of an application's call.
 * Threads: any.
 */
void *OSActionGetReference(OSAction *action);

/*!
 * Chooses the queue of the handler: the target's queue of that name, as QUEUENAME does for a method
 * of a C++ class. Set before the action is first used.
 * @return kIOReturnSuccess; kIOReturnBadArgument for a name that the target's class does not list.
 */
kern_return_t OSActionSetQueueName(OSAction *action, const char *name);

/*!
 * Stops an action for good: no handler starts after this returns, except one that is running.
 * @param handler  called once on the target's queue when no handler of the action runs any more and
 *                 the target's reference was given up; may be NULL.
 * @return kIOReturnSuccess, also for an action that was cancelled before (its handler runs too).
 * Threads: any. Blocks: never.
 */
kern_return_t OSActionCancel(OSAction *action, OSActionCancelHandler handler, void *context);

/*!
 * Sets a function that runs on the target's queue each time the runtime has given up its last use of
 * the action (no request pending, no source set) and the action is not cancelled.
 * @param handler  NULL takes it away.
 * Unsure: on macOS it runs when other processes dropped their references; here the runtime plays
 *         that part.
 */
kern_return_t OSActionSetAbortedHandler(OSAction *action, OSActionAbortedHandler handler,
					void *context);

/*!
 * Announces that OSActionWait() will be used; call it before the action can fire.
 * @return kIOReturnSuccess and a token; kIOReturnBusy when somebody waits already;
 *         kIOReturnAborted for a cancelled action; kIOReturnNoMemory.
 */
kern_return_t OSActionWillWait(OSAction *action, OSActionWaitToken **token);

/*!
 * Waits until the action has fired. Its handler still runs on its queue, which must not be the one
 * that waits, or not be needed for the answer.
 * @param options   0: no time limit; else a kIOTimerClock* constant, the clock of deadline.
 * @return kIOReturnSuccess; kIOReturnAborted when cancelled; kIOReturnTimeout.
 * Blocks: the calling queue; other queues go on.
 */
kern_return_t OSActionWait(OSAction *action, OSActionWaitToken *token, uint64_t options,
			   uint64_t deadline);

/*! Ends the wait and frees the token. @return what OSActionWait() would return now without blocking. */
kern_return_t OSActionEndWait(OSAction *action, OSActionWaitToken *token);

/* --- Values ---------------------------------------------------------------------------------- */

#define kOSBooleanTrue	OSBooleanGet(true)
#define kOSBooleanFalse OSBooleanGet(false)

/*! The two booleans: one object each, never freed. */
OSBoolean *OSBooleanGet(bool value);
/*! Its value. */
bool OSBooleanGetValue(const OSBoolean *boolean);

/*! @param length  bytes; (size_t)-1: up to the NUL. @return +1; NULL without memory or with a NUL
 * inside. */
OSStringPtr OSStringCreate(const char *text, size_t length);
/*! The text, with a NUL; lives as long as the object. */
const char *OSStringGetStringPtr(const OSString *string);
/*! Bytes, the NUL not counted. */
size_t OSStringGetLength(const OSString *string);

/*! @param bytes  copied; NULL: zeros. @return +1, or NULL without memory. */
OSDataPtr OSDataCreate(const void *bytes, size_t length);
/*! Its length in bytes. */
size_t OSDataGetLength(const OSData *data);
/*! @return NULL when empty, or when [offset, offset + length) is not inside. */
const void *OSDataGetBytesPtr(const OSData *data, size_t offset, size_t length);
/*! Copies out at most length bytes from offset. @return bytes copied. */
size_t OSDataGetBytes(const OSData *data, void *buffer, size_t offset, size_t length);
/*! @return false without memory; the data is then unchanged. */
bool OSDataAppendBytes(OSData *data, const void *bytes, size_t length);

/*! @param bits  8, 16, 32 or 64. @return +1; NULL for another width or without memory. */
OSNumberPtr OSNumberCreate(uint64_t value, size_t bits);
/*! 64 bits wide. */
OSNumberPtr OSNumberCreateWithUInt64Value(uint64_t value);
/*! The value. */
uint64_t OSNumberGetUInt64Value(const OSNumber *number);
/*! The width that it was made with. */
size_t OSNumberGetNumberOfBits(const OSNumber *number);

#define kOSArrayAppend ((size_t)-1)

/*! An empty array; release it. NULL without memory. */
OSArrayPtr OSArrayCreate(void);
/*! Number of members. */
size_t OSArrayGetCount(const OSArray *array);
/*! Inserts at index <= count, or appends with kOSArrayAppend. Takes its own reference. */
bool OSArraySetValue(OSArray *array, size_t index, const void *object);
/*! Another member in the place of one. @return false when there is none. */
bool OSArrayReplaceValue(OSArray *array, size_t index, const void *object);
/*! Adds a member at the end. @return false without memory. */
bool OSArrayAppendValue(OSArray *array, const void *object);
/*! Takes a member out and releases it; those behind it move up. */
void OSArrayRemoveValue(OSArray *array, size_t index);
/*! Borrowed; NULL beyond the end. */
OSObjectPtr OSArrayGetValue(const OSArray *array, size_t index);
/*! NULL when there is no string. */
const char *OSArrayGetStringValue(const OSArray *array, size_t index);
/*! OSArraySetValue() with a new OSString. */
bool OSArraySetStringValue(OSArray *array, size_t index, const char *text);
/*! 0 when there is no number. */
uint64_t OSArrayGetUInt64Value(const OSArray *array, size_t index);
/*! OSArraySetValue() with a new OSNumber of 64 bits. */
bool OSArraySetUInt64Value(OSArray *array, size_t index, uint64_t value);
/*! Calls the function for each member until it returns true. @return true when it did. */
bool OSArrayApply_f(const OSArray *array, void *context, bool (*function)(void *context,
									  OSObjectPtr object));

/*! An empty dictionary; release it. NULL without memory. */
OSDictionaryPtr OSDictionaryCreate(void);
/*! Number of keys. */
size_t OSDictionaryGetCount(const OSDictionary *dictionary);
/*! Takes its own reference on object; an older value of the key is released. */
bool OSDictionarySetValue(OSDictionary *dictionary, const char *key, const void *object);
/*! @return false when there was none. */
bool OSDictionaryRemoveValue(OSDictionary *dictionary, const char *key);
/*! Borrowed; NULL when missing. */
OSObjectPtr OSDictionaryGetValue(const OSDictionary *dictionary, const char *key);
/*! NULL when missing or no string. */
const char *OSDictionaryGetStringValue(const OSDictionary *dictionary, const char *key);
/*! OSDictionarySetValue() with a new OSString. */
bool OSDictionarySetStringValue(OSDictionary *dictionary, const char *key, const char *text);
/*! 0 when missing or no number. */
uint64_t OSDictionaryGetUInt64Value(const OSDictionary *dictionary, const char *key);
/*! OSDictionarySetValue() with a new OSNumber of 64 bits. */
bool OSDictionarySetUInt64Value(OSDictionary *dictionary, const char *key, uint64_t value);
/*! Calls the function for each pair until it returns true. @return true when it did. */
bool OSDictionaryApply_f(const OSDictionary *dictionary, void *context,
			 bool (*function)(void *context, const char *key, OSObjectPtr object));

#pragma GCC visibility pop

#endif

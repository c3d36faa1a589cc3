/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOUserClient.h - one application's connection to a driver.
 */
#ifndef OPENDEXT_DRIVERKIT_IOUSERCLIENT_H
#define OPENDEXT_DRIVERKIT_IOUSERCLIENT_H

#if defined(__IIG) && __IIG
#include <DriverKit/IOUserClient.iig>
#else

#include <DriverKit/IOService.h>
#include <DriverKit/IOBufferMemoryDescriptor.h>
#include <DriverKit/IOMemoryMap.h>
#include <DriverKit/OSData.h>

#pragma GCC visibility push(default)

enum {
	kIOUserClientScalarArrayCountMax = 16,
	kIOUserClientAsyncReferenceCountMax = 16,
	kIOUserClientAsyncArgumentsCountMax = 16,
};
typedef uint64_t IOUserClientScalarArray[kIOUserClientScalarArrayCountMax];
typedef uint64_t IOUserClientAsyncReferenceArray[kIOUserClientAsyncReferenceCountMax];
typedef uint64_t IOUserClientAsyncArgumentsArray[kIOUserClientAsyncArgumentsCountMax];

enum { kIOUserClientMemoryReadOnly = 1 };
enum { kIOUserClientVariableStructureSize = 0xffffffff };
enum { kIOUserClientMethodArgumentsCurrentVersion = 2 };
#define IO_USER_CLIENT_METHOD_ARGUMENTS_CURRENT_VERSION kIOUserClientMethodArgumentsCurrentVersion
#define kIOUserClientQueueNameExternalMethod "IOUserClientQueueExternalMethod"

/*! The arguments of one call. All of it is borrowed and lives until ExternalMethod(
			) returns; retain
 * what shall live longer. */
struct IOUserClientMethodArguments {
	uint64_t version; /* kIOUserClientMethodArgumentsCurrentVersion */
	uint64_t selector;
	OSAction *completion;	     /* of an Async call, else NULL; see AsyncCompletion() */
	const uint64_t *scalarInput; /* 16 readable values; those beyond the count are zero */
	uint32_t scalarInputCount;
	OSData *structureInput;			      /* 1..4096 bytes, else NULL */
	IOMemoryDescriptor *structureInputDescriptor; /* above 4096 bytes */
	uint64_t *scalarOutput;	    /* room for 16, zero; scalarOutputCount of them are returned */
	uint32_t scalarOutputCount; /* asked for; the driver may lower it */
	OSData *structureOutput;    /* set by the driver: one reference is consumed */
	IOMemoryDescriptor *structureOutputDescriptor; /* above 4096 bytes: the application's */
	uint64_t structureOutputMaximumSize; /* kIOUserClientVariableStructureSize: any size */
	uint64_t __reserved[30];
};

typedef kern_return_t (*IOUserClientMethodFunction)(OSObject *target, void *reference,
						    IOUserClientMethodArguments *arguments);

/*! One row of a table of external methods. Every check must be equal, unless it is
 * kIOUserClientVariableStructureSize. */
struct IOUserClientMethodDispatch {
	IOUserClientMethodFunction function;
	uint32_t checkCompletionExists; /* true, false, or -1U */
	uint32_t checkScalarInputCount;
	uint32_t checkStructureInputSize;
	uint32_t checkScalarOutputCount;
	uint32_t checkStructureOutputSize;
};

class IOUserClient;
#define IOUserClient_AsyncCompletion_ID 0x909e4b0fad21485dULL
#define IOUserClient_AsyncCompletion_Args \
	OSAction *action, IOReturn status, const uint64_t *asyncData, \
	uint32_t asyncDataCount
#define IOUserClient_CopyClientMemoryForType_ID 0xbfaf94c7f0bfeaa8ULL
#define IOUserClient_CopyClientMemoryForType_Args \
	uint64_t type, uint64_t *options, IOMemoryDescriptor **memory
#define IOUserClient_CreateMemoryDescriptorFromClient_ID 0xd1187eb50b029e75ULL
#define IOUserClient_CreateMemoryDescriptorFromClient_Args \
	uint64_t memoryDescriptorCreateOptions, uint32_t segmentsCount, \
	const IOAddressSegment *segments, IOMemoryDescriptor **memory
#define IOUserClient_CopyClientEntitlements_ID 0x92c5bd6a043919cfULL
#define IOUserClient_CopyClientEntitlements_Args OSDictionary **entitlements
struct OS_MESSAGE IOUserClient_AsyncCompletion_Msg {
	OSAction *action;
	IOReturn status;
	const uint64_t *asyncData;
	uint32_t asyncDataCount;
};
struct OS_MESSAGE IOUserClient_CopyClientMemoryForType_Msg {
	uint64_t type;
	uint64_t *options;
	IOMemoryDescriptor **memory;
};
struct OS_MESSAGE IOUserClient_CreateMemoryDescriptorFromClient_Msg {
	uint64_t memoryDescriptorCreateOptions;
	uint32_t segmentsCount;
	const IOAddressSegment *segments;
	IOMemoryDescriptor **memory;
};
struct OS_MESSAGE IOUserClient_CopyClientEntitlements_Msg {
	OSDictionary **entitlements;
};

extern OSMetaClass *gIOUserClientMetaClass;
extern const OSClassLoadInformation IOUserClient_Class;

/*!
 * During one IOServiceOpen() the driver sees NewUserClient() of the service; inside it Create(),
 * which runs init(); then Start() of the user client with the service as provider. Then come
 * external methods. When the application closes the connection or dies, or the service ends:
 * Stop(), free().
 */
class IOUserClient : public IOService {
	OS_RUNTIME_CLASS(IOUserClient, IOService);
	bool init() override;
	void free() override;

	/*!
	 * One call. The base compares the arguments with dispatch and calls its function with
	 * target and reference.
	 * @param dispatch, target, reference  NULL when the application's call arrives; for
	 *   super::ExternalMethod() a row of the driver's table.
	 * @return of the base: what the function returned; kIOReturnBadArgument when a check
	 *   fails; kIOReturnNoCompletion without a function; kIOReturnUnsupported without a row.
	 */
	virtual kern_return_t ExternalMethod(uint64_t selector,
			IOUserClientMethodArguments *arguments,
			const IOUserClientMethodDispatch *dispatch, OSObject *target,
			void *reference);

	/*!
	 * Tells the application that something it asked for is done. Any number of times, from
	 * any queue, also inside ExternalMethod().
	 * @param action  arguments->completion, retained if it is used after the call.
	 * @param asyncDataCount  above 16 nothing is sent.
	 */
	void AsyncCompletion(OSAction *action, IOReturn status,
			const IOUserClientAsyncArgumentsArray asyncData, uint32_t asyncDataCount,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE_TYPE(IOUserClient, AsyncCompletion);

	/*!
	 * The application maps or unmaps memory.
	 * @param options  out: 0 or kIOUserClientMemoryReadOnly.
	 * @param memory  out: one reference is consumed; the same object each time for a type.
	 * @return base: kIOReturnUnsupported.
	 */
	kern_return_t CopyClientMemoryForType(uint64_t type, uint64_t *options,
			IOMemoryDescriptor **memory, OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOUserClient, kern_return_t, CopyClientMemoryForType);

	/*!
	 * Reaches memory of the application, inside ExternalMethod().
	 * @param memoryDescriptorCreateOptions  kIOMemoryDirectionIn (may write),
	 *   kIOMemoryDirectionOut (may read), kIOMemoryDisableCopyOnWrite: both see the same
	 *   bytes until the descriptor and its maps are released.
	 * @param memory  out, +1.
	 * @return kIOReturnOverrun for more than 32 segments; kIOReturnNotReady outside of a
	 *   call; kIOReturnBadArgument for memory that cannot be shared; kIOReturnNoMemory;
	 *   kIOReturnNoResources.
	 */
	kern_return_t CreateMemoryDescriptorFromClient(uint64_t memoryDescriptorCreateOptions,
			uint32_t segmentsCount, const IOAddressSegment segments[32],
			IOMemoryDescriptor **memory, OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOUserClient, kern_return_t, CreateMemoryDescriptorFromClient);

	/*! What is known about the application, +1. */
	kern_return_t CopyClientEntitlements(OSDictionary **entitlements,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOUserClient, kern_return_t, CopyClientEntitlements);

protected:
	kern_return_t CopyClientMemoryForType_Impl(IOUserClient_CopyClientMemoryForType_Args);
	kern_return_t CreateMemoryDescriptorFromClient_Impl(
			IOUserClient_CreateMemoryDescriptorFromClient_Args);
	kern_return_t CopyClientEntitlements_Impl(IOUserClient_CopyClientEntitlements_Args);
};

#pragma GCC visibility pop

#endif
#endif

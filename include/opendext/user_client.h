/* SPDX-License-Identifier: MIT
 *
 * opendext/user_client.h - IOUserClient: one application's connection to a driver.
 *
 * During one IOServiceOpen() the driver sees: NewUserClient of the service; inside it
 * IOServiceCreate(), which runs init of the user client; then Start of the user client with the
 * service as provider. After that come external methods. When the application closes the connection
 * or dies, or the service ends: Stop, then free.
 */
#ifndef OPENDEXT_USER_CLIENT_H
#define OPENDEXT_USER_CLIENT_H

#include <opendext/memory.h>
#include <opendext/service.h>

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
#define kIOUserClientVariableStructureSize 0xffffffffu
enum { kIOUserClientMethodArgumentsCurrentVersion = 2 };
#define IO_USER_CLIENT_METHOD_ARGUMENTS_CURRENT_VERSION kIOUserClientMethodArgumentsCurrentVersion

/*! The arguments of one call. Everything in it is borrowed and lives until ExternalMethod returns;
 * retain what shall live longer. */
typedef struct IOUserClientMethodArguments {
	uint64_t version;	/* kIOUserClientMethodArgumentsCurrentVersion */
	uint64_t selector;
	OSAction *completion;	/* of an Async call, else NULL; see IOUserClientAsyncCompletion() */
	const uint64_t *scalarInput; /* 16 readable values; those beyond the count are zero */
	uint32_t scalarInputCount;
	OSData *structureInput; /* 1..4096 bytes, else NULL */
	IOMemoryDescriptor *structureInputDescriptor; /* above 4096 bytes: what the application had
							* there; writes to it stay in the driver */
	uint64_t *scalarOutput; /* room for 16, zero; scalarOutputCount of them are returned */
	uint32_t scalarOutputCount; /* asked for; the driver may lower it */
	OSData *structureOutput; /* set by the driver: one reference is consumed */
	IOMemoryDescriptor *structureOutputDescriptor; /* above 4096 bytes: the application's memory */
	uint64_t structureOutputMaximumSize; /* kIOUserClientVariableStructureSize: any size */
	uint64_t __reserved[30];
} IOUserClientMethodArguments;

typedef kern_return_t (*IOUserClientMethodFunction)(OSObject *target, void *reference,
						    IOUserClientMethodArguments *arguments);

/*! One row of a table of external methods. Every check must be equal unless it is the wildcard
 * kIOUserClientVariableStructureSize. */
typedef struct IOUserClientMethodDispatch {
	IOUserClientMethodFunction function;
	uint32_t checkCompletionExists; /* true, false, or the wildcard */
	uint32_t checkScalarInputCount;
	uint32_t checkStructureInputSize;
	uint32_t checkScalarOutputCount;
	uint32_t checkStructureOutputSize;
} IOUserClientMethodDispatch;

/*!
 * The inherited ExternalMethod. The root compares the arguments with *dispatch and then calls its
 * function:
 * @param driver_class  the class whose method is calling.
 * @param dispatch      the row of the selector, or NULL.
 * @param target        first argument of the function.
 * @param reference     second argument of the function.
 * @return what the function returned; kIOReturnBadArgument when a check fails;
 *         kIOReturnNoCompletion when the row has no function; kIOReturnUnsupported without a row.
 * Unsure: the last one is assumed; the code for a failed completion check as well.
 */
kern_return_t IOUserClientSuperExternalMethod(const OSDriverClass *driver_class,
					      IOUserClient *self, uint64_t selector,
					      IOUserClientMethodArguments *arguments,
					      const IOUserClientMethodDispatch *dispatch,
					      OSObject *target, void *reference);

/*! The inherited CopyClientMemoryForType; the root returns kIOReturnUnsupported. */
kern_return_t IOUserClientSuperCopyClientMemoryForType(const OSDriverClass *driver_class,
						       IOUserClient *self, uint64_t type,
						       uint64_t *options,
						       IOMemoryDescriptor **memory);

/*!
 * Tells the application that something it asked for is done: its callback runs with status and the
 * arguments. Any number of times, from any queue, also inside ExternalMethod; order is kept.
 * @param action    arguments->completion of a call, retained by the driver if used after it.
 * @param asyncData the first asyncDataCount are read; above 16 nothing is sent.
 * Harmless when the application has gone, or with an action that is no application's completion.
 * Blocks: never.
 */
void IOUserClientAsyncCompletion(IOUserClient *client, OSAction *action, IOReturn status,
				 const IOUserClientAsyncArgumentsArray asyncData,
				 uint32_t asyncDataCount);

/*!
 * Reaches memory of the application, inside ExternalMethod. With kIOMemoryDisableCopyOnWrite the
 * driver and the application see the same bytes, at the application's own address, until the
 * descriptor and its mappings are released; without it the driver gets what was there.
 * @param options        kIOMemoryDirectionIn (may write) | kIOMemoryDirectionOut (may read) |
 *                       kIOMemoryDisableCopyOnWrite.
 * @param segmentsCount  1..32 pieces of the application's address space.
 * @param memory         out, +1.
 * @return kIOReturnSuccess; kIOReturnOverrun for more than 32; kIOReturnBadArgument for 0 segments,
 *         length 0 or memory that cannot be shared (stacks, file mappings, read-only text, static
 *         variables in a page with initialised ones, which is a file mapping; malloc() gives what can);
 *         kIOReturnNotReady outside a call of that application, after Stop, or when the application
 *         does not answer within 5 s; kIOReturnNoMemory; kIOReturnNoResources over a limit.
 * Blocks: the calling queue until the application's library has answered; other queues go on.
 * Differs: on macOS it may also be called between calls; here the calling thread of the application
 *          is what moves its pages. Addresses are checked at once instead of when they are used.
 */
kern_return_t IOUserClientCreateMemoryDescriptorFromClient(IOUserClient *client, uint64_t options,
							   uint32_t segmentsCount,
							   const IOAddressSegment *segments,
							   IOMemoryDescriptor **memory);

/*!
 * What is known about the application: "IOUserClientCreator" = "pid N, name", and for root
 * "com.apple.developer.driverkit.administrator" = true.
 * @param entitlements  out, +1.
 */
kern_return_t IOUserClientCopyClientEntitlements(IOUserClient *client,
						 OSDictionary **entitlements);

#pragma GCC visibility pop

#endif

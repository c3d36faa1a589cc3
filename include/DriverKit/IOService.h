/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOService.h - what a driver is, and what it is matched on.
 */
#ifndef OPENDEXT_DRIVERKIT_IOSERVICE_H
#define OPENDEXT_DRIVERKIT_IOSERVICE_H

#if defined(__IIG) && __IIG
#include <DriverKit/IOService.iig>
#else

#include <DriverKit/OSAction.h>
#include <DriverKit/IODispatchQueue.h>
#include <DriverKit/OSArray.h>
#include <DriverKit/OSData.h>
#include <DriverKit/OSDictionary.h>
#include <DriverKit/OSString.h>
#include <DriverKit/IOMemoryDescriptor.h>

#pragma GCC visibility push(default)

class IOUserClient;
typedef OSObject *OSObjectPtr;
typedef char IOServiceName[128];
typedef char IOPropertyName[128];
typedef char IORegistryPlaneName[128];

enum { kIOServiceSearchPropertyParents = 1 };
enum {
	kIOServicePowerCapabilityOff = 0,
	kIOServicePowerCapabilityOn = 2,
	kIOServicePowerCapabilityLow = 0x10000,
};
enum {
	kIOMaxBusStall40usec = 40000,
	kIOMaxBusStall30usec = 30000,
	kIOMaxBusStall25usec = 25000,
	kIOMaxBusStall20usec = 20000,
	kIOMaxBusStall10usec = 10000,
	kIOMaxBusStall5usec = 5000,
	kIOMaxBusStallNone = 0,
};

#define kIOServicePlane "IOService"

class IOService;
#define IOService_Start_ID 0xecefd73224a72afbULL
#define IOService_Start_Args IOService *provider
#define IOService_Stop_ID 0xf6184628a9c10c60ULL
#define IOService_Stop_Args IOService *provider
#define IOService_ClientCrashed_ID 0xf665041c58feca4cULL
#define IOService_ClientCrashed_Args IOService *client, uint64_t options
#define IOService_GetRegistryEntryID_ID 0xf288a6c822106d42ULL
#define IOService_GetRegistryEntryID_Args uint64_t *registryEntryID
#define IOService_SetName_ID 0xf6cb62a4c4f93c14ULL
#define IOService_SetName_Args const char *name
#define IOService_CopyName_ID 0xbfaa5f525fd56d6aULL
#define IOService_CopyName_Args OSString **name
#define IOService_RegisterService_ID 0x852ccfbd1bee284cULL
#define IOService_RegisterService_Args
#define IOService_CreateDefaultDispatchQueue_ID 0xa8b62b7af60409feULL
#define IOService_CreateDefaultDispatchQueue_Args IODispatchQueue **queue
#define IOService_CopyProperties_ID 0xa4a5e137ac05db18ULL
#define IOService_CopyProperties_Args OSDictionary **properties
#define IOService_SearchProperty_ID 0x94231e5ae7e79546ULL
#define IOService_SearchProperty_Args \
	const char *name, const char *plane, uint64_t options, OSContainer **property
#define IOService_SetProperties_ID 0xddf10a6c0c4823c4ULL
#define IOService_SetProperties_Args OSDictionary *properties
#define IOService_RemoveProperty_ID 0xe1a6dc56a68ed54fULL
#define IOService_RemoveProperty_Args OSString *propertyName
#define IOService_CopyProviderProperties_ID 0x854e31995a03692eULL
#define IOService_CopyProviderProperties_Args OSArray *propertyKeys, OSArray **properties
#define IOService_JoinPMTree_ID 0xa2047ba46eff2534ULL
#define IOService_JoinPMTree_Args
#define IOService_SetPowerState_ID 0xfc8cac4a725ee19fULL
#define IOService_SetPowerState_Args uint32_t powerFlags
#define IOService_ChangePowerState_ID 0xbfbb0b6dbfec49f8ULL
#define IOService_ChangePowerState_Args uint32_t powerFlags
#define IOService_SetPowerOverride_ID 0x9c422ca9ed7f1af3ULL
#define IOService_SetPowerOverride_Args bool enable
#define IOService_NewUserClient_ID 0x82c916d21f9ae952ULL
#define IOService_NewUserClient_Args uint32_t type, IOUserClient **userClient
#define IOService_Create_ID 0xc17c2a12f4003e97ULL
#define IOService_Create_Args IOService *provider, const char *propertiesKey, IOService **result
#define IOService_Terminate_ID 0xcbbe74225695e321ULL
#define IOService_Terminate_Args uint64_t options
#define IOService_RequireMaxBusStall_ID 0x90cdf176edca7f05ULL
#define IOService_RequireMaxBusStall_Args uint64_t maxBusStall
#define IOService_AdjustBusy_ID 0xdd3bbfdcf63ad2cdULL
#define IOService_AdjustBusy_Args int32_t delta
#define IOService_GetBusyState_ID 0xc71b1fc1cf8067a2ULL
#define IOService_GetBusyState_Args uint32_t *busyState
#define IOService_CoreAnalyticsSendEvent_ID 0x8b66719c75e1d3feULL
#define IOService_CoreAnalyticsSendEvent_Args \
	uint64_t options, OSString *eventName, OSDictionary *eventPayload
#define IOService_StringFromReturn_ID 0xac0c6878d48c7515ULL
#define IOService_StringFromReturn_Args IOReturn retval, OSString **str
#define IOService_UpdateReport_ID 0x99a2ae56d2fb93a6ULL
#define IOService_UpdateReport_Args \
	OSData *channels, uint32_t action, uint32_t *outElementCount, uint64_t offset, \
	uint64_t capacity, IOMemoryDescriptor *buffer
#define IOService_ConfigureReport_ID 0xddb3833473fb8f1eULL
#define IOService_ConfigureReport_Args OSData *channels, uint32_t action, uint32_t *outCount
#define IOService_SetLegend_ID 0xb2ae4eab619c856eULL
#define IOService_SetLegend_Args OSArray *legend, bool is_public
#define IOService_CopySystemStateNotificationService_ID 0xa924e5e5490d1a63ULL
#define IOService_CopySystemStateNotificationService_Args IOService **service
#define IOService_StateNotificationItemCreate_ID 0x861b261e9d2d7153ULL
#define IOService_StateNotificationItemCreate_Args OSString *itemName, OSDictionary *schema
#define IOService_StateNotificationItemSet_ID 0xb2518c428d7de69cULL
#define IOService_StateNotificationItemSet_Args OSString *itemName, OSDictionary *value
#define IOService_StateNotificationItemCopy_ID 0xb2b56213db3a64c0ULL
#define IOService_StateNotificationItemCopy_Args OSString *itemName, OSDictionary **value
struct OS_MESSAGE IOService_Start_Msg {
	IOService *provider;
};
struct OS_MESSAGE IOService_Stop_Msg {
	IOService *provider;
};
struct OS_MESSAGE IOService_ClientCrashed_Msg {
	IOService *client;
	uint64_t options;
};
struct OS_MESSAGE IOService_GetRegistryEntryID_Msg {
	uint64_t *registryEntryID;
};
struct OS_MESSAGE IOService_SetName_Msg {
	const char *name;
};
struct OS_MESSAGE IOService_CopyName_Msg {
	OSString **name;
};
struct OS_MESSAGE IOService_RegisterService_Msg {};
struct OS_MESSAGE IOService_CreateDefaultDispatchQueue_Msg {
	IODispatchQueue **queue;
};
struct OS_MESSAGE IOService_CopyProperties_Msg {
	OSDictionary **properties;
};
struct OS_MESSAGE IOService_SearchProperty_Msg {
	const char *name;
	const char *plane;
	uint64_t options;
	OSContainer **property;
};
struct OS_MESSAGE IOService_SetProperties_Msg {
	OSDictionary *properties;
};
struct OS_MESSAGE IOService_RemoveProperty_Msg {
	OSString *propertyName;
};
struct OS_MESSAGE IOService_CopyProviderProperties_Msg {
	OSArray *propertyKeys;
	OSArray **properties;
};
struct OS_MESSAGE IOService_JoinPMTree_Msg {};
struct OS_MESSAGE IOService_SetPowerState_Msg {
	uint32_t powerFlags;
};
struct OS_MESSAGE IOService_ChangePowerState_Msg {
	uint32_t powerFlags;
};
struct OS_MESSAGE IOService_SetPowerOverride_Msg {
	bool enable;
};
struct OS_MESSAGE IOService_NewUserClient_Msg {
	uint32_t type;
	IOUserClient **userClient;
};
struct OS_MESSAGE IOService_Create_Msg {
	IOService *provider;
	const char *propertiesKey;
	IOService **result;
};
struct OS_MESSAGE IOService_Terminate_Msg {
	uint64_t options;
};
struct OS_MESSAGE IOService_RequireMaxBusStall_Msg {
	uint64_t maxBusStall;
};
struct OS_MESSAGE IOService_AdjustBusy_Msg {
	int32_t delta;
};
struct OS_MESSAGE IOService_GetBusyState_Msg {
	uint32_t *busyState;
};
struct OS_MESSAGE IOService_CoreAnalyticsSendEvent_Msg {
	uint64_t options;
	OSString *eventName;
	OSDictionary *eventPayload;
};
struct OS_MESSAGE IOService_StringFromReturn_Msg {
	IOReturn retval;
	OSString **str;
};
struct OS_MESSAGE IOService_UpdateReport_Msg {
	OSData *channels;
	uint32_t action;
	uint32_t *outElementCount;
	uint64_t offset;
	uint64_t capacity;
	IOMemoryDescriptor *buffer;
};
struct OS_MESSAGE IOService_ConfigureReport_Msg {
	OSData *channels;
	uint32_t action;
	uint32_t *outCount;
};
struct OS_MESSAGE IOService_SetLegend_Msg {
	OSArray *legend;
	bool is_public;
};
struct OS_MESSAGE IOService_CopySystemStateNotificationService_Msg {
	IOService **service;
};
struct OS_MESSAGE IOService_StateNotificationItemCreate_Msg {
	OSString *itemName;
	OSDictionary *schema;
};
struct OS_MESSAGE IOService_StateNotificationItemSet_Msg {
	OSString *itemName;
	OSDictionary *value;
};
struct OS_MESSAGE IOService_StateNotificationItemCopy_Msg {
	OSString *itemName;
	OSDictionary **value;
};

extern OSMetaClass *gIOServiceMetaClass;
extern const OSClassLoadInformation IOService_Class;

/*!
 * A service. Life of one that was matched: init(); Start(provider); work; Stop(provider);
 * free(). Methods run on the default queue, one at a time, unless SetDispatchQueue() says
 * otherwise. User clients are stopped before the service they belong to. A service whose Start
 * failed gets no Stop. The provider is a stand-in for an object outside of the driver.
 */
class IOService : public OSObject {
	OS_RUNTIME_CLASS(IOService, OSObject);
	bool init() override;
	void free() override;

	/*!
	 * Begins. An override calls Start(provider, SUPERDISPATCH) first; that succeeds. @param
	 * provider  valid until the service is freed.
	 */
	kern_return_t Start(IOService *provider, OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, Start);

	/*!
	 * Ends. An override quiesces and then, now or later, calls Stop(provider,
	 * SUPERDISPATCH), which closes what is still open on the provider and completes the
	 * termination.
	 */
	kern_return_t Stop(IOService *provider, OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, Stop);

	/*! A client process died. Clients of this system are stopped instead. */
	kern_return_t ClientCrashed(IOService *client, uint64_t options,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, ClientCrashed);

	/*! The number that applications see. */
	kern_return_t GetRegistryEntryID(uint64_t *registryEntryID,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, GetRegistryEntryID);

	/*! Renames the registry entry. */
	kern_return_t SetName(const IOServiceName name, OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, SetName);

	/*! +1. */
	kern_return_t CopyName(OSString **name, OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, CopyName);

	/*!
	 * Lets applications find the service; before Start has returned it is remembered until
	 * Start succeeds.
	 */
	kern_return_t RegisterService(OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE_VOID(IOService, kern_return_t, RegisterService);

	/*! Makes a queue for the service, +1. */
	kern_return_t CreateDefaultDispatchQueue(IODispatchQueue **queue,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, CreateDefaultDispatchQueue);

	/*! All properties, a copy, +1. */
	kern_return_t CopyProperties(OSDictionary **properties,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, CopyProperties);

	/*!
	 * Looks a property up.
	 * @param options  0, or kIOServiceSearchPropertyParents: go on with the providers.
	 * @param property  out, +1.
	 * @return kIOReturnNotFound when there is none.
	 */
	kern_return_t SearchProperty(const IOPropertyName name, const IORegistryPlaneName plane,
			uint64_t options, OSContainer **property,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, SearchProperty);

	/*! Merges properties in. @return kIOReturnUnsupported on a provider. */
	kern_return_t SetProperties(OSDictionary *properties,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, SetProperties);

	/*! Takes one away that SetProperties() put there. @return kIOReturnNotFound. */
	kern_return_t RemoveProperty(OSString *propertyName,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, RemoveProperty);

	/*! For each provider upwards a dictionary with these properties (all without keys), +1. */
	kern_return_t CopyProviderProperties(OSArray *propertyKeys, OSArray **properties,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, CopyProviderProperties);

	/*! SetPowerState(kIOServicePowerCapabilityOn) follows. */
	kern_return_t JoinPMTree(OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE_VOID(IOService, kern_return_t, JoinPMTree);

	/*!
	 * A power state is wanted; an override calls super when the device is ready, now or
	 * later.
	 */
	kern_return_t SetPowerState(uint32_t powerFlags, OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, SetPowerState);

	/*!
	 * Asks for a power state. @return kIOReturnBadArgument for another value than Off, Low
	 * and On.
	 */
	kern_return_t ChangePowerState(uint32_t powerFlags,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, ChangePowerState);
	/*! Accepted; there is no power policy to override. */
	kern_return_t SetPowerOverride(bool enable, OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, SetPowerOverride);

	/*!
	 * An application opens the service: an override makes the user client with Create() and
	 * hands its reference over. @param type  what the application passed. @return base:
	 * kIOReturnError.
	 */
	kern_return_t NewUserClient(uint32_t type, IOUserClient **userClient,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, NewUserClient);

	/*!
	 * Makes an object from a dictionary property of this service, for instance a user
	 * client.
	 * @param provider  this.
	 * @param propertiesKey  names a dictionary with IOClass and IOUserClass.
	 * @param result  out, +1.
	 * @return kIOReturnBadArgument for a missing or incomplete dictionary;
	 *   kIOReturnUnsupported for another provider, an unknown class or a failed init.
	 */
	kern_return_t Create(IOService *provider, const IOPropertyName propertiesKey,
			IOService **result, OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, Create);

	/*!
	 * Ends a service of this driver, later. @param options  0, else kIOReturnUnsupported.
	 * @return kIOReturnNotPermitted for a provider.
	 */
	kern_return_t Terminate(uint64_t options, OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, Terminate);

	/*! Accepted; there is no bus to keep awake. */
	kern_return_t RequireMaxBusStall(uint64_t maxBusStall,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, RequireMaxBusStall);

	/*! Adds to what keeps the service busy. */
	kern_return_t AdjustBusy(int32_t delta, OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, AdjustBusy);
	/*! What is left of that count. */
	kern_return_t GetBusyState(uint32_t *busyState, OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, GetBusyState);

	/*! Accepted and dropped. */
	kern_return_t CoreAnalyticsSendEvent(uint64_t options, OSString *eventName,
			OSDictionary *eventPayload, OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, CoreAnalyticsSendEvent);

	/*! The name of a code, +1. */
	kern_return_t StringFromReturn(IOReturn retval, OSString **str,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, StringFromReturn);

	/*! kIOReturnUnsupported unless overridden. */
	IOReturn UpdateReport(OSData *channels, uint32_t action, uint32_t *outElementCount,
			uint64_t offset, uint64_t capacity, IOMemoryDescriptor *buffer,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, IOReturn, UpdateReport);

	/*! kIOReturnUnsupported unless overridden. */
	IOReturn ConfigureReport(OSData *channels, uint32_t action, uint32_t *outCount,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, IOReturn, ConfigureReport);

	/*! Accepted and dropped. */
	IOReturn SetLegend(OSArray *legend, bool is_public,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, IOReturn, SetLegend);

	/*!
	 * The service that has the state items: named dictionaries that the drivers of one process
	 * share. +1.
	 */
	kern_return_t CopySystemStateNotificationService(IOService **service,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, CopySystemStateNotificationService);

	/*!
	 * Makes an item without a value, on the service above.
	 * @param schema  what the creator says about it, kept and not interpreted; may be NULL.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnUnsupported on another service;
	 *         kIOReturnExclusiveAccess for a name in use; kIOReturnNoMemory;
	 *         kIOReturnNoResources with 1024 items.
	 */
	kern_return_t StateNotificationItemCreate(OSString *itemName, OSDictionary *schema,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, StateNotificationItemCreate);

	/*!
	 * Gives an item a copy of the value, and tells who waits for it if it differs.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnUnsupported on another service;
	 *         kIOReturnNotFound; kIOReturnNoMemory.
	 */
	kern_return_t StateNotificationItemSet(OSString *itemName, OSDictionary *value,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, StateNotificationItemSet);

	/*!
	 * A copy of the value, +1.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnUnsupported on another service;
	 *         kIOReturnNotFound; kIOReturnNotReady when it has none yet; kIOReturnNoMemory.
	 */
	kern_return_t StateNotificationItemCopy(OSString *itemName, OSDictionary **value,
			OSDispatchMethod supermethod = nullptr);
	OS_RUNTIME_INVOKE(IOService, kern_return_t, StateNotificationItemCopy);

	/*! What it was started on, +0; NULL before Start. */
	IOService * GetProvider() const;

	/*!
	 * A matching dictionary for services with that value under that key.
	 * @param matching  NULL: a new one, +1; else keys are added to it and it is returned. So it
	 *                  is for all that follow.
	 */
	static OSDictionary * CreatePropertyMatchingDictionary(const char *key, OSObjectPtr value,
			OSDictionary *matching);
	/*! The same for a string. */
	static OSDictionary * CreatePropertyMatchingDictionary(const char *key,
			const char *stringValue, OSDictionary *matching);
	/*! Services whose class in the registry is this one, or derives from it. */
	static OSDictionary * CreateKernelClassMatchingDictionary(OSString *className,
			OSDictionary *matching);
	/*! The same for a C string. */
	static OSDictionary * CreateKernelClassMatchingDictionary(const char *className,
			OSDictionary *matching);
	/*! Services of a driver's class (IOUserClass). */
	static OSDictionary * CreateUserClassMatchingDictionary(OSString *className,
			OSDictionary *matching);
	/*! The same for a C string. */
	static OSDictionary * CreateUserClassMatchingDictionary(const char *className,
			OSDictionary *matching);
	/*! Services of that name. */
	static OSDictionary * CreateNameMatchingDictionary(OSString *serviceName,
			OSDictionary *matching);
	/*! The same for a C string. */
	static OSDictionary * CreateNameMatchingDictionary(const char *serviceName,
			OSDictionary *matching);

protected:
	kern_return_t Start_Impl(IOService_Start_Args);
	kern_return_t Stop_Impl(IOService_Stop_Args);
	kern_return_t ClientCrashed_Impl(IOService_ClientCrashed_Args);
	kern_return_t GetRegistryEntryID_Impl(IOService_GetRegistryEntryID_Args);
	kern_return_t SetName_Impl(IOService_SetName_Args);
	kern_return_t CopyName_Impl(IOService_CopyName_Args);
	kern_return_t RegisterService_Impl(IOService_RegisterService_Args);
	kern_return_t CreateDefaultDispatchQueue_Impl(IOService_CreateDefaultDispatchQueue_Args);
	kern_return_t CopyProperties_Impl(IOService_CopyProperties_Args);
	kern_return_t SearchProperty_Impl(IOService_SearchProperty_Args);
	kern_return_t SetProperties_Impl(IOService_SetProperties_Args);
	kern_return_t RemoveProperty_Impl(IOService_RemoveProperty_Args);
	kern_return_t CopyProviderProperties_Impl(IOService_CopyProviderProperties_Args);
	kern_return_t JoinPMTree_Impl(IOService_JoinPMTree_Args);
	kern_return_t SetPowerState_Impl(IOService_SetPowerState_Args);
	kern_return_t ChangePowerState_Impl(IOService_ChangePowerState_Args);
	kern_return_t SetPowerOverride_Impl(IOService_SetPowerOverride_Args);
	kern_return_t NewUserClient_Impl(IOService_NewUserClient_Args);
	kern_return_t Create_Impl(IOService_Create_Args);
	kern_return_t Terminate_Impl(IOService_Terminate_Args);
	kern_return_t RequireMaxBusStall_Impl(IOService_RequireMaxBusStall_Args);
	kern_return_t AdjustBusy_Impl(IOService_AdjustBusy_Args);
	kern_return_t GetBusyState_Impl(IOService_GetBusyState_Args);
	kern_return_t CoreAnalyticsSendEvent_Impl(IOService_CoreAnalyticsSendEvent_Args);
	kern_return_t StringFromReturn_Impl(IOService_StringFromReturn_Args);
	IOReturn UpdateReport_Impl(IOService_UpdateReport_Args);
	IOReturn ConfigureReport_Impl(IOService_ConfigureReport_Args);
	IOReturn SetLegend_Impl(IOService_SetLegend_Args);
	kern_return_t CopySystemStateNotificationService_Impl(
			IOService_CopySystemStateNotificationService_Args);
	kern_return_t StateNotificationItemCreate_Impl(IOService_StateNotificationItemCreate_Args);
	kern_return_t StateNotificationItemSet_Impl(IOService_StateNotificationItemSet_Args);
	kern_return_t StateNotificationItemCopy_Impl(IOService_StateNotificationItemCopy_Args);
};

#pragma GCC visibility pop

#endif
#endif

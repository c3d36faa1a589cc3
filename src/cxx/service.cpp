/* SPDX-License-Identifier: MIT
 *
 * service - IOService: the root implementations, over the core.
 */
#include "cxx/face.h"
#include "cxx/message.h"

DX_RUNTIME_CLASS_RECORD(IOService, &OSObject_Class)
DX_RUNTIME_CLASS(IOUserServer, IOService)

static core::IOService *service_of(const IOService *service)
{
	return dx::to<core::IOService>(service);
}

/* Super functions of the core start above the class that they are given: this one is above nothing of
 * ours, so the core's root runs. */
static const core::OSDriverClass below_root = []() {
	core::OSDriverClass driver_class = {};
	driver_class.name = "IOService";
	driver_class.super = &core::IOServiceClass;
	return driver_class;
}();

/* ---- callers ---- */

DX_REMOTE(IOService, Start, provider)
DX_REMOTE(IOService, Stop, provider)
DX_REMOTE(IOService, ClientCrashed, client, options)
DX_REMOTE(IOService, GetRegistryEntryID, registryEntryID)
DX_REMOTE(IOService, SetName, name)
DX_REMOTE(IOService, CopyName, name)
DX_REMOTE_VOID(IOService, RegisterService)
DX_REMOTE(IOService, CreateDefaultDispatchQueue, queue)
DX_REMOTE(IOService, CopyProperties, properties)
DX_REMOTE(IOService, SearchProperty, name, plane, options, property)
DX_REMOTE(IOService, SetProperties, properties)
DX_REMOTE(IOService, RemoveProperty, propertyName)
DX_REMOTE(IOService, CopyProviderProperties, propertyKeys, properties)
DX_REMOTE_VOID(IOService, JoinPMTree)
DX_REMOTE(IOService, SetPowerState, powerFlags)
DX_REMOTE(IOService, ChangePowerState, powerFlags)
DX_REMOTE(IOService, SetPowerOverride, enable)
DX_REMOTE(IOService, NewUserClient, type, userClient)
DX_REMOTE(IOService, Create, provider, propertiesKey, result)
DX_REMOTE(IOService, Terminate, options)
DX_REMOTE(IOService, RequireMaxBusStall, maxBusStall)
DX_REMOTE(IOService, AdjustBusy, delta)
DX_REMOTE(IOService, GetBusyState, busyState)
DX_REMOTE(IOService, CoreAnalyticsSendEvent, options, eventName, eventPayload)
DX_REMOTE(IOService, StringFromReturn, retval, str)
DX_REMOTE(IOService, UpdateReport, channels, action, outElementCount, offset, capacity, buffer)
DX_REMOTE(IOService, ConfigureReport, channels, action, outCount)
DX_REMOTE(IOService, SetLegend, legend, is_public)
DX_REMOTE(IOService, CopySystemStateNotificationService, service)
DX_REMOTE(IOService, StateNotificationItemCreate, itemName, schema)
DX_REMOTE(IOService, StateNotificationItemSet, itemName, value)
DX_REMOTE(IOService, StateNotificationItemCopy, itemName, value)

static kern_return_t set_queue(OSMetaClassBase *self, const char *name, IODispatchQueue *queue)
{
	return core::IOServiceSetDispatchQueue(dx::to<core::IOService>(self), name,
					       dx::to<core::IODispatchQueue>(queue));
}

static kern_return_t copy_queue(OSMetaClassBase *self, const char *name, IODispatchQueue **queue)
{
	core::IODispatchQueue *found = nullptr;

	if (queue == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(
		core::IOServiceCopyDispatchQueue(dx::to<core::IOService>(self), name, &found), found,
		queue);
}

kern_return_t IOService::_Dispatch(OSMetaClassBase *self, const IORPC rpc)
{
	switch (rpc.msgid) {
	case OSObject_SetDispatchQueue_ID:
		return SetDispatchQueue_Invoke(rpc, self, set_queue);
	case OSObject_CopyDispatchQueue_ID:
		return CopyDispatchQueue_Invoke(rpc, self, copy_queue);
		DX_CASE(IOService, Start);
		DX_CASE(IOService, Stop);
		DX_CASE(IOService, ClientCrashed);
		DX_CASE(IOService, GetRegistryEntryID);
		DX_CASE(IOService, SetName);
		DX_CASE(IOService, CopyName);
		DX_CASE(IOService, RegisterService);
		DX_CASE(IOService, CreateDefaultDispatchQueue);
		DX_CASE(IOService, CopyProperties);
		DX_CASE(IOService, SearchProperty);
		DX_CASE(IOService, SetProperties);
		DX_CASE(IOService, RemoveProperty);
		DX_CASE(IOService, CopyProviderProperties);
		DX_CASE(IOService, JoinPMTree);
		DX_CASE(IOService, SetPowerState);
		DX_CASE(IOService, ChangePowerState);
		DX_CASE(IOService, SetPowerOverride);
		DX_CASE(IOService, NewUserClient);
		DX_CASE(IOService, Create);
		DX_CASE(IOService, Terminate);
		DX_CASE(IOService, RequireMaxBusStall);
		DX_CASE(IOService, AdjustBusy);
		DX_CASE(IOService, GetBusyState);
		DX_CASE(IOService, CoreAnalyticsSendEvent);
		DX_CASE(IOService, StringFromReturn);
		DX_CASE(IOService, UpdateReport);
		DX_CASE(IOService, ConfigureReport);
		DX_CASE(IOService, SetLegend);
		DX_CASE(IOService, CopySystemStateNotificationService);
		DX_CASE(IOService, StateNotificationItemCreate);
		DX_CASE(IOService, StateNotificationItemSet);
		DX_CASE(IOService, StateNotificationItemCopy);
	default:
		return OSObject::_Dispatch(self, rpc);
	}
}

/* ---- life ---- */

bool IOService::init()
{
	return super::init();
}

void IOService::free()
{
	super::free();
}

kern_return_t IOService::Start_Impl(IOService *provider)
{
	return core::IOServiceSuperStart(&below_root, service_of(this), service_of(provider));
}

kern_return_t IOService::Stop_Impl(IOService *provider)
{
	return core::IOServiceSuperStop(&below_root, service_of(this), service_of(provider));
}

kern_return_t IOService::ClientCrashed_Impl(IOService *, uint64_t)
{
	return kIOReturnSuccess;
}

kern_return_t IOService::NewUserClient_Impl(uint32_t, IOUserClient **)
{
	return kIOReturnError;
}

kern_return_t IOService::Create_Impl(IOService *provider, const char *propertiesKey,
				     IOService **result)
{
	core::IOService *made = nullptr;

	if (result == nullptr) {
		return kIOReturnBadArgument;
	}
	if (provider != this) {
		return kIOReturnUnsupported;
	}
	return dx::give(core::IOServiceCreate(service_of(this), propertiesKey, &made), made, result);
}

kern_return_t IOService::Terminate_Impl(uint64_t options)
{
	return core::IOServiceTerminate(service_of(this), options);
}

IOService *IOService::GetProvider() const
{
	return dx::from<IOService>(core::IOServiceGetProvider(service_of(this)));
}

/* ---- identity, queues ---- */

kern_return_t IOService::GetRegistryEntryID_Impl(uint64_t *registryEntryID)
{
	return core::IOServiceGetRegistryEntryID(service_of(this), registryEntryID);
}

kern_return_t IOService::SetName_Impl(const char *name)
{
	return core::IOServiceSetName(service_of(this), name);
}

kern_return_t IOService::CopyName_Impl(OSString **name)
{
	core::OSString *found = nullptr;

	if (name == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOServiceCopyName(service_of(this), &found), found, name);
}

kern_return_t IOService::RegisterService_Impl()
{
	return core::IOServiceRegisterService(service_of(this));
}

kern_return_t IOService::CreateDefaultDispatchQueue_Impl(IODispatchQueue **queue)
{
	return IODispatchQueue::Create(kIOServiceDefaultQueueName, 0, 0, queue);
}

/* ---- properties ---- */

kern_return_t IOService::CopyProperties_Impl(OSDictionary **properties)
{
	core::OSDictionary *found = nullptr;

	if (properties == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOServiceCopyProperties(service_of(this), &found), found, properties);
}

kern_return_t IOService::SearchProperty_Impl(const char *name, const char *plane, uint64_t options,
					     OSContainer **property)
{
	core::OSContainer *found = nullptr;

	if (property == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(
		core::IOServiceSearchProperty(service_of(this), name, plane, options, &found), found,
		property);
}

kern_return_t IOService::SetProperties_Impl(OSDictionary *properties)
{
	return core::IOServiceSetProperties(service_of(this),
					    dx::to<core::OSDictionary>(properties));
}

kern_return_t IOService::RemoveProperty_Impl(OSString *propertyName)
{
	return core::IOServiceRemoveProperty(service_of(this), dx::to<core::OSString>(propertyName));
}

/* Those of one provider that are asked for; +1 or NULL. */
static OSDictionary *selected_properties(IOService *provider, OSArray *keys)
{
	OSDictionary *all = nullptr;

	if (provider->CopyProperties(&all) != kIOReturnSuccess || keys == nullptr) {
		return all;
	}
	OSDictionary *selected = OSDictionary::withCapacity(keys->getCount());
	for (uint32_t i = 0; selected != nullptr && i < keys->getCount(); i++) {
		OSObject *key = keys->getObject(i);
		OSObject *value = all->getObject(key);
		if (value != nullptr) {
			(void)selected->setObject(key, value);
		}
	}
	all->release();
	return selected;
}

kern_return_t IOService::CopyProviderProperties_Impl(OSArray *propertyKeys, OSArray **properties)
{
	OSArray *found = properties == nullptr ? nullptr : OSArray::withCapacity(0);

	if (found == nullptr) {
		return properties == nullptr ? kIOReturnBadArgument : kIOReturnNoMemory;
	}
	for (IOService *at = GetProvider(); at != nullptr; at = at->GetProvider()) {
		OSDictionary *own = selected_properties(at, propertyKeys);
		if (own != nullptr) {
			(void)found->setObject(own);
			own->release();
		}
	}
	*properties = found;
	return kIOReturnSuccess;
}

/* ---- power, busy ---- */

kern_return_t IOService::JoinPMTree_Impl()
{
	return core::IOServiceJoinPMTree(service_of(this));
}

kern_return_t IOService::SetPowerState_Impl(uint32_t powerFlags)
{
	return core::IOServiceSuperSetPowerState(&below_root, service_of(this), powerFlags);
}

kern_return_t IOService::ChangePowerState_Impl(uint32_t powerFlags)
{
	return core::IOServiceChangePowerState(service_of(this), powerFlags);
}

kern_return_t IOService::SetPowerOverride_Impl(bool)
{
	return kIOReturnSuccess;
}

kern_return_t IOService::RequireMaxBusStall_Impl(uint64_t)
{
	return kIOReturnSuccess;
}

kern_return_t IOService::AdjustBusy_Impl(int32_t delta)
{
	return core::IOServiceAdjustBusy(service_of(this), delta);
}

kern_return_t IOService::GetBusyState_Impl(uint32_t *busyState)
{
	return core::IOServiceGetBusyCount(service_of(this), busyState);
}

/* ---- small things, and what this system has nothing for ---- */

kern_return_t IOService::StringFromReturn_Impl(IOReturn retval, OSString **str)
{
	core::OSString *found = nullptr;

	if (str == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOServiceStringFromReturn(service_of(this), retval, &found), found,
			str);
}

kern_return_t IOService::CoreAnalyticsSendEvent_Impl(uint64_t, OSString *, OSDictionary *)
{
	return kIOReturnSuccess;
}

IOReturn IOService::UpdateReport_Impl(OSData *, uint32_t, uint32_t *, uint64_t, uint64_t,
				      IOMemoryDescriptor *)
{
	return kIOReturnUnsupported;
}

IOReturn IOService::ConfigureReport_Impl(OSData *, uint32_t, uint32_t *)
{
	return kIOReturnUnsupported;
}

IOReturn IOService::SetLegend_Impl(OSArray *, bool)
{
	return kIOReturnSuccess;
}

/* ---- state items ---- */

kern_return_t IOService::CopySystemStateNotificationService_Impl(IOService **service)
{
	core::IOService *found = nullptr;

	if (service == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOServiceCopySystemStateNotificationService(service_of(this), &found),
			found, service);
}

kern_return_t IOService::StateNotificationItemCreate_Impl(OSString *itemName, OSDictionary *schema)
{
	return core::IOServiceStateNotificationItemCreate(service_of(this),
							  dx::to<core::OSString>(itemName),
							  dx::to<core::OSDictionary>(schema));
}

kern_return_t IOService::StateNotificationItemSet_Impl(OSString *itemName, OSDictionary *value)
{
	return core::IOServiceStateNotificationItemSet(service_of(this),
						       dx::to<core::OSString>(itemName),
						       dx::to<core::OSDictionary>(value));
}

kern_return_t IOService::StateNotificationItemCopy_Impl(OSString *itemName, OSDictionary **value)
{
	core::OSDictionary *found = nullptr;

	if (value == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOServiceStateNotificationItemCopy(service_of(this),
								 dx::to<core::OSString>(itemName),
								 &found),
			found, value);
}

/* ---- matching ---- */

/* The core returns the dictionary that it was given, or a new one. */
static OSDictionary *made(core::OSDictionary *dictionary, OSDictionary *matching)
{
	if (dictionary == nullptr) {
		return nullptr;
	}
	return matching != nullptr ? matching : dx::take<OSDictionary>(dictionary);
}

static const char *text_of(OSString *string)
{
	return string == nullptr ? nullptr : string->getCStringNoCopy();
}

OSDictionary *IOService::CreatePropertyMatchingDictionary(const char *key, OSObjectPtr value,
							  OSDictionary *matching)
{
	return made(core::IOServiceCreatePropertyMatchingDictionary(
			    key, dx::core_of(value), dx::to<core::OSDictionary>(matching)),
		    matching);
}

OSDictionary *IOService::CreatePropertyMatchingDictionary(const char *key, const char *stringValue,
							  OSDictionary *matching)
{
	OSString *value = OSString::withCString(stringValue);
	OSDictionary *dictionary =
		value == nullptr ? nullptr : CreatePropertyMatchingDictionary(key, value, matching);

	OSSafeReleaseNULL(value);
	return dictionary;
}

OSDictionary *IOService::CreateKernelClassMatchingDictionary(OSString *className,
							     OSDictionary *matching)
{
	return CreateKernelClassMatchingDictionary(text_of(className), matching);
}

OSDictionary *IOService::CreateKernelClassMatchingDictionary(const char *className,
							     OSDictionary *matching)
{
	return made(core::IOServiceCreateKernelClassMatchingDictionary(
			    className, dx::to<core::OSDictionary>(matching)),
		    matching);
}

OSDictionary *IOService::CreateUserClassMatchingDictionary(OSString *className,
							   OSDictionary *matching)
{
	return CreateUserClassMatchingDictionary(text_of(className), matching);
}

OSDictionary *IOService::CreateUserClassMatchingDictionary(const char *className,
							   OSDictionary *matching)
{
	return made(core::IOServiceCreateUserClassMatchingDictionary(
			    className, dx::to<core::OSDictionary>(matching)),
		    matching);
}

OSDictionary *IOService::CreateNameMatchingDictionary(OSString *serviceName, OSDictionary *matching)
{
	return CreateNameMatchingDictionary(text_of(serviceName), matching);
}

OSDictionary *IOService::CreateNameMatchingDictionary(const char *serviceName,
						      OSDictionary *matching)
{
	return made(core::IOServiceCreateNameMatchingDictionary(
			    serviceName, dx::to<core::OSDictionary>(matching)),
		    matching);
}

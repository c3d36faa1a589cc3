/* SPDX-License-Identifier: MIT
 *
 * Services - queues of objects, actions by number and name, methods of IOService, memory of the
 * application.
 */
#include "Test.hpp"

kern_return_t ClassesClient::TestQueuesOfObjects()
{
	IODispatchQueue *found = nullptr;
	OSObject *object = this;

	EXPECT(ivars->normal->OnQueue() && !ivars->queue->OnQueue());
	EXPECT(object->CopyDispatchQueue("ClassesQueue", &found) == kIOReturnSuccess);
	EXPECT(found == ivars->queue);
	OSSafeReleaseNULL(found);
	EXPECT(object->CopyDispatchQueue("Unknown", &found) == kIOReturnNotFound);
	EXPECT(object->SetDispatchQueue("Unknown", ivars->queue) == kIOReturnBadArgument);
	EXPECT(object->SetDispatchQueue(kIOUserClientQueueNameExternalMethod, ivars->queue) ==
	       kIOReturnSuccess);
	EXPECT(CopyDispatchQueue(kIOUserClientQueueNameExternalMethod, &found) == kIOReturnSuccess);
	EXPECT(found == ivars->queue);
	OSSafeReleaseNULL(found);
	EXPECT(SetDispatchQueue(kIOUserClientQueueNameExternalMethod, ivars->normal) ==
	       kIOReturnSuccess);
	EXPECT(ivars->queue->SetDispatchQueue("Default", ivars->queue) == kIOReturnUnsupported);
	EXPECT(ivars->queue->CopyDispatchQueue("Default", &found) == kIOReturnUnsupported);
	EXPECT(CreateDefaultDispatchQueue(&found) == kIOReturnSuccess);
	EXPECT(found != nullptr && found != ivars->normal);
	EXPECT(strcmp(found->GetName(), kIOServiceDefaultQueueName) == 0);
	found->release();
	EXPECT(CreateDefaultDispatchQueue(nullptr) == kIOReturnBadArgument);
	return kIOReturnSuccess;
}

kern_return_t ClassesClient::TestActionsByName()
{
	OSAction *action = nullptr;
	OSString *known = OSString::withCString("OSAction_ClassesClient_TimerFired");
	OSString *unknown = OSString::withCString("Nobody");
	IOTimerDispatchSource *timer = nullptr;
	uint32_t before = ivars->nr_timers;

	EXPECT(OSAction::CreateWithTypeName(this, ClassesClient_TimerFired_ID,
					    IOTimerDispatchSource_TimerOccurred_ID, 8, unknown,
					    &action) == kIOReturnSuccess);
	EXPECT(action->GetReference() != nullptr);
	action->release();
	EXPECT(OSAction::CreateWithTypeName(nullptr, ClassesClient_TimerFired_ID,
					    IOTimerDispatchSource_TimerOccurred_ID, 0, known,
					    &action) == kIOReturnBadArgument);
	EXPECT(OSAction::CreateWithTypeName(this, ClassesClient_TimerFired_ID,
					    IOTimerDispatchSource_TimerOccurred_ID, 0, known,
					    &action) == kIOReturnSuccess);
	EXPECT(OSDynamicCast(OSAction_ClassesClient_TimerFired, action) == action);
	EXPECT(IOTimerDispatchSource::Create(ivars->queue, &timer) == kIOReturnSuccess);
	EXPECT(timer->SetHandler(action) == kIOReturnSuccess);
	EXPECT(timer->WakeAtTime(kIOTimerClockUptimeRaw, 0, 0) == kIOReturnSuccess);
	EXPECT_SOON(ivars->nr_timers == before + 1);
	timer->release();
	action->release();
	known->release();
	unknown->release();
	return kIOReturnSuccess;
}

kern_return_t ClassesClient::TestServiceMethods()
{
	IOService *service = GetProvider();
	OSData *channels = OSData::withCapacity(8);
	OSArray *legend = OSArray::withCapacity(1);
	OSString *event = OSString::withCString("org.opendext.event");
	OSString *name = nullptr;
	uint32_t count = 0;

	EXPECT(OSDynamicCast(IOUserServer, service) == nullptr);
	EXPECT(service->SetName("ClassesRenamed") == kIOReturnSuccess);
	EXPECT(service->CopyName(&name) == kIOReturnSuccess);
	EXPECT(name->isEqualTo("ClassesRenamed"));
	name->release();
	EXPECT(service->SetName("Classes") == kIOReturnSuccess);
	EXPECT(service->ClientCrashed(this, 0) == kIOReturnSuccess);
	EXPECT(service->ChangePowerState(kIOServicePowerCapabilityOn) == kIOReturnNotReady);
	EXPECT(service->JoinPMTree() == kIOReturnSuccess);
	EXPECT(service->ChangePowerState(kIOServicePowerCapabilityLow) == kIOReturnSuccess);
	EXPECT(service->ChangePowerState(77) == kIOReturnBadArgument);
	EXPECT(service->SetPowerOverride(true) == kIOReturnSuccess);
	EXPECT(service->RequireMaxBusStall(kIOMaxBusStall10usec) == kIOReturnSuccess);
	EXPECT(service->RequireMaxBusStall(kIOMaxBusStallNone) == kIOReturnSuccess);
	EXPECT(service->CoreAnalyticsSendEvent(0, event, nullptr) == kIOReturnSuccess);
	EXPECT(service->SetLegend(legend, true) == kIOReturnSuccess);
	EXPECT(service->ConfigureReport(channels, 0, &count) == kIOReturnUnsupported);
	EXPECT(service->UpdateReport(channels, 0, &count, 0, 0, nullptr) == kIOReturnUnsupported);
	EXPECT(service->Terminate(1) == kIOReturnUnsupported);
	event->release();
	legend->release();
	channels->release();
	return kIOReturnSuccess;
}

/* The application wrote "from the application" there, and reads what is written here. */
kern_return_t ClassesClient::TestClientMemory()
{
	IOAddressSegment segments[32] = {};
	IOMemoryDescriptor *memory = nullptr;
	IOMemoryMap *map = nullptr;
	uint64_t length = 0;

	segments[0].address = ivars->address;
	segments[0].length = ivars->length;
	EXPECT(CreateMemoryDescriptorFromClient(kIOMemoryDirectionInOut | kIOMemoryDisableCopyOnWrite,
						33, segments, &memory) == kIOReturnOverrun);
	EXPECT(CreateMemoryDescriptorFromClient(kIOMemoryDirectionInOut | kIOMemoryDisableCopyOnWrite,
						1, segments, &memory) == kIOReturnSuccess);
	EXPECT(memory->GetLength(&length) == kIOReturnSuccess && length == ivars->length);
	EXPECT(memory->CreateMapping(0, 0, 0, 0, 0, &map) == kIOReturnSuccess);
	char *text = reinterpret_cast<char *>(map->GetAddress());
	EXPECT(strcmp(text, "from the application") == 0);
	(void)strlcpy(text, "from the driver", map->GetLength());
	map->release();
	memory->release();
	return kIOReturnSuccess;
}

/* The other end of a link is played by the queue of the handlers. */
kern_return_t ClassesClient::TestEventLinks()
{
	OSString *name = OSString::withCString("link");
	IOEventLink *link = nullptr;
	uint64_t count = 0;
	__block uint64_t taken = 0;

	EXPECT(IOEventLink::Create(name, nullptr, &link) == kIOReturnBadArgument);
	EXPECT(IOEventLink::Create(name, this, nullptr) == kIOReturnBadArgument);
	EXPECT(IOEventLink::Create(name, this, &link) == kIOReturnSuccess);
	EXPECT(link->Signal() == kIOReturnNotReady);
	EXPECT(link->Activate() == kIOReturnSuccess);
	EXPECT(link->Invalidate() == kIOReturnSuccess);
	EXPECT(link->Associate(kIOEventLinkAssociateOnWait) == kIOReturnSuccess);
	EXPECT(link->Signal() == kIOReturnSuccess);
	IOEventLink *other = link;
	ivars->queue->DispatchAsync(^{
	  (void)OpenDextEventLinkSignal(other, &taken);
	});
	EXPECT(link->Wait(&count) == kIOReturnSuccess);
	EXPECT(count == 1 && taken == 1);
	EXPECT(link->WaitUntil(kIOTimerClockMachAbsoluteTime, mach_absolute_time(), &count) ==
	       kIOReturnTimeout);
	EXPECT(count == 0);
	ivars->queue->DispatchAsync(^{
	  (void)OpenDextEventLinkSignal(other, nullptr);
	});
	EXPECT(link->SignalAndWait(&count) == kIOReturnSuccess && count == 1);
	EXPECT(link->SignalAndWaitUntil(kIOTimerClockMachAbsoluteTime, mach_absolute_time(),
					nullptr) == kIOReturnTimeout);
	EXPECT(link->Disassociate() == kIOReturnSuccess);
	EXPECT(link->Disassociate() == kIOReturnNotPermitted);
	EXPECT(link->Cancel() == kIOReturnSuccess);
	EXPECT(link->Signal() == kIOReturnAborted);
	link->release();
	name->release();
	return kIOReturnSuccess;
}

kern_return_t ClassesClient::TestWorkGroups()
{
	OSString *name = OSString::withCString("group");
	IOWorkGroup *group = nullptr;

	EXPECT(IOWorkGroup::Create(nullptr, this, &group) == kIOReturnBadArgument);
	EXPECT(IOWorkGroup::Create(name, this, nullptr) == kIOReturnBadArgument);
	EXPECT(IOWorkGroup::Create(name, this, &group) == kIOReturnSuccess);
	size_t size = group->GetTokenSize();
	EXPECT(size > 0);
	void *token = IOMallocZero(size);
	EXPECT(group->Leave(token) == kIOReturnBadArgument);
	EXPECT(group->Join(token) == kIOReturnSuccess);
	EXPECT(group->Invalidate() == kIOReturnSuccess);
	EXPECT(group->Leave(token) == kIOReturnSuccess);
	IOFree(token, size);
	group->release();
	name->release();
	return kIOReturnSuccess;
}

/* --- an action for an object that is no service ---------------------------------------------- */

struct ClassesThing_IVars {
	_Atomic uint32_t nr_calls;
};

bool ClassesThing::init()
{
	if (!super::init()) {
		return false;
	}
	ivars = IONewZero(ClassesThing_IVars, 1);
	return ivars != nullptr;
}

void ClassesThing::free()
{
	IOSafeDeleteNULL(ivars, ClassesThing_IVars, 1);
	super::free();
}

uint32_t ClassesThing::NumberOfCalls()
{
	return ivars->nr_calls;
}

void IMPL(ClassesThing, Fired)
{
	(void)action;
	(void)time;
	ivars->nr_calls++;
}

kern_return_t ClassesClient::TestPlainTarget()
{
	ClassesThing *thing = OSTypeAlloc(ClassesThing);
	IOTimerDispatchSource *timer = nullptr;
	OSAction *action = nullptr;
	__block _Atomic bool cancelled = false;

	EXPECT(thing != nullptr && thing->init());
	EXPECT(thing->CreateActionFired(0, &action) == kIOReturnSuccess);
	EXPECT(IOTimerDispatchSource::Create(ivars->queue, &timer) == kIOReturnSuccess);
	EXPECT(timer->SetHandler(action) == kIOReturnSuccess);
	EXPECT(timer->WakeAtTime(kIOTimerClockUptimeRaw, 0, 0) == kIOReturnSuccess);
	EXPECT_SOON(thing->NumberOfCalls() == 1);
	EXPECT(action->Cancel(^{
	  cancelled = true;
	}) == kIOReturnSuccess);
	EXPECT_SOON(cancelled);
	timer->release();
	action->release();
	thing->release();
	return kIOReturnSuccess;
}

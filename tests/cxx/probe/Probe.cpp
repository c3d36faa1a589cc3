/* SPDX-License-Identifier: MIT
 *
 * Probe - see Probe.iig. A test returns kIOReturnSuccess or logs the line that failed.
 */
#include <DriverKit/DriverKit.h>
#include <DriverKit/OSSharedPtr.h>

#include <time.h>

#include "Probe.h"

#define EXPECT(condition)                                                               \
	do {                                                                            \
		if (!(condition)) {                                                     \
			os_log(OS_LOG_DEFAULT, "%{public}s:%d: %{public}s", __func__, __LINE__, \
			       #condition);                                             \
			return kIOReturnError;                                          \
		}                                                                       \
	} while (0)

/* --- services: a class above a class --------------------------------------------------------- */

struct ProbeBase_IVars {
	bool started = false;
};

struct Probe_IVars { };

static _Atomic uint32_t power_changes;

bool ProbeBase::init()
{
	if (!super::init()) {
		return false;
	}
	ivars = IONewZero(ProbeBase_IVars, 1);
	return ivars != nullptr;
}

void ProbeBase::free()
{
	IOSafeDeleteNULL(ivars, ProbeBase_IVars, 1);
	super::free();
}

kern_return_t IMPL(ProbeBase, Start)
{
	kern_return_t status = Start(provider, SUPERDISPATCH);
	ivars->started = status == kIOReturnSuccess;
	return status;
}

uint64_t IMPL(ProbeBase, Twice)
{
	return 2 * value;
}

kern_return_t IMPL(ProbeBase, Describe)
{
	*length = (uint32_t)strlcpy(text, ivars->started ? "started" : "not started", 32);
	return kIOReturnSuccess;
}

uint32_t ProbeBase::LocalVirtual()
{
	return 1;
}

kern_return_t Probe::Start_Impl(IOService *provider)
{
	kern_return_t status = Start(provider, SUPERDISPATCH);
	if (status != kIOReturnSuccess) {
		return status;
	}
	status = RegisterService();
	return status == kIOReturnSuccess ? JoinPMTree() : status;
}

kern_return_t IMPL(Probe, Stop)
{
	return Stop(provider, SUPERDISPATCH);
}

kern_return_t IMPL(Probe, NewUserClient)
{
	IOService *made = nullptr;

	if (type == 99) {
		return NewUserClient(type, userClient, SUPERDISPATCH);
	}
	kern_return_t status = Create(this, "UserClientProperties", &made);
	if (status != kIOReturnSuccess) {
		return status;
	}
	*userClient = OSDynamicCast(IOUserClient, made);
	return kIOReturnSuccess;
}

kern_return_t IMPL(Probe, SetPowerState)
{
	power_changes++;
	return SetPowerState(powerFlags, SUPERDISPATCH);
}

/* The base class's answer and one more. */
uint64_t IMPL(Probe, Twice)
{
	return Twice(value, SUPERDISPATCH) + 1;
}

uint32_t Probe::LocalVirtual()
{
	return super::LocalVirtual() + 10;
}

uint32_t Probe::PowerChanges()
{
	return power_changes;
}

/* --- an object of the driver's own ----------------------------------------------------------- */

struct ProbeThing_IVars {
	uint32_t answer;
};

static _Atomic uint32_t nr_things;

bool ProbeThing::init()
{
	if (!super::init()) {
		return false;
	}
	ivars = IONewZero(ProbeThing_IVars, 1);
	nr_things++;
	ivars->answer = 42;
	return true;
}

void ProbeThing::free()
{
	nr_things--;
	IOSafeDeleteNULL(ivars, ProbeThing_IVars, 1);
	super::free();
}

uint32_t ProbeThing::Answer()
{
	return ivars->answer;
}

/* --- the connection -------------------------------------------------------------------------- */

struct ProbeClient_IVars {
	IODispatchQueue *queue;
	IOTimerDispatchSource *timers[2]; /* until they have fired: the last release disarms */
	_Atomic uint64_t fired;
	_Atomic uint64_t elsewhere;
	_Atomic uint64_t plain;
	_Atomic uint64_t reported;
	_Atomic uint64_t available;
	_Atomic uint64_t serviced;
	bool right_reference;
};

bool ProbeClient::init()
{
	if (!super::init()) {
		return false;
	}
	ivars = IONewZero(ProbeClient_IVars, 1);
	return ivars != nullptr;
}

void ProbeClient::free()
{
	if (ivars != nullptr) {
		OSSafeReleaseNULL(ivars->queue);
		OSSafeReleaseNULL(ivars->timers[0]);
		OSSafeReleaseNULL(ivars->timers[1]);
	}
	IOSafeDeleteNULL(ivars, ProbeClient_IVars, 1);
	super::free();
}

kern_return_t IMPL(ProbeClient, Start)
{
	kern_return_t status = Start(provider, SUPERDISPATCH);
	if (status == kIOReturnSuccess) {
		status = IODispatchQueue::Create("probe", 0, 0, &ivars->queue);
	}
	return status == kIOReturnSuccess ? SetDispatchQueue("ProbeQueue", ivars->queue) : status;
}

kern_return_t IMPL(ProbeClient, Stop)
{
	return Stop(provider, SUPERDISPATCH);
}

kern_return_t ProbeClient::TestObjects()
{
	ProbeThing *thing = OSTypeAlloc(ProbeThing);

	EXPECT(thing != nullptr && thing->init() && thing->Answer() == 42 && nr_things == 1);
	OSObject *object = thing;
	EXPECT(OSDynamicCast(ProbeThing, object) == thing);
	EXPECT(OSDynamicCast(IOService, object) == nullptr);
	EXPECT(strcmp(object->GetClassName(), "ProbeThing") == 0);
	OSArray *array = OSArray::withCapacity(1);
	EXPECT(array->setObject(thing));
	thing->release();
	EXPECT(array->getObject(0) == thing && nr_things == 1);
	array->release();
	EXPECT(nr_things == 0);
	OSSharedPtr<ProbeThing> shared = OSMakeShared<ProbeThing>();
	EXPECT(shared && shared->init());
	shared.reset();
	EXPECT(nr_things == 0);
	EXPECT(OSTypeAlloc(Probe) == nullptr);
	EXPECT(OSDynamicCast(Probe, GetProvider()) != nullptr);
	EXPECT(OSDynamicCast(ProbeBase, GetProvider()) == GetProvider());
	EXPECT(OSDynamicCast(ProbeClient, static_cast<OSObject *>(this)) == this);
	EXPECT(OSDynamicCast(IOUserClient, static_cast<OSObject *>(GetProvider())) == nullptr);
	return kIOReturnSuccess;
}

kern_return_t ProbeClient::TestProperties()
{
	IOService *service = GetProvider();
	OSDictionary *properties = nullptr;
	OSContainer *property = nullptr;
	OSString *name = nullptr;
	OSArray *all = nullptr;
	uint64_t id = 0;
	uint32_t busy = 1;

	EXPECT(service->CopyProperties(&properties) == kIOReturnSuccess);
	EXPECT(OSDictionaryGetStringValue(properties, "IOUserClass") != nullptr);
	OSSafeReleaseNULL(properties);
	OSDictionary *more = OSDictionaryCreate();
	OSDictionarySetUInt64Value(more, "ProbeNumber", 5);
	EXPECT(service->SetProperties(more) == kIOReturnSuccess);
	OSSafeReleaseNULL(more);
	EXPECT(SearchProperty("ProbeNumber", "IOService", kIOServiceSearchPropertyParents,
			      &property) == kIOReturnSuccess);
	EXPECT(OSDynamicCast(OSNumber, property)->unsigned32BitValue() == 5);
	OSSafeReleaseNULL(property);
	EXPECT(SearchProperty("ProbeNothing", "IOService", 0, &property) == kIOReturnNotFound);
	name = OSString::withCString("ProbeNumber");
	EXPECT(service->RemoveProperty(name) == kIOReturnSuccess);
	EXPECT(service->RemoveProperty(name) == kIOReturnNotFound);
	OSSafeReleaseNULL(name);
	EXPECT(CopyProviderProperties(nullptr, &all) == kIOReturnSuccess && all->getCount() >= 1);
	OSSafeReleaseNULL(all);
	EXPECT(service->GetRegistryEntryID(&id) == kIOReturnSuccess && id != 0);
	EXPECT(service->CopyName(&name) == kIOReturnSuccess && name->isEqualTo("Probe"));
	OSSafeReleaseNULL(name);
	EXPECT(StringFromReturn(kIOReturnBadArgument, &name) == kIOReturnSuccess);
	OSSafeReleaseNULL(name);
	EXPECT(service->AdjustBusy(1) == kIOReturnSuccess && service->AdjustBusy(-1) == kIOReturnSuccess);
	EXPECT(service->GetBusyState(&busy) == kIOReturnSuccess && busy == 0);
	EXPECT(CopyClientEntitlements(&properties) == kIOReturnSuccess);
	EXPECT(properties->getObject("IOUserClientCreator") != nullptr);
	OSSafeReleaseNULL(properties);
	return kIOReturnSuccess;
}

kern_return_t ProbeClient::TestRemote()
{
	ProbeBase *base = OSRequiredCast(ProbeBase, GetProvider());
	char text[32] = "";
	uint32_t length = 0;

	EXPECT(base->Twice(20) == 41);
	EXPECT(base->LocalVirtual() == 11);
	EXPECT(base->Describe(text, &length) == kIOReturnSuccess);
	EXPECT(length == 7 && strcmp(text, "started") == 0);
	EXPECT(OSRequiredCast(Probe, base)->PowerChanges() >= 1);
	return kIOReturnSuccess;
}

bool IMPL(ProbeClient, OnProbeQueue)
{
	return ivars->queue->OnQueue();
}

kern_return_t ProbeClient::TestQueues()
{
	IODispatchQueue *queue = nullptr;
	ProbeClient *self = this;
	__block bool on_queue = false;
	__block bool done = false;

	EXPECT(!ivars->queue->OnQueue());
	EXPECT(OnProbeQueue());
	EXPECT(CopyDispatchQueue("ProbeQueue", &queue) == kIOReturnSuccess && queue == ivars->queue);
	OSSafeReleaseNULL(queue);
	EXPECT(CopyDispatchQueue("Nobody", &queue) == kIOReturnNotFound);
	EXPECT(SetDispatchQueue("Nobody", ivars->queue) == kIOReturnBadArgument);
	EXPECT(CopyDispatchQueue(kIOServiceDefaultQueueName, &queue) == kIOReturnSuccess);
	EXPECT(queue->OnQueue());
	OSSafeReleaseNULL(queue);
	ivars->queue->DispatchSync(^{
	  on_queue = self->ivars->queue->OnQueue();
	});
	EXPECT(on_queue);
	ivars->queue->DispatchAsync(^{
	  __atomic_store_n(&done, true, __ATOMIC_RELEASE);
	});
	for (unsigned i = 0; i < 1000 && !__atomic_load_n(&done, __ATOMIC_ACQUIRE); i++) {
		IOSleep(1);
	}
	EXPECT(done);
	return kIOReturnSuccess;
}

/* --- callbacks: they run on the probe's queue, or after this method on the default one -------- */

void IMPL(ProbeClient, TimerFired)
{
	(void)time;
	uint64_t *count = static_cast<uint64_t *>(action->GetReference());
	ivars->right_reference = count != nullptr && *count == 77;
	ivars->fired++;
}

void IMPL(ProbeClient, TimerElsewhere)
{
	(void)action;
	(void)time;
	ivars->elsewhere += ivars->queue->OnQueue() ? 1 : 1000;
}

void IMPL(ProbeClient, TimerWithoutType)
{
	ivars->plain += OSDynamicCast(OSAction, static_cast<OSObject *>(action)) == action && time != 0
				? 1
				: 1000;
}

void IMPL(ProbeClient, Reported)
{
	ivars->reported = action == nullptr ? 0 : value;
}

void IMPL(ProbeClient, QueueHasData)
{
	(void)action;
	ivars->available++;
}

void IMPL(ProbeClient, QueueHasRoom)
{
	(void)action;
	ivars->serviced++;
}

static kern_return_t arm(IODispatchQueue *queue, OSAction *action, IOTimerDispatchSource **timer)
{
	kern_return_t status = IOTimerDispatchSource::Create(queue, timer);

	if (status == kIOReturnSuccess) {
		status = (*timer)->SetHandler(action);
	}
	return status == kIOReturnSuccess
		       ? (*timer)->WakeAtTime(kIOTimerClockUptimeRaw,
					      clock_gettime_nsec_np(CLOCK_UPTIME_RAW) + 1000000, 0)
		       : status;
}

/* The application asks twice: the first call arms, the second finds the result. */
kern_return_t ProbeClient::TestTimer()
{
	IOTimerDispatchSource *timer = nullptr;
	OSAction *action = nullptr;

	if (ivars->timers[0] != nullptr && ivars->fired == 0) {
		return kIOReturnNotReady;
	}
	if (ivars->fired == 0) {
		EXPECT(CreateActionTimerFired(sizeof(uint64_t), &action) == kIOReturnSuccess);
		EXPECT(OSDynamicCast(OSAction_ProbeClient_TimerFired, action) == action);
		*static_cast<uint64_t *>(action->GetReference()) = 77;
		EXPECT(arm(ivars->queue, action, &ivars->timers[0]) == kIOReturnSuccess);
		action->release(); /* the timer keeps it */
		return kIOReturnNotReady;
	}
	EXPECT(ivars->fired == 1 && ivars->right_reference);
	EXPECT(CreateActionTimerElsewhere(0, &action) == kIOReturnSuccess);
	EXPECT(action->GetReference() == nullptr);
	EXPECT(arm(ivars->queue, action, &timer) == kIOReturnSuccess);
	for (unsigned i = 0; i < 1000 && ivars->elsewhere == 0; i++) {
		IOSleep(1);
	}
	EXPECT(ivars->elsewhere == 1);
	EXPECT(timer->Cancel(nullptr) == kIOReturnSuccess);
	action->release();
	timer->release();
	return kIOReturnSuccess;
}

kern_return_t ProbeClient::TestTimerByNumbers()
{
	OSAction *action = nullptr;

	if (ivars->timers[1] != nullptr && ivars->plain == 0) {
		return kIOReturnNotReady;
	}
	if (ivars->plain == 0) {
		EXPECT(OSAction::Create(this, ProbeClient_TimerWithoutType_ID,
					IOTimerDispatchSource_TimerOccurred_ID, 0,
					&action) == kIOReturnSuccess);
		EXPECT(arm(ivars->queue, action, &ivars->timers[1]) == kIOReturnSuccess);
		action->release();
		return kIOReturnNotReady;
	}
	EXPECT(ivars->plain == 1);
	return kIOReturnSuccess;
}

kern_return_t ProbeClient::TestOwnType()
{
	OSAction *action = nullptr;
	OSActionWaitToken *token = nullptr;

	EXPECT(CreateActionReported(0, &action) == kIOReturnSuccess);
	Report(action, 5);
	EXPECT(ivars->reported == 5);
	EXPECT(action->WillWait(&token) == kIOReturnSuccess);
	EXPECT(action->Wait(token, kIOTimerClockUptimeRaw,
			    clock_gettime_nsec_np(CLOCK_UPTIME_RAW) + 1000) == kIOReturnTimeout);
	EXPECT(action->EndWait(token) == kIOReturnTimeout);
	EXPECT(action->SetAbortedHandler(^{
	}) == kIOReturnSuccess);
	EXPECT(action->Cancel(nullptr) == kIOReturnSuccess);
	Report(action, 6);
	EXPECT(ivars->reported == 5);
	action->release();
	return kIOReturnSuccess;
}

kern_return_t ProbeClient::TestDataQueue()
{
	IODataQueueDispatchSource *source = nullptr;
	OSAction *available = nullptr, *serviced = nullptr;

	if (ivars->serviced != 0) {
		EXPECT(ivars->available == 1 && ivars->serviced == 1);
		return kIOReturnSuccess;
	}
	EXPECT(IODataQueueDispatchSource::Create(16, ivars->queue, &source) == kIOReturnSuccess);
	EXPECT(CreateActionQueueHasData(0, &available) == kIOReturnSuccess);
	EXPECT(CreateActionQueueHasRoom(0, &serviced) == kIOReturnSuccess);
	EXPECT(source->SetDataAvailableHandler(serviced) == kIOReturnBadArgument);
	EXPECT(source->SetDataAvailableHandler(available) == kIOReturnSuccess);
	EXPECT(source->SetDataServicedHandler(serviced) == kIOReturnSuccess);
	auto fill = ^(void *data, size_t size) {
	  memset(data, 1, size);
	};
	EXPECT(source->Enqueue(4, fill) == kIOReturnSuccess);
	EXPECT(source->Enqueue(4, fill) == kIOReturnSuccess);
	EXPECT(source->Enqueue(4, fill) == kIOReturnOverrun);
	EXPECT(source->Dequeue(^(const void *, size_t) {
	}) == kIOReturnSuccess);
	available->release();
	serviced->release();
	source->release();
	return kIOReturnNotReady;
}

kern_return_t ProbeClient::TestCancel()
{
	IOTimerDispatchSource *timer = nullptr;
	OSAction *action = nullptr;
	__block bool cancelled = false;

	EXPECT(CreateActionTimerElsewhere(0, &action) == kIOReturnSuccess);
	EXPECT(arm(ivars->queue, action, &timer) == kIOReturnSuccess);
	EXPECT(timer->SetEnable(false) == kIOReturnSuccess);
	EXPECT(timer->Cancel(^{
	  __atomic_store_n(&cancelled, true, __ATOMIC_RELEASE);
	}) == kIOReturnSuccess);
	for (unsigned i = 0; i < 1000 && !__atomic_load_n(&cancelled, __ATOMIC_ACQUIRE); i++) {
		IOSleep(1);
	}
	EXPECT(cancelled);
	EXPECT(timer->WakeAtTime(kIOTimerClockUptimeRaw, 0, 0) == kIOReturnAborted);
	action->release();
	timer->release();
	return kIOReturnSuccess;
}

kern_return_t ProbeClient::TestRefusals()
{
	IOService *service = nullptr;
	IOMemoryDescriptor *memory = nullptr;
	IOInterruptDispatchSource *interrupt = nullptr;
	uint64_t options = 0;

	EXPECT(GetProvider()->Create(this, "UserClientProperties", &service) ==
	       kIOReturnUnsupported);
	EXPECT(GetProvider()->Create(GetProvider(), "Nothing", &service) == kIOReturnBadArgument);
	EXPECT(GetProvider()->Terminate(1) == kIOReturnUnsupported);
	EXPECT(CopyClientMemoryForType(1, &options, &memory) == kIOReturnUnsupported);
	EXPECT(IOInterruptDispatchSource::Create(GetProvider(), 0, ivars->queue, &interrupt) ==
	       kIOReturnNoInterrupt);
	EXPECT(Dispatch({12345, nullptr}) == kIOReturnUnsupported);
	EXPECT(GetProvider()->ChangePowerState(17) == kIOReturnBadArgument);
	AsyncCompletion(nullptr, 0, nullptr, 0);
	return kIOReturnSuccess;
}

kern_return_t ProbeClient::ExternalMethod(uint64_t selector, IOUserClientMethodArguments *arguments,
					  const IOUserClientMethodDispatch *dispatch,
					  OSObject *target, void *reference)
{
	static kern_return_t (ProbeClient::*const tests[])() = {
		&ProbeClient::TestObjects,   &ProbeClient::TestProperties,
		&ProbeClient::TestRemote,    &ProbeClient::TestQueues,
		&ProbeClient::TestTimer,     &ProbeClient::TestTimerByNumbers,
		&ProbeClient::TestOwnType,   &ProbeClient::TestDataQueue,
		&ProbeClient::TestCancel,    &ProbeClient::TestRefusals,
	};

	if (selector < sizeof(tests) / sizeof(tests[0])) {
		return (this->*tests[selector])();
	}
	return super::ExternalMethod(selector, arguments, dispatch, target, reference);
}

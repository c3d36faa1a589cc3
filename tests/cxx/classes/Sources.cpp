/* SPDX-License-Identifier: MIT
 *
 * Sources - services that come and go, state items, interrupts, timers, data queues.
 */
#include "Test.hpp"

/* --- services of another process ------------------------------------------------------------- */

void IMPL(ClassesClient, ServicesReady)
{
	(void)action;
	(void)ivars->services->DeliverNotifications(^(uint64_t type, IOService *service, uint64_t) {
	  if (type == kIOServiceNotificationTypeMatched) {
		  OSDictionary *properties = nullptr;
		  OSString *name = nullptr;
		  (void)service->CopyProperties(&properties);
		  (void)service->CopyName(&name);
		  ivars->right_properties = properties != nullptr && name != nullptr &&
					    properties->getObject("Colour") != nullptr &&
					    name->isEqualTo("ClassesThing");
		  OSSafeReleaseNULL(properties);
		  OSSafeReleaseNULL(name);
		  ivars->other = service;
		  ivars->nr_matched++;
	  } else if (type == kIOServiceNotificationTypeTerminated) {
		  ivars->same_object = service == ivars->other;
		  ivars->nr_terminated++;
	  }
	});
}

kern_return_t ClassesClient::TestServicesThatCome()
{
	OSDictionary *matching = IOService::CreateUserClassMatchingDictionary("ClassesOther", nullptr);

	EXPECT(matching != nullptr);
	EXPECT(IOServiceNotificationDispatchSource::Create(matching, 0, ivars->queue,
							   &ivars->services) == kIOReturnSuccess);
	matching->release();
	EXPECT(CreateActionServicesReady(0, &ivars->services_action) == kIOReturnSuccess);
	EXPECT(ivars->services->SetHandler(ivars->services_action) == kIOReturnSuccess);
	EXPECT_SOON(ivars->nr_matched == 1);
	EXPECT(ivars->right_properties);
	EXPECT(ivars->nr_terminated == 0);
	return kIOReturnSuccess;
}

/* The application has ended it. */
kern_return_t ClassesClient::TestServicesThatGo()
{
	EXPECT_SOON(ivars->nr_terminated == 1);
	EXPECT(ivars->same_object);
	EXPECT(ivars->nr_matched == 1);
	return kIOReturnSuccess;
}

kern_return_t ClassesClient::TestServiceSource()
{
	OSDictionary *matching = IOService::CreateNameMatchingDictionary("Nothing", nullptr);
	IOServiceNotificationDispatchSource *source = nullptr;
	OSAction *timer = nullptr;
	__block _Atomic bool called = false;

	EXPECT(IOServiceNotificationDispatchSource::Create(nullptr, 0, ivars->queue, &source) ==
	       kIOReturnBadArgument);
	EXPECT(IOServiceNotificationDispatchSource::Create(matching, 0, ivars->queue, nullptr) ==
	       kIOReturnBadArgument);
	EXPECT(IOServiceNotificationDispatchSource::Create(matching, 0, ivars->queue, &source) ==
	       kIOReturnSuccess);
	EXPECT(OSDynamicCast(IODispatchSource, source) == source);
	EXPECT(CreateActionTimerFired(0, &timer) == kIOReturnSuccess);
	EXPECT(source->SetHandler(timer) == kIOReturnBadArgument);
	EXPECT(source->DeliverNotifications(nullptr) == kIOReturnBadArgument);
	EXPECT(source->DeliverNotifications(^(uint64_t, IOService *, uint64_t) {
	}) == kIOReturnSuccess);
	EXPECT(source->SetEnable(false) == kIOReturnSuccess);
	EXPECT(source->Cancel(^{
	  called = true;
	}) == kIOReturnSuccess);
	EXPECT_SOON(called);
	EXPECT(source->SetEnableWithCompletion(true, nullptr) == kIOReturnAborted);
	timer->release();
	source->release();
	matching->release();
	return kIOReturnSuccess;
}

/* --- state items ----------------------------------------------------------------------------- */

static OSDictionary *dictionary_of(uint64_t number)
{
	OSDictionary *dictionary = OSDictionary::withCapacity(1);

	(void)OSDictionarySetUInt64Value(dictionary, "Number", number);
	return dictionary;
}

static kern_return_t set_item(IOService *state, OSString *name, uint64_t number)
{
	OSDictionary *value = dictionary_of(number);
	kern_return_t status = state->StateNotificationItemSet(name, value);

	value->release();
	return status;
}

kern_return_t ClassesClient::TestStateItems()
{
	IOService *state = nullptr;
	OSString *name = OSString::withCString("Colour");
	OSDictionary *value = nullptr;

	EXPECT(CopySystemStateNotificationService(nullptr) == kIOReturnBadArgument);
	EXPECT(CopySystemStateNotificationService(&state) == kIOReturnSuccess);
	EXPECT(StateNotificationItemCreate(name, nullptr) == kIOReturnUnsupported);
	EXPECT(state->StateNotificationItemCopy(name, &value) == kIOReturnNotFound);
	EXPECT(state->StateNotificationItemCreate(name, nullptr) == kIOReturnSuccess);
	EXPECT(state->StateNotificationItemCreate(name, nullptr) == kIOReturnExclusiveAccess);
	EXPECT(state->StateNotificationItemCopy(name, &value) == kIOReturnNotReady);
	EXPECT(state->StateNotificationItemCopy(name, nullptr) == kIOReturnBadArgument);
	EXPECT(set_item(state, name, 7) == kIOReturnSuccess);
	EXPECT(state->StateNotificationItemCopy(name, &value) == kIOReturnSuccess);
	EXPECT(OSDictionaryGetUInt64Value(value, "Number") == 7);
	value->release();
	name->release();
	state->release();
	return kIOReturnSuccess;
}

void IMPL(ClassesClient, StateReady)
{
	(void)action;
	ivars->nr_state++;
}

kern_return_t ClassesClient::TestStateSource()
{
	IOService *state = nullptr;
	IOServiceStateNotificationDispatchSource *source = nullptr;
	OSAction *action = nullptr;
	OSString *name = OSString::withCString("Lid");
	const OSObject *const names[] = {name};
	OSArray *items = OSArray::withObjects(const_cast<const OSObject **>(names), 1, 1);

	EXPECT(CopySystemStateNotificationService(&state) == kIOReturnSuccess);
	EXPECT(IOServiceStateNotificationDispatchSource::Create(this, items, ivars->queue,
								&source) == kIOReturnUnsupported);
	EXPECT(IOServiceStateNotificationDispatchSource::Create(state, items, ivars->queue,
								&source) == kIOReturnSuccess);
	EXPECT(CreateActionStateReady(0, &action) == kIOReturnSuccess);
	EXPECT(source->SetHandler(action) == kIOReturnSuccess);
	EXPECT(state->StateNotificationItemCreate(name, nullptr) == kIOReturnSuccess);
	EXPECT(source->StateNotificationBegin() == kIOReturnSuccess);
	EXPECT(set_item(state, name, 1) == kIOReturnSuccess);
	EXPECT_SOON(ivars->nr_state == 1);
	EXPECT(set_item(state, name, 2) == kIOReturnSuccess); /* kept for the next Begin */
	EXPECT(source->SetEnableWithCompletion(false, nullptr) == kIOReturnSuccess);
	EXPECT(source->StateNotificationBegin() == kIOReturnSuccess);
	ivars->queue->DispatchSync(^{
	});
	EXPECT(ivars->nr_state == 1);
	EXPECT(source->SetEnable(true) == kIOReturnSuccess);
	EXPECT_SOON(ivars->nr_state == 2);
	EXPECT(source->Cancel(nullptr) == kIOReturnSuccess);
	EXPECT(source->StateNotificationBegin() == kIOReturnAborted);
	items->release();
	name->release();
	action->release();
	source->release();
	state->release();
	return kIOReturnSuccess;
}

/* --- interrupts: this connection plays the device -------------------------------------------- */

void IMPL(ClassesClient, Interrupted)
{
	(void)action;
	ivars->interrupt_count = count;
	ivars->interrupt_time = time;
	ivars->nr_interrupts++;
}

static kern_return_t give_interrupt(IOService *service)
{
	OSDictionary *properties = OSDictionary::withCapacity(1);
	OSArray *specifiers = OSArray::withCapacity(1);

	(void)OSArraySetUInt64Value(specifiers, kOSArrayAppend, kIOInterruptTypeLevel);
	(void)properties->setObject("IOInterruptSpecifiers", specifiers);
	kern_return_t status = service->SetProperties(properties);
	specifiers->release();
	properties->release();
	return status;
}

kern_return_t ClassesClient::TestInterrupts()
{
	IOInterruptDispatchSource *source = nullptr;
	OSAction *action = nullptr;
	uint64_t type = 0, count = 0, time = 0;
	__block _Atomic bool called = false;

	EXPECT(IOInterruptDispatchSource::Create(this, 0, ivars->queue, &source) ==
	       kIOReturnNoInterrupt);
	EXPECT(IOInterruptDispatchSource::GetInterruptType(this, 0, &type) == kIOReturnNoInterrupt);
	EXPECT(give_interrupt(this) == kIOReturnSuccess);
	EXPECT(IOInterruptDispatchSource::GetInterruptType(this, 0, &type) == kIOReturnSuccess);
	EXPECT(type == kIOInterruptTypeLevel);
	EXPECT(IOInterruptDispatchSource::Create(this, 0, ivars->queue, nullptr) ==
	       kIOReturnBadArgument);
	EXPECT(IOInterruptDispatchSource::Create(this, 1, ivars->queue, &source) ==
	       kIOReturnNoInterrupt);
	EXPECT(IOInterruptDispatchSource::Create(this, 0, ivars->queue, &source) ==
	       kIOReturnSuccess);
	EXPECT(CreateActionInterrupted(0, &action) == kIOReturnSuccess);
	EXPECT(source->SetHandler(action) == kIOReturnSuccess);
	EXPECT(OpenDextInterruptRaise(this, 1) == kIOReturnNoInterrupt);
	uint64_t before = mach_absolute_time();
	EXPECT(OpenDextInterruptRaise(this, 0) == kIOReturnSuccess);
	ivars->queue->DispatchSync(^{
	});
	EXPECT(ivars->nr_interrupts == 0); /* off first */
	EXPECT(source->SetEnableWithCompletion(true, ^{
	  called = true;
	}) == kIOReturnSuccess);
	EXPECT_SOON(ivars->nr_interrupts == 1 && called);
	EXPECT(ivars->interrupt_count == 1 && ivars->interrupt_time >= before);
	EXPECT(source->GetLastInterrupt(&count, &time) == kIOReturnSuccess);
	EXPECT(count == 1 && time == ivars->interrupt_time);
	EXPECT(source->GetLastInterrupt(nullptr, &time) == kIOReturnBadArgument);
	EXPECT(source->Cancel(nullptr) == kIOReturnSuccess);
	EXPECT(OpenDextInterruptRaise(this, 0) == kIOReturnSuccess);
	ivars->queue->DispatchSync(^{
	});
	EXPECT(ivars->nr_interrupts == 1);
	EXPECT(source->SetHandler(action) == kIOReturnAborted);
	action->release();
	source->release();
	return kIOReturnSuccess;
}

/* --- timers ---------------------------------------------------------------------------------- */

void IMPL(ClassesClient, TimerFired)
{
	(void)action;
	(void)time;
	ivars->nr_timers++;
}

kern_return_t ClassesClient::TestTimer()
{
	IOTimerDispatchSource *timer = nullptr;
	OSAction *action = nullptr;
	__block _Atomic bool called = false;

	EXPECT(IOTimerDispatchSource::Create(ivars->queue, &timer) == kIOReturnSuccess);
	EXPECT(CreateActionTimerFired(0, &action) == kIOReturnSuccess);
	EXPECT(timer->SetHandler(action) == kIOReturnSuccess);
	EXPECT(timer->SetEnableWithCompletion(false, ^{
	  called = true;
	}) == kIOReturnSuccess);
	EXPECT_SOON(called);
	EXPECT(timer->WakeAtTime(kIOTimerClockMachContinuousTime, mach_continuous_time(), 0) ==
	       kIOReturnSuccess);
	EXPECT(ivars->nr_timers == 0);
	EXPECT(timer->SetEnable(true) == kIOReturnSuccess);
	EXPECT_SOON(ivars->nr_timers == 1);
	EXPECT(timer->CheckForWork(false) == kIOReturnUnsupported);
	EXPECT(timer->SetHandler(nullptr) == kIOReturnSuccess);
	EXPECT(timer->Cancel(nullptr) == kIOReturnSuccess);
	EXPECT(timer->SetEnable(true) == kIOReturnAborted);
	action->release();
	timer->release();
	return kIOReturnSuccess;
}

/* --- data queues ----------------------------------------------------------------------------- */

void IMPL(ClassesClient, HasData)
{
	(void)action;
	ivars->nr_data++;
}

void IMPL(ClassesClient, HasRoom)
{
	(void)action;
	ivars->nr_room++;
}

kern_return_t ClassesClient::TestDataQueue()
{
	IODataQueueDispatchSource *source = nullptr;
	OSAction *data = nullptr, *room = nullptr;
	__block _Atomic bool called = false;
	bool available = false, serviced = false;

	EXPECT(IODataQueueDispatchSource::Create(16, ivars->queue, &source) == kIOReturnSuccess);
	EXPECT(CreateActionHasData(0, &data) == kIOReturnSuccess);
	EXPECT(CreateActionHasRoom(0, &room) == kIOReturnSuccess);
	EXPECT(source->SetDataAvailableHandler(data) == kIOReturnSuccess);
	EXPECT(source->SetDataServicedHandler(room) == kIOReturnSuccess);
	auto fill = ^(void *bytes, size_t size) {
	  memset(bytes, 1, size);
	};
	EXPECT(source->EnqueueWithCoalesce(4, &available, fill) == kIOReturnSuccess);
	EXPECT(available);
	ivars->queue->DispatchSync(^{
	});
	EXPECT(ivars->nr_data == 0); /* not told, it was to be told later */
	source->SendDataAvailable();
	EXPECT_SOON(ivars->nr_data == 1);
	EXPECT(source->EnqueueWithCoalesce(12, &available, fill) == kIOReturnOverrun);
	EXPECT(source->DequeueWithCoalesce(&serviced, ^(const void *, size_t) {
	}) == kIOReturnSuccess);
	EXPECT(serviced);
	EXPECT(ivars->nr_room == 0);
	source->SendDataServiced();
	EXPECT_SOON(ivars->nr_room == 1);
	EXPECT(source->SetEnableWithCompletion(false, ^{
	  called = true;
	}) == kIOReturnSuccess);
	EXPECT_SOON(called);
	EXPECT(source->Enqueue(4, fill) == kIOReturnSuccess);
	ivars->queue->DispatchSync(^{
	});
	EXPECT(ivars->nr_data == 1);
	EXPECT(source->SetEnableWithCompletion(true, nullptr) == kIOReturnSuccess);
	EXPECT_SOON(ivars->nr_data == 2); /* it was there when it was switched on */
	EXPECT(source->Cancel(nullptr) == kIOReturnSuccess);
	data->release();
	room->release();
	source->release();
	return kIOReturnSuccess;
}

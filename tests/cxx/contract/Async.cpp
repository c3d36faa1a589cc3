/* SPDX-License-Identifier: MIT
 *
 * Async - completions that are kept, fired once or many times, from anywhere, or given up.
 */
#include "Driver.hpp"

void ContractClient::Fire(OSAction *action, const uint64_t words[5])
{
	IOUserClientAsyncArgumentsArray data;

	for (uint64_t t = 0; t < words[3]; t++) {
		for (uint64_t i = 0; i < kIOUserClientAsyncArgumentsCountMax; i++) {
			data[i] = (i << 32) + words[4] + t;
		}
		AsyncCompletion(action, static_cast<IOReturn>(words[1]), data,
				static_cast<uint32_t>(words[2]));
	}
}

OSAction *ContractClient::Kept(uint64_t index)
{
	return index < ivars->nr_kept ? ivars->kept[index] : nullptr;
}

static void KeepCompletion(ContractClient_IVars *ivars, OSAction *completion)
{
	completion->retain();
	ivars->kept[ivars->nr_kept++] = completion;
}

METHOD(Keep)
{
	ContractClient_IVars *ivars = CLIENT->ivars;

	if (ivars->nr_kept == CONTRACT_MAX_KEPT) {
		return kIOReturnNoResources;
	}
	arguments->scalarOutput[0] = ivars->nr_kept;
	KeepCompletion(ivars, arguments->completion);
	return kIOReturnSuccess;
}

METHOD(FireKept)
{
	OSAction *action = CLIENT->Kept(arguments->scalarInput[0]);

	if (action == nullptr) {
		return kIOReturnNotFound;
	}
	CLIENT->Fire(action, arguments->scalarInput);
	return kIOReturnSuccess;
}

METHOD(FireInside)
{
	const uint64_t words[5] = {0, arguments->scalarInput[0], arguments->scalarInput[1],
				   arguments->scalarInput[2], arguments->scalarInput[3]};

	CLIENT->Fire(arguments->completion, words);
	return kIOReturnSuccess;
}

METHOD(FireFromQueue)
{
	ContractClient *client = CLIENT;
	OSAction *action = client->Kept(arguments->scalarInput[0]);
	uint64_t status = arguments->scalarInput[1];
	uint64_t nr_args = arguments->scalarInput[2];
	uint64_t times = arguments->scalarInput[3];
	uint64_t base = arguments->scalarInput[4];

	if (action == nullptr) {
		return kIOReturnNotFound;
	}
	if (client->ivars->queue == nullptr) {
		kern_return_t result =
			IODispatchQueue::Create("firing", 0, 0, &client->ivars->queue);

		if (result != kIOReturnSuccess) {
			return result;
		}
	}
	client->retain();
	action->retain();
	client->ivars->queue->DispatchAsync(^{
	  const uint64_t words[5] = {0, status, nr_args, times, base};

	  client->Fire(action, words);
	  action->release();
	  client->release();
	});
	return kIOReturnSuccess;
}

static void DropHandler(IOTimerDispatchSource **timer, OSAction **action)
{
	OSSafeReleaseNULL(*timer);
	OSSafeReleaseNULL(*action);
}

void IMPL(ContractClient, TimerFired)
{
	uint64_t words[5];

	(void)action;
	(void)time;
	memcpy(words, ivars->later, sizeof(words));
	words[3] = 1;
	Fire(Kept(words[0]), words);
	/* The action retains its target: a cycle that ends here. */
	(void)ivars->timer->Cancel(nullptr);
	(void)ivars->timer_action->Cancel(nullptr);
	DropHandler(&ivars->timer, &ivars->timer_action);
}

METHOD(FireLater)
{
	ContractClient *client = CLIENT;
	ContractClient_IVars *ivars = client->ivars;
	IODispatchQueue *queue = nullptr;

	if (client->Kept(arguments->scalarInput[0]) == nullptr) {
		return kIOReturnNotFound;
	}
	if (ivars->timer != nullptr) {
		return kIOReturnBusy;
	}
	memcpy(ivars->later, arguments->scalarInput, sizeof(ivars->later));
	kern_return_t status = client->CopyDispatchQueue(kIOServiceDefaultQueueName, &queue);
	if (status == kIOReturnSuccess) {
		status = IOTimerDispatchSource::Create(queue, &ivars->timer);
	}
	if (status == kIOReturnSuccess) {
		status = client->CreateActionTimerFired(0, &ivars->timer_action);
	}
	if (status == kIOReturnSuccess) {
		status = ivars->timer->SetHandler(ivars->timer_action);
	}
	if (status == kIOReturnSuccess) {
		status = ivars->timer->WakeAtTime(
			kIOTimerClockMachAbsoluteTime,
			mach_absolute_time() + arguments->scalarInput[3] * 1000000, 0);
	}
	OSSafeReleaseNULL(queue);
	return status;
}

METHOD(ReleaseKept)
{
	uint64_t index = arguments->scalarInput[0];

	if (CLIENT->Kept(index) == nullptr) {
		return kIOReturnNotFound;
	}
	OSSafeReleaseNULL(CLIENT->ivars->kept[index]);
	return kIOReturnSuccess;
}

METHOD(CancelKept)
{
	OSAction *action = CLIENT->Kept(arguments->scalarInput[0]);

	return action == nullptr ? kIOReturnNotFound : action->Cancel(^{
	  Log("cancelled");
	});
}

METHOD(FailAsync)
{
	if (CLIENT->ivars->nr_kept < CONTRACT_MAX_KEPT) {
		KeepCompletion(CLIENT->ivars, arguments->completion);
	}
	return kIOReturnNoSpace;
}

void FreeAsync(ContractClient_IVars *ivars)
{
	for (uint32_t i = 0; i < ivars->nr_kept; i++) {
		OSSafeReleaseNULL(ivars->kept[i]);
	}
	DropHandler(&ivars->timer, &ivars->timer_action);
}

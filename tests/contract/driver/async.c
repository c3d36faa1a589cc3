/* SPDX-License-Identifier: MIT
 *
 * async - completions that are kept, fired once or many times, from anywhere, or given up.
 */
#include "driver.h"

struct firing {
	IOUserClient *client; /* retained */
	OSAction *action;     /* retained */
	uint64_t words[5];
};

/* Argument i of firing t: base + t, with i in the upper half. */
static void fire(IOUserClient *client, OSAction *action, const uint64_t words[5])
{
	IOUserClientAsyncArgumentsArray data;

	for (uint64_t t = 0; t < words[3]; t++) {
		for (uint64_t i = 0; i < kIOUserClientAsyncArgumentsCountMax; i++) {
			data[i] = (i << 32) + words[4] + t;
		}
		IOUserClientAsyncCompletion(client, action, (IOReturn)words[1], data,
					    (uint32_t)words[2]);
	}
}

static OSAction *kept(const struct contract_client *client, uint64_t index)
{
	return index < client->nr_kept ? client->kept[index] : NULL;
}

METHOD(contract_keep)
{
	struct contract_client *client = contract_client_of(target);

	(void)reference;
	if (client->nr_kept == CONTRACT_MAX_KEPT) {
		return kIOReturnNoResources;
	}
	arguments->scalarOutput[0] = client->nr_kept;
	client->kept[client->nr_kept++] = OSRetain(arguments->completion);
	return kIOReturnSuccess;
}

METHOD(contract_fire)
{
	OSAction *action = kept(contract_client_of(target), arguments->scalarInput[0]);

	(void)reference;
	if (action == NULL) {
		return kIOReturnNotFound;
	}
	fire((IOUserClient *)target, action, arguments->scalarInput);
	return kIOReturnSuccess;
}

METHOD(contract_fire_inside)
{
	const uint64_t words[5] = {0, arguments->scalarInput[0], arguments->scalarInput[1],
				   arguments->scalarInput[2], arguments->scalarInput[3]};

	(void)reference;
	fire((IOUserClient *)target, arguments->completion, words);
	return kIOReturnSuccess;
}

static void fire_on_queue(void *context)
{
	struct firing *firing = context;

	fire(firing->client, firing->action, firing->words);
	OSRelease(firing->action);
	OSRelease(firing->client);
	IODelete(firing, struct firing, 1);
}

METHOD(contract_fire_from_queue)
{
	struct contract_client *client = contract_client_of(target);
	OSAction *action = kept(client, arguments->scalarInput[0]);
	struct firing *firing;

	(void)reference;
	if (action == NULL) {
		return kIOReturnNotFound;
	}
	if (client->queue == NULL) {
		kern_return_t result = IODispatchQueueCreate("firing", 0, 0, &client->queue);

		if (result != kIOReturnSuccess) {
			return result;
		}
	}
	firing = IONewZero(struct firing, 1);
	if (firing == NULL) {
		return kIOReturnNoMemory;
	}
	firing->client = OSRetain(target);
	firing->action = OSRetain(action);
	memcpy(firing->words, arguments->scalarInput, sizeof(firing->words));
	IODispatchQueueDispatchAsync_f(client->queue, firing, fire_on_queue);
	return kIOReturnSuccess;
}

static void timer_occurred(OSObject *target, OSAction *action, uint64_t time)
{
	struct contract_client *client = contract_client_of(target);
	uint64_t words[5];

	(void)action;
	(void)time;
	memcpy(words, client->later, sizeof(words));
	words[3] = 1;
	fire((IOUserClient *)target, kept(client, words[0]), words);
	/* The action retains its target: a cycle that ends here. */
	(void)IOTimerDispatchSourceCancel(client->timer, NULL, NULL);
	(void)OSActionCancel(client->timer_action, NULL, NULL);
	OSSafeReleaseNULL(client->timer);
	OSSafeReleaseNULL(client->timer_action);
}

METHOD(contract_fire_later)
{
	struct contract_client *client = contract_client_of(target);
	IODispatchQueue *queue = NULL;
	kern_return_t result;

	(void)reference;
	if (kept(client, arguments->scalarInput[0]) == NULL) {
		return kIOReturnNotFound;
	}
	if (client->timer != NULL) {
		return kIOReturnBusy;
	}
	memcpy(client->later, arguments->scalarInput, sizeof(client->later));
	result = IOServiceCopyDispatchQueue((IOService *)target, kIOServiceDefaultQueueName,
					    &queue);
	if (result == kIOReturnSuccess) {
		result = IOTimerDispatchSourceCreate(queue, &client->timer);
	}
	if (result == kIOReturnSuccess) {
		result = IOTimerDispatchSourceCreateActionTimerOccurred(target, timer_occurred, 0,
									&client->timer_action);
	}
	if (result == kIOReturnSuccess) {
		result = IOTimerDispatchSourceSetHandler(client->timer, client->timer_action);
	}
	if (result == kIOReturnSuccess) {
		result = IOTimerDispatchSourceWakeAtTime(
			client->timer, kIOTimerClockMachAbsoluteTime,
			mach_absolute_time() + arguments->scalarInput[3] * 1000000, 0);
	}
	OSSafeReleaseNULL(queue);
	return result;
}

METHOD(contract_release)
{
	struct contract_client *client = contract_client_of(target);
	uint64_t index = arguments->scalarInput[0];

	(void)reference;
	if (kept(client, index) == NULL) {
		return kIOReturnNotFound;
	}
	OSSafeReleaseNULL(client->kept[index]);
	return kIOReturnSuccess;
}

static void was_cancelled(void *context)
{
	(void)context;
	contract_log("cancelled");
}

METHOD(contract_cancel)
{
	OSAction *action = kept(contract_client_of(target), arguments->scalarInput[0]);

	(void)reference;
	return action == NULL ? kIOReturnNotFound : OSActionCancel(action, was_cancelled, NULL);
}

METHOD(contract_fail_async)
{
	struct contract_client *client = contract_client_of(target);

	(void)reference;
	if (client->nr_kept < CONTRACT_MAX_KEPT) {
		client->kept[client->nr_kept++] = OSRetain(arguments->completion);
	}
	return kIOReturnNoSpace;
}

void contract_client_fini_async(struct contract_client *client)
{
	for (uint32_t i = 0; i < client->nr_kept; i++) {
		OSSafeReleaseNULL(client->kept[i]);
	}
	OSSafeReleaseNULL(client->timer);
	OSSafeReleaseNULL(client->timer_action);
}

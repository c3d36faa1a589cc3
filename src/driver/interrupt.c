/* SPDX-License-Identifier: MIT
 *
 * interrupt - IOInterruptDispatchSource: interrupts that a driver of the same process raises.
 *
 * Place:   driver, over event. A provider's interrupts are the members of its property
 *          IOInterruptSpecifiers; who raises one names the service, or what stands for it.
 */
#include "driver/event.h"
#include "driver/service.h"

#define SPECIFIERS_KEY "IOInterruptSpecifiers"

struct interrupt {
	struct dx_event_source event; /* first */
	uint64_t provider_id;
	uint32_t index; /* without flags */
	bool continuous;
};

static void interrupt_free(struct dx_object *object)
{
	dx_event_fini(&((struct interrupt *)object)->event);
}

static const struct dx_class interrupt_class = {
	.name = "IOInterruptDispatchSource",
	.instance_size = sizeof(struct interrupt),
	.free = interrupt_free,
};

const OSDriverClass IOInterruptDispatchSourceClass = {.name = "IOInterruptDispatchSource",
						      .super = &OSObjectClass,
						      .reserved = {&interrupt_class}};

static struct interrupt *source_of(const IOInterruptDispatchSource *source)
{
	return dx_object_is_kind(source, &interrupt_class) ? (struct interrupt *)(uintptr_t)source
							   : NULL;
}

static struct dx_event_source *event_of(const IOInterruptDispatchSource *source)
{
	struct interrupt *core = source_of(source);

	return core == NULL ? NULL : &core->event;
}

static struct dx_service *service_of(const IOService *service)
{
	return dx_object_is_kind(service, &dx_service_class)
		       ? (struct dx_service *)(uintptr_t)service
		       : NULL;
}

/* @return kIOReturnNoInterrupt when there is none of that number. */
static kern_return_t find_type(struct dx_service *service, uint32_t number, uint64_t *ret_type)
{
	kern_return_t status = kIOReturnNoInterrupt;

	dx_mutex_lock(&service->lock);
	const struct dx_array *all = dx_dict_get_array(service->user_properties, SPECIFIERS_KEY);
	if (all == NULL) {
		all = dx_dict_get_array(service->properties, SPECIFIERS_KEY);
	}
	if (all != NULL && number < dx_array_count(all)) {
		const void *type = dx_array_get(all, number);
		*ret_type = dx_object_is_kind(type, &dx_number_class) ? dx_number_u64(type) & 1
								      : kIOInterruptTypeEdge;
		status = kIOReturnSuccess;
	}
	dx_mutex_unlock(&service->lock);
	return status;
}

static bool index_is_valid(uint32_t index)
{
	return (index & ~(uint32_t)(kIOInterruptSourceIndexMask |
				    kIOInterruptSourceContinuousTime)) == 0;
}

kern_return_t IOInterruptDispatchSourceGetInterruptType(IOService *provider, uint32_t index,
							uint64_t *interruptType)
{
	if (service_of(provider) == NULL || interruptType == NULL || !index_is_valid(index)) {
		return kIOReturnBadArgument;
	}
	return find_type(service_of(provider), index & kIOInterruptSourceIndexMask, interruptType);
}

kern_return_t IOInterruptDispatchSourceCreateActionInterruptOccurred(
	OSObject *target, IOInterruptOccurredHandler handler, size_t referenceSize,
	OSAction **action)
{
	return dx_action_new(DX_ACTION_INTERRUPT, target, (void (*)(void))handler, referenceSize,
			     action);
}

kern_return_t IOInterruptDispatchSourceCreate(IOService *provider, uint32_t index,
					      IODispatchQueue *queue,
					      IOInterruptDispatchSource **source)
{
	uint64_t type = 0;

	if (!dx_object_is_kind(queue, &dx_queue_class) || source == NULL) {
		return kIOReturnBadArgument;
	}
	kern_return_t status = IOInterruptDispatchSourceGetInterruptType(provider, index, &type);
	if (status != kIOReturnSuccess) {
		return status;
	}
	struct interrupt *made = dx_object_new(&interrupt_class);
	if (made == NULL) {
		return kIOReturnNoMemory;
	}
	made->provider_id = service_of(provider)->id;
	made->index = index & kIOInterruptSourceIndexMask;
	made->continuous = (index & kIOInterruptSourceContinuousTime) != 0;
	status = dx_event_setup(&made->event, queue, DX_ACTION_INTERRUPT, "InterruptOccurred");
	if (status != kIOReturnSuccess) {
		(void)dx_object_unref(made);
		return status;
	}
	dx_event_list(&made->event, &made->event.runtime->interrupts);
	*source = (IOInterruptDispatchSource *)made;
	return kIOReturnSuccess;
}

kern_return_t IOInterruptDispatchSourceSetHandler(IOInterruptDispatchSource *source,
						  OSAction *action)
{
	return dx_event_set_handler(event_of(source), action);
}

kern_return_t
IOInterruptDispatchSourceSetEnableWithCompletion(IOInterruptDispatchSource *source, bool enable,
						 IODispatchSourceCancelHandler handler,
						 void *context)
{
	return dx_event_set_enable(event_of(source), enable, handler, context);
}

kern_return_t IOInterruptDispatchSourceCancel(IOInterruptDispatchSource *source,
					      IODispatchSourceCancelHandler handler, void *context)
{
	return dx_event_cancel(event_of(source), handler, context);
}

kern_return_t IOInterruptDispatchSourceGetLastInterrupt(IOInterruptDispatchSource *source,
							uint64_t *count, uint64_t *time)
{
	struct dx_event event;

	if (source_of(source) == NULL || count == NULL || time == NULL) {
		return kIOReturnBadArgument;
	}
	dx_event_read(event_of(source), &event);
	*count = event.count;
	*time = event.time;
	return kIOReturnSuccess;
}

/* ---- raising ---- */

/* The sources of that interrupt after the one with that number in the list: counted, or NULL. */
static struct interrupt *next_source(struct dx_runtime *runtime, uint64_t provider_id,
				     uint32_t index, const struct interrupt *after)
{
	struct interrupt *found = NULL;
	bool passed = after == NULL;

	dx_mutex_lock(&runtime->lock);
	dx_list_for_each (node, &runtime->interrupts) {
		struct interrupt *source = (struct interrupt *)dx_list_entry(
			node, struct dx_event_source, runtime_link);
		if (passed && source->provider_id == provider_id && source->index == index &&
		    dx_event_try_ref(&source->event)) {
			found = source;
			break;
		}
		passed = passed || source == after;
	}
	dx_mutex_unlock(&runtime->lock);
	return found;
}

kern_return_t OpenDextInterruptRaise(IOService *provider, uint32_t index)
{
	struct dx_service *service = service_of(provider);
	uint64_t type = 0;
	kern_return_t status = IOInterruptDispatchSourceGetInterruptType(provider, index, &type);

	if (status != kIOReturnSuccess) {
		return status;
	}
	struct interrupt *last = NULL;
	for (struct interrupt *source = next_source(service->runtime, service->id, index, NULL);
	     source != NULL;
	     source = next_source(service->runtime, service->id, index, last)) {
		dx_event_count(&source->event, source->continuous);
		(void)dx_object_unref(last); /* it kept its place in the list until now */
		last = source;
	}
	(void)dx_object_unref(last);
	return kIOReturnSuccess;
}

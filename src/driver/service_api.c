/* SPDX-License-Identifier: MIT
 *
 * service_api - the public functions of IOService; the core is in service.c and lifecycle.c.
 */
#include <opendext/service.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ioreturn.h"
#include "driver/item.h"
#include "driver/service.h"
#include "driver/user_client.h"

static struct dx_service *core_of(const IOService *service)
{
	return dx_object_is_kind(service, &dx_service_class)
		       ? (struct dx_service *)(uintptr_t)service
		       : NULL;
}

/* ---- the root class ---- */

static kern_return_t root_start(IOService *self, IOService *provider)
{
	(void)self;
	(void)provider;
	return kIOReturnSuccess;
}

static kern_return_t root_stop(IOService *self, IOService *provider)
{
	struct dx_service *service = core_of(self);

	(void)provider;
	if (service == NULL) {
		return kIOReturnBadArgument;
	}
	dx_service_stopped(service);
	return kIOReturnSuccess;
}

static kern_return_t root_new_user_client(IOService *self, uint32_t type,
					  IOUserClient **userClient)
{
	(void)self;
	(void)type;
	(void)userClient;
	return kIOReturnError;
}

static kern_return_t root_set_power_state(IOService *self, uint32_t powerFlags)
{
	(void)self;
	(void)powerFlags;
	return kIOReturnSuccess;
}

const OSDriverClass OSObjectClass = {.name = "OSObject", .reserved = {"root"}};

const OSDriverClass IOServiceClass = {
	.name = "IOService",
	.super = &OSObjectClass,
	.Start = root_start,
	.Stop = root_stop,
	.NewUserClient = root_new_user_client,
	.SetPowerState = root_set_power_state,
	.reserved = {&dx_service_class},
};

kern_return_t IOServiceSuperStart(const OSDriverClass *driver_class, IOService *self,
				  IOService *provider)
{
	if (driver_class == NULL || driver_class->super == NULL || core_of(self) == NULL) {
		return kIOReturnBadArgument;
	}
	return DX_METHOD(driver_class->super, Start)(self, provider);
}

kern_return_t IOServiceSuperStop(const OSDriverClass *driver_class, IOService *self,
				 IOService *provider)
{
	if (driver_class == NULL || driver_class->super == NULL || core_of(self) == NULL) {
		return kIOReturnBadArgument;
	}
	return DX_METHOD(driver_class->super, Stop)(self, provider);
}

kern_return_t IOServiceSuperNewUserClient(const OSDriverClass *driver_class, IOService *self,
					  uint32_t type, IOUserClient **userClient)
{
	if (driver_class == NULL || driver_class->super == NULL || core_of(self) == NULL ||
	    userClient == NULL) {
		return kIOReturnBadArgument;
	}
	return DX_METHOD(driver_class->super, NewUserClient)(self, type, userClient);
}

kern_return_t IOServiceSuperSetPowerState(const OSDriverClass *driver_class, IOService *self,
					  uint32_t powerFlags)
{
	if (driver_class == NULL || driver_class->super == NULL || core_of(self) == NULL) {
		return kIOReturnBadArgument;
	}
	return DX_METHOD(driver_class->super, SetPowerState)(self, powerFlags);
}

/* ---- identity ---- */

IOService *IOServiceGetProvider(const IOService *service)
{
	struct dx_service *core = core_of(service);

	return core == NULL ? NULL : IO_SERVICE(core->provider);
}

kern_return_t IOServiceGetRegistryEntryID(IOService *service, uint64_t *registryEntryID)
{
	struct dx_service *core = core_of(service);

	if (core == NULL || registryEntryID == NULL) {
		return kIOReturnBadArgument;
	}
	*registryEntryID = core->id;
	return kIOReturnSuccess;
}

kern_return_t IOServiceSetName(IOService *service, const char *name)
{
	struct dx_service *core = core_of(service);

	if (core == NULL || name == NULL || name[0] == '\0' ||
	    strnlen(name, sizeof(IOServiceName)) >= sizeof(IOServiceName)) {
		return kIOReturnBadArgument;
	}
	if (core->driver_class == NULL) {
		return kIOReturnUnsupported;
	}
	char *copy = strdup(name);
	if (copy == NULL) {
		return kIOReturnNoMemory;
	}
	dx_mutex_lock(&core->lock);
	char *old = core->name;
	core->name = copy;
	dx_mutex_unlock(&core->lock);
	free(old);
	core->runtime->ops->renamed(core->runtime->ops_context, core->id, name);
	return kIOReturnSuccess;
}

kern_return_t IOServiceCopyName(IOService *service, OSString **name)
{
	struct dx_service *core = core_of(service);

	if (core == NULL || name == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->lock);
	struct dx_string *string = dx_string_new(core->name);
	dx_mutex_unlock(&core->lock);
	if (string == NULL) {
		return kIOReturnNoMemory;
	}
	*name = (OSString *)string;
	return kIOReturnSuccess;
}

kern_return_t IOServiceRegisterService(IOService *service)
{
	struct dx_service *core = core_of(service);

	if (core == NULL || core->driver_class == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->lock);
	bool now = core->state == DX_SERVICE_STARTED || core->state == DX_SERVICE_STOPPING;
	bool made_here = core->state == DX_SERVICE_NEW && core->provider != NULL &&
			 core->provider->driver_class != NULL;
	if (!now && !made_here) {
		core->register_wanted = true;
	}
	dx_mutex_unlock(&core->lock);
	if (now || made_here) {
		core->runtime->ops->registered(core->runtime->ops_context, core->id);
	}
	return kIOReturnSuccess;
}

/* ---- properties ---- */

/* Own properties with those of SetProperties merged over them; +1 or NULL. */
static struct dx_dict *copy_all(struct dx_service *core)
{
	dx_mutex_lock(&core->lock);
	struct dx_dict *all = dx_value_copy_deep(core->properties);
	struct dx_dict *user = dx_value_copy_deep(core->user_properties);
	dx_mutex_unlock(&core->lock);
	if (all == NULL || user == NULL || dx_dict_merge(all, user) < 0) {
		all = dx_object_unref(all);
	}
	(void)dx_object_unref(user);
	return all;
}

kern_return_t IOServiceCopyProperties(IOService *service, OSDictionary **properties)
{
	struct dx_service *core = core_of(service);

	if (core == NULL || properties == NULL) {
		return kIOReturnBadArgument;
	}
	struct dx_dict *all = copy_all(core);
	if (all == NULL) {
		return kIOReturnNoMemory;
	}
	*properties = (OSDictionary *)all;
	return kIOReturnSuccess;
}

kern_return_t IOServiceSetProperties(IOService *service, OSDictionary *properties)
{
	struct dx_service *core = core_of(service);

	if (core == NULL || !dx_object_is_kind(properties, &dx_dict_class)) {
		return kIOReturnBadArgument;
	}
	if (core->driver_class == NULL) {
		return kIOReturnUnsupported;
	}
	struct dx_dict *copy = dx_value_copy_deep(properties);
	if (copy == NULL) {
		return kIOReturnNoMemory;
	}
	dx_mutex_lock(&core->lock);
	int result = dx_dict_merge(core->user_properties, copy);
	dx_mutex_unlock(&core->lock);
	if (result == 0) {
		core->runtime->ops->properties_set(core->runtime->ops_context, core->id, copy);
	}
	(void)dx_object_unref(copy);
	return dx_ioreturn_from_errno(result);
}

kern_return_t IOServiceRemoveProperty(IOService *service, OSString *propertyName)
{
	struct dx_service *core = core_of(service);
	const char *key = OSStringGetStringPtr(propertyName);

	if (core == NULL || key == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->lock);
	bool removed = dx_dict_remove(core->user_properties, key);
	dx_mutex_unlock(&core->lock);
	if (!removed) {
		return kIOReturnNotFound;
	}
	core->runtime->ops->property_removed(core->runtime->ops_context, core->id, key);
	return kIOReturnSuccess;
}

kern_return_t IOServiceSearchProperty(IOService *service, const char *name,
				      const char *plane, uint64_t options,
				      OSContainer **property)
{
	struct dx_service *core = core_of(service);

	if (core == NULL || name == NULL || property == NULL ||
	    (options & ~(uint64_t)kIOServiceSearchPropertyParents) != 0) {
		return kIOReturnBadArgument;
	}
	if (options != 0 && (plane == NULL || strcmp(plane, kIOServicePlane) != 0)) {
		return kIOReturnBadArgument;
	}
	do {
		dx_mutex_lock(&core->lock);
		void *found = dx_dict_get(core->properties, name);
		if (found == NULL) {
			found = dx_dict_get(core->user_properties, name);
		}
		found = dx_object_ref(found);
		dx_mutex_unlock(&core->lock);
		if (found != NULL) {
			*property = found;
			return kIOReturnSuccess;
		}
		core = core->provider;
	} while (core != NULL && options != 0);
	return kIOReturnNotFound;
}

/* ---- making and ending ---- */

/* The dictionary property that describes the object to make; +1 or NULL. */
static struct dx_dict *copy_description(struct dx_service *core, const char *key)
{
	struct dx_dict *all = copy_all(core);
	struct dx_dict *description =
		all == NULL ? NULL : dx_object_ref(dx_dict_get_dict(all, key));

	(void)dx_object_unref(all);
	return description;
}

static int make(struct dx_service *core, const OSDriverClass *driver_class,
		const struct dx_dict *description, struct dx_service **ret_made)
{
	uint64_t id = 0;
	int result = dx_runtime_take_id(core->runtime, &id);

	if (result < 0) {
		return result;
	}
	return dx_service_new_driver(core->runtime, driver_class, id,
				     dx_dict_get_string(description, "IOClass", ""), description,
				     core, ret_made);
}

static kern_return_t make_error(int result)
{
	switch (result) {
	case -ECANCELED:
		return kIOReturnUnsupported; /* init said false */
	case -ENOSPC:
		return kIOReturnNoResources;
	default:
		return dx_ioreturn_from_errno(result);
	}
}

kern_return_t IOServiceCreate(IOService *service, const char *propertiesKey,
			      IOService **result)
{
	struct dx_service *core = core_of(service);

	if (core == NULL || propertiesKey == NULL || result == NULL) {
		return kIOReturnBadArgument;
	}
	if (core->driver_class == NULL) {
		return kIOReturnUnsupported;
	}
	struct dx_dict *description = copy_description(core, propertiesKey);
	const char *kernel_class =
		description == NULL ? NULL : dx_dict_get_string(description, "IOClass", NULL);
	const char *user_class =
		description == NULL ? NULL : dx_dict_get_string(description, "IOUserClass", NULL);
	kern_return_t status = kIOReturnSuccess;
	struct dx_service *made = NULL;
	const OSDriverClass *driver_class =
		user_class == NULL ? NULL : dx_class_find(core->runtime->classes, user_class);

	if (kernel_class == NULL || user_class == NULL) {
		status = kIOReturnBadArgument;
	} else if (driver_class == NULL || (strcmp(kernel_class, "IOUserUserClient") != 0 &&
					    strcmp(kernel_class, "IOUserService") != 0)) {
		status = kIOReturnUnsupported;
	} else {
		status = make_error(make(core, driver_class, description, &made));
	}
	(void)dx_object_unref(description);
	if (status != kIOReturnSuccess) {
		return status;
	}
	dx_service_enter(made);
	if (!dx_object_is_kind(made, &dx_user_client_class)) {
		dx_service_attach(made);
		(void)dx_service_start(made, NULL, NULL);
		dx_service_follow_parent(made);
	}
	*result = IO_SERVICE(made);
	return kIOReturnSuccess;
}

kern_return_t IOServiceTerminate(IOService *service, uint64_t options)
{
	struct dx_service *core = core_of(service);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	if (options != 0) {
		return kIOReturnUnsupported;
	}
	if (core->driver_class == NULL) {
		return kIOReturnNotPermitted;
	}
	bool made_here = core->provider != NULL && core->provider->driver_class != NULL;
	if (made_here) {
		return dx_ioreturn_from_errno(dx_service_terminate(core, NULL, NULL));
	}
	core->runtime->ops->terminate_wanted(core->runtime->ops_context, core->id);
	return kIOReturnSuccess;
}

/* ---- busy count ---- */

kern_return_t IOServiceAdjustBusy(IOService *service, int32_t delta)
{
	struct dx_service *core = core_of(service);

	if (core == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->lock);
	int64_t busy = (int64_t)core->busy + delta;
	bool fits = busy >= 0 && busy <= INT32_MAX;
	if (fits) {
		core->busy = (uint32_t)busy;
	}
	dx_mutex_unlock(&core->lock);
	if (!fits) {
		return kIOReturnBadArgument;
	}
	if (delta != 0) {
		core->runtime->ops->busy_adjusted(core->runtime->ops_context, core->id, delta);
	}
	return kIOReturnSuccess;
}

kern_return_t IOServiceGetBusyCount(IOService *service, uint32_t *busyCount)
{
	struct dx_service *core = core_of(service);

	if (core == NULL || busyCount == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->lock);
	*busyCount = core->busy;
	dx_mutex_unlock(&core->lock);
	return kIOReturnSuccess;
}

/* ---- power ---- */

struct power_item {
	struct dx_item item;
	struct dx_service *service; /* counted */
	uint32_t flags;
};

static void power_run(struct dx_item *item, bool cancelled)
{
	struct power_item *power = dx_container_of(item, struct power_item, item);
	struct dx_service *service = power->service;
	struct dx_service_entry entry;

	if (!cancelled && !dx_service_is_stopped(service)) {
		dx_service_entry_begin(service, "SetPowerState", &entry);
		(void)DX_METHOD(service->driver_class, SetPowerState)(IO_SERVICE(service),
								     power->flags);
		dx_service_entry_end(&entry);
	}
	(void)dx_object_unref(service);
	free(power);
}

static kern_return_t push_power(struct dx_service *core, uint32_t flags)
{
	struct power_item *power = calloc(1, sizeof(*power));

	if (power == NULL) {
		return kIOReturnNoMemory;
	}
	power->item.run = power_run;
	power->service = dx_object_ref(core);
	power->flags = flags;
	struct dx_queue *queue = dx_service_ref_queue(core, NULL);
	dx_queue_push(queue, &power->item);
	(void)dx_object_unref(queue);
	return kIOReturnSuccess;
}

kern_return_t IOServiceJoinPMTree(IOService *service)
{
	struct dx_service *core = core_of(service);

	if (core == NULL || core->driver_class == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->lock);
	bool first = !core->in_power_tree;
	core->in_power_tree = true;
	dx_mutex_unlock(&core->lock);
	return first ? push_power(core, kIOServicePowerCapabilityOn) : kIOReturnSuccess;
}

kern_return_t IOServiceChangePowerState(IOService *service, uint32_t powerFlags)
{
	struct dx_service *core = core_of(service);

	if (core == NULL || core->driver_class == NULL ||
	    (powerFlags != kIOServicePowerCapabilityOff &&
	     powerFlags != kIOServicePowerCapabilityOn &&
	     powerFlags != kIOServicePowerCapabilityLow)) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&core->lock);
	bool joined = core->in_power_tree;
	dx_mutex_unlock(&core->lock);
	return joined ? push_power(core, powerFlags) : kIOReturnNotReady;
}

/* ---- small things ---- */

kern_return_t IOServiceStringFromReturn(IOService *service, IOReturn code, OSString **string)
{
	char number[32];
	const char *name = dx_ioreturn_name(code);

	if (core_of(service) == NULL || string == NULL) {
		return kIOReturnBadArgument;
	}
	(void)snprintf(number, sizeof(number), "0x%08x", (unsigned)code);
	OSString *made = OSStringCreate(name == NULL ? number : name, (size_t)-1);
	if (made == NULL) {
		return kIOReturnNoMemory;
	}
	*string = made;
	return kIOReturnSuccess;
}

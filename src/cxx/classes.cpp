/* SPDX-License-Identifier: MIT
 *
 * classes - see classes.h.
 *
 * A class table of the core for each class that is a service. It is flat: its super is IOServiceClass
 * or IOUserClientClass, because C++ finds inherited methods by itself. Its instance variables are the
 * face and the C++ object.
 */
#include "cxx/classes.h"

#include <cstdlib>
#include <cstring>

#include "cxx/face.h"
#include "cxx/lock.h"
#include "cxx/message.h"

#define MAX_CLASSES	256u
#define MAX_QUEUE_NAMES 31u

/* The symbol that the host looks up: NULL-terminated. */
#pragma GCC visibility push(default)
extern const core::OSDriverClass *driver_classes[MAX_CLASSES + 1] __asm__("OpenDextDriverClasses");
const core::OSDriverClass *driver_classes[MAX_CLASSES + 1];
#pragma GCC visibility pop

namespace dx {

struct ServiceClass {
	core::OSDriverClass table; /* first: the core hands out pointers to it */
	const OSClassLoadInformation *information;
	const char *queue_names[MAX_QUEUE_NAMES + 1];
};

struct Registry {
	Lock lock; /* guards what follows while classes are registered */
	const OSClassLoadInformation *classes[MAX_CLASSES * 4];
	unsigned nr_classes;
	unsigned nr_services;
};

static Registry the_registry;

/* ---- look-up ---- */

const OSMethodInformation *find_method(const OSClassLoadInformation *information, uint64_t msgid)
{
	for (; information != nullptr; information = information->superClass) {
		for (uint32_t i = 0; i < information->methodCount; i++) {
			if (information->methods[i].msgid == msgid) {
				return &information->methods[i];
			}
		}
	}
	return nullptr;
}

const char *find_queue_name(const OSClassLoadInformation *information, uint64_t msgid)
{
	for (; information != nullptr; information = information->superClass) {
		for (uint32_t i = 0; i < information->methodCount; i++) {
			const OSMethodInformation *method = &information->methods[i];
			if (method->msgid == msgid && method->queueName != nullptr) {
				return method->queueName;
			}
		}
	}
	return nullptr;
}

static bool derives(const OSClassLoadInformation *information, const OSClassLoadInformation *from)
{
	while (information != nullptr && information != from) {
		information = information->superClass;
	}
	return information != nullptr;
}

const OSMetaClass *find_class(const char *name)
{
	Registry &all = the_registry;
	Guard guard(all.lock);

	for (unsigned i = 0; i < all.nr_classes; i++) {
		if (strcmp(all.classes[i]->name, name) == 0) {
			return all.classes[i]->metaClass;
		}
	}
	return nullptr;
}

/* Registered ones are the driver's. */
bool is_runtime_class(const OSClassLoadInformation *information)
{
	return information->metaClass->runtime == nullptr;
}

/* ---- from the core into the driver ---- */

template <class T> static T *self_of(void *core)
{
	return static_cast<T *>(object_of(core));
}

/* It goes with the core object, whose instance variables it is. */
static void keep_face(dx_face *face)
{
	(void)face;
}

static bool enter_init(core::OSObject *self)
{
	const core::OSDriverClass *table =
		core::OpenDextServiceClass(reinterpret_cast<core::IOService *>(self));
	const ServiceClass *service_class = reinterpret_cast<const ServiceClass *>(table);
	Face *face = static_cast<Face *>(core::OSObjectGetIvars(self, table));

	face->head.free = keep_face;
	if (!construct(face, self, service_class->information->metaClass)) {
		return false;
	}
	(void)core::OpenDextFaceSet(self, &face->head);
	return object_of(face)->init();
}

static void enter_free(core::OSObject *self)
{
	if (core::OpenDextFaceGet(self) != nullptr) {
		object_of(static_cast<void *>(self))->free();
	}
}

/* The core calls on the right queue, so messages are dispatched here and now. */
template <class Message>
static kern_return_t dispatch(void *self, uint64_t msgid, Message &message)
{
	return self_of<OSObject>(self)->Dispatch({msgid, &message});
}

static kern_return_t enter_start(core::IOService *self, core::IOService *provider)
{
	IOService_Start_Msg message = {self_of<IOService>(provider)};

	return dispatch(self, IOService_Start_ID, message);
}

static kern_return_t enter_stop(core::IOService *self, core::IOService *provider)
{
	IOService_Stop_Msg message = {self_of<IOService>(provider)};

	return dispatch(self, IOService_Stop_ID, message);
}

static kern_return_t enter_new_user_client(core::IOService *self, uint32_t type,
					   core::IOUserClient **client)
{
	IOUserClient *made = nullptr;
	IOService_NewUserClient_Msg message = {type, &made};
	kern_return_t status = dispatch(self, IOService_NewUserClient_ID, message);

	if (status == kIOReturnSuccess) {
		*client = to<core::IOUserClient>(made);
	}
	return status;
}

static kern_return_t enter_set_power_state(core::IOService *self, uint32_t flags)
{
	IOService_SetPowerState_Msg message = {flags};

	return dispatch(self, IOService_SetPowerState_ID, message);
}

static IOUserClientMethodArguments arguments_of(const core::IOUserClientMethodArguments *core_args)
{
	IOUserClientMethodArguments arguments = {};

	arguments.version = core_args->version;
	arguments.selector = core_args->selector;
	arguments.completion = self_of<OSAction>(core_args->completion);
	arguments.scalarInput = core_args->scalarInput;
	arguments.scalarInputCount = core_args->scalarInputCount;
	arguments.structureInput = self_of<OSData>(core_args->structureInput);
	arguments.structureInputDescriptor =
		self_of<IOMemoryDescriptor>(core_args->structureInputDescriptor);
	arguments.scalarOutput = core_args->scalarOutput;
	arguments.scalarOutputCount = core_args->scalarOutputCount;
	arguments.structureOutputDescriptor =
		self_of<IOMemoryDescriptor>(core_args->structureOutputDescriptor);
	arguments.structureOutputMaximumSize = core_args->structureOutputMaximumSize;
	return arguments;
}

static kern_return_t enter_external_method(core::IOUserClient *self, uint64_t selector,
					   core::IOUserClientMethodArguments *core_arguments,
					   const core::IOUserClientMethodDispatch *,
					   core::OSObject *, void *)
{
	IOUserClientMethodArguments arguments = arguments_of(core_arguments);
	kern_return_t status = self_of<IOUserClient>(self)->ExternalMethod(
		selector, &arguments, nullptr, nullptr, nullptr);

	core_arguments->scalarOutputCount = arguments.scalarOutputCount;
	core_arguments->structureOutput = to<core::OSData>(arguments.structureOutput);
	return status;
}

static kern_return_t enter_copy_client_memory(core::IOUserClient *self, uint64_t type,
					      uint64_t *options, core::IOMemoryDescriptor **memory)
{
	IOMemoryDescriptor *found = nullptr;
	IOUserClient_CopyClientMemoryForType_Msg message = {type, options, &found};
	kern_return_t status = dispatch(self, IOUserClient_CopyClientMemoryForType_ID, message);

	if (status == kIOReturnSuccess) {
		*memory = to<core::IOMemoryDescriptor>(found);
	}
	return status;
}

/* ---- registering ---- */

static void add_queue_name(ServiceClass *service_class, const char *name)
{
	unsigned i = 0;

	for (; service_class->queue_names[i] != nullptr; i++) {
		if (strcmp(service_class->queue_names[i], name) == 0) {
			return;
		}
	}
	if (i < MAX_QUEUE_NAMES) {
		service_class->queue_names[i] = name;
	}
}

static void add_queue_names(ServiceClass *service_class, const OSClassLoadInformation *at)
{
	for (; at != nullptr; at = at->superClass) {
		for (uint32_t i = 0; i < at->methodCount; i++) {
			if (at->methods[i].queueName != nullptr) {
				add_queue_name(service_class, at->methods[i].queueName);
			}
		}
	}
}

static ServiceClass *make_service_class(const OSClassLoadInformation *information)
{
	ServiceClass *made = static_cast<ServiceClass *>(calloc(1, sizeof(ServiceClass)));

	if (made == nullptr) {
		return nullptr;
	}
	made->information = information;
	made->table.name = information->name;
	made->table.ivars_size = sizeof(Face) + information->instanceSize;
	made->table.queue_names = made->queue_names;
	add_queue_names(made, information);
	made->table.init = enter_init;
	made->table.free = enter_free;
	made->table.Start = enter_start;
	made->table.Stop = enter_stop;
	made->table.NewUserClient = enter_new_user_client;
	made->table.SetPowerState = enter_set_power_state;
	made->table.super = &core::IOServiceClass;
	if (derives(information, &IOUserClient_Class)) {
		made->table.super = &core::IOUserClientClass;
		made->table.ExternalMethod = enter_external_method;
		made->table.CopyClientMemoryForType = enter_copy_client_memory;
	}
	return made;
}

static bool is_service(const OSClassLoadInformation *information)
{
	return derives(information, &IOService_Class) && (information->flags & kOSClassAction) == 0;
}

} // namespace dx

void OSClassRegister(const OSClassLoadInformation *information)
{
	dx::Registry &all = dx::the_registry;
	dx::Guard guard(all.lock);

	if (information->version != kOSClassVersion || all.nr_classes >= MAX_CLASSES * 4 ||
	    all.nr_services >= MAX_CLASSES) {
		panic("class %s: %s", information->name,
		      information->version != kOSClassVersion
			      ? "made by a generator of another version"
			      : "more classes than one driver can have");
	}
	all.classes[all.nr_classes++] = information;
	information->metaClass->runtime = const_cast<OSClassLoadInformation *>(information);
	if (dx::is_service(information)) {
		dx::ServiceClass *made = dx::make_service_class(information);
		if (made == nullptr) {
			panic("class %s: no memory", information->name);
		}
		driver_classes[all.nr_services++] = &made->table;
	}
}

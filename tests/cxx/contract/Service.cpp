/* SPDX-License-Identifier: MIT
 *
 * Service - the record of what happened, and the two services: what NewUserClient does for each type.
 *
 * The record is one for the process, because what happens after an object's end is part of what is
 * tested.
 */
#include "Driver.hpp"

#include <pthread.h>
#include <stdarg.h>

static pthread_mutex_t record_lock = PTHREAD_MUTEX_INITIALIZER; /* guards record, record_length */
static char record[CONTRACT_TEXT_BYTES];
static size_t record_length;

void Log(const char *format, ...)
{
	va_list arguments;

	(void)pthread_mutex_lock(&record_lock);
	va_start(arguments, format);
	int length = vsnprintf(record + record_length, sizeof(record) - record_length, format,
			       arguments);
	va_end(arguments);
	/* What does not fit is left out as a whole. */
	if (length > 0 && record_length + static_cast<size_t>(length) + 1 < sizeof(record)) {
		record_length += static_cast<size_t>(length);
		record[record_length++] = '\n';
	}
	record[record_length] = '\0';
	(void)pthread_mutex_unlock(&record_lock);
}

void TakeLog(char *text, size_t capacity)
{
	(void)pthread_mutex_lock(&record_lock);
	(void)snprintf(text, capacity, "%s", record);
	record_length = 0;
	record[0] = '\0';
	(void)pthread_mutex_unlock(&record_lock);
}

static kern_return_t Create(IOService *service, const char *key, IOUserClient **client)
{
	IOService *created = nullptr;
	kern_return_t status = service->Create(service, key, &created);

	if (status != kIOReturnSuccess) {
		return status;
	}
	*client = OSDynamicCast(IOUserClient, created);
	if (*client == nullptr) {
		OSSafeReleaseNULL(created);
		return kIOReturnError;
	}
	return kIOReturnSuccess;
}

/* @return kIOReturnUnsupported for a type that only the root class answers. */
kern_return_t MakeClient(IOService *service, uint32_t type, IOUserClient **client)
{
	Log("%s.NewUserClient %u", service->GetClassName(), type);
	switch (type) {
	case CONTRACT_OPEN:
		return Create(service, "UserClientProperties", client);
	case CONTRACT_OPEN_BUSY:
		return kIOReturnBusy;
	case CONTRACT_OPEN_NULL:
		return kIOReturnSuccess;
	case CONTRACT_OPEN_START_FAILS:
		return Create(service, "StartFailsProperties", client);
	case CONTRACT_OPEN_INIT_FAILS:
		return Create(service, "InitFailsProperties", client);
	case CONTRACT_OPEN_QUEUED:
		return Create(service, "QueuedProperties", client);
	case CONTRACT_OPEN_NO_PROPERTIES:
		return Create(service, "NoSuchProperties", client);
	case CONTRACT_OPEN_BARE:
		return Create(service, "BareProperties", client);
	default:
		return kIOReturnUnsupported;
	}
}

static bool IsInherited(uint32_t type)
{
	return type == CONTRACT_OPEN_INHERITED || type > CONTRACT_OPEN_BARE;
}

/* --- the service on the resources ------------------------------------------------------------ */

bool ContractService::init()
{
	if (!super::init()) {
		return false;
	}
	Log("%s.init", GetClassName());
	return true;
}

void ContractService::free()
{
	Log("%s.free", GetClassName());
	super::free();
}

kern_return_t IMPL(ContractService, Start)
{
	kern_return_t status = Start(provider, SUPERDISPATCH);

	Log("%s.Start %s", GetClassName(), provider->GetClassName());
	return status == kIOReturnSuccess ? RegisterService() : status;
}

kern_return_t IMPL(ContractService, Stop)
{
	Log("%s.Stop", GetClassName());
	return Stop(provider, SUPERDISPATCH);
}

kern_return_t IMPL(ContractService, NewUserClient)
{
	kern_return_t status = MakeClient(this, type, userClient);

	return IsInherited(type) ? NewUserClient(type, userClient, SUPERDISPATCH) : status;
}

/* --- the service on the device, which holds its session -------------------------------------- */

bool ContractUsb::init()
{
	if (!super::init()) {
		return false;
	}
	Log("%s.init", GetClassName());
	return true;
}

void ContractUsb::free()
{
	Log("%s.free", GetClassName());
	super::free();
}

kern_return_t IMPL(ContractUsb, Start)
{
	IOUSBHostDevice *device = OSDynamicCast(IOUSBHostDevice, provider);
	kern_return_t status = Start(provider, SUPERDISPATCH);

	Log("%s.Start %s", GetClassName(), provider->GetClassName());
	if (status == kIOReturnSuccess) {
		status = device == nullptr ? kIOReturnNoDevice : device->Open(this, 0, 0);
	}
	return status == kIOReturnSuccess ? RegisterService() : status;
}

kern_return_t IMPL(ContractUsb, Stop)
{
	Log("%s.Stop", GetClassName());
	return Stop(provider, SUPERDISPATCH);
}

kern_return_t IMPL(ContractUsb, NewUserClient)
{
	kern_return_t status = MakeClient(this, type, userClient);

	return IsInherited(type) ? NewUserClient(type, userClient, SUPERDISPATCH) : status;
}

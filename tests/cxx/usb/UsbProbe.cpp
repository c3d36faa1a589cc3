/* SPDX-License-Identifier: MIT
 *
 * UsbProbe - the services, and the connection: which tests there are, and waiting for completions.
 */
#include "Test.hpp"

/* --- the services ---------------------------------------------------------------------------- */

static kern_return_t MakeClient(IOService *service, IOUserClient **userClient)
{
	IOService *made = nullptr;
	kern_return_t status = service->Create(service, "UserClientProperties", &made);

	if (status == kIOReturnSuccess) {
		*userClient = OSDynamicCast(IOUserClient, made);
	}
	return status;
}

kern_return_t IMPL(UsbProbe, Start)
{
	IOUSBHostDevice *device = OSDynamicCast(IOUSBHostDevice, provider);
	kern_return_t status = Start(provider, SUPERDISPATCH);

	if (status == kIOReturnSuccess) {
		status = device == nullptr ? kIOReturnNoDevice : device->Open(this, 0, 0);
	}
	if (status == kIOReturnSuccess) {
		status = device->SetConfiguration(SOURCE_SINK, false);
	}
	return status == kIOReturnSuccess ? RegisterService() : status;
}

kern_return_t IMPL(UsbProbe, NewUserClient)
{
	(void)type;
	return MakeClient(this, userClient);
}

kern_return_t IMPL(UsbProbeInterface, Start)
{
	kern_return_t status = Start(provider, SUPERDISPATCH);

	if (status == kIOReturnSuccess && OSDynamicCast(IOUSBHostInterface, provider) == nullptr) {
		status = kIOReturnNoDevice;
	}
	return status == kIOReturnSuccess ? RegisterService() : status;
}

kern_return_t IMPL(UsbProbeInterface, NewUserClient)
{
	(void)type;
	return MakeClient(this, userClient);
}

/* --- the connection: life -------------------------------------------------------------------- */

bool UsbProbeClient::init()
{
	if (!super::init()) {
		return false;
	}
	ivars = IONewZero(UsbProbeClient_IVars, 1);
	if (ivars == nullptr) {
		return false;
	}
	ivars->lock = IOLockAlloc();
	return ivars->lock != nullptr;
}

void UsbProbeClient::free()
{
	if (ivars != nullptr) {
		OSSafeReleaseNULL(ivars->buffers[PIPE_IN]);
		OSSafeReleaseNULL(ivars->buffers[PIPE_OUT]);
		OSSafeReleaseNULL(ivars->interface);
		OSSafeReleaseNULL(ivars->device);
		OSSafeReleaseNULL(ivars->completions);
		IOLockFree(ivars->lock);
	}
	IOSafeDeleteNULL(ivars, UsbProbeClient_IVars, 1);
	super::free();
}

kern_return_t IMPL(UsbProbeClient, Start)
{
	kern_return_t status = Start(provider, SUPERDISPATCH);

	if (status == kIOReturnSuccess) {
		status = IODispatchQueue::Create("completions", 0, 0, &ivars->completions);
	}
	if (status == kIOReturnSuccess) {
		status = SetDispatchQueue("Completions", ivars->completions);
	}
	if (status != kIOReturnSuccess) {
		return status;
	}
	ivars->service = provider;
	ivars->device = OSDynamicCast(IOUSBHostDevice, provider->GetProvider());
	ivars->interface = OSDynamicCast(IOUSBHostInterface, provider->GetProvider());
	if (ivars->device != nullptr) {
		ivars->device->retain();
		return kIOReturnSuccess;
	}
	ivars->interface->retain();
	return ivars->interface->CopyDevice(&ivars->device);
}

kern_return_t IMPL(UsbProbeClient, Stop)
{
	Shut();
	return Stop(provider, SUPERDISPATCH);
}

/* --- what tests need ------------------------------------------------------------------------- */

bool UsbProbeClient::Configure(uint8_t value)
{
	uintptr_t iterator = 0;

	Shut();
	OSSafeReleaseNULL(ivars->interface);
	if (ivars->device->SetConfiguration(value, false) != kIOReturnSuccess ||
	    ivars->device->CreateInterfaceIterator(&iterator) != kIOReturnSuccess) {
		return false;
	}
	(void)ivars->device->CopyInterface(iterator, &ivars->interface);
	(void)ivars->device->DestroyInterfaceIterator(iterator);
	return ivars->interface != nullptr;
}

bool UsbProbeClient::Open(uint8_t in, uint8_t out)
{
	const uint8_t addresses[2] = {in, out};
	IOAddressSegment range = {};

	Forget();
	ivars->open = ivars->interface->Open(this, 0, nullptr) == kIOReturnSuccess;
	for (unsigned i = 0; ivars->open && i < 2; i++) {
		if (addresses[i] != 0 && ivars->interface->CopyPipe(addresses[i], &ivars->pipes[i]) !=
						 kIOReturnSuccess) {
			return false;
		}
		if (ivars->buffers[i] == nullptr &&
		    ivars->interface->CreateIOBuffer(kIOMemoryDirectionInOut, BUFFER_BYTES,
						     &ivars->buffers[i]) != kIOReturnSuccess) {
			return false;
		}
		(void)ivars->buffers[i]->GetAddressRange(&range);
		ivars->bytes[i] = reinterpret_cast<uint8_t *>(range.address);
	}
	return ivars->open;
}

void UsbProbeClient::Shut()
{
	OSSafeReleaseNULL(ivars->pipes[PIPE_IN]);
	OSSafeReleaseNULL(ivars->pipes[PIPE_OUT]);
	if (ivars->open) {
		(void)ivars->interface->Close(this, 0);
		ivars->open = false;
	}
}

/* The time limit is only one against hangs. */
bool UsbProbeClient::Wait(uint32_t count)
{
	for (unsigned tries = 0; tries < 20000; tries++) {
		IOLockLock(ivars->lock);
		bool there = ivars->nr_recorded >= count;
		IOLockUnlock(ivars->lock);
		if (there) {
			return true;
		}
		IOSleep(1);
	}
	return false;
}

void UsbProbeClient::Forget()
{
	IOLockLock(ivars->lock);
	ivars->nr_recorded = 0;
	IOLockUnlock(ivars->lock);
}

void UsbProbeClient::Record(OSAction *action, IOReturn status, uint64_t bytes)
{
	const uint64_t *tag = TagOf(action);

	IOLockLock(ivars->lock);
	ivars->recorded[ivars->nr_recorded++ % MAX_RECORDED] = {
		tag == nullptr ? 0 : *tag, status, bytes, mach_absolute_time()};
	IOLockUnlock(ivars->lock);
}

/* --- the tests ------------------------------------------------------------------------------- */

struct NamedTest {
	const char *name;
	void (UsbProbeClient::*run)();
};

static const NamedTest of_device[] = {
	{"sessions", &UsbProbeClient::TestSession},
	{"descriptors of the device", &UsbProbeClient::TestDeviceDescriptors},
	{"state of the device", &UsbProbeClient::TestDeviceState},
	{"requests to the device", &UsbProbeClient::TestDeviceRequests},
	{"requests that complete later", &UsbProbeClient::TestDeviceAsyncRequests},
	{"interfaces", &UsbProbeClient::TestInterfaces},
	{"configurations", &UsbProbeClient::TestConfigurations},
	{"sessions of an interface", &UsbProbeClient::TestInterfaceSession},
	{"state of an interface", &UsbProbeClient::TestInterfaceState},
	{"requests of an interface", &UsbProbeClient::TestInterfaceRequests},
	{"alternate settings", &UsbProbeClient::TestAlternateSettings},
	{"state of a pipe", &UsbProbeClient::TestPipeState},
	{"transfers that are waited for", &UsbProbeClient::TestSynchronousIO},
	{"transfers that complete later", &UsbProbeClient::TestAsynchronousIO},
	{"abort", &UsbProbeClient::TestAbort},
	{"stall", &UsbProbeClient::TestStall},
	{"bundles", &UsbProbeClient::TestBundles},
	{"bundles that are refused", &UsbProbeClient::TestBundleRefusals},
	{"isochronous transfers", &UsbProbeClient::TestIsochronous},
	{"isochronous transfers that are refused", &UsbProbeClient::TestIsochronousRefusals},
	{"walking descriptors", &UsbProbeClient::TestWalking},
	{"functions on endpoints", &UsbProbeClient::TestEndpointFunctions},
	{"capabilities", &UsbProbeClient::TestCapabilities},
	{"reset", &UsbProbeClient::TestReset}, /* the last one: the service goes */
};

static const NamedTest of_interface[] = {
	{"interrupt transfers", &UsbProbeClient::TestInterrupt},
	{"transfers that nobody answers", &UsbProbeClient::TestPending},
	{"less bandwidth", &UsbProbeClient::TestAdjust},
};

/* Runs a test; out: whether it passed, how many there are, and its name or what failed. */
kern_return_t UsbProbeClient::ExternalMethod(uint64_t selector,
					     IOUserClientMethodArguments *arguments,
					     const IOUserClientMethodDispatch *dispatch,
					     OSObject *target, void *reference)
{
	const bool device = OSDynamicCast(UsbProbe, ivars->service) != nullptr;
	const NamedTest *tests = device ? of_device : of_interface;
	const uint64_t count = device ? sizeof(of_device) / sizeof(of_device[0])
				      : sizeof(of_interface) / sizeof(of_interface[0]);
	char text[384];

	if (selector >= count) {
		return super::ExternalMethod(selector, arguments, dispatch, target, reference);
	}
	ivars->failure[0] = '\0';
	(this->*tests[selector].run)();
	Shut();
	(void)snprintf(text, sizeof(text), "%s%s%s", tests[selector].name,
		       ivars->failure[0] == '\0' ? "" : ": ", ivars->failure);
	arguments->scalarOutput[0] = ivars->failure[0] == '\0';
	arguments->scalarOutput[1] = count;
	arguments->structureOutput = OSData::withBytes(text, static_cast<uint32_t>(strlen(text) + 1));
	return arguments->structureOutput == nullptr ? kIOReturnNoMemory : kIOReturnSuccess;
}

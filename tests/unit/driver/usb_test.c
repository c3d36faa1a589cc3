/* SPDX-License-Identifier: MIT
 *
 * usb_test - USB classes over the virtual Gadget Zero.
 */
#include <errno.h>

#include "fixture.h"
#include "memory/memory.h"

#define SPEC "virtual:gadget-zero"

static IOService *self_service;
static _Atomic unsigned nr_completed;
static _Atomic int32_t last_status;
static _Atomic uint32_t last_actual;
static unsigned resubmit;
static IOUSBHostPipe *resubmit_pipe;
static IOMemoryDescriptor *resubmit_memory;

static kern_return_t service_start(IOService *self, IOService *provider)
{
	(void)provider;
	self_service = OSRetain(self);
	return 0;
}

static const OSDriverClass service_class = {
	.name = "TestService", .super = &IOServiceClass, .Start = service_start};
static const OSDriverClass *const classes[] = {&service_class, NULL};

static void completed(OSObject *target, OSAction *action, IOReturn status, uint32_t actual,
		      uint64_t timestamp)
{
	CHECK(target == OS_OBJECT(self_service));
	CHECK_LE(timestamp, mach_absolute_time());
	last_status = status;
	last_actual = actual;
	if (resubmit > 0 && status == 0) {
		resubmit--;
		CHECK_EQ(IOUSBHostPipeAsyncIO(resubmit_pipe, resubmit_memory, 4096, action, 0), 0);
	}
	nr_completed++;
}

static void request_completed(OSObject *target, OSAction *action, IOReturn status,
			      uint32_t transferred)
{
	(void)target;
	(void)action;
	last_status = status;
	last_actual = transferred;
	nr_completed++;
}

struct scene {
	struct fixture fixture;
	IOUSBHostInterface *interface;
	IOUSBHostDevice *device;
};

static void begin_on(struct scene *scene, const char *provider_class, const char *spec)
{
	*scene = (struct scene){0};
	fixture_init(&scene->fixture, classes);
	CHECK_EQ(fixture_start(&scene->fixture, "TestService", provider_class, spec), 0);
	scene->interface = OSDynamicCast(IOUSBHostInterface, IOServiceGetProvider(self_service));
	scene->device = OSDynamicCast(IOUSBHostDevice, IOServiceGetProvider(self_service));
}

static void begin(struct scene *scene, const char *provider_class)
{
	begin_on(scene, provider_class, SPEC);
}

static void end(struct scene *scene)
{
	OSRelease(self_service);
	CHECK_EQ(fixture_terminate(&scene->fixture), 0);
	fixture_fini(&scene->fixture);
}

/* The first pipe of a direction. */
static IOUSBHostPipe *pipe_of(struct scene *scene, uint8_t direction)
{
	const IOUSBConfigurationDescriptor *configuration =
		IOUSBHostInterfaceCopyConfigurationDescriptor(scene->interface);
	const IOUSBInterfaceDescriptor *interface =
		IOUSBHostInterfaceGetInterfaceDescriptor(scene->interface, configuration);
	const IOUSBDescriptorHeader *header = (const IOUSBDescriptorHeader *)interface;
	IOUSBHostPipe *pipe = NULL;

	CHECK(interface != NULL);
	for (;;) {
		header = IOUSBGetNextDescriptor(configuration, header);
		CHECK(header != NULL);
		const IOUSBEndpointDescriptor *endpoint = (const IOUSBEndpointDescriptor *)header;
		if (header->bDescriptorType == 5 &&
		    (endpoint->bEndpointAddress & 0x80) == direction) {
			CHECK_EQ(IOUSBHostInterfaceCopyPipe(scene->interface,
							    endpoint->bEndpointAddress, &pipe),
				 0);
			break;
		}
	}
	IOUSBHostFreeDescriptor(configuration);
	return pipe;
}

static IOMemoryDescriptor *buffer_of(struct scene *scene, uint64_t size)
{
	IOBufferMemoryDescriptor *buffer = NULL;

	CHECK_EQ(IOUSBHostInterfaceCreateIOBuffer(scene->interface, kIOMemoryDirectionInOut, size,
						  &buffer),
		 0);
	return IO_MEMORY_DESCRIPTOR(buffer);
}

/* Memory of the controller where there is some, else memory like any other: the driver sees no
 * difference, but that nobody can share the former. */
TEST(buffer_in_the_controller_serves_transfers_and_is_not_handed_out)
{
	static const struct {
		const char *spec;
		uint64_t size;
		bool is_private;
	} cases[] = {
		{"memory:gadget-zero,mode=loopback,configuration=2", 5000, true},
		{"memory:gadget-zero,mode=loopback,configuration=2", 100000, false}, /* too large */
		{"virtual:gadget-zero,mode=loopback,configuration=2", 5000, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene scene;
		IOBufferMemoryDescriptor *buffer = NULL;
		IOAddressSegment range = {0};
		uint32_t transferred = 0;

		begin_on(&scene, "IOUSBHostInterface", cases[i].spec);
		CHECK_EQ(IOUSBHostInterfaceOpen(scene.interface, self_service, 0, NULL), 0);
		CHECK_EQ(IOUSBHostInterfaceCreateIOBuffer(
				 scene.interface,
				 kIOMemoryDirectionInOut | kOpenDextBufferInController,
				 cases[i].size, &buffer),
			 0);
		IOMemoryDescriptor *memory = IO_MEMORY_DESCRIPTOR(buffer);
		const struct dx_slice *slice = dx_memory_slice((struct dx_memory *)buffer, 0);
		CHECK_EQ(dx_shm_handout(slice->shm, false) < 0, cases[i].is_private);
		CHECK_EQ(IOBufferMemoryDescriptorGetAddressRange(buffer, &range), 0);
		CHECK_EQ(range.length, cases[i].size);
		memset((void *)(uintptr_t)range.address, 0x5a, 1024);
		IOUSBHostPipe *out = pipe_of(&scene, 0);
		IOUSBHostPipe *in = pipe_of(&scene, 0x80);
		CHECK_EQ(IOUSBHostPipeIO(out, memory, 1024, &transferred, 1000), 0);
		memset((void *)(uintptr_t)range.address, 0, 1024);
		CHECK_EQ(IOUSBHostPipeIO(in, memory, 1024, &transferred, 1000), 0);
		CHECK_EQ(transferred, 1024);
		CHECK_EQ(*(const uint8_t *)(uintptr_t)(range.address + 1023), 0x5a);
		OSRelease(in);
		OSRelease(out);
		OSRelease(memory);
		end(&scene);
	}
}

TEST(async_io_completes_on_the_queue_and_can_be_resubmitted)
{
	struct scene scene;
	OSAction *action = NULL;

	begin(&scene, "IOUSBHostInterface");
	CHECK_EQ(IOUSBHostInterfaceOpen(scene.interface, self_service, 0, NULL), 0);
	IOUSBHostPipe *in = pipe_of(&scene, 0x80);
	IOMemoryDescriptor *memory = buffer_of(&scene, 4096);
	CHECK_EQ(IOUSBHostPipeCreateActionCompleteAsyncIO(OS_OBJECT(self_service), completed, 0,
							  &action),
		 0);
	resubmit_pipe = in;
	resubmit_memory = memory;
	resubmit = 500;
	CHECK_EQ(IOUSBHostPipeAsyncIO(in, memory, 4096, action, 0), 0);
	CHECK(wait_counter(&nr_completed, 501));
	CHECK_EQ(last_status, 0);
	CHECK_EQ(last_actual, 4096);
	CHECK_EQ(IOUSBHostPipeAsyncIO(in, memory, 4097, action, 0), kIOReturnBadArgument);
	CHECK_EQ(IOUSBHostPipeAsyncIO(in, memory, 4096, NULL, 0), kIOReturnBadArgument);
	CHECK_EQ(IOUSBHostPipeAsyncIO(in, NULL, 1, action, 0), kIOReturnBadArgument);
	OSRelease(in);
	OSRelease(memory);
	OSRelease(action);
	end(&scene);
}

TEST(sync_io_moves_bytes_and_reports_how_many)
{
	struct scene scene;
	uint32_t transferred = 0;

	begin(&scene, "IOUSBHostInterface");
	IOUSBHostPipe *pipe = NULL;
	CHECK_EQ(IOUSBHostInterfaceCopyPipe(scene.interface, 0x81, &pipe), kIOReturnNotOpen);
	CHECK_EQ(IOUSBHostInterfaceOpen(scene.interface, self_service, 0, NULL), 0);
	CHECK_EQ(IOUSBHostInterfaceCopyPipe(scene.interface, 0x0f, &pipe), kIOReturnNotFound);
	IOUSBHostPipe *in = pipe_of(&scene, 0x80);
	IOUSBHostPipe *out = pipe_of(&scene, 0);
	IOUSBHostPipe *again = pipe_of(&scene, 0);
	CHECK(again == out);
	IOMemoryDescriptor *memory = buffer_of(&scene, 65536);
	CHECK_EQ(IOUSBHostPipeIO(in, memory, 65536, &transferred, 1000), 0);
	CHECK_EQ(transferred, 65536);
	CHECK_EQ(IOUSBHostPipeIO(out, memory, 65536, &transferred, 1000), 0);
	CHECK_EQ(transferred, 65536);
	CHECK_EQ(IOUSBHostInterfaceClose(scene.interface, self_service, 0), 0);
	CHECK_EQ(IOUSBHostPipeIO(in, memory, 65536, &transferred, 1000), kIOReturnNotOpen);
	CHECK_EQ(IOUSBHostInterfaceClose(scene.interface, self_service, 0), kIOReturnNotOpen);
	OSRelease(in);
	OSRelease(out);
	OSRelease(again);
	OSRelease(memory);
	end(&scene);
}

TEST(buffer_of_capacity_0_is_there_and_moves_nothing)
{
	struct scene scene;
	IOBufferMemoryDescriptor *buffer = NULL;
	IOMemoryDescriptor *memory = NULL;
	uint64_t length = 1;
	uint32_t transferred = 1;

	begin(&scene, "IOUSBHostInterface");
	CHECK_EQ(IOUSBHostInterfaceOpen(scene.interface, self_service, 0, NULL), 0);
	memory = buffer_of(&scene, 0);
	CHECK_EQ(IOMemoryDescriptorGetLength(memory, &length), 0);
	CHECK_EQ(length, 0u);
	IOUSBHostPipe *out = pipe_of(&scene, 0);
	CHECK_EQ(IOUSBHostPipeIO(out, memory, 0, &transferred, 1000), 0);
	CHECK_EQ(transferred, 0u);
	CHECK_EQ(IOUSBHostInterfaceCreateIOBuffer(scene.interface, UINT32_MAX, 0, &buffer),
		 kIOReturnBadArgument);
	OSRelease(out);
	OSRelease(memory);
	end(&scene);
}

TEST(forgotten_session_is_closed_when_the_driver_stops)
{
	struct scene scene;

	begin(&scene, "IOUSBHostInterface");
	CHECK_EQ(IOUSBHostInterfaceOpen(scene.interface, self_service, 0, NULL), 0);
	CHECK_EQ(IOUSBHostInterfaceOpen(scene.interface, self_service, 1, NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IOUSBHostInterfaceOpen(scene.interface, NULL, 0, NULL), kIOReturnBadArgument);
	IOUSBHostPipe *in = pipe_of(&scene, 0x80);
	IOUSBHostInterface *interface = OSRetain(scene.interface);
	OSRelease(self_service);
	CHECK_EQ(fixture_terminate(&scene.fixture), 0);
	uint8_t speed = 0;
	CHECK_EQ(IOUSBHostPipeGetSpeed(in, &speed), 0);
	CHECK_EQ(IOUSBHostPipeClearStall(in, false), kIOReturnNotOpen);
	OSRelease(in);
	OSRelease(interface);
	fixture_fini(&scene.fixture);
}

TEST(unplug_completes_what_is_pending_and_is_reported)
{
	struct scene scene;
	OSAction *action = NULL;

	begin(&scene, "IOUSBHostInterface");
	CHECK_EQ(IOUSBHostInterfaceOpen(scene.interface, self_service, 0, NULL), 0);
	IOUSBHostPipe *in = pipe_of(&scene, 0x80);
	IOMemoryDescriptor *memory = buffer_of(&scene, 4096);
	CHECK_EQ(dx_runtime_provider_gone(scene.fixture.runtime, 999), -ENOENT);
	CHECK_EQ(dx_runtime_provider_gone(scene.fixture.runtime, FIXTURE_PROVIDER_ID), 0);
	CHECK_EQ(IOUSBHostPipeCreateActionCompleteAsyncIO(OS_OBJECT(self_service), completed, 0,
							  &action),
		 0);
	CHECK_EQ(IOUSBHostPipeAsyncIO(in, memory, 4096, action, 0), kIOReturnNoDevice);
	CHECK_EQ(IOUSBHostPipeIO(in, memory, 4096, NULL, 0), kIOReturnNoDevice);
	OSRelease(in);
	OSRelease(memory);
	OSRelease(action);
	end(&scene);
}

TEST(device_gives_descriptors_speed_and_strings)
{
	struct scene scene;
	uint8_t value = 0;
	uint64_t frame = 0;
	uint32_t status = 0;

	begin(&scene, "IOUSBHostDevice");
	CHECK(scene.device != NULL);
	const IOUSBDeviceDescriptor *device = IOUSBHostDeviceCopyDeviceDescriptor(scene.device);
	CHECK_EQ(USBToHost16(device->idVendor), 0x0525);
	CHECK_EQ(USBToHost16(device->idProduct), 0xa4a0);
	const IOUSBStringDescriptor *string = IOUSBHostDeviceCopyStringDescriptor(
		scene.device, device->iProduct, 0);
	CHECK(string != NULL);
	CHECK(IOUSBHostDeviceCopyStringDescriptor(scene.device, 200, 0) == NULL);
	const IOUSBConfigurationDescriptor *configuration =
		IOUSBHostDeviceCopyConfigurationDescriptor(scene.device, 0);
	CHECK(configuration != NULL);
	CHECK(IOUSBHostDeviceCopyConfigurationDescriptor(scene.device, 99) == NULL);
	CHECK_EQ(IOUSBHostDeviceGetSpeed(scene.device, &value), 0);
	CHECK_NE(value, 0);
	CHECK_EQ(IOUSBHostDeviceGetAddress(scene.device, &value), 0);
	CHECK_NE(value, 0);
	CHECK_EQ(IOUSBHostDeviceGetFrameNumber(scene.device, &frame, NULL), 0);
	CHECK_EQ(IOUSBHostDeviceGetPortStatus(scene.device, &status), 0);
	CHECK_NE(status, 0);
	IOUSBHostFreeDescriptor(device);
	IOUSBHostFreeDescriptor(string);
	IOUSBHostFreeDescriptor(configuration);
	CHECK(IOUSBHostDeviceCopyDeviceDescriptor(NULL) == NULL);
	end(&scene);
}

TEST(device_requests_wait_or_complete_by_action)
{
	struct scene scene;
	IOBufferMemoryDescriptor *buffer = NULL;
	uint16_t transferred = 0;
	OSAction *action = NULL;

	begin(&scene, "IOUSBHostDevice");
	CHECK_EQ(IOUSBHostDeviceCreateIOBuffer(scene.device, kIOMemoryDirectionIn, 64, &buffer), 0);
	IOMemoryDescriptor *memory = IO_MEMORY_DESCRIPTOR(buffer);
	CHECK_EQ(IOUSBHostDeviceDeviceRequest(scene.device, self_service, 0x80, 6, 0x0100, 0, 18,
					      memory, &transferred, 1000),
		 kIOReturnNotOpen);
	CHECK_EQ(IOUSBHostDeviceOpen(scene.device, self_service, 0, 0), 0);
	CHECK_EQ(IOUSBHostDeviceDeviceRequest(scene.device, self_service, 0x80, 6, 0x0100, 0, 18,
					      memory, &transferred, 1000),
		 0);
	CHECK_EQ(transferred, 18);
	CHECK_EQ(IOUSBHostDeviceDeviceRequest(scene.device, self_service, 0x80, 6, 0x0100, 0, 65,
					      memory, &transferred, 1000),
		 kIOReturnBadArgument);
	CHECK_EQ(IOUSBHostDeviceCreateActionCompleteAsyncDeviceRequest(
			 OS_OBJECT(self_service), request_completed, 0, &action),
		 0);
	CHECK_EQ(IOUSBHostDeviceAsyncDeviceRequest(scene.device, self_service, 0x80, 6, 0x0100, 0, 18,
						   memory, action, 1000),
		 0);
	CHECK(wait_counter(&nr_completed, 1));
	CHECK_EQ(last_status, 0);
	CHECK_EQ(last_actual, 18);
	CHECK_EQ(IOUSBHostDeviceAbortDeviceRequests(scene.device, self_service, 0, kIOReturnAborted),
		 0);
	CHECK_EQ(IOUSBHostDeviceClose(scene.device, self_service, 0), 0);
	CHECK_EQ(IOUSBHostDeviceClose(scene.device, self_service, 0), kIOReturnNotOpen);
	OSRelease(action);
	OSRelease(buffer);
	end(&scene);
}

TEST(interfaces_of_a_device_are_walked_and_lead_back)
{
	struct scene scene;
	uintptr_t iterator = 0;
	IOUSBHostInterface *interface = NULL;
	IOUSBHostInterface *last = NULL;
	IOUSBHostDevice *device = NULL;

	begin(&scene, "IOUSBHostDevice");
	CHECK_EQ(IOUSBHostDeviceSetConfiguration(scene.device, 3, true), kIOReturnNotOpen);
	CHECK_EQ(IOUSBHostDeviceOpen(scene.device, self_service, 0, 0), 0);
	CHECK_EQ(IOUSBHostDeviceSetConfiguration(scene.device, 99, true), kIOReturnNotFound);
	CHECK_EQ(IOUSBHostDeviceSetConfiguration(scene.device, 3, true), 0);
	const IOUSBConfigurationDescriptor *now =
		IOUSBHostDeviceCopyCurrentConfigurationDescriptor(scene.device, self_service);
	CHECK_EQ(now->bConfigurationValue, 3);
	IOUSBHostFreeDescriptor(now);
	CHECK_EQ(IOUSBHostDeviceCreateInterfaceIterator(scene.device, &iterator), 0);
	CHECK_EQ(IOUSBHostDeviceCopyInterface(scene.device, iterator, &interface), 0);
	CHECK(interface != NULL);
	CHECK_EQ(IOUSBHostDeviceCopyInterface(scene.device, iterator, &last), 0);
	CHECK(last == NULL);
	CHECK_EQ(IOUSBHostDeviceDestroyInterfaceIterator(scene.device, iterator), 0);
	CHECK_EQ(IOUSBHostInterfaceCopyDevice(interface, &device), 0);
	CHECK(OSDynamicCast(IOUSBHostDevice, device) != NULL);
	CHECK_STR_EQ(OSObjectGetClassName(interface), "IOUSBHostInterface");
	OSRelease(device);
	OSRelease(interface);
	end(&scene);
}

TEST(bad_specs_fail_the_start_with_a_line)
{
	struct fixture fixture;

	fixture_init(&fixture, classes);
	CHECK_LT(fixture_start(&fixture, "TestService", "IOUSBHostDevice", "virtual:nothing"), 0);
	CHECK_EQ(fixture_start(&fixture, "TestService", "IOUSBHostDevice", "nonsense"), -ENODEV);
	fixture_fini(&fixture);
}

/* SPDX-License-Identifier: MIT
 *
 * numbers_test - constants and sizes of the client interface: what a program that was compiled
 * elsewhere, or a driver at the other end, relies on.
 */
#include <IOKit/IOKitLib.h>
#include <IOKit/hidsystem/IOHIDShared.h>
#include <device/device_types.h>
#include <mach/mach.h>

#include "test.h"

TEST(async_reference_has_its_layout)
{
	io_async_ref64_t reference = {0};
	io_user_reference_t word = ~(io_user_reference_t)0;

	CHECK_EQ(sizeof(reference), 64);
	CHECK_EQ(sizeof(word), 8);
	CHECK_EQ(kOSAsyncRef64Count, 8);
	CHECK_EQ(kIOAsyncReservedIndex, 0);
	CHECK_EQ(kIOAsyncCalloutFuncIndex, 1);
	CHECK_EQ(kIOAsyncCalloutRefconIndex, 2);
	CHECK_EQ(kIOAsyncCalloutCount, 3);
}

TEST(ports_have_their_values)
{
	CHECK_EQ(kIOMainPortDefault, 0);
	CHECK_EQ(kIOMasterPortDefault, 0);
	CHECK_EQ(IO_OBJECT_NULL, 0);
	CHECK_EQ(MACH_PORT_NULL, 0);
	CHECK(mach_task_self_ != MACH_PORT_NULL);
	CHECK_EQ(mach_task_self(), mach_task_self_);
}

TEST(handles_and_names_have_their_sizes)
{
	CHECK_EQ(sizeof(io_connect_t), 4);
	CHECK_EQ(sizeof(mach_vm_address_t), 8);
	CHECK_EQ(sizeof(mach_vm_size_t), 8);
	CHECK_EQ(sizeof(io_name_t), 128);
	CHECK_EQ(sizeof(io_string_t), 512);
	CHECK_EQ(sizeof(io_struct_inband_t), 4096);
	CHECK_EQ(sizeof(io_scalar_inband64_t), 128);
}

TEST(options_have_their_numbers)
{
	CHECK_EQ(kIOMapAnywhere, 1);
	CHECK_EQ(kIOMapDefaultCache, 0);
	CHECK_EQ(kIOMapInhibitCache, 0x100);
	CHECK_EQ(kIOMapReadOnly, 0x1000);
	CHECK_EQ(kIOServiceInteractionAllowed, 1);
	CHECK_EQ(kIORegistryIterateRecursively, 1);
	CHECK_EQ(kIORegistryIterateParents, 2);
	CHECK_EQ(kIOHIDServerConnectType, 0);
}

TEST(status_codes_have_their_numbers)
{
	static const struct {
		IOReturn status;
		uint32_t number;
	} codes[] = {
		{kIOReturnError, 0xE00002BC},	       {kIOReturnNoMemory, 0xE00002BD},
		{kIOReturnNoResources, 0xE00002BE},    {kIOReturnIPCError, 0xE00002BF},
		{kIOReturnNoDevice, 0xE00002C0},       {kIOReturnNotPrivileged, 0xE00002C1},
		{kIOReturnBadArgument, 0xE00002C2},    {kIOReturnLockedRead, 0xE00002C3},
		{kIOReturnLockedWrite, 0xE00002C4},    {kIOReturnExclusiveAccess, 0xE00002C5},
		{kIOReturnBadMessageID, 0xE00002C6},   {kIOReturnUnsupported, 0xE00002C7},
		{kIOReturnVMError, 0xE00002C8},	       {kIOReturnInternalError, 0xE00002C9},
		{kIOReturnIOError, 0xE00002CA},	       {kIOReturnCannotLock, 0xE00002CC},
		{kIOReturnNotOpen, 0xE00002CD},	       {kIOReturnNotReadable, 0xE00002CE},
		{kIOReturnNotWritable, 0xE00002CF},    {kIOReturnNotAligned, 0xE00002D0},
		{kIOReturnBadMedia, 0xE00002D1},       {kIOReturnStillOpen, 0xE00002D2},
		{kIOReturnRLDError, 0xE00002D3},       {kIOReturnDMAError, 0xE00002D4},
		{kIOReturnBusy, 0xE00002D5},	       {kIOReturnTimeout, 0xE00002D6},
		{kIOReturnOffline, 0xE00002D7},	       {kIOReturnNotReady, 0xE00002D8},
		{kIOReturnNotAttached, 0xE00002D9},    {kIOReturnNoChannels, 0xE00002DA},
		{kIOReturnNoSpace, 0xE00002DB},	       {kIOReturnPortExists, 0xE00002DD},
		{kIOReturnCannotWire, 0xE00002DE},     {kIOReturnNoInterrupt, 0xE00002DF},
		{kIOReturnNoFrames, 0xE00002E0},       {kIOReturnMessageTooLarge, 0xE00002E1},
		{kIOReturnNotPermitted, 0xE00002E2},   {kIOReturnNoPower, 0xE00002E3},
		{kIOReturnNoMedia, 0xE00002E4},	       {kIOReturnUnformattedMedia, 0xE00002E5},
		{kIOReturnUnsupportedMode, 0xE00002E6}, {kIOReturnUnderrun, 0xE00002E7},
		{kIOReturnOverrun, 0xE00002E8},	       {kIOReturnDeviceError, 0xE00002E9},
		{kIOReturnNoCompletion, 0xE00002EA},   {kIOReturnAborted, 0xE00002EB},
		{kIOReturnNoBandwidth, 0xE00002EC},    {kIOReturnNotResponding, 0xE00002ED},
		{kIOReturnIsoTooOld, 0xE00002EE},      {kIOReturnIsoTooNew, 0xE00002EF},
		{kIOReturnNotFound, 0xE00002F0},       {kIOReturnInvalid, 0xE0000001},
	};

	CHECK_EQ(kIOReturnSuccess, 0);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		CHECK_EQ((uint32_t)codes[i].status, codes[i].number);
}

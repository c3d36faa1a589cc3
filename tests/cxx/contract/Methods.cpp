/* SPDX-License-Identifier: MIT
 *
 * Methods - the table of external methods, and those that are about calls themselves.
 *
 * Checks that run inside the driver (CONTRACT_TEST_...) are not here: those of tests/contract/driver
 * are about the C interface; tests/cxx/probe, classes and usb have them for this one.
 */
#include "Driver.hpp"

#include <stdatomic.h>

static const uint32_t ANY = kIOUserClientVariableStructureSize;

static _Atomic uint64_t nr_calls;
static _Atomic uint32_t nr_blocked;
static _Atomic uint64_t unblocked_epoch;

/* The bytes of the structure input, wherever they are. @return false when they cannot be had;
 * *ret_map is to be released. */
static bool InputBytes(const IOUserClientMethodArguments *arguments, const uint8_t **ret_bytes,
		       size_t *ret_length, IOMemoryMap **ret_map)
{
	*ret_map = nullptr;
	*ret_bytes = nullptr;
	*ret_length = 0;
	if (arguments->structureInput != nullptr) {
		*ret_length = arguments->structureInput->getLength();
		*ret_bytes =
			static_cast<const uint8_t *>(arguments->structureInput->getBytesNoCopy());
		return true;
	}
	if (arguments->structureInputDescriptor == nullptr) {
		return true;
	}
	if (arguments->structureInputDescriptor->CreateMapping(kIOMemoryMapReadOnly, 0, 0, 0, 0,
							       ret_map) != kIOReturnSuccess) {
		return false;
	}
	*ret_bytes = reinterpret_cast<const uint8_t *>((*ret_map)->GetAddress());
	*ret_length = (*ret_map)->GetLength();
	return true;
}

/* Writes the structure output: inline, or through the descriptor from its first byte. */
kern_return_t ReturnBytes(IOUserClientMethodArguments *arguments, const void *bytes, size_t length)
{
	IOMemoryMap *map = nullptr;

	if (arguments->structureOutputDescriptor == nullptr) {
		arguments->structureOutput = OSData::withBytes(bytes, length);
		return arguments->structureOutput == nullptr ? kIOReturnNoMemory : kIOReturnSuccess;
	}
	kern_return_t status =
		arguments->structureOutputDescriptor->CreateMapping(0, 0, 0, 0, 0, &map);
	if (status == kIOReturnSuccess) {
		size_t room = map->GetLength();

		memcpy(reinterpret_cast<void *>(map->GetAddress()), bytes,
		       length < room ? length : room);
		OSSafeReleaseNULL(map);
	}
	return status;
}

kern_return_t ReturnText(IOUserClientMethodArguments *arguments, const char *text)
{
	return ReturnBytes(arguments, text, strlen(text) + 1);
}

bool ReadText(const IOUserClientMethodArguments *arguments, char *text, size_t capacity)
{
	OSData *data = arguments->structureInput;

	if (data == nullptr || data->getLength() >= capacity) {
		return false;
	}
	memcpy(text, data->getBytesNoCopy(), data->getLength());
	text[data->getLength()] = '\0';
	return true;
}

static METHOD(EchoScalars)
{
	if (arguments->scalarOutputCount > arguments->scalarInputCount) {
		arguments->scalarOutputCount = arguments->scalarInputCount;
	}
	for (uint32_t i = 0; i < arguments->scalarOutputCount; i++) {
		arguments->scalarOutput[i] = arguments->scalarInput[i];
	}
	return kIOReturnSuccess;
}

static METHOD(EchoStruct)
{
	const uint8_t *bytes;
	size_t length;
	IOMemoryMap *map;

	if (!InputBytes(arguments, &bytes, &length, &map)) {
		return kIOReturnVMError;
	}
	kern_return_t status = ReturnBytes(arguments, bytes, length);
	OSSafeReleaseNULL(map);
	return status;
}

static METHOD(Describe)
{
	contract_seen seen = {};
	const uint8_t *bytes;
	size_t length;
	IOMemoryMap *map;

	seen.version = arguments->version;
	seen.selector = arguments->selector;
	seen.structure_output_maximum = arguments->structureOutputMaximumSize;
	seen.nr_scalars_in = arguments->scalarInputCount;
	seen.nr_scalars_out = arguments->scalarOutputCount;
	seen.has_completion = arguments->completion != nullptr;
	seen.has_structure_input = arguments->structureInput != nullptr;
	seen.has_input_descriptor = arguments->structureInputDescriptor != nullptr;
	seen.has_output_descriptor = arguments->structureOutputDescriptor != nullptr;
	seen.has_dispatch_target_reference = reference != nullptr;
	seen.output_scalars_are_zero = 1;
	for (uint32_t i = 0; i < 16; i++) {
		seen.scalars[i] = arguments->scalarInput[i];
		seen.output_scalars_are_zero &= arguments->scalarOutput[i] == 0;
	}
	if (arguments->structureInput != nullptr) {
		seen.structure_input_length = arguments->structureInput->getLength();
	}
	if (seen.has_input_descriptor) {
		(void)arguments->structureInputDescriptor->GetLength(&seen.input_descriptor_length);
	}
	if (seen.has_output_descriptor) {
		(void)arguments->structureOutputDescriptor->GetLength(
			&seen.output_descriptor_length);
	}
	if (!InputBytes(arguments, &bytes, &length, &map)) {
		return kIOReturnVMError;
	}
	for (size_t i = 0; i < length; i++) {
		seen.structure_input_sum += bytes[i];
	}
	OSSafeReleaseNULL(map);
	return ReturnBytes(arguments, &seen, sizeof(seen));
}

static METHOD(Fail)
{
	for (uint32_t i = 0; i < arguments->scalarOutputCount; i++) {
		arguments->scalarOutput[i] = 0xbad;
	}
	arguments->structureOutput = OSData::withBytes("left behind", 12);
	return static_cast<kern_return_t>(arguments->scalarInput[0]);
}

static METHOD(SetOutput)
{
	size_t length = arguments->scalarInput[0];
	void *zeros = IOMallocZero(length + 1);

	for (uint32_t i = 0; i < 16; i++) {
		arguments->scalarOutput[i] = 100 + i;
	}
	arguments->scalarOutputCount = static_cast<uint32_t>(arguments->scalarInput[1]);
	if (zeros == nullptr) {
		return kIOReturnNoMemory;
	}
	arguments->structureOutput = OSData::withBytes(zeros, length);
	IOFree(zeros, length + 1);
	return arguments->structureOutput == nullptr ? kIOReturnNoMemory : kIOReturnSuccess;
}

static METHOD(LeaveOutput)
{
	nr_calls++;
	return kIOReturnSuccess;
}

static METHOD(Add)
{
	nr_calls++;
	arguments->scalarOutput[0] = arguments->scalarInput[0] + arguments->scalarInput[1];
	return kIOReturnSuccess;
}

static METHOD(CountCalls)
{
	arguments->scalarOutput[0] = nr_calls;
	return kIOReturnSuccess;
}

static METHOD(Block)
{
	uint64_t epoch = unblocked_epoch;

	nr_blocked++;
	while (unblocked_epoch == epoch) {
		IOSleep(1);
	}
	nr_blocked--;
	return kIOReturnSuccess;
}

static METHOD(Unblock)
{
	unblocked_epoch++;
	return kIOReturnSuccess;
}

static METHOD(CountBlocked)
{
	arguments->scalarOutput[0] = nr_blocked;
	return kIOReturnSuccess;
}

static METHOD(SleepMs)
{
	IOSleep(arguments->scalarInput[0]);
	return kIOReturnSuccess;
}

/* function, completion, scalars in, structure in, scalars out, structure out */
static const IOUserClientMethodDispatch rows[CONTRACT_NR_GENERAL] = {
	[CONTRACT_ECHO_SCALARS] = {EchoScalars, ANY, ANY, ANY, ANY, ANY},
	[CONTRACT_ECHO_STRUCT] = {EchoStruct, ANY, ANY, ANY, ANY, ANY},
	[CONTRACT_DESCRIBE] = {Describe, ANY, ANY, ANY, ANY, ANY},
	[CONTRACT_FAIL] = {Fail, ANY, 1, ANY, ANY, ANY},
	[CONTRACT_SET_OUTPUT] = {SetOutput, ANY, 2, ANY, ANY, ANY},
	[CONTRACT_LEAVE_OUTPUT] = {LeaveOutput, ANY, ANY, ANY, ANY, ANY},
	[CONTRACT_ADD] = {Add, false, 2, 0, 1, 0},
	[CONTRACT_CHECK_ASYNC] = {LeaveOutput, true, ANY, ANY, ANY, ANY},
	[CONTRACT_CHECK_SYNC] = {LeaveOutput, false, ANY, ANY, ANY, ANY},
	[CONTRACT_CHECK_STRUCTS] = {LeaveOutput, ANY, 0, 24, 0, 40},
	[CONTRACT_CHECK_LARGE] = {LeaveOutput, ANY, 0, 8192, 0, 8192},
	[CONTRACT_NO_FUNCTION] = {nullptr, ANY, ANY, ANY, ANY, ANY},
	[CONTRACT_NO_FUNCTION_CHECKED] = {nullptr, ANY, 1, ANY, ANY, ANY},
	[CONTRACT_COUNT_CALLS] = {CountCalls, false, 0, 0, 1, 0},
	[CONTRACT_BLOCK] = {Block, false, 0, 0, 0, 0},
	[CONTRACT_UNBLOCK] = {Unblock, false, 0, 0, 0, 0},
	[CONTRACT_NR_BLOCKED] = {CountBlocked, false, 0, 0, 1, 0},
	[CONTRACT_SLEEP_MS] = {SleepMs, false, 1, 0, 0, 0},
	[CONTRACT_KEEP] = {Keep, true, ANY, ANY, 1, 0},
	[CONTRACT_FIRE] = {FireKept, false, 5, 0, 0, 0},
	[CONTRACT_FIRE_INSIDE] = {FireInside, true, 4, 0, 0, 0},
	[CONTRACT_FIRE_FROM_QUEUE] = {FireFromQueue, false, 5, 0, 0, 0},
	[CONTRACT_FIRE_LATER] = {FireLater, false, 5, 0, 0, 0},
	[CONTRACT_RELEASE] = {ReleaseKept, false, 1, 0, 0, 0},
	[CONTRACT_CANCEL] = {CancelKept, false, 1, 0, 0, 0},
	[CONTRACT_FAIL_ASYNC] = {FailAsync, true, ANY, ANY, ANY, ANY},
	[CONTRACT_PEEK] = {Peek, false, 2, 0, 1, 0},
	[CONTRACT_POKE] = {Poke, false, 3, 0, 0, 0},
	[CONTRACT_ALLOCATE] = {Allocate, false, 2, 0, 1, 0},
	[CONTRACT_SET_LENGTH] = {SetLength, false, 1, 0, 0, 0},
	[CONTRACT_DROP] = {Drop, false, 0, 0, 0, 0},
	[CONTRACT_READ_ONLY] = {SetReadOnly, false, 1, 0, 0, 0},
	[CONTRACT_NR_COPIES] = {NrCopies, false, 0, 0, 1, 0},
	[CONTRACT_GRANT] = {Grant, false, 0, sizeof(contract_grant), 1, 0},
	[CONTRACT_GRANT_PEEK] = {GrantPeek, false, 2, 0, 1, 0},
	[CONTRACT_GRANT_POKE] = {GrantPoke, false, 3, 0, 0, 0},
	[CONTRACT_GRANT_FILL] = {GrantFill, false, 2, 0, 0, 0},
	[CONTRACT_GRANT_RELEASE] = {GrantRelease, false, 1, 0, 0, 0},
	[CONTRACT_KEEP_STRUCTS] = {KeepStructs, false, 0, ANY, 0, ANY},
	[CONTRACT_KEPT_PEEK] = {KeptPeek, false, 2, 0, 1, 0},
	[CONTRACT_KEPT_POKE] = {KeptPoke, false, 3, 0, 0, 0},
	[CONTRACT_LOG] = {GiveLog, false, 0, 0, 0, ANY},
	[CONTRACT_PID] = {Pid, false, 0, 0, 1, 0},
	[CONTRACT_REGISTRY_ID] = {RegistryId, false, 0, 0, 1, 0},
	[CONTRACT_SET_NAME] = {SetServiceName, false, 0, ANY, 0, 0},
	[CONTRACT_SET_PROPERTY] = {SetProperty, false, 0, ANY, 0, 0},
	[CONTRACT_REMOVE_PROPERTY] = {RemoveServiceProperty, false, 0, ANY, 0, 0},
	[CONTRACT_ADJUST_BUSY] = {AdjustServiceBusy, false, 1, 0, 0, 0},
	[CONTRACT_TERMINATE] = {TerminateService, false, 0, 0, 0, 0},
	[CONTRACT_TERMINATE_CLIENT] = {TerminateClient, false, 0, 0, 0, 0},
	[CONTRACT_CRASH] = {Crash, false, 1, 0, 0, 0},
	[CONTRACT_ENTITLEMENTS] = {Entitlements, false, 0, 0, 1, ANY},
};

const IOUserClientMethodDispatch *RowOf(uint64_t selector)
{
	return selector < CONTRACT_NR_GENERAL ? &rows[selector] : nullptr;
}

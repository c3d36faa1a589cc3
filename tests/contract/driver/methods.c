/* SPDX-License-Identifier: MIT
 *
 * methods - the table of external methods, and those that are about calls themselves.
 */
#include <stdatomic.h>

#include "driver.h"

#define ANY kIOUserClientVariableStructureSize

static _Atomic uint64_t nr_calls;
static _Atomic uint32_t nr_blocked;
static _Atomic uint64_t unblocked_epoch;

/* The bytes of the structure input, wherever they are. @return false when they cannot be had;
 * *ret_map is to be released. */
static bool input_bytes(const IOUserClientMethodArguments *arguments, const uint8_t **ret_bytes,
			size_t *ret_length, IOMemoryMap **ret_map)
{
	*ret_map = NULL;
	*ret_bytes = NULL;
	*ret_length = 0;
	if (arguments->structureInput != NULL) {
		*ret_length = OSDataGetLength(arguments->structureInput);
		*ret_bytes = OSDataGetBytesPtr(arguments->structureInput, 0, *ret_length);
		return true;
	}
	if (arguments->structureInputDescriptor == NULL) {
		return true;
	}
	if (IOMemoryDescriptorCreateMapping(arguments->structureInputDescriptor,
					    kIOMemoryMapReadOnly, 0, 0, 0, 0,
					    ret_map) != kIOReturnSuccess) {
		return false;
	}
	*ret_bytes = (const uint8_t *)(uintptr_t)IOMemoryMapGetAddress(*ret_map);
	*ret_length = (size_t)IOMemoryMapGetLength(*ret_map);
	return true;
}

/* Writes the structure output: inline, or through the descriptor from its first byte. */
static kern_return_t return_bytes(IOUserClientMethodArguments *arguments, const void *bytes,
				  size_t length)
{
	IOMemoryMap *map = NULL;
	kern_return_t result;

	if (arguments->structureOutputDescriptor == NULL) {
		arguments->structureOutput = OSDataCreate(bytes, length);
		return arguments->structureOutput == NULL ? kIOReturnNoMemory : kIOReturnSuccess;
	}
	result = IOMemoryDescriptorCreateMapping(arguments->structureOutputDescriptor, 0, 0, 0, 0,
						 0, &map);
	if (result == kIOReturnSuccess) {
		size_t room = (size_t)IOMemoryMapGetLength(map);

		memcpy((void *)(uintptr_t)IOMemoryMapGetAddress(map), bytes,
		       length < room ? length : room);
		OSRelease(map);
	}
	return result;
}

kern_return_t contract_return_text(IOUserClientMethodArguments *arguments, const char *text)
{
	return return_bytes(arguments, text, strlen(text) + 1);
}

bool contract_read_text(const IOUserClientMethodArguments *arguments, char *text, size_t capacity)
{
	size_t length = OSDataGetLength(arguments->structureInput);

	if (arguments->structureInput == NULL || length >= capacity) {
		return false;
	}
	(void)OSDataGetBytes(arguments->structureInput, text, 0, length);
	text[length] = '\0';
	return true;
}

static METHOD(echo_scalars)
{
	(void)target;
	(void)reference;
	if (arguments->scalarOutputCount > arguments->scalarInputCount) {
		arguments->scalarOutputCount = arguments->scalarInputCount;
	}
	for (uint32_t i = 0; i < arguments->scalarOutputCount; i++) {
		arguments->scalarOutput[i] = arguments->scalarInput[i];
	}
	return kIOReturnSuccess;
}

static METHOD(echo_struct)
{
	const uint8_t *bytes;
	size_t length;
	IOMemoryMap *map;
	kern_return_t result;

	(void)target;
	(void)reference;
	if (!input_bytes(arguments, &bytes, &length, &map)) {
		return kIOReturnVMError;
	}
	result = return_bytes(arguments, bytes, length);
	OSSafeReleaseNULL(map);
	return result;
}

static METHOD(describe)
{
	struct contract_seen seen = {
		.version = arguments->version,
		.selector = arguments->selector,
		.structure_output_maximum = arguments->structureOutputMaximumSize,
		.nr_scalars_in = arguments->scalarInputCount,
		.nr_scalars_out = arguments->scalarOutputCount,
		.has_completion = arguments->completion != NULL,
		.has_structure_input = arguments->structureInput != NULL,
		.has_input_descriptor = arguments->structureInputDescriptor != NULL,
		.has_output_descriptor = arguments->structureOutputDescriptor != NULL,
		.has_dispatch_target_reference = reference != NULL,
		.output_scalars_are_zero = 1,
	};
	const uint8_t *bytes;
	size_t length;
	IOMemoryMap *map;

	(void)target;
	for (uint32_t i = 0; i < 16; i++) {
		seen.scalars[i] = arguments->scalarInput[i];
		seen.output_scalars_are_zero &= arguments->scalarOutput[i] == 0;
	}
	seen.structure_input_length = OSDataGetLength(arguments->structureInput);
	if (seen.has_input_descriptor) {
		(void)IOMemoryDescriptorGetLength(arguments->structureInputDescriptor,
						  &seen.input_descriptor_length);
	}
	if (seen.has_output_descriptor) {
		(void)IOMemoryDescriptorGetLength(arguments->structureOutputDescriptor,
						  &seen.output_descriptor_length);
	}
	if (!input_bytes(arguments, &bytes, &length, &map)) {
		return kIOReturnVMError;
	}
	for (size_t i = 0; i < length; i++) {
		seen.structure_input_sum += bytes[i];
	}
	OSSafeReleaseNULL(map);
	return return_bytes(arguments, &seen, sizeof(seen));
}

static METHOD(fail)
{
	(void)target;
	(void)reference;
	for (uint32_t i = 0; i < arguments->scalarOutputCount; i++) {
		arguments->scalarOutput[i] = 0xbad;
	}
	arguments->structureOutput = OSDataCreate("left behind", 12);
	return (kern_return_t)arguments->scalarInput[0];
}

static METHOD(set_output)
{
	size_t length = (size_t)arguments->scalarInput[0];

	(void)target;
	(void)reference;
	for (uint32_t i = 0; i < 16; i++) {
		arguments->scalarOutput[i] = 100 + i;
	}
	arguments->scalarOutputCount = (uint32_t)arguments->scalarInput[1];
	arguments->structureOutput = OSDataCreate(NULL, length);
	if (arguments->structureOutput == NULL) {
		return kIOReturnNoMemory;
	}
	return kIOReturnSuccess;
}

static METHOD(leave_output)
{
	(void)target;
	(void)reference;
	(void)arguments;
	contract_count_call();
	return kIOReturnSuccess;
}

static METHOD(add)
{
	(void)target;
	(void)reference;
	contract_count_call();
	arguments->scalarOutput[0] = arguments->scalarInput[0] + arguments->scalarInput[1];
	return kIOReturnSuccess;
}

static METHOD(count_calls)
{
	(void)target;
	(void)reference;
	arguments->scalarOutput[0] = contract_nr_calls();
	return kIOReturnSuccess;
}

static METHOD(block)
{
	uint64_t epoch = atomic_load(&unblocked_epoch);

	(void)target;
	(void)reference;
	(void)arguments;
	atomic_fetch_add(&nr_blocked, 1);
	while (atomic_load(&unblocked_epoch) == epoch) {
		IOSleep(1);
	}
	atomic_fetch_sub(&nr_blocked, 1);
	return kIOReturnSuccess;
}

static METHOD(unblock)
{
	(void)target;
	(void)reference;
	(void)arguments;
	atomic_fetch_add(&unblocked_epoch, 1);
	return kIOReturnSuccess;
}

static METHOD(count_blocked)
{
	(void)target;
	(void)reference;
	arguments->scalarOutput[0] = atomic_load(&nr_blocked);
	return kIOReturnSuccess;
}

static METHOD(sleep_ms)
{
	(void)target;
	(void)reference;
	IOSleep(arguments->scalarInput[0]);
	return kIOReturnSuccess;
}

void contract_count_call(void)
{
	atomic_fetch_add(&nr_calls, 1);
}

uint64_t contract_nr_calls(void)
{
	return atomic_load(&nr_calls);
}

/* function, completion, scalars in, structure in, scalars out, structure out */
static const IOUserClientMethodDispatch rows[CONTRACT_NR_GENERAL] = {
	[CONTRACT_ECHO_SCALARS] = {echo_scalars, ANY, ANY, ANY, ANY, ANY},
	[CONTRACT_ECHO_STRUCT] = {echo_struct, ANY, ANY, ANY, ANY, ANY},
	[CONTRACT_DESCRIBE] = {describe, ANY, ANY, ANY, ANY, ANY},
	[CONTRACT_FAIL] = {fail, ANY, 1, ANY, ANY, ANY},
	[CONTRACT_SET_OUTPUT] = {set_output, ANY, 2, ANY, ANY, ANY},
	[CONTRACT_LEAVE_OUTPUT] = {leave_output, ANY, ANY, ANY, ANY, ANY},
	[CONTRACT_ADD] = {add, false, 2, 0, 1, 0},
	[CONTRACT_CHECK_ASYNC] = {leave_output, true, ANY, ANY, ANY, ANY},
	[CONTRACT_CHECK_SYNC] = {leave_output, false, ANY, ANY, ANY, ANY},
	[CONTRACT_CHECK_STRUCTS] = {leave_output, ANY, 0, 24, 0, 40},
	[CONTRACT_CHECK_LARGE] = {leave_output, ANY, 0, 8192, 0, 8192},
	[CONTRACT_NO_FUNCTION] = {NULL, ANY, ANY, ANY, ANY, ANY},
	[CONTRACT_NO_FUNCTION_CHECKED] = {NULL, ANY, 1, ANY, ANY, ANY},
	[CONTRACT_COUNT_CALLS] = {count_calls, false, 0, 0, 1, 0},
	[CONTRACT_BLOCK] = {block, false, 0, 0, 0, 0},
	[CONTRACT_UNBLOCK] = {unblock, false, 0, 0, 0, 0},
	[CONTRACT_NR_BLOCKED] = {count_blocked, false, 0, 0, 1, 0},
	[CONTRACT_SLEEP_MS] = {sleep_ms, false, 1, 0, 0, 0},
	[CONTRACT_KEEP] = {contract_keep, true, ANY, ANY, 1, 0},
	[CONTRACT_FIRE] = {contract_fire, false, 5, 0, 0, 0},
	[CONTRACT_FIRE_INSIDE] = {contract_fire_inside, true, 4, 0, 0, 0},
	[CONTRACT_FIRE_FROM_QUEUE] = {contract_fire_from_queue, false, 5, 0, 0, 0},
	[CONTRACT_FIRE_LATER] = {contract_fire_later, false, 5, 0, 0, 0},
	[CONTRACT_RELEASE] = {contract_release, false, 1, 0, 0, 0},
	[CONTRACT_CANCEL] = {contract_cancel, false, 1, 0, 0, 0},
	[CONTRACT_FAIL_ASYNC] = {contract_fail_async, true, ANY, ANY, ANY, ANY},
	[CONTRACT_PEEK] = {contract_peek, false, 2, 0, 1, 0},
	[CONTRACT_POKE] = {contract_poke, false, 3, 0, 0, 0},
	[CONTRACT_ALLOCATE] = {contract_allocate, false, 2, 0, 1, 0},
	[CONTRACT_SET_LENGTH] = {contract_set_length, false, 1, 0, 0, 0},
	[CONTRACT_DROP] = {contract_drop, false, 0, 0, 0, 0},
	[CONTRACT_READ_ONLY] = {contract_read_only, false, 1, 0, 0, 0},
	[CONTRACT_NR_COPIES] = {contract_nr_copies, false, 0, 0, 1, 0},
	[CONTRACT_GRANT] = {contract_grant, false, 0, sizeof(struct contract_grant), 1, 0},
	[CONTRACT_GRANT_PEEK] = {contract_grant_peek, false, 2, 0, 1, 0},
	[CONTRACT_GRANT_POKE] = {contract_grant_poke, false, 3, 0, 0, 0},
	[CONTRACT_GRANT_FILL] = {contract_grant_fill, false, 2, 0, 0, 0},
	[CONTRACT_GRANT_RELEASE] = {contract_grant_release, false, 1, 0, 0, 0},
	[CONTRACT_KEEP_STRUCTS] = {contract_keep_structs, false, 0, ANY, 0, ANY},
	[CONTRACT_KEPT_PEEK] = {contract_kept_peek, false, 2, 0, 1, 0},
	[CONTRACT_KEPT_POKE] = {contract_kept_poke, false, 3, 0, 0, 0},
	[CONTRACT_LOG] = {contract_take_log, false, 0, 0, 0, ANY},
	[CONTRACT_PID] = {contract_pid, false, 0, 0, 1, 0},
	[CONTRACT_REGISTRY_ID] = {contract_registry_id, false, 0, 0, 1, 0},
	[CONTRACT_SET_NAME] = {contract_set_name, false, 0, ANY, 0, 0},
	[CONTRACT_SET_PROPERTY] = {contract_set_property, false, 0, ANY, 0, 0},
	[CONTRACT_REMOVE_PROPERTY] = {contract_remove_property, false, 0, ANY, 0, 0},
	[CONTRACT_ADJUST_BUSY] = {contract_adjust_busy, false, 1, 0, 0, 0},
	[CONTRACT_TERMINATE] = {contract_terminate, false, 0, 0, 0, 0},
	[CONTRACT_TERMINATE_CLIENT] = {contract_terminate_client, false, 0, 0, 0, 0},
	[CONTRACT_CRASH] = {contract_crash, false, 1, 0, 0, 0},
	[CONTRACT_ENTITLEMENTS] = {contract_entitlements, false, 0, 0, 1, ANY},
	[CONTRACT_TEST_MEMORY] = {contract_test_memory, false, 0, 0, 0, ANY},
	[CONTRACT_TEST_QUEUES] = {contract_test_queues, false, 0, 0, 0, ANY},
	[CONTRACT_TEST_TIMERS] = {contract_test_timers, false, 0, 0, 0, ANY},
	[CONTRACT_TEST_ACTIONS] = {contract_test_actions, false, 0, 0, 0, ANY},
	[CONTRACT_TEST_COLLECTIONS] = {contract_test_collections, false, 0, 0, 0, ANY},
	[CONTRACT_TEST_SERVICE] = {contract_test_service, false, 0, 0, 0, ANY},
	[CONTRACT_TEST_LIBRARY] = {contract_test_library, false, 0, 0, 0, ANY},
};

const IOUserClientMethodDispatch *contract_row(uint64_t selector)
{
	return selector < CONTRACT_NR_GENERAL ? &rows[selector] : NULL;
}

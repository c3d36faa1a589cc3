/* SPDX-License-Identifier: MIT
 *
 * call_test - arguments and results of external methods, and their limits.
 */
#include <limits.h>
#include <sys/mman.h>

#include "support/world.h"

#define LARGE 10000u

static uint64_t sum_of(const uint8_t *bytes, size_t length)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < length; i++) {
		sum += bytes[i];
	}
	return sum;
}

static void fill(uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	}
}

/* CONTRACT_DESCRIBE with an inline output. */
static struct contract_seen describe(io_connect_t connect, const uint64_t *scalars,
				     uint32_t nr_scalars, const void *bytes, size_t length,
				     uint32_t *nr_output)
{
	struct contract_seen seen = {0};
	size_t size = sizeof(seen);
	uint64_t output[16];

	CHECK_EQ(IOConnectCallMethod(connect, CONTRACT_DESCRIBE, scalars, nr_scalars, bytes, length,
				     output, nr_output, &seen, &size),
		 kIOReturnSuccess);
	CHECK_EQ(size, sizeof(seen));
	return seen;
}

CONTRACT(call_returns_scalars)
{
	io_connect_t connect = world_open();
	uint64_t input[16];
	uint64_t output[16];

	for (uint32_t count = 0; count <= 16; count++) {
		uint32_t nr_output = count;

		for (uint32_t i = 0; i < 16; i++) {
			input[i] = ((uint64_t)count << 60) + i;
			output[i] = 0;
		}
		CHECK_EQ(IOConnectCallScalarMethod(connect, CONTRACT_ECHO_SCALARS, input, count,
						   output, &nr_output),
			 kIOReturnSuccess);
		CHECK_EQ(nr_output, count);
		CHECK_MEM_EQ(input, output, count * sizeof(uint64_t));
	}
	world_close(connect);
}

CONTRACT(call_passes_selector_and_version)
{
	io_connect_t connect = world_open();
	struct contract_seen seen = describe(connect, NULL, 0, NULL, 0, NULL);

	CHECK_EQ(seen.version, 2);
	CHECK_EQ(seen.selector, CONTRACT_DESCRIBE);
	CHECK_EQ(seen.nr_scalars_in, 0);
	CHECK_EQ(seen.nr_scalars_out, 0);
	CHECK(!seen.has_completion);
	CHECK(!seen.has_structure_input);
	CHECK(!seen.has_input_descriptor);
	CHECK(!seen.has_output_descriptor);
	CHECK(!seen.has_dispatch_target_reference);
	CHECK_EQ(seen.structure_output_maximum, sizeof(seen));
	world_close(connect);
}

CONTRACT(call_zero_fills_scalars_that_are_not_given)
{
	io_connect_t connect = world_open();
	const uint64_t input[] = {11, 12, 13};
	uint32_t nr_output = 9;
	struct contract_seen seen;

	/* What an earlier call left in the same place must not show. */
	uint64_t noise[16];
	memset(noise, 0xee, sizeof(noise));
	DO(connect, CONTRACT_ECHO_SCALARS, noise[0], noise[1], noise[2], noise[3], noise[4], noise[5]);
	seen = describe(connect, input, 3, NULL, 0, &nr_output);
	CHECK_EQ(seen.nr_scalars_in, 3);
	CHECK_EQ(seen.nr_scalars_out, 9);
	CHECK_EQ(seen.scalars[2], 13);
	for (unsigned i = 3; i < 16; i++) {
		CHECK_EQ(seen.scalars[i], 0);
	}
	CHECK(seen.output_scalars_are_zero);
	world_close(connect);
}

CONTRACT(call_with_more_than_16_scalars_does_not_reach_the_driver)
{
	io_connect_t connect = world_open();
	uint64_t input[17] = {0};

	CHECK_EQ(IOConnectCallScalarMethod(connect, CONTRACT_LEAVE_OUTPUT, input, 17, NULL, NULL),
		 MIG_ARRAY_TOO_LARGE);
	CHECK_EQ(IOConnectCallScalarMethod(connect, CONTRACT_LEAVE_OUTPUT, input, UINT32_MAX, NULL,
					   NULL),
		 MIG_ARRAY_TOO_LARGE);
	CHECK_EQ(GET(connect, CONTRACT_COUNT_CALLS), 0);
	world_close(connect);
}

CONTRACT(call_output_count_above_16_is_clamped)
{
	io_connect_t connect = world_open();
	uint64_t input[16] = {1, 2, 3};
	uint64_t output[20] = {0};
	uint32_t nr_output = 20;

	CHECK_EQ(IOConnectCallScalarMethod(connect, CONTRACT_ECHO_SCALARS, input, 16, output,
					   &nr_output),
		 kIOReturnSuccess);
	CHECK_EQ(nr_output, 16);
	CHECK_EQ(output[2], 3);
	CHECK_EQ(output[16], 0);
	world_close(connect);
}

CONTRACT(call_null_pointers_with_counts_are_refused)
{
	io_connect_t connect = world_open();
	uint32_t nr_output = 1;
	size_t size = 8;

	CHECK_EQ(IOConnectCallScalarMethod(connect, CONTRACT_LEAVE_OUTPUT, NULL, 1, NULL, NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IOConnectCallScalarMethod(connect, CONTRACT_LEAVE_OUTPUT, NULL, 0, NULL,
					   &nr_output),
		 kIOReturnBadArgument);
	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_LEAVE_OUTPUT, NULL, 8, NULL, NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_LEAVE_OUTPUT, NULL, 0, NULL, &size),
		 kIOReturnBadArgument);
	size = CONTRACT_PAGE; /* the most that travels in the call; above it NULL means none */
	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_LEAVE_OUTPUT, NULL, 0, NULL, &size),
		 kIOReturnBadArgument);
	CHECK_EQ(GET(connect, CONTRACT_COUNT_CALLS), 0);
	world_close(connect);
}

CONTRACT(call_output_count_null_is_zero)
{
	io_connect_t connect = world_open();
	uint64_t untouched = 77;

	CHECK_EQ(IOConnectCallScalarMethod(connect, CONTRACT_ECHO_SCALARS, NULL, 0, &untouched,
					   NULL),
		 kIOReturnSuccess);
	CHECK_EQ(untouched, 77);
	world_close(connect);
}

CONTRACT(call_inline_structures_of_every_kind_of_size)
{
	static const size_t sizes[] = {1, 2, 7, 8, 63, 64, 65, 4095, 4096};
	io_connect_t connect = world_open();
	uint8_t input[4096];
	uint8_t output[4096];

	fill(input, sizeof(input));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = sizes[i];

		memset(output, 0, sizeof(output));
		CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_ECHO_STRUCT, input, sizes[i],
						   output, &size),
			 kIOReturnSuccess);
		CHECK_EQ(size, sizes[i]);
		CHECK_MEM_EQ(input, output, size);
	}
	world_close(connect);
}

CONTRACT(call_inline_structure_arrives_as_data)
{
	io_connect_t connect = world_open();
	uint8_t input[4096];
	struct contract_seen seen;

	fill(input, sizeof(input));
	seen = describe(connect, NULL, 0, input, sizeof(input), NULL);
	CHECK(seen.has_structure_input);
	CHECK(!seen.has_input_descriptor);
	CHECK_EQ(seen.structure_input_length, 4096);
	CHECK_EQ(seen.structure_input_sum, sum_of(input, sizeof(input)));
	world_close(connect);
}

CONTRACT(call_large_input_arrives_as_descriptor)
{
	io_connect_t connect = world_open();
	uint8_t input[LARGE];

	fill(input, sizeof(input));
	for (size_t length = 4097; length <= LARGE; length += 1951) {
		struct contract_seen seen = describe(connect, NULL, 0, input, length, NULL);

		CHECK(!seen.has_structure_input);
		CHECK(seen.has_input_descriptor);
		CHECK_EQ(seen.input_descriptor_length, length);
		CHECK_EQ(seen.structure_input_sum, sum_of(input, length));
	}
	world_close(connect);
}

CONTRACT(call_large_output_is_written_in_place)
{
	io_connect_t connect = world_open();
	uint8_t output[LARGE];
	size_t size = sizeof(output);
	struct contract_seen seen;

	memset(output, 0x11, sizeof(output));
	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_DESCRIBE, NULL, 0, output, &size),
		 kIOReturnSuccess);
	memcpy(&seen, output, sizeof(seen));
	CHECK(seen.has_output_descriptor);
	CHECK_EQ(seen.output_descriptor_length, LARGE);
	CHECK_EQ(seen.structure_output_maximum, LARGE);
	/* The size stays as it was asked for, and what the driver left alone is as it was. */
	CHECK_EQ(size, LARGE);
	CHECK_EQ(output[sizeof(seen)], 0x11);
	CHECK_EQ(output[LARGE - 1], 0x11);
	world_close(connect);
}

CONTRACT(call_large_both_ways)
{
	io_connect_t connect = world_open();
	const size_t length = 300000;
	uint8_t *input = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);
	uint8_t *output = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);
	size_t size = length;

	CHECK_NE(input, MAP_FAILED);
	CHECK_NE(output, MAP_FAILED);
	fill(input, length);
	for (unsigned round = 0; round < 3; round++) {
		input[round * 1000] ^= 0xff;
		CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_ECHO_STRUCT, input, length,
						   output, &size),
			 kIOReturnSuccess);
		CHECK_EQ(size, length);
		CHECK_MEM_EQ(input, output, length);
	}
	world_close(connect);
	CHECK_MEM_EQ(input, output, length); /* the memory stays the application's */
	(void)munmap(input, length);
	(void)munmap(output, length);
}

CONTRACT(call_large_unmapped_pointers_are_refused)
{
	io_connect_t connect = world_open();
	uint8_t *hole = (uint8_t *)(uintptr_t)WORLD_NEVER_MAPPED;
	size_t size = LARGE;

	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_ECHO_STRUCT, hole, LARGE, NULL, NULL),
		 kIOReturnVMError);
	CHECK_NE(IOConnectCallStructMethod(connect, CONTRACT_LEAVE_OUTPUT, NULL, 0, hole, &size),
		 kIOReturnSuccess);
	/* The connection has not suffered. */
	CHECK_EQ(GET(connect, CONTRACT_ADD, 20, 22), 42);
	world_close(connect);
}

CONTRACT(call_small_unmapped_pointers_are_refused)
{
	io_connect_t connect = world_open();
	uint8_t *hole = mmap(NULL, 1 << 16, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t size = 100;

	CHECK_NE(hole, MAP_FAILED);
	(void)munmap(hole, 1 << 16);
	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_ECHO_STRUCT, hole, 100, NULL, NULL),
		 kIOReturnVMError);
	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_LEAVE_OUTPUT, NULL, 0, hole, &size),
		 kIOReturnVMError);
	CHECK_EQ(GET(connect, CONTRACT_ADD, 20, 22), 42);
	world_close(connect);
}

CONTRACT(call_sizes_that_overflow_are_refused)
{
	io_connect_t connect = world_open();
	uint8_t byte = 0;
	size_t size = (size_t)UINT_MAX + 1;

	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_ECHO_STRUCT, &byte, SIZE_MAX, NULL,
					   NULL),
		 kIOReturnIPCError);
	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_LEAVE_OUTPUT, NULL, 0, &byte, &size),
		 kIOReturnIPCError);
	size = SIZE_MAX;
	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_LEAVE_OUTPUT, NULL, 0, &byte, &size),
		 kIOReturnIPCError);
	CHECK_EQ(GET(connect, CONTRACT_ADD, 1, 1), 2);
	world_close(connect);
}

CONTRACT(call_large_output_null_is_no_output)
{
	io_connect_t connect = world_open();
	size_t size = LARGE;

	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_LEAVE_OUTPUT, NULL, 0, NULL, &size),
		 kIOReturnSuccess);
	world_close(connect);
}

CONTRACT(call_driver_error_is_returned_unchanged)
{
	static const uint32_t codes[] = {0xe00002bc, 0xe00002f0, 0xe0005000, 0xe0000001, 0x10000003,
					 1, 0x7fffffff, 0xfffffecd};
	io_connect_t connect = world_open();

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		const uint64_t input[] = {codes[i]};
		uint64_t output = 5;
		uint32_t nr_output = 1;
		char bytes[64] = "as before";
		size_t size = sizeof(bytes);

		CHECK_EQ(IOConnectCallMethod(connect, CONTRACT_FAIL, input, 1, NULL, 0, &output,
					     &nr_output, bytes, &size),
			 (kern_return_t)codes[i]);
		CHECK_EQ(output, 5);
		CHECK_STR_EQ(bytes, "as before");
	}
	world_close(connect);
}

static kern_return_t set_output(io_connect_t connect, uint64_t bytes, uint64_t scalars,
				uint32_t *nr_output, size_t *size)
{
	const uint64_t input[] = {bytes, scalars};
	uint64_t output[16] = {0};
	uint8_t structure[LARGE];

	return IOConnectCallMethod(connect, CONTRACT_SET_OUTPUT, input, 2, NULL, 0, output,
				   nr_output, structure, size);
}

CONTRACT(call_reports_what_the_driver_set)
{
	io_connect_t connect = world_open();
	uint32_t nr_output = 5;
	size_t size = 100;

	CHECK_EQ(set_output(connect, 40, 3, &nr_output, &size), kIOReturnSuccess);
	CHECK_EQ(nr_output, 3);
	CHECK_EQ(size, 40);
	/* More scalars than were asked for: never more than asked. */
	nr_output = 5;
	size = 100;
	CHECK_EQ(set_output(connect, 100, 16, &nr_output, &size), kIOReturnSuccess);
	CHECK_EQ(nr_output, 5);
	CHECK_EQ(size, 100);
	nr_output = 5;
	CHECK_EQ(set_output(connect, 100, UINT32_MAX, &nr_output, &size), kIOReturnSuccess);
	CHECK_EQ(nr_output, 5);
	world_close(connect);
}

CONTRACT(call_driver_output_above_maximum_is_bad_argument)
{
	io_connect_t connect = world_open();
	uint32_t nr_output = 0;
	size_t size = 100;

	CHECK_EQ(set_output(connect, 101, 0, &nr_output, &size), kIOReturnBadArgument);
	size = 100;
	CHECK_EQ(set_output(connect, 100000, 0, &nr_output, &size), kIOReturnBadArgument);
	/* Data in a call whose output is a descriptor. */
	size = LARGE;
	CHECK_EQ(set_output(connect, 10, 0, &nr_output, &size), kIOReturnBadArgument);
	CHECK_EQ(GET(connect, CONTRACT_ADD, 1, 1), 2);
	world_close(connect);
}

CONTRACT(call_output_left_unset_keeps_the_requested_size)
{
	io_connect_t connect = world_open();
	char bytes[64];
	size_t size = sizeof(bytes);

	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_LEAVE_OUTPUT, NULL, 0, bytes, &size),
		 kIOReturnSuccess);
	CHECK_EQ(size, sizeof(bytes));
	world_close(connect);
}

CONTRACT(call_variable_output_is_allocated)
{
	static const uint64_t lengths[] = {1, 100, 4096, 4097, 500000};
	io_connect_t connect = world_open();

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		const uint64_t input[] = {lengths[i], 0};
		void *bytes = NULL;
		size_t size = (size_t)kIOConnectMethodVarOutputSize;

		CHECK_EQ(IOConnectCallMethod(connect, CONTRACT_SET_OUTPUT, input, 2, NULL, 0, NULL,
					     NULL, &bytes, &size),
			 kIOReturnSuccess);
		CHECK_EQ(size, lengths[i]);
		CHECK_NE(bytes, NULL);
		CHECK_EQ(((const uint8_t *)bytes)[size - 1], 0);
		CHECK_EQ(vm_deallocate(mach_task_self(), (vm_address_t)bytes, size), KERN_SUCCESS);
	}
	world_close(connect);
}

CONTRACT(call_variable_output_left_unset_is_underrun)
{
	io_connect_t connect = world_open();
	void *bytes = NULL;
	size_t size = (size_t)kIOConnectMethodVarOutputSize;

	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_LEAVE_OUTPUT, NULL, 0, &bytes, &size),
		 kIOReturnUnderrun);
	CHECK_EQ(bytes, NULL);
	world_close(connect);
}

CONTRACT(call_variable_output_says_so_to_the_driver)
{
	io_connect_t connect = world_open();
	void *bytes = NULL;
	size_t size = (size_t)kIOConnectMethodVarOutputSize;
	struct contract_seen seen;

	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_DESCRIBE, NULL, 0, &bytes, &size),
		 kIOReturnSuccess);
	CHECK_EQ(size, sizeof(seen));
	memcpy(&seen, bytes, sizeof(seen));
	CHECK_EQ(seen.structure_output_maximum, 0xffffffffu);
	CHECK(!seen.has_output_descriptor);
	CHECK_EQ(vm_deallocate(mach_task_self(), (vm_address_t)bytes, size), KERN_SUCCESS);
	world_close(connect);
}

CONTRACT(call_scalars_and_structures_together)
{
	io_connect_t connect = world_open();
	uint8_t input[LARGE];
	uint64_t scalars[16] = {0};
	uint32_t nr_output = 16;
	struct contract_seen seen;

	fill(input, sizeof(input));
	scalars[15] = 99;
	seen = describe(connect, scalars, 16, input, sizeof(input), &nr_output);
	CHECK_EQ(seen.nr_scalars_in, 16);
	CHECK_EQ(seen.scalars[15], 99);
	CHECK_EQ(seen.input_descriptor_length, LARGE);
	CHECK_EQ(seen.structure_input_sum, sum_of(input, sizeof(input)));
	world_close(connect);
}

CONTRACT(call_on_no_connection)
{
	io_connect_t connect = world_open();
	io_service_t service = world_service(CONTRACT_SERVICE);

	CHECK_EQ(IOConnectCallScalarMethod(IO_OBJECT_NULL, 0, NULL, 0, NULL, NULL),
		 MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOConnectCallScalarMethod(0x7ffffff0, 0, NULL, 0, NULL, NULL),
		 MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOConnectCallScalarMethod(service, 0, NULL, 0, NULL, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	world_close(connect);
	CHECK_EQ(TRY(connect, CONTRACT_LEAVE_OUTPUT, 0), MACH_SEND_INVALID_DEST);
}

CONTRACT(call_functions_without_use_on_a_driver)
{
	io_connect_t connect = world_open();
	io_service_t service = 1;

	CHECK_EQ(IOConnectSetNotificationPort(connect, 0, 0, 0), kIOReturnUnsupported);
	CHECK_EQ(IOConnectAddClient(connect, connect), kIOReturnUnsupported);
	CHECK_EQ(IOConnectGetService(connect, &service), kIOReturnUnsupported);
	CHECK_EQ(service, 0);
	CHECK_EQ(IOConnectSetCFProperties(connect, kCFBooleanTrue), kIOReturnUnsupported);
	CHECK_EQ(IOConnectSetCFProperty(connect, CFSTR("key"), kCFBooleanTrue),
		 kIOReturnUnsupported);
	CHECK_EQ(IOConnectTrap1(connect, 7, 1), kIOReturnSuccess);
	CHECK_EQ(IOConnectTrap2(connect, 7, 1, 2), kIOReturnSuccess);
	CHECK_EQ(IOConnectTrap3(connect, 7, 1, 2, 3), kIOReturnSuccess);
	CHECK_EQ(IOConnectTrap4(connect, 7, 1, 2, 3, 4), kIOReturnSuccess);
	CHECK_EQ(IOConnectTrap5(connect, 7, 1, 2, 3, 4, 5), kIOReturnSuccess);
	CHECK_EQ(IOConnectTrap0(connect, 0), kIOReturnNotFound);
	CHECK_EQ(IOConnectTrap6(IO_OBJECT_NULL, 7, 1, 2, 3, 4, 5, 6), kIOReturnBadArgument);
	world_close(connect);
}

CONTRACT(call_counts_what_it_copies)
{
	io_connect_t connect = world_open();
	struct IOConnectStatistics before;
	struct IOConnectStatistics after;

	CHECK_EQ(IOConnectGetStatistics(connect, &before, sizeof(before)), kIOReturnSuccess);
	CHECK_EQ(GET(connect, CONTRACT_ADD, 20, 22), 42);
	CHECK_EQ(IOConnectGetStatistics(connect, &after, sizeof(after)), kIOReturnSuccess);
	CHECK_EQ(after.calls - before.calls, 1);
	CHECK_EQ(after.bytes_copied_in - before.bytes_copied_in, 16);
	CHECK_EQ(after.bytes_copied_out - before.bytes_copied_out, 8);
	CHECK_EQ(IOConnectGetStatistics(connect, NULL, sizeof(after)), kIOReturnBadArgument);
	CHECK_EQ(IOConnectGetStatistics(0, &after, sizeof(after)), MACH_SEND_INVALID_DEST);
	world_close(connect);
}

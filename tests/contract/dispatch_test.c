/* SPDX-License-Identifier: MIT
 *
 * dispatch_test - the checks of IOUserClientMethodDispatch, before the driver's function runs.
 */
#include "support/world.h"

CONTRACT(dispatch_unknown_selector_is_unsupported)
{
	io_connect_t connect = world_open();

	CHECK_EQ(TRY(connect, CONTRACT_NR_GENERAL), kIOReturnUnsupported);
	CHECK_EQ(TRY(connect, UINT32_MAX), kIOReturnUnsupported);
	world_close(connect);
}

CONTRACT(dispatch_inherited_external_method_is_unsupported)
{
	io_connect_t connect = world_open_type(CONTRACT_SERVICE, CONTRACT_OPEN_BARE);
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;

	CHECK_EQ(TRY(connect, 0), kIOReturnUnsupported);
	CHECK_EQ(IOConnectUnmapMemory64(connect, 0, mach_task_self(), 0), kIOReturnUnsupported);
	CHECK_EQ(IOConnectMapMemory64(connect, 0, mach_task_self(), &address, &size, kIOMapAnywhere),
		 kIOReturnBadArgument);
	world_close(connect);
}

CONTRACT(dispatch_scalar_counts_must_be_equal)
{
	io_connect_t connect = world_open();
	const uint64_t input[16] = {20, 22};
	uint64_t output[16] = {0};

	for (uint32_t nr_input = 0; nr_input <= 16; nr_input++) {
		for (uint32_t nr_output = 0; nr_output <= 3; nr_output++) {
			uint32_t nr = nr_output;
			bool right = nr_input == 2 && nr_output == 1;

			CHECK_EQ(IOConnectCallScalarMethod(connect, CONTRACT_ADD, input, nr_input,
							   output, &nr),
				 right ? kIOReturnSuccess : kIOReturnBadArgument);
		}
	}
	CHECK_EQ(GET(connect, CONTRACT_COUNT_CALLS), 1);
	world_close(connect);
}

CONTRACT(dispatch_structure_where_none_is_wanted)
{
	io_connect_t connect = world_open();
	const uint64_t input[2] = {1, 2};
	uint64_t output;
	uint32_t nr_output = 1;
	char bytes[8] = {0};
	size_t size = 8;

	CHECK_EQ(IOConnectCallMethod(connect, CONTRACT_ADD, input, 2, bytes, 8, &output, &nr_output,
				     NULL, NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IOConnectCallMethod(connect, CONTRACT_ADD, input, 2, NULL, 0, &output, &nr_output,
				     bytes, &size),
		 kIOReturnBadArgument);
	world_close(connect);
}

CONTRACT(dispatch_inline_structure_sizes_must_be_equal)
{
	static const size_t sizes[] = {0, 1, 23, 24, 25, 40, 4096};
	io_connect_t connect = world_open();
	uint8_t bytes[4096] = {0};
	uint8_t output[4096];
	unsigned nr_right = 0;

	for (size_t in = 0; in < sizeof(sizes) / sizeof(sizes[0]); in++) {
		for (size_t out = 0; out < sizeof(sizes) / sizeof(sizes[0]); out++) {
			size_t size = sizes[out];
			bool right = sizes[in] == 24 && sizes[out] == 40;

			nr_right += right;
			CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_CHECK_STRUCTS, bytes,
							   sizes[in], output, &size),
				 right ? kIOReturnSuccess : kIOReturnBadArgument);
		}
	}
	CHECK_EQ(nr_right, 1);
	CHECK_EQ(GET(connect, CONTRACT_COUNT_CALLS), 1);
	world_close(connect);
}

CONTRACT(dispatch_large_structure_sizes_are_those_of_the_descriptors)
{
	io_connect_t connect = world_open();
	uint8_t input[8193] = {0};
	uint8_t output[8193];
	size_t size = 8192;

	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_CHECK_LARGE, input, 8192, output,
					   &size),
		 kIOReturnSuccess);
	size = 8193;
	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_CHECK_LARGE, input, 8192, output,
					   &size),
		 kIOReturnBadArgument);
	size = 8192;
	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_CHECK_LARGE, input, 8193, output,
					   &size),
		 kIOReturnBadArgument);
	size = 4096;
	CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_CHECK_LARGE, input, 8192, output,
					   &size),
		 kIOReturnBadArgument);
	world_close(connect);
}

CONTRACT(dispatch_completion_must_be_there_or_not)
{
	io_connect_t connect = world_open();
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	struct heard heard = {0};
	uint64_t *reference = REFERENCE(heard_0, &heard);

	CHECK_EQ(TRY(connect, CONTRACT_CHECK_ASYNC), kIOReturnBadArgument);
	CHECK_EQ(TRY(connect, CONTRACT_CHECK_SYNC), kIOReturnSuccess);
	CHECK_EQ(world_async(connect, CONTRACT_CHECK_ASYNC, port, reference, NULL, 0, NULL, 0),
		 kIOReturnSuccess);
	CHECK_EQ(world_async(connect, CONTRACT_CHECK_SYNC, port, reference, NULL, 0, NULL, 0),
		 kIOReturnBadArgument);
	/* The wildcard takes both. */
	CHECK_EQ(TRY(connect, CONTRACT_LEAVE_OUTPUT), kIOReturnSuccess);
	CHECK_EQ(world_async(connect, CONTRACT_LEAVE_OUTPUT, port, reference, NULL, 0, NULL, 0),
		 kIOReturnSuccess);
	/* Without a port there is no completion. */
	CHECK_EQ(IOConnectCallAsyncScalarMethod(connect, CONTRACT_CHECK_ASYNC, MACH_PORT_NULL,
						reference, 8, NULL, 0, NULL, NULL),
		 kIOReturnBadArgument);
	CHECK_EQ(IOConnectCallAsyncScalarMethod(connect, CONTRACT_CHECK_SYNC, MACH_PORT_NULL,
						reference, 8, NULL, 0, NULL, NULL),
		 kIOReturnSuccess);
	world_close(connect);
	IONotificationPortDestroy(port);
}

CONTRACT(dispatch_row_without_function)
{
	io_connect_t connect = world_open();

	CHECK_EQ(TRY(connect, CONTRACT_NO_FUNCTION), kIOReturnNoCompletion);
	CHECK_EQ(TRY(connect, CONTRACT_NO_FUNCTION_CHECKED, 1), kIOReturnNoCompletion);
	CHECK_EQ(TRY(connect, CONTRACT_NO_FUNCTION_CHECKED), kIOReturnBadArgument);
	world_close(connect);
}

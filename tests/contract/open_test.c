/* SPDX-License-Identifier: MIT
 *
 * open_test - opening and closing connections: order, failures, references.
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "support/world.h"

static void expect_log(io_connect_t connect, const char *wanted)
{
	char text[CONTRACT_TEXT_BYTES];

	world_text(connect, CONTRACT_LOG, text);
	CHECK_STR_EQ(text, wanted);
}

/* Collects the record until it ends with the line, because the end of a client is later. */
struct collected {
	io_connect_t connect;
	char text[CONTRACT_TEXT_BYTES];
	const char *last;
};

static bool log_has_line(void *argument)
{
	struct collected *collected = argument;
	char text[CONTRACT_TEXT_BYTES];
	size_t length = strlen(collected->text);

	world_text(collected->connect, CONTRACT_LOG, text);
	CHECK_LT(length + strlen(text), sizeof(collected->text));
	memcpy(collected->text + length, text, strlen(text) + 1);
	return strstr(collected->text, collected->last) != NULL;
}

static void expect_log_until(io_connect_t connect, const char *last, const char *wanted)
{
	struct collected collected = {.connect = connect, .last = last};

	CHECK(test_wait_until(log_has_line, &collected, WORLD_WAIT_MS));
	CHECK_STR_EQ(collected.text, wanted);
}

CONTRACT(open_order_of_what_the_driver_sees)
{
	io_connect_t watcher = world_open();
	io_connect_t connect;

	world_forget_log(watcher);
	connect = world_open();
	expect_log(watcher, "ContractService.NewUserClient 0\n"
			    "ContractClient.init\n"
			    "ContractClient.Start ContractService\n");
	world_close(connect);
	expect_log_until(watcher, "free", "ContractClient.Stop\nContractClient.free\n");
	world_close(watcher);
}

CONTRACT(open_failures_are_returned_unchanged)
{
	io_connect_t connect = 77;

	CHECK_EQ(world_try_open(CONTRACT_SERVICE, CONTRACT_OPEN_BUSY, &connect), kIOReturnBusy);
	CHECK_EQ(world_try_open(CONTRACT_SERVICE, CONTRACT_OPEN_NULL, &connect), kIOReturnError);
	CHECK_EQ(world_try_open(CONTRACT_SERVICE, CONTRACT_OPEN_INHERITED, &connect),
		 kIOReturnError);
	CHECK_EQ(world_try_open(CONTRACT_SERVICE, CONTRACT_OPEN_NO_PROPERTIES, &connect),
		 kIOReturnBadArgument);
	CHECK_EQ(world_try_open(CONTRACT_SERVICE, CONTRACT_OPEN_START_FAILS, &connect),
		 kIOReturnNoPower);
	CHECK_EQ(world_try_open(CONTRACT_SERVICE, CONTRACT_OPEN_INIT_FAILS, &connect),
		 kIOReturnUnsupported);
	CHECK_EQ(world_try_open(CONTRACT_SERVICE, 4711, &connect), kIOReturnError);
	/* All that did no harm. */
	world_close(world_open());
}

CONTRACT(open_start_failure_frees_the_client)
{
	io_connect_t watcher = world_open();
	io_connect_t connect;

	world_forget_log(watcher);
	CHECK_EQ(world_try_open(CONTRACT_SERVICE, CONTRACT_OPEN_START_FAILS, &connect),
		 kIOReturnNoPower);
	expect_log_until(watcher, "free",
			 "ContractService.NewUserClient 3\n"
			 "ContractStartFailsClient.init\n"
			 "ContractStartFailsClient.Start ContractService\n"
			 "ContractStartFailsClient.free\n");
	CHECK_EQ(world_try_open(CONTRACT_SERVICE, CONTRACT_OPEN_INIT_FAILS, &connect),
		 kIOReturnUnsupported);
	expect_log_until(watcher, "free",
			 "ContractService.NewUserClient 4\n"
			 "ContractInitFailsClient.init\n"
			 "ContractInitFailsClient.free\n");
	world_close(watcher);
}

CONTRACT(open_bad_arguments)
{
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_registry_entry_t root = IORegistryGetRootEntry(kIOMainPortDefault);
	io_connect_t connect = 77;

	CHECK_EQ(IOServiceOpen(service, 0, 0, &connect), kIOReturnBadArgument);
	CHECK_EQ(IOServiceOpen(service, mach_task_self() + 1, 0, &connect), kIOReturnBadArgument);
	CHECK_EQ(IOServiceOpen(service, mach_task_self(), 0, NULL), kIOReturnBadArgument);
	CHECK_EQ(IOServiceOpen(IO_OBJECT_NULL, mach_task_self(), 0, &connect), kIOReturnBadArgument);
	CHECK_EQ(IOServiceOpen(0x7ffffff1, mach_task_self(), 0, &connect), MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOServiceOpen(root, mach_task_self(), 0, &connect), kIOReturnUnsupported);
	CHECK_EQ(IOObjectRelease(root), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

CONTRACT(open_service_without_driver_is_unsupported)
{
	io_service_t service = IOServiceGetMatchingService(kIOMainPortDefault,
							   IOServiceMatching("IOUserResources"));
	io_connect_t connect;

	CHECK_NE(service, IO_OBJECT_NULL);
	CHECK_EQ(IOServiceOpen(service, mach_task_self(), 0, &connect), kIOReturnUnsupported);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

CONTRACT(open_many_connections_are_independent)
{
	io_connect_t connects[40];

	for (unsigned i = 0; i < 40; i++) {
		connects[i] = world_open();
		DO(connects[i], CONTRACT_POKE, CONTRACT_MEMORY_SHARED, 0, i);
	}
	for (unsigned i = 0; i < 40; i++) {
		CHECK_EQ(GET(connects[i], CONTRACT_PEEK, CONTRACT_MEMORY_SHARED, 0), i);
		for (unsigned j = 0; j < i; j++) {
			CHECK_NE(connects[i], connects[j]);
		}
	}
	for (unsigned i = 0; i < 40; i += 2) {
		world_close(connects[i]);
	}
	for (unsigned i = 1; i < 40; i += 2) {
		CHECK_EQ(GET(connects[i], CONTRACT_PEEK, CONTRACT_MEMORY_SHARED, 0), i);
		world_close(connects[i]);
	}
}

CONTRACT(close_and_release_are_the_same)
{
	io_connect_t watcher = world_open();
	io_connect_t connect;

	world_forget_log(watcher);
	connect = world_open();
	CHECK_EQ(IOObjectRelease(connect), kIOReturnSuccess);
	expect_log_until(watcher, "free", "ContractService.NewUserClient 0\n"
					  "ContractClient.init\n"
					  "ContractClient.Start ContractService\n"
					  "ContractClient.Stop\n"
					  "ContractClient.free\n");
	connect = world_open();
	CHECK_EQ(IOConnectRelease(connect), kIOReturnSuccess);
	CHECK_EQ(IOConnectRelease(connect), MACH_SEND_INVALID_DEST);
	world_close(watcher);
}

CONTRACT(close_with_a_second_reference)
{
	io_connect_t connect = world_open();

	CHECK_EQ(IOConnectAddRef(connect), kIOReturnSuccess);
	CHECK_EQ(IOConnectRelease(connect), kIOReturnSuccess);
	CHECK_EQ(GET(connect, CONTRACT_ADD, 1, 2), 3);
	CHECK_EQ(IOConnectAddRef(connect), kIOReturnSuccess);
	CHECK_EQ(IOServiceClose(connect), kIOReturnSuccess);
	CHECK_EQ(TRY(connect, CONTRACT_LEAVE_OUTPUT), MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOServiceClose(connect), kIOReturnSuccess); /* through the other reference */
	CHECK_EQ(IOServiceClose(connect), MACH_SEND_INVALID_DEST);
}

CONTRACT(close_what_is_no_connection)
{
	io_service_t service = world_service(CONTRACT_SERVICE);

	CHECK_EQ(IOServiceClose(IO_OBJECT_NULL), MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOServiceClose(0x7ffffff2), MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOServiceClose(service), kIOReturnBadArgument);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
}

CONTRACT(open_reference_counts_of_handles)
{
	io_service_t service = world_service(CONTRACT_SERVICE);
	io_service_t same = world_service(CONTRACT_SERVICE);

	CHECK_EQ(service, same);
	CHECK(IOObjectIsEqualTo(service, same));
	CHECK_EQ(IOObjectGetUserRetainCount(service), 2);
	CHECK_EQ(IOObjectRetain(service), kIOReturnSuccess);
	CHECK_EQ(IOObjectGetUserRetainCount(service), 3);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(service), kIOReturnSuccess);
	CHECK_EQ(IOObjectRelease(service), MACH_SEND_INVALID_DEST);
	CHECK_EQ(IOObjectGetUserRetainCount(service), 0);
	CHECK_EQ(IOObjectRelease(IO_OBJECT_NULL), kIOReturnSuccess);
	CHECK_EQ(IOObjectRetain(IO_OBJECT_NULL), MACH_SEND_INVALID_DEST);
}

CONTRACT(open_entitlements_name_the_application)
{
	io_connect_t connect = world_open();
	char creator[256];
	size_t size = sizeof(creator);
	uint64_t administrator = 2;
	uint32_t nr_output = 1;
	char wanted[64];

	CHECK_EQ(IOConnectCallMethod(connect, CONTRACT_ENTITLEMENTS, NULL, 0, NULL, 0,
				     &administrator, &nr_output, creator, &size),
		 kIOReturnSuccess);
	CHECK_EQ(administrator, geteuid() == 0);
	(void)snprintf(wanted, sizeof(wanted), "pid %d, ", (int)getpid());
	CHECK_EQ(strncmp(creator, wanted, strlen(wanted)), 0);
	world_close(connect);
}

/* --- Calls and closes at the same time ------------------------------------------------------- */

struct blocked_call {
	io_connect_t connect;
	kern_return_t result;
};

static void *call_and_block(void *argument)
{
	struct blocked_call *call = argument;

	call->result = TRY(call->connect, CONTRACT_BLOCK);
	return NULL;
}

static bool is_blocked(void *argument)
{
	return GET(*(io_connect_t *)argument, CONTRACT_NR_BLOCKED) == 1;
}

static void *close_connection(void *argument)
{
	struct blocked_call *call = argument;

	call->result = IOServiceClose(call->connect);
	return NULL;
}

CONTRACT(close_waits_for_a_running_call)
{
	io_connect_t watcher = world_open();
	struct blocked_call call = {.connect = world_open(), .result = -1};
	struct blocked_call closing = {.connect = call.connect, .result = -1};
	pthread_t caller;
	pthread_t closer;

	CHECK_EQ(pthread_create(&caller, NULL, call_and_block, &call), 0);
	CHECK(test_wait_until(is_blocked, &watcher, WORLD_WAIT_MS));
	CHECK_EQ(pthread_create(&closer, NULL, close_connection, &closing), 0);
	DO(watcher, CONTRACT_UNBLOCK);
	CHECK_EQ(pthread_join(caller, NULL), 0);
	CHECK_EQ(pthread_join(closer, NULL), 0);
	/* Which of the two was first is open; nothing but these can come out. */
	CHECK(call.result == kIOReturnSuccess || call.result == MACH_SEND_INVALID_DEST);
	CHECK_EQ(closing.result, kIOReturnSuccess);
	CHECK_NE(TRY(call.connect, CONTRACT_LEAVE_OUTPUT), kIOReturnSuccess);
	world_close(watcher);
}

#define NR_THREADS 64u
#define NR_CALLS   50u

static void *call_often(void *argument)
{
	io_connect_t connect = *(io_connect_t *)argument;

	for (uint64_t i = 0; i < NR_CALLS; i++) {
		uint64_t base = (uint64_t)(uintptr_t)&i;

		if (GET(connect, CONTRACT_ADD, base, i) != base + i) {
			FAIL("an answer that belongs to another call");
		}
	}
	return NULL;
}

static void *call_structures_often(void *argument)
{
	io_connect_t connect = *(io_connect_t *)argument;
	uint64_t words[1200];

	for (uint64_t i = 0; i < NR_CALLS / 5; i++) {
		size_t size = (i & 1 ? 1200 : 400) * sizeof(words[0]);
		uint64_t output[1200];

		for (unsigned w = 0; w < 1200; w++) {
			words[w] = (uint64_t)(uintptr_t)&i + i * 7 + w;
		}
		CHECK_EQ(IOConnectCallStructMethod(connect, CONTRACT_ECHO_STRUCT, words, size,
						   output, &size),
			 kIOReturnSuccess);
		CHECK_MEM_EQ(words, output, size);
	}
	return NULL;
}

CONTRACT(call_from_64_threads_on_one_connection)
{
	io_connect_t connect = world_open();
	pthread_t threads[NR_THREADS];

	for (unsigned i = 0; i < NR_THREADS; i++) {
		CHECK_EQ(pthread_create(&threads[i], NULL,
					i % 4 == 0 ? call_structures_often : call_often, &connect),
			 0);
	}
	for (unsigned i = 0; i < NR_THREADS; i++) {
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	}
	CHECK_EQ(GET(connect, CONTRACT_COUNT_CALLS), NR_THREADS * 3 / 4 * NR_CALLS);
	world_close(connect);
}

CONTRACT(call_waits_for_nobody_elses_sleep)
{
	io_connect_t sleeper = world_open();
	io_connect_t other = world_open();
	struct blocked_call call = {.connect = sleeper};
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, call_and_block, &call), 0);
	CHECK(test_wait_until(is_blocked, &other, WORLD_WAIT_MS));
	/* These would hang if the sleeping queue held them up. */
	CHECK_EQ(GET(other, CONTRACT_ADD, 2, 2), 4);
	world_close(world_open());
	DO(other, CONTRACT_UNBLOCK);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(call.result, kIOReturnSuccess);
	world_close(sleeper);
	world_close(other);
}

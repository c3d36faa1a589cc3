/* SPDX-License-Identifier: MIT
 *
 * world - a broker, a host and the test driver around one test, and short ways to use them.
 *
 * Place:      tests/contract and tests/process. There are two implementations of the same world:
 *             world_loop.c runs broker and hosts in threads of the test process, world_process.c runs
 *             the programs dextd and dext-host with a bundle from the build. A test cannot tell
 *             which one it runs in, unless it asks.
 * Threads:    one, that of the test.
 */
#ifndef DX_TESTS_WORLD_H
#define DX_TESTS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <CoreFoundation/CoreFoundation.h>
#include <IOKit/IOKitLib.h>
#include <IOKit/IOMessage.h>
#include <IOKit/IOReturn.h>
#include <opendext/client.h>

#include "contract/driver/contract.h"
#include "test.h"

#define WORLD_WAIT_MS test_limit_ms(15000) /* only a limit against hangs */
/* Nothing is ever placed so low in a position-independent program. */
#define WORLD_NEVER_MAPPED 0x200000u

/* A test in a world: it starts with CONTRACT_SERVICE matched, and all is cleaned up after it. */
#define CONTRACT(test_name)                    \
	static void test_name##_in_world(void); \
	TEST_SECONDS(test_name, 60)            \
	{                                      \
		world_start();                 \
		test_name##_in_world();        \
		world_stop();                  \
	}                                      \
	static void test_name##_in_world(void)

/* The same with a device: a spec of docs/devices.md. CONTRACT_USB matches it. */
#define CONTRACT_WITH_DEVICE(test_name, spec)  \
	static void test_name##_in_world(void); \
	TEST_SECONDS(test_name, 60)            \
	{                                      \
		world_start();                 \
		(void)world_attach(spec);      \
		test_name##_in_world();        \
		world_stop();                  \
	}                                      \
	static void test_name##_in_world(void)

/* --- The world ------------------------------------------------------------------------------- */

void world_start(void);
/* Ends broker and hosts and checks that nothing of them is left. */
void world_stop(void);
/* True when broker and hosts are processes of their own. */
bool world_is_process(void);
/* The address of the broker. */
const char *world_socket(void);
/* Loads one more bundle of the build by name. @return false with the broker's line in message. */
bool world_load(const char *bundle, char *message, size_t capacity);
void world_unload(const char *identifier);
/* Attaches a device and waits until the registry is quiet. @return its registry id. */
uint64_t world_attach(const char *spec);
/*
 * A Gadget Zero at super speed, without faults: a model in the driver's process, or what the variable
 * OPENDEXT_TEST_GADGET_ZERO names, for instance a real one. That has no isochronous endpoints.
 */
const char *world_gadget_zero(void);
/* One whose source and sink have isochronous endpoints and the pattern 1; OPENDEXT_TEST_ISOCHRONOUS. */
const char *world_isochronous(void);
/*
 * Another way to the same devices: world_attach() attaches what reach(spec) says instead of spec, and
 * end() follows the broker's end. world_far.c is one, for programs that have it.
 */
void world_reach_by(const char *(*reach)(const char *spec), void (*end)(void));
/* @return false with the broker's line in message. */
bool world_try_attach(const char *spec, char *message, size_t capacity);
/* Unplugs it. */
void world_detach(uint64_t device_id);
/* Waits until everything that was started has been matched. */
void world_wait_quiet(void);

/* --- Implemented by world_loop.c and world_process.c ----------------------------------------- */

void world_start_broker(const char *socket_path, const char *bundle);
void world_stop_broker(void);

/* --- Services and connections ---------------------------------------------------------------- */

/* Waits for a registered service of that name; the test fails when none comes. +1. */
io_service_t world_service(const char *name);
/* Waits until no such service is left. */
void world_wait_gone(const char *name);
uint64_t world_registry_id(io_registry_entry_t entry);
/* A connection to a service by name. */
io_connect_t world_open_type(const char *name, uint32_t type);
io_connect_t world_open(void); /* CONTRACT_SERVICE, CONTRACT_OPEN */
kern_return_t world_try_open(const char *name, uint32_t type, io_connect_t *connect);
void world_close(io_connect_t connect);

/* --- Calls ----------------------------------------------------------------------------------- */

#define SCALARS(...) (const uint64_t[]){__VA_ARGS__}, sizeof((uint64_t[]){__VA_ARGS__}) / 8
/* Scalars in, no output. */
#define TRY(connect, selector, ...) world_call(connect, selector, SCALARS(__VA_ARGS__), NULL, 0)
#define DO(connect, selector, ...) CHECK_EQ(TRY(connect, selector, __VA_ARGS__), kIOReturnSuccess)
/* Scalars in, one out, which is the value; the call must succeed. */
#define GET(connect, selector, ...) world_get(connect, selector, SCALARS(__VA_ARGS__))

kern_return_t world_call(io_connect_t connect, uint32_t selector, const uint64_t *input,
			 size_t nr_input, uint64_t *output, uint32_t nr_output);
uint64_t world_get(io_connect_t connect, uint32_t selector, const uint64_t *input, size_t nr_input);
/* The text that a selector returns as its structure; at most CONTRACT_TEXT_BYTES. */
void world_text(io_connect_t connect, uint32_t selector, char *text);
/* Text as the structure input. */
kern_return_t world_send_text(io_connect_t connect, uint32_t selector, const char *text);
/* Throws away what the driver has recorded so far. */
void world_forget_log(io_connect_t connect);
/* Runs checks inside the driver and fails with what they say. */
void world_run_inside(io_connect_t connect, uint32_t selector);

/* --- Completions ----------------------------------------------------------------------------- */

#define HEARD_MAX 64u

/* What callbacks have been told. The last HEARD_MAX are kept. */
struct heard {
	unsigned count;
	IOReturn result[HEARD_MAX];
	uint32_t nr_args[HEARD_MAX];
	uint64_t args[HEARD_MAX][16];
};

void heard_0(void *refcon, IOReturn result);
void heard_1(void *refcon, IOReturn result, void *arg0);
void heard_2(void *refcon, IOReturn result, void *arg0, void *arg1);
void heard_n(void *refcon, IOReturn result, void **args, uint32_t nr_args);

/* Fills the reference words for a callback. */
#define REFERENCE(callback, heard_)                                                             \
	(uint64_t[kOSAsyncRef64Count]){0, (uint64_t)(uintptr_t)(callback), \
				       (uint64_t)(uintptr_t)(heard_)}

/* An asynchronous call with scalars. */
kern_return_t world_async(io_connect_t connect, uint32_t selector, IONotificationPortRef port,
			  uint64_t *reference, const uint64_t *input, size_t nr_input,
			  uint64_t *output, uint32_t nr_output);
/* CONTRACT_KEEP. @return the index. */
uint64_t world_keep(io_connect_t connect, IONotificationPortRef port, uint64_t *reference);
/* Dispatches until heard->count is wanted, or fails. */
void world_hear(IONotificationPortRef port, const struct heard *heard, unsigned wanted);
/* Dispatches what is there already and fails when heard->count changes. */
void world_hear_nothing(IONotificationPortRef port, const struct heard *heard);

/* --- Processes ------------------------------------------------------------------------------- */

/* Process of the driver behind a connection (the test's own in the loop). */
pid_t world_driver_pid(io_connect_t connect);
unsigned world_count_fds(pid_t pid);
/* Whether a thread of this process waits in the kernel. */
bool world_is_asleep(pid_t thread);

#endif

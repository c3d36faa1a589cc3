/* SPDX-License-Identifier: MIT
 *
 * app - sends a file through the Stream driver to a loopback device and compares what comes back.
 *
 *	dext run --device virtual:gadget-zero,speed=super Stream.dext -- stream-app FILE
 *
 * The buffers are the driver's, mapped here: a chunk of the file is copied into one, two numbers go
 * to the driver, and the device takes the bytes from the same pages.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <IOKit/IOKitLib.h>
#include <IOKit/IOMessage.h>

#include "stream.h"

enum { NR_BUFFERS = 8, BUFFER_BYTES = 256 * 1024 };

struct app {
	io_service_t service;
	io_connect_t connection;
	uint8_t *buffers[2 * STREAM_MAX_BUFFERS]; /* by memory type */
	const uint8_t *file;
	uint64_t length;   /* of the file */
	uint64_t sent;	   /* handed to the driver */
	uint64_t expected; /* asked back from the driver */
	uint64_t compared;
	uint64_t chunk_of[NR_BUFFERS]; /* where in the file the bytes of in buffer n belong */
	const char *failure; /* the step that failed first, or NULL */
	kern_return_t why;
};

/* Ends the run loop when a step failed. */
static void expect(struct app *app, const char *step, kern_return_t result)
{
	if (result == kIOReturnSuccess || app->failure != NULL)
		return;
	app->why = result;
	app->failure = step;
	CFRunLoopStop(CFRunLoopGetCurrent());
}

static uint64_t chunk_at(const struct app *app, uint64_t offset)
{
	uint64_t left = app->length - offset;

	return left < BUFFER_BYTES ? left : BUFFER_BYTES;
}

/* Gives out buffer n the next chunk of the file. */
static void send_next(struct app *app, uint64_t n)
{
	const uint64_t scalars[] = {n, chunk_at(app, app->sent)};

	if (scalars[1] == 0)
		return;
	memcpy(app->buffers[n], app->file + app->sent, scalars[1]);
	app->sent += scalars[1];
	expect(app, "send",
	       IOConnectCallScalarMethod(app->connection, STREAM_SEND, scalars, 2, NULL, NULL));
}

/* Asks for as many bytes as were or will be sent at this place. */
static void receive_next(struct app *app, uint64_t n)
{
	const uint64_t scalars[] = {n, chunk_at(app, app->expected)};

	if (scalars[1] == 0)
		return;
	app->chunk_of[n] = app->expected;
	app->expected += scalars[1];
	expect(app, "receive",
	       IOConnectCallScalarMethod(app->connection, STREAM_RECEIVE, scalars, 2, NULL, NULL));
}

/* One transfer is done. */
static void transfer_done(void *refcon, IOReturn status, void **arguments, uint32_t nr_arguments)
{
	struct app *app = refcon;

	if (status != kIOReturnSuccess || nr_arguments != STREAM_NR_ARGS) {
		expect(app, "transfer", status != 0 ? status : kIOReturnBadMessageID);
		return;
	}
	uint64_t type = (uintptr_t)arguments[STREAM_ARG_BUFFER];
	uint64_t bytes = (uintptr_t)arguments[STREAM_ARG_BYTES];
	if (type < STREAM_IN) {
		send_next(app, type);
		return;
	}
	uint64_t offset = app->chunk_of[type - STREAM_IN];
	if (bytes != chunk_at(app, offset) ||
	    memcmp(app->buffers[type], app->file + offset, bytes) != 0)
		expect(app, "other bytes came back", kIOReturnIOError);
	app->compared += bytes;
	if (app->compared == app->length)
		CFRunLoopStop(CFRunLoopGetCurrent());
	else
		receive_next(app, type - STREAM_IN);
}

/* The driver died, the device was unplugged, or only we were cut off: nothing more will complete. */
static void message(void *refcon, io_service_t sender, uint32_t type, void *argument)
{
	(void)sender;
	(void)argument;
	if (type == kIOMessageServiceIsTerminated)
		expect(refcon, "the driver is gone or has ended the connection", kIOReturnOffline);
}

static kern_return_t map_buffers(struct app *app)
{
	kern_return_t result = IOConnectCallScalarMethod(
		app->connection, STREAM_CONFIGURE, (uint64_t[]){NR_BUFFERS, BUFFER_BYTES}, 2, NULL, NULL);

	for (uint32_t n = 0; n < 2 * NR_BUFFERS && result == kIOReturnSuccess; n++) {
		uint32_t type = n < NR_BUFFERS ? n : STREAM_IN + n - NR_BUFFERS;
		mach_vm_address_t address = 0;
		mach_vm_size_t size = 0;

		result = IOConnectMapMemory64(app->connection, type, mach_task_self(), &address,
					      &size, kIOMapAnywhere);
		app->buffers[type] = (uint8_t *)(uintptr_t)address;
	}
	return result;
}

/* Everything from here on happens in callbacks on the run loop. */
static kern_return_t run(struct app *app, IONotificationPortRef port)
{
	io_async_ref64_t reference = {0};
	io_object_t interest = 0;
#if defined(__APPLE__)
	io_object_t sender = app->service; /* the end of one connection has no message */
#else
	io_object_t sender = app->connection;
#endif
	kern_return_t result = IOServiceAddInterestNotification(port, sender, kIOGeneralInterest, message,
								app, &interest);

	reference[kIOAsyncCalloutFuncIndex] = (io_user_reference_t)(uintptr_t)transfer_done;
	reference[kIOAsyncCalloutRefconIndex] = (io_user_reference_t)(uintptr_t)app;
	if (result == kIOReturnSuccess)
		result = IOConnectCallAsyncScalarMethod(
			app->connection, STREAM_COMPLETION, IONotificationPortGetMachPort(port),
			reference, kIOAsyncCalloutCount, NULL, 0, NULL, NULL);
	if (result == kIOReturnSuccess)
		result = map_buffers(app);
	if (result != kIOReturnSuccess)
		return result;
	CFRunLoopAddSource(CFRunLoopGetCurrent(), IONotificationPortGetRunLoopSource(port),
			   kCFRunLoopDefaultMode);
	for (uint64_t n = 0; n < NR_BUFFERS; n++) {
		receive_next(app, n);
		send_next(app, n);
	}
	if (app->failure == NULL)
		CFRunLoopRun();
	IOObjectRelease(interest);
	return kIOReturnSuccess;
}

int main(int argc, char **argv)
{
	struct app app = {0};
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;

	app.length = (uint64_t)lseek(fd, 0, SEEK_END); /* mmap() refuses what is no length */
	app.file = mmap(NULL, app.length, PROT_READ, MAP_PRIVATE, fd, 0);
	if (app.file == MAP_FAILED) {
		fprintf(stderr, "usage: stream-app FILE (one that can be read and is not empty)\n");
		return 2;
	}
	IONotificationPortRef port = IONotificationPortCreate(kIOMainPortDefault);
	app.service = IOServiceGetMatchingService(kIOMainPortDefault,
						  IOServiceNameMatching(STREAM_SERVICE_NAME));
	if (port == NULL || app.service == 0) {
		fprintf(stderr, "stream-app: no service " STREAM_SERVICE_NAME ", see dext list\n");
		return 1;
	}
	expect(&app, "open", IOServiceOpen(app.service, mach_task_self(), 0, &app.connection));
	if (app.failure == NULL)
		expect(&app, "start", run(&app, port));
	if (app.failure != NULL) {
		fprintf(stderr, "stream-app: %s: %s\n", app.failure, mach_error_string(app.why));
		return 1;
	}
	IOServiceClose(app.connection);
	IONotificationPortDestroy(port);
	IOObjectRelease(app.service);
	printf("%llu bytes went out and came back the same\n", (unsigned long long)app.compared);
	return 0;
}

/* SPDX-License-Identifier: MIT
 *
 * ending_test - a connection is ended by its driver while completions are outstanding: nobody who waits
 * for them waits for ever, in no way of waiting, and no completion is made up.
 *
 * Three ways to end: the driver terminates the user client and goes on (cut), the device goes
 * (unplug), the driver goes (death: killed where it is a process, else its service terminates). Three
 * ways to ask: not at all (plain), an interest in the connection, an interest in the service. The waits
 * have no limit of their own: one that is not ended runs into the limit of the test.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include <CoreFoundation/CFMachPort.h>
#include <dispatch/dispatch.h>

#include "support/world.h"

#define DEVICE "virtual:gadget-zero,speed=super"

enum how {
	CUT,
	UNPLUG,
	DEATH,
};

enum ask {
	PLAIN,
	CONNECTION,
	SERVICE,
};

struct scene {
	enum how how;
	enum ask ask;
	IONotificationPortRef port;
	io_service_t service;
	io_connect_t connect; /* the one that ends */
	io_connect_t other;   /* to the same driver */
	uint64_t device;
	pid_t waiter; /* thread that waits */
	io_object_t notification;
	struct heard unheard; /* the outstanding completion */
	atomic_uint nr_told;
	io_service_t told_of;
	CFRunLoopRef loop; /* to be stopped when told; NULL: none */
};

static void was_told(void *refcon, io_service_t service, uint32_t type, void *argument)
{
	struct scene *scene = refcon;

	CHECK_EQ(argument, NULL);
	if (type == kIOMessageServiceIsTerminated) {
		scene->told_of = service;
		atomic_fetch_add(&scene->nr_told, 1);
		if (scene->loop != NULL) {
			CFRunLoopStop(scene->loop);
		}
	}
}

static bool is_told(void *argument)
{
	return atomic_load(&((struct scene *)argument)->nr_told) > 0;
}

static void subscribe(struct scene *scene)
{
	io_service_t of = scene->ask == CONNECTION ? scene->connect : scene->service;

	if (scene->ask != PLAIN) {
		CHECK_EQ(IOServiceAddInterestNotification(scene->port, of, kIOGeneralInterest,
							  was_told, scene, &scene->notification),
			 kIOReturnSuccess);
	}
}

static void set_up(struct scene *scene)
{
	const char *name = scene->how == UNPLUG ? CONTRACT_USB : CONTRACT_SERVICE;

	if (scene->how == UNPLUG) {
		scene->device = world_attach(DEVICE);
	}
	scene->port = IONotificationPortCreate(kIOMainPortDefault);
	scene->service = world_service(name);
	scene->connect = world_open_type(name, CONTRACT_OPEN);
	scene->other = world_open();
	(void)world_keep(scene->connect, scene->port, REFERENCE(heard_0, &scene->unheard));
	subscribe(scene);
	CHECK_EQ(IOConnectGetState(scene->connect), kIOReturnSuccess);
	scene->waiter = gettid();
}

static bool has_ended(void *argument)
{
	return IOConnectGetState(((struct scene *)argument)->connect) != kIOReturnSuccess;
}

static void clean_up(struct scene *scene)
{
	bool is_dead = scene->how == DEATH;

	/* A service can be told to have ended before its connections have. */
	CHECK(test_wait_until(has_ended, scene, WORLD_WAIT_MS));
	CHECK_EQ(scene->unheard.count, 0);
	CHECK_EQ(IOConnectGetState(scene->connect), is_dead && world_is_process()
							    ? kIOReturnOffline
							    : kIOReturnNotAttached);
	CHECK_NE(TRY(scene->connect, CONTRACT_LEAVE_OUTPUT), kIOReturnSuccess);
	if (!is_dead) {
		CHECK_EQ(IOConnectGetState(scene->other), kIOReturnSuccess);
		CHECK_EQ(GET(scene->other, CONTRACT_ADD, 20, 22), 42);
	}
	if (scene->ask != PLAIN) {
		CHECK_EQ(atomic_load(&scene->nr_told), 1);
		CHECK_EQ(scene->told_of,
			 scene->ask == CONNECTION ? scene->connect : scene->service);
		CHECK_EQ(IOObjectRelease(scene->notification), kIOReturnSuccess);
	}
	world_close(scene->connect);
	world_close(scene->other);
	CHECK_EQ(IOObjectRelease(scene->service), kIOReturnSuccess);
	IONotificationPortDestroy(scene->port);
}

/* The calls that end a connection may return before or because of that. */
static void end_connection(const struct scene *scene)
{
	if (scene->how == UNPLUG) {
		world_detach(scene->device);
	} else if (scene->how == CUT) {
		(void)TRY(scene->connect, CONTRACT_TERMINATE_CLIENT);
	} else if (world_is_process()) {
		(void)TRY(scene->connect, CONTRACT_CRASH, 1);
	} else {
		(void)TRY(scene->connect, CONTRACT_TERMINATE);
	}
}

static bool is_asleep(void *argument)
{
	return world_is_asleep(((struct scene *)argument)->waiter);
}

static void *end_when_asleep(void *argument)
{
	CHECK(test_wait_until(is_asleep, argument, WORLD_WAIT_MS));
	end_connection(argument);
	return NULL;
}

/* --- Ways to wait ---------------------------------------------------------------------------- */

static void wait_dispatch(struct scene *scene)
{
	if (scene->ask != SERVICE) { /* nothing else comes */
		CHECK_EQ(IONotificationPortDispatch(scene->port, -1), scene->ask == CONNECTION);
		return;
	}
	while (!is_told(scene)) {
		CHECK_GE(IONotificationPortDispatch(scene->port, -1), 0);
	}
}

static void wait_descriptor(struct scene *scene)
{
	struct pollfd entry = {.fd = IONotificationPortGetFileDescriptor(scene->port),
			       .events = POLLIN};

	while (scene->ask == PLAIN ? IOConnectGetState(scene->connect) == kIOReturnSuccess
				   : !is_told(scene)) {
		CHECK_EQ(poll(&entry, 1, -1), 1);
		CHECK_GE(IONotificationPortDispatch(scene->port, 0), 0);
	}
}

static void add_to_loop(struct scene *scene)
{
	CFRunLoopAddSource(CFRunLoopGetCurrent(), IONotificationPortGetRunLoopSource(scene->port),
			   kCFRunLoopDefaultMode);
}

static void wait_one_source(struct scene *scene)
{
	add_to_loop(scene);
	do {
		CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopDefaultMode, 1e9, true),
			 kCFRunLoopRunHandledSource);
	} while (scene->ask != PLAIN && !is_told(scene));
	if (scene->ask == PLAIN) {
		CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopDefaultMode, 1e9, true),
			 kCFRunLoopRunFinished);
	}
}

static void wait_run(struct scene *scene)
{
	add_to_loop(scene);
	scene->loop = scene->ask == PLAIN ? NULL : CFRunLoopGetCurrent();
	CFRunLoopRun();
}

static void take_message(CFMachPortRef port, void *message, CFIndex size, void *info)
{
	(void)port;
	(void)size;
	(void)info;
	IODispatchCalloutFromMessage(NULL, message, NULL);
}

static void wait_mach_port(struct scene *scene)
{
	CFMachPortRef port = CFMachPortCreateWithPort(
		NULL, IONotificationPortGetMachPort(scene->port), take_message, NULL, NULL);
	CFRunLoopSourceRef source = CFMachPortCreateRunLoopSource(NULL, port, 0);

	CFRunLoopAddSource(CFRunLoopGetCurrent(), source, kCFRunLoopDefaultMode);
	scene->loop = scene->ask == PLAIN ? NULL : CFRunLoopGetCurrent();
	CFRunLoopRun();
	CFRunLoopSourceInvalidate(source);
	CFRelease(source);
	CFRelease(port);
}

static void wait_message(struct scene *scene)
{
	mach_port_t port = IONotificationPortGetMachPort(scene->port);
	struct {
		_Alignas(8) mach_msg_header_t head;
		unsigned char rest[512];
	} message;
	mach_msg_return_t result = MACH_MSG_SUCCESS;

	do {
		result = mach_msg(&message.head, MACH_RCV_MSG, 0, sizeof(message), port, 0,
				  MACH_PORT_NULL);
		if (result == MACH_MSG_SUCCESS) {
			IODispatchCalloutFromMessage(NULL, &message.head, NULL);
		} else {
			CHECK_EQ(result, MACH_RCV_PORT_CHANGED);
		}
	} while (scene->ask == PLAIN ? result == MACH_MSG_SUCCESS : !is_told(scene));
	if (scene->ask == CONNECTION) {
		CHECK_EQ(result, MACH_MSG_SUCCESS);
	}
}

/* Without a subscription a queue hears nothing; the program looks. */
static void wait_queue(struct scene *scene)
{
	dispatch_queue_t queue = dispatch_queue_create("ending", NULL);

	IONotificationPortSetDispatchQueue(scene->port, queue);
	CHECK(test_wait_until(scene->ask == PLAIN ? has_ended : is_told, scene, WORLD_WAIT_MS));
	IONotificationPortSetDispatchQueue(scene->port, NULL);
	dispatch_release(queue);
}

static void play_before(enum how how, enum ask ask, void (*wait)(struct scene *))
{
	struct scene scene = {.how = how, .ask = ask};

	set_up(&scene);
	end_connection(&scene);
	wait(&scene);
	clean_up(&scene);
}

static void play_into(enum how how, enum ask ask, void (*wait)(struct scene *))
{
	struct scene scene = {.how = how, .ask = ask};
	pthread_t thread;

	set_up(&scene);
	CHECK_EQ(pthread_create(&thread, NULL, end_when_asleep, &scene), 0);
	wait(&scene);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	clean_up(&scene);
}

/* The end comes before the wait, and into it; a driver dies once. */
static void play(enum how how, enum ask ask, void (*wait)(struct scene *))
{
	if (how != DEATH) {
		play_before(how, ask, wait);
	}
	play_into(how, ask, wait);
}

static bool are_closed(void *argument)
{
	return test_count_fds() == *(unsigned *)argument;
}

/* The thread behind a dispatch queue ends some time after its port. */
static void play_in_world(enum how how, enum ask ask, void (*wait)(struct scene *))
{
	unsigned nr_fds = test_count_fds();

	world_start();
	play(how, ask, wait);
	world_stop();
	CHECK(test_wait_until(are_closed, &nr_fds, WORLD_WAIT_MS));
}

#define ENDING(name, how, ask, way)                  \
	TEST_SECONDS(ending_##name##_##way, 60)      \
	{                                            \
		play_in_world(how, ask, wait_##way); \
	}
#define ENDINGS(way)                                                 \
	ENDING(cut, CUT, PLAIN, way)                                 \
	ENDING(cut_asked_of_connection, CUT, CONNECTION, way)        \
	ENDING(unplug, UNPLUG, PLAIN, way)                           \
	ENDING(unplug_asked_of_connection, UNPLUG, CONNECTION, way)  \
	ENDING(unplug_asked_of_service, UNPLUG, SERVICE, way)        \
	ENDING(death, DEATH, PLAIN, way)                             \
	ENDING(death_asked_of_connection, DEATH, CONNECTION, way)    \
	ENDING(death_asked_of_service, DEATH, SERVICE, way)

ENDINGS(dispatch)
ENDINGS(descriptor)
ENDINGS(one_source)
ENDINGS(run)
ENDINGS(mach_port)
ENDINGS(message)
ENDINGS(queue)

/* --- The program closes one connection while another thread waits for a second one ------------- */

struct closing {
	IONotificationPortRef port;
	io_connect_t connect; /* closed while the waiter sleeps */
	io_connect_t other;   /* then this one's completion comes */
	uint64_t kept;
	pid_t waiter;
	CFRunLoopRef loop;
	atomic_uint nr_heard;
	atomic_uint nr_told;
	struct heard unheard;
};

static void hear_other(void *refcon, IOReturn result)
{
	struct closing *closing = refcon;

	CHECK_EQ(result, kIOReturnSuccess);
	atomic_fetch_add(&closing->nr_heard, 1);
	if (closing->loop != NULL) {
		CFRunLoopStop(closing->loop);
	}
}

static void told_of_closed(void *refcon, io_service_t service, uint32_t type, void *argument)
{
	(void)service;
	(void)type;
	(void)argument;
	atomic_fetch_add(&((struct closing *)refcon)->nr_told, 1);
}

static bool has_heard(void *argument)
{
	return atomic_load(&((struct closing *)argument)->nr_heard) > 0;
}

static bool closing_waiter_is_asleep(void *argument)
{
	return world_is_asleep(((struct closing *)argument)->waiter);
}

static void *close_then_fire(void *argument)
{
	struct closing *closing = argument;

	CHECK(test_wait_until(closing_waiter_is_asleep, closing, WORLD_WAIT_MS));
	world_close(closing->connect);
	DO(closing->other, CONTRACT_FIRE, closing->kept, 0, 0, 1, 0);
	return NULL;
}

static void hear_dispatch(struct closing *closing)
{
	while (!has_heard(closing)) {
		CHECK_GE(IONotificationPortDispatch(closing->port, -1), 0);
	}
}

static void hear_descriptor(struct closing *closing)
{
	struct pollfd entry = {.fd = IONotificationPortGetFileDescriptor(closing->port),
			       .events = POLLIN};

	while (!has_heard(closing)) {
		CHECK_EQ(poll(&entry, 1, -1), 1);
		CHECK_GE(IONotificationPortDispatch(closing->port, 0), 0);
	}
}

static void hear_one_source(struct closing *closing)
{
	CFRunLoopAddSource(CFRunLoopGetCurrent(), IONotificationPortGetRunLoopSource(closing->port),
			   kCFRunLoopDefaultMode);
	CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopDefaultMode, 1e9, true), kCFRunLoopRunHandledSource);
}

static void hear_run(struct closing *closing)
{
	CFRunLoopAddSource(CFRunLoopGetCurrent(), IONotificationPortGetRunLoopSource(closing->port),
			   kCFRunLoopDefaultMode);
	closing->loop = CFRunLoopGetCurrent();
	CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopDefaultMode, 1e9, false), kCFRunLoopRunStopped);
}

static void hear_message(struct closing *closing)
{
	struct {
		_Alignas(8) mach_msg_header_t head;
		unsigned char rest[512];
	} message;

	CHECK_EQ(mach_msg(&message.head, MACH_RCV_MSG, 0, sizeof(message),
			  IONotificationPortGetMachPort(closing->port), 0, MACH_PORT_NULL),
		 MACH_MSG_SUCCESS);
	IODispatchCalloutFromMessage(NULL, &message.head, NULL);
}

static void hear_queue(struct closing *closing)
{
	dispatch_queue_t queue = dispatch_queue_create("closing", NULL);

	IONotificationPortSetDispatchQueue(closing->port, queue);
	CHECK(test_wait_until(has_heard, closing, WORLD_WAIT_MS));
	IONotificationPortSetDispatchQueue(closing->port, NULL);
	dispatch_release(queue);
}

static void play_closing(void (*hear)(struct closing *))
{
	struct closing closing = {.port = IONotificationPortCreate(kIOMainPortDefault),
				  .connect = world_open(),
				  .other = world_open(),
				  .waiter = gettid()};
	io_object_t notification = IO_OBJECT_NULL;
	pthread_t thread;

	closing.kept = world_keep(closing.other, closing.port, REFERENCE(hear_other, &closing));
	(void)world_keep(closing.connect, closing.port, REFERENCE(heard_0, &closing.unheard));
	CHECK_EQ(IOServiceAddInterestNotification(closing.port, closing.connect, kIOGeneralInterest,
						  told_of_closed, &closing, &notification),
		 kIOReturnSuccess);
	CHECK_EQ(pthread_create(&thread, NULL, close_then_fire, &closing), 0);
	hear(&closing);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(atomic_load(&closing.nr_heard), 1);
	CHECK_EQ(atomic_load(&closing.nr_told) + closing.unheard.count, 0);
	CHECK_EQ(IOObjectRelease(notification), kIOReturnSuccess);
	world_close(closing.other);
	IONotificationPortDestroy(closing.port);
}

#define CLOSING(way)                                           \
	TEST_SECONDS(ending_closed_beside_##way, 60)           \
	{                                                      \
		unsigned nr_fds = test_count_fds();            \
		world_start();                                 \
		play_closing(hear_##way);                      \
		world_stop();                                  \
		CHECK(test_wait_until(are_closed, &nr_fds, WORLD_WAIT_MS)); \
	}

CLOSING(dispatch)
CLOSING(descriptor)
CLOSING(one_source)
CLOSING(run)
CLOSING(message)
CLOSING(queue)

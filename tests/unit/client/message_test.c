/* SPDX-License-Identifier: MIT
 *
 * message_test - deliveries as messages: taking them, their layout, calling back from them.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <CoreFoundation/CoreFoundation.h>
#include <IOKit/IOKitLib.h>

#include "client/message.h"
#include "client/port.h"
#include "test.h"

static struct {
	unsigned nr_calls;
	void *refcon;
	IOReturn result;
	uint64_t args[16];
	uint32_t nr_args;
} heard;

static void hear_0(void *refcon, IOReturn result)
{
	heard.nr_calls++;
	heard.refcon = refcon;
	heard.result = result;
	heard.nr_args = 0;
}

static void hear_1(void *refcon, IOReturn result, void *arg0)
{
	hear_0(refcon, result);
	heard.args[0] = (uint64_t)(uintptr_t)arg0;
	heard.nr_args = 1;
}

static void hear_2(void *refcon, IOReturn result, void *arg0, void *arg1)
{
	hear_1(refcon, result, arg0);
	heard.args[1] = (uint64_t)(uintptr_t)arg1;
	heard.nr_args = 2;
}

static void hear_n(void *refcon, IOReturn result, void **args, uint32_t nr_args)
{
	hear_0(refcon, result);
	for (uint32_t i = 0; i < nr_args; i++) {
		heard.args[i] = (uint64_t)(uintptr_t)args[i];
	}
	heard.nr_args = nr_args;
}

static void hear_matching(void *refcon, io_iterator_t iterator)
{
	hear_0(refcon, 0);
	heard.args[0] = iterator;
}

static void hear_interest(void *refcon, io_service_t service, uint32_t type, void *argument)
{
	hear_0(refcon, (IOReturn)type);
	heard.args[0] = service;
	heard.args[1] = (uint64_t)(uintptr_t)argument;
}

/* A completion with its callback in function, as connection.c describes one. */
static void tell(const struct dx_delivery *delivery, struct dx_notice *ret_notice)
{
	ret_notice->type = kIOAsyncCompletionNotificationType;
	ret_notice->reference[kIOAsyncCalloutFuncIndex] = delivery->function;
	ret_notice->reference[kIOAsyncCalloutRefconIndex] = delivery->refcon;
	ret_notice->reference[7] = 77;
	ret_notice->content_bytes = 4 + 8 * delivery->nr_args;
	memcpy(ret_notice->content, &delivery->result, 4);
	memcpy(ret_notice->content + 4, delivery->args, 8 * delivery->nr_args);
}

static mach_port_t make_port(void)
{
	mach_port_t port = MACH_PORT_NULL;

	CHECK_EQ(IOCreateReceivePort(kOSAsyncCompleteMessageID, &port), kIOReturnSuccess);
	return port;
}

static void push(mach_port_t name, uintptr_t function, uint32_t nr_args)
{
	struct IONotificationPort *port = dx_names_get(name, &dx_port_class);
	struct dx_delivery delivery = {.tell = tell,
				       .function = function,
				       .refcon = 5,
				       .result = kIOReturnBusy,
				       .nr_args = nr_args};

	for (uint32_t i = 0; i < nr_args; i++) {
		delivery.args[i] = 100 + i;
	}
	CHECK_EQ(dx_port_push(port, &delivery), 0);
	(void)dx_object_unref(port);
}

static mach_msg_return_t receive(mach_port_t port, void *message, uint32_t bytes, int more)
{
	return mach_msg(message, MACH_RCV_MSG | MACH_RCV_TIMEOUT | more, 0, bytes, port, 0,
			MACH_PORT_NULL);
}

TEST(message_has_the_layout_of_a_notification)
{
	mach_port_t port = make_port();
	_Alignas(8) unsigned char bytes[512];
	const mach_msg_header_t *head = (const void *)bytes;
	struct OSNotificationHeader64 middle;
	mach_msg_trailer_t trailer;
	uint64_t arg = 0;

	push(port, 0x1234, 2);
	memset(bytes, 0xff, sizeof(bytes));
	CHECK_EQ(receive(port, bytes, sizeof(bytes), 0), MACH_MSG_SUCCESS);
	CHECK_EQ(head->msgh_id, kOSNotificationMessageID);
	CHECK_EQ(head->msgh_bits & MACH_MSGH_BITS_COMPLEX, 0);
	CHECK_EQ(head->msgh_local_port, port);
	CHECK_EQ(head->msgh_size, 24 + 72 + 4 + 16);
	memcpy(&middle, bytes + 24, 72);
	CHECK_EQ(middle.type, kIOAsyncCompletionNotificationType);
	CHECK_EQ(middle.size, 20);
	CHECK_EQ(middle.reference[0], 0);
	CHECK_EQ(middle.reference[kIOAsyncCalloutFuncIndex], 0x1234);
	CHECK_EQ(middle.reference[7], 77);
	memcpy(&arg, bytes + 24 + 72 + 4 + 8, sizeof(arg));
	CHECK_EQ(arg, 101);
	memcpy(&trailer, bytes + head->msgh_size, sizeof(trailer));
	CHECK_EQ(trailer.msgh_trailer_size, 8);
	CHECK_EQ(receive(port, bytes, sizeof(bytes), 0), MACH_RCV_TIMED_OUT);
	CHECK_EQ(mach_port_deallocate(mach_task_self(), port), KERN_SUCCESS);
}

TEST(message_that_is_too_long_goes_or_stays)
{
	mach_port_t port = make_port();
	_Alignas(8) unsigned char bytes[512];
	const uint32_t exactly = 24 + 72 + 4 + 8 * 16 + 8;

	push(port, 1, 16);
	push(port, 1, 16);
	CHECK_EQ(receive(port, bytes, exactly - 1, MACH_RCV_LARGE), MACH_RCV_TOO_LARGE);
	CHECK_EQ(receive(port, bytes, exactly, MACH_RCV_LARGE), MACH_MSG_SUCCESS);
	CHECK_EQ(receive(port, bytes, exactly - 1, 0), MACH_RCV_TOO_LARGE);
	CHECK_EQ(receive(port, bytes, exactly, 0), MACH_RCV_TIMED_OUT);
	CHECK_EQ(IOObjectRelease(port), kIOReturnSuccess);
}

TEST(receive_arguments_are_checked)
{
	mach_port_t port = make_port();
	mach_msg_header_t head = {0};
	mach_port_t none = 0x77;

	CHECK_EQ(IOCreateReceivePort(kOSNotificationMessageID + 1, &none), kIOReturnBadArgument);
	CHECK_EQ(IOCreateReceivePort(kOSNotificationMessageID, NULL), kIOReturnBadArgument);
	CHECK_EQ(none, 0x77);
	CHECK_EQ(mach_msg(&head, MACH_SEND_MSG, sizeof(head), 0, port, 0, 0),
		 MACH_SEND_INVALID_DEST);
	CHECK_EQ(mach_msg(&head, MACH_MSG_OPTION_NONE, 0, 0, port, 0, 0), MACH_MSG_SUCCESS);
	CHECK_EQ(receive(0x12345, &head, sizeof(head), 0), MACH_RCV_INVALID_NAME);
	CHECK_EQ(receive(port, NULL, 0, 0), MACH_RCV_INVALID_NAME);
	CHECK_EQ(mach_port_deallocate(mach_task_self(), port), KERN_SUCCESS);
	CHECK_EQ(receive(port, &head, sizeof(head), 0), MACH_RCV_INVALID_NAME);
}

static void *wait_for_message(void *port)
{
	_Alignas(8) unsigned char bytes[512];

	return (void *)(uintptr_t)(uint32_t)mach_msg((void *)bytes, MACH_RCV_MSG, 0, sizeof(bytes),
						     (mach_port_t)(uintptr_t)port, 0, 0);
}

TEST(receive_waits_for_a_message)
{
	mach_port_t port = make_port();
	pthread_t thread;
	void *result = NULL;

	CHECK_EQ(pthread_create(&thread, NULL, wait_for_message, (void *)(uintptr_t)port), 0);
	push(port, 1, 1);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK_EQ((uintptr_t)result, MACH_MSG_SUCCESS);
	CHECK_EQ(mach_port_deallocate(mach_task_self(), port), KERN_SUCCESS);
}

/* Whether the thread waits already or comes after the end: it does not wait for ever. */
TEST(receive_ends_when_the_port_goes)
{
	mach_port_t port = make_port();
	pthread_t thread;
	void *result = NULL;

	CHECK_EQ(pthread_create(&thread, NULL, wait_for_message, (void *)(uintptr_t)port), 0);
	CHECK_EQ(mach_port_deallocate(mach_task_self(), port), KERN_SUCCESS);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK((uintptr_t)result == MACH_RCV_PORT_DIED ||
	      (uintptr_t)result == MACH_RCV_INVALID_NAME);
}

TEST(completion_is_called_in_the_form_of_its_arguments)
{
	mach_port_t port = make_port();
	_Alignas(8) unsigned char bytes[512];
	const uintptr_t forms[] = {(uintptr_t)hear_0, (uintptr_t)hear_1, (uintptr_t)hear_2,
				   (uintptr_t)hear_n, (uintptr_t)hear_n};
	const uint32_t counts[] = {0, 1, 2, 3, 16};

	for (unsigned i = 0; i < 5; i++) {
		push(port, forms[i], counts[i]);
		CHECK_EQ(receive(port, bytes, sizeof(bytes), 0), MACH_MSG_SUCCESS);
		IODispatchCalloutFromMessage(NULL, (void *)bytes, NULL);
		CHECK_EQ(heard.nr_calls, i + 1);
		CHECK_EQ((uintptr_t)heard.refcon, 5);
		CHECK_EQ(heard.result, kIOReturnBusy);
		CHECK_EQ(heard.nr_args, counts[i]);
		CHECK(counts[i] == 0 || heard.args[counts[i] - 1] == 99 + counts[i]);
	}
	push(port, 0, 0); /* nobody to call */
	CHECK_EQ(receive(port, bytes, sizeof(bytes), 0), MACH_MSG_SUCCESS);
	IODispatchCalloutFromMessage(NULL, (void *)bytes, NULL);
	CHECK_EQ(heard.nr_calls, 5);
	CHECK_EQ(mach_port_deallocate(mach_task_self(), port), KERN_SUCCESS);
}

/* A notification that somebody else made. */
struct made {
	mach_msg_header_t head;
	uint32_t size;
	uint32_t type;
	uint64_t reference[8];
	struct IOServiceInterestContent64 content;
};

static struct made make(uint32_t type, uintptr_t callback)
{
	return (struct made){
		.head = {.msgh_id = kOSNotificationMessageID,
			 .msgh_size = 24 + 72 + 12,
			 .msgh_remote_port = 3},
		.size = 12,
		.type = type,
		.reference = {9, callback, 5, 4},
		.content = {.messageType = 0x110, .messageArgument = {6}},
	};
}

TEST(matching_and_interest_are_called_from_messages)
{
	struct made made = make(kIOServiceMatchedNotificationType, (uintptr_t)hear_matching);

	IODispatchCalloutFromMessage(NULL, &made.head, NULL);
	CHECK_EQ(heard.nr_calls, 1);
	CHECK_EQ(heard.args[0], 3);
	made = make(kIOServiceMessageNotificationType, (uintptr_t)hear_interest);
	IODispatchCalloutFromMessage(NULL, &made.head, NULL);
	CHECK_EQ(heard.nr_calls, 2);
	CHECK_EQ((uintptr_t)heard.refcon, 5);
	CHECK_EQ(heard.result, 0x110);
	CHECK_EQ(heard.args[0], 4);
	CHECK_EQ(heard.args[1], 6);
}

TEST(messages_that_are_no_notifications_are_ignored)
{
	struct made made = make(kLastIOKitNotificationType, (uintptr_t)hear_matching);

	IODispatchCalloutFromMessage(NULL, NULL, NULL);
	IODispatchCalloutFromMessage(NULL, &made.head, NULL); /* of a kind nobody knows */
	made = make(kIOServiceMessageNotificationType, (uintptr_t)hear_interest);
	made.size = 11; /* cut */
	IODispatchCalloutFromMessage(NULL, &made.head, NULL);
	made.size = 13; /* more than the message */
	IODispatchCalloutFromMessage(NULL, &made.head, NULL);
	made = make(kIOAsyncCompletionNotificationType, (uintptr_t)hear_0);
	made.size = 3;
	IODispatchCalloutFromMessage(NULL, &made.head, NULL);
	made = make(kIOServiceMatchedNotificationType | 3u << kIOKitNoticationTypeSizeAdjShift,
		    (uintptr_t)hear_matching);
	made.size = 2; /* less than its padding */
	IODispatchCalloutFromMessage(NULL, &made.head, NULL);
	made = make(kIOServiceMatchedNotificationType, (uintptr_t)hear_matching);
	made.head.msgh_id = 1;
	IODispatchCalloutFromMessage(NULL, &made.head, NULL);
	made.head.msgh_id = kOSNotificationMessageID;
	made.head.msgh_size = 95;
	IODispatchCalloutFromMessage(NULL, &made.head, NULL);
	CHECK_EQ(heard.nr_calls, 0);
}

TEST(parts_of_a_message_are_found)
{
	struct made made =
		make(kIOServiceMessageNotificationType | 1u << kIOKitNoticationTypeSizeAdjShift, 1);
	uint32_t type = 0;
	uintptr_t reference = 0;
	void *content = NULL;
	vm_size_t size = 0;

	CHECK_EQ(OSGetNotificationFromMessage(&made.head, 0, &type, &reference, &content, &size),
		 kIOReturnSuccess);
	CHECK_EQ(type, kIOServiceMessageNotificationType);
	CHECK_EQ(reference, 9);
	CHECK(content == &made.content);
	CHECK_EQ(size, 11);
	CHECK_EQ(OSGetNotificationFromMessage(&made.head, 0, NULL, NULL, NULL, NULL),
		 kIOReturnSuccess);
	CHECK_EQ(OSGetNotificationFromMessage(&made.head, 1, NULL, NULL, NULL, NULL),
		 kIOReturnNotFound);
	CHECK_EQ(OSGetNotificationFromMessage(NULL, 0, NULL, NULL, NULL, NULL),
		 kIOReturnBadArgument);
	made = make(kIOServiceMatchedNotificationType, 1);
	made.size = 0;
	CHECK_EQ(OSGetNotificationFromMessage(&made.head, 0, NULL, NULL, &content, &size),
		 kIOReturnSuccess);
	CHECK(content == NULL);
	CHECK_EQ(size, 0);
}

/* --- CFMachPort ------------------------------------------------------------------------------ */

static unsigned nr_messages;
static int nr_retained;

static void take_message(CFMachPortRef port, void *message, CFIndex size, void *info)
{
	const mach_msg_header_t *head = message;

	CHECK_EQ(head->msgh_local_port, CFMachPortGetPort(port));
	CHECK_EQ(size, head->msgh_size);
	CHECK(info == &nr_retained);
	nr_messages++;
	IODispatchCalloutFromMessage(NULL, message, NULL);
}

static const void *count_retain(const void *info)
{
	nr_retained++;
	return info;
}

static void count_release(const void *info)
{
	(void)info;
	nr_retained--;
}

TEST(mach_port_of_a_run_loop_takes_messages)
{
	mach_port_t name = make_port();
	CFMachPortContext context = {
		.info = &nr_retained, .retain = count_retain, .release = count_release};
	CFMachPortContext copy = {0};
	Boolean should_free = 1;
	CFMachPortRef port =
		CFMachPortCreateWithPort(NULL, name, take_message, &context, &should_free);
	CFRunLoopSourceRef source = CFMachPortCreateRunLoopSource(NULL, port, 0);

	CHECK(!should_free);
	CHECK_EQ(CFGetTypeID(port), CFMachPortGetTypeID());
	CHECK_EQ(CFMachPortGetPort(port), name);
	CFMachPortGetContext(port, &copy);
	CHECK(copy.info == &nr_retained && nr_retained == 1);
	CFRunLoopAddSource(CFRunLoopGetCurrent(), source, kCFRunLoopDefaultMode);
	push(name, (uintptr_t)hear_1, 1);
	push(name, (uintptr_t)hear_2, 2);
	while (nr_messages < 2) {
		CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopDefaultMode, 10, 1),
			 kCFRunLoopRunHandledSource);
	}
	CHECK_EQ(heard.nr_calls, 2);
	CFMachPortInvalidate(port);
	CHECK(!CFMachPortIsValid(port));
	push(name, (uintptr_t)hear_1, 1);
	CHECK_EQ(CFRunLoopRunInMode(kCFRunLoopDefaultMode, 0, 1), kCFRunLoopRunTimedOut);
	CHECK_EQ(nr_messages, 2);
	CHECK(CFMachPortCreateRunLoopSource(NULL, port, 0) == NULL);
	CFRunLoopSourceInvalidate(source);
	CFRelease(source);
	CFRelease(port);
	CHECK_EQ(nr_retained, 0);
	CHECK(CFMachPortCreateWithPort(NULL, 0x4711, take_message, NULL, NULL) == NULL);
	CHECK_EQ(mach_port_deallocate(mach_task_self(), name), KERN_SUCCESS);
}

/* SPDX-License-Identifier: MIT
 *
 * message - see message.h.
 */
#include "client/message.h"

#include <errno.h>
#include <string.h>

#include <IOKit/IOKitLib.h>

#include "base/ioreturn.h"
#include "client/port.h"

#define HEAD_BYTES    sizeof(struct OSNotificationHeader64)
#define CONTENT_AT    (sizeof(mach_msg_header_t) + HEAD_BYTES)
#define TRAILER_BYTES sizeof(mach_msg_trailer_t)

_Static_assert(sizeof(mach_msg_header_t) == 24 && HEAD_BYTES == 72 && TRAILER_BYTES == 8,
	       "the byte map");

static const struct dx_class further_words_class = {
	.name = "further words of a call",
	.instance_size = sizeof(struct dx_further_words),
};

int dx_further_words_new(const uint64_t *reference, struct dx_further_words **ret_words)
{
	struct dx_further_words *made = NULL;
	uint64_t any = 0;

	for (unsigned i = kIOAsyncCalloutCount; i < kOSAsyncRef64Count; i++) {
		any |= reference[i];
	}
	if (any != 0) {
		made = dx_object_new(&further_words_class);
		if (made == NULL) {
			return -ENOMEM;
		}
		memcpy(made->words, reference + kIOAsyncCalloutCount, sizeof(made->words));
	}
	*ret_words = made;
	return 0;
}

/* --- taking messages ------------------------------------------------------------------------- */

static uint32_t padding_of(const struct dx_notice *notice)
{
	return (0u - notice->content_bytes) & kIOKitNoticationMsgSizeMask;
}

static size_t bytes_of(const struct dx_notice *notice)
{
	return CONTENT_AT + notice->content_bytes + padding_of(notice);
}

/* The buffer has room for bytes_of() and the trailer. */
static void write_message(const struct IONotificationPort *port, const struct dx_notice *notice,
			  unsigned char *buffer)
{
	const size_t length = bytes_of(notice);
	const mach_msg_header_t head = {
		.msgh_size = (mach_msg_size_t)length,
		.msgh_remote_port = notice->remote_port,
		.msgh_local_port = port->name,
		.msgh_id = kOSNotificationMessageID,
	};
	const mach_msg_trailer_t trailer = {.msgh_trailer_size = TRAILER_BYTES};
	struct OSNotificationHeader64 middle = {
		.size = notice->content_bytes + padding_of(notice),
		.type = notice->type |
			(natural_t)padding_of(notice) << kIOKitNoticationTypeSizeAdjShift,
	};

	memcpy(middle.reference, notice->reference, sizeof(middle.reference));
	memset(buffer, 0, length);
	memcpy(buffer, &head, sizeof(head));
	memcpy(buffer + sizeof(head), &middle, HEAD_BYTES);
	memcpy(buffer + CONTENT_AT, notice->content, notice->content_bytes);
	memcpy(buffer + length, &trailer, sizeof(trailer));
}

int32_t dx_message_receive(struct IONotificationPort *port, uint32_t options, void *buffer,
			   uint32_t capacity, int timeout_ms)
{
	struct dx_delivery delivery;
	struct dx_notice notice = {0};
	int error = 0;

	do {
		error = dx_port_take(port, timeout_ms, &delivery);
		if (error == 0 && delivery.tell == NULL) {
			(void)dx_object_unref(delivery.object); /* always NULL */
		}
	} while (error == 0 && delivery.tell == NULL);
	if (error < 0) {
		return error == -ESHUTDOWN	? MACH_RCV_PORT_DIED
		       : error == -ECONNRESET ? MACH_RCV_PORT_CHANGED
					      : MACH_RCV_TIMED_OUT;
	}
	delivery.tell(&delivery, &notice);
	bool fits = bytes_of(&notice) + TRAILER_BYTES <= capacity;
	if (fits) {
		write_message(port, &notice, buffer);
	}
	/* Without MACH_RCV_LARGE a message that is too long is gone. */
	if (fits || (options & MACH_RCV_LARGE) == 0 || dx_port_put_back(port, &delivery) < 0) {
		(void)dx_object_unref(delivery.object); /* always NULL */
	}
	return fits ? MACH_MSG_SUCCESS : MACH_RCV_TOO_LARGE;
}

mach_msg_return_t mach_msg(mach_msg_header_t *msg, mach_msg_option_t option,
			   mach_msg_size_t send_size, mach_msg_size_t rcv_size,
			   mach_port_name_t rcv_name, mach_msg_timeout_t timeout,
			   mach_port_name_t notify)
{
	int timeout_ms = (option & MACH_RCV_TIMEOUT) == 0 ? -1
			 : timeout > INT32_MAX		  ? INT32_MAX
							  : (int)timeout;

	(void)send_size;
	(void)notify;
	if ((option & MACH_SEND_MSG) != 0) {
		return MACH_SEND_INVALID_DEST; /* nothing here takes messages of programs */
	}
	if ((option & MACH_RCV_MSG) == 0) {
		return MACH_MSG_SUCCESS;
	}
	struct IONotificationPort *port = dx_names_get(rcv_name, &dx_port_class);
	if (port == NULL || msg == NULL) {
		(void)dx_object_unref(port); /* always NULL */
		return MACH_RCV_INVALID_NAME;
	}
	int32_t result = dx_message_receive(port, (uint32_t)option, msg, rcv_size, timeout_ms);
	(void)dx_object_unref(port); /* always NULL */
	return result;
}

kern_return_t IOCreateReceivePort(uint32_t msgType, mach_port_t *recvPort)
{
	if (recvPort == NULL ||
	    (msgType != kOSNotificationMessageID && msgType != kOSAsyncCompleteMessageID)) {
		return kIOReturnBadArgument;
	}
	int error = dx_port_new_receive(recvPort);
	return error < 0 ? dx_ioreturn_from_errno(error) : kIOReturnSuccess;
}

/* --- using messages -------------------------------------------------------------------------- */

/* The parts of a message. @return false for one that is no notification. */
static bool read_message(const mach_msg_header_t *message, struct dx_notice *ret_notice)
{
	const unsigned char *bytes = (const unsigned char *)message;
	struct OSNotificationHeader64 middle;

	if (message == NULL || message->msgh_size < CONTENT_AT ||
	    (message->msgh_id != kOSNotificationMessageID &&
	     message->msgh_id != kOSAsyncCompleteMessageID)) {
		return false;
	}
	memcpy(&middle, bytes + sizeof(*message), HEAD_BYTES);
	uint32_t padding = middle.type >> kIOKitNoticationTypeSizeAdjShift;
	if (middle.size > message->msgh_size - CONTENT_AT || padding > middle.size ||
	    middle.size - padding > sizeof(ret_notice->content)) {
		return false;
	}
	*ret_notice = (struct dx_notice){
		.type = middle.type & kIOKitNoticationTypeMask,
		.remote_port = message->msgh_remote_port,
		.content_bytes = middle.size - padding,
	};
	memcpy(ret_notice->reference, middle.reference, sizeof(middle.reference));
	memcpy(ret_notice->content, bytes + CONTENT_AT, ret_notice->content_bytes);
	return true;
}

kern_return_t OSGetNotificationFromMessage(mach_msg_header_t *msg, uint32_t index, uint32_t *type,
					   uintptr_t *reference, void **content, vm_size_t *size)
{
	struct dx_notice notice;

	if (!read_message(msg, &notice)) {
		return kIOReturnBadArgument;
	}
	if (index != 0) {
		return kIOReturnNotFound; /* a message has one */
	}
	if (type != NULL) {
		*type = notice.type;
	}
	if (reference != NULL) {
		*reference = (uintptr_t)notice.reference[0];
	}
	if (content != NULL) {
		*content = notice.content_bytes == 0 ? NULL : (unsigned char *)msg + CONTENT_AT;
	}
	if (size != NULL) {
		*size = notice.content_bytes;
	}
	return kIOReturnSuccess;
}

void dx_completion_call(uint64_t function, uint64_t refcon, IOReturn result, const uint64_t *args,
			uint32_t nr_args)
{
	uintptr_t callback = (uintptr_t)function;
	void *context = (void *)(uintptr_t)refcon;
	void *pointers[DX_MAX_ASYNC_ARGUMENTS];

	for (uint32_t i = 0; i < nr_args; i++) {
		pointers[i] = (void *)(uintptr_t)args[i];
	}
	switch (nr_args) {
	case 0:
		((IOAsyncCallback0)callback)(context, result);
		break;
	case 1:
		((IOAsyncCallback1)callback)(context, result, pointers[0]);
		break;
	case 2:
		((IOAsyncCallback2)callback)(context, result, pointers[0], pointers[1]);
		break;
	default:
		((IOAsyncCallback)callback)(context, result, pointers, nr_args);
		break;
	}
}

static void call_completion(const struct dx_notice *notice)
{
	uint64_t args[DX_MAX_ASYNC_ARGUMENTS];
	uint32_t nr_args = (notice->content_bytes - 4) / 8;
	IOReturn result = 0;

	memcpy(&result, notice->content, sizeof(result));
	memcpy(args, notice->content + sizeof(result), nr_args * sizeof(args[0]));
	dx_completion_call(notice->reference[kIOAsyncCalloutFuncIndex],
			   notice->reference[kIOAsyncCalloutRefconIndex], result, args, nr_args);
}

static void call_interest(const struct dx_notice *notice)
{
	uintptr_t callback = (uintptr_t)notice->reference[kIOInterestCalloutFuncIndex];
	struct IOServiceInterestContent64 content;

	memcpy(&content, notice->content, sizeof(content));
	((IOServiceInterestCallback)callback)(
		(void *)(uintptr_t)notice->reference[kIOInterestCalloutRefconIndex],
		(io_service_t)notice->reference[kIOInterestCalloutServiceIndex],
		content.messageType, (void *)(uintptr_t)content.messageArgument[0]);
}

void IODispatchCalloutFromMessage(void *unused, mach_msg_header_t *msg, void *reference)
{
	struct dx_notice notice;

	(void)unused;
	(void)reference;
	if (!read_message(msg, &notice) || notice.reference[kIOAsyncCalloutFuncIndex] == 0) {
		return;
	}
	if (notice.type == kIOAsyncCompletionNotificationType) {
		if (notice.content_bytes >= 4) {
			call_completion(&notice);
		}
	} else if (notice.type == kIOServiceMessageNotificationType) {
		if (notice.content_bytes >= sizeof(struct IOServiceInterestContent64)) {
			call_interest(&notice);
		}
	} else if (notice.type >= kIOServicePublishNotificationType &&
		   notice.type <= kIOServiceTerminatedNotificationType) {
		uintptr_t callback = (uintptr_t)notice.reference[kIOMatchingCalloutFuncIndex];

		((IOServiceMatchingCallback)callback)(
			(void *)(uintptr_t)notice.reference[kIOMatchingCalloutRefconIndex],
			notice.remote_port);
	}
}

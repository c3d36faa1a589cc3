/* SPDX-License-Identifier: MIT
 *
 * message - deliveries of a port as messages, for programs that take them and call back themselves.
 *
 * Place:      client, over port.h. connection.c and notify.c describe what they queue; message.c gives
 *             it the layout of <IOKit/OSMessageNotification.h>.
 * Byte map of a message:
 *   0    mach_msg_header_t, 24 bytes; msgh_id 53; msgh_remote_port: the iterator of a matching one
 *   24   OSNotificationHeader64, 72 bytes
 *   96   content: none; or IOAsyncCompletionContent, 4 + 8 n bytes; or IOServiceInterestContent64, 12
 *   then up to 3 zeros, counted in the type word, and a trailer of 8 bytes that msgh_size leaves out
 * Trust:      messages never leave the process. One that a program hands back was made here, or by the
 *             program itself, whose own business its contents are; only its sizes are checked.
 * Threads:    any.
 */
#ifndef DX_CLIENT_MESSAGE_H
#define DX_CLIENT_MESSAGE_H

#include <stdint.h>

#include <IOKit/OSMessageNotification.h>

#include "base/limits.h"
#include "base/object.h"

struct IONotificationPort;

#define DX_NOTICE_BYTES (4u + 8u * DX_MAX_ASYNC_ARGUMENTS)

/* What a delivery says. */
struct dx_notice {
	uint32_t type; /* kIO...NotificationType */
	uint32_t remote_port;
	uint64_t reference[kOSAsyncRef64Count];
	uint32_t content_bytes;
	unsigned char content[DX_NOTICE_BYTES];
};

/* The words of an asynchronous call behind callback and refcon, which only messages show. */
struct dx_further_words {
	struct dx_object object;
	uint64_t words[kOSAsyncRef64Count - kIOAsyncCalloutCount];
};

/* reference: all kOSAsyncRef64Count words. *ret_words is NULL when the further ones are zero.
 * @return 0; -ENOMEM. */
int dx_further_words_new(const uint64_t *reference, struct dx_further_words **ret_words);

/* The largest message, with its trailer. */
#define DX_MESSAGE_MAX_BYTES (24u + 72u + DX_NOTICE_BYTES + 8u)

/* Waits for the next message of a port. @return MACH_MSG_SUCCESS or a MACH_RCV_ code. */
int32_t dx_message_receive(struct IONotificationPort *port, uint32_t options, void *buffer,
			   uint32_t capacity, int timeout_ms);

/* Calls the program's function in the form that the number of arguments decides. */
void dx_completion_call(uint64_t function, uint64_t refcon, IOReturn result, const uint64_t *args,
			uint32_t nr_args);

#endif

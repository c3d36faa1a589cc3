/* SPDX-License-Identifier: MIT
 *
 * OSMessageNotification - words of an asynchronous call and the layout of notifications.
 */
#ifndef OPENDEXT_IOKIT_OSMESSAGENOTIFICATION_H
#define OPENDEXT_IOKIT_OSMESSAGENOTIFICATION_H

#include <stdint.h>

#include <IOKit/IOReturn.h>
#include <device/device_types.h>
#include <mach/message.h>

/*! Kinds of notifications. The misspelt names are the ones programs know. */
enum {
	kFirstIOKitNotificationType = 100,
	kIOServicePublishNotificationType = 100,
	kIOServiceMatchedNotificationType = 101,
	kIOServiceTerminatedNotificationType = 102,
	kIOAsyncCompletionNotificationType = 150,
	kIOServiceMessageNotificationType = 160,
	kLastIOKitNotificationType = 199,

	kIOKitNoticationTypeMask = 0x00000FFF,
	kIOKitNoticationTypeSizeAdjShift = 30,
	kIOKitNoticationMsgSizeMask = 3
};

/*! Numbers of words and bytes in a reference, most arguments of a completion. */
enum {
	kOSAsyncRefCount = 8,
	kOSAsyncRefSize = 32,
	kOSAsyncRef64Count = 8,
	kOSAsyncRef64Size = kOSAsyncRef64Count * 8,
	kMaxAsyncArgs = 16
};

/*! Words of the reference array of IOConnectCallAsyncMethod(): reserved, callback, its refcon. */
enum {
	kIOAsyncReservedIndex = 0,
	kIOAsyncReservedCount = 1,

	kIOAsyncCalloutFuncIndex = 1,
	kIOAsyncCalloutRefconIndex = 2,
	kIOAsyncCalloutCount = 3,

	kIOMatchingCalloutFuncIndex = 1,
	kIOMatchingCalloutRefconIndex = 2,
	kIOMatchingCalloutCount = 3,

	kIOInterestCalloutFuncIndex = 1,
	kIOInterestCalloutRefconIndex = 2,
	kIOInterestCalloutServiceIndex = 3,
	kIOInterestCalloutCount = 4
};

/*! Numbers of the messages that carry notifications. */
enum { kOSNotificationMessageID = 53, kOSAsyncCompleteMessageID = 57 };

/*! A reference: all words of one asynchronous call. */
typedef natural_t OSAsyncReference[kOSAsyncRefCount];
typedef uint64_t OSAsyncReference64[kOSAsyncRef64Count];

/*! Before the content of a notification; size counts the content's bytes. */
struct OSNotificationHeader64 {
	mach_msg_size_t size;
	natural_t type;
	OSAsyncReference64 reference;
	unsigned char content[];
};

#pragma pack(4)
/*! Content of an interest notification. */
struct IOServiceInterestContent64 {
	natural_t messageType;
	io_user_reference_t messageArgument[1];
};

/*! Content of a completion; the arguments start right behind the result. */
struct IOAsyncCompletionContent {
	IOReturn result;
	void *args[];
};
#pragma pack()

#endif

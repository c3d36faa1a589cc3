/* SPDX-License-Identifier: MIT
 *
 * mach/message - messages: notifications, for programs that take them from a port themselves.
 */
#ifndef OPENDEXT_MACH_MESSAGE_H
#define OPENDEXT_MACH_MESSAGE_H

#include <mach/kern_return.h>
#include <mach/port.h>

#ifdef __cplusplus
extern "C" {
#endif

/*! Parts of a message head. */
typedef unsigned int mach_msg_bits_t;
typedef natural_t mach_msg_size_t;
typedef integer_t mach_msg_id_t;
typedef kern_return_t mach_msg_return_t;

/*! The head of a message; the layout notifications are described with. */
typedef struct {
	mach_msg_bits_t msgh_bits;
	mach_msg_size_t msgh_size;
	mach_port_t msgh_remote_port;
	mach_port_t msgh_local_port;
	mach_port_name_t msgh_voucher_port;
	mach_msg_id_t msgh_id;
} mach_msg_header_t;

/*! What mach_msg() puts behind a message it received; msgh_size does not count it. */
typedef unsigned int mach_msg_trailer_type_t;
typedef unsigned int mach_msg_trailer_size_t;
typedef struct {
	mach_msg_trailer_type_t msgh_trailer_type;
	mach_msg_trailer_size_t msgh_trailer_size;
} mach_msg_trailer_t;
/*! Room that programs leave for it. */
#define MAX_TRAILER_SIZE 68

/*! What mach_msg() shall do. */
typedef integer_t mach_msg_option_t;
#define MACH_MSG_OPTION_NONE 0x00000000
#define MACH_SEND_MSG	     0x00000001
#define MACH_RCV_MSG	     0x00000002
#define MACH_RCV_LARGE	     0x00000004
#define MACH_RCV_TIMEOUT     0x00000100

/*! Milliseconds. */
typedef natural_t mach_msg_timeout_t;
#define MACH_MSG_TIMEOUT_NONE ((mach_msg_timeout_t)0)

/*! Bit of msgh_bits: ports or memory are in the message. No message here has it. */
#define MACH_MSGH_BITS_COMPLEX 0x80000000u

/*! Results: the name is gone, or never was one; of receiving: no such port, no message in time, a
 * message that is longer than the buffer, one that sent to the port has ended, the port went while
 * the caller waited. */
#define MACH_MSG_SUCCESS       0x00000000
#define MACH_SEND_INVALID_DEST 0x10000003
#define MACH_RCV_INVALID_NAME  0x10004002
#define MACH_RCV_TIMED_OUT     0x10004003
#define MACH_RCV_TOO_LARGE     0x10004004
#define MACH_RCV_PORT_CHANGED  0x10004006
#define MACH_RCV_PORT_DIED     0x10004009

/*!
 * Takes the next message from a port of IOCreateReceivePort() or IONotificationPortGetMachPort().
 * @param msg        receives it, and a trailer of 8 bytes behind it.
 * @param option     MACH_RCV_MSG, with MACH_RCV_TIMEOUT if timeout counts, and MACH_RCV_LARGE if a
 *                   message that is too long shall stay.
 * @param send_size  ignored.
 * @param rcv_size   bytes of msg; 512 are enough for every notification.
 * @param rcv_name   the port.
 * @param timeout    milliseconds.
 * @param notify     ignored.
 * @return MACH_MSG_SUCCESS; MACH_RCV_INVALID_NAME; MACH_RCV_TIMED_OUT; MACH_RCV_TOO_LARGE;
 *         MACH_RCV_PORT_CHANGED once when a connection was ended by its driver, behind its last
 *         message, unless an interest notification told of that: what was outstanding there never
 *         comes, the port goes on; MACH_RCV_PORT_DIED; MACH_SEND_INVALID_DEST for MACH_SEND_MSG.
 * Blocks: until a message comes, a connection is ended or the time is over. Threads: one per port.
 * Differs: receives only; there is nothing here that takes messages of programs. macOS waits on when
 *          a connection ends.
 */
mach_msg_return_t mach_msg(mach_msg_header_t *msg, mach_msg_option_t option,
			   mach_msg_size_t send_size, mach_msg_size_t rcv_size,
			   mach_port_name_t rcv_name, mach_msg_timeout_t timeout,
			   mach_port_name_t notify);

#ifdef __cplusplus
}
#endif

#endif

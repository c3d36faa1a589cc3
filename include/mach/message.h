/* SPDX-License-Identifier: MIT
 *
 * mach/message - the head of a message and the codes of sending.
 */
#ifndef OPENDEXT_MACH_MESSAGE_H
#define OPENDEXT_MACH_MESSAGE_H

#include <mach/kern_return.h>
#include <mach/port.h>

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

/*! The object behind a name is gone, or the name never was one. */
#define MACH_MSG_SUCCESS       0x00000000
#define MACH_SEND_INVALID_DEST 0x10000003

#endif

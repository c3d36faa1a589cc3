/* SPDX-License-Identifier: MIT
 *
 * usb_calls - calls of the test driver's client for devices, for the themes that use them.
 */
#ifndef DX_TESTS_CONTRACT_USB_CALLS_H
#define DX_TESTS_CONTRACT_USB_CALLS_H

#include "support/world.h"

#define STALLED ((IOReturn)0xE0005000) /* kIOUSBPipeStalled */

struct done {
	IOReturn status;
	uint64_t bytes;
};

static inline io_connect_t open_configured(uint64_t configuration)
{
	io_connect_t connect = world_open_type(CONTRACT_USB, CONTRACT_OPEN);

	DO(connect, CONTRACT_USB_CONFIGURE, configuration);
	return connect;
}

static inline struct done io(io_connect_t connect, uint64_t pipe, uint64_t bytes,
			     uint64_t timeout_ms)
{
	const uint64_t input[] = {pipe, bytes, timeout_ms};
	uint64_t output[2] = {0};

	CHECK_EQ(world_call(connect, CONTRACT_USB_IO, input, 3, output, 2), kIOReturnSuccess);
	return (struct done){(IOReturn)output[0], output[1]};
}

#endif

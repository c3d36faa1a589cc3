/* SPDX-License-Identifier: MIT
 *
 * Test - what the files of the USB probe share. Not a .h: it needs the generated UsbProbe.h.
 */
#ifndef DX_TESTS_CXX_USB_TEST_HPP
#define DX_TESTS_CXX_USB_TEST_HPP

#include <DriverKit/DriverKit.h>
#include <USBDriverKit/USBDriverKit.h>

#include <stdio.h>
#include <string.h>

#include "UsbProbe.h"

enum { PIPE_IN, PIPE_OUT, BUFFER_BYTES = 64 * 1024, MAX_RECORDED = 64 };
enum { SOURCE_SINK = 3, LOOPBACK = 2 }; /* configurations of Gadget Zero */

/* One completion. */
struct Recorded {
	uint64_t tag; /* of the action */
	IOReturn status;
	uint64_t bytes;
	uint64_t timestamp;
};

struct UsbProbeClient_IVars {
	IOService *service; /* borrowed: the provider */
	IOUSBHostDevice *device;
	IOUSBHostInterface *interface;
	bool open;
	IOUSBHostPipe *pipes[2];
	IOBufferMemoryDescriptor *buffers[2];
	uint8_t *bytes[2]; /* of the buffers */
	IODispatchQueue *completions;
	IOLock *lock; /* guards the two below */
	Recorded recorded[MAX_RECORDED];
	uint32_t nr_recorded;
	uint32_t resubmit; /* how often Done submits its transfer again */
	char failure[256]; /* of the test that runs */
};

#define EXPECT(condition)                                                                     \
	do {                                                                                  \
		if (!(condition)) {                                                           \
			(void)snprintf(ivars->failure, sizeof(ivars->failure), "%s:%d: %s",   \
				       __func__, __LINE__, #condition);                       \
			return;                                                               \
		}                                                                             \
	} while (0)

/* Integers. */
#define EXPECT_EQ(a, b)                                                                       \
	do {                                                                                  \
		long long a_ = static_cast<long long>(a), b_ = static_cast<long long>(b);     \
		if (a_ != b_) {                                                               \
			(void)snprintf(ivars->failure, sizeof(ivars->failure),                \
				       "%s:%d: %s == %s: %#llx, %#llx", __func__, __LINE__, #a, \
				       #b, static_cast<unsigned long long>(a_),               \
				       static_cast<unsigned long long>(b_));                  \
			return;                                                               \
		}                                                                             \
	} while (0)

/* The tag of an action that was made with room for one. */
inline uint64_t *TagOf(OSAction *action)
{
	return static_cast<uint64_t *>(action->GetReference());
}

#endif

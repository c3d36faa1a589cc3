/* SPDX-License-Identifier: MIT
 *
 * driver - what drivers share that are made for tests and measurements. The examples have their own:
 * they show what a driver needs.
 */
#ifndef DX_TESTS_SUPPORT_DRIVER_H
#define DX_TESTS_SUPPORT_DRIVER_H

#include <opendext/driver.h>

#define RETURN_IF_FAILED(call)                        \
	do {                                          \
		kern_return_t ret_ = (call);          \
		if (ret_ != kIOReturnSuccess) {       \
			return ret_;                  \
		}                                     \
	} while (0)

#endif

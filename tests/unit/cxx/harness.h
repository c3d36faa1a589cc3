/* SPDX-License-Identifier: MIT
 *
 * harness - tests/test.h for tests in C++.
 */
#ifndef DX_TESTS_UNIT_CXX_HARNESS_H
#define DX_TESTS_UNIT_CXX_HARNESS_H

#include <DriverKit/DriverKit.h>
#include <DriverKit/OSSharedPtr.h>

extern "C" {
#include "test.h"

/* For counts of references: of the core, through the C interface. */
uint32_t OSObjectGetRetainCount(const void *object);
}

#endif

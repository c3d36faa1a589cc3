/* SPDX-License-Identifier: MIT
 *
 * Test - what the files of this driver share. Not a .h: it needs the generated Classes.h.
 */
#ifndef DX_TESTS_CXX_CLASSES_TEST_HPP
#define DX_TESTS_CXX_CLASSES_TEST_HPP

#include <DriverKit/DriverKit.h>

#include <string.h>

#include "Classes.h"

/* Written by handlers on ClassesQueue, read by the tests on the default queue. */
struct ClassesClient_IVars {
	IODispatchQueue *queue;	 /* of the handlers */
	IODispatchQueue *normal; /* the default one */
	IOServiceNotificationDispatchSource *services;
	OSAction *services_action;
	IOService *other; /* what was matched, compared only */
	uint64_t address; /* of the application's memory, for one test */
	uint64_t length;
	_Atomic uint32_t nr_matched, nr_terminated;
	_Atomic bool same_object, right_properties;
	_Atomic uint32_t nr_state, nr_interrupts, nr_timers, nr_data, nr_room;
	_Atomic uint64_t interrupt_count, interrupt_time;
};

#define EXPECT(condition)                                                                       \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			os_log(OS_LOG_DEFAULT, "%{public}s:%d: %{public}s", __func__, __LINE__, \
			       #condition);                                                     \
			return kIOReturnError;                                                  \
		}                                                                               \
	} while (0)

/* Until the condition holds; the application's time limit ends a test that never gets there. */
#define EXPECT_SOON(condition)                                      \
	do {                                                        \
		for (int i_ = 0; i_ < 20000 && !(condition); i_++) { \
			IOSleep(1);                                 \
		}                                                   \
		EXPECT(condition);                                  \
	} while (0)

#endif

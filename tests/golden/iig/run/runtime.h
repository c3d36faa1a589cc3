/* SPDX-License-Identifier: MIT
 *
 * runtime - what the test asks its runtime.
 */
#ifndef TEST_RUNTIME_H
#define TEST_RUNTIME_H

#ifdef __cplusplus

#include <DriverKit/IOUserClient.h>

const OSClassLoadInformation *test_find_class(const char *name);
/* The queue of a message of an object of the class; "default" when none is named. */
const char *test_find_queue(const OSClassLoadInformation *information, uint64_t msgid);
/* The queue of the last Invoke(). */
const char *test_last_queue();

#endif
#endif

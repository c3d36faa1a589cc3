/* SPDX-License-Identifier: MIT */
#ifndef TEST_IORETURN_H
#define TEST_IORETURN_H

#include <IOKit/IOReturn.h>

#endif

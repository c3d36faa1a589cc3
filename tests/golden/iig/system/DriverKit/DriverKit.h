/* SPDX-License-Identifier: MIT */
#ifndef TEST_DRIVERKIT_H
#define TEST_DRIVERKIT_H

#ifdef __cplusplus
#include <DriverKit/OSObject.h>
#include <DriverKit/OSAction.h>
#include <DriverKit/IOService.h>
#endif

#endif

/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOUserServer.h - the process of a driver, for sources that name it.
 */
#ifndef OPENDEXT_DRIVERKIT_IOUSERSERVER_H
#define OPENDEXT_DRIVERKIT_IOUSERSERVER_H

#if defined(__IIG) && __IIG
#include <DriverKit/IOUserServer.iig>
#else

#include <DriverKit/IOService.h>

#pragma GCC visibility push(default)

class IOUserServer;

extern OSMetaClass *gIOUserServerMetaClass;
extern const OSClassLoadInformation IOUserServer_Class;

/*! The process itself is no object of the driver here; the class is there to be named. */
class IOUserServer : public IOService {
	OS_RUNTIME_CLASS(IOUserServer, IOService);
};

#pragma GCC visibility pop

#endif
#endif

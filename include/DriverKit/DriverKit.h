/* SPDX-License-Identifier: MIT
 *
 * DriverKit/DriverKit.h - everything of DriverKit.
 */
#ifndef OPENDEXT_DRIVERKIT_DRIVERKIT_H
#define OPENDEXT_DRIVERKIT_DRIVERKIT_H

#include <DriverKit/IOBufferMemoryDescriptor.h>
#include <DriverKit/IODMACommand.h>
#include <DriverKit/IODataQueueDispatchSource.h>
#include <DriverKit/IODispatchQueue.h>
#include <DriverKit/IODispatchSource.h>
#include <DriverKit/IOEventLink.h>
#include <DriverKit/IOInterruptDispatchSource.h>
#include <DriverKit/IOLib.h>
#include <DriverKit/IOMemoryDescriptor.h>
#include <DriverKit/IOMemoryMap.h>
#include <DriverKit/IOReturn.h>
#include <DriverKit/IOService.h>
#include <DriverKit/IOServiceNotificationDispatchSource.h>
#include <DriverKit/IOServiceStateNotificationDispatchSource.h>
#include <DriverKit/IOTimerDispatchSource.h>
#include <DriverKit/IOTypes.h>
#include <DriverKit/IOUserClient.h>
#include <DriverKit/IOUserServer.h>
#include <DriverKit/IOWorkGroup.h>
#include <DriverKit/OSAction.h>
#include <DriverKit/OSCollections.h>
#include <DriverKit/OSObject.h>
#include <DriverKit/OSOrderedSet.h>

#endif

/* SPDX-License-Identifier: MIT
 *
 * IOKitKeys - keys of registry properties and matching dictionaries, kinds of notifications.
 */
#ifndef OPENDEXT_IOKIT_IOKITKEYS_H
#define OPENDEXT_IOKIT_IOKITKEYS_H

/*! Planes of the registry. Entries of OpenDext are in the service plane only. */
#define kIOServicePlane	   "IOService"
#define kIOPowerPlane	   "IOPower"
#define kIODeviceTreePlane "IODeviceTree"
#define kIOUSBPlane	   "IOUSB"

/*! Class names. */
#define kIOServiceClass	  "IOService"
#define kIOResourcesClass "IOResources"

/*! Properties of entries and personalities. */
#define kIORegistryEntryIDKey	    "IORegistryEntryID"
#define kIOClassKey		    "IOClass"
#define kIOUserClassKey		    "IOUserClass"
#define kIOUserClassesKey	    "IOUserClasses"
#define kIOUserServicePropertiesKey "IOUserServiceProperties"
#define kIOMatchCategoryKey	    "IOMatchCategory"
#define kIODefaultMatchCategoryKey  "IODefaultMatchCategory"
#define kIOProbeScoreKey	    "IOProbeScore"
#define kIOUserClientCreatorKey	    "IOUserClientCreator"
#define kIOUserClientClassKey	    "IOUserClientClass"

/*! Keys of a matching dictionary; all keys present must match. */
#define kIOProviderClassKey	  "IOProviderClass"
#define kIONameMatchKey		  "IONameMatch"
#define kIONameMatchedKey	  "IONameMatched"
#define kIOPropertyMatchKey	  "IOPropertyMatch"
#define kIOPropertyExistsMatchKey "IOPropertyExistsMatch"
#define kIOPathMatchKey		  "IOPathMatch"
#define kIOLocationMatchKey	  "IOLocationMatch"
#define kIOParentMatchKey	  "IOParentMatch"
#define kIOResourceMatchKey	  "IOResourceMatch"
#define kIOMatchedServiceCountKey "IOMatchedServiceCountMatch"
#define kIOBSDNameKey		  "BSD Name"

/*! Kinds of IOServiceAddMatchingNotification(). */
#define kIOPublishNotification	     "IOServicePublish"
#define kIOFirstPublishNotification  "IOServiceFirstPublish"
#define kIOMatchedNotification	     "IOServiceMatched"
#define kIOFirstMatchNotification    "IOServiceFirstMatch"
#define kIOTerminatedNotification    "IOServiceTerminate"
#define kIOWillTerminateNotification "IOServiceWillTerminate"

/*! Kinds of IOServiceAddInterestNotification(). */
#define kIOGeneralInterest	      "IOGeneralInterest"
#define kIOBusyInterest		      "IOBusyInterest"
#define kIOAppPowerStateInterest      "IOAppPowerStateInterest"
#define kIOPriorityPowerStateInterest "IOPriorityPowerStateInterest"

#endif

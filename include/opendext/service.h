/* SPDX-License-Identifier: MIT
 *
 * opendext/service.h - IOService: what a driver is, and what it is matched on.
 *
 * Life of a matched service: init; Start(provider) on its default queue; work; Stop(provider) when
 * the provider goes, the driver calls IOServiceTerminate(), or the bundle is unloaded; free with the
 * last reference. Stop calls IOServiceSuperStop() when the driver is done, at once or later from
 * another callback; the termination is complete only then. User clients are stopped before the
 * service they belong to. A service whose Start fails gets no Stop.
 *
 * The provider is a stand-in for an object outside of the driver: an IOUSBHostDevice, an
 * IOUSBHostInterface, or a plain IOService (IOUserResources, another driver's service).
 *
 * All functions return kIOReturnBadArgument for a NULL object or a NULL out-parameter.
 */
#ifndef OPENDEXT_SERVICE_H
#define OPENDEXT_SERVICE_H

#include <opendext/dispatch.h>
#include <opendext/object.h>

#pragma GCC visibility push(default)

enum { kIOServiceSearchPropertyParents = 1 };
enum {
	kIOServicePowerCapabilityOff = 0,
	kIOServicePowerCapabilityOn = 2,
	kIOServicePowerCapabilityLow = 0x10000,
};

#define kIOServicePlane "IOService"

/*! What a Start method calls first. @param driver_class  the class whose method is calling: its
 * super class's Start runs. The root does nothing and succeeds. */
kern_return_t IOServiceSuperStart(const OSDriverClass *driver_class, IOService *self,
				  IOService *provider);

/*! What a Stop method calls when the driver is done with self and provider: sessions that it still
 * has open on the provider are closed, and the termination completes. Any queue; once. */
kern_return_t IOServiceSuperStop(const OSDriverClass *driver_class, IOService *self,
				 IOService *provider);

/*! The inherited NewUserClient; the root returns kIOReturnError. */
kern_return_t IOServiceSuperNewUserClient(const OSDriverClass *driver_class, IOService *self,
					  uint32_t type, IOUserClient **userClient);

/*! What a SetPowerState method calls, now or later, when the device is in the state asked for. */
kern_return_t IOServiceSuperSetPowerState(const OSDriverClass *driver_class, IOService *self,
					  uint32_t powerFlags);

/*! What it was started on: valid from Start until the last reference goes; +0; NULL before Start. */
IOService *IOServiceGetProvider(const IOService *service);

/*! The id that applications see (IORegistryEntryGetRegistryEntryID). */
kern_return_t IOServiceGetRegistryEntryID(IOService *service, uint64_t *registryEntryID);

/*! Renames the registry entry, which is what name matching compares.
 * @return kIOReturnSuccess; kIOReturnBadArgument when empty or 128 bytes or longer;
 *         kIOReturnUnsupported on a provider. */
kern_return_t IOServiceSetName(IOService *service, const char *name);
/*! @param name  out, +1. */
kern_return_t IOServiceCopyName(IOService *service, OSString **name);

/*!
 * Lets applications and other drivers find the service. Before Start has returned it is only
 * remembered, and carried out when Start succeeds.
 * Blocks: never; matching happens later.
 */
kern_return_t IOServiceRegisterService(IOService *service);

/*!
 * Sets the queue for methods of that queue name.
 * @param name   kIOServiceDefaultQueueName, kIOUserClientQueueNameExternalMethod for user clients,
 *               or one of the queue_names of the class.
 * @param queue  retained until the object is freed; NULL goes back to the default queue.
 * @return kIOReturnSuccess; kIOReturnBadArgument for a name that the class does not know.
 */
kern_return_t IOServiceSetDispatchQueue(IOService *service, const char *name,
					IODispatchQueue *queue);

/*!
 * The queue that was set under that name.
 * @param queue  out, +1.
 * @return kIOReturnSuccess; kIOReturnNotFound when none is set, or when neither the class nor those
 *         of the providers know the name; kIOReturnError after the service has stopped.
 */
kern_return_t IOServiceCopyDispatchQueue(IOService *service, const char *name,
					 IODispatchQueue **queue);

/*! All properties as applications see them. @param properties  out, +1, a copy. */
kern_return_t IOServiceCopyProperties(IOService *service, OSDictionary **properties);

/*! Merges properties into those of the service. @return kIOReturnUnsupported on a provider. */
kern_return_t IOServiceSetProperties(IOService *service, OSDictionary *properties);

/*! Takes one away that SetProperties has put there. @return kIOReturnNotFound when there is none. */
kern_return_t IOServiceRemoveProperty(IOService *service, OSString *propertyName);

/*!
 * Looks one property up.
 * @param plane     kIOServicePlane; used only with the option.
 * @param options   0, or kIOServiceSearchPropertyParents: go on with the providers.
 * @param property  out, +1.
 * @return kIOReturnSuccess; kIOReturnNotFound; kIOReturnBadArgument for another plane or option.
 */
kern_return_t IOServiceSearchProperty(IOService *service, const char *name,
				      const char *plane, uint64_t options,
				      OSContainer **property);

/*!
 * Makes an object from a dictionary property of the service, e.g. a user client in NewUserClient.
 * @param service        the object whose method is calling; it becomes the provider.
 * @param propertiesKey  names a dictionary in its properties, with IOClass and IOUserClass.
 * @param result         out, +1. init has run; Start runs when a user client's open goes on, and
 *                       right after the calling method for any other object.
 * @return kIOReturnSuccess; kIOReturnBadArgument for a missing or incomplete dictionary;
 *         kIOReturnUnsupported for a provider, an unknown class, a failed init;
 *         kIOReturnNoResources over a limit; kIOReturnNoMemory.
 */
kern_return_t IOServiceCreate(IOService *service, const char *propertiesKey,
			      IOService **result);

/*!
 * Ends a service of this driver: its user clients and then itself get Stop, later.
 * @param options  0, else kIOReturnUnsupported.
 * @return kIOReturnSuccess; kIOReturnNotPermitted for a provider.
 */
kern_return_t IOServiceTerminate(IOService *service, uint64_t options);

/*! Adds to the count of what keeps the service busy; applications can wait until it is 0.
 * @return kIOReturnBadArgument when the count would leave 0..INT32_MAX. */
kern_return_t IOServiceAdjustBusy(IOService *service, int32_t delta);
/*! What is left of that count. Differs: GetBusyState in C++; in C that name is a function of IOKit. */
kern_return_t IOServiceGetBusyCount(IOService *service, uint32_t *busyCount);

/*! Takes part in power management: SetPowerState(kIOServicePowerCapabilityOn) follows. */
kern_return_t IOServiceJoinPMTree(IOService *service);
/*! Asks for a power state: SetPowerState follows on the service's queue.
 * @return kIOReturnBadArgument for another value than Off, Low and On; kIOReturnNotReady before
 *         JoinPMTree. */
kern_return_t IOServiceChangePowerState(IOService *service, uint32_t powerFlags);

/*! "kIOReturnBadArgument" and the like; a number for unknown codes. @param string  out, +1. */
kern_return_t IOServiceStringFromReturn(IOService *service, IOReturn code, OSString **string);

/*! Matching dictionaries. @param matching  NULL: a new one (+1); else keys are added to it and it is
 * returned. @return NULL without memory or for a NULL name. */
OSDictionary *IOServiceCreatePropertyMatchingDictionary(const char *key, const void *value,
							OSDictionary *matching);
/*! Adds the kernel class to matching, or to a new one if that is NULL. */
OSDictionary *IOServiceCreateKernelClassMatchingDictionary(const char *className,
							   OSDictionary *matching);
/*! The same for the class of a driver. */
OSDictionary *IOServiceCreateUserClassMatchingDictionary(const char *className,
							 OSDictionary *matching);
/*! The same for the name of a service. */
OSDictionary *IOServiceCreateNameMatchingDictionary(const char *serviceName,
						    OSDictionary *matching);

#pragma GCC visibility pop

#endif

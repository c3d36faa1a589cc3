/* SPDX-License-Identifier: MIT
 *
 * DriverKit/IOWorkGroup.h - threads of driver and application that work for one deadline.
 */
#ifndef OPENDEXT_DRIVERKIT_IOWORKGROUP_H
#define OPENDEXT_DRIVERKIT_IOWORKGROUP_H

#include <DriverKit/OSString.h>

#pragma GCC visibility push(default)

class IOWorkGroup;
class IOUserClient;
extern OSMetaClass *gIOWorkGroupMetaClass;
extern const OSClassLoadInformation IOWorkGroup_Class;

enum {
	kIOWorkGroupMaxNameLength = 64,
};

/*! A work group. Who is in it is not scheduled differently, and no application can join. */
class IOWorkGroup : public OSObject {
	OS_RUNTIME_CLASS(IOWorkGroup, OSObject);

	/*!
	 * Makes a group.
	 * @param name        1 to 64 bytes.
	 * @param userClient  retained until Invalidate() or the end of the group.
	 * @param workgroup   out, +1.
	 * @return kIOReturnSuccess; kIOReturnBadArgument; kIOReturnNoMemory.
	 */
	static kern_return_t Create(OSString *name, IOUserClient *userClient, IOWorkGroup **workgroup);
	/*! Gives up name and user client; who is in the group stays in it. */
	kern_return_t Invalidate();
	/*! Bytes of a token. */
	size_t GetTokenSize();
	/*! The calling thread joins. @param token  memory of the caller, until Leave(). */
	kern_return_t Join(void *token);
	/*! The calling thread leaves. @return kIOReturnBadArgument for another token than Join()'s. */
	kern_return_t Leave(void *token);
};

#pragma GCC visibility pop

#endif

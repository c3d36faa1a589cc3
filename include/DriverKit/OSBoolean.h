/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSBoolean.h - true and false.
 */
#ifndef OPENDEXT_DRIVERKIT_OSBOOLEAN_H
#define OPENDEXT_DRIVERKIT_OSBOOLEAN_H

#include <DriverKit/OSObject.h>

#pragma GCC visibility push(default)

class OSBoolean;
typedef OSBoolean *OSBooleanPtr;
extern OSMetaClass *gOSBooleanMetaClass;
extern const OSClassLoadInformation OSBoolean_Class;

/*! There are two of them; compare pointers. They are never freed. */
class OSBoolean : public OSContainer {
	OS_RUNTIME_CLASS(OSBoolean, OSContainer);

	/*! @return +1, which need not be given back. */
	static OSBoolean *withBoolean(bool value);
	/*! Whether it is kOSBooleanTrue. */
	bool getValue() const;
	/*! The same. */
	bool isTrue() const;
	/*! Whether it is kOSBooleanFalse. */
	bool isFalse() const;
};

extern OSBoolean *const kOSBooleanTrue;
extern OSBoolean *const kOSBooleanFalse;

#pragma GCC visibility pop

#endif

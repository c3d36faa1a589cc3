/* SPDX-License-Identifier: MIT
 *
 * classes - the kernel classes that registry entries claim to be; see registry.h.
 *
 * Place:   daemon. Only names: there is no kernel object behind them here.
 */
#include <string.h>

#include "base/check.h"
#include "daemon/registry.h"

static const struct {
	const char *name;
	const char *super;
} classes[] = {
	{"OSObject", NULL},
	{"IORegistryEntry", "OSObject"},
	{"IOService", "IORegistryEntry"},
	{"IOResources", "IOService"},
	{"IOUserResources", "IOService"},
	{"IOUserService", "IOService"},
	{"IOUserClient", "IOService"},
	{"IOUserUserClient", "IOUserClient"},
	{"IOUSBHostDevice", "IOService"},
	{"IOUSBHostInterface", "IOService"},
	/* What personalities of input devices name. Nothing is behind them but the service. */
	{"IOHIDDevice", "IOService"},
	{"IOUserHIDDevice", "IOHIDDevice"},
	{"AppleUserHIDDevice", "IOHIDDevice"},
	{"IOHIDEventService", "IOService"},
	{"AppleUserHIDEventService", "IOHIDEventService"},
};

/* The names before macOS 10.11, still found in personalities and programs. */
static const char *modern_name(const char *name)
{
	if (strcmp(name, "IOUSBDevice") == 0) {
		return "IOUSBHostDevice";
	}
	if (strcmp(name, "IOUSBInterface") == 0) {
		return "IOUSBHostInterface";
	}
	return name;
}

const char *dx_kernel_class_super(const char *class_name)
{
	for (size_t i = 0; i < DX_ARRAY_SIZE(classes); i++) {
		if (strcmp(classes[i].name, class_name) == 0) {
			return classes[i].super;
		}
	}
	return "IOUserService";
}

bool dx_kernel_class_is_known(const char *class_name)
{
	for (size_t i = 0; i < DX_ARRAY_SIZE(classes); i++) {
		if (strcmp(classes[i].name, modern_name(class_name)) == 0) {
			return true;
		}
	}
	return false;
}

bool dx_kernel_class_conforms(const char *class_name, const char *other)
{
	other = modern_name(other);
	for (; class_name != NULL; class_name = dx_kernel_class_super(class_name)) {
		if (strcmp(modern_name(class_name), other) == 0) {
			return true;
		}
	}
	return false;
}

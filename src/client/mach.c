/* SPDX-License-Identifier: MIT
 *
 * mach - the few Mach calls that IOKit programs make; the clock is in mach_time.c.
 *
 * Place:   client.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include <IOKit/IOKitLib.h>
#include <mach/mach.h>

#include "base/check.h"
#include "base/ioreturn.h"
#include "client/names.h"

#define PAGE 4096u

mach_port_t mach_task_self_ = DX_NAME_TASK;

kern_return_t vm_deallocate(vm_map_t target_task, vm_address_t address, vm_size_t size)
{
	if (target_task != mach_task_self_) {
		return KERN_INVALID_TASK;
	}
	if (size == 0) {
		return KERN_SUCCESS;
	}
	if (address == 0 || address % PAGE != 0 || munmap((void *)address, size) != 0) {
		return KERN_INVALID_ARGUMENT;
	}
	return KERN_SUCCESS;
}

kern_return_t mach_port_deallocate(ipc_space_t task, mach_port_name_t name)
{
	if (task != mach_task_self_) {
		return KERN_INVALID_TASK;
	}
	if (name == MACH_PORT_NULL || name == MACH_PORT_DEAD) {
		return KERN_INVALID_NAME;
	}
	if (name == DX_NAME_MAIN_PORT || name == DX_NAME_TASK) {
		return KERN_SUCCESS; /* never counted */
	}
	return IOObjectRelease(name) == kIOReturnSuccess ? KERN_SUCCESS : KERN_INVALID_NAME;
}

char *mach_error_string(mach_error_t error_value)
{
	static const struct {
		mach_error_t code;
		const char *name;
	} names[] = {
		{KERN_SUCCESS, "KERN_SUCCESS"},
		{KERN_INVALID_ADDRESS, "KERN_INVALID_ADDRESS"},
		{KERN_PROTECTION_FAILURE, "KERN_PROTECTION_FAILURE"},
		{KERN_NO_SPACE, "KERN_NO_SPACE"},
		{KERN_INVALID_ARGUMENT, "KERN_INVALID_ARGUMENT"},
		{KERN_FAILURE, "KERN_FAILURE"},
		{KERN_RESOURCE_SHORTAGE, "KERN_RESOURCE_SHORTAGE"},
		{KERN_INVALID_NAME, "KERN_INVALID_NAME"},
		{KERN_INVALID_TASK, "KERN_INVALID_TASK"},
		{KERN_INVALID_RIGHT, "KERN_INVALID_RIGHT"},
		{KERN_NOT_SUPPORTED, "KERN_NOT_SUPPORTED"},
		{MACH_SEND_INVALID_DEST, "MACH_SEND_INVALID_DEST"},
		{MIG_BAD_ARGUMENTS, "MIG_BAD_ARGUMENTS"},
		{MIG_ARRAY_TOO_LARGE, "MIG_ARRAY_TOO_LARGE"},
		{MIG_SERVER_DIED, "MIG_SERVER_DIED"},
	};
	const char *name = NULL;

	for (size_t i = 0; i < DX_ARRAY_SIZE(names) && name == NULL; i++) {
		name = names[i].code == error_value ? names[i].name : NULL;
	}
	if (name == NULL) {
		name = dx_ioreturn_name(error_value);
	}
	/* The public type lacks const; nobody may write to it. */
	return (char *)(uintptr_t)(name == NULL ? "unknown error code" : name);
}

void mach_error(const char *str, mach_error_t error_value)
{
	(void)fprintf(stderr, "%s: %s (0x%x)\n", str == NULL ? "" : str,
		      mach_error_string(error_value), (unsigned)error_value); /* nobody to tell */
}

/* SPDX-License-Identifier: MIT
 *
 * cf_constants - objects with public names.
 *
 * Place:   client. Programs see these pointers as const. The objects behind them have private
 *          layouts and come from functions, so the pointers are set once, before main() and before
 *          any other thread. For that this file must not see the const declarations: it includes
 *          no public header that has them.
 */
#include <stdlib.h>

#include "base/value.h"

void *kCFBooleanTrue;
void *kCFBooleanFalse;
void *kCFRunLoopDefaultMode;
void *kCFRunLoopCommonModes;
void *kCFAllocatorSystemDefault;
void *kCFAllocatorMalloc;
void *kCFAllocatorNull;

const void *__CFStringMakeConstantString(const char *text);

__attribute__((constructor(101))) static void set_constants(void)
{
	static char allocators[3]; /* addresses only */

	kCFBooleanTrue = (void *)(uintptr_t)dx_boolean(true);
	kCFBooleanFalse = (void *)(uintptr_t)dx_boolean(false);
	kCFRunLoopDefaultMode =
		(void *)(uintptr_t)__CFStringMakeConstantString("kCFRunLoopDefaultMode");
	kCFRunLoopCommonModes =
		(void *)(uintptr_t)__CFStringMakeConstantString("kCFRunLoopCommonModes");
	kCFAllocatorSystemDefault = &allocators[0];
	kCFAllocatorMalloc = &allocators[1];
	kCFAllocatorNull = &allocators[2];
}

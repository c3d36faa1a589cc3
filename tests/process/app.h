/* SPDX-License-Identifier: MIT
 *
 * app - what the application of the process tests says to its parent.
 *
 * It is a program of its own, because libIOKit is not to be used after fork() without exec. It
 * prints "ready" when it is under way, more lines as its mode says, and on failure one line on
 * standard error with exit status 1.
 */
#ifndef DX_TESTS_PROCESS_APP_H
#define DX_TESTS_PROCESS_APP_H

/* What a call may return when the driver is gone or going. */
#define APP_IS_DEATH(code)                                                                   \
	((code) == kIOReturnOffline || (code) == kIOReturnNotReady || (code) == MIG_SERVER_DIED || \
	 (code) == MACH_SEND_INVALID_DEST || (code) == kIOReturnBadArgument)

#endif

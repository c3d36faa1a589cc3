/* SPDX-License-Identifier: MIT
 *
 * error - status codes of transfers and USB calls: the numbers of IOReturn, as the driver sees them.
 *
 * Place:   usb. A function of this room that returns int32_t returns one of these; one that returns
 *          int returns a negative errno. The driver room hands the int32_t on without translation,
 *          because errno has no word for a stalled pipe or an exclusive session.
 */
#ifndef DX_USB_ERROR_H
#define DX_USB_ERROR_H

#include <stdint.h>

#define DX_USB_OK		 ((int32_t)0)
#define DX_USB_ERROR		 ((int32_t)0xE00002BC) /* kIOReturnError */
#define DX_USB_NO_MEMORY	 ((int32_t)0xE00002BD) /* kIOReturnNoMemory */
#define DX_USB_NO_RESOURCES	 ((int32_t)0xE00002BE) /* kIOReturnNoResources: a limit */
#define DX_USB_NO_DEVICE	 ((int32_t)0xE00002C0) /* kIOReturnNoDevice: call after unplug */
#define DX_USB_BAD_ARGUMENT	 ((int32_t)0xE00002C2) /* kIOReturnBadArgument */
#define DX_USB_EXCLUSIVE	 ((int32_t)0xE00002C5) /* kIOReturnExclusiveAccess */
#define DX_USB_UNSUPPORTED	 ((int32_t)0xE00002C7) /* kIOReturnUnsupported */
#define DX_USB_INTERNAL		 ((int32_t)0xE00002C9) /* kIOReturnInternalError */
#define DX_USB_IO_ERROR		 ((int32_t)0xE00002CA) /* kIOReturnIOError */
#define DX_USB_NOT_OPEN		 ((int32_t)0xE00002CD) /* kIOReturnNotOpen */
#define DX_USB_BUSY		 ((int32_t)0xE00002D5) /* kIOReturnBusy */
#define DX_USB_TIMEOUT		 ((int32_t)0xE00002D6) /* kIOReturnTimeout */
#define DX_USB_NOT_READY	 ((int32_t)0xE00002D8) /* kIOReturnNotReady */
#define DX_USB_NOT_ATTACHED	 ((int32_t)0xE00002D9) /* kIOReturnNotAttached */
#define DX_USB_NOT_PERMITTED	 ((int32_t)0xE00002E2) /* kIOReturnNotPermitted */
#define DX_USB_UNDERRUN		 ((int32_t)0xE00002E7) /* kIOReturnUnderrun */
#define DX_USB_OVERRUN		 ((int32_t)0xE00002E8) /* kIOReturnOverrun: babble */
#define DX_USB_DEVICE_ERROR	 ((int32_t)0xE00002E9) /* kIOReturnDeviceError */
#define DX_USB_ABORTED		 ((int32_t)0xE00002EB) /* kIOReturnAborted */
#define DX_USB_NO_BANDWIDTH	 ((int32_t)0xE00002EC) /* kIOReturnNoBandwidth */
#define DX_USB_NOT_RESPONDING	 ((int32_t)0xE00002ED) /* kIOReturnNotResponding: unplugged */
#define DX_USB_ISO_TOO_OLD	 ((int32_t)0xE00002EE) /* kIOReturnIsoTooOld */
#define DX_USB_ISO_TOO_NEW	 ((int32_t)0xE00002EF) /* kIOReturnIsoTooNew */
#define DX_USB_NOT_FOUND	 ((int32_t)0xE00002F0) /* kIOReturnNotFound */
#define DX_USB_INVALID		 ((int32_t)0xE0000001) /* kIOReturnInvalid: not yet processed */
#define DX_USB_STALLED		 ((int32_t)0xE0005000) /* kUSBHostReturnPipeStalled */

#endif

/* SPDX-License-Identifier: MIT
 *
 * usbmon - numbers of usbmon and ours; see usbmon.h.
 */
#include "capture/usbmon.h"

#include <errno.h>

#include "usb/backend.h"

static const struct {
	int32_t usb;
	int32_t linux_errno;
} statuses[] = {
	{DX_USB_OK, 0},
	{DX_USB_STALLED, -EPIPE},
	{DX_USB_ABORTED, -ENOENT}, /* what usbfs reports of a discarded transfer */
	{DX_USB_NOT_RESPONDING, -ESHUTDOWN},
	{DX_USB_OVERRUN, -EOVERFLOW},
	{DX_USB_UNDERRUN, -EREMOTEIO},
	{DX_USB_IO_ERROR, -EPROTO},
	{DX_USB_DEVICE_ERROR, -EILSEQ},
	{DX_USB_NO_BANDWIDTH, -ENOSPC},
	{DX_USB_TIMEOUT, -ETIMEDOUT},
	{DX_USB_ISO_TOO_OLD, -EXDEV},
	{DX_USB_INVALID, -EINPROGRESS},
	/* only read: other words for the same */
	{DX_USB_ABORTED, -ECONNRESET},
	{DX_USB_NOT_RESPONDING, -ENODEV},
	{DX_USB_IO_ERROR, -ETIME},
};

int32_t dx_usbmon_status(int32_t usb_status)
{
	for (unsigned i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i].usb == usb_status) {
			return statuses[i].linux_errno;
		}
	}
	return -EIO;
}

int32_t dx_usbmon_to_usb_status(int32_t linux_status)
{
	for (unsigned i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i].linux_errno == linux_status) {
			return statuses[i].usb;
		}
	}
	return DX_USB_IO_ERROR;
}

static const uint8_t types[4] = {
	[DX_USB_CONTROL] = DX_USBMON_CONTROL,
	[DX_USB_ISOCHRONOUS] = DX_USBMON_ISOCHRONOUS,
	[DX_USB_BULK] = DX_USBMON_BULK,
	[DX_USB_INTERRUPT] = DX_USBMON_INTERRUPT,
};

uint8_t dx_usbmon_type(uint8_t transfer_type)
{
	return types[transfer_type & 3];
}

uint8_t dx_usbmon_to_transfer_type(uint8_t type)
{
	for (uint8_t i = 0; i < 4; i++) {
		if (types[i] == (type & 3)) {
			return i;
		}
	}
	return DX_USB_BULK;
}

/* SPDX-License-Identifier: MIT
 *
 * usbmon - one event on a USB bus as Linux's usbmon writes it and Wireshark reads it.
 *
 * Place:      capture. The writer fills it, the reader of recordings checks it.
 *             The layout is the kernel's (Documentation/usb/usbmon.rst, "mmapped" binary form), and the
 *             payload of link types DLT_USB_LINUX_MMAPPED (220) and, its first 48 bytes, of
 *             DLT_USB_LINUX (189). Byte order: that of the machine that captured.
 */
#ifndef DX_CAPTURE_USBMON_H
#define DX_CAPTURE_USBMON_H

#include <stdint.h>

#define DX_USBMON_LINKTYPE	 220u /* DLT_USB_LINUX_MMAPPED */
#define DX_USBMON_LINKTYPE_SHORT 189u /* DLT_USB_LINUX */
#define DX_USBMON_SHORT_SIZE	 48u

/* The event byte. */
#define DX_USBMON_SUBMIT   'S'
#define DX_USBMON_COMPLETE 'C'
#define DX_USBMON_ERROR	   'E' /* the submission was refused */

/* The numbers of Linux's PIPE_..., which are not those of bmAttributes. */
enum dx_usbmon_type {
	DX_USBMON_ISOCHRONOUS = 0,
	DX_USBMON_INTERRUPT = 1,
	DX_USBMON_CONTROL = 2,
	DX_USBMON_BULK = 3,
};

struct dx_usbmon_header {
	uint64_t id;	  /* the same in the events of one transfer */
	uint8_t event;
	uint8_t type;	  /* enum dx_usbmon_type */
	uint8_t endpoint; /* with the direction bit, for control too */
	uint8_t device;
	uint16_t bus;
	uint8_t setup_flag; /* 0: setup is there */
	uint8_t data_flag;  /* 0: data is there; '<' '>': which event of the transfer has it */
	int64_t seconds;
	int32_t microseconds;
	int32_t status;	    /* a negative errno of Linux; -EINPROGRESS in a submission */
	uint32_t length;    /* submit: of the buffer; complete: moved */
	uint32_t captured;  /* bytes that follow this header, iso descriptors included */
	union {
		uint8_t setup[8];
		struct {
			int32_t nr_errors;
			int32_t nr_descriptors;
		} iso;
	};
	int32_t interval;
	int32_t start_frame;
	uint32_t flags;
	uint32_t nr_descriptors;
};

struct dx_usbmon_iso {
	int32_t status;
	uint32_t offset; /* into the transfer's data */
	uint32_t length; /* submit: requested; complete: moved */
	uint32_t reserved;
};

_Static_assert(sizeof(struct dx_usbmon_header) == 64, "layout of the kernel");
_Static_assert(sizeof(struct dx_usbmon_iso) == 16, "layout of the kernel");

/* DX_USB_... status as Linux's errno and back. Unknown errnos are DX_USB_IO_ERROR. */
int32_t dx_usbmon_status(int32_t usb_status);
int32_t dx_usbmon_to_usb_status(int32_t linux_status);
/* enum dx_usb_transfer_type as enum dx_usbmon_type and back; each is 0..3. */
uint8_t dx_usbmon_type(uint8_t transfer_type);
uint8_t dx_usbmon_to_transfer_type(uint8_t type);

#endif

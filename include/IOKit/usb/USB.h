/* SPDX-License-Identifier: MIT
 *
 * USB - result codes and messages of the USB family.
 *
 * What a driver or application meets in practice is kUSBHostReturnPipeStalled besides the common
 * codes; the kIOUSB... codes are the older family's, for sources that compare with them.
 */
#ifndef OPENDEXT_IOKIT_USB_USB_H
#define OPENDEXT_IOKIT_USB_USB_H

#include <IOKit/IOReturn.h>

/*! Makes a code of the USB family: the present one, the older one. */
#define iokit_usbhost_err(return)	((IOReturn)iokit_family_err(sub_iokit_usb, 0x1000 | (return)))
#define iokit_usb_err(return)		((IOReturn)iokit_family_err(sub_iokit_usb, (return)))

/*! The endpoint is halted: clear the stall. No configuration fits the power there is. */
#define kUSBHostReturnPipeStalled	iokit_usbhost_err(0x00)
#define kUSBHostReturnNoPower		iokit_usbhost_err(0x01)

/*! Messages: a configuration was set; current must be negotiated anew; the controller failed. */
#define kUSBHostMessageConfigurationSet	    iokit_usbhost_err(0x00)
#define kUSBHostMessageRenegotiateCurrent   iokit_usbhost_err(0x01)
#define kUSBHostMessageControllerException  iokit_usbhost_err(0x02)

/*! Pipes, configurations, interfaces, power. */
#define kIOUSBUnknownPipeErr		    iokit_usb_err(0x61)
#define kIOUSBTooManyPipesErr		    iokit_usb_err(0x60)
#define kIOUSBNoAsyncPortErr		    iokit_usb_err(0x5f)
#define kIOUSBNotEnoughPipesErr		    iokit_usb_err(0x5e)
#define kIOUSBNotEnoughPowerErr		    iokit_usb_err(0x5d)
#define kIOUSBEndpointNotFound		    iokit_usb_err(0x57)
#define kIOUSBConfigNotFound		    iokit_usb_err(0x56)
#define kIOUSBPortWasSuspended		    iokit_usb_err(0x52)
#define kIOUSBTransactionTimeout	    iokit_usb_err(0x51)
#define kIOUSBTransactionReturned	    iokit_usb_err(0x50)
#define kIOUSBPipeStalled		    iokit_usb_err(0x4f)
#define kIOUSBInterfaceNotFound		    iokit_usb_err(0x4e)
#define kIOUSBLowLatencyBufferNotPreviouslyAllocated	iokit_usb_err(0x4d)
#define kIOUSBLowLatencyFrameListNotPreviouslyAllocated iokit_usb_err(0x4c)
#define kIOUSBHighSpeedSplitError	    iokit_usb_err(0x4b)
#define kIOUSBSyncRequestOnWLThread	    iokit_usb_err(0x4a)
#define kIOUSBDeviceTransferredToCompanion  iokit_usb_err(0x49)
#define kIOUSBClearPipeStallNotRecursive    iokit_usb_err(0x48)
#define kIOUSBDevicePortWasNotSuspended	    iokit_usb_err(0x47)
#define kIOUSBEndpointCountExceeded	    iokit_usb_err(0x46)
#define kIOUSBDeviceCountExceeded	    iokit_usb_err(0x45)
#define kIOUSBStreamsNotSupported	    iokit_usb_err(0x44)
#define kIOUSBInvalidSSEndpoint		    iokit_usb_err(0x43)
#define kIOUSBTooManyTransactionsPending    iokit_usb_err(0x42)

/*! Errors on the wire. */
#define kIOUSBLinkErr			    iokit_usb_err(0x10)
#define kIOUSBNotSent2Err		    iokit_usb_err(0x0f)
#define kIOUSBNotSent1Err		    iokit_usb_err(0x0e)
#define kIOUSBBufferUnderrunErr		    iokit_usb_err(0x0d)
#define kIOUSBBufferOverrunErr		    iokit_usb_err(0x0c)
#define kIOUSBWrongPIDErr		    iokit_usb_err(0x07)
#define kIOUSBPIDCheckErr		    iokit_usb_err(0x06)
#define kIOUSBDataToggleErr		    iokit_usb_err(0x03)
#define kIOUSBBitstufErr		    iokit_usb_err(0x02)
#define kIOUSBCRCErr			    iokit_usb_err(0x01)

#endif

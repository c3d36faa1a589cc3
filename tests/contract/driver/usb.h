/* SPDX-License-Identifier: MIT
 *
 * usb - what the USB files of the test driver share.
 */
#ifndef DX_TESTS_CONTRACT_DRIVER_USB_H
#define DX_TESTS_CONTRACT_DRIVER_USB_H

#include "driver.h"

#define CONTRACT_RING_SIZE 8u

METHOD(contract_usb_configure);
METHOD(contract_usb_close);
METHOD(contract_usb_test);
/* usb_isoch.c */
METHOD(contract_usb_isoch);
METHOD(contract_usb_isoch_async);
METHOD(contract_usb_isoch_abort);

/* usb.c: closes interface and pipes, if they are open. */
void contract_usb_shut(struct contract_usb *usb, IOService *self);

#endif

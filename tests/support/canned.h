/* SPDX-License-Identifier: MIT
 *
 * canned - a USB/IP server that has said everything beforehand: what open() will read lies in the
 * socket already. The test plays the rest of the server itself, in the same thread.
 *
 * The device: 1-1, high speed, USB 2.0, configuration 1 in force with one interface and the
 * endpoints 0x81 bulk IN, 0x01 bulk OUT, 0x82 interrupt IN, 0x83 isochronous IN, 0x03 isochronous
 * OUT.
 */
#ifndef DX_TESTS_CANNED_H
#define DX_TESTS_CANNED_H

#include <stddef.h>
#include <stdint.h>

#include "backend/usbip/protocol.h"

#define CANNED_SPEC   "usbip:peer:1/1-1"
#define CANNED_DEVICE 0x00010002u /* its number in units */
#define CANNED_BYTES  1024u       /* room for everything */

/* The replies to import and descriptors, in order. @return bytes. */
size_t canned_replies(uint8_t *bytes);
/* An answer to a submit, 48 bytes. */
void canned_answer(uint8_t *bytes, uint32_t number, int32_t status, uint32_t actual);
void canned_unlink_answer(uint8_t *bytes, uint32_t number, int32_t status);

#endif

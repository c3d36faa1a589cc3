/* SPDX-License-Identifier: MIT
 *
 * recording - what one device did, read from a capture: transfers in order and its descriptors.
 *
 * Place:      capture; the replay backend plays it. Reads what capture.h writes and what dumpcap,
 *             Wireshark and tcpdump write from usbmon on Linux (pcapng and pcap, through libpcap).
 * Invariants:
 *   R1  A transfer's numbers are checked once, here: actual <= length, nr_data <= what the file holds,
 *       packets lie inside of the transfer.
 *   R2  Packet numbers count from 1 over all packets of the file, as Wireshark shows them.
 * Trust:      the file is hostile. What is cut off in the middle of a packet is reported and used up to
 *             there; what is no capture of a USB bus is refused with the reason.
 * Memory:     while it is read, all transfers of the file; then those of the device. Their data are at
 *             most DX_RECORDING_MAX bytes, what describes them grows with the file.
 * Threads:    none shared; a loaded recording does not change.
 */
#ifndef DX_CAPTURE_RECORDING_H
#define DX_CAPTURE_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "usb/backend.h"

#define DX_RECORDING_MAX ((size_t)1 << 30) /* bytes of data kept */

struct dx_recorded_transfer {
	uint8_t type; /* enum dx_usb_transfer_type */
	uint8_t endpoint; /* 0 for control */
	uint8_t setup[8];
	bool is_in;
	bool was_refused; /* no completion will come */
	uint32_t length;  /* of the buffer */
	uint32_t actual;
	int32_t status;	  /* DX_USB_...; valid when completed_at != 0 */
	const uint8_t *data; /* OUT: sent; IN: received */
	uint32_t nr_data;    /* bytes of it that the capture holds: up to length (OUT) or actual (IN) */
	uint32_t nr_packets; /* isochronous */
	struct dx_usb_packet *packets;
	uint32_t submitted_at; /* packet numbers; 0: not in the file */
	uint32_t completed_at;
	uint64_t submitted_ns; /* since 1970 */
	uint64_t completed_ns;
};

struct dx_recording {
	uint16_t bus;
	uint8_t address;
	uint32_t nr_packets; /* of the whole file */
	uint32_t nr_cut;     /* transfers of which the capture does not hold all bytes */
	size_t nr_transfers;
	struct dx_recorded_transfer *transfers; /* in order of their first packet */
	uint8_t device[18];
	unsigned nr_configurations; /* complete ones, in index order from 0 on */
	const uint8_t *configurations[16]; /* into data of transfers */
	size_t configuration_lengths[16];
	const uint8_t *bos; /* NULL: none */
	size_t bos_length;
};

/*!
 * Reads a capture.
 * @param fd      taken over, also on failure.
 * @param name    for messages.
 * @param device  "BUS.ADDRESS" as Wireshark shows it, or NULL: the only one with descriptors.
 * @param message one line: why it failed, or on success a warning or "".
 * @return 0; -EINVAL not a capture of a USB bus, or device is malformed; -ENODEV no such device, none
 *         with its descriptors, or several (message lists them); -EFBIG; -ENOMEM.
 */
int dx_recording_load(int fd, const char *name, const char *device, char *message,
		      size_t message_size, struct dx_recording **ret_recording);
/* NULL is allowed. @return NULL. */
struct dx_recording *dx_recording_free(struct dx_recording *recording);

#endif

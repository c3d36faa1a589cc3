/* SPDX-License-Identifier: MIT
 *
 * pipe - one endpoint: the data path.
 *
 * Place:      usb, part of an interface's session.
 * Invariants: U1-U3 of usb.h, and
 *   P1  Any error but a timeout or an abort halts a bulk or interrupt pipe: new requests get
 *       DX_USB_STALLED, queued ones wait, until dx_usb_pipe_clear_stall() (which aborts them).
 *   P2  submit() allocates nothing once the pipe has seen its largest queue depth, and makes no
 *       system call (with a timeout: it reads the clock).
 *   P3  A closed pipe (close, new alternate setting, unplug) refuses everything: DX_USB_NOT_OPEN,
 *       DX_USB_NO_DEVICE.
 * Owner:      data and what ctx points at are the caller's, to be kept until the callback.
 * Threads:    any.
 */
#ifndef DX_USB_PIPE_H
#define DX_USB_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "usb/device.h"

struct dx_usb_pipe;

#define DX_USB_BUNDLE_MAX      16u   /* kIOUSBHostPipeBundlingMax */
#define DX_USB_MAX_ISO_FRAMES  4096u /* of one isochronous request */
#define DX_USB_MAX_RING_LENGTH 1024u /* entries of a bundle ring */

/* Byte for byte IOUSBIsochronousFrame; may lie in shared memory, so fields are read once. */
struct dx_usb_iso_frame {
	int32_t status;
	uint32_t request_count;
	uint32_t complete_count;
	uint32_t reserved;
	uint64_t timestamp_ns;
} __attribute__((packed));

_Static_assert(sizeof(struct dx_usb_iso_frame) == 24, "IOUSBIsochronousFrame");

/* Byte for byte IOUSBStandardEndpointDescriptors. */
struct dx_usb_endpoint_descriptors {
	uint16_t bcdUSB;
	uint8_t endpoint[7];
	uint8_t ss_companion[6];
	uint8_t ssp_companion[8];
} __attribute__((packed));

/* Consecutive entries of a bundle ring, from `index` on (wrapping), `count` of them, 1..16. */
typedef void (*dx_usb_bundle_fn)(void *ctx, uint32_t index, uint32_t count,
				 const uint32_t *actual_bytes, const int32_t *statuses);

/* Handles; each keeps the device's memory. NULL is allowed; unref returns NULL. */
struct dx_usb_pipe *dx_usb_pipe_ref(struct dx_usb_pipe *pipe);
struct dx_usb_pipe *dx_usb_pipe_unref(struct dx_usb_pipe *pipe);

struct dx_usb_device *dx_usb_pipe_device(const struct dx_usb_pipe *pipe);
uint8_t dx_usb_pipe_address(const struct dx_usb_pipe *pipe);
uint8_t dx_usb_pipe_type(const struct dx_usb_pipe *pipe); /* enum dx_usb_transfer_type */
uint16_t dx_usb_pipe_max_packet(const struct dx_usb_pipe *pipe);
bool dx_usb_pipe_is_halted(struct dx_usb_pipe *pipe);
uint32_t dx_usb_pipe_nr_pending(struct dx_usb_pipe *pipe); /* submitted, callback not yet begun */

/*!
 * Queues one bulk or interrupt transfer.
 * @param data        length bytes, used in place; NULL only if length is 0.
 * @param length      0 sends (expects) a zero-length packet.
 * @param timeout_ms  from now; 0 = none. Must be 0 on interrupt pipes.
 * @return DX_USB_OK: `complete` follows, once, in order. DX_USB_BAD_ARGUMENT (also: isochronous
 *         pipe); DX_USB_STALLED halted; DX_USB_NOT_OPEN closed; DX_USB_NO_DEVICE;
 *         DX_USB_NO_RESOURCES more than DX_MAX_TRANSFERS_PER_PIPE; DX_USB_NO_MEMORY.
 * Completion: DX_USB_OK (IN: a short packet ends it with fewer bytes), DX_USB_STALLED,
 *         DX_USB_TIMEOUT, DX_USB_OVERRUN device sent too much, DX_USB_NOT_RESPONDING no
 *         valid answer, or unplugged, what abort was given, DX_USB_ABORTED closed. A request
 *         that has ended early waits for the ones before it (U2).
 * Blocks: only while another thread aborts this pipe synchronously (never in a callback).
 */
int32_t dx_usb_pipe_submit(struct dx_usb_pipe *pipe, void *data, uint32_t length,
			   uint32_t timeout_ms, dx_usb_complete_fn complete, void *ctx);
/* Same, waiting; returns as soon as this transfer has ended, also when earlier ones have not.
 * ret_actual is written whenever the transfer was queued. May be NULL. */
int32_t dx_usb_pipe_io(struct dx_usb_pipe *pipe, void *data, uint32_t length, uint32_t timeout_ms,
		       uint32_t *ret_actual);

/*!
 * Queues one isochronous transfer of nr_frames packets.
 * @param frames       request_count is read once; status becomes DX_USB_INVALID now, and all
 *                     results are written before the callback. Kept by the caller until then.
 * @param first_frame  bus frame of the first packet; 0 = the next one free.
 * @param complete     actual_bytes is the sum of complete_count; NULL = wait here.
 * @return as submit(); also DX_USB_ISO_TOO_OLD, DX_USB_ISO_TOO_NEW; DX_USB_BAD_ARGUMENT when the
 *         frames need more than length bytes or are more than DX_USB_MAX_ISO_FRAMES.
 */
int32_t dx_usb_pipe_submit_iso(struct dx_usb_pipe *pipe, void *data, uint32_t length,
			       struct dx_usb_iso_frame *frames, uint32_t nr_frames,
			       uint64_t first_frame, dx_usb_complete_fn complete, void *ctx);

/*!
 * Ends all pending requests; they complete with with_error and the bytes moved so far.
 * @param synchronous  return after their callbacks; other threads' submits wait meanwhile.
 * @return DX_USB_OK; DX_USB_BAD_ARGUMENT with_error is DX_USB_OK; DX_USB_NOT_OPEN;
 *         DX_USB_NO_DEVICE.
 */
int32_t dx_usb_pipe_abort(struct dx_usb_pipe *pipe, bool synchronous, int32_t with_error);

/*!
 * Ends a halt: aborts what is queued (DX_USB_ABORTED, delivered before this returns), resets the
 * host's side, with_request also sends CLEAR_FEATURE(ENDPOINT_HALT).
 * @return DX_USB_OK; DX_USB_NOT_OPEN; DX_USB_NO_DEVICE; status of the request.
 * Blocks: until the device has answered, 5 s at most.
 */
int32_t dx_usb_pipe_clear_stall(struct dx_usb_pipe *pipe, bool with_request);

/* Only bulk and interrupt (DX_USB_UNSUPPORTED otherwise). Stored. */
int32_t dx_usb_pipe_set_idle_policy(struct dx_usb_pipe *pipe, uint32_t timeout_ms);
int32_t dx_usb_pipe_idle_policy(struct dx_usb_pipe *pipe, uint32_t *ret_timeout_ms);

/*!
 * Reserves less bandwidth on an interrupt or isochronous pipe.
 * @param descriptors  changed copies of the original; bcdUSB 0x0110, 0x0200, 0x0300 or 0x0310.
 * @return DX_USB_OK; DX_USB_UNSUPPORTED bulk; DX_USB_BAD_ARGUMENT another address or type, a
 *         bcdUSB not listed, or more bandwidth than the original; DX_USB_NOT_OPEN.
 */
int32_t dx_usb_pipe_adjust(struct dx_usb_pipe *pipe,
			   const struct dx_usb_endpoint_descriptors *descriptors);
/* original: as the device says; otherwise as adjusted. Companions are zero where absent. */
int32_t dx_usb_pipe_descriptors(struct dx_usb_pipe *pipe, bool original,
				struct dx_usb_endpoint_descriptors *ret_descriptors);

/* ---- bundled I/O, bulk only ---- */

/* Once per pipe. DX_USB_BUSY second call; DX_USB_UNSUPPORTED not bulk; DX_USB_BAD_ARGUMENT size 0
 * or above DX_USB_MAX_RING_LENGTH; DX_USB_NO_MEMORY. */
int32_t dx_usb_pipe_create_ring(struct dx_usb_pipe *pipe, uint32_t size);
/* The memory of one entry; not while that entry is in flight (DX_USB_BUSY). DX_USB_NOT_READY
 * without a ring; DX_USB_BAD_ARGUMENT index or data NULL. */
int32_t dx_usb_pipe_set_ring_entry(struct dx_usb_pipe *pipe, uint32_t index, void *data,
				   uint32_t length);
/*!
 * Queues `count` (1..16) consecutive entries, wrapping at the end of the ring.
 * @param lengths       count of them, each at most its entry's length.
 * @param ret_accepted  always written: how many were queued, also with an error.
 * @return as submit(); DX_USB_NOT_READY no ring; DX_USB_BAD_ARGUMENT entry unset, length, count,
 *         index, complete NULL; DX_USB_BUSY an entry is still in flight.
 */
int32_t dx_usb_pipe_submit_bundle(struct dx_usb_pipe *pipe, uint32_t index, uint32_t count,
				  const uint32_t *lengths, uint32_t timeout_ms,
				  dx_usb_bundle_fn complete, void *ctx, uint32_t *ret_accepted);

#endif

/* SPDX-License-Identifier: MIT
 *
 * capture - writes what passes on the bus to a pcapng file, for Wireshark, tshark and replay.
 *
 * Place:      capture -> usb (backend.h and tap.h). The broker begins the file; each host appends to it
 *             through a descriptor that it inherits.
 * Invariants:
 *   C1  A block is appended whole or not at all: under a lock of the file that counts between the
 *       processes, and cut off again when the disk was full in the middle. Half a block of a process
 *       that was killed in the middle is cut off by whoever appends next, or ends the capture.
 *   C2  A capture that cannot be written says so once and stops. The traffic goes on.
 *   C3  Everything is written before the stack goes on: when a driver crashes, the capture holds the
 *       events up to the crash.
 *   C4  Nobody waits for the lock longer than DX_CAPTURE_LOCK_NS, because the driver of another host
 *       has the same file in its process: it can spoil the capture, not stop the traffic. Who does
 *       not get the lock in time cannot write (C2).
 * Format:     one section in this machine's byte order, one interface of link type
 *             DLT_USB_LINUX_MMAPPED with nanoseconds since 1970. At most DX_CAPTURE_SNAPLEN bytes of an
 *             event are kept. The descriptors that a device had when it was opened come first, and its
 *             configuration, as the requests that would have read them, with a comment.
 * Threads:    any; each call holds the caller up for one write, and those of the other hosts before it.
 */
#ifndef DX_CAPTURE_CAPTURE_H
#define DX_CAPTURE_CAPTURE_H

#include <stddef.h>

#include "usb/tap.h"

#define DX_CAPTURE_LOCK_NS 3000000000u
#define DX_CAPTURE_SNAPLEN 16711680u /* header included; libpcap reads blocks of 16 MiB */

struct dx_capture;

/*!
 * Makes or empties the file and writes what each capture begins with.
 * @param message  one line that names the file when it fails.
 * @return a descriptor of the caller's, close-on-exec; a negative errno of open() or write().
 */
int dx_capture_begin(const char *path, char *message, size_t message_size);

/* Ends what dx_capture_begin() began, when nobody appends any more; closes and forgets *fd. */
void dx_capture_end(int *fd);

/*!
 * Appends to a file that dx_capture_begin() has begun.
 * @param fd  taken over, also on failure.
 * @return 0; -ENOMEM.
 */
int dx_capture_new(int fd, struct dx_capture **ret_capture);
/* No device may still be tapped. NULL is allowed. @return NULL. */
struct dx_capture *dx_capture_free(struct dx_capture *capture);
/* For dx_usb_device_set_tap(), any number of devices. Borrowed. */
struct dx_usb_tap *dx_capture_tap(struct dx_capture *capture);

#endif

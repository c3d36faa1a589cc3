/* SPDX-License-Identifier: MIT
 *
 * served - a USB/IP server in a thread of the test, with virtual devices.
 *
 * Place:      tests that want a device to be reached over USB/IP.
 */
#ifndef DX_TESTS_SERVED_H
#define DX_TESTS_SERVED_H

#include <stdint.h>

#define SERVED_MAX        8u
#define SERVED_SPEC_BYTES 64u

struct dx_usb_backend_ops;
struct served;

/* Serves these devices on a free port of this machine; the test fails when that does not work. */
struct served *served_start(const char *const *specs, unsigned nr_specs);
/* Over these backends, ended by NULL, instead of all there are. */
struct served *served_start_over(const struct dx_usb_backend_ops *const *backends,
				 const char *const *specs, unsigned nr_specs);
/* "usbip:127.0.0.1:PORT/1-N" of the n-th device, from 0. Borrowed. */
const char *served_spec(const struct served *served, unsigned n);
uint16_t served_port(const struct served *served);
/* A connected descriptor whose other end the server has; nothing has been said yet. */
int served_connect(const struct served *served);
void served_stop(struct served *served);

#endif

/* SPDX-License-Identifier: MIT
 *
 * usb - the host stack: everything that a driver can do with a USB device.
 *
 * Place:      driver -> usb -> backend. One header per noun; this one has them all.
 *
 *   dx_usb_device     one attached device: sessions, descriptors, control requests
 *   dx_usb_interface  one interface of the current configuration
 *   dx_usb_pipe       one endpoint of the current alternate setting: the data path
 *   dx_usb_desc       walking raw descriptors (hostile bytes)
 *   dx_usb_spec       from "virtual:gadget-zero,speed=super" to a backend
 *   dx_usb_describe   what the registry wants to know about a spec
 *   dx_usb_tap        who listens to what passes
 *
 * How events flow:
 *
 *   submit ----> backend queue                  (no completion yet, no system call)
 *   dx_usb_poll  runs the backend, collects completions under the lock, unlocks, calls callbacks
 *
 * A queue thread that has submitted calls dx_usb_poll() until dx_usb_needs_poll() says no, then
 * sleeps in epoll on dx_usb_event_fd() (if not -1), until dx_usb_next_deadline_ns(). A thread that
 * submits while another one sleeps polls itself or wakes the other: nobody else will.
 *
 * Invariants:
 *   U1  A submit that returns DX_USB_OK is followed by exactly one callback; any other by none.
 *   U2  Callbacks of one pipe come in the order of submission and never two at a time per device:
 *       one thread delivers; others leave what they collected to it.
 *   U3  No callback runs under a lock of this room; a callback may call everything, the blocking
 *       functions included (they deliver later completions from inside the callback).
 *   U4  After unplug, detach or reset every pending request completes, then `gone` is called once.
 * Locks:      one dx_mutex per device, order 40.
 * Threads:    any, for every function.
 */
#ifndef DX_USB_USB_H
#define DX_USB_USB_H

#include "usb/backend.h"
#include "usb/describe.h"
#include "usb/descriptor.h"
#include "usb/device.h"
#include "usb/error.h"
#include "usb/interface.h"
#include "usb/pipe.h"
#include "usb/spec.h"
#include "usb/tap.h"

#endif

/* SPDX-License-Identifier: MIT
 *
 * yardstick - what two processes of this machine can do at best: spin and eventfd round trips, passing a
 * descriptor.
 *
 * The other process is forked before anything else happens, and sleeps between slices.
 */
#ifndef DX_BENCH_YARDSTICK_H
#define DX_BENCH_YARDSTICK_H

#include <stdint.h>

/* Forks the peer. @return 0 or a negative errno. */
int yardstick_start(void);
void yardstick_stop(void);
/* Allows the peer these CPUs only; mask 0: all. */
void yardstick_pin(uint64_t mask);
/* Nanoseconds per round trip, over about ms milliseconds. */
double yardstick_spin_ns(unsigned ms);
/* The same through two eventfds; pause_us: sleep before each, which is not measured. */
double yardstick_eventfd_ns(unsigned ms, unsigned pause_us);
/* The peer keeps a descriptor, and gives it back as often as it is asked: an eventfd there, a socket
 * back. The caller closes what it gets. */
void yardstick_keep(int fd);
int yardstick_give(void);

#endif

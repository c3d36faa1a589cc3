/* SPDX-License-Identifier: MIT
 *
 * loop - one thread that waits for many things: descriptors, times, signals.
 *
 * Place:      base. The broker, and the control thread of a host.
 * Invariants:
 *   L1  after dx_loop_source_remove() returns, that source's callback is not called again, also
 *       when it was removed by a callback of the same round.
 *   L2  a callback may add and remove any source, its own included, and stop the loop.
 *   L3  a source that is always ready does not starve the others: each is called once per round.
 * Owner:      the loop owns its sources; the caller keeps descriptors and contexts.
 * Threads:    one, the one that runs it; dx_loop_stop() from any.
 */
#ifndef DX_BASE_LOOP_H
#define DX_BASE_LOOP_H

#include <stddef.h>
#include <stdint.h>

struct dx_loop;
struct dx_loop_source;

/* events: EPOLLIN and so on, as found. */
typedef void (*dx_loop_fd_fn)(void *context, int fd, uint32_t events);
typedef void (*dx_loop_timer_fn)(void *context);
typedef void (*dx_loop_signal_fn)(void *context, int signal);

/* @return 0; -ENOMEM; -EMFILE. */
int dx_loop_new(struct dx_loop **ret_loop);
/* Removes what is left in it. Not from a callback. @return NULL. */
struct dx_loop *dx_loop_free(struct dx_loop *loop);

/*
 * Calls until dx_loop_stop(). A stop that came before is not lost.
 * @return 0, or the errno of epoll_wait.
 */
int dx_loop_run(struct dx_loop *loop);
/*
 * One round: waits up to timeout_ms (-1: for ever, 0: not at all), calls what is ready.
 * @return number of callbacks made, or a negative errno.
 */
int dx_loop_run_once(struct dx_loop *loop, int timeout_ms);
/* From any thread, and from signal handlers. */
void dx_loop_stop(struct dx_loop *loop);

/*
 * Watches fd, which stays the caller's and must be removed from here before it is closed.
 * @return 0; -EEXIST when fd is watched already; -EPERM for a file that epoll cannot watch; -ENOMEM.
 */
int dx_loop_add_fd(struct dx_loop *loop, int fd, uint32_t events, dx_loop_fd_fn callback,
		   void *context, struct dx_loop_source **ret_source);
/* @return 0, or the errno of epoll_ctl. */
int dx_loop_set_events(struct dx_loop_source *source, uint32_t events);

/* A timer that is not set yet. It fires once per setting. @return 0; -ENOMEM. */
int dx_loop_add_timer(struct dx_loop *loop, dx_loop_timer_fn callback, void *context,
		      struct dx_loop_source **ret_source);
/* deadline_ns: CLOCK_MONOTONIC (base/clock.h), up to 1 ms late; 0 switches it off. */
void dx_loop_set_timer(struct dx_loop_source *source, uint64_t deadline_ns);

/*
 * Blocks the signals in the calling thread, where they stay blocked, and delivers them as calls.
 * Start other threads afterwards, so that they inherit the mask.
 * @return 0; -EINVAL for a number that is no signal; -ENOMEM; -EMFILE.
 */
int dx_loop_add_signals(struct dx_loop *loop, const int *signals, size_t nr_signals,
			dx_loop_signal_fn callback, void *context,
			struct dx_loop_source **ret_source);

/* NULL is allowed. @return NULL. */
struct dx_loop_source *dx_loop_source_remove(struct dx_loop_source *source);

#endif

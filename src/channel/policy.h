/* SPDX-License-Identifier: MIT
 *
 * policy - how long to spin before sleeping.
 *
 * Place:      channel. Used by callers, by notification waiters, and by the serving thread of a
 *             host for all its connections together (one policy per queue, never per client).
 * Invariants:
 *   W1  a spin ends after 1.25 times what one wake-up costs on this machine, so a wait costs at
 *       most about twice the best possible choice.
 *   W2  EWMA gate: when recent waits were longer than twice that, only one wait in 64 spins.
 *   W3  same-CPU gate: when the peer last ran on our CPU, yield once, then sleep. One in 64 such
 *       waits sleeps at once: only a wake-up lets the kernel move one of the two to a CPU that is
 *       idle; while they hand a CPU to each other they are never idle long enough to be moved.
 *       After 16 yields in a row that brought nothing only one wait in 16 yields: the scheduler may
 *       go on with us, because the peer has had more than its share, and then a yield is a system
 *       call for nothing.
 *   W4  a wait that ends within the first steps reads no clock.
 * Threads:    one policy, one thread at a time.
 *
 * Use:
 *	dx_wait_policy_begin(&policy);
 *	while (!(ready = look())) {
 *		if (!dx_wait_policy_spin(&policy, peer_cpu)) {
 *			announce, fence, look again, sleep;      (may repeat)
 *			if ready: break;
 *		}
 *	}
 *	dx_wait_policy_end(&policy);
 */
#ifndef DX_CHANNEL_POLICY_H
#define DX_CHANNEL_POLICY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Take the measured budget of this machine. */
#define DX_WAIT_BUDGET_MEASURED UINT64_MAX
/* No peer, or it has not said where it runs. */
#define DX_WAIT_CPU_UNKNOWN UINT32_MAX

struct dx_wait_policy {
	uint64_t budget_ns; /* 0: never spin */
	uint64_t ewma_ns;
	uint64_t start_ns; /* 0: no clock read in this wait yet */
	uint32_t steps;    /* of the current wait */
	uint32_t skipped;  /* waits that the EWMA gate did not let spin */
	uint32_t shared;   /* waits in a row with the peer on our CPU */
	uint32_t fruitless; /* yields in a row that brought nothing */
	bool spinning;
	bool yielded;
	bool handed_over; /* yielded, and nobody has looked since */
	_Atomic uint64_t nr_yields; /* sched_yield() calls so far; any thread may read it */
};

/* budget_ns: DX_WAIT_BUDGET_MEASURED, 0 for none, or a number of nanoseconds. */
void dx_wait_policy_init(struct dx_wait_policy *policy, uint64_t budget_ns);
/* A new wait starts now. */
void dx_wait_policy_begin(struct dx_wait_policy *policy);
/* Passes a short while (a pause, or a yield to a peer on this CPU). peer_cpu is only a hint.
 * @return true: look again; false: it is time to sleep, now and for the rest of this wait. */
bool dx_wait_policy_spin(struct dx_wait_policy *policy, uint32_t peer_cpu);
/* The wait is over: what was waited for has come. */
void dx_wait_policy_end(struct dx_wait_policy *policy);
/* The wait was given up (timeout, error): learn nothing. */
void dx_wait_policy_cancel(struct dx_wait_policy *policy);

/* 1.25 times the cost of one wake-up, measured at the first use in a process (about 2 ms);
 * 0 when the process may only use one CPU. Any thread. */
uint64_t dx_wait_budget_ns(void);
/* The CPU of the caller, for publishing; costs a few nanoseconds. */
uint32_t dx_wait_cpu(void);

#endif

/* SPDX-License-Identifier: MIT
 *
 * thread - see thread.h.
 */
#include "base/sanitizer.h"
#include "driver/thread.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIGNAL_STACK_BYTES (64u * 1024u) /* untouched pages cost nothing */

_Thread_local struct dx_thread dx_thread_record __attribute__((tls_model("initial-exec")));

/* A place is taken from 0 and given back to 0, each by the thread itself; the order among places
 * means nothing, so relaxed is enough. */
static _Atomic pid_t thread_ids[DX_THREAD_MAX_IDS];

static bool change_id(pid_t from, pid_t to)
{
	for (unsigned i = 0; i < DX_THREAD_MAX_IDS; i++) {
		pid_t expected = from;

		if (atomic_compare_exchange_strong_explicit(&thread_ids[i], &expected, to,
							    memory_order_relaxed,
							    memory_order_relaxed)) {
			return true;
		}
	}
	return false;
}

unsigned dx_thread_ids(pid_t *ids, unsigned nr_ids)
{
	unsigned nr_found = 0;

	for (unsigned i = 0; i < DX_THREAD_MAX_IDS && nr_found < nr_ids; i++) {
		pid_t id = atomic_load_explicit(&thread_ids[i], memory_order_relaxed);

		if (id != 0) {
			ids[nr_found++] = id;
		}
	}
	return nr_found;
}

void dx_thread_signal_stack_begin(void)
{
	stack_t stack = {.ss_size = SIGNAL_STACK_BYTES};

	if (DX_SANITIZED) {
		return;
	}
	(void)change_id(0, gettid()); /* T4: without a place it is not asked */
	stack.ss_sp = mmap(NULL, SIGNAL_STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stack.ss_sp == MAP_FAILED) {
		return;
	}
	if (sigaltstack(&stack, NULL) < 0) {
		(void)munmap(stack.ss_sp, SIGNAL_STACK_BYTES);
	}
}

void dx_thread_signal_stack_end(void)
{
	const stack_t none = {.ss_flags = SS_DISABLE};
	stack_t stack = {.ss_flags = SS_DISABLE};

	(void)change_id(gettid(), 0);
	/* Only one of ours: a driver may have put another in its place. */
	if (!DX_SANITIZED && sigaltstack(&none, &stack) == 0 &&
	    (stack.ss_flags & SS_DISABLE) == 0 && stack.ss_size == SIGNAL_STACK_BYTES) {
		(void)munmap(stack.ss_sp, SIGNAL_STACK_BYTES);
	}
}

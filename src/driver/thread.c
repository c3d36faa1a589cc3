/* SPDX-License-Identifier: MIT
 *
 * thread - see thread.h.
 */
#include "driver/thread.h"

#include <signal.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

#define SIGNAL_STACK_BYTES (64u * 1024u) /* untouched pages cost nothing */

_Thread_local struct dx_thread dx_thread_record __attribute__((tls_model("initial-exec")));

void dx_thread_signal_stack_begin(void)
{
	stack_t stack = {.ss_size = SIGNAL_STACK_BYTES};

	if (IS_SANITIZED) {
		return;
	}
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

	/* Only one of ours: a driver may have put another in its place. */
	if (!IS_SANITIZED && sigaltstack(&none, &stack) == 0 &&
	    (stack.ss_flags & SS_DISABLE) == 0 && stack.ss_size == SIGNAL_STACK_BYTES) {
		(void)munmap(stack.ss_sp, SIGNAL_STACK_BYTES);
	}
}

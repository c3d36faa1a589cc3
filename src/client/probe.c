/* SPDX-License-Identifier: MIT
 *
 * probe - see probe.h.
 *
 * Place:   client.
 * Why:     a wrong pointer shall be an error of the call, not the end of the program. Asking the
 *          kernel each time would double the cost of a call, so each thread remembers pages.
 */
#include "client/probe.h"

#include <errno.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE_SHIFT 12u
#define NR_KNOWN   16u /* direct-mapped by the low bits of the page number */

static _Thread_local uintptr_t known_pages[NR_KNOWN];

static bool ask(uintptr_t page)
{
	char byte = 0;
	struct iovec local = {.iov_base = &byte, .iov_len = 1};
	struct iovec remote = {.iov_base = (void *)(page << PAGE_SHIFT), .iov_len = 1};
	int saved = errno;
	/* Only a fault says no: a sandbox may forbid the question. */
	bool is_mapped = process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1 || errno != EFAULT;

	errno = saved;
	return is_mapped;
}

bool dx_probe_is_mapped(const void *address, size_t length)
{
	uintptr_t first = (uintptr_t)address;
	uintptr_t last = 0;

	if (length == 0) {
		return true;
	}
	if (__builtin_add_overflow(first, length - 1, &last)) {
		return false;
	}
	for (uintptr_t page = first >> PAGE_SHIFT; page <= last >> PAGE_SHIFT; page++) {
		uintptr_t *known = &known_pages[page % NR_KNOWN];
		if (*known == page && page != 0) {
			continue;
		}
		if (!ask(page)) {
			return false;
		}
		*known = page;
	}
	return true;
}

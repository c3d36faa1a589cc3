/* SPDX-License-Identifier: MIT
 *
 * forkmark - tells a process from its parent without a system call; see forkmark.h.
 *
 * Place:   channel, application side.
 * Threads: the page is mapped once per family of processes and never unmapped; its word is set by
 *          whoever finds it wiped. The counter is copied by fork(), so a child counts on.
 */
#include "channel/forkmark.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "channel/layout.h"

typedef _Atomic uint32_t mark_word;

static _Atomic(mark_word *) mark_page;
static mark_word last_mark;

static mark_word *map_mark_page(void)
{
	mark_word *page = mmap(NULL, DX_LAYOUT_PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mark_word *expected = NULL;

	if (page == MAP_FAILED) {
		return NULL;
	}
	if (madvise(page, DX_LAYOUT_PAGE, MADV_WIPEONFORK) < 0) {
		(void)munmap(page, DX_LAYOUT_PAGE);
		return NULL;
	}
	/* Released so that whoever loads the pointer sees a page that is wiped on fork. */
	if (!atomic_compare_exchange_strong(&mark_page, &expected, page)) {
		(void)munmap(page, DX_LAYOUT_PAGE); /* another thread was first */
		return expected;
	}
	return page;
}

int dx_forkmark_take(uint32_t *ret_mark)
{
	mark_word *page = atomic_load(&mark_page);

	if (page == NULL) {
		page = map_mark_page();
	}
	if (page == NULL) {
		return -ENOMEM;
	}
	uint32_t mark = atomic_load(page);
	if (mark == 0) {
		uint32_t fresh = atomic_fetch_add(&last_mark, 1) + 1;
		if (atomic_compare_exchange_strong(page, &mark, fresh)) {
			mark = fresh;
		}
	}
	*ret_mark = mark;
	return 0;
}

bool dx_forkmark_is_current(uint32_t mark)
{
	mark_word *page = atomic_load_explicit(&mark_page, memory_order_relaxed);

	/* Pairs with nothing: whoever has a mark got it after the page was set. */
	return atomic_load_explicit(page, memory_order_relaxed) == mark;
}

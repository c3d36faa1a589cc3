/* SPDX-License-Identifier: MIT
 *
 * page - the size of a page and places in it.
 *
 * Place:   memory, private to the room.
 */
#ifndef DX_MEMORY_PAGE_H
#define DX_MEMORY_PAGE_H

#include <stdint.h>
#include <unistd.h>

static inline uint64_t dx_page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE); /* cannot fail; glibc answers from auxv */
}

static inline uint64_t dx_page_offset(uint64_t address)
{
	return address & (dx_page_size() - 1);
}

#endif

/* SPDX-License-Identifier: MIT
 *
 * areas - what the kernel says is mapped in a range of this process.
 *
 * Place:   client, under share.c. /proc/self/smaps alone shows the flags that a new mapping must have;
 *          reading it costs a walk over the process's pages. Where they do not matter
 *          /proc/self/maps is read, which costs nothing for the size of an area.
 */
#ifndef DX_CLIENT_AREAS_H
#define DX_CLIENT_AREAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Name of the files that promoted memory is in. */
#define DX_AREA_FILE_NAME "opendext-shared"

struct dx_area {
	uint64_t start; /* cut to the range asked for */
	uint64_t end;
	uint64_t offset; /* of start in its file */
	ino_t inode;	 /* 0: anonymous */
	unsigned device_major;
	unsigned device_minor;
	bool readable, writable, executable, shared;
	bool special;  /* stack, vdso, device memory */
	bool returned; /* private again after it was promoted */
	bool locked;   /* mlock() */
	bool dontfork, dontdump, hugepage, nohugepage; /* madvise() */
};

/* Areas that touch [low, high), in order, malloc'd. @return 0; -ENOMEM; errno of the file. */
int dx_areas_read(uint64_t low, uint64_t high, struct dx_area **ret_areas, size_t *ret_count);
/* The same without locked and the flags of madvise(), and special only as far as names tell. */
int dx_areas_list(uint64_t low, uint64_t high, struct dx_area **ret_areas, size_t *ret_count);
/* True when the areas cover [low, high) without a gap. */
bool dx_areas_cover(const struct dx_area *areas, size_t count, uint64_t low, uint64_t high);

#endif

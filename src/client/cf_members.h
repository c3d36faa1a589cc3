/* SPDX-License-Identifier: MIT
 *
 * cf_members - what CoreFoundation's containers of plain pointers have in common.
 *
 * Place:   client, under cf_array, cf_dictionary and cf_set.
 */
#ifndef DX_CLIENT_CF_MEMBERS_H
#define DX_CLIENT_CF_MEMBERS_H

#include <CoreFoundation/CFBase.h>

typedef const void *(*dx_cf_retain_fn)(CFAllocatorRef allocator, const void *value);
typedef void (*dx_cf_release_fn)(CFAllocatorRef allocator, const void *value);

/* The callbacks of containers of objects. */
const void *dx_cf_retain_object(CFAllocatorRef allocator, const void *value);
void dx_cf_release_object(CFAllocatorRef allocator, const void *value);

/* A member comes or goes, with callbacks that may be NULL. */
const void *dx_cf_member_keep(dx_cf_retain_fn retain, const void *value);
void dx_cf_member_drop(dx_cf_release_fn release, const void *value);

/*
 * Room for one more behind `count` members of `size` bytes each.
 * @return where they are from now on, *capacity is raised; NULL: no memory, all is as it was.
 */
void *dx_cf_members_grow(void *members, size_t size, size_t count, size_t *capacity);

#endif

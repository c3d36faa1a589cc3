/* SPDX-License-Identifier: MIT
 *
 * numbers - what is under way, found by its number.
 *
 * Place:      export, under requests. Knows numbers and entries, not what they stand for.
 * Invariants:
 *   N1  Finding, adding and removing cost the same however many entries there are: the table grows
 *       with them. Without memory to grow it goes on, and is slower.
 * Trust:      numbers are a client's choice. Where one is kept depends on a secret of the table, so
 *             nobody can choose numbers that end up in one place. The same number may be there more
 *             than once; the first that was added is found.
 * Threads:    one.
 */
#ifndef DX_EXPORT_NUMBERS_H
#define DX_EXPORT_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

/* Part of what is kept; the owner's. */
struct dx_export_number {
	struct dx_list link; /* empty: in no table */
	uint32_t number;
};

struct dx_export_numbers {
	struct dx_list *places;
	unsigned bits; /* there are 2^bits places */
	size_t count;
	uint64_t secret;
};

/* @return 0; -ENOMEM. */
int dx_export_numbers_init(struct dx_export_numbers *numbers);
/* Entries are forgotten. Zeros are allowed. */
void dx_export_numbers_fini(struct dx_export_numbers *numbers);
/* The entry is in no table. */
void dx_export_numbers_add(struct dx_export_numbers *numbers, struct dx_export_number *entry,
			   uint32_t number);
/* One that is in no table stays so. */
void dx_export_numbers_remove(struct dx_export_numbers *numbers, struct dx_export_number *entry);
/* NULL: there is none. */
struct dx_export_number *dx_export_numbers_find(const struct dx_export_numbers *numbers,
						uint32_t number);
/* The most entries that finding one may have to look at. */
size_t dx_export_numbers_longest(const struct dx_export_numbers *numbers);

#endif

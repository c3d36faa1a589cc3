/* SPDX-License-Identifier: MIT
 *
 * numbers_test - finding what is under way costs the same, whatever numbers a client chooses.
 */
#include "export/numbers.h"

#include "base/limits.h"
#include "test.h"

static struct dx_export_number entries[DX_MAX_EXPORT_REQUESTS];

static void begin(struct dx_export_numbers *numbers)
{
	CHECK_EQ(dx_export_numbers_init(numbers), 0);
	for (unsigned i = 0; i < DX_MAX_EXPORT_REQUESTS; i++) {
		dx_list_init(&entries[i].link);
	}
}

TEST(numbers_are_found_until_they_are_removed)
{
	struct dx_export_numbers numbers;

	begin(&numbers);
	CHECK(dx_export_numbers_find(&numbers, 0) == NULL);
	for (unsigned i = 0; i < 1000; i++) {
		dx_export_numbers_add(&numbers, &entries[i], i * 3);
	}
	CHECK_EQ(numbers.count, 1000);
	for (unsigned i = 0; i < 3000; i++) {
		CHECK(dx_export_numbers_find(&numbers, i) == (i % 3 == 0 ? &entries[i / 3] : NULL));
	}
	for (unsigned i = 0; i < 1000; i += 2) {
		dx_export_numbers_remove(&numbers, &entries[i]);
		dx_export_numbers_remove(&numbers, &entries[i]); /* nothing happens */
	}
	CHECK_EQ(numbers.count, 500);
	for (unsigned i = 0; i < 1000; i++) {
		CHECK(dx_export_numbers_find(&numbers, i * 3) == (i % 2 == 0 ? NULL : &entries[i]));
	}
	dx_export_numbers_fini(&numbers);
}

TEST(number_that_is_there_twice_is_found_in_order)
{
	struct dx_export_numbers numbers;

	begin(&numbers);
	for (unsigned i = 0; i < 200; i++) { /* the table grows meanwhile */
		dx_export_numbers_add(&numbers, &entries[i], 7);
	}
	for (unsigned i = 0; i < 200; i++) {
		CHECK(dx_export_numbers_find(&numbers, 7) == &entries[i]);
		dx_export_numbers_remove(&numbers, &entries[i]);
	}
	CHECK(dx_export_numbers_find(&numbers, 7) == NULL);
	dx_export_numbers_fini(&numbers);
}

/* As many as a client may have, in steps that would meet in one place of a table without secret. */
TEST(numbers_of_any_pattern_stay_quick_to_find)
{
	for (unsigned shift = 0; shift <= 18; shift++) {
		struct dx_export_numbers numbers;

		begin(&numbers);
		for (uint32_t i = 0; i < DX_MAX_EXPORT_REQUESTS; i++) {
			dx_export_numbers_add(&numbers, &entries[i], i << shift);
		}
		CHECK_LE(dx_export_numbers_longest(&numbers), 32);
		dx_export_numbers_fini(&numbers);
	}
}

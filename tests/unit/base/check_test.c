/* SPDX-License-Identifier: MIT
 *
 * check_test - arithmetic on foreign sizes.
 */
#include "test.h"

#include "base/check.h"

TEST(range_inside_knows_its_ends)
{
	CHECK(dx_range_inside(0, 10, 10));
	CHECK(dx_range_inside(10, 0, 10));
	CHECK(!dx_range_inside(0, 11, 10));
	CHECK(!dx_range_inside(11, 0, 10));
	CHECK(!dx_range_inside(5, UINT64_MAX, 10));
	CHECK(!dx_range_inside(UINT64_MAX, 5, 10));
	CHECK(dx_range_inside(0, UINT64_MAX, UINT64_MAX));
}

TEST(align_up_reports_overflow)
{
	uint64_t aligned = 0;

	CHECK(dx_align_up(0, 4096, &aligned) && aligned == 0);
	CHECK(dx_align_up(1, 4096, &aligned) && aligned == 4096);
	CHECK(dx_align_up(4096, 4096, &aligned) && aligned == 4096);
	CHECK(!dx_align_up(UINT64_MAX, 4096, &aligned));
	CHECK(!dx_align_up(UINT64_MAX - 4094, 4096, &aligned));
	CHECK_EQ(aligned, 4096);
}

TEST(overflow_helpers_report_overflow)
{
	uint32_t sum = 0;

	CHECK(dx_add_overflow(UINT32_MAX, 1u, &sum));
	CHECK(!dx_add_overflow(UINT32_MAX - 1, 1u, &sum));
	CHECK(dx_mul_overflow(1u << 16, 1u << 16, &sum));
	CHECK(dx_sub_overflow(1u, 2u, &sum));
}

TEST(power_of_two_excludes_zero)
{
	CHECK(!dx_is_power_of_two(0));
	CHECK(dx_is_power_of_two(1));
	CHECK(dx_is_power_of_two(1ull << 63));
	CHECK(!dx_is_power_of_two(3));
}

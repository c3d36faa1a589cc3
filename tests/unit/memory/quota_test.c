/* SPDX-License-Identifier: MIT
 *
 * quota_test - limits hold, charges are returned.
 */
#include "test.h"

#include <errno.h>

#include "memory/quota.h"

TEST(quota_refuses_bytes_over_the_limit)
{
	struct dx_memory_quota quota = DX_MEMORY_QUOTA_INIT(100, 10);

	CHECK_EQ(dx_memory_quota_charge(&quota, 60, 1), 0);
	CHECK_EQ(dx_memory_quota_charge(&quota, 41, 1), -EDQUOT);
	CHECK_EQ(dx_memory_quota_charge(&quota, 40, 1), 0);
	CHECK_EQ(quota.nr_bytes, 100);
	CHECK_EQ(quota.nr_descriptors, 2);
}

TEST(quota_refused_descriptor_gives_its_bytes_back)
{
	struct dx_memory_quota quota = DX_MEMORY_QUOTA_INIT(100, 1);

	CHECK_EQ(dx_memory_quota_charge(&quota, 10, 1), 0);
	CHECK_EQ(dx_memory_quota_charge(&quota, 10, 1), -EDQUOT);
	CHECK_EQ(quota.nr_bytes, 10);
	dx_memory_quota_release(&quota, 10, 1);
	CHECK_EQ(dx_memory_quota_charge(&quota, 100, 1), 0);
}

TEST(quota_amount_near_the_end_of_the_range_does_not_wrap)
{
	struct dx_memory_quota quota = DX_MEMORY_QUOTA_INIT(UINT64_MAX - 1, 10);

	CHECK_EQ(dx_memory_quota_charge(&quota, UINT64_MAX, 0), -EDQUOT);
	CHECK_EQ(dx_memory_quota_charge(&quota, 5, 0), 0);
	CHECK_EQ(dx_memory_quota_charge(&quota, UINT64_MAX - 5, 0), -EDQUOT);
}

TEST(quota_ids_count_up)
{
	struct dx_memory_quota quota = DX_MEMORY_QUOTA_INIT(1, 1);

	CHECK_EQ(dx_memory_quota_next_id(&quota), 1);
	CHECK_EQ(dx_memory_quota_next_id(&quota), 2);
}

TEST(quota_absent_means_no_limit_and_no_id)
{
	CHECK_EQ(dx_memory_quota_charge(NULL, UINT64_MAX, UINT64_MAX), 0);
	dx_memory_quota_release(NULL, UINT64_MAX, UINT64_MAX);
	CHECK_EQ(dx_memory_quota_next_id(NULL), 0);
}

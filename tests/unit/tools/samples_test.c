/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include "test.h"

static struct dx_samples samples;

TEST(samples_without_values_have_quantile_zero)
{
	CHECK_EQ(dx_samples_quantile(&samples, 0.5), 0);
}

TEST(samples_small_values_are_exact)
{
	for (uint64_t value = 0; value < 64; value++) {
		struct dx_samples one = {0};

		dx_samples_add(&one, value);
		CHECK_EQ(dx_samples_quantile(&one, 0.5), value);
	}
}

TEST(samples_every_value_is_within_a_32nd_of_its_bucket)
{
	for (unsigned shift = 0; shift < 64; shift++) {
		for (int delta = -1; delta <= 1; delta++) {
			uint64_t value = (UINT64_C(1) << shift) + (uint64_t)delta;
			struct dx_samples one = {0};
			uint64_t read = 0;

			dx_samples_add(&one, value);
			read = dx_samples_quantile(&one, 1.0);
			CHECK(read >= value);
			CHECK(read - value <= value / 32 + 1);
		}
	}
}

TEST(samples_quantiles_follow_the_order)
{
	for (uint64_t value = 1; value <= 1000; value++) {
		dx_samples_add(&samples, value);
	}
	CHECK_GE(dx_samples_quantile(&samples, 0.50), 500);
	CHECK_LE(dx_samples_quantile(&samples, 0.50), 516);
	CHECK_GE(dx_samples_quantile(&samples, 0.99), 990);
	CHECK_LE(dx_samples_quantile(&samples, 0.99), 1023);
	CHECK_EQ(dx_samples_quantile(&samples, 0.0), 1);
}

TEST(samples_largest_value_has_a_bucket)
{
	dx_samples_add(&samples, UINT64_MAX);
	CHECK_EQ(samples.count, 1);
	CHECK(dx_samples_quantile(&samples, 1.0) == UINT64_MAX);
}

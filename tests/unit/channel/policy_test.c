/* SPDX-License-Identifier: MIT
 *
 * policy_test - the gates of the wait policy.
 */
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "channel/policy.h"
#include "server.h"
#include "test.h"

#define BUDGET 50000u
#define OTHER  (DX_WAIT_CPU_UNKNOWN - 1) /* a CPU that we are not on */

/* @return how many steps until the policy says to sleep. */
static unsigned steps_until_sleep(struct dx_wait_policy *policy, uint32_t peer_cpu)
{
	unsigned nr = 0;

	dx_wait_policy_begin(policy);
	while (dx_wait_policy_spin(policy, peer_cpu)) {
		nr++;
	}
	return nr;
}

/* A wait that ends with the yield. @return whether there was one. */
static bool yields_for_something(struct dx_wait_policy *policy)
{
	dx_wait_policy_begin(policy);
	bool did_yield = dx_wait_policy_spin(policy, dx_wait_cpu());
	dx_wait_policy_end(policy);
	return did_yield;
}

static void nap_ns(long ns)
{
	struct timespec moment = {.tv_nsec = ns};

	(void)nanosleep(&moment, NULL);
}

TEST(policy_without_budget_never_spins)
{
	struct dx_wait_policy policy;

	dx_wait_policy_init(&policy, 0);
	CHECK_EQ(steps_until_sleep(&policy, OTHER), 0);
	CHECK_EQ(steps_until_sleep(&policy, DX_WAIT_CPU_UNKNOWN), 0);
	dx_wait_policy_end(&policy);
	CHECK_EQ(policy.ewma_ns, 0);
}

TEST(policy_spins_for_its_budget_then_keeps_saying_sleep)
{
	struct dx_wait_policy policy;

	dx_wait_policy_init(&policy, BUDGET);
	uint64_t start = dx_clock_now_ns();
	CHECK_GT(steps_until_sleep(&policy, OTHER), 10);
	CHECK_GE(dx_clock_now_ns() - start, BUDGET);
	for (unsigned i = 0; i < 100; i++) {
		CHECK(!dx_wait_policy_spin(&policy, OTHER));
	}
	dx_wait_policy_cancel(&policy);
	CHECK_EQ(policy.ewma_ns, 0);
}

TEST(policy_yields_once_to_a_peer_on_the_same_cpu)
{
	struct dx_wait_policy policy;
	pin_to_cpu((int)dx_wait_cpu());

	dx_wait_policy_init(&policy, BUDGET);
	CHECK_EQ(steps_until_sleep(&policy, dx_wait_cpu()), 1);
	dx_wait_policy_end(&policy);
	dx_wait_policy_init(&policy, 0);
	CHECK_EQ(steps_until_sleep(&policy, dx_wait_cpu()), 1);
}

TEST(policy_sleeps_at_once_in_one_of_64_waits_on_a_shared_cpu)
{
	struct dx_wait_policy policy;
	unsigned nr_yields = 0;
	pin_to_cpu((int)dx_wait_cpu());

	dx_wait_policy_init(&policy, BUDGET);
	for (unsigned i = 0; i < 128; i++) {
		nr_yields += yields_for_something(&policy);
	}
	CHECK_EQ(nr_yields, 126);
	/* Nothing is to be gained where there is no other CPU. */
	dx_wait_policy_init(&policy, 0);
	for (nr_yields = 0; nr_yields < 128; nr_yields++) {
		CHECK(yields_for_something(&policy));
	}
}

TEST(policy_yields_seldom_while_it_brings_nothing)
{
	struct dx_wait_policy policy;
	unsigned nr_yields = 0;
	pin_to_cpu((int)dx_wait_cpu());

	dx_wait_policy_init(&policy, 0);
	for (unsigned i = 0; i < 16 + 160; i++) {
		nr_yields += steps_until_sleep(&policy, dx_wait_cpu());
		dx_wait_policy_end(&policy);
	}
	CHECK_EQ(nr_yields, 16 + 10);
	/* One that brings something opens the gate again. */
	while (!yields_for_something(&policy)) {
	}
	for (unsigned i = 0; i < 16; i++) {
		CHECK_EQ(steps_until_sleep(&policy, dx_wait_cpu()), 1);
		dx_wait_policy_end(&policy);
	}
	CHECK_EQ(steps_until_sleep(&policy, dx_wait_cpu()), 0);
}

TEST(policy_gate_closes_after_long_waits_and_opens_after_short_ones)
{
	struct dx_wait_policy policy;
	unsigned nr_spins = 0;

	dx_wait_policy_init(&policy, BUDGET);
	for (unsigned i = 0; i < 20; i++) {
		(void)steps_until_sleep(&policy, OTHER);
		nap_ns(1000000);
		dx_wait_policy_end(&policy);
	}
	CHECK_GT(policy.ewma_ns, 2 * BUDGET);
	CHECK_LE(policy.ewma_ns, 10 * BUDGET);
	/* One wait in 64 still tries. */
	for (unsigned i = 0; i < 128; i++) {
		nr_spins += steps_until_sleep(&policy, OTHER) != 0;
		dx_wait_policy_cancel(&policy);
	}
	CHECK_EQ(nr_spins, 2);
	for (unsigned i = 0; i < 64; i++) {
		dx_wait_policy_begin(&policy);
		dx_wait_policy_end(&policy);
	}
	CHECK_LE(policy.ewma_ns, 2 * BUDGET);
	CHECK_GT(steps_until_sleep(&policy, OTHER), 10);
}

TEST(policy_gate_stays_open_when_a_wait_is_two_wake_ups)
{
	struct dx_wait_policy policy;

	dx_wait_policy_init(&policy, 2000000);
	for (unsigned i = 0; i < 20; i++) {
		dx_wait_policy_begin(&policy);
		policy.start_ns = dx_clock_now_ns() - 3200000; /* asleep for 1.6 budgets */
		dx_wait_policy_end(&policy);
	}
	CHECK_GT(policy.ewma_ns, 2000000);
	dx_wait_policy_begin(&policy);
	CHECK(policy.spinning);
}

TEST(measured_budget_is_within_its_limits)
{
	uint64_t budget = dx_wait_budget_ns();

	CHECK(budget == 0 || (budget >= 40000 && budget <= 80000));
	CHECK_EQ(dx_wait_budget_ns(), budget);
	struct dx_wait_policy policy;
	dx_wait_policy_init(&policy, DX_WAIT_BUDGET_MEASURED);
	CHECK_EQ(policy.budget_ns, budget);
}

TEST(budget_on_one_cpu_is_none)
{
	pin_to_cpu((int)dx_wait_cpu());
	CHECK_EQ(dx_wait_budget_ns(), 0);
}

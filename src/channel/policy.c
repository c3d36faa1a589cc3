/* SPDX-License-Identifier: MIT
 *
 * policy - how long to spin before sleeping; see policy.h for the rules W1..W4.
 *
 * Place:   channel. The numbers behind the rules are in docs/PROTOCOL.md, "Waiting".
 * Threads: the budget is measured once per process and is a constant from then on; everything else
 *          belongs to one policy.
 */
#include "channel/policy.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/futex.h"
#include "base/helper.h"
#include "base/shared.h"

#define STEPS_WITHOUT_PAUSE 16u
#define STEPS_PER_CLOCK     32u
#define SPIN_ONE_WAIT_IN    64u
#define SLEEP_ONE_SHARED_IN 64u /* W3; on one core it costs a hundredth */
#define FRUITLESS_YIELDS    16u /* W3 */
#define YIELD_ONE_IN        16u
#define EWMA_WEIGHT         8
/* A call for which both sides sleep takes two wake-ups, 1.6 budgets. That must not close the gate:
 * both would go on sleeping, however short the calls, and never find out. */
#define GATE_BUDGETS      2u
#define EWMA_CLIP_BUDGETS 10u

#define BUDGET_MIN_NS     40000u
#define BUDGET_MAX_NS     80000u
#define BUDGET_DEFAULT_NS 50000u
#define NR_SAMPLES        15u
#define SAMPLE_GAP_NS     60000 /* long enough for the sleeper's core to go idle */

static void cpu_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

uint32_t dx_wait_cpu(void)
{
	int cpu = sched_getcpu();

	return cpu < 0 ? DX_WAIT_CPU_UNKNOWN : (uint32_t)cpu;
}

/* ------------------------------------------------------------------------------------------- */

struct calibration {
	struct dx_shared_u32 word; /* sample number; odd values end the sleep */
	struct dx_shared_u64 wake_called_ns;
	uint64_t samples[NR_SAMPLES]; /* the sleeper's, read after join */
};

static void *sleep_and_measure(void *argument)
{
	struct calibration *calibration = argument;

	for (uint32_t i = 0; i < NR_SAMPLES; i++) {
		while (dx_shared_load_acquire(&calibration->word) == i) {
			(void)dx_futex_wait(&calibration->word, i, 0);
		}
		uint64_t now = dx_clock_now_ns();
		uint64_t called = dx_shared_load_relaxed(&calibration->wake_called_ns);
		calibration->samples[i] = now > called ? now - called : 0;
	}
	return NULL;
}

static int compare_samples(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;

	return (*left > *right) - (*left < *right);
}

/* The upper quartile of what it takes from a wake-up call to a running thread. */
static uint64_t measure_wake_up_ns(void)
{
	struct calibration calibration = {0};
	struct timespec gap = {.tv_nsec = SAMPLE_GAP_NS};
	pthread_t thread;

	if (dx_helper_start(sleep_and_measure, &calibration, 0, &thread) < 0) {
		return 0;
	}
	for (uint32_t i = 0; i < NR_SAMPLES; i++) {
		(void)nanosleep(&gap, NULL); /* a short one only makes one sample too small */
		dx_shared_store_relaxed(&calibration.wake_called_ns, dx_clock_now_ns());
		dx_shared_store_release(&calibration.word, i + 1);
		(void)dx_futex_wake(&calibration.word, 1);
	}
	(void)pthread_join(thread, NULL);
	qsort(calibration.samples, NR_SAMPLES, sizeof(calibration.samples[0]), compare_samples);
	return calibration.samples[NR_SAMPLES * 3 / 4];
}

static bool only_one_cpu(void)
{
	cpu_set_t allowed;

	CPU_ZERO(&allowed);
	/* It fails on machines with more CPUs than the set holds: then there is more than one. */
	return sched_getaffinity(0, sizeof(allowed), &allowed) == 0 && CPU_COUNT(&allowed) == 1;
}

static pthread_once_t budget_once = PTHREAD_ONCE_INIT;
static uint64_t budget_constant_ns;

static void find_budget(void)
{
	if (only_one_cpu()) {
		budget_constant_ns = 0;
		return;
	}
	uint64_t cost = measure_wake_up_ns();
	uint64_t budget = cost == 0 ? BUDGET_DEFAULT_NS : cost + cost / 4;
	if (budget < BUDGET_MIN_NS) {
		budget = BUDGET_MIN_NS;
	} else if (budget > BUDGET_MAX_NS) {
		budget = BUDGET_MAX_NS;
	}
	budget_constant_ns = budget;
}

uint64_t dx_wait_budget_ns(void)
{
	(void)pthread_once(&budget_once, find_budget);
	return budget_constant_ns;
}

/* ------------------------------------------------------------------------------------------- */

void dx_wait_policy_init(struct dx_wait_policy *policy, uint64_t budget_ns)
{
	*policy = (struct dx_wait_policy){
		.budget_ns = budget_ns == DX_WAIT_BUDGET_MEASURED ? dx_wait_budget_ns() : budget_ns,
	};
}

void dx_wait_policy_begin(struct dx_wait_policy *policy)
{
	policy->steps = 0;
	policy->start_ns = 0;
	policy->yielded = false;
	policy->handed_over = false;
	policy->spinning = policy->budget_ns != 0;
	if (policy->ewma_ns > GATE_BUDGETS * policy->budget_ns) {
		policy->spinning = ++policy->skipped % SPIN_ONE_WAIT_IN == 0;
		policy->start_ns = dx_clock_now_ns();
	}
}

/* The peer can only run when we do not: give it our CPU, once, before sleeping. */
static bool share_cpu(struct dx_wait_policy *policy, uint32_t peer_cpu)
{
	if (peer_cpu == DX_WAIT_CPU_UNKNOWN || peer_cpu != dx_wait_cpu()) {
		policy->shared = 0;
		return false;
	}
	policy->spinning = false;
	if (policy->budget_ns != 0 && policy->start_ns == 0) {
		policy->start_ns = dx_clock_now_ns();
	}
	if (policy->yielded) {
		return false;
	}
	policy->yielded = true;
	/* No budget: there is no other CPU for us. */
	if (++policy->shared % SLEEP_ONE_SHARED_IN == 0 && policy->budget_ns != 0) {
		return false;
	}
	if (policy->fruitless >= FRUITLESS_YIELDS && policy->shared % YIELD_ONE_IN != 0) {
		return false;
	}
	policy->handed_over = true;
	atomic_fetch_add_explicit(&policy->nr_yields, 1, memory_order_relaxed); /* a count */
	(void)sched_yield();
	return true;
}

static bool within_budget(struct dx_wait_policy *policy)
{
	uint64_t now = dx_clock_now_ns();

	if (policy->start_ns == 0) {
		policy->start_ns = now;
	}
	if (now - policy->start_ns >= policy->budget_ns) {
		policy->spinning = false;
	}
	return policy->spinning;
}

bool dx_wait_policy_spin(struct dx_wait_policy *policy, uint32_t peer_cpu)
{
	uint32_t step = policy->steps++;

	if (policy->handed_over) {
		policy->handed_over = false;
		policy->fruitless++;
	}
	if (step % STEPS_PER_CLOCK == 0) {
		if (!policy->yielded && share_cpu(policy, peer_cpu)) {
			return true;
		}
		if (!policy->spinning) {
			policy->steps = 0; /* the next call looks again, it costs nothing then */
			return false;
		}
		return step == 0 || within_budget(policy);
	}
	if (!policy->spinning) {
		return false;
	}
	if (step > STEPS_WITHOUT_PAUSE) {
		cpu_pause();
	}
	return true;
}

void dx_wait_policy_end(struct dx_wait_policy *policy)
{
	if (policy->handed_over) {
		policy->handed_over = false;
		policy->fruitless = 0;
	}
	if (policy->budget_ns == 0) {
		return;
	}
	uint64_t clip = EWMA_CLIP_BUDGETS * policy->budget_ns;
	uint64_t waited = policy->start_ns == 0 ? 0 : dx_clock_now_ns() - policy->start_ns;
	if (waited > clip) {
		waited = clip;
	}
	int64_t difference = (int64_t)waited - (int64_t)policy->ewma_ns;
	policy->ewma_ns = (uint64_t)((int64_t)policy->ewma_ns + difference / EWMA_WEIGHT);
	policy->start_ns = 0;
}

void dx_wait_policy_cancel(struct dx_wait_policy *policy)
{
	policy->start_ns = 0;
	policy->steps = 0;
}

/* SPDX-License-Identifier: MIT
 *
 * park_model_test - every interleaving of the publish-and-park protocol, on a machine with store
 * buffers; and proof that the model sees the bugs that the protocol avoids.
 *
 * Place:   tests of channel. The protocol is docs/PROTOCOL.md, "Publish and park" (A1..A4, D1..D3).
 * Model:   two or three threads with private registers, shared words, and one FIFO store buffer per
 *          thread, as on x86 (total store order). A store goes into the buffer; at any later moment
 *          the oldest one may reach memory; a load sees the newest own buffered store, else memory;
 *          a fence and a system call wait until the buffer is empty. That is the weakness which
 *          makes fences necessary: store, then load of another word, may appear swapped.
 * Search:  all states reachable from the start, depth first, with a table of those seen. A state in
 *          which no thread can move and a reader has not seen all that was published is a lost
 *          wake-up.
 * Checked: P1  application submits to a parking driver (d_wait epochs, rung, eventfd, re-check)
 *          P2  the same with two submitting threads (rung shared, entries carry their numbers)
 *          P3  driver answers a parking caller (a_wait flag, futex compares the state)
 *          P4  driver notifies a parking reader twice (a_wait epochs, cq_event, woken)
 *          P5  driver with a full ring blocks on a reader (cq_blocked epochs, doorbell)
 *          Each is searched as it is (no deadlock) and with single steps taken out (a deadlock
 *          must be found, or the model would prove nothing).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#define MAX_THREADS 3u
#define MAX_WORDS   8u
#define MAX_BUFFER  4u
#define MAX_REGS    6u
#define TABLE_SIZE  (1u << 20)

struct store {
	uint8_t word;
	uint8_t value;
};

struct thread_state {
	uint8_t pc;
	uint8_t asleep; /* in a futex wait or epoll_wait */
	uint8_t nr_buffered;
	struct store buffer[MAX_BUFFER];
	uint8_t regs[MAX_REGS];
};

struct state {
	uint8_t words[MAX_WORDS];
	uint8_t eventfd; /* edge pending for epoll */
	struct thread_state threads[MAX_THREADS];
};

/* Which steps the variant leaves out. */
enum {
	NO_PUBLISH_FENCE = 1,
	NO_PARK_FENCE = 2,
	NO_RECHECK = 4,
	NO_NEW_EPOCH = 8, /* parks again with the epoch that was woken already */
	NO_EVENT = 16,    /* entries taken before arming count for the new epoch */
	NO_COMPARE = 32,  /* futex wait does not compare the word */
};

struct machine;
/* One step of thread t. @return false when it cannot move (asleep, or fence with a full buffer). */
typedef bool (*step_fn)(const struct machine *machine, struct state *state, unsigned t);

struct machine {
	step_fn steps[MAX_THREADS];
	unsigned nr_threads;
	unsigned left_out;
	bool (*is_good_end)(const struct state *state);
};

/* ------------------------------------------------------------------------------------------- */
/* The machine                                                                                 */

static uint8_t load(const struct state *state, unsigned t, unsigned word)
{
	const struct thread_state *thread = &state->threads[t];

	for (unsigned i = thread->nr_buffered; i > 0; i--) {
		if (thread->buffer[i - 1].word == word) {
			return thread->buffer[i - 1].value;
		}
	}
	return state->words[word];
}

static bool can_store(const struct state *state, unsigned t)
{
	return state->threads[t].nr_buffered < MAX_BUFFER;
}

static void store(struct state *state, unsigned t, unsigned word, uint8_t value)
{
	struct thread_state *thread = &state->threads[t];

	thread->buffer[thread->nr_buffered++] =
		(struct store){.word = (uint8_t)word, .value = value};
}

static bool is_drained(const struct state *state, unsigned t)
{
	return state->threads[t].nr_buffered == 0;
}

static bool drain_one(struct state *state, unsigned t)
{
	struct thread_state *thread = &state->threads[t];

	if (thread->nr_buffered == 0) {
		return false;
	}
	state->words[thread->buffer[0].word] = thread->buffer[0].value;
	memmove(&thread->buffer[0], &thread->buffer[1],
		(MAX_BUFFER - 1u) * sizeof(thread->buffer[0]));
	thread->nr_buffered--;
	thread->buffer[thread->nr_buffered] = (struct store){0};
	return true;
}

struct search {
	const struct machine *machine;
	struct state
		*table; /* open addressing; words[MAX_WORDS - 1] == 0xff marks an empty place */
	struct state *stack;
	size_t nr_stack;
	size_t nr_seen;
	bool found_deadlock;
};

static uint64_t hash(const struct state *state)
{
	const uint8_t *bytes = (const uint8_t *)state;
	uint64_t value = 1469598103934665603u;

	for (size_t i = 0; i < sizeof(*state); i++) {
		value = (value ^ bytes[i]) * 1099511628211u;
	}
	return value ^ value >> 29;
}

/* Every state consists of bytes, so there is no padding to compare. */
static void visit(struct search *search, const struct state *state)
{
	size_t place = hash(state) % TABLE_SIZE;

	while (search->table[place].words[MAX_WORDS - 1] != 0xff) {
		if (memcmp(&search->table[place], state, sizeof(*state)) == 0) {
			return;
		}
		place = (place + 1) % TABLE_SIZE;
	}
	CHECK_LT(search->nr_seen, TABLE_SIZE / 2);
	search->table[place] = *state;
	search->nr_seen++;
	search->stack[search->nr_stack++] = *state;
}

static void expand(struct search *search, const struct state *from)
{
	bool moved = false;

	for (unsigned t = 0; t < search->machine->nr_threads; t++) {
		struct state next = *from;
		if (drain_one(&next, t)) {
			moved = true;
			visit(search, &next);
		}
		next = *from;
		if (search->machine->steps[t](search->machine, &next, t)) {
			moved = true;
			visit(search, &next);
		}
	}
	if (!moved && !search->machine->is_good_end(from)) {
		search->found_deadlock = true;
	}
}

/* @return true when some interleaving ends without all having been seen. */
static bool loses_a_wake_up(const struct machine *machine)
{
	struct search search = {.machine = machine};
	struct state start = {0};

	search.table = malloc(TABLE_SIZE * sizeof(struct state));
	search.stack = malloc(TABLE_SIZE / 2 * sizeof(struct state));
	CHECK(search.table != NULL && search.stack != NULL);
	memset(search.table, 0xff, TABLE_SIZE * sizeof(struct state));
	visit(&search, &start);
	while (search.nr_stack != 0 && !search.found_deadlock) {
		struct state from = search.stack[--search.nr_stack];
		expand(&search, &from);
	}
	printf("%zu states%s\n", search.nr_seen, search.found_deadlock ? ", lost" : "");
	free(search.table);
	free(search.stack);
	return search.found_deadlock;
}

/* ------------------------------------------------------------------------------------------- */
/* Building blocks of the protocol                                                             */

static bool go(struct state *state, unsigned t, uint8_t pc)
{
	state->threads[t].pc = pc;
	return true;
}

static bool fence(struct state *state, unsigned t, bool left_out, uint8_t pc)
{
	return (left_out || is_drained(state, t)) && go(state, t, pc);
}

static bool put(struct state *state, unsigned t, unsigned word, uint8_t value, uint8_t pc)
{
	if (!can_store(state, t)) {
		return false;
	}
	store(state, t, word, value);
	return go(state, t, pc);
}

/* FUTEX_WAKE of thread whom, a system call: everything before it is visible. */
static bool wake(struct state *state, unsigned t, unsigned whom, uint8_t pc)
{
	if (!is_drained(state, t)) {
		return false;
	}
	state->threads[whom].asleep = 0;
	return go(state, t, pc);
}

/* FUTEX_WAIT: compares in memory and sleeps in one step; two steps when asleep already. */
static bool futex_wait(const struct machine *machine, struct state *state, unsigned t,
		       unsigned word, uint8_t seen, uint8_t asleep_pc)
{
	if (!is_drained(state, t)) {
		return false;
	}
	bool compares = (machine->left_out & NO_COMPARE) == 0;
	if (!compares || state->words[word] == seen) {
		state->threads[t].asleep = 1;
	}
	return go(state, t, asleep_pc);
}

/* ------------------------------------------------------------------------------------------- */
/* P1, P2: submission and the driver's parking                                                 */

enum { W_SQ0, W_SQ1, W_D_WAIT, W_RUNG };

/* Registers of the driver: 0 taken, 1 its epoch. Of a submitter: 0 the epoch it saw. */
static bool submitter(const struct machine *machine, struct state *state, unsigned t)
{
	struct thread_state *own = &state->threads[t];
	unsigned left_out = machine->left_out;

	switch (own->pc) {
	case 0: /* A1: entry t - 1, one atomic word */
		return put(state, t, W_SQ0 + t - 1, 1, 1);
	case 1:
		return fence(state, t, (left_out & NO_PUBLISH_FENCE) != 0, 2);
	case 2:
		own->regs[0] = load(state, t, W_D_WAIT);
		return go(state, t, (own->regs[0] & 1) != 0 ? 3 : 9);
	case 3:
		return go(state, t, load(state, t, W_RUNG) == own->regs[0] ? 9 : 4);
	case 4: /* write() to the eventfd */
		if (!is_drained(state, t)) {
			return false;
		}
		state->eventfd = 1;
		state->threads[0].asleep = 0;
		return go(state, t, 5);
	case 5:
		return put(state, t, W_RUNG, own->regs[0], 9);
	default:
		return false; /* done */
	}
}

static unsigned nr_submitters(const struct machine *machine)
{
	return machine->nr_threads - 1;
}

static bool is_next_there(const struct machine *machine, const struct state *state)
{
	uint8_t taken = state->threads[0].regs[0];

	return taken < nr_submitters(machine) && load(state, 0, W_SQ0 + taken) != 0;
}

static bool parking_driver(const struct machine *machine, struct state *state, unsigned t)
{
	struct thread_state *own = &state->threads[t];
	unsigned left_out = machine->left_out;

	switch (own->pc) {
	case 0: /* D1: take everything; a hole stops it */
		if (is_next_there(machine, state)) {
			own->regs[0]++;
			return true;
		}
		return go(state, t, 1);
	case 1: /* D3 */
		if (!can_store(state, t)) {
			return false;
		}
		own->regs[1] = (left_out & NO_NEW_EPOCH) != 0 ? 1 : (own->regs[1] + 1) | 1;
		return put(state, t, W_D_WAIT, own->regs[1], 2);
	case 2:
		return fence(state, t, (left_out & NO_PARK_FENCE) != 0, 3);
	case 3: /* the re-check */
		if ((left_out & NO_RECHECK) == 0 && is_next_there(machine, state)) {
			return go(state, t, 5);
		}
		return go(state, t, 4);
	case 4: /* epoll_wait, edge-triggered */
		if (own->asleep != 0 || !is_drained(state, t)) {
			return false;
		}
		if (state->eventfd == 0) {
			own->asleep = 1;
			return go(state, t, 6);
		}
		state->eventfd = 0;
		return go(state, t, 5);
	case 5: /* even again */
		if (!can_store(state, t)) {
			return false;
		}
		if ((left_out & NO_NEW_EPOCH) != 0) {
			return put(state, t, W_D_WAIT, 0, 0);
		}
		own->regs[1]++;
		return put(state, t, W_D_WAIT, own->regs[1], 0);
	case 6:
		return own->asleep == 0 && go(state, t, 4);
	default:
		return false;
	}
}

static bool one_taken(const struct state *state)
{
	return state->threads[0].regs[0] == 1;
}

static bool two_taken(const struct state *state)
{
	return state->threads[0].regs[0] == 2;
}

static bool submission_loses(unsigned submitters, unsigned left_out)
{
	struct machine machine = {
		.steps = {parking_driver, submitter, submitter},
		.nr_threads = submitters + 1,
		.left_out = left_out,
		.is_good_end = submitters == 1 ? one_taken : two_taken,
	};
	return loses_a_wake_up(&machine);
}

TEST(submission_to_a_parking_driver_is_never_lost)
{
	CHECK(!submission_loses(1, 0));
	CHECK(!submission_loses(2, 0));
}

TEST(submission_without_a_fence_or_re_check_is_lost)
{
	CHECK(submission_loses(1, NO_PUBLISH_FENCE));
	CHECK(submission_loses(1, NO_PARK_FENCE));
	CHECK(submission_loses(1, NO_RECHECK));
	CHECK(submission_loses(2, NO_NEW_EPOCH));
}

/* ------------------------------------------------------------------------------------------- */
/* P3: an answer to a parking caller                                                           */

enum { W_STATE, W_A_WAIT };

static bool answerer(const struct machine *machine, struct state *state, unsigned t)
{
	switch (state->threads[t].pc) {
	case 0: /* D2 */
		return put(state, t, W_STATE, 1, 1);
	case 1:
		return fence(state, t, (machine->left_out & NO_PUBLISH_FENCE) != 0, 2);
	case 2:
		return go(state, t, load(state, t, W_A_WAIT) != 0 ? 3 : 9);
	case 3:
		return wake(state, t, 1, 9);
	default:
		return false;
	}
}

static bool parking_caller(const struct machine *machine, struct state *state, unsigned t)
{
	struct thread_state *own = &state->threads[t];
	unsigned left_out = machine->left_out;

	switch (own->pc) {
	case 0: /* A3 */
		own->regs[0] = load(state, t, W_STATE);
		return go(state, t, own->regs[0] == 1 ? 9 : 1);
	case 1: /* A4 */
		return put(state, t, W_A_WAIT, 1, 2);
	case 2:
		return fence(state, t, (left_out & NO_PARK_FENCE) != 0, 3);
	case 3:
		if ((left_out & NO_RECHECK) == 0 && load(state, t, W_STATE) == 1) {
			return go(state, t, 5);
		}
		return go(state, t, 4);
	case 4:
		return futex_wait(machine, state, t, W_STATE, 0, 6);
	case 5:
		return put(state, t, W_A_WAIT, 0, 0);
	case 6:
		return own->asleep == 0 && go(state, t, 5);
	default:
		return false;
	}
}

static bool caller_saw(const struct state *state)
{
	return state->threads[1].pc == 9;
}

static bool answer_loses(unsigned left_out)
{
	struct machine machine = {
		.steps = {answerer, parking_caller},
		.nr_threads = 2,
		.left_out = left_out,
		.is_good_end = caller_saw,
	};
	return loses_a_wake_up(&machine);
}

TEST(answer_to_a_parking_caller_is_never_lost)
{
	CHECK(!answer_loses(0));
	/* The kernel's comparison alone is a re-check, and its entry a fence. */
	CHECK(!answer_loses(NO_RECHECK));
}

TEST(answer_without_a_fence_or_comparison_is_lost)
{
	CHECK(answer_loses(NO_PUBLISH_FENCE));
	CHECK(answer_loses(NO_RECHECK | NO_COMPARE));
	CHECK(answer_loses(NO_COMPARE));
}

/* ------------------------------------------------------------------------------------------- */
/* P4: two notifications to a parking reader                                                   */

enum { W_TAIL, W_EPOCH, W_EVENT };

/* Registers: 0 published, 1 woken. */
static bool notifier(const struct machine *machine, struct state *state, unsigned t)
{
	struct thread_state *own = &state->threads[t];

	switch (own->pc) {
	case 0: /* D2 */
		if (own->regs[0] == 2) {
			return false;
		}
		if (!can_store(state, t)) {
			return false;
		}
		own->regs[0]++;
		return put(state, t, W_TAIL, own->regs[0], 1);
	case 1:
		return fence(state, t, (machine->left_out & NO_PUBLISH_FENCE) != 0, 2);
	case 2:
		own->regs[2] = load(state, t, W_EPOCH);
		return go(state, t,
			  (own->regs[2] & 1) != 0 && own->regs[2] != own->regs[1] ? 3 : 0);
	case 3: /* need_event for a step of one and a wish for one */
		if ((machine->left_out & NO_EVENT) == 0 &&
		    load(state, t, W_EVENT) != own->regs[0] - 1) {
			return go(state, t, 0);
		}
		return go(state, t, 4);
	case 4:
		own->regs[1] = own->regs[2];
		return wake(state, t, 1, 0);
	default:
		return false;
	}
}

/* Registers: 0 head, 1 epoch, 2 the tail it saw. */
static bool parking_reader(const struct machine *machine, struct state *state, unsigned t)
{
	struct thread_state *own = &state->threads[t];
	unsigned left_out = machine->left_out;

	switch (own->pc) {
	case 0: /* take everything */
		own->regs[0] = load(state, t, W_TAIL);
		return go(state, t, own->regs[0] == 2 ? 9 : 7);
	case 7: /* A4 */
		return put(state, t, W_EVENT, own->regs[0], 1);
	case 1:
		if (!can_store(state, t)) {
			return false;
		}
		own->regs[1] = (left_out & NO_NEW_EPOCH) != 0 ? 1 : (own->regs[1] + 1) | 1;
		return put(state, t, W_EPOCH, own->regs[1], 2);
	case 2:
		return fence(state, t, (left_out & NO_PARK_FENCE) != 0, 3);
	case 3:
		own->regs[2] = load(state, t, W_TAIL);
		if ((left_out & NO_RECHECK) == 0 && own->regs[2] != own->regs[0]) {
			return go(state, t, 5);
		}
		own->regs[2] = own->regs[0];
		return go(state, t, 4);
	case 4:
		return futex_wait(machine, state, t, W_TAIL, own->regs[2], 6);
	case 5:
		if (!can_store(state, t)) {
			return false;
		}
		own->regs[1]++;
		return put(state, t, W_EPOCH, own->regs[1], 0);
	case 6:
		return own->asleep == 0 && go(state, t, 5);
	default:
		return false;
	}
}

static bool notification_loses(unsigned left_out)
{
	struct machine machine = {
		.steps = {notifier, parking_reader},
		.nr_threads = 2,
		.left_out = left_out,
		.is_good_end = caller_saw,
	};
	return loses_a_wake_up(&machine);
}

TEST(notification_to_a_parking_reader_is_never_lost)
{
	CHECK(!notification_loses(0));
}

TEST(notification_without_a_fence_epoch_or_re_check_is_lost)
{
	CHECK(notification_loses(NO_PUBLISH_FENCE));
	CHECK(notification_loses(NO_COMPARE | NO_PARK_FENCE));
	CHECK(notification_loses(NO_COMPARE | NO_RECHECK));
	CHECK(notification_loses(NO_NEW_EPOCH));
	CHECK(notification_loses(NO_EVENT));
}

/* ------------------------------------------------------------------------------------------- */
/* P5: a full ring: the driver waits for room                                                  */

enum { W_HEAD, W_BLOCKED };

/* A ring of one entry, three notifications. Registers: 0 moved, 1 epoch. The reader's doorbell is
 * the same eventfd as for submissions. */
static bool blocked_driver(const struct machine *machine, struct state *state, unsigned t)
{
	struct thread_state *own = &state->threads[t];
	unsigned left_out = machine->left_out;

	switch (own->pc) {
	case 0: /* move what there is room for */
		if (own->regs[0] == 3) {
			return go(state, t, 9);
		}
		if (own->regs[0] - load(state, t, W_HEAD) < 1) {
			if (!can_store(state, t)) {
				return false;
			}
			own->regs[0]++;
			return put(state, t, W_TAIL + 2, own->regs[0], 0);
		}
		return go(state, t, 1);
	case 1:
		if (!can_store(state, t)) {
			return false;
		}
		own->regs[1] = (left_out & NO_NEW_EPOCH) != 0 ? 1 : (own->regs[1] + 1) | 1;
		return put(state, t, W_BLOCKED, own->regs[1], 2);
	case 2:
		return fence(state, t, (left_out & NO_PARK_FENCE) != 0, 3);
	case 3:
		if ((left_out & NO_RECHECK) == 0 && own->regs[0] - load(state, t, W_HEAD) < 1) {
			return go(state, t, 0);
		}
		return go(state, t, 4);
	case 4:
		if (!is_drained(state, t) || state->eventfd == 0) {
			return false; /* asleep in epoll_wait */
		}
		state->eventfd = 0;
		return go(state, t, 0);
	default:
		return false;
	}
}

/* Registers: 0 taken, 1 rung. It spins for entries; only its own publishing is looked at. */
static bool taking_reader(const struct machine *machine, struct state *state, unsigned t)
{
	struct thread_state *own = &state->threads[t];

	switch (own->pc) {
	case 0:
		if (load(state, t, W_TAIL + 2) == own->regs[0]) {
			return false; /* looks again when there is something */
		}
		if (!can_store(state, t)) {
			return false;
		}
		own->regs[0]++;
		return put(state, t, W_HEAD, own->regs[0], 1);
	case 1:
		return fence(state, t, (machine->left_out & NO_PUBLISH_FENCE) != 0, 2);
	case 2:
		own->regs[2] = load(state, t, W_BLOCKED);
		if ((own->regs[2] & 1) != 0 && own->regs[2] != own->regs[1]) {
			own->regs[1] = own->regs[2];
			return go(state, t, 3);
		}
		return go(state, t, own->regs[0] == 3 ? 9 : 0);
	case 3:
		if (!is_drained(state, t)) {
			return false;
		}
		state->eventfd = 1;
		return go(state, t, own->regs[0] == 3 ? 9 : 0);
	default:
		return false;
	}
}

static bool all_three(const struct state *state)
{
	return state->threads[1].pc == 9;
}

static bool full_ring_loses(unsigned left_out)
{
	struct machine machine = {
		.steps = {blocked_driver, taking_reader},
		.nr_threads = 2,
		.left_out = left_out,
		.is_good_end = all_three,
	};
	return loses_a_wake_up(&machine);
}

TEST(room_in_a_full_ring_is_never_missed)
{
	CHECK(!full_ring_loses(0));
}

TEST(room_without_a_fence_epoch_or_re_check_is_missed)
{
	CHECK(full_ring_loses(NO_PUBLISH_FENCE));
	CHECK(full_ring_loses(NO_PARK_FENCE));
	CHECK(full_ring_loses(NO_RECHECK));
	CHECK(full_ring_loses(NO_NEW_EPOCH));
}

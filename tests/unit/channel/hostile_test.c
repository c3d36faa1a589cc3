/* SPDX-License-Identifier: MIT
 *
 * hostile_test - one side writes garbage; the other fails that connection and nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/futex.h"
#include "channel/layout.h"
#include "channel/segment.h"
#include "server.h"
#include "test.h"

#define BUDGET 20000u

static const struct server_options two = {.nr_channels = 2, .budget_ns = BUDGET, .cpu = -1};

/* ------------------------------------------------------------------------------------------- */
/* A driver side with a hand-written A                                                         */

struct victim {
	struct dx_channel_driver *driver;
	struct dx_layout_a *a;
	struct dx_channel_call call;
	struct dx_channel_reply reply;
};

static void victim_open(struct victim *victim)
{
	struct dx_channel_driver_options options = {0};
	int fds[DX_CHANNEL_NR_FDS];

	CHECK_EQ(dx_channel_driver_open(&options, &victim->driver), 0);
	dx_channel_driver_fds(victim->driver, fds);
	void *map = mmap(NULL, sizeof(struct dx_layout_a), PROT_READ | PROT_WRITE, MAP_SHARED,
			 fds[DX_CHANNEL_FD_A], 0);
	CHECK(map != MAP_FAILED);
	victim->a = map;
}

static void victim_submit(struct victim *victim, uint32_t number, uint32_t kind, uint32_t slot)
{
	dx_shared_store_release(&victim->a->sq[(number - 1) % DX_LAYOUT_SQ_SIZE],
				(uint64_t)number << 32 | kind << 8 | slot);
}

static int victim_poll(struct victim *victim)
{
	return dx_channel_driver_poll(victim->driver, &victim->call, &victim->reply);
}

static void victim_is_cut(struct victim *victim)
{
	struct dx_channel_answer answer = {0};
	struct dx_channel_ask ask = {0};

	CHECK_EQ(victim_poll(victim), -EPROTO);
	CHECK_EQ(victim_poll(victim), -EPROTO);
	CHECK_EQ(dx_channel_driver_error(victim->driver), -EPROTO);
	CHECK(dx_channel_driver_is_ready(victim->driver));
	CHECK(dx_channel_driver_arm(victim->driver));
	CHECK_EQ(dx_channel_driver_answer(victim->driver, 0, &answer), -EPROTO);
	CHECK_EQ(dx_channel_driver_ask(victim->driver, 0, &ask), -EPROTO);
	CHECK_EQ(dx_channel_driver_notify(victim->driver, 1, 0, 0, NULL, 0), -EPROTO);
	(void)munmap(victim->a, sizeof(struct dx_layout_a));
	victim->driver = dx_channel_driver_close(victim->driver);
}

TEST(submission_of_a_slot_out_of_range_is_cut)
{
	struct victim victim;
	victim_open(&victim);
	victim_submit(&victim, 1, DX_LAYOUT_SUBMIT_CALL, DX_LAYOUT_SLOTS);
	victim_is_cut(&victim);
	victim_open(&victim);
	victim_submit(&victim, 1, DX_LAYOUT_SUBMIT_CALL, 0xff);
	victim_is_cut(&victim);
}

TEST(submission_of_an_unknown_kind_is_cut)
{
	struct victim victim;
	victim_open(&victim);
	victim_submit(&victim, 1, 0, 1);
	victim_is_cut(&victim);
	victim_open(&victim);
	victim_submit(&victim, 1, 0xffffff, 1);
	victim_is_cut(&victim);
}

TEST(submission_of_a_busy_slot_is_cut)
{
	struct victim victim;
	victim_open(&victim);
	victim_submit(&victim, 1, DX_LAYOUT_SUBMIT_CALL, 2);
	victim_submit(&victim, 2, DX_LAYOUT_SUBMIT_CALL, 2);
	CHECK_EQ(victim_poll(&victim), DX_CHANNEL_CALL);
	victim_is_cut(&victim);
}

TEST(reply_to_no_question_is_cut)
{
	struct victim victim;
	victim_open(&victim);
	victim_submit(&victim, 1, DX_LAYOUT_SUBMIT_REPLY, 2);
	victim_is_cut(&victim);
}

TEST(counts_over_the_limits_are_cut)
{
	for (unsigned i = 0; i < 3; i++) {
		struct victim victim;
		victim_open(&victim);
		struct dx_layout_request_fields *fields = &victim.a->requests[0].fields;
		fields->nr_scalars = i == 0 ? DX_MAX_SCALARS + 1 : 0;
		fields->max_scalars = i == 1 ? UINT32_MAX : 0;
		fields->nr_bytes = i == 2 ? DX_MAX_INLINE_BYTES + 1 : 0;
		victim_submit(&victim, 1, DX_LAYOUT_SUBMIT_CALL, 0);
		victim_is_cut(&victim);
	}
}

TEST(a_head_beyond_the_tail_is_cut)
{
	struct victim victim;
	int rc = 0;
	victim_open(&victim);
	dx_shared_store_release(&victim.a->cq_head, 1000000);
	for (unsigned i = 0; i <= DX_LAYOUT_CQ_SIZE && rc == 0; i++) {
		rc = dx_channel_driver_notify(victim.driver, 1, 0, 0, NULL, 0);
	}
	CHECK_EQ(rc, -EPROTO);
	victim_is_cut(&victim);
}

TEST(entries_with_old_or_future_numbers_are_not_seen)
{
	struct victim victim;
	victim_open(&victim);
	victim_submit(&victim, DX_LAYOUT_SQ_SIZE + 1, DX_LAYOUT_SUBMIT_CALL, 0);
	CHECK_EQ(victim_poll(&victim), DX_CHANNEL_NOTHING);
	victim_submit(&victim, 2, DX_LAYOUT_SUBMIT_CALL, 1);
	CHECK_EQ(victim_poll(&victim), DX_CHANNEL_NOTHING); /* the hole at 1 */
	victim_submit(&victim, 1, DX_LAYOUT_SUBMIT_CALL, 0);
	CHECK_EQ(victim_poll(&victim), DX_CHANNEL_CALL);
	CHECK_EQ(victim_poll(&victim), DX_CHANNEL_CALL);
	CHECK_EQ(victim_poll(&victim), DX_CHANNEL_NOTHING);
	(void)munmap(victim.a, sizeof(struct dx_layout_a));
	dx_channel_driver_close(victim.driver);
}

/* ------------------------------------------------------------------------------------------- */
/* What a receiver of the descriptors can do to them                                           */

TEST(nobody_can_write_d_or_change_the_files)
{
	struct dx_channel_driver_options options = {0};
	struct dx_channel_driver *driver = NULL;
	int fds[DX_CHANNEL_NR_FDS];
	char path[64];

	CHECK_EQ(dx_channel_driver_open(&options, &driver), 0);
	dx_channel_driver_fds(driver, fds);
	CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fds[0], 0) == MAP_FAILED);
	CHECK_EQ(pwrite(fds[0], "x", 1, 0), -1);
	CHECK_EQ(fallocate(fds[0], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	int again = open(path, O_RDWR | O_CLOEXEC);
	CHECK_GE(again, 0);
	CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, again, 0) == MAP_FAILED);
	dx_fd_close(&again);
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(ftruncate(fds[i], 0), -1);
		CHECK_EQ(ftruncate(fds[i], 1 << 20), -1);
		CHECK_EQ(fcntl(fds[i], F_ADD_SEALS, F_SEAL_WRITE), -1);
	}
	dx_channel_driver_close(driver);
}

TEST(a_hole_in_a_reads_as_zeros)
{
	struct victim victim;
	victim_open(&victim);
	CHECK_EQ(madvise(victim.a, sizeof(struct dx_layout_a), MADV_REMOVE), 0);
	CHECK_EQ(victim_poll(&victim), DX_CHANNEL_NOTHING);
	victim.a->requests[0].fields.nr_bytes = 4096;
	victim_submit(&victim, 1, DX_LAYOUT_SUBMIT_CALL, 0);
	CHECK_EQ(victim_poll(&victim), DX_CHANNEL_CALL);
	(void)munmap(victim.a, sizeof(struct dx_layout_a));
	dx_channel_driver_close(victim.driver);
}

/* ------------------------------------------------------------------------------------------- */
/* Garbage at full speed beside honest traffic                                                 */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* In a child, so that sanitizers see one honest process. Mixes pure noise with submissions that
 * are almost right, because noise alone is cut at its first entry. */
static void write_garbage(int fds[DX_CHANNEL_NR_FDS], uint64_t seed)
{
	void *map = mmap(NULL, sizeof(struct dx_layout_a), PROT_READ | PROT_WRITE, MAP_SHARED,
			 fds[DX_CHANNEL_FD_A], 0);
	struct dx_layout_a *a = map;
	uint32_t number = 1;
	uint64_t one = 1;

	if (map == MAP_FAILED) {
		_exit(1);
	}
	for (;;) {
		uint64_t random = next_random(&seed);
		struct dx_layout_request *request = &a->requests[random % DX_LAYOUT_SLOTS];
		for (unsigned i = 0; i < sizeof(*request) / 8; i++) {
			((volatile uint64_t *)(void *)request)[i] = next_random(&seed) & 0x0f;
		}
		((volatile uint64_t *)(void *)a->bytes[0])[random % 512] = random;
		dx_shared_store_relaxed(&a->a_wait, (uint32_t)random | 1u);
		dx_shared_store_relaxed(&a->cq_head, (uint32_t)random % 4);
		victim_submit(&(struct victim){.a = a}, number++, 1 + (random >> 20) % 2 / 2,
			      (uint32_t)(random >> 8) % (DX_LAYOUT_SLOTS + (random % 4096 == 0)));
		if (random % 16 == 0) {
			(void)!write(fds[DX_CHANNEL_FD_DOORBELL], &one, sizeof(one));
		}
		if (random % 65536 == 1) {
			size_t word = random % (sizeof(*a) / 8);
			((volatile uint64_t *)map)[word] = random;
		}
	}
}

static void attack(uint64_t seed)
{
	struct server server;
	int fds[DX_CHANNEL_NR_FDS];
	server_start(&server, &two);
	struct dx_channel_app *app = server_app(&server, 1, BUDGET);

	server_copy_fds(&server, 0, fds);
	pid_t child = fork();
	CHECK_GE(child, 0);
	if (child == 0) {
		write_garbage(fds, seed);
	}
	uint64_t end = dx_clock_now_ns() + 300000000;
	unsigned nr = 0;
	while (dx_clock_now_ns() < end) {
		CHECK_EQ(call_echo(app, nr % 17, nr), 0);
		CHECK_EQ(call_simple(app, SELECTOR_NOTIFY, 2, 0, NULL), 0);
		struct dx_channel_note note;
		CHECK_EQ(dx_channel_app_next(app, &note), 1);
		CHECK_EQ(dx_channel_app_next(app, &note), 1);
		nr++;
	}
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	CHECK_GT(nr, 10);
	for (unsigned i = 0; i < DX_CHANNEL_NR_FDS; i++) {
		dx_fd_close(&fds[i]);
	}
	dx_channel_app_free(app);
	server_stop(&server);
	CHECK_EQ(server.errors[1], 0);
}

TEST_SECONDS(garbage_in_one_connection_does_not_touch_another, 60)
{
	for (uint64_t seed = 1; seed <= 8; seed++) {
		attack(seed * 0x9e3779b97f4a7c15u);
	}
}

static void flood(int doorbell)
{
	uint64_t one = 1;

	for (;;) {
		(void)!write(doorbell, &one, sizeof(one));
	}
}

TEST_SECONDS(a_doorbell_flood_is_muted_and_calls_still_work, 60)
{
	struct server server;
	int fds[DX_CHANNEL_NR_FDS];
	server_start(&server, &two);
	struct dx_channel_app *app = server_app(&server, 0, 0);

	server_copy_fds(&server, 0, fds);
	pid_t child = fork();
	CHECK_GE(child, 0);
	if (child == 0) {
		flood(fds[DX_CHANNEL_FD_DOORBELL]);
	}
	struct timespec moment = {.tv_nsec = 300000000};
	(void)nanosleep(&moment, NULL);
	uint64_t rings = server.nr_rings;
	(void)nanosleep(&moment, NULL);
	rings = server.nr_rings - rings;
	CHECK_GT(rings, 5);
	CHECK_LT(rings, 3000); /* some 600 in 0.3 s; a flood is hundreds of thousands */
	for (unsigned i = 0; i < 50; i++) {
		CHECK_EQ(call_echo(app, 16, i), 0);
	}
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	/* After the flood the server sleeps. */
	(void)nanosleep(&moment, NULL);
	uint64_t parks = server.nr_parks;
	(void)nanosleep(&moment, NULL);
	CHECK_LE(server.nr_parks - parks, 1);
	CHECK_EQ(call_echo(app, 16, 1), 0);
	for (unsigned i = 0; i < DX_CHANNEL_NR_FDS; i++) {
		dx_fd_close(&fds[i]);
	}
	dx_channel_app_free(app);
	server_stop(&server);
}

/* ------------------------------------------------------------------------------------------- */
/* A hostile driver                                                                            */

struct forged {
	struct dx_layout_d *d;
	struct dx_channel_app *app;
	pthread_t thread;
	int result;
	struct dx_channel_response response;
	uint64_t scalars[4];
};

static int forge(size_t size, bool read_only, uint32_t magic, struct dx_layout_d **ret_map)
{
	int fd = dx_segment_create("forged", size);

	CHECK_GE(fd, 0);
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	struct dx_layout_header *header = map;
	dx_shared_store_relaxed(&header->magic, magic);
	dx_shared_store_relaxed(&header->version, DX_LAYOUT_VERSION);
	dx_shared_store_relaxed(&header->size_d, (uint32_t)sizeof(struct dx_layout_d));
	dx_shared_store_relaxed(&header->size_a, (uint32_t)sizeof(struct dx_layout_a));
	dx_shared_store_relaxed(&header->nr_slots, DX_LAYOUT_SLOTS);
	dx_shared_store_relaxed(&header->cq_size, DX_LAYOUT_CQ_SIZE);
	if (ret_map != NULL) {
		*ret_map = map;
		dx_shared_store_relaxed(&(*ret_map)->alive, FUTEX_WAITERS | 1);
		CHECK_EQ(dx_segment_seal(fd, read_only), 0);
	} else {
		CHECK_EQ(munmap(map, size), 0);
		CHECK_EQ(dx_segment_seal(fd, read_only), 0);
	}
	return fd;
}

static void forged_open(struct forged *forged)
{
	struct dx_channel_app_options options = {.spin_budget_ns = BUDGET};
	int fds[DX_CHANNEL_NR_FDS] = {
		forge(sizeof(struct dx_layout_d), true, DX_LAYOUT_MAGIC_D, &forged->d),
		forge(sizeof(struct dx_layout_a), false, DX_LAYOUT_MAGIC_A, NULL),
		eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};

	CHECK_EQ(dx_channel_app_open(&options, fds, &forged->app), 0);
}

static void forged_close(struct forged *forged)
{
	dx_channel_app_free(forged->app);
	(void)munmap(forged->d, sizeof(struct dx_layout_d));
}

static void *forged_call(void *argument)
{
	struct forged *forged = argument;
	struct dx_channel_request request = {.selector = 1};

	forged->result = dx_channel_app_call(forged->app, &request, &forged->response);
	return NULL;
}

static void forged_answer(struct forged *forged, uint32_t nr_scalars, uint32_t nr_bytes,
			  uint32_t status, int expected)
{
	forged_open(forged);
	forged->response =
		(struct dx_channel_response){.scalars = forged->scalars, .nr_scalars = 4};
	forged->d->answers[0].nr_scalars = nr_scalars;
	forged->d->answers[0].nr_bytes = nr_bytes;
	dx_shared_store_release(&forged->d->answers[0].state, 1u << 2 | status);
	CHECK_EQ(pthread_create(&forged->thread, NULL, forged_call, forged), 0);
	CHECK_EQ(pthread_join(forged->thread, NULL), 0);
	CHECK_EQ(forged->result, expected);
}

TEST(an_answer_over_the_limits_is_a_broken_driver)
{
	struct forged forged;
	forged_answer(&forged, 17, 0, DX_LAYOUT_STATUS_DONE, -EPROTO);
	CHECK_EQ(call_echo(forged.app, 1, 1), -EPROTO);
	forged_close(&forged);
	forged_answer(&forged, 0, 4097, DX_LAYOUT_STATUS_DONE, -EPROTO);
	forged_close(&forged);
	forged_answer(&forged, 0, 0, 3, -EPROTO);
	forged_close(&forged);
	forged_answer(&forged, 0, 0, 0, -EPROTO);
	forged_close(&forged);
}

TEST(an_answer_longer_than_the_room_is_cut_off)
{
	struct forged forged;
	forged_answer(&forged, 16, 4096, DX_LAYOUT_STATUS_DONE, 0);
	CHECK_EQ(forged.response.nr_scalars, 4);
	CHECK_EQ(forged.response.nr_bytes, 0);
	forged_close(&forged);
}

TEST(a_notification_ring_of_nonsense_is_a_broken_driver)
{
	for (unsigned i = 0; i < 4; i++) {
		struct forged forged;
		struct dx_channel_note note;
		forged_open(&forged);
		forged.d->notes[0].seq = i == 0 ? 7 : 1;
		forged.d->notes[0].nr_args = i == 1 ? 17 : 0;
		uint32_t tail = i == 2 ? DX_LAYOUT_CQ_SIZE + 1 : 1;
		dx_shared_store_release(&forged.d->cq_tail, tail);
		if (i == 3) {
			CHECK_EQ(dx_channel_app_next(forged.app, &note), 1);
			dx_shared_store_release(&forged.d->cq_tail, 0); /* backwards */
		}
		CHECK_EQ(dx_channel_app_next(forged.app, &note), -EPROTO);
		CHECK_EQ(dx_channel_app_next(forged.app, &note), -EPROTO);
		CHECK_EQ(dx_channel_app_wait(forged.app, 0), -EPROTO);
		CHECK_EQ(dx_channel_app_arm(forged.app, 1), -EPROTO);
		CHECK_EQ(call_echo(forged.app, 1, 1), -EPROTO);
		forged_close(&forged);
	}
}

/* What open must refuse: each case changes one thing. */
TEST(descriptors_that_are_no_channel_are_refused)
{
	for (unsigned i = 0; i < 9; i++) {
		struct dx_channel_app_options options = {0};
		struct dx_channel_app *app = NULL;
		int pipe_fds[2];
		CHECK_EQ(pipe2(pipe_fds, O_CLOEXEC), 0);
		size_t size_d = sizeof(struct dx_layout_d) + (i == 0 ? 4096 : 0);
		size_t size_a = sizeof(struct dx_layout_a) - (i == 1 ? 4096 : 0);
		int fds[DX_CHANNEL_NR_FDS] = {
			forge(size_d, i != 2, DX_LAYOUT_MAGIC_D + (i == 3), NULL),
			forge(size_a, i == 4, DX_LAYOUT_MAGIC_A + (i == 5), NULL),
			eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		};
		if (i == 6) {
			dx_fd_close(&fds[2]);
			fds[2] = fcntl(pipe_fds[1], F_DUPFD_CLOEXEC, 3); /* SIGPIPE */
		} else if (i == 7) {
			dx_fd_close(&fds[0]);
		} else if (i == 8) {
			dx_fd_close(&fds[2]);
		}
		int rc = dx_channel_app_open(&options, fds, &app);
		/* A writable-sealed A cannot be mapped for writing: that is the mmap error. */
		CHECK(i == 4 ? rc == -EPERM : rc == -EPROTO);
		for (unsigned j = 0; j < DX_CHANNEL_NR_FDS; j++) {
			CHECK(fds[j] >= 0 || i == 7 || i == 8);
			dx_fd_close(&fds[j]);
		}
		dx_fd_close(&pipe_fds[0]);
		dx_fd_close(&pipe_fds[1]);
	}
}

/* In a child: D changes all the time while the application uses it. */
static void write_garbage_d(struct dx_layout_d *d, uint64_t seed)
{
	uint32_t turn = 0;

	for (;;) {
		uint64_t random = next_random(&seed);
		struct dx_layout_answer *answer = &d->answers[0];
		((volatile uint64_t *)(void *)answer)[1 + random % 20] = next_random(&seed) & 0x1f;
		answer->nr_scalars = (uint32_t)random % 17;
		answer->nr_bytes = (uint32_t)random % 4097;
		turn = (turn + 1) % 1024;
		uint32_t status = random % 512 == 0 ? 3
				  : random % 4 == 0 ? DX_LAYOUT_STATUS_ASK
						    : DX_LAYOUT_STATUS_DONE;
		dx_shared_store_release(&answer->state, turn << 2 | status);
		if (random % 64 == 0) {
			(void)dx_futex_wake(&answer->state, 1); /* it hangs nobody, it confuses */
		}
		dx_shared_store_release(&d->cq_blocked, (uint32_t)random | 1);
		dx_shared_store_release(&d->d_wait, (uint32_t)random | 1);
		if (random % 4096 == 0) {
			dx_shared_store_release(&d->cq_tail, (uint32_t)(random >> 32) % 3);
		}
	}
}

TEST_SECONDS(a_driver_that_writes_garbage_only_ends_the_connection, 60)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct forged forged;
		struct dx_channel_note note;
		uint8_t bytes[DX_MAX_INLINE_BYTES];
		struct dx_channel_request request = {.selector = 1};
		forged_open(&forged);
		pid_t child = fork();
		CHECK_GE(child, 0);
		if (child == 0) {
			write_garbage_d(forged.d, seed * 0x9e3779b97f4a7c15u);
		}
		uint64_t end = dx_clock_now_ns() + 100000000;
		unsigned nr_calls = 0;
		int rc = 0;
		while (rc == 0 && dx_clock_now_ns() < end) {
			struct dx_channel_response response = {.scalars = forged.scalars,
							       .nr_scalars = 4,
							       .bytes = bytes,
							       .nr_bytes = sizeof(bytes)};
			for (unsigned i = 0; i < 3 && rc == 0; i++) {
				rc = dx_channel_app_next(forged.app, &note);
				rc = rc > 0 ? 0 : rc;
			}
			/* Some 70 of the 1024 turns that it plays; later ones would wait for ever.
			 */
			if (rc == 0 && nr_calls++ < 50) {
				rc = dx_channel_app_call(forged.app, &request, &response);
			}
		}
		CHECK(rc == 0 || rc == -EPROTO);
		CHECK_EQ(kill(child, SIGKILL), 0);
		CHECK_EQ(waitpid(child, NULL, 0), child);
		forged_close(&forged);
	}
}

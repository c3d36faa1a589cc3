/* SPDX-License-Identifier: MIT
 *
 * random - pipes under random submits, aborts, stalls, timeouts, unplug, with a model beside them.
 *
 * The model knows for each pipe which requests were accepted and not yet completed, in order. Every
 * callback must be for the first of them (U1, U2); at the end none may be left.
 */
#include "fixture.h"

#include <pthread.h>
#include <string.h>

#define MAX_PENDING 64u
#define MAX_BYTES   20000u

struct model {
	struct dx_usb_pipe *pipe;
	uint64_t next_accepted;
	uint64_t next_completed;
	uint32_t lengths[1024];
};

struct expected {
	struct model *model;
	uint64_t number;
};

static uint8_t data[2][MAX_BYTES];
static struct expected expectations[2][1024];
static bool told_gone;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void on_complete(void *ctx, int32_t status, uint32_t actual, uint64_t timestamp_ns)
{
	struct expected *expected = ctx;
	struct model *model = expected->model;

	(void)timestamp_ns;
	CHECK(!told_gone);
	CHECK_EQ(expected->number, model->next_completed);
	CHECK_LE(actual, model->lengths[expected->number % 1024]);
	CHECK(status == DX_USB_OK || status == DX_USB_STALLED || status == DX_USB_TIMEOUT ||
	      status == DX_USB_ABORTED || status == DX_USB_OVERRUN ||
	      status == DX_USB_NOT_RESPONDING);
	model->next_completed++;
}

static void on_gone(void *ctx, enum dx_usb_gone_reason reason)
{
	(void)ctx;
	(void)reason;
	CHECK(!told_gone);
	told_gone = true;
}

static void submit(struct model *model, unsigned which, uint64_t random)
{
	struct expected *expected = &expectations[which][model->next_accepted % 1024];
	uint32_t length = (uint32_t)(random >> 8) % MAX_BYTES;
	uint32_t timeout_ms = (random >> 32) % 8 == 0 ? 1 : 0;

	if (random % 3 == 0) {
		length -= length % 1024;
	}
	if (model->next_accepted - model->next_completed >= MAX_PENDING) {
		return;
	}
	*expected = (struct expected){model, model->next_accepted};
	model->lengths[model->next_accepted % 1024] = length;
	if (dx_usb_pipe_submit(model->pipe, data[which], length, timeout_ms, on_complete,
			       expected) == DX_USB_OK) {
		model->next_accepted++;
	}
}

static void step(struct fixture *f, struct model *models, uint64_t random)
{
	unsigned which = random & 1;
	struct model *model = &models[which];
	uint64_t accepted = model->next_accepted;

	switch (random >> 1 & 15) {
	case 0:
		if (dx_usb_pipe_abort(model->pipe, true, DX_USB_ABORTED) == DX_USB_OK) {
			CHECK_EQ(model->next_completed, accepted);
		}
		break;
	case 1:
		(void)dx_usb_pipe_abort(model->pipe, false, DX_USB_ABORTED);
		break;
	case 2:
		if (dx_usb_pipe_clear_stall(model->pipe, random & 32) == DX_USB_OK) {
			CHECK_EQ(model->next_completed, accepted);
		}
		break;
	case 3:
	case 4:
	case 5:
		(void)dx_usb_poll(f->device);
		break;
	default:
		submit(model, which, random);
		break;
	}
}

static void run(const char *spec, uint8_t configuration, uint64_t seed, unsigned nr_steps)
{
	struct fixture f = set_up(spec, configuration);
	struct model models[2] = {{.pipe = f.in}, {.pipe = f.out}};
	struct dx_usb_counters counters = {0};

	told_gone = false;
	dx_usb_device_on_gone(f.device, on_gone, NULL);
	for (unsigned i = 0; i < nr_steps; i++) {
		step(&f, models, next_random(&seed));
	}
	dx_usb_device_detach(f.device);
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(models[i].next_accepted, models[i].next_completed);
		CHECK_EQ(dx_usb_pipe_nr_pending(models[i].pipe), 0);
		CHECK_GE(models[i].next_completed, 20);
	}
	CHECK(told_gone);
	dx_usb_device_counters(f.device, &counters);
	CHECK_EQ(counters.submitted, counters.completed);
	tear_down(&f);
}

static const char *const specs[] = {
	"virtual:gadget-zero,mode=loopback",
	"virtual:gadget-zero,mode=loopback,speed=full,fifo=4096",
	"virtual:gadget-zero,mode=loopback,stall-after=3,short=5000",
	"virtual:gadget-zero,mode=loopback,delay-us=30,babble-after=20",
	"virtual:gadget-zero,mode=loopback,disconnect-after=200,corrupt=3",
	"virtual:gadget-zero,mode=loopback,hang-after=100",
};

TEST_SECONDS(random_loopback_keeps_order_and_counts, 60)
{
	for (unsigned i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		for (uint64_t seed = 1; seed <= 20; seed++) {
			run(specs[i], LOOPBACK, seed * 0x9E3779B97F4A7C15u, 1000);
		}
	}
}

TEST_SECONDS(random_source_sink_keeps_order_and_counts, 60)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		run("virtual:gadget-zero,stall-after=7", SOURCE_SINK,
		    seed * 0x9E3779B97F4A7C15u, 1000);
		run("virtual:gadget-zero,pattern=1,speed=high,disconnect-after-bytes=3000000",
		    SOURCE_SINK, seed * 0x9E3779B97F4A7C15u, 1000);
	}
}

/* ---- the same from several threads ---- */

struct worker {
	struct fixture *f;
	unsigned which;
	_Atomic unsigned nr_completed;
	unsigned nr_accepted;
	pthread_t thread;
};

static void count(void *ctx, int32_t status, uint32_t actual, uint64_t timestamp_ns)
{
	struct worker *worker = ctx;

	(void)status;
	(void)actual;
	(void)timestamp_ns;
	worker->nr_completed++;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct dx_usb_pipe *pipe = worker->which & 1 ? worker->f->out : worker->f->in;
	uint64_t seed = 77 + worker->which * 1000003u;
	static __thread uint8_t bytes[4096];

	for (unsigned i = 0; i < 3000; i++) {
		uint64_t random = next_random(&seed);

		switch (random >> 3 & 31) {
		case 0:
			(void)dx_usb_pipe_abort(pipe, true, DX_USB_ABORTED);
			break;
		case 1:
			(void)dx_usb_pipe_clear_stall(pipe, true);
			break;
		case 2:
			(void)dx_usb_pipe_io(pipe, bytes, 1024, 1, NULL);
			break;
		default:
			worker->nr_accepted += dx_usb_pipe_submit(pipe, bytes, 1024, 0, count,
								  worker) == DX_USB_OK;
			(void)dx_usb_poll(worker->f->device);
			break;
		}
	}
	(void)dx_usb_pipe_abort(pipe, true, DX_USB_ABORTED);
	return NULL;
}

TEST_SECONDS(random_threads_lose_and_double_nothing, 60)
{
	struct fixture f = set_up("virtual:gadget-zero,mode=loopback,stall-after=50", LOOPBACK);
	struct worker workers[4];

	for (unsigned i = 0; i < 4; i++) {
		workers[i] = (struct worker){.f = &f, .which = i};
		CHECK_EQ(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(workers[i].thread, NULL), 0);
	}
	CHECK_EQ(dx_usb_interface_close(f.interface, CLIENT), DX_USB_OK);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(workers[i].nr_accepted, workers[i].nr_completed);
	}
	tear_down(&f);
}

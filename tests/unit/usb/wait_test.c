/* SPDX-License-Identifier: MIT
 *
 * wait - the stack over a backend that has an event fd, a thread of its own and slow cancellation, as
 * libusb and USB/IP have.
 */
#include "fixture.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* "slow:": bulk IN 0x81 never answers by itself, bulk OUT 0x01 answers after a millisecond. */
struct slow {
	const struct dx_usb_backend_host *host;
	void *host_ctx;
	struct dx_usb_backend_info info;
	int fd;
	pthread_t thread;
	pthread_mutex_t lock;
	struct dx_list queued;
	struct dx_list ended;
	bool stop;
};

/* How the next transfer on 0x01 ends. */
static _Atomic int32_t slow_status = DX_USB_OK;

static const uint8_t configuration[] = {9, 2, 32, 0,	1, 1, 0, 0x80, 50, 9, 4, 0, 0, 2, 255, 0,
					0, 0, 7, 5, 0x81, 2, 0, 2,    0,  7, 5, 1, 2, 0, 2,   0};
static const uint8_t *const configurations[] = {configuration};
static const size_t lengths[] = {sizeof(configuration)};

static struct slow *slow_of(struct dx_usb_backend *backend)
{
	return (struct slow *)(void *)backend;
}

static void end_locked(struct slow *slow, struct dx_usb_transfer *transfer, int32_t status)
{
	dx_list_remove(&transfer->link);
	transfer->status = status;
	transfer->actual = status == DX_USB_OK ? transfer->length : 0;
	dx_list_push_back(&slow->ended, &transfer->link);
	CHECK_EQ(eventfd_write(slow->fd, 1), 0);
}

/* The hardware: looks every millisecond. words[0]: asked to cancel. */
static void *run(void *argument)
{
	struct slow *slow = argument;
	bool stop = false;

	while (!stop) {
		(void)poll(NULL, 0, 1);
		(void)pthread_mutex_lock(&slow->lock);
		dx_list_for_each_safe(node, &slow->queued)
		{
			struct dx_usb_transfer *transfer =
				dx_list_entry(node, struct dx_usb_transfer, link);

			if (transfer->backend_words[0] != 0) {
				end_locked(slow, transfer, DX_USB_ABORTED);
			} else if (transfer->endpoint != 0x81) {
				end_locked(slow, transfer,
					   atomic_exchange(&slow_status, DX_USB_OK));
			}
		}
		stop = slow->stop;
		(void)pthread_mutex_unlock(&slow->lock);
	}
	return NULL;
}

static bool slow_accepts(const char *spec)
{
	return strcmp(spec, "slow:") == 0;
}

static int slow_open(const char *spec, int fd, const struct dx_usb_backend_host *host,
		     void *host_ctx, char *message, size_t message_size,
		     struct dx_usb_backend **ret_backend)
{
	struct slow *slow = calloc(1, sizeof(*slow));

	(void)spec;
	(void)fd;
	(void)message;
	(void)message_size;
	slow->host = host;
	slow->host_ctx = host_ctx;
	slow->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	slow->info = (struct dx_usb_backend_info){
		.speed = DX_USB_SPEED_HIGH,
		.address = 1,
		.configuration = 1,
		.device = {18, 1},
		.nr_configurations = 1,
		.configurations = configurations,
		.configuration_lengths = lengths,
	};
	dx_list_init(&slow->queued);
	dx_list_init(&slow->ended);
	(void)pthread_mutex_init(&slow->lock, NULL);
	CHECK_EQ(pthread_create(&slow->thread, NULL, run, slow), 0);
	*ret_backend = (struct dx_usb_backend *)(void *)slow;
	return 0;
}

static void slow_close(struct dx_usb_backend *backend)
{
	struct slow *slow = slow_of(backend);

	(void)pthread_mutex_lock(&slow->lock);
	slow->stop = true;
	CHECK(dx_list_is_empty(&slow->queued) && dx_list_is_empty(&slow->ended));
	(void)pthread_mutex_unlock(&slow->lock);
	CHECK_EQ(pthread_join(slow->thread, NULL), 0);
	(void)close(slow->fd);
	(void)pthread_mutex_destroy(&slow->lock);
	free(slow);
}

static const struct dx_usb_backend_info *slow_info(const struct dx_usb_backend *backend)
{
	return &((const struct slow *)(const void *)backend)->info;
}

static int slow_claim(struct dx_usb_backend *backend, uint8_t number)
{
	(void)backend;
	return number == 0 ? 0 : -ENOENT;
}

static void slow_release(struct dx_usb_backend *backend, uint8_t number)
{
	(void)backend;
	(void)number;
}

static _Atomic int slow_refusal; /* what the next submission returns, if not 0 */

static int slow_submit(struct dx_usb_backend *backend, struct dx_usb_transfer *transfer)
{
	struct slow *slow = slow_of(backend);
	int refusal = atomic_exchange(&slow_refusal, 0);

	if (refusal != 0) {
		return refusal;
	}
	(void)pthread_mutex_lock(&slow->lock);
	dx_list_push_back(&slow->queued, &transfer->link);
	(void)pthread_mutex_unlock(&slow->lock);
	return 0;
}

static void slow_cancel(struct dx_usb_backend *backend, struct dx_usb_transfer *transfer)
{
	struct slow *slow = slow_of(backend);

	(void)pthread_mutex_lock(&slow->lock);
	transfer->backend_words[0] = 1;
	(void)pthread_mutex_unlock(&slow->lock);
}

static int slow_set(struct dx_usb_backend *backend, uint8_t value, struct dx_usb_transfer *done)
{
	(void)value;
	return slow_submit(backend, done);
}

static int slow_altsetting(struct dx_usb_backend *backend, uint8_t number, uint8_t setting,
			   struct dx_usb_transfer *done)
{
	(void)number;
	(void)setting;
	return slow_submit(backend, done);
}

static int slow_clear_halt(struct dx_usb_backend *backend, uint8_t endpoint, bool with_request,
			   struct dx_usb_transfer *done)
{
	(void)endpoint;
	(void)with_request;
	return slow_submit(backend, done);
}

static int slow_reset(struct dx_usb_backend *backend, struct dx_usb_transfer *done)
{
	(void)backend;
	(void)done;
	return -EOPNOTSUPP;
}

static bool slow_is_ready(const struct dx_usb_backend *backend)
{
	(void)backend;
	return false; /* the fd says */
}

static void slow_poll(struct dx_usb_backend *backend)
{
	struct slow *slow = slow_of(backend);
	struct dx_list ended = DX_LIST_INIT(ended);
	eventfd_t count = 0;

	(void)eventfd_read(slow->fd, &count);
	(void)pthread_mutex_lock(&slow->lock);
	dx_list_splice_back(&ended, &slow->ended);
	(void)pthread_mutex_unlock(&slow->lock);
	while (!dx_list_is_empty(&ended)) {
		struct dx_list *node = dx_list_pop_front(&ended);

		slow->host->complete(slow->host_ctx,
				     dx_list_entry(node, struct dx_usb_transfer, link));
	}
}

static int slow_event_fd(const struct dx_usb_backend *backend)
{
	return ((const struct slow *)(const void *)backend)->fd;
}

static uint64_t slow_deadline(const struct dx_usb_backend *backend)
{
	(void)backend;
	return UINT64_MAX;
}

static int slow_frame(struct dx_usb_backend *backend, uint64_t *ret_frame, uint64_t *ret_time_ns)
{
	(void)backend;
	*ret_frame = 0;
	*ret_time_ns = 0;
	return 0;
}

static const struct dx_usb_backend_ops slow_ops = {
	.name = "slow",
	.accepts = slow_accepts,
	.open = slow_open,
	.close = slow_close,
	.info = slow_info,
	.claim = slow_claim,
	.release = slow_release,
	.submit = slow_submit,
	.cancel = slow_cancel,
	.set_configuration = slow_set,
	.set_altsetting = slow_altsetting,
	.clear_halt = slow_clear_halt,
	.reset = slow_reset,
	.is_ready = slow_is_ready,
	.poll = slow_poll,
	.event_fd = slow_event_fd,
	.next_deadline_ns = slow_deadline,
	.frame_number = slow_frame,
};

static const struct dx_usb_backend_ops *const slow_backends[] = {&dx_backend_virtual, &slow_ops,
								 NULL};

static struct fixture set_up_slow(void)
{
	struct fixture f = {0};

	CHECK_EQ(dx_usb_device_attach(slow_backends, "slow:", -1, NULL, 0, &f.device), 0);
	CHECK_GE(dx_usb_event_fd(f.device), 0);
	CHECK_EQ(dx_usb_device_configuration(f.device), 1);
	f.interface = dx_usb_device_copy_interface(f.device, 0);
	CHECK_EQ(dx_usb_interface_open(f.interface, CLIENT, 0, 0), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x81, &f.in), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x01, &f.out), DX_USB_OK);
	return f;
}

TEST(wait_for_io_timeouts_and_aborts_of_a_slow_backend)
{
	struct fixture f = set_up_slow();
	struct record in = {0};
	uint8_t bytes[512];
	uint32_t actual = 0;

	CHECK_EQ(dx_usb_pipe_io(f.out, bytes, 512, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, 512);
	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, 512, 10, &actual), DX_USB_TIMEOUT);
	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(dx_usb_pipe_submit(f.in, bytes, 512, 0, note, &in), DX_USB_OK);
	}
	CHECK_EQ(dx_usb_pipe_abort(f.in, true, DX_USB_ABORTED), DX_USB_OK);
	CHECK_EQ(in.nr, 8);
	CHECK_EQ(dx_usb_pipe_submit(f.in, bytes, 512, 0, note, &in), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_clear_stall(f.in, true), DX_USB_OK);
	CHECK_EQ(in.nr, 9);
	CHECK_EQ(dx_usb_device_reset(f.device, NULL), DX_USB_UNSUPPORTED);
	tear_down(&f);
}

TEST(wait_for_a_device_without_a_valid_answer)
{
	struct fixture f = set_up_slow();
	uint8_t bytes[512];
	uint32_t actual = 1;

	atomic_store(&slow_status, DX_USB_IO_ERROR);
	CHECK_EQ(dx_usb_pipe_io(f.out, bytes, 512, 0, &actual), DX_USB_NOT_RESPONDING);
	CHECK_EQ(actual, 0);
	CHECK_EQ(dx_usb_pipe_io(f.out, bytes, 512, 0, &actual), DX_USB_STALLED);
	CHECK_EQ(dx_usb_pipe_clear_stall(f.out, true), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.out, bytes, 512, 0, &actual), DX_USB_OK);
	/* The same before it is on its way. */
	atomic_store(&slow_refusal, -EIO);
	CHECK_EQ(dx_usb_pipe_io(f.out, bytes, 512, 0, &actual), DX_USB_NOT_RESPONDING);
	CHECK_EQ(dx_usb_pipe_io(f.out, bytes, 512, 0, &actual), DX_USB_OK);
	tear_down(&f);
}

struct io {
	struct fixture *f;
	uint8_t bytes[512];
	pthread_t thread;
};

static void *do_io(void *argument)
{
	struct io *io = argument;

	for (unsigned i = 0; i < 20; i++) {
		CHECK_EQ(dx_usb_pipe_io(io->f->out, io->bytes, 512, 0, NULL), DX_USB_OK);
	}
	CHECK_EQ(dx_usb_pipe_io(io->f->in, io->bytes, 512, 5, NULL), DX_USB_TIMEOUT);
	return NULL;
}

TEST(wait_of_many_threads_on_one_event_fd)
{
	struct fixture f = set_up_slow();
	struct io ios[6];

	for (unsigned i = 0; i < 6; i++) {
		ios[i].f = &f;
		CHECK_EQ(pthread_create(&ios[i].thread, NULL, do_io, &ios[i]), 0);
	}
	for (unsigned i = 0; i < 200; i++) { /* a poller beside them takes their events */
		(void)dx_usb_poll(f.device);
		(void)poll(NULL, 0, 1);
	}
	for (unsigned i = 0; i < 6; i++) {
		CHECK_EQ(pthread_join(ios[i].thread, NULL), 0);
	}
	tear_down(&f);
}

static void *wait_for_in(void *argument)
{
	struct io *io = argument;

	CHECK_EQ(dx_usb_pipe_io(io->f->in, io->bytes, 512, 0, NULL), DX_USB_NOT_RESPONDING);
	return NULL;
}

TEST(wait_ends_when_the_device_goes)
{
	struct fixture f = set_up_slow();
	struct io ios[3];

	for (unsigned i = 0; i < 3; i++) {
		ios[i].f = &f;
		CHECK_EQ(pthread_create(&ios[i].thread, NULL, wait_for_in, &ios[i]), 0);
	}
	while (dx_usb_pipe_nr_pending(f.in) < 3) { /* one that begins later would find no device */
		(void)poll(NULL, 0, 1);
	}
	dx_usb_device_detach(f.device);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(pthread_join(ios[i].thread, NULL), 0);
	}
	tear_down(&f);
}

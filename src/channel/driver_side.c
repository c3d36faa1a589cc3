/* SPDX-License-Identifier: MIT
 *
 * driver_side - the driver's end of a channel: open and close, calls, parking, doorbell.
 *
 * Place:   channel; see channel.h for the interface, driver_side.h for the state and X1..X3.
 * Trust:   everything in A is hostile. The only numbers used from it as an index are a slot number
 *          (checked and masked) and lengths (checked against constants).
 * Orders:  the names A1..A4, D1..D3 are those of docs/PROTOCOL.md, "Publish and park".
 */
#include "channel/driver_side.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/futex.h"
#include "channel/segment.h"

#define MUTE_AFTER_RINGS 4u /* without work, in a row */
#define MUTE_NS          1000000u
#define REGION_SIZE      (DX_ALIVE_DISTANCE + sizeof(struct dx_layout_d))

/* ------------------------------------------------------------------------------------------- */
/* Open and close                                                                              */

/* [private page | D] in one piece of address space. */
static int map_region(int fd_d, struct dx_channel_driver **ret_channel)
{
	char *base =
		mmap(NULL, REGION_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED) {
		return -errno;
	}
	void *d = mmap(base + DX_ALIVE_DISTANCE, sizeof(struct dx_layout_d), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED, fd_d, 0);
	if (d == MAP_FAILED) {
		int error = -errno;
		(void)munmap(base, REGION_SIZE);
		return error;
	}
	struct dx_channel_driver *channel = (struct dx_channel_driver *)(void *)base;
	channel->d = d;
	channel->fd_d = -1;
	channel->fd_a = -1;
	channel->doorbell.fd = -1;
	channel->doorbell.epoll_fd = -1;
	*ret_channel = channel;
	return 0;
}

static void fill_header(struct dx_layout_header *header, uint32_t magic)
{
	dx_shared_store_relaxed(&header->magic, magic);
	dx_shared_store_relaxed(&header->version, DX_LAYOUT_VERSION);
	dx_shared_store_relaxed(&header->size_d, (uint32_t)sizeof(struct dx_layout_d));
	dx_shared_store_relaxed(&header->size_a, (uint32_t)sizeof(struct dx_layout_a));
	dx_shared_store_relaxed(&header->nr_slots, DX_LAYOUT_SLOTS);
	dx_shared_store_relaxed(&header->cq_size, DX_LAYOUT_CQ_SIZE);
}

static int make_a(int *ret_fd, const struct dx_layout_a **ret_a)
{
	struct dx_layout_header header = {0};
	DX_CLEANUP_FD int fd = dx_segment_create("opendext-a", sizeof(struct dx_layout_a));

	if (fd < 0) {
		return fd;
	}
	fill_header(&header, DX_LAYOUT_MAGIC_A);
	/* Header, words and request records; the pages of bytes come when they are used. */
	if (fallocate(fd, 0, 0, offsetof(struct dx_layout_a, bytes)) < 0) {
		return -errno;
	}
	if (pwrite(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header)) {
		return -EIO;
	}
	int rc = dx_segment_seal(fd, false);
	if (rc < 0) {
		return rc;
	}
	void *a = mmap(NULL, sizeof(struct dx_layout_a), PROT_READ, MAP_SHARED, fd, 0);
	if (a == MAP_FAILED) {
		return -errno;
	}
	*ret_a = a;
	*ret_fd = dx_take_fd(&fd);
	return 0;
}

static int make_d(int *ret_fd, struct dx_channel_driver **ret_channel)
{
	struct dx_channel_driver *channel = NULL;
	DX_CLEANUP_FD int fd = dx_segment_create("opendext-d", sizeof(struct dx_layout_d));

	if (fd < 0) {
		return fd;
	}
	if (fallocate(fd, 0, 0, offsetof(struct dx_layout_d, notes)) < 0) {
		return -errno;
	}
	int rc = map_region(fd, &channel);
	if (rc < 0) {
		return rc;
	}
	fill_header(&channel->d->header, DX_LAYOUT_MAGIC_D);
	dx_shared_store_relaxed(&channel->d->d_cpu, DX_WAIT_CPU_UNKNOWN);
	channel->cpu = DX_WAIT_CPU_UNKNOWN;
	channel->peer_cpu = DX_WAIT_CPU_UNKNOWN;
	/* Only now: the seal forbids further writable mappings, ours exists. */
	rc = dx_segment_seal(fd, true);
	if (rc < 0) {
		(void)munmap(channel, REGION_SIZE);
		return rc;
	}
	*ret_fd = dx_take_fd(&fd);
	*ret_channel = channel;
	return 0;
}

static int finish_open(struct dx_channel_driver *channel,
		       const struct dx_channel_driver_options *options)
{
	int rc = make_a(&channel->fd_a, &channel->a);

	if (rc < 0) {
		return rc;
	}
	channel->doorbell.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (channel->doorbell.fd < 0) {
		return -errno;
	}
	channel->notify = options->notify;
	channel->notify_context = options->notify_context;
	channel->registry = options->registry;
	(void)dx_alive_add(channel->registry, &channel->alive, &channel->d->alive);
	return 0;
}

int dx_channel_driver_open(const struct dx_channel_driver_options *options,
			   struct dx_channel_driver **ret_channel)
{
	struct dx_channel_driver *channel = NULL;
	int fd_d = -1;

	if (options == NULL || ret_channel == NULL) {
		return -EINVAL;
	}
	int rc = make_d(&fd_d, &channel);
	if (rc < 0) {
		return rc;
	}
	channel->fd_d = fd_d;
	dx_channel_notes_init(channel);
	rc = finish_open(channel, options);
	if (rc < 0) {
		(void)dx_channel_driver_close(channel);
		return rc;
	}
	*ret_channel = channel;
	return 0;
}

void dx_channel_driver_fds(const struct dx_channel_driver *channel, int ret_fds[DX_CHANNEL_NR_FDS])
{
	ret_fds[DX_CHANNEL_FD_D] = channel->fd_d;
	ret_fds[DX_CHANNEL_FD_A] = channel->fd_a;
	ret_fds[DX_CHANNEL_FD_DOORBELL] = channel->doorbell.fd;
}

void dx_channel_driver_sent(struct dx_channel_driver *channel)
{
	dx_fd_close(&channel->fd_d);
	dx_fd_close(&channel->fd_a);
}

struct dx_channel_driver *dx_channel_driver_close(struct dx_channel_driver *channel)
{
	if (channel == NULL) {
		return NULL;
	}
	dx_alive_remove(channel->registry, &channel->alive);
	if (channel->doorbell.epoll_fd >= 0) {
		/* The application has the eventfd too, so closing ours would not end the watch. */
		(void)epoll_ctl(channel->doorbell.epoll_fd, EPOLL_CTL_DEL, channel->doorbell.fd,
				NULL);
	}
	dx_fd_close(&channel->doorbell.fd);
	dx_channel_driver_sent(channel);
	dx_channel_notes_fini(channel);
	if (channel->a != NULL) {
		(void)munmap((void *)(uintptr_t)channel->a, sizeof(struct dx_layout_a));
	}
	(void)munmap(channel, REGION_SIZE);
	return NULL;
}

void dx_channel_driver_fail(struct dx_channel_driver *channel, int negative_errno)
{
	int none = 0;

	assert(negative_errno < 0);
	if (atomic_compare_exchange_strong(&channel->error, &none, negative_errno)) {
		dx_alive_remove(channel->registry, &channel->alive);
	}
}

int dx_channel_driver_error(const struct dx_channel_driver *channel)
{
	return atomic_load_explicit(&channel->error, memory_order_relaxed);
}

/* ------------------------------------------------------------------------------------------- */
/* Taking calls and replies                                                                    */

static int fail_protocol(struct dx_channel_driver *channel)
{
	dx_channel_driver_fail(channel, -EPROTO);
	return -EPROTO;
}

static bool has_submission(const struct dx_channel_driver *channel, uint64_t *ret_entry)
{
	const struct dx_shared_u64 *place = &channel->a->sq[channel->sq_next % DX_LAYOUT_SQ_SIZE];
	/* D1, pairs with A1: the request was written before its entry. */
	uint64_t entry = dx_shared_load_acquire(place);

	*ret_entry = entry;
	return (uint32_t)(entry >> 32) == channel->sq_next + 1;
}

/* X2: after this nothing of the copied bytes may be loaded from shared memory again. */
static void copy_shared(void *to, const void *from, size_t length)
{
	memcpy(to, from, length);
	atomic_signal_fence(memory_order_seq_cst);
}

static void copy_more(const struct dx_layout_request *request, bool has_more,
		      struct dx_channel_call *ret_call)
{
	struct dx_layout_request_more more = {0};

	if (has_more) {
		copy_shared(&more, &request->more, sizeof(more));
	}
	ret_call->in_address = more.in_address;
	ret_call->in_length = more.in_length;
	ret_call->out_address = more.out_address;
	ret_call->out_length = more.out_length;
}

static int copy_call(struct dx_channel_driver *channel, uint32_t slot, uint32_t kind,
		     struct dx_channel_call *ret_call)
{
	const struct dx_layout_request *request = &channel->a->requests[slot];
	struct dx_layout_request_fields fields;

	copy_shared(&fields, &request->fields, sizeof(fields));
	if (fields.nr_scalars > DX_MAX_SCALARS || fields.max_scalars > DX_MAX_SCALARS ||
	    fields.nr_bytes > DX_MAX_INLINE_BYTES) {
		return -EPROTO;
	}
	copy_shared(ret_call->scalars, request->scalars, fields.nr_scalars * sizeof(uint64_t));
	if (fields.nr_bytes != 0) {
		copy_shared(ret_call->bytes, channel->a->bytes[slot], fields.nr_bytes);
	}
	channel->peer_cpu = dx_shared_load_relaxed(&request->a_cpu);
	/* The answer's lines were read by the application: they come while the method runs. Not the
	 * first, which it reads all the time. */
	dx_expect_write(&channel->d->answers[slot].scalars[5]);
	dx_expect_write(&channel->d->answers[slot].scalars[13]);
	channel->slots[slot].turn = fields.turn;
	ret_call->kind = fields.kind;
	ret_call->flags = fields.flags;
	ret_call->selector = fields.selector;
	ret_call->tag = fields.tag;
	ret_call->nr_scalars = fields.nr_scalars;
	ret_call->max_scalars = fields.max_scalars;
	ret_call->nr_bytes = fields.nr_bytes;
	ret_call->max_bytes = fields.max_bytes;
	copy_more(request, kind == DX_LAYOUT_SUBMIT_LONG, ret_call);
	return 0;
}

static uint64_t make_id(uint32_t serial, uint32_t slot)
{
	return (uint64_t)(serial & ~DX_SLOT_PHASE_MASK) << 32 | slot;
}

static int take_call(struct dx_channel_driver *channel, uint32_t slot, uint32_t kind,
		     struct dx_channel_call *ret_call)
{
	struct dx_channel_slot *own = &channel->slots[slot];
	/* Pairs with the release in post(): the last owner is done with the answer record. */
	uint32_t serial = atomic_load_explicit(&own->serial, memory_order_acquire);

	if ((serial & DX_SLOT_PHASE_MASK) != DX_SLOT_IDLE ||
	    copy_call(channel, slot, kind, ret_call) < 0) {
		return fail_protocol(channel);
	}
	serial += DX_SLOT_COUNT_ONE;
	ret_call->id = make_id(serial, slot);
	/* Pairs with the acquire in claim(): the turn is written. */
	atomic_store_explicit(&own->serial, serial | DX_SLOT_BUSY, memory_order_release);
	return DX_CHANNEL_CALL;
}

static int take_reply(struct dx_channel_driver *channel, uint32_t slot,
		      struct dx_channel_reply *ret_reply)
{
	struct dx_channel_slot *own = &channel->slots[slot];
	const struct dx_layout_request *request = &channel->a->requests[slot];
	struct dx_layout_request_fields fields;
	struct dx_layout_request_more more;
	uint32_t serial = atomic_load_explicit(&own->serial, memory_order_acquire); /* as above */

	if ((serial & DX_SLOT_PHASE_MASK) != DX_SLOT_ASKING) {
		return fail_protocol(channel);
	}
	copy_shared(&fields, &request->fields, sizeof(fields));
	copy_shared(&more, &request->more, sizeof(more));
	own->turn = fields.turn;
	*ret_reply = (struct dx_channel_reply){
		.id = make_id(serial, slot),
		.status = more.reply_status,
		.value = more.reply_value,
	};
	atomic_store_explicit(&own->serial, (serial & ~DX_SLOT_PHASE_MASK) | DX_SLOT_BUSY,
			      memory_order_release); /* as above */
	return DX_CHANNEL_REPLY;
}

int dx_channel_driver_poll(struct dx_channel_driver *channel, struct dx_channel_call *ret_call,
			   struct dx_channel_reply *ret_reply)
{
	uint64_t entry = 0;

	if (atomic_load_explicit(&channel->nr_backlog, memory_order_relaxed) != 0) {
		dx_channel_notes_flush(channel);
	}
	int error = dx_channel_driver_error(channel);
	if (error != 0) {
		return error;
	}
	if (!has_submission(channel, &entry)) {
		return DX_CHANNEL_NOTHING;
	}
	channel->sq_next++;
	channel->consumed++;
	uint32_t slot = (uint32_t)entry & 0xffu;
	uint32_t kind = (uint32_t)entry >> 8;
	if (slot >= DX_LAYOUT_SLOTS) {
		return fail_protocol(channel);
	}
	slot %= DX_LAYOUT_SLOTS; /* also for what the CPU does before it knows better */
	if (kind == DX_LAYOUT_SUBMIT_CALL || kind == DX_LAYOUT_SUBMIT_LONG) {
		return take_call(channel, slot, kind, ret_call);
	}
	if (kind == DX_LAYOUT_SUBMIT_REPLY) {
		return take_reply(channel, slot, ret_reply);
	}
	return fail_protocol(channel);
}

bool dx_channel_driver_is_ready(const struct dx_channel_driver *channel)
{
	uint64_t entry = 0;

	return has_submission(channel, &entry) || dx_channel_driver_error(channel) != 0;
}

uint32_t dx_channel_driver_peer_cpu(const struct dx_channel_driver *channel)
{
	return channel->peer_cpu;
}

void dx_channel_driver_set_cpu(struct dx_channel_driver *channel, uint32_t cpu)
{
	if (cpu != channel->cpu) {
		channel->cpu = cpu;
		dx_shared_store_relaxed(&channel->d->d_cpu, cpu); /* a hint, orders nothing */
	}
}

/* ------------------------------------------------------------------------------------------- */
/* Answers and questions                                                                       */

/* Makes the step busy -> claimed of X3. */
static int claim(struct dx_channel_driver *channel, uint64_t id, uint32_t *ret_slot)
{
	uint32_t slot = (uint32_t)id;
	uint32_t count = (uint32_t)(id >> 32);

	if (slot >= DX_LAYOUT_SLOTS || (count & DX_SLOT_PHASE_MASK) != 0) {
		return -ESTALE;
	}
	uint32_t serial = count | DX_SLOT_BUSY;
	if (atomic_compare_exchange_strong_explicit(&channel->slots[slot].serial, &serial,
						    count | DX_SLOT_CLAIMED, memory_order_acquire,
						    memory_order_relaxed)) {
		*ret_slot = slot;
		return 0;
	}
	return serial == (count | DX_SLOT_ASKING) ? -EBUSY : -ESTALE;
}

/* Gives the slot back, then publishes its record and wakes the caller if he sleeps. */
static void post(struct dx_channel_driver *channel, uint32_t slot, uint32_t status)
{
	struct dx_channel_slot *own = &channel->slots[slot];
	struct dx_layout_answer *answer = &channel->d->answers[slot];
	uint32_t state = own->turn << DX_LAYOUT_STATUS_BITS | status;
	uint32_t serial = atomic_load_explicit(&own->serial, memory_order_relaxed);
	uint32_t phase = status == DX_LAYOUT_STATUS_ASK ? DX_SLOT_ASKING : DX_SLOT_IDLE;

	/* Before the state: once he sees that, the application may submit again. */
	atomic_store_explicit(&own->serial, (serial & ~DX_SLOT_PHASE_MASK) | phase,
			      memory_order_release);
	dx_shared_store_release(&answer->state, state); /* D2, pairs with A3 */
	dx_fence_seq_cst();                             /* D2, pairs with A4 */
	if (dx_shared_load_relaxed(&channel->a->requests[slot].a_wait) != 0) {
		(void)dx_futex_wake(&answer->state, 1);
	}
}

static int prepare_bytes(struct dx_channel_driver *channel, uint32_t slot)
{
	uint32_t bit = 1u << slot;

	if ((atomic_load_explicit(&channel->pages_ready, memory_order_relaxed) & bit) != 0) {
		return 0;
	}
	if (dx_segment_populate(channel->d->bytes[slot], DX_MAX_INLINE_BYTES) < 0) {
		return -ENOMEM;
	}
	(void)atomic_fetch_or_explicit(&channel->pages_ready, bit, memory_order_relaxed);
	return 0;
}

static bool is_answer_valid(const struct dx_channel_answer *answer)
{
	return answer->nr_scalars <= DX_MAX_SCALARS && answer->nr_bytes <= DX_MAX_INLINE_BYTES &&
	       (answer->nr_scalars == 0 || answer->scalars != NULL) &&
	       (answer->nr_bytes == 0 || answer->bytes != NULL);
}

static void write_answer(struct dx_channel_driver *channel, uint32_t slot,
			 const struct dx_channel_answer *answer)
{
	struct dx_layout_answer *record = &channel->d->answers[slot];

	/* The first line last: the caller reads it all the time while it spins. */
	if (answer->nr_bytes != 0) {
		memcpy(channel->d->bytes[slot], answer->bytes, answer->nr_bytes);
	}
	if (answer->nr_scalars != 0) {
		memcpy(record->scalars, answer->scalars, answer->nr_scalars * sizeof(uint64_t));
	}
	record->result = answer->result;
	record->nr_scalars = answer->nr_scalars;
	record->nr_bytes = answer->nr_bytes;
	record->value = answer->value;
}

int dx_channel_driver_answer(struct dx_channel_driver *channel, uint64_t id,
			     const struct dx_channel_answer *answer)
{
	uint32_t slot = 0;
	int error = dx_channel_driver_error(channel);

	if (error != 0) {
		return error;
	}
	if (!is_answer_valid(answer)) {
		return -EINVAL;
	}
	if (answer->nr_bytes != 0) {
		int rc = prepare_bytes(channel, (uint32_t)id % DX_LAYOUT_SLOTS);
		if (rc < 0) {
			return rc;
		}
	}
	int rc = claim(channel, id, &slot);
	if (rc < 0) {
		return rc;
	}
	write_answer(channel, slot, answer);
	post(channel, slot, DX_LAYOUT_STATUS_DONE);
	return 0;
}

int dx_channel_driver_ask(struct dx_channel_driver *channel, uint64_t id,
			  const struct dx_channel_ask *ask)
{
	uint32_t slot = 0;
	int error = dx_channel_driver_error(channel);

	if (error != 0) {
		return error;
	}
	int rc = claim(channel, id, &slot);
	if (rc < 0) {
		return rc;
	}
	struct dx_layout_answer *record = &channel->d->answers[slot];
	record->ask.kind = ask->kind;
	record->ask.flags = ask->flags;
	record->ask.id = ask->id;
	record->ask.address = ask->address;
	record->ask.length = ask->length;
	post(channel, slot, DX_LAYOUT_STATUS_ASK);
	return 0;
}

/* ------------------------------------------------------------------------------------------- */
/* Parking and the doorbell                                                                    */

bool dx_channel_driver_arm(struct dx_channel_driver *channel)
{
	/* The next odd number: also when it was odd, because that epoch may have been rung. */
	channel->d_epoch = (channel->d_epoch + 1) | 1u;
	dx_shared_store_relaxed(&channel->d->d_wait, channel->d_epoch);
	dx_fence_seq_cst(); /* D3, pairs with A1 */
	if (!dx_channel_driver_is_ready(channel)) {
		return false;
	}
	dx_channel_driver_disarm(channel);
	return true;
}

void dx_channel_driver_disarm(struct dx_channel_driver *channel)
{
	if ((channel->d_epoch & 1u) != 0) {
		channel->d_epoch++;
		dx_shared_store_relaxed(&channel->d->d_wait, channel->d_epoch);
	}
}

static int watch(struct dx_channel_driver *channel, int operation, uint32_t events)
{
	struct dx_channel_doorbell *doorbell = &channel->doorbell;
	struct epoll_event event = {.events = events, .data.u64 = doorbell->cookie};

	return epoll_ctl(doorbell->epoll_fd, operation, doorbell->fd, &event) < 0 ? -errno : 0;
}

int dx_channel_driver_listen(struct dx_channel_driver *channel, int epoll_fd, uint64_t cookie)
{
	struct dx_channel_doorbell *doorbell = &channel->doorbell;

	if (doorbell->epoll_fd >= 0) {
		return -EBUSY;
	}
	doorbell->epoll_fd = epoll_fd;
	doorbell->cookie = cookie;
	int rc = watch(channel, EPOLL_CTL_ADD, EPOLLIN | EPOLLET);
	if (rc < 0) {
		doorbell->epoll_fd = -1;
	}
	return rc;
}

uint64_t dx_channel_driver_rang(struct dx_channel_driver *channel)
{
	struct dx_channel_doorbell *doorbell = &channel->doorbell;

	if (channel->consumed != doorbell->consumed_at_ring) {
		doorbell->consumed_at_ring = channel->consumed;
		doorbell->idle_rings = 0;
		doorbell->expect_echo = false;
		return 0;
	}
	if (doorbell->expect_echo) {
		doorbell->expect_echo = false;
		return 0;
	}
	/* A doorbell that was muted before is muted again at once. */
	if (++doorbell->idle_rings < MUTE_AFTER_RINGS || doorbell->epoll_fd < 0) {
		return 0;
	}
	if (watch(channel, EPOLL_CTL_MOD, 0) < 0) {
		return 0; /* still listening: a cost, not an error */
	}
	doorbell->muted = true;
	return dx_clock_now_ns() + MUTE_NS;
}

void dx_channel_driver_unmute(struct dx_channel_driver *channel)
{
	if (!channel->doorbell.muted) {
		return;
	}
	channel->doorbell.muted = false;
	channel->doorbell.expect_echo = true;
	/* The counter is never read, so this reports it once more: no ring was lost. */
	if (watch(channel, EPOLL_CTL_MOD, EPOLLIN | EPOLLET) < 0) {
		dx_channel_driver_fail(channel, -EIO); /* it could never be heard again */
	}
}

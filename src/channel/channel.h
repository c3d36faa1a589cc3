/* SPDX-License-Identifier: MIT
 *
 * channel - calls from an application to a driver and notifications back, through two pieces of
 * shared memory.
 *
 * Place:   client -> channel -> driver/host. Knows calls, answers and notifications as numbers and
 *          bytes; selectors, connections and objects mean nothing here. Descriptors travel over
 *          the control socket of the upper rooms, which owns that socket.
 * Model:   the driver side opens a channel, which creates three descriptors (DX_CHANNEL_FD_*).
 *          They are sent to the application, whose side opens on them. From then on no system
 *          call is made while both sides are busy.
 *
 *              application                                   driver process
 *              dx_channel_app_call  --- request, doorbell -> dx_channel_driver_poll
 *                       (ask callback <-- ask --------------  dx_channel_driver_ask)
 *                       (its result   --- reply ----------->  dx_channel_driver_poll)
 *              response             <-- answer ------------  dx_channel_driver_answer
 *              dx_channel_app_next  <-- notification ------  dx_channel_driver_notify
 *
 * Invariants:
 *   N1  a published request, answer or notification wakes its reader, whatever the interleaving:
 *       each side stores its own word, fences, then loads the other's.
 *   N2  notifications of one channel arrive in order, none lost, none doubled, or the channel
 *       fails.
 *   N3  the driver side never blocks and never does anything on which the application can make it
 *       block; nothing here hands out a pointer into memory that the other side can write.
 *   N4  the death of the driver process ends every wait of the application.
 *   N5  whatever the other side writes harms this connection only.
 * Trust:   both sides copy, check, then use. -EPROTO means that the peer broke the protocol: the
 *          connection is to be dropped. A connection that failed once keeps failing.
 * Threads: said at each function.
 */
#ifndef DX_CHANNEL_CHANNEL_H
#define DX_CHANNEL_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "channel/alive.h"
#include "channel/policy.h"

struct dx_channel_driver;
struct dx_channel_app;

/* Descriptors of a channel, in the order in which they travel. */
enum {
	DX_CHANNEL_FD_D = 0,        /* memfd, written by the driver */
	DX_CHANNEL_FD_A = 1,        /* memfd, written by the application */
	DX_CHANNEL_FD_DOORBELL = 2, /* eventfd, application to driver */
	DX_CHANNEL_NR_FDS = 3,
};

/* Kinds of notifications. */
enum dx_channel_note_kind {
	DX_CHANNEL_COMPLETION = 1, /* tag: the async reference of the call; result, args */
	DX_CHANNEL_RELEASED = 2,   /* tag: the driver will never complete it (again) */
	DX_CHANNEL_MESSAGE = 3,    /* tag: message type; args: its arguments */
};

/* A notification, private copy. */
struct dx_channel_note {
	uint32_t kind;
	int32_t result;
	uint64_t tag;
	uint32_t nr_args; /* <= DX_MAX_ASYNC_ARGUMENTS */
	uint64_t args[DX_MAX_ASYNC_ARGUMENTS];
};

/* A question that the driver side asks the calling thread while its call is in progress. The
 * meaning of the fields belongs to the upper rooms. */
struct dx_channel_ask {
	uint32_t kind;
	uint32_t flags;
	uint64_t id;
	uint64_t address;
	uint64_t length;
};

/* ------------------------------------------------------------------------------------------- */
/* Driver side                                                                                 */

/* A call, private copy. */
struct dx_channel_call {
	uint64_t id;   /* names the call until it is answered */
	uint32_t kind; /* as the application sent it; unknown kinds are for the user to refuse */
	uint32_t flags;
	uint64_t selector;
	uint64_t tag;         /* async reference, 0 for none */
	uint32_t nr_scalars;  /* <= DX_MAX_SCALARS */
	uint32_t max_scalars; /* wanted outputs, <= DX_MAX_SCALARS */
	uint32_t nr_bytes;    /* <= DX_MAX_INLINE_BYTES */
	uint64_t max_bytes;   /* wanted output size; any value */
	uint64_t in_address;  /* large input structure, as claimed: unchecked numbers */
	uint64_t in_length;
	uint64_t out_address; /* large output structure, as claimed: unchecked numbers */
	uint64_t out_length;
	uint64_t scalars[DX_MAX_SCALARS];                                /* nr_scalars are valid */
	uint8_t bytes[DX_MAX_INLINE_BYTES] __attribute__((aligned(16))); /* nr_bytes are valid */
};

struct dx_channel_answer {
	int32_t result;          /* IOReturn */
	uint32_t nr_scalars;     /* <= DX_MAX_SCALARS */
	uint32_t nr_bytes;       /* <= DX_MAX_INLINE_BYTES */
	uint64_t value;          /* for the upper rooms */
	const uint64_t *scalars; /* may be NULL when nr_scalars is 0 */
	const void *bytes;       /* may be NULL when nr_bytes is 0 */
};

/* What the calling thread answered to a question. */
struct dx_channel_reply {
	uint64_t id;    /* of the call, still to be answered */
	int32_t status; /* claimed */
	uint64_t value; /* claimed */
};

/*!
 * Wakes a run-loop client, e.g. by one small message on its control socket, sent with
 * MSG_DONTWAIT|MSG_NOSIGNAL. Must not block; a full socket counts as delivered. Called without
 * locks, on the thread that notifies, at most once per time that the application armed itself.
 */
typedef void (*dx_channel_notify_fn)(void *context);

struct dx_channel_driver_options {
	struct dx_alive_registry *registry; /* borrowed for the life of the channel; NULL: waiters
					       use a timer */
	dx_channel_notify_fn notify;        /* NULL: run-loop waiting is not offered */
	void *notify_context;
};

/*!
 * Creates a channel and its three descriptors.
 * @return 0; -ENOMEM, -EMFILE, -ENFILE and other errors of the system calls; -EINVAL.
 * Owner:   dx_channel_driver_close(). The channel keeps its descriptors; see _fds and _sent.
 * Threads: any.
 */
int dx_channel_driver_open(const struct dx_channel_driver_options *options,
			   struct dx_channel_driver **ret_channel);
/*!
 * The descriptors to send to the application: DX_CHANNEL_NR_FDS of them, borrowed.
 */
void dx_channel_driver_fds(const struct dx_channel_driver *channel, int ret_fds[DX_CHANNEL_NR_FDS]);
/*!
 * They were sent: closes the two memory descriptors, which the driver side needs no more. Only the
 * doorbell stays open, so that a connection costs this process one descriptor.
 */
void dx_channel_driver_sent(struct dx_channel_driver *channel);
/*!
 * Ends the connection: every waiter of the application returns -ECONNRESET. NULL is allowed.
 * No other thread may be inside a function of this channel, or enter one.
 * @return NULL.
 */
struct dx_channel_driver *dx_channel_driver_close(struct dx_channel_driver *channel);
/*!
 * Tells the application at once that the connection is over, without releasing anything: for a
 * thread that cannot wait for the others to leave. Every later function returns -error.
 * Threads: any.
 */
void dx_channel_driver_fail(struct dx_channel_driver *channel, int negative_errno);
/*! 0, or the negative errno with which the channel failed. Threads: any. */
int dx_channel_driver_error(const struct dx_channel_driver *channel);

enum {
	DX_CHANNEL_NOTHING = 0,
	DX_CHANNEL_CALL = 1,
	DX_CHANNEL_REPLY = 2,
};

/*!
 * Takes the next thing that the application submitted and, when notifications waited for room in
 * the ring, moves them on. Never blocks. A fair server takes at most a quantum (16) from one
 * channel before it looks at the next.
 * @return DX_CHANNEL_CALL: *ret_call is filled (only the valid parts of its arrays);
 *         DX_CHANNEL_REPLY: *ret_reply is filled, an earlier question was answered;
 *         DX_CHANNEL_NOTHING;
 *         -EPROTO the application broke the protocol; or the error the channel failed with.
 * Threads: one serving thread per channel (also for arm, disarm, rang, unmute, listen).
 */
int dx_channel_driver_poll(struct dx_channel_driver *channel, struct dx_channel_call *ret_call,
			   struct dx_channel_reply *ret_reply);
/*!
 * True when poll would return something; one load from shared memory. Threads: serving thread.
 */
bool dx_channel_driver_is_ready(const struct dx_channel_driver *channel);
/*! Where the caller of the call last taken ran, for the wait policy; a hint. Serving thread. */
uint32_t dx_channel_driver_peer_cpu(const struct dx_channel_driver *channel);
/*! Publishes where the serving thread runs; call it when a pass over the channels starts. */
void dx_channel_driver_set_cpu(struct dx_channel_driver *channel, uint32_t cpu);

/*!
 * Answers a call and wakes its caller if it sleeps. Calls may be answered in any order.
 * @return 0; -ESTALE id names no call that waits for an answer (answered twice, or of another
 *         time); -EBUSY a question about it is still open; -EINVAL counts over the limits;
 *         -ENOMEM no page for the bytes: nothing was answered;
 *         or the error the channel failed with.
 * Threads: any.
 */
int dx_channel_driver_answer(struct dx_channel_driver *channel, uint64_t id,
			     const struct dx_channel_answer *answer);
/*!
 * Asks the thread that waits for this call to do something; its reply comes out of poll.
 * @return as dx_channel_driver_answer(). Threads: any.
 */
int dx_channel_driver_ask(struct dx_channel_driver *channel, uint64_t id,
			  const struct dx_channel_ask *ask);

/*!
 * Sends a notification. When the ring is full the driver keeps it, up to DX_MAX_NOTIFY_BACKLOG;
 * order is kept.
 * @param nr_args  <= DX_MAX_ASYNC_ARGUMENTS.
 * @return 0; -EINVAL; -ENOBUFS the application does not read and the limit is reached: the channel
 *         has failed; -ENOMEM likewise; -EPROTO; or the error the channel failed with.
 * Threads: any; notifications of one thread keep their order.
 */
int dx_channel_driver_notify(struct dx_channel_driver *channel, uint32_t kind, uint64_t tag,
			     int32_t result, const uint64_t *args, uint32_t nr_args);
/*!
 * Between begin and end notifications are collected; end publishes them together and wakes the
 * application at most once. Nesting and several threads are allowed; any end publishes.
 */
void dx_channel_driver_batch_begin(struct dx_channel_driver *channel);
void dx_channel_driver_batch_end(struct dx_channel_driver *channel);
/*! Notifications that wait in the driver for room in the ring. Threads: any. */
uint32_t dx_channel_driver_backlog(struct dx_channel_driver *channel);

/*!
 * Announces that the serving thread is about to sleep, then looks once more.
 * @return true: there is work (or a failure to collect by poll), do not sleep; false: from now on
 *         anything submitted rings the doorbell.
 * An armed channel stays armed; arming it again is cheap and right.
 */
bool dx_channel_driver_arm(struct dx_channel_driver *channel);
/*! The serving thread is awake and polls: no doorbell needed. */
void dx_channel_driver_disarm(struct dx_channel_driver *channel);

/*!
 * Adds the doorbell to an epoll set (edge-triggered, never read), with cookie as data.u64.
 * @return 0 or the error of epoll_ctl().
 */
int dx_channel_driver_listen(struct dx_channel_driver *channel, int epoll_fd, uint64_t cookie);
/*!
 * The doorbell rang and the channel was polled to its end (or quantum). Rings without work are
 * a flood: a few in a row mute the doorbell.
 * @return 0: listening; else the time (CLOCK_MONOTONIC, ns) at which to call _unmute, 1 ms from
 *         now. Work that arrives meanwhile is found then.
 */
uint64_t dx_channel_driver_rang(struct dx_channel_driver *channel);
/*! Listens again. The epoll set reports the doorbell once, whether or not it rang. */
void dx_channel_driver_unmute(struct dx_channel_driver *channel);

/* ------------------------------------------------------------------------------------------- */
/* Application side                                                                            */

/*!
 * Carries out a question of the driver, on the thread that is inside dx_channel_app_call(), which
 * holds no lock. It must not call on the same channel unless other slots are free.
 * @return status for the driver; *ret_value is 0 unless set.
 */
typedef int32_t (*dx_channel_ask_fn)(void *context, const struct dx_channel_ask *ask,
				     uint64_t *ret_value);

struct dx_channel_request {
	uint32_t kind;
	uint32_t flags;
	uint64_t selector;
	uint64_t tag;
	const uint64_t *scalars;
	uint32_t nr_scalars;  /* <= DX_MAX_SCALARS */
	uint32_t max_scalars; /* <= DX_MAX_SCALARS */
	const void *bytes;
	uint32_t nr_bytes; /* <= DX_MAX_INLINE_BYTES */
	uint64_t max_bytes;
	uint64_t in_address;
	uint64_t in_length;
	uint64_t out_address;
	uint64_t out_length;
	dx_channel_ask_fn ask; /* NULL: every question is answered with -ENOTSUP */
	void *ask_context;
};

struct dx_channel_response {
	int32_t result;      /* out */
	uint64_t value;      /* out */
	uint64_t *scalars;   /* room for nr_scalars; may be NULL with 0 */
	uint32_t nr_scalars; /* in: room; out: how many the driver sent, never more than the room */
	void *bytes;         /* room for nr_bytes; may be NULL with 0 */
	uint32_t nr_bytes;   /* in: room; out: how many the driver sent, never more than the room */
};

/*!
 * Asked about every 250 ms while a wait has no kernel help (see alive.h).
 * @return true when the driver process is gone, e.g. because the control socket hung up.
 */
typedef bool (*dx_channel_gone_fn)(void *context);

struct dx_channel_app_options {
	uint64_t spin_budget_ns; /* DX_WAIT_BUDGET_MEASURED as a rule; 0 never spins */
	dx_channel_gone_fn gone; /* may be NULL */
	void *gone_context;
};

/*!
 * Opens the application's side on descriptors that came from a driver. They are checked: sizes,
 * seals, header.
 * @param fds  taken over: on success they are all -1.
 * @return 0; -EPROTO not a channel of this version; -ENOMEM; errors of the system calls.
 * Owner:   dx_channel_app_close(). Threads: any.
 */
int dx_channel_app_open(const struct dx_channel_app_options *options, int fds[DX_CHANNEL_NR_FDS],
			struct dx_channel_app **ret_channel);
/*!
 * Ends every call and wait in progress with -ESHUTDOWN, waits until those threads have left, and
 * keeps refusing. The memory stays until _free. Threads: any, once or more often; not from inside
 * an ask callback.
 */
void dx_channel_app_close(struct dx_channel_app *channel);
/*!
 * Closes if need be, then releases everything. NULL is allowed. No other thread may use the
 * channel any more. In a child of fork() it releases the child's copies only. @return NULL.
 */
struct dx_channel_app *dx_channel_app_free(struct dx_channel_app *channel);

/*!
 * Makes a call and waits for its answer.
 * @return 0: response is filled; result in it is the driver's;
 *         -EINVAL      counts over the limits, or NULL with a count;
 *         -EOWNERDEAD  the driver process died;
 *         -ECONNRESET  the driver closed the connection, or cut it off;
 *         -ESHUTDOWN   this side closed it;
 *         -EPROTO      the driver broke the protocol;
 *         -ECHILD      the channel was opened before fork(), this is the child;
 *         -ENOMEM      no page for the bytes.
 * Blocks: until one of these. More than DX_MAX_CALL_SLOTS callers wait for a slot first.
 *         Signals do not end it.
 * Threads: any.
 */
int dx_channel_app_call(struct dx_channel_app *channel, const struct dx_channel_request *request,
			struct dx_channel_response *response);

/*!
 * Looks whether the driver is still there.
 * @return 0; -EOWNERDEAD; -ECONNRESET; -ESHUTDOWN; -ECHILD; or the error that the channel failed with
 *         before. It is kept, and waiters return with it. Threads: any.
 */
int dx_channel_app_check_peer(struct dx_channel_app *channel);

/*!
 * Takes the next notification. Never blocks.
 * @return 1: *ret_note is filled; 0: none; -EPROTO; -ECHILD; -ESHUTDOWN; and once everything that
 *         was published has been taken, -EOWNERDEAD or -ECONNRESET as for calls.
 * Threads: any, one after the other.
 */
int dx_channel_app_next(struct dx_channel_app *channel, struct dx_channel_note *ret_note);
/*!
 * Before polling the control socket: asks to be sent a message on it when a notification comes.
 * @param after  wake when this many notifications are there, 1 or more (<= 128).
 * @return 0: armed, poll the socket; 1: that many are there already (or the ring is full): take
 *         them; errors as dx_channel_app_next() - the hang-up of the socket tells about death.
 */
int dx_channel_app_arm(struct dx_channel_app *channel, uint32_t after);
/*! No more messages until armed again; one may still be on its way. */
void dx_channel_app_disarm(struct dx_channel_app *channel);
/*!
 * Spins for a notification as the wait policy allows; for use before _arm and poll.
 * @return true: there is one. Threads: any; one spins, others return at once.
 */
bool dx_channel_app_spin(struct dx_channel_app *channel);
/*!
 * Waits for a notification without the socket: for a thread that does nothing else.
 * @param deadline_ns  CLOCK_MONOTONIC; 0: none.
 * @return 1: there is one; -ETIMEDOUT; errors as dx_channel_app_next().
 * Threads: one at a time, and not while armed for the socket.
 */
int dx_channel_app_wait(struct dx_channel_app *channel, uint64_t deadline_ns);

/* System calls that this side has made for the channel since it was opened. */
struct dx_channel_app_counts {
	uint64_t rings;	 /* doorbells */
	uint64_t sleeps; /* waits in the kernel, for answers and notifications */
	uint64_t yields; /* of the CPU, to a driver that last ran on it */
};

/*! Threads: any; a snapshot, each number by itself. */
void dx_channel_app_counts(const struct dx_channel_app *channel,
			   struct dx_channel_app_counts *ret_counts);

#endif

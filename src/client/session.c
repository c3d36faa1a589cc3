/* SPDX-License-Identifier: MIT
 *
 * session - see session.h.
 */
#include "client/session.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ioreturn.h"
#include "channel/forkmark.h"
#include "client/names.h"
#include "wire/address.h"

#define FIRST_DELAY_NS UINT64_C(20000000)
#define LAST_DELAY_NS  UINT64_C(1000000000)
#define GRACE_STEP_NS  UINT64_C(100000000)

static struct {
	struct dx_mutex lock; /* order 30; guards: all below */
	struct dx_cond changed;
	bool ready DX_GUARDED_BY(lock);	     /* the condition is made */
	uint32_t fork_mark DX_GUARDED_BY(lock);
	bool connecting DX_GUARDED_BY(lock); /* by one thread, without the lock */
	struct dx_mux *mux DX_GUARDED_BY(lock);
	struct dx_list watches DX_GUARDED_BY(lock);
	uint64_t next_cookie DX_GUARDED_BY(lock);
	uint64_t root DX_GUARDED_BY(lock);
	int epoll_fd DX_GUARDED_BY(lock); /* with watches, else -1; holds timer_fd and the socket */
	int timer_fd DX_GUARDED_BY(lock);
	uint64_t delay_ns DX_GUARDED_BY(lock);
} session = {.lock = DX_MUTEX_INIT, .epoll_fd = -1, .timer_fd = -1};

/* First use; refuses in a child of fork(). */
static int prepare_locked(void) DX_REQUIRES(session.lock)
{
	if (session.ready) {
		return dx_forkmark_is_current(session.fork_mark) ? 0 : -ECHILD;
	}
	int error = dx_forkmark_take(&session.fork_mark);
	if (error < 0) {
		return error;
	}
	dx_cond_init(&session.changed);
	dx_list_init(&session.watches);
	session.delay_ns = FIRST_DELAY_NS;
	session.ready = true;
	return 0;
}

static void set_timer_locked(uint64_t delay_ns) DX_REQUIRES(session.lock)
{
	struct itimerspec spec = {.it_value = {.tv_sec = (time_t)(delay_ns / 1000000000u),
					       .tv_nsec = (long)(delay_ns % 1000000000u)}};

	if (session.timer_fd >= 0) {
		(void)timerfd_settime(session.timer_fd, 0, &spec, NULL); /* valid arguments */
	}
}

/* The next attempt to reach a broker, later each time. */
static void set_retry_locked(void) DX_REQUIRES(session.lock)
{
	set_timer_locked(session.delay_ns);
	session.delay_ns =
		session.delay_ns * 2 > LAST_DELAY_NS ? LAST_DELAY_NS : session.delay_ns * 2;
}

static void listen_locked(void) DX_REQUIRES(session.lock)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (session.epoll_fd >= 0 && session.mux != NULL) {
		/* EEXIST when it is there; without memory events wait for the next request. */
		(void)epoll_ctl(session.epoll_fd, EPOLL_CTL_ADD, session.mux->socket, &event);
	}
}

/* Forgets a broker that is gone. */
static void drop_mux_locked(const struct dx_mux *mux) DX_REQUIRES(session.lock)
{
	if (session.mux != mux || mux == NULL) {
		return;
	}
	if (session.epoll_fd >= 0) {
		(void)epoll_ctl(session.epoll_fd, EPOLL_CTL_DEL, mux->socket, NULL); /* or not in */
		set_retry_locked();
	}
	session.mux = dx_object_unref(session.mux);
}

static struct dx_watch *find_watch_locked(uint64_t cookie) DX_REQUIRES(session.lock)
{
	dx_list_for_each(node, &session.watches) {
		struct dx_watch *watch = dx_list_entry(node, struct dx_watch, node);

		if (watch->cookie == cookie) {
			return watch;
		}
	}
	return NULL;
}

/* An event of the broker; one for a watch that has just ended is dropped. */
static void on_event(void *context, struct dx_wire_message_in *message)
{
	(void)context;
	if (message->view.header.type != DX_WIRE_A_EVENT) {
		return;
	}
	const struct dx_wire_event *event = message->view.body;
	dx_mutex_lock(&session.lock);
	struct dx_watch *watch = dx_object_ref(find_watch_locked(event->cookie));
	dx_mutex_unlock(&session.lock);
	if (watch != NULL) {
		watch->event(watch, event);
		(void)dx_object_unref(watch); /* always NULL */
	}
}

/* A request on a known mux. @return as dx_session_request(). */
static int request_on(struct dx_mux *mux, const struct dx_mux_send *send,
		      struct dx_wire_message_in *ret_reply, int32_t *ret_status)
{
	int error = dx_mux_request(mux, send, ret_reply);

	if (error < 0) {
		return error;
	}
	*ret_status = ret_reply->view.header.status;
	if (*ret_status != 0) {
		dx_wire_message_in_fini(ret_reply);
		return -EREMOTEIO;
	}
	return 0;
}

/* Tells the broker of a watch, and the watch of the services that match now. */
static int tell_watch(struct dx_mux *mux, struct dx_watch *watch, int32_t *ret_status)
{
	struct dx_wire_watch body = {.cookie = watch->cookie, .id = watch->service};
	bool interest = watch->matching == NULL;
	struct dx_mux_send send = {
		.type = interest ? DX_WIRE_A_WATCH_INTEREST : DX_WIRE_A_WATCH_MATCHING,
		.body = &body,
		.body_length = sizeof(body),
		.value = watch->matching,
	};
	struct dx_wire_message_in reply;

	memcpy(body.kind, watch->kind, sizeof(body.kind));
	int error = request_on(mux, &send, &reply, ret_status);
	if (error < 0) {
		return error;
	}
	for (size_t i = 0; !interest && i < reply.view.payload_length / sizeof(uint64_t); i++) {
		struct dx_wire_event event = {.cookie = watch->cookie,
					      .kind = DX_WIRE_EVENT_SERVICE};

		memcpy(&event.id, (const char *)reply.view.payload + i * sizeof(uint64_t),
		       sizeof(event.id));
		watch->event(watch, &event);
	}
	dx_wire_message_in_fini(&reply);
	return 0;
}

/* References on all watches, so that they can be told without the lock. */
static struct dx_array *copy_watches_locked(bool lost_only) DX_REQUIRES(session.lock)
{
	struct dx_array *copy = dx_array_new();

	dx_list_for_each(node, &session.watches) {
		struct dx_watch *watch = dx_list_entry(node, struct dx_watch, node);

		if (copy != NULL && (!lost_only || watch->lost_ns != 0)) {
			/* A watch that finds no memory here is told at the next reconnection. */
			(void)dx_array_append(copy, watch);
		}
	}
	return copy;
}

/* A service that the new broker does not know: lost, and after the grace time gone. */
static void note_lost(struct dx_watch *watch, int error)
{
	struct dx_wire_event gone = {.cookie = watch->cookie,
				     .id = watch->service,
				     .kind = DX_WIRE_EVENT_INTEREST,
				     .message_type = 0xe0000010u}; /* kIOMessageServiceIsTerminated */
	uint64_t now = dx_clock_now_ns();
	bool over = false;

	dx_mutex_lock(&session.lock);
	if (error == 0) {
		watch->lost_ns = 0;
	} else if (watch->lost_ns == 0) {
		watch->lost_ns = now;
	} else if (now - watch->lost_ns > DX_SESSION_GRACE_NS) {
		watch->lost_ns = 0;
		over = true;
	}
	if (watch->lost_ns != 0) {
		set_timer_locked(GRACE_STEP_NS);
	}
	dx_mutex_unlock(&session.lock);
	if (over) {
		watch->event(watch, &gone);
	}
}

static void tell_watches(struct dx_mux *mux, struct dx_array *watches)
{
	for (size_t i = 0; i < dx_array_count(watches); i++) {
		struct dx_watch *watch = dx_array_get(watches, i);
		int32_t status = 0;
		int error = tell_watch(mux, watch, &status);

		if (watch->matching == NULL && (error == 0 || error == -EREMOTEIO)) {
			note_lost(watch, error);
		}
	}
}

static int hello(struct dx_mux *mux, uint64_t *ret_root)
{
	struct dx_wire_hello body = {.role = DX_WIRE_ROLE_APPLICATION};
	struct dx_mux_send send = {
		.type = DX_WIRE_A_HELLO, .body = &body, .body_length = sizeof(body)};
	struct dx_wire_message_in reply;
	int32_t status = 0;
	int error = request_on(mux, &send, &reply, &status);

	if (error < 0) {
		return error;
	}
	*ret_root = ((const struct dx_wire_hello_reply *)reply.view.body)->root_id;
	dx_wire_message_in_fini(&reply);
	return 0;
}

static int connect_new(struct dx_mux **ret_mux, uint64_t *ret_root)
{
	char path[DX_MAX_PATH];
	int error = dx_address_default(path, sizeof(path));

	if (error < 0) {
		return error;
	}
	DX_CLEANUP_FD int socket = dx_address_connect(path);
	if (socket < 0) {
		return socket;
	}
	struct dx_mux *mux = dx_mux_new(&socket, on_event, NULL);
	if (mux == NULL) {
		return -ENOMEM;
	}
	error = hello(mux, ret_root);
	if (error < 0) {
		(void)dx_object_unref(mux); /* always NULL */
		return error;
	}
	*ret_mux = mux;
	return 0;
}

static void install_locked(struct dx_mux *mux, uint64_t root) DX_REQUIRES(session.lock)
{
	session.mux = dx_object_ref(mux);
	session.root = root;
	session.delay_ns = FIRST_DELAY_NS;
	listen_locked();
}

/* Connects and tells all watches. The caller has set connecting. */
static int reconnect(struct dx_mux **ret_mux)
{
	struct dx_mux *mux = NULL;
	uint64_t root = 0;
	int error = connect_new(&mux, &root);

	dx_mutex_lock(&session.lock);
	struct dx_array *watches = NULL;
	if (error == 0) {
		install_locked(mux, root);
		watches = copy_watches_locked(false);
	} else if (!dx_list_is_empty(&session.watches)) {
		set_retry_locked();
	}
	dx_mutex_unlock(&session.lock);
	if (watches != NULL) {
		tell_watches(mux, watches);
		(void)dx_object_unref(watches); /* always NULL */
	}
	dx_mutex_lock(&session.lock);
	session.connecting = false;
	dx_cond_broadcast(&session.changed);
	dx_mutex_unlock(&session.lock);
	*ret_mux = mux;
	return error;
}

/* A live mux, +1, connected if need be. */
static int get_mux(struct dx_mux **ret_mux)
{
	struct dx_mux *mux = NULL;

	dx_mutex_lock(&session.lock);
	int error = prepare_locked();
	while (error == 0 && session.connecting) {
		dx_cond_wait(&session.changed, &session.lock);
	}
	if (error == 0 && session.mux != NULL && dx_mux_error(session.mux) != 0) {
		drop_mux_locked(session.mux);
	}
	if (error == 0 && session.mux != NULL) {
		mux = dx_object_ref(session.mux);
	} else if (error == 0) {
		session.connecting = true;
	}
	dx_mutex_unlock(&session.lock);
	if (error < 0) {
		return error;
	}
	if (mux == NULL) {
		return reconnect(ret_mux);
	}
	*ret_mux = mux;
	return 0;
}

/* Why there is no conversation: a limit of this process, or else no broker. */
static int session_error(int error)
{
	bool is_ours = error == -ECHILD || error == -ENOMEM || error == -EMFILE;

	return is_ours ? error : -EAGAIN;
}

int dx_session_request(const struct dx_mux_send *send, struct dx_wire_message_in *ret_reply,
		       int32_t *ret_status)
{
	struct dx_mux *mux = NULL;
	int error = 0;

	*ret_status = 0;
	/* A broker that went away since the last request is noticed by the request; one retry. */
	for (int attempt = 0; attempt < 2; attempt++) {
		error = get_mux(&mux);
		if (error < 0) {
			return session_error(error);
		}
		error = request_on(mux, send, ret_reply, ret_status);
		mux = dx_object_unref(mux);
		if (error == 0 || error == -EREMOTEIO || error == -ENOMEM || error == -EMFILE ||
		    error == -EMSGSIZE || error == -EINVAL) {
			return error;
		}
	}
	return -EAGAIN;
}

int32_t dx_session_result(int error, int32_t status)
{
	return error == -EREMOTEIO ? status : dx_ioreturn_from_errno(error);
}

/* Descriptors of E2. */
static int open_descriptors_locked(void) DX_REQUIRES(session.lock)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (session.epoll_fd >= 0) {
		return 0;
	}
	DX_CLEANUP_FD int timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	DX_CLEANUP_FD int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (timer_fd < 0 || epoll_fd < 0 ||
	    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &event) != 0) {
		return -errno;
	}
	session.epoll_fd = dx_take_fd(&epoll_fd);
	session.timer_fd = dx_take_fd(&timer_fd);
	listen_locked();
	return 0;
}

static int add_watch_locked(struct dx_watch *watch) DX_REQUIRES(session.lock)
{
	int error = open_descriptors_locked();

	if (error == 0) {
		watch->cookie = ++session.next_cookie;
		dx_list_push_back(&session.watches, &watch->node);
		(void)dx_object_ref(watch);
	}
	return error;
}

int dx_session_watch(struct dx_watch *watch, int32_t *ret_status)
{
	struct dx_mux *mux = NULL;
	int error = get_mux(&mux);

	*ret_status = 0;
	if (error < 0) {
		return session_error(error);
	}
	dx_mutex_lock(&session.lock);
	error = add_watch_locked(watch);
	dx_mutex_unlock(&session.lock);
	if (error == 0) {
		error = tell_watch(mux, watch, ret_status);
		if (error < 0) {
			dx_session_unwatch(watch);
		}
	}
	(void)dx_object_unref(mux); /* always NULL */
	return error == 0 || error == -EREMOTEIO ? error : session_error(error);
}

void dx_session_unwatch(struct dx_watch *watch)
{
	struct dx_wire_id body = {.id = watch->cookie};
	struct dx_mux_send send = {
		.type = DX_WIRE_A_UNWATCH, .body = &body, .body_length = sizeof(body)};

	dx_mutex_lock(&session.lock);
	bool mine = find_watch_locked(watch->cookie) == watch;
	struct dx_mux *mux = mine ? dx_object_ref(session.mux) : NULL;
	if (mine) {
		dx_list_remove(&watch->node);
	}
	if (mine && dx_list_is_empty(&session.watches)) {
		dx_fd_close(&session.epoll_fd);
		dx_fd_close(&session.timer_fd);
	}
	dx_mutex_unlock(&session.lock);
	if (mux != NULL) {
		(void)dx_mux_post(mux, &send); /* a broker that is gone watches nothing */
		(void)dx_object_unref(mux); /* always NULL, also below */
	}
	if (mine) {
		(void)dx_object_unref(watch);
	}
}

int dx_session_descriptor(void)
{
	dx_mutex_lock(&session.lock);
	int fd = session.epoll_fd >= 0 ? session.epoll_fd : -EBADF;
	dx_mutex_unlock(&session.lock);
	return fd;
}

static void pump_mux(struct dx_mux *mux)
{
	if (dx_mux_pump(mux) != 0) {
		dx_mutex_lock(&session.lock);
		drop_mux_locked(mux);
		dx_mutex_unlock(&session.lock);
	}
}

void dx_session_pump(void)
{
	uint64_t expirations = 0;
	struct dx_mux *mux = NULL;
	struct dx_array *lost = NULL;

	dx_mutex_lock(&session.lock);
	bool due = session.timer_fd >= 0 &&
		   read(session.timer_fd, &expirations, sizeof(expirations)) > 0;
	mux = dx_object_ref(session.mux);
	if (due && mux != NULL) {
		lost = copy_watches_locked(true);
	}
	dx_mutex_unlock(&session.lock);
	if (mux != NULL) {
		pump_mux(mux);
	} else if (due) {
		(void)get_mux(&mux); /* a failure sets the timer again */
	}
	if (lost != NULL) {
		tell_watches(mux, lost);
		(void)dx_object_unref(lost); /* always NULL, also below */
	}
	(void)dx_object_unref(mux);
}

void dx_session_settle(void)
{
	struct dx_mux *mux = NULL;
	bool idle = dx_names_is_empty();

	dx_mutex_lock(&session.lock);
	if (idle && session.ready && dx_list_is_empty(&session.watches) && !session.connecting) {
		mux = session.mux; /* requests in progress have references of their own */
		session.mux = NULL;
	}
	dx_mutex_unlock(&session.lock);
	(void)dx_object_unref(mux); /* always NULL */
}

uint64_t dx_session_root(void)
{
	dx_mutex_lock(&session.lock);
	uint64_t root = session.root;
	dx_mutex_unlock(&session.lock);
	return root;
}

/* SPDX-License-Identifier: MIT
 *
 * server - a small driver side for tests: one serving thread, in this process or in a child.
 *
 * Place:   tests of channel. The loop in server.c is also the shortest complete example of how a
 *          host serves channels: poll, spin, arm, sleep, mute.
 */
#ifndef DX_TESTS_CHANNEL_SERVER_H
#define DX_TESTS_CHANNEL_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "channel/channel.h"

#define SERVER_MAX_CHANNELS 8u

/* What the server does with a call. */
enum {
	SELECTOR_ECHO = 1,    /* scalars + 1, the same bytes, value = tag, result = flags */
	SELECTOR_NOTIFY = 2,  /* scalars[0] completions, args[0] = a running number, in a batch if
				 scalars[1] != 0, then an answer with the result of the last */
	SELECTOR_ASK = 3,     /* asks scalars[0] times; value = sum of the replies */
	SELECTOR_HANG = 4,    /* never answered */
	SELECTOR_DIE = 0xd1e, /* SIGKILL to the server's own process */
	SELECTOR_CLOSE = 6,   /* never answered; the channel is failed with -ECANCELED */
	SELECTOR_THREAD = 7,  /* like ECHO, answered by another thread later */
	SELECTOR_BACKLOG = 8, /* value = backlog */
};

struct server_options {
	unsigned nr_channels;
	uint64_t budget_ns;
	int cpu;               /* pinned to it, or -1 */
	unsigned park_at_once; /* != 0: every n-th idle pass parks without spinning */
	bool no_registry;      /* alive words are not watched */
};

struct server {
	struct server_options options;
	struct dx_alive_registry registry;
	struct dx_channel_driver *channels[SERVER_MAX_CHANNELS];
	int errors[SERVER_MAX_CHANNELS];     /* after stop, in thread mode */
	int sockets[SERVER_MAX_CHANNELS][2]; /* [0]: application's end, for arm and poll */
	int stop_fd;
	_Atomic bool stopping;
	int epoll_fd;
	_Atomic uint64_t nr_parks;
	_Atomic uint64_t nr_rings;
	_Atomic uint64_t nr_calls;
	uint64_t unmute_at_ns[SERVER_MAX_CHANNELS];
	uint64_t next_note[SERVER_MAX_CHANNELS];
	uint64_t sums[SERVER_MAX_CHANNELS][DX_MAX_CALL_SLOTS];
	uint64_t asks_left[SERVER_MAX_CHANNELS][DX_MAX_CALL_SLOTS];
	pthread_t thread;
	pthread_t helper;
	int helper_pipe[2];
	pid_t process; /* 0 in thread mode */
	int control;   /* process mode: end of it ends the server */
	int ready[2];
};

/* CPU time that each wake-up through a socket takes in this process. */
extern _Atomic uint64_t server_wake_cost_ns;

/* Thread mode. The channels are open on return. */
void server_start(struct server *server, const struct server_options *options);
void server_stop(struct server *server);
/* Process mode: the same in a child. Only server_app() and the sockets are of use here. */
void server_fork(struct server *server, const struct server_options *options);
/* Ends the child (already dead is fine). */
void server_reap(struct server *server);

/* An application's end on channel number index; budget_ns as for the wait policy. */
struct dx_channel_app *server_app(struct server *server, unsigned index, uint64_t budget_ns);
/* Copies of the descriptors, for tests that map them themselves. Process mode: once per channel,
 * in order. */
void server_copy_fds(struct server *server, unsigned index, int ret_fds[DX_CHANNEL_NR_FDS]);

/* Echo with nr scalars; checks the answer. */
int call_echo(struct dx_channel_app *app, unsigned nr_scalars, uint64_t seed);
/* Selector with two scalars; ret_value may be NULL. */
int call_simple(struct dx_channel_app *app, uint64_t selector, uint64_t first, uint64_t second,
		uint64_t *ret_value);
/* No-op for a negative number. */
void pin_to_cpu(int cpu);

#endif

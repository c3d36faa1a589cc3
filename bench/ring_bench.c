/* SPDX-License-Identifier: MIT
 *
 * ring_bench - the call channel beside what the machine can do at best, in one run.
 *
 * Place:   bench. Two processes: the peer answers, this one measures. Nothing here is compared with
 *          another run: the slices of a channel and of its yardstick alternate, each pair gives one
 *          ratio, the median of the ratios and their spread are printed.
 * Rows:    hot call   16 scalars in and out, both sides spinning    / two-process spin round trip
 *          cold call  no scalars, neither side ever spins           / eventfd round trip
 *          both on one core, spinning allowed and not               / eventfd round trip there
 * Options: --slices N (default 15), --ms N per slice (default 60), --check (exit 1 above a bound)
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdpass.h"
#include "base/shared.h"
#include "channel/channel.h"

#define MAX_SLICES   101u
#define MAX_SAMPLES  400000u
#define EVENTFD_STOP 2u

/* One channel per kind of waiting, since the application's side keeps its wait policy. */
enum { CHANNEL_HOT, CHANNEL_COLD, NR_CHANNELS };

/* Shared with the peer; one line per word. */
struct control {
	struct dx_shared_u32 ping __attribute__((aligned(64)));
	struct dx_shared_u32 pong __attribute__((aligned(64)));
	struct dx_shared_u32 mode __attribute__((aligned(64)));
	struct dx_shared_u32 cpu __attribute__((aligned(64)));
};

enum mode {
	MODE_IDLE,
	MODE_SPIN,
	MODE_EVENTFD,
	MODE_HOT,
	MODE_COLD,
};

struct bench {
	struct control *control;
	int to_peer;
	int from_peer;
	int mode_fd; /* wakes the peer when the mode changes */
	int epoll_fd;
	int link[2];
	struct dx_alive_registry registry;
	struct dx_channel_driver *drivers[NR_CHANNELS]; /* the peer's */
	struct dx_channel_app *apps[NR_CHANNELS];       /* this side's */
	uint64_t slice_ns;
	unsigned nr_slices;
	uint32_t *samples;
};

struct result {
	double p50_ns;
	double p99_ns;
};

static void die(const char *what)
{
	fprintf(stderr, "ring_bench: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void pin(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0) {
		die("sched_setaffinity");
	}
}

static enum mode current_mode(struct bench *bench)
{
	return (enum mode)dx_shared_load_acquire(&bench->control->mode);
}

/* ------------------------------------------------------------------------------------------- */
/* The peer                                                                                    */

static void peer_spin(struct bench *bench)
{
	uint32_t seen = dx_shared_load_acquire(&bench->control->ping);

	dx_shared_store_release(&bench->control->pong, seen);
	while (current_mode(bench) == MODE_SPIN) {
		for (unsigned i = 0; i < 1000; i++) {
			uint32_t now = dx_shared_load_acquire(&bench->control->ping);
			if (now != seen) {
				seen = now;
				dx_shared_store_release(&bench->control->pong, now);
			}
		}
	}
}

static void peer_eventfd(struct bench *bench)
{
	uint64_t value = 0;

	for (;;) {
		if (read(bench->to_peer, &value, sizeof(value)) != (ssize_t)sizeof(value)) {
			die("eventfd read");
		}
		if (value == EVENTFD_STOP) {
			return;
		}
		if (write(bench->from_peer, &value, sizeof(value)) != (ssize_t)sizeof(value)) {
			die("eventfd write");
		}
	}
}

static bool answer_all(struct dx_channel_driver *driver)
{
	struct dx_channel_call call;
	struct dx_channel_reply reply;
	bool any = false;

	while (dx_channel_driver_poll(driver, &call, &reply) == DX_CHANNEL_CALL) {
		struct dx_channel_answer answer = {.nr_scalars = call.nr_scalars,
						   .scalars = call.scalars};
		(void)dx_channel_driver_answer(driver, call.id, &answer);
		any = true;
	}
	return any;
}

static void peer_channel(struct bench *bench, enum mode mode)
{
	struct dx_channel_driver *driver =
		bench->drivers[mode == MODE_COLD ? CHANNEL_COLD : CHANNEL_HOT];
	struct epoll_event event;
	struct dx_wait_policy policy;

	dx_wait_policy_init(&policy, mode == MODE_COLD ? 0 : DX_WAIT_BUDGET_MEASURED);
	dx_wait_policy_begin(&policy);
	while (current_mode(bench) == mode) {
		dx_channel_driver_set_cpu(driver, dx_wait_cpu());
		if (answer_all(driver)) {
			dx_wait_policy_end(&policy);
			dx_wait_policy_begin(&policy);
			continue;
		}
		if (dx_wait_policy_spin(&policy, dx_channel_driver_peer_cpu(driver)) ||
		    dx_channel_driver_arm(driver)) {
			continue;
		}
		if (current_mode(bench) == mode) {
			(void)epoll_wait(bench->epoll_fd, &event, 1, -1);
		}
		dx_channel_driver_disarm(driver);
	}
}

static void peer_idle(struct bench *bench)
{
	uint64_t value = 0;

	(void)!read(bench->mode_fd, &value, sizeof(value)); /* the mode has changed */
}

static void peer_open(struct bench *bench, unsigned index)
{
	struct dx_channel_driver_options options = {.registry = &bench->registry};
	int fds[DX_CHANNEL_NR_FDS];

	if (dx_channel_driver_open(&options, &bench->drivers[index]) < 0 ||
	    dx_channel_driver_listen(bench->drivers[index], bench->epoll_fd, index) < 0) {
		die("open the driver side");
	}
	dx_channel_driver_fds(bench->drivers[index], fds);
	if (dx_fdpass_send(bench->link[1], "c", 1, fds, DX_CHANNEL_NR_FDS, 0) < 0) {
		die("send descriptors");
	}
	dx_channel_driver_sent(bench->drivers[index]);
}

static void peer_start(struct bench *bench)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = NR_CHANNELS};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dx_wait_budget_ns(); /* before this process is pinned to one CPU */
	bench->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (bench->epoll_fd < 0 || dx_alive_registry_init(&bench->registry) < 0 ||
	    epoll_ctl(bench->epoll_fd, EPOLL_CTL_ADD, bench->mode_fd, &event) < 0) {
		die("start the peer");
	}
	for (unsigned i = 0; i < NR_CHANNELS; i++) {
		peer_open(bench, i);
	}
}

static void run_peer(struct bench *bench)
{
	peer_start(bench);
	for (;;) {
		enum mode mode = current_mode(bench);
		pin(dx_shared_load_relaxed(&bench->control->cpu));
		switch (mode) {
		case MODE_IDLE:
			peer_idle(bench);
			break;
		case MODE_SPIN:
			peer_spin(bench);
			break;
		case MODE_EVENTFD:
			peer_eventfd(bench);
			break;
		case MODE_HOT:
		case MODE_COLD:
			peer_channel(bench, mode);
			break;
		}
	}
}

/* ------------------------------------------------------------------------------------------- */
/* One round trip of each kind                                                                 */

static void trip_spin(struct bench *bench)
{
	uint32_t next = dx_shared_load_relaxed(&bench->control->ping) + 1;

	dx_shared_store_release(&bench->control->ping, next);
	while (dx_shared_load_acquire(&bench->control->pong) != next) {
	}
}

static void trip_eventfd(struct bench *bench)
{
	uint64_t value = 1;

	if (write(bench->to_peer, &value, sizeof(value)) != (ssize_t)sizeof(value) ||
	    read(bench->from_peer, &value, sizeof(value)) != (ssize_t)sizeof(value)) {
		die("eventfd round trip");
	}
}

static void trip_call(struct dx_channel_app *app, unsigned nr_scalars)
{
	uint64_t in[DX_MAX_SCALARS] = {1, 2, 3};
	uint64_t out[DX_MAX_SCALARS];
	struct dx_channel_request request = {
		.scalars = in, .nr_scalars = nr_scalars, .max_scalars = nr_scalars};
	struct dx_channel_response response = {.scalars = out, .nr_scalars = nr_scalars};

	if (dx_channel_app_call(app, &request, &response) < 0) {
		die("call");
	}
}

static void trip(struct bench *bench, enum mode mode)
{
	switch (mode) {
	case MODE_SPIN:
		trip_spin(bench);
		break;
	case MODE_EVENTFD:
		trip_eventfd(bench);
		break;
	case MODE_HOT:
		trip_call(bench->apps[CHANNEL_HOT], DX_MAX_SCALARS);
		break;
	case MODE_COLD:
		trip_call(bench->apps[CHANNEL_COLD], 0);
		break;
	case MODE_IDLE:
		break;
	}
}

/* ------------------------------------------------------------------------------------------- */
/* Slices                                                                                      */

static void set_mode(struct bench *bench, enum mode mode)
{
	uint64_t one = 1;

	dx_shared_store_release(&bench->control->mode, (uint32_t)mode);
	(void)!write(bench->mode_fd, &one, sizeof(one));
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static int compare_double(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Samples of several round trips each where one is shorter than the clock can tell. */
static struct result run_slice(struct bench *bench, enum mode mode)
{
	unsigned batch = mode == MODE_SPIN || mode == MODE_HOT ? 8 : 1;
	size_t nr = 0;

	set_mode(bench, mode);
	for (unsigned i = 0; i < 50; i++) {
		trip(bench, mode);
	}
	uint64_t start = dx_clock_now_ns();
	uint64_t before = start;
	while (before - start < bench->slice_ns && nr < MAX_SAMPLES) {
		for (unsigned i = 0; i < batch; i++) {
			trip(bench, mode);
		}
		uint64_t after = dx_clock_now_ns();
		bench->samples[nr++] = (uint32_t)((after - before) / batch);
		before = after;
	}
	if (mode == MODE_EVENTFD) {
		uint64_t stop = EVENTFD_STOP;
		dx_shared_store_release(&bench->control->mode, MODE_IDLE);
		(void)!write(bench->to_peer, &stop, sizeof(stop));
	}
	set_mode(bench, MODE_IDLE);
	qsort(bench->samples, nr, sizeof(bench->samples[0]), compare_u32);
	return (struct result){.p50_ns = bench->samples[nr / 2],
			       .p99_ns = bench->samples[nr * 99 / 100]};
}

static double median(double *values, unsigned nr)
{
	qsort(values, nr, sizeof(values[0]), compare_double);
	return values[nr / 2];
}

/* @return the median ratio. */
static double run_row(struct bench *bench, const char *name, enum mode mode, enum mode yardstick,
		      double bound)
{
	double ratios[MAX_SLICES];
	double ratios99[MAX_SLICES];
	double own[MAX_SLICES];
	double base[MAX_SLICES];

	for (unsigned i = 0; i < bench->nr_slices; i++) {
		struct result b = run_slice(bench, yardstick);
		struct result a = run_slice(bench, mode);
		own[i] = a.p50_ns;
		base[i] = b.p50_ns;
		ratios[i] = a.p50_ns / b.p50_ns;
		ratios99[i] = a.p99_ns / b.p99_ns;
	}
	double ratio = median(ratios, bench->nr_slices);
	printf("%-34s %9.0f %9.0f   %5.2f  (%.2f..%.2f)  %5.2f   %5.2f %s\n", name,
	       median(own, bench->nr_slices), median(base, bench->nr_slices), ratio, ratios[0],
	       ratios[bench->nr_slices - 1], median(ratios99, bench->nr_slices), bound,
	       ratio <= bound ? "ok" : "ABOVE");
	return ratio;
}

/* ------------------------------------------------------------------------------------------- */

static void open_apps(struct bench *bench)
{
	for (unsigned i = 0; i < NR_CHANNELS; i++) {
		struct dx_channel_app_options options = {
			.spin_budget_ns = i == CHANNEL_COLD ? 0 : DX_WAIT_BUDGET_MEASURED};
		char byte = 0;
		int fds[DX_FDPASS_MAX];
		if (dx_fdpass_recv(bench->link[0], &byte, 1, fds, DX_CHANNEL_NR_FDS, 0) != 1 ||
		    dx_channel_app_open(&options, fds, &bench->apps[i]) < 0) {
			die("open the application side");
		}
	}
}

static void place(struct bench *bench, unsigned own, unsigned peer)
{
	struct timespec moment = {.tv_nsec = 5000000};

	pin(own);
	dx_shared_store_relaxed(&bench->control->cpu, peer);
	set_mode(bench, MODE_IDLE); /* the peer looks where it belongs */
	(void)nanosleep(&moment, NULL);
}

static void prepare(struct bench *bench)
{
	bench->control = mmap(NULL, sizeof(*bench->control), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bench->to_peer = eventfd(0, EFD_CLOEXEC);
	bench->from_peer = eventfd(0, EFD_CLOEXEC);
	bench->mode_fd = eventfd(0, EFD_CLOEXEC);
	bench->samples = calloc(MAX_SAMPLES, sizeof(bench->samples[0]));
	if (bench->control == MAP_FAILED || bench->to_peer < 0 || bench->from_peer < 0 ||
	    bench->mode_fd < 0 || bench->samples == NULL ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, bench->link) < 0) {
		die("prepare");
	}
}

static bool run_rows(struct bench *bench, unsigned first, unsigned second)
{
	bool good = true;

	printf("%-34s %9s %9s   %5s  %-13s %5s   %5s\n", "row, p50", "own ns", "base ns", "ratio",
	       "(min..max)", "p99", "bound");
	if (first != second) {
		place(bench, first, second);
		good &= run_row(bench, "hot call / spin", MODE_HOT, MODE_SPIN, 4.0) <= 4.0;
		good &= run_row(bench, "cold call / eventfd", MODE_COLD, MODE_EVENTFD, 1.25) <=
			1.25;
	}
	place(bench, first, first);
	good &= run_row(bench, "one core, spin allowed / eventfd", MODE_HOT, MODE_EVENTFD, 1.2) <=
		1.2;
	good &= run_row(bench, "one core, no spin / eventfd", MODE_COLD, MODE_EVENTFD, 1.2) <= 1.2;
	return good;
}

static void find_cpus(unsigned *ret_first, unsigned *ret_second)
{
	cpu_set_t set;
	unsigned nr = 0;

	if (sched_getaffinity(0, sizeof(set), &set) < 0) {
		die("sched_getaffinity");
	}
	for (unsigned cpu = 0; cpu < CPU_SETSIZE && nr < 2; cpu++) {
		if (CPU_ISSET(cpu, &set)) {
			*(nr++ == 0 ? ret_first : ret_second) = cpu;
		}
	}
	if (nr < 2) {
		*ret_second = *ret_first;
	}
}

static int usage(void)
{
	fprintf(stderr, "usage: ring_bench [--slices N] [--ms N] [--check]\n");
	return 2;
}

static int parse(int argc, char **argv, struct bench *bench, bool *ret_check)
{
	for (int i = 1; i < argc; i++) {
		bool has_number = i + 1 < argc;
		if (strcmp(argv[i], "--check") == 0) {
			*ret_check = true;
		} else if (strcmp(argv[i], "--slices") == 0 && has_number) {
			bench->nr_slices = (unsigned)strtoul(argv[++i], NULL, 10);
		} else if (strcmp(argv[i], "--ms") == 0 && has_number) {
			bench->slice_ns = strtoull(argv[++i], NULL, 10) * 1000000u;
		} else {
			return -EINVAL;
		}
	}
	bool sane = bench->nr_slices >= 1 && bench->nr_slices <= MAX_SLICES && bench->slice_ns != 0;
	return sane ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct bench bench = {.slice_ns = 60000000, .nr_slices = 15};
	unsigned first = 0;
	unsigned second = 0;
	bool check = false;

	if (parse(argc, argv, &bench, &check) < 0) {
		return usage();
	}
	prepare(&bench);
	find_cpus(&first, &second);
	dx_shared_store_relaxed(&bench.control->cpu, second);
	pid_t peer = fork();
	if (peer < 0) {
		die("fork");
	}
	if (peer == 0) {
		run_peer(&bench);
	}
	open_apps(&bench);
	printf("wait budget %u ns; %u slices of %u ms\n", (unsigned)dx_wait_budget_ns(),
	       bench.nr_slices, (unsigned)(bench.slice_ns / 1000000));
	bool good = run_rows(&bench, first, second);
	(void)kill(peer, SIGKILL);
	(void)waitpid(peer, NULL, 0);
	return check && !good ? 1 : 0;
}

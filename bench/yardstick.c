/* SPDX-License-Identifier: MIT
 *
 * yardstick - see yardstick.h.
 */
#include "yardstick.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fdpass.h"
#include "report.h"

#define MAX_SAMPLES 20000u
/* What the eventfd's counter asks of the peer. */
enum {
	ANSWER = 1,
	SPIN,
	KEEP, /* the descriptor that waits in the socket */
	GIVE, /* that descriptor */
};

struct words {
	_Alignas(64) _Atomic uint32_t ping;
	_Alignas(64) _Atomic uint32_t pong;
	_Alignas(64) _Atomic uint32_t spinning;
};

static struct {
	struct words *words;
	int there;
	int back;
	int sockets[2]; /* this side's, the peer's */
	int kept;       /* the peer's */
	pid_t pid;
} peer;

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

static void answer_spinning(void)
{
	uint32_t last = atomic_load_explicit(&peer.words->ping, memory_order_acquire);

	while (atomic_load_explicit(&peer.words->spinning, memory_order_relaxed) != 0) {
		uint32_t now = atomic_load_explicit(&peer.words->ping, memory_order_acquire);

		if (now != last) {
			last = now;
			atomic_store_explicit(&peer.words->pong, now, memory_order_release);
		}
	}
}

static int receive_descriptor(int socket)
{
	int received[DX_FDPASS_MAX];
	char byte = 0;

	if (dx_fdpass_recv(socket, &byte, 1, received, 1, 0) <= 0) {
		return -1;
	}
	return received[0];
}

static bool answer(void)
{
	uint64_t one = 1;

	return write(peer.back, &one, sizeof(one)) > 0;
}

static bool serve_one(uint64_t value)
{
	char byte = 0;

	switch (value) {
	case SPIN:
		answer_spinning();
		return true;
	case KEEP:
		(void)close(peer.kept);
		peer.kept = receive_descriptor(peer.sockets[1]);
		return peer.kept >= 0 && answer();
	case GIVE:
		return dx_fdpass_send(peer.sockets[1], &byte, 1, &peer.kept, 1, 0) >= 0;
	default:
		return answer();
	}
}

static void serve(void)
{
	uint64_t value = 0;

	while (read(peer.there, &value, sizeof(value)) == (ssize_t)sizeof(value) &&
	       serve_one(value)) {
	}
	_exit(0);
}

int yardstick_start(void)
{
	peer.words = mmap(NULL, sizeof(*peer.words), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	peer.there = eventfd(0, EFD_CLOEXEC);
	peer.back = eventfd(0, EFD_CLOEXEC);
	peer.kept = -1;
	if (peer.words == MAP_FAILED || peer.there < 0 || peer.back < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, peer.sockets) < 0) {
		return -errno;
	}
	peer.pid = fork();
	if (peer.pid < 0) {
		return -errno;
	}
	if (peer.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve();
	}
	return 0;
}

void yardstick_stop(void)
{
	(void)kill(peer.pid, SIGKILL);
	(void)waitpid(peer.pid, NULL, 0);
}

void yardstick_pin(uint64_t mask)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int cpu = 0; cpu < 64; cpu++) {
		if (mask == 0 || (mask >> cpu & 1) != 0) {
			CPU_SET(cpu, &set);
		}
	}
	(void)sched_setaffinity(peer.pid, sizeof(set),
				&set); /* CPUs that do not exist are ignored */
}

static void ask(uint64_t value)
{
	if (write(peer.there, &value, sizeof(value)) < 0) {
		abort();
	}
}

static void await_answer(void)
{
	uint64_t one;

	if (read(peer.back, &one, sizeof(one)) < 0) {
		abort();
	}
}

static uint32_t ping_pong(uint32_t number)
{
	atomic_store_explicit(&peer.words->ping, number, memory_order_release);
	for (uint32_t i = 0;
	     atomic_load_explicit(&peer.words->pong, memory_order_acquire) != number; i++) {
		if (i > 1000) {
			pause_briefly();
		}
	}
	return number + 1;
}

double yardstick_spin_ns(unsigned ms)
{
	uint32_t number = atomic_load(&peer.words->ping);
	uint64_t count = 0;
	uint64_t begin_ns;
	uint64_t now_ns;

	atomic_store(&peer.words->spinning, 1);
	ask(SPIN);
	/* A value that the peer sees change once it is there. */
	do {
		number++;
		atomic_store_explicit(&peer.words->ping, number, memory_order_release);
		for (unsigned i = 0; i < 1000 && atomic_load(&peer.words->pong) != number; i++) {
			pause_briefly();
		}
	} while (atomic_load(&peer.words->pong) != number);
	number++;
	begin_ns = bench_now_ns();
	do {
		for (unsigned i = 0; i < 1000; i++) {
			number = ping_pong(number);
		}
		count += 1000;
		now_ns = bench_now_ns();
	} while (now_ns - begin_ns < (uint64_t)ms * 1000000);
	atomic_store(&peer.words->spinning, 0);
	return (double)(now_ns - begin_ns) / (double)count;
}

double yardstick_eventfd_ns(unsigned ms, unsigned pause_us)
{
	static double samples[MAX_SAMPLES];
	const struct timespec pause = {.tv_nsec = (long)pause_us * 1000};
	uint64_t end_ns = bench_now_ns() + (uint64_t)ms * 1000000;
	size_t count = 0;

	while (count < MAX_SAMPLES && (count < 5 || bench_now_ns() < end_ns)) {
		uint64_t begin_ns;

		if (pause_us != 0) {
			(void)nanosleep(&pause, NULL);
		}
		begin_ns = bench_now_ns();
		ask(ANSWER);
		await_answer();
		samples[count++] = (double)(bench_now_ns() - begin_ns);
	}
	return percentile(samples, count, 0.5);
}

void yardstick_keep(int fd)
{
	char byte = 0;

	if (dx_fdpass_send(peer.sockets[0], &byte, 1, &fd, 1, 0) < 0) {
		abort();
	}
	ask(KEEP);
	await_answer(); /* two questions at once would be their sum */
}

int yardstick_give(void)
{
	ask(GIVE);
	int fd = receive_descriptor(peer.sockets[0]);
	if (fd < 0) {
		abort();
	}
	return fd;
}

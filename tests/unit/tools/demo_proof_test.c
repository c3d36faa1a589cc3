/* SPDX-License-Identifier: MIT
 *
 * demo_proof_test - what counts as shared, and what only looks like it.
 */
#include "demo_proof.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

#define BYTES (64u * 1024)

enum { SHARED, PRIVATE_COPY, OTHER_FILE, ANONYMOUS, NR_KINDS };

static int new_file(void)
{
	int fd = memfd_create("proof", MFD_CLOEXEC);

	CHECK_GE(fd, 0);
	CHECK_EQ(ftruncate(fd, BYTES), 0);
	return fd;
}

static uint64_t map(int fd, int flags)
{
	void *address = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);

	CHECK(address != MAP_FAILED);
	return (uint64_t)(uintptr_t)address;
}

/* A second process with a buffer of each kind; its addresses come over a pipe. */
static pid_t start_application(int shared, int copied, uint64_t addresses[NR_KINDS])
{
	int ends[2];
	pid_t pid;

	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	CHECK_GE(pid, 0);
	if (pid == 0) {
		const uint64_t mine[NR_KINDS] = {
			[SHARED] = map(shared, MAP_SHARED),
			[PRIVATE_COPY] = map(copied, MAP_PRIVATE),
			[OTHER_FILE] = map(new_file(), MAP_SHARED),
			[ANONYMOUS] = map(-1, MAP_PRIVATE | MAP_ANONYMOUS),
		};

		(void)close(ends[0]);
		CHECK_EQ(write(ends[1], mine, sizeof(mine)), sizeof(mine));
		for (;;) {
			(void)pause();
		}
	}
	(void)close(ends[1]);
	CHECK_EQ(read(ends[0], addresses, NR_KINDS * sizeof(*addresses)),
		 NR_KINDS * sizeof(*addresses));
	(void)close(ends[0]);
	return pid;
}

TEST(proof_counts_what_both_processes_share_and_nothing_else)
{
	DX_CLEANUP_FD int shared = new_file();
	DX_CLEANUP_FD int copied = new_file();
	uint64_t here = map(shared, MAP_SHARED);
	uint64_t copied_here = map(copied, MAP_SHARED);
	uint64_t addresses[NR_KINDS] = {0};
	struct dx_proof proof;
	pid_t application = start_application(shared, copied, addresses);

	CHECK_EQ(dx_proof_take(application, getpid(), addresses, NR_KINDS, &proof), 0);
	CHECK_EQ(proof.nr_buffers, NR_KINDS);
	CHECK_EQ(proof.nr_shared, 1);
	CHECK_EQ(proof.buffers[SHARED].app_address, addresses[SHARED]);
	CHECK_EQ(proof.buffers[SHARED].driver_address, here);
	CHECK_NE(proof.buffers[SHARED].inode, 0);
	for (unsigned kind = PRIVATE_COPY; kind < NR_KINDS; kind++) {
		CHECK_EQ(proof.buffers[kind].driver_address, 0);
	}
	CHECK_EQ(kill(application, SIGKILL), 0);
	CHECK_EQ(waitpid(application, NULL, 0), application);
	CHECK_EQ(dx_proof_take(application, getpid(), addresses, NR_KINDS, &proof), -ENOENT);
	CHECK_EQ(munmap((void *)(uintptr_t)here, BYTES), 0);
	CHECK_EQ(munmap((void *)(uintptr_t)copied_here, BYTES), 0);
}

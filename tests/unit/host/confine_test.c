/* SPDX-License-Identifier: MIT
 *
 * confine_test - C1, seen by a process that has confined itself: what it still can, what it cannot.
 */
#include "host/confine.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/futex.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sanitizer.h"
#include "test.h"

static const char *module_path(void)
{
	const char *path = getenv("OPENDEXT_TEST_MODULE_GOOD");

	if (path == NULL) {
		SKIP("OPENDEXT_TEST_MODULE_GOOD is not set");
	}
	return path;
}

/* Confines this process, which ends with the test. @return what the kernel lacks. */
static const char *confine(bool may_connect)
{
	static char missing[64];
	static char bundle[4096];

	(void)snprintf(bundle, sizeof(bundle), "%s", module_path());
	const struct dx_confine_options options = {.bundle = dirname(bundle),
						   .may_connect = may_connect};
	CHECK_EQ(dx_confine(&options, missing, sizeof(missing)), 0);
	return missing;
}

static void need_landlock(void)
{
	if (strstr(confine(false), "Landlock") != NULL) {
		SKIP("the kernel has no Landlock");
	}
}

static void need_seccomp(bool may_connect)
{
	if (DX_SANITIZED) {
		SKIP("sanitizers need more system calls");
	}
	if (strstr(confine(may_connect), "seccomp") != NULL) {
		SKIP("the kernel has no seccomp");
	}
}

#define CHECK_REFUSED(call, code)                                                                  \
	do {                                                                                       \
		errno = 0;                                                                         \
		CHECK_EQ((long)(call), -1);                                                        \
		CHECK_EQ(errno, (code));                                                           \
	} while (0)

TEST(confined_has_no_new_privileges_and_no_core_dumps)
{
	struct rlimit limit;

	(void)confine(false);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	CHECK_EQ(getrlimit(RLIMIT_CORE, &limit), 0);
	CHECK_EQ(limit.rlim_cur, 0);
	CHECK_EQ(limit.rlim_max, 0);
}

TEST(confined_cannot_read_or_write_files_of_others)
{
	char home[4096];

	need_landlock();
	CHECK_REFUSED(open("/etc/passwd", O_RDONLY), EACCES);
	CHECK_REFUSED(open("/proc/self/mem", O_RDWR), EACCES);
	if (!DX_SANITIZED) {
		CHECK_REFUSED(open("/proc/1/environ", O_RDONLY), EACCES);
	}
	CHECK_REFUSED(open("/tmp/opendext-confined", O_RDWR | O_CREAT, 0600), EACCES);
	CHECK_REFUSED(open("/dev/shm/opendext-confined", O_RDWR | O_CREAT, 0600), EACCES);
	CHECK_REFUSED(open("/tmp", O_RDWR | O_TMPFILE, 0600), EACCES);
	(void)snprintf(home, sizeof(home), "%s", module_path());
	CHECK_REFUSED(open(home, O_RDWR), EACCES);
	home[strlen(home) - 1] = 'x';
	CHECK_REFUSED(open(home, O_RDWR | O_CREAT, 0600), EACCES);
	CHECK_REFUSED(open("/usr/opendext-confined", O_RDWR | O_CREAT, 0600), EACCES);
}

TEST(confined_loads_from_its_bundle)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s", module_path());
	(void)confine(false);
	void *library = dlopen(path, RTLD_NOW);
	if (library == NULL) {
		FAIL("%s", dlerror());
	}
	CHECK(dlsym(library, "OpenDextDriverClasses") != NULL);
}

TEST(confined_cannot_start_programs_or_processes)
{
	char *const arguments[] = {(char *)(uintptr_t) "true", NULL};

	need_seccomp(false);
	CHECK_REFUSED(execv("/bin/true", arguments), EPERM);
	CHECK_REFUSED(fork(), EPERM);
	CHECK_REFUSED(vfork(), EPERM);
	CHECK_REFUSED(syscall(SYS_clone, SIGCHLD | CLONE_NEWUSER, 0, 0, 0, 0), EPERM);
	CHECK_REFUSED(syscall(SYS_unshare, CLONE_NEWUSER), EPERM);
}

TEST(confined_cannot_reach_other_processes)
{
	int fds[2];

	need_seccomp(false);
	pid_t parent = getppid();
	CHECK_REFUSED(kill(parent, 0), EPERM);
	CHECK_REFUSED(syscall(SYS_tgkill, parent, parent, 0), EPERM);
	CHECK_REFUSED(syscall(SYS_tkill, parent, 0), EPERM);
	CHECK_REFUSED(syscall(SYS_ptrace, 16, parent, 0, 0), EPERM);
	CHECK_REFUSED(syscall(SYS_process_vm_readv, parent, NULL, 0, NULL, 0, 0), EPERM);
	CHECK_REFUSED(prlimit(parent, RLIMIT_NOFILE, NULL, NULL), EPERM);
	CHECK_REFUSED(setpriority(PRIO_PROCESS, (id_t)parent, 19), EPERM);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	CHECK_REFUSED(fcntl(fds[0], F_SETOWN, parent), EPERM);
	CHECK_REFUSED(ioctl(fds[0], FIOSETOWN, &parent), EPERM);
	CHECK_REFUSED(ioctl(fds[0], TIOCSTI, "x"), EPERM);
	/* A number whose upper half only the kernel ignores. */
	CHECK_REFUSED(syscall(SYS_ioctl, fds[0], 1ull << 32 | TIOCSTI, "x"), EPERM);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

TEST(confined_has_no_network)
{
	int fds[2];

	need_seccomp(false);
	CHECK_REFUSED(socket(AF_INET, SOCK_STREAM, 0), EPERM);
	CHECK_REFUSED(socket(AF_INET6, SOCK_DGRAM, 0), EPERM);
	CHECK_REFUSED(socket(AF_NETLINK, SOCK_RAW, 0), EPERM);
	CHECK_REFUSED(socket(AF_UNIX, SOCK_SEQPACKET, 0), EPERM);
	CHECK_REFUSED(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), EPERM);
}

TEST(confined_that_may_connect_has_sockets_to_brokers_only)
{
	need_seccomp(true);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	CHECK_GE(fd, 0);
	(void)close(fd);
	CHECK_REFUSED(socket(AF_INET, SOCK_STREAM, 0), EPERM);
	CHECK_REFUSED(socket(AF_UNIX, SOCK_STREAM, 0), EPERM);
	CHECK_REFUSED(socket(AF_UNIX, SOCK_DGRAM, 0), EPERM);
}

TEST(confined_cannot_connect_to_abstract_sockets)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(address);
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 6) {
		(void)close(listener);
		SKIP("the kernel's Landlock is older than version 6");
	}
	CHECK_EQ(bind(listener, (struct sockaddr *)&address, sizeof(address.sun_family)), 0);
	CHECK_EQ(listen(listener, 1), 0);
	CHECK_EQ(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	(void)confine(true);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	CHECK_GE(fd, 0);
	CHECK_REFUSED(connect(fd, (struct sockaddr *)&address, length), EPERM);
	(void)close(fd);
	(void)close(listener);
}

static void *thread_runs(void *argument)
{
	*(int *)argument = 1;
	return NULL;
}

static void check_waiting(void)
{
	uint32_t word = 1;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int event = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event ready = {.events = EPOLLIN};

	CHECK_GE(epoll, 0);
	CHECK_GE(event, 0);
	CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &ready), 0);
	CHECK_EQ(epoll_wait(epoll, &ready, 1, 0), 1);
	CHECK_REFUSED(syscall(SYS_futex, &word, FUTEX_WAIT, 2, NULL, NULL, 0), EAGAIN);
	(void)close(event);
	(void)close(epoll);
}

TEST(confined_does_what_a_driver_needs)
{
	pthread_t thread;
	cpu_set_t cpus;
	int ran = 0;

	(void)confine(false);
	int memory = memfd_create("buffer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK_GE(memory, 0);
	CHECK_EQ(ftruncate(memory, 65536), 0);
	CHECK_EQ(fallocate(memory, 0, 0, 65536), 0);
	CHECK_EQ(fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	char *bytes = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	CHECK(bytes != MAP_FAILED);
	bytes[0] = 1;
	CHECK_EQ(munmap(bytes, 65536), 0);
	(void)close(memory);
	check_waiting();
	CHECK_EQ(pthread_create(&thread, NULL, thread_runs, &ran), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(ran, 1);
	CHECK_EQ(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	CHECK_EQ(kill(getpid(), 0), 0);
	CHECK_EQ(pthread_kill(pthread_self(), 0), 0);
}

TEST(confined_still_dies_by_abort)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)confine(false);
		(void)signal(SIGABRT, SIG_DFL);
		abort();
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGABRT);
}

TEST(confine_below_a_bundle_that_is_missing_is_no_error)
{
	const struct dx_confine_options options = {.bundle = "/nowhere/at/all"};
	char missing[64];

	CHECK_EQ(dx_confine(&options, missing, sizeof(missing)), 0);
}

TEST(confine_below_a_bundle_that_cannot_be_opened_is_an_error)
{
	const struct dx_confine_options options = {.bundle = "/etc/hostname/no"};
	char missing[64];
	int rc = dx_confine(&options, missing, sizeof(missing));

	if (strstr(missing, "Landlock") != NULL) {
		SKIP("the kernel has no Landlock");
	}
	CHECK_EQ(rc, -ENOTDIR);
}

/* SPDX-License-Identifier: MIT
 *
 * confine - Landlock for files, seccomp for system calls; see confine.h for C1 and C2.
 *
 * Place:   host.
 * Why a list of allowed calls: what is not named fails with EPERM, so a call that a later kernel
 *          adds is closed until somebody needs it. EPERM, not death: a C library that probes for a
 *          call falls back, and a driver gets an error that it can report.
 */
#include "host/confine.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <limits.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/sanitizer.h"

/* Rights that came after the first version of Landlock; headers of Debian 12 lack some names. */
#define ACCESS_VERSION_1 ((1ull << 13) - 1)
#define ACCESS_REFER     (1ull << 13)
#define ACCESS_TRUNCATE  (1ull << 14)
#define ACCESS_IOCTL_DEV (1ull << 15)

#define ACCESS_READ                                                                                \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_EXECUTE)

/* The kernel's struct landlock_ruleset_attr as of version 6. */
struct ruleset_attributes {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* the filter of system calls leaves no such socket */
	uint64_t scoped;
};
#define SCOPE_ALL 3u /* no abstract unix sockets and no signals of processes outside */

static void note_missing(char *missing, size_t size, const char *what)
{
	size_t used = strlen(missing);

	(void)snprintf(missing + used, size - used, "%s%s", used == 0 ? "" : ", ", what);
}

/* ------------------------------------------------------------------------------------------- */
/* Files                                                                                       */

static uint64_t handled_access(long version)
{
	uint64_t access = ACCESS_VERSION_1;

	if (version >= 2) {
		access |= ACCESS_REFER;
	}
	if (version >= 3) {
		access |= ACCESS_TRUNCATE;
	}
	if (version >= 5) {
		access |= ACCESS_IOCTL_DEV;
	}
	return access;
}

/* A path that does not exist needs no rule. */
static int allow_below(int ruleset, const char *path, uint64_t access)
{
	DX_CLEANUP_FD int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0) {
		return -errno;
	}
	return 0;
}

/* Where libDriverKit is: a driver may need a library beside it. */
static int allow_own_directory(int ruleset)
{
	char directory[PATH_MAX];
	Dl_info info = {0};

	if (dladdr((void *)(uintptr_t)&dx_confine, &info) == 0 || info.dli_fname == NULL ||
	    realpath(info.dli_fname, directory) == NULL) {
		return 0; /* what needs it will say what it cannot find */
	}
	char *slash = strrchr(directory, '/');
	if (slash == NULL || slash == directory) {
		return 0;
	}
	*slash = '\0';
	return allow_below(ruleset, directory, ACCESS_READ);
}

static int add_rules(int ruleset, const struct dx_confine_options *options)
{
	/* Libraries and what the C library reads: time zones, locales, CPU count. */
	static const char *const directories[] = {"/usr", "/lib", "/lib64",
						  "/sys/devices/system/cpu"};
	static const char *const files[] = {"/etc/ld.so.cache", "/etc/localtime", "/dev/null",
					    "/dev/urandom",     "/proc/cpuinfo",  "/proc/meminfo"};
	int rc = allow_below(ruleset, options->bundle, ACCESS_READ);

	if (rc == 0) {
		rc = allow_own_directory(ruleset);
	}
	if (rc == 0 && DX_SANITIZED) {
		rc = allow_below(ruleset, "/proc", ACCESS_READ); /* leak checkers list threads */
	}
	for (size_t i = 0; rc == 0 && i < DX_ARRAY_SIZE(directories); i++) {
		rc = allow_below(ruleset, directories[i], ACCESS_READ);
	}
	for (size_t i = 0; rc == 0 && i < DX_ARRAY_SIZE(files); i++) {
		rc = allow_below(ruleset, files[i], LANDLOCK_ACCESS_FS_READ_FILE);
	}
	return rc;
}

static int confine_files(const struct dx_confine_options *options, char *missing, size_t size)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (version < 0) {
		note_missing(missing, size, "Landlock");
		return 0;
	}
	const struct ruleset_attributes attributes = {
		.handled_access_fs = handled_access(version),
		.scoped = version >= 6 ? SCOPE_ALL : 0,
	};
	size_t attributes_size = version >= 6 ? sizeof(attributes) : sizeof(uint64_t);
	DX_CLEANUP_FD int ruleset =
		(int)syscall(SYS_landlock_create_ruleset, &attributes, attributes_size, 0);
	if (ruleset < 0) {
		return -errno;
	}
	int rc = add_rules(ruleset, options);
	if (rc < 0) {
		return rc;
	}
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}

/* ------------------------------------------------------------------------------------------- */
/* System calls                                                                                */

/* Sorted by purpose. Calls that reach other processes, or do more than one thing, are further down.
 */
static const char *const allowed_calls[] = {
	/* memory */
	"brk",
	"madvise",
	"mincore",
	"mmap",
	"mprotect",
	"mremap",
	"munmap",
	"memfd_create",
	"fallocate",
	"ftruncate",
	"membarrier",
	"mlock",
	"munlock",
	/* files: Landlock says which */
	"access",
	"faccessat",
	"faccessat2",
	"close",
	"close_range",
	"fstat",
	"fdatasync", /* a disk's SYNCHRONIZE CACHE */
	"fstatfs",
	"getcwd",
	"getdents64",
	"lseek",
	"newfstatat",
	"open",
	"openat",
	"pread64",
	"pwrite64",
	"read",
	"readlink",
	"readlinkat",
	"readv",
	"stat",
	"lstat",
	"statx",
	"write",
	"writev",
	"dup",
	"dup2",
	"dup3",
	"pipe2",
	/* waiting */
	"epoll_create1",
	"epoll_ctl",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_wait",
	"eventfd2",
	"futex",
	"futex_waitv",
	"poll",
	"ppoll",
	"select",
	"pselect6",
	"timerfd_create",
	"timerfd_gettime",
	"timerfd_settime",
	"signalfd4",
	"nanosleep",
	"clock_nanosleep",
	"restart_syscall",
	/* sockets that exist */
	"getpeername",
	"getsockname",
	"getsockopt",
	"recvfrom",
	"recvmmsg",
	"recvmsg",
	"sendmmsg",
	"sendmsg",
	"sendto",
	"setsockopt",
	"shutdown",
	/* threads */
	"exit",
	"exit_group",
	"set_robust_list",
	"set_tid_address",
	"rseq",
	"gettid",
	"sched_getaffinity",
	"sched_yield",
	"sched_getparam",
	"sched_getscheduler",
	"getcpu",
	"prctl",
	"arch_prctl",
	"getpriority",
	/* signals */
	"rt_sigaction",
	"rt_sigpending",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigsuspend",
	"rt_sigtimedwait",
	"sigaltstack",
	"getitimer",
	"setitimer",
	/* who and when am I */
	"clock_getres",
	"clock_gettime",
	"gettimeofday",
	"time",
	"times",
	"getegid",
	"geteuid",
	"getgid",
	"getpid",
	"getppid",
	"getrandom",
	"getresgid",
	"getresuid",
	"getrlimit",
	"getrusage",
	"getuid",
	"sysinfo",
	"uname",
};

static int allow_call(scmp_filter_ctx filter, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	/* Not every architecture has every call. */
	return number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
}

/* Allows a call when (argument & mask) == value; mask 0 means all of it. */
struct condition {
	const char *name;
	unsigned argument;
	uint64_t mask;
	uint64_t value;
};

static int allow_if(scmp_filter_ctx filter, const struct condition *condition)
{
	int number = seccomp_syscall_resolve_name(condition->name);
	uint64_t mask = condition->mask == 0 ? UINT64_MAX : condition->mask;

	if (number == __NR_SCMP_ERROR) {
		return 0;
	}
	return seccomp_rule_add(
		filter, SCMP_ACT_ALLOW, number, 1,
		SCMP_CMP64(condition->argument, SCMP_CMP_MASKED_EQ, mask, condition->value));
}

#define SOCKET_TYPE 0xfull    /* without SOCK_CLOEXEC and SOCK_NONBLOCK */
#define IOCTL_TYPE  0xff00ull /* of a request number: its letter */
#define THREAD_ONLY (CLONE_THREAD | CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET)

/*
 * Why each is narrowed: the driver may have the user's own rights, so whatever reaches another
 * process of the user is a way out. fcntl(F_SETOWN) with F_SETSIG kills anybody; ioctl(TIOCSTI)
 * types into the terminal on which we print; a new process could be left behind.
 */
static const struct condition conditions[] = {
	{"clone", 0, THREAD_ONLY, CLONE_THREAD},
	{"fcntl", 1, 0, F_DUPFD},
	{"fcntl", 1, 0, F_DUPFD_CLOEXEC},
	{"fcntl", 1, 0, F_GETFD},
	{"fcntl", 1, 0, F_SETFD},
	{"fcntl", 1, 0, F_GETFL},
	{"fcntl", 1, 0, F_SETFL},
	{"fcntl", 1, 0, F_ADD_SEALS},
	{"fcntl", 1, 0, F_GET_SEALS},
	{"ioctl", 1, IOCTL_TYPE, 'U' << 8}, /* usbfs; Landlock decides on the device nodes */
	{"ioctl", 1, 0, FIONREAD},
	{"ioctl", 1, 0, FIONBIO},
	{"ioctl", 1, 0, TCGETS},                     /* isatty() */
	{"socketpair", 1, SOCKET_TYPE, SOCK_STREAM}, /* datagram sockets can send to any address */
	{"socketpair", 1, SOCKET_TYPE, SOCK_SEQPACKET},
	/* 0 is the calling thread or process */
	{"prlimit64", 0, 0, 0},
	{"sched_setaffinity", 0, 0, 0},
	{"sched_setscheduler", 0, 0, 0},
	{"get_robust_list", 0, 0, 0},
};

static int add_conditions(scmp_filter_ctx filter)
{
	const uint64_t self = (uint64_t)getpid();
	const struct condition own[] = {
		/* kill(getpid(), ...) is how abort() of some C libraries ends */
		{"kill", 0, 0, self},
		{"tgkill", 0, 0, self},
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < DX_ARRAY_SIZE(conditions); i++) {
		rc = allow_if(filter, &conditions[i]);
	}
	for (size_t i = 0; rc == 0 && i < DX_ARRAY_SIZE(own); i++) {
		rc = allow_if(filter, &own[i]);
	}
	return rc;
}

/* A filter cannot see the address. */
static int allow_connect(scmp_filter_ctx filter)
{
	int rc = allow_call(filter, "connect");

	if (rc == 0) {
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
				      SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0),
				      SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_TYPE, SOCK_SEQPACKET));
	}
	return rc;
}

static int fill_filter(scmp_filter_ctx filter, bool may_connect)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < DX_ARRAY_SIZE(allowed_calls); i++) {
		rc = allow_call(filter, allowed_calls[i]);
	}
	if (rc == 0) {
		rc = add_conditions(filter);
	}
	if (rc == 0 && may_connect) {
		rc = allow_connect(filter);
	}
	/* Calls that are always allowed cost nothing, the kernel remembers them. This one is looked at each
	 * time, twice for a request to usbfs, so it is the first that the filter compares. */
	if (rc == 0) {
		rc = seccomp_syscall_priority(filter, SCMP_SYS(ioctl), UINT8_MAX);
	}
	/* Its flags are in memory, where a filter cannot look; told that it is not there, the C
	 * library takes clone. */
	if (rc == 0) {
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	}
	return rc == 0 ? seccomp_load(filter) : rc;
}

static int confine_calls(bool may_connect, char *missing, size_t size)
{
	if (DX_SANITIZED) {
		return 0; /* leak checkers trace their own process */
	}
	if (prctl(PR_GET_SECCOMP) < 0) {
		note_missing(missing, size, "seccomp");
		return 0;
	}
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (filter == NULL) {
		return -ENOMEM;
	}
	int rc = fill_filter(filter, may_connect);
	seccomp_release(filter);
	return rc;
}

int dx_confine(const struct dx_confine_options *options, char *ret_missing, size_t missing_size)
{
	struct rlimit no_core = {0};

	ret_missing[0] = '\0';
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0) {
		return -errno;
	}
	int rc = confine_files(options, ret_missing, missing_size);
	return rc < 0 ? rc : confine_calls(options->may_connect, ret_missing, missing_size);
}

/* SPDX-License-Identifier: MIT
 *
 * stack_confine - rights of the process that reads what a crashed one has named. See stack.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/check.h"
#include "stack.h"

#define MAX_SECONDS 10u
#define MAX_MEMORY  (2ull << 30)

static const char *const allowed_calls[] = {
	"access",     "brk",      "clock_gettime", "close",    "exit",     "exit_group",
	"faccessat",  "fcntl",    "fstat",         "futex",    "getcwd",   "getpid",
	"getrandom",  "gettid",   "lseek",         "madvise",  "mmap",     "mprotect",
	"mremap",     "munmap",   "newfstatat",    "pread64",  "read",     "readlink",
	"readlinkat", "readv",    "rt_sigaction",  "rt_sigprocmask",       "rt_sigreturn",
	"stat",       "statx",    "tgkill",        "write",    "writev",
};

static int limit(int resource, rlim_t value)
{
	const struct rlimit both = {.rlim_cur = value, .rlim_max = value};

	return setrlimit(resource, &both) < 0 ? -errno : 0;
}

static int add_rules(scmp_filter_ctx filter)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < DX_ARRAY_SIZE(allowed_calls); i++) {
		int number = seccomp_syscall_resolve_name(allowed_calls[i]);

		rc = number == __NR_SCMP_ERROR
			     ? 0
			     : seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
	if (rc == 0) { /* for reading only */
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				      SCMP_CMP64(2, SCMP_CMP_MASKED_EQ,
						 O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	}
	return rc;
}

int dx_stack_confine(void)
{
	scmp_filter_ctx filter = NULL;
	int rc = limit(RLIMIT_CPU, MAX_SECONDS);

	if (rc == 0) {
		rc = limit(RLIMIT_AS, MAX_MEMORY);
	}
	if (rc == 0) {
		rc = limit(RLIMIT_CORE, 0);
	}
	if (rc < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		return rc < 0 ? rc : -errno;
	}
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (filter == NULL) {
		return -ENOMEM;
	}
	rc = add_rules(filter);
	if (rc == 0) {
		rc = seccomp_load(filter);
	}
	seccomp_release(filter);
	return rc;
}

/* SPDX-License-Identifier: MIT
 *
 * system - see system.h.
 */
#include "system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "driver/bench.h"

static struct {
	char directory[64];
	char socket[96];
	pid_t broker;
	int ready_fd;
} self;

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL) {
		fprintf(stderr, "api_bench: %s is not set; run it with make bench\n", name);
		exit(2);
	}
	return value;
}

static void exec_broker(int ready_fd)
{
	char fd_text[16];

	(void)snprintf(fd_text, sizeof(fd_text), "%d", ready_fd);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)fcntl(ready_fd, F_SETFD, 0);
	(void)execl(variable("OPENDEXT_BENCH_DEXTD"), "dextd", "--socket", self.socket, "--private",
		    "--host-program", variable("OPENDEXT_BENCH_HOST"), "--bundle",
		    variable("OPENDEXT_BENCH_BUNDLE"), "--device", "virtual:gadget-zero,speed=super",
		    "--ready-fd", fd_text, "--restart-delay", "1", "--log-level", "error",
		    (char *)NULL);
	_exit(127);
}

void system_start(void)
{
	char line[512] = "";
	int ready[2];

	(void)snprintf(self.directory, sizeof(self.directory), "/tmp/opendext-bench-XXXXXX");
	if (mkdtemp(self.directory) == NULL || pipe2(ready, O_CLOEXEC) != 0) {
		perror("api_bench");
		exit(2);
	}
	(void)snprintf(self.socket, sizeof(self.socket), "%s/broker", self.directory);
	(void)setenv("OPENDEXT_SOCKET", self.socket, 1);
	self.broker = fork();
	if (self.broker == 0) {
		exec_broker(ready[1]);
	}
	(void)close(ready[1]);
	self.ready_fd = ready[0];
	if (read(ready[0], line, sizeof(line) - 1) <= 0 || strncmp(line, "ready", 5) != 0) {
		fprintf(stderr, "api_bench: dextd: %s\n", line);
		exit(2);
	}
}

void system_stop(void)
{
	(void)kill(self.broker, SIGTERM);
	(void)waitpid(self.broker, NULL, 0);
	(void)close(self.ready_fd);
	(void)rmdir(self.directory); /* the broker may have done it */
}

pid_t system_broker(void)
{
	return self.broker;
}

io_connect_t system_open(const char *name)
{
	for (unsigned i = 0; i < 10000; i++) {
		io_service_t service = IOServiceGetMatchingService(kIOMainPortDefault,
								   IOServiceNameMatching(name));
		io_connect_t connect = IO_OBJECT_NULL;

		if (service != IO_OBJECT_NULL) {
			kern_return_t result =
				IOServiceOpen(service, mach_task_self(), 0, &connect);

			(void)IOObjectRelease(service);
			if (result == kIOReturnSuccess) {
				return connect;
			}
		}
		(void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	fprintf(stderr, "api_bench: cannot open %s\n", name);
	exit(2);
}

pid_t system_host(io_connect_t connect)
{
	uint64_t pid = 0;
	uint32_t nr_output = 1;

	(void)IOConnectCallScalarMethod(connect, BENCH_PID, NULL, 0, &pid, &nr_output);
	return (pid_t)pid;
}

/* Calls the function with the number of each thread. */
static void each_thread(pid_t pid, void (*function)(pid_t pid, pid_t tid, void *context),
			void *context)
{
	char path[64];
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (dir == NULL) {
		return;
	}
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		if (entry->d_name[0] != '.') {
			function(pid, (pid_t)strtol(entry->d_name, NULL, 10), context);
		}
	}
	(void)closedir(dir);
}

static void pin_thread(pid_t pid, pid_t tid, void *context)
{
	(void)pid;
	(void)sched_setaffinity(tid, sizeof(cpu_set_t), context);
}

void system_pin(pid_t pid, uint64_t mask)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int cpu = 0; cpu < 64; cpu++) {
		if (mask == 0 || (mask >> cpu & 1) != 0) {
			CPU_SET(cpu, &set);
		}
	}
	each_thread(pid, pin_thread, &set);
}

static void add_switches(pid_t pid, pid_t tid, void *context)
{
	char path[64];
	char line[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/status", (int)pid, (int)tid);
	file = fopen(path, "re");
	if (file == NULL) {
		return;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0) {
			*(uint64_t *)context += strtoull(line + 24, NULL, 10);
		}
	}
	(void)fclose(file);
}

uint64_t system_switches(pid_t pid)
{
	uint64_t sum = 0;

	each_thread(pid, add_switches, &sum);
	return sum;
}

uint64_t system_cpu_ns(pid_t pid)
{
	char path[64];
	char text[1024] = "";
	unsigned long long user = 0;
	unsigned long long kernel = 0;
	const char *rest;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file == NULL) {
		return 0;
	}
	(void)!fgets(text, sizeof(text), file);
	(void)fclose(file);
	rest = strrchr(text, ')');
	if (rest == NULL || sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
				   &user, &kernel) != 2) {
		return 0;
	}
	return (user + kernel) * 1000000000ull / (unsigned long long)sysconf(_SC_CLK_TCK);
}

int64_t system_memory_used(void)
{
	static const char *const keys[] = {"AnonPages:", "Shmem:", "Slab:", "PageTables:",
					   "KernelStack:", "Percpu:", NULL};
	char line[128];
	int64_t kib = 0;
	FILE *file = fopen("/proc/meminfo", "re");

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		for (unsigned i = 0; keys[i] != NULL; i++) {
			if (strncmp(line, keys[i], strlen(keys[i])) == 0) {
				kib += strtoll(line + strlen(keys[i]), NULL, 10);
			}
		}
	}
	if (file != NULL) {
		(void)fclose(file);
	}
	return kib * 1024;
}

/* SPDX-License-Identifier: MIT
 *
 * api_bench - calls, buffers, mappings and deaths through the public API, beside the limits of the
 * machine measured in the same run.
 *
 *	api_bench [--json] [--slices N] [--ms N] [--only ROW]
 *
 * Slices of what is measured and of its yardstick alternate; each pair gives one ratio, the median
 * of the ratios and all of their spread are printed. docs/benchmarks.md explains the rows.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <IOKit/IOKitLib.h>
#include <opendext/client.h>

#include "buffers.h"
#include "calls.h"
#include "driver/bench.h"
#include "report.h"
#include "run.h"
#include "sleepers.h"
#include "system.h"
#include "yardstick.h"

#define MAX_CLIENTS 1000u

static io_connect_t clients[MAX_CLIENTS];

/* --- Memory ---------------------------------------------------------------------------------- */

static uint64_t allocate(struct bench *bench, uint64_t bytes)
{
	uint64_t type = 0;
	uint32_t nr_output = 1;

	bench_must(IOConnectCallScalarMethod(bench->connect, BENCH_ALLOCATE, &bytes, 1, &type,
					     &nr_output),
		   "allocate");
	return type;
}

static void release_all(struct bench *bench)
{
	bench_must(IOConnectCallScalarMethod(bench->connect, BENCH_RELEASE, NULL, 0, NULL, NULL),
		   "release");
}

static void touch(uint8_t *bytes, uint64_t length)
{
	for (uint64_t i = 0; i < length; i += 4096) {
		((volatile uint8_t *)bytes)[i] = 1;
	}
}

static double map_ns(struct bench *bench, uint64_t type, double *ret_touch_ns, double *ret_unmap_ns)
{
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;
	uint64_t begin_ns = bench_now_ns();
	uint64_t mapped_ns;
	uint64_t touched_ns;

	bench_must(IOConnectMapMemory64(bench->connect, (uint32_t)type, mach_task_self(), &address,
					&size, kIOMapAnywhere),
		   "map");
	mapped_ns = bench_now_ns();
	touch((uint8_t *)(uintptr_t)address, size);
	touched_ns = bench_now_ns();
	bench_must(IOConnectUnmapMemory64(bench->connect, (uint32_t)type, mach_task_self(), 0),
		   "unmap");
	*ret_touch_ns = (double)(touched_ns - mapped_ns);
	*ret_unmap_ns = (double)(bench_now_ns() - touched_ns);
	return (double)(mapped_ns - begin_ns);
}

/* What the machine asks for the same: a descriptor from another process, mmap, munmap. */
static double raw_map_ns(uint64_t length, double *ret_touch_ns)
{
	uint64_t begin_ns = bench_now_ns();
	int fd = yardstick_give();
	uint8_t *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	uint64_t mapped_ns = bench_now_ns();

	if (bytes == MAP_FAILED) {
		perror("api_bench: mmap");
		exit(2);
	}
	touch(bytes, length);
	*ret_touch_ns = (double)(bench_now_ns() - mapped_ns);
	(void)munmap(bytes, length);
	(void)close(fd);
	return (double)(mapped_ns - begin_ns);
}

static void row_map(struct bench *bench, uint64_t length, double bound)
{
	struct series ratio = {0};
	struct series mapped = {0};
	struct series unmapped = {0};
	struct series raw = {0};
	struct series touched = {0};
	uint64_t type = allocate(bench, length);
	int fd = memfd_create("bench", MFD_CLOEXEC);
	unsigned rounds = length > 1u << 24 ? 1 : 20;
	char what[80];
	char note[160];

	if (fd < 0 || ftruncate(fd, (off_t)length) != 0) {
		perror("api_bench: memfd");
		exit(2);
	}
	yardstick_keep(fd);
	(void)close(fd);
	for (unsigned i = 0; i <= bench->slices; i++) {
		double sums[5] = {0};

		for (unsigned k = 0; k < rounds; k++) {
			double touch_ns;
			double raw_touch_ns;
			double unmap_ns;

			sums[0] += raw_map_ns(length, &raw_touch_ns);
			sums[1] += map_ns(bench, type, &touch_ns, &unmap_ns);
			sums[2] += unmap_ns;
			sums[3] += touch_ns;
			sums[4] += raw_touch_ns;
		}
		if (i == 0) {
			continue; /* the first one makes the pages */
		}
		series_add(&raw, sums[0] / rounds);
		series_add(&mapped, sums[1] / rounds);
		series_add(&unmapped, sums[2] / rounds);
		series_add(&ratio, sums[1] / sums[0]);
		series_add(&touched, sums[3] / sums[4]);
	}
	release_all(bench);
	(void)snprintf(what, sizeof(what), "map of %g MiB / a descriptor and mmap",
		       (double)length / (1 << 20));
	(void)snprintf(note, sizeof(note),
		       "map %.1f us, unmap %.1f us; raw %.1f us; touching it / raw %.2f",
		       series_median(&mapped) / 1000, series_median(&unmapped) / 1000,
		       series_median(&raw) / 1000, series_median(&touched));
	report_row(&bench->report, "G11", what, "x", &ratio, bound, note);
}

/* Cost of one more: each of many buffers against each of a few. */
static void row_many_buffers(struct bench *bench)
{
	struct series ratio = {0};
	double few_ns = 0;
	double many_ns = 0;
	char note[160];

	for (unsigned i = 0; i < bench->slices; i++) {
		double each[2];
		const unsigned counts[2] = {16, 1024};

		for (unsigned k = 0; k < 2; k++) {
			uint64_t begin_ns = bench_now_ns();

			for (unsigned n = 0; n < counts[k]; n++) {
				mach_vm_address_t address = 0;
				mach_vm_size_t size = 0;
				uint64_t type = allocate(bench, 4096);

				bench_must(IOConnectMapMemory64(bench->connect, (uint32_t)type,
								mach_task_self(), &address, &size,
								kIOMapAnywhere),
					   "map");
			}
			for (uint32_t n = 0; n < counts[k]; n++) {
				bench_must(IOConnectUnmapMemory64(bench->connect, n,
								  mach_task_self(), 0),
					   "unmap");
			}
			release_all(bench);
			each[k] = (double)(bench_now_ns() - begin_ns) / counts[k];
		}
		few_ns = each[0];
		many_ns = each[1];
		series_add(&ratio, many_ns / few_ns);
	}
	(void)snprintf(note, sizeof(note),
		       "allocate, map, unmap, release: %.1f us and %.1f us each", few_ns / 1000,
		       many_ns / 1000);
	report_row(&bench->report, "lin", "one of 1024 mapped buffers / one of 16", "x", &ratio,
		   1.5, note);
}

/* --- Clients --------------------------------------------------------------------------------- */

static void close_clients(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		(void)IOServiceClose(clients[i]);
	}
}

static void row_open(struct bench *bench)
{
	struct series many = {0};
	struct series each = {0};
	struct series linear = {0};
	struct series hot = {0};
	struct series memory = {0};
	struct series switches = {0};
	char note[160] = "";
	const unsigned nr_clients = 500;

	for (unsigned i = 0; i < 5; i++) {
		double alone_ns = calls_hot_ns(bench->connect, bench->ms);
		int64_t before = system_memory_used();
		uint64_t begin_ns = bench_now_ns();
		uint64_t half_ns = 0;

		for (unsigned n = 0; n < nr_clients; n++) {
			clients[n] = system_open(BENCH_SERVICE);
			calls_scalars(clients[n]);
			half_ns = n + 1 == nr_clients / 10 ? bench_now_ns() : half_ns;
		}
		series_add(&each, (double)(bench_now_ns() - begin_ns) / 1000 / nr_clients);
		series_add(&many, 1000 * (double)(bench_now_ns() - begin_ns) / 1e9 / nr_clients);
		series_add(&linear, ((double)(bench_now_ns() - half_ns) / (nr_clients * 0.9)) /
					    ((double)(half_ns - begin_ns) / (nr_clients * 0.1)));
		bench_pause_us(50000);
		series_add(&memory, (double)(system_memory_used() - before) / 1024 / nr_clients);
		series_add(&hot, calls_hot_ns(bench->connect, bench->ms) / alone_ns);
		if (i == 0) {
			uint64_t quiet;

			bench_pause_us(200000);
			quiet = system_switches(bench->host);
			bench_pause_us(5000000);
			series_add(&switches, (double)(system_switches(bench->host) - quiet));
		}
		close_clients(nr_clients);
		bench_pause_us(100000);
	}
	(void)snprintf(note, sizeof(note), "%.0f us each, name look-up, open and first call",
		       series_median(&each));
	report_row(&bench->report, "G9b", "1000 clients open, from 500", "s", &many, 1.0, note);
	report_row(&bench->report, "lin", "opening clients 51..500 / 1..50, each", "x", &linear,
		   1.5, "");
	report_row(&bench->report, "G9", "hot call beside 500 idle clients / alone", "x", &hot, 1.2,
		   "");
	report_row(&bench->report, "G10", "memory of an idle client, kernel and both sides", "KiB",
		   &memory, 32, "machine-wide count: other programs disturb it");
	report_row(&bench->report, "G15", "context switches of an idle driver, 500 clients, 5 s",
		   "", &switches, 0, "");
}

/* --- Death ----------------------------------------------------------------------------------- */

struct blocked {
	io_connect_t connect;
	volatile uint64_t returned_ns;
};

static void *call_blocked(void *argument)
{
	struct blocked *blocked = argument;

	(void)IOConnectCallScalarMethod(blocked->connect, BENCH_BLOCK, NULL, 0, NULL, NULL);
	blocked->returned_ns = bench_now_ns();
	return NULL;
}

static void row_kill(struct bench *bench)
{
	struct series series = {0};

	for (unsigned i = 0; i < 7; i++) {
		struct blocked blocked = {.connect = system_open(BENCH_SERVICE)};
		pid_t host = system_host(blocked.connect);
		pthread_t thread;
		uint64_t killed_ns;

		if (pthread_create(&thread, NULL, call_blocked, &blocked) != 0) {
			exit(2);
		}
		bench_pause_us(20000);
		killed_ns = bench_now_ns();
		(void)kill(host, SIGKILL);
		(void)pthread_join(thread, NULL);
		series_add(&series, (double)(blocked.returned_ns - killed_ns) / 1e6);
		(void)IOServiceClose(blocked.connect);
		bench_pause_us(50000);
	}
	report_row(&bench->report, "G12", "kill -9 of the driver until a blocked call returns",
		   "ms", &series, 5, "");
}

/* --- All of it ------------------------------------------------------------------------------- */

static bool wanted(const struct bench *bench, const char *row)
{
	return bench->only == NULL || strcmp(bench->only, row) == 0;
}

static void run(struct bench *bench)
{
	if (wanted(bench, "G1")) {
		bench_hot_calls(bench);
	}
	if (wanted(bench, "G4")) {
		bench_cold_calls(bench);
	}
	if (wanted(bench, "G5")) {
		bench_paced_calls(bench);
	}
	if (wanted(bench, "G6")) {
		bench_calls_on_one_core(bench);
	}
	if (wanted(bench, "G7a")) {
		bench_buffers(bench);
	}
	if (wanted(bench, "G11")) {
		row_map(bench, 1u << 16, -1);
		row_map(bench, 1u << 20, -1);
		row_map(bench, 1u << 26, -1);
		row_map(bench, 1u << 30, 4);
		row_many_buffers(bench);
	}
	if (wanted(bench, "G9")) {
		row_open(bench);
	}
	if (wanted(bench, "G12")) {
		row_kill(bench); /* the driver of bench->connect is another process */
	}
}

int main(int argc, char **argv)
{
	struct bench bench = {.slices = 11, .ms = 100};
	bool json = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			json = true;
		} else if (strcmp(argv[i], "--slices") == 0 && i + 1 < argc) {
			bench.slices = (unsigned)strtoul(argv[++i], NULL, 10);
		} else if (strcmp(argv[i], "--ms") == 0 && i + 1 < argc) {
			bench.ms = (unsigned)strtoul(argv[++i], NULL, 10);
		} else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
			bench.only = argv[++i];
		} else {
			fprintf(stderr, "usage: %s [--json] [--slices N] [--ms N] [--only ROW]\n",
				argv[0]);
			return 2;
		}
	}
	if (bench.slices < 1 || bench.slices > REPORT_MAX_SLICES - 1 || bench.ms < 1 ||
	    bench.ms > 200 || yardstick_start() < 0) {
		fprintf(stderr, "api_bench: 1..100 slices of 1..200 ms\n");
		return 2;
	}
	if (wanted(&bench, "G4")) {
		sleepers_start();
	}
	system_start();
	bench.connect = system_open(BENCH_SERVICE);
	bench.host = system_host(bench.connect);
	report_begin(&bench.report, json);
	run(&bench);
	report_end(&bench.report);
	(void)IOServiceClose(bench.connect);
	system_stop();
	if (wanted(&bench, "G4")) {
		sleepers_stop();
	}
	yardstick_stop();
	return 0;
}

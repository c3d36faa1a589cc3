/* SPDX-License-Identifier: MIT
 *
 * unplug - a device leaves in the middle of transfers, again and again, each time at another point.
 *
 *	unplug ROUNDS SEED UNPLUG-FILE UNPLUG-TEXT PLUG-FILE PLUG-TEXT
 *
 * Each round waits for the service, streams both ways, and at a random point writes UNPLUG-TEXT to
 * UNPLUG-FILE (the gadget's connection). Of three rounds one does that while bytes move, after a
 * number of completions; the others first stop one direction until the other one has come to rest,
 * with all that can be in flight: reads from a device that has nothing more, writes to one that is
 * full. Then all transfers must complete, each with the code of a device that has gone or, while bytes
 * move, with success; the service must be told terminated, and further calls must fail. PLUG-TEXT
 * to PLUG-FILE makes the device come back as a new one.
 *
 * The device is a loopback that keeps up to HELD units of BYTES.
 *
 * Memory of this process is compared to the byte when GLIBC_TUNABLES=glibc.malloc.tcache_count=0 is set:
 * what that cache keeps counts as used.
 *
 * Prints how many transfers ended with which code. Exit status 1 when something is wrong, with the
 * round and its point.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/flow.h"

#define LIMIT_MS   120000u /* only against hangs */
#define DEPTH      16u
#define BYTES      4096u
#define HELD       32u
#define LAST_POINT 60u /* completions before the unplug: 0 to this */
#define MAX_CODES  16u
#define STALLED    ((IOReturn)0xE0005000)

enum kind { WHILE_BYTES_MOVE, READS_AT_REST, WRITES_AT_REST, NR_KINDS };

struct codes {
	IOReturn code[MAX_CODES];
	unsigned count[MAX_CODES];
};

struct round {
	unsigned number;
	unsigned point;
	enum kind kind;
	const char *file;
	const char *text;
	bool is_out;    /* unplugged, or about to be */
	pthread_t hand; /* which unplugs while transfers go on */
	struct codes *codes;	/* of transfers */
	struct codes *refusals; /* of calls that should have started one */
};

/* What this process has. */
struct usage {
	unsigned nr_fds;
	unsigned nr_maps;
	size_t heap_bytes;
};

static void die(const struct round *round, const char *what, unsigned number)
{
	fprintf(stderr, "unplug: round %u, point %u, kind %d: %s (%#x)\n", round->number,
		round->point, (int)round->kind, what, number);
	exit(1);
}

static void write_text(const struct round *round, const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0) {
		die(round, path, (unsigned)errno);
	}
	close(fd);
}

static void count_code(struct codes *codes, IOReturn code)
{
	for (unsigned i = 0; i < MAX_CODES; i++) {
		if (codes->count[i] == 0 || codes->code[i] == code) {
			codes->code[i] = code;
			codes->count[i]++;
			return;
		}
	}
}

/* Of a pipe whose transfer has just failed; a device, a driver, a connection that has gone. */
static bool is_refusal(kern_return_t result)
{
	return result == STALLED || result == kIOReturnNoDevice || result == kIOReturnOffline ||
	       result == kIOReturnNotResponding || result == kIOReturnBadArgument ||
	       result == MACH_SEND_INVALID_DEST;
}

static void *pull(void *context)
{
	struct round *round = context;

	write_text(round, round->file, round->text);
	return NULL;
}

static void unplug(struct round *round)
{
	round->is_out = true;
	if (pthread_create(&round->hand, NULL, pull, round) != 0) {
		die(round, "no thread", 0);
	}
}

static bool is_at_point(const struct round *round, const struct flow *flow)
{
	return flow->nr_done[FLOW_OUT] + flow->nr_done[FLOW_IN] >= round->point;
}

/* All that can be in flight in the other direction is, and nothing more will happen. */
static bool is_at_rest(const struct round *round, const struct flow *flow)
{
	uint64_t held = flow->nr_done[FLOW_OUT] - flow->nr_done[FLOW_IN];

	return flow->nr_flying == flow->depth && held == (round->kind == READS_AT_REST ? 0 : HELD);
}

static void on_done(struct flow *flow, unsigned direction, IOReturn status)
{
	struct round *round = flow->context;

	(void)direction;
	count_code(round->codes, status);
	if (status == kIOReturnSuccess ? round->is_out && round->kind != WHILE_BYTES_MOVE
				       : !round->is_out || status != kIOReturnNotResponding) {
		die(round, "a transfer has the wrong code", (unsigned)status);
	}
	if (round->is_out || !is_at_point(round, flow)) {
		return;
	}
	if (round->kind == WHILE_BYTES_MOVE) {
		unplug(round);
	} else {
		flow->is_stopped[round->kind == READS_AT_REST ? FLOW_OUT : FLOW_IN] = true;
	}
}

static unsigned count_entries(const char *path)
{
	DIR *directory = opendir(path);
	unsigned count = 0;

	while (directory != NULL && readdir(directory) != NULL) {
		count++;
	}
	if (directory != NULL) {
		closedir(directory);
	}
	return count;
}

static unsigned count_shared_maps(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	unsigned count = 0;

	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		count += strstr(line, "memfd:") != NULL;
	}
	if (maps != NULL) {
		fclose(maps);
	}
	return count;
}

static void run_round(struct round *round)
{
	struct flow flow = {.bytes = BYTES,
			    .depth = DEPTH,
			    .nr_wanted = UINT64_MAX,
			    .on_done = on_done,
			    .context = round};
	const uint64_t scalars[] = {0, BYTES};
	kern_return_t result;

	if (!flow_find(&flow, LIMIT_MS)) {
		die(round, "the service does not come", 0);
	}
	result = flow_open(&flow);
	if (result != kIOReturnSuccess) {
		die(round, "the service cannot be opened", (unsigned)result);
	}
	flow_start(&flow);
	if (round->point == 0 && round->kind == WHILE_BYTES_MOVE) {
		unplug(round);
	}
	while (flow.nr_flying > 0 || !flow.is_terminated) {
		if (!round->is_out && is_at_rest(round, &flow)) {
			unplug(round);
		}
		if (!flow_step(&flow, LIMIT_MS)) {
			die(round,
			    flow.nr_flying > 0 ? "transfers do not complete"
					       : "the service is not terminated",
			    (unsigned)flow.nr_flying);
		}
	}
	(void)pthread_join(round->hand, NULL); /* it was started: the service is terminated */
	if (IOConnectCallScalarMethod(flow.connect, 2, scalars, 2, NULL, NULL) ==
	    kIOReturnSuccess) {
		die(round, "a call succeeds after the end", 0);
	}
	if (flow.refused != kIOReturnSuccess) {
		if (!is_refusal(flow.refused)) {
			die(round, "a start was refused with the wrong code", (unsigned)flow.refused);
		}
		count_code(round->refusals, flow.refused);
	}
	flow_close(&flow);
}

static struct usage usage_now(void)
{
	return (struct usage){.nr_fds = count_entries("/proc/self/fd"),
			      .nr_maps = count_shared_maps(),
			      .heap_bytes = mallinfo2().uordblks};
}

static void check_usage(const struct round *round, const struct usage *before)
{
	struct usage now = usage_now();

	if (now.nr_fds > before->nr_fds) {
		die(round, "file descriptors are left", now.nr_fds);
	} else if (now.nr_maps > before->nr_maps) {
		die(round, "shared memory is left", now.nr_maps);
	} else if (now.heap_bytes > before->heap_bytes) {
		die(round, "memory is left", (unsigned)(now.heap_bytes - before->heap_bytes));
	}
}

static void print_codes(const struct codes *codes, const char *what)
{
	for (unsigned i = 0; i < MAX_CODES && codes->count[i] > 0; i++) {
		printf("# %u %s %#x\n", codes->count[i], what, (unsigned)codes->code[i]);
	}
}

int main(int argc, char **argv)
{
	struct codes codes = {0};
	struct codes refusals = {0};
	struct usage usage = {0};
	unsigned nr_rounds = argc == 7 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;

	if (nr_rounds == 0) {
		fprintf(stderr, "usage: unplug ROUNDS SEED UNPLUG-FILE TEXT PLUG-FILE TEXT\n");
		return 2;
	}
	srandom((unsigned)strtoul(argv[2], NULL, 10));
	for (unsigned i = 1; i <= nr_rounds; i++) {
		struct round round = {.number = i,
				      .point = (unsigned)random() % (LAST_POINT + 1),
				      .file = argv[3],
				      .text = argv[4],
				      .kind = (enum kind)(i % NR_KINDS),
				      .codes = &codes,
				      .refusals = &refusals};

		run_round(&round);
		if (i <= NR_KINDS) { /* from here on nothing may grow */
			usage = usage_now();
		} else if (i == nr_rounds) {
			check_usage(&round, &usage);
		}
		if (i < nr_rounds) {
			write_text(&round, argv[5], argv[6]);
		}
	}
	print_codes(&codes, "transfers ended with");
	print_codes(&refusals, "times the next one was refused with");
	return 0;
}

/* SPDX-License-Identifier: MIT
 *
 * unplug - a device leaves in the middle of transfers, again and again, each time at another point.
 *
 *	unplug ROUNDS SEED UNPLUG-FILE UNPLUG-TEXT PLUG-FILE PLUG-TEXT
 *
 * Each round waits for the service, streams both ways, and after a random number of completions
 * writes UNPLUG-TEXT to UNPLUG-FILE (the gadget's connection). Then all transfers must complete,
 *each with a code that a lost device may give, the service must be told terminated, and further
 *calls must fail. PLUG-TEXT to PLUG-FILE makes the device come back as a new one.
 *
 * Prints how many transfers ended with which code. Exit status 1 when something is wrong, with the
 * round and its point.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/flow.h"

#define LIMIT_MS   120000u /* only against hangs */
#define DEPTH      8u
#define BYTES      4096u
#define LAST_POINT 60u /* completions before the unplug: 0 to this */
#define MAX_CODES  16u

struct codes {
	IOReturn code[MAX_CODES];
	unsigned count[MAX_CODES];
};

struct round {
	unsigned number;
	unsigned point;
	const char *file;
	const char *text;
	bool is_out;    /* unplugged, or about to be */
	pthread_t hand; /* which unplugs while transfers go on */
	struct codes *codes;
};

static void die(const struct round *round, const char *what, unsigned number)
{
	fprintf(stderr, "unplug: round %u, point %u: %s (%#x)\n", round->number, round->point, what,
		number);
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

/* An I/O error is what the controller sees before the hub has noticed that nobody is there. */
static bool is_loss(IOReturn status)
{
	return status == kIOReturnIOError || status == kIOReturnNotResponding ||
	       status == kIOReturnAborted || status == kIOReturnNoDevice ||
	       status == kIOReturnOffline;
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

static void on_done(struct flow *flow, unsigned direction, IOReturn status)
{
	struct round *round = flow->context;

	(void)direction;
	count_code(round->codes, status);
	if (status != kIOReturnSuccess && (!round->is_out || !is_loss(status))) {
		die(round, "a transfer has the wrong code", (unsigned)status);
	}
	if (!round->is_out && flow->nr_done[0] + flow->nr_done[1] >= round->point) {
		unplug(round);
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
	if (round->point == 0) {
		unplug(round);
	}
	while (flow.nr_flying > 0 || !flow.is_terminated) {
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
	flow_close(&flow);
}

int main(int argc, char **argv)
{
	struct codes codes = {0};
	unsigned nr_rounds = argc == 7 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	unsigned nr_fds = 0;
	unsigned nr_maps = 0;

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
				      .codes = &codes};

		run_round(&round);
		if (i == 1) { /* from here on nothing may grow */
			nr_fds = count_entries("/proc/self/fd");
			nr_maps = count_shared_maps();
		}
		if (i < nr_rounds) {
			write_text(&round, argv[5], argv[6]);
		} else if (count_entries("/proc/self/fd") > nr_fds) {
			die(&round, "file descriptors are left", count_entries("/proc/self/fd"));
		} else if (count_shared_maps() > nr_maps) {
			die(&round, "shared memory is left", count_shared_maps());
		}
	}
	for (unsigned i = 0; i < MAX_CODES && codes.count[i] > 0; i++) {
		printf("# %u transfers ended with %#x\n", codes.count[i], (unsigned)codes.code[i]);
	}
	return 0;
}

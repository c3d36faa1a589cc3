/* SPDX-License-Identifier: MIT
 *
 * runner - the main() of a fuzzer that runs as an ordinary test.
 *
 *	<name>_fuzz [--changes N] CORPUS-DIRECTORY|FILE...
 *
 * Each file runs in a process of its own, first as it is, then N times changed in ways that are
 * the same in every run. An input that kills its process is written to ./crash-FILE.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/pathutil.h"
#include "fuzz.h"

#define MAX_INPUT_BYTES (1u << 20)
#define LIMIT_SECONDS	100
#define DEFAULT_CHANGES 400

/* The input at work, where the parent sees it when the child dies. */
struct current {
	size_t length;
	uint8_t bytes[MAX_INPUT_BYTES];
};

static struct current *current;
static unsigned nr_changes = DEFAULT_CHANGES;
static unsigned nr_passed;
static unsigned nr_failed;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A copy of exactly the right size, so that one byte too far is seen. */
static void feed(void)
{
	uint8_t *copy = malloc(current->length == 0 ? 1 : current->length);

	if (copy == NULL) {
		exit(1);
	}
	memcpy(copy, current->bytes, current->length);
	(void)LLVMFuzzerTestOneInput(copy, current->length);
	free(copy);
}

/* One of: flip a bit, set a byte to an edge, cut the end, copy a stretch, drop a stretch. */
static void change(uint64_t *state)
{
	static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, '<', '>', '&'};
	size_t length = current->length;
	size_t at = length == 0 ? 0 : next_random(state) % length;
	size_t to = length == 0 ? 0 : next_random(state) % length;
	size_t stretch = next_random(state) % 32;

	if (length == 0) {
		return;
	}
	switch (next_random(state) % 5) {
	case 0:
		current->bytes[at] ^= (uint8_t)(1u << (next_random(state) % 8));
		break;
	case 1:
		current->bytes[at] = edges[next_random(state) % sizeof(edges)];
		break;
	case 2:
		current->length = at;
		break;
	case 3:
		stretch = stretch < length - at ? stretch : length - at;
		stretch = stretch < length - to ? stretch : length - to;
		memmove(current->bytes + to, current->bytes + at, stretch);
		break;
	default:
		stretch = stretch < length - at ? stretch : length - at;
		memmove(current->bytes + at, current->bytes + at + stretch, length - at - stretch);
		current->length = length - stretch;
		break;
	}
}

static void run_child(const void *bytes, size_t length)
{
	uint64_t state = 0x9e3779b97f4a7c15u ^ length;

	(void)alarm(LIMIT_SECONDS);
	for (unsigned i = 0; i <= nr_changes; i++) {
		current->length = length;
		memcpy(current->bytes, bytes, length);
		for (unsigned changes = i == 0 ? 0 : 1 + i % 4; changes > 0; changes--) {
			change(&state);
		}
		feed();
	}
	exit(0); /* and not _exit(), so that LeakSanitizer looks */
}

static void keep_input(const char *path)
{
	char name[256];
	FILE *file;

	(void)snprintf(name, sizeof(name), "crash-%s", dx_path_base(path));
	file = fopen(name, "we");
	if (file == NULL || fwrite(current->bytes, 1, current->length, file) != current->length) {
		printf("# the input could not be kept in %s\n", name);
	} else {
		printf("# the input is in %s\n", name);
	}
	if (file != NULL) {
		(void)fclose(file);
	}
}

static void run_file(const char *path)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	int status = 0;
	int result = dx_file_read(path, MAX_INPUT_BYTES, &bytes, &length);
	pid_t pid;

	if (result < 0) {
		printf("not ok %u - %s: %s\n", nr_passed + ++nr_failed, path, strerror(-result));
		return;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		run_child(bytes, length);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0) {
		nr_passed++;
		printf("ok %u - %s\n", nr_passed + nr_failed, dx_path_base(path));
		return;
	}
	nr_failed++;
	printf("not ok %u - %s (status %#x)\n", nr_passed + nr_failed, path, (unsigned)status);
	keep_input(path);
}

static void run_directory(const char *path)
{
	struct dirent **entries = NULL;
	int nr_entries = scandir(path, &entries, NULL, alphasort);

	for (int i = 0; i < nr_entries; i++) {
		DX_CLEANUP_FREE char *file = dx_path_join(path, entries[i]->d_name);

		if (file != NULL && entries[i]->d_name[0] != '.') {
			run_file(file);
		}
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	int first = 1;

	if (argc > 2 && strcmp(argv[1], "--changes") == 0) {
		nr_changes = (unsigned)strtoul(argv[2], NULL, 10);
		first = 3;
	}
	current = mmap(NULL, sizeof(*current), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (current == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	for (int i = first; i < argc; i++) {
		struct stat status;

		if (stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode)) {
			run_directory(argv[i]);
		} else {
			run_file(argv[i]);
		}
	}
	printf("%u passed, %u failed\n", nr_passed, nr_failed);
	return nr_failed > 0 || nr_passed == 0 ? 1 : 0;
}

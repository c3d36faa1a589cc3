/* SPDX-License-Identifier: MIT
 *
 * demo_proof - shared pages and context switches, from /proc. See demo_proof.h.
 */
#include "demo_proof.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct map_line {
	uint64_t start, end, offset, device, inode;
};

/* @return true for a shared mapping. */
static bool parse_line(const char *text, struct map_line *ret_line)
{
	unsigned major = 0;
	unsigned minor = 0;
	char flags[5];

	if (sscanf(text, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64, &ret_line->start,
		   &ret_line->end, flags, &ret_line->offset, &major, &minor,
		   &ret_line->inode) != 7) {
		return false;
	}
	ret_line->device = (uint64_t)major << 32 | minor;
	return flags[3] == 's'; /* a private one of the same file holds other bytes */
}

/* Calls found for every shared mapping of a process. */
static int for_each_map(pid_t pid,
			void (*found)(struct dx_proof *proof, const struct map_line *line),
			struct dx_proof *proof)
{
	char path[64];
	char text[1024];
	FILE *file = NULL;
	struct map_line line;

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	file = fopen(path, "re");
	if (file == NULL) {
		return -errno;
	}
	while (fgets(text, sizeof(text), file) != NULL) {
		if (parse_line(text, &line) && line.inode != 0) {
			found(proof, &line);
		}
	}
	(void)fclose(file);
	return 0;
}

static void found_in_app(struct dx_proof *proof, const struct map_line *line)
{
	for (size_t i = 0; i < proof->nr_buffers; i++) {
		struct dx_proof_buffer *buffer = &proof->buffers[i];

		if (buffer->app_address >= line->start && buffer->app_address < line->end) {
			buffer->device = line->device;
			buffer->inode = line->inode;
		}
	}
}

static void found_in_driver(struct dx_proof *proof, const struct map_line *line)
{
	for (size_t i = 0; i < proof->nr_buffers; i++) {
		struct dx_proof_buffer *buffer = &proof->buffers[i];

		if (buffer->driver_address == 0 && buffer->inode == line->inode &&
		    buffer->device == line->device) {
			buffer->driver_address = line->start;
			proof->nr_shared++;
		}
	}
}

int dx_proof_take(pid_t app, pid_t driver, const uint64_t *addresses, size_t nr_addresses,
		  struct dx_proof *ret_proof)
{
	int result = 0;

	*ret_proof = (struct dx_proof){0};
	for (size_t i = 0; i < nr_addresses && i < 2 * DX_DEMO_MAX_BUFFERS; i++) {
		if (addresses[i] != 0) {
			ret_proof->buffers[ret_proof->nr_buffers++] = (struct dx_proof_buffer){
				.type = (uint32_t)i, .app_address = addresses[i]};
		}
	}
	result = for_each_map(app, found_in_app, ret_proof);
	if (result < 0) {
		return result;
	}
	return for_each_map(driver, found_in_driver, ret_proof);
}

/* Both kinds of switches of one thread. */
static uint64_t switches_of_thread(pid_t pid, const char *thread)
{
	char path[320];
	char text[256];
	FILE *file = NULL;
	uint64_t sum = 0;
	uint64_t value = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%s/status", (int)pid, thread);
	file = fopen(path, "re");
	if (file == NULL) {
		return 0;
	}
	while (fgets(text, sizeof(text), file) != NULL) {
		if (sscanf(text, "voluntary_ctxt_switches: %" SCNu64, &value) == 1 ||
		    sscanf(text, "nonvoluntary_ctxt_switches: %" SCNu64, &value) == 1) {
			sum += value;
		}
	}
	(void)fclose(file);
	return sum;
}

uint64_t dx_proof_switches(pid_t pid)
{
	char path[64];
	DIR *directory = NULL;
	uint64_t sum = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	directory = opendir(path);
	if (directory == NULL) {
		return 0;
	}
	for (;;) {
		struct dirent *entry = readdir(directory);

		if (entry == NULL) {
			break;
		}
		if (isdigit((unsigned char)entry->d_name[0])) {
			sum += switches_of_thread(pid, entry->d_name);
		}
	}
	(void)closedir(directory);
	return sum;
}

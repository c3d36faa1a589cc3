/* SPDX-License-Identifier: MIT
 *
 * areas - see areas.h.
 */
#include "client/areas.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define FILE_PATH "/memfd:" DX_AREA_FILE_NAME

struct reader {
	uint64_t low, high;
	struct dx_area *areas;
	size_t count;
	size_t capacity;
	bool inside; /* the last header was of an area that touches the range */
};

static int append(struct reader *reader, const struct dx_area *area)
{
	if (reader->count == reader->capacity) {
		size_t capacity = reader->capacity == 0 ? 8 : reader->capacity * 2;
		struct dx_area *areas = reallocarray(reader->areas, capacity, sizeof(*areas));

		if (areas == NULL) {
			return -ENOMEM;
		}
		reader->areas = areas;
		reader->capacity = capacity;
	}
	reader->areas[reader->count++] = *area;
	return 0;
}

static bool is_special(const char *name)
{
	return strncmp(name, "[stack", 6) == 0 || strncmp(name, "[v", 2) == 0;
}

/* "start-end rwxp offset major:minor inode   name". @return 1 past the range; 0; -errno. */
static int take_header(struct reader *reader, const char *line)
{
	struct dx_area area = {0};
	char flags[5] = "";
	uint64_t inode = 0;
	int name = 0;

	reader->inside = false;
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &area.start, &area.end, flags, &area.offset, &area.device_major,
		   &area.device_minor, &inode, &name) < 7) {
		return -EIO;
	}
	if (area.start >= reader->high) {
		return 1;
	}
	if (area.end <= reader->low) {
		return 0;
	}
	if (area.start < reader->low) {
		area.offset += inode == 0 ? 0 : reader->low - area.start;
		area.start = reader->low;
	}
	area.end = area.end > reader->high ? reader->high : area.end;
	area.inode = inode;
	area.readable = flags[0] == 'r';
	area.writable = flags[1] == 'w';
	area.executable = flags[2] == 'x';
	area.shared = flags[3] == 's';
	area.special = is_special(line + name);
	area.returned = !area.shared && strncmp(line + name, FILE_PATH, strlen(FILE_PATH)) == 0;
	reader->inside = true;
	return append(reader, &area);
}

/* "VmFlags: rd wr mr mw me ac sd" */
static void take_flags(struct dx_area *area, const char *line)
{
	for (const char *at = strchr(line, ' '); at != NULL; at = strchr(at + 1, ' ')) {
		if (strncmp(at, " lo", 3) == 0) {
			area->locked = true;
		} else if (strncmp(at, " dc", 3) == 0) {
			area->dontfork = true;
		} else if (strncmp(at, " dd", 3) == 0) {
			area->dontdump = true;
		} else if (strncmp(at, " hg", 3) == 0) {
			area->hugepage = true;
		} else if (strncmp(at, " nh", 3) == 0) {
			area->nohugepage = true;
		} else if (strncmp(at, " gd", 3) == 0 || strncmp(at, " io", 3) == 0 ||
			   strncmp(at, " pf", 3) == 0 || strncmp(at, " ht", 3) == 0 ||
			   strncmp(at, " wf", 3) == 0 || strncmp(at, " um", 3) == 0 ||
			   strncmp(at, " uw", 3) == 0) {
			/* Stacks, device memory, hugetlb, wiped on fork, under another userfaultfd. */
			area->special = true;
		}
	}
}

static int read_all(FILE *file, struct reader *reader)
{
	DX_CLEANUP_FREE char *line = NULL;
	size_t capacity = 0;
	int error = 0;

	while (error == 0 && getline(&line, &capacity, file) > 0) {
		/* Headers start with a lower-case hexadecimal digit, all else with a capital. */
		if (strchr("0123456789abcdef", line[0]) != NULL) {
			error = take_header(reader, line);
		} else if (reader->inside && strncmp(line, "VmFlags:", 8) == 0) {
			take_flags(&reader->areas[reader->count - 1], line);
		}
	}
	return error < 0 ? error : ferror(file) ? -EIO : 0;
}

static int read_file(const char *path, uint64_t low, uint64_t high, struct dx_area **ret_areas,
		     size_t *ret_count)
{
	struct reader reader = {.low = low, .high = high};
	FILE *file = fopen(path, "re");

	if (file == NULL) {
		return -errno;
	}
	int error = read_all(file, &reader);
	(void)fclose(file); /* only read */
	if (error < 0) {
		free(reader.areas);
		return error;
	}
	*ret_areas = reader.areas;
	*ret_count = reader.count;
	return 0;
}

int dx_areas_read(uint64_t low, uint64_t high, struct dx_area **ret_areas, size_t *ret_count)
{
	return read_file("/proc/self/smaps", low, high, ret_areas, ret_count);
}

int dx_areas_list(uint64_t low, uint64_t high, struct dx_area **ret_areas, size_t *ret_count)
{
	return read_file("/proc/self/maps", low, high, ret_areas, ret_count);
}

bool dx_areas_cover(const struct dx_area *areas, size_t count, uint64_t low, uint64_t high)
{
	uint64_t at = low;

	for (size_t i = 0; i < count && areas[i].start == at; i++) {
		at = areas[i].end;
	}
	return at >= high;
}

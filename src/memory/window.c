/* SPDX-License-Identifier: MIT
 *
 * window - a stretch of address space over a row of slices.
 *
 * Memory that we handed out for reading is sealed against new writable mappings, ours included.
 * mremap() with an old size of 0 makes a second mapping out of the one that we have: same pages,
 * same access, no new request to the file.
 */
#include "memory/window.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/check.h"
#include "memory/page.h"

/* A part of one slice, in the file. */
struct piece {
	struct dx_shm *shm;
	uint64_t offset;
	uint64_t length;
};

static int map_shared(const struct piece *piece, char *target, uint64_t file_offset,
		      uint64_t length, int protection)
{
	void *mapped = mmap(target, length, protection, MAP_SHARED | MAP_FIXED,
			    dx_shm_fd(piece->shm), (off_t)file_offset);

	return mapped == MAP_FAILED ? -errno : 0;
}

static int map_again(const struct piece *piece, char *target, uint64_t file_offset, uint64_t length)
{
	char *base = dx_shm_base(piece->shm);
	void *mapped;

	if (base == NULL) {
		return -ENOMEM;
	}
	mapped = mremap(base + file_offset, 0, length, MREMAP_MAYMOVE | MREMAP_FIXED, target);
	return mapped == MAP_FAILED ? -errno : 0;
}

static int map_piece(const struct piece *piece, char *target, unsigned flags)
{
	uint64_t in_page = dx_page_offset(piece->offset);
	uint64_t file_offset = piece->offset - in_page;
	enum dx_shm_access access = dx_shm_access(piece->shm);
	int result;

	if (access == DX_SHM_COPY || dx_shm_fd(piece->shm) < 0) {
		return -EOPNOTSUPP;
	}
	if ((flags & DX_WINDOW_READ_ONLY) != 0 || access == DX_SHM_READ) {
		return map_shared(piece, target, file_offset, in_page + piece->length, PROT_READ);
	}
	result = map_shared(piece, target, file_offset, in_page + piece->length,
			    PROT_READ | PROT_WRITE);
	if (result == -EPERM) {
		result = map_again(piece, target, file_offset, in_page + piece->length);
	}
	return result;
}

/* W1. On success the slices start at ret_window->region, behind the guard if there is one. */
static int reserve(uint64_t length, uintptr_t start, unsigned flags, struct dx_window *ret_window)
{
	uint64_t guard = (flags & DX_WINDOW_GUARDED) != 0 ? dx_page_size() : 0;
	int map_flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	uint64_t room = 0;
	char *region;

	if (dx_add_overflow(length, 2 * guard, &room)) {
		return -ENOMEM;
	}
	if ((flags & DX_WINDOW_FIXED) != 0) {
		map_flags |= MAP_FIXED_NOREPLACE;
	}
	region = mmap((void *)start, room, PROT_NONE, map_flags, -1, 0);
	if (region == MAP_FAILED) {
		return -errno;
	}
	if ((flags & DX_WINDOW_FIXED) != 0 && (uintptr_t)region != start) {
		(void)munmap(region, room); /* kernels before 4.17 take the address as a hint */
		return -EEXIST;
	}
	*ret_window = (struct dx_window){
		.region = region,
		.region_length = room,
		.address = region + guard,
	};
	return 0;
}

/* Cuts piece out of slice; *offset and *length count down what is left. */
static struct piece next_piece(const struct dx_slice *slice, uint64_t *offset, uint64_t *length)
{
	uint64_t rest = slice->length - *offset;
	struct piece piece = {
		.shm = slice->shm,
		.offset = slice->offset + *offset,
		.length = rest < *length ? rest : *length,
	};

	*offset = 0;
	*length -= piece.length;
	return piece;
}

static int map_row(const struct dx_slice *slices, uint64_t offset, uint64_t length, char *target,
		   unsigned flags)
{
	for (const struct dx_slice *slice = slices; length > 0; slice++) {
		bool is_first = slice == slices;
		struct piece piece = next_piece(slice, &offset, &length);
		uint64_t in_page = dx_page_offset(piece.offset);
		uint64_t end = in_page + piece.length;
		int result;

		if ((!is_first && in_page != 0) || (length > 0 && dx_page_offset(end) != 0)) {
			return -EINVAL; /* W2 */
		}
		result = map_piece(&piece, target, flags);
		if (result < 0) {
			return result;
		}
		target += end;
	}
	return 0;
}

int dx_window_map(const struct dx_slice *slices, size_t nr_slices, uint64_t offset, uint64_t length,
		  uintptr_t address, unsigned flags, struct dx_window *ret_window)
{
	struct dx_window window = {0};
	uint64_t in_page;
	uint64_t pages = 0;
	int result;

	while (nr_slices > 0 && offset >= slices->length) {
		offset -= slices->length;
		slices++;
		nr_slices--;
	}
	in_page = dx_page_offset(slices->offset + offset);
	if ((flags & DX_WINDOW_FIXED) != 0 && dx_page_offset(address) != in_page) {
		return -EINVAL;
	}
	if (dx_add_overflow(length, in_page, &pages) ||
	    !dx_align_up(pages, dx_page_size(), &pages)) {
		return -ENOMEM;
	}
	result = reserve(pages, (flags & DX_WINDOW_FIXED) != 0 ? address - in_page : 0, flags,
			 &window);
	if (result < 0) {
		return result;
	}
	result = map_row(slices, offset, length, window.address, flags);
	if (result < 0) {
		dx_window_unmap(&window);
		return result;
	}
	window.address += in_page;
	*ret_window = window;
	return 0;
}

void dx_window_unmap(struct dx_window *window)
{
	if (window->region != NULL) {
		(void)munmap(window->region, window->region_length); /* whole and ours */
	}
	*window = (struct dx_window){0};
}

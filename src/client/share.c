/* SPDX-License-Identifier: MIT
 *
 * share - see share.h.
 */
#include "client/share.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/mutex.h"
#include "client/areas.h"
#include "client/promote.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define PAGE		 UINT64_C(4096)
#define PRIVATISE_ROUNDS 8u /* against threads that change the areas meanwhile */

/* A file with memory of this process in it. */
struct record {
	struct dx_list node;
	int fd;
	ino_t inode;
	unsigned device_major;
	unsigned device_minor;
	bool promoted;	 /* pages of the program; else a slice of a driver's memory */
	uint64_t base;	 /* the address that belongs to offset */
	uint64_t length; /* promoted: bytes of the file */
	uint64_t offset; /* promoted: 0 */
	bool writable;
};

static struct {
	struct dx_mutex lock; /* order 70; guards: all below */
	struct dx_list records DX_GUARDED_BY(lock);
	uint32_t nr_promoted DX_GUARDED_BY(lock); /* files */
	uint32_t nr_holds DX_GUARDED_BY(lock);	  /* open connections */
	bool ready DX_GUARDED_BY(lock);
	int fork_pipe[2] DX_GUARDED_BY(lock); /* during a fork: read and write end, or -1 */
} registry = {.lock = DX_MUTEX_INIT, .fork_pipe = {-1, -1}};

static void record_free(struct record *record)
{
	dx_list_remove(&record->node);
	dx_fd_close(&record->fd);
	free(record);
}

/* True when the kernel shows the record's file in this area, at the offset that the record says. */
static bool shows(const struct dx_area *area, const struct record *record)
{
	return area->shared && area->inode == record->inode &&
	       area->device_major == record->device_major &&
	       area->device_minor == record->device_minor && area->start >= record->base &&
	       area->end <= record->base + record->length &&
	       area->offset - record->offset == area->start - record->base;
}

/* Whether the area is still as it was read: H6. */
static bool still_shows(const struct dx_area *area, const struct record *record)
{
	DX_CLEANUP_FREE struct dx_area *now = NULL;
	size_t count = 0;

	return dx_areas_list(area->start, area->end, &now, &count) == 0 && count == 1 &&
	       now[0].start == area->start && now[0].end == area->end && shows(&now[0], record);
}

/* An area that shows promoted pages becomes a private copy of them. It happens in one step, and
 * what was written before is in it. If it fails the pages stay shared, which the program cannot tell
 * by itself. @return false when the area has changed since it was read. */
static bool privatise(const struct record *record, const struct dx_area *area)
{
	int protection = (area->readable ? PROT_READ : 0) | (area->writable ? PROT_WRITE : 0) |
			 (area->executable ? PROT_EXEC : 0);

	if (!shows(area, record)) {
		return true;
	}
	if (!still_shows(area, record)) {
		return false;
	}
	void *start = (void *)(uintptr_t)area->start;
	size_t length = area->end - area->start;
	if (mmap(start, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, record->fd,
		 (off_t)area->offset) != MAP_FAILED) {
		/* A private page shows what others do to the file until it is written to: H5. */
		(void)madvise(start, length, MADV_POPULATE_WRITE);
		if (protection != (PROT_READ | PROT_WRITE)) {
			(void)mprotect(start, length, protection); /* as it was a moment ago */
		}
	}
	return true;
}

/* @return false when areas changed meanwhile: they are to be looked at again. */
static bool privatise_once(void) DX_REQUIRES(registry.lock)
{
	struct dx_area *areas = NULL;
	size_t count = 0;
	bool done = true;

	if (dx_areas_list(0, UINT64_MAX, &areas, &count) < 0) {
		return true;
	}
	dx_list_for_each(node, &registry.records) {
		const struct record *record = dx_list_entry(node, struct record, node);

		for (size_t i = 0; i < count && record->promoted; i++) {
			done &= privatise(record, &areas[i]);
		}
	}
	free(areas);
	return done;
}

/* All promoted pages. */
static void privatise_all(void) DX_REQUIRES(registry.lock)
{
	bool done = registry.nr_promoted == 0;

	for (unsigned i = 0; i < PRIVATISE_ROUNDS && !done; i++) {
		done = privatise_once();
	}
}

/* Fork: the lock is held across it, so that the child finds the list whole; the parent waits until the
 * child has its copies, or has ended (H4). */
static void before_fork(void) DX_NO_THREAD_SAFETY
{
	dx_mutex_lock(&registry.lock);
	if (registry.nr_promoted > 0 && pipe2(registry.fork_pipe, O_CLOEXEC) != 0) {
		registry.fork_pipe[0] = -1; /* without descriptors the parent does not wait */
		registry.fork_pipe[1] = -1;
	}
}

static void after_fork_in_parent(void) DX_NO_THREAD_SAFETY
{
	char nothing;

	dx_fd_close(&registry.fork_pipe[1]);
	while (registry.fork_pipe[0] >= 0 && read(registry.fork_pipe[0], &nothing, 1) < 0 &&
	       errno == EINTR) {
	}
	dx_fd_close(&registry.fork_pipe[0]);
	dx_mutex_unlock(&registry.lock);
}

static void after_fork_in_child(void) DX_NO_THREAD_SAFETY
{
	privatise_all();
	dx_fd_close(&registry.fork_pipe[0]);
	dx_fd_close(&registry.fork_pipe[1]);
	dx_mutex_unlock(&registry.lock);
}

static int prepare_locked(void) DX_REQUIRES(registry.lock)
{
	if (!registry.ready) {
		dx_list_init(&registry.records);
		if (pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) != 0) {
			return -ENOMEM;
		}
		registry.ready = true;
	}
	return 0;
}

static int identify(struct record *record)
{
	struct stat status;

	if (fstat(record->fd, &status) != 0) {
		return -errno;
	}
	record->inode = status.st_ino;
	record->device_major = major(status.st_dev);
	record->device_minor = minor(status.st_dev);
	return 0;
}

/* Only what keeps a host's mapping safe; the file may still grow with its neighbours. */
static int new_memfd(uint64_t length)
{
	DX_CLEANUP_FD int fd = memfd_create(DX_AREA_FILE_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || length > INT64_MAX || ftruncate(fd, (off_t)length) != 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
		return fd >= 0 && length > INT64_MAX ? -EFBIG : -errno;
	}
	return dx_take_fd(&fd);
}

int dx_share_memory(uint64_t length)
{
	return new_memfd(length);
}

int dx_share_write_file(int fd, uint64_t offset, const void *from, uint64_t length)
{
	for (uint64_t done = 0; done < length;) {
		/* The memory is the program's and may be no memory at all: asked of the kernel alone,
		 * without what sanitizers put around pwrite(). */
		ssize_t step = syscall(SYS_pwrite64, fd, (uintptr_t)from + done, length - done,
				       (off_t)(offset + done));

		if (step < 0 && errno != EINTR) {
			return -errno;
		}
		if (step == 0) {
			return -EIO;
		}
		done += step > 0 ? (uint64_t)step : 0;
	}
	return 0;
}

int dx_share_read_file(int fd, uint64_t offset, void *to, uint64_t length)
{
	for (uint64_t done = 0; done < length;) {
		/* to is the program's and may be anything, NULL too: no arithmetic on it as pointer. */
		void *place = (void *)((uintptr_t)to + done);
		ssize_t step = pread(fd, place, length - done, (off_t)(offset + done));

		if (step < 0 && errno != EINTR) {
			return -errno;
		}
		if (step == 0) {
			return -EIO;
		}
		done += step > 0 ? (uint64_t)step : 0;
	}
	return 0;
}

static bool is_range(uint64_t address, uint64_t length)
{
	uint64_t end = 0;

	return length > 0 && !dx_add_overflow(address, length, &end) && end <= INT64_MAX - PAGE;
}

int dx_share_snapshot(uint64_t address, uint64_t length)
{
	if (!is_range(address, length)) {
		return -EINVAL;
	}
	DX_CLEANUP_FD int fd = new_memfd(length);
	if (fd < 0) {
		return fd;
	}
	int error = dx_share_write_file(fd, 0, (const void *)(uintptr_t)address, length);
	return error < 0 ? error : dx_take_fd(&fd);
}

/* The record that the kernel shows in this area (H1). */
static struct record *record_of(const struct dx_area *area) DX_REQUIRES(registry.lock)
{
	dx_list_for_each(node, &registry.records) {
		struct record *record = dx_list_entry(node, struct record, node);

		if (shows(area, record)) {
			return record;
		}
	}
	return NULL;
}

/* Files of promoted memory that the program has unmapped hold pages for nobody: closed. */
static void sweep_locked(void) DX_REQUIRES(registry.lock)
{
	struct dx_area *areas = NULL;
	size_t count = 0;

	if (dx_areas_list(0, UINT64_MAX, &areas, &count) < 0) {
		return;
	}
	dx_list_for_each_safe(node, &registry.records) {
		struct record *record = dx_list_entry(node, struct record, node);
		bool used = !record->promoted;

		for (size_t i = 0; i < count && !used; i++) {
			used = record_of(&areas[i]) == record;
		}
		if (!used) {
			registry.nr_promoted -= 1;
			record_free(record);
		}
	}
	free(areas);
}

static bool in_own_stack(uint64_t low, uint64_t high)
{
	pthread_attr_t attributes;
	void *start = NULL;
	size_t size = 0;
	uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);
	bool inside = here >= low && here < high;

	if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
		if (pthread_attr_getstack(&attributes, &start, &size) == 0) {
			uint64_t base = (uint64_t)(uintptr_t)start;

			inside |= low < base + size && base < high;
		}
		(void)pthread_attr_destroy(&attributes); /* cannot fail */
	}
	return inside;
}

/* What each area allows: 0, or why not. *ret_file: the one file that shared areas are of. */
static int check_areas(const struct dx_area *areas, size_t count, bool writable,
		       struct record **ret_file) DX_REQUIRES(registry.lock)
{
	struct record *file = NULL;

	for (size_t i = 0; i < count; i++) {
		struct record *record = record_of(&areas[i]);

		if (record == NULL && (areas[i].special || areas[i].shared ||
				       (areas[i].inode != 0 && !areas[i].returned))) {
			return -EOPNOTSUPP;
		}
		if (!areas[i].readable || (writable && !areas[i].writable)) {
			return -EACCES;
		}
		if (record != NULL && file != NULL && record != file) {
			return -EOPNOTSUPP;
		}
		file = record == NULL ? file : record;
	}
	*ret_file = file;
	return 0;
}

static bool all_shared(const struct dx_area *areas, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!areas[i].shared) {
			return false;
		}
	}
	return true;
}

static int new_promoted_locked(uint64_t low, uint64_t high, struct record **ret_record)
	DX_REQUIRES(registry.lock)
{
	sweep_locked();
	if (registry.nr_promoted >= DX_MAX_GRANTS_PER_CLIENT) {
		return -ENOBUFS;
	}
	struct record *record = calloc(1, sizeof(*record));
	if (record == NULL) {
		return -ENOMEM;
	}
	dx_list_init(&record->node);
	record->promoted = true;
	record->writable = true;
	record->base = low > DX_SHARE_SLACK ? low - DX_SHARE_SLACK : 0;
	record->length = high - record->base;
	record->fd = new_memfd(record->length);
	int error = record->fd < 0 ? record->fd : identify(record);
	if (error < 0) {
		record_free(record);
		return error;
	}
	dx_list_push_back(&registry.records, &record->node);
	registry.nr_promoted += 1;
	*ret_record = record;
	return 0;
}

static int extend(struct record *record, uint64_t low, uint64_t high)
{
	if (low < record->base) {
		return -EOPNOTSUPP;
	}
	if (high - record->base > record->length) {
		if (ftruncate(record->fd, (off_t)(high - record->base)) != 0) {
			return -errno;
		}
		record->length = high - record->base;
	}
	return 0;
}

/* Promotes what is private of the areas, to the file of what is not, or to a new one. */
static int promote_locked(const struct dx_area *areas, size_t count, struct record **file)
	DX_REQUIRES(registry.lock)
{
	if (*file != NULL && !(*file)->promoted) {
		return -EOPNOTSUPP; /* a driver's memory does not grow */
	}
	uint64_t low = areas[0].start;
	uint64_t high = areas[count - 1].end;
	int error = *file == NULL ? new_promoted_locked(low, high, file) : extend(*file, low, high);
	return error < 0 ? error : dx_promote_areas((*file)->fd, (*file)->base, areas, count);
}

static uint64_t pages_to_promote(const struct dx_area *areas, size_t count)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		bytes += areas[i].shared ? 0 : areas[i].end - areas[i].start;
	}
	return bytes / PAGE;
}

static int share_areas_locked(const struct dx_area *areas, size_t count, uint64_t address,
			      bool writable, struct dx_shared_range *ret)
	DX_REQUIRES(registry.lock)
{
	struct record *file = NULL;
	int error = check_areas(areas, count, writable, &file);
	uint64_t pages = pages_to_promote(areas, count);

	if (error < 0) {
		return error;
	}
	if (!all_shared(areas, count)) {
		error = promote_locked(areas, count, &file);
		if (error < 0) {
			return error;
		}
	}
	if (writable && !file->writable) {
		return -EACCES;
	}
	int fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	*ret = (struct dx_shared_range){
		.fd = fd,
		.offset = address - file->base + file->offset,
		.pages_promoted = pages,
	};
	return 0;
}

static int share_locked(uint64_t address, uint64_t length, bool writable,
			struct dx_shared_range *ret) DX_REQUIRES(registry.lock)
{
	uint64_t low = address & ~(PAGE - 1);
	uint64_t high = (address + length + PAGE - 1) & ~(PAGE - 1);
	DX_CLEANUP_FREE struct dx_area *areas = NULL;
	size_t count = 0;
	int error = prepare_locked();

	if (error == 0) {
		error = dx_areas_read(low, high, &areas, &count);
	}
	if (error < 0) {
		return error;
	}
	if (!dx_areas_cover(areas, count, low, high)) {
		return -EFAULT;
	}
	return share_areas_locked(areas, count, address, writable, ret);
}

int dx_share_range(uint64_t address, uint64_t length, bool writable, struct dx_shared_range *ret)
{
	if (!is_range(address, length)) {
		return -EINVAL;
	}
	if (in_own_stack(address & ~(PAGE - 1), address + length)) {
		return -EOPNOTSUPP;
	}
	dx_mutex_lock(&registry.lock);
	int error = share_locked(address, length, writable, ret);
	dx_mutex_unlock(&registry.lock);
	return error;
}

static int add_mapping_locked(struct record *record) DX_REQUIRES(registry.lock)
{
	int error = prepare_locked();

	if (error == 0) {
		dx_list_push_back(&registry.records, &record->node);
	}
	return error;
}

int dx_share_add_mapping(uint64_t base, uint64_t length, int *fd, uint64_t offset, bool writable)
{
	struct record *record = calloc(1, sizeof(*record));

	if (record == NULL) {
		return -ENOMEM;
	}
	*record = (struct record){.fd = *fd,
				  .base = base,
				  .length = length,
				  .offset = offset,
				  .writable = writable};
	dx_list_init(&record->node);
	int error = identify(record);
	if (error == 0) {
		dx_mutex_lock(&registry.lock);
		error = add_mapping_locked(record);
		dx_mutex_unlock(&registry.lock);
	}
	if (error < 0) {
		free(record);
		return error;
	}
	*fd = -1;
	return 0;
}

void dx_share_remove_mapping(uint64_t base)
{
	dx_mutex_lock(&registry.lock);
	if (registry.ready) {
		dx_list_for_each_safe(node, &registry.records) {
			struct record *record = dx_list_entry(node, struct record, node);

			if (!record->promoted && record->base == base) {
				record_free(record);
			}
		}
	}
	dx_mutex_unlock(&registry.lock);
}

void dx_share_hold(void)
{
	dx_mutex_lock(&registry.lock);
	registry.nr_holds += 1;
	dx_mutex_unlock(&registry.lock);
}

void dx_share_release(void)
{
	dx_mutex_lock(&registry.lock);
	registry.nr_holds -= 1;
	if (registry.nr_holds == 0 && registry.nr_promoted > 0) {
		privatise_all();
		dx_list_for_each_safe(node, &registry.records) {
			struct record *record = dx_list_entry(node, struct record, node);

			if (record->promoted) {
				record_free(record);
			}
		}
		registry.nr_promoted = 0;
	}
	dx_mutex_unlock(&registry.lock);
}

/* The end of the mapping of a driver's memory that holds address; address itself if none does. */
static uint64_t end_of_mapping(uint64_t address) DX_REQUIRES(registry.lock)
{
	dx_list_for_each(node, &registry.records) {
		const struct record *record = dx_list_entry(node, struct record, node);

		if (!record->promoted && address >= record->base &&
		    address - record->base < record->length) {
			return record->base + record->length;
		}
	}
	return address;
}

uint64_t dx_share_room(uint64_t address)
{
	uint64_t end = address;

	dx_mutex_lock(&registry.lock);
	for (uint64_t next = registry.ready ? end_of_mapping(end) : end; next != end;
	     next = end_of_mapping(end)) {
		end = next;
	}
	dx_mutex_unlock(&registry.lock);
	return end == address ? UINT64_MAX : end - address;
}

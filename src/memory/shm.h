/* SPDX-License-Identifier: MIT
 *
 * shm - pages that two processes can share: one memfd, counted references.
 *
 * Place:      memory; below descriptors and mappings.
 * Invariants:
 *   M1  what we made is sealed against shrinking and growing from the start, so that no holder of
 *       the descriptor can turn an access of ours into SIGBUS by changing its size.
 *   M2  a descriptor that was handed out takes no further seals; one handed out for reading cannot
 *       be written through, by any way to open it again, while our own mapping stays writable.
 *   M3  memory is handed out for reading only or for writing only, never both: a seal holds for
 *       every holder at once.
 *   M4  what came from a peer is mapped only after its kind, size and seals were checked.
 * Trust:      contents may change at any time once handed out or imported. Holes that a peer
 *             punches in shared pages read as zeros.
 * Owner:      counted references (dx_object_ref/unref work too).
 * Threads:    any.
 */
#ifndef DX_MEMORY_SHM_H
#define DX_MEMORY_SHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/object.h"
#include "memory/quota.h"

struct dx_shm;

extern const struct dx_class dx_shm_class;

enum {
	DX_SHM_PREALLOCATE = 1, /* all pages now; else the first access or dx_shm_prepare() */
	DX_SHM_HUGE = 2,	/* ask for transparent huge pages; harmless where there are none */
};

struct dx_shm_options {
	const char *name;	       /* seen in /proc/PID/maps; NULL: "opendext" */
	uint64_t length;	       /* bytes, at least 1 */
	uint64_t alignment;	       /* of our own address: 0, or a power of two up to 1 GiB */
	unsigned flags;		       /* DX_SHM_* */
	struct dx_memory_quota *quota; /* charged with the size in whole pages; may be NULL */
};

/*
 * New zeroed memory, mapped for reading and writing.
 * @return 0; -EINVAL length 0 or a wrong alignment; -EDQUOT; -EFBIG over the file size limit of
 *         the process, whose signal SIGXFSZ the program must ignore; -ENOSPC or -ENOMEM when
 *         preallocation finds no pages or there is no address space; -EMFILE.
 */
int dx_shm_new(const struct dx_shm_options *options, struct dx_shm **ret_shm);

/*
 * Memory without a file: it can be used here, and neither handed out nor mapped again. *base, whole
 * pages from mmap(), is taken over on success and unmapped at the end.
 * @return 0; -EINVAL length 0; -EDQUOT; -ENOMEM.
 */
int dx_shm_adopt(void **base, uint64_t length, struct dx_memory_quota *quota,
		 struct dx_shm **ret_shm);

enum dx_shm_access {
	DX_SHM_READ,  /* shared, our side cannot write */
	DX_SHM_WRITE, /* shared, both sides write */
	DX_SHM_COPY,  /* our writes stay ours; pages we have not written still show the peer's */
};

/*
 * Memory of a peer. Takes *fd on success and leaves -1; mapped at the first dx_shm_base().
 * @param min_length  bytes that the file must have; its own size counts afterwards.
 * @return 0; -EPROTO for what is no memfd or tmpfs file, is shorter, may shrink, or has huge pages
 *         that a peer could take away; -EPERM for writing to what is sealed against it; -ENOMEM.
 */
int dx_shm_import(int *fd, uint64_t min_length, enum dx_shm_access access, struct dx_shm **ret_shm);

/* NULL is allowed in both. unref returns NULL. */
struct dx_shm *dx_shm_ref(struct dx_shm *shm);
struct dx_shm *dx_shm_unref(struct dx_shm *shm);

/*
 * Gives the descriptor to send to a peer, sealed for it (M2, M3). It stays ours; send it with
 * dx_fdpass_send().
 * @return the descriptor; -EPERM after a hand-out of the other kind, for imported memory
 *         that does not allow it, or for memory without a file.
 */
int dx_shm_handout(struct dx_shm *shm, bool read_only);

/* The first byte in our address space; maps imported memory. NULL without address space. */
void *dx_shm_base(struct dx_shm *shm);
/*
 * Whether a part of it is best reached through dx_shm_base(): our own memory, which is mapped
 * anyway, and private copies, which must be one mapping. The file of a peer may be as sparse as its
 * address space is; of it only what is used is mapped.
 */
bool dx_shm_maps_whole(const struct dx_shm *shm);
/* Bytes of the file: whole pages for our own. */
uint64_t dx_shm_size(const struct dx_shm *shm);
enum dx_shm_access dx_shm_access(const struct dx_shm *shm);
/* The inode number, the same at both ends (/proc/PID/maps). 0 if it cannot be read. */
uint64_t dx_shm_inode(const struct dx_shm *shm);
/* For mmap only; borrowed. */
int dx_shm_fd(const struct dx_shm *shm);

/*
 * Allocates pages up to offset + length, from where the last call ended, so that later accesses
 * cannot fail for lack of memory (unless a peer punches holes).
 * @return 0; -EINVAL outside the memory; -ENOMEM more than the machine has; -ENOSPC.
 */
int dx_shm_prepare(struct dx_shm *shm, uint64_t offset, uint64_t length);

#endif

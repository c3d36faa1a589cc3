/* SPDX-License-Identifier: MIT
 *
 * shared - words that live in memory which another process may write.
 *
 * Place:      base. A struct dx_shared_* cannot be used in a plain expression, so every access is
 *             one of the loads and stores below.
 * Invariants:
 *   S1  a shared word is loaded once into a local; the local is checked and used.
 *   S2  a word that we publish is never read back.
 * Threads:    any; each load and store names its order, each call site its partner.
 */
#ifndef DX_BASE_SHARED_H
#define DX_BASE_SHARED_H

#include <stdatomic.h>
#include <stdint.h>

struct dx_shared_u32 {
	_Atomic uint32_t word_;
};

struct dx_shared_u64 {
	_Atomic uint64_t word_;
};

_Static_assert(sizeof(struct dx_shared_u32) == 4, "a futex word");
_Static_assert(sizeof(struct dx_shared_u64) == 8, "plain 64 bits");

#define dx_shared_load_relaxed(field) atomic_load_explicit(&(field)->word_, memory_order_relaxed)
#define dx_shared_load_acquire(field) atomic_load_explicit(&(field)->word_, memory_order_acquire)
#define dx_shared_store_relaxed(field, value) \
	atomic_store_explicit(&(field)->word_, (value), memory_order_relaxed)
#define dx_shared_store_release(field, value) \
	atomic_store_explicit(&(field)->word_, (value), memory_order_release)

/* The full fence between "store mine" and "load yours" of the publish-and-park protocol. */
#define dx_fence_seq_cst() atomic_thread_fence(memory_order_seq_cst)

/* This line of memory, which another CPU read last, is going to be written: fetch it for that while
 * something else is done. A hint; any address. */
static inline void dx_expect_write(const void *address)
{
#if defined(__x86_64__)
	/* The builtin asks for a copy to read unless the compiler may assume more of the CPU. */
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)address));
#else
	__builtin_prefetch(address, 1);
#endif
}

/* The same for reading what another CPU wrote last. */
static inline void dx_expect_read(const void *address)
{
	__builtin_prefetch(address, 0);
}

#endif

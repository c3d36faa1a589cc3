/* SPDX-License-Identifier: MIT
 *
 * layout - every byte that the two ends of a connection share.
 *
 * Place:   channel. Only the files of this room include it; users see channel.h.
 *
 * D, written by the driver, read by the application (sealed FUTURE_WRITE|SHRINK|GROW|SEAL):
 *
 *   offset  bytes  what
 *        0     64  header: magic, version, sizes (constant after open)
 *       64     64  d_wait: parking epoch, odd = asleep; d_cpu: where the driver last ran
 *      128     64  alive: robust futex word
 *      192     64  cq_tail: notification entries published
 *      256     64  cq_blocked: epoch, odd = entries wait in the driver for room in the ring
 *      320    704  zero
 *     1024   3072  16 answer records of 192 bytes; the first line of each holds its state word
 *     4096  24576  128 notification entries of 192 bytes; at most 4 arguments need one line
 *    28672  65536  16 x 4096 answer bytes, one page per slot
 *    94208         end
 *
 * A, written by the application, read by the driver (sealed SHRINK|GROW|SEAL):
 *
 *        0     64  header: magic, version (written by the driver before it maps read-only)
 *       64     64  a_wait, cq_event: notification parking epoch and the index that must be woken
 *      128     64  cq_head: notification entries taken
 *      192     64  zero
 *      256    256  32 submission entries of 8 bytes: sequence number << 32 | kind << 8 | slot
 *      512   3584  zero
 *     4096   4096  16 request records of 256 bytes; a call with 16 scalars needs three lines
 *     8192  65536  16 x 4096 request bytes, one page per slot
 *    73728         end
 *
 * Invariants:
 *   Y1  one side writes a memfd; the other has no writable mapping of it and cannot get one (D),
 *       or never makes one (A).
 *   Y2  a submission entry is one atomic 64-bit word that carries its own sequence number, so
 *       there is no submission index to believe: entry i is valid when it says i + 1.
 *   Y3  state, cq_tail and alive are futex words; all are in the first page of D.
 *   Y4  a client that only made scalar calls uses one page of D and two pages of A.
 */
#ifndef DX_CHANNEL_LAYOUT_H
#define DX_CHANNEL_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/shared.h"

#define DX_LAYOUT_MAGIC_D 0x31444444u /* "DDD1" */
#define DX_LAYOUT_MAGIC_A 0x31414444u /* "DDA1" */
#define DX_LAYOUT_VERSION 2u

#define DX_LAYOUT_PAGE    4096u
#define DX_LAYOUT_SLOTS   DX_MAX_CALL_SLOTS
#define DX_LAYOUT_SQ_SIZE 32u /* at most one entry per slot is ever unconsumed */
#define DX_LAYOUT_CQ_SIZE 128u
#define DX_LAYOUT_CQ_ARGS 16u

/* Low bits of a state word; the rest is the turn that the application gave its submission. */
#define DX_LAYOUT_STATUS_BITS 2u
#define DX_LAYOUT_STATUS_MASK 3u
#define DX_LAYOUT_STATUS_DONE 1u
#define DX_LAYOUT_STATUS_ASK  2u
#define DX_LAYOUT_TURN_MASK   0x3fffffffu

/* Kinds of a submission entry. */
#define DX_LAYOUT_SUBMIT_CALL  1u
#define DX_LAYOUT_SUBMIT_REPLY 2u /* has more */
#define DX_LAYOUT_SUBMIT_LONG  3u /* a call that has more */

/* a_wait: bit 0 armed, bit 1 wake through the socket instead of the futex, the rest an epoch. */
#define DX_LAYOUT_WAIT_ARMED  1u
#define DX_LAYOUT_WAIT_SOCKET 2u
#define DX_LAYOUT_WAIT_EPOCH  4u

struct dx_layout_header {
	struct dx_shared_u32 magic;
	struct dx_shared_u32 version;
	struct dx_shared_u32 size_d;
	struct dx_shared_u32 size_a;
	struct dx_shared_u32 nr_slots;
	struct dx_shared_u32 cq_size;
	uint32_t zero_[10];
};

/* An answer, or a question to the caller while the call goes on. Written before state. */
struct dx_layout_answer {
	struct dx_shared_u32 state; /* futex word: turn << 2 | status */
	int32_t result;
	uint32_t nr_scalars;
	uint32_t nr_bytes;
	uint64_t value;
	union {
		uint64_t scalars[DX_MAX_SCALARS];
		struct {
			uint32_t kind;
			uint32_t flags;
			uint64_t id;
			uint64_t address;
			uint64_t length;
		} ask;
	};
	uint8_t zero_[40];
};

struct dx_layout_note {
	uint32_t seq; /* index + 1 */
	uint32_t kind;
	uint64_t tag;
	int32_t result;
	uint32_t nr_args;
	uint64_t args[DX_LAYOUT_CQ_ARGS];
	uint8_t zero_[40];
};

struct dx_layout_d {
	struct dx_layout_header header;
	struct dx_shared_u32 d_wait;
	struct dx_shared_u32 d_cpu;
	uint8_t zero1_[56];
	struct dx_shared_u32 alive;
	uint8_t zero2_[60];
	struct dx_shared_u32 cq_tail;
	uint8_t zero3_[60];
	struct dx_shared_u32 cq_blocked;
	uint8_t zero4_[60];
	uint8_t zero5_[704];
	struct dx_layout_answer answers[DX_LAYOUT_SLOTS];
	struct dx_layout_note notes[DX_LAYOUT_CQ_SIZE];
	uint8_t bytes[DX_LAYOUT_SLOTS][DX_MAX_INLINE_BYTES];
};

/* Copied as a whole into private memory before anything in it is looked at. */
struct dx_layout_request_fields {
	uint32_t turn;
	uint32_t kind;
	uint32_t flags;
	uint32_t nr_scalars;
	uint32_t nr_bytes;
	uint32_t max_scalars;
	uint64_t selector;
	uint64_t tag;
	uint64_t max_bytes;
};

/* The same, for submissions that have it. */
struct dx_layout_request_more {
	uint64_t in_address;
	uint64_t in_length;
	uint64_t out_address;
	uint64_t out_length;
	uint64_t reply_value;
	int32_t reply_status;
	uint32_t zero_;
};

struct dx_layout_request {
	struct dx_shared_u32 a_wait; /* 1: the caller sleeps on its state word */
	struct dx_shared_u32 a_cpu;  /* where the caller ran when it submitted; a hint */
	struct dx_layout_request_fields fields;
	uint64_t scalars[DX_MAX_SCALARS]; /* ends with the third line */
	struct dx_layout_request_more more;
	uint8_t zero_[24];
};

struct dx_layout_a {
	struct dx_layout_header header;
	struct dx_shared_u32 a_wait;
	struct dx_shared_u32 cq_event;
	uint8_t zero1_[56];
	struct dx_shared_u32 cq_head;
	uint8_t zero2_[60];
	uint8_t zero3_[64];
	struct dx_shared_u64 sq[DX_LAYOUT_SQ_SIZE];
	uint8_t zero4_[3584];
	struct dx_layout_request requests[DX_LAYOUT_SLOTS];
	uint8_t bytes[DX_LAYOUT_SLOTS][DX_MAX_INLINE_BYTES];
};

_Static_assert(sizeof(struct dx_layout_header) == 64, "one line");
_Static_assert(sizeof(struct dx_layout_answer) == 192, "three lines");
_Static_assert(offsetof(struct dx_layout_answer, scalars) == 24, "first scalars beside the state");
_Static_assert(sizeof(struct dx_layout_note) == 192, "three lines");
_Static_assert(offsetof(struct dx_layout_note, args[4]) <= 64, "four arguments in one line");
_Static_assert(sizeof(struct dx_layout_request_fields) == 48, "no padding");
_Static_assert(sizeof(struct dx_layout_request_more) == 48, "no padding");
_Static_assert(offsetof(struct dx_layout_request, more) <= 192, "scalars in three lines");
_Static_assert(sizeof(struct dx_layout_request) == 256, "four lines");
_Static_assert(offsetof(struct dx_layout_d, d_wait) == 64, "byte map");
_Static_assert(offsetof(struct dx_layout_d, alive) == 128, "byte map");
_Static_assert(offsetof(struct dx_layout_d, cq_tail) == 192, "byte map");
_Static_assert(offsetof(struct dx_layout_d, cq_blocked) == 256, "byte map");
_Static_assert(offsetof(struct dx_layout_d, answers) == 1024, "byte map");
_Static_assert(offsetof(struct dx_layout_d, notes) == 4096, "byte map");
_Static_assert(offsetof(struct dx_layout_d, bytes) == 28672, "byte map");
_Static_assert(sizeof(struct dx_layout_d) == 94208, "byte map");
_Static_assert(offsetof(struct dx_layout_a, a_wait) == 64, "byte map");
_Static_assert(offsetof(struct dx_layout_a, cq_head) == 128, "byte map");
_Static_assert(offsetof(struct dx_layout_a, sq) == 256, "byte map");
_Static_assert(offsetof(struct dx_layout_a, requests) == 4096, "byte map");
_Static_assert(offsetof(struct dx_layout_a, bytes) == 8192, "byte map");
_Static_assert(sizeof(struct dx_layout_a) == 73728, "byte map");
_Static_assert(DX_LAYOUT_SQ_SIZE >= 2 * DX_LAYOUT_SLOTS, "no entry is overwritten unconsumed");

/* True when a step of an index from old to new_index passes event (all free-running). */
static inline int dx_layout_need_event(uint32_t event, uint32_t new_index, uint32_t old)
{
	return (uint32_t)(new_index - event - 1u) < (uint32_t)(new_index - old);
}

#endif

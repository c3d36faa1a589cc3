/* SPDX-License-Identifier: MIT
 *
 * loop - a loopback: what goes OUT comes back IN, packet ends included.
 *
 * Place:      backend/virtual, under described.c.
 * Invariants:
 *   L1  Bytes leave in the order in which they came; a short packet or zero-length packet on the OUT
 *       side ends the IN transfer that receives its last byte, and no other packet does.
 *   L2  Bytes are in the FIFO only when no IN transfer was pending at the time; while it holds any,
 *       it is emptied before OUT data is copied directly.
 *   L3  used <= size, nr_ends <= DX_LOOP_ENDS; what does not fit stays in the driver's buffer (NAK).
 */
#ifndef DX_BACKEND_VIRTUAL_LOOP_H
#define DX_BACKEND_VIRTUAL_LOOP_H

#include "backend/virtual/model.h"

#define DX_LOOP_ENDS 256u

struct dx_loopback {
	struct dx_virtual_endpoint *out;
	struct dx_virtual_endpoint *in;
	uint32_t size;
	uint64_t head;	 /* stream position of the first byte in the FIFO */
	uint64_t tail;	 /* behind the last one */
	uint32_t first_end;
	uint32_t nr_ends;
	uint64_t ends[DX_LOOP_ENDS]; /* stream positions where a transfer ended short */
	uint64_t bytes_direct; /* copied from buffer to buffer */
	uint64_t bytes_fifo;   /* copied twice */
	uint8_t fifo[];
};

/* NULL without memory. */
struct dx_loopback *dx_loopback_new(uint32_t fifo_bytes);
/* Moves what can be moved. @return true if anything has. */
bool dx_loopback_pump(struct dx_loopback *loop);

#endif

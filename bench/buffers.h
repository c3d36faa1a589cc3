/* SPDX-License-Identifier: MIT
 *
 * buffers - the rows about buffers that go through a driver to a device and come back.
 */
#ifndef DX_BENCH_BUFFERS_H
#define DX_BENCH_BUFFERS_H

#include "run.h"

/* G7a, and that the cost grows with the bytes. */
void bench_buffers(struct bench *bench);

#endif

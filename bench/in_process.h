/* SPDX-License-Identifier: MIT
 *
 * in_process - the same virtual device without driver process and application.
 */
#ifndef DX_BENCH_IN_PROCESS_H
#define DX_BENCH_IN_PROCESS_H

#include <stdint.h>

/* @return 0, or -1 after a line on standard error. */
int in_process_start(void);
void in_process_stop(void);
/* Nanoseconds per buffer of bytes to the sink, at that queue depth. */
double in_process_buffer_ns(uint32_t bytes, unsigned depth, unsigned ms);

#endif

/* SPDX-License-Identifier: MIT
 *
 * calls - the rows about scalar calls, and how a call is timed.
 */
#ifndef DX_BENCH_CALLS_H
#define DX_BENCH_CALLS_H

#include "run.h"

/* One call of the driver, 16 scalars in and out. Ends the program when it fails. */
void calls_scalars(io_connect_t connect);
/* Median of calls with a pause of gap_us before each, over about ms milliseconds; their 99th percentile
 * when it is wanted. In nanoseconds, the clock included. */
double calls_ns(io_connect_t connect, unsigned ms, unsigned gap_us, double *ret_p99);
/* Mean of calls one after the other, without a clock between them. */
double calls_hot_ns(io_connect_t connect, unsigned ms);

void bench_hot_calls(struct bench *bench);         /* G1 */
void bench_cold_calls(struct bench *bench);        /* G4; needs sleepers_start */
void bench_paced_calls(struct bench *bench);       /* G5 */
void bench_calls_on_one_core(struct bench *bench); /* G6 */

#endif

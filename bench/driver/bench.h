/* SPDX-License-Identifier: MIT
 *
 * bench - what the driver of the benchmarks and its applications have agreed on.
 */
#ifndef DX_BENCH_BENCH_H
#define DX_BENCH_BENCH_H

#define BENCH_SERVICE	  "Bench"    /* on IOUserResources */
#define BENCH_USB	  "BenchUsb" /* on 0525:a4a0, as a sink */
#define BENCH_MAX_BUFFERS 2048u
#define BENCH_NR_SLOTS	  32u /* at most as many are in flight */
#define BENCH_SLOT_BYTES  65536u

enum bench_selector {
	BENCH_SCALARS,	/* 16 in, the same 16 out */
	BENCH_ALLOCATE, /* in: bytes; out: memory type of the new buffer */
	BENCH_RELEASE,	/* all buffers */
	BENCH_BLOCK,	/* does not return within a minute */
	BENCH_PID,	/* out */
	BENCH_JOIN,	/* async, BenchUsb: fires for each buffer with its slot */
	BENCH_SEND,	/* in: first slot, how many, bytes of each; BenchUsb */
	BENCH_NR_SELECTORS,
};

#endif

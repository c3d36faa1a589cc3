/* SPDX-License-Identifier: MIT
 *
 * system - a broker with the driver of the benchmarks, and what /proc says of its processes.
 */
#ifndef DX_BENCH_SYSTEM_H
#define DX_BENCH_SYSTEM_H

#include <stdint.h>
#include <sys/types.h>

#include <IOKit/IOKitLib.h>

/* Starts dextd with Bench.dext and a virtual device (OPENDEXT_BENCH_*). Ends the program when that
 * fails. */
void system_start(void);
void system_stop(void);
pid_t system_broker(void);
/* Waits for the service and opens it. */
io_connect_t system_open(const char *name);
pid_t system_host(io_connect_t connect);
/* Limits all threads of a process to these CPUs; 0: all. */
void system_pin(pid_t pid, uint64_t mask);
/* Sum over all threads. */
uint64_t system_switches(pid_t pid);
/* User and system time, in nanoseconds. */
uint64_t system_cpu_ns(pid_t pid);
/* Memory of the whole machine that is neither free nor page cache of files, in bytes. */
int64_t system_memory_used(void);

#endif

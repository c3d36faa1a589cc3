/* SPDX-License-Identifier: MIT
 *
 * demo_report - the end of `dext demo`: what was measured, for people or as JSON.
 *
 * Place:   tools.
 */
#ifndef DX_TOOLS_DEMO_REPORT_H
#define DX_TOOLS_DEMO_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "demo_link.h"
#include "demo_proof.h"

struct dx_demo_report {
	const char *file;
	const char *device;
	uint32_t nr_buffers, size, depth;
	pid_t app, driver;
	struct dx_demo_result result;
	struct dx_proof proof;
	int proof_error;
	/* During the second pass, as the kernel counts. */
	uint64_t app_switches, driver_switches;
	uint64_t app_system_calls, driver_system_calls;
	int counts_error; /* why the system calls were not counted; 0: they were */
};

/* Bytes of buffers that were copied on the way: what is counted beyond the arguments of calls. */
uint64_t dx_report_copied(const struct dx_demo_pass *pass);
/* NULL when the hashes agree, nothing was copied and every buffer is shared; else which is not so. */
const char *dx_report_fault(const struct dx_demo_report *report);
void dx_report_print(const struct dx_demo_report *report, bool verbose);
void dx_report_print_json(const struct dx_demo_report *report);

#endif

/* SPDX-License-Identifier: MIT
 *
 * demo_proof - evidence from the kernel that two processes share pages, and what they cost.
 *
 * Place:      tools; reads /proc/PID/maps and /proc/PID/task, asks neither process.
 */
#ifndef DX_TOOLS_DEMO_PROOF_H
#define DX_TOOLS_DEMO_PROOF_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "demo_link.h"

/* One buffer, as both processes have it. */
struct dx_proof_buffer {
	uint32_t type;   /* memory type */
	uint64_t device; /* of the memfd's file system */
	uint64_t inode;  /* 0: not found in the application */
	uint64_t app_address;
	uint64_t driver_address; /* 0: the driver maps no page of that inode */
};

struct dx_proof {
	struct dx_proof_buffer buffers[2 * DX_DEMO_MAX_BUFFERS];
	size_t nr_buffers;
	size_t nr_shared;
};

/*
 * Looks the addresses (by memory type, 0: none) up in both maps.
 * @return 0, or the negative errno of the maps that could not be read.
 */
int dx_proof_take(pid_t app, pid_t driver, const uint64_t *addresses, size_t nr_addresses,
		  struct dx_proof *ret_proof);

/* Context switches of all threads so far, voluntary and not. 0 when it cannot be read. */
uint64_t dx_proof_switches(pid_t pid);

#endif

/* SPDX-License-Identifier: MIT
 *
 * loss - what driver and applications of the loss test have agreed on.
 *
 * Each application puts numbered packets into its slots; the driver sends all of them through one
 * pipe, the device sends them back, and the driver tells each application what came back.
 */
#ifndef DX_TESTS_PROCESS_LOSS_H
#define DX_TESTS_PROCESS_LOSS_H

#include <stdint.h>

#define LOSS_SERVICE	 "Loss"
#define LOSS_MAGIC	 0x4c4f5353u
#define LOSS_MAX_CLIENTS 8u
#define LOSS_NR_SLOTS	 64u
#define LOSS_PACKET	 64u
#define LOSS_NR_IN	 64u

enum loss_selector {
	LOSS_JOIN,   /* async: the completion that fires for each packet; out: number of the client */
	LOSS_SEND,   /* in: first slot, how many */
	LOSS_NR_SELECTORS,
};

struct loss_packet {
	uint32_t magic;
	uint32_t client;
	uint64_t number;
	uint64_t mix; /* loss_mix() */
	uint8_t rest[LOSS_PACKET - 24];
};

/* Another value for each client and number. */
static inline uint64_t loss_mix(uint32_t client, uint64_t number)
{
	uint64_t word = (number << 3 | client) * 0x9e3779b97f4a7c15ull;

	return word ^ word >> 29;
}

#endif

/* SPDX-License-Identifier: MIT
 *
 * scsi - a direct-access block device over a file: what a command means.
 *
 * Place:      backend/virtual, under mass_storage.c, which moves the bytes.
 * Invariants:
 *   S1  A plan never reaches outside [0, nr_blocks) of the file, whatever the command says.
 *   S2  A command that fails has sense data, which REQUEST SENSE gives once.
 *   S3  Nothing is written to a file that is read-only, whatever the command says.
 * Trust:      the command block is the driver's and hostile; it is a private copy, parsed once.
 * Threads:    B1. Reads, writes and flushes of the file happen here and may wait for its disk.
 */
#ifndef DX_BACKEND_VIRTUAL_SCSI_H
#define DX_BACKEND_VIRTUAL_SCSI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DX_SCSI_COMMAND_MAX 16u
#define DX_SCSI_ANSWER_MAX  256u

struct dx_scsi {
	int fd; /* owned by the model */
	uint32_t block_bytes;
	uint64_t nr_blocks;
	bool read_only;
	bool removable;
	bool ejected;
	bool changed; /* loaded again: the next command that needs the medium hears it, once */
	bool locked; /* PREVENT ALLOW MEDIUM REMOVAL */
	char serial[32];
	uint8_t sense_key;
	uint8_t sense_code; /* ASC */
	uint8_t sense_qualifier;
};

enum dx_scsi_kind {
	DX_SCSI_NO_DATA = 0,
	DX_SCSI_ANSWER,  /* to the host, out of answer[] */
	DX_SCSI_READ,    /* to the host, out of the file */
	DX_SCSI_WRITE,   /* from the host, into the file */
	DX_SCSI_COMPARE, /* from the host, to be equal to the file */
};

/* What a command wants to be done. */
struct dx_scsi_plan {
	enum dx_scsi_kind kind;
	bool failed; /* no data then; sense is set */
	uint64_t length;
	uint64_t offset; /* in the file */
	uint8_t answer[DX_SCSI_ANSWER_MAX];
};

/* Runs a command without data, or says which data it moves. bytes: a private copy. */
void dx_scsi_start(struct dx_scsi *scsi, const uint8_t *bytes, size_t length, uint8_t unit,
		   struct dx_scsi_plan *ret_plan);
/*
 * The next part of the data, `at` bytes from its beginning, straight from or to the transfer.
 * @return 0; -EIO: sense is set.
 */
int dx_scsi_move(struct dx_scsi *scsi, const struct dx_scsi_plan *plan, uint64_t at, uint8_t *data,
		 uint32_t length);

#endif

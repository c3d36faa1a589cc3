/* SPDX-License-Identifier: MIT
 *
 * private - what the files of the script share; see script.h.
 */
#ifndef DX_BACKEND_REPLAY_PRIVATE_H
#define DX_BACKEND_REPLAY_PRIVATE_H

#include "backend/replay/script.h"

/* backend_words of a transfer in a queue. */
enum {
	DX_WORD_SUBMITTED_NS = 0,
	DX_WORD_ITEM = 1, /* 1 + index of the recorded transfer that ends it; 0: none yet */
};

/* P3 */
__attribute__((format(printf, 3, 4))) void dx_script_diverge(struct dx_script *script, uint32_t packet,
							     const char *format, ...);
/* The number by which a person finds it. */
uint32_t dx_recorded_packet(const struct dx_recorded_transfer *recorded);

/* Matches what the driver sends; marks what it meets as past. False: it has its result. control.c,
 * stream.c. */
bool dx_script_submit_control(struct dx_script *script, struct dx_usb_transfer *transfer);
bool dx_script_submit_out(struct dx_script *script, struct dx_lane *lane,
			  struct dx_usb_transfer *transfer);
/* Copies what the item has for it. @return true: the transfer is at its end. */
bool dx_script_play_in(struct dx_script *script, struct dx_lane *lane,
		       struct dx_usb_transfer *transfer);
void dx_script_play_iso(struct dx_script *script, struct dx_lane *lane,
			struct dx_usb_transfer *transfer);
/* P4 */
bool dx_setup_is_unordered(const uint8_t *setup);

#endif

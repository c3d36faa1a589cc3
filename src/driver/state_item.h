/* SPDX-License-Identifier: MIT
 *
 * state_item - named values that the drivers of a process share, and who waits for their changes.
 *
 * Place:      driver, over event.
 */
#ifndef DX_DRIVER_STATE_ITEM_H
#define DX_DRIVER_STATE_ITEM_H

struct dx_state_items;

/* With the runtime; sources must be gone. NULL is allowed. */
void dx_state_items_free(struct dx_state_items *items);

#endif

/* SPDX-License-Identifier: MIT
 *
 * item - small things to run on a queue: one object, and a function with a context.
 */
#ifndef DX_DRIVER_ITEM_H
#define DX_DRIVER_ITEM_H

#include "driver/queue.h"

/* An item that carries a counted reference; NULL without memory. */
struct dx_item *dx_item_new(void (*run)(struct dx_item *item, bool cancelled), const void *object);
void *dx_item_object(struct dx_item *item);
/* Gives the reference back. */
void dx_item_free(struct dx_item *item);

/* An item that calls function(context), also on a cancelled queue when always is set, and then gives
 * the reference on object (may be NULL) back. */
struct dx_item *dx_item_new_call(void (*function)(void *context), void *context, bool always,
				 const void *object);

#endif

/* SPDX-License-Identifier: MIT
 *
 * item - see item.h.
 */
#include "driver/item.h"

#include <stdlib.h>

#include "base/check.h"

struct object_item {
	struct dx_item item;
	void *object; /* counted */
	void (*function)(void *context);
	void *context;
	bool always;
};

struct dx_item *dx_item_new(void (*run)(struct dx_item *item, bool cancelled), const void *object)
{
	struct object_item *own = calloc(1, sizeof(*own));

	if (own == NULL) {
		return NULL;
	}
	dx_list_init(&own->item.link);
	own->item.run = run;
	own->object = dx_object_ref(object);
	return &own->item;
}

void *dx_item_object(struct dx_item *item)
{
	return dx_container_of(item, struct object_item, item)->object;
}

void dx_item_free(struct dx_item *item)
{
	struct object_item *own = dx_container_of(item, struct object_item, item);
	void *object = own->object;

	free(own);
	(void)dx_object_unref(object);
}

static void call_run(struct dx_item *item, bool cancelled)
{
	struct object_item *own = dx_container_of(item, struct object_item, item);

	if (own->function != NULL && (own->always || !cancelled)) {
		own->function(own->context);
	}
	dx_item_free(item);
}

struct dx_item *dx_item_new_call(void (*function)(void *context), void *context, bool always,
				 const void *object)
{
	struct dx_item *item = dx_item_new(call_run, object);

	if (item != NULL) {
		struct object_item *own = dx_container_of(item, struct object_item, item);
		own->function = function;
		own->context = context;
		own->always = always;
	}
	return item;
}

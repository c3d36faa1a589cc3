/* SPDX-License-Identifier: MIT
 *
 * notify_scene - a service with what the tests of sources need of it.
 */
#ifndef DX_TESTS_DRIVER_NOTIFY_SCENE_H
#define DX_TESTS_DRIVER_NOTIFY_SCENE_H

#include "fixture.h"

struct scene {
	struct fixture fixture;
	IOService *service;
	IODispatchQueue *queue; /* its default queue, where all handlers run */
};

extern _Atomic unsigned nr_ready;   /* calls of ready() */
extern _Atomic unsigned nr_handled; /* calls of handled() */

void scene_begin(struct scene *scene);
void scene_end(struct scene *scene);
/* Everything that was on the queue has run: "nothing was told" is asked after it, not after a time. */
void barrier(struct scene *scene);
/* For sources that only say that something is there. */
void ready(OSObject *target, OSAction *action);
/* For Cancel and SetEnable. */
void handled(void *context);

#endif

/* SPDX-License-Identifier: MIT
 *
 * face - what the C++ runtime needs of the core beside the public C interface.
 *
 * Place:      driver; exported to libDriverKitCxx of the same version only. Objects are passed as the
 *             public C types; faces as base/face.h has them.
 * Invariants:
 *   F1  see base/face.h.
 *   F2  a post is run or dropped exactly once.
 * Threads:    any.
 */
#ifndef DX_DRIVER_FACE_H
#define DX_DRIVER_FACE_H

#include <opendext/driver.h>

#include "base/face.h"

#pragma GCC visibility push(default)

/* The face, or NULL. */
struct dx_face *OpenDextFaceGet(const void *object);
/* As dx_object_set_face(). */
struct dx_face *OpenDextFaceSet(const void *object, struct dx_face *face);
/* A counted object without a class of its own: room for a face and size bytes after it, zeroed.
 * NULL without memory. */
void *OpenDextFaceNew(size_t size, struct dx_face **ret_face);
/* Comparable with reserved[0] of the runtime's class tables. */
const void *OpenDextObjectClass(const void *object);
/* A value as a binary property list, as text for people, and back; all +1. NULL for what is no value
 * and without memory. */
OSData *OpenDextObjectEncode(const void *object);
OSData *OpenDextObjectDescribe(const void *object);
void *OpenDextObjectDecode(const void *bytes, size_t length);
/* True for a service that stands for something outside of the driver. */
bool OpenDextServiceIsStandIn(const IOService *service);
/* The class table of a driver's object, or NULL. */
const OSDriverClass *OpenDextServiceClass(const IOService *service);
/* The queue that methods of this queue name (may be NULL) run on, +1; NULL for no service. */
IODispatchQueue *OpenDextServiceCopyMethodQueue(const IOService *service, const char *name);

/* Something to run: with cancelled when it must only release what it owns. */
typedef void (*OpenDextPostFunction)(void *context, bool cancelled);

/* Runs it on the queue, concurrent: beside others of the kind if the queue is reentrant. @return false
 * without memory: it was not taken over. */
bool OpenDextQueuePost(IODispatchQueue *queue, OpenDextPostFunction function, void *context,
		       bool concurrent);
/* True when messages to objects on the queue are not synchronized. */
bool OpenDextQueueIsOpen(const IODispatchQueue *queue);

/* An action whose handler is posted by OpenDextActionPost(); its target may be any service. */
kern_return_t OpenDextActionCreate(OSObject *target, size_t referenceSize, OSAction **action);
/* Runs it where the action's handlers run. @return false without memory, as above. */
bool OpenDextActionPost(OSAction *action, OpenDextPostFunction function, void *context);
/* The target, +1; NULL once cancelled. */
OSObject *OpenDextActionCopyTarget(OSAction *action);
/* A request or a source that may fire it begins to hold it / lets it go (N3). */
void OpenDextActionUse(OSAction *action);
void OpenDextActionUnuse(OSAction *action);

#pragma GCC visibility pop

#endif

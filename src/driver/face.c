/* SPDX-License-Identifier: MIT
 *
 * face - see face.h.
 */
#include "driver/face.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/plist.h"
#include "driver/action.h"
#include "driver/service.h"

struct dx_face *OpenDextFaceGet(const void *object)
{
	return object == NULL ? NULL : dx_object_face(object);
}

struct dx_face *OpenDextFaceSet(const void *object, struct dx_face *face)
{
	return dx_object_set_face(object, face);
}

/* ---- objects that are nothing but a face ---- */

struct faced_object {
	struct dx_object object;
	struct dx_face face __attribute__((aligned(16)));
};

static const struct dx_class faced_class = {
	.name = "OSObject",
	.instance_size = sizeof(struct faced_object),
};

void *OpenDextFaceNew(size_t size, struct dx_face **ret_face)
{
	struct faced_object *made = dx_object_new_extra(&faced_class, size);

	if (made == NULL) {
		return NULL;
	}
	made->face.object = made;
	*ret_face = &made->face;
	return made;
}

const void *OpenDextObjectClass(const void *object)
{
	return object == NULL ? NULL : ((const struct dx_object *)object)->class;
}

/* ---- values ---- */

OSData *OpenDextObjectEncode(const void *object)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;

	if (object == NULL || dx_plist_encode(object, &bytes, &length) < 0) {
		return NULL;
	}
	return OSDataCreate(bytes, length);
}

OSData *OpenDextObjectDescribe(const void *object)
{
	DX_CLEANUP_FREE char *text = NULL;
	size_t length = 0;

	if (object == NULL || dx_plist_encode_xml(object, &text, &length) < 0) {
		return NULL;
	}
	return OSDataCreate(text, length);
}

void *OpenDextObjectDecode(const void *bytes, size_t length)
{
	void *value = NULL;

	return dx_plist_decode(bytes, length, &value, NULL) < 0 ? NULL : value;
}

/* ---- services ---- */

static struct dx_service *service_of(const void *object)
{
	return dx_object_is_kind(object, &dx_service_class)
		       ? (struct dx_service *)(uintptr_t)object
		       : NULL;
}

bool OpenDextServiceIsStandIn(const IOService *service)
{
	return service_of(service) != NULL && service_of(service)->driver_class == NULL;
}

const OSDriverClass *OpenDextServiceClass(const IOService *service)
{
	return service_of(service) == NULL ? NULL : service_of(service)->driver_class;
}

IODispatchQueue *OpenDextServiceCopyMethodQueue(const IOService *service, const char *name)
{
	struct dx_service *core = service_of(service);

	return core == NULL ? NULL : (IODispatchQueue *)dx_service_ref_queue(core, name);
}

/* ---- posts ---- */

struct post {
	struct dx_item item;
	OpenDextPostFunction function;
	void *context;
	struct dx_object *object; /* counted */
};

static void post_run(struct dx_item *item, bool cancelled)
{
	struct post *post = dx_container_of(item, struct post, item);
	struct dx_object *object = post->object;

	post->function(post->context, cancelled);
	free(post);
	(void)dx_object_unref(object);
}

static struct post *post_new(void (*run)(struct dx_item *item, bool cancelled),
			     OpenDextPostFunction function, void *context, const void *object)
{
	struct post *post = calloc(1, sizeof(*post));

	if (post != NULL) {
		post->item.run = run;
		post->function = function;
		post->context = context;
		post->object = dx_object_ref(object);
	}
	return post;
}

bool OpenDextQueueIsOpen(const IODispatchQueue *queue)
{
	return dx_object_is_kind(queue, &dx_queue_class) &&
	       ((const struct dx_queue *)(const void *)queue)->methods_concurrent;
}

bool OpenDextQueuePost(IODispatchQueue *queue, OpenDextPostFunction function, void *context,
		       bool concurrent)
{
	if (!dx_object_is_kind(queue, &dx_queue_class)) {
		return false;
	}
	struct post *post = post_new(post_run, function, context, queue);
	if (post == NULL) {
		return false;
	}
	post->item.concurrent = concurrent && ((struct dx_queue *)queue)->reentrant;
	dx_queue_push((struct dx_queue *)queue, &post->item);
	return true;
}

/* ---- actions ---- */

/* Actions of this kind are posted; nothing calls the handler. */
static void no_handler(void)
{
}

kern_return_t OpenDextActionCreate(OSObject *target, size_t referenceSize, OSAction **action)
{
	return dx_action_new(DX_ACTION_POSTED, target, no_handler, referenceSize, action);
}

static struct dx_action *action_of(const OSAction *action)
{
	return dx_object_is_kind(action, &dx_action_class)
		       ? (struct dx_action *)(uintptr_t)action
		       : NULL;
}

static void action_post_run(struct dx_item *item, bool cancelled)
{
	struct post *post = dx_container_of(item, struct post, item);
	struct dx_action *action = (struct dx_action *)post->object;
	struct dx_service_entry entry;
	struct dx_service *target = dx_action_begin(action, cancelled, &entry, "action");

	post->function(post->context, target == NULL);
	if (target != NULL) {
		dx_action_end(target, &entry);
	}
	free(post);
	(void)dx_object_unref(action);
}

bool OpenDextActionPost(OSAction *action, OpenDextPostFunction function, void *context)
{
	struct dx_action *core = action_of(action);
	struct post *post =
		core == NULL ? NULL : post_new(action_post_run, function, context, core);

	if (post == NULL) {
		return false;
	}
	dx_action_fire(core, &post->item);
	return true;
}

OSObject *OpenDextActionCopyTarget(OSAction *action)
{
	struct dx_action *core = action_of(action);

	if (core == NULL) {
		return NULL;
	}
	dx_mutex_lock(&core->lock);
	OSObject *target = dx_object_ref(core->target);
	dx_mutex_unlock(&core->lock);
	return target;
}

void OpenDextActionUse(OSAction *action)
{
	if (action_of(action) != NULL) {
		dx_action_use(action_of(action));
	}
}

void OpenDextActionUnuse(OSAction *action)
{
	if (action_of(action) != NULL) {
		dx_action_unuse(action_of(action));
	}
}

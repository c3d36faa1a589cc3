/* SPDX-License-Identifier: MIT
 *
 * call - see call.h.
 */
#include "driver/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/ioreturn.h"
#include "driver/action.h"
#include "driver/user_client.h"
#include "wire/call.h"

#define KEPT_FRAMES 64u

static _Thread_local struct dx_call_frame *innermost __attribute__((tls_model("initial-exec")));

/* ---- frames ---- */

struct dx_call_frame *dx_call_frame_new(struct dx_runtime *runtime)
{
	struct dx_list *node = NULL;

	dx_mutex_lock(&runtime->lock);
	node = dx_list_pop_front(&runtime->frames);
	if (node != NULL) {
		runtime->nr_frames--;
	}
	dx_mutex_unlock(&runtime->lock);
	return node == NULL ? calloc(1, sizeof(struct dx_call_frame))
			    : dx_list_entry(node, struct dx_call_frame, free_link);
}

struct dx_call_frame *dx_call_frame_free(struct dx_call_frame *frame)
{
	if (frame != NULL) {
		(void)dx_object_unref(frame->input);
		free(frame);
	}
	return NULL;
}

void dx_call_frame_recycle(struct dx_runtime *runtime, struct dx_call_frame *frame)
{
	struct dx_thread *self = dx_thread_self();

	if (self->leader && self->spare_frame == NULL) {
		self->spare_frame = frame;
		return;
	}
	dx_mutex_lock(&runtime->lock);
	bool keep = runtime->nr_frames < KEPT_FRAMES;
	if (keep) {
		runtime->nr_frames++;
		dx_list_push_front(&runtime->frames, &frame->free_link);
	}
	dx_mutex_unlock(&runtime->lock);
	if (!keep) {
		(void)dx_call_frame_free(frame);
	}
}

struct dx_call_frame *dx_call_current(const struct dx_user_client *client)
{
	for (struct dx_call_frame *frame = innermost; frame != NULL; frame = frame->outer) {
		if (frame->client == client) {
			return frame;
		}
	}
	return NULL;
}

/* ---- arguments ---- */

/* The inline structure as data: the kept object when it fits and nobody else holds it. */
static int set_inline_input(struct dx_call_frame *frame)
{
	const struct dx_channel_call *call = &frame->call;

	if (call->nr_bytes == 0) {
		return 0;
	}
	if (frame->input != NULL && dx_object_refs(frame->input) == 1 &&
	    dx_data_length(frame->input) == call->nr_bytes) {
		memcpy(dx_data_mutable_bytes(frame->input), call->bytes, call->nr_bytes);
	} else {
		(void)dx_object_unref(frame->input);
		frame->input = dx_data_new(call->bytes, call->nr_bytes);
	}
	frame->arguments.structureInput = (OSData *)frame->input;
	return frame->input == NULL ? -ENOMEM : 0;
}

/* Memory of the application that was sent along with the call. */
static int import(struct dx_user_client *client, uint64_t id, uint64_t length,
		  enum dx_shm_access access, enum dx_memory_direction direction,
		  IOMemoryDescriptor **ret_memory)
{
	struct dx_client_grant grant = {.fd = -1};
	struct dx_slice slice = {0};
	struct dx_memory *memory = NULL;
	uint64_t end = 0;
	int result = dx_user_client_claim(client, id, &grant);

	if (result < 0) {
		return result;
	}
	DX_CLEANUP_FD int fd = grant.fd;
	if (length == 0 || length != grant.length ||
	    dx_add_overflow(grant.offset, grant.length, &end)) {
		return -EPROTO;
	}
	result = dx_shm_import(&fd, end, access, &slice.shm);
	if (result < 0) {
		return result;
	}
	slice.offset = grant.offset;
	slice.length = grant.length;
	result = dx_memory_new(&slice, 1, direction, &client->quota, &memory);
	(void)dx_shm_unref(slice.shm);
	if (result == 0) {
		*ret_memory = (IOMemoryDescriptor *)memory;
	}
	return result;
}

static int set_structures(struct dx_user_client *client, struct dx_call_frame *frame)
{
	const struct dx_channel_call *call = &frame->call;
	IOUserClientMethodArguments *arguments = &frame->arguments;
	int result = 0;

	if ((call->flags & DX_CALL_IN_GRANT) != 0) {
		result = import(client, call->in_address, call->in_length, DX_SHM_COPY,
				DX_MEMORY_OUT, &arguments->structureInputDescriptor);
	} else {
		result = set_inline_input(frame);
	}
	arguments->structureOutputMaximumSize = call->max_bytes;
	if (result == 0 && (call->flags & DX_CALL_VARIABLE) != 0) {
		arguments->structureOutputMaximumSize = kIOUserClientVariableStructureSize;
	} else if (result == 0 && (call->flags & DX_CALL_OUT_GRANT) != 0) {
		result = import(client, call->out_address, call->out_length, DX_SHM_WRITE,
				DX_MEMORY_IN, &arguments->structureOutputDescriptor);
		arguments->structureOutputMaximumSize = call->out_length;
	} else if (result == 0 && call->max_bytes > DX_MAX_INLINE_BYTES) {
		result = -EPROTO; /* the library sends no such call */
	}
	return result;
}

static int set_completion(struct dx_user_client *client, struct dx_call_frame *frame)
{
	if ((frame->call.flags & DX_CALL_ASYNC) == 0) {
		return 0;
	}
	if (atomic_fetch_add(&client->connection->nr_actions, 1) >= DX_MAX_ASYNC_ACTIONS) {
		atomic_fetch_sub(&client->connection->nr_actions, 1);
		return -EDQUOT;
	}
	frame->arguments.completion =
		(OSAction *)dx_action_new_completion(client, frame->call.tag);
	if (frame->arguments.completion == NULL) {
		atomic_fetch_sub(&client->connection->nr_actions, 1);
		return -ENOMEM;
	}
	return 0;
}

static int set_arguments(struct dx_user_client *client, struct dx_call_frame *frame)
{
	struct dx_channel_call *call = &frame->call;

	if (call->kind != DX_CALL_METHOD || (call->flags & ~DX_CALL_FLAGS) != 0) {
		return -EPROTO;
	}
	for (uint32_t i = call->nr_scalars; i < DX_MAX_SCALARS; i++) {
		call->scalars[i] = 0;
	}
	memset(frame->scalar_output, 0, sizeof(frame->scalar_output));
	frame->arguments = (IOUserClientMethodArguments){
		.version = kIOUserClientMethodArgumentsCurrentVersion,
		.selector = call->selector,
		.scalarInput = call->scalars,
		.scalarInputCount = call->nr_scalars,
		.scalarOutput = frame->scalar_output,
		.scalarOutputCount = call->max_scalars,
	};
	int result = set_structures(client, frame);
	return result < 0 ? result : set_completion(client, frame);
}

static void release(const void *object)
{
	if (object != NULL) { /* most calls have none: not even a function is called for it */
		(void)dx_object_unref(object);
	}
}

/* L3 */
static void release_arguments(struct dx_call_frame *frame)
{
	IOUserClientMethodArguments *arguments = &frame->arguments;

	release(arguments->completion);
	release(arguments->structureInputDescriptor);
	release(arguments->structureOutputDescriptor);
	release(arguments->structureOutput);
	arguments->completion = NULL;
	arguments->structureInputDescriptor = NULL;
	arguments->structureOutputDescriptor = NULL;
	arguments->structureOutput = NULL;
}

/* ---- results ---- */

/* A variable output that does not fit the answer: the application gives room for it. */
static kern_return_t answer_outside(struct dx_user_client *client, struct dx_call_frame *frame,
				    const void *bytes, size_t length,
				    struct dx_channel_answer *answer)
{
	struct dx_client_grant grant = {.fd = -1};
	struct dx_shm *shm = NULL;
	uint64_t end = 0;
	int result = dx_user_client_ask(client, frame->call.id, DX_ASK_OUTPUT, 0, 0, length, &grant);

	if (result < 0) {
		return dx_ioreturn_from_errno(result);
	}
	DX_CLEANUP_FD int fd = grant.fd;
	if (grant.length < length || dx_add_overflow(grant.offset, grant.length, &end)) {
		return kIOReturnIPCError;
	}
	result = dx_shm_import(&fd, end, DX_SHM_WRITE, &shm);
	char *base = result < 0 ? NULL : dx_shm_base(shm);
	if (base != NULL) {
		memcpy(base + grant.offset, bytes, length);
		answer->value = DX_ANSWER_STRUCTURE | length;
	}
	(void)dx_shm_unref(shm);
	return base == NULL ? kIOReturnNoMemory : kIOReturnSuccess;
}

static kern_return_t set_structure_answer(struct dx_user_client *client,
					  struct dx_call_frame *frame,
					  struct dx_channel_answer *answer)
{
	const IOUserClientMethodArguments *arguments = &frame->arguments;
	bool variable = (frame->call.flags & DX_CALL_VARIABLE) != 0;

	if (arguments->structureOutput == NULL) {
		return variable ? kIOReturnUnderrun : kIOReturnSuccess;
	}
	if (arguments->structureOutputDescriptor != NULL ||
	    !OSObjectIsKind(arguments->structureOutput, &OSDataClass)) {
		return kIOReturnBadArgument;
	}
	const struct dx_data *data = (const struct dx_data *)arguments->structureOutput;
	size_t length = dx_data_length(data);
	if (!variable && length > frame->call.max_bytes) {
		return kIOReturnBadArgument;
	}
	if (length > DX_MAX_INLINE_BYTES) {
		return answer_outside(client, frame, dx_data_bytes(data), length, answer);
	}
	answer->value = DX_ANSWER_STRUCTURE;
	answer->bytes = dx_data_bytes(data);
	answer->nr_bytes = (uint32_t)length;
	return kIOReturnSuccess;
}

static void answer(struct dx_user_client *client, struct dx_call_frame *frame,
		   kern_return_t status)
{
	struct dx_channel_answer answer = {0};

	if (status == kIOReturnSuccess) {
		status = set_structure_answer(client, frame, &answer);
	}
	if (status == kIOReturnSuccess) {
		uint32_t count = frame->arguments.scalarOutputCount;
		answer.nr_scalars = count < frame->call.max_scalars ? count : frame->call.max_scalars;
		answer.scalars = frame->scalar_output;
	} else {
		answer = (struct dx_channel_answer){.result = status};
	}
	/* What the method completed is there before its answer, as on macOS. */
	struct dx_thread *self = dx_thread_self();
	if (self != NULL) {
		dx_thread_flush(self);
	}
	int result = dx_channel_driver_answer(client->channel, frame->call.id, &answer);
	if (result == -ENOMEM) {
		answer = (struct dx_channel_answer){.result = kIOReturnNoMemory};
		(void)dx_channel_driver_answer(client->channel, frame->call.id, &answer);
	}
	/* Other errors: the connection has failed and is being taken down elsewhere. */
}

/* ---- running ---- */

static kern_return_t enter_driver(struct dx_user_client *client, struct dx_call_frame *frame)
{
	struct dx_service *service = &client->service;
	struct dx_service_entry entry;

	frame->outer = innermost;
	innermost = frame;
	dx_service_entry_begin(service, "ExternalMethod", &entry);
	kern_return_t status = DX_METHOD(service->driver_class, ExternalMethod)(
		(IOUserClient *)client, frame->call.selector, &frame->arguments, NULL, NULL, NULL);
	dx_service_entry_end(&entry);
	innermost = frame->outer;
	return status;
}

/* A call that comes while a termination begins is before or after it, as it happens. */
static bool is_serving(const struct dx_service *service)
{
	return service->state == DX_SERVICE_STARTED && !service->terminating;
}

static void execute(struct dx_call_frame *frame, bool cancelled)
{
	struct dx_user_client *client = frame->client;
	kern_return_t status = kIOReturnOffline;

	if (!cancelled && is_serving(&client->service)) {
		int result = set_arguments(client, frame);
		if (result == -EPROTO) {
			dx_user_client_lose(client, "sent a malformed call");
		}
		status = result < 0 ? (result == -EDQUOT ? kIOReturnNoResources
							 : dx_ioreturn_from_errno(result))
				    : enter_driver(client, frame);
	}
	answer(client, frame, status);
	release_arguments(frame);
	frame->client = NULL;
	dx_call_frame_recycle(client->service.runtime, frame);
	(void)dx_object_unref(client);
}

static void call_run(struct dx_item *item, bool cancelled)
{
	execute(dx_container_of(item, struct dx_call_frame, item), cancelled);
}

void dx_call_start(struct dx_user_client *client, struct dx_call_frame *frame)
{
	struct dx_queue *queue =
		dx_service_ref_queue(&client->service, kIOUserClientQueueNameExternalMethod);
	struct dx_queue_hold hold;

	frame->client = dx_object_ref(client);
	frame->item.run = call_run;
	frame->item.concurrent = queue->methods_concurrent;
	if (queue->worker == NULL && dx_queue_try_enter(queue, &hold)) {
		execute(frame, false);
		dx_queue_leave(queue, &hold);
	} else {
		dx_queue_push(queue, &frame->item);
	}
	(void)dx_object_unref(queue);
}

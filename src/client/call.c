/* SPDX-License-Identifier: MIT
 *
 * call - external methods: arguments checked, structures carried, answers taken apart.
 *
 * Place:      client, over channel. Up to DX_MAX_INLINE_BYTES a structure travels in the call; a
 *             longer one in memory that is granted over the control socket before the call.
 * Invariants:
 *   L1  nothing of the program's outputs is counted on after an error, and the counts are written
 *       on success only.
 *   L2  an input snapshot and an output that had to be staged have a memfd of their own for each
 *       call: a driver may keep it, and then sees what it was given and nothing later.
 *   L3  memory that the program names wrongly gives an error: sharing or copying a long structure
 *       reports it, a short one is asked about before it is copied (probe.h).
 * Trust:      counts in an answer are clamped by channel to the room; the rest is checked here.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>

#include <IOKit/IOKitLib.h>

#include "base/cleanup.h"
#include "base/ioreturn.h"
#include "client/connection.h"
#include "client/message.h"
#include "client/port.h"
#include "client/probe.h"
#include "client/share.h"
#include "wire/call.h"

#define PAGE UINT64_C(4096)

/* The arguments of one call, as the program gave them. */
struct arguments {
	uint32_t selector;
	mach_port_t wake_port;
	const uint64_t *reference;
	uint32_t nr_references;
	bool async;
	const uint64_t *input;
	uint32_t nr_input;
	const void *input_struct;
	size_t input_length;
	uint64_t *output;
	uint32_t *nr_output;
	void *output_struct;
	size_t *output_length;
};

/* What belongs to one call while it runs. */
struct call {
	struct dx_connection *connection;
	const struct arguments *arguments;
	struct dx_channel_request request;
	struct dx_channel_response response;
	uint8_t variable_bytes[DX_MAX_INLINE_BYTES]; /* short variable output */
	int variable_fd;	   /* long variable output; -1 */
	uint64_t variable_length;
	int staging_fd; /* long output that could not be shared in place; -1 */
};

static bool is_variable(const struct arguments *arguments)
{
	return !arguments->async && arguments->output_length != NULL &&
	       *arguments->output_length == (size_t)kIOConnectMethodVarOutputSize;
}

/* Bytes of output structure asked for; 0 for none and for variable output. */
static size_t output_length(const struct arguments *arguments)
{
	size_t length = arguments->output_length == NULL || is_variable(arguments)
				? 0
				: *arguments->output_length;

	/* A long output without an address counts as none. */
	return length > DX_MAX_INLINE_BYTES && arguments->output_struct == NULL ? 0 : length;
}

static uint32_t output_count(const struct arguments *arguments)
{
	uint32_t count = arguments->nr_output == NULL ? 0 : *arguments->nr_output;

	return count > DX_MAX_SCALARS ? DX_MAX_SCALARS : count;
}

/* Long ones report it themselves. */
static bool is_short_mapped(const void *address, size_t length)
{
	return length > DX_MAX_INLINE_BYTES || dx_probe_is_mapped(address, length);
}

static kern_return_t check_arguments(const struct arguments *arguments)
{
	size_t length = output_length(arguments);

	if (arguments->nr_input > DX_MAX_SCALARS ||
	    arguments->nr_references > DX_MAX_ASYNC_REFERENCES) {
		return MIG_ARRAY_TOO_LARGE;
	}
	if (arguments->input_length > UINT_MAX || length > UINT_MAX) {
		return kIOReturnIPCError;
	}
	if ((arguments->nr_input > 0 && arguments->input == NULL) ||
	    (arguments->input_length > 0 && arguments->input_struct == NULL) ||
	    (output_count(arguments) > 0 && arguments->output == NULL) ||
	    (length > 0 && arguments->output_struct == NULL) ||
	    (is_variable(arguments) && arguments->output_struct == NULL)) {
		return kIOReturnBadArgument;
	}
	if (!is_short_mapped(arguments->input_struct, arguments->input_length) ||
	    !is_short_mapped(arguments->output_struct, length)) {
		return kIOReturnVMError;
	}
	if (arguments->async && (arguments->reference == NULL) != (arguments->nr_references == 0)) {
		return kIOReturnBadArgument;
	}
	return kIOReturnSuccess;
}

/* Sends a grant; the descriptor stays the caller's. */
static int post_grant(struct dx_connection *connection, uint64_t id, int fd, uint64_t offset,
		      uint64_t length)
{
	struct dx_wire_grant body = {.ask_id = id, .offset = offset, .length = length};
	struct dx_mux_send send = {
		.type = DX_WIRE_C_GRANT,
		.body = &body,
		.body_length = sizeof(body),
		.fds = &fd,
		.nr_fds = 1,
	};

	return dx_mux_post(connection->mux, &send);
}

static uint64_t next_grant(struct dx_connection *connection)
{
	return DX_GRANT_OF_CALL |
	       atomic_fetch_add_explicit(&connection->next_grant, 1, memory_order_relaxed);
}

/* --- questions of the driver while the call runs ------------------------------------------- */

static int grant_memory(struct dx_connection *connection, const struct dx_channel_ask *ask)
{
	DX_CLEANUP_FD int fd = -1;
	uint64_t offset = 0;

	if ((ask->flags & DX_ASK_COPY) != 0) {
		fd = dx_share_snapshot(ask->address, ask->length);
		if (fd < 0) {
			return fd;
		}
		dx_statistics_add(&connection->statistics.bytes_in, ask->length);
	} else {
		struct dx_shared_range range;
		int error = dx_share_range(ask->address, ask->length,
					   (ask->flags & DX_ASK_WRITE) != 0, &range);

		if (error < 0) {
			return error;
		}
		fd = range.fd;
		offset = range.offset;
		dx_statistics_add(&connection->statistics.pages_promoted, range.pages_promoted);
	}
	return post_grant(connection, ask->id, fd, offset, ask->length);
}

/* Memory for a long variable output. One per call. */
static int grant_output(struct call *call, const struct dx_channel_ask *ask)
{
	if (!is_variable(call->arguments) || call->variable_fd >= 0 || ask->length == 0 ||
	    ask->length > UINT_MAX) {
		return -EINVAL;
	}
	DX_CLEANUP_FD int fd = dx_share_memory(ask->length);
	if (fd < 0) {
		return fd;
	}
	int error = post_grant(call->connection, ask->id, fd, 0, ask->length);
	if (error < 0) {
		return error;
	}
	call->variable_fd = dx_take_fd(&fd);
	call->variable_length = ask->length;
	return 0;
}

static int32_t answer_question(void *context, const struct dx_channel_ask *ask, uint64_t *ret_value)
{
	struct call *call = context;

	(void)ret_value;
	switch (ask->kind) {
	case DX_ASK_MEMORY:
		return grant_memory(call->connection, ask);
	case DX_ASK_OUTPUT:
		return grant_output(call, ask);
	default:
		return -EOPNOTSUPP;
	}
}

/* --- before the call ----------------------------------------------------------------------- */

static int prepare_input(struct call *call)
{
	const struct arguments *arguments = call->arguments;
	struct dx_channel_request *request = &call->request;

	if (arguments->input_length <= DX_MAX_INLINE_BYTES) {
		request->bytes = arguments->input_length == 0 ? NULL : arguments->input_struct;
		request->nr_bytes = (uint32_t)arguments->input_length;
	} else {
		DX_CLEANUP_FD int fd = dx_share_snapshot(
			(uint64_t)(uintptr_t)arguments->input_struct, arguments->input_length);

		if (fd < 0) {
			return fd;
		}
		request->flags |= DX_CALL_IN_GRANT;
		request->in_address = next_grant(call->connection);
		request->in_length = arguments->input_length;
		int error = post_grant(call->connection, request->in_address, fd, 0,
				       arguments->input_length);
		if (error < 0) {
			return error;
		}
	}
	dx_statistics_add(&call->connection->statistics.bytes_in,
			  arguments->input_length + arguments->nr_input * sizeof(uint64_t));
	return 0;
}

/* The program's own pages, if they can be shared whole; else staging with what is there now. */
static int output_memory(struct call *call, size_t length, uint64_t *ret_offset)
{
	uint64_t address = (uint64_t)(uintptr_t)call->arguments->output_struct;
	struct dx_shared_range range;

	if (address % PAGE == 0 && length % PAGE == 0 &&
	    dx_share_range(address, length, true, &range) == 0) {
		dx_statistics_add(&call->connection->statistics.pages_promoted,
				  range.pages_promoted);
		*ret_offset = range.offset;
		return range.fd;
	}
	int fd = dx_share_snapshot(address, length);
	if (fd < 0) {
		return fd;
	}
	call->staging_fd = fd;
	dx_statistics_add(&call->connection->statistics.bytes_in, length);
	*ret_offset = 0;
	return fd;
}

static int prepare_output(struct call *call)
{
	const struct arguments *arguments = call->arguments;
	size_t length = output_length(arguments);
	uint64_t offset = 0;

	call->request.max_bytes = length;
	call->response.bytes = arguments->output_struct;
	call->response.nr_bytes = (uint32_t)length;
	if (is_variable(arguments)) {
		call->request.flags |= DX_CALL_VARIABLE;
		call->response.bytes = call->variable_bytes;
		call->response.nr_bytes = sizeof(call->variable_bytes);
	}
	if (length <= DX_MAX_INLINE_BYTES) {
		return 0;
	}
	call->response.bytes = NULL;
	call->response.nr_bytes = 0;
	int fd = output_memory(call, length, &offset);
	if (fd < 0) {
		return fd;
	}
	call->request.flags |= DX_CALL_OUT_GRANT;
	call->request.out_address = next_grant(call->connection);
	call->request.out_length = length;
	int error = post_grant(call->connection, call->request.out_address, fd, offset, length);
	if (fd != call->staging_fd) {
		dx_fd_close(&fd);
	}
	return error;
}

/* Gives the call a number for its completions, which go to port. */
static int add_tag(struct call *call, struct IONotificationPort *port)
{
	const struct arguments *arguments = call->arguments;
	uint64_t words[DX_MAX_ASYNC_REFERENCES] = {0};
	struct dx_further_words *further = NULL;

	for (uint32_t i = 0; i < arguments->nr_references; i++) {
		words[i] = arguments->reference[i];
	}
	int error = dx_port_attach(port, call->connection);
	if (error == 0) {
		error = dx_further_words_new(words, &further);
	}
	const struct dx_tag tag = {
		.port = port,
		.function = words[kIOAsyncCalloutFuncIndex],
		.refcon = words[kIOAsyncCalloutRefconIndex],
		.further = further == NULL ? NULL : &further->object,
	};
	if (error == 0) {
		error = dx_tags_add(&call->connection->tags, &tag, &call->request.tag);
	}
	(void)dx_object_unref(further); /* always NULL */
	return error;
}

static kern_return_t prepare_async(struct call *call)
{
	const struct arguments *arguments = call->arguments;

	if (!arguments->async || arguments->wake_port == MACH_PORT_NULL) {
		return kIOReturnSuccess;
	}
	struct IONotificationPort *port = dx_names_get(arguments->wake_port, &dx_port_class);
	if (port == NULL) {
		return kIOReturnBadArgument;
	}
	int error = add_tag(call, port);
	(void)dx_object_unref(port); /* always NULL */
	if (error < 0) {
		return error == -ESHUTDOWN ? kIOReturnBadArgument : dx_ioreturn_from_errno(error);
	}
	call->request.flags |= DX_CALL_ASYNC;
	return kIOReturnSuccess;
}

/* --- after the call ------------------------------------------------------------------------ */

/* New memory with the variable output, for the program to free with vm_deallocate(). */
static kern_return_t take_variable(const struct call *call)
{
	void **ret_address = call->arguments->output_struct;
	uint64_t length = call->variable_fd >= 0 ? call->response.value & ~DX_ANSWER_STRUCTURE
						 : call->response.nr_bytes;

	if ((call->response.value & DX_ANSWER_STRUCTURE) == 0) {
		return kIOReturnUnderrun;
	}
	if (length > (call->variable_fd >= 0 ? call->variable_length : DX_MAX_INLINE_BYTES)) {
		return kIOReturnIPCError;
	}
	*ret_address = NULL;
	*call->arguments->output_length = length;
	if (length == 0) {
		return kIOReturnSuccess;
	}
	void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		return kIOReturnNoMemory;
	}
	if (call->variable_fd < 0) {
		memcpy(memory, call->variable_bytes, length);
	} else if (dx_share_read_file(call->variable_fd, 0, memory, length) < 0) {
		(void)munmap(memory, length); /* ours */
		return kIOReturnIPCError;
	}
	*ret_address = memory;
	dx_statistics_add(&call->connection->statistics.bytes_out, length);
	return kIOReturnSuccess;
}

static kern_return_t take_structure(const struct call *call)
{
	const struct arguments *arguments = call->arguments;
	size_t length = output_length(arguments);

	if (is_variable(arguments)) {
		return take_variable(call);
	}
	if (call->staging_fd >= 0) {
		dx_statistics_add(&call->connection->statistics.bytes_out, length);
		return dx_ioreturn_from_errno(dx_share_read_file(
			call->staging_fd, 0, arguments->output_struct, length));
	}
	if (length > 0 && length <= DX_MAX_INLINE_BYTES &&
	    (call->response.value & DX_ANSWER_STRUCTURE) != 0) {
		*arguments->output_length = call->response.nr_bytes;
		dx_statistics_add(&call->connection->statistics.bytes_out,
				  call->response.nr_bytes);
	}
	return kIOReturnSuccess;
}

static kern_return_t take_answer(const struct call *call)
{
	if (call->response.result != kIOReturnSuccess) {
		return call->response.result;
	}
	kern_return_t result = take_structure(call);
	if (result == kIOReturnSuccess && call->arguments->nr_output != NULL) {
		*call->arguments->nr_output = call->response.nr_scalars;
		dx_statistics_add(&call->connection->statistics.bytes_out,
				  call->response.nr_scalars * sizeof(uint64_t));
	}
	return result;
}

/* What a call that got no answer returns. */
static kern_return_t no_answer(struct dx_connection *connection, int error)
{
	bool was_dead = atomic_load_explicit(&connection->death, memory_order_relaxed) ==
			DX_CONNECTION_ENDED;

	dx_connection_note_death(connection, error);
	switch (error) {
	case -EOWNERDEAD:
		return kIOReturnOffline;
	case -ECONNRESET:
	case -EPIPE:
		return was_dead ? MACH_SEND_INVALID_DEST : kIOReturnOffline;
	case -ESHUTDOWN:
	case -ECHILD:
		return MACH_SEND_INVALID_DEST;
	default:
		return dx_ioreturn_from_errno(error);
	}
}

static kern_return_t run(struct call *call)
{
	kern_return_t result = prepare_async(call);

	if (result != kIOReturnSuccess) {
		return result;
	}
	int error = prepare_input(call);
	if (error == 0) {
		error = prepare_output(call);
	}
	if (error == 0) {
		error = dx_channel_app_call(call->connection->channel, &call->request,
					    &call->response);
	}
	if (error < 0) {
		/* The driver never saw the tag, or will never use it again. */
		dx_tags_remove(&call->connection->tags, call->request.tag);
		return no_answer(call->connection, error);
	}
	return take_answer(call);
}

static kern_return_t call_method(mach_port_t name, const struct arguments *arguments)
{
	kern_return_t result = check_arguments(arguments);
	struct dx_connection *connection = NULL;

	if (result == kIOReturnSuccess) {
		result = dx_connection_enter(name, false, &connection);
	}
	if (result != kIOReturnSuccess) {
		return result;
	}
	/* variable_bytes is left as it is: it is 4 KiB, and read only where it was written. */
	struct call call;
	call.connection = connection;
	call.arguments = arguments;
	call.variable_fd = -1;
	call.variable_length = 0;
	call.staging_fd = -1;
	call.request = (struct dx_channel_request){
		.kind = DX_CALL_METHOD,
		.selector = arguments->selector,
		.scalars = arguments->input,
		.nr_scalars = arguments->nr_input,
		.max_scalars = output_count(arguments),
		.ask = answer_question,
		.ask_context = &call,
	};
	call.response = (struct dx_channel_response){
		.scalars = arguments->output,
		.nr_scalars = output_count(arguments),
	};
	dx_statistics_add(&connection->statistics.calls, 1);
	result = run(&call);
	dx_fd_close(&call.variable_fd);
	dx_fd_close(&call.staging_fd);
	dx_connection_leave(connection);
	return result;
}

/* --- public -------------------------------------------------------------------------------- */

kern_return_t IOConnectCallMethod(mach_port_t connection, uint32_t selector, const uint64_t *input,
				  uint32_t inputCnt, const void *inputStruct, size_t inputStructCnt,
				  uint64_t *output, uint32_t *outputCnt, void *outputStruct,
				  size_t *outputStructCnt)
{
	struct arguments arguments = {
		.selector = selector,
		.input = input,
		.nr_input = inputCnt,
		.input_struct = inputStruct,
		.input_length = inputStructCnt,
		.output = output,
		.nr_output = outputCnt,
		.output_struct = outputStruct,
		.output_length = outputStructCnt,
	};

	return call_method(connection, &arguments);
}

kern_return_t IOConnectCallAsyncMethod(mach_port_t connection, uint32_t selector,
				       mach_port_t wake_port, uint64_t *reference,
				       uint32_t referenceCnt, const uint64_t *input,
				       uint32_t inputCnt, const void *inputStruct,
				       size_t inputStructCnt, uint64_t *output, uint32_t *outputCnt,
				       void *outputStruct, size_t *outputStructCnt)
{
	struct arguments arguments = {
		.selector = selector,
		.wake_port = wake_port,
		.reference = reference,
		.nr_references = referenceCnt,
		.async = true,
		.input = input,
		.nr_input = inputCnt,
		.input_struct = inputStruct,
		.input_length = inputStructCnt,
		.output = output,
		.nr_output = outputCnt,
		.output_struct = outputStruct,
		.output_length = outputStructCnt,
	};

	return call_method(connection, &arguments);
}

kern_return_t IOConnectCallStructMethod(mach_port_t connection, uint32_t selector,
					const void *inputStruct, size_t inputStructCnt,
					void *outputStruct, size_t *outputStructCnt)
{
	return IOConnectCallMethod(connection, selector, NULL, 0, inputStruct, inputStructCnt, NULL,
				   NULL, outputStruct, outputStructCnt);
}

kern_return_t IOConnectCallAsyncStructMethod(mach_port_t connection, uint32_t selector,
					     mach_port_t wake_port, uint64_t *reference,
					     uint32_t referenceCnt, const void *inputStruct,
					     size_t inputStructCnt, void *outputStruct,
					     size_t *outputStructCnt)
{
	return IOConnectCallAsyncMethod(connection, selector, wake_port, reference, referenceCnt,
					NULL, 0, inputStruct, inputStructCnt, NULL, NULL,
					outputStruct, outputStructCnt);
}

kern_return_t IOConnectCallScalarMethod(mach_port_t connection, uint32_t selector,
					const uint64_t *input, uint32_t inputCnt, uint64_t *output,
					uint32_t *outputCnt)
{
	return IOConnectCallMethod(connection, selector, input, inputCnt, NULL, 0, output,
				   outputCnt, NULL, NULL);
}

kern_return_t IOConnectCallAsyncScalarMethod(mach_port_t connection, uint32_t selector,
					     mach_port_t wake_port, uint64_t *reference,
					     uint32_t referenceCnt, const uint64_t *input,
					     uint32_t inputCnt, uint64_t *output,
					     uint32_t *outputCnt)
{
	return IOConnectCallAsyncMethod(connection, selector, wake_port, reference, referenceCnt,
					input, inputCnt, NULL, 0, output, outputCnt, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 *
 * queue - IODispatchQueue.
 */
#include "cxx/block.h"
#include "cxx/face.h"

DX_RUNTIME_CLASS(IODispatchQueue, OSObject)

static core::IODispatchQueue *queue_of(const IODispatchQueue *queue)
{
	return dx::to<core::IODispatchQueue>(queue);
}

kern_return_t IODispatchQueue::Create(const IODispatchQueueName name, uint64_t options,
				      uint64_t priority, IODispatchQueue **queue)
{
	core::IODispatchQueue *made = nullptr;

	if (queue == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IODispatchQueueCreate(name, options, priority, &made),
			made, queue);
}

bool IODispatchQueue::OnQueue()
{
	return core::IODispatchQueueOnQueue(queue_of(this));
}

const char *IODispatchQueue::GetName()
{
	return core::IODispatchQueueGetName(queue_of(this));
}

kern_return_t IODispatchQueue::Cancel(IODispatchQueueCancelHandler handler)
{
	return dx::with_handler(handler, [this](void (*function)(void *), void *context) {
		return core::IODispatchQueueCancel(queue_of(this), function, context);
	});
}

/* ---- blocks and functions ---- */

/* A block on a cancelled queue is dropped, but its copy goes back in any case. */
static void run_or_drop_block(void *context, bool cancelled)
{
	IODispatchBlock block = reinterpret_cast<IODispatchBlock>(context);

	if (!cancelled) {
		block();
	}
	Block_release(block);
}

static void post(IODispatchQueue *queue, IODispatchBlock block, bool concurrent)
{
	void *context = dx::copy_block(block);

	if (context != nullptr &&
	    !core::OpenDextQueuePost(queue_of(queue), run_or_drop_block, context, concurrent)) {
		(void)IOLog("%s: no memory for a block", queue->GetName());
		Block_release(reinterpret_cast<IODispatchBlock>(context));
	}
}

void IODispatchQueue::DispatchAsync(IODispatchBlock block)
{
	post(this, block, false);
}

void IODispatchQueue::DispatchAsync_f(void *context, IODispatchFunction function)
{
	core::IODispatchQueueDispatchAsync_f(queue_of(this), context, function);
}

void IODispatchQueue::DispatchConcurrent(IODispatchBlock block)
{
	post(this, block, true);
}

void IODispatchQueue::DispatchConcurrent_f(void *context, IODispatchFunction function)
{
	core::IODispatchQueueDispatchConcurrent_f(queue_of(this), context, function);
}

static void call_block(void *context)
{
	reinterpret_cast<IODispatchBlock>(context)();
}

void IODispatchQueue::DispatchSync(IODispatchBlock block)
{
	if (block != nullptr) {
		core::IODispatchQueueDispatchSync_f(queue_of(this), static_cast<void *>(block),
						    call_block);
	}
}

void IODispatchQueue::DispatchSync_f(void *context, IODispatchFunction function)
{
	core::IODispatchQueueDispatchSync_f(queue_of(this), context, function);
}

static kern_return_t call_action(void *context)
{
	return reinterpret_cast<IODispatchAction>(context)();
}

kern_return_t IODispatchQueue::RunAction(IODispatchAction action)
{
	if (action == nullptr) {
		return kIOReturnBadArgument;
	}
	return core::IODispatchQueueRunAction(queue_of(this), static_cast<void *>(action),
					      call_action);
}

void IODispatchQueue::Log(const char *message, IODispatchLogFunction output)
{
	if (output != nullptr) {
		(void)output("%s\n", message == nullptr ? "" : message);
	}
}

/* ---- sleeping ---- */

kern_return_t IODispatchQueue::SleepWithDeadline(void *event, uint64_t options, uint64_t deadline)
{
	return core::IODispatchQueueSleepWithDeadline(queue_of(this), event,
						      options & ~0x100ull, deadline);
}

kern_return_t IODispatchQueue::SleepWithTimeout(void *event, uint64_t timeout)
{
	return core::IODispatchQueueSleepWithTimeout(queue_of(this), event, timeout);
}

kern_return_t IODispatchQueue::Sleep(void *event, uint64_t timeout)
{
	return core::IODispatchQueueSleep(queue_of(this), event, timeout);
}

kern_return_t IODispatchQueue::Wakeup(void *event)
{
	return core::IODispatchQueueWakeup(queue_of(this), event);
}

kern_return_t IODispatchQueue::WakeupWithOptions(void *event, uint64_t options)
{
	return core::IODispatchQueueWakeupWithOptions(queue_of(this), event, options);
}

/* SPDX-License-Identifier: MIT
 *
 * link - IOEventLink and IOWorkGroup, over the core.
 */
#include "cxx/face.h"

DX_RUNTIME_CLASS(IOEventLink, OSObject)
DX_RUNTIME_CLASS(IOWorkGroup, OSObject)

/* ---- event links ---- */

static core::IOEventLink *link_of(const IOEventLink *link)
{
	return dx::to<core::IOEventLink>(link);
}

kern_return_t IOEventLink::Create(OSString *name, IOUserClient *userClient, IOEventLink **eventLink)
{
	core::IOEventLink *made = nullptr;

	if (eventLink == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOEventLinkCreate(dx::to<core::OSString>(name),
						dx::to<core::IOUserClient>(userClient), &made),
			made, eventLink);
}

kern_return_t IOEventLink::Invalidate()
{
	return core::IOEventLinkInvalidate(link_of(this));
}

kern_return_t IOEventLink::Activate()
{
	return core::IOEventLinkActivate(link_of(this));
}

kern_return_t IOEventLink::Associate(uint64_t options)
{
	return core::IOEventLinkAssociate(link_of(this), options);
}

kern_return_t IOEventLink::Disassociate()
{
	return core::IOEventLinkDisassociate(link_of(this));
}

kern_return_t IOEventLink::Signal()
{
	return core::IOEventLinkSignal(link_of(this));
}

kern_return_t IOEventLink::Wait(uint64_t *signalsConsumed)
{
	return core::IOEventLinkWait(link_of(this), signalsConsumed);
}

kern_return_t IOEventLink::WaitUntil(uint64_t clockOptions, uint64_t timeout,
				     uint64_t *signalsConsumed)
{
	return core::IOEventLinkWaitUntil(link_of(this), clockOptions, timeout, signalsConsumed);
}

kern_return_t IOEventLink::SignalAndWait(uint64_t *signalsConsumed)
{
	return core::IOEventLinkSignalAndWait(link_of(this), signalsConsumed);
}

kern_return_t IOEventLink::SignalAndWaitUntil(uint64_t clockOptions, uint64_t timeout,
					      uint64_t *signalsConsumed)
{
	return core::IOEventLinkSignalAndWaitUntil(link_of(this), clockOptions, timeout,
						   signalsConsumed);
}

kern_return_t IOEventLink::Cancel()
{
	return core::IOEventLinkCancel(link_of(this));
}

kern_return_t OpenDextEventLinkSignal(IOEventLink *link, uint64_t *signalsTaken)
{
	return core::OpenDextEventLinkSignal(link_of(link), signalsTaken);
}

/* ---- work groups ---- */

static core::IOWorkGroup *group_of(const IOWorkGroup *group)
{
	return dx::to<core::IOWorkGroup>(group);
}

kern_return_t IOWorkGroup::Create(OSString *name, IOUserClient *userClient, IOWorkGroup **workgroup)
{
	core::IOWorkGroup *made = nullptr;

	if (workgroup == nullptr) {
		return kIOReturnBadArgument;
	}
	return dx::give(core::IOWorkGroupCreate(dx::to<core::OSString>(name),
						dx::to<core::IOUserClient>(userClient), &made),
			made, workgroup);
}

kern_return_t IOWorkGroup::Invalidate()
{
	return core::IOWorkGroupInvalidate(group_of(this));
}

size_t IOWorkGroup::GetTokenSize()
{
	return core::IOWorkGroupGetTokenSize(group_of(this));
}

kern_return_t IOWorkGroup::Join(void *token)
{
	return core::IOWorkGroupJoin(group_of(this), token);
}

kern_return_t IOWorkGroup::Leave(void *token)
{
	return core::IOWorkGroupLeave(group_of(this), token);
}

/* SPDX-License-Identifier: MIT
 *
 * message - callers and takers of the remote methods of the runtime's classes.
 *
 * Place:      cxx. The same code as iig writes for a driver's classes, by macros.
 */
#ifndef DX_CXX_MESSAGE_H
#define DX_CXX_MESSAGE_H

#include "cxx/core.h"

namespace dx {

inline kern_return_t send(const OSMetaClassBase *object, OSDispatchMethod supermethod,
			  uint64_t msgid, void *message)
{
	OSMetaClassBase *self = const_cast<OSMetaClassBase *>(object);
	const IORPC rpc = {msgid, message};

	return supermethod != nullptr ? supermethod(self, rpc) : self->Invoke(rpc);
}

/* A member function as a function: member<&IOService::Start_Impl>::call(object, arguments...) */
template <auto function> struct member;
template <class C, class R, class... A, R (C::*function)(A...)> struct member<function> {
	static R call(OSMetaClassBase *object, A... arguments)
	{
		return (static_cast<C *>(object)->*function)(arguments...);
	}
};

} // namespace dx

/* Takes a message apart; the names are those of the parameters. */
#define DX_TAKER(cls, method, ...)                                                            \
	kern_return_t cls::method##_Invoke(const IORPC rpc, OSMetaClassBase *target,          \
					   method##_Handler func)                             \
	{                                                                                     \
		auto &[__VA_ARGS__] = *static_cast<cls##_##method##_Msg *>(rpc.message);      \
		return func(target, __VA_ARGS__);                                             \
	}
#define DX_TAKER_VOID(cls, method)                                                   \
	kern_return_t cls::method##_Invoke(const IORPC rpc, OSMetaClassBase *target, \
					   method##_Handler func)                    \
	{                                                                            \
		(void)rpc;                                                           \
		return func(target);                                                 \
	}
/* A method that can be overridden. */
#define DX_REMOTE(cls, method, ...)                                                        \
	kern_return_t cls::method(cls##_##method##_Args, OSDispatchMethod supermethod)     \
	{                                                                                  \
		cls##_##method##_Msg message = {__VA_ARGS__};                              \
		return dx::send(this, supermethod, cls##_##method##_ID, &message);         \
	}                                                                                  \
	DX_TAKER(cls, method, __VA_ARGS__)
#define DX_REMOTE_VOID(cls, method)                                                        \
	kern_return_t cls::method(OSDispatchMethod supermethod)                            \
	{                                                                                  \
		return dx::send(this, supermethod, cls##_##method##_ID, nullptr);          \
	}                                                                                  \
	DX_TAKER_VOID(cls, method)
/* A callback. */
#define DX_TYPE(cls, method, ...)                                                             \
	kern_return_t cls::method##_Invoke(const IORPC rpc, OSMetaClassBase *target,          \
					   method##_Handler func)                             \
	{                                                                                     \
		auto &[__VA_ARGS__] = *static_cast<cls##_##method##_Msg *>(rpc.message);      \
		func(target, __VA_ARGS__);                                                    \
		return kIOReturnSuccess;                                                      \
	}
/* In _Dispatch: the runtime's implementation. */
#define DX_CASE(cls, method)      \
	case cls##_##method##_ID: \
		return method##_Invoke(rpc, self, &dx::member<&cls::method##_Impl>::call)

#endif

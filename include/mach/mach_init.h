/* SPDX-License-Identifier: MIT
 *
 * mach/mach_init - the name of this process.
 */
#ifndef OPENDEXT_MACH_MACH_INIT_H
#define OPENDEXT_MACH_MACH_INIT_H

#include <mach/kern_return.h>
#include <mach/port.h>

#ifdef __cplusplus
extern "C" {
#endif

/*! The name of this process as a task: the only task that calls accept. */
extern mach_port_t mach_task_self_;
/*! Same, as an expression; also usable as mach_task_self(). */
#define mach_task_self() mach_task_self_

/*!
 * Frees memory that a call with variable output allocated.
 * @param target_task  mach_task_self().
 * @param address      as returned by the call.
 * @param size         bytes, as returned by the call.
 * @return KERN_SUCCESS, also for size 0; KERN_INVALID_TASK for another task;
 *         KERN_INVALID_ARGUMENT when the range is not aligned as such memory is.
 * Threads: any.
 */
kern_return_t vm_deallocate(vm_map_t target_task, vm_address_t address, vm_size_t size);

/*!
 * Gives one reference on a name back, whatever it names.
 * @param task  mach_task_self().
 * @param name  object, iterator or connection.
 * @return KERN_SUCCESS; KERN_INVALID_TASK; KERN_INVALID_NAME when nothing has this name.
 * Threads: any.
 */
kern_return_t mach_port_deallocate(ipc_space_t task, mach_port_name_t name);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT
 *
 * mach/port - names of objects that this process holds.
 *
 * A name is a 32-bit number of this process. Objects of the registry, connections, iterators,
 * notification ports and the task itself are named with it. Names do not survive fork().
 */
#ifndef OPENDEXT_MACH_PORT_H
#define OPENDEXT_MACH_PORT_H

#include <mach/vm_types.h>

/*! Name of an object in this process. */
typedef unsigned int mach_port_t;
typedef unsigned int mach_port_name_t;

/*! Name of a task; only mach_task_self() exists here. */
typedef mach_port_t task_port_t;
typedef mach_port_t task_t;
typedef mach_port_t vm_map_t;
typedef mach_port_t ipc_space_t;

/*! No object; an object that is gone. */
#define MACH_PORT_NULL 0
#define MACH_PORT_DEAD ((mach_port_t)~0u)

/*! True for anything but the two above. */
#define MACH_PORT_VALID(name) ((name) != MACH_PORT_NULL && (name) != MACH_PORT_DEAD)

#endif

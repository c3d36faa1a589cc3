/* SPDX-License-Identifier: MIT
 *
 * mach/kern_return - results of Mach calls.
 */
#ifndef OPENDEXT_MACH_KERN_RETURN_H
#define OPENDEXT_MACH_KERN_RETURN_H

/*! Result of a call: 0 on success, else a code with system, subsystem and number. */
typedef int kern_return_t;

/*! The codes a client of this library can see. */
#define KERN_SUCCESS		0
#define KERN_INVALID_ADDRESS	1
#define KERN_PROTECTION_FAILURE 2
#define KERN_NO_SPACE		3
#define KERN_INVALID_ARGUMENT	4
#define KERN_FAILURE		5
#define KERN_RESOURCE_SHORTAGE	6
#define KERN_INVALID_NAME	15
#define KERN_INVALID_TASK	16
#define KERN_INVALID_RIGHT	17
#define KERN_NOT_SUPPORTED	46

/*! Codes of the generated message stubs: arguments refused, array too long, peer died. */
#define MIG_BAD_ARGUMENTS   (-304)
#define MIG_ARRAY_TOO_LARGE (-307)
#define MIG_SERVER_DIED	    (-308)

#endif

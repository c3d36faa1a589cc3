/* SPDX-License-Identifier: MIT
 *
 * mach/boolean - the truth value of Mach calls.
 */
#ifndef OPENDEXT_MACH_BOOLEAN_H
#define OPENDEXT_MACH_BOOLEAN_H

#if defined(__x86_64__) && !defined(KERNEL)
/*! 0 is false; the signedness follows the machine, as on macOS. */
typedef unsigned int boolean_t;
#else
typedef int boolean_t;
#endif

#ifndef TRUE
/*! The two values of boolean_t. */
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

#endif

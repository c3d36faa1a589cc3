/* SPDX-License-Identifier: MIT
 *
 * mach/vm_types - sizes and addresses.
 */
#ifndef OPENDEXT_MACH_VM_TYPES_H
#define OPENDEXT_MACH_VM_TYPES_H

#include <stdint.h>

/*! Machine words. */
typedef unsigned int natural_t;
typedef int integer_t;

/*! Addresses and sizes of this process. */
typedef uintptr_t vm_offset_t;
typedef uintptr_t vm_address_t;
typedef uintptr_t vm_size_t;

/*! Addresses and sizes of any process, always 64 bits. */
typedef uint64_t mach_vm_address_t;
typedef uint64_t mach_vm_offset_t;
typedef uint64_t mach_vm_size_t;

#endif

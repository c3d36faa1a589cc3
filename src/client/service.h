/* SPDX-License-Identifier: MIT
 *
 * service - what the public functions on services and entries share.
 *
 * Place:   client. service.c opens, waits, matches; registry.c reads entries; object.c has handles
 *          and iterators.
 * Threads: any.
 */
#ifndef DX_CLIENT_SERVICE_H
#define DX_CLIENT_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <IOKit/IOKitLib.h>

#include "base/value.h"
#include "client/names.h"

/* True for 0 and what IOMainPort() gives. */
bool dx_is_main_port(mach_port_t port);
/* The registry id behind a handle. @return kIOReturnSuccess; kIOReturnBadArgument for 0 or another
 * kind of handle; MACH_SEND_INVALID_DEST for no handle. */
kern_return_t dx_service_id(uint32_t name, uint64_t *ret_id);
/* True for a dictionary that can be sent to the broker. */
bool dx_matching_is_good(CFDictionaryRef matching);
/* What the broker says of an entry (DX_ENTRY_* keys), +1. id 0: the root. */
kern_return_t dx_entry_fetch(uint64_t id, bool with_properties, struct dx_dict **ret_entry);
/* Same, by handle. */
kern_return_t dx_entry_fetch_name(uint32_t name, bool with_properties, struct dx_dict **ret_entry);

/* Iterators over known ids (object.c). ids is taken over on success. */
int dx_iterator_new(uint64_t *ids, size_t count, uint32_t *ret_name);
/* Over relatives of an entry, options as of IORegistryEntryCreateIterator(). */
kern_return_t dx_iterator_new_walk(uint64_t id, uint32_t options, uint32_t *ret_name);

/* Ids of relatives, in order of the walk, malloc'd (registry.c). */
kern_return_t dx_entry_relatives(uint64_t id, uint32_t options, uint64_t **ret_ids,
				 size_t *ret_count);

#endif

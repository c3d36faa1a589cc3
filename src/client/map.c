/* SPDX-License-Identifier: MIT
 *
 * map - memory of the driver in this process.
 *
 * Place:      client. The driver is asked for its memory over the control socket each time; a
 *             mapping is known by the number of the descriptor object, its length and whether it
 *             is read-only.
 * Invariants:
 *   A1  one mapping per descriptor, length and mode: mapping it again gives the same address.
 *   A2  the slices of a descriptor lie side by side; all but the first start on a page of their
 *       file and all but the last end on one.
 *   A3  a file is mapped only if it is sealed against shrinking and holds the slice; not one of
 *       huge pages, where a hole that the driver punches later is a SIGBUS here.
 * Trust:      the driver's reply is checked before anything is mapped; a bad one is refused.
 * Limits:     DX_MAX_MAPPINGS_PER_CLIENT, DX_MAX_MAPPED_BYTES per connection.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <IOKit/IOKitLib.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "client/connection.h"
#include "client/share.h"

#define PAGE UINT64_C(4096)

struct mapping {
	struct dx_list node;
	uint64_t memory_id;
	uint64_t length;
	bool read_only;
	uint64_t base; /* page */
	uint64_t mapped_length;
	uint64_t address; /* first byte */
	uint32_t nr_slices;
	uint64_t slice_bases[DX_WIRE_MAX_SLICES];
};

static void mapping_free(struct mapping *mapping)
{
	for (uint32_t i = 0; i < mapping->nr_slices; i++) {
		dx_share_remove_mapping(mapping->slice_bases[i]);
	}
	if (mapping->mapped_length > 0) {
		(void)munmap((void *)(uintptr_t)mapping->base, mapping->mapped_length); /* ours */
	}
	free(mapping);
}

bool dx_connection_has_mappings(struct dx_connection *connection)
{
	dx_mutex_lock(&connection->map_lock);
	bool any = connection->nr_mappings > 0;
	dx_mutex_unlock(&connection->map_lock);
	return any;
}

static bool is_mapped_at(struct dx_connection *connection, uint64_t address)
{
	bool is_inside = false;

	dx_mutex_lock(&connection->map_lock);
	dx_list_for_each(node, &connection->mappings) {
		const struct mapping *mapping = dx_list_entry(node, struct mapping, node);

		is_inside |= address - mapping->base < mapping->mapped_length;
	}
	dx_mutex_unlock(&connection->map_lock);
	return is_inside;
}

struct dx_connection *dx_connection_mapped_at(uint64_t address)
{
	struct dx_connection *connection = NULL;
	uint32_t place = 0;

	while ((connection = dx_names_next(&dx_connection_class, &place)) != NULL &&
	       !is_mapped_at(connection, address)) {
		(void)dx_object_unref(connection); /* always NULL */
	}
	return connection;
}

static void count_bytes(struct dx_connection *connection, const struct mapping *mapping, int sign)
{
	dx_statistics_add(&connection->statistics.bytes_mapped,
			  sign > 0 ? mapping->length : (uint64_t)0 - mapping->length);
}

void dx_connection_unmap_all(struct dx_connection *connection)
{
	struct dx_list gone = DX_LIST_INIT(gone);

	dx_mutex_lock(&connection->map_lock);
	dx_list_splice_back(&gone, &connection->mappings);
	connection->nr_mappings = 0;
	dx_mutex_unlock(&connection->map_lock);
	dx_list_for_each_safe(node, &gone) {
		struct mapping *mapping = dx_list_entry(node, struct mapping, node);

		count_bytes(connection, mapping, -1);
		mapping_free(mapping);
	}
}

static struct mapping *find(struct dx_connection *connection,
			    const struct dx_wire_map_reply *reply)
{
	struct mapping *found = NULL;

	dx_mutex_lock(&connection->map_lock);
	dx_list_for_each(node, &connection->mappings) {
		struct mapping *mapping = dx_list_entry(node, struct mapping, node);

		if (mapping->memory_id == reply->memory_id && mapping->length == reply->length &&
		    mapping->read_only == ((reply->flags & DX_WIRE_MAP_READ_ONLY) != 0)) {
			found = mapping;
		}
	}
	dx_mutex_unlock(&connection->map_lock);
	return found;
}

/* A3 */
static bool file_holds(int fd, const struct dx_wire_slice *slice)
{
	struct statfs file_system;
	struct stat status;
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && fstatfs(fd, &file_system) == 0 &&
	       file_system.f_type == TMPFS_MAGIC && fstat(fd, &status) == 0 && status.st_size >= 0 &&
	       dx_range_inside(slice->offset, slice->length, (uint64_t)status.st_size);
}

/* A2, and sums without overflow. *ret_mapped: bytes of whole pages. */
static bool slices_are_good(const struct dx_wire_map_reply *reply,
			    const struct dx_wire_message_in *message, uint64_t *ret_mapped)
{
	uint64_t length = 0;
	uint64_t mapped = 0;

	if (reply->nr_slices == 0 || reply->nr_slices > DX_WIRE_MAX_SLICES ||
	    reply->nr_slices != message->nr_fds || (reply->flags & ~DX_WIRE_MAP_READ_ONLY) != 0) {
		return false;
	}
	for (uint32_t i = 0; i < reply->nr_slices; i++) {
		const struct dx_wire_slice *slice = &reply->slices[i];
		uint64_t before = slice->offset % PAGE;
		uint64_t end = 0;

		if (slice->length == 0 || slice->length > DX_MAX_MAPPED_BYTES ||
		    dx_add_overflow(slice->offset, slice->length, &end) ||
		    (i > 0 && before != 0) || (i + 1 < reply->nr_slices && end % PAGE != 0) ||
		    !file_holds(message->fds[i], slice)) {
			return false;
		}
		length += slice->length;
		mapped += (before + slice->length + PAGE - 1) & ~(PAGE - 1);
	}
	*ret_mapped = mapped;
	return length == reply->length && mapped <= DX_MAX_MAPPED_BYTES;
}

/* Address space for the mapping: anywhere, or at the wanted place if that is free. */
static int reserve(struct mapping *mapping, uint64_t wanted, bool anywhere, uint64_t before)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

	if (!anywhere && (wanted < before || (wanted - before) % PAGE != 0 || wanted == before)) {
		return -EINVAL;
	}
	void *start = anywhere ? NULL : (void *)(uintptr_t)(wanted - before);
	void *got = mmap(start, mapping->mapped_length, PROT_NONE,
			 anywhere ? flags : flags | MAP_FIXED_NOREPLACE, -1, 0);
	if (got == MAP_FAILED) {
		return -errno;
	}
	mapping->base = (uint64_t)(uintptr_t)got;
	mapping->address = mapping->base + before;
	return 0;
}

/* Maps one slice into the reserved space; its descriptor goes to the registry of shared memory. */
static int map_slice(struct mapping *mapping, const struct dx_wire_slice *slice, int *fd,
		     uint64_t base)
{
	uint64_t before = slice->offset % PAGE;
	uint64_t length = (before + slice->length + PAGE - 1) & ~(PAGE - 1);
	int protection = mapping->read_only ? PROT_READ : PROT_READ | PROT_WRITE;

	if (mmap((void *)(uintptr_t)base, length, protection, MAP_SHARED | MAP_FIXED, *fd,
		 (off_t)(slice->offset - before)) == MAP_FAILED) {
		return -errno;
	}
	int error = dx_share_add_mapping(base, length, fd, slice->offset - before,
					 !mapping->read_only);
	if (error == 0) {
		mapping->slice_bases[mapping->nr_slices++] = base;
	}
	return error;
}

static int map_slices(struct mapping *mapping, const struct dx_wire_map_reply *reply,
		      struct dx_wire_message_in *message)
{
	uint64_t base = mapping->base;
	int error = 0;

	for (uint32_t i = 0; i < reply->nr_slices && error == 0; i++) {
		const struct dx_wire_slice *slice = &reply->slices[i];

		error = map_slice(mapping, slice, &message->fds[i], base);
		base += (slice->offset % PAGE + slice->length + PAGE - 1) & ~(PAGE - 1);
	}
	return error;
}

static int map_new(const struct dx_wire_map_reply *reply, struct dx_wire_message_in *message,
		   uint64_t wanted, bool anywhere, struct mapping **ret_mapping)
{
	uint64_t mapped_length = 0;

	if (!slices_are_good(reply, message, &mapped_length)) {
		return -EPROTO;
	}
	struct mapping *mapping = calloc(1, sizeof(*mapping));
	if (mapping == NULL) {
		return -ENOMEM;
	}
	*mapping = (struct mapping){
		.memory_id = reply->memory_id,
		.length = reply->length,
		.read_only = (reply->flags & DX_WIRE_MAP_READ_ONLY) != 0,
		.mapped_length = mapped_length,
	};
	dx_list_init(&mapping->node);
	int error = reserve(mapping, wanted, anywhere, reply->slices[0].offset % PAGE);
	if (error < 0) {
		mapping->mapped_length = 0;
	} else {
		error = map_slices(mapping, reply, message);
	}
	if (error < 0) {
		mapping_free(mapping);
		return error;
	}
	*ret_mapping = mapping;
	return 0;
}

/* Adds a mapping within the limits. */
static int keep(struct dx_connection *connection, struct mapping *mapping)
{
	uint64_t mapped = atomic_load_explicit(&connection->statistics.bytes_mapped,
					       memory_order_relaxed);
	int error = 0;

	dx_mutex_lock(&connection->map_lock);
	if (connection->nr_mappings >= DX_MAX_MAPPINGS_PER_CLIENT ||
	    mapped + mapping->length > DX_MAX_MAPPED_BYTES) {
		error = -ENOBUFS;
	} else {
		dx_list_push_back(&connection->mappings, &mapping->node);
		connection->nr_mappings += 1;
	}
	dx_mutex_unlock(&connection->map_lock);
	if (error == 0) {
		count_bytes(connection, mapping, 1);
	}
	return error;
}

/* Asks the driver for the memory of a type. @return 0 with a reply to be finished. */
static int ask_driver(struct dx_connection *connection, uint16_t type, uint32_t memory_type,
		      uint32_t options, struct dx_wire_message_in *ret_reply)
{
	struct dx_wire_map body = {.memory_type = memory_type,
				   .options = options & kIOMapUserOptionsMask};
	struct dx_mux_send send = {.type = type, .body = &body, .body_length = sizeof(body)};

	return dx_mux_request(connection->mux, &send, ret_reply);
}

static kern_return_t take_mapping(struct dx_connection *connection,
				  struct dx_wire_message_in *message, bool anywhere,
				  mach_vm_address_t *address, mach_vm_size_t *size)
{
	const struct dx_wire_map_reply *reply = message->view.body;

	if (message->view.header.status != 0 || reply->memory_id == 0 || reply->length == 0) {
		return kIOReturnBadArgument;
	}
	struct mapping *mapping = find(connection, reply);
	if (mapping == NULL) {
		int error = map_new(reply, message, *address, anywhere, &mapping);

		if (error == 0) {
			error = keep(connection, mapping);
			if (error < 0) {
				mapping_free(mapping);
			}
		}
		if (error < 0) {
			return kIOReturnBadArgument;
		}
	}
	*address = mapping->address;
	*size = mapping->length;
	return kIOReturnSuccess;
}

kern_return_t IOConnectMapMemory64(io_connect_t connect, uint32_t memoryType, task_port_t intoTask,
				   mach_vm_address_t *atAddress, mach_vm_size_t *ofSize,
				   IOOptionBits options)
{
	struct dx_connection *connection = NULL;
	struct dx_wire_message_in message;

	if (intoTask != mach_task_self() || atAddress == NULL || ofSize == NULL) {
		return kIOReturnBadArgument;
	}
	kern_return_t result = dx_connection_enter(connect, true, &connection);
	if (result != kIOReturnSuccess) {
		return result == kIOReturnOffline ? kIOReturnBadArgument : result;
	}
	result = kIOReturnBadArgument;
	if (ask_driver(connection, DX_WIRE_C_MAP, memoryType, options, &message) == 0) {
		result = take_mapping(connection, &message, (options & kIOMapAnywhere) != 0,
				      atAddress, ofSize);
		dx_wire_message_in_fini(&message);
	}
	dx_connection_leave(connection);
	return result;
}

static kern_return_t drop_mapping(struct dx_connection *connection,
				  const struct dx_wire_message_in *message)
{
	const struct dx_wire_map_reply *reply = message->view.body;

	if (message->view.header.status != 0) {
		return message->view.header.status;
	}
	if (reply->memory_id == 0) {
		return kIOReturnSuccess;
	}
	struct mapping *mapping = find(connection, reply);
	if (mapping == NULL) {
		return kIOReturnBadArgument;
	}
	dx_mutex_lock(&connection->map_lock);
	dx_list_remove(&mapping->node);
	connection->nr_mappings -= 1;
	dx_mutex_unlock(&connection->map_lock);
	count_bytes(connection, mapping, -1);
	mapping_free(mapping);
	return kIOReturnSuccess;
}

kern_return_t IOConnectUnmapMemory64(io_connect_t connect, uint32_t memoryType,
				     task_port_t fromTask, mach_vm_address_t atAddress)
{
	struct dx_connection *connection = NULL;
	struct dx_wire_message_in message;

	(void)atAddress;
	if (fromTask != mach_task_self()) {
		return kIOReturnBadArgument;
	}
	kern_return_t result = dx_connection_enter(connect, true, &connection);
	if (result != kIOReturnSuccess) {
		return result == kIOReturnOffline ? kIOReturnBadArgument : result;
	}
	result = kIOReturnBadArgument;
	if (ask_driver(connection, DX_WIRE_C_UNMAP, memoryType, 0, &message) == 0) {
		result = drop_mapping(connection, &message);
		dx_wire_message_in_fini(&message);
	}
	dx_connection_leave(connection);
	return result;
}

kern_return_t IOConnectMapMemory(io_connect_t connect, uint32_t memoryType, task_port_t intoTask,
				 mach_vm_address_t *atAddress, mach_vm_size_t *ofSize,
				 IOOptionBits options)
{
	return IOConnectMapMemory64(connect, memoryType, intoTask, atAddress, ofSize, options);
}

kern_return_t IOConnectUnmapMemory(io_connect_t connect, uint32_t memoryType, task_port_t fromTask,
				   mach_vm_address_t atAddress)
{
	return IOConnectUnmapMemory64(connect, memoryType, fromTask, atAddress);
}

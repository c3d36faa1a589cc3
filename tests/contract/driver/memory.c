/* SPDX-License-Identifier: MIT
 *
 * memory - the memory that the driver hands out, by type.
 */
#include "driver.h"

/* Makes a buffer on first use and lends it. */
static kern_return_t get_buffer(IOBufferMemoryDescriptor **variable, uint64_t length)
{
	return *variable != NULL ? kIOReturnSuccess
				 : IOBufferMemoryDescriptorCreate(kIOMemoryDirectionInOut, length, 0,
								  variable);
}

static kern_return_t get_sub(struct contract_client *client)
{
	if (client->sub != NULL) {
		return kIOReturnSuccess;
	}
	return IOMemoryDescriptorCreateSubMemoryDescriptor(
		kIOMemoryDirectionInOut, 100, 5000, IO_MEMORY_DESCRIPTOR(client->shared),
		&client->sub);
}

static kern_return_t get_composed(struct contract_client *client)
{
	kern_return_t result = get_buffer(&client->first, CONTRACT_PAGE);
	IOMemoryDescriptor *parts[2];

	if (result != kIOReturnSuccess || client->composed != NULL) {
		return result;
	}
	parts[0] = IO_MEMORY_DESCRIPTOR(client->first);
	parts[1] = IO_MEMORY_DESCRIPTOR(client->shared);
	return IOMemoryDescriptorCreateWithMemoryDescriptors(kIOMemoryDirectionInOut, 2, parts,
							     &client->composed);
}

/* Lends the memory of a type that is the same object each time; NULL for the others. */
static IOMemoryDescriptor *lasting(IOUserClient *self, struct contract_client *client,
				   uint64_t type)
{
	switch (type) {
	case CONTRACT_MEMORY_SHARED:
		return IO_MEMORY_DESCRIPTOR(client->shared);
	case CONTRACT_MEMORY_READ_ONLY:
		(void)get_buffer(&client->read_only, CONTRACT_PAGE);
		return IO_MEMORY_DESCRIPTOR(client->read_only);
	case CONTRACT_MEMORY_SUB:
		(void)get_sub(client);
		return client->sub;
	case CONTRACT_MEMORY_ODD:
		(void)get_buffer(&client->odd, 5001);
		return IO_MEMORY_DESCRIPTOR(client->odd);
	case CONTRACT_MEMORY_COMPOSED:
		(void)get_composed(client);
		return client->composed;
	case CONTRACT_MEMORY_DYNAMIC:
		return IO_MEMORY_DESCRIPTOR(client->dynamic);
	case CONTRACT_MEMORY_SWITCHED:
		(void)get_buffer(&client->switched, CONTRACT_PAGE);
		return IO_MEMORY_DESCRIPTOR(client->switched);
	default:
		return IO_MEMORY_DESCRIPTOR(contract_usb_buffer(self, type));
	}
}

kern_return_t contract_copy_client_memory(IOUserClient *self, uint64_t type, uint64_t *options,
					  IOMemoryDescriptor **memory)
{
	struct contract_client *client = contract_client_of(OS_OBJECT(self));
	IOMemoryDescriptor *found;
	IOBufferMemoryDescriptor *fresh = NULL;
	kern_return_t result;

	client->nr_copies++;
	switch (type) {
	case CONTRACT_MEMORY_NULL:
		*memory = NULL;
		return kIOReturnSuccess;
	case CONTRACT_MEMORY_ERROR:
		return kIOReturnNoPower;
	case CONTRACT_MEMORY_FRESH:
		result = IOBufferMemoryDescriptorCreate(kIOMemoryDirectionInOut, CONTRACT_PAGE, 0,
							&fresh);
		*memory = IO_MEMORY_DESCRIPTOR(fresh);
		return result;
	default:
		break;
	}
	found = lasting(self, client, type);
	if (found == NULL) {
		return IOUserClientSuperCopyClientMemoryForType(&ContractClientClass, self, type,
								options, memory);
	}
	if (type == CONTRACT_MEMORY_READ_ONLY ||
	    (type == CONTRACT_MEMORY_SWITCHED && client->switched_read_only)) {
		*options |= kIOUserClientMemoryReadOnly;
	}
	*memory = OSRetain(found);
	return kIOReturnSuccess;
}

/* The byte of a type's memory, by way of a mapping that lasts as long as the descriptor. */
static uint8_t *byte_of(OSObject *target, uint64_t type, uint64_t offset)
{
	struct contract_client *client = contract_client_of(target);
	IOMemoryDescriptor *memory = lasting((IOUserClient *)target, client, type);
	uint64_t address = 0;
	uint64_t length = 0;

	if (memory == NULL ||
	    IOMemoryDescriptorMap(memory, 0, 0, 0, 0, &address, &length) != kIOReturnSuccess ||
	    offset >= length) {
		return NULL;
	}
	return (uint8_t *)(uintptr_t)(address + offset);
}

METHOD(contract_peek)
{
	const uint8_t *byte = byte_of(target, arguments->scalarInput[0], arguments->scalarInput[1]);

	(void)reference;
	if (byte == NULL) {
		return kIOReturnNotFound;
	}
	arguments->scalarOutput[0] = *byte;
	return kIOReturnSuccess;
}

METHOD(contract_poke)
{
	uint8_t *byte = byte_of(target, arguments->scalarInput[0], arguments->scalarInput[1]);

	(void)reference;
	if (byte == NULL) {
		return kIOReturnNotFound;
	}
	*byte = (uint8_t)arguments->scalarInput[2];
	return kIOReturnSuccess;
}

METHOD(contract_allocate)
{
	struct contract_client *client = contract_client_of(target);
	IOAddressSegment range = {0};
	kern_return_t result;

	(void)reference;
	OSSafeReleaseNULL(client->dynamic);
	result = IOBufferMemoryDescriptorCreate(kIOMemoryDirectionInOut, arguments->scalarInput[0],
						arguments->scalarInput[1], &client->dynamic);
	if (result == kIOReturnSuccess) {
		result = IOBufferMemoryDescriptorGetAddressRange(client->dynamic, &range);
		arguments->scalarOutput[0] = range.address;
	}
	return result;
}

METHOD(contract_set_length)
{
	struct contract_client *client = contract_client_of(target);

	(void)reference;
	return IOBufferMemoryDescriptorSetLength(client->dynamic, arguments->scalarInput[0]);
}

METHOD(contract_drop)
{
	struct contract_client *client = contract_client_of(target);

	(void)reference;
	(void)arguments;
	OSSafeReleaseNULL(client->dynamic);
	return kIOReturnSuccess;
}

METHOD(contract_read_only)
{
	(void)reference;
	contract_client_of(target)->switched_read_only = arguments->scalarInput[0] != 0;
	return kIOReturnSuccess;
}

METHOD(contract_nr_copies)
{
	(void)reference;
	arguments->scalarOutput[0] = contract_client_of(target)->nr_copies;
	return kIOReturnSuccess;
}

void contract_client_fini_memory(struct contract_client *client)
{
	OSSafeReleaseNULL(client->composed);
	OSSafeReleaseNULL(client->sub);
	OSSafeReleaseNULL(client->shared);
	OSSafeReleaseNULL(client->read_only);
	OSSafeReleaseNULL(client->odd);
	OSSafeReleaseNULL(client->first);
	OSSafeReleaseNULL(client->dynamic);
	OSSafeReleaseNULL(client->switched);
}

/* SPDX-License-Identifier: MIT
 *
 * application_memory - memory of the application in the driver: granted, and large structures.
 */
#include "driver.h"

/* @return NULL for an offset that does not exist, and for no map. */
static uint8_t *byte_at(IOMemoryMap *map, uint64_t offset)
{
	if (map == NULL || offset >= IOMemoryMapGetLength(map)) {
		return NULL;
	}
	return (uint8_t *)(uintptr_t)(IOMemoryMapGetAddress(map) + offset);
}

static uint8_t *grant_byte(const struct contract_client *client, uint64_t number, uint64_t offset)
{
	return byte_at(number < CONTRACT_MAX_GRANTS ? client->grant_maps[number] : NULL, offset);
}

static uint8_t *kept_byte(const struct contract_client *client, uint64_t which, uint64_t offset)
{
	return byte_at(which < 2 ? client->struct_maps[which] : NULL, offset);
}

static kern_return_t peek(const uint8_t *byte, IOUserClientMethodArguments *arguments)
{
	if (byte == NULL) {
		return kIOReturnNotFound;
	}
	arguments->scalarOutput[0] = *byte;
	return kIOReturnSuccess;
}

static kern_return_t poke(uint8_t *byte, const IOUserClientMethodArguments *arguments)
{
	if (byte == NULL) {
		return kIOReturnNotFound;
	}
	*byte = (uint8_t)arguments->scalarInput[2];
	return kIOReturnSuccess;
}

METHOD(contract_grant)
{
	struct contract_client *client = contract_client_of(target);
	const struct contract_grant *grant =
		OSDataGetBytesPtr(arguments->structureInput, 0, sizeof(*grant));
	IOAddressSegment segments[CONTRACT_MAX_SEGMENTS];
	uint32_t number = 0;
	kern_return_t result;

	(void)reference;
	while (number < CONTRACT_MAX_GRANTS && client->grants[number] != NULL) {
		number++;
	}
	if (number == CONTRACT_MAX_GRANTS || grant->nr_segments > CONTRACT_MAX_SEGMENTS) {
		return kIOReturnNoSpace;
	}
	for (uint32_t i = 0; i < grant->nr_segments; i++) {
		segments[i].address = grant->segments[i].address;
		segments[i].length = grant->segments[i].length;
	}
	result = IOUserClientCreateMemoryDescriptorFromClient((IOUserClient *)target, grant->options,
							      grant->nr_segments, segments,
							      &client->grants[number]);
	if (result != kIOReturnSuccess) {
		return result;
	}
	result = IOMemoryDescriptorCreateMapping(
		client->grants[number], grant->read_only_mapping ? kIOMemoryMapReadOnly : 0, 0, 0,
		0, 0, &client->grant_maps[number]);
	if (result != kIOReturnSuccess) {
		OSSafeReleaseNULL(client->grants[number]);
	}
	arguments->scalarOutput[0] = number;
	return result;
}

METHOD(contract_grant_peek)
{
	(void)reference;
	return peek(grant_byte(contract_client_of(target), arguments->scalarInput[0],
		               arguments->scalarInput[1]),
		    arguments);
}

METHOD(contract_grant_poke)
{
	(void)reference;
	return poke(grant_byte(contract_client_of(target), arguments->scalarInput[0],
		               arguments->scalarInput[1]),
		    arguments);
}

METHOD(contract_grant_fill)
{
	const struct contract_client *client = contract_client_of(target);
	uint8_t *first = grant_byte(client, arguments->scalarInput[0], 0);

	(void)reference;
	if (first == NULL) {
		return kIOReturnNotFound;
	}
	memset(first, (int)arguments->scalarInput[1],
	       IOMemoryMapGetLength(client->grant_maps[arguments->scalarInput[0]]));
	return kIOReturnSuccess;
}

METHOD(contract_grant_release)
{
	struct contract_client *client = contract_client_of(target);
	uint64_t number = arguments->scalarInput[0];

	(void)reference;
	if (grant_byte(client, number, 0) == NULL) {
		return kIOReturnNotFound;
	}
	OSSafeReleaseNULL(client->grant_maps[number]);
	OSSafeReleaseNULL(client->grants[number]);
	return kIOReturnSuccess;
}

METHOD(contract_keep_structs)
{
	struct contract_client *client = contract_client_of(target);
	IOMemoryDescriptor *seen[2] = {arguments->structureInputDescriptor,
				       arguments->structureOutputDescriptor};

	(void)reference;
	for (unsigned i = 0; i < 2; i++) {
		kern_return_t result;

		OSSafeReleaseNULL(client->struct_maps[i]);
		OSSafeReleaseNULL(client->structs[i]);
		if (seen[i] == NULL) {
			continue;
		}
		client->structs[i] = OSRetain(seen[i]);
		result = IOMemoryDescriptorCreateMapping(seen[i], 0, 0, 0, 0, 0,
							 &client->struct_maps[i]);
		if (result != kIOReturnSuccess) {
			return result;
		}
	}
	return kIOReturnSuccess;
}

METHOD(contract_kept_peek)
{
	(void)reference;
	return peek(kept_byte(contract_client_of(target), arguments->scalarInput[0],
		              arguments->scalarInput[1]),
		    arguments);
}

METHOD(contract_kept_poke)
{
	(void)reference;
	return poke(kept_byte(contract_client_of(target), arguments->scalarInput[0],
		              arguments->scalarInput[1]),
		    arguments);
}

void contract_client_fini_application_memory(struct contract_client *client)
{
	for (unsigned i = 0; i < CONTRACT_MAX_GRANTS; i++) {
		OSSafeReleaseNULL(client->grant_maps[i]);
		OSSafeReleaseNULL(client->grants[i]);
	}
	for (unsigned i = 0; i < 2; i++) {
		OSSafeReleaseNULL(client->struct_maps[i]);
		OSSafeReleaseNULL(client->structs[i]);
	}
}

/* SPDX-License-Identifier: MIT
 *
 * Memory - the memory that the driver hands out, by type, and memory of the application.
 */
#include "Driver.hpp"

/* Makes a buffer on first use and lends it. */
static IOBufferMemoryDescriptor *GetBuffer(IOBufferMemoryDescriptor **variable, uint64_t length)
{
	if (*variable == nullptr) {
		(void)IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, length, 0, variable);
	}
	return *variable;
}

static IOMemoryDescriptor *GetSub(ContractClient_IVars *ivars)
{
	if (ivars->sub == nullptr) {
		(void)IOMemoryDescriptor::CreateSubMemoryDescriptor(
			kIOMemoryDirectionInOut, 100, 5000, ivars->shared, &ivars->sub);
	}
	return ivars->sub;
}

static IOMemoryDescriptor *GetComposed(ContractClient_IVars *ivars)
{
	IOMemoryDescriptor *parts[2] = {GetBuffer(&ivars->first, CONTRACT_PAGE), ivars->shared};

	if (ivars->composed == nullptr && parts[0] != nullptr) {
		(void)IOMemoryDescriptor::CreateWithMemoryDescriptors(kIOMemoryDirectionInOut, 2,
								      parts, &ivars->composed);
	}
	return ivars->composed;
}

IOMemoryDescriptor *ContractClient::Lasting(uint64_t type)
{
	switch (type) {
	case CONTRACT_MEMORY_SHARED:
		return ivars->shared;
	case CONTRACT_MEMORY_READ_ONLY:
		return GetBuffer(&ivars->read_only, CONTRACT_PAGE);
	case CONTRACT_MEMORY_SUB:
		return GetSub(ivars);
	case CONTRACT_MEMORY_ODD:
		return GetBuffer(&ivars->odd, 5001);
	case CONTRACT_MEMORY_COMPOSED:
		return GetComposed(ivars);
	case CONTRACT_MEMORY_DYNAMIC:
		return ivars->dynamic;
	case CONTRACT_MEMORY_SWITCHED:
		return GetBuffer(&ivars->switched, CONTRACT_PAGE);
	default:
		return nullptr;
	}
}

kern_return_t IMPL(ContractClient, CopyClientMemoryForType)
{
	IOBufferMemoryDescriptor *fresh = nullptr;
	kern_return_t status;

	ivars->nr_copies++;
	switch (type) {
	case CONTRACT_MEMORY_NULL:
		*memory = nullptr;
		return kIOReturnSuccess;
	case CONTRACT_MEMORY_ERROR:
		return kIOReturnNoPower;
	case CONTRACT_MEMORY_FRESH:
		status = IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, CONTRACT_PAGE, 0,
							  &fresh);
		*memory = fresh;
		return status;
	default:
		break;
	}
	IOMemoryDescriptor *found = Lasting(type);
	if (found == nullptr) {
		return CopyClientMemoryForType(type, options, memory, SUPERDISPATCH);
	}
	if (type == CONTRACT_MEMORY_READ_ONLY ||
	    (type == CONTRACT_MEMORY_SWITCHED && ivars->switched_read_only)) {
		*options |= kIOUserClientMemoryReadOnly;
	}
	found->retain();
	*memory = found;
	return kIOReturnSuccess;
}

/* The byte of a type's memory, by way of a mapping that lasts as long as the descriptor. */
static uint8_t *ByteOf(ContractClient *client, uint64_t type, uint64_t offset)
{
	IOMemoryDescriptor *memory = client->Lasting(type);
	uint64_t address = 0;
	uint64_t length = 0;

	if (memory == nullptr ||
	    memory->Map(0, 0, 0, 0, &address, &length) != kIOReturnSuccess || offset >= length) {
		return nullptr;
	}
	return reinterpret_cast<uint8_t *>(address + offset);
}

static kern_return_t PeekAt(const uint8_t *byte, IOUserClientMethodArguments *arguments)
{
	if (byte == nullptr) {
		return kIOReturnNotFound;
	}
	arguments->scalarOutput[0] = *byte;
	return kIOReturnSuccess;
}

static kern_return_t PokeAt(uint8_t *byte, const IOUserClientMethodArguments *arguments)
{
	if (byte == nullptr) {
		return kIOReturnNotFound;
	}
	*byte = static_cast<uint8_t>(arguments->scalarInput[2]);
	return kIOReturnSuccess;
}

METHOD(Peek)
{
	return PeekAt(ByteOf(CLIENT, arguments->scalarInput[0], arguments->scalarInput[1]),
		      arguments);
}

METHOD(Poke)
{
	return PokeAt(ByteOf(CLIENT, arguments->scalarInput[0], arguments->scalarInput[1]),
		      arguments);
}

METHOD(Allocate)
{
	ContractClient_IVars *ivars = CLIENT->ivars;
	IOAddressSegment range = {};

	OSSafeReleaseNULL(ivars->dynamic);
	kern_return_t status = IOBufferMemoryDescriptor::Create(
		kIOMemoryDirectionInOut, arguments->scalarInput[0], arguments->scalarInput[1],
		&ivars->dynamic);
	if (status == kIOReturnSuccess) {
		status = ivars->dynamic->GetAddressRange(&range);
		arguments->scalarOutput[0] = range.address;
	}
	return status;
}

METHOD(SetLength)
{
	return CLIENT->ivars->dynamic->SetLength(arguments->scalarInput[0]);
}

METHOD(Drop)
{
	OSSafeReleaseNULL(CLIENT->ivars->dynamic);
	return kIOReturnSuccess;
}

METHOD(SetReadOnly)
{
	CLIENT->ivars->switched_read_only = arguments->scalarInput[0] != 0;
	return kIOReturnSuccess;
}

METHOD(NrCopies)
{
	arguments->scalarOutput[0] = CLIENT->ivars->nr_copies;
	return kIOReturnSuccess;
}

void FreeMemory(ContractClient_IVars *ivars)
{
	OSSafeReleaseNULL(ivars->composed);
	OSSafeReleaseNULL(ivars->sub);
	OSSafeReleaseNULL(ivars->shared);
	OSSafeReleaseNULL(ivars->read_only);
	OSSafeReleaseNULL(ivars->odd);
	OSSafeReleaseNULL(ivars->first);
	OSSafeReleaseNULL(ivars->dynamic);
	OSSafeReleaseNULL(ivars->switched);
}

/* --- memory of the application: granted, and large structures -------------------------------- */

/* @return NULL when there is no mapping, or it is shorter. */
static uint8_t *MappedByte(IOMemoryMap *map, uint64_t offset)
{
	if (map == nullptr || offset >= map->GetLength()) {
		return nullptr;
	}
	return reinterpret_cast<uint8_t *>(map->GetAddress() + offset);
}

static uint8_t *GrantByte(const ContractClient_IVars *ivars, uint64_t number, uint64_t offset)
{
	return number < MAX_GRANTS ? MappedByte(ivars->grant_maps[number], offset) : nullptr;
}

METHOD(Grant)
{
	ContractClient_IVars *ivars = CLIENT->ivars;
	const auto *grant =
		static_cast<const contract_grant *>(arguments->structureInput->getBytesNoCopy());
	IOAddressSegment segments[CONTRACT_MAX_SEGMENTS];
	uint32_t number = 0;

	while (number < MAX_GRANTS && ivars->grants[number] != nullptr) {
		number++;
	}
	if (number == MAX_GRANTS || grant->nr_segments > CONTRACT_MAX_SEGMENTS) {
		return kIOReturnNoSpace;
	}
	for (uint32_t i = 0; i < grant->nr_segments; i++) {
		segments[i].address = grant->segments[i].address;
		segments[i].length = grant->segments[i].length;
	}
	kern_return_t status = CLIENT->CreateMemoryDescriptorFromClient(
		grant->options, grant->nr_segments, segments, &ivars->grants[number]);
	if (status != kIOReturnSuccess) {
		return status;
	}
	status = ivars->grants[number]->CreateMapping(
		grant->read_only_mapping ? kIOMemoryMapReadOnly : 0, 0, 0, 0, 0,
		&ivars->grant_maps[number]);
	if (status != kIOReturnSuccess) {
		OSSafeReleaseNULL(ivars->grants[number]);
	}
	arguments->scalarOutput[0] = number;
	return status;
}

METHOD(GrantPeek)
{
	return PeekAt(GrantByte(CLIENT->ivars, arguments->scalarInput[0], arguments->scalarInput[1]),
		      arguments);
}

METHOD(GrantPoke)
{
	return PokeAt(GrantByte(CLIENT->ivars, arguments->scalarInput[0], arguments->scalarInput[1]),
		      arguments);
}

METHOD(GrantFill)
{
	uint64_t number = arguments->scalarInput[0];
	uint8_t *first = GrantByte(CLIENT->ivars, number, 0);

	if (first == nullptr) {
		return kIOReturnNotFound;
	}
	memset(first, static_cast<int>(arguments->scalarInput[1]),
	       CLIENT->ivars->grant_maps[number]->GetLength());
	return kIOReturnSuccess;
}

METHOD(GrantRelease)
{
	uint64_t number = arguments->scalarInput[0];

	if (GrantByte(CLIENT->ivars, number, 0) == nullptr) {
		return kIOReturnNotFound;
	}
	OSSafeReleaseNULL(CLIENT->ivars->grant_maps[number]);
	OSSafeReleaseNULL(CLIENT->ivars->grants[number]);
	return kIOReturnSuccess;
}

METHOD(KeepStructs)
{
	ContractClient_IVars *ivars = CLIENT->ivars;
	IOMemoryDescriptor *seen[2] = {arguments->structureInputDescriptor,
				       arguments->structureOutputDescriptor};

	for (unsigned i = 0; i < 2; i++) {
		OSSafeReleaseNULL(ivars->struct_maps[i]);
		OSSafeReleaseNULL(ivars->structs[i]);
		if (seen[i] == nullptr) {
			continue;
		}
		seen[i]->retain();
		ivars->structs[i] = seen[i];
		kern_return_t status =
			seen[i]->CreateMapping(0, 0, 0, 0, 0, &ivars->struct_maps[i]);
		if (status != kIOReturnSuccess) {
			return status;
		}
	}
	return kIOReturnSuccess;
}

static uint8_t *KeptByte(const ContractClient_IVars *ivars,
			 const IOUserClientMethodArguments *arguments)
{
	uint64_t which = arguments->scalarInput[0];

	return which < 2 ? MappedByte(ivars->struct_maps[which], arguments->scalarInput[1])
			 : nullptr;
}

METHOD(KeptPeek)
{
	return PeekAt(KeptByte(CLIENT->ivars, arguments), arguments);
}

METHOD(KeptPoke)
{
	return PokeAt(KeptByte(CLIENT->ivars, arguments), arguments);
}

void FreeApplicationMemory(ContractClient_IVars *ivars)
{
	for (unsigned i = 0; i < MAX_GRANTS; i++) {
		OSSafeReleaseNULL(ivars->grant_maps[i]);
		OSSafeReleaseNULL(ivars->grants[i]);
	}
	for (unsigned i = 0; i < 2; i++) {
		OSSafeReleaseNULL(ivars->struct_maps[i]);
		OSSafeReleaseNULL(ivars->structs[i]);
	}
}

/* SPDX-License-Identifier: MIT
 *
 * values - OSString, OSData, OSNumber, OSBoolean.
 */
#include <cstdlib>
#include <cstring>

#include "cxx/face.h"

DX_RUNTIME_CLASS(OSString, OSContainer)
DX_RUNTIME_CLASS(OSData, OSContainer)
DX_RUNTIME_CLASS(OSNumber, OSContainer)
DX_RUNTIME_CLASS(OSBoolean, OSContainer)

/* ---- OSString ---- */

OSString *OSString::withString(const OSString *string)
{
	return string == nullptr ? nullptr : withCString(string->getCStringNoCopy());
}

OSString *OSString::withCString(const char *cString)
{
	return dx::take<OSString>(core::OSStringCreate(cString, (size_t)-1));
}

OSString *OSString::withCString(const char *cString, size_t maxLength)
{
	return cString == nullptr ? nullptr
				  : dx::take<OSString>(core::OSStringCreate(
					    cString, strnlen(cString, maxLength)));
}

OSString *OSString::withCStringNoCopy(const char *cString)
{
	return withCString(cString);
}

size_t OSString::getLength() const
{
	return core::OSStringGetLength(dx::to<core::OSString>(this));
}

const char *OSString::getCStringNoCopy() const
{
	return core::OSStringGetStringPtr(dx::to<core::OSString>(this));
}

bool OSString::isEqualTo(const OSString *string) const
{
	return OSMetaClassBase::isEqualTo(string);
}

bool OSString::isEqualTo(const char *cString) const
{
	return cString != nullptr && strcmp(getCStringNoCopy(), cString) == 0;
}

bool OSString::isEqualTo(const OSData *data) const
{
	return data != nullptr && data->isEqualTo(this);
}

/* ---- OSData ---- */

static core::OSData *data_of(const OSData *data)
{
	return dx::to<core::OSData>(data);
}

OSData *OSData::withCapacity(uint32_t)
{
	return withBytes(nullptr, 0);
}

OSData *OSData::withBytes(const void *bytes, size_t length)
{
	return dx::take<OSData>(core::OSDataCreate(bytes, length));
}

OSData *OSData::withBytesNoCopy(void *bytes, size_t length)
{
	return withBytes(bytes, length);
}

OSData *OSData::withData(const OSData *data)
{
	return data == nullptr ? nullptr : withBytes(data->getBytesNoCopy(), data->getLength());
}

OSData *OSData::withData(const OSData *data, size_t start, size_t length)
{
	const void *bytes = data == nullptr ? nullptr : data->getBytesNoCopy(start, length);

	return bytes == nullptr ? nullptr : withBytes(bytes, length);
}

size_t OSData::getLength() const
{
	return core::OSDataGetLength(data_of(this));
}

size_t OSData::getCapacity() const
{
	return getLength();
}

bool OSData::appendBytes(const void *bytes, size_t length)
{
	return core::OSDataAppendBytes(data_of(this), bytes, length);
}

/* Data may be appended to itself: a copy is read while the bytes move. */
bool OSData::appendBytes(const OSData *data)
{
	OSData *copy = withData(data);

	if (copy == nullptr) {
		return false;
	}
	bool appended = copy->getLength() == 0 ||
			appendBytes(copy->getBytesNoCopy(), copy->getLength());
	copy->release();
	return appended;
}

const void *OSData::getBytesNoCopy() const
{
	return getBytesNoCopy(0, getLength());
}

const void *OSData::getBytesNoCopy(size_t start, size_t length) const
{
	return core::OSDataGetBytesPtr(data_of(this), start, length);
}

bool OSData::isEqualTo(const OSData *data) const
{
	return OSMetaClassBase::isEqualTo(data);
}

bool OSData::isEqualTo(const OSString *string) const
{
	if (string == nullptr) {
		return false;
	}
	size_t length = string->getLength();
	return isEqualTo(string->getCStringNoCopy(), length) ||
	       isEqualTo(string->getCStringNoCopy(), length + 1);
}

bool OSData::isEqualTo(const void *bytes, size_t length) const
{
	return length == getLength() &&
	       (length == 0 || memcmp(bytes, getBytesNoCopy(), length) == 0);
}

/* ---- OSNumber ---- */

OSNumber *OSNumber::withNumber(uint64_t value, size_t numberOfBits)
{
	return dx::take<OSNumber>(core::OSNumberCreate(value, numberOfBits));
}

OSNumber *OSNumber::withNumber(const char *value, size_t numberOfBits)
{
	return value == nullptr
		       ? nullptr
		       : withNumber(static_cast<uint64_t>(strtoll(value, nullptr, 0)), numberOfBits);
}

size_t OSNumber::numberOfBits() const
{
	return core::OSNumberGetNumberOfBits(dx::to<core::OSNumber>(this));
}

size_t OSNumber::numberOfBytes() const
{
	return numberOfBits() / 8;
}

uint8_t OSNumber::unsigned8BitValue() const
{
	return static_cast<uint8_t>(unsigned64BitValue());
}

uint16_t OSNumber::unsigned16BitValue() const
{
	return static_cast<uint16_t>(unsigned64BitValue());
}

uint32_t OSNumber::unsigned32BitValue() const
{
	return static_cast<uint32_t>(unsigned64BitValue());
}

uint64_t OSNumber::unsigned64BitValue() const
{
	return core::OSNumberGetUInt64Value(dx::to<core::OSNumber>(this));
}

bool OSNumber::isEqualTo(const OSNumber *number) const
{
	return OSMetaClassBase::isEqualTo(number);
}

/* ---- OSBoolean ---- */

OSBoolean *OSBoolean::withBoolean(bool value)
{
	return value ? kOSBooleanTrue : kOSBooleanFalse;
}

bool OSBoolean::getValue() const
{
	return this == kOSBooleanTrue;
}

bool OSBoolean::isTrue() const
{
	return getValue();
}

bool OSBoolean::isFalse() const
{
	return !getValue();
}

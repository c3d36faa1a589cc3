/* SPDX-License-Identifier: MIT
 *
 * serialization - OSSerialization: a value as the bytes of a binary property list.
 */
#include "cxx/face.h"

DX_RUNTIME_CLASS(OSSerialization, OSContainer)

static OSSerialization *with_bytes(OSData *bytes)
{
	OSSerialization *made = bytes == nullptr ? nullptr : dx::allocate<OSSerialization>();

	if (made != nullptr) {
		made->bytes = bytes;
	} else {
		OSSafeReleaseNULL(bytes);
	}
	return made;
}

void OSSerialization::free()
{
	OSSafeReleaseNULL(bytes);
	super::free();
}

OSSerialization *OSSerialization::createFromObject(const OSObject *object)
{
	return with_bytes(dx::take<OSData>(core::OpenDextObjectEncode(dx::core_of(object))));
}

OSSerialization *OSSerialization::createFromBytes(const void *bytes, size_t length,
						  void (^freeBuffer)(const void *, size_t))
{
	OSSerialization *made =
		bytes == nullptr ? nullptr : with_bytes(OSData::withBytes(bytes, length));

	if (freeBuffer != nullptr) {
		freeBuffer(bytes, length);
	}
	return made;
}

OSContainer *OSSerialization::copyObject() const
{
	return dx::take<OSContainer>(
		core::OpenDextObjectDecode(bytes->getBytesNoCopy(), bytes->getLength()));
}

const void *OSSerialization::finalizeBuffer(size_t *length) const
{
	if (length != nullptr) {
		*length = bytes->getLength();
	}
	return bytes->getBytesNoCopy();
}

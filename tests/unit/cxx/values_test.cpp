/* SPDX-License-Identifier: MIT
 *
 * values_test - strings, data, numbers, booleans as C++ objects.
 */
#include "harness.h"

TEST(strings_know_length_and_text)
{
	OSString *string = OSString::withCString("text");

	CHECK_EQ(string->getLength(), 4);
	CHECK_STR_EQ(string->getCStringNoCopy(), "text");
	CHECK_STR_EQ(string->GetClassName(), "OSString");
	CHECK(OSString::withCString(nullptr) == nullptr);
	CHECK(OSString::withCString("\xff") == nullptr);
	OSSafeReleaseNULL(string);
	CHECK(string == nullptr);
}

TEST(strings_can_be_cut_and_copied)
{
	OSString *cut = OSString::withCString("abcdef", 3);
	OSString *whole = OSString::withCString("abc", 100);
	OSString *copy = OSString::withString(cut);
	OSString *unshared = OSString::withCStringNoCopy("abc");

	CHECK(cut->isEqualTo("abc"));
	CHECK(!cut->isEqualTo("abcd"));
	CHECK(cut->isEqualTo(whole) && cut->isEqualTo(copy) && cut->isEqualTo(unshared));
	CHECK(!cut->isEqualTo(static_cast<const char *>(nullptr)));
	CHECK(OSString::withString(nullptr) == nullptr);
	CHECK(OSString::withCString(nullptr, 3) == nullptr);
	cut->release();
	whole->release();
	copy->release();
	unshared->release();
}

TEST(data_gives_and_takes_bytes)
{
	OSData *data = OSData::withBytes("abc", 3);

	CHECK(data->appendBytes("def", 3));
	CHECK_EQ(data->getLength(), 6);
	CHECK_GE(data->getCapacity(), 6);
	CHECK_MEM_EQ(data->getBytesNoCopy(), "abcdef", 6);
	CHECK_MEM_EQ(data->getBytesNoCopy(4, 2), "ef", 2);
	CHECK(data->getBytesNoCopy(4, 3) == nullptr);
	CHECK(data->appendBytes(data));
	CHECK(data->isEqualTo("abcdefabcdef", 12));
	CHECK(!data->appendBytes(nullptr, 1));
	CHECK(!data->appendBytes(static_cast<const OSData *>(nullptr)));
	data->release();
}

TEST(data_is_made_in_many_ways)
{
	char bytes[] = "abc";
	OSData *empty = OSData::withCapacity(10);
	OSData *shared = OSData::withBytesNoCopy(bytes, 3);
	OSData *copy = OSData::withData(shared);
	OSData *part = OSData::withData(shared, 1, 2);

	CHECK_EQ(empty->getLength(), 0);
	CHECK(empty->getBytesNoCopy() == nullptr);
	bytes[0] = 'x';
	CHECK(shared->isEqualTo("abc", 3));
	CHECK(shared->isEqualTo(copy));
	CHECK(part->isEqualTo("bc", 2));
	CHECK(OSData::withData(shared, 2, 2) == nullptr);
	CHECK(OSData::withData(nullptr) == nullptr);
	empty->release();
	shared->release();
	copy->release();
	part->release();
}

TEST(data_equals_a_string_with_or_without_its_nul)
{
	OSString *string = OSString::withCString("abc");
	OSData *bare = OSData::withBytes("abc", 3);
	OSData *ended = OSData::withBytes("abc", 4);
	OSData *longer = OSData::withBytes("abc\0", 5);

	CHECK(bare->isEqualTo(string) && string->isEqualTo(bare));
	CHECK(ended->isEqualTo(string) && string->isEqualTo(ended));
	CHECK(!longer->isEqualTo(string));
	CHECK(!bare->isEqualTo(static_cast<const OSString *>(nullptr)));
	CHECK(!string->isEqualTo(static_cast<const OSData *>(nullptr)));
	string->release();
	bare->release();
	ended->release();
	longer->release();
}

TEST(numbers_have_width_and_value)
{
	OSNumber *number = OSNumber::withNumber(0x1234567890ull, 64);
	OSNumber *text = OSNumber::withNumber("0x10", 8);
	OSNumber *wide = OSNumber::withNumber(16, 32);

	CHECK_EQ(number->unsigned64BitValue(), 0x1234567890ull);
	CHECK_EQ(number->unsigned32BitValue(), 0x34567890u);
	CHECK_EQ(number->unsigned16BitValue(), 0x7890);
	CHECK_EQ(number->unsigned8BitValue(), 0x90);
	CHECK_EQ(text->numberOfBits(), 8);
	CHECK_EQ(wide->numberOfBytes(), 4);
	CHECK(text->isEqualTo(wide));
	CHECK(!text->isEqualTo(number));
	CHECK(OSNumber::withNumber(1, 12) == nullptr);
	CHECK(OSNumber::withNumber(static_cast<const char *>(nullptr), 8) == nullptr);
	number->release();
	text->release();
	wide->release();
}

TEST(booleans_are_two_constants)
{
	OSBoolean *truth = OSBoolean::withBoolean(true);

	CHECK(truth == kOSBooleanTrue && truth != kOSBooleanFalse);
	CHECK(truth->getValue() && truth->isTrue() && !truth->isFalse());
	CHECK(kOSBooleanFalse->isFalse());
	truth->retain();
	for (int i = 0; i < 5; i++) {
		truth->release();
	}
	CHECK(kOSBooleanTrue->isTrue());
	CHECK(OSDynamicCast(OSBoolean, static_cast<OSObject *>(truth)) == truth);
}

TEST(casts_follow_the_classes)
{
	OSObject *object = OSString::withCString("x");

	CHECK(OSDynamicCast(OSString, object) == object);
	CHECK(OSDynamicCast(OSContainer, object) != nullptr);
	CHECK(OSDynamicCast(OSObject, object) == object);
	CHECK(OSDynamicCast(OSData, object) == nullptr);
	CHECK(OSDynamicCast(OSString, static_cast<OSObject *>(nullptr)) == nullptr);
	CHECK(OSRequiredCast(OSString, object) == object);
	CHECK(OSRequiredCast(OSString, static_cast<OSObject *>(nullptr)) == nullptr);
	CHECK(OSTypeIDInst(object) == OSTypeID(OSString));
	CHECK(!object->IsRemote());
	object->release();
}

TEST(classes_of_the_runtime_cannot_be_allocated)
{
	CHECK(OSTypeAlloc(OSString) == nullptr);
	CHECK(OSTypeAlloc(IOService) == nullptr);
	CHECK(OSTypeAlloc(OSAction) == nullptr);
}

TEST(metaclasses_are_never_freed)
{
	OSTypeID(OSString)->retain();
	OSTypeID(OSString)->release();
	OSTypeID(OSString)->release();
	CHECK(OSTypeID(OSString)->getMetaClass() == OSTypeID(OSString));
	CHECK_STR_EQ(OSTypeID(OSString)->getClassName(), "OSString");
	CHECK(OSTypeID(OSString)->IsSubclassOf(OSTypeID(OSObject)));
	CHECK(!OSTypeID(OSObject)->IsSubclassOf(OSTypeID(OSString)));
}

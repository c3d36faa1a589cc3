/* SPDX-License-Identifier: MIT
 *
 * collections_test - arrays, dictionaries, sets, serializations, and their functions.
 */
#include "harness.h"

static OSString *text(const char *value)
{
	OSString *string = OSString::withCString(value);

	CHECK(string != nullptr);
	return string;
}

TEST(array_keeps_order_and_references)
{
	OSArray *array = OSArray::withCapacity(4);
	OSString *a = text("a"), *b = text("b"), *c = text("c");

	CHECK(array->setObject(a) && array->setObject(c) && array->setObject(1, b));
	CHECK(!array->setObject(9, b));
	CHECK(!array->setObject(nullptr));
	a->release();
	CHECK_EQ(array->getCount(), 3);
	CHECK(array->getObject(0) == a && array->getObject(1) == b && array->getObject(2) == c);
	CHECK(array->getLastObject() == c);
	CHECK(array->getObject(3) == nullptr);
	CHECK_EQ(array->getNextIndexOfObject(c, 0), 2);
	CHECK_EQ(array->getNextIndexOfObject(a, 1), -1U);
	array->removeObject(0);
	CHECK(array->getObject(0) == b);
	CHECK(array->replaceObject(0, c));
	CHECK(array->getObject(0) == c);
	CHECK_GE(array->ensureCapacity(100), 100);
	array->flushCollection();
	CHECK_EQ(array->getCount(), 0);
	CHECK(array->getLastObject() == nullptr);
	b->release();
	c->release();
	array->release();
}

TEST(array_is_made_from_others)
{
	OSString *a = text("a"), *b = text("b");
	const OSObject *values[] = {a, b};
	OSArray *first = OSArray::withObjects(values, 2);
	OSArray *second = OSArray::withArray(first);

	CHECK(first->isEqualTo(second));
	CHECK(first->merge(first));
	CHECK_EQ(first->getCount(), 4);
	CHECK(!first->isEqualTo(second));
	CHECK(!first->merge(nullptr));
	CHECK(OSArray::withObjects(values, 2, 1) == nullptr);
	CHECK(OSArray::withArray(nullptr) == nullptr);
	first->release();
	second->release();
	a->release();
	b->release();
}

TEST(dictionary_finds_what_was_set)
{
	OSDictionary *dictionary = OSDictionary::withCapacity(2);
	OSString *key = text("two"), *value = text("value");
	OSNumber *number = OSNumber::withNumber(2, 32);

	CHECK(dictionary->setObject("one", value));
	CHECK(dictionary->setObject(key, number));
	CHECK(!dictionary->setObject(number, number));
	CHECK(dictionary->getObject("one") == value);
	CHECK(dictionary->getObject(key) == number);
	CHECK(dictionary->getObject("three") == nullptr);
	CHECK_EQ(dictionary->getCount(), 2);
	dictionary->removeObject(key);
	dictionary->removeObject("one");
	CHECK_EQ(dictionary->getCount(), 0);
	key->release();
	value->release();
	number->release();
	dictionary->release();
}

TEST(dictionary_is_made_of_keys_that_are_strings_or_objects)
{
	OSString *key = OSString::withCString("key");
	OSNumber *number = OSNumber::withNumber(7ull, 32);
	const OSObject *values[] = {number};
	const OSString *strings[] = {key};
	const OSObject *objects[] = {key};
	const OSObject *numbers[] = {number};

	OSDictionary *first = OSDictionary::withObjects(values, strings, 1);
	OSDictionary *second = OSDictionary::withObjects(values, objects, 1);
	CHECK(first != nullptr && second != nullptr);
	CHECK(second->getObject("key") == number);
	CHECK(first->isEqualTo(second));
	CHECK(OSDictionary::withObjects(values, numbers, 1) == nullptr);
	CHECK(OSDictionary::withObjects(values, objects, 2, 1) == nullptr);
	CHECK(OSDictionary::withObjects(nullptr, objects, 1) == nullptr);
	OSSafeReleaseNULL(first);
	OSSafeReleaseNULL(second);
	OSSafeReleaseNULL(number);
	OSSafeReleaseNULL(key);
}

TEST(dictionary_is_compared_whole_or_by_keys)
{
	OSDictionary *a = OSDictionary::withCapacity(2);
	OSString *x = text("x"), *y = text("y");
	const OSObject *names[] = {x};
	OSArray *keys = OSArray::withObjects(names, 1);

	CHECK(a->setObject("x", x) && a->setObject("y", y));
	OSDictionary *b = OSDictionary::withDictionary(a);
	CHECK(a->isEqualTo(b));
	CHECK(b->setObject("y", x));
	CHECK(!a->isEqualTo(b));
	CHECK(a->isEqualTo(b, keys));
	CHECK(!a->isEqualTo(b, a));
	CHECK(a->merge(b) && a->isEqualTo(b));
	CHECK(!a->merge(nullptr));
	a->flushCollection();
	CHECK_EQ(a->getCount(), 0);
	a->release();
	b->release();
	x->release();
	y->release();
	keys->release();
}

TEST(iteration_visits_all_and_stops_on_false)
{
	OSDictionary *dictionary = OSDictionary::withCapacity(2);
	OSString *value = text("v");
	__block unsigned visited = 0;

	CHECK(dictionary->setObject("a", value) && dictionary->setObject("b", value));
	CHECK(dictionary->iterateObjects(^bool(OSObject *key, OSObject *object) {
	  visited += OSDynamicCast(OSString, key) != nullptr && object == value;
	  return true;
	}));
	CHECK_EQ(visited, 2);
	CHECK(!dictionary->iterateObjects(^bool(OSObject *) {
	  visited++;
	  return false;
	}));
	CHECK_EQ(visited, 3);
	dictionary->release();
	value->release();
}

TEST(copies_of_collections_share_leaves_only)
{
	OSDictionary *outer = OSDictionary::withCapacity(1);
	OSArray *inner = OSArray::withCapacity(1);
	OSString *leaf = text("leaf");

	CHECK(inner->setObject(leaf) && outer->setObject("inner", inner));
	OSDictionary *copy = OSDynamicCast(OSDictionary, outer->copyCollection());
	OSArray *copied = OSDynamicCast(OSArray, copy->getObject("inner"));
	CHECK(copied != nullptr && copied != inner);
	CHECK(copied->getObject(0) == leaf);
	CHECK(copy->isEqualTo(outer));
	copy->release();
	outer->release();
	inner->release();
	leaf->release();
}

TEST(set_has_each_object_once)
{
	OSString *a = text("a"), *b = text("b");
	const OSObject *both[] = {a, b, a};
	OSSet *set = OSSet::withObjects(both, 3);
	OSArray *array = OSArray::withObjects(both, 2);
	OSSet *other = OSSet::withArray(array);

	CHECK_EQ(set->getCount(), 2);
	CHECK(!set->setObject(a));
	CHECK(set->containsObject(b) && set->getAnyObject() == a);
	CHECK(set->isEqualTo(other));
	set->removeObject(a);
	CHECK(!set->containsObject(a) && !set->isEqualTo(other));
	CHECK(set->merge(other) && set->isEqualTo(other));
	OSCollection *copy = other->copyCollection();
	CHECK_EQ(copy->getCount(), 2);
	CHECK(OSDynamicCast(OSSet, copy) != nullptr);
	set->flushCollection();
	CHECK(set->getAnyObject() == nullptr);
	copy->release();
	set->release();
	other->release();
	array->release();
	a->release();
	b->release();
}

TEST(objects_have_one_face_however_they_are_reached)
{
	OSArray *array = OSArray::withCapacity(1);
	OSString *string = text("x");

	CHECK(array->setObject(string));
	string->release(); /* the array keeps object and face */
	CHECK(array->getObject(0) == string);
	string->retain();
	array->release();
	CHECK_STR_EQ(string->getCStringNoCopy(), "x");
	string->release();
}

TEST(serialization_goes_there_and_back)
{
	OSDictionary *dictionary = OSDictionaryCreate();
	size_t length = 0;

	CHECK(OSDictionarySetUInt64Value(dictionary, "number", 7));
	CHECK(OSDictionarySetStringValue(dictionary, "text", "words"));
	OSSerialization *written = OSCreateSerializationFromObject(dictionary);
	const void *bytes = OSSerializationGetBytes(written, &length);
	CHECK(bytes != nullptr && length > 0);
	__block unsigned freed = 0;
	OSSerialization *read = OSCreateSerializationFromBytes(
		bytes, length, ^(const void *, size_t) {
		  freed++;
		});
	OSObject *copy = OSCreateObjectFromSerialization(read);
	CHECK_EQ(freed, 1);
	CHECK(copy->isEqualTo(dictionary));
	CHECK(OSCreateSerializationFromObject(written) == nullptr);
	OSSerialization *nonsense = OSCreateSerializationFromBytes("nonsense", 8, nullptr);
	CHECK(OSCreateObjectFromSerialization(nonsense) == nullptr);
	nonsense->release();
	copy->release();
	read->release();
	written->release();
	dictionary->release();
}

TEST(functions_take_null_and_wrong_classes)
{
	OSArray *array = OSArrayCreate();
	OSString *string = OSStringCreate("x", 1);

	CHECK_EQ(OSDictionaryGetCount(nullptr), 0);
	CHECK(OSDictionaryGetValue(nullptr, "x") == nullptr);
	CHECK(!OSDictionarySetValue(nullptr, "x", string));
	CHECK_EQ(OSStringGetLength(nullptr), 0);
	CHECK_EQ(OSDataGetLength(nullptr), 0);
	CHECK_EQ(OSNumberGetUInt64Value(nullptr), 0);
	CHECK(OSArrayAppendValue(array, string) && OSArraySetStringValue(array, 0, "first"));
	CHECK(OSArraySetUInt64Value(array, kOSArrayAppend, 9));
	CHECK_STR_EQ(OSArrayGetStringValue(array, 0), "first");
	CHECK_EQ(OSArrayGetUInt64Value(array, 2), 9);
	CHECK_EQ(OSArrayGetUInt64Value(array, 0), 0);
	CHECK(OSArrayReplaceValue(array, 2, string));
	CHECK_EQ(OSArrayGetCount(array), 3);
	__block size_t seen = 0;
	CHECK(OSArrayApply(array, ^bool(OSObjectPtr value) {
	  seen++;
	  return value == string;
	}));
	CHECK_EQ(seen, 2);
	OSObjectRetain(string);
	OSObjectRelease(string);
	OSObjectSafeReleaseNULL(string);
	CHECK(string == nullptr);
	array->release();
}

TEST(types_have_numbers_and_names)
{
	OSData *data = OSDataCreate("abc", 3);
	char buffer[2] = "";

	CHECK_EQ(OSCollectionTypeID(data), kOSCollectionTypeData);
	CHECK_EQ(OSCollectionTypeID(kOSBooleanTrue), kOSCollectionTypeBoolean);
	CHECK_EQ(OSCollectionTypeID(nullptr), 0);
	CHECK_STR_EQ(OSCollectionTypeName(kOSCollectionTypeDictionary), "OSDictionary");
	CHECK(OSCollectionTypeName(99) == nullptr);
	CHECK_EQ(OSDataGetBytes(data, buffer, 1, 2), 2);
	CHECK_MEM_EQ(buffer, "bc", 2);
	CHECK(OSDataAppendBytes(data, "d", 1));
	CHECK_MEM_EQ(OSDataGetBytesPtr(data, 3, 1), "d", 1);
	OSObjectLog(data);
	OSObjectLog(nullptr);
	data->release();
}

TEST(dictionary_apply_stops_on_true)
{
	OSDictionary *dictionary = OSDictionaryCreate();
	OSNumber *number = OSNumberCreateWithUInt64Value(3);

	CHECK(OSDictionarySetValue(dictionary, "n", number));
	CHECK_EQ(OSDictionaryGetUInt64Value(dictionary, "n"), 3);
	CHECK(OSDictionaryGetStringValue(dictionary, "n") == nullptr);
	CHECK(OSDictionaryGetValue(dictionary, "n") == number);
	CHECK(OSDictionaryApply(dictionary, ^bool(const char *key, OSObjectPtr value) {
	  return strcmp(key, "n") == 0 && value == number;
	}));
	CHECK(!OSDictionaryApply(dictionary, ^bool(const char *, OSObjectPtr) {
	  return false;
	}));
	number->release();
	dictionary->release();
}

TEST(matching_dictionaries_are_made_or_filled)
{
	OSDictionary *matching = IOService::CreateUserClassMatchingDictionary("Probe", nullptr);
	OSString *name = text("Thing");

	CHECK(matching != nullptr);
	CHECK(IOService::CreateNameMatchingDictionary(name, matching) == matching);
	CHECK(IOService::CreateKernelClassMatchingDictionary("IOUserService", matching) == matching);
	CHECK(OSDictionaryGetStringValue(matching, "IOProviderClass") != nullptr);
	CHECK(IOService::CreatePropertyMatchingDictionary("key", "value", matching) == matching);
	OSDictionary *another = IOService::CreatePropertyMatchingDictionary("key", name, nullptr);
	CHECK(another != nullptr && another != matching);
	another->release();
	CHECK(IOService::CreateNameMatchingDictionary(static_cast<OSString *>(nullptr), nullptr) ==
	      nullptr);
	name->release();
	matching->release();
}

/* ---- ordered sets ---- */

/* Longer strings come first. */
static int32_t by_length(const OSMetaClassBase *a, const OSMetaClassBase *b, void *context)
{
	const OSString *first = OSDynamicCast(OSString, a), *second = OSDynamicCast(OSString, b);

	++*static_cast<int *>(context);
	return static_cast<int32_t>(first->getLength()) - static_cast<int32_t>(second->getLength());
}

TEST(ordered_set_keeps_the_order_of_its_function)
{
	int nr_calls = 0;
	OSOrderedSet *set = OSOrderedSet::withCapacity(4, by_length, &nr_calls);
	OSString *a = text("a"), *bb = text("bb"), *ccc = text("ccc"), *d = text("d");

	CHECK(set->setObject(bb) && set->setObject(a) && set->setObject(ccc) && set->setObject(d));
	CHECK(!set->setObject(bb));
	CHECK(!set->setObject(nullptr));
	CHECK_GT(nr_calls, 0);
	CHECK_EQ(set->getCount(), 4);
	CHECK(set->getFirstObject() == ccc && set->getObject(1) == bb);
	CHECK(set->getObject(2) == a && set->getLastObject() == d); /* behind its like */
	CHECK(set->getObject(4) == nullptr);
	CHECK(set->containsObject(a) && set->member(a));
	CHECK_EQ(set->orderObject(bb, a), 1);
	CHECK(set->getOrderingRef() == &nr_calls);
	set->removeObject(bb);
	CHECK(!set->member(bb));
	CHECK(set->setFirstObject(bb)); /* whatever its order */
	CHECK(set->getFirstObject() == bb);
	OSCollection *copy = set->copyCollection();
	CHECK(set->isEqualTo(OSDynamicCast(OSOrderedSet, copy)));
	CHECK_EQ(copy->getCount(), 4);
	set->flushCollection();
	CHECK_EQ(set->getCount(), 0);
	CHECK(!set->isEqualTo(OSDynamicCast(OSOrderedSet, copy)));
	copy->release();
	set->release();
	a->release();
	bb->release();
	ccc->release();
	d->release();
}

TEST(ordered_set_without_a_function_keeps_the_order_of_arrival)
{
	OSOrderedSet *set = OSOrderedSet::withCapacity(0);
	OSString *a = text("a"), *b = text("b"), *c = text("c");
	__block unsigned nr_seen = 0;

	CHECK(set->getFirstObject() == nullptr && set->getLastObject() == nullptr);
	CHECK(set->setObject(b) && set->setObject(c) && set->setLastObject(a));
	CHECK(!set->setObject(9, a));
	CHECK(set->getObject(0) == b && set->getObject(1) == c && set->getObject(2) == a);
	CHECK_EQ(set->orderObject(a, b), 0);
	CHECK(set->iterateObjects(^bool(OSObject *) {
	  nr_seen++;
	  return true;
	}));
	CHECK_EQ(nr_seen, 3);
	CHECK(OSDynamicCast(OSCollection, static_cast<OSObject *>(set)) == set);
	set->release();
	a->release();
	b->release();
	c->release();
}

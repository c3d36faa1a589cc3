/* SPDX-License-Identifier: MIT
 *
 * cf_more_test - sets, identifiers, and the functions of CoreFoundation that few programs use.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <CoreFoundation/CoreFoundation.h>

#include "test.h"

static void count_values(const void *value, void *context)
{
	CHECK(value != NULL);
	*(unsigned *)context += 1;
}

TEST(set_holds_each_equal_value_once)
{
	const void *values[] = {CFSTR("one"), CFSTR("two"), CFSTR("one")};
	CFSetRef set = CFSetCreate(NULL, values, 3, &kCFTypeSetCallBacks);
	CFStringRef other = CFStringCreateWithCString(NULL, "two", kCFStringEncodingUTF8);
	const void *found[2] = {NULL, NULL};
	unsigned count = 0;

	CHECK_EQ(CFSetGetCount(set), 2);
	CHECK_EQ(CFGetTypeID(set), CFSetGetTypeID());
	CHECK(CFSetContainsValue(set, other));
	CHECK(CFSetGetValue(set, other) == CFSTR("two"));
	CHECK(CFSetGetValue(set, CFSTR("three")) == NULL);
	CFSetGetValues(set, found);
	CHECK(found[0] != found[1] && found[1] != NULL);
	CFSetApplyFunction(set, count_values, &count);
	CHECK_EQ(count, 2);
	CFRelease(other);
	CFRelease(set);
}

TEST(set_changes_and_keeps_references)
{
	CFMutableSetRef set = CFSetCreateMutable(NULL, 0, &kCFTypeSetCallBacks);
	CFMutableSetRef same = CFSetCreateMutable(NULL, 0, &kCFTypeSetCallBacks);
	CFStringRef first = CFStringCreateWithCString(NULL, "value", kCFStringEncodingUTF8);
	CFStringRef second = CFStringCreateWithCString(NULL, "value", kCFStringEncodingUTF8);

	CFSetAddValue(set, first);
	CFSetAddValue(set, second);
	CHECK(CFSetGetValue(set, second) == first);
	CHECK_EQ(CFGetRetainCount(first), 2);
	CHECK_EQ(CFGetRetainCount(second), 1);
	CFSetSetValue(set, second);
	CHECK(CFSetGetValue(set, first) == second);
	CHECK_EQ(CFGetRetainCount(first), 1);
	CFSetSetValue(same, first);
	CHECK(CFEqual(set, same));
	CHECK_EQ(CFHash(set), CFHash(same));
	CFSetAddValue(same, CFSTR("more"));
	CHECK(!CFEqual(set, same));
	CFSetRemoveValue(same, CFSTR("none"));
	CFSetRemoveValue(same, CFSTR("more"));
	CHECK(CFEqual(set, same));
	CFSetRemoveAllValues(set);
	CHECK_EQ(CFSetGetCount(set), 0);
	CHECK_EQ(CFGetRetainCount(second), 1);
	CFRelease(set);
	CFRelease(same);
	CHECK_EQ(CFGetRetainCount(first), 1);
	CFRelease(first);
	CFRelease(second);
}

TEST(set_of_bare_pointers_grows)
{
	CFMutableSetRef set = CFSetCreateMutable(NULL, 0, NULL);

	for (uintptr_t i = 1; i <= 100; i++) {
		CFSetAddValue(set, (const void *)i);
		CFSetAddValue(set, (const void *)i);
	}
	CHECK_EQ(CFSetGetCount(set), 100);
	CHECK(CFSetContainsValue(set, (const void *)50));
	CHECK(!CFSetContainsValue(set, (const void *)101));
	CFRelease(set);
}

#define BYTES 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10

TEST(constant_identifier_is_one_object)
{
	CFUUIDRef first = CFUUIDGetConstantUUIDWithBytes(NULL, BYTES);
	CFUUIDRef again = CFUUIDGetConstantUUIDWithBytes(NULL, BYTES);
	CFUUIDRef other = CFUUIDGetConstantUUIDWithBytes(NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
							 0, 0, 1);
	CFUUIDBytes bytes = CFUUIDGetUUIDBytes(first);

	CHECK(first == again && first != other);
	CHECK(!CFEqual(first, other));
	CHECK(bytes.byte0 == 0x01 && bytes.byte7 == 0xef && bytes.byte15 == 0x10);
	CFRelease(first); /* changes nothing */
	CFRelease(first);
	CHECK_EQ(CFUUIDGetUUIDBytes(again).byte1, 0x23);
}

TEST(identifier_goes_to_text_and_back)
{
	CFUUIDRef constant = CFUUIDGetConstantUUIDWithBytes(NULL, BYTES);
	CFStringRef text = CFUUIDCreateString(NULL, constant);
	CFStringRef small = CFSTR("01234567-89ab-cdef-fedc-ba9876543210");
	CFUUIDRef same = CFUUIDCreateFromString(NULL, small);
	CFUUIDRef of_bytes = CFUUIDCreateFromUUIDBytes(NULL, CFUUIDGetUUIDBytes(constant));

	CHECK(CFEqual(text, CFSTR("01234567-89AB-CDEF-FEDC-BA9876543210")));
	CHECK(CFEqual(same, constant) && CFEqual(of_bytes, constant) && same != constant);
	CHECK_EQ(CFHash(same), CFHash(constant));
	CHECK_EQ(CFGetTypeID(same), CFUUIDGetTypeID());
	CHECK(CFUUIDCreateFromString(NULL, CFSTR("01234567-89ab-cdef-fedc-ba987654321")) == NULL);
	CHECK(CFUUIDCreateFromString(NULL, CFSTR("01234567-89ab-cdef-fedc-ba98765432100")) == NULL);
	CHECK(CFUUIDCreateFromString(NULL, CFSTR("0123456789ab-cdef-fedc-ba9876543210x")) == NULL);
	CHECK(CFUUIDCreateFromString(NULL, CFSTR("0123456g-89ab-cdef-fedc-ba9876543210")) == NULL);
	CHECK(CFUUIDCreateFromString(NULL, CFSTR("")) == NULL);
	CHECK(CFUUIDCreateFromString(NULL, NULL) == NULL);
	CFRelease(text);
	CFRelease(same);
	CFRelease(of_bytes);
}

TEST(random_identifiers_differ)
{
	CFUUIDRef first = CFUUIDCreate(NULL);
	CFUUIDRef second = CFUUIDCreate(NULL);

	CHECK(!CFEqual(first, second));
	CHECK_EQ(CFUUIDGetUUIDBytes(first).byte6 >> 4, 4);
	CFRelease(first);
	CFRelease(second);
}

/* --- Less used functions --------------------------------------------------------------------- */

TEST(types_tell_objects_apart)
{
	const UInt8 bytes[] = {1, 2, 3};
	CFDataRef data = CFDataCreate(NULL, bytes, 3);
	CFMutableDictionaryRef dictionary = CFDictionaryCreateMutable(
		NULL, 0, &kCFTypeDictionaryKeyCallBacks, &kCFTypeDictionaryValueCallBacks);
	const CFTypeID types[] = {CFStringGetTypeID(), CFDataGetTypeID(), CFDictionaryGetTypeID(),
				  CFBooleanGetTypeID(), CFArrayGetTypeID(), CFNumberGetTypeID(),
				  CFSetGetTypeID(), CFUUIDGetTypeID(), CFRunLoopGetTypeID()};

	CHECK_EQ(CFGetTypeID(CFSTR("text")), CFStringGetTypeID());
	CHECK_EQ(CFGetTypeID(data), CFDataGetTypeID());
	CHECK_EQ(CFGetTypeID(dictionary), CFDictionaryGetTypeID());
	CHECK_EQ(CFGetTypeID(kCFBooleanTrue), CFBooleanGetTypeID());
	for (unsigned i = 0; i < 9; i++) {
		for (unsigned j = 0; j < i; j++) {
			CHECK_NE(types[i], types[j]);
		}
	}
	CHECK_EQ(CFDataGetBytePtr(data)[2], 3);
	CFRelease(data);
	CFRelease(dictionary);
}

struct pairs {
	unsigned count;
	CFOptionFlags seen;
};

static void note_pair(const void *key, const void *value, void *context)
{
	struct pairs *pairs = context;

	CHECK(CFEqual(key, value));
	pairs->count += 1;
	pairs->seen |= CFEqual(key, CFSTR("a")) ? 1 : 2;
}

TEST(dictionary_is_applied_and_copied)
{
	CFMutableDictionaryRef dictionary = CFDictionaryCreateMutable(
		NULL, 0, &kCFTypeDictionaryKeyCallBacks, &kCFTypeDictionaryValueCallBacks);
	struct pairs pairs = {0};

	CFDictionarySetValue(dictionary, CFSTR("a"), CFSTR("a"));
	CFDictionarySetValue(dictionary, CFSTR("b"), CFSTR("b"));
	CFDictionaryApplyFunction(dictionary, note_pair, &pairs);
	CHECK(pairs.count == 2 && pairs.seen == 3);
	CFMutableDictionaryRef copy = CFDictionaryCreateMutableCopy(NULL, 0, dictionary);
	CHECK(CFEqual(dictionary, copy));
	CFDictionaryRemoveValue(copy, CFSTR("a"));
	CHECK_EQ(CFDictionaryGetCount(dictionary), 2);
	CHECK_EQ(CFDictionaryGetCount(copy), 1);
	CFRelease(dictionary);
	CFRelease(copy);
}

TEST(string_without_copy_takes_its_text)
{
	char *text = strdup("given");
	CFStringRef given =
		CFStringCreateWithCStringNoCopy(NULL, text, kCFStringEncodingUTF8, kCFAllocatorMalloc);
	CFStringRef kept = CFStringCreateWithCStringNoCopy(NULL, "kept", kCFStringEncodingUTF8,
							   kCFAllocatorNull);

	CHECK(CFEqual(given, CFSTR("given"))); /* the text is freed, which leak checkers watch */
	CHECK(CFEqual(kept, CFSTR("kept")));
	CFRelease(given);
	CFRelease(kept);
}

TEST(show_writes_a_line_to_standard_error)
{
	int ends[2];
	int before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	char line[64] = "";

	CHECK(before >= 0 && pipe2(ends, O_CLOEXEC) == 0);
	CHECK_EQ(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	CFShow(CFSTR("shown"));
	(void)fflush(stderr);
	CHECK_EQ(dup2(before, STDERR_FILENO), STDERR_FILENO);
	CHECK_EQ(read(ends[0], line, sizeof(line) - 1), 8);
	CHECK_STR_EQ(line, "\"shown\"\n");
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)close(before);
}

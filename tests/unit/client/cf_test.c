/* SPDX-License-Identifier: MIT
 *
 * cf_test - the CoreFoundation subset: references, strings, numbers, data, containers.
 */
#include <float.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CoreFoundation/CoreFoundation.h>

#include "test.h"

static CFStringRef text(const char *utf8)
{
	return CFStringCreateWithCString(NULL, utf8, kCFStringEncodingUTF8);
}

TEST(constants_are_there_before_main)
{
	CHECK(CFBooleanGetValue(kCFBooleanTrue));
	CHECK(!CFBooleanGetValue(kCFBooleanFalse));
	CHECK(CFEqual(kCFRunLoopDefaultMode, CFSTR("kCFRunLoopDefaultMode")));
	CHECK(CFSTR("one") == CFSTR("one"));
	CHECK(CFSTR("one") != CFSTR("two"));
	CHECK_EQ(CFStringGetLength(CFSTR("\xff")), 1); /* not UTF-8: MacRoman */
}

static int status_of_child(void (*act)(void))
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		(void)close(STDERR_FILENO);
		act();
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	return status;
}

static void release_null(void)
{
	CFRelease(NULL);
}

static void retain_null(void)
{
	(void)CFRetain(NULL);
}

TEST(null_in_retain_and_release_ends_the_program)
{
	CHECK_EQ(WTERMSIG(status_of_child(release_null)), SIGABRT);
	CHECK_EQ(WTERMSIG(status_of_child(retain_null)), SIGABRT);
}

TEST(references_are_counted)
{
	CFStringRef string = text("x");

	CHECK_EQ(CFGetRetainCount(string), 1);
	CHECK(CFRetain(string) == string);
	CHECK_EQ(CFGetRetainCount(string), 2);
	CFRelease(string);
	CFRelease(string);
}

TEST(string_encodings_convert_both_ways)
{
	char buffer[16];
	const UInt8 utf16[] = {0xac, 0x20, 0x3d, 0xd8, 0x00, 0xde}; /* euro, U+1F600 */
	CFStringRef roman =
		CFStringCreateWithCString(NULL, "\x80\xdb", kCFStringEncodingMacRoman);

	CHECK(CFStringGetCString(roman, buffer, sizeof(buffer), kCFStringEncodingUTF8));
	CHECK_STR_EQ(buffer, "\xc3\x84\xe2\x82\xac");
	CHECK(CFStringGetCString(roman, buffer, 3, kCFStringEncodingMacRoman));
	CHECK_STR_EQ(buffer, "\x80\xdb");
	CHECK(!CFStringGetCString(roman, buffer, 2, kCFStringEncodingMacRoman));
	CHECK_STR_EQ(buffer, "");
	CHECK(!CFStringGetCString(roman, buffer, sizeof(buffer), kCFStringEncodingASCII));
	CHECK(!CFStringGetCString(roman, buffer, sizeof(buffer), 4711));
	CHECK(!CFStringGetCString(roman, NULL, 4, kCFStringEncodingUTF8));
	CFRelease(roman);

	CFStringRef wide = CFStringCreateWithBytes(NULL, utf16, sizeof(utf16),
						   kCFStringEncodingUTF16, 0);
	CHECK_EQ(CFStringGetLength(wide), 3);
	CHECK_EQ(CFStringGetCharacterAtIndex(wide, 0), 0x20ac);
	CHECK_EQ(CFStringGetCharacterAtIndex(wide, 1), 0xd83d);
	CHECK_EQ(CFStringGetCharacterAtIndex(wide, 2), 0xde00);
	CHECK_EQ(CFStringGetCharacterAtIndex(wide, 3), 0);
	CFRelease(wide);
}

TEST(string_bytes_that_are_not_of_the_encoding_are_refused)
{
	const UInt8 lone[] = {0x00, 0xd8};
	const UInt8 marked[] = {0xfe, 0xff, 0x00, 0x41};

	CHECK(text("\xff") == NULL);
	CHECK(CFStringCreateWithCString(NULL, "\x80", kCFStringEncodingASCII) == NULL);
	CHECK(CFStringCreateWithCString(NULL, NULL, kCFStringEncodingASCII) == NULL);
	CHECK(CFStringCreateWithCString(NULL, "x", 4711) == NULL);
	CHECK(CFStringCreateWithBytes(NULL, lone, 2, kCFStringEncodingUTF16, 0) == NULL);
	CHECK(CFStringCreateWithBytes(NULL, lone, 1, kCFStringEncodingUTF16, 0) == NULL);
	CHECK(CFStringCreateWithBytes(NULL, lone, -1, kCFStringEncodingUTF8, 0) == NULL);
	CHECK(CFStringCreateWithBytes(NULL, (const UInt8 *)"a\0b", 3, kCFStringEncodingUTF8, 0) ==
	      NULL);
	CFStringRef big_endian =
		CFStringCreateWithBytes(NULL, marked, 4, kCFStringEncodingUTF16, 1);
	CHECK(CFEqual(big_endian, CFSTR("A")));
	CFRelease(big_endian);
}

TEST(string_sizes_pointers_and_order)
{
	CHECK_EQ(CFStringGetMaximumSizeForEncoding(4, kCFStringEncodingUTF8), 12);
	CHECK_EQ(CFStringGetMaximumSizeForEncoding(4, 4711), kCFNotFound);
	CHECK_EQ(CFStringGetMaximumSizeForEncoding(INT64_MAX, kCFStringEncodingUTF8), kCFNotFound);
	CHECK_STR_EQ(CFStringGetCStringPtr(CFSTR("abc"), kCFStringEncodingASCII), "abc");
	CHECK(CFStringGetCStringPtr(CFSTR("\xc3\x84"), kCFStringEncodingMacRoman) == NULL);
	CHECK(CFStringGetCStringPtr(CFSTR("abc"), kCFStringEncodingUTF16) == NULL);
	CHECK_EQ(CFStringCompare(CFSTR("abc"), CFSTR("abd"), 0), kCFCompareLessThan);
	CHECK_EQ(CFStringCompare(CFSTR("b"), CFSTR("abd"), 0), kCFCompareGreaterThan);
	CHECK_EQ(CFStringCompare(CFSTR("ABC"), CFSTR("abc"), kCFCompareCaseInsensitive), 0);
	CHECK(CFStringHasPrefix(CFSTR("IOService"), CFSTR("IO")));
	CHECK(!CFStringHasPrefix(CFSTR("IO"), CFSTR("IOService")));
	CHECK(CFStringHasSuffix(CFSTR("IOService"), CFSTR("Service")));
	CHECK(!CFStringHasSuffix(CFSTR("ice"), CFSTR("Service")));
	CHECK_EQ(CFStringGetIntValue(CFSTR("-12x")), -12);
	CHECK_EQ(CFStringGetIntValue(CFSTR("99999999999")), INT32_MAX);
}

TEST(string_format_knows_objects_and_refuses_the_rest)
{
	CFStringRef made = CFStringCreateWithFormat(
		NULL, NULL, CFSTR("%@|%5.2f|%-4d|%llx|%s|%c|%%|%*d|%zu"), CFSTR("obj"), 1.5, 7,
		0x1234567890ull, "c", 'x', 4, 9, (size_t)3);

	CHECK_STR_EQ(CFStringGetCStringPtr(made, kCFStringEncodingUTF8),
		     "obj| 1.50|7   |1234567890|c|x|%|   9|3");
	CFRelease(made);
	CHECK(CFStringCreateWithFormat(NULL, NULL, CFSTR("%n"), NULL) == NULL);
	CHECK(CFStringCreateWithFormat(NULL, NULL, CFSTR("%"), NULL) == NULL);
	CHECK(CFStringCreateWithFormat(NULL, NULL, CFSTR("%1$@"), NULL) == NULL);
}

TEST(number_reading_tells_what_it_lost)
{
	int64_t big = INT64_C(0x123456789);
	double real = 2.5;
	int32_t small = 0;
	int8_t byte = 0;
	float narrow = 0;
	CFNumberRef number = CFNumberCreate(NULL, kCFNumberSInt64Type, &big);

	CHECK(!CFNumberGetValue(number, kCFNumberSInt32Type, &small));
	CHECK_EQ(small, 0x23456789);
	CHECK_EQ(CFNumberGetType(number), kCFNumberSInt64Type);
	CHECK_EQ(CFNumberGetByteSize(number), 8);
	CFRelease(number);

	number = CFNumberCreate(NULL, kCFNumberDoubleType, &real);
	CHECK(CFNumberIsFloatType(number));
	CHECK(!CFNumberGetValue(number, kCFNumberIntType, &small));
	CHECK_EQ(small, 2);
	CHECK(CFNumberGetValue(number, kCFNumberFloatType, &narrow));
	CHECK(narrow == 2.5f);
	CFRelease(number);

	small = -3;
	number = CFNumberCreate(NULL, kCFNumberIntType, &small);
	CHECK(CFNumberGetValue(number, kCFNumberCharType, &byte));
	CHECK_EQ(byte, -3);
	CHECK(!CFNumberGetValue(number, 99, &byte));
	CHECK_EQ(CFNumberGetType(number), kCFNumberSInt32Type);
	CFNumberRef other = CFNumberCreate(NULL, kCFNumberDoubleType, &real);
	CHECK_EQ(CFNumberCompare(number, other, NULL), kCFCompareLessThan);
	CHECK_EQ(CFNumberCompare(other, number, NULL), kCFCompareGreaterThan);
	CFRelease(other);
	CFRelease(number);
	CHECK(CFNumberCreate(NULL, 99, &small) == NULL);
	CHECK(CFNumberCreate(NULL, kCFNumberIntType, NULL) == NULL);
}

TEST(data_keeps_bytes)
{
	UInt8 out[3] = {9, 9, 9};
	CFMutableDataRef data = CFDataCreateMutable(NULL, 0);

	CFDataAppendBytes(data, (const UInt8 *)"abcd", 4);
	CHECK_EQ(CFDataGetLength(data), 4);
	CFDataGetMutableBytePtr(data)[0] = 'A';
	CFDataGetBytes(data, CFRangeMake(0, 3), out);
	CHECK_MEM_EQ(out, "Abc", 3);
	CFDataGetBytes(data, CFRangeMake(3, 3), out);
	CHECK_MEM_EQ(out, "Abc", 3);
	CFRelease(data);
	CHECK(CFDataCreate(NULL, NULL, 3) == NULL);
	CHECK(CFDataCreate(NULL, out, -1) == NULL);
}

TEST(dictionary_of_objects)
{
	const void *value = NULL;
	CFMutableDictionaryRef dictionary = CFDictionaryCreateMutable(
		NULL, 0, &kCFTypeDictionaryKeyCallBacks, &kCFTypeDictionaryValueCallBacks);

	CFDictionarySetValue(dictionary, CFSTR("a"), CFSTR("1"));
	CFDictionaryAddValue(dictionary, CFSTR("a"), CFSTR("2"));
	CFDictionaryAddValue(dictionary, CFSTR("b"), kCFBooleanTrue);
	CFDictionaryReplaceValue(dictionary, CFSTR("c"), kCFBooleanTrue);
	CFDictionarySetValue(dictionary, kCFBooleanTrue, kCFBooleanTrue); /* no string: ignored */
	CFDictionarySetValue(dictionary, CFSTR("d"), NULL);
	CHECK_EQ(CFDictionaryGetCount(dictionary), 2);
	CHECK(CFEqual(CFDictionaryGetValue(dictionary, CFSTR("a")), CFSTR("1")));
	CHECK(!CFDictionaryGetValueIfPresent(dictionary, CFSTR("c"), &value));
	CFDictionaryRef copy = CFDictionaryCreateCopy(NULL, dictionary);
	CHECK(CFEqual(copy, dictionary));
	CHECK_EQ(CFHash(copy), CFHash(dictionary));
	CFStringRef description = CFCopyDescription(copy);
	CHECK_STR_EQ(CFStringGetCStringPtr(description, kCFStringEncodingUTF8),
		     "{\"a\": \"1\", \"b\": true}");
	CFRelease(description);
	CFDictionaryRemoveAllValues(dictionary);
	CHECK_EQ(CFDictionaryGetCount(dictionary), 0);
	CHECK_EQ(CFDictionaryGetCount(copy), 2);
	CFRelease(copy);
	CFRelease(dictionary);
	const void *keys[] = {kCFBooleanTrue};
	CHECK(CFDictionaryCreate(NULL, keys, keys, 1, &kCFTypeDictionaryKeyCallBacks,
				 &kCFTypeDictionaryValueCallBacks) == NULL);
}

TEST(containers_of_plain_pointers_count_nothing)
{
	int a = 0, b = 0;
	const void *keys[2] = {NULL, NULL};
	CFMutableDictionaryRef dictionary = CFDictionaryCreateMutable(NULL, 0, NULL, NULL);
	CFMutableArrayRef array = CFArrayCreateMutable(NULL, 0, NULL);

	for (int i = 0; i < 20; i++) {
		CFArrayAppendValue(array, &a);
	}
	CFArraySetValueAtIndex(array, 3, &b);
	CHECK_EQ(CFArrayGetFirstIndexOfValue(array, CFRangeMake(0, 20), &b), 3);
	CFArrayRemoveValueAtIndex(array, 0);
	CHECK(CFArrayGetValueAtIndex(array, 2) == &b);
	CFArrayRemoveAllValues(array);
	CFDictionarySetValue(dictionary, &a, &b);
	CFDictionarySetValue(dictionary, &a, NULL);
	CFDictionarySetValue(dictionary, &b, &a);
	CHECK_EQ(CFDictionaryGetCount(dictionary), 2);
	CHECK(CFDictionaryContainsKey(dictionary, &a));
	CHECK(CFDictionaryGetValue(dictionary, &a) == NULL);
	CFDictionaryGetKeysAndValues(dictionary, keys, NULL);
	CHECK(keys[0] == &a && keys[1] == &b);
	CFDictionaryRef copy = CFDictionaryCreateCopy(NULL, dictionary);
	CFDictionaryRemoveValue(dictionary, &a);
	CHECK(!CFDictionaryContainsKey(dictionary, &a));
	CHECK(CFDictionaryContainsKey(copy, &a));
	CFRelease(copy);
	CFRelease(array);
	CFRelease(dictionary);
}

TEST(array_of_objects)
{
	const void *values[] = {CFSTR("a"), CFSTR("b"), CFSTR("c")};
	CFArrayRef array = CFArrayCreate(NULL, values, 3, &kCFTypeArrayCallBacks);
	CFMutableArrayRef copy = CFArrayCreateMutableCopy(NULL, 0, array);

	CFArrayInsertValueAtIndex(copy, 9, CFSTR("x"));
	CFArrayAppendValue(copy, NULL);
	CHECK(CFEqual(array, copy));
	CHECK(CFArrayContainsValue(array, CFRangeMake(1, 2), CFSTR("c")));
	CHECK(!CFArrayContainsValue(array, CFRangeMake(0, 2), CFSTR("c")));
	CHECK(CFArrayGetValueAtIndex(array, 3) == NULL);
	CHECK(CFArrayGetValueAtIndex(array, -1) == NULL);
	CFArraySetValueAtIndex(copy, 3, CFSTR("d"));
	CHECK_EQ(CFArrayGetCount(copy), 4);
	CFRelease(copy);
	CFRelease(array);
	values[1] = NULL;
	CHECK(CFArrayCreate(NULL, values, 3, &kCFTypeArrayCallBacks) == NULL);
	CHECK(CFArrayCreate(NULL, values, -1, NULL) == NULL);
}

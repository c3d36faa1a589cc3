/* SPDX-License-Identifier: MIT
 *
 * cf_number - numbers and truth values.
 *
 * Place:      client, over dx_number.
 * Invariants:
 *   U1  an integer of up to 32 bits reads as a signed 32-bit number, whoever made it: that is
 *       what programs get from the registry.
 */
#include <limits.h>
#include <string.h>

#include <CoreFoundation/CFNumber.h>

#include "client/cf.h"

CFTypeID CFBooleanGetTypeID(void)
{
	return DX_CF_BOOLEAN;
}

Boolean CFBooleanGetValue(CFBooleanRef boolean)
{
	return dx_boolean_get((const void *)boolean) ? 1 : 0;
}

CFTypeID CFNumberGetTypeID(void)
{
	return DX_CF_NUMBER;
}

/* One of the six types of fixed size that a type stands for; 0 if it is unknown. */
static CFNumberType fixed_type(CFNumberType type)
{
	switch (type) {
	case kCFNumberCharType:
		return kCFNumberSInt8Type;
	case kCFNumberShortType:
		return kCFNumberSInt16Type;
	case kCFNumberIntType:
		return kCFNumberSInt32Type;
	case kCFNumberLongType:
	case kCFNumberLongLongType:
	case kCFNumberCFIndexType:
	case kCFNumberNSIntegerType:
		return kCFNumberSInt64Type;
	case kCFNumberFloatType:
		return kCFNumberFloat32Type;
	case kCFNumberDoubleType:
	case kCFNumberCGFloatType:
		return kCFNumberFloat64Type;
	default:
		return type >= kCFNumberSInt8Type && type <= kCFNumberFloat64Type ? type : 0;
	}
}

static struct dx_number *make_number(CFNumberType type, const void *pointer)
{
	union {
		int8_t i8;
		int16_t i16;
		int32_t i32;
		int64_t i64;
		float f32;
		double f64;
	} value;

	switch (fixed_type(type)) {
	case kCFNumberSInt8Type:
		memcpy(&value.i8, pointer, sizeof(value.i8));
		return dx_number_new_signed(value.i8, 32);
	case kCFNumberSInt16Type:
		memcpy(&value.i16, pointer, sizeof(value.i16));
		return dx_number_new_signed(value.i16, 32);
	case kCFNumberSInt32Type:
		memcpy(&value.i32, pointer, sizeof(value.i32));
		return dx_number_new_signed(value.i32, 32);
	case kCFNumberSInt64Type:
		memcpy(&value.i64, pointer, sizeof(value.i64));
		return dx_number_new_signed(value.i64, 64);
	case kCFNumberFloat32Type:
		memcpy(&value.f32, pointer, sizeof(value.f32));
		return dx_number_new_real((double)value.f32, 32);
	case kCFNumberFloat64Type:
		memcpy(&value.f64, pointer, sizeof(value.f64));
		return dx_number_new_real(value.f64, 64);
	default:
		return NULL;
	}
}

CFNumberRef CFNumberCreate(CFAllocatorRef allocator, CFNumberType theType, const void *valuePtr)
{
	(void)allocator;
	return valuePtr == NULL ? NULL : (CFNumberRef)make_number(theType, valuePtr);
}

CFNumberType CFNumberGetType(CFNumberRef number)
{
	const struct dx_number *value = (const void *)number;
	bool narrow = dx_number_bits(value) <= 32;

	if (dx_number_is_real(value)) {
		return narrow ? kCFNumberFloat32Type : kCFNumberFloat64Type;
	}
	return narrow ? kCFNumberSInt32Type : kCFNumberSInt64Type;
}

CFIndex CFNumberGetByteSize(CFNumberRef number)
{
	return dx_number_bits((const void *)number) <= 32 ? 4 : 8;
}

Boolean CFNumberIsFloatType(CFNumberRef number)
{
	return dx_number_is_real((const void *)number) ? 1 : 0;
}

static int64_t integer_of(const struct dx_number *number)
{
	uint64_t value = dx_number_u64(number);

	if (dx_number_is_real(number)) { /* saturate as signed */
		return dx_number_real(number) >= 0x1p63 ? INT64_MAX : (int64_t)value;
	}
	return dx_number_bits(number) <= 32 ? (int32_t)value : (int64_t)value;
}

static bool store_integer(const struct dx_number *number, CFNumberType type, void *pointer)
{
	int64_t value = integer_of(number);
	bool exact = !dx_number_is_real(number) || (double)value == dx_number_real(number);
	int8_t i8 = (int8_t)value;
	int16_t i16 = (int16_t)value;
	int32_t i32 = (int32_t)value;

	switch (type) {
	case kCFNumberSInt8Type:
		memcpy(pointer, &i8, sizeof(i8));
		return exact && i8 == value;
	case kCFNumberSInt16Type:
		memcpy(pointer, &i16, sizeof(i16));
		return exact && i16 == value;
	case kCFNumberSInt32Type:
		memcpy(pointer, &i32, sizeof(i32));
		return exact && i32 == value;
	default:
		memcpy(pointer, &value, sizeof(value));
		return exact;
	}
}

/* Equal in value, where both are NaN counts as equal too. */
static bool same_real(double a, double b)
{
	return a == b || (a != a && b != b);
}

static bool store_real(const struct dx_number *number, CFNumberType type, void *pointer)
{
	bool from_real = dx_number_is_real(number);
	int64_t integer = from_real ? 0 : integer_of(number);
	double value = from_real ? dx_number_real(number) : (double)integer;
	bool exact = from_real || ((long double)value == (long double)integer);

	if (type == kCFNumberFloat32Type) {
		float narrow = (float)value;

		memcpy(pointer, &narrow, sizeof(narrow));
		return exact && same_real((double)narrow, value);
	}
	memcpy(pointer, &value, sizeof(value));
	return exact;
}

Boolean CFNumberGetValue(CFNumberRef number, CFNumberType theType, void *valuePtr)
{
	CFNumberType type = fixed_type(theType);

	if (type == 0 || valuePtr == NULL) {
		return 0;
	}
	if (type == kCFNumberFloat32Type || type == kCFNumberFloat64Type) {
		return store_real((const void *)number, type, valuePtr) ? 1 : 0;
	}
	return store_integer((const void *)number, type, valuePtr) ? 1 : 0;
}

CFComparisonResult CFNumberCompare(CFNumberRef number, CFNumberRef otherNumber, void *context)
{
	const struct dx_number *a = (const void *)number;
	const struct dx_number *b = (const void *)otherNumber;

	(void)context;
	if (!dx_number_is_real(a) && !dx_number_is_real(b)) {
		int64_t left = integer_of(a);
		int64_t right = integer_of(b);

		return left < right ? kCFCompareLessThan
				    : left > right ? kCFCompareGreaterThan : kCFCompareEqualTo;
	}
	double left = dx_number_is_real(a) ? dx_number_real(a) : (double)integer_of(a);
	double right = dx_number_is_real(b) ? dx_number_real(b) : (double)integer_of(b);
	return left < right ? kCFCompareLessThan
			    : left > right ? kCFCompareGreaterThan : kCFCompareEqualTo;
}

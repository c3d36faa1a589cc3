/* SPDX-License-Identifier: MIT
 *
 * number - boolean and number values.
 *
 * Invariants:
 *   N1  an integer is kept as 64 bits: zero-extended from its width when it was made unsigned,
 *       sign-extended when it was made signed, so that -1 of 32 bits reads as -1 of 64.
 */
#include "base/value.h"

#include <math.h>

struct dx_boolean {
	struct dx_object object;
	bool value;
};

struct dx_number {
	struct dx_object object;
	union {
		uint64_t integer;
		double real;
	};
	uint8_t bits;
	bool is_real;
};

static bool number_equal(const struct dx_object *a, const struct dx_object *b)
{
	const struct dx_number *left = (const void *)a;
	const struct dx_number *right = (const void *)b;

	if (left->is_real || right->is_real) {
		double a_real = dx_number_real(left);
		double b_real = dx_number_real(right);

		/* What is no number equals itself here: a value equals its copy. */
		return a_real == b_real || (isnan(a_real) && isnan(b_real));
	}
	return left->integer == right->integer;
}

const struct dx_class dx_boolean_class = {
	.name = "boolean",
	.instance_size = sizeof(struct dx_boolean),
};

const struct dx_class dx_number_class = {
	.name = "number",
	.instance_size = sizeof(struct dx_number),
	.equal = number_equal,
};

static const struct dx_boolean booleans[2] = {
	{.object = {.class = &dx_boolean_class, .refs = DX_OBJECT_IMMORTAL}, .value = false},
	{.object = {.class = &dx_boolean_class, .refs = DX_OBJECT_IMMORTAL}, .value = true},
};

const struct dx_boolean *dx_boolean(bool value)
{
	return &booleans[value ? 1 : 0];
}

bool dx_boolean_get(const struct dx_boolean *boolean)
{
	return boolean->value;
}

/* 8, 16, 32 or 64: the smallest that holds so many bits. */
static uint8_t storage_bits(unsigned bits)
{
	return bits <= 8 ? 8 : bits <= 16 ? 16 : bits <= 32 ? 32 : 64;
}

static struct dx_number *new_integer(uint64_t value, unsigned bits)
{
	struct dx_number *number = dx_object_new(&dx_number_class);

	if (number == NULL) {
		return NULL;
	}
	number->integer = value;
	number->bits = storage_bits(bits);
	return number;
}

struct dx_number *dx_number_new(uint64_t value, unsigned bits)
{
	return new_integer(bits >= 64 ? value : value & ((UINT64_C(1) << bits) - 1), bits);
}

struct dx_number *dx_number_new_signed(int64_t value, unsigned bits)
{
	uint64_t raw = (uint64_t)value;

	if (bits > 0 && bits < 64) {
		uint64_t sign = UINT64_C(1) << (bits - 1);

		raw &= (sign << 1) - 1;
		raw = (raw ^ sign) - sign;
	}
	return new_integer(raw, bits);
}

struct dx_number *dx_number_new_real(double value, unsigned bits)
{
	struct dx_number *number = dx_object_new(&dx_number_class);

	if (number == NULL) {
		return NULL;
	}
	number->real = bits <= 32 ? (double)(float)value : value;
	number->bits = bits <= 32 ? 32 : 64;
	number->is_real = true;
	return number;
}

uint64_t dx_number_u64(const struct dx_number *number)
{
	if (!number->is_real) {
		return number->integer;
	}
	/* Outside these bounds the conversion is undefined in C; it saturates here. */
	if (!(number->real > -0x1p63)) {
		return isnan(number->real) ? 0 : (uint64_t)INT64_MIN;
	}
	if (number->real < 0) {
		return (uint64_t)(int64_t)number->real;
	}
	return number->real >= 0x1p64 ? UINT64_MAX : (uint64_t)number->real;
}

double dx_number_real(const struct dx_number *number)
{
	return number->is_real ? number->real : (double)(int64_t)number->integer;
}

unsigned dx_number_bits(const struct dx_number *number)
{
	return number->bits;
}

bool dx_number_is_real(const struct dx_number *number)
{
	return number->is_real;
}

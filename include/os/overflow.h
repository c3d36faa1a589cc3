/* SPDX-License-Identifier: MIT
 *
 * os/overflow.h - arithmetic that tells when the result does not fit: true means it did not.
 */
#ifndef OPENDEXT_OS_OVERFLOW_H
#define OPENDEXT_OS_OVERFLOW_H

#define os_add_overflow(a, b, result) __builtin_add_overflow((a), (b), (result))
#define os_sub_overflow(a, b, result) __builtin_sub_overflow((a), (b), (result))
#define os_mul_overflow(a, b, result) __builtin_mul_overflow((a), (b), (result))
#define os_add3_overflow(a, b, c, result)                                                        \
	__extension__({                                                                          \
		__typeof__(*(result)) os_sum_ = 0;                                               \
		bool os_over_ = os_add_overflow((a), (b), &os_sum_);                             \
		os_add_overflow(os_sum_, (c), (result)) || os_over_;                             \
	})
#define os_mul_and_add_overflow(a, x, b, result)                                                 \
	__extension__({                                                                          \
		__typeof__(*(result)) os_product_ = 0;                                           \
		bool os_over_ = os_mul_overflow((a), (x), &os_product_);                         \
		os_add_overflow(os_product_, (b), (result)) || os_over_;                         \
	})
#define os_convert_overflow(a, result) os_add_overflow((a), 0, (result))

#endif

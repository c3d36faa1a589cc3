/* SPDX-License-Identifier: MIT
 *
 * fuzz - what a fuzzer defines.
 *
 * fuzz/<room>_<what>_fuzz.c holds one LLVMFuzzerTestOneInput(). Called with bytes of an exactly
 * sized allocation; must give back all it takes and must not depend on earlier calls.
 */
#ifndef DX_FUZZ_FUZZ_H
#define DX_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* @return 0. A finding is a crash, an assertion, a leak, a sanitizer's report. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#endif

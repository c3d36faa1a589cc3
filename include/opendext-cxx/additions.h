/* SPDX-License-Identifier: MIT
 *
 * opendext-cxx/additions.h - what sources of DriverKit expect of the C library and glibc 2.36 does not
 * have. The directory opendext-cxx comes first on the search path of a driver, so that <time.h> and
 * <string.h> bring them; IOLib.h does it in any case.
 */
#ifndef OPENDEXT_CXX_ADDITIONS_H
#define OPENDEXT_CXX_ADDITIONS_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*! Marks what may be left unused; not before the headers of the system, which have fields of that name. */
#ifndef __unused
#define __unused __attribute__((unused))
#endif
#ifndef __BEGIN_DECLS
#ifdef __cplusplus
#define __BEGIN_DECLS extern "C" {
#define __END_DECLS   }
#else
#define __BEGIN_DECLS
#define __END_DECLS
#endif
#endif

/*! Clocks by Apple's names. Uptime does not count sleep, monotonic does. */
#ifndef CLOCK_UPTIME_RAW
#define CLOCK_UPTIME_RAW	CLOCK_MONOTONIC
#define CLOCK_UPTIME_RAW_APPROX CLOCK_MONOTONIC
#endif

#ifndef NSEC_PER_USEC
#define NSEC_PER_USEC 1000ull
#endif
#ifndef NSEC_PER_MSEC
#define NSEC_PER_MSEC 1000000ull
#endif
#ifndef NSEC_PER_SEC
#define NSEC_PER_SEC 1000000000ull
#endif
#ifndef USEC_PER_SEC
#define USEC_PER_SEC 1000000ull
#endif

/*! A clock in nanoseconds; 0 for an unknown one. */
static inline uint64_t clock_gettime_nsec_np(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0) {
		return 0;
	}
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

#if !defined(__GLIBC__) || __GLIBC__ < 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ < 38)
/*! Copies with a NUL in any case. @return the length of source. */
static inline size_t strlcpy(char *destination, const char *source, size_t size)
{
	size_t length = __builtin_strlen(source);

	if (size > 0) {
		size_t copied = length < size ? length : size - 1;
		__builtin_memcpy(destination, source, copied);
		destination[copied] = '\0';
	}
	return length;
}

/*! Appends likewise. @return the length that it tried to make. */
static inline size_t strlcat(char *destination, const char *source, size_t size)
{
	size_t used = 0;

	while (used < size && destination[used] != '\0') {
		used++;
	}
	return used + strlcpy(destination + used, source, size - used);
}
#endif

#endif

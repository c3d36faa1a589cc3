/* SPDX-License-Identifier: MIT
 *
 * CFDate - points and spans of time as run loops use them.
 */
#ifndef OPENDEXT_COREFOUNDATION_CFDATE_H
#define OPENDEXT_COREFOUNDATION_CFDATE_H

#include <CoreFoundation/CFBase.h>

CF_EXTERN_C_BEGIN

/*! Seconds, as a span; seconds since 2001-01-01 00:00:00 UTC, as a point. */
typedef double CFTimeInterval;
typedef CFTimeInterval CFAbsoluteTime;

/*! From 1970-01-01 to 2001-01-01. */
#define kCFAbsoluteTimeIntervalSince1970 978307200.0

/*!
 * Now.
 * @return seconds since 2001-01-01 UTC. It follows the wall clock and may jump.
 * Threads: any.
 */
CF_EXPORT CFAbsoluteTime CFAbsoluteTimeGetCurrent(void);

CF_EXTERN_C_END

#endif

/* SPDX-License-Identifier: MIT
 *
 * TargetConditionals.h - what a source is compiled for. TARGET_OS_DRIVERKIT is 1 for what includes a
 * header of DriverKit, as `dext build` passes it for every source of a driver.
 */
#ifndef OPENDEXT_TARGETCONDITIONALS_H
#define OPENDEXT_TARGETCONDITIONALS_H

#ifndef TARGET_OS_DRIVERKIT
#define TARGET_OS_DRIVERKIT 0
#endif
#if TARGET_OS_DRIVERKIT
#define TARGET_OS_OSX 0
#else
#define TARGET_OS_OSX 1
#endif
#define TARGET_OS_MAC	    1
#define TARGET_OS_WIN32	    0
#define TARGET_OS_UNIX	    0
#define TARGET_OS_IPHONE    0
#define TARGET_OS_IOS	    0
#define TARGET_OS_TV	    0
#define TARGET_OS_WATCH	    0
#define TARGET_OS_BRIDGE    0
#define TARGET_OS_SIMULATOR 0
#define TARGET_OS_EMBEDDED  0
#define TARGET_OS_LINUX	    1

#if defined(__x86_64__)
#define TARGET_CPU_X86_64 1
#define TARGET_CPU_ARM64  0
#elif defined(__aarch64__)
#define TARGET_CPU_X86_64 0
#define TARGET_CPU_ARM64  1
#endif
#define TARGET_RT_LITTLE_ENDIAN 1
#define TARGET_RT_BIG_ENDIAN	0
#define TARGET_RT_64_BIT	1

#endif

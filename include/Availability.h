/* SPDX-License-Identifier: MIT
 *
 * Availability.h - marks of versions. Everything here is always there, so they expand to nothing;
 * the attribute itself is accepted by clang and means nothing on Linux.
 */
#ifndef OPENDEXT_AVAILABILITY_H
#define OPENDEXT_AVAILABILITY_H

#define __MAC_10_15	    101500
#define __MAC_11_0	    110000
#define __MAC_12_0	    120000
#define __MAC_13_0	    130000
#define __DRIVERKIT_19_0    190000
#define __DRIVERKIT_20_0    200000
#define __DRIVERKIT_21_0    210000
#define __DRIVERKIT_22_0    220000
#define __DRIVERKIT_23_0    230000

#define API_AVAILABLE(...)
#define API_UNAVAILABLE(...)
#define API_DEPRECATED(...)
#define API_DEPRECATED_WITH_REPLACEMENT(...)
#define SPI_AVAILABLE(...)
#define SPI_DEPRECATED(...)
#define __OSX_AVAILABLE(...)
#define __OSX_AVAILABLE_STARTING(...)
#define __API_AVAILABLE(...)
#define __API_UNAVAILABLE(...)
#define __API_DEPRECATED(...)

#endif

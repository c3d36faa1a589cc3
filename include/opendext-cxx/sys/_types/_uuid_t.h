/* SPDX-License-Identifier: MIT
 *
 * sys/_types/_uuid_t.h - 16 bytes that name something.
 */
#ifndef OPENDEXT_CXX_UUID_T_H
#define OPENDEXT_CXX_UUID_T_H

typedef unsigned char __darwin_uuid_t[16];
typedef __darwin_uuid_t uuid_t;

#endif

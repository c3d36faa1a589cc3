/* SPDX-License-Identifier: MIT
 *
 * string.h - the system's, and strlcpy(), strlcat(), bzero().
 */
#include_next <string.h>

#ifndef OPENDEXT_CXX_STRING_H
#define OPENDEXT_CXX_STRING_H
#include <strings.h>

#include <opendext-cxx/additions.h>
#endif

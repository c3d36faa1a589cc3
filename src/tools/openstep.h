/* SPDX-License-Identifier: MIT
 *
 * openstep - property lists as NeXT wrote them: { key = value; list = ( one, "two" ); }.
 *
 * Place:      tools; `dext build` reads Xcode's projects with it. libplist reads them from a later
 *             version on than the one that is asked for.
 * Format:     a value is a dictionary {key = value; ...}, a list (value, ...), a text, plain or
 *             in quotes with \ before what is not plain, or data <hex digits>. Comments are those
 *             of C++.
 * Invariants:
 *   O1  a text is copied with what it says; what is no UTF-8 or has a zero is refused.
 *   O2  nothing is deeper than 32 levels, nothing has more than 500000 values.
 */
#ifndef DX_TOOLS_OPENSTEP_H
#define DX_TOOLS_OPENSTEP_H

#include <stddef.h>

/*
 * @param ret_value  counted; dx_dict, dx_array, dx_string, or dx_data.
 * @param ret_line   on -EPROTO: the line, from 1, where it cannot be read.
 * @return 0; -EPROTO; -ENOMEM.
 */
int dx_openstep_decode(const char *text, size_t length, void **ret_value, unsigned *ret_line);

#endif

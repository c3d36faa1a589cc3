/* SPDX-License-Identifier: MIT
 *
 * plist - property lists, XML and binary, to and from values. Uses libplist.
 *
 * Place:   base. Info.plist files, registry properties on the wire.
 * Trust:   bytes come from files and peers: size and depth are bounded before values are built.
 */
#ifndef DX_BASE_PLIST_H
#define DX_BASE_PLIST_H

#include <stddef.h>

#include "base/value.h"

/* Either format. @return 0 and a +1 value; -EPROTO malformed; -E2BIG over the limits; -ENOMEM.
 * ret_line (may be NULL): for XML, the line where parsing stopped, else 0. */
int dx_plist_decode(const void *bytes, size_t length, void **ret_value, unsigned *ret_line);
/* Binary form. *ret_bytes is malloc'd. -EINVAL if something in it is no value. */
int dx_plist_encode(const void *value, void **ret_bytes, size_t *ret_length);
/* XML form, for people. */
int dx_plist_encode_xml(const void *value, char **ret_text, size_t *ret_length);

#endif

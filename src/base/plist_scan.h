/* SPDX-License-Identifier: MIT
 *
 * plist_scan - is this property list safe to give to the parser?
 *
 * Place:      base, private to plist.c. libplist builds whatever a file describes: it recurses as
 *             deep as the file nests, and a binary file may name one object many times, which
 *             multiplies. So these two look first, and reading stops here with a line number.
 * Invariants:
 *   P1  what passes has at most DX_MAX_PLIST_DEPTH levels and takes about
 *       DX_MAX_PLIST_EXPANDED_BYTES at most once it is built.
 *   P2  what passes holds only booleans, numbers, strings, data, arrays, dictionaries.
 *   P3  the scan itself takes time and memory in proportion to length.
 */
#ifndef DX_BASE_PLIST_SCAN_H
#define DX_BASE_PLIST_SCAN_H

#include <stddef.h>

/* @return 0; -EPROTO or -E2BIG, with the line (from 1) in *ret_line. */
int dx_plist_scan_xml(const char *text, size_t length, unsigned *ret_line);
/* @return 0; -EPROTO; -E2BIG; -ENOMEM. */
int dx_plist_scan_binary(const void *bytes, size_t length);

#endif

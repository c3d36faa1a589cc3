/* SPDX-License-Identifier: MIT
 *
 * promote - moves pages of this process into a file that is mapped in their place.
 *
 * Place:   client, under share.c, which explains it (H2, H3).
 */
#ifndef DX_CLIENT_PROMOTE_H
#define DX_CLIENT_PROMOTE_H

#include <stddef.h>

#include "client/areas.h"

/*
 * Moves the pages of the areas that are private into fd, each at its address minus base, and maps
 * them there, shared. Areas that are shared already are left alone. The file is long enough.
 * @return 0; the errno of what failed: areas are then moved or not, each as a whole, and no byte is
 *         lost.
 */
int dx_promote_areas(int fd, uint64_t base, const struct dx_area *areas, size_t count);

#endif

/* SPDX-License-Identifier: MIT
 *
 * collections - walking a dictionary by number, for the files of this room.
 */
#ifndef DX_CXX_COLLECTIONS_H
#define DX_CXX_COLLECTIONS_H

#include "cxx/face.h"

namespace dx {

/* The index-th pair, both borrowed; false beyond the end. */
bool pair_at(const OSDictionary *dictionary, size_t index, const char **ret_key, void **ret_value);

} // namespace dx

#endif

/* SPDX-License-Identifier: MIT
 *
 * face - what another language shows of an object.
 *
 * Place:      base; its own header because that language reads it too. The C++ object of src/cxx
 *             follows this head at once.
 * Invariants:
 *   F1  a face goes with its object, after the class's free chain and before the memory.
 */
#ifndef DX_BASE_FACE_H
#define DX_BASE_FACE_H

struct dx_face {
	void (*free)(struct dx_face *face);
	void *object; /* the struct dx_object it belongs to; not counted */
};

#endif

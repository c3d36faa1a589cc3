/* SPDX-License-Identifier: MIT
 *
 * method - reads the members of a class into the model, and refuses what the language lacks.
 */
#ifndef DX_IIG_METHOD_H
#define DX_IIG_METHOD_H

#include "iig/model.h"

/* Appends the methods of the class; reports what cannot be a member. */
void dx_method_read_all(struct dx_model *model, struct dx_class *class);

#endif

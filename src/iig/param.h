/* SPDX-License-Identifier: MIT
 *
 * param - parameters of methods: how they are written, and how they travel in a message.
 */
#ifndef DX_IIG_PARAM_H
#define DX_IIG_PARAM_H

#include "iig/model.h"

/* The parameters of a method, from the tokens between its brackets. */
struct dx_param *dx_param_read_all(struct dx_model *model, CXCursor method, size_t open,
				   size_t close);

/* Appends tokens [from, to) as dx_source_copy() does, without attributes. */
void dx_param_copy_tokens(const struct dx_source *source, size_t from, size_t to,
			  struct dx_text *text);

#endif

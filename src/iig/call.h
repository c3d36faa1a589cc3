/* SPDX-License-Identifier: MIT
 *
 * call - writes the caller of a remote method.
 */
#ifndef DX_IIG_CALL_H
#define DX_IIG_CALL_H

#include "iig/model.h"
#include "iig/text.h"

void dx_call_write(const struct dx_class *class, const struct dx_method *method,
		   struct dx_text *out);

#endif

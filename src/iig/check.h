/* SPDX-License-Identifier: MIT
 *
 * check - the rules of the input language that C++ does not know.
 */
#ifndef DX_IIG_CHECK_H
#define DX_IIG_CHECK_H

#include "iig/model.h"

/* @return 0; -EINVAL when something was reported. */
int dx_check(struct dx_model *model, CXTranslationUnit unit);

#endif

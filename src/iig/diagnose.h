/* SPDX-License-Identifier: MIT
 *
 * diagnose - passes clang's messages on, with advice in the terms of .iig files.
 */
#ifndef DX_IIG_DIAGNOSE_H
#define DX_IIG_DIAGNOSE_H

#include "iig/model.h"

#define DX_KNOWN_ATTRIBUTES                                                                        \
	"known are KERNEL, LOCAL, LOCALONLY, TARGET, TYPE(Class::Method) and QUEUENAME(name)"

/* @return 0; -EINVAL when clang found errors. */
int dx_diagnose(struct dx_model *model, CXTranslationUnit unit);

#endif

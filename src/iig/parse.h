/* SPDX-License-Identifier: MIT
 *
 * parse - runs libclang over the input and fills the model.
 */
#ifndef DX_IIG_PARSE_H
#define DX_IIG_PARSE_H

#include "iig/model.h"

struct dx_parse {
	CXIndex index;
	CXTranslationUnit unit;
};

/*
 * Reads the classes of the file into the model. Reports what clang finds wrong, with advice.
 * args are clang's options, as they stand after "--" on the command line.
 * @return 0; -EINVAL when something was reported.
 */
int dx_parse_run(struct dx_parse *parse, struct dx_model *model, const char *const *args,
		 int nr_args);
void dx_parse_fini(struct dx_parse *parse);

#endif
